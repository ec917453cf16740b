//! `Api` over the real network: credentials, pace, retries, re-validation, paging, and a record of every exchange.
//!
//! The only place that knows octocrab, reqwest and google-cloud-auth. Left out on purpose: what an answer means (`answer`, and the kinds), where bytes live (`Archive`).
//!
//! | file | noun |
//! |---|---|
//! | `settings`, `surroundings` | what it is told, and what it needs around it |
//! | `address` | where requests may go |
//! | `keyring`, `app`, `google` | who asks |
//! | `pace`, `quota` | how fast |
//! | `wire` | one request and its whole answer |
//! | `journey` | a request from the first attempt to its end |
//! | `earlier` | the same where an earlier run was answered |
//! | `file` | the same for files that people attached |
//! | `record`, `page` | what is written down of it |
//! | `desk` | the one place that writes: the issues of tasks |

mod address;
mod app;
mod desk;
mod earlier;
mod file;
mod google;
mod journey;
mod keyring;
mod pace;
mod page;
mod quota;
mod record;
mod settings;
mod surroundings;
mod wire;

pub use desk::{Board, Desk, DeskError, Draft, OpenedIssue};
pub use keyring::GITHUB;
pub use settings::{Credentials, GitHubCredential, GoogleAccount, GoogleCredential, GooglePace, Settings, TransportError};
pub use surroundings::{Clock, Event, Stop, Stopper, Surroundings};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::OnceCell;
use url::Url;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::archive::{Archive, Kept};
use crate::collect::memory::Memory;
use crate::collect::redact::{Policy, Redactor};
use crate::collect::transport::address::Addresses;
use crate::collect::transport::journey::Journey;
use crate::collect::transport::keyring::Keyring;
use crate::collect::transport::pace::Pace;
use crate::collect::transport::page::Turn;
use crate::collect::transport::record::archive_error;
use crate::collect::transport::wire::{Proxies, Wire};
use crate::model::{Digest, Exchange, Gap, GapCause, Host, Method};

/// Asks GitHub and Google Cloud over the network.
///
/// Bodies are not held: whoever asks what was asked before reads the body back from the archive. Records and headers of a run's exchanges are.
pub struct Transport {
    core: Core,
    settled: Mutex<BTreeMap<Key, Arc<OnceCell<Settled>>>>,
    memory: Memory,
}

/// What makes two requests the same: host, method, target and body.
type Key = (Host, Method, String, Option<Digest>);

/// An exchange that is over and recorded.
#[derive(Debug, Clone)]
struct Settled {
    exchange: Arc<Exchange>,
    gap: Option<Gap>,
    too_much: bool,
    leads_on: Option<String>,
}

impl Settled {
    /// What the operation is called in its record.
    fn name(&self, request: &Request) -> String {
        if self.too_much { request.recorded_as_too_much() } else { request.operation.to_owned() }
    }
}

/// What all requests of a run share.
struct Core {
    settings: Settings,
    addresses: Addresses,
    keyring: Keyring,
    pace: Pace,
    wire: Wire,
    archive: Arc<dyn Archive>,
    around: Surroundings,
    redactor: Redactor,
}

impl Transport {
    /// Sets the transport up; nothing is sent yet. Must be called on a tokio runtime, where it stays.
    ///
    /// # Errors
    /// A base URL, a credential or the runtime cannot be used.
    pub fn new(settings: Settings, credentials: Credentials, archive: Arc<dyn Archive>, around: Surroundings) -> Result<Self, TransportError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(TransportError::NoRuntime);
        }
        let (github, google) = keyring::travels(&credentials);
        let addresses = Addresses::new(&settings, github, google)?;
        let wire = Wire::new(&settings, if addresses.are_local() { Proxies::Bypassed } else { Proxies::Allowed })?;
        let keyring = Keyring::new(credentials, &settings, wire.client())?;
        let redactor = Redactor::new(Policy::shipped()?, None);
        let core = Core { pace: Pace::new(&settings), settings, addresses, keyring, wire, archive, around, redactor };
        Ok(Self { core, settled: Mutex::default(), memory: Memory::default() })
    }

    /// Who has asked each source so far, as the credentials say it: `App 7` for GitHub, an address for Google Cloud; nobody where none was sent.
    #[must_use]
    pub fn identities(&self) -> BTreeMap<String, String> {
        self.core.keyring.identities()
    }

    /// The same, taking out of answers what another policy says; without this, what the shipped one says.
    #[must_use]
    pub fn redacting(mut self, redactor: Redactor) -> Self {
        self.core.redactor = redactor;
        self
    }

    /// The same, knowing what earlier runs knew.
    #[must_use]
    pub fn remembering(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    async fn ask(&self, request: Request) -> Result<Reply, ApiError> {
        let url = match self.core.addresses.url(request.host, &request.target) {
            Ok(url) => url,
            Err(misdirected) => return Ok(unasked(&request, &misdirected.to_string())),
        };
        if self.core.would_tell(&url, &request) {
            return Ok(unasked(&request, "what it is called looks like a credential"));
        }
        let cell = self.cell(&request);
        let mut fresh = None;
        let settled = cell
            .get_or_try_init(|| async {
                let mut journey = Journey::new(&self.core, &request, url);
                let landing = journey.travel().await?;
                let (settled, body) = journey.settle(landing).await?;
                fresh = Some(body);
                Ok(settled)
            })
            .await?;
        let body = match fresh {
            Some(body) => body,
            None => self.share(&request, settled).await?,
        };
        Ok(self.reply(&request, settled, body))
    }

    fn cell(&self, request: &Request) -> Arc<OnceCell<Settled>> {
        let key = (request.host, request.method, request.target.clone(), request.body.as_ref().map(|body| Digest::of(body)));
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(settled.entry(key).or_default())
    }

    /// Somebody asks what was asked before.
    async fn share(&self, request: &Request, settled: &Settled) -> Result<Bytes, ApiError> {
        let exchange = &settled.exchange;
        self.core.tell(Event::Shared { operation: request.operation, subject: request.subject.clone() });
        let page = request.page.map(|(_, number)| number);
        let same_name = exchange.operation == settled.name(request) && exchange.subject == request.subject && exchange.page.map(|mark| mark.number) == page;
        let kept = Kept { sha256: exchange.sha256, bytes: exchange.bytes };
        let body = if kept.bytes == 0 { Bytes::new() } else { self.core.archive.body(&kept).await.map_err(|error| archive_error(request, error))? };
        if same_name {
            self.core.archive.also_asked_by(&exchange.operation, &exchange.subject, page, request.asked_by);
        } else {
            self.record_again(request, settled, &body);
        }
        Ok(body)
    }

    /// The same exchange under another name, so that whoever looks for that name finds it. No attempts: nothing was sent for it.
    fn record_again(&self, request: &Request, settled: &Settled, body: &Bytes) {
        let mut exchange = Exchange::clone(&settled.exchange);
        exchange.operation = settled.name(request);
        exchange.subject.clone_from(&request.subject);
        exchange.asked_by = vec![request.asked_by.to_owned()];
        exchange.attempts = 0;
        exchange.waited_ms = 0;
        exchange.page = request.page.map(|(_, number)| self.turn(request, settled, body).mark(number));
        self.core.archive.record(Arc::new(exchange));
    }

    fn turn(&self, request: &Request, settled: &Settled, body: &[u8]) -> Turn {
        if settled.gap.is_some() { Turn::NoPage } else { page::turn(request, &settled.exchange.headers.to_map(), body, &self.core.addresses) }
    }

    fn reply(&self, request: &Request, settled: &Settled, body: Bytes) -> Reply {
        let turn = settled.leads_on.clone().map_or_else(|| self.turn(request, settled, &body), Turn::Next);
        let (next, turned) = match turn {
            Turn::NoPage | Turn::Last => (None, None),
            Turn::Next(next) => (Some(next), None),
            Turn::Untold(gap) | Turn::Refused(gap) => (None, Some(gap)),
        };
        // A 304 stands for the 200 that it re-validates.
        let status = if settled.exchange.revalidates.is_some() { Some(200) } else { settled.exchange.status };
        Reply { status, headers: settled.exchange.headers.to_map(), body, next, gap: settled.gap.clone().or(turned), too_much: settled.too_much }
    }
}

#[async_trait]
impl Api for Transport {
    async fn send(&self, request: Request) -> Result<Reply, ApiError> {
        tokio::select! {
            biased;
            () = self.core.around.stop.given() => Err(ApiError::Interrupted),
            reply = self.ask(request) => reply,
        }
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl Core {
    fn tell(&self, event: Event) {
        (self.around.observer)(event);
    }

    /// True where a header repeats a credential of this run.
    fn repeats(&self, headers: &BTreeMap<String, String>) -> bool {
        headers.values().any(|value| self.keyring.is_told_by(value.as_bytes()))
    }

    /// True where a header holds a credential, whoever's it is.
    fn tells(&self, headers: &BTreeMap<String, String>) -> bool {
        self.repeats(headers) || headers.values().any(|value| self.redactor.is_told_by(value))
    }

    /// True where the address or the body of a request would put a credential on record that a source had put there.
    fn would_tell(&self, url: &Url, request: &Request) -> bool {
        let body = request.body.as_deref().map(String::from_utf8_lossy);
        self.redactor.is_told_by(url.as_str()) || body.is_some_and(|body| self.redactor.is_told_by(&body))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("settings", &self.core.settings).field("keyring", &self.core.keyring).finish_non_exhaustive()
    }
}

/// A name that a source chose makes nothing that could be asked: no address below the API, or one that may not be written down.
fn unasked(request: &Request, why: &str) -> Reply {
    let detail = format!("{} for {} was not asked: {why}", request.operation, request.subject);
    Reply { status: None, headers: BTreeMap::new(), body: Bytes::new(), next: None, gap: Some(Gap::new(GapCause::Malformed, detail)), too_much: false }
}
