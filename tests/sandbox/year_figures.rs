//! Measures the audit period: a year of nights of many verdicts, how long the interval index takes to build, and what a report takes with and without it.
//!
//! `cargo run --release --example year_figures [CONTROLS] [RESOURCES] [NIGHTS] [FOLDER]`; by default 100 controls over 1,000 resources for 365 nights, 36.5 million verdicts. The
//! nights are sealed as the program seals them; only what was asked of the sources is small. Each report runs in a process of its own, so that its peak memory is its own.
//! With a folder the nights stay, and those that lie there already are not written again.
//!
//! With `--features parquet` it writes the Parquet files too, and asks three questions of the index and, over those files, of the `DuckDB` that `tests/setup.sh` installs: both have to say the same.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a program for a terminal, which ends where it cannot go on"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use proofline::catalog::shipped;
use proofline::cli::TOOL;
use proofline::cli::exit::Exit;
use proofline::cli::host::{Host, Output, Screen};
use proofline::evaluate::history::{self, History};
use proofline::model::{
    Budget, ControlFile, ControlId, Counts, Digest, EpisodeOutcome, Exchange, Finding, FindingStatus, Headers, Manifest, Method, Observation, Outcome, Period,
    Population, RunId, Scope, Tally, Verdict,
};
use proofline::store::bodies::Packer;
use proofline::store::local::LocalStore;
use proofline::store::shelf::Shelf;
use proofline::store::snapshot::{self, Evaluation, Sealed};
use proofline::store::{Store, check};

const KIND: &str = "github.repository";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, folder, format] = arguments.as_slice()
        && word == "report"
    {
        return report(Path::new(folder), format);
    }
    let number = |at: usize, usual: u32| arguments.get(at).map_or(usual, |text| text.parse().expect("a number"));
    let (controls, resources, nights) = (number(0, 100), number(1, 1_000), number(2, 365));
    let passing = tempfile::tempdir().expect("a folder");
    let folder = arguments.get(3).map_or_else(|| passing.path().to_path_buf(), |kept| std::path::absolute(kept).expect("a folder"));
    let folder = folder.as_path();
    let verdicts = u64::from(controls) * u64::from(resources) * u64::from(nights);
    println!("{nights} nights of {controls} controls over {resources} resources: {verdicts} verdicts");
    if !folder.join("evidence").is_dir() {
        let started = Instant::now();
        write_year(folder, (controls, resources, nights));
        println!("written and sealed in {:.0} s", started.elapsed().as_secs_f64());
    }
    println!("the nights: {:.2} GB", bytes_below(&folder.join("evidence")) as f64 / 1e9);
    let program = std::env::current_exe().expect("this program");
    let cache = folder.join("cache");
    if cache.is_dir() {
        fs::remove_dir_all(&cache).expect("an index of before");
    }
    // The first builds the index; the others find it.
    for format in ["markdown", "markdown", "html", "csv"] {
        assert!(Command::new(&program).arg("report").arg(folder).arg(format).status().expect("started").success(), "a report");
    }
    println!("index: {:.2} MB", bytes_below(&cache) as f64 / 1e6);
    if cfg!(feature = "parquet") {
        assert!(Command::new(&program).arg("report").arg(folder).arg("parquet").status().expect("started").success(), "a report");
        let files = folder.join("report/parquet");
        let verdicts = files.join("verdicts");
        println!("Parquet: {:.1} MB, of which verdicts {:.1} MB", bytes_below(&files) as f64 / 1e6, bytes_below(&verdicts) as f64 / 1e6);
        questions(folder, &verdicts, u64::from(controls) * u64::from(resources) * u64::from(nights));
    }
}

/// Status of each control on each day, failures that are open at the end, and how long it took to cure the others: of the index, and of `DuckDB` over the Parquet files.
fn questions(folder: &Path, verdicts: &Path, rows: u64) {
    let clock = Instant::now();
    let kept = fs::read_dir(folder.join("cache/proofline")).expect("a cache").next().expect("an index").expect("an entry").path();
    let history = History::from_bytes(&fs::read(kept).expect("read")).expect("an index");
    let read = clock.elapsed();
    let period = Period::new(first_night(), first_night() + TimeDelta::days(400)).expect("a period");
    let clock = Instant::now();
    let standings = standings(folder);
    let (standings, told) = (Digest::of(standings.as_bytes()).to_string(), clock.elapsed());
    let clock = Instant::now();
    let episodes = history::episodes(&history, period);
    let open = episodes.iter().filter(|episode| episode.outcome == EpisodeOutcome::Open).count();
    let fixed = episodes.iter().filter(|episode| episode.outcome == EpisodeOutcome::Fixed);
    let cured: Vec<i64> = fixed.filter_map(|episode| Some((episode.ended.as_ref()?.at - episode.first_seen.at).num_seconds())).collect();
    let seconds: i64 = cured.iter().sum();
    let asked = clock.elapsed();
    println!(
        "the index: read in {:.3} s; open failures and cures {:.3} s; standings from sealed findings {:.3} s: {open} open, {} cured after {:.1} days on average",
        read.as_secs_f64(),
        asked.as_secs_f64(),
        told.as_secs_f64(),
        cured.len(),
        seconds as f64 / 86_400.0 / cured.len() as f64
    );
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = package.join("target/tools/python/bin/python");
    if !python.is_file() {
        println!("DuckDB is not there: bash tests/setup.sh installs it");
        return;
    }
    let output = Command::new(python).arg(package.join("tests/sandbox/duckdb_questions.py")).arg(verdicts).output().expect("started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    println!("DuckDB over the Parquet files: {}; peak {} MB", told["seconds"], told["peak_mb"]);
    let cured = serde_json::json!([cured.len(), seconds]);
    assert_eq!(
        [&told["rows"], &told["standings"], &told["open"], &told["cured"], &told["cured_of_all_rows"]],
        [&serde_json::json!(rows), &serde_json::json!(standings), &serde_json::json!(open), &cured, &cured],
        "both say the same"
    );
}

/// A line a control and day: its id, the day since 1970, and `fail`, `undetermined` or `pass`. Reports have it from the findings that each night sealed, and from no row.
fn standings(folder: &Path) -> String {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = LocalStore::open(folder.join("evidence")).expect("a store");
    let mut told: BTreeMap<(ControlId, i64), &str> = BTreeMap::new();
    for run in runtime.block_on(snapshot::runs(&store)).expect("listed") {
        let sealed = runtime.block_on(snapshot::open(&store, &run)).expect("a run");
        let evaluation = runtime.block_on(snapshot::evaluation(&store, &snapshot::evaluation_id(&sealed, TOOL))).expect("read").expect("judged").evaluation;
        let day = sealed.manifest.started_at.timestamp().div_euclid(86_400);
        told.extend(evaluation.findings.into_iter().map(|finding| {
            let status = match finding.status {
                FindingStatus::NotSatisfied => "fail",
                FindingStatus::Undetermined => "undetermined",
                FindingStatus::Satisfied => "pass",
            };
            ((finding.control, day), status)
        }));
    }
    told.iter().fold(String::new(), |mut text, ((control, day), status)| {
        let _infallible = writeln!(text, "{control} {day} {status}");
        text
    })
}

/// Writes one report and tells what it took.
fn report(folder: &Path, format: &str) {
    let started = Instant::now();
    let now = first_night() + TimeDelta::days(400);
    let cache = folder.join("cache").to_string_lossy().into_owned();
    let is_warm = Path::new(&cache).exists();
    let host = Host {
        clock: Arc::new(move || now),
        variables: BTreeMap::from([("XDG_CACHE_HOME".to_owned(), cache)]),
        folder: folder.to_path_buf(),
        random: Box::new(|| 1),
        program: None,
        out: Output::new(std::io::sink()),
        err: Output::new(std::io::stderr()),
        screen: Screen::Log,
    };
    let words = ["proofline", "report", "--out", "report", "--format", format].map(OsString::from);
    assert_eq!(proofline::cli::run(words, host), Exit::Satisfied, "a report");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak: u64 = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    let index = if is_warm { "with the index" } else { "building the index" };
    println!("report --format {format}, {index}: {:.2} s, peak {:.0} MB", started.elapsed().as_secs_f64(), peak as f64 / 1e3);
}

fn first_night() -> DateTime<Utc> {
    "2026-01-01T02:00:00Z".parse().expect("an instant")
}

fn write_year(folder: &Path, (controls, resources, nights): (u32, u32, u32)) {
    let own = folder.join("own");
    fs::create_dir_all(&own).expect("a folder");
    let text = (0..controls).fold(String::new(), |mut text, number| {
        let _infallible = write!(
            text,
            "[[control]]\nid = \"CTL-{number:03}\"\ntitle = \"Repositories are as control {number} says\"\nowner = \"security\"\nseverity = \"high\"\nsatisfies = [\"soc2:CC8.1\"]\nfrequency = \"daily\"\nwhy = \"It matters.\"\nfix = \"Mend it.\"\n\n[[control.test]]\npopulation = \"{KIND}\"\nrequire = \"repository.archived == false\"\n\n"
        );
        text
    });
    fs::write(own.join("controls.toml"), &text).expect("written");
    fs::write(
        folder.join("proofline.toml"),
        "controls = [\"own\"]\nstore = \"file:evidence\"\n[github]\norganizations = [\"acme\"]\n[remediation]\nhigh = 30\n",
    )
    .expect("written");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder.join("evidence")).expect("a store"));
    let year = Year { controls: (0..controls).map(|number| format!("CTL-{number:03}").parse().expect("an id")).collect(), resources, text };
    for night in 0..nights {
        runtime.block_on(year.night(&store, night));
    }
    let problems = runtime.block_on(async {
        let runs = snapshot::runs(store.as_ref()).await.expect("listed");
        check::run(store.as_ref(), runs.last().expect("a run")).await.expect("checked").problems
    });
    assert_eq!(problems, Vec::new(), "a sound store");
}

struct Year {
    controls: Vec<ControlId>,
    resources: u32,
    text: String,
}

impl Year {
    async fn night(&self, store: &Arc<dyn Store>, night: u32) {
        let at = first_night() + TimeDelta::days(night.into());
        let run: RunId = format!("{}-{night:08x}", at.format("%Y%m%dT%H%M%SZ")).parse().expect("a run");
        let sealed = self.seal(store, (&run, at)).await;
        let (observations, mut counts) = (u64::from(self.resources) * self.controls.len() as u64, vec![Counts::default(); self.controls.len()]);
        let mut packer = Packer::new().expect("a packer");
        for resource in 0..self.resources {
            for (place, control) in self.controls.iter().enumerate() {
                let seen = observed(control, (place as u64, resource), night);
                counts[place].add(seen.verdict);
                serde_json::to_writer(&mut packer, &seen).expect("JSON");
                packer.write_all(b"\n").expect("packed");
            }
        }
        let packed = packer.finish().expect("packed");
        let id = snapshot::evaluation_id(&sealed, TOOL);
        let found = |(control, counts): (&ControlId, Counts)| Finding {
            control: control.clone(),
            status: if counts.fail > 0 { FindingStatus::NotSatisfied } else { FindingStatus::Satisfied },
            counts,
            reasons: if counts.fail > 0 { vec![format!("{} repositories are not as they should be", counts.fail)] } else { Vec::new() },
            waived_by: Vec::new(),
            transient: false,
        };
        let evaluation = Evaluation {
            format: 1,
            run: run.clone(),
            manifest: sealed.digest,
            tool: TOOL.to_owned(),
            findings: self.controls.iter().zip(counts).map(found).collect(),
            populations: vec![self.population()],
            permissions: Vec::new(),
            results: snapshot::results_of(&id, &packed),
            observations,
            id,
        };
        snapshot::put_results(store.as_ref(), &evaluation.id, packed).await.expect("stored");
        snapshot::seal_evaluation(store.as_ref(), evaluation).await.expect("sealed");
    }

    async fn seal(&self, store: &Arc<dyn Store>, (run, at): (&RunId, DateTime<Utc>)) -> Sealed {
        let shelf = Shelf::new(Arc::clone(store), at, Vec::new()).expect("a shelf");
        let mut control_files = vec![ControlFile { path: "own/controls.toml".to_owned(), sha256: shelf.keep(self.text.as_bytes()).await.expect("kept") }];
        for file in shipped::criteria() {
            control_files.push(ControlFile { path: file.path.clone(), sha256: shelf.keep(file.text.as_bytes()).await.expect("kept") });
        }
        let configuration = shelf.keep(b"the configuration").await.expect("kept");
        let mut exchanges = Vec::new();
        for page in 0..self.resources.div_ceil(100) {
            let body = format!("[\"page {page} of {run}\"]");
            exchanges.push(exchange(page, at, shelf.keep(body.as_bytes()).await.expect("kept"), body.len()));
        }
        let digests = exchanges.iter().map(|exchange| exchange.sha256).chain([configuration]).chain(control_files.iter().map(|file| file.sha256));
        let placed = shelf.place(digests).await.expect("placed");
        let (requests, exchanges) = snapshot::put_requests(store.as_ref(), run, exchanges).await.expect("stored");
        let manifest = Manifest {
            format: 1,
            run: run.clone(),
            started_at: at,
            ended_at: at + TimeDelta::minutes(5),
            continues: None,
            trigger: "due".into(),
            tool: TOOL.into(),
            time_zone: "UTC".into(),
            scope: scope(at),
            controls: self.controls.clone(),
            program: None,
            identities: BTreeMap::new(),
            configuration,
            control_files,
            parameters: BTreeMap::new(),
            redaction: None,
            kinds: BTreeMap::from([(KIND.to_owned(), Outcome::Complete)]),
            requests,
            bodies: snapshot::put_bodies(store.as_ref(), run, &placed).await.expect("stored"),
            exchanges: u32::try_from(exchanges.len()).expect("a count"),
            not_modified: 0,
            failed: 0,
            not_run: BTreeMap::new(),
            budget: Budget::of(&exchanges),
        };
        snapshot::seal(store.as_ref(), manifest).await.expect("sealed")
    }

    fn population(&self) -> Population {
        let count = u64::from(self.resources);
        let tally = Tally { tenant: "github.com/acme".into(), count, second_count: Some(count), second_source: "GraphQL totalCount".into() };
        let evidence = (1..=self.resources.div_ceil(100)).collect();
        Population { kind: KIND.into(), definition: "all repositories of acme".into(), tallies: vec![tally], gaps: Vec::new(), evidence, listed_by: Vec::new() }
    }
}

fn scope(at: DateTime<Utc>) -> Scope {
    Scope {
        github_organizations: vec!["acme".into()],
        github_enterprise: None,
        issue_labels: Vec::new(),
        release_workflows: Vec::new(),
        boards: proofline::model::Boards::default(),
        gcp_parents: Vec::new(),
        window: Period::new(at - TimeDelta::days(1), at).expect("a day"),
        as_of: None,
        tasks: None,
    }
}

fn exchange(page: u32, at: DateTime<Utc>, sha256: Digest, bytes: usize) -> Exchange {
    Exchange {
        n: 0,
        operation: "orgs/list-repos".into(),
        subject: "acme".into(),
        asked_by: vec![KIND.into()],
        method: Method::Get,
        url: format!("https://api.github.com/orgs/acme/repos?per_page=100&page={}", page + 1),
        api_version: Some("2022-11-28".into()),
        request_body: None,
        sent_at: at,
        took_ms: 50,
        attempts: 1,
        waited_ms: 0,
        status: Some(200),
        error: None,
        headers: Headers::from(&BTreeMap::new()),
        sha256,
        bytes: bytes as u64,
        redacted: Vec::new(),
        page: None,
        revalidates: None,
    }
}

/// One of a hundred resources fails a control for some weeks, ten times a year.
fn observed(control: &ControlId, (place, resource): (u64, u32), night: u32) -> Observation {
    let spell = u64::from(night / 36);
    let mut noise = (place << 40 | u64::from(resource) << 8 | spell).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    noise ^= noise >> 29;
    let fails = noise.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32 & 1_023 < 10;
    Observation {
        control: control.clone(),
        test: 1,
        kind: KIND.into(),
        resource: format!("github.com/acme/repository-{resource:05}").parse().expect("an id"),
        name: format!("acme/repository-{resource:05}").into(),
        verdict: if fails { Verdict::Fail } else { Verdict::Pass },
        because: (if fails { "it is archived" } else { "" }).into(),
        waiver: None,
        transient: false,
        evidence: [resource / 100 + 1].into(),
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry"));
    entries.map(|entry| if entry.path().is_dir() { bytes_below(&entry.path()) } else { entry.metadata().expect("an object").len() }).sum()
}
