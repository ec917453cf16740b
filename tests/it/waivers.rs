//! Waivers from the file to the report: mistakes, use over a period, and a whole run whose waiver ends between two nights.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use proofline::catalog::{Catalog, Mistakes, Overrides, SourceFile, load, schema};
use proofline::cli::exit::Exit;
use proofline::cli::vocabulary;
use proofline::model::{
    Counts, Finding, FindingStatus, Period, RunId, SlotState, WaivedFailures, Waiver, WaiverNight, WaiverStanding, waived_control_days, waiver_uses,
};
use serde_json::{Value, json};

use crate::cli::{Bench, finding};
use crate::sandbox::site::{Site, Size};

const CONTROL: &str = r#"
[[control]]
id = "REP-03"
title = "T"
owner = "o"
severity = "high"
satisfies = ["soc2:CC8.1"]
frequency = "daily"
why = "w"
fix = "f"
[[control.test]]
population = "github.branch"
require = "branch.required_approvals >= 1"
[[control.test.example]]
verdict = "pass"
branch = { required_approvals = 1 }
[[control.test.example]]
verdict = "fail"
branch = { required_approvals = 0 }
"#;

const CRITERIA: &str = "framework = \"soc2\"\nname = \"SOC 2\"\n[[criterion]]\nid = \"CC8.1\"\ntitle = \"Changes\"\n";

const WAIVER: &str = r#"[[waiver]]
id = "WVR-2026-001"
control = "REP-03"
resource = "github.com/acme/web/*"
reason = "Two people only."
compensating = "Weekly review."
requested_by = "ann"
approved_by = "bob"
approved_on = 2026-11-02
expires_on = 2026-11-30
ticket = "https://tickets.example/7"
"#;

/// The file of waivers comes first, so that it is read before the control that it names.
fn read(waivers: &str) -> Result<Catalog, Mistakes> {
    let files = [
        SourceFile::new("controls/accepted.toml", waivers),
        SourceFile::new("controls/change.toml", CONTROL),
        SourceFile::new("controls/criteria/soc2.toml", CRITERIA),
    ];
    load(&files, &vocabulary(), &Overrides::default())
}

fn told(mistakes: &Mistakes) -> Vec<String> {
    let of = |mistake: &proofline::catalog::Mistake| {
        let place = mistake.place.as_ref().map_or_else(String::new, |place| format!("{}:{} ", place.line, place.column));
        format!("{place}{}{}", mistake.message, mistake.help.as_ref().map_or_else(String::new, |help| format!(" | {help}")))
    };
    mistakes.0.iter().map(of).collect()
}

#[test]
fn a_good_waiver_is_read_from_any_control_file() {
    let catalog = read(WAIVER).expect("a good file");
    assert!(catalog.warnings.is_empty(), "{}", catalog.warnings);
    let [waiver] = catalog.waivers.as_slice() else { panic!("one waiver") };
    assert_eq!((waiver.approved_on.to_string().as_str(), waiver.expires_on.to_string().as_str()), ("2026-11-02", "2026-11-30"));
    assert_eq!((waiver.compensating.as_deref(), waiver.file.as_str()), (Some("Weekly review."), "controls/accepted.toml"));
    let document: Value = serde_json::to_value(waiver).expect("JSON");
    let mut document = document.as_object().expect("a table").clone();
    document.remove("file");
    let validator = jsonschema::draft202012::new(&schema::schema(&[])).expect("a schema");
    assert!(validator.is_valid(&json!({"waiver": [document]})));
    document.remove("expires_on");
    assert!(!validator.is_valid(&json!({"waiver": [document]})));
}

#[test]
fn each_mistake_has_its_place_and_a_suggestion() {
    let cases: &[(&str, &str, &str)] = &[
        ("control = \"REP-03\"", "control = \"REP-30\"", "3:11 there is no control \"REP-30\" | did you mean `REP-03`?"),
        (
            "resource = \"github.com/acme/web/*\"\n",
            "",
            "1:1 a waiver needs `resource` | name the resource by its id as in results.csv; `*` stands for any characters",
        ),
        ("approved_by = \"bob\"", "approved_by = \" Ann\"", "8:15 who asked for a waiver cannot approve it | have somebody else approve it, and name them"),
        ("approved_by = \"bob\"", "approved_by = \"@ANN \"", "8:15 who asked for a waiver cannot approve it | have somebody else approve it, and name them"),
        ("expires_on = 2026-11-30\n", "", "1:1 a waiver needs `expires_on` | every waiver ends: write its last day, e.g. expires_on = 2027-01-31"),
        ("2026-11-30", "2026-11-02", "10:14 `expires_on` is not after `approved_on` | write the last day on which it is in force"),
        ("2026-11-30", "\"2026-11-30\"", "10:14 `expires_on` is a date, not text | write a date without quotes, e.g. 2026-12-31"),
        ("2026-11-30", "2026-11-30T00:00:00Z", "10:14 `expires_on` is a date without a time | write a date without quotes, e.g. 2026-12-31"),
        ("ticket = \"https://tickets.example/7\"\n", "", "1:1 a waiver needs `ticket` | say where the approval is kept, e.g. its address"),
        ("reason = \"Two people only.\"", "reason = \" \"", "5:10 `reason` is empty"),
        ("\"WVR-2026-001\"", "\"../x\"", "2:6 \"../x\" is not a waiver id | use letters, digits, '-', '_' and '.', at most 80, e.g. WVR-2026-001"),
        ("requested_by", "requestd_by", "7:1 a waiver has no key `requestd_by` | did you mean `requested_by`?"),
        (
            "ticket =",
            "renews = \"WVR-2025-001\"\nticket =",
            "11:10 there is no waiver WVR-2025-001 | a renewed waiver stays in the file, so that readers see the whole span",
        ),
        (
            "ticket =",
            "renews = \"WVR-2026-001\"\nticket =",
            "11:10 WVR-2026-001, which this waiver renews, does not expire before it | renew the one that ends before it",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(WAIVER.contains(from), "{from}");
        let mistakes = read(&WAIVER.replacen(from, to, 1)).expect_err(to);
        assert_eq!(told(&mistakes), [*expected], "{to}");
    }
    let twice = told(&read(&format!("{WAIVER}{WAIVER}")).expect_err("a taken id"));
    assert_eq!(twice, ["13:6 the waiver id WVR-2026-001 is taken | give this one another; a renewal is a waiver of its own, with `renews`"]);
}

#[test]
fn what_is_odd_is_a_warning() {
    let long = read(&WAIVER.replace("2026-11-30", "2027-11-03")).expect("only a warning");
    assert_eq!(
        told(&long.warnings),
        ["10:14 this waiver is in force for longer than a year | let it end sooner, and renew it after somebody has looked again"]
    );
    assert!(read(&WAIVER.replace("2026-11-30", "2027-11-02")).expect("a year").warnings.is_empty());
    let all = read(&WAIVER.replace("github.com/acme/web/*", "*")).expect("only a warning");
    assert_eq!(told(&all.warnings), ["4:12 this waiver covers every resource, also those to come | name the resources that are accepted"]);
    let renewal = WAIVER.replace("001", "002").replace("2026-11-30", "2026-12-31").replace("ticket =", "renews = \"WVR-2026-001\"\nticket =");
    assert_eq!(read(&format!("{WAIVER}{renewal}")).expect("a renewal").waivers.len(), 2);
}

fn waiver(id: &str, days: (&str, &str)) -> Waiver {
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    let mut waiver = read(WAIVER).expect("a good file").waivers.remove(0);
    (waiver.id, waiver.approved_on, waiver.expires_on) = (id.parse().expect("an id"), day(days.0), day(days.1));
    waiver
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// A night of November at two in the morning, UTC: what was declared, and what was waived.
struct Night(RunId, DateTime<Utc>, Vec<Waiver>, Vec<Finding>);

fn night(day: u32, declared: &[&Waiver], waived: &[(&str, u64)]) -> Night {
    let waived_by = waived.iter().map(|(id, failures)| WaivedFailures { waiver: id.parse().expect("an id"), failures: *failures, names: Vec::new() });
    let finding = Finding {
        control: "REP-03".parse().expect("an id"),
        status: FindingStatus::Satisfied,
        counts: Counts::default(),
        reasons: Vec::new(),
        waived_by: waived_by.collect(),
        transient: false,
    };
    let run = format!("202611{day:02}T020000Z-{day:08x}").parse().expect("a run id");
    Night(run, at(&format!("2026-11-{day:02}T02:00:00Z")), declared.iter().map(|waiver| (*waiver).clone()).collect(), vec![finding])
}

#[test]
fn use_over_a_period_is_derived_from_what_runs_held_and_found() {
    let first = waiver("WVR-1", ("2026-11-01", "2026-11-04"));
    let renewal = Waiver { renews: Some(first.id.clone()), ..waiver("WVR-2", ("2026-11-04", "2026-11-20")) };
    let late = waiver("WVR-3", ("2026-11-02", "2026-11-30"));
    let gone = waiver("WVR-4", ("2026-11-01", "2026-12-30"));
    let to_come = waiver("WVR-5", ("2026-11-25", "2026-12-30"));
    let softer = Waiver { reason: "Other words.".to_owned(), ..first.clone() };
    let nights = [
        night(1, &[&softer, &gone], &[]),
        night(2, &[&softer, &gone], &[("WVR-1", 2)]),
        night(3, &[&first, &gone], &[("WVR-1", 1)]),
        night(4, &[&first, &renewal, &gone], &[("WVR-1", 1), ("WVR-2", 1)]),
        night(5, &[&first, &renewal, &late, &to_come], &[("WVR-2", 3)]),
    ];
    let told: Vec<WaiverNight<'_>> =
        nights.iter().map(|Night(run, at, declared, findings)| WaiverNight { run, started_at: *at, shows: *at, declared, findings }).collect();
    let period = Period::new(at("2026-11-02T00:00:00Z"), at("2026-12-01T00:00:00Z")).expect("not empty");
    let uses = waiver_uses(&told, period, Tz::UTC, at("2026-11-05T08:00:00Z"));
    let by_id: BTreeMap<&str, _> = uses.iter().map(|of| (of.waiver.id.as_str(), of)).collect();
    let summary: Vec<_> = uses.iter().map(|of| (of.waiver.id.as_str(), of.standing, of.failures, of.runs.len(), of.days.len(), of.is_unused())).collect();
    assert_eq!(
        summary,
        [
            ("WVR-1", WaiverStanding::Expired, 4, 3, 3, false),
            ("WVR-2", WaiverStanding::InForce, 4, 2, 2, false),
            ("WVR-3", WaiverStanding::InForce, 0, 0, 0, true),
            ("WVR-4", WaiverStanding::Withdrawn, 0, 0, 0, true),
            ("WVR-5", WaiverStanding::NotYet, 0, 0, 0, true),
        ]
    );
    // The fourth is used by two waivers of one control: one day.
    assert_eq!(waived_control_days(&uses), 4);
    let retroactive: Vec<_> = uses.iter().filter_map(|of| Some((of.waiver.id.as_str(), of.retroactive.as_ref()?.as_str()))).collect();
    assert_eq!(retroactive, [("WVR-3", nights[2].0.as_str())], "the run of the third night began after the approval and does not hold it");
    assert_eq!(by_id["WVR-3"].first_run, nights[4].0);
    // Held by the first run of all, it is not dated back, however old the approval is; nor is one that the next run holds.
    assert_eq!((&by_id["WVR-4"].retroactive, &by_id["WVR-2"].retroactive), (&None, &None));
    assert_eq!(by_id["WVR-1"].renewed_by.iter().collect::<Vec<_>>(), [&renewal.id]);
    let span = (first.approved_on, renewal.expires_on);
    assert_eq!((by_id["WVR-1"].spans, by_id["WVR-2"].spans), (span, span));
    assert_eq!(by_id["WVR-3"].spans, (late.approved_on, late.expires_on));
    assert_eq!(by_id["WVR-1"].changed, [nights[1].0.clone()], "the first night is not of the period");
    // A period that is over is told as it was at its end; on the calendar of Auckland the fifth night is the same day as the fourth's end in UTC.
    let short = Period::new(at("2026-11-02T00:00:00Z"), at("2026-11-04T00:00:00Z")).expect("not empty");
    let uses = waiver_uses(&told[..3], short, Tz::UTC, at("2027-11-05T08:00:00Z"));
    assert_eq!(uses.iter().map(|of| of.standing).collect::<Vec<_>>(), [WaiverStanding::InForce, WaiverStanding::InForce]);
}

#[test]
fn the_worst_of_a_slot_counts_and_waived_is_worse_than_pass() {
    let finding = |status, waived| {
        let Night(_, _, _, mut findings) = night(1, &[], &[]);
        let mut finding = findings.remove(0);
        (finding.status, finding.counts.waived) = (status, waived);
        finding
    };
    let (pass, waived) = (finding(FindingStatus::Satisfied, 0), finding(FindingStatus::Satisfied, 1));
    let (open, fail) = (finding(FindingStatus::Undetermined, 1), finding(FindingStatus::NotSatisfied, 1));
    let worst = |of: &[&Finding]| SlotState::worst(of.iter().copied());
    assert_eq!(worst(&[]), None);
    assert_eq!(worst(&[&pass]), Some(SlotState::Pass));
    assert_eq!(worst(&[&waived, &pass]), Some(SlotState::Waived));
    assert_eq!(worst(&[&pass, &open, &waived]), Some(SlotState::Undetermined));
    assert_eq!(worst(&[&open, &fail, &waived]), Some(SlotState::Fail));
}

fn evaluations(bench: &Bench) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    bench.objects().into_iter().filter(|(path, _)| path.components().any(|part| part.as_os_str() == "evaluations")).collect()
}

/// The second night is waived, the first was before the waiver was declared, and in the third it has expired.
#[test]
fn a_waiver_counts_from_its_declaration_to_its_last_day() {
    let site = Site::sized(Size { repositories: 12, members: 3, projects: 2, changes: 1, tasks: 1 });
    let mut bench = Bench::new(&format!("waivers = [\"accepted.toml\"]\n{}", site.configuration()));
    let accepted = bench.folder.path().join("accepted.toml");
    fs::write(&accepted, "").expect("written");
    let collect = |bench: &mut Bench, number: usize| {
        site.night(number);
        bench.now = Site::first_night() + TimeDelta::days(i64::try_from(number).expect("a few"));
        bench.json(&["collect", "--control", "REP-03"])
    };
    let (exit, first) = collect(&mut bench, 0);
    let failing = finding(&first, "REP-03")["counts"]["fail"].as_u64().expect("a count");
    assert!(exit == Exit::NotSatisfied && failing > 0, "{first}");
    let before = evaluations(&bench);

    let text = WAIVER.replace("github.com/acme/web/*", "github.com/acme/*").replace("2026-11-30", "2026-11-03");
    fs::write(&accepted, &text).expect("written");
    let (exit, second) = collect(&mut bench, 1);
    let waived = finding(&second, "REP-03");
    assert_eq!((&waived["raw_status"], &waived["counts"]["fail"]), (&json!("not-satisfied"), &json!(0)), "{waived}");
    assert!(exit != Exit::NotSatisfied && waived["counts"]["waived"].as_u64() > Some(0), "{waived}");
    assert_eq!(waived["waived_by"][0]["waiver"], "WVR-2026-001");
    let listed = &bench.json(&["waivers"]).1["waivers"][0];
    assert_eq!((&listed["standing"], &listed["days_left"], &listed["failures_in_newest_run"]), (&json!("in-force"), &json!(0), &waived["counts"]["waived"]));
    assert_eq!(bench.json(&["status"]).1["waivers_ending"][0]["id"], "WVR-2026-001");
    assert!(bench.run(&["controls", "show", "REP-03"]).out.contains("waiver WVR-2026-001 of github.com/acme/*"));
    let said = bench.run(&["evaluate", "--run", second["run"].as_str().expect("a run")]);
    assert!(
        said.out.contains("without waivers)") && said.out.contains("are waived by WVR-2026-001: ") && said.out.contains("Without waivers: 0 satisfied, 1 not"),
        "{}",
        said.out
    );

    let (exit, third) = collect(&mut bench, 2);
    assert_eq!((exit, &finding(&third, "REP-03")["counts"]["waived"]), (Exit::NotSatisfied, &json!(0)), "{third}");
    assert!(bench.run(&["waivers"]).out.contains("expired, its last day was 2026-11-03"));

    // What was sealed before stays as it was, to the byte, though a waiver says now that it was in force that day.
    let (_exit, again) = bench.json(&["evaluate", "--run", first["run"].as_str().expect("a run")]);
    assert_eq!(finding(&again, "REP-03"), finding(&first, "REP-03"));
    let after = evaluations(&bench);
    assert!(before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)));
    let verified = bench.run(&["verify", "--reevaluate"]);
    assert_eq!(verified.exit, Exit::Satisfied, "{} {}", verified.out, verified.err);

    bench.run(&["report", "--out", "report", "--from", "2026-11-02", "--to", "2026-11-04"]);
    let file = |name: &str| fs::read_to_string(bench.folder.path().join("report").join(name)).expect("a file");
    let slots = file("slots.csv");
    let states: Vec<&str> = slots.lines().filter(|line| line.starts_with("REP-03,")).filter_map(|line| line.split(',').nth(5)).collect();
    assert_eq!(states, ["fail", "waived", "fail"]);
    let waivers = file("waivers.csv");
    assert!(waivers.contains(",expired,") && waivers.contains(",1,no,no,"), "{waivers}");
    assert!(file("index.html").contains("<b>1</b> control-days of the period had at least one waived failure"));
    fs::write(&accepted, text.replace("bob", "ann")).expect("written");
    assert_eq!(bench.run(&["waivers"]).exit, Exit::Usage);
}
