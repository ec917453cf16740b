//! Keeps a run's evidence while it is collected: bodies go to the store as they arrive, records stay in memory until the seal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::collect::archive::{Archive, ArchiveError, Kept, Previous};
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
    previous: BTreeMap<String, Previous>,
    answered: BTreeMap<Question, Previous>,
    exchanges: Mutex<Vec<Exchange>>,
}

impl RunArchive {
    /// An archive for a run that began at `started_at`, knowing what the newest of earlier runs received, as far as it was stored in the same month and had the same taken out of it.
    ///
    /// # Errors
    /// Where an earlier run cannot be read.
    pub async fn new(store: Arc<dyn Store>, started_at: DateTime<Utc>, earlier: Earlier<'_>, redaction: &Redaction) -> Result<Self, snapshot::SnapshotError> {
        let folder = shelf::folder(started_at);
        let mut known: BTreeMap<Digest, Body> = BTreeMap::new();
        let mut previous = BTreeMap::new();
        let mut answered = BTreeMap::new();
        for run in earlier.runs {
            let sealed = snapshot::open(store.as_ref(), run).await?;
            let bodies = snapshot::bodies(store.as_ref(), &sealed.manifest).await?;
            known.extend(bodies.into_iter().filter(|body| body.pack.starts_with(&folder)).map(|body| (body.sha256, body)));
            // A 304 would stand for a body from which something else was taken out.
            if sealed.manifest.redaction.as_ref() != Some(redaction) {
                continue;
            }
            let exchanges = snapshot::requests(store.as_ref(), &sealed.manifest).await?;
            let answers = exchanges.into_iter().filter(|exchange| known.contains_key(&exchange.sha256) && exchange.is_answer());
            let since = earlier.continues.filter(|(continued, _since)| continued == run).map(|(_continued, since)| *since);
            let (fresh, rest): (Vec<Exchange>, Vec<Exchange>) = answers.partition(|exchange| since.is_some_and(|since| exchange.received_at() >= since));
            answered.extend(fresh.iter().map(|exchange| {
                let question = (exchange.method, exchange.url.clone(), exchange.request_body);
                (question, earlier_answer(run, exchange.clone()))
            }));
            let tagged = fresh.into_iter().chain(rest).filter(|exchange| exchange.method == Method::Get && exchange.headers.contains_key("etag"));
            previous.extend(tagged.map(|exchange| (exchange.url.clone(), earlier_answer(run, exchange))));
        }
        Ok(Self { shelf: Shelf::new(store, started_at, known.into_values())?, previous, answered, exchanges: Mutex::default() })
    }

    /// The records so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores what is not stored yet, with `also` beside what the records name, and says where each body lies.
    ///
    /// # Errors
    /// Where a pack cannot be stored.
    pub async fn place(&self, also: impl IntoIterator<Item = Digest>) -> Result<Vec<Body>, BodyError> {
        let exchanges = self.exchanges();
        let named = exchanges.iter().flat_map(|exchange| [Some(exchange.sha256), exchange.request_body]).flatten();
        self.shelf.place(named.chain(also)).await
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

    fn record(&self, exchange: Exchange) {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    fn also_asked_by(&self, operation: &str, subject: &str, page: Option<u32>, kind: &'static str) {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = exchanges.iter_mut().rev().find(|e| e.operation == operation && e.subject == subject && e.page.map(|mark| mark.number) == page);
        if let Some(exchange) = asked
            && !exchange.asked_by.iter().any(|there| there == kind)
        {
            exchange.asked_by.push(kind.to_owned());
        }
    }

    fn previous(&self, url: &str) -> Option<Previous> {
        self.previous.get(url).cloned()
    }

    fn answered(&self, method: Method, url: &str, request_body: Option<&Digest>) -> Option<Previous> {
        self.answered.get(&(method, url.to_owned(), request_body.copied())).cloned()
    }
}
