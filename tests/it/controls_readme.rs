//! `controls/README.md`: its index is what the shipped files say, and every control that it names is shipped.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proofline::catalog::{self, Catalog, shipped};

const FROM: &str = "<!-- index -->\n";
const TO: &str = "<!-- end of index -->";

pub(crate) fn shipped_catalog() -> Catalog {
    let vocabulary = proofline::cli::vocabulary();
    catalog::load(&shipped::files(), &vocabulary, &catalog::Overrides::default()).expect("the shipped controls are valid")
}

/// One table for each file, in the order of the ids.
fn index(catalog: &Catalog) -> String {
    let files: BTreeSet<&str> = catalog.controls.iter().map(|control| control.file.as_str()).collect();
    let mut text = String::new();
    for file in files {
        text += &format!("### {}\n\n| id | | severity | asked of |\n|---|---|---|---|\n", file.trim_start_matches("controls/").trim_end_matches(".toml"));
        let mut controls: Vec<_> = catalog.controls.iter().filter(|control| control.file == file).collect();
        controls.sort_by_key(|control| control.id.to_string());
        for control in controls {
            let kinds: BTreeSet<&str> = control.tests.iter().map(|test| test.population.as_str()).collect();
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            text += &format!("| {} | {} | {} | {} |\n", control.id, control.title, control.severity.as_str(), kinds.join(", "));
        }
        text += "\n";
    }
    text
}

/// Words like `CHG-03` in the tables' second column.
fn named(text: &str) -> BTreeSet<String> {
    let answers = text.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.split(" | ").nth(1));
    let words = answers.flat_map(|answer| answer.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').map(str::to_owned).collect::<Vec<_>>());
    let is_id = |word: &String| {
        let (theme, number) = word.split_once('-').unwrap_or_default();
        (2..=4).contains(&theme.len()) && theme.bytes().all(|b| b.is_ascii_uppercase()) && number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit())
    };
    words.filter(is_id).collect()
}

#[test]
fn the_index_is_of_what_is_shipped_and_no_other_control_is_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("controls/README.md");
    let text = fs::read_to_string(&path).expect("the README");
    let (before, rest) = text.split_once(FROM).expect("where the index begins");
    let (_, after) = rest.split_once(TO).expect("where the index ends");
    let catalog = shipped_catalog();
    let expected = format!("{before}{FROM}\n{}{TO}{after}", index(&catalog));
    #[expect(clippy::disallowed_methods, reason = "a developer asks for a new index through the environment")]
    let write = std::env::var_os("PROOFLINE_WRITE_SAMPLES").is_some();
    if write {
        fs::write(&path, &expected).expect("written");
    } else {
        assert!(text == expected, "the index of controls/README.md is not of today: PROOFLINE_WRITE_SAMPLES=1 writes it anew");
    }
    let ids: BTreeSet<String> = catalog.controls.iter().map(|control| control.id.to_string()).collect();
    let named = named(after);
    assert!(named.len() > 40, "{named:?}");
    assert_eq!(named.difference(&ids).collect::<Vec<_>>(), Vec::<&String>::new(), "these are not shipped");
}
