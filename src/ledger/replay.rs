//! Reads a log from its first entry on: who may sign what, the tree over it, and what the checkpoints on the way have to say.
//!
//! Slots are the truth. Full entry bundles hold the same bytes in fewer objects; who reads them has to hold the root against a signed checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::ledger::checkpoint::{self, Checkpoint};
use crate::ledger::envelope::MAX_ENTRY;
use crate::ledger::keys::Keys;
use crate::ledger::note::{Note, Vkey};
use crate::ledger::statement::{Kind, Statement};
use crate::ledger::tile::{self, Drawn, Row, Tile, Tiling, WIDTH};
use crate::ledger::{Hash, LedgerError};
use crate::model::Digest;
use crate::store::{Store, StoreError};

/// Where entries lie; the rest of the key is the index, 12 digits.
pub const ENTRIES: &str = "log/entry/";
/// Where checkpoints lie; the rest of the key is the size, 12 digits.
pub const CHECKPOINTS: &str = "log/checkpoint/";
/// Where observers' answers lie, `log/anchor/<size>/<file>`.
pub const ANCHORS: &str = "log/anchor/";
/// Requests under way at the same time.
const AT_ONCE: usize = 16;

/// The object of entry `index`.
#[must_use]
pub fn slot(index: u64) -> String {
    format!("{ENTRIES}{index:012}")
}

/// The object of the checkpoint of `size` entries.
#[must_use]
pub fn checkpoint_object(size: u64) -> String {
    format!("{CHECKPOINTS}{size:012}")
}

/// The object of what an observer said of the checkpoint of `size` entries.
#[must_use]
pub fn anchor_object(size: u64, file: &str) -> String {
    format!("{ANCHORS}{size:012}/{file}")
}

/// The checkpoint that lies at the name of `size`, if `key` signed it for that size. One of another size is a copy, and anybody can make copies.
///
/// # Errors
/// `LedgerError::Malformed` or `LedgerError::Unverified`.
pub fn checkpoint_at(bytes: &[u8], size: u64, key: &Vkey) -> Result<Checkpoint, LedgerError> {
    let checkpoint = Checkpoint::verified(&Note::parse(bytes)?, key)?;
    if checkpoint.size == size { Ok(checkpoint) } else { Err(LedgerError::unverified("checkpoint", "it is a copy of another size's")) }
}

/// The number at the end of a key that `slot` or `checkpoint_object` would have made.
fn number(key: &str, prefix: &str) -> Option<u64> {
    let digits = key.strip_prefix(prefix)?;
    let plain = digits.trim_start_matches('0');
    let number = checkpoint::decimal(if plain.is_empty() { "0" } else { plain })?;
    (format!("{prefix}{number:012}") == key).then_some(number)
}

/// What lies in the log's two numbered folders.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Entries without a hole before them.
    pub entries: u64,
    /// Sizes for which there is an object named as a checkpoint.
    pub checkpoints: BTreeSet<u64>,
    /// Entries after a hole, and names that are none of ours.
    pub strays: Vec<String>,
}

impl Listing {
    /// Lists them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let mut listing = Self::default();
        // First, so that what somebody else signs meanwhile is over entries that are listed too.
        for key in store.list(CHECKPOINTS).await? {
            match number(&key, CHECKPOINTS) {
                Some(size) if size > 0 => drop(listing.checkpoints.insert(size)),
                _ => listing.strays.push(key),
            }
        }
        for key in store.list(ENTRIES).await? {
            // Twelve digits sort as numbers do; longer ones come where they come, and are strays.
            if number(&key, ENTRIES) == Some(listing.entries) {
                listing.entries = listing.entries.saturating_add(1);
            } else {
                listing.strays.push(key);
            }
        }
        Ok(listing)
    }
}

/// One leaf of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Position from 0.
    pub index: u64,
    /// SHA-256 of the object's bytes.
    pub digest: Digest,
    /// What it says; none for a foreign leaf, which nobody signed who may.
    pub statement: Option<Statement>,
}

/// The tree at some size, and whose signature a checkpoint there needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// RFC 9162 root.
    pub root: Hash,
    /// The key in force.
    pub key: Vkey,
}

/// From where the first entries are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From full entry bundles, up to the checkpoint after which tiles are kept. Its root has to be held against the tree.
    Bundles,
    /// From the slots alone.
    Slots,
}

/// A log as read so far.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The tree.
    pub tiling: Tiling,
    /// The key in force.
    pub keys: Keys,
    /// Every leaf.
    pub entries: Vec<Entry>,
    /// The keys, each from the size on at which it was in force.
    pub reigns: BTreeMap<u64, Vkey>,
    /// The tree at each size that has a checkpoint.
    pub marks: BTreeMap<u64, Mark>,
    /// Full tiles that were drawn after `keep_from`.
    pub full: Vec<Drawn>,
    keep_from: u64,
}

impl Replayed {
    /// Before the first entry. Full tiles are kept from size `keep_from` on.
    #[must_use]
    pub fn new(first: Vkey, keep_from: u64) -> Self {
        let reigns = BTreeMap::from([(0, first.clone())]);
        Self { tiling: Tiling::default(), keys: Keys::new(first), entries: Vec::new(), reigns, marks: BTreeMap::new(), full: Vec::new(), keep_from }
    }

    /// Takes in the next leaf.
    ///
    /// # Errors
    /// Never for bytes from `leaf`; as `Tiling::push`.
    pub fn take(&mut self, object: &Bytes) -> Result<(), LedgerError> {
        let index = self.tiling.size();
        let leaf = leaf(object);
        let full = self.tiling.push(&leaf)?;
        if index >= self.keep_from {
            self.full.extend(full);
        }
        let statement = self.keys.admit(&leaf).ok();
        if statement.as_ref().is_some_and(|statement| statement.kind() == Some(Kind::KeyRotation)) {
            self.reigns.insert(self.tiling.size(), self.keys.current().clone());
        }
        self.entries.push(Entry { index, digest: Digest::of(object), statement });
        Ok(())
    }

    /// Remembers the tree as it is.
    pub fn mark(&mut self) {
        let mark = Mark { root: self.tiling.root(), key: self.keys.current().clone() };
        self.marks.insert(self.tiling.size(), mark);
    }

    /// Reads the listed entries.
    ///
    /// # Errors
    /// What the store says, or `LedgerError::Malformed` for a bundle that is not one.
    pub async fn read(&mut self, store: &dyn Store, listing: &Listing, source: Source) -> Result<(), LedgerError> {
        let published = self.keep_from.min(listing.entries);
        while source == Source::Bundles && published.saturating_sub(self.tiling.size()) >= WIDTH {
            let bundle = Tile { row: Row::Entries, index: self.tiling.size() / WIDTH, width: WIDTH };
            let Some(bytes) = store.get(&bundle.key()).await? else { break };
            for entry in tile::entries(&bytes)? {
                self.step(&Bytes::copy_from_slice(entry), listing)?;
            }
        }
        let get = |index| async move { store.get(&slot(index)).await?.ok_or(LedgerError::Lost { object: slot(index) }) };
        let mut objects = futures::stream::iter(self.tiling.size()..listing.entries).map(get).buffered(AT_ONCE);
        while let Some(object) = objects.try_next().await? {
            self.step(&object, listing)?;
        }
        Ok(())
    }

    fn step(&mut self, object: &Bytes, listing: &Listing) -> Result<(), LedgerError> {
        self.take(object)?;
        if listing.checkpoints.contains(&self.tiling.size()) {
            self.mark();
        }
        Ok(())
    }
}

/// What of an object becomes the leaf: itself, or its digest where no bundle can hold it.
#[must_use]
pub fn leaf(object: &Bytes) -> Bytes {
    if object.len() > MAX_ENTRY { format!("oversize:{}", Digest::of(object)).into() } else { object.clone() }
}
