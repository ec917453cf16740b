//! Keeps a run's evidence while it is collected: bodies go to the store as they arrive, records stay in memory until the seal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::collect::archive::{Archive, ArchiveError, Kept, OF_THE_BODY, Previous};
use crate::model::{Body, Digest, Exchange, Method, Redaction, Revalidation, RunId};
use crate::store::bodies::BodyError;
use crate::store::shelf::{self, Shelf};
use crate::store::{Store, snapshot};

/// What makes two requests of different runs the same: method, URL and body.
type Question = (Method, String, Option<Digest>);

/// What a run knows of those before it.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// Runs whose bodies may be re-validated, oldest first.
    pub runs: &'a [RunId],
    /// One of them, which could not finish: what it was answered since then is not asked again.
    pub continues: Option<&'a (RunId, DateTime<Utc>)>,
}

/// The archive of one run.
pub struct RunArchive {
    shelf: Shelf,
    answers: Answers,
    exchanges: Mutex<Vec<Arc<Exchange>>>,
}

/// What earlier runs were answered.
#[derive(Default)]
struct Answers {
    /// By the digest of the address, which is shorter than most: what may be re-validated.
    previous: BTreeMap<Digest, Previous>,
    /// What is taken over as it is.
    answered: BTreeMap<Question, Previous>,
}

impl Answers {
    /// Notes an answer; one that came at `since` or later is not asked for again.
    fn see(&mut self, run: &RunId, exchange: Exchange, since: Option<DateTime<Utc>>) {
        if since.is_some_and(|since| exchange.received_at() >= since) {
            let question = (exchange.method, exchange.url.clone(), exchange.request_body);
            self.answered.insert(question, earlier_answer(run, exchange.clone()));
        }
        if exchange.method == Method::Get && exchange.headers.get("etag").is_some() {
            let url = Digest::of(exchange.url.as_bytes());
            let answer = earlier_answer(run, exchange);
            self.previous.insert(url, Previous { headers: answer.headers.only(&OF_THE_BODY), ..answer });
        }
    }
}

impl RunArchive {
    /// An archive for a run that began at `started_at`, knowing what the newest of earlier runs received, as far as it was stored in the same month and had the same taken out of it.
    ///
    /// # Errors
    /// Where an earlier run cannot be read.
    pub async fn new(store: Arc<dyn Store>, started_at: DateTime<Utc>, earlier: Earlier<'_>, redaction: &Redaction) -> Result<Self, snapshot::SnapshotError> {
        let folder = shelf::folder(started_at);
        let mut known: BTreeMap<Digest, Body> = BTreeMap::new();
        // Thousands of bodies lie in one pack: its name is held once.
        let mut packs: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut answers = Answers::default();
        for run in earlier.runs {
            let sealed = snapshot::open(store.as_ref(), run).await?;
            let bodies = snapshot::bodies(store.as_ref(), &sealed.manifest).await?;
            for body in bodies.into_iter().filter(|body| body.pack.starts_with(&folder)) {
                packs.insert(Arc::clone(&body.pack));
                let pack = packs.get(&body.pack).map_or_else(|| Arc::clone(&body.pack), Arc::clone);
                known.insert(body.sha256, Body { pack, ..body });
            }
            // A 304 would stand for a body from which something else was taken out.
            if sealed.manifest.redaction.as_ref() != Some(redaction) {
                continue;
            }
            let since = earlier.continues.filter(|(continued, _since)| continued == run).map(|(_continued, since)| *since);
            // One by one: all at once they take more memory than all that is kept of them.
            let see = |exchange: Exchange| {
                let is_usable = known.contains_key(&exchange.sha256) && exchange.is_answer();
                is_usable.then(|| answers.see(run, exchange, since));
            };
            snapshot::each_request(store.as_ref(), &sealed.manifest, see).await?;
        }
        Ok(Self { shelf: Shelf::new(store, started_at, known.into_values())?, answers, exchanges: Mutex::default() })
    }

    /// The records, which are not kept here any longer: of a large organisation they are what takes most memory.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        let records = std::mem::take(&mut *self.exchanges.lock().unwrap_or_else(PoisonError::into_inner));
        records.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// Stores what is not stored yet, with `also` beside what the records name, and says where each body lies.
    ///
    /// # Errors
    /// Where a pack cannot be stored.
    pub async fn place(&self, also: impl IntoIterator<Item = Digest>) -> Result<Vec<Body>, BodyError> {
        let named: BTreeSet<Digest> = {
            let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
            exchanges.iter().flat_map(|exchange| [Some(exchange.sha256), exchange.request_body]).flatten().chain(also).collect()
        };
        self.shelf.place(named).await
    }

    /// Keeps a text that is no answer: a control file, the configuration.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub async fn keep_text(&self, text: &str) -> Result<Digest, BodyError> {
        self.shelf.keep(text.as_bytes()).await
    }
}

/// What a later run may stand on. Bodies of another month are asked for again, so that every month of evidence is complete by itself.
fn earlier_answer(run: &RunId, exchange: Exchange) -> Previous {
    let origin = exchange.revalidates.unwrap_or(Revalidation { run: run.clone(), n: exchange.n, received_at: exchange.sent_at });
    let kept = Kept { sha256: exchange.sha256, bytes: exchange.bytes };
    Previous { kept, redacted: exchange.redacted, origin, headers: exchange.headers }
}

#[async_trait]
impl Archive for RunArchive {
    async fn keep(&self, body: Bytes) -> Result<Kept, ArchiveError> {
        let failed = |source| ArchiveError { what: "storing the answer".to_owned(), source: Box::new(source) };
        let sha256 = self.shelf.keep(&body).await.map_err(failed)?;
        Ok(Kept { sha256, bytes: u64::try_from(body.len()).unwrap_or(u64::MAX) })
    }

    async fn body(&self, kept: &Kept) -> Result<Bytes, ArchiveError> {
        self.shelf.read(kept.sha256).await.map_err(|source| ArchiveError { what: "reading a stored answer".to_owned(), source: Box::new(source) })
    }

    fn record(&self, exchange: Arc<Exchange>) {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    fn also_asked_by(&self, operation: &str, subject: &str, page: Option<u32>, kind: &'static str) {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = exchanges.iter_mut().rev().find(|e| e.operation == operation && e.subject == subject && e.page.map(|mark| mark.number) == page);
        if let Some(exchange) = asked
            && !exchange.asked_by.iter().any(|there| there == kind)
        {
            Arc::make_mut(exchange).asked_by.push(kind.to_owned());
        }
    }

    fn previous(&self, url: &str) -> Option<Previous> {
        self.answers.previous.get(&Digest::of(url.as_bytes())).cloned()
    }

    fn answered(&self, method: Method, url: &str, request_body: Option<&Digest>) -> Option<Previous> {
        self.answers.answered.get(&(method, url.to_owned(), request_body.copied())).cloned()
    }
}
