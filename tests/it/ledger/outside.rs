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
        wait(fill(&LocalStore::open(folder.path().to_owned()).expect("a store")));
        folder
    })
}

async fn fill(store: &LocalStore) {
    let key = key(1);
    let mut log = Log::open(store, &key, ORIGIN).await.expect("opened");
    for n in 0..COUNT {
        log.append(&statement(&n.to_string())).await.expect("appended");
        if SIZES.contains(&(n + 1)) {
            log.integrate().await.expect("integrated");
        }
    }
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

#[test]
fn tlog_scales_makes_the_same_proof_files_and_takes_ours() {
    let (Some(python), Some(program)) = (python(), tool("bin/tlog-tiles")) else { return };
    let (log, folder) = (log(), tempfile::tempdir().expect("a folder"));
    // It looks for the checkpoint beside the tiles.
    let view = folder.path().join("view");
    fs::create_dir(&view).expect("made");
    std::os::unix::fs::symlink(log.path().join("log/tile"), view.join("tile")).expect("linked");
    let signed = fs::read(log.path().join(checkpoint(COUNT))).expect("read");
    fs::write(view.join("checkpoint"), &signed).expect("written");
    let store = LocalStore::open(log.path().to_owned()).expect("a store");
    let note = Note::parse(&signed).expect("a note");
    let (vkey, place) = (vkey(&key(1)).to_string(), view.to_str().expect("a path").to_owned());
    let mut arguments = vec![source("proofs.py").to_str().expect("a path").to_owned(), vkey.clone()];
    for index in [0, 255, 256, 511, 512, 599] {
        let proof = wait(prove::inclusion(&store, index, COUNT, note.clone())).expect("proved").to_bytes();
        let entry = log.path().join(slot(index));
        let theirs = must(folder.path(), &program, &["gen-proof", &place, &index.to_string()]);
        assert_eq!(String::from_utf8(theirs), String::from_utf8(proof.clone()), "{index}");
        assert_eq!(must(folder.path(), &program, &["get-leaf", "--check", &place, &index.to_string()]), fs::read(&entry).expect("read"), "from the bundle");
        fs::write(folder.path().join(format!("{index}.tlog-proof")), &proof).expect("written");
        arguments.extend([format!("{index}.tlog-proof"), entry.to_str().expect("a path").to_owned()]);
    }
    let takes = |arguments: &[String]| run(folder.path(), &python, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let output = takes(&arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "6 proofs\n", "{}", String::from_utf8_lossy(&output.stderr));
    let other = [&arguments[..3], &arguments[5..6]].concat();
    assert!(!takes(&other).status.success(), "another entry");
    let good = fs::read(folder.path().join("0.tlog-proof")).expect("read");
    for at in [40, good.len() / 2, good.len() - 20] {
        let mut changed = good.clone();
        changed[at] ^= 1;
        fs::write(folder.path().join("0.tlog-proof"), &changed).expect("written");
        assert!(!takes(&arguments[..4]).status.success(), "a flipped bit at {at}");
    }
}

/// What securesystemslib says of these entries.
fn enveloped(python: &Path, folder: &Path, keys: &[&KeyFile], entries: std::ops::Range<u64>) -> String {
    let hex = |key: &KeyFile| key.public_key().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let keys: Vec<_> = keys.iter().map(|key| format!("{}={}", vkey(key).id_text(), hex(key))).collect();
    let script = source("envelopes.py");
    let arguments: Vec<String> = [script.to_str().expect("a path").to_owned(), keys.join(",")].into_iter().chain(entries.map(slot)).collect();
    let output = run(folder, python, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
}

#[test]
fn securesystemslib_verifies_every_envelope_and_none_with_another_payload() {
    let Some(python) = python() else { return };
    let log = log();
    assert_eq!(enveloped(&python, log.path(), &[&key(1)], 0..COUNT), "600 verified, 600 refused\n");
    assert!(enveloped(&python, log.path(), &[&key(2)], 0..1).contains("VerificationError"), "another key");
}

/// What an auditor types. In the folder: `note`, `entry` and `log.pub`.
const CHECKPOINT: &str = r#"sed '/^$/,$d' note > text
tail -n 1 note | awk '{print $3}' | base64 -d | tail -c +5 > sig
openssl pkeyutl -verify -pubin -inkey log.pub -rawin -in text -sigfile sig"#;
const ENTRY: &str = r#"T=$(sed 's/.*"payloadType":"\([^"]*\)".*/\1/' entry)
sed 's/.*"payload":"\([^"]*\)".*/\1/' entry | base64 -d > payload
sed 's/.*"sig":"\([^"]*\)".*/\1/' entry | base64 -d > dsig
{ printf 'DSSEv1 %d %s %d ' ${#T} "$T" $(stat -c %s payload); cat payload; } > pae
openssl pkeyutl -verify -pubin -inkey log.pub -rawin -in pae -sigfile dsig"#;

#[test]
fn openssl_and_coreutils_verify_a_checkpoint_and_an_entry() {
    if !openssl() {
        return;
    }
    let (log, folder) = (log(), tempfile::tempdir().expect("a folder"));
    let file = |name: &str| folder.path().join(name);
    fs::copy(log.path().join(checkpoint(COUNT)), file("note")).expect("copied");
    fs::copy(log.path().join(slot(599)), file("entry")).expect("copied");
    fs::write(file("log.pub"), public_pem(&key(1).public_key()).expect("encoded")).expect("written");
    let sh = |script: &str| run(folder.path(), "sh", &["-e", "-c", script]);
    for script in [CHECKPOINT, ENTRY] {
        let output = sh(script);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
    assert!(fs::read_to_string(file("text")).expect("read").starts_with("log.example/acme\n600\n"));
    assert!(fs::read_to_string(file("payload")).expect("read").contains("runs/599/manifest.json"));
    for (name, script) in [("note", CHECKPOINT), ("entry", ENTRY)] {
        let good = fs::read_to_string(file(name)).expect("read");
        // The size in the checkpoint's second line; a letter inside of the payload.
        let changed = if name == "note" { good.replacen("600", "601", 1) } else { good.replacen("payload\":\"eyJ", "payload\":\"eyK", 1) };
        assert_ne!(good, changed);
        replace(&file(name), changed.as_bytes());
        assert!(!sh(script).status.success(), "{name}");
        replace(&file(name), good.as_bytes());
        assert!(sh(script).status.success(), "{name}");
    }
    replace(&file("log.pub"), public_pem(&key(2).public_key()).expect("encoded").as_bytes());
    assert!(!sh(CHECKPOINT).status.success() && !sh(ENTRY).status.success(), "another key");
}

/// Checkpoints of 1 and 3 entries by the old key; entry 3 is the rotation; checkpoints of 4 and 7 by the new one.
fn rotated() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    wait(rotate(&LocalStore::open(folder.path().to_owned()).expect("a store")));
    folder
}

async fn rotate(store: &LocalStore) {
    let (old, new) = (key(1), key(2));
    let mut log = Log::open(store, &old, ORIGIN).await.expect("opened");
    for n in 0..6 {
        if n == 3 {
            assert_eq!(log.rotate(&new).await.expect("rotated"), 3);
            log.integrate().await.expect("integrated");
        }
        log.append(&statement(&n.to_string())).await.expect("appended");
        if [0, 2, 5].contains(&n) {
            log.integrate().await.expect("integrated");
        }
    }
}

#[test]
fn after_a_rotation_go_takes_the_new_key_and_only_it() {
    let sumdb = sumdb();
    let Some((_folder, program)) = sumdb.as_ref() else { return };
    let log = rotated();
    let [old, new] = [1, 2].map(|seed| vkey(&key(seed)).to_string());
    assert_eq!(judged(program, log.path(), &old, &[1, 3]).as_deref(), Some("2 checkpoints, 4 inclusions, 1 consistencies\n"));
    assert_eq!(judged(program, log.path(), &new, &[4, 7]).as_deref(), Some("2 checkpoints, 11 inclusions, 1 consistencies\n"));
    let both = format!("{old},{new}");
    assert_eq!(judged(program, log.path(), &both, &[1, 3, 4, 7]).as_deref(), Some("4 checkpoints, 15 inclusions, 6 consistencies\n"));
    for (keys, size) in [(&old, 4), (&old, 7), (&new, 1), (&new, 3)] {
        assert_eq!(judged(program, log.path(), keys, &[size]), None, "{size}");
    }
}

#[test]
fn after_a_rotation_pythons_judges_take_the_new_key_and_only_it() {
    let (Some(program), Some(python)) = (tool("bin/aics-tlog"), python()) else { return };
    let (log, old, new) = (rotated(), key(1), key(2));
    for (size, signer, other) in [(3, &old, &new), (4, &new, &old), (7, &new, &old)] {
        let takes = |key: &KeyFile| aics(&program, log.path(), &vkey(key), &["verify-checkpoint", "--note", &checkpoint(size)]);
        assert!(takes(signer) && !takes(other), "{size}");
    }
    let grown = ["verify-consistency", "--tiles", "log", "--old-checkpoint", &checkpoint(4), "--checkpoint", &checkpoint(7)];
    assert!(aics(&program, log.path(), &vkey(&new), &grown));
    let envelopes = |keys: &[&KeyFile], entries| enveloped(&python, log.path(), keys, entries);
    assert_eq!(envelopes(&[&old], 0..3), "3 verified, 3 refused\n");
    assert_eq!(envelopes(&[&old, &new], 3..4), "1 verified, 1 refused\n", "the rotation has both signatures");
    assert_eq!(envelopes(&[&new], 4..7), "3 verified, 3 refused\n");
    assert!(envelopes(&[&old], 4..5).contains("VerificationError"));
}
