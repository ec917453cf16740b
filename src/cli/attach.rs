//! `attach`: evidence of completion given from a terminal: stored, hashed, and entered into the log with who gave it and when. The next run counts it.
//!
//! Who gave it is what whoever holds the log's key says. Left out: whether it counts (the control's tests).

use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::recorder::Recorder;
use crate::cli::redaction;
use crate::cli::signing;
use crate::cli::summary::Form;
use crate::collect::attachment::OPERATION;
use crate::ledger::replay::Entry;
use crate::ledger::statement::{Kind, Subject};
use crate::model::{Attached, Control, ControlId, Digest, Given, Task};
use crate::store::Store;

/// What the log says of it beside digest and object.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    control: ControlId,
    slot: String,
    kind: Given,
    name: String,
    bytes: u64,
    kept: bool,
    by: String,
    at: chrono::DateTime<chrono::Utc>,
}

/// What was handed in.
struct Handed {
    kind: Given,
    name: String,
    bytes: Bytes,
}

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where there is no log, task or slot of that name, or the file holds what may not be kept.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Attach, form: Form) -> Result<Exit> {
    let catalog = project.catalog(host, &project.control_files()?)?;
    let (control, task) = task_of(&catalog.controls, &arguments.task)?;
    slot_of(host, project, task, arguments)?;
    let by = one_line("--by", &arguments.by)?;
    let handed = handed(host, project, arguments)?;
    let store = project.store()?;
    let signer = signing::configured(host, project).await?;
    let mut recorder = Recorder::open(host, project, &store, signer.as_deref()).await?;
    let entries = recorder.entries().ok_or_else(|| Failure::usage("this goes into the log, and the store has none: `proofline keygen` makes a key for it"))?;
    let sha256 = Digest::of(&handed.bytes);
    let same =
        |of: &Attached| (&of.control, of.slot.as_str(), of.kind, of.sha256, of.by.as_str()) == (&control.id, arguments.slot.as_str(), handed.kind, sha256, by);
    let known = attached(entries).into_iter().find(same);
    let is_new = known.is_none();
    let entry = match known {
        Some(known) => known.entry,
        None => enter(host, (&store, &mut recorder), (control, arguments, by), (&handed, sha256)).await?,
    };
    recorder.finish(host, project).await?;
    let counts = task.evidence.contains(&handed.kind);
    if !counts {
        let counting: Vec<&str> = task.evidence.iter().map(|kind| kind.as_str()).collect();
        writeln!(host.err, "warning: a {} does not count as evidence of {}: what counts is {}", handed.kind, control.id, counting.join(", "))?;
    }
    match form {
        Form::Json => writeln!(
            host.out,
            "{}",
            json!({"entry": entry, "new": is_new, "task": control.id, "slot": arguments.slot, "kind": handed.kind, "sha256": sha256, "by": by, "counts": counts})
        )?,
        Form::Text if is_new => {
            writeln!(host.out, "Entry {entry} says that {by} gave this {} for {} {}: SHA-256 {sha256}.", handed.kind, control.id, arguments.slot)?
        }
        Form::Text => writeln!(host.out, "Entry {entry} says so already: nothing was added.")?,
    }
    Ok(Exit::Satisfied)
}

/// The control of a task.
///
/// # Errors
/// Exit code 2 where there is none of that name, or it declares no task.
pub fn task_of<'c>(controls: &'c [Control], id: &ControlId) -> Result<(&'c Control, &'c Task)> {
    let control = controls.iter().find(|control| control.id == *id);
    let control = control.ok_or_else(|| Failure::usage(format!("there is no control {id}: `proofline tasks` lists the tasks")))?;
    let task = control.task.as_ref().ok_or_else(|| Failure::usage(format!("{id} declares no task: `proofline tasks` lists those that do")))?;
    Ok((control, task))
}

fn slot_of(host: &Host, project: &Project, task: &Task, arguments: &args::Attach) -> Result<()> {
    let slots = task.slots_until(host.now(), project.settings.time_zone);
    if slots.iter().any(|slot| slot.name == arguments.slot) {
        return Ok(());
    }
    let newest: Vec<&str> = slots.iter().rev().take(3).map(|slot| slot.name.as_str()).collect();
    let help = if newest.is_empty() { format!("its first one begins on {}", task.starts) } else { format!("the newest are {}", newest.join(", ")) };
    Err(Failure::usage(format!("{} has no slot {:?} that began by now: {help}", arguments.task, arguments.slot)).into())
}

/// Text on one line, as people are named and addresses written.
fn one_line<'t>(what: &str, text: &'t str) -> Result<&'t str> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 1_000 || text.chars().any(char::is_control) {
        return Err(Failure::usage(format!("{what} takes 1 to 1000 characters on one line")).into());
    }
    Ok(text)
}

fn handed(host: &Host, project: &Project, arguments: &args::Attach) -> Result<Handed> {
    if let Some(path) = &arguments.file {
        let shown = path.display();
        let bytes = fs::read(host.folder.join(path)).map_err(|error| Failure::usage(format!("--file {shown}: {error}")))?;
        let limit = u64::from(project.settings.limits.body_mib) << 20;
        if !arguments.hash_only && u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            return Err(Failure::usage(format!("--file {shown}: it is larger than body_mib under [limits] allows; --hash-only enters its digest alone")).into());
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = one_line("the file's name", &name)?.to_owned();
        if !arguments.hash_only {
            may_be_kept(host, project, &bytes)
                .map_err(|why| Failure::usage(format!("--file {shown}: {why}; clean it, or enter its digest alone with --hash-only")))?;
        }
        let kind = if arguments.hash_only { Given::Hash } else { Given::File };
        return Ok(Handed { kind, name, bytes: bytes.into() });
    }
    let (kind, what, text) = match (&arguments.note, &arguments.link) {
        (Some(note), _) => (Given::Note, "--note", note.trim()),
        (None, Some(link)) => (Given::Link, "--link", one_line("--link", link)?),
        (None, None) => return Err(Failure::usage("say what is given: --file, --note or --link").into()),
    };
    if kind == Given::Link && !(text.starts_with("https://") || text.starts_with("http://")) {
        return Err(Failure::usage("--link takes a web address, e.g. https://example.com/minutes/7").into());
    }
    if text.is_empty() {
        return Err(Failure::usage(format!("{what} is empty")).into());
    }
    may_be_kept(host, project, text.as_bytes()).map_err(|why| Failure::usage(format!("{what}: {why}; leave it out")))?;
    Ok(Handed { kind, name: text.lines().next().unwrap_or_default().chars().take(120).collect(), bytes: Bytes::copy_from_slice(text.as_bytes()) })
}

/// The rules for files that people attach to issues: kept to the byte, or not at all.
fn may_be_kept(host: &Host, project: &Project, bytes: &[u8]) -> Result<(), String> {
    let redactor = redaction::redactor(host, project).map_err(|error| error.to_string())?;
    match redactor.clean_file(OPERATION, Bytes::copy_from_slice(bytes)) {
        Ok(clean) if clean.redacted.is_empty() => Ok(()),
        Ok(_changed) => Err("it holds what a redaction rule takes out".to_owned()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

async fn enter(
    host: &Host,
    (store, recorder): (&Arc<dyn Store>, &mut Recorder<'_>),
    (control, arguments, by): (&Control, &args::Attach, &str),
    (handed, sha256): (&Handed, Digest),
) -> Result<u64> {
    let object = object(sha256);
    let kept = handed.kind != Given::Hash;
    if kept {
        store.put_new(&object, handed.bytes.clone()).await.with_context(|| format!("storing {object}"))?;
    }
    let said = Said {
        control: control.id.clone(),
        slot: arguments.slot.clone(),
        kind: handed.kind,
        name: handed.name.clone(),
        bytes: u64::try_from(handed.bytes.len()).unwrap_or(u64::MAX),
        kept,
        by: by.to_owned(),
        at: host.now(),
    };
    recorder.state(Kind::Attachment, vec![Subject::new(object, sha256)], serde_json::to_value(said)?).await
}

/// Where attached bytes are kept.
fn object(sha256: Digest) -> String {
    format!("attachments/{sha256}")
}

/// Everything that was attached, as a log says.
#[must_use]
pub fn attached(entries: &[Entry]) -> Vec<Attached> {
    let of = |entry: &Entry| {
        let statement = entry.statement.as_ref().filter(|statement| statement.kind() == Some(Kind::Attachment))?;
        let subject = statement.subjects().first()?;
        let said: Said = serde_json::from_value(Value::Object(statement.predicate().clone())).ok()?;
        let Said { control, slot, kind, name, bytes, kept, by, at } = said;
        Some(Attached { control, slot, kind, name, bytes, by, at, sha256: subject.digest(), object: kept.then(|| subject.name.clone()), entry: entry.index })
    };
    entries.iter().filter_map(of).collect()
}
