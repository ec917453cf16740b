//! A witness that nobody here wrote (`aics-witness` from PyPI), and servers that only look like one.
#![cfg(test)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::StatusCode;
use proofline::attest::AttestError;
use proofline::attest::witness::{Outcome, Witness};
use tempfile::TempDir;

use super::log::{Key, checkpoint, consistency, leaves, text};
use super::tsa::serve_answer;
use crate::tools::{must, run, tool};

const PATIENCE: Duration = Duration::from_mins(1);
const ORIGIN: &str = "log.example/acme";

/// A running witness; it ends with the test.
pub(crate) struct Running {
    folder: TempDir,
    child: Child,
    pub(crate) url: String,
    pub(crate) vkey: String,
}

impl Running {
    /// A witness that trusts a log; none where the program is not installed.
    pub(crate) fn start(origin: &str, log: &str) -> Option<Self> {
        let program = tool("bin/aics-witness")?;
        let folder = tempfile::tempdir().unwrap();
        let config = ["--config", "witness.json"];
        let command = |name: &str, more: &[&str]| must(folder.path(), &program, &[&[name], &config[..], more].concat());
        let vkey = String::from_utf8(command("init", &["--name", "witness.example/w1"])).unwrap();
        let vkey = vkey.lines().find(|line| line.starts_with("witness.example/w1+")).unwrap().to_owned();
        command("add-log", &["--origin", origin, "--vkey", log]);
        let mut child = Command::new(&program)
            .args(["serve", "--config", "witness.json", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path())
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says where it listens, and what it says afterwards must have somewhere to go.
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = said.find_map(|line| line.unwrap().split_once("listening on ").map(|(_, rest)| rest.split(' ').next().unwrap().to_owned())).unwrap();
        std::thread::spawn(move || said.for_each(drop));
        Some(Self { folder, child, url, vkey })
    }

    fn client(&self) -> Witness {
        Witness::new(&format!("{}/", self.url), &self.vkey, PATIENCE).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// `aics-tlog` reads a checkpoint with its cosignature.
fn is_cosigned(folder: &Path, note: &str, log: &Key, witness: &str) -> bool {
    std::fs::write(folder.join("note"), note).unwrap();
    let program = tool("bin/aics-tlog").unwrap();
    let keys = ["--log-key", &log.vkey(), "--witness-key", witness, "--quorum", "1"];
    run(folder, program, &[&["verify-checkpoint", "--note", "note", "--origin", ORIGIN], &keys[..]].concat()).status.success()
}

#[tokio::test]
async fn a_witness_cosigns_what_grows_and_nothing_else() {
    let log = Key::of_log(ORIGIN);
    let Some(running) = Running::start(ORIGIN, &log.vkey()) else { return };
    let witness = running.client();
    let all = leaves(7, "honest");
    let mut old = 0;
    for size in [3, 7] {
        let note = checkpoint(&log, &all[..size]);
        let outcome = witness.add_checkpoint(old.try_into().unwrap(), &consistency(&all[..size], old), note.as_bytes()).await.unwrap();
        let Outcome::Cosigned(cosignature) = outcome else { panic!("{outcome:?}") };
        assert_eq!(cosignature.witness, "witness.example/w1");
        let cosigned = format!("{note}{}", cosignature.line);
        assert!(is_cosigned(running.folder.path(), &cosigned, &log, &running.vkey));
        assert!(!is_cosigned(running.folder.path(), &note, &log, &running.vkey), "it takes anything");
        // What is archived verifies later, without the witness.
        assert_eq!(witness.cosigner().verify(note.as_bytes(), cosignature.line.as_bytes()).unwrap(), cosignature);
        old = size;
    }
    let (three, seven) = (checkpoint(&log, &all[..3]), checkpoint(&log, &all));
    // Again from the start, as after a lost state, and a log that was rolled back.
    assert_eq!(witness.add_checkpoint(0, &[], seven.as_bytes()).await.unwrap(), Outcome::Elsewhere { size: 7 });
    assert_eq!(witness.add_checkpoint(3, &[], three.as_bytes()).await.unwrap(), Outcome::Elsewhere { size: 7 });
    assert!(matches!(witness.add_checkpoint(7, &[], three.as_bytes()).await, Err(AttestError::Status { status: 400, .. })));
    // A lost answer: the same again from where it stands.
    assert!(matches!(witness.add_checkpoint(7, &[], seven.as_bytes()).await.unwrap(), Outcome::Cosigned(_)));
    // Forks signed with the right key: as large, and larger, with proofs that are good within the fork.
    let fork = leaves(9, "forked");
    for size in [7, 9] {
        let note = checkpoint(&log, &fork[..size]);
        let outcome = witness.add_checkpoint(7, &consistency(&fork[..size], 7), note.as_bytes()).await.unwrap();
        assert!(matches!(outcome, Outcome::Inconsistent { .. }), "{outcome:?}");
    }
    let evidence = must(running.folder.path(), tool("bin/aics-witness").unwrap(), &["evidence", "--config", "witness.json"]);
    assert!(String::from_utf8(evidence).unwrap().contains(ORIGIN), "the fork is kept as evidence");
}

#[tokio::test]
async fn a_log_that_is_not_configured_and_a_key_that_is_not_trusted_are_told_apart() {
    let log = Key::of_log(ORIGIN);
    let Some(running) = Running::start(ORIGIN, &log.vkey()) else { return };
    let (witness, all) = (running.client(), leaves(2, "x"));
    let elsewhere = checkpoint(&Key::of_log("log.example/other"), &all);
    assert_eq!(witness.add_checkpoint(0, &[], elsewhere.as_bytes()).await.unwrap(), Outcome::LogNotConfigured);
    let stranger = checkpoint(&Key::of_log(ORIGIN), &all);
    assert_eq!(witness.add_checkpoint(0, &[], stranger.as_bytes()).await.unwrap(), Outcome::KeyNotTrusted);
    // The witness is not the one whose key was pinned.
    let other = Witness::new(&running.url, &Key::of_witness("witness.example/w1").vkey(), PATIENCE).unwrap();
    let note = checkpoint(&log, &all);
    assert!(matches!(other.add_checkpoint(0, &[], note.as_bytes()).await, Err(AttestError::NoCosignature(name)) if name == "witness.example/w1"));
}

/// What a server that answers so makes of it.
async fn answered(status: StatusCode, headers: &[(&'static str, &str)], body: impl Into<axum::body::Bytes>, key: &Key) -> Result<Outcome, AttestError> {
    let url = serve_answer(status, headers, body).await;
    Witness::new(&url, &key.vkey(), PATIENCE).unwrap().add_checkpoint(5, &[], note().as_bytes()).await
}

fn note() -> String {
    format!("{}\n— {ORIGIN} AAAAAAA=\n", text(ORIGIN, &leaves(5, "x")))
}

#[tokio::test]
async fn the_size_of_a_conflict_is_read_as_specified() {
    let key = Key::of_witness("w");
    let typed = [("content-type", "text/x.tlog.size")];
    assert_eq!(answered(StatusCode::CONFLICT, &typed, "12\n", &key).await.unwrap(), Outcome::Elsewhere { size: 12 });
    assert_eq!(answered(StatusCode::CONFLICT, &typed, "0\n", &key).await.unwrap(), Outcome::Elsewhere { size: 0 });
    // Version 1.0: the old size was right, so the root was not.
    assert!(matches!(answered(StatusCode::CONFLICT, &typed, "5\n", &key).await.unwrap(), Outcome::Inconsistent { .. }));
    for body in ["", "\n", "12", "012\n", "+12\n", "12\n\n", "many\n", "99999999999999999999\n"] {
        assert!(matches!(answered(StatusCode::CONFLICT, &typed, body, &key).await, Err(AttestError::Malformed { .. })), "{body:?}");
    }
    assert!(matches!(answered(StatusCode::CONFLICT, &[("content-type", "text/plain")], "12\n", &key).await, Err(AttestError::Malformed { .. })));
}

#[tokio::test]
async fn only_a_cosignature_of_this_checkpoint_by_this_key_is_taken() {
    let (key, other) = (Key::of_witness("w"), Key::of_witness("w"));
    let text = text(ORIGIN, &leaves(5, "x"));
    let good = key.cosign(&text, 1_767_225_600);
    // Lines by others are passed over.
    let among = format!("{}{good}", other.cosign(&text, 1));
    let Outcome::Cosigned(cosignature) = answered(StatusCode::OK, &[], among, &key).await.unwrap() else { panic!("not cosigned") };
    assert_eq!((cosignature.at.to_rfc3339(), cosignature.line), ("2026-01-01T00:00:00+00:00".to_owned(), good.clone()));
    let refusals = [
        (key.cosign("another\n5\nAAAA\n", 1_767_225_600), "the signature of w does not verify"),
        (key.line(&format!("cosignature/v1\ntime 1767225600\n{text}"), &1_767_225_601_u64.to_be_bytes()), "the signature of w does not verify"),
        (key.line(&text, &[]), "the cosignature cannot be read"),
        (key.cosign(&text, u64::MAX), "its time is out of range"),
        (other.cosign(&text, 1_767_225_600), "there is no cosignature of w"),
        (String::new(), "it does not end in a newline"),
        (good.trim_end().to_owned(), "it does not end in a newline"),
        ("thanks\n".to_owned(), "a signature line is not — name base64"),
        ("— w !!\n".to_owned(), "a signature line is not — name base64"),
        ("— w AAAA\n".to_owned(), "a signature line is not — name base64"),
    ];
    for (body, why) in refusals {
        let error = answered(StatusCode::OK, &[], body.clone(), &key).await.unwrap_err().to_string();
        assert!(error.contains(why), "{body:?}: {error}");
    }
    let moved = answered(StatusCode::TEMPORARY_REDIRECT, &[("location", "/")], "", &key).await;
    assert!(matches!(moved, Err(AttestError::Status { status: 307, .. })));
}

#[test]
fn keys_of_witnesses_are_read_with_care() {
    let (witness, log) = (Key::of_witness("w"), Key::of_log("w"));
    Witness::new("https://witness.example/prefix", &witness.vkey(), PATIENCE).unwrap();
    // The neutral element: every signature of zeros would do.
    let weak = "BAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let weak_id = super::log::id_of("w", weak);
    let vkey = witness.vkey();
    let mut parts = vkey.split('+');
    let (_, id, rest) = (parts.next(), parts.next().unwrap(), parts.collect::<Vec<_>>().join("+"));
    let cases = [
        (log.vkey(), "not an Ed25519 key that cosigns"),
        (format!("w+{weak_id}+{weak}"), "a weak key"),
        (format!("v+{id}+{rest}"), "the key id is not the key's"),
        (format!("w w+{id}+{rest}"), "has a space"),
        (format!("+{id}+{rest}"), "is empty"),
        (format!("w+{id}"), "it is not name+id+key"),
        (format!("w+{id}+{rest}A"), "not base64"),
        (String::new(), "it is not name+id+key"),
    ];
    for (wrong, why) in cases {
        let error = Witness::new("https://witness.example", &wrong, PATIENCE).unwrap_err();
        assert!(matches!(error, AttestError::Setting { .. }) && error.to_string().contains(why), "{wrong}: {error}");
    }
}

#[tokio::test]
async fn a_proof_that_is_too_long_is_not_sent() {
    let witness = Witness::new("http://127.0.0.1:1", &Key::of_witness("w").vkey(), PATIENCE).unwrap();
    assert!(matches!(witness.add_checkpoint(1, &[[0; 32]; 64], note().as_bytes()).await, Err(AttestError::Malformed { .. })));
}
