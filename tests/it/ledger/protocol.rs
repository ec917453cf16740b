//! Appending under crashes, races, rotations and junk: nothing lost, nothing twice, every checkpoint a prefix of the next.
#![cfg(test)]

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use proofline::ledger::LedgerError;
use proofline::ledger::log::Log;
use proofline::ledger::replay::slot;
use proofline::ledger::signer::KeyFile;
use proofline::ledger::statement::{Kind, Statement, Subject};
use proofline::ledger::verify::{self, Pins, Verified};
use proofline::model::Digest;
use proofline::store::Store;
use proofline::store::local::LocalStore;
use proofline::store::memory::MemoryStore;
use serde_json::Map;

use super::faulty::{Faulty, When};

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

fn names(verified: &Verified) -> Vec<String> {
    verified.entries.iter().filter_map(|entry| entry.statement.as_ref()).map(|statement| statement.subjects()[0].name.clone()).collect()
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

/// One night: two statements, then the checkpoint. What a command does that is run again until it gets through.
async fn night(store: &dyn Store, name: &str) -> Result<(), LedgerError> {
    let key = key(1);
    let mut log = Log::open(store, &key, ORIGIN).await?;
    log.append(&statement(name)).await?;
    log.append(&statement(&format!("{name}-judged"))).await?;
    log.integrate().await.map(|_published| ())
}

async fn crash_everywhere(fresh: impl Fn() -> Box<dyn Store>, before: u64) {
    for when in [When::Before, When::After] {
        for writes in 0.. {
            let store = fresh();
            if before > 0 {
                filled(store.as_ref(), before, before).await;
            }
            let faulty = Faulty::new(store.as_ref(), writes, when);
            let died = night(&faulty, "a").await.is_err();
            assert_eq!(verified(store.as_ref()).await.problems, [], "after a crash at write {writes} {when:?}");
            night(store.as_ref(), "a").await.expect("the same again");
            let found = verified(store.as_ref()).await;
            assert_eq!((found.problems.len(), found.size()), (0, before + 2), "{writes} {when:?} {:?}", found.problems);
            assert_eq!(names(&found)[usize::try_from(before).expect("small")..], ["runs/a/manifest.json", "runs/a-judged/manifest.json"]);
            if !died {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_crash_at_any_write_loses_nothing_and_is_cured_by_the_same_again() {
    crash_everywhere(|| Box::new(MemoryStore::default()), 0).await;
    // Across the edge of a tile.
    crash_everywhere(|| Box::new(MemoryStore::default()), 255).await;
}

#[tokio::test]
async fn a_crash_at_any_write_in_a_directory_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = std::sync::atomic::AtomicU32::new(0);
    let fresh = || -> Box<dyn Store> {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::new(LocalStore::open(folder.path().join(n.to_string())).expect("a store"))
    };
    crash_everywhere(fresh, 0).await;
}

/// One worker that dies at pseudo-random writes and starts again. Gives how often it died.
async fn restless(store: Arc<dyn Store>, worker: u64, nights: u64) -> u64 {
    let (mut state, mut crashes) = (worker * 7919 + 1, 0);
    let mut n = 0;
    while n < nights {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let when = if state & (1 << 40) == 0 { When::Before } else { When::After };
        let faulty = Faulty::new(store.as_ref(), i64::try_from((state >> 33) % 11).expect("small"), when);
        match night(&faulty, &format!("{worker}-{n}")).await {
            Ok(()) => n += 1,
            Err(LedgerError::Store(_)) if faulty.is_dead() => crashes += 1,
            Err(error) => panic!("worker {worker}: {error}"),
        }
    }
    crashes
}

/// Workers on one log. Gives how often they died.
async fn soak(store: Arc<dyn Store>, workers: u64, nights: u64) -> u64 {
    let work = |worker| tokio::spawn(restless(Arc::clone(&store), worker, nights));
    join_all((0..workers).map(work)).await.into_iter().map(|crashes| crashes.expect("no panic")).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_race_and_crash_lose_nothing() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let crashes = soak(Arc::clone(&store), 8, 20).await;
    let found = verified(store.as_ref()).await;
    assert_eq!(found.problems, []);
    assert!(crashes > 50, "{crashes} crashes only");
    let mut names = names(&found);
    assert!(names.len() >= 320, "{} entries", names.len());
    names.sort();
    names.dedup();
    assert_eq!((names.len(), found.foreign().count()), (320, 0));
    assert_eq!(found.size(), u64::try_from(found.entries.len()).expect("small"));
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
