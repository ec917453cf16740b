//! Reads stored objects again and holds them to what names them: every digest, every count, every body of every pack.
//!
//! Finds what is wrong and names the object; never stops at the first. Left out: who vouches for the manifests (the log), and what the bodies mean.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::model::{Body, Digest, Manifest, RunId, StoredFile};
use crate::store::bodies::{self, BodyError, Unpacker};
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
    /// Where its bodies lie, for `pack`.
    pub bodies: Vec<Body>,
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
    let places = sound(snapshot::bodies(store, &manifest).await, &mut checked.problems)?;
    let mut named = Named::new(places.as_deref());
    let records = sound(bodies::get(store, &manifest.requests.object, manifest.requests.sha256).await.map_err(SnapshotError::from), &mut checked.problems)?;
    if let Some(records) = records {
        named.read(&manifest, &records);
    }
    for file in &manifest.control_files {
        named.needs(&file.path, file.sha256, None);
    }
    named.needs("the configuration", manifest.configuration, None);
    if let Some(redaction) = &manifest.redaction {
        named.needs("the redaction policy", redaction.policy, None);
    }
    checked.problems.append(&mut named.problems(&manifest));
    checked.bodies = places.unwrap_or_default();
    checked.manifest = Some(manifest);
    Ok(checked)
}

/// What is needed of a line of the request file; the rest is passed over, since there are millions of lines.
#[derive(Deserialize)]
struct Line {
    n: u32,
    sha256: Digest,
    bytes: u64,
    #[serde(default)]
    request_body: Option<Digest>,
    status: Option<u16>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// What a run names, held against its list of bodies.
struct Named {
    /// The length of each listed body; none where the list itself cannot be read.
    listed: Option<BTreeMap<Digest, u64>>,
    counts: [u64; 3],
    in_records: Vec<String>,
    in_list: Vec<String>,
}

impl Named {
    fn new(places: Option<&[Body]>) -> Self {
        let listed = places.map(|places| places.iter().map(|body| (body.sha256, body.bytes)).collect());
        Self { listed, counts: [0; 3], in_records: Vec::new(), in_list: Vec::new() }
    }

    /// Reads the request file.
    fn read(&mut self, manifest: &Manifest, records: &[u8]) {
        for (n, line) in (1..).zip(records.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())) {
            match serde_json::from_slice::<Line>(line) {
                Ok(line) => self.record(n, &line),
                Err(error) => self.in_records.push(format!("line {n} cannot be read: {error}")),
            }
        }
        let said = [("exchanges", manifest.exchanges), ("re-validated", manifest.not_modified), ("failed", manifest.failed)];
        for ((what, said), found) in said.into_iter().zip(self.counts) {
            if u64::from(said) != found {
                self.in_records.push(format!("the manifest says {said} {what}, there are {found}"));
            }
        }
    }

    fn record(&mut self, n: u32, line: &Line) {
        let is_answer = line.error.is_none() && line.status.is_some_and(|status| (200..300).contains(&status) || status == 304);
        let [all, unchanged, failed] = &mut self.counts;
        *all += 1;
        *unchanged += u64::from(line.status == Some(304));
        *failed += u64::from(!is_answer);
        if line.n != n {
            self.in_records.push(format!("line {n} is exchange #{}", line.n));
        }
        self.needs("an answer", line.sha256, Some(line.bytes));
        if let Some(query) = line.request_body {
            self.needs("a request", query, None);
        }
    }

    fn needs(&mut self, what: &str, sha256: Digest, bytes: Option<u64>) {
        let Some(listed) = &self.listed else { return };
        match (listed.get(&sha256), bytes) {
            (None, _) => self.in_list.push(format!("it does not say where the body {sha256} of {what} lies")),
            (Some(placed), Some(said)) if *placed != said => {
                self.in_list.push(format!("the body {sha256} of {what} has {placed} bytes there and {said} in its record"));
            }
            (Some(_), _) => {}
        }
    }

    fn problems(self, manifest: &Manifest) -> Vec<Problem> {
        let of = |object: &StoredFile, found: Vec<String>| found.into_iter().map(|what| Problem::new(&object.object, what)).collect::<Vec<_>>();
        let mut problems = of(&manifest.requests, self.in_records);
        problems.extend(of(&manifest.bodies, self.in_list));
        problems
    }
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
    if let Some(results) = sound(snapshot::results(store, evaluation).await, &mut problems)? {
        let found = u64::try_from(results.len()).unwrap_or(u64::MAX);
        if found != evaluation.observations {
            problems.push(Problem::new(&evaluation.results.object, format!("the manifest says {} observations, there are {found}", evaluation.observations)));
        }
    }
    Ok((Some(sealed), problems))
}

/// Checks a pack: its name, and each of `wanted` in it.
///
/// # Errors
/// Only where the store cannot be read.
pub async fn pack(store: &dyn Store, pack: &str, wanted: BTreeSet<Place>) -> Result<CheckedPack, StoreError> {
    let Some(bytes) = store.get(pack).await? else {
        return Ok(CheckedPack { problems: vec![Problem::new(pack, format!("it is missing, and with it {} bodies", wanted.len()))], ..CheckedPack::default() });
    };
    let name = pack.to_owned();
    let checking = tokio::task::spawn_blocking(move || opened(&name, &bytes, &wanted));
    checking.await.map_err(|join| StoreError::Io { action: "check", key: pack.to_owned(), source: std::io::Error::other(join) })
}

/// A frame of a pack: offset, length, unpacked length and digest. Runs that share a body share its place.
pub type Place = (u64, u64, u64, Digest);

/// Where a body lies in its pack.
#[must_use]
pub fn place(body: &Body) -> Place {
    (body.offset, body.length, body.bytes, body.sha256)
}

fn opened(pack: &str, bytes: &Bytes, wanted: &BTreeSet<Place>) -> CheckedPack {
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
    for (offset, length, unpacked, sha256) in wanted {
        let body = Body { sha256: *sha256, bytes: *unpacked, pack: pack.to_owned(), offset: *offset, length: *length };
        match cut(bytes, &body).and_then(|frame| unpacker.check(frame, &body)) {
            Ok(()) => {
                checked.bodies += 1;
                checked.bytes += unpacked;
            }
            Err(error) => checked.problems.push(Problem::new(pack, format!("the body at {offset}: {error}"))),
        }
    }
    checked
}

/// Notes what is wrong with an object; only a store that cannot be read is an error.
fn sound<T>(read: Result<T, SnapshotError>, problems: &mut Vec<Problem>) -> Result<Option<T>, StoreError> {
    let problem = match read {
        Ok(value) => return Ok(Some(value)),
        Err(SnapshotError::Store(error) | SnapshotError::Body(BodyError::Store(error))) => return Err(error),
        Err(SnapshotError::Body(BodyError::Missing { object })) => Problem::new(object, "it is missing"),
        Err(SnapshotError::Body(BodyError::Tampered { object, expected, found })) => {
            Problem::new(object, format!("it should have the digest {expected}, found {found}"))
        }
        Err(SnapshotError::Body(BodyError::TooLarge { bytes })) => Problem::new("a body", format!("it has {bytes} bytes, which is over the limit")),
        Err(SnapshotError::NoSuchRun { run }) => Problem::new(format!("runs/{run}/manifest.json"), "it is missing"),
        Err(SnapshotError::Malformed { object, source }) => Problem::new(object, format!("it cannot be read: {source}")),
        Err(SnapshotError::Format { object, found }) => Problem::new(object, format!("it has format {found}, which this version does not know")),
    };
    problems.push(problem);
    Ok(None)
}
