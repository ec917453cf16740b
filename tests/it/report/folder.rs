//! A report that one page cannot carry: a page for each control with every row, whose links lead where they say.

use std::collections::{BTreeMap, BTreeSet};

use proofline::model::{Assessment, Cited, ControlAssessment, Exchange, Observation, Verdict};

use super::sample::assessment;
use super::{attribute, balanced, hostile, render};

/// The sample with more controls, each over as many resources; one in twenty fails for a reason of its own.
pub(crate) fn crowd(controls: usize, resources: u32) -> Assessment {
    let mut of = assessment();
    let model = of.controls.iter().find(|control| control.control.id.as_str() == "REP-03").expect("REP-03").clone();
    let seen = |verdict: Verdict| model.observations.iter().find(|seen| seen.verdict == verdict).expect("a row");
    let (pass, fail) = (seen(Verdict::Pass), seen(Verdict::Fail));
    let row = |n: u32| {
        let like = if n.is_multiple_of(20) { &fail } else { &pass };
        let name = format!("example/repository-{n:05} main");
        Observation {
            resource: format!("github.com/example/repository-{n:05}/refs/heads/main").parse().expect("an id"),
            name: name.into(),
            evidence: [4, 100 + n].into(),
            ..like.clone()
        }
    };
    let copy = |n: usize| {
        let mut copy = ControlAssessment { observations: (0..resources).map(row).collect(), ..model.clone() };
        copy.control.id = format!("BIG-{n:03}").parse().expect("an id");
        copy
    };
    of.controls.extend((0..controls).map(copy));
    of.controls.sort_by(|a, b| a.control.id.cmp(&b.control.id));
    let cited = of.evidence[0].clone();
    of.evidence.extend((0..resources).map(|n| Cited { exchange: Exchange { n: 100 + n, ..cited.exchange.clone() }, ..cited.clone() }));
    of
}

fn pages(of: &Assessment) -> BTreeMap<String, String> {
    render("html", of).into_iter().map(|(path, bytes)| (path, String::from_utf8(bytes).expect("UTF-8"))).collect()
}

/// The path that a link leads to, from the page it is on; and the anchor there.
fn target(from: &str, link: &str) -> (String, String) {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let below = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = match (path, path.strip_prefix("../")) {
        ("", _) => from.to_owned(),
        (_, Some(up)) => up.to_owned(),
        (path, None) if below.is_empty() => path.to_owned(),
        (path, None) => format!("{below}/{path}"),
    };
    (whole, anchor.to_owned())
}

/// Each link leads to a file of the report, and to something that is there.
fn no_link_leads_nowhere(of: &Assessment, pages: &BTreeMap<String, String>) {
    let tables: BTreeSet<String> = render("csv", of).into_keys().collect();
    let tags: BTreeMap<&String, Vec<String>> = pages.iter().map(|(path, text)| (path, balanced(text))).collect();
    let ids: BTreeMap<&String, BTreeSet<&str>> =
        tags.iter().map(|(path, tags)| (*path, tags.iter().filter_map(|tag| attribute(tag, "id")).collect())).collect();
    for (path, tags) in &tags {
        let given = tags.iter().filter(|tag| attribute(tag, "id").is_some()).count();
        assert_eq!(given, ids[*path].len(), "{path}: two elements have one id");
        for link in tags.iter().filter_map(|tag| attribute(tag, "href")) {
            let (to, anchor) = target(path, link);
            match ids.get(&to) {
                Some(there) => assert!(anchor.is_empty() || there.contains(anchor.as_str()), "{path}: {link} is not there"),
                None => assert!(tables.contains(&to) && anchor.is_empty(), "{path}: {link} is no file of the report"),
            }
        }
    }
}

#[test]
fn what_fits_stays_one_file() {
    for of in [assessment(), hostile(), crowd(3, 190)] {
        assert_eq!(pages(&of).into_keys().collect::<Vec<_>>(), ["index.html"]);
    }
}

#[test]
fn every_row_of_a_large_report_is_on_exactly_one_page_of_its_control() {
    let of = crowd(2, 4_500);
    let pages = pages(&of);
    assert_eq!(pages.len(), 1 + of.controls.len() + 2 * 2, "the two large ones have three pages each");
    no_link_leads_nowhere(&of, &pages);
    for id in ["BIG-000", "BIG-001"] {
        let own: Vec<&String> = ["", "-2", "-3"].iter().map(|page| &pages[&format!("controls/{id}{page}.html")]).collect();
        let mut rows: Vec<&str> =
            own.iter().flat_map(|text| text.split("<th scope=\"row\"><bdi>").skip(1)).filter_map(|row| row.split("</bdi>").next()).collect();
        // What changed in the control's definition is told in rows too.
        rows.retain(|row| row.starts_with("example/"));
        rows.sort_unstable();
        let wanted: Vec<String> = (0..4_500).map(|n| format!("example/repository-{n:05} main")).collect();
        assert_eq!(rows, wanted);
        assert!(own[0].contains("Rows 1 to 225 of 225.") && own[0].contains("Rows 1 to 1,775 of 4,275.") && own[2].contains("Rows 3,776 to 4,275 of 4,275."));
        assert!(own[2].contains("Every finding of the period, newest first (8)") && own[1].contains("<a href=\"BIG-00"));
        // The exchanges behind a page's rows are on that page.
        assert_eq!(own[1].matches("<tr id=\"e-").count(), 1 + 2_000);
    }
    let first = &pages["index.html"];
    let policy = |text: &str| {
        text.split("http-equiv=\"Content-Security-Policy\" content=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a policy").to_owned()
    };
    assert!(pages.values().all(|text| policy(text) == policy(first) && text.matches("<script").count() == 1));
    assert!(first.contains("Rows shown / total: 200 / 225. <strong>Not all rows are shown. </strong>All rows: <a href=\"results.csv\">results.csv</a>, <a href=\"controls/BIG-000.html\">the page of BIG-000</a>"));
}

/// However many controls there are, the first page stays one that can be opened, and shows the first rows of each table.
#[test]
fn the_first_page_shows_less_of_each_control_the_more_there_are() {
    let of = crowd(60, 300);
    let pages = pages(&of);
    let first = &pages["index.html"];
    assert!(first.contains("Rows shown / total: 100 / 285."));
    assert!(first.contains("Rows shown / total: 15 / 15."));
    assert!(first.len() < 6_000_000, "{} bytes", first.len());
    assert!(pages.iter().filter(|(path, _)| path.starts_with("controls/BIG")).all(|(_, text)| text.len() < 2_000_000));
}

#[test]
fn hostile_text_stays_text_on_every_page() {
    let mut of = hostile();
    let place = of.controls.iter().position(|control| control.observations.len() > 3).expect("rows");
    let rows: Vec<Observation> = of.controls[place].observations.iter().collect();
    of.controls[place].observations = rows.iter().cycle().take(2_500).cloned().collect();
    // The same letters twice: such names cannot lie side by side on every disk.
    of.controls[0].control.id = of.controls[1].control.id.as_str().to_lowercase().parse().expect("an id");
    let pages = pages(&of);
    no_link_leads_nowhere(&of, &pages);
    let lower: BTreeSet<String> = pages.keys().map(|path| path.to_lowercase()).collect();
    assert_eq!(lower.len(), pages.len());
    for (path, text) in &pages {
        assert!(!text.chars().any(|c| super::is_unseen(c) && c != '\n'), "{path} holds a character that acts unseen");
        assert!(text.matches("<script").count() == 1 && !text.contains("<img") && !text.contains("<b>Nowhere"), "{path}");
    }
}
