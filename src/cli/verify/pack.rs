//! `verify --pack`: an exported pack, by itself. What its README does with stock tools, done faster; needs no configuration, no store and no network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use zip::{CompressionMethod, ZipArchive};

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::progress::Steps;
use crate::cli::summary::Form;
use crate::cli::verify::pins;
use crate::ledger::keys::Keys;
use crate::ledger::note::Vkey;
use crate::ledger::proof::Proof;
use crate::ledger::verify::Pins;
use crate::model::Digest;
use crate::store::bodies::{MAX_BODY, unpack};
use crate::store::check::{self, Problem};
use crate::store::{Put, Store, StoreError, snapshot};

const SUMS: &str = "SHA256SUMS";
const FIRST: &str = "log/first.vkey";

/// The files of a pack, read as a store is.
struct Files {
    names: BTreeSet<String>,
    source: Source,
}

enum Source {
    Folder(PathBuf),
    Zip(Mutex<ZipArchive<BufReader<File>>>),
}

impl Files {
    fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let mut names = BTreeSet::new();
            below(path, path, &mut names)?;
            return Ok(Self { names, source: Source::Folder(path.to_path_buf()) });
        }
        let archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
        let names = archive.file_names().filter_map(|name| name.ok().map(std::borrow::Cow::into_owned)).filter(|name| !name.ends_with('/')).collect();
        Ok(Self { names, source: Source::Zip(Mutex::new(archive)) })
    }

    fn read(&self, name: &str) -> Result<Bytes> {
        match &self.source {
            Source::Folder(root) => Ok(fs::read(root.join(name))?.into()),
            Source::Zip(archive) => {
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                let file = archive.by_name(name)?;
                // Whatever is worth packing was packed already; an archive that swells is not one of ours.
                anyhow::ensure!(file.compression() == CompressionMethod::Stored && file.size() <= MAX_BODY, "it is packed in another way than `export` does");
                let mut bytes = Vec::new();
                file.take(MAX_BODY).read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}

fn below(root: &Path, folder: &Path, names: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            below(root, &path, names)?;
        } else {
            let name: Vec<_> = path.strip_prefix(root)?.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            names.insert(name.join("/"));
        }
    }
    Ok(())
}

#[async_trait]
impl Store for Files {
    async fn put_new(&self, _key: &str, _bytes: Bytes) -> Result<Put, StoreError> {
        Err(StoreError::Setup("a pack is read only".to_owned()))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        if !self.names.contains(key) {
            return Ok(None);
        }
        let damaged = |error: anyhow::Error| StoreError::Damaged { action: "read", key: key.to_owned(), why: format!("{error:#}") };
        self.read(key).map(Some).map_err(damaged)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.names.iter().filter(|name| name.starts_with(prefix)).cloned().collect())
    }
}

/// What was found in a pack.
#[derive(Default)]
struct Found {
    first: Option<Vkey>,
    entries: usize,
    runs: usize,
    evaluations: usize,
    bodies: usize,
    bytes: u64,
    problems: Vec<Problem>,
}

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where the pack or what is pinned cannot be read. What does not verify is no error but exit code 4.
pub(super) async fn run(host: &mut Host, path: &Path, arguments: &args::Verify, form: Form) -> Result<Exit> {
    let shown = path.display();
    let files = Files::open(&host.folder.join(path)).map_err(|error| Failure::usage(format!("--pack {shown}: {error:#}")))?;
    let pins = pins(&host.folder, arguments)?;
    let steps = Steps::new(host.screen);
    let mut found = Found::default();
    steps.step("the list of digests");
    sums(&files, &mut found)?;
    steps.step("the log");
    let named = entries(&files, &pins, &mut found).await?;
    manifests(&files, named.as_ref(), &mut found).await?;
    steps.step("bodies");
    bodies(&files, &mut found)?;
    steps.finish();
    let verifies = found.problems.is_empty();
    if form == Form::Json {
        let document = json!({
            "pack": path, "verifies": verifies, "problems": found.problems, "first_key": found.first.map(|key| key.to_string()), "entries": found.entries,
            "runs": found.runs, "evaluations": found.evaluations, "bodies": found.bodies, "bytes": found.bytes,
        });
        writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?;
    } else {
        told(host, &shown.to_string(), &found)?;
    }
    Ok(if verifies { Exit::Satisfied } else { Exit::Broken })
}

fn told(host: &mut Host, shown: &str, found: &Found) -> Result<()> {
    writeln!(host.out, "{shown}: {} runs, {} evaluations, {} bodies of {} bytes", found.runs, found.evaluations, found.bodies, found.bytes)?;
    match &found.first {
        None => writeln!(host.out, "No log: nothing signs this evidence.")?,
        Some(first) => {
            writeln!(host.out, "{} entries of the log of {first}\nAsk for that key on another way than this pack, or give it with --vkey.", found.entries)?
        }
    }
    if found.problems.is_empty() {
        writeln!(host.out, "\nEverything verifies.")?;
        return Ok(());
    }
    writeln!(host.out, "\nDOES NOT VERIFY ({}):", found.problems.len())?;
    for problem in &found.problems {
        writeln!(host.out, "  {}: {}", problem.object, problem.what)?;
    }
    Ok(())
}

/// The list names every file with its digest, and no other.
fn sums(files: &Files, found: &mut Found) -> Result<()> {
    let list = if files.names.contains(SUMS) { files.read(SUMS)? } else { Bytes::new() };
    let list = String::from_utf8_lossy(&list).into_owned();
    let listed: BTreeMap<&str, &str> = list.lines().filter_map(|line| line.split_once("  ").map(|(digest, name)| (name, digest))).collect();
    for name in files.names.iter().filter(|name| name.as_str() != SUMS) {
        let what = match (listed.get(name.as_str()), files.read(name)) {
            (None, _) => Some(format!("{SUMS} does not name it")),
            (Some(_), Err(error)) => Some(format!("it cannot be read: {error:#}")),
            (Some(digest), Ok(bytes)) => (Digest::of(&bytes).to_string() != **digest).then(|| format!("it is not what {SUMS} says")),
        };
        found.problems.extend(what.map(|what| Problem::new(name, what)));
    }
    found.problems.extend(listed.keys().filter(|name| !files.names.contains(**name)).map(|name| Problem::new(*name, "it is missing")));
    Ok(())
}

type Named = BTreeMap<String, BTreeSet<Digest>>;

/// Verifies the entries of the log, oldest first, and gives what they name; none where there is no log.
async fn entries(files: &Files, pins: &Pins, found: &mut Found) -> Result<Option<Named>> {
    let stated = match files.get(FIRST).await? {
        Some(bytes) => String::from_utf8_lossy(&bytes).trim().parse::<Vkey>().map_err(|error| found.problems.push(Problem::new(FIRST, error.to_string()))).ok(),
        None => None,
    };
    if let (Some(stated), Some(expected)) = (&stated, &pins.vkey)
        && stated != expected
    {
        found.problems.push(Problem::new(FIRST, format!("it is {stated}, and {expected} was expected")));
    }
    let Some(first) = pins.vkey.clone().or(stated) else { return Ok(None) };
    let (mut keys, mut named, mut reigns) = (Keys::new(first.clone()), Named::new(), BTreeMap::from([(0, first.clone())]));
    let mut proofs = Vec::new();
    for name in files.list("entries/").await?.iter().filter(|name| name.ends_with("/envelope.json")) {
        found.entries = found.entries.saturating_add(1);
        let envelope = files.read(name)?;
        let proof = files.get(&name.replace("/envelope.json", "/proof.tlog-proof")).await?.unwrap_or_default();
        match (keys.admit(&envelope), Proof::parse(&proof)) {
            (Ok(statement), Ok(proof)) => {
                reigns.insert(proof.index.saturating_add(1), keys.current().clone());
                proofs.push((name.clone(), envelope, proof));
                for subject in statement.subjects() {
                    named.entry(subject.name.clone()).or_default().insert(subject.digest());
                }
            }
            (Err(error), _) | (_, Err(error)) => found.problems.push(Problem::new(name, error.to_string())),
        }
    }
    for (name, envelope, proof) in proofs {
        // The covering checkpoint's key: every change of the key is among the entries.
        let size = crate::ledger::checkpoint::Checkpoint::parse(proof.note.text()).map_or(0, |checkpoint| checkpoint.size);
        let key = reigns.range(..=size).next_back().map_or(&first, |(_from, key)| key);
        if let Err(error) = proof.verify(&envelope, key) {
            found.problems.push(Problem::new(name, error.to_string()));
        }
    }
    found.first = Some(first);
    Ok(Some(named))
}

async fn manifests(files: &Files, named: Option<&Named>, found: &mut Found) -> Result<()> {
    let unnamed = |object: &str, digest: Option<Digest>| {
        let is_named = named.is_none_or(|named| digest.is_some_and(|digest| named.get(object).is_some_and(|digests| digests.contains(&digest))));
        (!is_named).then(|| Problem::new(object, "no entry of the log names it as it is"))
    };
    for name in &files.names {
        if let Some(run) = snapshot::run_of(name) {
            let checked = check::run(files, &run).await?;
            found.runs = found.runs.saturating_add(1);
            found.problems.extend(unnamed(name, checked.digest).into_iter().chain(checked.problems));
        } else if let Some(id) = snapshot::evaluation_of(name) {
            let (sealed, problems) = check::evaluation(files, id).await?;
            found.evaluations = found.evaluations.saturating_add(1);
            found.problems.extend(unnamed(name, sealed.map(|sealed| sealed.digest)).into_iter().chain(problems));
        }
    }
    Ok(())
}

fn bodies(files: &Files, found: &mut Found) -> Result<()> {
    for name in &files.names {
        let Some(digest) = name.strip_prefix("bodies/").and_then(|name| name.strip_suffix(".zst")) else { continue };
        let expected: Digest = digest.parse().with_context(|| name.clone())?;
        match unpack(name, &files.read(name)?, expected) {
            Ok(body) => {
                found.bodies = found.bodies.saturating_add(1);
                found.bytes = found.bytes.saturating_add(u64::try_from(body.len()).unwrap_or(u64::MAX));
            }
            Err(error) => found.problems.push(Problem::new(name, error.to_string())),
        }
    }
    Ok(())
}
