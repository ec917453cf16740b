//! Appending over several tiles, through rotations and beside junk; nothing is signed on top of a log that was changed. Crashes and races are in `soak`.
#![cfg(test)]

use bytes::Bytes;
use proofline::ledger::LedgerError;
use proofline::ledger::envelope::Envelope;
use proofline::ledger::keys;
use proofline::ledger::log::Log;
use proofline::ledger::note::{KeyKind, Vkey};
use proofline::ledger::replay::{checkpoint_object, slot};
use proofline::ledger::signer::{KeyFile, Signer as _};
use proofline::ledger::statement::{Kind, Statement, Subject};
use proofline::ledger::verify::{self, Pins, Verified};
use proofline::model::Digest;
use proofline::store::Store;
use proofline::store::memory::MemoryStore;
use serde_json::Map;

use super::soak::night;

pub(super) const ORIGIN: &str = "log.example/acme";

pub(super) fn key(seed: u8) -> KeyFile {
    KeyFile::from_seed(&[seed; 32])
}

pub(super) fn statement(name: &str) -> Statement {
    Statement::new(Kind::Run, vec![Subject::new(format!("runs/{name}/manifest.json"), Digest::of(name.as_bytes()))], Map::new()).expect("a statement")
}

/// A log of `count` entries with a checkpoint after each `every`.
pub(super) async fn filled(store: &dyn Store, count: u64, every: u64) {
    let key = key(1);
    let mut log = Log::open(store, &key, ORIGIN).await.expect("opened");
    for n in 0..count {
        log.append(&statement(&n.to_string())).await.expect("appended");
        if (n + 1) % every == 0 {
            log.integrate().await.expect("integrated");
        }
    }
    log.integrate().await.expect("integrated");
}

pub(super) async fn verified(store: &dyn Store) -> Verified {
    verify::log(store, &Pins::default()).await.expect("read")
}

#[tokio::test]
async fn a_log_of_several_tiles_verifies_and_goes_on() {
    let store = MemoryStore::default();
    filled(&store, 600, 100).await;
    let found = verified(&store).await;
    assert_eq!((found.problems.len(), found.strays.len(), found.entries.len(), found.size()), (0, 0, 600, 600), "{:?}", found.problems);
    assert_eq!(found.checkpoints.keys().copied().collect::<Vec<_>>(), [100, 200, 300, 400, 500, 600]);
    let (key, again) = (key(1), statement("17"));
    let mut log = Log::open(&store, &key, ORIGIN).await.expect("opened");
    assert_eq!(log.append(&again).await.expect("there already"), 17);
    assert_eq!(log.append(&statement("new")).await.expect("appended"), 600);
    assert_eq!(log.integrate().await.expect("integrated").expect("a checkpoint").size, 601);
    assert_eq!(verified(&store).await.problems, []);
}

#[tokio::test]
async fn after_a_rotation_only_the_new_key_signs() {
    let store = MemoryStore::default();
    filled(&store, 3, 3).await;
    let (old, new) = (key(1), key(2));
    let mut late = Log::open(&store, &old, ORIGIN).await.expect("opened");
    let mut log = Log::open(&store, &old, ORIGIN).await.expect("opened");
    assert_eq!(log.rotate(&new).await.expect("rotated"), 3);
    log.append(&statement("after")).await.expect("appended");
    log.integrate().await.expect("integrated");
    assert!(matches!(late.append(&statement("late")).await, Err(LedgerError::NotInForce { .. })));
    let mut late = Log::open(&store, &old, ORIGIN).await.expect("opened");
    assert!(matches!(late.append(&statement("late")).await, Err(LedgerError::NotInForce { .. })));
    let found = verified(&store).await;
    assert_eq!((found.problems.len(), found.entries.len(), found.size()), (0, 5, 5), "{:?}", found.problems);
    assert_ne!(found.first, found.current);
    let mut log = Log::open(&store, &new, ORIGIN).await.expect("opened");
    assert_eq!(log.append(&statement("more")).await.expect("appended"), 5);
}

#[tokio::test]
async fn a_rotation_that_was_killed_before_its_checkpoint_is_finished_by_the_new_key() {
    let store = MemoryStore::default();
    filled(&store, 2, 2).await;
    let (old, new) = (key(1), key(2));
    Log::open(&store, &old, ORIGIN).await.expect("opened").rotate(&new).await.expect("rotated");
    assert!(matches!(Log::open(&store, &old, ORIGIN).await.expect("opened").integrate().await, Err(LedgerError::NotInForce { .. })));
    let published = Log::open(&store, &new, ORIGIN).await.expect("opened").integrate().await.expect("integrated");
    assert_eq!(published.expect("a checkpoint").size, 3);
    assert_eq!(verified(&store).await.problems, []);
}

#[tokio::test]
async fn a_key_is_in_force_once_and_a_repeated_rotation_changes_nothing() {
    let store = MemoryStore::default();
    filled(&store, 2, 2).await;
    let (first, second, third) = (key(1), key(2), key(3));
    let mut log = Log::open(&store, &first, ORIGIN).await.expect("opened");
    assert!(matches!(log.rotate(&first).await, Err(LedgerError::Malformed { .. })), "to itself");
    assert_eq!(log.rotate(&second).await.expect("rotated"), 2);
    // The answer was lost: the same command again.
    assert_eq!(Log::open(&store, &first, ORIGIN).await.expect("opened").rotate(&second).await.expect("there already"), 2);
    assert!(matches!(log.rotate(&first).await, Err(LedgerError::Malformed { .. })), "back to the first");
    assert_eq!(log.rotate(&third).await.expect("rotated"), 3);
    assert!(matches!(log.rotate(&second).await, Err(LedgerError::Malformed { .. })), "back to the second");
    log.integrate().await.expect("integrated");
    // By hand, as one can who still holds the third key and stole the first: the old entry, and a new one back.
    let again = store.get(&slot(2)).await.expect("read").expect("there");
    store.put_new(&slot(4), again).await.expect("repeated");
    let back = keys::rotation(&Vkey::new(ORIGIN, KeyKind::Ed25519, first.public_key()).expect("a key")).expect("a statement");
    let back = Envelope::sign(ORIGIN, back.to_bytes(), &[&third, &first]).await.expect("signed");
    store.put_new(&slot(5), back.to_bytes().into()).await.expect("forced");
    let mut log = Log::open(&store, &third, ORIGIN).await.expect("opened");
    assert_eq!(log.append(&statement("after")).await.expect("appended"), 6);
    log.integrate().await.expect("integrated");
    let found = verified(&store).await;
    assert_eq!((found.problems.len(), found.size()), (0, 7), "{:?}", found.problems);
    assert_eq!(found.foreign().map(|entry| entry.index).collect::<Vec<_>>(), [4, 5]);
}

#[tokio::test]
async fn a_checkpoint_copied_to_another_size_s_name_stops_nobody() {
    for copy in [5, 9] {
        let store = MemoryStore::default();
        filled(&store, 8, 4).await;
        let signed = store.get(&checkpoint_object(4)).await.expect("read").expect("there");
        store.put_new(&checkpoint_object(copy), signed).await.expect("copied");
        night(&store, "a").await.expect("a night");
        let found = verified(&store).await;
        assert_eq!((found.size(), found.entries.len()), (10, 10));
        let told: Vec<_> = found.problems.iter().map(|problem| (problem.object.clone(), problem.what.as_str())).collect();
        assert_eq!(told, [(checkpoint_object(copy), "checkpoint does not verify: it is a copy of another size's")]);
    }
    // Where it lies ahead of the log it is nothing yet.
    let store = MemoryStore::default();
    filled(&store, 8, 4).await;
    let signed = store.get(&checkpoint_object(4)).await.expect("read").expect("there");
    store.put_new(&checkpoint_object(99), signed).await.expect("copied");
    night(&store, "a").await.expect("a night");
    let found = verified(&store).await;
    assert_eq!((found.problems.len(), found.strays), (0, vec![checkpoint_object(99)]), "{:?}", found.problems);
}

#[tokio::test]
async fn junk_in_the_next_slot_is_a_foreign_leaf_and_stops_nobody() {
    let store = MemoryStore::default();
    filled(&store, 2, 2).await;
    store.put_new(&slot(2), Bytes::from_static(b"junk")).await.expect("junk");
    store.put_new(&slot(3), Bytes::from(vec![b'x'; 1 << 20])).await.expect("junk too large for a bundle");
    store.put_new(&slot(9), Bytes::from_static(b"far ahead")).await.expect("junk");
    store.put_new("log/checkpoint/000000000099", Bytes::from_static(b"junk")).await.expect("junk");
    store.put_new("log/entry/1x", Bytes::from_static(b"junk")).await.expect("junk");
    night(&store, "a").await.expect("a night");
    let found = verified(&store).await;
    assert_eq!((found.problems.len(), found.size()), (0, 6), "{:?}", found.problems);
    assert_eq!(found.foreign().map(|entry| entry.index).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(found.strays, ["log/checkpoint/000000000099", "log/entry/000000000009", "log/entry/1x"]);
}

#[tokio::test]
async fn junk_under_a_tile_s_name_does_not_keep_the_log_from_being_signed() {
    let store = MemoryStore::default();
    filled(&store, 255, 255).await;
    store.put_new("log/tile/entries/000", Bytes::from_static(b"junk")).await.expect("junk");
    let key = key(1);
    let mut log = Log::open(&store, &key, ORIGIN).await.expect("opened");
    log.append(&statement("more")).await.expect("appended");
    assert_eq!(log.integrate().await.expect("integrated").expect("a checkpoint").size, 256);
    assert_eq!(log.spoiled(), ["log/tile/entries/000"]);
    // Reading goes round it.
    night(&store, "b").await.expect("a night");
    let told = verified(&store).await.problems;
    assert_eq!(told.iter().map(|problem| problem.object.as_str()).collect::<Vec<_>>(), ["log/tile/entries/000"], "{told:?}");
}

#[tokio::test]
async fn nothing_is_signed_on_top_of_a_log_that_was_changed() {
    let first = MemoryStore::default();
    filled(&first, 300, 300).await;
    let changed = MemoryStore::default();
    for name in first.list("").await.expect("listed") {
        let bytes = first.get(&name).await.expect("read").expect("there");
        let other = if name == slot(299) { first.get(&slot(0)).await.expect("read").expect("there") } else { bytes };
        changed.put_new(&name, other).await.expect("copied");
    }
    let key = key(1);
    let error = Log::open(&changed, &key, ORIGIN).await.map(|_log| ()).expect_err("refused").to_string();
    assert_eq!(error, "refusing to sign: log/entry/000000000000 to log/entry/000000000299 contradicts checkpoint 300");
}
