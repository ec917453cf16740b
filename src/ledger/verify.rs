//! Holds every object of a log against the entries, and the entries against everything that was signed.
//!
//! Names the object that is wrong, and goes on behind it where another copy of an entry proves what was signed. Left out: the objects that entries name, and
//! what outside observers say of checkpoints.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::identity::{self, Identity};
use crate::ledger::note::{Note, Vkey};
use crate::ledger::replay::{ANCHORS, CHECKPOINTS, ENTRIES, Entry, Listing, Replayed, checkpoint_at, checkpoint_object, leaf, slot};
use crate::ledger::tile::{self, Drawn, Row, Tile, WIDTH};
use crate::ledger::{LedgerError, merkle};
use crate::model::Digest;
use crate::store::check::Problem;
use crate::store::{Store, StoreError};

/// Where everything about the log lies.
const FOLDER: &str = "log/";

/// What the reader holds already, from another place than the store.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    /// The first verifier key.
    pub vkey: Option<Vkey>,
    /// A checkpoint seen before: the log may only have grown since.
    pub checkpoint: Option<Note>,
}

/// What a log is found to be.
#[derive(Debug, Default)]
pub struct Verified {
    /// The first key; none where the store has no log.
    pub first: Option<Vkey>,
    /// The key in force at the end.
    pub current: Option<Vkey>,
    /// The keys, each from the size on at which it was in force.
    pub reigns: BTreeMap<u64, Vkey>,
    /// Every leaf.
    pub entries: Vec<Entry>,
    /// The checkpoints that verify, by size, as stored.
    pub checkpoints: BTreeMap<u64, Bytes>,
    /// Objects below `log/` that nothing names: junk, or left over from a writer that was interrupted.
    pub strays: Vec<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Verified {
    /// Size of the newest checkpoint that verifies.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.checkpoints.last_key_value().map_or(0, |(&size, _bytes)| size)
    }

    /// Entries that no checkpoint covers yet.
    pub fn pending(&self) -> impl Iterator<Item = &Entry> {
        let size = self.size();
        self.entries.iter().filter(move |entry| entry.index >= size)
    }

    /// Leaves that nobody signed who may.
    pub fn foreign(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.statement.is_none())
    }

    /// Whose signature a log of `size` entries needs: the next entry's, and the checkpoint's.
    #[must_use]
    pub fn key_at(&self, size: u64) -> Option<&Vkey> {
        self.reigns.range(..=size).next_back().map(|(_from, key)| key)
    }

    /// The smallest checkpoint that covers entry `index`, and its bytes.
    #[must_use]
    pub fn covering(&self, index: u64) -> Option<(u64, &Bytes)> {
        self.checkpoints.range(index.saturating_add(1)..).next().map(|(&size, bytes)| (size, bytes))
    }
}

/// Verifies the log of a store.
///
/// # Errors
/// Only where the store cannot be read; what is wrong with the log is in `problems`.
pub async fn log(store: &dyn Store, pins: &Pins) -> Result<Verified, StoreError> {
    let mut problems = Vec::new();
    let identity = match Identity::read(store).await {
        Ok(identity) => identity,
        Err(LedgerError::Store(error)) => return Err(error),
        Err(error) => {
            problems.push(Problem::new(identity::OBJECT, error.to_string()));
            None
        }
    };
    let stated = identity.map(|identity| identity.first);
    match (&stated, &pins.vkey) {
        (Some(stated), Some(expected)) if stated != expected => {
            problems.push(Problem::new(identity::OBJECT, format!("its first key is {stated}, and {expected} was expected")));
        }
        (None, Some(expected)) if problems.is_empty() => problems.push(Problem::new(identity::OBJECT, format!("it is missing, and {expected} was expected"))),
        _ => {}
    }
    let Some(first) = pins.vkey.clone().or(stated) else {
        return without_key(store, pins, problems).await;
    };
    let mut walk = walk(store, &first, pins).await?;
    walk.against(pins);
    let mut verified = walk.finish(first).await?;
    verified.problems.splice(0..0, problems);
    Ok(verified)
}

/// A store without a key has no log either, or somebody took its name away.
async fn without_key(store: &dyn Store, pins: &Pins, mut problems: Vec<Problem>) -> Result<Verified, StoreError> {
    if problems.is_empty() && (pins.checkpoint.is_some() || !store.list(CHECKPOINTS).await?.is_empty()) {
        problems.push(Problem::new(identity::OBJECT, "it is missing, and there is or was a log"));
    }
    Ok(Verified { problems, ..Verified::default() })
}

/// Walks along the slots, and once more with the copies in entry bundles where the slots are not what was signed.
async fn walk<'a>(store: &'a dyn Store, first: &Vkey, pins: &Pins) -> Result<Walk<'a>, StoreError> {
    let mut listing = Listing::read(store).await?;
    let pinned = pins.checkpoint.as_ref().and_then(|note| Checkpoint::parse(note.text()).ok()).map(|checkpoint| checkpoint.size);
    listing.checkpoints.extend(pinned);
    let mut plain = Walk::new(store, first, listing.clone());
    plain.along(&BTreeMap::new()).await?;
    if !plain.contradicted {
        return Ok(plain);
    }
    let mended = copies(store).await?;
    let mut healed = Walk::new(store, first, listing);
    healed.along(&mended).await?;
    Ok(if healed.contradicted { plain } else { healed })
}

/// The entries that bundles hold and level 0 of the tiles agrees with, the widest of each index.
async fn copies(store: &dyn Store) -> Result<BTreeMap<u64, Bytes>, StoreError> {
    let mut widest = BTreeMap::new();
    for tile in store.list(tile::PREFIX).await?.iter().filter_map(|key| Tile::parse(key)).filter(|tile| tile.row == Row::Entries) {
        let width = widest.entry(tile.index).or_insert(0);
        *width = tile.width.max(*width);
    }
    let mut copies = BTreeMap::new();
    for (index, width) in widest {
        let get = |row| async move { store.get(&Tile { row, index, width }.key()).await };
        let (Some(bundle), Some(tile)) = (get(Row::Entries).await?, get(Row::Hashes(0)).await?) else { continue };
        let (Ok(entries), Ok(hashes)) = (tile::entries(&bundle), tile::hashes(&tile)) else { continue };
        let agreed = (index.saturating_mul(WIDTH)..).zip(entries.into_iter().zip(hashes)).filter(|(_index, (entry, hash))| merkle::leaf(entry) == *hash);
        copies.extend(agreed.map(|(index, (entry, _hash))| (index, Bytes::copy_from_slice(entry))));
    }
    Ok(copies)
}

struct Walk<'a> {
    store: &'a dyn Store,
    listing: Listing,
    replayed: Replayed,
    /// Full tiles that the next checkpoint has to cover.
    full: Vec<(Tile, Digest)>,
    /// Keys below `log/tile/` that a checkpoint names.
    named: BTreeSet<String>,
    checkpoints: BTreeMap<u64, Bytes>,
    problems: Vec<Problem>,
    contradicted: bool,
}

impl<'a> Walk<'a> {
    fn new(store: &'a dyn Store, first: &Vkey, listing: Listing) -> Self {
        Self {
            store,
            listing,
            replayed: Replayed::new(first.clone(), 0),
            full: Vec::new(),
            named: BTreeSet::new(),
            checkpoints: BTreeMap::new(),
            problems: Vec::new(),
            contradicted: false,
        }
    }

    async fn along(&mut self, copies: &BTreeMap<u64, Bytes>) -> Result<(), StoreError> {
        loop {
            let index = self.replayed.tiling.size();
            let object = if index < self.listing.entries || copies.contains_key(&index) { self.store.get(&slot(index)).await? } else { None };
            let Some(entry) = self.choose(index, object, copies) else { break };
            if let Err(error) = self.replayed.take(&entry) {
                self.problems.push(Problem::new(slot(index), error.to_string()));
                break;
            }
            self.full.extend(self.replayed.full.drain(..).map(|drawn| (drawn.tile, Digest::of(&drawn.bytes))));
            if self.listing.checkpoints.contains(&self.replayed.tiling.size()) {
                self.replayed.mark();
                self.checkpoint(self.replayed.tiling.size()).await?;
            }
        }
        self.beyond().await
    }

    /// The slot's bytes, or the copy that was signed.
    fn choose(&mut self, index: u64, object: Option<Bytes>, copies: &BTreeMap<u64, Bytes>) -> Option<Bytes> {
        match (object, copies.get(&index)) {
            (Some(object), Some(copy)) if leaf(&object) != *copy => {
                self.problems.push(Problem::new(slot(index), "its bytes are not those that were signed; log/tile/entries/ still has those"));
                Some(copy.clone())
            }
            (None, Some(copy)) => {
                self.problems.push(Problem::new(slot(index), "it is missing; log/tile/entries/ still has what was signed"));
                Some(copy.clone())
            }
            (object, _) => object,
        }
    }

    /// The stored checkpoint of the tree as it is now.
    async fn checkpoint(&mut self, size: u64) -> Result<(), StoreError> {
        let object = checkpoint_object(size);
        let Some(bytes) = self.store.get(&object).await? else { return Ok(()) };
        let key = self.replayed.keys.current();
        let expected = Checkpoint::new(key.name(), size, self.replayed.tiling.root());
        match checkpoint_at(&bytes, size, key) {
            Err(error) => self.problems.push(Problem::new(object, error.to_string())),
            Ok(checkpoint) if checkpoint == expected => {
                self.checkpoints.insert(size, bytes);
                let edge = self.replayed.tiling.edge().into_iter().map(|Drawn { tile, bytes }| (tile, Digest::of(&bytes)));
                let tiles: Vec<_> = self.full.drain(..).chain(edge).collect();
                return self.tiles(tiles, size).await;
            }
            Ok(_other) => {
                self.contradicted = true;
                self.problems.push(Problem::new(object, format!("it is signed, and the entries before {size} are not what it was signed over")));
            }
        }
        Ok(())
    }

    async fn tiles(&mut self, tiles: Vec<(Tile, Digest)>, size: u64) -> Result<(), StoreError> {
        for (tile, digest) in tiles {
            let key = tile.key();
            let what = match self.store.get(&key).await? {
                Some(bytes) if Digest::of(&bytes) == digest => None,
                Some(_other) => Some(format!("its bytes do not follow from the entries under checkpoint {size}")),
                None => Some(format!("it is missing, and checkpoint {size} needs it")),
            };
            self.problems.extend(what.map(|what| Problem::new(key.as_str(), what)));
            self.named.insert(key);
        }
        Ok(())
    }

    /// Checkpoints of more entries than there are: junk, unless they are signed.
    async fn beyond(&mut self) -> Result<(), StoreError> {
        let size = self.replayed.tiling.size();
        let sizes: Vec<u64> = self.listing.checkpoints.range(size.saturating_add(1)..).copied().collect();
        for size in sizes {
            let object = checkpoint_object(size);
            let Some(bytes) = self.store.get(&object).await? else { continue };
            if checkpoint_at(&bytes, size, self.replayed.keys.current()).is_ok() {
                self.contradicted = true;
                self.problems.push(Problem::new(slot(self.replayed.tiling.size()), format!("it is missing, and {object} is signed over it")));
            } else {
                self.listing.strays.push(object);
            }
        }
        Ok(())
    }

    /// What the reader knew before has to be the beginning of what is here.
    fn against(&mut self, pins: &Pins) {
        let Some(note) = &pins.checkpoint else { return };
        let found = Checkpoint::parse(note.text()).and_then(|pinned| {
            let mark =
                self.replayed.marks.get(&pinned.size).ok_or(LedgerError::unverified("the pinned checkpoint", "the log is shorter: entries were taken away"))?;
            let signed = Checkpoint::verified(note, &mark.key)?;
            if signed == Checkpoint::new(mark.key.name(), pinned.size, mark.root) {
                Ok(())
            } else {
                Err(LedgerError::unverified("the pinned checkpoint", "the log has another history since"))
            }
        });
        if let Err(error) = found {
            self.contradicted = true;
            self.problems.push(Problem::new("the pinned checkpoint", error.to_string()));
        }
    }

    async fn finish(mut self, first: Vkey) -> Result<Verified, StoreError> {
        let mut strays = self.store.list(FOLDER).await?;
        strays.retain(|key| self.is_stray(key));
        self.listing.strays.append(&mut strays);
        self.listing.strays.sort();
        Ok(Verified {
            first: Some(first),
            current: Some(self.replayed.keys.current().clone()),
            reigns: self.replayed.reigns,
            entries: self.replayed.entries,
            checkpoints: self.checkpoints,
            strays: self.listing.strays,
            problems: self.problems,
        })
    }

    /// Of the numbered folders the listing has told already.
    fn is_stray(&self, key: &str) -> bool {
        if key.starts_with(tile::PREFIX) {
            return !self.named.contains(key);
        }
        if key.starts_with(ANCHORS) {
            return anchored(key).is_none_or(|size| !self.checkpoints.contains_key(&size));
        }
        !key.starts_with(ENTRIES) && !key.starts_with(CHECKPOINTS)
    }
}

/// The checkpoint's size in an anchor's key.
fn anchored(key: &str) -> Option<u64> {
    key.strip_prefix(ANCHORS)?.split_once('/')?.0.parse().ok()
}
