//! What a whole HTTP answer amounts to: the source's answer, a refusal, trouble that may pass, or a rate limit.
//! Pure, and over recorded headers and stored bytes only, so that the same reading can be made again offline.
//!
//! Left out on purpose: waiting and asking again (`transport`), what the fields of a usable answer mean (the kinds), broken connections (there is no answer to read).

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;

use crate::collect::answer::refused::refused;
use crate::collect::attachment;
use crate::model::{Exchange, Gap, GapCause};

mod graphql;
mod refused;

/// A whole answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// What was asked about what, e.g. `orgs/get for acme`; opens the gap's sentence.
    pub asked: &'a str,
    /// Path and query of the request; `…/graphql` answers are read as GraphQL.
    pub target: &'a str,
    /// HTTP status; 200 for a re-validated body.
    pub status: u16,
    /// Recorded headers, lower case.
    pub headers: &'a BTreeMap<String, String>,
    /// The whole body.
    pub body: &'a [u8],
}

/// What an answer amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The source's answer.
    Usable,
    /// No, and asking again would not help.
    Refused(Gap),
    /// The source is in trouble; asking again may help, but not before the given time has passed.
    Busy(Gap, Duration),
    /// A rate limit.
    Limited(Limit),
}

/// A rate limit, as the source describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What it holds back.
    pub reach: Reach,
    /// When it ends.
    pub lifts: Lifts,
    /// The gap that it leaves where nobody waits for its end.
    pub gap: Gap,
}

/// What a rate limit holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Requests that draw on the same allowance (GitHub counts REST and GraphQL apart).
    Allowance,
    /// Every request to the host.
    Host,
}

/// When a rate limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifts {
    /// So long after the answer.
    In(Duration),
    /// At this moment of the source's clock.
    At(DateTime<Utc>),
    /// The source does not say.
    Unsaid,
}

/// Why a recorded exchange is not the source's answer, read again from its stored body; none where it is.
/// Unlike `evidence::refusal` it sees the body, and with it disabled services, missing permissions and GraphQL errors.
#[must_use]
pub fn gap_in(exchange: &Exchange, body: &[u8]) -> Option<Gap> {
    let asked = format!("{} for {}", exchange.operation, exchange.subject);
    let (Some(status), true) = (exchange.status, exchange.error.is_none() || !body.is_empty()) else {
        let why = exchange.error.as_deref().unwrap_or("no answer");
        return Some(Gap::told(GapCause::Unanswered, &format!("{asked}: {why}")));
    };
    let status = if exchange.revalidates.is_some() { 200 } else { status };
    let headers = exchange.headers.to_map();
    let answer = Answer { asked: &asked, target: &exchange.url, status, headers: &headers, body };
    let reading = if exchange.operation == attachment::OPERATION { answer.read_file() } else { answer.read() };
    match (reading, &exchange.error) {
        (Reading::Refused(gap) | Reading::Busy(gap, _) | Reading::Limited(Limit { gap, .. }), _) => Some(gap),
        (Reading::Usable, Some(error)) => Some(Gap::new(GapCause::Malformed, format!("{asked}: {error}"))),
        (Reading::Usable, None) => None,
    }
}

/// True where asking again would bring nothing more than this usable answer to `target`: it is no GraphQL answer with errors that may pass.
#[must_use]
pub fn is_settled(target: &str, body: &[u8]) -> bool {
    target != "/graphql" || graphql::is_settled(body)
}

impl Answer<'_> {
    /// Reads the answer.
    #[must_use]
    pub fn read(&self) -> Reading {
        match self.status {
            202 => self.busy(),
            200..=299 => self.read_body(),
            403 | 429 if self.is_limited() => self.limited(),
            408 | 500 | 502 | 503 | 504 => self.busy(),
            _ => Reading::Refused(refused(self)),
        }
    }

    /// Reads the answer of who was asked for a file: whatever it holds is the file.
    #[must_use]
    pub fn read_file(&self) -> Reading {
        match self.status {
            200 => Reading::Usable,
            201..=299 => Reading::Refused(Gap::new(GapCause::Malformed, format!("{} answered {} and no file", self.asked, self.status))),
            _ => self.read(),
        }
    }

    /// Why a usable GraphQL answer has holes that one to a smaller question would not have: the source ran out of time or of what it allows one query.
    #[must_use]
    pub fn cut_short(&self) -> Option<Gap> {
        if self.path().ends_with("/graphql") { graphql::cut_short(self) } else { None }
    }

    /// The allowance is used up although this answer came through: when the next request may be sent.
    /// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
    #[must_use]
    pub fn used_up(&self) -> Option<Lifts> {
        (self.header("x-ratelimit-remaining") == Some("0")).then(|| self.reset()).flatten()
    }

    fn read_body(&self) -> Reading {
        if self.body.is_empty() && self.status != 200 {
            // 204 is an answer of its own, e.g. of `GET /repos/{owner}/{repo}/vulnerability-alerts`.
            return Reading::Usable;
        }
        if self.path().ends_with("/graphql") {
            return graphql::read(self);
        }
        match serde_json::from_slice::<IgnoredAny>(self.body) {
            Ok(_json) => Reading::Usable,
            Err(error) => {
                let detail = format!("{} answered {} with a body that is not JSON: {error}", self.asked, self.status);
                Reading::Refused(Gap::new(GapCause::Malformed, detail))
            }
        }
    }

    fn busy(&self) -> Reading {
        let gap = Gap::new(GapCause::Unanswered, format!("{} answered {}", self.asked, self.status));
        let not_before = match self.retry_after() {
            Some(Lifts::In(span)) => span,
            Some(Lifts::At(_) | Lifts::Unsaid) | None => Duration::ZERO,
        };
        Reading::Busy(gap, not_before)
    }

    fn limited(&self) -> Reading {
        let gap = Gap::new(GapCause::Unanswered, format!("{} was held back by a rate limit ({})", self.asked, self.status));
        let (reach, lifts) = match (self.retry_after(), self.used_up()) {
            (Some(lifts), _) => (Reach::Host, lifts),
            (None, Some(lifts)) => (Reach::Allowance, lifts),
            (None, None) => (Reach::Host, refused::retry_delay(self).map_or(Lifts::Unsaid, Lifts::In)),
        };
        Reading::Limited(Limit { reach, lifts, gap })
    }

    fn is_limited(&self) -> bool {
        self.status == 429 || self.header("retry-after").is_some() || self.header("x-ratelimit-remaining") == Some("0") || refused::speaks_of_a_rate_limit(self)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
    fn retry_after(&self) -> Option<Lifts> {
        let text = self.header("retry-after")?.trim();
        match text.parse() {
            Ok(seconds) => Some(Lifts::In(Duration::from_secs(seconds))),
            Err(_a_date) => Some(self.at(DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc))),
        }
    }

    fn reset(&self) -> Option<Lifts> {
        Some(self.at(DateTime::from_timestamp(self.header("x-ratelimit-reset")?.trim().parse().ok()?, 0)?))
    }

    /// Measured against the answer's own `date`, because our clock and the source's may differ.
    fn at(&self, at: DateTime<Utc>) -> Lifts {
        match self.date() {
            Some(date) => Lifts::In((at - date).to_std().unwrap_or_default()),
            None => Lifts::At(at),
        }
    }

    fn date(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc2822(self.header("date")?).ok().map(|date| date.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests;
