//! An `Api` over exchanges that were prepared beforehand, and the `Evidence` that they leave: for tests of kinds, without a network.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable, refusal};
use crate::collect::memory::Memory;
use crate::model::{Digest, Exchange, Gap, GapCause, Headers, Host, PageMark};

/// What a source answers to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status; none for a connection that broke.
    pub status: Option<u16>,
    /// Headers, lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// An answer without headers.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status: Some(status), headers: BTreeMap::new(), body: body.into() }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }
}

/// Operation, subject, page and URL: the order of a sealed run.
type Place = (String, String, u32, String);

/// An exchange, the body that was asked with, and the answer's.
type Kept = (Exchange, Option<Bytes>, Bytes);

/// Answers requests through a function and keeps what was exchanged, in the order that a sealed run has.
pub struct Replay<F> {
    answer: F,
    at: DateTime<Utc>,
    memory: Memory,
    kept: Mutex<BTreeMap<Place, Kept>>,
}

impl<F: Fn(&Request) -> Answer + Send + Sync> Replay<F> {
    /// Every exchange happens at `at`.
    pub fn new(at: DateTime<Utc>, answer: F) -> Self {
        Self { answer, at, memory: Memory::default(), kept: Mutex::new(BTreeMap::new()) }
    }

    /// The same, knowing what earlier runs knew.
    #[must_use]
    pub fn remembering(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// What was exchanged so far, numbered from 1.
    pub fn evidence(&self) -> ReplayedEvidence {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut operations: BTreeMap<String, Vec<Exchange>> = BTreeMap::new();
        let mut bodies = BTreeMap::new();
        for (n, (exchange, asked, body)) in (1..).zip(kept.values()) {
            operations.entry(exchange.operation.clone()).or_default().push(Exchange { n, ..exchange.clone() });
            bodies.extend(asked.iter().map(|asked| (Digest::of(asked), asked.clone())));
            bodies.insert(exchange.sha256, body.clone());
        }
        ReplayedEvidence { operations, bodies }
    }

    fn exchange(&self, request: &Request, answer: &Answer) -> Exchange {
        let host = match request.host {
            Host::GitHub => "api.github.com".to_owned(),
            Host::GitHubFiles => "github.com".to_owned(),
            Host::GitHubImages => "user-images.githubusercontent.com".to_owned(),
            Host::Google(service) => format!("{service}.googleapis.com"),
        };
        Exchange {
            n: 0,
            operation: request.operation.to_owned(),
            subject: request.subject.clone(),
            asked_by: vec![request.asked_by.to_owned()],
            method: request.method,
            url: format!("https://{host}{}", request.target),
            api_version: None,
            request_body: request.body.as_ref().map(|body| Digest::of(body)),
            sent_at: self.at,
            took_ms: 1,
            attempts: 1,
            waited_ms: 0,
            status: answer.status,
            error: answer.status.is_none().then(|| "the connection was closed".to_owned()),
            headers: Headers::from(&answer.headers),
            sha256: Digest::of(&answer.body),
            bytes: u64::try_from(answer.body.len()).unwrap_or(u64::MAX),
            redacted: Vec::new(),
            page: None,
            revalidates: None,
        }
    }
}

#[async_trait]
impl<F: Fn(&Request) -> Answer + Send + Sync> Api for Replay<F> {
    async fn send(&self, request: Request) -> Result<Reply, ApiError> {
        let answer = (self.answer)(&request);
        let mut exchange = self.exchange(&request, &answer);
        let too_much = request.divisible && matches!(answer.status, None | Some(408 | 500..));
        if too_much {
            exchange.operation = request.recorded_as_too_much();
        }
        let mut gap = (!exchange.is_answer()).then(|| refusal(&exchange));
        let mut next = None;
        if let Some((paging, number)) = request.page {
            exchange.page = Some(PageMark { number, last: None });
            if gap.is_none() {
                match paging.next(&answer.headers, &answer.body) {
                    Ok(named) => {
                        exchange.page = Some(PageMark { number, last: Some(named.is_none()) });
                        next = named;
                    }
                    Err(error) => gap = Some(Gap::new(GapCause::Malformed, error.to_string())),
                }
            }
        }
        let key = (exchange.operation.clone(), exchange.subject.clone(), exchange.page.map_or(0, |p| p.number), exchange.url.clone());
        let reply = Reply { status: answer.status, headers: answer.headers, body: answer.body.clone(), next, gap, too_much };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (exchange, request.body, answer.body));
        Ok(reply)
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// The evidence that a replay left.
#[derive(Debug, Clone, Default)]
pub struct ReplayedEvidence {
    operations: BTreeMap<String, Vec<Exchange>>,
    bodies: BTreeMap<Digest, Bytes>,
}

impl ReplayedEvidence {
    /// What a run leaves that stopped before the end of every listing: each goes on after the last page that was read.
    #[must_use]
    pub fn stopped(mut self) -> Self {
        for mark in self.operations.values_mut().flatten().filter_map(|exchange| exchange.page.as_mut()) {
            mark.last = mark.last.map(|_last| false);
        }
        self
    }
}

impl Evidence for ReplayedEvidence {
    fn operation(&self, operation: &str) -> &[Exchange] {
        self.operations.get(operation).map_or(&[], Vec::as_slice)
    }

    fn body(&self, exchange: &Exchange) -> Result<Bytes, Unreadable> {
        self.bodies.get(&exchange.sha256).cloned().ok_or_else(|| Unreadable {
            sha256: exchange.sha256,
            operation: exchange.operation.clone(),
            subject: exchange.subject.clone(),
            source: "no such body".into(),
        })
    }
}
