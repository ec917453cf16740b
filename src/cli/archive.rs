//! Keeps a run's evidence while it is collected: bodies go to the store as they arrive, records stay in memory until the seal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::collect::archive::{Archive, ArchiveError, Kept, Previous};
use crate::model::{Digest, Exchange, Method, Revalidation, RunId};
use crate::store::{Store, bodies, snapshot};

/// The archive of one run.
pub struct RunArchive {
    store: Arc<dyn Store>,
    started_at: DateTime<Utc>,
    previous: BTreeMap<String, Previous>,
    kept: Mutex<BTreeMap<Digest, Kept>>,
    exchanges: Mutex<Vec<Exchange>>,
}

impl RunArchive {
    /// An archive for a run that began at `started_at`, knowing what the newest of `earlier` runs received, as far as it was stored in the same month.
    ///
    /// # Errors
    /// Where an earlier run cannot be read.
    pub async fn new(store: Arc<dyn Store>, started_at: DateTime<Utc>, earlier: &[RunId]) -> Result<Self, snapshot::SnapshotError> {
        let folder = bodies::folder(started_at);
        let mut previous = BTreeMap::new();
        for run in earlier {
            let sealed = snapshot::open(store.as_ref(), run).await?;
            let exchanges = snapshot::requests(store.as_ref(), &sealed.manifest).await?;
            previous.extend(exchanges.into_iter().filter_map(|exchange| revalidatable(run, exchange, &folder)));
        }
        Ok(Self { store, started_at, previous, kept: Mutex::default(), exchanges: Mutex::default() })
    }

    /// The records so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a later run may re-validate: a GET that was answered with an ETag and whose body lies in `folder`. Bodies of another month are asked for
/// again, so that every month of evidence is complete by itself.
fn revalidatable(run: &RunId, exchange: Exchange, folder: &str) -> Option<(String, Previous)> {
    let etag = exchange.headers.get("etag")?.clone();
    if exchange.method != Method::Get || !exchange.is_answer() || !exchange.object.starts_with(folder) {
        return None;
    }
    let origin = exchange.revalidates.unwrap_or(Revalidation { run: run.clone(), n: exchange.n, received_at: exchange.sent_at });
    let kept = Kept { sha256: exchange.sha256, bytes: exchange.bytes, object: exchange.object };
    Some((exchange.url, Previous { etag, kept, origin, headers: exchange.headers }))
}

#[async_trait]
impl Archive for RunArchive {
    async fn keep(&self, body: Bytes) -> Result<Kept, ArchiveError> {
        let digest = Digest::of(&body);
        let known = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some(kept) = known {
            return Ok(kept);
        }
        let stored = bodies::put(self.store.as_ref(), self.started_at, &body)
            .await
            .map_err(|source| ArchiveError { what: "storing the answer".to_owned(), source: Box::new(source) })?;
        let kept = Kept { sha256: stored.sha256, bytes: stored.bytes, object: stored.object };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, kept.clone());
        Ok(kept)
    }

    async fn body(&self, kept: &Kept) -> Result<Bytes, ArchiveError> {
        bodies::get(self.store.as_ref(), &kept.object, kept.sha256)
            .await
            .map_err(|source| ArchiveError { what: "reading a stored answer".to_owned(), source: Box::new(source) })
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
}
