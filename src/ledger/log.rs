//! Appending: create the next free slot, then tiles and a signed checkpoint. Safe for any number of writers; recovery is doing it again.
//!
//! Left out: what entries say, and who observes the log from outside.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::envelope::Envelope;
use crate::ledger::identity::Identity;
use crate::ledger::keys;
use crate::ledger::note::{self, KeyKind, Note, Vkey};
use crate::ledger::replay::{Entry, Listing, Mark, Replayed, Source, checkpoint_at, checkpoint_object, slot};
use crate::ledger::signer::Signer;
use crate::ledger::statement::Statement;
use crate::ledger::{Hash, LedgerError};
use crate::store::{Put, Store, StoreError};

/// A checkpoint that is stored and verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Number of entries.
    pub size: u64,
    /// RFC 9162 root over them.
    pub root: Hash,
    /// The signed note, as stored.
    pub bytes: Bytes,
}

/// A log that can be appended to.
pub struct Log<'a> {
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    vkey: Vkey,
    replayed: Replayed,
    published: Option<Published>,
    spoiled: Vec<String>,
}

impl<'a> Log<'a> {
    /// Opens the store's log for `signer`, reads it and holds it against its newest checkpoint. A store without a log gets one of the name `origin`.
    ///
    /// # Errors
    /// `Contradiction` where the entries are not what was signed, `Identity`, or what the store says.
    pub async fn open(store: &'a dyn Store, signer: &'a dyn Signer, origin: &str) -> Result<Self, LedgerError> {
        let claimed = Vkey::new(origin, KeyKind::Ed25519, signer.public_key())?;
        let identity = Identity::claim(store, claimed).await?;
        let vkey = Vkey::new(identity.first.name(), KeyKind::Ed25519, signer.public_key())?;
        let (replayed, published) = read(store, &identity).await?;
        Ok(Self { store, signer, vkey, replayed, published, spoiled: Vec::new() })
    }

    /// The signer's verifier key.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// Every leaf so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.replayed.entries
    }

    /// The newest checkpoint; none where nothing was published yet.
    #[must_use]
    pub fn published(&self) -> Option<&Published> {
        self.published.as_ref()
    }

    /// Tiles whose names hold other bytes than ours; `verify` tells of them, and proofs that need them cannot be made by others.
    #[must_use]
    pub fn spoiled(&self) -> &[String] {
        &self.spoiled
    }

    /// Appends a statement and gives its index. One that says the same is there already is not appended again.
    ///
    /// # Errors
    /// `NotInForce` where the signer's key was replaced, `TooLarge`, or what signer and store say. Nothing is lost: append it again.
    pub async fn append(&mut self, statement: &Statement) -> Result<u64, LedgerError> {
        if let Some(index) = self.said(statement) {
            return Ok(index);
        }
        let envelope = Envelope::sign(self.vkey.name(), statement.to_bytes(), &[self.signer]).await?;
        self.place(statement, envelope.to_bytes().into()).await
    }

    /// Lets `new` take over from this log's signer, and gives the entry's index. A key is in force once: no former one is taken again.
    ///
    /// # Errors
    /// As `append`, or `Malformed` for a key that is or was in force.
    pub async fn rotate(&mut self, new: &'a dyn Signer) -> Result<u64, LedgerError> {
        let vkey = Vkey::new(self.vkey.name(), KeyKind::Ed25519, new.public_key())?;
        let statement = keys::rotation(&vkey)?;
        let again = *self.replayed.keys.current() == vkey && self.said(&statement).is_some();
        if !again {
            self.replayed.keys.may_follow(&vkey)?;
        }
        let envelope = Envelope::sign(self.vkey.name(), statement.to_bytes(), &[self.signer, new]).await?;
        let index = self.place(&statement, envelope.to_bytes().into()).await?;
        (self.signer, self.vkey) = (new, vkey);
        Ok(index)
    }

    fn said(&self, statement: &Statement) -> Option<u64> {
        self.replayed.entries.iter().find(|entry| entry.statement.as_ref() == Some(statement)).map(|entry| entry.index)
    }

    /// Creates the next free slot. What rivals put before is read and becomes part of the log.
    async fn place(&mut self, statement: &Statement, entry: Bytes) -> Result<u64, LedgerError> {
        loop {
            self.catch_up().await?;
            if let Some(index) = self.said(statement) {
                return Ok(index);
            }
            self.in_force()?;
            let index = self.replayed.tiling.size();
            match self.store.put_new(&slot(index), entry.clone()).await {
                Ok(Put::Created | Put::Same) => {
                    self.replayed.take(&entry)?;
                    return Ok(index);
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), LedgerError> {
        while let Some(object) = self.store.get(&slot(self.replayed.tiling.size())).await? {
            self.replayed.take(&object)?;
        }
        Ok(())
    }

    fn in_force(&self) -> Result<(), LedgerError> {
        let expected = self.replayed.keys.current();
        if *expected == self.vkey {
            return Ok(());
        }
        Err(LedgerError::NotInForce { signer: self.vkey.to_string(), expected: expected.to_string() })
    }

    /// Publishes what was appended, by whomever: tiles, then a checkpoint. None for a log without entries.
    ///
    /// # Errors
    /// `NotInForce`, `Occupied`, or what signer and store say. Nothing is lost: do it again.
    pub async fn integrate(&mut self) -> Result<Option<Published>, LedgerError> {
        self.catch_up().await?;
        let size = self.replayed.tiling.size();
        if size == 0 || self.published.as_ref().is_some_and(|published| published.size == size) {
            return Ok(self.published.clone());
        }
        self.in_force()?;
        for drawn in std::mem::take(&mut self.replayed.full).into_iter().chain(self.replayed.tiling.edge()) {
            match self.store.put_new(&drawn.tile.key(), drawn.bytes.into()).await {
                Ok(_put) => {}
                // The slots are the truth: who occupies a tile's name must not keep the log from being signed.
                Err(StoreError::Conflict { key }) => self.spoiled.push(key),
                Err(error) => return Err(error.into()),
            }
        }
        let published = self.publish(size).await?;
        self.published = Some(published.clone());
        Ok(Some(published))
    }

    async fn publish(&self, size: u64) -> Result<Published, LedgerError> {
        let root = self.replayed.tiling.root();
        let mut note = Note::new(Checkpoint::new(self.vkey.name(), size, root).text())?;
        note::sign(&mut note, self.vkey.name(), self.signer).await?;
        let (object, bytes) = (checkpoint_object(size), Bytes::from(note.to_bytes()));
        match self.store.put_new(&object, bytes.clone()).await {
            Ok(_put) => Ok(Published { size, root, bytes }),
            Err(StoreError::Conflict { .. }) => {
                let there = self.store.get(&object).await?.unwrap_or_default();
                let same = checkpoint_at(&there, size, &self.vkey).is_ok_and(|checkpoint| checkpoint == Checkpoint::new(self.vkey.name(), size, root));
                if same { Ok(Published { size, root, bytes: there }) } else { Err(LedgerError::Occupied { object }) }
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A log as anybody can read it.
#[derive(Debug)]
pub struct Read {
    /// The first key.
    pub first: Vkey,
    /// The key in force.
    pub current: Vkey,
    /// Every leaf.
    pub entries: Vec<Entry>,
    /// The newest checkpoint; none where nothing was published yet.
    pub published: Option<Published>,
    marks: BTreeMap<u64, Mark>,
}

impl Read {
    /// Sizes for which there is an object named as a checkpoint, smallest first.
    pub fn sizes(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.marks.keys().copied()
    }

    /// The first `most` checkpoints of `sizes` that were signed as they have to be, as stored.
    ///
    /// # Errors
    /// What the store says.
    pub async fn checkpoints(&self, store: &dyn Store, sizes: impl Iterator<Item = u64>, most: usize) -> Result<BTreeMap<u64, Bytes>, StoreError> {
        let mut found = BTreeMap::new();
        for (size, mark) in sizes.filter_map(|size| Some((size, self.marks.get(&size)?))) {
            if found.len() >= most {
                break;
            }
            let bytes = store.get(&checkpoint_object(size)).await?.unwrap_or_default();
            if checkpoint_at(&bytes, size, &mark.key).is_ok_and(|checkpoint| checkpoint == Checkpoint::new(mark.key.name(), size, mark.root)) {
                found.insert(size, bytes);
            }
        }
        Ok(found)
    }
}

/// Reads the store's log and holds it against its newest checkpoint; none where there is no log.
///
/// # Errors
/// As `Log::open`.
pub async fn entries(store: &dyn Store) -> Result<Option<Read>, LedgerError> {
    let Some(identity) = Identity::read(store).await? else { return Ok(None) };
    let (replayed, published) = read(store, &identity).await?;
    Ok(Some(Read { first: identity.first, current: replayed.keys.current().clone(), entries: replayed.entries, published, marks: replayed.marks }))
}

/// Reads the log, from bundles if their root is the signed one, else from the slots.
async fn read(store: &dyn Store, identity: &Identity) -> Result<(Replayed, Option<Published>), LedgerError> {
    let listing = Listing::read(store).await?;
    let newest = listing.checkpoints.range(..=listing.entries).next_back().copied().unwrap_or(0);
    let mut attempt = (Source::Bundles, newest);
    loop {
        let (source, keep_from) = attempt;
        let mut replayed = Replayed::new(identity.first.clone(), keep_from);
        let read = replayed.read(store, &listing, source).await;
        let found = match read {
            Ok(()) => newest_published(store, &listing, &replayed).await,
            Err(error) => Err(error),
        };
        match found {
            // Tiles between the last good checkpoint and junk that is named as a newer one have to be drawn too.
            Ok(published) if published.as_ref().map_or(0, |published| published.size) < keep_from => {
                attempt = (source, published.map_or(0, |published| published.size));
            }
            Ok(published) => return Ok((replayed, published)),
            Err(LedgerError::Contradiction { .. } | LedgerError::Malformed { .. }) if source == Source::Bundles => attempt = (Source::Slots, keep_from),
            Err(error) => return Err(error),
        }
    }
}

/// The newest checkpoint that was signed as it has to be. What else lies under such a name is junk that anybody may have put there.
async fn newest_published(store: &dyn Store, listing: &Listing, replayed: &Replayed) -> Result<Option<Published>, LedgerError> {
    for &size in listing.checkpoints.iter().rev() {
        let mark = replayed.marks.get(&size);
        let key = mark.map_or(replayed.keys.current(), |mark| &mark.key);
        let bytes = store.get(&checkpoint_object(size)).await?.unwrap_or_default();
        let Ok(checkpoint) = checkpoint_at(&bytes, size, key) else { continue };
        return match mark {
            Some(mark) if checkpoint == Checkpoint::new(key.name(), size, mark.root) => Ok(Some(Published { size, root: mark.root, bytes })),
            Some(_) => Err(LedgerError::Contradiction { object: format!("{} to {}", slot(0), slot(size.saturating_sub(1))), size }),
            None => Err(LedgerError::Contradiction { object: slot(listing.entries), size }),
        };
    }
    Ok(None)
}
