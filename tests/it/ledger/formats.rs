//! Notes, checkpoints, envelopes, statements, proofs and keys: round trips, the specifications' examples, and every flipped bit.
#![cfg(test)]

use proofline::attest::cosignature::Cosigner;
use proofline::ledger::checkpoint::Checkpoint;
use proofline::ledger::envelope::{Envelope, MAX_ENTRY, PAYLOAD_TYPE, pae};
use proofline::ledger::merkle;
use proofline::ledger::note::{self, KeyKind, Note, Vkey};
use proofline::ledger::proof::Proof;
use proofline::ledger::signer::{KeyFile, SignError, Signer, public_pem, verifies};
use proofline::ledger::statement::{Kind, Statement, Subject};
use proofline::ledger::{Hash, LedgerError};
use proofline::model::Digest;
use serde_json::Map;

use crate::attest::log::Key;

const ORIGIN: &str = "log.example/acme";

fn key(seed: u8) -> KeyFile {
    KeyFile::from_seed(&[seed; 32])
}

fn vkey(key: &KeyFile, kind: KeyKind) -> Vkey {
    Vkey::new(ORIGIN, kind, key.public_key()).expect("a name")
}

/// All one-bit changes of `bytes`.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        (bit, changed)
    })
}

async fn checkpoint(signer: &KeyFile, size: u64, root: Hash) -> Note {
    let mut note = Note::new(Checkpoint::new(ORIGIN, size, root).text()).expect("a text");
    note::sign(&mut note, ORIGIN, signer).await.expect("signed");
    note
}

fn statement() -> Statement {
    let subject = Subject::new("runs/1/manifest.json", Digest::of(b"manifest"));
    Statement::new(Kind::Run, vec![subject], Map::new()).expect("a statement")
}

#[test]
fn the_specifications_example_note_verifies() {
    let vkey: Vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse().expect("a key");
    let text =
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note = Note::parse(text.as_bytes()).expect("a note");
    assert!(note::is_signed(&note, &vkey).expect("holds"));
    assert_eq!(note.to_bytes(), text.as_bytes());
    assert_eq!(vkey.to_string(), "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
}

#[test]
fn a_key_text_with_any_other_id_or_shape_is_refused() {
    let good = vkey(&key(1), KeyKind::Ed25519).to_string();
    assert_eq!(good.parse::<Vkey>().expect("a key").to_string(), good);
    for (bit, changed) in flips(good.as_bytes()) {
        let parsed = std::str::from_utf8(&changed).ok().map(str::parse::<Vkey>);
        assert!(!matches!(parsed, Some(Ok(_))), "bit {bit} was accepted");
    }
    for bad in ["", "a", "a+b", "a+00000000+", "a b+00000000+AAAA", &format!("{good}+"), &good.replacen('+', " +", 1)] {
        assert!(bad.parse::<Vkey>().is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn every_bit_of_a_checkpoint_counts() {
    let signer = key(1);
    let vkey = vkey(&signer, KeyKind::Ed25519);
    let note = checkpoint(&signer, 5, [9; 32]).await;
    let good = Checkpoint::verified(&note, &vkey).expect("signed");
    assert_eq!(good, Checkpoint::new(ORIGIN, 5, [9; 32]));
    let bytes = note.to_bytes();
    assert_eq!(Note::parse(&bytes).expect("a note"), note);
    for (bit, changed) in flips(&bytes) {
        let verified = Note::parse(&changed).map_err(LedgerError::from).and_then(|note| Checkpoint::verified(&note, &vkey));
        assert!(verified.is_err(), "bit {bit} was accepted");
    }
}

#[tokio::test]
async fn cosignatures_and_unknown_keys_do_not_get_in_each_others_way() {
    let (log, witness, stranger) = (key(1), Key::of_witness("witness.example/w"), key(3));
    let mut note = checkpoint(&log, 5, [9; 32]).await;
    note.push(witness.cosign(note.text(), 1_700_000_000).trim_end().parse().expect("a line"));
    note::sign(&mut note, "stranger.example", &stranger).await.expect("signed");
    let note = Note::parse(&note.to_bytes()).expect("a note");
    assert_eq!(note.signers().collect::<Vec<_>>(), [ORIGIN, "witness.example/w", "stranger.example"]);
    let cosigner = Cosigner::parse(&witness.vkey()).expect("a key");
    // A witness answers with its line alone; under a note it may stand among others.
    let text = String::from_utf8(note.to_bytes()).expect("text");
    let lines = text.split_once("\n\n").expect("lines").1;
    assert_eq!(cosigner.verify(text.as_bytes(), lines.as_bytes()).expect("holds").at.timestamp(), 1_700_000_000);
    assert!(note::is_signed(&note, &vkey(&log, KeyKind::Ed25519)).expect("holds"));
    assert!(!note::is_signed(&note, &vkey(&log, KeyKind::Cosignature)).expect("another id"));
    assert!(!note::is_signed(&note, &vkey(&stranger, KeyKind::Ed25519)).expect("another name"));
    assert!(!note::is_signed(&note, &witness.vkey().parse().expect("a key")).expect("not the log's to judge"));

    let line = text.lines().find(|line| line.contains("witness")).expect("its line");
    for (bit, changed) in flips(format!("{line}\n").as_bytes()) {
        assert!(cosigner.verify(text.as_bytes(), &changed).is_err(), "bit {bit} was accepted");
    }
}

#[tokio::test]
async fn one_bad_signature_of_a_known_key_refuses_the_note() {
    let signer = key(1);
    let (good, other) = (checkpoint(&signer, 5, [9; 32]).await, checkpoint(&signer, 6, [8; 32]).await);
    let line = String::from_utf8(other.to_bytes()).expect("text").lines().last().expect("a line").to_owned();
    let mixed = format!("{}{line}\n", String::from_utf8(good.to_bytes()).expect("text"));
    let note = Note::parse(mixed.as_bytes()).expect("a note");
    assert!(matches!(note::is_signed(&note, &vkey(&signer, KeyKind::Ed25519)), Err(LedgerError::Unverified { .. })));
    assert!(good.merge(&other).is_err(), "signatures of another text are not merged");
}

#[test]
fn junk_is_no_note() {
    let line = "— a AAAAAAE=\n";
    assert!(Note::parse(format!("a\n\n{line}").as_bytes()).is_ok());
    let many = format!("a\n\n{}", line.repeat(65));
    let large = format!("{}\n\n{line}", "a".repeat(130 * 1024));
    for bad in [
        "",
        "\n",
        "a\n",
        "a\n\n",
        "a\n\n\n",
        "a\n— a AAAAAAE=\n",
        "a\t\n\n— a AAAAAAE=\n",
        "a\n\n— a AAAAAAE=",
        "a\n\n- a AAAAAAE=\n",
        "a\n\n— a+b AAAAAAE=\n",
        "a\n\n— a AAAA\n",
        &many,
        &large,
    ] {
        assert!(Note::parse(bad.as_bytes()).is_err(), "{:?}", bad.get(..40));
    }
    assert!(Note::parse(b"a\n\n\xff").is_err());
    assert!(Note::new("no newline".to_owned()).is_err());
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let root = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    let text = |size: &str| format!("{ORIGIN}\n{size}\n{root}\n");
    assert_eq!(Checkpoint::parse(&text("5")).expect("good").text(), text("5"));
    assert_eq!(Checkpoint::parse(&format!("{}more\n", text("0"))).expect("good").extensions, ["more"]);
    for bad in ["05", "+5", "-1", "", " 5", "5 ", "18446744073709551616", "٥"] {
        assert!(Checkpoint::parse(&text(bad)).is_err(), "{bad:?}");
    }
    for bad in [format!("\n5\n{root}\n"), format!("o\n5\n{root}"), format!("o\n5\n{root}\n\n"), "o\n5\nAAAA\n".to_owned(), "o\n5\n".to_owned()] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn every_bit_of_an_entry_counts() {
    let signer = key(1);
    let vkey = vkey(&signer, KeyKind::Ed25519);
    let envelope = Envelope::sign(ORIGIN, statement().to_bytes(), &[&signer]).await.expect("signed");
    let bytes = envelope.to_bytes();
    let read = Envelope::parse(&bytes).expect("an envelope");
    read.verify(&[&vkey]).expect("signed");
    assert_eq!(Statement::parse(read.payload()).expect("a statement"), statement());
    for (bit, changed) in flips(&bytes) {
        let verified = Envelope::parse(&changed).and_then(|envelope| envelope.verify(&[&vkey]));
        assert!(verified.is_err(), "bit {bit} was accepted");
    }
    let spaced = String::from_utf8(bytes).expect("text").replacen(':', ": ", 1);
    assert!(Envelope::parse(spaced.as_bytes()).is_err(), "another spelling of the same JSON");
    assert!(read.verify(&[]).is_err());
    assert!(read.verify(&[&vkey, &vkey]).is_err());
    assert!(read.verify(&[&self::vkey(&key(2), KeyKind::Ed25519)]).is_err());
}

#[tokio::test]
async fn an_oversize_entry_is_refused() {
    let result = Envelope::sign(ORIGIN, vec![b'x'; MAX_ENTRY], &[&key(1)]).await;
    assert!(matches!(result, Err(LedgerError::TooLarge { .. })));
}

#[test]
fn the_encoding_before_signing_is_dsses_example() {
    assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(PAYLOAD_TYPE, "application/vnd.in-toto+json");
}

#[test]
fn statements_have_the_in_toto_shape() {
    let value: serde_json::Value = serde_json::from_slice(&statement().to_bytes()).expect("JSON");
    let digest = Digest::of(b"manifest").to_string();
    let expected = serde_json::json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "runs/1/manifest.json", "digest": {"sha256": digest}}],
        "predicateType": "proofline:entry/run/v1", "predicate": {}});
    assert_eq!(value, expected);
    assert_eq!(statement().kind(), Some(Kind::Run));
    let subject = || Subject::new("a", Digest::of(b"a"));
    for bad in [vec![], vec![subject(), subject()], vec![Subject::new("", Digest::of(b""))], vec![Subject::new("n".repeat(513), Digest::of(b""))]] {
        assert!(Statement::new(Kind::Hold, bad, Map::new()).is_err());
    }
    for kind in Kind::ALL {
        let bytes = Statement::new(kind, vec![subject()], Map::new()).expect("good").to_bytes();
        assert_eq!(Statement::parse(&bytes).expect("good").kind(), Some(kind));
    }
}

#[tokio::test]
async fn every_bit_of_a_proof_counts() {
    let signer = key(1);
    let vkey = vkey(&signer, KeyKind::Ed25519);
    let (left, right) = (merkle::leaf(b"left"), merkle::leaf(b"right"));
    let note = checkpoint(&signer, 2, merkle::node(&left, &right)).await;
    let proof = Proof { index: 1, hashes: vec![left], note };
    let bytes = proof.to_bytes();
    let read = Proof::parse(&bytes).expect("a proof");
    assert_eq!(read, proof);
    assert_eq!(read.verify(b"right", &vkey).expect("included").size, 2);
    assert!(read.verify(b"left", &vkey).is_err());
    for (bit, changed) in flips(&bytes) {
        assert!(Proof::parse(&changed).and_then(|proof| proof.verify(b"right", &vkey)).is_err(), "bit {bit} was accepted");
    }
    let extra = String::from_utf8(bytes).expect("text").replacen("index", "extra AAAA\nindex", 1);
    assert_eq!(Proof::parse(extra.as_bytes()).expect("extra data is skipped"), proof);
    let single = Proof { index: 0, hashes: vec![], note: checkpoint(&signer, 1, left).await };
    Proof::parse(&single.to_bytes()).expect("a proof").verify(b"left", &vkey).expect("the only entry needs no hashes");
}

#[tokio::test]
async fn keys_are_read_and_written_as_pem_and_never_shown() {
    let signer = key(7);
    let pem = signer.to_pem().expect("encoded");
    let pem: &str = pem.as_ref();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let again = KeyFile::from_pem(pem).expect("read");
    assert_eq!(again.public_key(), signer.public_key());
    assert_eq!(again.sign(b"x").await.expect("signed"), signer.sign(b"x").await.expect("signed"), "the same key signs the same bytes");
    assert_eq!(format!("{again:?}"), "KeyFile { .. }");
    assert!(public_pem(&signer.public_key()).expect("encoded").starts_with("-----BEGIN PUBLIC KEY-----\n"));
    let body = pem.lines().nth(1).expect("a body");
    for bad in ["", "-----BEGIN PRIVATE KEY-----", &pem.replace("PRIVATE", "PUBLIC"), body] {
        let error = KeyFile::from_pem(bad).expect_err("no key");
        assert!(matches!(error, SignError::NotAKey) && !error.to_string().contains(body));
    }
}

#[test]
fn a_weak_key_signs_nothing() {
    // The neutral element and the all-zero signature satisfy the lax equation for every message.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(!verifies(&neutral, b"anything", &signature));
}

/// A key service that answers with another key's signature.
struct Impostor;

#[async_trait::async_trait]
impl Signer for Impostor {
    fn public_key(&self) -> [u8; 32] {
        key(1).public_key()
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        key(2).sign(message).await
    }
}

#[tokio::test]
async fn a_signers_wrong_answer_never_gets_out() {
    let result = Envelope::sign(ORIGIN, statement().to_bytes(), &[&Impostor]).await;
    assert!(matches!(result, Err(LedgerError::Sign(SignError::BadAnswer))));
}
