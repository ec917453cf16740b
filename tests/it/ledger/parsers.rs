//! Everything that reads stored bytes, given anything: nothing stumbles, what parses prints back as it was, and what verifies is what was signed.
#![cfg(test)]

use std::sync::LazyLock;

use bytes::Bytes;
use proofline::ledger::checkpoint::Checkpoint;
use proofline::ledger::envelope::Envelope;
use proofline::ledger::identity::{self, Identity};
use proofline::ledger::keys::{self, Keys};
use proofline::ledger::log::Log;
use proofline::ledger::merkle;
use proofline::ledger::note::{self, KeyKind, Note, Vkey};
use proofline::ledger::proof::Proof;
use proofline::ledger::replay::slot;
use proofline::ledger::signer::{KeyFile, Signer as _};
use proofline::ledger::statement::{Kind, Statement, Subject};
use proofline::ledger::tile::{self, Row, Tile, WIDTH};
use proofline::model::Digest;
use proofline::store::memory::MemoryStore;
use proofline::store::{Put, Store as _};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

use super::protocol::{ORIGIN, filled, key, statement, verified};
use crate::attest::log::Key;
use crate::mutate::bytes;

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work)
}

fn vkey(key: &KeyFile, kind: KeyKind) -> Vkey {
    Vkey::new(ORIGIN, kind, key.public_key()).expect("a key")
}

/// One of each, as we write them.
struct Valid {
    note: Note,
    envelope: Envelope,
    proof: Proof,
    statements: Vec<Statement>,
    identity: Bytes,
    bundle: Vec<u8>,
}

static VALID: LazyLock<Valid> = LazyLock::new(|| {
    wait(async {
        let (left, right) = (merkle::leaf(b"left"), merkle::leaf(b"right"));
        let mut note = Note::new(Checkpoint::new(ORIGIN, 2, merkle::node(&left, &right)).text()).expect("a text");
        note::sign(&mut note, ORIGIN, &key(1)).await.expect("signed");
        note.push(Key::of_witness("witness.example/w").cosign(note.text(), 1_767_225_600).trim_end().parse().expect("a line"));
        let predicate = Map::from_iter([("at".to_owned(), serde_json::json!([1, -2, null, true, {"\u{1f512}": "\u{0}\n"}]))]);
        let rich = Statement::new(Kind::Hold, vec![Subject::new("a", Digest::of(b"a")), Subject::new("\u{e9}/\"", Digest::of(b"b"))], predicate);
        let statements = vec![statement("1"), rich.expect("a statement"), keys::rotation(&vkey(&key(2), KeyKind::Ed25519)).expect("a rotation")];
        let envelope = Envelope::sign(ORIGIN, statements[2].to_bytes(), &[&key(1), &key(2)]).await.expect("signed");
        let store = MemoryStore::default();
        Identity::claim(&store, vkey(&key(1), KeyKind::Ed25519)).await.expect("claimed");
        let identity = store.get(identity::OBJECT).await.expect("read").expect("there");
        let proof = Proof { index: 1, hashes: vec![left], note: note.clone() };
        Valid { note, envelope, proof, statements, identity, bundle: b"\0\x04left\0\0\0\x05right".to_vec() }
    })
});

fn text(valid: &[&str]) -> impl Strategy<Value = String> + use<> {
    bytes(valid.iter().map(|text| text.as_bytes().to_vec()).collect()).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        vec(any::<char>(), 0..6).prop_map(|text| Value::from(String::from_iter(text))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = vec(any::<char>(), 0..3).prop_map(String::from_iter);
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), vec((key, inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect()))]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_note_prints_back(bytes in bytes(vec![VALID.note.to_bytes()])) {
        let Ok(note) = Note::parse(&bytes) else { return Ok(()) };
        prop_assert_eq!(note.to_bytes(), bytes);
        let signed = Checkpoint::parse(VALID.note.text()).expect("a checkpoint");
        if let Ok(checkpoint) = Checkpoint::verified(&note, &vkey(&key(1), KeyKind::Ed25519)) {
            prop_assert_eq!(checkpoint, signed, "signatures may be added, the text stays");
        }
    }

    #[test]
    fn a_checkpoint_prints_back(text in text(&[VALID.note.text(), "o\n0\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\nmore\n"])) {
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.text(), text);
        }
    }

    #[test]
    fn an_envelope_prints_back(bytes in bytes(vec![VALID.envelope.to_bytes()])) {
        let keys = [1, 2].map(|seed| vkey(&key(seed), KeyKind::Ed25519));
        let mut walk = Keys::new(keys[0].clone());
        let admitted = walk.admit(&bytes).is_ok();
        prop_assert_eq!(admitted, bytes == VALID.envelope.to_bytes());
        prop_assert_eq!(walk.current(), &keys[usize::from(admitted)], "the key changes with the entry or not at all");
        if let Ok(envelope) = Envelope::parse(&bytes) {
            prop_assert_eq!(envelope.verify(&[&keys[0], &keys[1]]).is_ok(), admitted);
            prop_assert_eq!(envelope.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_statement_says_the_same_after_it_was_written(bytes in bytes(VALID.statements.iter().map(Statement::to_bytes).collect())) {
        if let Ok(statement) = Statement::parse(&bytes) {
            prop_assert_eq!(&Statement::parse(&statement.to_bytes()).expect("a statement"), &statement);
        }
    }

    #[test]
    fn a_statement_of_any_predicate_says_the_same_after_it_was_written(predicate in vec(json(), 0..4)) {
        let predicate = Map::from_iter([("p".to_owned(), Value::from(predicate))]);
        let statement = Statement::new(Kind::Run, vec![Subject::new("a", Digest::of(b"a"))], predicate).expect("a statement");
        prop_assert_eq!(Statement::parse(&statement.to_bytes()).expect("a statement"), statement);
    }

    #[test]
    fn a_proof_prints_back(bytes in bytes(vec![VALID.proof.to_bytes()])) {
        let Ok(proof) = Proof::parse(&bytes) else { return Ok(()) };
        let extra = bytes.windows(7).any(|window| window == b"\nextra ");
        prop_assert!(extra || proof.to_bytes() == bytes);
        prop_assert_eq!(&Proof::parse(&proof.to_bytes()).expect("a proof"), &proof);
        if proof.verify(b"right", &vkey(&key(1), KeyKind::Ed25519)).is_ok() {
            prop_assert_eq!((proof.index, &proof.hashes), (VALID.proof.index, &VALID.proof.hashes));
        }
        prop_assert!(proof.verify(b"wrong", &vkey(&key(1), KeyKind::Ed25519)).is_err());
    }

    #[test]
    fn a_key_prints_back(text in text(&[&vkey(&key(1), KeyKind::Ed25519).to_string(), &vkey(&key(1), KeyKind::Cosignature).to_string()])) {
        if let Ok(key) = text.parse::<Vkey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn a_bundle_prints_back(bytes in bytes(vec![VALID.bundle.clone()])) {
        if let Ok(entries) = tile::entries(&bytes) {
            let again: Vec<u8> = entries.iter().flat_map(|entry| [&u16::try_from(entry.len()).expect("short").to_be_bytes()[..], entry].concat()).collect();
            prop_assert_eq!(&again, &bytes);
        }
        match tile::hashes(&bytes) {
            Ok(hashes) => prop_assert_eq!(hashes.concat(), bytes),
            Err(_refused) => prop_assert!(!bytes.len().is_multiple_of(32)),
        }
    }

    #[test]
    fn a_tile_s_name_prints_back(text in text(&["log/tile/0/000", "log/tile/1/x001/x234/067.p/17", "log/tile/0/000.p/0", "log/tile/entries/273.p/112"])) {
        if let Some(tile) = Tile::parse(&text) {
            prop_assert_eq!(tile.key(), text);
            prop_assert!((1..=WIDTH).contains(&tile.width), "{:?}", tile);
        }
    }

    #[test]
    fn every_tile_s_name_is_read(level in any::<Option<u32>>(), index in any::<u64>(), width in 1..=WIDTH) {
        let tile = Tile { row: level.map_or(Row::Entries, Row::Hashes), index, width };
        prop_assert_eq!(Tile::parse(&tile.key()), Some(tile));
    }

    #[test]
    fn an_identity_is_written_as_it_was_read(bytes in bytes(vec![VALID.identity.to_vec()])) {
        wait(async {
            let (store, again) = (MemoryStore::default(), MemoryStore::default());
            store.put_new(identity::OBJECT, bytes.clone().into()).await.expect("written");
            if let Ok(found) = Identity::read(&store).await {
                let claimed = Identity::claim(&again, found.expect("there").first).await.expect("claimed");
                prop_assert_eq!(Identity::read(&store).await.expect("read"), Some(claimed));
                prop_assert_eq!(again.get(identity::OBJECT).await.expect("read").expect("there"), bytes);
            }
            Ok(())
        })?;
    }
}

/// The objects of a log of five entries. What one who may only create can do is to copy and to invent.
static FIVE: LazyLock<Vec<(String, Bytes)>> = LazyLock::new(|| {
    wait(async {
        let (store, mut objects) = (MemoryStore::default(), Vec::new());
        filled(&store, 5, 5).await;
        for name in store.list("").await.expect("listed") {
            let bytes = store.get(&name).await.expect("read").expect("there");
            objects.push((name, bytes));
        }
        objects
    })
});

/// Names below the log's folder: of ours, nearly of ours, and others.
fn name() -> impl Strategy<Value = String> {
    let number = prop_oneof![0_u64..12, any::<u64>()];
    let numbered =
        (select(&["entry", "checkpoint"][..]), number, select(&["", "x", "/x"][..])).prop_map(|(folder, n, more)| format!("log/{folder}/{n:012}{more}"));
    let tile = (select(&["entries", "0", "1", "63", "x"][..]), 0_u64..3, 0_u64..300).prop_map(|(row, n, width)| format!("log/tile/{row}/{n:03}.p/{width}"));
    prop_oneof![3 => numbered, 2 => tile, 1 => select(&["log/x", "log/tile/entries/000", "log/tile/0/000", "log/anchor/5/x", "log/anchor/x"][..]).prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn junk_in_free_places_is_named_and_takes_nothing_away(junk in vec((name(), bytes(FIVE.iter().map(|(_name, bytes)| bytes.to_vec()).collect())), 1..6)) {
        wait(async {
            let store = MemoryStore::default();
            let mut added = Vec::new();
            for (name, bytes) in FIVE.clone() {
                store.put_new(&name, bytes).await.expect("written");
            }
            let before = verified(&store).await.entries;
            for (name, bytes) in junk {
                if matches!(store.put_new(&name, bytes.into()).await, Ok(Put::Created)) {
                    added.push(name);
                }
            }
            let found = verified(&store).await;
            let told: Vec<_> = found.problems.iter().map(|problem| &problem.object).collect();
            prop_assert!(told.iter().all(|object| added.contains(object)), "{:?} of {:?}", found.problems, added);
            prop_assert!(found.checkpoints.contains_key(&5) && found.entries.starts_with(&before));
            // Each is told of somewhere: as a problem, as a stray, or as a leaf.
            let leaf = |name: &String| found.entries.iter().any(|entry| slot(entry.index) == *name);
            let silent: Vec<_> = added.iter().filter(|&name| !told.contains(&name) && !found.strays.contains(name) && !leaf(name)).collect();
            prop_assert!(silent.iter().all(|name| name.starts_with("log/anchor/")), "{:?}", silent);
            let key = key(1);
            let mut log = Log::open(&store, &key, ORIGIN).await.expect("opened");
            let index = log.append(&statement("after")).await.expect("appended");
            prop_assert_eq!(usize::try_from(index).expect("small"), found.entries.len());
            Ok(())
        })?;
    }
}
