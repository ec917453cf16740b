//! The log held against programs that nobody here wrote: Go's checksum database, aics-tlog, tlog-scales, securesystemslib, OpenSSL and coreutils.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use proofline::ledger::log::Log;
use proofline::ledger::note::{KeyKind, Note, Vkey};
use proofline::ledger::prove;
use proofline::ledger::replay::{checkpoint_object, slot};
use proofline::ledger::signer::{KeyFile, Signer as _, public_pem};
use proofline::store::local::LocalStore;
use tempfile::TempDir;

use super::protocol::{ORIGIN, key, statement};
use crate::tools::{self, must, openssl, python, run, tool};

/// Two full tiles, partial ones beside and above them; before, at and after the edges of tiles.
const SIZES: [u64; 6] = [1, 100, 256, 292, 512, 600];
const COUNT: u64 = 600;
/// What a proof in the tree of 600 goes through.
const LINKS: [&str; 4] = ["log/tile/0/000", "log/tile/0/002.p/88", "log/tile/1/000.p/2", "log/checkpoint/000000000600"];

/// Made by whoever needs it first, shared with whoever needs it meanwhile, and removed with the last of them.
struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    fn get(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut there = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        there.upgrade().unwrap_or_else(|| {
            let made = Arc::new(make());
            *there = Arc::downgrade(&made);
            made
        })
    }
}

static LOG: Shared<TempDir> = Shared::new();
static SUMDB: Shared<Option<(TempDir, PathBuf)>> = Shared::new();

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime").block_on(work)
}

/// A directory with a log of 600 entries.
fn log() -> Arc<TempDir> {
    LOG.get(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, key) = (LocalStore::open(folder.path().to_owned()).expect("a store"), key(1));
        wait(async {
            let mut log = Log::open(&store, &key, ORIGIN).await.expect("opened");
            for n in 0..COUNT {
                log.append(&statement(&n.to_string())).await.expect("appended");
                if SIZES.contains(&(n + 1)) {
                    log.integrate().await.expect("integrated");
                }
            }
        });
        folder
    })
}

fn vkey(key: &KeyFile) -> Vkey {
    Vkey::new(ORIGIN, KeyKind::Ed25519, key.public_key()).expect("a key")
}

/// The same log to be tampered with: everything the same until it is replaced.
fn copy(from: &Path) -> TempDir {
    fn into(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).expect("a folder") {
            let (entry, to) = (entry.expect("an entry").path(), to.to_owned());
            let to = to.join(entry.file_name().expect("a name"));
            if entry.is_dir() {
                fs::create_dir(&to).expect("made");
                into(&entry, &to);
            } else {
                fs::hard_link(&entry, &to).expect("linked");
            }
        }
    }
    let copy = tempfile::tempdir().expect("a folder");
    into(from, copy.path());
    copy
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("removed");
    fs::write(path, bytes).expect("written");
}

/// Copies of the log with one bit flipped at the start, in the middle and at the end of each object.
fn flipped(from: &Path, objects: &[&str], check: impl Fn(&Path, &str)) {
    let copy = copy(from);
    for &object in objects {
        let path = copy.path().join(object);
        let bytes = fs::read(&path).expect("read");
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 7);
            replace(&path, &changed);
            check(copy.path(), &format!("{object} at {at}"));
        }
        replace(&path, &bytes);
    }
}

/// The driver of Go's packages, compiled; none where there is no Go.
fn sumdb() -> Arc<Option<(TempDir, PathBuf)>> {
    SUMDB.get(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let program = tools::go_build(&source("sumdb.go"), folder.path())?;
        Some((folder, program))
    })
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/ledger").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What the driver says of these checkpoints; none where it refuses them. A driver that stumbles is neither.
fn judged(program: &Path, folder: &Path, keys: &str, sizes: &[u64]) -> Option<String> {
    let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
    let arguments: Vec<&str> = [".", keys].into_iter().chain(sizes.iter().map(String::as_str)).collect();
    let output = run(folder, program, &arguments);
    match output.status.code() {
        Some(0) => Some(String::from_utf8(output.stdout).expect("text")),
        Some(1) => None,
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn gos_checksum_database_finds_every_entry_in_every_tree_and_every_tree_in_the_next() {
    let sumdb = sumdb();
    let Some((_folder, program)) = sumdb.as_ref() else { return };
    let (log, vkey) = (log(), vkey(&key(1)).to_string());
    assert_eq!(judged(program, log.path(), &vkey, &SIZES).as_deref(), Some("6 checkpoints, 1761 inclusions, 15 consistencies\n"));
    assert_eq!(judged(program, log.path(), &self::vkey(&key(2)).to_string(), &[600]), None, "another key");
    flipped(log.path(), &LINKS, |folder, what| assert_eq!(judged(program, folder, &vkey, &[600]), None, "{what}"));
    flipped(log.path(), &["log/entry/000000000000", "log/entry/000000000599"], |folder, what| {
        assert_eq!(judged(program, folder, &vkey, &[600]), None, "{what}");
    });
    // The older tree alone: a changed history that its own checkpoint still covers.
    flipped(log.path(), &["log/tile/0/001.p/36"], |folder, what| {
        assert_eq!(judged(program, folder, &vkey, &[292]), None, "{what}");
        assert!(judged(program, folder, &vkey, &[600]).is_some(), "{what} is no part of the tree of 600");
    });
}

fn checkpoint(size: u64) -> String {
    checkpoint_object(size)
}

/// Whether aics-tlog takes it.
fn aics(program: &Path, folder: &Path, key: &Vkey, arguments: &[&str]) -> bool {
    let key = key.to_string();
    run(folder, program, &[arguments, &["--origin", ORIGIN, "--log-key", &key]].concat()).status.success()
}

fn included(program: &Path, folder: &Path, index: u64, leaf: u64) -> bool {
    let (checkpoint, index, leaf) = (checkpoint(COUNT), index.to_string(), slot(leaf));
    let arguments = ["verify-inclusion", "--tiles", "log", "--checkpoint", &checkpoint, "--index", &index, "--leaf", &leaf];
    aics(program, folder, &vkey(&key(1)), &arguments)
}

fn consistent(program: &Path, folder: &Path, old: u64, new: u64) -> bool {
    let arguments = ["verify-consistency", "--tiles", "log", "--old-checkpoint", &checkpoint(old), "--checkpoint", &checkpoint(new)];
    aics(program, folder, &vkey(&key(1)), &arguments)
}

#[test]
fn aics_tlog_takes_checkpoints_inclusion_and_growth() {
    let Some(program) = tool("bin/aics-tlog") else { return };
    let log = log();
    for size in SIZES {
        assert!(aics(&program, log.path(), &vkey(&key(1)), &["verify-checkpoint", "--note", &checkpoint(size)]), "{size}");
    }
    for index in [0, 255, 256, 511, 512, 599] {
        assert!(included(&program, log.path(), index, index), "{index}");
    }
    assert!(!included(&program, log.path(), 7, 8), "another entry");
    for pair in SIZES.windows(2) {
        assert!(consistent(&program, log.path(), pair[0], pair[1]), "{pair:?}");
    }
    assert!(consistent(&program, log.path(), 1, 600));
    assert!(!consistent(&program, log.path(), 600, 292), "a roll-back");
}

#[test]
fn aics_tlog_refuses_a_flipped_bit() {
    let Some(program) = tool("bin/aics-tlog") else { return };
    let log = log();
    flipped(log.path(), &LINKS, |folder, what| assert!(!included(&program, folder, 0, 0), "{what}"));
    flipped(log.path(), &["log/checkpoint/000000000292", "log/tile/1/000.p/2"], |folder, what| assert!(!consistent(&program, folder, 292, 600), "{what}"));
}
