//! What `verify` says.

use std::io::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::hold;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::summary::table;
use crate::cli::verify::Found;
use crate::ledger::checkpoint::{Checkpoint, hash_text};
use crate::ledger::note::Note;
use crate::ledger::replay::Entry;
use crate::ledger::verify::Verified;
use crate::store::check::Problem;

/// Objects of one sort that are listed by name; the rest is counted.
const LISTED: usize = 20;

impl Found {
    /// Everything that does not verify.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.log.problems.iter().chain(&self.evidence.problems).chain(&self.observed.problems)
    }
}

/// The newest checkpoint: size and root.
pub(super) fn newest(log: &Verified) -> Option<(u64, String)> {
    let (size, bytes) = log.checkpoints.last_key_value()?;
    let checkpoint = Checkpoint::parse(Note::parse(bytes).ok()?.text()).ok()?;
    Some((*size, hash_text(&checkpoint.root)))
}

pub(super) fn text(host: &mut Host, project: &Project, found: &Found) -> Result<()> {
    let Found { log, evidence, observed, days } = found;
    let out = &mut host.out;
    writeln!(out, "{}\n", project.settings.store)?;
    match (&log.first, newest(log)) {
        (None, _) => writeln!(out, "No log: nothing signs this evidence.")?,
        (Some(first), newest) => {
            writeln!(out, "Log {}: {} entries, {} checkpoints", first.name(), log.entries.len(), log.checkpoints.len())?;
            writeln!(out, "  first key      {first}")?;
            if let Some(current) = log.current.as_ref().filter(|current| *current != first) {
                writeln!(out, "  key in force   {current}")?;
            }
            if let Some((size, root)) = newest {
                writeln!(out, "  checkpoint     {size} entries, root {root}")?;
            }
        }
    }
    writeln!(
        out,
        "Evidence: {} runs, {} evaluations, {} packs, {} bodies of {} bytes hashed again",
        evidence.runs.len(),
        evidence.evaluations,
        evidence.packs,
        evidence.bodies,
        evidence.bytes
    )?;
    if evidence.attachments > 0 {
        writeln!(out, "Attached to tasks: {} hashed again", evidence.attachments)?;
    }
    if evidence.reevaluated > 0 {
        writeln!(out, "Judged again from the evidence: {} evaluations, with the same outcome", evidence.reevaluated)?;
    }
    if !days.is_empty() {
        let mut table = table(&["DAY", "RUNS", "ASSURANCE", "WHAT IT LACKS"]);
        for day in days {
            table.add_row([day.day.to_string(), day.runs.to_string(), day.derived.level.to_string(), day.derived.lacks.clone().unwrap_or_default()]);
        }
        writeln!(out, "\n{table}")?;
    }
    list(out, "Runs that are held", hold::held(&log.entries).into_iter().map(|(run, reason)| format!("{run}: {reason}")).collect())?;
    let index = |entry: &Entry| format!("entry {}", entry.index);
    list(out, "Not under a checkpoint yet", log.pending().map(index).collect())?;
    list(out, "Foreign entries, which nobody signed who may", log.foreign().map(index).collect())?;
    list(out, "Objects that the log does not name, which are not evidence", [log.strays.as_slice(), &evidence.unnamed].concat())?;
    list(out, "Packs left over from runs that were interrupted", evidence.orphans.clone())?;
    list(out, "Answers of observers that are not configured here", observed.unjudged.clone())?;
    list(out, "Evaluations by other versions that this version does not repeat", evidence.differing.clone())?;
    let problems: Vec<String> = found.problems().map(|problem| format!("{}: {}", problem.object, problem.what)).collect();
    if problems.is_empty() {
        writeln!(out, "\nEverything verifies.")?;
    } else {
        writeln!(out, "\nDOES NOT VERIFY ({}):", problems.len())?;
        for problem in problems {
            writeln!(out, "  {problem}")?;
        }
    }
    Ok(())
}

fn list(out: &mut impl std::io::Write, what: &str, names: Vec<String>) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{what} ({}):", names.len())?;
    for name in names.iter().take(LISTED) {
        writeln!(out, "  {name}")?;
    }
    if names.len() > LISTED {
        writeln!(out, "  and {} more: --json lists them all", names.len().saturating_sub(LISTED))?;
    }
    Ok(())
}

pub(super) fn json(host: &mut Host, project: &Project, found: &Found) -> Result<()> {
    let Found { log, evidence, observed, days } = found;
    let index = |entry: &Entry| entry.index;
    let newest = newest(log);
    let days: Vec<Value> = days.iter().map(|day| json!({"day": day.day, "runs": day.runs, "level": day.derived.level, "lacks": day.derived.lacks})).collect();
    let document = json!({
        "store": project.settings.store,
        "verifies": found.problems().next().is_none(),
        "problems": found.problems().collect::<Vec<_>>(),
        "log": log.first.as_ref().map(|first| json!({
            "origin": first.name(),
            "first_key": first.to_string(),
            "key_in_force": log.current.as_ref().map(ToString::to_string),
            "entries": log.entries.len(),
            "checkpoints": log.checkpoints.keys().collect::<Vec<_>>(),
            "size": newest.as_ref().map(|(size, _root)| size),
            "root": newest.as_ref().map(|(_size, root)| root),
            "held": hold::held(&log.entries).iter().map(|(run, reason)| json!({"run": run, "reason": reason})).collect::<Vec<_>>(),
            "pending": log.pending().map(index).collect::<Vec<_>>(),
            "foreign": log.foreign().map(index).collect::<Vec<_>>(),
            "strays": log.strays,
        })),
        "runs": evidence.runs.iter().map(|run| json!({"run": run.run, "entry": run.entry})).collect::<Vec<_>>(),
        "evaluations": evidence.evaluations,
        "attachments": evidence.attachments,
        "packs": evidence.packs,
        "bodies": evidence.bodies,
        "bytes": evidence.bytes,
        "reevaluated": evidence.reevaluated,
        "differing": evidence.differing,
        "unnamed": evidence.unnamed,
        "orphans": evidence.orphans,
        "unjudged": observed.unjudged,
        "days": days,
    });
    writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?;
    Ok(())
}
