//! The only way out: a request in, raw bytes and a provenance record back. How bytes travel is `transport`'s business, what they mean is the kinds'.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use crate::collect::memory::{self, Memory};
use crate::collect::paging::Paging;
use crate::model::evidence::TOO_MUCH;
use crate::model::{Gap, Host, Method};

/// A way to ask the world.
///
/// Within a run the same request (host, method, target, body) is sent once, whoever asks; all who ask share the exchange.
/// Not guaranteed: any order between requests.
#[async_trait]
pub trait Api: Send + Sync {
    /// Sends a request and records the exchange. A refusal, a server error or silence is a `Reply` with a `gap`, not an error.
    ///
    /// # Errors
    /// Only where collecting cannot go on: the evidence cannot be kept, or the run was interrupted.
    async fn send(&self, request: Request) -> Result<Reply, ApiError>;

    /// What earlier runs knew, for kinds that ask what became of it; nothing in a first run.
    fn memory(&self) -> &Memory {
        &memory::NOTHING
    }
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which API.
    pub host: Host,
    /// GET or POST.
    pub method: Method,
    /// Path and query, starting with `/`.
    pub target: String,
    /// JSON body of a POST.
    pub body: Option<Bytes>,
    /// The vendor's name for the operation, e.g. `orgs/get`.
    pub operation: &'static str,
    /// What it is about, e.g. `acme/web`.
    pub subject: String,
    /// The kind that asks.
    pub asked_by: &'static str,
    /// Set where the answer is one page of a listing: how the next is named, and which page this is, from 1.
    pub page: Option<(Paging, u32)>,
    /// True where whoever asks can ask for less at a time. An answer that is of no use for that is then recorded under a name of its own.
    pub divisible: bool,
}

/// What came back. Exactly one of these is true: `gap` is none and `body` is the source's answer, or `gap` says why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status; 200 for a re-validated body too.
    pub status: Option<u16>,
    /// The headers that were recorded.
    pub headers: BTreeMap<String, String>,
    /// The body as it is kept.
    pub body: Bytes,
    /// What names the next page: a target for `Paging::Link`, else a token or cursor. A page that came whole and may not be kept has a gap, and may have this too.
    pub next: Option<String>,
    /// Why this is not a usable answer.
    pub gap: Option<Gap>,
    /// True where a divisible request has no usable answer, and one for less may have: it took too long, was too large, or something in it may not be kept.
    pub too_much: bool,
}

/// Collecting cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The evidence could not be written or read back.
    #[error("the evidence of {operation} for {subject} could not be kept: {source}")]
    Archive {
        /// The operation.
        operation: &'static str,
        /// What it was about.
        subject: String,
        /// What the store says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Request {
    /// A GET of `target`.
    #[must_use]
    pub fn get(host: Host, target: impl Into<String>, operation: &'static str, subject: impl Into<String>, asked_by: &'static str) -> Self {
        Self { host, method: Method::Get, target: target.into(), body: None, operation, subject: subject.into(), asked_by, page: None, divisible: false }
    }

    /// A POST of a JSON `body` to `target`.
    #[must_use]
    pub fn post(mut self, body: impl Into<Bytes>) -> Self {
        self.method = Method::Post;
        self.body = Some(body.into());
        self
    }

    /// Marks the answer as page `number` of a listing.
    #[must_use]
    pub fn page(mut self, paging: Paging, number: u32) -> Self {
        self.page = Some((paging, number));
        self
    }

    /// Says that less can be asked for at a time.
    #[must_use]
    pub fn divisible(mut self) -> Self {
        self.divisible = true;
        self
    }

    /// The operation's name in the record of an answer that was too much.
    #[must_use]
    pub fn recorded_as_too_much(&self) -> String {
        format!("{TOO_MUCH}{}", self.operation)
    }
}
