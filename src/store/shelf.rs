//! Where a run puts its bodies: each once, packed frame by frame into a few large objects.
//!
//! ```text
//! packs/<yyyy-mm>/<sha256 of the object>.zpack    zstd frames one after another, one body a frame; `zstd -dc` prints them all
//! ```
//!
//! A body that a run of the same calendar month (UTC) stored already is not stored again: its place is known from that run. Never from an earlier month:
//! retention counts from an object's creation, so every month of evidence must be complete by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::model::{Body, Digest};
use crate::store::Store;
use crate::store::bodies::{self, BodyError};
use crate::store::spool::Spool;

/// A pack is closed before it would grow beyond this: 12 MiB. Google Cloud Storage then takes it in a single request.
pub const MAX_PACK: usize = 12 << 20;

/// Takes the bodies of one run.
pub struct Shelf {
    store: Arc<dyn Store>,
    folder: String,
    spool: Spool,
    /// What a message calls a frame that no pack holds yet.
    ours: Arc<str>,
    inner: Mutex<Inner>,
    /// Held by whoever brings a pack: many readers want the same one at once, and each copy would be whole in memory.
    bringing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    /// Bodies that lie in a pack, of this run or an earlier one.
    placed: BTreeMap<Digest, Body>,
    open: Pack,
}

/// Frames that are not stored yet.
#[derive(Default)]
struct Pack {
    bytes: Vec<u8>,
    frames: Vec<Body>,
}

/// The folder of packs stored at `at`, e.g. `packs/2026-11/`.
#[must_use]
pub fn folder(at: DateTime<Utc>) -> String {
    at.format("packs/%Y-%m/").to_string()
}

impl Shelf {
    /// An empty shelf for a run at `at`. `known` are bodies of earlier runs; those of another month are passed over.
    ///
    /// # Errors
    /// Where no temporary file can be made.
    pub fn new(store: Arc<dyn Store>, at: DateTime<Utc>, known: impl IntoIterator<Item = Body>) -> Result<Self, BodyError> {
        let folder = folder(at);
        let placed = known.into_iter().filter(|body| body.pack.starts_with(&folder)).map(|body| (body.sha256, body)).collect();
        Ok(Self {
            store,
            folder,
            spool: Spool::new()?,
            ours: Arc::from("a body of this run"),
            inner: Mutex::new(Inner { placed, open: Pack::default() }),
            bringing: tokio::sync::Mutex::default(),
        })
    }

    /// True where the body lies in a pack of this month or is waiting for one.
    #[must_use]
    pub fn holds(&self, sha256: Digest) -> bool {
        self.spool.holds(sha256) || self.inner.lock().unwrap_or_else(PoisonError::into_inner).placed.contains_key(&sha256)
    }

    /// Takes a body. Bytes that are here already cost nothing.
    ///
    /// # Errors
    /// `BodyError` where it is too large, or a pack cannot be stored.
    pub async fn keep(&self, body: &[u8]) -> Result<Digest, BodyError> {
        let sha256 = Digest::of(body);
        if self.holds(sha256) {
            return Ok(sha256);
        }
        let frame = bodies::pack(body)?;
        let full = self.add(sha256, bodies::length(body), &frame)?;
        if let Some(pack) = full {
            self.store(pack).await?;
        }
        Ok(sha256)
    }

    /// Reads a body back, verified.
    ///
    /// # Errors
    /// `BodyError::Missing` where it is not here, `Tampered` where its pack was changed.
    pub async fn read(&self, sha256: Digest) -> Result<Bytes, BodyError> {
        if !self.spool.holds(sha256) {
            let turn = self.bringing.lock().await;
            // Whoever had the turn before may have brought it.
            if !self.spool.holds(sha256) {
                self.bring(sha256).await?;
            }
            drop(turn);
        }
        self.spool.get(sha256)
    }

    /// Stores what is left and says where each of `wanted` lies, sorted by digest.
    ///
    /// # Errors
    /// `BodyError` where a pack cannot be stored, or a body was never kept.
    pub async fn place(&self, wanted: impl IntoIterator<Item = Digest>) -> Result<Vec<Body>, BodyError> {
        let last = std::mem::take(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner).open);
        if !last.frames.is_empty() {
            self.store(last).await?;
        }
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |sha256: Digest| inner.placed.get(&sha256).cloned().ok_or_else(|| BodyError::Missing { object: format!("body {sha256}") });
        let wanted: std::collections::BTreeSet<Digest> = wanted.into_iter().collect();
        wanted.into_iter().map(place).collect()
    }

    /// Adds a frame to the open pack; gives back the pack before it where it would grow too large.
    fn add(&self, sha256: Digest, bytes: u64, frame: &[u8]) -> Result<Option<Pack>, BodyError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if self.spool.holds(sha256) {
            // Somebody else brought the same body meanwhile.
            return Ok(None);
        }
        self.spool.put(sha256, &self.ours, frame)?;
        let is_full = !inner.open.frames.is_empty() && inner.open.bytes.len() + frame.len() > MAX_PACK;
        let full = is_full.then(|| std::mem::take(&mut inner.open));
        let offset = bodies::length(&inner.open.bytes);
        inner.open.bytes.extend_from_slice(frame);
        inner.open.frames.push(Body { sha256, bytes, pack: Arc::from(""), offset, length: bodies::length(frame) });
        Ok(full)
    }

    async fn store(&self, pack: Pack) -> Result<(), BodyError> {
        let object = format!("{}{}.zpack", self.folder, Digest::of(&pack.bytes));
        self.store.put_new(&object, Bytes::from(pack.bytes)).await?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let object: Arc<str> = object.into();
        inner.placed.extend(pack.frames.into_iter().map(|body| (body.sha256, Body { pack: Arc::clone(&object), ..body })));
        Ok(())
    }

    /// Brings the pack of an earlier run here, with all that may be asked for next.
    async fn bring(&self, sha256: Digest) -> Result<(), BodyError> {
        let beside = {
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let pack = inner.placed.get(&sha256).map(|body| body.pack.clone());
            inner.placed.values().filter(|body| Some(&body.pack) == pack.as_ref()).cloned().collect::<Vec<_>>()
        };
        self.spool.bring(self.store.as_ref(), &beside).await
    }
}
