//! Stage 3a: where bytes live. Objects are created once and never replaced or deleted; there is no verb for either
//! (`doctor` tries to delete an object of its own, to see that it cannot).
//!
//! Left out on purpose: what the bytes mean, and what makes them tamper-evident.

pub mod bodies;
pub mod check;
pub mod doctor;
pub mod gcs;
pub mod key;
pub mod local;
pub mod memory;
pub mod shelf;
pub mod snapshot;
pub mod spool;

use async_trait::async_trait;
use bytes::Bytes;

/// A place for objects. One contract test runs against every implementation.
///
/// Keys are relative paths of `[A-Za-z0-9._-]` segments joined by `/`; anything else is refused, so that a key can never leave the store.
/// Guaranteed: of any number of writers of one key exactly one creates it; after `put_new` returned `Created` or `Same`, `get` gives those bytes, also after a crash.
/// Not guaranteed: that `list` sees an object whose `put_new` has not returned.
#[async_trait]
pub trait Store: Send + Sync {
    /// Creates an object. An object that exists already is compared: the same bytes are `Same`, others an error.
    ///
    /// # Errors
    /// `StoreError`; on any error the key either does not exist or holds what it held before. The one exception is `Unavailable`: where only the answer
    /// was lost, the key may hold exactly `bytes`. Putting the same again is harmless and says `Same`.
    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError>;

    /// The object's bytes; none where there is no such object.
    ///
    /// # Errors
    /// `StoreError` where it cannot be told.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// All keys that start with `prefix`, sorted.
    ///
    /// # Errors
    /// `StoreError` where they cannot all be listed.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
}

/// What `put_new` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is new.
    Created,
    /// It was there already, byte for byte.
    Same,
}

/// A store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The key holds other bytes. Nothing is overwritten; this is a bug or tampering.
    #[error("{key} exists already with other bytes; nothing was overwritten")]
    Conflict {
        /// The key.
        key: String,
    },
    /// The key is not one.
    #[error("{key:?} is not an object name")]
    InvalidKey {
        /// The key, cut to 200 characters.
        key: String,
    },
    /// The medium failed: disk full, permission, network.
    #[error("{action} {key}: {source}")]
    Io {
        /// "write", "read" or "list".
        action: &'static str,
        /// The key or prefix.
        key: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The remote store said no, and will until a person does something.
    #[error("{action} {key}: Google Cloud answered {status}; {cure}")]
    Refused {
        /// "write", "read", "list", "inspect" or "delete".
        action: &'static str,
        /// The key, prefix or bucket.
        key: String,
        /// The HTTP status.
        status: u16,
        /// What to do.
        cure: String,
    },
    /// The remote store gave no usable answer, however often it was asked.
    #[error("{action} {key}: {why}; nothing was overwritten, so run the same command again later")]
    Unavailable {
        /// "write", "read", "list", "inspect" or "delete".
        action: &'static str,
        /// The key, prefix or bucket.
        key: String,
        /// What happened, in our words.
        why: String,
    },
    /// What was sent or received is not what its checksum says.
    #[error("{action} {key}: {why}")]
    Damaged {
        /// "write" or "read".
        action: &'static str,
        /// The key.
        key: String,
        /// What does not match.
        why: String,
    },
    /// An object larger than this store keeps in one piece.
    #[error("{key} has {bytes} bytes, and this store keeps at most {limit} in one object; collect fewer resources in one run, or keep evidence in a directory")]
    TooLarge {
        /// The key.
        key: String,
        /// Its length.
        bytes: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// The store cannot be used as configured.
    #[error("{0}")]
    Setup(String),
}
