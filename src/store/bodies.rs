//! One body, one zstd frame: `zstd -dc` takes it apart, and the SHA-256 of what comes out is the body's name.
//!
//! Left out: where a frame lies (`shelf` writes them into packs, `spool` reads them back; a run's larger files are objects of one frame each).

use std::io::{BufRead as _, BufReader, Read, Write};

use bytes::Bytes;

use crate::model::{Body, Digest, Hasher};
use crate::store::{Store, StoreError};

/// Bodies larger than this are refused when written and not unpacked when read: 256 MiB.
pub const MAX_BODY: u64 = 256 << 20;

/// A frame may ask for a window of this size at most, as a power of two: 64 MiB. A larger one is a bomb or no work of ours.
const MAX_WINDOW: u32 = 26;

/// A line of a file that is read line by line is no longer than this: 16 MiB.
const MAX_LINE: u64 = 16 << 20;

/// What is unpacked at a time of a file that is read line by line: 128 KiB, which stays in the processor's cache until it is hashed and parsed.
const PIECE: usize = 128 << 10;

/// A body is not there, or not what its name says.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such object.
    #[error("{object} is missing")]
    Missing {
        /// The object.
        object: String,
    },
    /// The bytes are not what the digest says: tampering or a broken disk.
    #[error("{object} is not what its digest says: expected {expected}, found {found}")]
    Tampered {
        /// The object.
        object: String,
        /// The digest that names it.
        expected: Digest,
        /// What is there: a digest, or why it cannot be unpacked.
        found: String,
    },
    /// Too large to keep.
    #[error("a body of {bytes} bytes is over the limit of {MAX_BODY}")]
    TooLarge {
        /// Its length.
        bytes: u64,
    },
}

/// Packs bytes into one zstd frame with its content size and checksum.
///
/// # Errors
/// `BodyError::TooLarge` over `MAX_BODY`.
pub fn pack(bytes: &[u8]) -> Result<Bytes, BodyError> {
    let length = length(bytes);
    if length > MAX_BODY {
        return Err(BodyError::TooLarge { bytes: length });
    }
    let packed = zstd::bulk::Compressor::new(3).and_then(|mut compressor| {
        compressor.include_checksum(true)?;
        compressor.compress(bytes)
    });
    packed.map(Bytes::from).map_err(|source| BodyError::Store(StoreError::Io { action: "pack", key: String::new(), source }))
}

/// Packs text that is written piece by piece, without ever holding it unpacked.
pub struct Packer {
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
    hasher: Hasher,
    bytes: u64,
}

/// What a `Packer` made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// One zstd frame.
    pub frame: Bytes,
    /// SHA-256 of the unpacked bytes.
    pub sha256: Digest,
    /// Length of the unpacked bytes.
    pub bytes: u64,
}

impl Packer {
    /// An empty one.
    ///
    /// # Errors
    /// Where the compressor cannot be set up.
    pub fn new() -> std::io::Result<Self> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        encoder.include_checksum(true)?;
        Ok(Self { encoder, hasher: Hasher::default(), bytes: 0 })
    }

    /// The finished frame.
    ///
    /// # Errors
    /// Where the compressor fails.
    pub fn finish(self) -> std::io::Result<Packed> {
        Ok(Packed { frame: Bytes::from(self.encoder.finish()?), sha256: self.hasher.finish(), bytes: self.bytes })
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += length(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.encoder.flush()
    }
}

/// Unpacks what `pack` made, never more than `MAX_BODY` bytes, and checks the digest.
///
/// # Errors
/// `BodyError::Tampered`.
pub fn unpack(object: &str, packed: &[u8], expected: Digest) -> Result<Bytes, BodyError> {
    let tampered = |found: String| BodyError::Tampered { object: object.to_owned(), expected, found };
    let mut bytes = Vec::new();
    zstd::stream::read::Decoder::with_buffer(packed)
        .and_then(|mut decoder| {
            decoder.window_log_max(MAX_WINDOW)?;
            decoder.take(MAX_BODY + 1).read_to_end(&mut bytes)
        })
        .map_err(|error| tampered(error.to_string()))?;
    if length(&bytes) > MAX_BODY {
        return Err(tampered(format!("more than {MAX_BODY} bytes")));
    }
    let found = Digest::of(&bytes);
    if found == expected { Ok(Bytes::from(bytes)) } else { Err(tampered(found.to_string())) }
}

/// Unpacks text that a `Packer` made and hands over each line that is not empty, holding no more of it than a piece. What the lines say counts only once this
/// has come back well: the digest is known at the end.
///
/// # Errors
/// `BodyError::Tampered`, also over `MAX_BODY` bytes or where a line has more than 16 MiB.
pub fn lines(object: &str, packed: &[u8], expected: Digest, mut each: impl FnMut(&str)) -> Result<(), BodyError> {
    let tampered = |found: String| BodyError::Tampered { object: object.to_owned(), expected, found };
    let failed = |error: std::io::Error| tampered(error.to_string());
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(failed)?;
    decoder.window_log_max(MAX_WINDOW).map_err(failed)?;
    let mut text = BufReader::with_capacity(PIECE, Hashing { inner: decoder.take(MAX_BODY + 1), hasher: Hasher::default(), bytes: 0 });
    let mut line = Vec::new();
    while (&mut text).take(MAX_LINE + 1).read_until(b'\n', &mut line).map_err(failed)? > 0 {
        if length(&line) > MAX_LINE {
            return Err(tampered(format!("a line of more than {MAX_LINE} bytes")));
        }
        let known = str::from_utf8(&line).map_err(|error| tampered(error.to_string()))?.trim_end_matches('\n');
        if !known.is_empty() {
            each(known);
        }
        line.clear();
    }
    let Hashing { hasher, bytes, .. } = text.into_inner();
    if bytes > MAX_BODY {
        return Err(tampered(format!("more than {MAX_BODY} bytes")));
    }
    let found = hasher.finish();
    if found == expected { Ok(()) } else { Err(tampered(found.to_string())) }
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    hasher: Hasher,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let came = self.inner.read(into)?;
        let bytes = into.get(..came).unwrap_or_default();
        self.hasher.update(bytes);
        self.bytes += length(bytes);
        Ok(came)
    }
}

/// Unpacks frame after frame into the same memory, for whoever checks many.
pub struct Unpacker {
    decompressor: zstd::bulk::Decompressor<'static>,
    memory: Vec<u8>,
}

impl Unpacker {
    /// With empty memory.
    ///
    /// # Errors
    /// Where the decompressor cannot be set up.
    pub fn new() -> std::io::Result<Self> {
        let mut decompressor = zstd::bulk::Decompressor::new()?;
        decompressor.window_log_max(MAX_WINDOW)?;
        Ok(Self { decompressor, memory: Vec::new() })
    }

    /// Holds a frame to what is said of it. Never more is unpacked than the longest length said so far, nor more than `MAX_BODY`.
    ///
    /// # Errors
    /// `BodyError::Tampered`.
    pub fn check(&mut self, frame: &[u8], body: &Body) -> Result<(), BodyError> {
        let tampered = |found: String| BodyError::Tampered { object: body.pack.to_string(), expected: body.sha256, found };
        let room = usize::try_from(body.bytes.min(MAX_BODY)).unwrap_or(0);
        self.memory.clear();
        // Exactly: memory that doubles would have room for twice the limit.
        self.memory.reserve_exact(room);
        self.decompressor.decompress_to_buffer(frame, &mut self.memory).map_err(|error| tampered(error.to_string()))?;
        let found = Digest::of(&self.memory);
        if found != body.sha256 {
            return Err(tampered(found.to_string()));
        }
        if length(&self.memory) == body.bytes { Ok(()) } else { Err(tampered(format!("{} bytes, not {}", self.memory.len(), body.bytes))) }
    }
}

/// Reads an object of one frame and checks it.
///
/// # Errors
/// `BodyError::Missing`, `BodyError::Tampered`, or what the store says.
pub async fn get(store: &dyn Store, object: &str, sha256: Digest) -> Result<Bytes, BodyError> {
    let packed = store.get(object).await?.ok_or_else(|| BodyError::Missing { object: object.to_owned() })?;
    unpack(object, &packed, sha256)
}

pub(crate) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
