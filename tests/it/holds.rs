//! Holds and tombstones: what the log says of them, what a bucket does with them, and who may not.
#![cfg(test)]

use chrono::TimeDelta;
use proofline::cli::exit::Exit;

use crate::cli::Bench;
use crate::gcs_store::{configuration, fake};
use crate::sandbox::site::Site;
use crate::sealed::{bench, collect};

#[test]
fn a_hold_is_an_entry_and_holds_every_object_that_the_run_needs() {
    let (site, fake) = (Site::small(), fake());
    let mut bench = Bench::new(&configuration(&site, &fake));
    fake.bucket().now = bench.now;
    assert_eq!(bench.run(&["keygen", "--out", "log.pem"]).exit, Exit::Satisfied);
    bench.set("PROOFLINE_LOG_KEY_FILE", "log.pem");
    let run = collect(&mut bench)["run"].as_str().expect("a name").to_owned();
    fake.bucket().now = bench.now;
    let words = ["hold", "--run", &run, "--reason", "litigation 4711"];
    // Whoever collects cannot hold: the entry is there, and the objects are not held.
    let refused = bench.run(&words);
    assert!(refused.exit == Exit::Undetermined && refused.err.contains("storage.objects.update"), "{}", refused.err);
    fake.bucket().permissions.insert("storage.objects.update".to_owned());
    bench.now += TimeDelta::hours(1);
    let held = bench.run(&words);
    assert_eq!(held.exit, Exit::Satisfied, "{}", held.err);
    let loose =
        |fake: &crate::sandbox::gcs::FakeGcs| fake.bucket().live.values().filter(|object| !object.held).map(|object| object.name.clone()).collect::<Vec<_>>();
    // What came after the hold: its own entry, and the tiles and the checkpoint over it.
    assert!(loose(&fake).iter().all(|name| name.contains("/log/")), "{:?}", loose(&fake));
    let (exit, found) = bench.json(&["verify"]);
    assert_eq!((exit, &found["log"]["held"]), (Exit::Satisfied, &serde_json::json!([{"run": run, "reason": "litigation 4711"}])), "{found:#}");
    assert!(bench.run(&["verify"]).out.contains("litigation 4711"));
    assert_eq!(bench.run(&["release", "--run", &run, "--reason", "settled"]).exit, Exit::Satisfied);
    assert!(fake.bucket().live.values().filter(|object| !object.name.contains("/log/")).all(|object| !object.held));
    assert_eq!(bench.json(&["verify"]).1["log"]["held"], serde_json::json!([]));
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[test]
fn an_erasure_is_an_entry_and_needs_a_log() {
    let site = Site::small();
    let mut unsigned = Bench::new(&site.configuration());
    let words = ["erase", "--epoch", "2026", "--reason", "request of a data subject"];
    let refused = unsigned.run(&words);
    assert!(refused.exit == Exit::Usage && refused.err.contains("keygen"), "{}", refused.err);
    let mut bench = bench(&site);
    collect(&mut bench);
    assert_eq!(bench.json(&words).1["entry"], 3);
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);
    assert_eq!(bench.run(&["hold", "--run", "20260101T000000Z-00000000", "--reason", "x"]).exit, Exit::Usage, "no such run");
}
