//! `hold`, `release` and `erase`: statements about stored evidence that go into the log, and in a bucket the holds that go with them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::{Place, Project};
use crate::cli::recorder::Recorder;
use crate::cli::redaction;
use crate::cli::runs::Runs;
use crate::cli::signing;
use crate::cli::summary::Form;
use crate::ledger::replay::{Entry, slot};
use crate::ledger::statement::{Kind, Statement, Subject};
use crate::model::{Digest, RunId};
use crate::store::gcs::hold::Hold;
use crate::store::snapshot::{self, Sealed};
use crate::store::{Store, StoreError};

/// Requests under way at the same time.
const AT_ONCE: usize = 16;

/// Holds runs, or releases them.
///
/// # Errors
/// Exit code 2 where there is no log or no such run; where the bucket refuses.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Hold, form: Form, hold: Hold) -> Result<Exit> {
    let store = project.store()?;
    let signer = signing::configured(host, project).await?;
    let mut recorder = Recorder::open(host, project, &store, signer.as_deref()).await?;
    let runs = Runs::of(&store, Some(logged(&recorder)?));
    let mut sealed = Vec::new();
    for run in &arguments.run {
        sealed.push(runs.sealed(run).await?);
    }
    let subjects = sealed.iter().map(|sealed| Subject::new(&sealed.object, sealed.digest)).collect();
    let said = json!({"held": hold == Hold::Placed, "reason": arguments.reason, "at": host.now()});
    let index = recorder.state(Kind::Hold, subjects, said).await?;
    let objects = if let Place::Bucket(bucket) = project.place()? {
        let objects = objects(&store, &runs, (&sealed, index)).await?;
        let one = |object: &String| {
            let (bucket, object) = (&bucket, object.clone());
            async move { bucket.hold(&object, hold).await }
        };
        futures::stream::iter(&objects).map(one).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        objects.len()
    } else {
        0
    };
    recorder.finish(host, project).await?;
    let word = if hold == Hold::Placed { "held" } else { "released" };
    match form {
        Form::Json => writeln!(host.out, "{}", json!({"entry": index, "runs": arguments.run, "state": word, "objects": objects}))?,
        Form::Text if objects == 0 => {
            writeln!(host.out, "Entry {index} says that {} runs are {word}. A directory keeps nothing from those who may delete.", sealed.len())?;
        }
        Form::Text => writeln!(host.out, "Entry {index} says that {} runs are {word}; so are the {objects} objects that they need.", sealed.len())?,
    }
    Ok(Exit::Satisfied)
}

/// Says that the key of an epoch was destroyed, so that nobody can tell any more who stands behind its pseudonyms.
///
/// # Errors
/// Exit code 2 where there is no log.
pub async fn erase(host: &mut Host, project: &Project, arguments: &args::Erase, form: Form) -> Result<Exit> {
    let store = project.store()?;
    let signer = signing::configured(host, project).await?;
    let mut recorder = Recorder::open(host, project, &store, signer.as_deref()).await?;
    logged(&recorder)?;
    let subject = Subject::new(redaction::destroyed_epoch(&arguments.epoch), Digest::of(arguments.epoch.as_bytes()));
    let said = json!({"epoch": arguments.epoch, "reason": arguments.reason, "at": host.now()});
    let index = recorder.state(Kind::Tombstone, vec![subject], said).await?;
    recorder.finish(host, project).await?;
    match form {
        Form::Json => writeln!(host.out, "{}", json!({"entry": index, "epoch": arguments.epoch}))?,
        Form::Text => writeln!(
            host.out,
            "Entry {index} says that the key of epoch {} is destroyed. Destroy every copy of it now: the evidence stays as it is, and the people behind its pseudonyms cannot be told any more.",
            arguments.epoch
        )?,
    }
    Ok(Exit::Satisfied)
}

fn logged<'a>(recorder: &'a Recorder<'_>) -> Result<&'a [Entry]> {
    let none = || Failure::usage("this goes into the log, and the store has none: `proofline keygen` makes a key for it");
    Ok(recorder.entries().ok_or_else(none)?)
}

/// Everything that is needed to read and to prove these runs.
async fn objects(store: &Arc<dyn Store>, runs: &Runs, (sealed, until): (&[Sealed], u64)) -> Result<BTreeSet<String>> {
    let mut objects = BTreeSet::from([crate::ledger::identity::OBJECT.to_owned()]);
    for run in sealed {
        let manifest = &run.manifest;
        objects.extend([&run.object, &manifest.requests.object, &manifest.bodies.object].map(Clone::clone));
        objects.extend(snapshot::bodies(store.as_ref(), manifest).await?.into_iter().map(|body| body.pack.to_string()));
        objects.extend(manifest.scope.attached().filter_map(|of| of.object.clone()));
        for judged in snapshot::evaluations(store.as_ref(), &manifest.run).await? {
            if runs.accepts(&judged.object, judged.digest) {
                objects.extend([judged.object, judged.evaluation.results.object]);
            }
        }
    }
    // Every entry before: the tree is over all of them.
    objects.extend((0..until).map(slot));
    objects.extend(checkpoints(store).await?);
    Ok(objects)
}

async fn checkpoints(store: &Arc<dyn Store>) -> Result<Vec<String>, StoreError> {
    let mut all = store.list("log/tile/").await?;
    all.extend(store.list("log/checkpoint/").await?);
    all.extend(store.list("log/anchor/").await?);
    Ok(all)
}

/// The runs that are held now, with the reason.
#[must_use]
pub fn held(entries: &[Entry]) -> Vec<(RunId, String)> {
    let mut held: Vec<(RunId, String)> = Vec::new();
    for statement in entries.iter().filter_map(|entry| entry.statement.as_ref()).filter(|statement| statement.kind() == Some(Kind::Hold)) {
        let runs: Vec<RunId> = statement.subjects().iter().filter_map(|subject| snapshot::run_of(&subject.name)).collect();
        held.retain(|(run, _reason)| !runs.contains(run));
        if said(statement, "held") == Some(&Value::Bool(true)) {
            let reason = said(statement, "reason").and_then(Value::as_str).unwrap_or_default();
            held.extend(runs.into_iter().map(|run| (run, reason.to_owned())));
        }
    }
    held
}

fn said<'a>(statement: &'a Statement, member: &str) -> Option<&'a Value> {
    statement.predicate().get(member)
}
