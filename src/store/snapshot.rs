//! Runs and evaluations as objects. A run exists when its manifest does; whatever a killed run left behind is never read.
//!
//! ```text
//! packs/<yyyy-mm>/<sha256>.zpack                bodies as redacted, control files, the configuration, the redaction policy
//! runs/<run>/requests.ndjson.zst                one exchange a line
//! runs/<run>/bodies.ndjson.zst                  where each body of the run lies, one a line
//! runs/<run>/manifest.json                      the seal, written last
//! evaluations/<run>-<12 hex>/results.ndjson.zst one observation a line
//! evaluations/<run>-<12 hex>/manifest.json      findings and populations, written last
//! ```

use std::io::Write as _;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::{Body, Digest, Exchange, Finding, Manifest, MissingPermission, Observation, Population, RunId, StoredFile};
use crate::store::bodies::{self, BodyError, Packed, Packer};
use crate::store::{Store, StoreError};

/// What can go wrong with sealed objects.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A named object is missing or not what its digest says.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// There is no sealed run of that name.
    #[error("there is no sealed run {run} in this store")]
    NoSuchRun {
        /// The run.
        run: RunId,
    },
    /// An object is not in our format.
    #[error("{object} cannot be read: {source}")]
    Malformed {
        /// The object.
        object: String,
        /// Where it stops making sense.
        source: serde_json::Error,
    },
    /// A manifest of a format that this version does not know.
    #[error("{object} has format {found}; this version reads format 1")]
    Format {
        /// The object.
        object: String,
        /// Its format number.
        found: u32,
    },
}

/// The seal of one evaluation of one run. A pure function of the run and of the tool that judged: judging again gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Format number, now 1.
    pub format: u32,
    /// The evaluation's own name, `<run>-<12 hex>`.
    pub id: String,
    /// The run that was judged.
    pub run: RunId,
    /// SHA-256 of that run's manifest.
    pub manifest: Digest,
    /// `proofline <version>` that judged.
    pub tool: String,
    /// One for each control, by id.
    pub findings: Vec<Finding>,
    /// One for each kind, by name.
    pub populations: Vec<Population>,
    /// What would have to be granted to close what is open; what leaves most controls open first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<MissingPermission>,
    /// `results.ndjson.zst`.
    pub results: StoredFile,
    /// Observations in it.
    pub observations: u64,
}

/// A sealed evaluation as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEvaluation {
    /// What was found.
    pub evaluation: Evaluation,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// Its object.
    pub object: String,
}

/// A sealed run as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What the manifest says.
    pub manifest: Manifest,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its object.
    pub object: String,
}

/// Writes the request file of a run: sorted by operation, subject, page and URL, numbered from 1. Returns it with the numbered exchanges.
///
/// # Errors
/// Where it cannot be stored.
pub async fn put_requests(store: &dyn Store, run: &RunId, mut exchanges: Vec<Exchange>) -> Result<(StoredFile, Vec<Exchange>), SnapshotError> {
    exchanges.sort_by(|a, b| order(a).cmp(&order(b)));
    for (n, exchange) in (1..).zip(&mut exchanges) {
        exchange.n = n;
        exchange.asked_by.sort_unstable();
        exchange.asked_by.dedup();
    }
    let object = format!("runs/{run}/requests.ndjson.zst");
    let file = put_lines(store, object, &exchanges).await?;
    Ok((file, exchanges))
}

/// Writes down where the bodies of a run lie.
///
/// # Errors
/// Where it cannot be stored.
pub async fn put_bodies(store: &dyn Store, run: &RunId, bodies: &[Body]) -> Result<StoredFile, SnapshotError> {
    put_lines(store, format!("runs/{run}/bodies.ndjson.zst"), bodies).await
}

fn order(exchange: &Exchange) -> (&str, &str, u32, &str, Option<Digest>) {
    let page = exchange.page.map_or(0, |mark| mark.number);
    (&exchange.operation, &exchange.subject, page, &exchange.url, exchange.request_body)
}

/// Seals a run: from now on it exists.
///
/// # Errors
/// Where it cannot be stored.
pub async fn seal(store: &dyn Store, manifest: Manifest) -> Result<Sealed, SnapshotError> {
    let object = manifest_of(&manifest.run);
    let bytes = compact(&object, &manifest)?;
    let digest = Digest::of(&bytes);
    store.put_new(&object, bytes).await?;
    Ok(Sealed { manifest, digest, object })
}

/// The seal of a run.
#[must_use]
pub fn manifest_of(run: &RunId) -> String {
    format!("runs/{run}/manifest.json")
}

/// The run that an object is the seal of; none for other objects.
#[must_use]
pub fn run_of(object: &str) -> Option<RunId> {
    object.strip_prefix("runs/")?.strip_suffix("/manifest.json")?.parse().ok()
}

/// The sealed runs, oldest first.
///
/// # Errors
/// Where the store cannot be listed.
pub async fn runs(store: &dyn Store) -> Result<Vec<RunId>, SnapshotError> {
    let keys = store.list("runs/").await?;
    Ok(keys.iter().filter_map(|key| run_of(key)).collect())
}

/// Reads a sealed run.
///
/// # Errors
/// `NoSuchRun`, `Malformed`, or what the store says.
pub async fn open(store: &dyn Store, run: &RunId) -> Result<Sealed, SnapshotError> {
    let object = manifest_of(run);
    let bytes = store.get(&object).await?.ok_or_else(|| SnapshotError::NoSuchRun { run: run.clone() })?;
    let manifest: Manifest = parse(&object, &bytes)?;
    if manifest.format != 1 {
        return Err(SnapshotError::Format { object, found: manifest.format });
    }
    Ok(Sealed { manifest, digest: Digest::of(&bytes), object })
}

/// The exchanges of a run, by number.
///
/// # Errors
/// Where the request file is missing, changed or malformed.
pub async fn requests(store: &dyn Store, manifest: &Manifest) -> Result<Vec<Exchange>, SnapshotError> {
    get_lines(store, &manifest.requests).await
}

/// Shows the requests of a run one after another. They count only once this has come back well.
///
/// # Errors
/// Where the file is missing, changed or malformed.
pub async fn each_request(store: &dyn Store, manifest: &Manifest, each: impl FnMut(Exchange)) -> Result<(), SnapshotError> {
    each_line(&manifest.requests, &packed(store, &manifest.requests).await?, each)
}

/// Where the bodies of a run lie, by digest.
///
/// # Errors
/// Where the file is missing, changed or malformed.
pub async fn bodies(store: &dyn Store, manifest: &Manifest) -> Result<Vec<Body>, SnapshotError> {
    get_lines(store, &manifest.bodies).await
}

/// Names the evaluation of a run by a tool.
#[must_use]
pub fn evaluation_id(sealed: &Sealed, tool: &str) -> String {
    let inputs = format!("{}\n{tool}\n", sealed.digest);
    format!("{}-{}", sealed.manifest.run, Digest::of(inputs.as_bytes()).short())
}

/// What the results of an evaluation are called, and their digest.
#[must_use]
pub fn results_of(evaluation: &str, packed: &Packed) -> StoredFile {
    StoredFile { object: format!("evaluations/{evaluation}/results.ndjson.zst"), sha256: packed.sha256, bytes: packed.bytes }
}

/// Stores the results of an evaluation.
///
/// # Errors
/// Where they cannot be stored, or differ from what the same evaluation stored before.
pub async fn put_results(store: &dyn Store, evaluation: &str, packed: Packed) -> Result<(), SnapshotError> {
    put_same(store, &results_of(evaluation, &packed).object, packed.frame, packed.sha256).await
}

/// Seals an evaluation.
///
/// # Errors
/// Where it cannot be stored, or differs from what the same evaluation stored before.
pub async fn seal_evaluation(store: &dyn Store, evaluation: Evaluation) -> Result<SealedEvaluation, SnapshotError> {
    let object = evaluation_manifest(&evaluation.id);
    let bytes = compact(&object, &evaluation)?;
    let digest = Digest::of(&bytes);
    store.put_new(&object, bytes).await?;
    Ok(SealedEvaluation { evaluation, digest, object })
}

fn evaluation_manifest(id: &str) -> String {
    format!("evaluations/{id}/manifest.json")
}

/// A sealed evaluation; none where there is none of that name.
///
/// # Errors
/// Where it cannot be read.
pub async fn evaluation(store: &dyn Store, id: &str) -> Result<Option<SealedEvaluation>, SnapshotError> {
    let object = evaluation_manifest(id);
    let Some(bytes) = store.get(&object).await? else { return Ok(None) };
    Ok(Some(SealedEvaluation { evaluation: parse(&object, &bytes)?, digest: Digest::of(&bytes), object }))
}

/// The sealed evaluations of a run, by name.
///
/// # Errors
/// Where they cannot be listed or read.
pub async fn evaluations(store: &dyn Store, run: &RunId) -> Result<Vec<SealedEvaluation>, SnapshotError> {
    let mut found = Vec::new();
    for key in store.list(&format!("evaluations/{run}-")).await? {
        if let Some(id) = evaluation_of(&key) {
            found.extend(evaluation(store, id).await?);
        }
    }
    Ok(found)
}

/// The evaluation that an object is the seal of; none for other objects.
#[must_use]
pub fn evaluation_of(object: &str) -> Option<&str> {
    object.strip_prefix("evaluations/")?.strip_suffix("/manifest.json").filter(|id| !id.contains('/'))
}

/// The observations of an evaluation.
///
/// # Errors
/// Where they are missing, changed or malformed.
pub async fn results(store: &dyn Store, evaluation: &Evaluation) -> Result<Vec<Observation>, SnapshotError> {
    get_lines(store, &evaluation.results).await
}

/// Shows the observations of an evaluation one after another. They count only once this has come back well.
///
/// # Errors
/// As `results`.
pub async fn each_result(store: &dyn Store, evaluation: &Evaluation, each: impl FnMut(Observation)) -> Result<(), SnapshotError> {
    each_line(&evaluation.results, &packed(store, &evaluation.results).await?, each)
}

/// How many observations an evaluation has, each of them read.
///
/// # Errors
/// As `results`.
pub async fn count_results(store: &dyn Store, evaluation: &Evaluation) -> Result<u64, SnapshotError> {
    let mut count = 0;
    each_result(store, evaluation, |_row| count += 1).await?;
    Ok(count)
}

async fn put_lines<T: Serialize>(store: &dyn Store, object: String, rows: &[T]) -> Result<StoredFile, SnapshotError> {
    let packed = pack_lines(rows).map_err(|source| StoreError::Io { action: "pack", key: object.clone(), source })?;
    put_same(store, &object, packed.frame, packed.sha256).await?;
    Ok(StoredFile { object, sha256: packed.sha256, bytes: packed.bytes })
}

fn pack_lines<T: Serialize>(rows: &[T]) -> std::io::Result<Packed> {
    let mut packer = Packer::new()?;
    let mut line = Vec::new();
    for row in rows {
        // Line by line: the packer hashes and compresses whatever it is given at once, and a serializer writes a few bytes at a time.
        serde_json::to_writer(&mut line, row)?;
        line.push(b'\n');
        packer.write_all(&line)?;
        line.clear();
    }
    packer.finish()
}

async fn put_same(store: &dyn Store, object: &str, packed: Bytes, sha256: Digest) -> Result<(), SnapshotError> {
    match store.put_new(object, packed).await {
        Ok(_created_or_same) => Ok(()),
        Err(StoreError::Conflict { .. }) => {
            drop(bodies::get(store, object, sha256).await?);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn get_lines<T: DeserializeOwned>(store: &dyn Store, file: &StoredFile) -> Result<Vec<T>, SnapshotError> {
    let packed = packed(store, file).await?;
    let mut rows = Vec::new();
    each_line(file, &packed, |row| rows.push(row))?;
    Ok(rows)
}

/// The bytes of a file as stored, to be read line by line.
///
/// # Errors
/// `BodyError::Missing`, or what the store says.
pub(crate) async fn packed(store: &dyn Store, file: &StoredFile) -> Result<Bytes, BodyError> {
    store.get(&file.object).await?.ok_or_else(|| BodyError::Missing { object: file.object.clone() })
}

/// Hands over the lines of a file one after another. They count only once this has come back well.
fn each_line<T: DeserializeOwned>(file: &StoredFile, packed: &[u8], mut each: impl FnMut(T)) -> Result<(), SnapshotError> {
    let mut first = None;
    bodies::lines(&file.object, packed, file.sha256, |line| match parse(&file.object, line.as_bytes()) {
        Ok(row) => each(row),
        Err(error) => drop(first.get_or_insert(error)),
    })?;
    first.map_or(Ok(()), Err)
}

fn compact<T: Serialize>(object: &str, value: &T) -> Result<Bytes, SnapshotError> {
    let malformed = |source| SnapshotError::Malformed { object: object.to_owned(), source };
    serde_json::to_vec(value).map(Bytes::from).map_err(malformed)
}

fn parse<T: DeserializeOwned>(object: &str, bytes: &[u8]) -> Result<T, SnapshotError> {
    serde_json::from_slice(bytes).map_err(|source| SnapshotError::Malformed { object: object.to_owned(), source })
}
