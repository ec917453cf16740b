//! The interval index and the deviation register, over nights of the sandbox: failures are those that the sealed observations tell, and the index is a cache that may be lost.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use proofline::model::{Observation, Verdict};
use proofline::store::local::LocalStore;
use proofline::store::snapshot;

use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::{Plan, World};

const CONTROLS: [&str; 5] = ["IAM-03", "IAM-07", "STO-01", "ORG-02", "REP-03"];

/// Twelve nights, on which something drifts each time; nothing runs in the fifth, and in the eighth GitHub is down.
fn nights() -> (Site, Bench) {
    let site = Site::sized(Size { repositories: 12, members: 8, projects: 12, changes: 1, tasks: 2 });
    let plan = site.sandbox().world().plan.clone();
    site.sandbox().serve_world(World::new(Plan { drift_percent: 40, ..plan }));
    let mut bench = Bench::new(&site.configuration());
    for night in (0..12).filter(|night| *night != 4) {
        site.night(night);
        bench.now = Site::first_night() + TimeDelta::days(i64::try_from(night).expect("a few"));
        if night == 7 {
            site.github_down();
        }
        collect(&mut bench);
        site.all_well();
    }
    (site, bench)
}

fn collect(bench: &mut Bench) {
    let arguments: Vec<&str> = ["collect"].into_iter().chain(CONTROLS.iter().flat_map(|control| ["--control", control])).collect();
    let outcome = bench.run(&arguments);
    assert!(matches!(outcome.exit, Exit::Satisfied | Exit::NotSatisfied | Exit::Undetermined), "{}", outcome.err);
}

/// The rows of a CSV file of a report, by column.
fn rows(bench: &Bench, folder: &str, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(bench.folder.path().join(folder).join(file)).expect("a file");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// Each run's observations, oldest first.
#[tokio::main(flavor = "current_thread")]
async fn observed(bench: &Bench) -> Vec<(String, Vec<Observation>)> {
    let store = LocalStore::open(bench.folder.path().join("evidence")).expect("a store");
    let mut all = Vec::new();
    for run in snapshot::runs(&store).await.expect("listed") {
        let evaluation = snapshot::evaluations(&store, &run).await.expect("read").pop().expect("judged").evaluation;
        all.push((run.to_string(), snapshot::results(&store, &evaluation).await.expect("read")));
    }
    all
}

/// First, last and ending run of each failure, worked out row by row. Resources of this world never go away, so that one that is missing was not seen.
fn by_hand(runs: &[(String, Vec<Observation>)]) -> Vec<[String; 5]> {
    let mut open: BTreeMap<(String, u32, String), (String, String)> = BTreeMap::new();
    let mut found = Vec::new();
    for (run, row) in runs.iter().flat_map(|(run, rows)| rows.iter().map(move |row| (run, row))) {
        let key = (row.control.to_string(), row.test, row.resource.to_string());
        match row.verdict {
            Verdict::Fail | Verdict::Waived => open.entry(key).or_insert_with(|| (run.clone(), run.clone())).1.clone_from(run),
            Verdict::Pass | Verdict::NotApplicable => found.extend(open.remove(&key).map(|(first, last)| [key.0, key.2, first, last, run.clone()])),
            Verdict::Undetermined => {}
        }
    }
    found.extend(open.into_iter().map(|(key, (first, last))| [key.0, key.2, first, last, String::new()]));
    found.sort();
    found
}

#[test]
fn failures_are_those_that_the_sealed_observations_tell_with_the_index_or_without() {
    let (site, mut bench) = nights();
    let report = |bench: &mut Bench, out: &str| {
        let outcome = bench.run(&["report", "--out", out]);
        assert!(outcome.exit == Exit::Satisfied && !outcome.err.contains("warning"), "{}", outcome.err);
        rows(bench, out, "deviations.csv")
    };
    let without = report(&mut bench, "without");
    let columns = ["control_id", "resource_id", "first_seen_run", "last_seen_run", "retest_run"];
    let mut told: Vec<[String; 5]> = without.iter().map(|row| columns.map(|column| row[column].clone())).collect();
    told.sort();
    let expected = by_hand(&observed(&bench));
    assert!(expected.iter().any(|row| !row[4].is_empty()) && expected.len() > 10, "the world drifts: {expected:#?}");
    assert_eq!(told, expected);
    assert!(without.iter().any(|row| !row["last_good"].is_empty()), "something was good first");

    // With a cache: made, used, completed, and made again where it is damaged.
    let cache = bench.folder.path().join("cache").to_string_lossy().into_owned();
    bench.set("XDG_CACHE_HOME", &cache);
    assert_eq!(report(&mut bench, "first"), without);
    let kept = kept(&bench);
    let bytes = fs::read(&kept).expect("kept");
    assert_eq!(report(&mut bench, "warm"), without);
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);

    let mut changed = bytes.clone();
    changed.extend(b"more");
    fs::write(&kept, &changed).expect("written");
    let verified = bench.run(&["verify"]);
    assert!(verified.exit == Exit::Broken && verified.out.contains("the next report builds it again"), "{}", verified.out);
    assert_eq!(report(&mut bench, "damaged"), without);
    assert_eq!(fs::read(&kept).expect("kept"), bytes, "made again, and the same");

    site.night(12);
    bench.now = Site::first_night() + TimeDelta::days(12);
    collect(&mut bench);
    let completed = report(&mut bench, "completed");
    assert_ne!(fs::read(&kept).expect("kept"), bytes);
    bench.unset("XDG_CACHE_HOME");
    assert_eq!(report(&mut bench, "without again"), completed);
    bench.set("XDG_CACHE_HOME", &cache);
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);
}

/// The one file of the cache.
fn kept(bench: &Bench) -> PathBuf {
    let folder = bench.folder.path().join("cache/proofline");
    let files: Vec<PathBuf> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn an_index_that_says_something_else_is_found_out_by_verify() {
    let site = Site::sized(Size { repositories: 4, members: 4, projects: 6, changes: 1, tasks: 2 });
    let mut bench = Bench::new(&site.configuration());
    let home = bench.folder.path().to_string_lossy().into_owned();
    bench.set("HOME", &home);
    collect(&mut bench);
    bench.run(&["report", "--out", "report"]);
    let kept = fs::read_dir(bench.folder.path().join(".cache/proofline")).expect("a folder").next().expect("a file").expect("an entry").path();
    // Somebody makes a finding vanish and puts the digest right.
    let bytes = fs::read(&kept).expect("kept");
    let start = bytes.windows(1).position(|byte| byte == b"\n").expect("a line") + 1 + 65;
    let mut body = bytes[start..].to_vec();
    let text = body.windows(6).position(|window| window == b"IAM-03").expect("a name");
    body[text..text + 6].copy_from_slice(b"IAM-93");
    let mut forged = bytes[..start - 65].to_vec();
    forged.extend(proofline::model::Digest::of(&body).to_string().into_bytes());
    forged.push(b'\n');
    forged.extend(body);
    fs::write(&kept, forged).expect("written");
    let verified = bench.run(&["verify"]);
    assert!(verified.exit == Exit::Broken && verified.out.contains("the index does not come out so"), "{} {}", verified.out, verified.err);
}

#[test]
fn an_index_of_a_run_that_the_store_does_not_hold_is_told_and_not_a_fault_of_the_command() {
    let site = Site::sized(Size { repositories: 2, members: 3, projects: 1, changes: 1, tasks: 1 });
    let mut bench = Bench::new(&site.configuration());
    let cache = bench.folder.path().join("cache").to_string_lossy().into_owned();
    bench.set("XDG_CACHE_HOME", &cache);
    collect(&mut bench);
    bench.run(&["report", "--out", "report"]);
    // Somebody puts an older copy of the store back.
    let evidence = bench.folder.path().join("evidence");
    fs::remove_dir_all(&evidence).expect("taken away");
    bench.now += TimeDelta::days(1);
    collect(&mut bench);
    let verified = bench.run(&["verify"]);
    assert!(verified.exit == Exit::Broken && verified.out.contains("which the store does not hold"), "{} {}", verified.out, verified.err);
}
