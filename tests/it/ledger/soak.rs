//! Appending under crashes and races, on every store: nothing lost, nothing twice, every checkpoint a prefix of the next.
#![cfg(test)]

use std::cell::Cell;
use std::sync::Arc;

use futures::future::join_all;
use proofline::ledger::LedgerError;
use proofline::ledger::log::Log;
use proofline::ledger::verify::Verified;
use proofline::store::Store;
use proofline::store::local::LocalStore;
use proofline::store::memory::MemoryStore;

use super::faulty::{Faulty, When};
use super::protocol::{ORIGIN, filled, key, statement, verified};
use crate::gcs_store::{fake, store_at};
use crate::sandbox::emulator::Emulator;
use crate::sandbox::gcs::{FakeGcs, Fault, Verb};

fn names(verified: &Verified) -> Vec<String> {
    verified.entries.iter().filter_map(|entry| entry.statement.as_ref()).map(|statement| statement.subjects()[0].name.clone()).collect()
}

/// One night: two statements, then the checkpoint. What a command does that is run again until it gets through.
pub(super) async fn night(store: &dyn Store, name: &str) -> Result<(), LedgerError> {
    let key = key(1);
    let mut log = Log::open(store, &key, ORIGIN).await?;
    log.append(&statement(name)).await?;
    log.append(&statement(&format!("{name}-judged"))).await?;
    log.integrate().await.map(|_published| ())
}

/// A night that dies at its first write, at its second, and so on until it gets through; each on an empty store with `before` entries, and each again.
async fn crash_everywhere(fresh: impl Fn() -> Arc<dyn Store>, before: u64) {
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
                assert!(writes >= 4, "only {writes} writes: two entries, a tile, a checkpoint and more were expected");
                break;
            }
        }
    }
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

/// Workers that die and start again, all on one log, each with a connection of its own. At least every third night has to have died.
async fn race(connect: impl Fn() -> Arc<dyn Store>, workers: u64, nights: u64) {
    let crashes = join_all((0..workers).map(|worker| tokio::spawn(restless(connect(), worker, nights)))).await;
    let crashes: u64 = crashes.into_iter().map(|crashes| crashes.expect("no panic")).sum();
    assert!(crashes * 3 >= workers * nights, "{crashes} crashes only");
    let found = verified(connect().as_ref()).await;
    assert_eq!(found.problems, []);
    let mut names = names(&found);
    let expected = usize::try_from(workers * nights * 2).expect("small");
    assert!(names.len() >= expected, "{} entries", names.len());
    names.sort();
    names.dedup();
    assert_eq!((names.len(), found.foreign().count()), (expected, 0));
    assert_eq!(found.size(), u64::try_from(found.entries.len()).expect("small"));
}

/// Folders of one place, each used once.
fn folders<S: Store + 'static>(open: impl Fn(String) -> Arc<S>) -> impl Fn() -> Arc<dyn Store> {
    let count = Cell::new(0);
    move || {
        count.set(count.get() + 1);
        open(format!("/{}", count.get()))
    }
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::default())
}

fn directory(path: &std::path::Path) -> Arc<LocalStore> {
    Arc::new(LocalStore::open(path.to_owned()).expect("a store"))
}

/// Nothing was replaced or deleted, and no request broke the contract.
fn untouched(fake: &FakeGcs) {
    assert_eq!((fake.violations(), fake.faults_left()), (Vec::new(), 0));
    let bucket = fake.bucket();
    assert!(bucket.noncurrent.is_empty() && bucket.soft_deleted.is_empty() && bucket.live.values().all(|object| object.metageneration == 1));
}

#[tokio::test]
async fn a_crash_at_any_write_loses_nothing_and_is_cured_by_the_same_again() {
    crash_everywhere(memory, 0).await;
    // Across the edge of a tile.
    crash_everywhere(memory, 255).await;
}

#[tokio::test]
async fn a_crash_at_any_write_in_a_directory_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = folders(|name| directory(&folder.path().join(&name[1..])));
    crash_everywhere(&fresh, 0).await;
    crash_everywhere(&fresh, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_write_in_a_strict_bucket_too() {
    let fake = fake();
    let fresh = folders(|name| store_at(fake.base(), &name));
    crash_everywhere(&fresh, 0).await;
    crash_everywhere(&fresh, 3).await;
    untouched(&fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_write_in_fake_gcs_server_too() {
    let Some(emulator) = Emulator::start("acme-evidence").await else { return };
    let fresh = folders(|name| store_at(emulator.base(), &name));
    crash_everywhere(&fresh, 0).await;
    crash_everywhere(&fresh, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_race_and_crash_lose_nothing() {
    let store = memory();
    race(|| Arc::clone(&store), 8, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_race_and_crash_in_a_directory_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    race(|| directory(folder.path()), 4, 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_race_and_crash_in_a_strict_bucket_lose_nothing() {
    let fake = fake();
    for fault in [Fault::LostReply, Fault::Status(503), Fault::LostReply, Fault::Status(429), Fault::LostReply] {
        fake.fault(Verb::Upload, fault);
    }
    for fault in [Fault::Truncated, Fault::WrongCrc, Fault::Status(503)] {
        fake.fault(Verb::Download, fault);
    }
    race(|| store_at(fake.base(), "/prod"), 4, 5).await;
    untouched(&fake);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_race_and_crash_in_fake_gcs_server_lose_nothing() {
    let Some(emulator) = Emulator::start("acme-evidence").await else { return };
    race(|| store_at(emulator.base(), "/prod"), 4, 5).await;
}
