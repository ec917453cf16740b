//! Measures the nightly job against the sandbox, beside a bare concurrent client that makes the same requests in the same run.
//!
//! `cargo run --release --example figures [REPOSITORIES] [LATENCY_MS] [few|all] [off|real]`: controls over six kinds or all that are shipped for GitHub, and
//! whether GitHub's limits hold (then a large organisation takes hours). The collector is the real binary in a process of its own.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a program for a terminal, which ends where it cannot go on")]

#[path = "mod.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use proofline::model::{Digest, Exchange, Method, RunId};
use proofline::store::local::LocalStore;
use proofline::store::snapshot;
use proofline::store::spool::Spool;
use sandbox::site::{Limits, Site, Size};
use serde_json::Value;

/// As many requests under way as the collector has by default.
const CONCURRENCY: usize = 16;

struct Night {
    name: &'static str,
    wall: Duration,
    peak_kib: u64,
    document: Value,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |place: usize, other: &str| arguments.get(place).cloned().unwrap_or_else(|| other.to_owned());
    let repositories: usize = argument(0, "2000").parse().expect("a number of repositories");
    let latency = Duration::from_millis(argument(1, "50").parse().expect("milliseconds"));
    let (which, limits) = (argument(2, "few"), argument(3, "off"));
    let folder = tempfile::tempdir().expect("a folder");
    // As many as an organisation of that size has: 500 people, 300 changes a night and 500 tasks where there are 1,000 repositories.
    let share = |of_a_thousand: usize, least: usize| (repositories * of_a_thousand / 1_000).max(least);
    let site =
        Site::sized(Size { repositories, members: share(500, 12).min(2_000), changes: share(300, 6), tasks: share(500, 16).min(500), ..Size::default() });
    site.pace(latency, if limits == "real" { Limits::Real } else { Limits::Off });
    let pace = if limits == "real" { "github_per_minute = 800\nmax_wait_minutes = 240\n" } else { "" };
    fs::write(folder.path().join("proofline.toml"), format!("{}{pace}", site.configuration())).expect("written");
    println!("{repositories} repositories, {latency:?} a request, {CONCURRENCY} at once, {which} controls, limits {limits}\n");
    let binary = collector();
    let few = ["ORG-01", "ORG-02", "REP-02", "VUL-01", "CHG-03", "TSK-02"].map(str::to_owned).to_vec();
    let controls = if which == "all" { of_github(&binary, folder.path()) } else { few };
    for (number, name) in [(0_i64, "first night"), (1, "second night")] {
        site.night(usize::try_from(number).expect("a night"));
        let before = stored_bytes(folder.path());
        let points_before = site.sandbox().points();
        // The collector's clock is this machine's: what was changed in the night is looked for from its day on.
        let since = (Site::first_night() + chrono::TimeDelta::days(number - 1)).date_naive().to_string();
        let night = collect(&binary, folder.path(), name, &controls, &since);
        let points = spent(&points_before, &site.sandbox().points());
        let run: RunId = night.document["run"].as_str().expect("a run").parse().expect("a run");
        let exchanges = exchanges(folder.path(), &run);
        // Under the limits a second client would wait for what the first one used up.
        let bare = if limits == "real" {
            Vec::new()
        } else {
            vec![bare_client(folder.path(), &run, &exchanges, Order::PageAfterPage), bare_client(folder.path(), &run, &exchanges, Order::AllAtOnce)]
        };
        println!("{name}: GraphQL points by query: {}", points.join(", "));
        print_night(&night, &exchanges, repositories, &bare, stored_bytes(folder.path()) - before);
    }
    site.assert_contracts_held();
}

fn spent(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    after.iter().map(|(query, points)| format!("{query} {}", points - before.get(query).unwrap_or(&0))).collect()
}

/// The shipped controls that need GitHub alone.
fn of_github(binary: &Path, folder: &Path) -> Vec<String> {
    let output = Command::new(binary).args(["controls", "list", "--json"]).current_dir(folder).env_clear().output().expect("ran");
    let listed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |control: &Value| control["id"].as_str().map(str::to_owned);
    let of_github = |test: &Value| test["population"].as_str().is_some_and(|kind| kind.starts_with("github."));
    let github = |control: &&Value| control["tests"].as_array().is_some_and(|tests| tests.iter().all(of_github));
    listed.as_array().expect("controls").iter().filter(github).filter_map(text).collect()
}

/// The release binary beside this example.
fn collector() -> PathBuf {
    let examples = std::env::current_exe().expect("this program");
    let binary = examples.parent().and_then(Path::parent).expect("target folder").join("proofline");
    assert!(binary.is_file(), "{} is missing: run `cargo build --release` first", binary.display());
    binary
}

fn collect(binary: &Path, folder: &Path, name: &'static str, controls: &[String], since: &str) -> Night {
    let chosen = controls.iter().flat_map(|id| ["--control", id.as_str()]);
    let started = Instant::now();
    let mut child = Command::new(binary)
        .args(["collect", "--json", "--since", since])
        .args(chosen)
        .current_dir(folder)
        .env_clear()
        .env("GITHUB_TOKEN", Site::TOKEN)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let stdout = child.stdout.take().expect("piped");
    let reading = std::thread::spawn(move || serde_json::from_reader::<_, Value>(stdout));
    let mut peak_kib = 0;
    while child.try_wait().expect("asked").is_none() {
        peak_kib = peak_kib.max(high_water(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    let wall = started.elapsed();
    Night { name, wall, peak_kib, document: reading.join().expect("read").expect("JSON") }
}

/// Peak resident memory of a process, KiB (Linux).
fn high_water(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

fn store(folder: &Path) -> LocalStore {
    LocalStore::open(folder.join("evidence")).expect("a store")
}

#[tokio::main]
async fn exchanges(folder: &Path, run: &RunId) -> Vec<Exchange> {
    let store = store(folder);
    let sealed = snapshot::open(&store, run).await.expect("sealed");
    snapshot::requests(&store, &sealed.manifest).await.expect("requests")
}

/// Makes the same requests without paging, judgement or keeping anything. `order` says whether page k+1 of a listing waits for page k, as it must for whoever
/// has to read the cursor or the link from it; else everything is sent at once, which bounds what latency and concurrency allow a client that knows all cursors.
#[tokio::main]
async fn bare_client(folder: &Path, run: &RunId, exchanges: &[Exchange], order: Order) -> Duration {
    let store = store(folder);
    let sealed = snapshot::open(&store, run).await.expect("sealed");
    let spool = Spool::gather(&store, &snapshot::bodies(&store, &sealed.manifest).await.expect("places")).await.expect("bodies");
    let mut bodies_by_digest: BTreeMap<Digest, bytes::Bytes> = BTreeMap::new();
    for exchange in exchanges {
        if let Some(digest) = exchange.request_body {
            bodies_by_digest.insert(digest, spool.get(digest).expect("the query was kept"));
        }
    }
    let mut chains: BTreeMap<(&str, &str, usize), Vec<&Exchange>> = BTreeMap::new();
    for (number, exchange) in exchanges.iter().enumerate().filter(|(_number, exchange)| exchange.attempts > 0) {
        // A client that follows redirects would carry its credential to where files are stored.
        if exchange.operation.ends_with("attachments/get") {
            continue;
        }
        let link = if order == Order::PageAfterPage && exchange.page.is_some() { usize::MAX } else { number };
        chains.entry((&exchange.operation, &exchange.subject, link)).or_default().push(exchange);
    }
    // The longest first, as any scheduler would.
    let mut chains: Vec<Vec<&Exchange>> = chains.into_values().collect();
    chains.sort_by_key(|chain| std::cmp::Reverse(chain.len()));
    let client = reqwest::Client::builder().build().expect("a client");
    let (client, bodies_by_digest) = (&client, &bodies_by_digest);
    let started = Instant::now();
    let sent = futures::stream::iter(chains).map(|chain| async move {
        for exchange in chain {
            send(client, exchange, exchange.request_body.and_then(|digest| bodies_by_digest.get(&digest).cloned())).await;
        }
    });
    sent.buffer_unordered(CONCURRENCY).for_each(|()| async {}).await;
    started.elapsed()
}

/// In what order the bare client sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    PageAfterPage,
    AllAtOnce,
}

async fn send(client: &reqwest::Client, exchange: &Exchange, body: Option<bytes::Bytes>) -> usize {
    let mut request = match exchange.method {
        Method::Get => client.get(&exchange.url),
        Method::Post => client.post(&exchange.url).header("content-type", "application/json"),
    };
    request = request.bearer_auth(Site::TOKEN).header("user-agent", "bare");
    let known = exchange.headers.get("etag").filter(|_etag| exchange.status == Some(304));
    request = known.into_iter().fold(request, |request, etag| request.header("if-none-match", etag));
    request = body.into_iter().fold(request, reqwest::RequestBuilder::body);
    request.send().await.expect("answered").bytes().await.expect("a body").len()
}

fn stored_bytes(folder: &Path) -> u64 {
    let mut pending = vec![folder.join("evidence")];
    let mut bytes = 0;
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let metadata = entry.metadata().expect("a file");
            if metadata.is_dir() { pending.push(entry.path()) } else { bytes += metadata.len() }
        }
    }
    bytes
}

#[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "figures for people")]
fn print_night(night: &Night, exchanges: &[Exchange], repositories: usize, bare: &[Duration], stored: u64) {
    let sent: Vec<&Exchange> = exchanges.iter().filter(|exchange| exchange.attempts > 0).collect();
    // Attached files lie on GitHub's pages and their stores, which do not count them.
    let (files, rest): (Vec<&Exchange>, Vec<&Exchange>) =
        sent.iter().copied().filter(|exchange| exchange.method == Method::Get).partition(|exchange| exchange.operation.ends_with("attachments/get"));
    let unchanged = rest.iter().filter(|exchange| exchange.status == Some(304)).count();
    let refused = rest.iter().filter(|exchange| !exchange.is_answer()).count();
    let of = |kind: &str| sent.iter().filter(|exchange| exchange.asked_by.iter().any(|asked| asked == kind)).count();
    let changes_only = sent.iter().filter(|exchange| exchange.asked_by.iter().all(|asked| asked == "github.pull_request")).count();
    println!(
        "{}: {} requests, {:.3} a repository, {:.3} without pull requests",
        night.name,
        sent.len(),
        sent.len() as f64 / repositories as f64,
        (sent.len() - changes_only) as f64 / repositories as f64
    );
    for kind in night.document["kinds"].as_object().expect("kinds").keys() {
        println!("    {kind}: {} requests, {:.3} a repository", of(kind), of(kind) as f64 / repositories as f64);
    }
    let points = &night.document["budget"]["limits"]["graphql"]["used"];
    println!(
        "    GraphQL: {} queries, {points} points; {} requests for attached files; REST: {:.3} requests a repository, {:.3} counted (no 304)",
        sent.len() - rest.len() - files.len(),
        files.len(),
        rest.len() as f64 / repositories as f64,
        (rest.len() - unchanged) as f64 / repositories as f64
    );
    println!(
        "    REST: {} requests, {unchanged} answered by 304 ({:.1} % of all, {:.1} % without the {refused} refusals, which carry no ETag)",
        rest.len(),
        100.0 * unchanged as f64 / rest.len().max(1) as f64,
        100.0 * unchanged as f64 / (rest.len() - refused).max(1) as f64
    );
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    rest.iter().filter(|exchange| exchange.status != Some(304)).for_each(|exchange| *counted.entry(&exchange.operation).or_default() += 1);
    let counted: Vec<String> = counted.iter().filter(|(_operation, times)| **times > 9).map(|(operation, times)| format!("{operation} {times}")).collect();
    println!("    REST that counts, by operation: {}", counted.join(", "));
    let wall = night.wall.as_secs_f64();
    println!("    wall {wall:.2} s");
    for (name, bare) in ["page after page", "all at once, cursors known beforehand"].into_iter().zip(bare) {
        println!("    bare client ({name}) {:.2} s; ratio {:.2}", bare.as_secs_f64(), wall / bare.as_secs_f64());
    }
    println!(
        "    peak memory {:.1} MB; stored {:.2} MB; {} observations\n",
        night.peak_kib as f64 / 1024.0,
        stored as f64 / 1e6,
        night.document["observations"]
    );
}
