//! The real binary, killed with SIGKILL again and again: the store verifies after every death, and the same command cures it.
#![cfg(test)]

use std::process::{Child, Command, Stdio};

use proofline::cli::exit::Exit;

use crate::cli::Bench;
use crate::sandbox::site::Site;
use crate::sealed::{bench, files};

fn start(bench: &Bench, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_proofline"))
        .args(words)
        .current_dir(bench.folder.path())
        .env_clear()
        .env("GITHUB_TOKEN", Site::TOKEN)
        .env("PROOFLINE_LOG_KEY_FILE", "log.pem")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

/// Kills the program as soon as `reached` says so. False where it ended before.
fn kill_when(mut child: Child, reached: impl Fn() -> bool) -> bool {
    loop {
        if child.try_wait().expect("waited").is_some() {
            return false;
        }
        if reached() {
            // SIGKILL: nothing of the program runs any more.
            child.kill().expect("killed");
            child.wait().expect("waited");
            return true;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_is_killed_anywhere_leaves_a_store_that_verifies() {
    let site = Site::small();
    let mut bench = bench(&site);
    let evidence = bench.folder.path().join("evidence");
    let stored = || if evidence.exists() { files(&evidence).len() } else { 0 };
    let mut deaths = 0;
    // While answers come, then after each object of a night: packs, records, manifest, evaluation, entries, tiles, checkpoint.
    let answers = [1, 20, 40].map(|more| (more, usize::MAX));
    let objects = (1..=20).map(|more| (usize::MAX, more));
    for (answered, objects) in answers.into_iter().chain(objects) {
        let (asked_before, stored_before) = (site.answered(), stored());
        let reached = || site.answered().saturating_sub(asked_before) >= answered || stored().saturating_sub(stored_before) >= objects;
        deaths += usize::from(kill_when(start(&bench, &["collect"]), reached));
        let (exit, found) = bench.json(&["verify"]);
        assert_eq!(exit, Exit::Satisfied, "{answered} answers, {objects} objects: {found:#}");
    }
    assert!(deaths >= 10, "{deaths} deaths only");
    let done = start(&bench, &["collect"]).wait().expect("ended");
    assert!(done.code().is_some_and(|code| code == 0 || code == 1), "{done:?}");
    let (exit, found) = bench.json(&["verify", "--reevaluate"]);
    assert_eq!((exit, &found["log"]["pending"], &found["log"]["foreign"]), (Exit::Satisfied, &serde_json::json!([]), &serde_json::json!([])), "{found:#}");
    assert!(found["runs"].as_array().is_some_and(|runs| !runs.is_empty()));
}

#[test]
fn shards_and_overlapping_runs_that_race_are_all_in_the_log() {
    let site = Site::small();
    let mut bench = bench(&site);
    let shards = ["1/3", "2/3", "3/3"].map(|shard| start(&bench, &["collect", "--shard", shard]));
    let overlapping = [start(&bench, &["collect"]), start(&bench, &["collect", "--control", "REP-02"])];
    for mut child in shards.into_iter().chain(overlapping) {
        let done = child.wait().expect("ended");
        assert!(done.code().is_some_and(|code| code == 0 || code == 1), "{done:?}");
    }
    let (exit, found) = bench.json(&["verify", "--reevaluate"]);
    assert_eq!((exit, &found["log"]["pending"], &found["log"]["foreign"]), (Exit::Satisfied, &serde_json::json!([]), &serde_json::json!([])), "{found:#}");
    // One configuration entry or more, a run and an evaluation each.
    assert_eq!((found["runs"].as_array().map(Vec::len), &found["reevaluated"]), (Some(5), &5.into()), "{found:#}");
    let runs = files(&bench.folder.path().join("evidence/runs")).into_iter().filter(|path| path.ends_with("manifest.json"));
    let mut judged: Vec<Vec<String>> = Vec::new();
    for path in runs {
        let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("read")).expect("JSON");
        judged.push(manifest["controls"].as_array().expect("controls").iter().map(|id| id.as_str().expect("text").to_owned()).collect());
    }
    // The shards share the controls out, each once; the overlapping runs have all of them and one.
    judged.sort_by_key(Vec::len);
    let all = judged.pop().expect("the whole run");
    let one = judged.remove(0);
    let mut shared: Vec<String> = judged.concat();
    shared.sort();
    assert_eq!((shared, one), (all, vec!["REP-02".to_owned()]));
}
