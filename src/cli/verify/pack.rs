//! `verify --pack`: an exported pack, by itself. What its README does with stock tools, done faster; needs no configuration, no store and no network.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::progress::Steps;
use crate::cli::summary::Form;
use crate::cli::verify::files::Files;
use crate::cli::verify::pins;
use crate::ledger::envelope::Envelope;
use crate::ledger::keys::Keys;
use crate::ledger::note::Vkey;
use crate::ledger::proof::Proof;
use crate::ledger::signer::public_pem;
use crate::ledger::verify::Pins;
use crate::model::Digest;
use crate::store::bodies::unpack;
use crate::store::check::{self, Problem};
use crate::store::{Store as _, StoreError, snapshot};

const SUMS: &str = "SHA256SUMS";
const FIRST: &str = "log/first.vkey";

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
    let (files, problems) = Files::open(&host.folder.join(path)).map_err(|error| Failure::usage(format!("--pack {shown}: {error:#}")))?;
    let pins = pins(&host.folder, arguments)?;
    let steps = Steps::new(host.screen);
    let mut found = Found { problems, ..Found::default() };
    steps.step("the list of digests");
    sums(&files, &mut found);
    steps.step("the log");
    let named = entries(&files, &pins, &mut found).await?;
    manifests(&files, named.as_ref(), &mut found).await?;
    steps.step("bodies");
    bodies(&files, &mut found);
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

/// The list names every file with its digest, once, and no other. Whatever cannot be read is told here, and passed over by what comes after.
fn sums(files: &Files, found: &mut Found) {
    let list = match files.names.contains(SUMS).then(|| files.read(SUMS)).transpose() {
        Ok(list) => list.unwrap_or_default(),
        Err(error) => {
            found.problems.push(Problem::new(SUMS, format!("it cannot be read: {error:#}")));
            return;
        }
    };
    let list = String::from_utf8_lossy(&list);
    let (mut listed, mut wrong) = (BTreeMap::<&str, &str>::new(), None);
    for (n, line) in (1_u64..).zip(list.lines()) {
        let what = match line.split_once("  ").filter(|(digest, _name)| digest.parse::<Digest>().is_ok()) {
            None => format!("line {n} is no digest and name"),
            Some((digest, name)) => match listed.insert(name, digest) {
                None => continue,
                Some(_other) => format!("line {n} names {name} again"),
            },
        };
        // The first is enough to know that it is no list of ours.
        wrong.get_or_insert(Problem::new(SUMS, what));
    }
    found.problems.extend(wrong);
    for name in files.names.iter().filter(|name| name.as_str() != SUMS) {
        let what = match (listed.get(name.as_str()), files.read(name)) {
            (_, Err(error)) => Some(format!("it cannot be read: {error:#}")),
            (None, Ok(_)) => Some(format!("{SUMS} does not name it")),
            (Some(digest), Ok(bytes)) => (Digest::of(&bytes).to_string() != **digest).then(|| format!("it is not what {SUMS} says")),
        };
        found.problems.extend(what.map(|what| Problem::new(name, what)));
    }
    found.problems.extend(listed.keys().filter(|name| !files.names.contains(**name)).map(|name| Problem::new(*name, "it is missing")));
}

type Named = BTreeMap<String, BTreeSet<Digest>>;

/// Verifies the entries of the log, oldest first, and gives what they name; none where there is no log.
async fn entries(files: &Files, pins: &Pins, found: &mut Found) -> Result<Option<Named>> {
    let stated = match files.readable(FIRST) {
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
        let Some(envelope) = files.readable(name) else { continue };
        let proof = files.readable(&name.replace("/envelope.json", "/proof.tlog-proof")).unwrap_or_default();
        let reigning = keys.current().clone();
        match (keys.admit(&envelope), Proof::parse(&proof)) {
            (Ok(statement), Ok(proof)) => {
                beside(files, name, [&reigning, keys.current()], &mut found.problems)?;
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

/// The parts of an envelope lie beside it, for stock tools and for people: they are those that the log took.
fn beside(files: &Files, name: &str, [key, next]: [&Vkey; 2], problems: &mut Vec<Problem>) -> Result<()> {
    let Some(bytes) = files.readable(name) else { return Ok(()) };
    let envelope = Envelope::parse(&bytes)?;
    let parts = [("payload.json", envelope.payload().to_vec()), ("key.pem", public_pem(key.public())?.into_bytes())];
    let signatures = ["signature", "new-signature"].into_iter().zip(envelope.signatures().map(|signature| signature.to_vec()));
    let new = (key != next).then(|| public_pem(next.public())).transpose()?.map(|pem| ("new-key.pem", pem.into_bytes()));
    for (part, expected) in parts.into_iter().chain(signatures).chain(new) {
        let part = name.replace("envelope.json", part);
        if files.readable(&part).is_none_or(|found| found != expected) {
            problems.push(Problem::new(part, "it is not what the envelope beside it says"));
        }
    }
    Ok(())
}

async fn manifests(files: &Files, named: Option<&Named>, found: &mut Found) -> Result<()> {
    let unnamed = |object: &str, digest: Option<Digest>| {
        let is_named = named.is_none_or(|named| digest.is_some_and(|digest| named.get(object).is_some_and(|digests| digests.contains(&digest))));
        (!is_named).then(|| Problem::new(object, "no entry of the log names it as it is"))
    };
    for name in &files.names {
        if let Some(run) = snapshot::run_of(name) {
            let Some(checked) = read(check::run(files, &run).await)? else { continue };
            found.runs = found.runs.saturating_add(1);
            found.problems.extend(unnamed(name, checked.digest).into_iter().chain(checked.problems));
        } else if let Some(id) = snapshot::evaluation_of(name) {
            let Some((sealed, problems)) = read(check::evaluation(files, id).await)? else { continue };
            found.evaluations = found.evaluations.saturating_add(1);
            found.problems.extend(unnamed(name, sealed.map(|sealed| sealed.digest)).into_iter().chain(problems));
        }
    }
    Ok(())
}

/// None where a file cannot be read, which was told with the list of digests.
fn read<T>(checked: Result<T, StoreError>) -> Result<Option<T>> {
    match checked {
        Ok(checked) => Ok(Some(checked)),
        Err(StoreError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn bodies(files: &Files, found: &mut Found) {
    for name in &files.names {
        let Some(digest) = name.strip_prefix("bodies/").and_then(|name| name.strip_suffix(".zst")) else { continue };
        let Ok(expected) = digest.parse::<Digest>() else {
            found.problems.push(Problem::new(name, "its name is no digest"));
            continue;
        };
        let Some(packed) = files.readable(name) else { continue };
        match unpack(name, &packed, expected) {
            Ok(body) => {
                found.bodies = found.bodies.saturating_add(1);
                found.bytes = found.bytes.saturating_add(u64::try_from(body.len()).unwrap_or(u64::MAX));
            }
            Err(error) => found.problems.push(Problem::new(name, error.to_string())),
        }
    }
}
