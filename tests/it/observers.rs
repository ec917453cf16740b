//! Time stamp authorities and witnesses over whole runs: what is asked and kept, what it lifts the level to, and what a rewritten history sets off.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use proofline::attest::timestamp::{self, Query};
use proofline::cli::exit::Exit;
use proofline::model::Digest;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::attest::tsa::{Plan, Tsa, serve, serve_answer};
use crate::attest::witness::Running;
use crate::cli::Bench;
use crate::gcs_store;
use crate::sandbox::gcs::FakeGcs;
use crate::sandbox::site::Site;
use crate::sealed::collect;
use crate::tools::openssl;

const ORIGIN: &str = "acme.example/evidence";

/// A bench whose log is observed as `observers` says, given the log's verifier key; none where a program is missing.
fn bench(general: &str, observers: impl FnOnce(&str) -> Option<String>) -> Option<Bench> {
    let mut bench = Bench::new(general);
    let (exit, made) = bench.json(&["keygen", "--out", "log.pem", "--origin", ORIGIN]);
    assert_eq!(exit, Exit::Satisfied);
    bench.set("PROOFLINE_LOG_KEY_FILE", "log.pem");
    let observers = observers(made["vkey"].as_str().expect("a key"))?;
    fs::write(bench.folder.path().join("proofline.toml"), format!("{general}\n[log]\norigin = \"{ORIGIN}\"\n{observers}")).expect("written");
    Some(bench)
}

/// An authority that answers, and what it believes the time to be.
fn authority(runtime: &Runtime) -> (Arc<Tsa>, String, DateTime<Utc>) {
    let tsa = Arc::new(Tsa::new(Plan::PLAIN));
    let query = Query::new(Digest::of(b"what time is it"), 1);
    let answer = tsa.reply(&query.to_der().expect("a query"), "");
    let now = timestamp::check(timestamp::token(&answer).expect("a token"), query.expected()).expect("sound").at();
    let (address, _seen) = runtime.block_on(serve(Arc::clone(&tsa)));
    (tsa, address, now)
}

fn of_authority(folder: &Path, tsa: &Tsa, url: &str) -> String {
    fs::write(folder.join("roots.pem"), tsa.read("root.pem")).expect("written");
    format!("[[log.authority]]\nname = \"tsa\"\nurl = \"{url}\"\nroots = \"roots.pem\"\n")
}

fn of_witness(witness: &Running) -> String {
    format!("[[log.witness]]\nname = \"auditor\"\nurl = \"{}\"\nvkey = \"{}\"\n", witness.url, witness.vkey)
}

fn levels(found: &Value) -> Vec<&str> {
    found["days"].as_array().expect("days").iter().map(|day| day["level"].as_str().expect("a level")).collect()
}

/// A bucket that was locked long before, with a clock like the bench's.
fn bucket(bench: &Bench, fake: &FakeGcs, locked_for: TimeDelta) {
    fake.bucket().now = bench.now;
    fake.bucket().retention = Some((400 * 86_400, true, bench.now - locked_for));
}

#[test]
fn a_day_reaches_the_level_that_store_and_observers_bear_out() {
    if !openssl() {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let (tsa, url, now) = authority(&runtime);
    let month = TimeDelta::days(30);
    // Asked for time, asked for a cosignature, locked since; the level.
    let cases =
        [(false, false, month, "L2"), (true, false, month, "L3"), (true, true, month, "L4"), (false, true, month, "L2"), (true, true, TimeDelta::zero(), "L1")];
    for (timed, witnessed, locked_for, level) in cases {
        let (site, fake) = (Site::small(), gcs_store::fake());
        let mut witness = None;
        let observers = |vkey: &str| {
            witness = witnessed.then(|| Running::start(ORIGIN, vkey));
            if witness.as_ref().is_some_and(Option::is_none) {
                return None;
            }
            Some(witness.as_ref().and_then(Option::as_ref).map(of_witness).unwrap_or_default())
        };
        let Some(mut bench) = bench(&gcs_store::configuration(&site, &fake), observers) else { return };
        let path = bench.folder.path().join("proofline.toml");
        if timed {
            let more = of_authority(bench.folder.path(), &tsa, &url);
            fs::write(&path, fs::read_to_string(&path).expect("read") + &more).expect("written");
        }
        bench.now = now;
        bucket(&bench, &fake, locked_for);
        let told = collect(&mut bench);
        assert_eq!(told["log"]["observers"].as_array().map(Vec::len), Some(usize::from(timed) + usize::from(witnessed)), "{told:#}");
        let (exit, found) = bench.json(&["verify"]);
        assert_eq!((exit, levels(&found)), (Exit::Satisfied, vec![level]), "{timed} {witnessed}: {found:#}");
    }
}

#[test]
fn a_witness_follows_the_log_and_raises_the_alarm_when_it_is_cut_short() {
    let site = Site::small();
    let mut witness = None;
    let observers = |vkey: &str| {
        witness = Running::start(ORIGIN, vkey);
        witness.as_ref().map(of_witness)
    };
    let Some(mut bench) = bench(&site.configuration(), observers) else { return };
    let first = collect(&mut bench);
    let evidence = bench.folder.path().join("evidence");
    let kept = bench.folder.path().join("kept");
    copy(&evidence, &kept);
    let second = collect(&mut bench);
    for told in [&first, &second] {
        assert_eq!((&told["log"]["observers"][0]["name"], told["log"]["observers"][0]["at"].is_string()), (&json!("auditor"), true), "{told:#}");
    }
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);
    // Everything as after the first night: the log alone cannot tell, the witness can. A night later the log has grown again, and it is another one.
    fs::remove_dir_all(&evidence).expect("removed");
    copy(&kept, &evidence);
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);
    bench.now += TimeDelta::days(1);
    let alarmed = bench.run(&["collect"]);
    assert!(alarmed.exit == Exit::Broken && alarmed.err.contains("ALARM by auditor"), "{}", alarmed.err);
    bench.now += TimeDelta::days(1);
    let larger = bench.run(&["collect"]);
    assert!(larger.exit == Exit::Broken && larger.err.contains("another history"), "{}", larger.err);
}

fn copy(from: &Path, to: &Path) {
    for path in crate::sealed::files(from) {
        let target = to.join(path.strip_prefix(from).expect("below"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("created");
        fs::copy(path, target).expect("copied");
    }
}

#[test]
fn observers_that_do_not_answer_are_asked_again_and_nothing_wrong_is_kept() {
    if !openssl() {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let (tsa, url, _now) = authority(&runtime);
    let down = runtime.block_on(serve_answer(StatusCode::INTERNAL_SERVER_ERROR, &[], "no"));
    let other = Tsa::new(Plan::PLAIN);
    let site = Site::small();
    let Some(mut bench) = bench(&site.configuration(), |_vkey| Some(String::new())) else { return };
    let path = bench.folder.path().join("proofline.toml");
    let general = fs::read_to_string(&path).expect("read");
    let anchors = bench.folder.path().join("evidence/log/anchor");
    // Down; then one that answers, by a root that is not believed; then the right one.
    fs::write(&path, format!("{general}{}", of_authority(bench.folder.path(), &tsa, &down))).expect("written");
    let warned = bench.run(&["collect", "--due"]);
    assert!(warned.exit == Exit::NotSatisfied && warned.err.contains("warning: tsa gave no word"), "{}", warned.err);
    fs::write(&path, format!("{general}{}", of_authority(bench.folder.path(), &other, &url))).expect("written");
    let warned = bench.run(&["collect", "--due"]);
    assert!(warned.exit == Exit::Satisfied && warned.err.contains("warning: tsa gave no word"), "{}", warned.err);
    assert!(!anchors.exists(), "what is not believed is not kept");
    fs::write(&path, format!("{general}{}", of_authority(bench.folder.path(), &tsa, &url))).expect("written");
    let done = bench.run(&["collect", "--due"]);
    assert!(done.exit == Exit::Satisfied && done.err.is_empty(), "nothing is due, and the authority is asked again: {}", done.err);
    let [stamp] = crate::sealed::files(&anchors).try_into().expect("one answer");
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);
    // The pack takes it along, and openssl believes it there.
    assert_eq!(bench.run(&["export", "--out", "pack"]).exit, Exit::Satisfied);
    assert!(crate::export::follow(&bench.folder.path().join("pack")).starts_with("Verification: OK\nTime stamp:"));
    // Changed, it is named.
    let mut bytes = fs::read(&stamp).expect("read");
    let last = bytes.len() - 9;
    bytes[last] ^= 1;
    fs::remove_file(&stamp).expect("removed");
    fs::write(&stamp, bytes).expect("written");
    let (exit, found) = bench.json(&["verify"]);
    assert!(exit == Exit::Broken && found["problems"][0]["object"].as_str().is_some_and(|object| object.ends_with("/tsa.tsr")), "{found:#}");
    // Without the authority in the configuration nobody here can judge it.
    fs::write(&path, general).expect("written");
    let (exit, found) = bench.json(&["verify"]);
    assert_eq!((exit, found["unjudged"].as_array().map(Vec::len)), (Exit::Satisfied, Some(1)));
}

/// What doctor says of the observers: verdict and detail; none where it says nothing.
fn doctored(bench: &mut Bench) -> Option<(String, String)> {
    let (_exit, document) = bench.json(&["doctor"]);
    let checks = document["checks"].as_array().expect("checks");
    let text = |check: &Value, member: &str| check[member].as_str().expect("text").to_owned();
    checks.iter().find(|check| check["id"] == "observers").map(|check| (text(check, "verdict"), text(check, "detail")))
}

#[test]
fn doctor_says_when_each_observer_last_vouched_for_the_log() {
    if !openssl() {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let (tsa, url, _now) = authority(&runtime);
    let down = runtime.block_on(serve_answer(StatusCode::INTERNAL_SERVER_ERROR, &[], "no"));
    let site = Site::small();
    let Some(mut bench) = bench(&site.configuration(), |_vkey| Some(String::new())) else { return };
    let path = bench.folder.path().join("proofline.toml");
    let general = fs::read_to_string(&path).expect("read");
    assert_eq!(doctored(&mut bench), None, "none is configured");
    let with = |observers: String| fs::write(&path, format!("{general}{observers}")).expect("written");
    with(of_authority(bench.folder.path(), &tsa, &url));
    assert_eq!(doctored(&mut bench).expect("a check").0, "undetermined", "nothing is signed yet");
    collect(&mut bench);
    let (verdict, detail) = doctored(&mut bench).expect("a check");
    assert!(verdict == "pass" && detail.starts_with("tsa last vouched for the checkpoint of 3 entries, at 20"), "{detail}");
    // It is down from now on. The nights after that, more is signed than it ever saw.
    with(of_authority(bench.folder.path(), &tsa, &down));
    for (expected, words) in [("undetermined", "not yet for the newest 1"), ("undetermined", "not yet for the newest 2"), ("fail", "for none of the newest 3")]
    {
        collect(&mut bench);
        let (verdict, detail) = doctored(&mut bench).expect("a check");
        assert!(verdict == expected && detail.contains("of 3 entries, at 20") && detail.contains(words), "{verdict} {detail}");
    }
    // Another one beside it, which never answered, and then a root that is not the one that signed.
    with(of_authority(bench.folder.path(), &tsa, &url) + &of_authority(bench.folder.path(), &tsa, &down).replace("\"tsa\"", "\"second\""));
    bench.run(&["collect", "--due"]);
    let (verdict, detail) = doctored(&mut bench).expect("a check");
    assert!(verdict == "fail" && detail.contains(", the newest; second vouched for none of the newest 3"), "{verdict} {detail}");
    with(of_authority(bench.folder.path(), &Tsa::new(Plan::PLAIN), &url));
    let (verdict, detail) = doctored(&mut bench).expect("a check");
    assert!(verdict == "fail" && detail.contains("/tsa.tsr does not verify"), "{verdict} {detail}");
}
