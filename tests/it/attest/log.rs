//! A log as small as a test needs it: RFC 6962 trees over leaves in memory, and checkpoints signed with a key made on the spot (C2SP signed-note, tlog-checkpoint).
#![cfg(test)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use proofline::model::Digest;

pub(super) type Hash = [u8; 32];

/// A key that signs notes.
pub(crate) struct Key {
    pub(super) name: String,
    kind: u8,
    secret: SigningKey,
}

fn sha256(parts: &[&[u8]]) -> Hash {
    *Digest::of(&parts.concat()).as_bytes()
}

pub(crate) fn secret() -> SigningKey {
    SigningKey::from_bytes(&rand::random())
}

impl Key {
    /// Of a log: type 1.
    pub(super) fn of_log(name: &str) -> Self {
        Self { name: name.to_owned(), kind: 1, secret: secret() }
    }

    /// Of a witness: type 4.
    pub(crate) fn of_witness(name: &str) -> Self {
        Self { kind: 4, ..Self::of_log(name) }
    }

    fn typed(&self) -> Vec<u8> {
        [&[self.kind][..], self.secret.verifying_key().as_bytes()].concat()
    }

    pub(super) fn id(&self) -> [u8; 4] {
        sha256(&[self.name.as_bytes(), b"\n", &self.typed()])[..4].try_into().unwrap()
    }

    pub(crate) fn vkey(&self) -> String {
        let id: String = self.id().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}+{id}+{}", self.name, BASE64.encode(self.typed()))
    }

    /// A signature line over `message`, with `before` in front of the signature.
    pub(super) fn line(&self, message: &str, before: &[u8]) -> String {
        let signature = self.secret.sign(message.as_bytes()).to_bytes();
        format!("— {} {}\n", self.name, BASE64.encode([&self.id()[..], before, &signature].concat()))
    }

    /// A cosignature line at `time` over a checkpoint's text.
    pub(crate) fn cosign(&self, text: &str, time: u64) -> String {
        self.line(&format!("cosignature/v1\ntime {time}\n{text}"), &time.to_be_bytes())
    }
}

/// Leaves, whatever they are.
pub(super) fn leaves(count: usize, seed: &str) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("{seed} {n}").into_bytes()).collect()
}

fn root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0], leaf]),
        _ => {
            let (left, right) = leaves.split_at(half(leaves.len()));
            sha256(&[&[1], &root(left), &root(right)])
        }
    }
}

/// The largest power of two below `count`.
fn half(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// RFC 6962, 2.1.2: from the first `old` leaves to all.
pub(super) fn consistency(leaves: &[Vec<u8>], old: usize) -> Vec<Hash> {
    if old == 0 || old == leaves.len() { Vec::new() } else { within(leaves, old, Complete::Yes) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Complete {
    Yes,
    No,
}

fn within(leaves: &[Vec<u8>], old: usize, complete: Complete) -> Vec<Hash> {
    if old == leaves.len() {
        return if complete == Complete::Yes { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(half(leaves.len()));
    let (mut proof, last) =
        if old <= left.len() { (within(left, old, complete), root(right)) } else { (within(right, old - left.len(), Complete::No), root(left)) };
    proof.push(last);
    proof
}

/// The signed text of a checkpoint.
pub(super) fn text(origin: &str, leaves: &[Vec<u8>]) -> String {
    format!("{origin}\n{}\n{}\n", leaves.len(), BASE64.encode(root(leaves)))
}

/// A checkpoint signed by its log.
pub(super) fn checkpoint(key: &Key, leaves: &[Vec<u8>]) -> String {
    let text = text(&key.name, leaves);
    format!("{text}\n{}", key.line(&text, &[]))
}

/// The id of a key in base64, whatever key that is.
pub(super) fn id_of(name: &str, key: &str) -> String {
    sha256(&[name.as_bytes(), b"\n", &BASE64.decode(key).unwrap()])[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}
