//! Verdicts by month, over runs of the sandbox, held against the sealed observations: what went away, what was not judged, a waiver, two runs a day, and months of a calendar that is
//! eight hours behind UTC.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::America::Los_Angeles;
use proofline::cli::exit::Exit;
use proofline::model::{Digest, Observation};
use proofline::store::local::LocalStore;
use proofline::store::snapshot;
use serde_json::{Value, json};

use super::script;
use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::people::Member;
use crate::sandbox::world::{Plan, Viewer, World};
use crate::tools::{must, python};

const CONTROL: &str = r#"
[[control]]
id = "ID"
title = "Every person has a second factor"
owner = "security"
severity = "high"
satisfies = ["soc2:CC6.1"]
frequency = "daily"
why = "A password alone is guessed."
fix = "Set one up."

[[control.test]]
population = "github.organization_member"
where = "organization_member.login != 'person-0'"
require = "organization_member.has_two_factor"

[[control.test]]
population = "github.organization_member"
require = "organization_member.login != 'person-1'"
"#;

/// When, which controls, and what of each person: `P` has a second factor, `F` has none, `U` is not shown to whom is asked, `-` is not there.
const RUNS: [(&str, &[&str], &str); 7] = [
    // The 27th in Los Angeles.
    ("2026-11-28T02:00:00Z", &["MEM-01", "MEM-02"], "PPFP"),
    ("2026-11-28T14:00:00Z", &["MEM-01", "MEM-02"], "PFFP"),
    ("2026-11-29T02:00:00Z", &["MEM-02"], "PFFP"),
    // The last of November in Los Angeles, and the first of December.
    ("2026-12-01T02:00:00Z", &["MEM-01", "MEM-02"], "PFF-"),
    ("2026-12-01T09:00:00Z", &["MEM-01"], "UUUU"),
    ("2026-12-02T02:00:00Z", &["MEM-01", "MEM-02"], "PPFP"),
    ("2026-12-03T02:00:00Z", &["MEM-01", "MEM-02"], "PPFP"),
];

/// The run from which on a waiver holds for the third person.
const WAIVED: usize = 3;

fn member(place: usize, letter: char) -> Member {
    let created = Site::first_night() - TimeDelta::days(900);
    let id = 50_000 + u64::try_from(place).expect("a few");
    Member { id, login: format!("person-{place}"), owner: place < 2, two_factor: letter == 'P', two_factor_shown: true, created }
}

fn lived() -> Bench {
    let site = Site::sized(Size { repositories: 2, members: 4, projects: 0, changes: 0, tasks: 0 });
    let all = site.configuration();
    let limits = all.find("[limits]").expect("a table");
    let github = format!("[github]\norganizations = [\"acme\"]\nbase_url = \"{}\"\n", site.sandbox().github());
    let general = all[..all.find("[github]").expect("a table")].replace("\"UTC\"", "\"America/Los_Angeles\"");
    let mut bench = Bench::new(&format!("controls = [\"own\"]\n{general}{github}{}", &all[limits..]));
    let own = bench.folder.path().join("own");
    fs::create_dir(&own).expect("a folder");
    fs::write(own.join("controls.toml"), ["MEM-01", "MEM-02"].map(|id| CONTROL.replace("\"ID\"", &format!("\"{id}\""))).concat()).expect("written");
    let plan = site.sandbox().world().plan.clone();
    for (night, (at, controls, letters)) in RUNS.iter().enumerate() {
        if night == WAIVED {
            let waiver = "[[waiver]]\nid = \"WVR-1\"\ncontrol = \"MEM-01\"\nresource = \"github.com/*person-2\"\nreason = \"On leave.\"\nrequested_by = \"ann\"\napproved_by = \"bob\"\napproved_on = 2026-11-30\nexpires_on = 2027-01-31\nticket = \"SEC-1\"\n";
            fs::write(own.join("waivers.toml"), waiver).expect("written");
        }
        let viewer = if letters.contains('U') { Viewer::Member } else { Viewer::Owner };
        let mut world = World::new(Plan { night: u32::try_from(night).expect("a few"), viewer, ..plan.clone() });
        world.members = letters.char_indices().filter(|(_, letter)| *letter != '-').map(|(place, letter)| member(place, letter)).collect();
        site.sandbox().serve_world(world);
        bench.now = at.parse().expect("an instant");
        let arguments: Vec<&str> = ["collect"].into_iter().chain(controls.iter().flat_map(|control| ["--control", control])).collect();
        let outcome = bench.run(&arguments);
        assert!(matches!(outcome.exit, Exit::Satisfied | Exit::NotSatisfied | Exit::Undetermined), "{night}: {}", outcome.err);
    }
    bench
}

/// A sealed run: what it shows, the controls that it judged, and what it said.
struct Sealed {
    run: String,
    shows: DateTime<Utc>,
    controls: BTreeSet<String>,
    evaluation: Digest,
    observations: Vec<Observation>,
}

#[tokio::main(flavor = "current_thread")]
async fn sealed(bench: &Bench) -> Vec<Sealed> {
    let store = LocalStore::open(bench.folder.path().join("evidence")).expect("a store");
    let mut all = Vec::new();
    for run in snapshot::runs(&store).await.expect("listed") {
        let manifest = snapshot::open(&store, &run).await.expect("sealed").manifest;
        let judged = snapshot::evaluations(&store, &run).await.expect("read").pop().expect("judged");
        all.push(Sealed {
            run: run.to_string(),
            shows: manifest.shows(),
            controls: manifest.controls.iter().map(ToString::to_string).collect(),
            evaluation: judged.digest,
            observations: snapshot::results(&store, &judged.evaluation).await.expect("read"),
        });
    }
    all
}

fn local_day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&Los_Angeles).date_naive()
}

/// What `parquet/verdicts` has to be of the days `from..=to`, from the observations alone.
fn expected(runs: &[Sealed], from: &str, to: &str) -> Value {
    let [from, to]: [NaiveDate; 2] = [from, to].map(|day| day.parse().expect("a day"));
    let mut said: BTreeMap<(String, u32, String), (&'static str, String)> = BTreeMap::new();
    let mut rows = Vec::new();
    let mut by_month: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for run in runs {
        let key = |seen: &Observation| (seen.control.to_string(), seen.test, seen.resource.to_string());
        let seen: BTreeSet<_> = run.observations.iter().map(key).collect();
        said.retain(|key, _| !run.controls.contains(&key.0) || seen.contains(key));
        let day = local_day(run.shows);
        let month = day.format("%Y-%m").to_string();
        let within = from <= day && day <= to;
        if within {
            by_month.entry(month.clone()).or_default().push(&run.run);
        }
        for seen in &run.observations {
            let verdict = seen.verdict.as_str();
            let since = said.entry(key(seen)).or_insert_with(|| (verdict, run.run.clone()));
            if since.0 != verdict {
                *since = (verdict, run.run.clone());
            }
            let (control, test, resource) = key(seen);
            let order = (month.clone(), control.clone(), test, resource.clone(), run.shows);
            let row = json!([
                month,
                control,
                test,
                seen.kind,
                resource,
                seen.name,
                run.run,
                run.shows.timestamp_micros(),
                verdict,
                since.1,
                run.evaluation.to_string()
            ]);
            rows.extend(within.then_some((order, row)));
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let months: Vec<&String> = by_month.keys().collect();
    json!({"rows": rows.iter().map(|(_, row)| row).collect::<Vec<_>>(), "months": months, "runs": by_month})
}

/// Writes the report and reads it back; how many rows there were, and what `--json` says.
fn compared(bench: &mut Bench, python: &Path, runs: &[Sealed], out: &str, (from, to): (&str, &str)) -> (usize, Value) {
    let (exit, told) = bench.json(&["report", "--out", out, "--format", "parquet", "--from", from, "--to", to]);
    assert_eq!(exit, Exit::Satisfied, "{told}");
    let folder = bench.folder.path().join(out);
    let expected = expected(runs, from, to);
    fs::write(folder.join("expected.json"), expected.to_string()).expect("written");
    must(&folder, python, &[&script(), "verdicts", "."]);
    (expected["rows"].as_array().expect("rows").len(), told)
}

#[test]
fn every_verdict_of_the_period_comes_out_in_the_month_of_the_calendar() {
    let Some(python) = python() else { return };
    let mut bench = lived();
    let runs = sealed(&bench);
    bench.now = "2026-12-05T12:00:00Z".parse().expect("an instant");

    let (all, told) = compared(&mut bench, &python, &runs, "all", ("2026-11-27", "2026-12-05"));
    assert_eq!(all, runs.iter().map(|run| run.observations.len()).sum::<usize>());
    let text = fs::read_to_string(bench.folder.path().join("all/expected.json")).expect("read");
    for verdict in ["pass", "fail", "waived", "not-applicable", "undetermined"] {
        assert!(text.contains(&format!("\"{verdict}\"")), "no {verdict}");
    }
    let files = told["files"].as_array().expect("files");
    assert_eq!(files.len(), 14 + 2);
    for file in files {
        let bytes = fs::read(bench.folder.path().join("all").join(file["file"].as_str().expect("a path"))).expect("written");
        assert_eq!((&file["bytes"], &file["sha256"]), (&json!(bytes.len()), &json!(Digest::of(&bytes))), "{file}");
    }
    assert!(bench.files("all").keys().all(|path| path.extension().is_none_or(|ending| ending != "part")));

    // The first and the last run lie outside; in the same folder, so is a month that is no longer asked for. What is not ours stays.
    let (some, _) = compared(&mut bench, &python, &runs, "all", ("2026-11-28", "2026-12-01"));
    assert!(some > 0 && some < all);
    let verdicts = bench.folder.path().join("all/parquet/verdicts");
    fs::write(verdicts.join("month=2026-11/mine.txt"), "mine").expect("written");
    let (december, _) = compared(&mut bench, &python, &runs, "all", ("2026-12-01", "2026-12-05"));
    assert!(december < all && verdicts.join("month=2026-11/mine.txt").is_file());
    fs::remove_file(verdicts.join("month=2026-11/mine.txt")).expect("removed");
    compared(&mut bench, &python, &runs, "all", ("2026-11-27", "2026-11-30"));
    assert!(!verdicts.join("month=2026-12").exists(), "an empty folder is left");

    // The index, kept or not, tells the same.
    let cache = bench.folder.path().join("cache").to_string_lossy().into_owned();
    bench.set("XDG_CACHE_HOME", &cache);
    for out in ["first", "again"] {
        compared(&mut bench, &python, &runs, out, ("2026-11-27", "2026-12-05"));
    }
    let read = |out: &str| bench.files(&format!("{out}/parquet/verdicts")).into_values().collect::<Vec<_>>();
    assert!(read("first") == read("again"), "two reports differ");
}

#[test]
fn a_month_in_which_nothing_ran_has_a_file_without_rows() {
    let Some(python) = python() else { return };
    let mut bench = lived();
    bench.now = "2027-02-05T12:00:00Z".parse().expect("an instant");
    let outcome = bench.run(&["report", "--out", "out", "--format", "parquet"]);
    assert_eq!((outcome.exit, outcome.out.split(' ').next()), (Exit::Satisfied, Some("18")), "{} {}", outcome.out, outcome.err);
    let mut expected = expected(&sealed(&bench), "2026-11-01", "2027-02-05");
    expected["months"] = json!(["2026-11", "2026-12", "2027-01", "2027-02"]);
    for month in ["2027-01", "2027-02"] {
        expected["runs"][month] = json!([]);
    }
    let folder = bench.folder.path().join("out");
    fs::write(folder.join("expected.json"), expected.to_string()).expect("written");
    must(&folder, &python, &[&script(), "verdicts", "."]);
}
