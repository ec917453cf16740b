//! Measures the nightly job against the sandbox, beside a bare concurrent client that makes the same requests in the same run.
//!
//! `cargo run --release --example figures [REPOSITORIES] [LATENCY_MS] [few|all|google|google-direct|google-large|google-refused] [off|real] [NIGHTS]`: controls over six kinds or all that are
//! shipped for GitHub, or all for Google Cloud with as many projects, through Cloud Asset Inventory, where that is switched off, with some 250 assets in a project, or where one project in twenty refuses everything; and whether GitHub's limits hold (then a large organisation takes hours). Each night is `proofline collect --due` in a process of its own, whose clock tells the
//! night. The first is a Monday, on which what is weekly and names no weekday is due too; nine of them show a whole week and the same two days of the next. No contract is checked here: the tests do that.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a program for a terminal, which ends where it cannot go on")]

#[path = "mod.rs"]
mod sandbox;
#[path = "figures_table.rs"]
mod table;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use proofline::cli::host::{Host, Output, Screen};
use proofline::model::{Digest, Exchange, Method, RunId};
use proofline::store::local::LocalStore;
use proofline::store::snapshot;
use proofline::store::spool::Spool;
use sandbox::behaviour::Behaviour;
use sandbox::site::{Limits, Site, Size};
use sandbox::world::google::Inventory;
use sandbox::world::{Plan, World};
use serde_json::Value;
use table::Night;

/// As many requests under way as the collector has by default.
const CONCURRENCY: usize = 16;
/// One control over each of six kinds.
const FEW: [&str; 6] = ["ORG-01", "ORG-02", "REP-02", "VUL-01", "CHG-03", "TSK-02"];
/// How often a large project holds what others hold once.
const LARGE: usize = 18;
/// The first argument of the process that collects.
const COLLECT: &str = "--collect";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, folder, now] = arguments.as_slice()
        && first == COLLECT
    {
        return collector(Path::new(folder), now.parse().expect("an instant"));
    }
    measure(&arguments);
    ExitCode::SUCCESS
}

/// What `main.rs` does, at another time.
fn collector(folder: &Path, now: DateTime<Utc>) -> ExitCode {
    let started = Instant::now();
    let host = Host {
        clock: Arc::new(move || now + started.elapsed()),
        variables: BTreeMap::from([("GITHUB_TOKEN".to_owned(), Site::TOKEN.to_owned())]),
        folder: folder.to_path_buf(),
        random: Box::new(rand::random),
        program: None,
        out: Output::new(std::io::stdout()),
        err: Output::new(std::io::stderr()),
        screen: Screen::Log,
    };
    ExitCode::from(proofline::cli::run(["proofline", "collect", "--due", "--json"].map(OsString::from), host).code())
}

fn measure(arguments: &[String]) {
    let argument = |place: usize, other: &str| arguments.get(place).cloned().unwrap_or_else(|| other.to_owned());
    let repositories: usize = argument(0, "2000").parse().expect("a number of repositories");
    let latency = Duration::from_millis(argument(1, "50").parse().expect("milliseconds"));
    let (which, limits) = (argument(2, "few"), argument(3, "off"));
    let folder = tempfile::tempdir().expect("a folder");
    // As many as an organisation of that size has: 500 people, 300 changes a night and 500 tasks where there are 1,000 repositories.
    let share = |of_a_thousand: usize, least: usize| (repositories * of_a_thousand / 1_000).max(least);
    let started = Instant::now();
    let of_google = which.starts_with("google");
    let size = if of_google {
        Size { repositories: 1, members: 1, changes: 1, tasks: 1, projects: repositories }
    } else {
        Size { repositories, members: share(500, 12).min(2_000), changes: share(300, 6), tasks: share(500, 16).min(500), ..Size::default() }
    };
    let site = Site::sized(size);
    site.pace(latency, if limits == "real" { Limits::Real } else { Limits::Off });
    vary(&site, &which, latency);
    let pace = if limits == "real" { "github_per_minute = 800\nmax_wait_minutes = 240\n" } else { "" };
    fs::write(folder.path().join("proofline.toml"), format!("controls = [\"controls\"]\n{}{pace}", site.configuration())).expect("written");
    let few = (which == "few").then_some(&FEW[..]);
    let controls = choose(&folder.path().join("controls"), few, if of_google { "gcp." } else { "github." });
    if of_google {
        println!("{} assets", site.sandbox().world().google.projects.iter().map(|project| project.assets.len()).sum::<usize>());
    }
    println!(
        "{repositories} {}, {latency:?} a request, {CONCURRENCY} at once, {controls} controls, limits {limits}\n",
        if of_google { "projects" } else { "repositories" }
    );
    let nights: usize = argument(4, "2").parse().expect("a number of nights");
    for number in 0..nights {
        site.night(number);
        site.sandbox().refill();
        let before = stored_bytes(folder.path());
        let points_before = site.sandbox().points();
        // The sandbox tells when its limits end by the night and the time since it began.
        let now = Site::first_night() + TimeDelta::days(i64::try_from(number).expect("a night")) + started.elapsed();
        let (wall, peak_kib, document) = collect(folder.path(), now);
        let points = spent(&points_before, &site.sandbox().points());
        let run: RunId = document["run"].as_str().expect("a run").parse().expect("a run");
        let (exchanges, bodies) = stored(folder.path(), &run);
        // Under the limits a second client would wait for what the first one used up.
        let orders = if limits == "real" { &[][..] } else { &[Order::PageAfterPage, Order::AllAtOnce] };
        let bare = orders.iter().map(|order| bare_client(&exchanges, &bodies, *order)).collect();
        let night = Night {
            name: format!("night {}, {}", number + 1, now.format("%A")),
            wall,
            peak_kib,
            stored: stored_bytes(folder.path()) - before,
            document,
            exchanges,
            bodies,
            points,
            bare,
        };
        night.print(repositories);
    }
    site.assert_contracts_held();
}

/// What is special about one of the worlds of Google Cloud.
fn vary(site: &Site, which: &str, latency: Duration) {
    let plan = site.sandbox().world().plan.clone();
    match which {
        "google-direct" => site.sandbox().serve_world(World::new(Plan { inventory: Inventory::Off, ..plan })),
        "google-large" => site.sandbox().serve_world(World::new(Plan { density: LARGE, ..plan })),
        "google-refused" => {
            let refused = site.refuse_one_in(20, Behaviour { latency, limit: u64::from(u32::MAX), ..Behaviour::default() });
            println!("{} projects refuse everything", refused.len());
        }
        _ => {}
    }
}

fn spent(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    after.iter().map(|(query, points)| (query.clone(), points - before.get(query).unwrap_or(&0))).collect()
}

/// Writes the shipped controls that need one source alone, a few or else all of them; how many there are.
fn choose(folder: &Path, few: Option<&[&str]>, source: &str) -> usize {
    fs::create_dir_all(folder).expect("a folder");
    let of_source = |control: &toml::Value| {
        let tests = control["test"].as_array().expect("tests");
        tests.iter().all(|test| test["population"].as_str().is_some_and(|kind| kind.starts_with(source)))
    };
    let mut count = 0;
    for file in proofline::catalog::shipped::files().into_iter().filter(|file| !file.path.contains("criteria/")) {
        let parsed: toml::Table = file.text.parse().expect("TOML");
        let controls = parsed["control"].as_array().expect("controls").iter().filter(|control| of_source(control));
        let chosen: Vec<toml::Value> =
            controls.filter(|control| few.is_none_or(|few| few.iter().any(|id| control["id"].as_str() == Some(id)))).cloned().collect();
        if chosen.is_empty() {
            continue;
        }
        count += chosen.len();
        let name = Path::new(&file.path).file_name().expect("a name");
        fs::write(folder.join(name), toml::Table::from_iter([("control".to_owned(), toml::Value::Array(chosen))]).to_string()).expect("written");
    }
    count
}

/// Runs the job; how long it took, the most memory it held, and what it printed.
fn collect(folder: &Path, now: DateTime<Utc>) -> (Duration, u64, Value) {
    let started = Instant::now();
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([OsString::from(COLLECT), folder.into(), now.to_rfc3339().into()])
        .env_clear()
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
    (started.elapsed(), peak_kib, reading.join().expect("read").expect("JSON"))
}

/// Peak resident memory of a process, KiB (Linux).
fn high_water(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The exchanges of a run, and the queries that were sent.
#[tokio::main]
async fn stored(folder: &Path, run: &RunId) -> (Vec<Exchange>, BTreeMap<Digest, bytes::Bytes>) {
    let store = LocalStore::open(folder.join("evidence")).expect("a store");
    let sealed = snapshot::open(&store, run).await.expect("sealed");
    let exchanges = snapshot::requests(&store, &sealed.manifest).await.expect("requests");
    let spool = Spool::gather(&store, &snapshot::bodies(&store, &sealed.manifest).await.expect("places")).await.expect("bodies");
    let sent = exchanges.iter().filter_map(|exchange| exchange.request_body);
    let bodies = sent.map(|digest| (digest, spool.get(digest).expect("the query was kept"))).collect();
    (exchanges, bodies)
}

/// Makes the same requests without paging, judgement or keeping anything. `order` says whether page k+1 of a listing waits for page k, as it must for whoever
/// has to read the cursor or the link from it; else everything is sent at once, which bounds what latency and concurrency allow a client that knows all cursors.
#[tokio::main]
async fn bare_client(exchanges: &[Exchange], bodies: &BTreeMap<Digest, bytes::Bytes>, order: Order) -> Duration {
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
    let client = &client;
    let started = Instant::now();
    let sent = futures::stream::iter(chains).map(|chain| async move {
        for exchange in chain {
            send(client, exchange, exchange.request_body.and_then(|digest| bodies.get(&digest).cloned())).await;
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
