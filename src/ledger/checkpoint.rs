//! A checkpoint's text, C2SP tlog-checkpoint: origin, tree size, root hash.
//!
//! Left out: the signatures under it, which are the note's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::ledger::note::{self, Note, Vkey};
use crate::ledger::{Hash, LedgerError};

const CHECKPOINT: &str = "checkpoint";

/// What a log commits to: of this size, with this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// RFC 9162 root over them.
    pub root: Hash,
    /// Opaque lines after the third; we write none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The checkpoint of a log; without extensions.
    #[must_use]
    pub fn new(origin: &str, size: u64, root: Hash) -> Self {
        Self { origin: origin.to_owned(), size, root, extensions: Vec::new() }
    }

    /// Reads a note's text. It is to be believed only after its note verified.
    ///
    /// # Errors
    /// `LedgerError::Malformed`.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let refuse = |why| LedgerError::malformed(CHECKPOINT, why);
        let body = text.strip_suffix('\n').ok_or_else(|| refuse("it does not end in a newline"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(refuse("it has fewer than three lines"));
        };
        let size = decimal(size).ok_or_else(|| refuse("the size is not a decimal number"))?;
        let root = hash(root).ok_or_else(|| refuse("the root is not a base64 SHA-256"))?;
        let extensions: Vec<_> = lines.map(str::to_owned).collect();
        if origin.is_empty() || extensions.iter().any(String::is_empty) {
            return Err(refuse("it has an empty line"));
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }

    /// The text, what is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let extensions: String = self.extensions.iter().map(|line| format!("{line}\n")).collect();
        format!("{}\n{}\n{}\n{extensions}", self.origin, self.size, BASE64.encode(self.root))
    }

    /// The checkpoint of a signed note, if `vkey` signed it and its origin is the key's name.
    ///
    /// # Errors
    /// `LedgerError::Malformed` or `LedgerError::Unverified`.
    pub fn verified(note: &Note, vkey: &Vkey) -> Result<Self, LedgerError> {
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin != vkey.name() {
            return Err(LedgerError::unverified(CHECKPOINT, "it is another log's"));
        }
        if note::is_signed(note, vkey)? { Ok(checkpoint) } else { Err(LedgerError::unverified(CHECKPOINT, "the log's key did not sign it")) }
    }
}

/// ASCII digits without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text == "0" || (!text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    if plain { text.parse().ok() } else { None }
}

/// Standard base64 of 32 bytes.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    BASE64.decode(text).ok()?.try_into().ok()
}

/// The base64 that checkpoints and proofs print.
#[must_use]
pub fn hash_text(hash: &Hash) -> String {
    BASE64.encode(hash)
}
