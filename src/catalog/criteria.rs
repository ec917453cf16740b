//! Criteria files: the ids of a framework, each with a title in our own words.
//!
//! Left out: the frameworks' own texts; they belong to their owners.

use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::catalog::mistake::Mistake;
use crate::catalog::page::{Node, Page, Section, shown};
use crate::catalog::source::Place;
use crate::catalog::value;
use crate::model::{Criterion, CriterionId};

/// True for files that hold criteria, by their path.
pub(super) fn is_criteria_file(path: &str) -> bool {
    path.starts_with("criteria/") || path.contains("/criteria/")
}

/// The sound criteria of a file; `known` gathers every id met.
pub(super) fn criteria(page: &mut Page<'_>, table: &DeTable<'_>, known: &mut BTreeMap<CriterionId, Place>) -> Vec<Criterion> {
    let root = Section::root(page, table, "a criteria file", &["framework", "name", "criterion"]);
    let framework = root.required(page, "framework", "e.g. framework = \"soc2\"").and_then(|node| value::line(page, node, "framework"));
    let name = root.required(page, "name", "e.g. name = \"SOC 2 (Trust Services Criteria 2017)\"").and_then(|node| value::line(page, node, "name"));
    let list = root.required(page, "criterion", "add a [[criterion]] with id and title").and_then(|node| value::list(page, node, "criterion"));
    let (Some(framework), Some(items)) = (framework, list) else { return Vec::new() };
    let read: Vec<_> = items.map(|item| criterion(page, item, &framework, known)).collect();
    let sound = read.into_iter().flatten();
    sound.map(|(id, title)| Criterion { id, framework: name.as_deref().unwrap_or(&framework).to_owned(), title }).collect()
}

fn criterion(page: &mut Page<'_>, node: Node<'_, '_>, framework: &str, known: &mut BTreeMap<CriterionId, Place>) -> Option<(CriterionId, String)> {
    let section = Section::of(page, node, "a criterion", &["id", "title"])?;
    let title = section.required(page, "title", "say what it is about, in your own words").and_then(|node| value::line(page, node, "title"));
    let node = section.required(page, "id", "e.g. id = \"CC8.1\"")?;
    let given = value::line(page, node, "id")?;
    let id = match format!("{framework}:{given}").parse::<CriterionId>() {
        Ok(id) => id,
        Err(invalid) => {
            let help = if given.contains(':') { "leave the framework out; the file names it once" } else { invalid.rule };
            page.error(node.span(), format!("\"{}\" is not the number of a criterion", shown(&given)), help.to_owned());
            return None;
        }
    };
    let place = page.place(node.span());
    if let Some(first) = known.get(&id) {
        page.note(Mistake::new(Some(place), format!("the criterion {id} is there twice")).also(first.clone(), "it was given first here"));
        return None;
    }
    known.insert(id.clone(), place);
    Some((id, title?.into_owned()))
}
