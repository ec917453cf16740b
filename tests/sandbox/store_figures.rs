//! Measures the store: a year of nights, how large it grows, how long a seal takes, and how fast it is checked beside zstd and SHA-256 alone.
//!
//! `cargo run --release --example store_figures [NIGHTS] [REQUESTS]`; by default a year of 17,100 requests a night, which is what 1,000 repositories and 200
//! projects come to where every repository and project is asked for by itself, with 13 kB a body, of which 11 % change a night.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::too_many_arguments,
    reason = "a program for a terminal, which ends where it cannot go on"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use proofline::model::{Body, Budget, Digest, Exchange, Headers, Manifest, Method, Period, Revalidation, RunId, Scope};
use proofline::store::local::LocalStore;
use proofline::store::shelf::Shelf;
use proofline::store::{Store, check, snapshot};

/// Of a thousand bodies, as many change in a night.
const CHANGED: u64 = 110;
/// Mean length of a body.
const BODY: usize = 13_100;

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|argument| argument == "check").is_some() {
        return check_alone(Path::new(&arguments.next().expect("a folder")));
    }
    let nights: u32 = arguments.next().map_or(365, |text| text.parse().expect("a number of nights"));
    let requests: u64 = arguments.next().map_or(17_100, |text| text.parse().expect("a number of requests"));
    let folder = tempfile::tempdir().expect("a folder");
    println!("{nights} nights of {requests} requests, {BODY} bytes a body, {:.0} % change a night", CHANGED as f64 / 10.0);
    write_year(folder.path(), nights, requests);
    // In a process of its own: what writing left in memory is not the checker's.
    let program = std::env::current_exe().expect("this program");
    assert!(Command::new(program).arg("check").arg(folder.path()).status().expect("started").success(), "a sound store");
}

fn write_year(folder: &Path, nights: u32, requests: u64) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store: Arc<dyn Store> = Arc::new(LocalStore::open(folder).expect("a store"));
    let mut world = World { versions: vec![0; usize::try_from(requests).expect("a number")], known: Vec::new(), origins: BTreeMap::new() };
    let mut sealing = Duration::ZERO;
    let mut bodies = BTreeSet::new();
    for night in 0..nights {
        sealing += runtime.block_on(world.night(&store, night));
        bodies.extend(world.known.iter().map(|body| (body.sha256, body.pack.clone(), body.bytes, body.length)));
    }
    let objects = files(folder);
    let bytes: u64 = objects.iter().map(|path| fs::metadata(path).expect("an object").len()).sum();
    let raw: u64 = bodies.iter().map(|body| body.2).sum();
    let packed: u64 = bodies.iter().map(|body| body.3).sum();
    println!(
        "{} objects, {:.2} GB; {} bodies of {:.2} GB, packed {:.1} times smaller",
        objects.len(),
        gb(bytes),
        bodies.len(),
        gb(raw),
        raw as f64 / packed as f64
    );
    println!("sealing a night of {requests} requests after the last answer: {:.0} ms", sealing.as_secs_f64() * 1e3 / f64::from(nights));
}

fn check_alone(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = LocalStore::open(folder).expect("a store");
    let (started, spent) = (Instant::now(), cpu());
    let (checked, problems) = runtime.block_on(verify(&store));
    let (wall, ours) = (started.elapsed(), cpu() - spent);
    assert_eq!(problems, Vec::new(), "a sound store");
    println!("peak memory of checking: {:.0} MB", peak_mb());
    let (all, alone) = bare(folder);
    println!(
        "checked {:.2} GB of bodies and {:.2} GB of records in {:.2} s: {:.2} s of a core, {:.2} GB/s",
        gb(checked),
        gb(all - checked),
        wall.as_secs_f64(),
        ours.as_secs_f64(),
        gb(all) / ours.as_secs_f64()
    );
    println!(
        "zstd and SHA-256 alone on the same frames: {:.2} s of a core, {:.2} GB/s; ratio {:.2}",
        alone.as_secs_f64(),
        gb(all) / alone.as_secs_f64(),
        alone.as_secs_f64() / ours.as_secs_f64()
    );
}

/// What the sources answer tonight, and what the store knows of it.
struct World {
    versions: Vec<u64>,
    known: Vec<Body>,
    origins: BTreeMap<String, (Digest, u64, Revalidation)>,
}

impl World {
    /// One night: bodies arrive, then the run is sealed. Returns how long the seal took.
    async fn night(&mut self, store: &Arc<dyn Store>, night: u32) -> Duration {
        let at: DateTime<Utc> = "2026-01-01T02:00:00Z".parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::days(i64::from(night));
        let run: RunId = format!("{}-{night:08x}", at.format("%Y%m%dT%H%M%SZ")).parse().expect("a run");
        let shelf = Shelf::new(Arc::clone(store), at, std::mem::take(&mut self.known)).expect("a shelf");
        let mut exchanges = Vec::new();
        for resource in 0..self.versions.len() {
            let version = &mut self.versions[resource];
            let before = *version;
            if night > 0 && Noise(u64::from(night) << 32 | resource as u64).next() % 1000 < CHANGED {
                *version += 1;
            }
            let url = format!("https://api.github.com/repositories/{resource}/settings");
            let earlier = self.origins.get(&url).filter(|(digest, _, _)| *version == before && shelf.holds(*digest)).cloned();
            let (sha256, length, unchanged) = match earlier {
                Some((digest, length, origin)) => (digest, length, Some(origin)),
                None => {
                    let text = body(resource as u64, *version);
                    (shelf.keep(text.as_bytes()).await.expect("kept"), text.len() as u64, None)
                }
            };
            let origin = unchanged.clone().unwrap_or(Revalidation { run: run.clone(), n: resource as u32 + 1, received_at: at });
            self.origins.insert(url.clone(), (sha256, length, origin));
            exchanges.push(exchange(resource as u64, url, at, sha256, length, unchanged));
        }
        let started = Instant::now();
        seal(store.as_ref(), &shelf, &run, at, exchanges, &mut self.known).await;
        started.elapsed()
    }
}

async fn seal(store: &dyn Store, shelf: &Shelf, run: &RunId, at: DateTime<Utc>, exchanges: Vec<Exchange>, known: &mut Vec<Body>) {
    let configuration = shelf.keep(b"the configuration").await.expect("kept");
    let placed = shelf.place(exchanges.iter().map(|exchange| exchange.sha256).chain([configuration])).await.expect("placed");
    let (requests, exchanges) = snapshot::put_requests(store, run, exchanges).await.expect("stored");
    let count = |which: fn(&Exchange) -> bool| u32::try_from(exchanges.iter().filter(|exchange| which(exchange)).count()).expect("a count");
    let manifest = Manifest {
        format: 1,
        run: run.clone(),
        started_at: at,
        ended_at: at,
        continues: None,
        trigger: "due".into(),
        tool: "proofline".into(),
        time_zone: "UTC".into(),
        scope: Scope {
            github_organizations: Vec::new(),
            github_enterprise: None,
            issue_labels: Vec::new(),
            release_workflows: Vec::new(),
            boards: proofline::model::Boards::default(),
            gcp_parents: Vec::new(),
            window: Period::new(at - TimeDelta::days(1), at).expect("a day"),
            as_of: None,
            tasks: None,
        },
        controls: Vec::new(),
        program: None,
        identities: BTreeMap::new(),
        configuration,
        control_files: Vec::new(),
        parameters: BTreeMap::new(),
        redaction: None,
        kinds: BTreeMap::new(),
        requests,
        bodies: snapshot::put_bodies(store, run, &placed).await.expect("stored"),
        exchanges: count(|_| true),
        not_modified: count(|exchange| exchange.status == Some(304)),
        failed: count(|exchange| !exchange.is_answer()),
        not_run: std::collections::BTreeMap::new(),
        budget: Budget::of(&exchanges),
    };
    snapshot::seal(store, manifest).await.expect("sealed");
    *known = placed;
}

fn exchange(resource: u64, url: String, at: DateTime<Utc>, sha256: Digest, bytes: u64, revalidates: Option<Revalidation>) -> Exchange {
    let mut noise = Noise(resource ^ at.timestamp().unsigned_abs());
    let headers = [
        ("date", at.to_rfc2822()),
        ("etag", format!("W/\"{sha256}\"")),
        ("x-github-request-id", format!("{:X}:{:X}:{:X}", noise.next() >> 40, noise.next() >> 40, noise.next())),
        ("x-ratelimit-remaining", (5_000 - resource % 5_000).to_string()),
    ];
    Exchange {
        n: 0,
        operation: "repos/get-settings".into(),
        subject: format!("acme/repository-{resource}"),
        asked_by: vec!["github.repository".into()],
        method: Method::Get,
        url,
        api_version: Some("2022-11-28".into()),
        request_body: None,
        sent_at: at + TimeDelta::milliseconds(i64::try_from(resource).expect("a number") * 3),
        took_ms: 40 + noise.next() % 60,
        attempts: 1,
        waited_ms: 0,
        status: Some(if revalidates.is_some() { 304 } else { 200 }),
        error: None,
        headers: Headers::from(&headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        sha256,
        bytes,
        redacted: Vec::new(),
        page: None,
        revalidates,
    }
}

/// JSON as an API writes it: many names, most of them the same everywhere, and numbers, dates and digests that nobody could guess. It packs about as well as
/// recorded answers of GitHub do, which is 6.7 times for bodies of this length.
fn body(resource: u64, version: u64) -> String {
    let mut noise = Noise(resource.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ version);
    let mut text = format!("{{\"id\":{resource},\"version\":{version},\"items\":[");
    while text.len() < BODY - 450 {
        let (a, b, c) = (noise.next(), noise.next(), noise.next());
        let _infallible = write!(
            text,
            "{{\"node_id\":\"{a:016x}\",\"sha\":\"{b:016x}{c:016x}\",\"url\":\"https://api.github.com/repos/acme/repository-{resource}/items/{}\",\"html_url\":\"https://github.com/acme/repository-{resource}/items\",\"events_url\":\"https://api.github.com/repos/acme/repository-{resource}/events{{/privacy}}\",\"type\":\"User\",\"site_admin\":false,\"state\":\"{}\",\"updated_at\":\"2026-{:02}-{:02}T{:02}:{:02}:00Z\",\"size\":{},\"enabled\":{}}},",
            a % 9_999,
            ["open", "closed", "merged"][(b % 3) as usize],
            a % 12 + 1,
            b % 28 + 1,
            c % 24,
            a % 60,
            b % 100_000,
            c % 2 == 0
        );
    }
    text.truncate(text.len() - 1);
    text.push_str("]}");
    text
}

/// xorshift64*.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        let mut x = self.0 | 1;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = x.wrapping_add(0x1234_5678_9ABC_DEF1);
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// Checks the runs of each month, then the packs of that month, one after another, as the verb does.
async fn verify(store: &dyn Store) -> (u64, Vec<check::Problem>) {
    let mut packs: BTreeMap<String, Vec<check::Place>> = BTreeMap::new();
    let mut found = (0, Vec::new());
    let mut month = String::new();
    for run in snapshot::runs(store).await.expect("listed") {
        if month != run.as_str()[..6] {
            month = run.as_str()[..6].to_owned();
            open(store, std::mem::take(&mut packs), &mut found).await;
        }
        let checked = check::run(store, &run).await.expect("read");
        found.1.extend(checked.problems);
        check::gather(&mut packs, checked.packs);
    }
    open(store, packs, &mut found).await;
    found
}

async fn open(store: &dyn Store, packs: BTreeMap<String, Vec<check::Place>>, found: &mut (u64, Vec<check::Problem>)) {
    for (pack, wanted) in packs {
        let checked = check::pack(store, &pack, wanted).await.expect("read");
        found.0 += checked.bytes;
        found.1.extend(checked.problems);
    }
}

/// Reads, unpacks and hashes every frame of the store with nothing around it; says how many bytes that were.
fn bare(folder: &Path) -> (u64, Duration) {
    let mut unpacked = Vec::with_capacity(64 << 20);
    let spent = cpu();
    let mut total = 0;
    for path in files(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "zpack" || extension == "zst")) {
        let bytes = fs::read(path).expect("an object");
        let mut rest = &bytes[..];
        let mut decompressor = zstd::bulk::Decompressor::new().expect("a decompressor");
        while !rest.is_empty() {
            let length = zstd::zstd_safe::find_frame_compressed_size(rest).expect("a frame");
            unpacked.clear();
            decompressor.decompress_to_buffer(&rest[..length], &mut unpacked).expect("unpacked");
            std::hint::black_box(Digest::of(&unpacked));
            total += unpacked.len() as u64;
            rest = &rest[length..];
        }
    }
    (total, cpu() - spent)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut pending = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { pending.push(path) } else { files.push(path) }
        }
    }
    files
}

fn gb(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

/// Time that this process has had on a processor (Linux, proc(5): hundredths of a second), so that what else the machine does counts for neither side.
fn cpu() -> Duration {
    let status = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = status.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |n: usize| fields.get(n).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// Peak resident memory of this process, MB (Linux).
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}
