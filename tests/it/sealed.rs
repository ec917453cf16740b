//! Whole nights sealed in a log and verified: what counts, what is found out, and what a reader is told.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use serde_json::Value;

use crate::cli::Bench;
use crate::gcs_store;
use crate::sandbox::gcs::FakeGcs;
use crate::sandbox::gcs::bucket::Outage;
use crate::sandbox::site::Site;

const KEY_FILE: &str = "PROOFLINE_LOG_KEY_FILE";

/// A bench with a key of its own that signs.
pub(crate) fn bench(site: &Site) -> Bench {
    let mut bench = Bench::new(&site.configuration());
    let made = bench.run(&["keygen", "--out", "log.pem", "--origin", "acme.example/evidence"]);
    assert_eq!(made.exit, Exit::Satisfied, "{}", made.err);
    bench.set(KEY_FILE, "log.pem");
    bench
}

pub(crate) fn collect(bench: &mut Bench) -> Value {
    let (_exit, told) = bench.json(&["collect"]);
    assert!(told["log"].is_object(), "{told}");
    bench.now += TimeDelta::days(1);
    told
}

pub(crate) fn files(below: &Path) -> Vec<PathBuf> {
    let mut pending = vec![below.to_path_buf()];
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(path).expect("read").map(|entry| entry.expect("read").path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The objects that `verify` complains about.
fn told(bench: &mut Bench) -> (Exit, BTreeSet<String>) {
    let (exit, found) = bench.json(&["verify"]);
    let objects = found["problems"].as_array().expect("a list").iter().map(|problem| problem["object"].as_str().expect("text").to_owned());
    (exit, objects.collect())
}

#[test]
fn two_nights_are_in_the_log_and_everything_verifies() {
    let site = Site::small();
    let mut bench = bench(&site);
    let first = collect(&mut bench);
    site.night(1);
    let second = collect(&mut bench);
    // The configuration, the run, its evaluation; then the run and its evaluation.
    assert_eq!((&first["log"]["entries"], &second["log"]["entries"]), (&serde_json::json!([0, 1, 2]), &serde_json::json!([3, 4])));
    let (exit, found) = bench.json(&["verify", "--reevaluate"]);
    assert_eq!((exit, &found["verifies"]), (Exit::Satisfied, &Value::Bool(true)), "{found}");
    assert_eq!((&found["log"]["entries"], &found["log"]["size"], &found["reevaluated"]), (&5.into(), &5.into(), &2.into()));
    let levels: Vec<_> = found["days"].as_array().expect("days").iter().map(|day| day["level"].as_str().expect("a level")).collect();
    assert_eq!(levels, ["L1", "L1"]);
    let text = bench.run(&["verify"]);
    assert!(text.out.contains("Everything verifies.") && text.out.contains("L1 signed log"), "{}", text.out);
    // A checkpoint noted down is what the log goes on from.
    fs::write(bench.folder.path().join("noted"), first["log"]["checkpoint"].as_str().expect("text")).expect("written");
    assert_eq!(bench.run(&["verify", "--checkpoint", "noted"]).exit, Exit::Satisfied);
    assert_eq!(bench.run(&["verify", "--run", first["run"].as_str().expect("a name")]).exit, Exit::Satisfied);
}

#[test]
fn one_flipped_bit_in_any_object_is_named() {
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    let root = bench.folder.path().join("evidence");
    for path in files(&root) {
        let name = path.strip_prefix(&root).expect("below").to_str().expect("UTF-8").to_owned();
        let whole = fs::read(&path).expect("read");
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x10;
        replace(&path, &changed);
        let (exit, objects) = told(&mut bench);
        assert_eq!(exit, Exit::Broken, "{name}");
        assert!(objects.contains(&name), "{name}: {objects:?}");
        replace(&path, &whole);
    }
    assert_eq!(told(&mut bench), (Exit::Satisfied, BTreeSet::new()));
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("removed");
    fs::write(path, bytes).expect("written");
}

#[test]
fn an_object_that_was_taken_away_is_named() {
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    let root = bench.folder.path().join("evidence");
    for path in files(&root) {
        let name = path.strip_prefix(&root).expect("below").to_str().expect("UTF-8").to_owned();
        let whole = fs::read(&path).expect("read");
        fs::remove_file(&path).expect("removed");
        let (exit, objects) = told(&mut bench);
        // The only checkpoint without a successor: the log looks as before it was signed, which only a pinned checkpoint tells.
        if !name.starts_with("log/checkpoint/") {
            assert_eq!(exit, Exit::Broken, "{name}");
            assert!(objects.contains(&name), "{name}: {objects:?}");
        }
        fs::write(&path, whole).expect("written");
    }
}

#[test]
fn a_run_that_somebody_put_into_the_store_is_not_evidence() {
    let site = Site::small();
    let mut bench = bench(&site);
    let first = collect(&mut bench);
    let runs = bench.folder.path().join("evidence/runs");
    let (real, forged) = (first["run"].as_str().expect("a name"), "20260309T010000Z-00000bad");
    fs::create_dir(runs.join(forged)).expect("created");
    let manifest = fs::read_to_string(runs.join(real).join("manifest.json")).expect("read").replace(real, forged);
    fs::write(runs.join(forged).join("manifest.json"), manifest).expect("written");
    let (_exit, status) = bench.json(&["status"]);
    assert_eq!(status["runs"], serde_json::json!([real]));
    let (exit, found) = bench.json(&["verify"]);
    assert_eq!((exit, &found["unnamed"]), (Exit::Satisfied, &serde_json::json!([format!("runs/{forged}/manifest.json")])));
    assert_eq!(bench.run(&["evaluate", "--run", forged]).exit, Exit::Usage);
}

#[test]
fn a_manifest_that_was_replaced_stops_every_reader() {
    let site = Site::small();
    let mut bench = bench(&site);
    let first = collect(&mut bench);
    let path = bench.folder.path().join("evidence/runs").join(first["run"].as_str().expect("a name")).join("manifest.json");
    let manifest = fs::read_to_string(&path).expect("read").replace("\"failed\":", "\"failed\":1");
    replace(&path, manifest.as_bytes());
    for words in [&["status"][..], &["report", "--out", "out"], &["collect"], &["verify"]] {
        assert_eq!(bench.run(words).exit, Exit::Broken, "{words:?}");
    }
}

#[test]
fn what_was_collected_before_there_was_a_key_is_entered_when_there_is_one() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let unsigned = bench.run(&["collect"]);
    assert!(unsigned.err.contains("assurance stays at L0"), "{}", unsigned.err);
    let (exit, found) = bench.json(&["verify"]);
    assert_eq!((exit, &found["log"], &found["days"][0]["level"]), (Exit::Satisfied, &Value::Null, &"L0".into()));
    bench.now += TimeDelta::days(1);
    assert_eq!(bench.run(&["keygen", "--out", "log.pem"]).exit, Exit::Satisfied);
    bench.set(KEY_FILE, "log.pem");
    collect(&mut bench);
    let (exit, found) = bench.json(&["verify"]);
    assert_eq!((exit, found["runs"].as_array().map(Vec::len)), (Exit::Satisfied, Some(2)), "{found}");
    // From here on there is no way back to unsigned evidence.
    bench.unset(KEY_FILE);
    let refused = bench.run(&["collect"]);
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.err.contains(KEY_FILE), "{}", refused.err);
}

#[test]
fn a_new_key_takes_over_and_the_old_one_is_refused() {
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    assert_eq!(bench.run(&["keygen", "--out", "new.pem"]).exit, Exit::Satisfied);
    bench.set("PROOFLINE_LOG_NEW_KEY_FILE", "new.pem");
    let rotated = bench.run(&["rotate"]);
    assert_eq!(rotated.exit, Exit::Satisfied, "{}", rotated.err);
    let refused = bench.run(&["collect"]);
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.err.contains("is not the log's key in force"), "{}", refused.err);
    bench.set(KEY_FILE, "new.pem");
    collect(&mut bench);
    let (exit, found) = bench.json(&["verify"]);
    assert_eq!(exit, Exit::Satisfied, "{found}");
    assert_ne!(found["log"]["first_key"], found["log"]["key_in_force"]);
}

/// What doctor says of the log.
fn doctored(bench: &mut Bench) -> (String, String) {
    let (_exit, document) = bench.json(&["doctor"]);
    let log = document["checks"].as_array().expect("checks").iter().find(|check| check["id"] == "log").expect("a check").clone();
    let text = |member: &str| log[member].as_str().expect("text").to_owned();
    (text("verdict"), text("detail"))
}

#[test]
fn with_its_first_key_in_the_configuration_no_other_log_is_taken_for_it() {
    const ORIGIN: &str = "acme.example/evidence";
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let keys = ["log.pem", "other.pem"].map(|file| bench.json(&["keygen", "--out", file, "--origin", ORIGIN]).1["vkey"].as_str().expect("a key").to_owned());
    let path = bench.folder.path().join("proofline.toml");
    let expecting = |vkey: &str| fs::write(&path, format!("{}\n[log]\norigin = \"{ORIGIN}\"\nvkey = \"{vkey}\"\n", site.configuration())).expect("written");
    let [own, other] = keys;
    bench.set(KEY_FILE, "log.pem");
    // No log begins that is not the expected one.
    expecting(&other);
    let refused = bench.run(&["collect"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("would not begin the one that is expected"), "{}", refused.err);
    // Before the first run there is nothing to complain about.
    assert_ne!(bench.run(&["status"]).exit, Exit::Broken);
    // To `verify`, what is expected and missing is no pass.
    assert_eq!(told(&mut bench), (Exit::Broken, BTreeSet::from(["store.json".to_owned()])));
    assert!(site.answered() == 0 && !bench.folder.path().join("evidence/store.json").exists());
    expecting(&own);
    collect(&mut bench);
    bench.now -= TimeDelta::hours(12);
    assert_eq!(told(&mut bench), (Exit::Satisfied, BTreeSet::new()));
    let (verdict, detail) = doctored(&mut bench);
    assert!(verdict == "pass" && detail.contains("its first key is the expected one"), "{detail}");
    // After a rotation it is still the first key that tells.
    assert_eq!(bench.run(&["keygen", "--out", "new.pem"]).exit, Exit::Satisfied);
    bench.set("PROOFLINE_LOG_NEW_KEY_FILE", "new.pem");
    assert_eq!(bench.run(&["rotate"]).exit, Exit::Satisfied);
    assert_eq!(told(&mut bench), (Exit::Satisfied, BTreeSet::new()));
    // Another log: everything in it verifies, and it is not ours.
    expecting(&other);
    assert_eq!(told(&mut bench).0, Exit::Broken);
    assert_eq!(bench.run(&["verify", "--vkey", &own]).exit, Exit::Satisfied, "what is given on the command line wins");
    let (verdict, detail) = doctored(&mut bench);
    assert!(verdict == "fail" && detail.contains("this is another log"), "{detail}");
    bench.set(KEY_FILE, "new.pem");
    let before = site.answered();
    let refused = bench.run(&["collect"]);
    assert!(refused.exit == Exit::Broken && refused.err.contains("refusing to sign"), "{}", refused.err);
    assert_eq!(site.answered(), before);
    for words in [&["report", "--out", "out"][..], &["status"], &["export", "--out", "pack"], &["rotate"]] {
        let refused = bench.run(words);
        assert!(refused.exit == Exit::Broken && refused.err.contains("first key"), "{words:?}: {}", refused.err);
    }
    // Without its name the log is not taken for evidence from before there was one.
    expecting(&own);
    fs::remove_file(bench.folder.path().join("evidence/store.json")).expect("removed");
    for words in [&["report", "--out", "out"][..], &["status"], &["export", "--out", "pack"], &["verify"]] {
        let refused = bench.run(words);
        assert_eq!(refused.exit, Exit::Broken, "{words:?}: {}", refused.err);
    }
}

#[test]
fn a_key_that_cannot_be_used_is_refused_before_anything_is_asked() {
    let site = Site::small();
    let mut bench = bench(&site);
    let path = bench.folder.path().join("log.pem");
    let key = fs::read_to_string(&path).expect("read");
    assert!(key.contains("PRIVATE KEY"));
    assert_eq!(bench.run(&["keygen", "--out", "log.pem"]).exit, Exit::Usage, "a key is never replaced");
    assert_eq!(fs::read_to_string(&path).expect("read"), key);
    bench.set("PROOFLINE_LOG_KEY", "not a key, hush");
    assert_eq!(bench.run(&["collect"]).exit, Exit::Usage, "two keys");
    bench.unset(KEY_FILE);
    let refused = bench.run(&["collect"]);
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.err.contains("PROOFLINE_LOG_KEY") && !refused.err.contains("hush"), "{}", refused.err);
    bench.unset("PROOFLINE_LOG_KEY");
    bench.set(KEY_FILE, "log.pem");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        let refused = bench.run(&["collect"]);
        assert!(refused.exit == Exit::Usage && refused.err.contains("chmod 600"), "{}", refused.err);
    }
    assert_eq!(site.answered(), 0);
}

/// A bench on a strict bucket, with a key.
fn in_a_bucket(site: &Site, fake: &FakeGcs) -> Bench {
    let mut bench = Bench::new(&gcs_store::configuration(site, fake));
    fake.bucket().now = bench.now;
    assert_eq!(bench.run(&["keygen", "--out", "log.pem"]).exit, Exit::Satisfied);
    bench.set(KEY_FILE, "log.pem");
    bench
}

#[test]
fn a_bucket_that_fails_at_any_upload_verifies_and_the_same_command_goes_on() {
    let (site, fake) = (Site::small(), gcs_store::fake());
    let mut bench = in_a_bucket(&site, &fake);
    // Until there is a checkpoint, each start takes in all that the ones before it left.
    collect(&mut bench);
    for after_effect in [false, true] {
        for left in 0.. {
            fake.bucket().now = bench.now;
            fake.bucket().outage = Some(Outage { left, after_effect });
            let done = bench.run(&["collect"]);
            fake.bucket().outage = None;
            let (exit, found) = bench.json(&["verify"]);
            assert_eq!(exit, Exit::Satisfied, "{left} uploads, {after_effect}: {found:#}");
            assert!(left < 40, "it never gets through: {}", done.err);
            if done.exit != Exit::Undetermined {
                break;
            }
            bench.now += TimeDelta::minutes(10);
        }
    }
    bench.now += TimeDelta::hours(1);
    fake.bucket().now = bench.now;
    let (_exit, last) = bench.json(&["collect"]);
    let (exit, found) = bench.json(&["verify", "--reevaluate"]);
    let newest = found["runs"].as_array().and_then(|runs| runs.last()).map(|run| run["run"].clone());
    assert_eq!((exit, newest, &found["log"]["pending"]), (Exit::Satisfied, Some(last["run"].clone()), &serde_json::json!([])), "{found:#}");
}

#[test]
fn what_the_bucket_says_of_objects_is_held_against_the_runs() {
    let (site, fake) = (Site::small(), gcs_store::fake());
    let mut bench = in_a_bucket(&site, &fake);
    collect(&mut bench);
    assert_eq!(told(&mut bench), (Exit::Satisfied, BTreeSet::new()));
    let name = fake.bucket().live.keys().find(|name| name.ends_with("/manifest.json") && name.contains("/runs/")).cloned().expect("a manifest");
    let key = name.trim_start_matches("prod/").to_owned();
    let created = fake.bucket().live[&name].created;
    for (days, metageneration) in [(2, 1), (-1, 1), (0, 2)] {
        let mut bucket = fake.bucket();
        let object = bucket.live.get_mut(&name).expect("there");
        (object.created, object.metageneration) = (created + TimeDelta::days(days), metageneration);
        drop(bucket);
        assert_eq!(told(&mut bench), (Exit::Broken, BTreeSet::from([key.clone()])), "{days} {metageneration}");
    }
}
