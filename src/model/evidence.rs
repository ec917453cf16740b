//! The record of one exchange with a source: where the bytes came from, and how.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::headers::Headers;
use crate::model::ids::RunId;

/// One request and its answer. A line of `requests.ndjson.zst`; the body is stored apart, under its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Position in the run's request file, from 1; 0 until the run is sealed.
    pub n: u32,
    /// What was asked, by the vendor's name for it, e.g. `orgs/get`, `graphql/repositories`, `cloudresourcemanager.projects.search`.
    pub operation: String,
    /// About what, e.g. `acme`, `acme/web`, `organizations/1234`; with `operation` and `page` it finds the exchange again.
    pub subject: String,
    /// The resource kinds that asked, sorted.
    pub asked_by: Vec<String>,
    /// GET or POST.
    pub method: Method,
    /// The whole URL, query included; never holds a credential.
    pub url: String,
    /// The API version asked for, e.g. `2022-11-28`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// SHA-256 of the request body (a GraphQL query and its variables), stored as a body too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Digest>,
    /// When the last attempt was sent, UTC.
    pub sent_at: DateTime<Utc>,
    /// Milliseconds from there to the last byte.
    pub took_ms: u64,
    /// How often it was sent, retries included.
    pub attempts: u32,
    /// Milliseconds spent waiting for rate limits and between attempts.
    #[serde(default)]
    pub waited_ms: u64,
    /// HTTP status of the last attempt; none where no answer came.
    pub status: Option<u16>,
    /// Why there is no usable answer, e.g. "the connection was closed before the whole body had come".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The answer's headers that matter, lower case: date, etag, last-modified, link, retry-after, request ids, scopes, rate limits. Never Set-Cookie or Authorization.
    pub headers: Headers,
    /// SHA-256 of the body as stored. After a 304: of the body that it re-validates.
    pub sha256: Digest,
    /// Bytes of that body.
    pub bytes: u64,
    /// Where the stored body differs from what was received: JSON pointers to what was taken out, `*` for any index; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
    /// Position in a paged listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageMark>,
    /// For a 304, and for what was taken over from a run that this one continues (no attempts): the exchange that first brought the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revalidates: Option<Revalidation>,
}

/// Page k of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageMark {
    /// From 1.
    pub number: u32,
    /// False where the answer names a next page; true where it names none; absent where that could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<bool>,
}

/// The earlier exchange that an exchange stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revalidation {
    /// Its run.
    pub run: RunId,
    /// Its number there.
    pub n: u32,
    /// When those bytes were received, UTC.
    pub received_at: DateTime<Utc>,
}

/// HTTP methods that a collector may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Reads with a body (GraphQL, `getIamPolicy`).
    Post,
}

/// Which API a request goes to. The base URL and the credential are the transport's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// GitHub's REST and GraphQL API.
    GitHub,
    /// GitHub's web pages, e.g. `github.com`, for the files that are attached there.
    GitHubFiles,
    /// The host of pictures that were attached long ago, which takes no credential.
    GitHubImages,
    /// A Google Cloud service by its short name, e.g. `cloudresourcemanager` (`cloudresourcemanager.googleapis.com`).
    Google(&'static str),
}

/// What the operation's name begins with where the answer was of no use on account of how much was asked for, so that less was asked for afterwards.
pub const TOO_MUCH: &str = "too-much/";

impl Exchange {
    /// True where less was asked for afterwards, so that this answer, which was of no use, is missed by nobody.
    #[must_use]
    pub fn was_too_much(&self) -> bool {
        self.operation.starts_with(TOO_MUCH)
    }

    /// True for a 2xx answer or a 304 whose body is known.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.error.is_none() && self.status.is_some_and(|s| (200..300).contains(&s) || s == 304)
    }

    /// When the bytes that this exchange stands for were received from the source, UTC.
    #[must_use]
    pub fn received_at(&self) -> DateTime<Utc> {
        self.revalidates.as_ref().map_or(self.sent_at, |earlier| earlier.received_at)
    }
}
