//! Stage 3b: what makes the store tamper-evident: a signed, append-only Merkle log over `&dyn Store`.
//!
//! An entry is a DSSE envelope around an in-toto Statement that names what was sealed by SHA-256. Creating `log/entry/<n>` commits it; tiles and a signed
//! checkpoint follow. Formats are the public ones, so that tools we did not write can check them: C2SP tlog-tiles, tlog-checkpoint, signed-note, tlog-proof,
//! tlog-cosignature; DSSE v1; in-toto Statement v1; RFC 9162 tree hashing.
//!
//! Left out on purpose: what the sealed objects hold, where keys are kept, the clock, and who observes the log from outside.

pub mod checkpoint;
pub mod envelope;
pub mod identity;
pub mod keys;
pub mod log;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod prove;
pub mod replay;
pub mod signer;
pub mod statement;
pub mod tile;
pub mod verify;

use crate::model::note::NotANote;
use crate::store::StoreError;

/// A SHA-256 tree hash, RFC 9162 §2.1.
pub type Hash = [u8; 32];

/// The log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Bytes are not in the format they should be in.
    #[error("{what}: {why}")]
    Malformed {
        /// Which format.
        what: &'static str,
        /// What is wrong with them.
        why: &'static str,
    },
    /// A signature or proof does not hold.
    #[error("{what} does not verify: {why}")]
    Unverified {
        /// What was checked.
        what: &'static str,
        /// Why it was refused.
        why: &'static str,
    },
    /// The entry does not fit into the log.
    #[error("an entry of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// The envelope's size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The signer's key is not the one in force: never was, or was rotated away.
    #[error("the signing key {signer} is not the log's key in force, {expected}")]
    NotInForce {
        /// The signer's verifier key.
        signer: String,
        /// The one in force.
        expected: String,
    },
    /// There is no log here, or another one.
    #[error("store.json: {why}")]
    Identity {
        /// What is wrong.
        why: &'static str,
    },
    /// What is stored contradicts what was signed. Nothing was signed on top of it.
    #[error("refusing to sign: {object} contradicts checkpoint {size}")]
    Contradiction {
        /// The object, or a range of them.
        object: String,
        /// The newest verified checkpoint's size.
        size: u64,
    },
    /// An entry that was listed is not there.
    #[error("{object} was listed and cannot be read")]
    Lost {
        /// The object.
        object: String,
    },
    /// Something else has the name of the next checkpoint.
    #[error("{object} holds something that this log did not write; the checkpoint after the next entry takes its place")]
    Occupied {
        /// The object.
        object: String,
    },
    /// The store failed; the same call may be made again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signer failed; the same call may be made again.
    #[error(transparent)]
    Sign(#[from] signer::SignError),
}

impl From<NotANote> for LedgerError {
    fn from(NotANote { what, why }: NotANote) -> Self {
        Self::Malformed { what, why }
    }
}

impl LedgerError {
    pub(crate) fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why }
    }

    pub(crate) fn unverified(what: &'static str, why: &'static str) -> Self {
        Self::Unverified { what, why }
    }
}
