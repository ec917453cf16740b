//! Recurring tasks, end to end: slots that are done, late, missed and stay so; evidence from a terminal; issues that are opened once.
#![cfg(test)]

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use proofline::cli::exit::Exit;
use serde_json::Value;

use crate::cli::{Bench, finding};
use crate::sandbox::behaviour::{Action, Behaviour, Fault};
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::people::Person;
use crate::sandbox::world::tasks::{Closing, Comment, Issue};
use crate::sandbox::world::{Added, Plan, World};

const CONTROLS: &str = r#"
[[control]]
id = "REV-01"
title = "Who has access is reviewed each month"
owner = "security"
severity = "high"
satisfies = ["soc2:CC6.2"]
frequency = "daily"
why = "Whoever left keeps the key."
fix = "Review it, attach the list, and have somebody else look at it."

[control.task]
every = "monthly"
starts = 2026-08-10
label = "monthly-review"
title = "Review {slot}"

[control.task.open]
repository = "acme/REPOSITORY"
assignees = ["MEMBER", "nobody-of-acme"]
body = """
Review who has access in {slot}, until {due}.

- [ ] the list is attached
"""

[[control]]
id = "REV-02"
title = "The disaster is rehearsed each quarter"
owner = "security"
severity = "high"
satisfies = ["soc2:A1.2"]
frequency = "daily"
why = "A plan that nobody tried is a hope."
fix = "Rehearse it."

[control.task]
every = "quarterly"
starts = 2026-07-01
days = 20
label = "rehearsal"
evidence = ["file", "comment"]
comment = "Rehearsed:"
reviewed = false
"#;

/// Found by a field of the board.
const SUPPLIERS: &str = r#"
[[control]]
id = "REV-03"
title = "Suppliers are looked at each month"
owner = "security"
severity = "low"
satisfies = ["soc2:CC9.2"]
frequency = "daily"
why = "What they hold is ours."
fix = "Look at them."

[control.task]
every = "monthly"
starts = 2026-08-01
label = "suppliers"
field = "Slot"
evidence = ["comment"]
comment = "Done:"
reviewed = false
"#;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// An issue of the task in a month: opened by member 0, who was given it.
fn issue(number: u32, title: &str, label: &str, created: &str) -> Issue {
    let labels = vec![label.to_owned()];
    Issue {
        number,
        title: title.to_owned(),
        author: Person::Member(0),
        created: at(created),
        assignees: vec![0],
        labels,
        placed: Some(false),
        ..Issue::default()
    }
}

fn comment(issue: &mut Issue, member: usize, when: &str, body: &str) {
    let id = 5_000_000 + u64::from(issue.number) * 10 + u64::try_from(issue.comments.len()).expect("a few");
    issue.comments.push(Comment { id, by: Person::Member(member), at: at(when), body: body.to_owned(), edited: None });
}

fn close(issue: &mut Issue, member: usize, when: &str, reason: &'static str) {
    issue.closed = Some(Closing { at: at(when), by: Person::Member(member), reason });
}

const LOG: &str = "The list: [restore-log.txt](https://github.com/user-attachments/files/20000001/restore-log.txt)";

fn serve(site: &Site, issues: &[Issue]) {
    let plan = site.sandbox().world().plan.clone();
    let added = issues.iter().map(|issue| Added { repository: 1, issue: issue.clone() }).collect();
    site.sandbox().serve_world(World::new(Plan { added, ..plan }));
}

/// A small organisation and an installation with the two tasks, whose log is signed.
fn installed() -> (Site, Bench) {
    let site = Site::sized(Size { repositories: 4, members: 4, projects: 1, changes: 1, tasks: 2 });
    let mut bench = Bench::new(&format!("controls = [\"own\"]\n{}", site.configuration()));
    fs::create_dir(bench.folder.path().join("own")).expect("a folder");
    let world = site.sandbox().world();
    let text = CONTROLS.replace("REPOSITORY", &world.repositories[1].name).replace("MEMBER", &world.members[2].login);
    fs::write(bench.folder.path().join("own/tasks.toml"), text).expect("written");
    assert_eq!(bench.run(&["keygen", "--out", "log.pem"]).exit, Exit::Satisfied);
    bench.set("PROOFLINE_LOG_KEY_FILE", "log.pem");
    (site, bench)
}

/// `slot standing` of each slot of a task, by `tasks --json`.
fn standings(bench: &mut Bench, control: &str) -> Vec<String> {
    let (_exit, told) = bench.json(&["tasks"]);
    let rows = told["slots"].as_array().expect("slots").iter().filter(|row| row["control"] == control);
    rows.map(|row| format!("{} {}", row["slot"].as_str().expect("a slot"), row["standing"].as_str().expect("a standing"))).collect()
}

fn counts(document: &Value, control: &str) -> (u64, u64, u64) {
    let counts = &finding(document, control)["counts"];
    let of = |name: &str| counts[name].as_u64().unwrap_or_default();
    (of("pass"), of("fail"), of("undetermined"))
}

/// August is done in every respect, September has no issue, October was done a day late, November is under way.
fn autumn() -> Vec<Issue> {
    let mut august = issue(501, "[Security] review 2026-08, please", "monthly-review", "2026-08-11T09:00:00Z");
    comment(&mut august, 0, "2026-08-20T09:00:00Z", LOG);
    comment(&mut august, 1, "2026-08-21T09:00:00Z", "The list is whole.");
    close(&mut august, 0, "2026-08-22T09:00:00Z", "COMPLETED");
    let mut october = issue(502, "Review 2026-10", "monthly-review", "2026-10-02T09:00:00Z");
    comment(&mut october, 0, "2026-10-30T09:00:00Z", LOG);
    close(&mut october, 1, "2026-11-01T09:00:00Z", "COMPLETED");
    let november = issue(503, "Review 2026-11", "monthly-review", "2026-11-01T23:00:00Z");
    // Says another month, and a longer word: neither is November's or August's.
    let other = issue(504, "Review 2026-110 and 2026-08b", "monthly-review", "2026-11-01T09:00:00Z");
    vec![august, october, november, other]
}

/// A field of the board says which month an issue is for: neither its title nor when it was opened does, and one that is not on the board is for none.
#[test]
fn a_field_of_the_board_says_which_slot_an_issue_answers() {
    let (site, mut bench) = installed();
    fs::write(bench.folder.path().join("own/suppliers.toml"), SUPPLIERS).expect("written");
    let on_board = |number, title: &str, slot, created: &str| Issue { placed: Some(true), slot, ..issue(number, title, "suppliers", created) };
    let mut august = on_board(511, "Suppliers 2026-10", Some("2026-08"), "2026-10-11T09:00:00Z");
    comment(&mut august, 0, "2026-08-20T09:00:00Z", "Done: all seven.");
    close(&mut august, 0, "2026-08-22T09:00:00Z", "COMPLETED");
    let mut october = on_board(512, "Suppliers", Some("2026-10"), "2026-08-02T09:00:00Z");
    comment(&mut october, 0, "2026-10-20T09:00:00Z", "Done: all seven.");
    close(&mut october, 1, "2026-11-01T09:00:00Z", "COMPLETED");
    let unnamed = on_board(513, "Suppliers 2026-09", None, "2026-09-02T09:00:00Z");
    let elsewhere = Issue { slot: Some("2026-11"), ..issue(514, "Suppliers 2026-11", "suppliers", "2026-11-01T09:00:00Z") };
    let of_another = Issue { labels: vec!["monthly-review".to_owned()], ..on_board(515, "Suppliers", Some("2026-09"), "2026-09-02T09:00:00Z") };
    serve(&site, &[august, october, unnamed, elsewhere, of_another]);
    bench.json(&["collect", "--control", "REV-03"]);
    site.assert_contracts_held();
    assert_eq!(standings(&mut bench, "REV-03"), ["2026-08 done", "2026-09 missed", "2026-10 late", "2026-11 not-opened"]);
}

#[test]
fn a_month_that_was_missed_stays_missed() {
    let (site, mut bench) = installed();
    serve(&site, &autumn());
    let (exit, first) = bench.json(&["collect", "--control", "REV-01"]);
    assert_eq!(exit, Exit::NotSatisfied);
    assert_eq!(standings(&mut bench, "REV-01"), ["2026-08 done", "2026-09 missed", "2026-10 late", "2026-11 open"]);
    // Five of August; of September that there is one and that it was done; of October four hold, on time does not.
    assert_eq!(counts(&first, "REV-01"), (9, 3, 0));

    // Somebody does September's work in November: it is late, not done. November's is closed without anybody looking.
    let mut issues = autumn();
    let mut september = issue(505, "Review 2026-09", "monthly-review", "2026-11-02T10:00:00Z");
    comment(&mut september, 0, "2026-11-02T11:00:00Z", LOG);
    close(&mut september, 1, "2026-11-02T12:00:00Z", "COMPLETED");
    comment(&mut issues[2], 0, "2026-11-02T10:00:00Z", LOG);
    close(&mut issues[2], 0, "2026-11-02T12:00:00Z", "COMPLETED");
    issues.push(september);
    site.night(1);
    serve(&site, &issues);
    bench.now += TimeDelta::days(1);
    bench.json(&["collect", "--control", "REV-01"]);
    assert_eq!(standings(&mut bench, "REV-01"), ["2026-08 done", "2026-09 late", "2026-10 late", "2026-11 not-reviewed"]);

    // A second issue for November that was dropped takes nothing away; August's disappears.
    let mut dropped = issue(506, "Review 2026-11 (again)", "monthly-review", "2026-11-02T10:00:00Z");
    close(&mut dropped, 1, "2026-11-02T11:00:00Z", "NOT_PLANNED");
    issues.push(dropped);
    issues.remove(0);
    site.night(2);
    serve(&site, &issues);
    bench.now += TimeDelta::days(1);
    bench.json(&["collect", "--control", "REV-01"]);
    assert_eq!(standings(&mut bench, "REV-01"), ["2026-08 missed", "2026-09 late", "2026-10 late", "2026-11 not-reviewed"]);
    let (_exit, told) = bench.json(&["tasks", "--all"]);
    let november = told["slots"].as_array().expect("slots").iter().find(|row| row["slot"] == "2026-11").expect("November");
    assert_eq!(november["seen"]["issues"].as_array().map(Vec::len), Some(2), "{november:#}");
    let text = bench.run(&["tasks"]);
    assert!(text.exit == Exit::NotSatisfied && text.out.contains("not-reviewed") && text.out.contains("--all lists them all"), "{}", text.out);
    assert_eq!(bench.run(&["verify", "--reevaluate"]).exit, Exit::Satisfied);
    site.assert_contracts_held();
}

fn attach(bench: &mut Bench, slot: &str, given: &[&str]) -> crate::cli::Outcome {
    bench.run(&[&["attach", "--task", "REV-02", "--slot", slot, "--by", "ada"], given].concat())
}

#[test]
fn what_could_not_be_listed_is_not_missed() {
    let (site, mut bench) = installed();
    serve(&site, &autumn());
    site.sandbox().behave(Behaviour::default().with(Fault::always("/github/graphql", Action::Status(502))));
    let (exit, told) = bench.json(&["collect", "--control", "REV-01"]);
    assert_eq!((exit, counts(&told, "REV-01").1), (Exit::Undetermined, 0), "{told:#}");
    site.all_well();
    bench.now += TimeDelta::hours(1);
    // Continued in the same slot.
    let (exit, _told) = bench.json(&["collect", "--due"]);
    assert_eq!(exit, Exit::NotSatisfied);
    assert_eq!(standings(&mut bench, "REV-01")[1], "2026-09 missed");
}

#[test]
fn evidence_from_a_terminal_is_kept_counted_and_verified() {
    let (site, mut bench) = installed();
    let mut rehearsal = issue(511, "Rehearsal", "rehearsal", "2026-10-05T09:00:00Z");
    close(&mut rehearsal, 0, "2026-11-02T01:30:00Z", "COMPLETED");
    let mut before = issue(512, "Rehearsal", "rehearsal", "2026-07-05T09:00:00Z");
    comment(&mut before, 0, "2026-07-06T09:00:00Z", "rehearsed: it took two hours");
    close(&mut before, 0, "2026-07-07T09:00:00Z", "COMPLETED");
    serve(&site, &[rehearsal, before]);
    bench.now -= TimeDelta::hours(1);
    fs::write(bench.folder.path().join("drill.log"), "restored in 41 minutes\n").expect("written");
    let given = attach(&mut bench, "2026-Q4", &["--file", "drill.log"]);
    assert!(given.exit == Exit::Satisfied && given.out.contains("ada gave this file for REV-02 2026-Q4"), "{}{}", given.out, given.err);
    let again = attach(&mut bench, "2026-Q4", &["--file", "drill.log"]);
    assert!(again.exit == Exit::Satisfied && again.out.contains("nothing was added"), "{}", again.out);
    let note = attach(&mut bench, "2026-Q4", &["--note", "the second try"]);
    assert!(note.exit == Exit::Satisfied && note.err.contains("a note does not count as evidence of REV-02: what counts is comment, file"), "{}", note.err);
    fs::write(bench.folder.path().join("secret.bin"), "kept elsewhere").expect("written");
    assert_eq!(attach(&mut bench, "2026-Q4", &["--file", "secret.bin", "--hash-only"]).exit, Exit::Satisfied);
    assert!(!crate::cli::contains(&bench.everything_written(), "kept elsewhere"));
    bench.now += TimeDelta::hours(1);
    bench.json(&["collect", "--control", "REV-02"]);
    // Twenty days from the first of October: closed on 2 November is late, and what ada gave before it was closed counts.
    assert_eq!(standings(&mut bench, "REV-02"), ["2026-Q3 done", "2026-Q4 late"]);
    let (_exit, told) = bench.json(&["tasks"]);
    let evidence = &told["slots"][1]["seen"]["evidence"];
    let shown: Vec<String> =
        evidence.as_array().expect("evidence").iter().map(|item| format!("{} {} {}", item["kind"], item["name"], item["counts"])).collect();
    assert_eq!(shown, ["\"file\" \"drill.log\" true", "\"hash\" \"secret.bin\" false", "\"note\" \"the second try\" false"]);
    assert!(told["slots"][1]["seen"]["doers"].as_array().is_some_and(|doers| doers.contains(&"ada".into())), "who gave evidence did it");
    let verified = bench.run(&["verify", "--reevaluate"]);
    assert!(verified.exit == Exit::Satisfied && verified.out.contains("Attached to tasks: 2 hashed again"), "{}{}", verified.out, verified.err);
    let exported = bench.run(&["export", "--out", "pack", "--control", "REV-02"]);
    assert_eq!(exported.exit, Exit::Satisfied, "{}", exported.err);
    let digest = proofline::model::Digest::of(b"restored in 41 minutes\n");
    assert_eq!(fs::read(bench.folder.path().join(format!("pack/attachments/{digest}"))).expect("in the pack"), b"restored in 41 minutes\n");
    assert_eq!(bench.run(&["verify", "--pack", "pack"]).exit, Exit::Satisfied);

    // Somebody improves the log of the drill.
    let object = bench.folder.path().join(format!("evidence/attachments/{digest}"));
    let mut permissions = fs::metadata(&object).expect("there").permissions();
    #[allow(clippy::permissions_set_readonly_false, reason = "the test plays the intruder")]
    permissions.set_readonly(false);
    fs::set_permissions(&object, permissions).expect("set");
    fs::write(&object, "restored in 4 minutes\n").expect("written");
    let verified = bench.run(&["verify"]);
    assert!(
        verified.exit == Exit::Broken && verified.out.contains(&format!("attachments/{digest}: the log says that it has the digest {digest}")),
        "{}",
        verified.out
    );
    fs::remove_file(&object).expect("removed");
    let verified = bench.run(&["verify"]);
    assert!(verified.exit == Exit::Broken && verified.out.contains("it is missing, and entry"), "{}", verified.out);
}

#[test]
fn what_cannot_be_given_is_refused_and_says_why() {
    let (_site, mut bench) = installed();
    for (slot, given, said) in [
        ("2026-Q5", &["--note", "x"][..], "the newest are 2026-Q4, 2026-Q3"),
        ("2027-Q1", &["--note", "x"], "has no slot"),
        ("2026-Q4", &["--link", "file:///etc/passwd"], "a web address"),
        ("2026-Q4", &["--file", "nowhere.log"], "nowhere.log"),
        ("2026-Q4", &[], "say what is given"),
        ("2026-Q4", &["--note", "  "], "is empty"),
    ] {
        let refused = attach(&mut bench, slot, given);
        assert!(refused.exit == Exit::Usage && refused.err.contains(said), "{given:?}: {}", refused.err);
    }
    let token = format!("the token is {}", crate::redact::tokens()[0]);
    let refused = attach(&mut bench, "2026-Q4", &["--note", &token]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("credential") && !refused.err.contains(&token), "{}", refused.err);
    let unknown = bench.run(&["attach", "--task", "REV-09", "--slot", "2026-Q4", "--by", "ada", "--note", "x"]);
    assert!(unknown.exit == Exit::Usage && unknown.err.contains("there is no control REV-09"), "{}", unknown.err);
}

#[test]
fn nothing_is_attached_where_nothing_signs() {
    let (_site, mut bench) = installed();
    bench.unset("PROOFLINE_LOG_KEY_FILE");
    let refused = bench.run(&["attach", "--task", "REV-02", "--slot", "2026-Q4", "--by", "ada", "--note", "x"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("keygen"), "{}", refused.err);
}

#[test]
fn issues_are_opened_once_and_put_on_the_board() {
    let (site, mut bench) = installed();
    let dry = bench.run(&["tasks", "open", "--dry-run"]);
    assert!(dry.exit == Exit::Satisfied && dry.out.contains("Review 2026-11") && dry.out.contains("until 2026-11-30."), "{}{}", dry.out, dry.err);
    let refused = bench.run(&["tasks", "open"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("PROOFLINE_TASKS_TOKEN"), "the token that reads is not taken: {}", refused.err);
    assert_eq!(site.answered(), 0, "nothing was asked");

    bench.set("PROOFLINE_TASKS_TOKEN", Site::TOKEN);
    // GitHub opens it, and the answer breaks off.
    let issues = format!("/github/repos/acme/{}/issues", site.sandbox().world().repositories[1].name);
    site.sandbox().behave(Behaviour::default().with(Fault { every: 2, times: 1, ..Fault::always(&issues, Action::Truncate) }));
    let opened = bench.run(&["tasks", "open"]);
    assert!(opened.exit == Exit::Satisfied && opened.out.contains("REV-01 2026-11: opened: https://github.com/acme/"), "{}{}", opened.out, opened.err);
    assert!(opened.err.contains("it was not given to nobody-of-acme"), "{}", opened.err);
    let again = bench.run(&["tasks", "open"]);
    assert!(again.exit == Exit::Satisfied && again.out.contains("there already"), "{}{}", again.out, again.err);
    let world = site.sandbox().world();
    let added: Vec<&Issue> = world.plan.added.iter().map(|added| &added.issue).collect();
    assert_eq!(added.len(), 1, "{added:#?}");
    assert_eq!((added[0].title.as_str(), added[0].placed, added[0].due), ("Review 2026-11", Some(true), "2026-11-30".parse().ok()));
    assert!(added[0].body.contains("Due: 2026-11-30") && added[0].body.contains("- [ ] the list is attached"), "{}", added[0].body);

    // It is known by what it carries, whatever becomes of its title.
    let mut renamed = added[0].clone();
    renamed.title = "Renamed".to_owned();
    serve(&site, &[renamed]);
    assert!(bench.run(&["tasks", "open"]).out.contains("there already"));
    serve(&site, &[added[0].clone()]);
    let ahead = bench.run(&["tasks", "open", "--ahead", "30"]);
    assert!(ahead.out.contains("2026-12: opened"), "{}{}", ahead.out, ahead.err);

    // The next run finds it, with the due day of the board.
    bench.json(&["collect", "--control", "REV-01"]);
    assert_eq!(standings(&mut bench, "REV-01").last().map(String::as_str), Some("2026-11 open"));
    site.assert_contracts_held();
}

#[test]
fn who_may_not_open_issues_is_told_what_is_missing() {
    let (site, mut bench) = installed();
    bench.set("PROOFLINE_TASKS_TOKEN", Site::TOKEN);
    site.sandbox().behave(Behaviour::default().with(Fault::always("/github/repos/*/issues", Action::Status(403))));
    let refused = bench.run(&["tasks", "open"]);
    assert!(refused.exit == Exit::Undetermined && refused.err.contains("Issues: write") && !refused.err.contains(Site::TOKEN), "{}", refused.err);
    bench.set("PROOFLINE_TASKS_TOKEN", "another");
    site.all_well();
    let refused = bench.run(&["tasks", "open"]);
    assert!(refused.exit == Exit::Undetermined && refused.err.contains("not valid any more"), "{}", refused.err);
    assert!(site.sandbox().world().plan.added.is_empty());
}

#[test]
fn the_report_has_a_row_for_each_slot_and_tells_what_changed_in_a_definition() {
    let (site, mut bench) = installed();
    serve(&site, &autumn());
    bench.json(&["collect"]);
    // From tomorrow on nobody has to look at it.
    let file = bench.folder.path().join("own/tasks.toml");
    let text = fs::read_to_string(&file).expect("read").replace("title = \"Review {slot}\"\n", "title = \"Review {slot}\"\nreviewed = false\n");
    fs::write(&file, text).expect("written");
    site.night(1);
    serve(&site, &autumn());
    bench.now += TimeDelta::days(1);
    bench.json(&["collect"]);
    let outcome = bench.run(&["report", "--out", "report", "--from", "2026-08-01"]);
    assert_eq!(outcome.exit, Exit::Satisfied, "{}", outcome.err);
    let rows = |file: &str| -> Vec<std::collections::BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(bench.folder.path().join("report").join(file)).expect("a file");
        reader.deserialize().map(|row| row.expect("a row")).collect()
    };
    let told: Vec<String> =
        rows("tasks.csv").iter().map(|row| format!("{} {} {} {}", row["control_id"], row["slot"], row["standing"], row["four_eyes"])).collect();
    let expected =
        ["REV-01 2026-08 done ", "REV-01 2026-09 missed ", "REV-01 2026-10 late ", "REV-01 2026-11 open ", "REV-02 2026-Q3 missed ", "REV-02 2026-Q4 missed "];
    assert_eq!(told, expected);
    let parts: Vec<String> =
        rows("changes.csv").iter().map(|row| format!("{} {}: {} -> {}", row["control_id"], row["part"], row["before"], row["after"])).collect();
    assert!(parts.contains(&"REV-01 task reviewed: true -> false".to_owned()) && parts.iter().all(|part| part.starts_with("REV-01")), "{parts:#?}");
    assert!(parts.iter().any(|part| part.starts_with("REV-01 test 5 require: ") && part.ends_with("-> ")), "the test of review is gone: {parts:#?}");
    let page = fs::read_to_string(bench.folder.path().join("report/index.html")).expect("a page");
    assert!(page.contains("What changed in the definition") && page.contains("id=\"tasks\"") && page.contains("2026-09"));

    // What today's controls say of the first night, labelled; and of the second, which had them.
    let runs = bench.json(&["status"]).1["runs"].clone();
    let before = bench.objects();
    let what_if = |bench: &mut Bench, run: &Value| bench.json(&["evaluate", "--todays-controls", "--run", run.as_str().expect("a run")]).1;
    let first = what_if(&mut bench, &runs[0]);
    assert_eq!(first["changed"], serde_json::json!(["REV-01"]), "{first:#}");
    assert_eq!((counts(&first, "REV-01"), finding(&first, "REV-01")["counts"]["fail"].as_u64()), ((7, 3, 0), Some(3)));
    let second = what_if(&mut bench, &runs[1]);
    assert_eq!((&second["changed"], &second["findings"]), (&serde_json::json!([]), &second["sealed_findings"]));
    let text = bench.run(&["evaluate", "--todays-controls", "--run", runs[0].as_str().expect("a run")]);
    assert!(text.out.starts_with("WHAT IF") && text.out.contains("1 of 2 controls would say something else"), "{}", text.out);
    assert_eq!(bench.objects(), before, "nothing was stored");
}
