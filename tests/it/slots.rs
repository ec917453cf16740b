//! The run ledger through the command line: what was due when, late, partial, not run, before it was promised; schedules and scopes that change in the period.
#![cfg(test)]

use std::fs;

use chrono::{DateTime, Utc};
use proofline::cli::exit::Exit;

use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};

/// One control over the organisation, due as `due` says.
fn declare(bench: &Bench, due: &str) {
    declare_over(bench, due, "population = \"github.organization\"\nrequire = \"organization.login != ''\"");
}

fn declare_over(bench: &Bench, due: &str, test: &str) {
    let text = format!(
        "[[control]]\nid = \"X-1\"\ntitle = \"The organisation is seen\"\nowner = \"devops\"\nseverity = \"low\"\nsatisfies = [\"soc2:CC6.1\"]\n{due}\nwhy = \"x\"\nfix = \"x\"\n\
         [[control.test]]\n{test}\n"
    );
    let folder = bench.folder.path().join("controls");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("x.toml"), text).expect("written");
}

fn a_bench(due: &str) -> (Site, Bench) {
    let site = Site::sized(Size { repositories: 1, members: 1, projects: 1, changes: 1, tasks: 1 });
    let bench = Bench::new(&format!("controls = [\"controls\"]\n{}", site.configuration()));
    declare(&bench, due);
    (site, bench)
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn collect(bench: &mut Bench, now: &str) {
    bench.now = at(now);
    let outcome = bench.run(&["collect"]);
    assert!(matches!(outcome.exit, Exit::Satisfied | Exit::Undetermined), "{}", outcome.err);
}

/// Name, frequency, state and how many runs, of each slot.
fn slots(bench: &mut Bench, from: &str, now: &str) -> Vec<String> {
    bench.now = at(now);
    let outcome = bench.run(&["report", "--out", "report", "--from", from]);
    assert_eq!(outcome.exit, Exit::Satisfied, "{}", outcome.err);
    let mut reader = csv::Reader::from_path(bench.folder.path().join("report/slots.csv")).expect("a file");
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| format!("{} {} {} {}", &row[2], &row[1], &row[5], row[7].split("; ").filter(|run| !run.is_empty()).count())).collect()
}

fn page(bench: &Bench) -> String {
    fs::read_to_string(bench.folder.path().join("report/index.html")).expect("a page")
}

#[test]
fn a_schedule_that_changes_counts_from_the_run_that_had_it_first() {
    let (_site, mut bench) = a_bench("frequency = \"daily\"");
    for now in ["2026-11-02T02:00:00Z", "2026-11-03T02:00:00Z", "2026-11-05T02:00:00Z"] {
        collect(&mut bench, now);
    }
    declare(&bench, "frequency = \"weekly\"");
    for now in ["2026-11-06T02:00:00Z", "2026-11-10T02:00:00Z"] {
        collect(&mut bench, now);
    }
    let told = slots(&mut bench, "2026-11-02", "2026-11-10T03:00:00Z");
    let expected = [
        "2026-11-02 daily pass 1",
        "2026-11-03 daily pass 1",
        "2026-11-04 daily not-run 0",
        "2026-11-05 daily pass 1",
        // The sixth was never owed daily: by the time that its night came it was owed weekly.
        "2026-W45 weekly pass 1",
        "2026-W46 weekly pass 1",
    ];
    assert_eq!(told, expected);
    let page = page(&bench);
    assert!(page.contains("The schedule changed in the period.") && page.contains("<bdi>daily</bdi>") && page.contains("<bdi>weekly</bdi>"), "{page}");
}

/// What is reconstructed has the definitions of the day on which somebody did it.
#[test]
fn a_reconstruction_changes_no_schedule() {
    const BUCKETS: &str = "population = \"gcp.bucket\"\nrequire = \"bucket.name != ''\"\nmay_be_empty = true";
    let (_site, mut bench) = a_bench("frequency = \"weekly\"");
    declare_over(&bench, "frequency = \"weekly\"", BUCKETS);
    collect(&mut bench, "2026-11-02T02:00:00Z");
    declare_over(&bench, "frequency = \"daily\"", BUCKETS);
    collect(&mut bench, "2026-11-06T02:00:00Z");
    let (_exit, told) = bench.json(&["collect", "--reconstruct", "2026-11-04"]);
    assert_eq!(told["as_of"], "2026-11-04T23:59:59Z", "{told}");
    let told = slots(&mut bench, "2026-11-02", "2026-11-06T03:00:00Z");
    assert_eq!(told, ["2026-W45 weekly pass 2", "2026-11-06 daily pass 1"]);
}

#[test]
fn working_days_a_declared_start_and_a_late_run() {
    let (_site, mut bench) = a_bench("frequency = \"daily\"\nschedule = \"0 1 * * MON-FRI\"\nstarts = 2026-11-02");
    // 2026-11-02 is a Monday; the second run comes eleven hours after it was due.
    for now in ["2026-11-03T02:00:00Z", "2026-11-04T12:00:00Z", "2026-11-06T01:30:00Z"] {
        collect(&mut bench, now);
    }
    let told = slots(&mut bench, "2026-10-29", "2026-11-09T00:30:00Z");
    let expected = [
        "2026-10-29 daily before-start 0",
        "2026-10-30 daily before-start 0",
        // Promised, and nothing ran, although no run was ever made before it.
        "2026-11-02 daily not-run 0",
        "2026-11-03 daily pass 1",
        "2026-11-04 daily late 1",
        "2026-11-05 daily not-run 0",
        "2026-11-06 daily pass 1",
        "2026-11-09 daily pending 0",
    ];
    assert_eq!(told, expected);
    assert!(page(&bench).contains("later than it was due"));
    let (_exit, status) = bench.json(&["status"]);
    assert_eq!(status["waiting"][0]["from"], "2026-11-09T01:00:00Z", "{status}");
}

#[test]
fn a_source_that_was_down_leaves_a_slot_partial_and_the_worst_run_counts() {
    let (site, mut bench) = a_bench("frequency = \"daily\"");
    site.github_down();
    collect(&mut bench, "2026-11-02T02:00:00Z");
    site.all_well();
    collect(&mut bench, "2026-11-03T02:00:00Z");
    site.github_down();
    collect(&mut bench, "2026-11-03T03:00:00Z");
    site.all_well();
    collect(&mut bench, "2026-11-04T02:00:00Z");
    let told = slots(&mut bench, "2026-11-02", "2026-11-04T03:00:00Z");
    assert_eq!(told, ["2026-11-02 daily partial 1", "2026-11-03 daily partial 2", "2026-11-04 daily pass 1"]);
}

#[test]
fn a_scope_that_changes_is_told() {
    let (_site, mut bench) = a_bench("frequency = \"daily\"");
    collect(&mut bench, "2026-11-02T02:00:00Z");
    slots(&mut bench, "2026-11-02", "2026-11-02T03:00:00Z");
    assert!(page(&bench).contains("Every run of the period looked at the same."));
    let path = bench.folder.path().join("proofline.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    fs::write(&path, text.replace("issue_labels = [", "issue_labels = [\"new<label>\", ")).expect("written");
    collect(&mut bench, "2026-11-03T02:00:00Z");
    slots(&mut bench, "2026-11-02", "2026-11-03T03:00:00Z");
    assert!(page(&bench).contains("label new&lt;label&gt; came into scope"), "{}", page(&bench));
}
