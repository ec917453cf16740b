//! A time stamp authority, asked over HTTP (RFC 3161, 3.4). What leaves is a digest and a nonce.
//!
//! The answer is returned as it came, to be archived so; `timestamp` says what it is worth.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use url::Url;

use crate::attest::AttestError;
use crate::attest::exchange::{Exchange, address};
use crate::attest::timestamp::{self, ANSWER_LIMIT, Claimed, Query};

/// One authority.
#[derive(Debug, Clone)]
pub struct Authority {
    exchange: Exchange,
    url: Url,
}

/// An answer that holds, and the bytes to archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The whole `TimeStampResp`, byte for byte; `openssl ts -verify -in` reads it.
    pub answer: Vec<u8>,
    /// What it says. Believe it by `Claimed::anchored`.
    pub claimed: Claimed,
}

impl Authority {
    /// An authority at `url`. Plain `http` will do: a token is signed, and a digest is no secret.
    ///
    /// # Errors
    /// `Setting` where the address cannot be asked.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, AttestError> {
        let url = address("the address of the time stamp authority", url)?;
        Ok(Self { exchange: Exchange::new(&url, timeout, ANSWER_LIMIT)?, url })
    }

    /// Has a digest stamped, once; whether to ask again or somebody else is the caller's to say.
    ///
    /// # Errors
    /// `Unreachable` or `Status` where no token came, `Declined` where the authority says no, else what `timestamp::check` finds.
    pub async fn stamp(&self, query: &Query) -> Result<Answered, AttestError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/timestamp-query"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/timestamp-reply"));
        let answer = self.exchange.post(&self.url, headers, query.to_der()?).await?;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        // Only what is plainly a page for people is refused by its type: authorities label tokens in more than one way.
        if answer.media_type().starts_with("text/") {
            return Err(AttestError::Malformed { what: "the answer", why: format!("it is a text ({}), not a time stamp", answer.media_type()) });
        }
        let claimed = timestamp::check(timestamp::token(&answer.body)?, query.expected())?;
        Ok(Answered { answer: answer.body, claimed })
    }
}
