//! What is written down of a request: its bytes into the archive, its provenance into the run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use tokio::sync::SemaphorePermit;

use crate::collect::api::{ApiError, Request};
use crate::collect::archive::{ArchiveError, Previous};
use crate::collect::transport::Settled;
use crate::collect::transport::journey::{GITHUB_VERSION, Journey};
use crate::collect::transport::pace;
use crate::collect::transport::page::{self, Turn};
use crate::collect::transport::surroundings::Event;
use crate::collect::transport::wire::{Head, Received};
use crate::model::{Digest, Exchange, Gap, Headers, Host, PageMark};

/// Where a request ended, before it is recorded.
pub(super) struct Landing<'a> {
    pub(super) status: Option<u16>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) source: Source,
    pub(super) gap: Option<Gap>,
    /// True where less might have been answered.
    pub(super) too_much: bool,
    /// The next page, where this one may not be kept and yet says how to go on.
    pub(super) leads_on: Option<String>,
    /// Held until the body is kept, so that bodies in memory are bounded too.
    pub(super) permit: Option<SemaphorePermit<'a>>,
}

/// Where the body comes from.
pub(super) enum Source {
    /// This exchange, whole but for what was taken out.
    Fresh(Bytes, Vec<String>),
    /// An earlier exchange, re-validated by this one or taken over from a run that this one continues.
    Earlier(Bytes, Previous),
    /// There is none: nothing whole came, or it may not be kept.
    Nothing,
}

impl<'a> Landing<'a> {
    /// Nothing was sent.
    pub(super) fn unsent(gap: Gap) -> Self {
        Self { status: None, headers: BTreeMap::new(), source: Source::Nothing, gap: Some(gap), too_much: false, leads_on: None, permit: None }
    }

    /// Nothing whole came.
    pub(super) fn broken(head: Option<Head>, gap: Gap) -> Self {
        let status = head.as_ref().map(|head| head.status);
        let headers = head.unwrap_or_default().headers;
        Self { status, headers, source: Source::Nothing, gap: Some(gap), too_much: false, leads_on: None, permit: None }
    }

    /// A whole answer.
    pub(super) fn fresh(received: Received, gap: Option<Gap>) -> Self {
        let source = Source::Fresh(received.body, received.redacted);
        Self { status: Some(received.head.status), headers: received.head.headers, source, gap, too_much: false, leads_on: None, permit: None }
    }

    /// The same; less might have been answered.
    pub(super) fn too_much(self) -> Self {
        Self { too_much: true, ..self }
    }

    pub(super) fn holding(self, permit: Option<SemaphorePermit<'a>>) -> Self {
        Self { permit, ..self }
    }
}

impl Journey<'_> {
    /// Keeps the body, adds the record and says what it amounts to.
    pub(super) async fn settle(&self, landing: Landing<'_>) -> Result<(Settled, Bytes), ApiError> {
        let Landing { status, headers, source, gap, too_much, leads_on, permit } = landing;
        let too_much = too_much && self.request.divisible && gap.is_some();
        let cannot_keep = |error| archive_error(self.request, error);
        let error_without_body = matches!(source, Source::Nothing).then(|| gap.as_ref().map(Gap::to_string)).flatten();
        let (body, kept, redacted, revalidates) = match source {
            Source::Fresh(body, redacted) => (body.clone(), self.core.archive.keep(body).await.map_err(cannot_keep)?, redacted, None),
            Source::Earlier(body, previous) => (body, previous.kept, previous.redacted, Some(previous.origin)),
            Source::Nothing => (Bytes::new(), self.core.archive.keep(Bytes::new()).await.map_err(cannot_keep)?, Vec::new(), None),
        };
        drop(permit);
        let turn = if gap.is_none() { page::turn(self.request, &headers, &body, &self.core.addresses) } else { Turn::NoPage };
        let mut exchange = self.blank(if too_much { self.request.recorded_as_too_much() } else { self.request.operation.to_owned() }).await?;
        let turn = leads_on.clone().map_or(turn, Turn::Next);
        exchange.page = self.request.page.map(|(_, number)| turn.mark(number));
        exchange.error = error_without_body.or_else(|| error(status, gap.as_ref(), &turn));
        exchange.status = status;
        exchange.headers = Headers::from(&headers);
        exchange.sha256 = kept.sha256;
        exchange.bytes = kept.bytes;
        exchange.redacted = redacted;
        exchange.revalidates = revalidates;
        if too_much {
            let why = gap.as_ref().map(|gap| gap.detail.clone()).unwrap_or_default();
            self.core.tell(Event::Divided {
                host: pace::name(self.request.host),
                operation: self.request.operation,
                subject: self.request.subject.clone(),
                why,
            });
        }
        self.core.tell(Event::Answered {
            host: pace::name(self.request.host),
            operation: self.request.operation,
            subject: self.request.subject.clone(),
            status,
            bytes: exchange.bytes,
        });
        let exchange = Arc::new(exchange);
        self.core.archive.record(Arc::clone(&exchange));
        Ok((Settled { exchange, gap, too_much, leads_on }, body))
    }

    /// A redirect is an exchange of its own, under a name that no kind asks for.
    pub(super) async fn record_hop(&self, received: Received) -> Result<(), ApiError> {
        let kept = self.core.archive.keep(received.body).await.map_err(|error| archive_error(self.request, error))?;
        let mut exchange = self.blank(format!("redirect/{}", self.request.operation)).await?;
        exchange.page = self.request.page.map(|(_, number)| PageMark { number, last: None });
        exchange.status = Some(received.head.status);
        exchange.headers = Headers::from(&received.head.headers);
        exchange.sha256 = kept.sha256;
        exchange.bytes = kept.bytes;
        exchange.redacted = received.redacted;
        self.core.archive.record(Arc::new(exchange));
        Ok(())
    }

    /// The record without an answer. The request's body is kept like any other.
    async fn blank(&self, operation: String) -> Result<Exchange, ApiError> {
        let request_body = match &self.request.body {
            Some(body) => Some(self.core.archive.keep(body.clone()).await.map_err(|error| archive_error(self.request, error))?.sha256),
            None => None,
        };
        Ok(Exchange {
            n: 0,
            operation,
            subject: self.request.subject.clone(),
            asked_by: vec![self.request.asked_by.to_owned()],
            method: self.request.method,
            url: self.shown().to_string(),
            api_version: api_version(self.request.host, self.url.path()),
            request_body,
            sent_at: self.sent_at,
            took_ms: milliseconds(self.took.max(TimeDelta::zero()).to_std().unwrap_or_default()),
            attempts: self.attempts,
            waited_ms: milliseconds(self.waited),
            status: None,
            error: None,
            headers: Headers::default(),
            sha256: Digest::of(b""),
            bytes: 0,
            redacted: Vec::new(),
            page: None,
            revalidates: None,
        })
    }
}

/// Said wherever the status alone would let the exchange pass for an answer.
fn error(status: Option<u16>, gap: Option<&Gap>, turn: &Turn) -> Option<String> {
    if let Turn::Refused(gap) = turn {
        return Some(gap.to_string());
    }
    let passes_for_an_answer = status.is_none_or(|status| (200..300).contains(&status) || status == 304);
    gap.filter(|_| passes_for_an_answer).map(Gap::to_string)
}

/// Google's version is part of the path, e.g. `v3` of `/v3/projects:search` and of `/storage/v1/b`.
fn api_version(host: Host, path: &str) -> Option<String> {
    match host {
        Host::GitHub => Some(GITHUB_VERSION.to_owned()),
        Host::GitHubFiles | Host::GitHubImages => None,
        Host::Google(_) => {
            path.split('/').find(|part| part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))).map(str::to_owned)
        }
    }
}

pub(super) fn archive_error(request: &Request, error: ArchiveError) -> ApiError {
    ApiError::Archive { operation: request.operation, subject: request.subject.clone(), source: Box::new(error) }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
