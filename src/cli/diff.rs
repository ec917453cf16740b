//! `diff`: what differs between two nights, from their stored evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use serde_json::json;

use crate::cli::args;
use crate::cli::evidence::StoredEvidence;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::summary::{Form, instant};
use crate::collect::registry;
use crate::evaluate::difference::{Difference, Item, Mask, Side, Told, difference};
use crate::model::unseen;
use crate::store::Store;
use crate::store::snapshot::{self, Sealed};
use crate::store::spool::Spool;

/// Resources and changes of one kind that are listed; `--json` has them all.
const LISTED: usize = 20;

/// Runs the verb. That something differs is no failure.
///
/// # Errors
/// Exit code 2 where there is no such run or day; where stored evidence is missing or changed.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Diff, form: Form) -> Result<Exit> {
    let store = project.store()?;
    let runs = Runs::open(&store, project.settings.log.vkey.as_ref()).await?;
    let before = find(project, &runs, &arguments.before).await?;
    let after = find(project, &runs, &arguments.after).await?;
    let known = |kind: &&String| arguments.kind.is_empty() || arguments.kind.contains(*kind);
    let kinds: BTreeSet<&String> = before.manifest.kinds.keys().filter(|kind| after.manifest.kinds.contains_key(*kind)).filter(known).collect();
    if let Some(kind) = arguments.kind.iter().find(|kind| !kinds.contains(kind)) {
        return Err(Failure::usage(format!("{kind} was not collected in both runs: `proofline diff` without --kind shows what was")).into());
    }
    let (then, now) = (evidence(&store, &before).await?, evidence(&store, &after).await?);
    let masks: BTreeSet<Mask> = project.settings.diff_masks.iter().filter_map(|rule| Mask::new(rule)).collect();
    let mut told = Vec::new();
    for kind in kinds {
        let (before, after) = (side(kind, &before, &then)?, side(kind, &after, &now)?);
        told.push(difference(kind, &before, &after, &masks));
    }
    let only = |of: &Sealed, other: &Sealed| of.manifest.kinds.keys().filter(|kind| !other.manifest.kinds.contains_key(*kind)).cloned().collect::<Vec<_>>();
    let not_compared = [only(&before, &after), only(&after, &before)].concat();
    match form {
        Form::Json => writeln!(
            host.out,
            "{}",
            serde_json::to_string_pretty(&json!({"before": shown(&before), "after": shown(&after), "differences": told, "not_compared": not_compared}))?
        )?,
        Form::Text => text(host, (&before, &after), &told, &not_compared)?,
    }
    Ok(Exit::Satisfied)
}

fn shown(run: &Sealed) -> serde_json::Value {
    json!({"run": run.manifest.run, "shows": instant(run.manifest.shows()), "manifest_sha256": run.digest})
}

/// A run by its name, or the newest that shows a day of the audit calendar.
async fn find(project: &Project, runs: &Runs, named: &str) -> Result<Sealed> {
    let Ok(day) = named.parse::<NaiveDate>() else {
        let run = named.parse().map_err(|error| Failure::usage(format!("{named:?} is neither a day (YYYY-MM-DD) nor a run: {error}")))?;
        return runs.sealed(&run).await;
    };
    let mut newest: Option<Sealed> = None;
    for run in runs.ids().await? {
        let sealed = runs.sealed(&run).await?;
        let shows = sealed.manifest.shows();
        if shows.with_timezone(&project.settings.time_zone).date_naive() == day && newest.as_ref().is_none_or(|newest| newest.manifest.shows() <= shows) {
            newest = Some(sealed);
        }
    }
    newest.ok_or_else(|| Failure::usage(format!("no run shows {day}: `proofline status --json` lists the runs")).into())
}

async fn evidence(store: &Arc<dyn Store>, run: &Sealed) -> Result<StoredEvidence> {
    let spool = Spool::gather(store.as_ref(), &snapshot::bodies(store.as_ref(), &run.manifest).await?).await?;
    Ok(StoredEvidence::new(spool, snapshot::requests(store.as_ref(), &run.manifest).await?))
}

fn side(kind: &str, run: &Sealed, evidence: &StoredEvidence) -> Result<Side> {
    let collector = registry::find(kind).with_context(|| format!("run {} collected {kind}, which this version does not know", run.manifest.run))?;
    let mut resources = BTreeMap::new();
    let population = collector.extract(&run.manifest.scope, evidence, &mut |resource| drop(resources.insert(resource.id.clone(), resource)))?;
    Ok(Side { resources, is_whole: population.completeness().is_complete() })
}

fn text(host: &mut Host, (before, after): (&Sealed, &Sealed), told: &[Difference], not_compared: &[String]) -> Result<()> {
    let out = &mut host.out;
    for (word, run) in [("from", before), ("to", after)] {
        writeln!(out, "{word:<4} run {}, which shows {}", run.manifest.run, instant(run.manifest.shows()))?;
    }
    for of in told.iter().filter(|of| !of.is_none()) {
        writeln!(out, "\n{}: {} entered, {} left, {} changed, {} the same", of.kind, of.entered.len(), of.left.len(), of.changed.len(), of.same)?;
        items(out, "+", &of.entered)?;
        items(out, "-", &of.left)?;
        items(out, "?", &of.unclear)?;
        if !of.unclear.is_empty() {
            writeln!(out, "  ({} were seen in one run only, and the other did not see the whole population)", of.unclear.len())?;
        }
        for changed in of.changed.iter().take(LISTED) {
            writeln!(out, "  ~ {}", plain(&changed.name))?;
            for field in &changed.fields {
                writeln!(out, "      {}: {} -> {}", field.attribute, value(&field.before), value(&field.after))?;
            }
        }
        more(out, of.changed.len())?;
    }
    let same = told.iter().filter(|of| of.is_none()).count();
    writeln!(out, "\n{same} of {} kinds are the same.", told.len())?;
    let mut masked: BTreeMap<&str, usize> = BTreeMap::new();
    for (mask, count) in told.iter().flat_map(|of| &of.masked) {
        *masked.entry(mask.as_str()).or_default() += count;
    }
    for (mask, count) in masked {
        writeln!(out, "{count} changes of {mask} are masked ([diff] mask)")?;
    }
    if !not_compared.is_empty() {
        writeln!(out, "Collected in one of the runs only, and not compared: {}", not_compared.join(", "))?;
    }
    Ok(())
}

fn items(out: &mut impl std::io::Write, sign: &str, items: &[Item]) -> Result<()> {
    for item in items.iter().take(LISTED) {
        writeln!(out, "  {sign} {}", plain(&item.name))?;
    }
    more(out, items.len())
}

fn more(out: &mut impl std::io::Write, count: usize) -> Result<()> {
    if count > LISTED {
        writeln!(out, "  and {} more: --json lists them all", count.saturating_sub(LISTED))?;
    }
    Ok(())
}

/// What a source named, so that nothing in it acts on the terminal.
fn plain(text: &str) -> String {
    unseen::written_out(text, |_c| true).into_owned()
}

fn value(told: &Told) -> String {
    const LONGEST: usize = 100;
    let text = match told {
        Told::Known(value) => value.to_string(),
        Told::Unknown(why) => format!("not known ({why})"),
    };
    let text = plain(&text);
    let cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { text }
}
