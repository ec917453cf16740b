//! The rows of the task ledger, read back from sealed runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::cli::evidence::StoredEvidence;
use crate::cli::runs::Runs;
use crate::collect::Collector as _;
use crate::collect::github::task_slot::{KIND, TaskSlot};
use crate::model::{Control, ControlId, Digest, Manifest, Observation, TaskRow};
use crate::store::Store;
use crate::store::snapshot;
use crate::store::spool::Spool;

/// The slots of these tasks, each as the newest run saw it that judged its control; by control and slot.
///
/// # Errors
/// Where stored evidence is missing or changed.
pub async fn latest(store: &Arc<dyn Store>, runs: &Runs, declared: &[&Control]) -> Result<Vec<TaskRow>> {
    let mut rows = Vec::new();
    let mut wanted: BTreeSet<&ControlId> = declared.iter().map(|control| &control.id).collect();
    for run in runs.ids().await?.iter().rev() {
        if wanted.is_empty() {
            break;
        }
        let sealed = runs.sealed(run).await?;
        let Some(tasks) = &sealed.manifest.scope.tasks else { continue };
        let ours: BTreeSet<ControlId> = tasks.rules.iter().map(|rule| &rule.control).filter(|id| wanted.contains(id)).cloned().collect();
        if ours.is_empty() {
            continue;
        }
        let evaluation = runs.evaluation(&sealed).await?.sealed().evaluation;
        let results = snapshot::results(store.as_ref(), &evaluation).await?;
        rows.extend(of_run(store, &sealed.manifest, &ours, results.iter()).await?);
        wanted.retain(|id| !ours.contains(*id));
    }
    rows.sort_by(|a, b| (&a.control, a.seen.starts_at).cmp(&(&b.control, b.seen.starts_at)));
    Ok(rows)
}

/// The slots of some tasks as one run saw and judged them.
///
/// # Errors
/// Where stored evidence is missing or changed.
pub async fn of_run<'a>(
    store: &Arc<dyn Store>,
    manifest: &Manifest,
    controls: &BTreeSet<ControlId>,
    results: impl Iterator<Item = &'a Observation>,
) -> Result<Vec<TaskRow>> {
    let Some(tasks) = &manifest.scope.tasks else { return Ok(Vec::new()) };
    // Only what was asked for this kind: what else a run holds may be a thousand times as much.
    let mut exchanges = snapshot::requests(store.as_ref(), manifest).await?;
    exchanges.retain(|exchange| exchange.asked_by.iter().any(|kind| kind == KIND.name));
    let needed: BTreeSet<Digest> = exchanges.iter().map(|exchange| exchange.sha256).collect();
    let bodies: Vec<_> = snapshot::bodies(store.as_ref(), manifest).await?.into_iter().filter(|body| needed.contains(&body.sha256)).collect();
    let evidence = StoredEvidence::new(Spool::gather(store.as_ref(), &bodies).await?, exchanges);
    let mut slots = Vec::new();
    TaskSlot.extract(&manifest.scope, &evidence, &mut |resource| slots.push(resource))?;
    let mut judged: BTreeMap<(&ControlId, &str), Vec<&Observation>> = BTreeMap::new();
    for seen in results.filter(|seen| &*seen.kind == KIND.name) {
        judged.entry((&seen.control, seen.resource.as_str())).or_default().push(seen);
    }
    let mut rows = Vec::new();
    for rule in tasks.rules.iter().filter(|rule| controls.contains(&rule.control)) {
        let of_rule = slots.iter().filter(|slot| slot.id.as_str().starts_with(&format!("task/{}/", rule.control)));
        rows.extend(of_rule.filter_map(|slot| {
            let seen = judged.get(&(&rule.control, slot.id.as_str())).map(Vec::as_slice).unwrap_or_default();
            TaskRow::new(&manifest.run, slot, rule.task.aspects(), seen)
        }));
    }
    Ok(rows)
}
