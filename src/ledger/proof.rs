//! A `.tlog-proof` file: an entry's index, its inclusion proof and the signed checkpoint, C2SP tlog-proof v1. Verifies without the store.
//!
//! Left out: the entry itself, which is the verifier's to bring.

use crate::ledger::checkpoint::{self, Checkpoint};
use crate::ledger::merkle;
use crate::ledger::note::{Note, Vkey};
use crate::ledger::{Hash, LedgerError};

const PROOF: &str = "tlog-proof";
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^63 leaves needs no more.
const MAX_HASHES: usize = 63;

/// That an entry is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The entry's index.
    pub index: u64,
    /// Siblings from the leaf up.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, verbatim, cosignatures included.
    pub note: Note,
}

impl Proof {
    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes: String = self.hashes.iter().map(|hash| format!("{}\n", checkpoint::hash_text(hash))).collect();
        let mut bytes = format!("{HEADER}\nindex {}\n{hashes}\n", self.index).into_bytes();
        bytes.extend(self.note.to_bytes());
        bytes
    }

    /// Reads a file. Its `extra` line, which nothing authenticates, is skipped.
    ///
    /// # Errors
    /// `LedgerError::Malformed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let refuse = |why| LedgerError::malformed(PROOF, why);
        let text = std::str::from_utf8(bytes).map_err(|_source| refuse("it is not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or_else(|| refuse("it has no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(refuse("it is of another version"));
        }
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(checkpoint::decimal).ok_or_else(|| refuse("it has no index"))?;
        let hashes: Option<Vec<_>> = lines.map(checkpoint::hash).collect();
        let hashes = hashes.filter(|hashes| hashes.len() <= MAX_HASHES).ok_or_else(|| refuse("a hash is not one, or there are too many"))?;
        Ok(Self { index, hashes, note: Note::parse(note.as_bytes())? })
    }

    /// Checks that `entry` is in the log of `vkey`, and gives the checkpoint that says so.
    ///
    /// # Errors
    /// `LedgerError::Malformed` or `LedgerError::Unverified`.
    pub fn verify(&self, entry: &[u8], vkey: &Vkey) -> Result<Checkpoint, LedgerError> {
        let checkpoint = Checkpoint::verified(&self.note, vkey)?;
        merkle::verify_inclusion(&merkle::leaf(entry), self.index, (checkpoint.size, &checkpoint.root), &self.hashes)?;
        Ok(checkpoint)
    }
}
