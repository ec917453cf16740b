//! Frames at hand: a temporary file that holds those of one run, however many packs they lie in, so that reading them needs neither memory nor a request each.
//!
//! Each body is verified against its digest every time it is read, since the packs may have been tampered with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::model::{Body, Digest};
use crate::store::bodies::{self, BodyError};
use crate::store::{Store, StoreError};

/// Packs that are read at the same time; each is whole in memory for a moment.
const AT_ONCE: usize = 2;

/// Frames in a temporary file that has no name and is gone with the process.
#[derive(Debug)]
pub struct Spool(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    end: u64,
    frames: BTreeMap<Digest, Frame>,
}

/// Where a frame lies in the file, and where it is from.
#[derive(Debug, Clone)]
struct Frame {
    offset: u64,
    length: usize,
    /// Shared: all frames of a pack name the same.
    origin: Arc<str>,
}

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// Where no temporary file can be made.
    pub fn new() -> Result<Self, BodyError> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Self(Mutex::new(Inner { file, end: 0, frames: BTreeMap::new() })))
    }

    /// Brings the frames of `wanted` here, each pack read once.
    ///
    /// # Errors
    /// `BodyError::Missing` for a pack that is not there, `Tampered` for one that is too short.
    pub async fn gather(store: &dyn Store, wanted: &[Body]) -> Result<Self, BodyError> {
        let spool = Self::new()?;
        spool.bring(store, wanted).await?;
        Ok(spool)
    }

    /// Brings more frames here.
    ///
    /// # Errors
    /// As `gather`.
    pub async fn bring(&self, store: &dyn Store, wanted: &[Body]) -> Result<(), BodyError> {
        let mut packs: BTreeMap<&str, Vec<&Body>> = BTreeMap::new();
        for body in wanted.iter().filter(|body| !self.holds(body.sha256)) {
            packs.entry(&body.pack).or_default().push(body);
        }
        let bringing: Vec<_> = packs.into_iter().map(|(pack, bodies)| self.bring_pack(store, pack, bodies)).collect();
        futures::stream::iter(bringing).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn bring_pack(&self, store: &dyn Store, pack: &str, wanted: Vec<&Body>) -> Result<(), BodyError> {
        let bytes = store.get(pack).await?.ok_or_else(|| BodyError::Missing { object: pack.to_owned() })?;
        let origin = Arc::from(pack);
        wanted.into_iter().try_for_each(|body| self.put(body.sha256, &origin, cut(&bytes, body)?))
    }

    /// Adds a frame; `origin` is what a message names where it turns out to be wrong.
    ///
    /// # Errors
    /// Where the temporary file cannot be written.
    pub fn put(&self, sha256: Digest, origin: &Arc<str>, frame: &[u8]) -> Result<(), BodyError> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = inner.end;
        inner.file.seek(SeekFrom::Start(offset)).and_then(|_at| inner.file.write_all(frame)).map_err(failed)?;
        inner.end += bodies::length(frame);
        inner.frames.insert(sha256, Frame { offset, length: frame.len(), origin: Arc::clone(origin) });
        Ok(())
    }

    /// True where the frame is here.
    #[must_use]
    pub fn holds(&self, sha256: Digest) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).frames.contains_key(&sha256)
    }

    /// The frame as stored.
    ///
    /// # Errors
    /// `BodyError::Missing` where it was never brought here.
    pub fn frame(&self, sha256: Digest) -> Result<Vec<u8>, BodyError> {
        self.read(sha256).map(|(_frame, bytes)| bytes)
    }

    /// The body, unpacked and verified.
    ///
    /// # Errors
    /// `BodyError::Missing`, `BodyError::Tampered`.
    pub fn get(&self, sha256: Digest) -> Result<Bytes, BodyError> {
        let (frame, packed) = self.read(sha256)?;
        bodies::unpack(&frame.origin, &packed, sha256)
    }

    /// The digests that are here.
    #[must_use]
    pub fn digests(&self) -> BTreeSet<Digest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).frames.keys().copied().collect()
    }

    fn read(&self, sha256: Digest) -> Result<(Frame, Vec<u8>), BodyError> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let frame = inner.frames.get(&sha256).cloned().ok_or_else(|| BodyError::Missing { object: format!("body {sha256}") })?;
        let mut packed = vec![0; frame.length];
        inner.file.seek(SeekFrom::Start(frame.offset)).and_then(|_at| inner.file.read_exact(&mut packed)).map_err(failed)?;
        Ok((frame, packed))
    }
}

/// The bytes of one frame in its pack.
///
/// # Errors
/// `BodyError::Tampered` where the pack is shorter than that.
pub fn cut<'a>(pack: &'a [u8], body: &Body) -> Result<&'a [u8], BodyError> {
    let range = || {
        let start = usize::try_from(body.offset).ok()?;
        let end = start.checked_add(usize::try_from(body.length).ok()?)?;
        pack.get(start..end)
    };
    range().ok_or_else(|| BodyError::Tampered {
        object: body.pack.to_string(),
        expected: body.sha256,
        found: format!("a pack of {} bytes, too short for {} bytes at {}", pack.len(), body.length, body.offset),
    })
}

fn failed(source: std::io::Error) -> BodyError {
    BodyError::Store(StoreError::Io { action: "use a temporary file for", key: "stored bodies".to_owned(), source })
}
