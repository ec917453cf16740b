//! Stored exchanges, as `extract` sees them.

use bytes::Bytes;

use crate::model::{Digest, Exchange, Gap, GapCause};

/// The sealed exchanges of one run, in memory as records, with bodies read on demand.
pub trait Evidence {
    /// The exchanges of an operation, ordered by subject, then page.
    fn operation(&self, operation: &str) -> &[Exchange];

    /// The stored body, verified against its digest.
    ///
    /// # Errors
    /// The body is missing or was changed.
    fn body(&self, exchange: &Exchange) -> Result<Bytes, Unreadable>;
}

/// Stored evidence that cannot be read back; always a reason to stop.
#[derive(Debug, thiserror::Error)]
#[error("the stored body {sha256} of {operation} ({subject}) cannot be read: {source}")]
pub struct Unreadable {
    /// The body.
    pub sha256: Digest,
    /// The operation that brought it.
    pub operation: String,
    /// What it was about.
    pub subject: String,
    /// What the store says.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl dyn Evidence + '_ {
    /// The stored body that was asked with, verified against its digest; none where the request had none.
    ///
    /// # Errors
    /// The body is missing or was changed.
    pub fn asked(&self, exchange: &Exchange) -> Result<Option<Bytes>, Unreadable> {
        exchange.request_body.map(|sha256| self.body(&Exchange { sha256, ..exchange.clone() })).transpose()
    }

    /// The exchanges of an operation about one subject, in page order.
    #[must_use]
    pub fn about(&self, operation: &str, subject: &str) -> &[Exchange] {
        let all = self.operation(operation);
        let start = all.partition_point(|exchange| exchange.subject.as_str() < subject);
        let rest = all.get(start..).unwrap_or_default();
        let end = rest.partition_point(|exchange| exchange.subject == subject);
        rest.get(..end).unwrap_or_default()
    }

    /// Why a listing about `subject` was not read to its end: nothing asked, a page without answer, a page that is missing, a last page that is not the last.
    /// None where all pages from the first to the last are there.
    #[must_use]
    pub fn listing_gap(&self, operation: &str, subject: &str) -> Option<Gap> {
        listing_gap(operation, subject, self.about(operation, subject))
    }
}

fn listing_gap(operation: &str, subject: &str, pages: &[Exchange]) -> Option<Gap> {
    let incomplete = |detail: String| Some(Gap::new(GapCause::Incomplete, detail));
    let Some(final_page) = pages.last() else {
        return incomplete(format!("{operation} was not asked for {subject}"));
    };
    for (expected, exchange) in (1_u32..).zip(pages) {
        if !exchange.is_answer() {
            return Some(refusal(exchange));
        }
        let number = exchange.page.map_or(1, |mark| mark.number);
        if number != expected {
            return incomplete(format!("page {expected} of {operation} for {subject} is missing"));
        }
    }
    match final_page.page {
        None => None,
        Some(mark) if mark.last == Some(true) => None,
        Some(mark) => incomplete(format!("{operation} for {subject} goes on after page {}, which is the last one read", mark.number)),
    }
}

/// True for an answer that came whole and was not kept, such as one that is too large or tells a credential.
#[must_use]
pub fn was_withheld(exchange: &Exchange) -> bool {
    let withheld = |error: &String| WITHHELD.iter().any(|words| error.contains(words));
    matches!(exchange.status, Some(200..=299)) && exchange.error.as_ref().is_some_and(withheld)
}

/// What the transport says of a whole answer that it did not keep.
const WITHHELD: &[&str] = &["is larger than", "was not stored", "was not kept", "came instead of the file"];

/// The gap that an exchange without a usable answer leaves.
#[must_use]
pub fn refusal(exchange: &Exchange) -> Gap {
    let asked = format!("{} for {}", exchange.operation, exchange.subject);
    if let Some(error) = &exchange.error {
        // What came whole and was not kept is not kept tomorrow either.
        let cause = if was_withheld(exchange) { GapCause::Malformed } else { GapCause::Unanswered };
        return Gap::told(cause, &format!("{asked}: {error}"));
    }
    let limited = exchange.headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0") || exchange.headers.get("retry-after").is_some();
    match exchange.status {
        Some(401 | 403) if limited => Gap::new(GapCause::Unanswered, format!("{asked}: the rate limit was not lifted in time")),
        Some(status @ (401 | 403 | 404)) => Gap::new(GapCause::Forbidden, format!("{asked} answered {status}")),
        Some(status @ (408 | 429 | 500..)) => Gap::new(GapCause::Unanswered, format!("{asked} answered {status}")),
        Some(status) => Gap::new(GapCause::Malformed, format!("{asked} answered {status}")),
        None => Gap::new(GapCause::Unanswered, format!("{asked}: no answer")),
    }
}
