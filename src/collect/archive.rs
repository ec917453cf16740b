//! What the transport needs of whoever keeps the evidence. `cli` implements it over a store.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::model::{Digest, Exchange, Method, Revalidation};

/// Keeps bodies and records while a run is under way.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Stores a body under its digest; storing the same bytes again is no error and costs nothing.
    ///
    /// # Errors
    /// The bytes could not be stored.
    async fn keep(&self, body: Bytes) -> Result<Kept, ArchiveError>;

    /// Reads a body back, verified against its digest.
    ///
    /// # Errors
    /// The body is missing, unreadable or not what its digest says.
    async fn body(&self, kept: &Kept) -> Result<Bytes, ArchiveError>;

    /// Adds a record to the run; shared with whoever asked, since a large run has a hundred thousand.
    fn record(&self, exchange: Arc<Exchange>);

    /// Says that one more kind asked for an exchange that is already recorded (same operation, subject and page).
    fn also_asked_by(&self, operation: &str, subject: &str, page: Option<u32>, kind: &'static str);

    /// What an earlier run knows of the same URL; only bodies that are still readable.
    fn previous(&self, url: &str) -> Option<Previous>;

    /// The answer that the run which this one continues had to the same request: it need not be asked again.
    fn answered(&self, method: Method, url: &str, request_body: Option<&Digest>) -> Option<Previous>;
}

/// The headers that describe a body rather than its transfer. A 304 may leave them out (RFC 9110, 15.4.5), so they are those of an earlier answer that still count.
pub const OF_THE_BODY: [&str; 4] = ["content-type", "etag", "last-modified", "link"];

/// A stored body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of the body.
    pub sha256: Digest,
    /// Its length.
    pub bytes: u64,
}

/// An earlier answer: a 2xx, or the 200 behind an earlier 304.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The body.
    pub kept: Kept,
    /// Where something was taken out of the body before it was kept.
    pub redacted: Vec<String>,
    /// The exchange that brought it.
    pub origin: Revalidation,
    /// The headers recorded then, `etag` among them where there was one: a 304 may leave out `link`.
    pub headers: crate::model::Headers,
}

/// A body could not be kept or read back.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct ArchiveError {
    /// What was tried.
    pub what: String,
    /// What the store says.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Previous {
    /// When the bytes were received.
    #[must_use]
    pub fn received_at(&self) -> DateTime<Utc> {
        self.origin.received_at
    }
}
