//! The report in a real browser, opened from a disk: what it asks for, what it refuses, what a keyboard reaches, what search and filters show, what is printed, and what
//! axe-core says of it. Chromium, puppeteer-core and axe-core are others' work; where they are not there these tests say so, and with `CI=true` fail.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proofline::model::{Assessment, ControlAssessment, Verdict};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::folder::crowd;
use super::{ATTACKS, each_row, hostile, render};
use crate::tools;

/// The sample with a control that has pages of its own, and with names that would like to be code, formulas, or to read from right to left.
fn rich() -> Assessment {
    let mut of = crowd(1, 230);
    of.entity = "חברה לדוגמה <b>Ltd</b>".to_owned();
    let mut attacks = ATTACKS.iter().cycle();
    let mut next = || (*attacks.next().expect("endless")).to_owned();
    let control = |of: &mut Assessment, id: &str| of.controls.iter().position(|control| control.control.id.as_str() == id).expect("a control");
    let place = control(&mut of, "STO-01");
    each_row(&mut of.controls[place], |seen| (seen.name, seen.because) = (next().into(), next().into()));
    let place = control(&mut of, "ACC-04");
    of.controls[place].control.title = "</title></style><img src=x onerror=alert(1)> \"عنوان\" & more".to_owned();
    let place = control(&mut of, "CHG-01");
    of.controls[place].control.owner = "=HYPERLINK(\"http://evil.example\") <script>alert(1)</script>".to_owned();
    of
}

/// The report in a folder of its own.
fn written(of: &Assessment) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, bytes) in render("html", of) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }
    folder
}

/// What the browser saw on each visit; none where there is no browser.
fn seen(visits: &Value) -> Option<Value> {
    let (tools, chromium) = tools::browser()?;
    let folder = tempfile::tempdir().expect("a folder");
    let plan = folder.path().join("plan.json");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/report/browser.mjs");
    fs::write(&plan, json!({"chromium": chromium, "profile": folder.path().join("profile"), "visits": visits}).to_string()).expect("written");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let output = tools::must(folder.path(), "node", &[&text(&program), &text(&tools), &text(&plan)]);
    Some(serde_json::from_slice(&output).expect("JSON"))
}

/// What a reader asks for, as the page's fields have it.
struct Query {
    text: &'static str,
    conclusions: &'static [&'static str],
    severity: &'static str,
    owner: String,
    /// As in the list, and the beginning of the criteria that it stands for.
    criterion: (&'static str, &'static str),
}

fn queries(of: &Assessment) -> Vec<Query> {
    let none = || Query { text: "", conclusions: &[], severity: "", owner: String::new(), criterion: ("", "") };
    let owner = |id: &str| of.controls.iter().find(|control| control.control.id.as_str() == id).expect("a control").control.owner.clone();
    vec![
        Query { text: "rep-03", ..none() },
        Query { text: "Default BRANCHES", ..none() },
        Query { text: "example/billing", ..none() },
        Query { text: "onmouseover=\"alert(1)", ..none() },
        Query { text: "'approvals' && nothing like it", ..none() },
        Query { text: "عنوان", ..none() },
        Query { text: "repository-00040", ..none() },
        Query { text: "backup-writer 205 days", ..none() },
        Query { conclusions: &["undetermined", "not-run"], ..none() },
        Query { conclusions: &["waived"], ..none() },
        Query { conclusions: &["satisfied"], severity: "critical", ..none() },
        Query { owner: owner("CHG-01"), ..none() },
        Query { criterion: ("any of ISO/IEC 27001:2022 Annex A", "iso27001:"), severity: "medium", ..none() },
        Query { criterion: ("soc2:CC8.1 Changes are authorised, tested and approved", "soc2:CC8.1"), text: "main", ..none() },
    ]
}

fn conclusion(of: &ControlAssessment) -> &'static str {
    use proofline::model::FindingStatus::{NotSatisfied, Satisfied, Undetermined};
    match of.findings.last().map(|(_, finding)| (finding.status, finding.counts.waived)) {
        None => "not-run",
        Some((NotSatisfied, _)) => "not-satisfied",
        Some((Undetermined, _)) => "undetermined",
        Some((Satisfied, 0)) => "satisfied",
        Some((Satisfied, _)) => "waived",
    }
}

/// The controls that an answer has to show and how many rows in them, from the assessment alone. Rows that the first page cuts cannot be found on it.
fn expected(of: &Assessment, query: &Query) -> (Vec<String>, usize) {
    let words: Vec<String> = query.text.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
    let has = |text: &str| words.iter().all(|word| text.to_lowercase().contains(word));
    let (mut controls, mut rows) = (Vec::new(), 0);
    for control in &of.controls {
        let by_key = (query.conclusions.is_empty() || query.conclusions.contains(&conclusion(control)))
            && (query.severity.is_empty() || control.control.severity.as_str() == query.severity)
            && (query.owner.is_empty() || control.control.owner == query.owner)
            && (query.criterion.1.is_empty() || control.control.satisfies.iter().any(|id| id.as_str().starts_with(query.criterion.1)));
        let reasons: Vec<&str> = control.findings.last().map(|(_, finding)| finding.reasons.iter().take(12).map(String::as_str).collect()).unwrap_or_default();
        let head = has(&format!("{} {} {}", control.control.id, control.control.title, reasons.join(" ")));
        let of_verdict = |verdict: Verdict| control.observations.iter().filter(move |seen| seen.verdict == verdict).take(200);
        let listed = [Verdict::Fail, Verdict::Undetermined, Verdict::Waived, Verdict::Pass, Verdict::NotApplicable].into_iter().flat_map(of_verdict);
        let found = listed.filter(|seen| head || has(&format!("{} {} {}", seen.name, seen.resource, seen.because))).count();
        if by_key && (head || found > 0) {
            controls.push(control.control.id.to_string());
            rows += found;
        }
    }
    controls.sort();
    (controls, rows)
}

fn asked(queries: &[Query]) -> Value {
    let one = |query: &Query| {
        let mut told = json!({"text": query.text, "conclusions": query.conclusions});
        for (name, value) in [("severity", query.severity), ("owner", query.owner.as_str()), ("criterion", query.criterion.0)] {
            if !value.is_empty() {
                told[name] = json!(value);
            }
        }
        told
    };
    queries.iter().map(one).collect()
}

struct Visits {
    folder: TempDir,
    of: Assessment,
    seen: Value,
}

const FIRST: usize = 0;
const OWN: usize = 1;
const LINKS: usize = 2;
const HOSTILE: usize = 3;

/// One browser for all of these tests.
static VISITS: LazyLock<Option<Visits>> = LazyLock::new(|| {
    let of = rich();
    let folder = written(&of);
    let attacked = written(&hostile());
    let path = |below: &str| folder.path().join(below);
    let visits = json!([
        {"file": path("index.html"), "queries": asked(&queries(&of)), "pdf": path("report.pdf")},
        {"file": path("controls/BIG-000.html"), "queries": [{"text": "repository-00040"}, {"text": "1 approval is"}], "pdf": path("own.pdf")},
        {"file": path("index.html"), "click": "controls/BIG-000.html"},
        {"file": attacked.path().join("index.html"), "light": true},
    ]);
    let seen = seen(&visits)?;
    Some(Visits { folder, of, seen })
});

fn texts(of: &Value) -> Vec<&str> {
    of.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

fn count(of: &Value) -> usize {
    usize::try_from(of.as_u64().unwrap_or_else(|| panic!("{of} is no count"))).expect("a count")
}

fn sorted(of: &Value) -> Vec<String> {
    let mut all: Vec<String> = texts(of).into_iter().map(ToOwned::to_owned).collect();
    all.sort();
    all
}

#[test]
fn a_page_asks_for_nothing_but_itself_and_nothing_on_it_runs() {
    let Some(Visits { seen, .. }) = &*VISITS else { return };
    for place in [FIRST, OWN, HOSTILE] {
        let one = &seen[place];
        assert_eq!(texts(&one["requests"]).len(), 1, "{}", one["requests"]);
        for silent in ["console", "refused", "dialogs"] {
            assert!(texts(&one[silent]).is_empty(), "{silent}: {}", one[silent]);
        }
        assert_eq!((count(&one["first"]["scripts"]), count(&one["first"]["strangers"])), (1, 0));
    }
}

#[test]
fn a_keyboard_reaches_everything_and_one_sees_where_one_is() {
    let Some(Visits { seen, .. }) = &*VISITS else { return };
    for place in [FIRST, OWN] {
        let one = &seen[place];
        assert_eq!(one["skip"], json!({"skip": true, "inSight": true, "leadsTo": "main"}));
        assert!(count(&one["tab"]["wanted"]) > 20 && texts(&one["tab"]["missed"]).is_empty(), "{}", one["tab"]);
        assert!(texts(&one["tab"]["plain"]).is_empty(), "{}", one["tab"]["plain"]);
    }
}

#[test]
fn axe_core_finds_nothing_in_light_and_dark_wide_and_narrow() {
    let Some(Visits { seen, .. }) = &*VISITS else { return };
    for place in [FIRST, OWN] {
        for look in ["wide light", "wide dark", "narrow light", "narrow dark"] {
            let one = &seen[place]["axe"][look];
            assert!(texts(&one["violations"]).is_empty(), "{place} {look}: {}", one["violations"]);
            assert!(count(&one["passes"]) > 20 && one["wider"] == 0, "{place} {look}: {one}");
        }
    }
}

#[test]
fn search_and_filters_show_what_the_assessment_says() {
    let Some(Visits { of, seen, .. }) = &*VISITS else { return };
    let one = &seen[FIRST];
    let total = of.controls.len();
    let all = count(&one["first"]["all"]);
    assert_eq!((count(&one["first"]["bar"]), texts(&one["first"]["controls"]).len()), (1, total));
    assert_eq!(one["first"]["told"], format!("Showing {total} of {total} controls. "));
    let mut different = 0;
    for (query, answer) in queries(of).iter().zip(one["queries"].as_array().expect("answers")) {
        let (controls, rows) = expected(of, query);
        let what = format!("{:?} {:?} {} {} {}", query.text, query.conclusions, query.severity, query.owner, query.criterion.0);
        assert_eq!(sorted(&answer["controls"]), controls, "{what}");
        assert_eq!(sorted(&answer["entries"]), controls, "the contents list the same: {what}");
        assert_eq!(count(&answer["kept"]), rows, "{what}");
        assert_eq!(answer["told"], format!("Showing {} of {total} controls, {rows} of {all} rows of resources. Printing shows all.", controls.len()), "{what}");
        assert_eq!(answer["cleared"], true, "{what}");
        assert_eq!((count(&answer["after"]["controls"]), count(&answer["after"]["kept"])), (total, all), "shows all again: {what}");
        different += usize::from(!controls.is_empty() && controls.len() < total);
    }
    assert!(different > 9, "hardly any query distinguishes");
    assert_eq!(one["uncovers"], json!({"hidden": 0, "back": total, "text": ""}));
    let own = &seen[OWN]["queries"];
    assert_eq!(own[0]["told"], "Showing 1 of 230 rows of resources. Printing shows all.");
    assert_eq!(own[1]["told"], "Showing 12 of 230 rows of resources. Printing shows all.");
    assert_eq!((count(&own[0]["rows"]), count(&own[1]["rows"]), count(&own[1]["after"]["rows"])), (1, 12, 230));
}

#[test]
fn a_page_is_whole_without_its_script_and_on_paper_whatever_was_filtered() {
    let Some(Visits { of, seen, folder }) = &*VISITS else { return };
    for (place, file) in [(FIRST, "report.pdf"), (OWN, "own.pdf")] {
        let one = &seen[place];
        let (plain, paper) = (&one["withoutScript"], &one["paper"]);
        let controls = if place == FIRST { of.controls.len() } else { 0 };
        assert_eq!((count(&plain["bar"]), texts(&plain["controls"]).len(), &plain["kept"]), (0, controls, &plain["all"]));
        assert_eq!(count(&paper["screen"]["rows"]), 0, "the filter was on");
        assert_eq!((count(&paper["print"]["bar"]), texts(&paper["print"]["controls"]).len(), &paper["print"]["rows"]), (0, controls, &plain["all"]));
        assert!(count(&paper["pages"]) > 5, "{}", paper["pages"]);
        let pdf = folder.path().join(file);
        assert!(fs::read(&pdf).expect("a PDF").starts_with(b"%PDF-"));
        if let Some(text) = text_of(&pdf) {
            assert!(text.contains("Default branches accept only reviewed changes") && text.contains("2026-11-09 to 2026-11-22"), "{:.400}", text);
            assert!(text.contains("example/docs main") || place == OWN, "what is folded on a screen is on paper");
        }
    }
}

#[test]
fn links_lead_to_a_controls_page_and_back() {
    let Some(Visits { seen, .. }) = &*VISITS else { return };
    let one = &seen[LINKS];
    assert!(one["there"].as_str().is_some_and(|url| url.starts_with("file://") && url.ends_with("/controls/BIG-000.html")), "{}", one["there"]);
    assert!(one["back"].as_str().is_some_and(|url| url.ends_with("/index.html#control-BIG-000")), "{}", one["back"]);
    assert!(one["top"].as_f64().is_some_and(|top| (0.0..200.0).contains(&top)), "the control is in sight: {}", one["top"]);
    assert!(texts(&one["console"]).is_empty() && texts(&one["refused"]).is_empty(), "{one}");
}

/// The text of a PDF, where there is a program that tells it.
fn text_of(pdf: &Path) -> Option<String> {
    let output = std::process::Command::new("pdftotext").arg(pdf).arg("-").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// None of the checks above is blind: each sees what is broken here.
#[test]
fn the_checks_see_what_is_broken() {
    let folder = written(&super::sample::assessment());
    let path = folder.path().join("index.html");
    let text = fs::read_to_string(&path).expect("the page");
    let cut = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    // Its style and its script are others now, so the policy would refuse both: a second page lets them act.
    let altered = [("script-src 'sha256-", "script-src 'unsafe-inline' 'x-"), ("style-src 'sha256-", "style-src 'unsafe-inline' 'x-")];
    let open = altered.iter().fold(text.clone(), |text, (from, to)| cut(&text, from, to));
    let faults = [
        ("<html lang=\"en\">", "<html>"),
        ("--soft: #57606a", "--soft: #c5c9cd"),
        ("outline: 3px solid var(--link)", "outline: 0 solid var(--link)"),
        ("@media screen {", "@media all {"),
        ("of.element.classList.toggle(\"out\", !seen)", "of.element.classList.toggle(\"out\", false)"),
        ("<main id=\"main\" tabindex=\"-1\">", "<main id=\"main\"><button type=\"button\" tabindex=\"-1\">x</button>"),
        (" hidden>", ">"),
        ("<footer>", &format!("<footer><p>{}</p>", "x".repeat(300))),
    ];
    fs::write(&path, faults.iter().fold(open, |text, (from, to)| cut(&text, from, to))).expect("written");
    let strict = folder.path().join("strict.html");
    let inserted = "<footer><img src=\"http://127.0.0.1:9/x.png\" alt=\"\"><script>document.title = 'x'</script><p style=\"color: red\">";
    fs::write(&strict, cut(&cut(&text, "<footer>", inserted), "\"use strict\"", "\"use  strict\"")).expect("written");
    let visits = json!([{"file": path, "queries": [{"text": "rep-03"}], "pdf": folder.path().join("x.pdf"), "looks": ["narrow light", "narrow dark"]}, {"file": strict, "light": true}]);
    let Some(seen) = seen(&visits) else { return };
    let (loose, strict) = (&seen[0], &seen[1]);
    assert!(texts(&loose["axe"]["narrow light"]["violations"]).iter().any(|rule| rule.starts_with("html-has-lang")));
    assert!(texts(&loose["axe"]["narrow light"]["violations"]).iter().any(|rule| rule.starts_with("color-contrast")));
    assert!(!texts(&loose["axe"]["narrow dark"]["violations"]).iter().any(|rule| rule.starts_with("color-contrast")), "the dark one is as it was");
    assert!(loose["axe"]["narrow light"]["wider"].as_i64().is_some_and(|wider| wider > 0));
    assert_eq!((texts(&loose["tab"]["missed"]).len(), texts(&loose["tab"]["plain"]).is_empty()), (1, false), "{}", loose["tab"]);
    assert_ne!(loose["skip"]["leadsTo"], "main");
    assert_eq!(texts(&loose["queries"][0]["controls"]).len(), 9, "nothing was filtered");
    assert_eq!(count(&loose["paper"]["print"]["rows"]), 0, "the filter reached the paper");
    assert_eq!(count(&loose["withoutScript"]["bar"]), 1);
    let refused = texts(&strict["refused"]);
    for what in ["img-src http://127.0.0.1:9/x.png", "script-src-elem inline", "style-src-attr inline"] {
        assert!(refused.contains(&what), "{what}: {refused:?}");
    }
    assert_eq!(refused.iter().filter(|what| **what == "script-src-elem inline").count(), 2, "ours was altered too");
    assert!(!texts(&strict["console"]).is_empty() && count(&strict["first"]["bar"]) == 0 && count(&strict["first"]["strangers"]) == 1);
}
