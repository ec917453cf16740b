//! Reads stored objects again and holds them to what names them: every digest, every count, every body of every pack.
//!
//! Finds what is wrong and names the object; never stops at the first, and tells a thousand things of one object at most. Left out: who vouches for the manifests (the log), and what the bodies mean.

mod records;
mod told;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::model::{Body, Digest, Manifest, RunId};
use crate::store::bodies::{self, BodyError, Unpacker};
use crate::store::check::told::Told;
use crate::store::snapshot::{self, SealedEvaluation, SnapshotError};
use crate::store::spool::cut;
use crate::store::{Store, StoreError};

/// Something that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The object, or what stands for it.
    pub object: String,
    /// What is wrong with it.
    pub what: String,
}

impl Problem {
    /// A problem of `object`.
    pub fn new(object: impl Into<String>, what: impl Into<String>) -> Self {
        Self { object: object.into(), what: what.into() }
    }
}

/// A run as far as it can be read.
#[derive(Debug, Default)]
pub struct CheckedRun {
    /// Its manifest; none where it cannot be read.
    pub manifest: Option<Manifest>,
    /// SHA-256 of the manifest's bytes.
    pub digest: Option<Digest>,
    /// Where its bodies lie, by pack, for `pack`.
    pub packs: BTreeMap<String, Vec<Place>>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// What a pack holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CheckedPack {
    /// Bodies that were unpacked.
    pub bodies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the pack.
    pub packed: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Checks the manifest of a run, its request file and its list of bodies against each other; not the bodies themselves.
///
/// # Errors
/// Only where the store cannot be read.
pub async fn run(store: &dyn Store, run: &RunId) -> Result<CheckedRun, StoreError> {
    let mut checked = CheckedRun::default();
    let sealed = match sound(snapshot::open(store, run).await, &mut checked.problems)? {
        Some(sealed) => sealed,
        None => return Ok(checked),
    };
    checked.digest = Some(sealed.digest);
    let manifest = sealed.manifest;
    if manifest.run != *run {
        checked.problems.push(Problem::new(sealed.object, format!("it is the manifest of {}", manifest.run)));
    }
    let list = sound(snapshot::packed(store, &manifest.bodies).await.map_err(SnapshotError::from), &mut checked.problems)?;
    let records = sound(snapshot::packed(store, &manifest.requests).await.map_err(SnapshotError::from), &mut checked.problems)?;
    let reading = tokio::task::spawn_blocking(move || records::read(manifest, list.as_deref(), records.as_deref()));
    let read = reading.await.map_err(|join| StoreError::Io { action: "check", key: run.to_string(), source: std::io::Error::other(join) })?;
    for error in read.errors {
        checked.problems.push(problem(error.into())?);
    }
    checked.problems.extend(read.problems);
    checked.packs = read.packs;
    checked.manifest = Some(read.manifest);
    Ok(checked)
}

/// Checks an evaluation and its results.
///
/// # Errors
/// Only where the store cannot be read.
pub async fn evaluation(store: &dyn Store, id: &str) -> Result<(Option<SealedEvaluation>, Vec<Problem>), StoreError> {
    let mut problems = Vec::new();
    let sealed = match sound(snapshot::evaluation(store, id).await, &mut problems)? {
        Some(Some(sealed)) => sealed,
        Some(None) => return Ok((None, vec![Problem::new(format!("evaluations/{id}/manifest.json"), "it is missing")])),
        None => return Ok((None, problems)),
    };
    let evaluation = &sealed.evaluation;
    if evaluation.id != id || evaluation.format != 1 {
        problems.push(Problem::new(&sealed.object, format!("it is evaluation {} in format {}", evaluation.id, evaluation.format)));
    }
    if let Some(found) = sound(snapshot::count_results(store, evaluation).await, &mut problems)?
        && found != evaluation.observations
    {
        problems.push(Problem::new(&evaluation.results.object, format!("the manifest says {} observations, there are {found}", evaluation.observations)));
    }
    Ok((Some(sealed), problems))
}

/// Checks a pack: its name, and each of `wanted` in it.
///
/// # Errors
/// Only where the store cannot be read.
pub async fn pack(store: &dyn Store, pack: &str, wanted: Vec<Place>) -> Result<CheckedPack, StoreError> {
    let missing =
        |what: &str| CheckedPack { problems: vec![Problem::new(pack, format!("{what}, and with it {} bodies", wanted.len()))], ..CheckedPack::default() };
    let bytes = match store.get(pack).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(missing("it is missing")),
        Err(StoreError::InvalidKey { .. }) => return Ok(missing("nothing can have this name")),
        Err(error) => return Err(error),
    };
    let name = pack.to_owned();
    let checking = tokio::task::spawn_blocking(move || opened(&name, &bytes, &wanted));
    checking.await.map_err(|join| StoreError::Io { action: "check", key: pack.to_owned(), source: std::io::Error::other(join) })
}

/// A frame of a pack: offset, length, unpacked length and digest. Runs that share a body share its place.
pub type Place = (u64, u64, u64, Digest);

/// Adds the places of a run to those of runs before it: sorted, each once.
pub fn gather(into: &mut BTreeMap<String, Vec<Place>>, packs: BTreeMap<String, Vec<Place>>) {
    for (pack, places) in packs {
        let all = into.entry(pack).or_default();
        all.extend(places);
        // Both parts are in order already, which this sort makes use of.
        all.sort();
        all.dedup();
    }
}

fn opened(pack: &str, bytes: &Bytes, wanted: &[Place]) -> CheckedPack {
    let mut checked = CheckedPack { packed: bodies::length(bytes), ..CheckedPack::default() };
    let found = Digest::of(bytes);
    let named = pack.rsplit_once('/').and_then(|(_folder, file)| file.strip_suffix(".zpack"));
    if named != Some(found.to_string().as_str()) {
        checked.problems.push(Problem::new(pack, format!("its bytes have the digest {found}")));
    }
    let mut unpacker = match Unpacker::new() {
        Ok(unpacker) => unpacker,
        Err(error) => {
            checked.problems.push(Problem::new(pack, format!("nothing can be unpacked here: {error}")));
            return checked;
        }
    };
    let mut told = Told::default();
    for (offset, length, unpacked, sha256) in wanted {
        let body = Body { sha256: *sha256, bytes: *unpacked, pack: pack.into(), offset: *offset, length: *length };
        match cut(bytes, &body).and_then(|frame| unpacker.check(frame, &body)) {
            Ok(()) => {
                checked.bodies += 1;
                checked.bytes += unpacked;
            }
            Err(error) => told.say(|| format!("the body at {offset}: {error}")),
        }
    }
    checked.problems.extend(told.of(pack));
    checked
}

/// Notes what is wrong with an object; only a store that cannot be read is an error.
fn sound<T>(read: Result<T, SnapshotError>, problems: &mut Vec<Problem>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            problems.push(problem(error)?);
            Ok(None)
        }
    }
}

fn problem(error: SnapshotError) -> Result<Problem, StoreError> {
    let problem = match error {
        SnapshotError::Store(StoreError::InvalidKey { key }) | SnapshotError::Body(BodyError::Store(StoreError::InvalidKey { key })) => {
            Problem::new(key, "it is named, and nothing can have this name")
        }
        SnapshotError::Store(error) | SnapshotError::Body(BodyError::Store(error)) => return Err(error),
        SnapshotError::Body(BodyError::Missing { object }) => Problem::new(object, "it is missing"),
        SnapshotError::Body(BodyError::Tampered { object, expected, found }) => {
            Problem::new(object, format!("it should have the digest {expected}, found {found}"))
        }
        SnapshotError::Body(BodyError::TooLarge { bytes }) => Problem::new("a body", format!("it has {bytes} bytes, which is over the limit")),
        SnapshotError::NoSuchRun { run } => Problem::new(format!("runs/{run}/manifest.json"), "it is missing"),
        SnapshotError::Malformed { object, source } => Problem::new(object, format!("it cannot be read: {source}")),
        SnapshotError::Format { object, found } => Problem::new(object, format!("it has format {found}, which this version does not know")),
    };
    Ok(problem)
}
