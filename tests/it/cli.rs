//! The verbs, end to end: the real command line in process, the real transport over loopback HTTP, the real local store.
#![cfg(test)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proofline::cli::exit::Exit;
use proofline::cli::host::{Host, Output, Screen};
use serde_json::Value;

use crate::controls_readme::shipped_catalog;
use crate::sandbox::site::{Limits, Site, Size};

/// An installation in a folder of its own, with a clock that stands.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) now: DateTime<Utc>,
    runs: u32,
}

pub(crate) struct Outcome {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
    }
}

impl Bench {
    pub(crate) fn new(configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("proofline.toml"), configuration).expect("written");
        let variables = BTreeMap::from([("GITHUB_TOKEN".to_owned(), Site::TOKEN.to_owned())]);
        Self { folder, variables, now: Site::first_night(), runs: 0 }
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.variables.insert(variable.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, variable: &str) {
        self.variables.remove(variable);
    }

    pub(crate) fn run(&mut self, arguments: &[&str]) -> Outcome {
        self.runs += 1;
        let (out, err, now, number) = (Sink::default(), Sink::default(), self.now, self.runs);
        let host = Host {
            clock: Arc::new(move || now),
            variables: self.variables.clone(),
            folder: self.folder.path().to_path_buf(),
            random: Box::new(move || number),
            program: Some(proofline::model::Digest::of(b"this program")),
            out: Output::new(out.clone()),
            err: Output::new(err.clone()),
            screen: Screen::Log,
        };
        let words = std::iter::once("proofline").chain(arguments.iter().copied()).map(OsString::from);
        let exit = proofline::cli::run(words, host);
        Outcome { exit, out: out.text(), err: err.text() }
    }

    pub(crate) fn json(&mut self, arguments: &[&str]) -> (Exit, Value) {
        let outcome = self.run(&[arguments, &["--json"]].concat());
        let document = serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", outcome.out, outcome.err));
        (outcome.exit, document)
    }

    pub(crate) fn objects(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.files("evidence")
    }

    /// The files of a folder and of those in it, with their bytes.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut pending = vec![self.folder.path().join(name)];
        while let Some(folder) = pending.pop() {
            let below = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
            let (folders, files): (Vec<_>, Vec<_>) = below.partition(|path| path.is_dir());
            pending.extend(folders);
            found.extend(files.into_iter().map(|path| (path.clone(), fs::read(&path).expect("readable"))));
        }
        found
    }

    /// Every byte that the installation wrote, unpacked.
    pub(crate) fn everything_written(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for (path, bytes) in self.objects() {
            let unpacked = path.extension().is_some_and(|e| e == "zst" || e == "zpack").then(|| zstd::decode_all(&bytes[..]).expect("a frame"));
            all.extend_from_slice(&unpacked.unwrap_or(bytes));
        }
        all
    }
}

pub(crate) fn finding<'a>(document: &'a Value, control: &str) -> &'a Value {
    let findings = document["findings"].as_array().expect("findings");
    findings.iter().find(|finding| finding["control"] == control).unwrap_or_else(|| panic!("no finding for {control}"))
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn two_nights_and_a_report() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (exit, first) = bench.json(&["collect", "--due"]);
    assert_eq!(exit, Exit::NotSatisfied, "the sandbox has failures on purpose");
    assert_eq!(first["not_modified"], 0);
    assert!(first["exchanges"].as_u64() > Some(20));
    assert!(first["observations"].as_u64() > Some(100));
    assert!(
        first["budget"]["limits"]["graphql"]["least"].as_u64() < Some(5_000) && first["budget"]["sent"].as_u64() >= first["exchanges"].as_u64(),
        "{}",
        first["budget"]
    );

    let (again, nothing) = bench.json(&["collect", "--due"]);
    assert_eq!((again, nothing["due"].as_array().map(Vec::len)), (Exit::Satisfied, Some(0)), "started twice, it does nothing");

    site.night(1);
    bench.now += TimeDelta::days(1);
    let (_exit, second) = bench.json(&["collect", "--due"]);
    assert!(second["not_modified"].as_u64() > Some(0), "the second night re-validates");
    assert_ne!(first["run"], second["run"]);

    let report = bench.run(&["report", "--out", "report"]);
    assert_eq!(report.exit, Exit::Satisfied, "{}", report.err);
    let html = fs::read_to_string(bench.folder.path().join("report/index.html")).expect("written");
    for text in ["Acme Sandbox", "REP-03", first["run"].as_str().expect("a run"), second["run"].as_str().expect("a run")] {
        assert!(html.contains(text), "{text} is not in the report");
    }
    let results = fs::read_to_string(bench.folder.path().join("report/results.csv")).expect("written");
    assert!(results.lines().count() > 100);
    site.assert_contracts_held();
}

#[test]
fn a_weekly_control_waits_for_its_day_in_sight() {
    let site = Site::sized(Size { repositories: 2, members: 2, projects: 1, changes: 1, tasks: 1 });
    let mut bench = Bench::new(&site.configuration());
    let has = |document: &Value, control: &str| document["findings"].as_array().is_some_and(|findings| findings.iter().any(|f| f["control"] == control));
    let waits =
        |document: &Value, control: &str| document["waiting"].as_array().and_then(|all| Some(all.iter().find(|w| w["control"] == control)?["from"].clone()));
    let (_exit, monday) = bench.json(&["collect", "--due"]);
    assert!(has(&monday, "REP-27") && !has(&monday, "REP-26"), "{}", monday["findings"]);
    assert_eq!(waits(&monday, "REP-26"), Some("2026-11-05T00:00:00Z".into()));
    let (_exit, status) = bench.json(&["status"]);
    assert_eq!(waits(&status, "REP-26"), Some("2026-11-05T00:00:00Z".into()));
    let report = |bench: &mut Bench, folder: &str| {
        assert_eq!(bench.run(&["report", "--out", folder, "--from", "2026-11-02"]).exit, Exit::Satisfied);
        let read = |name: &str| fs::read_to_string(bench.folder.path().join(folder).join(name)).expect("written");
        (read("controls.csv"), read("slots.csv"))
    };
    let (controls, slots) = report(&mut bench, "monday");
    let row = |table: &str, control: &str| table.lines().find(|line| line.starts_with(&format!("{control},"))).map(ToOwned::to_owned).unwrap_or_default();
    assert!(row(&controls, "REP-26").contains(",not-run,"), "{controls}");
    assert!(row(&slots, "REP-26").contains(",pending,"), "{slots}");

    site.night(3);
    bench.now += TimeDelta::days(3);
    let (_exit, thursday) = bench.json(&["collect", "--due"]);
    assert!(has(&thursday, "REP-26") && !has(&thursday, "REP-27"), "{}", thursday["findings"]);
    assert_eq!(waits(&thursday, "REP-26"), None);
    assert!(!row(&report(&mut bench, "thursday").1, "REP-26").contains(",pending,"));
}

#[test]
fn verdicts_agree_with_the_known_truth() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (_exit, document) = bench.json(&["collect"]);
    for (control, expected) in site.expected_counts() {
        let counts = &finding(&document, &control)["counts"];
        let found = (counts["pass"].as_u64(), counts["fail"].as_u64(), counts["undetermined"].as_u64());
        assert_eq!(found, (Some(expected.0), Some(expected.1), Some(expected.2)), "{control}: (pass, fail, undetermined)");
    }
}

#[test]
fn a_night_without_answers_is_undetermined_and_the_next_start_repairs_it() {
    let site = Site::small();
    site.github_down();
    let mut bench = Bench::new(&site.configuration());
    let (exit, dark) = bench.json(&["collect", "--due"]);
    let catalog = shipped_catalog();
    let of_google =
        |id: &str| catalog.controls.iter().any(|control| control.id.to_string() == id && control.tests.iter().all(|test| test.population.starts_with("gcp.")));
    for finding in dark["findings"].as_array().expect("findings") {
        let control = finding["control"].as_str().expect("an id");
        assert!(of_google(control) || finding["status"] == "undetermined", "{control} was judged without evidence: {finding}");
        assert!(of_google(control) || finding["counts"]["pass"] == 0, "{finding}");
    }
    assert_ne!(exit, Exit::Satisfied);

    site.all_well();
    bench.now += TimeDelta::hours(1);
    let (_exit, light) = bench.json(&["collect", "--due"]);
    assert_ne!(finding(&light, "ORG-01")["status"], "undetermined", "the later start in the same slot tried again");
    let judged = light["findings"].as_array().expect("findings");
    assert!(judged.iter().all(|f| f["control"] != "IAM-07"), "what had been answered is not asked again");
}

#[test]
fn judging_again_gives_the_same_bytes_and_touches_nothing() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (_exit, document) = bench.json(&["collect"]);
    let run = document["run"].as_str().expect("a run").to_owned();
    let before = bench.objects();
    drop(site);
    fs::remove_dir_all(bench.folder.path().join("evidence/evaluations")).expect("removed");
    bench.now += TimeDelta::days(1000);
    let (_exit, again) = bench.json(&["evaluate", "--run", &run]);
    assert_eq!(again["findings"], document["findings"]);
    assert_eq!(bench.objects(), before, "years later, offline, byte for byte");
}

#[test]
fn a_changed_byte_is_found() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (_exit, document) = bench.json(&["collect"]);
    let run = document["run"].as_str().expect("a run").to_owned();
    let packs: Vec<PathBuf> = bench.objects().into_keys().filter(|path| path.extension().is_some_and(|e| e == "zpack")).collect();
    let requests = bench.folder.path().join(format!("evidence/runs/{run}/requests.ndjson.zst"));
    let places = requests.with_file_name("bodies.ndjson.zst");
    assert_eq!(packs.len(), 1, "a small run is one pack");
    for victim in [&packs[0], &requests, &places] {
        let whole = fs::read(victim).expect("readable");
        fs::remove_file(victim).expect("removed");
        for forged in [zstd::encode_all(&b"{}"[..], 3).expect("packed"), whole[..whole.len() / 2].to_vec(), Vec::new()] {
            fs::write(victim, forged).expect("written");
            let outcome = bench.run(&["evaluate", "--run", &run]);
            assert_eq!(outcome.exit, Exit::Broken, "{}: {}", victim.display(), outcome.err);
            assert!(outcome.err.contains(&*victim.file_name().expect("a name").to_string_lossy()), "{}: {}", victim.display(), outcome.err);
        }
        fs::write(victim, whole).expect("restored");
    }
    assert_ne!(bench.run(&["evaluate", "--run", &run]).exit, Exit::Broken, "all is as it was");
    fs::remove_file(&packs[0]).expect("removed");
    assert_eq!(bench.run(&["evaluate", "--run", &run]).exit, Exit::Broken, "missing evidence is never judged");
}

#[test]
fn the_credential_stays_in_the_process() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let collected = bench.run(&["collect"]);
    let report = bench.run(&["report", "--out", "report"]);
    for text in [&collected.out, &collected.err, &report.out, &report.err] {
        assert!(!text.contains(Site::TOKEN));
    }
    assert!(!contains(&bench.everything_written(), Site::TOKEN));
    let files = bench.files("report");
    assert!(files.len() > 20, "a report");
    assert!(files.values().all(|bytes| !contains(bytes, Site::TOKEN)));
}

#[test]
fn a_missing_or_refused_credential_is_named_and_never_a_pass() {
    let site = Site::small();
    for token in [None, Some("a-wrong-token-of-nobody")] {
        let mut bench = Bench::new(&site.configuration());
        bench.variables = token.map(|token| ("GITHUB_TOKEN".to_owned(), token.to_owned())).into_iter().collect();
        let outcome = bench.run(&["collect", "--control", "ORG-01", "--control", "REP-02"]);
        assert_eq!(outcome.exit, Exit::Undetermined, "{}", outcome.out);
        assert!(outcome.out.contains("GITHUB_TOKEN"), "{}", outcome.out);
    }
}

#[test]
fn a_killed_run_leaves_nothing_half_sealed() {
    let site = Site::small();
    site.pace(Duration::from_millis(40), Limits::Off);
    let bench = Bench::new(&site.configuration());
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_proofline"))
            .args(["collect", "--json"])
            .current_dir(bench.folder.path())
            .env_clear()
            .env("GITHUB_TOKEN", Site::TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started")
    };
    for answered in [1, 5, 20, 40] {
        let seen = site.answered();
        let mut child = start();
        // Killed by what it has done, not by the clock.
        while site.answered() < seen + answered && child.try_wait().expect("asked").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("killed");
        child.wait().expect("over");
        let runs = bench.folder.path().join("evidence/runs");
        let sealed = fs::read_dir(&runs).into_iter().flatten().filter(|run| run.as_ref().expect("a run").path().join("manifest.json").exists()).count();
        assert_eq!(sealed, 0, "a run that was killed is not sealed");
    }
    site.pace(Duration::ZERO, Limits::Off);
    let output = start().wait_with_output().expect("ran");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(document["observations"].as_u64() > Some(100));
}

#[test]
fn two_at_once_both_seal() {
    let site = Site::small();
    let configuration = site.configuration();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("proofline.toml"), configuration).expect("written");
    let children: Vec<_> = (0..2)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_proofline"))
                .args(["collect", "--due", "--json"])
                .current_dir(folder.path())
                .env_clear()
                .env("GITHUB_TOKEN", Site::TOKEN)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("started")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("ran");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let sealed = fs::read_dir(folder.path().join("evidence/runs")).expect("runs").count();
    assert!((1..=2).contains(&sealed));
}

#[test]
fn the_shipped_controls_are_valid_and_their_examples_come_out() {
    let mut bench = Bench::new("[github]\norganizations = [\"acme\"]\n");
    let check = bench.run(&["controls", "check"]);
    assert_eq!(check.exit, Exit::Satisfied, "{}{}", check.out, check.err);
    let test = bench.run(&["controls", "test"]);
    assert_eq!(test.exit, Exit::Satisfied, "{}{}", test.out, test.err);
    let (_exit, controls) = bench.json(&["controls", "list"]);
    for control in controls.as_array().expect("a list") {
        let examples: Vec<&Value> = control["tests"].as_array().expect("tests").iter().flat_map(|t| t["examples"].as_array().expect("examples")).collect();
        for verdict in ["pass", "fail", "undetermined"] {
            assert!(examples.iter().any(|example| example["verdict"] == verdict), "{} has no example for {verdict}", control["id"]);
        }
    }
}

#[test]
fn mistakes_say_what_to_do() {
    let mut bench = Bench::new("");
    fs::remove_file(bench.folder.path().join("proofline.toml")).expect("removed");
    let missing = bench.run(&["collect"]);
    assert_eq!(missing.exit, Exit::Usage);
    assert!(missing.err.contains("proofline init"), "{}", missing.err);

    let init = bench.run(&["init", "--github", "acme"]);
    assert_eq!(init.exit, Exit::Satisfied, "{}", init.err);
    assert_eq!(bench.run(&["init", "--github", "other"]).exit, Exit::Usage, "an existing file is left alone");
    assert_eq!(bench.run(&["controls", "check"]).exit, Exit::Satisfied, "the starter is valid");

    for (arguments, hint) in [
        (&["collect", "--control", "NO-1"][..], "controls list"),
        (&["report", "--out", "r"], "proofline collect"),
        (&["evaluate", "--run", "20260301T020000Z-9f2c11aa"], "no sealed run"),
        (&["kinds", "github.brunch"], "github.branch"),
        (&["report", "--out", "r", "--format", "pdf"], "html"),
        (&["report", "--out", "r", "--format", "parquet"], if cfg!(feature = "parquet") { "proofline collect" } else { "--features parquet" }),
        (&["colect"], "collect"),
    ] {
        let outcome = bench.run(arguments);
        assert_eq!(outcome.exit, Exit::Usage, "{arguments:?}: {}", outcome.err);
        assert!(outcome.err.contains(hint), "{arguments:?}: {}", outcome.err);
    }
}

#[test]
fn criteria_of_ones_own_stand_beside_the_published_ones() {
    let mut bench = Bench::new("controls = [\"mine\"]\n[github]\norganizations = [\"acme\"]\n");
    let criteria = bench.folder.path().join("mine/criteria");
    fs::create_dir_all(&criteria).expect("a folder");
    fs::write(criteria.join("house.toml"), "framework = \"house\"\nname = \"House rules\"\n[[criterion]]\nid = \"1\"\ntitle = \"Be kind\"\n").expect("written");
    let control = "[[control]]\nid = \"A-1\"\ntitle = \"t\"\nowner = \"o\"\nseverity = \"high\"\nsatisfies = [\"soc2:CC8.1\", \"house:1\"]\nfrequency = \"daily\"\nwhy = \"w\"\nfix = \"f\"\n[[control.test]]\npopulation = \"github.branch\"\nrequire = \"branch.protected\"\n[[control.test.example]]\nverdict = \"pass\"\nbranch = { protected = true }\n[[control.test.example]]\nverdict = \"fail\"\nbranch = { protected = false }\n";
    fs::write(bench.folder.path().join("mine/a.toml"), control).expect("written");
    let outcome = bench.run(&["controls", "check"]);
    assert_eq!(outcome.exit, Exit::Satisfied, "{}", outcome.err);
    // A file of the same name takes the place of the shipped one.
    fs::write(criteria.join("soc2.toml"), "framework = \"soc2\"\nname = \"Ours\"\n[[criterion]]\nid = \"CC1.1\"\ntitle = \"x\"\n").expect("written");
    let outcome = bench.run(&["controls", "check"]);
    assert!(outcome.exit == Exit::Usage && outcome.err.contains("soc2:CC8.1"), "{}", outcome.err);
}

#[test]
fn broken_control_files_are_reported_together() {
    let mut bench = Bench::new("controls = [\"mine\"]\n[github]\norganizations = [\"acme\"]\n");
    let mine = bench.folder.path().join("mine");
    fs::create_dir(&mine).expect("a folder");
    let control = |id: &str, require: &str| {
        format!(
            "[[control]]\nid = \"{id}\"\ntitle = \"t\"\nowner = \"o\"\nseverity = \"high\"\nsatisfies = [\"soc2:CC8.1\"]\nfrequency = \"daily\"\nwhy = \"w\"\nfix = \"f\"\n[[control.test]]\npopulation = \"github.branch\"\nrequire = \"{require}\"\n"
        )
    };
    fs::write(mine.join("a.toml"), control("A-1", "branch.protectd")).expect("written");
    fs::write(mine.join("b.toml"), control("B-1", "has(branch.protected)")).expect("written");
    let outcome = bench.run(&["collect"]);
    assert_eq!(outcome.exit, Exit::Usage);
    for text in ["mine/a.toml:12", "protectd", "protected", "mine/b.toml:12", "has"] {
        assert!(outcome.err.contains(text), "{text} is not in\n{}", outcome.err);
    }
    assert!(!Path::new(&bench.folder.path().join("evidence/runs")).exists(), "nothing was collected");
}
