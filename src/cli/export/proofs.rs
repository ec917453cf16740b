//! The part of a pack that proves the rest: entries of the log with their signatures and inclusion proofs, the checkpoints that cover them, and what observers
//! said of those.
//!
//! ```text
//! entries/<number>/{envelope.json,payload.json,signature,key.pem,proof.tlog-proof}
//! log/checkpoints/<size>/{checkpoint,key.pem,vkey}
//! log/checkpoints/<size>/<authority>.{tsr,roots.pem}, <witness>.{cosig,vkey}
//! ```

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bytes::Bytes;

use crate::cli::anchors;
use crate::cli::export::pack::Pack;
use crate::cli::project::Project;
use crate::ledger::envelope::Envelope;
use crate::ledger::note::{Note, Vkey};
use crate::ledger::prove;
use crate::ledger::replay::{Entry, anchor_object, slot};
use crate::ledger::signer::public_pem;
use crate::ledger::statement::Kind;
use crate::ledger::verify::Verified;
use crate::store::Store;
use crate::store::bodies::BodyError;

/// Adds proofs to a pack.
pub(super) struct Proofs<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) project: &'a Project,
    pub(super) log: &'a Verified,
}

impl Proofs<'_> {
    /// Adds every entry that names one of `objects`, and every change of the key. Gives the number of time stamps.
    pub(super) async fn add(&self, objects: &BTreeSet<String>, pack: &mut Pack) -> Result<usize> {
        let Some(first) = &self.log.first else { return Ok(0) };
        pack.add("log/first.vkey", format!("{first}\n").as_bytes())?;
        pack.add("log/first-key.pem", public_pem(first.public())?.as_bytes())?;
        let mut checkpoints = BTreeSet::new();
        for entry in self.log.entries.iter().filter(|entry| names(entry, objects)) {
            let (size, note) = self.log.covering(entry.index).context("an entry is not under a signed checkpoint yet: run `proofline collect --due` first")?;
            self.entry(entry.index, (size, note), pack).await?;
            checkpoints.insert(size);
        }
        let mut stamps: usize = 0;
        for size in checkpoints {
            stamps = stamps.saturating_add(self.checkpoint(size, pack).await?);
        }
        Ok(stamps)
    }

    async fn entry(&self, index: u64, (size, note): (u64, &Bytes), pack: &mut Pack) -> Result<()> {
        let object = slot(index);
        let bytes = self.store.get(&object).await?.ok_or(BodyError::Missing { object })?;
        let envelope = Envelope::parse(&bytes)?;
        let key = self.key(index)?;
        let proof = prove::inclusion(self.store, index, size, Note::parse(note)?).await?;
        let covering = self.key(size)?;
        proof.verify(&bytes, covering)?;
        let at = |name: &str| format!("entries/{index:012}/{name}");
        pack.add(&at("envelope.json"), &bytes)?;
        pack.add(&at("payload.json"), envelope.payload())?;
        pack.add(&at("key.pem"), public_pem(key.public())?.as_bytes())?;
        pack.add(&at("proof.tlog-proof"), &proof.to_bytes())?;
        let mut signatures = envelope.signatures();
        pack.add(&at("signature"), signatures.next().context("an entry has a signature")?)?;
        if let Some(second) = signatures.next() {
            // The key that takes over signs too.
            pack.add(&at("new-signature"), second)?;
            pack.add(&at("new-key.pem"), public_pem(self.key(index.saturating_add(1))?.public())?.as_bytes())?;
        }
        Ok(())
    }

    async fn checkpoint(&self, size: u64, pack: &mut Pack) -> Result<usize> {
        let at = |name: &str| format!("log/checkpoints/{size:012}/{name}");
        let note = self.log.checkpoints.get(&size).context("a checkpoint that covers an entry is there")?;
        let key = self.key(size)?;
        pack.add(&at("checkpoint"), note)?;
        pack.add(&at("key.pem"), public_pem(key.public())?.as_bytes())?;
        pack.add(&at("vkey"), format!("{key}\n").as_bytes())?;
        let mut stamps: usize = 0;
        for object in self.store.list(&anchor_object(size, "")).await? {
            let Some((_folder, file)) = object.rsplit_once('/') else { continue };
            let log = &self.project.settings.log;
            let authority = file.strip_suffix(".tsr").and_then(|name| log.authorities.iter().find(|authority| authority.name == name));
            let witness = file.strip_suffix(".cosig").and_then(|name| log.witnesses.iter().find(|witness| witness.name == name));
            let Some(bytes) = self.store.get(&object).await? else { continue };
            if let Some(authority) = authority {
                pack.add(&at(&format!("{}.roots.pem", authority.name)), &anchors::roots_pem(self.project, authority)?)?;
                stamps = stamps.saturating_add(1);
            }
            if let Some(witness) = witness {
                pack.add(&at(&format!("{}.vkey", witness.name)), format!("{}\n", witness.vkey).as_bytes())?;
            }
            if authority.is_some() || witness.is_some() {
                pack.add(&at(file), &bytes)?;
            }
        }
        Ok(stamps)
    }

    fn key(&self, size: u64) -> Result<&Vkey> {
        self.log.key_at(size).context("a log has a key")
    }
}

fn names(entry: &Entry, objects: &BTreeSet<String>) -> bool {
    let named = |statement: &crate::ledger::statement::Statement| {
        statement.kind() == Some(Kind::KeyRotation) || statement.subjects().iter().any(|subject| objects.contains(&subject.name))
    };
    entry.statement.as_ref().is_some_and(named)
}
