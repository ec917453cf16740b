//! What a run may know of those before it: read from the newest sealed run that knew everything there was, so that a night whose listing failed forgets nothing.
//!
//! Left out: what it is used for (the kinds); what earlier runs were answered is the archive's.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::Result;

use crate::cli::due::Past;
use crate::cli::evidence::StoredEvidence;
use crate::cli::host::Host;
use crate::collect::github::known_repository;
use crate::collect::memory::{Memory, Register};
use crate::model::{Body, Digest, Exchange, Manifest, RunId};
use crate::store::spool::Spool;
use crate::store::{Store, snapshot};

/// How many runs are looked through, newest first, for one that knew everything: each of them said so itself when it could not list.
const BACK: usize = 31;

/// What the runs before one that collects `kinds` and continues `continued` knew. A run that cannot be read is told of, and those before it stand in.
///
/// # Errors
/// Where the warning cannot be written.
pub async fn read(host: &mut Host, store: &Arc<dyn Store>, past: &[Past], (kinds, continued): (&BTreeSet<String>, Option<&RunId>)) -> Result<Memory> {
    let mut memory = Memory::default();
    if !kinds.contains(known_repository::KIND.name) {
        return Ok(memory);
    }
    let parts = of_the_same_night(past, continued);
    let knowing = past.iter().rev().map(|past| &past.manifest).filter(|run| run.kinds.contains_key(known_repository::KIND.name) && !parts.contains(&run.run));
    for manifest in knowing.take(BACK) {
        match remember(store, manifest).await {
            Ok((earlier, whole)) => {
                add(&mut memory, earlier);
                if whole {
                    break;
                }
            }
            Err(error) => writeln!(host.err, "warning: what run {} knew cannot be read, so an earlier run stands in: {error}", manifest.run)?,
        }
    }
    Ok(memory)
}

/// The runs that a run goes on with: what they found new is new still.
fn of_the_same_night<'p>(past: &'p [Past], continued: Option<&'p RunId>) -> BTreeSet<&'p RunId> {
    let mut parts = BTreeSet::new();
    let mut next = continued;
    while let Some(run) = next.filter(|run| parts.insert(*run)) {
        next = past.iter().find(|past| past.manifest.run == *run).and_then(|past| past.manifest.continues.as_ref());
    }
    parts
}

/// Adds what an earlier run knew; what is known already is newer.
fn add(memory: &mut Memory, earlier: Memory) {
    for (login, register) in earlier.repositories {
        let known: &mut Register = memory.repositories.entry(login).or_default();
        for (key, seen) in register {
            known.entry(key).or_insert(seen);
        }
    }
}

/// What one run knew, and whether it read every list whole. Only the answers that tell are brought here.
async fn remember(store: &Arc<dyn Store>, manifest: &Manifest) -> Result<(Memory, bool)> {
    let mut telling: Vec<Exchange> = Vec::new();
    let tells = |exchange: &Exchange| known_repository::OPERATIONS.contains(&exchange.operation.as_str());
    snapshot::each_request(store.as_ref(), manifest, |exchange| telling.extend(Some(exchange).filter(tells))).await?;
    let wanted: BTreeSet<Digest> = telling.iter().flat_map(|exchange| [Some(exchange.sha256), exchange.request_body]).flatten().collect();
    let placed: Vec<Body> = snapshot::bodies(store.as_ref(), manifest).await?.into_iter().filter(|body| wanted.contains(&body.sha256)).collect();
    let evidence = StoredEvidence::new(Spool::gather(store.as_ref(), &placed).await?, telling);
    let organizations = manifest.scope.github_organizations.clone();
    tokio::task::spawn_blocking(move || {
        let mut memory = Memory::default();
        let mut all_whole = true;
        for organization in organizations {
            let (register, whole) = known_repository::remember(&organization, &evidence)?;
            all_whole &= whole;
            // An organisation whose list never came is not one without repositories.
            if whole || !register.is_empty() {
                memory.repositories.insert(organization, register);
            }
        }
        Ok((memory, all_whole))
    })
    .await?
}
