//! What verification finds: one flipped bit in every object, objects that are missing or swapped, roll-back with and without a pinned checkpoint.
#![cfg(test)]

use std::collections::BTreeMap;

use bytes::Bytes;
use proofline::ledger::note::{KeyKind, Note, Vkey};
use proofline::ledger::prove;
use proofline::ledger::replay::{checkpoint_object, slot};
use proofline::ledger::signer::Signer;
use proofline::ledger::verify::{self, Pins};
use proofline::ledger::{LedgerError, merkle};
use proofline::store::Store;
use proofline::store::memory::MemoryStore;

use super::protocol::{ORIGIN, filled, key, statement, verified};

type Objects = BTreeMap<String, Bytes>;

async fn objects(store: &dyn Store) -> Objects {
    let mut objects = Objects::new();
    for name in store.list("").await.expect("listed") {
        let bytes = store.get(&name).await.expect("read").expect("there");
        objects.insert(name, bytes);
    }
    objects
}

async fn store_of(objects: &Objects) -> MemoryStore {
    let store = MemoryStore::default();
    for (name, bytes) in objects {
        store.put_new(name, bytes.clone()).await.expect("written");
    }
    store
}

/// The objects that verification of `objects` complains about.
async fn told(objects: &Objects, pins: &Pins) -> Vec<String> {
    let verified = verify::log(&store_of(objects).await, pins).await.expect("read");
    verified.problems.into_iter().map(|problem| problem.object).collect()
}

async fn whole(count: u64, every: u64) -> Objects {
    let store = MemoryStore::default();
    filled(&store, count, every).await;
    objects(&store).await
}

#[tokio::test]
async fn one_flipped_bit_names_the_object() {
    let whole = whole(9, 4).await;
    for (name, bytes) in &whole {
        // Every byte of the small ones, a spread of the others.
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(97)) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << (at % 8);
            let mut objects = whole.clone();
            objects.insert(name.clone(), changed.into());
            let told = told(&objects, &Pins::default()).await;
            // With the key gone, nothing under it can be judged; anything else stands alone.
            assert!(told.contains(name) && (told.len() == 1 || name == "store.json"), "{name} byte {at}: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_missing_object_is_named() {
    let whole = whole(9, 4).await;
    for name in whole.keys() {
        let mut objects = whole.clone();
        objects.remove(name);
        let told = told(&objects, &Pins::default()).await;
        // The newest checkpoint without its successors is how a log looks before it is signed.
        if name.starts_with("log/checkpoint/") {
            assert!(told.is_empty(), "{name}: {told:?}");
        } else {
            assert_eq!(told, [name.as_str()]);
        }
    }
}

#[tokio::test]
async fn entries_that_changed_places_are_named() {
    let mut objects = whole(9, 9).await;
    let (a, b) = (objects[&slot(3)].clone(), objects[&slot(7)].clone());
    objects.insert(slot(3), b);
    objects.insert(slot(7), a);
    assert_eq!(told(&objects, &Pins::default()).await, [slot(3), slot(7)]);
}

#[tokio::test]
async fn where_no_copy_proves_what_was_signed_the_checkpoint_is_named() {
    let mut objects = whole(9, 9).await;
    objects.insert(slot(3), objects[&slot(7)].clone());
    objects.retain(|name, _bytes| !name.starts_with("log/tile/"));
    assert_eq!(told(&objects, &Pins::default()).await, [checkpoint_object(9)]);
}

/// The last entries and everything that came after them taken away, as one who may delete can.
async fn rolled_back(whole: &Objects) -> Objects {
    let earlier = MemoryStore::default();
    filled(&earlier, 4, 4).await;
    let earlier = objects(&earlier).await;
    assert!(earlier.iter().all(|(name, bytes)| whole.get(name) == Some(bytes)), "a prefix");
    earlier
}

#[tokio::test]
async fn a_rollback_shows_against_a_pinned_checkpoint_only() {
    let whole = whole(8, 4).await;
    let earlier = rolled_back(&whole).await;
    let pins = |size| Pins { vkey: None, checkpoint: Some(Note::parse(&whole[&checkpoint_object(size)]).expect("a note")) };
    assert!(told(&earlier, &Pins::default()).await.is_empty(), "no store can tell this by itself");
    assert_eq!(told(&earlier, &pins(8)).await, ["the pinned checkpoint"]);
    assert!(told(&earlier, &pins(4)).await.is_empty());
    assert!(told(&whole, &pins(4)).await.is_empty());
}

#[tokio::test]
async fn another_history_of_the_same_length_shows_against_a_pinned_checkpoint() {
    let whole = whole(4, 4).await;
    let other = MemoryStore::default();
    let signer = key(1);
    let mut log = proofline::ledger::log::Log::open(&other, &signer, ORIGIN).await.expect("opened");
    for n in 0..4 {
        log.append(&statement(&format!("other-{n}"))).await.expect("appended");
    }
    log.integrate().await.expect("integrated");
    let pins = Pins { vkey: None, checkpoint: Some(Note::parse(&whole[&checkpoint_object(4)]).expect("a note")) };
    assert!(verified(&other).await.problems.is_empty());
    assert_eq!(told(&objects(&other).await, &pins).await, ["the pinned checkpoint"]);
}

#[tokio::test]
async fn a_log_under_another_key_than_expected_is_refused() {
    let whole = whole(2, 2).await;
    let vkey = Vkey::new(ORIGIN, KeyKind::Ed25519, key(9).public_key()).expect("a key");
    let told = told(&whole, &Pins { vkey: Some(vkey), checkpoint: None }).await;
    assert_eq!(told, ["store.json", "log/checkpoint/000000000002"]);
}

#[tokio::test]
async fn proofs_come_from_tiles_and_verify_without_them() {
    let store = MemoryStore::default();
    filled(&store, 300, 300).await;
    let note = Note::parse(&store.get(&checkpoint_object(300)).await.expect("read").expect("there")).expect("a note");
    let vkey = Vkey::new(ORIGIN, KeyKind::Ed25519, key(1).public_key()).expect("a key");
    for index in [0, 1, 255, 256, 299] {
        let proof = prove::inclusion(&store, index, 300, note.clone()).await.expect("proved");
        let entry = store.get(&slot(index)).await.expect("read").expect("there");
        assert_eq!(proof.verify(&entry, &vkey).expect("verified").size, 300);
        let other = store.get(&slot(7)).await.expect("read").expect("there");
        assert!(matches!(proof.verify(&other, &vkey), Err(LedgerError::Unverified { .. })));
    }
    let earlier = MemoryStore::default();
    filled(&earlier, 200, 200).await;
    let [old, new] = [verified(&earlier).await, verified(&store).await].map(|found| {
        let (size, bytes) = found.checkpoints.last_key_value().map(|(size, bytes)| (*size, bytes.clone())).expect("a checkpoint");
        let note = Note::parse(&bytes).expect("a note");
        (size, proofline::ledger::checkpoint::Checkpoint::parse(note.text()).expect("a checkpoint").root)
    });
    let proof = prove::consistency(&store, 200, 300).await.expect("proved");
    merkle::verify_consistency((old.0, &old.1), (new.0, &new.1), &proof).expect("a prefix");
}
