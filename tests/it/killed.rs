//! The real binary, killed with SIGKILL again and again: the store verifies after every death, and the same command cures it.
#![cfg(test)]

use std::process::{Child, Command, Stdio};

use proofline::cli::exit::Exit;

use crate::cli::Bench;
use crate::sandbox::site::Site;
use crate::sealed::{bench, files};

fn start(bench: &Bench) -> Child {
    Command::new(env!("CARGO_BIN_EXE_proofline"))
        .arg("collect")
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
        deaths += usize::from(kill_when(start(&bench), reached));
        let (exit, found) = bench.json(&["verify"]);
        assert_eq!(exit, Exit::Satisfied, "{answered} answers, {objects} objects: {found:#}");
    }
    assert!(deaths >= 10, "{deaths} deaths only");
    let done = start(&bench).wait().expect("ended");
    assert!(done.code().is_some_and(|code| code == 0 || code == 1), "{done:?}");
    let (exit, found) = bench.json(&["verify", "--reevaluate"]);
    assert_eq!((exit, &found["log"]["pending"], &found["log"]["foreign"]), (Exit::Satisfied, &serde_json::json!([]), &serde_json::json!([])), "{found:#}");
    assert!(found["runs"].as_array().is_some_and(|runs| !runs.is_empty()));
}
