//! Sealed runs of a period → `Assessment`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::cli::host::Host;
use crate::cli::index::{self, Catalogs, Judged};
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::slots;
use crate::cli::tasks;
use crate::cli::{TOOL, verify};
use crate::evaluate::history::{History, episodes};
use crate::model::{
    Assessment, Body, Cited, Control, ControlAssessment, ControlId, Criterion, DefinitionChange, Digest, MissingPermission, Neighbour, Observation,
    Observations, Outcome, Period, PermissionLedger, RunId, RunSummary, ScopeChange, TaskRow, WaiverNight, part_changes, waiver_uses,
};
use crate::store::Store;
use crate::store::bodies::BodyError;
use crate::store::snapshot::{self, SealedEvaluation};

/// What an assessment is about.
pub struct Brief {
    /// Whom it is about.
    pub entity: String,
    /// The audit period.
    pub period: Period,
    /// The audit calendar.
    pub zone: Tz,
    /// When it is put together, UTC.
    pub now: DateTime<Utc>,
    /// Where the evidence lies, for the reader.
    pub store: String,
}

/// Puts together everything a report needs; and what all runs said of every resource, which no report holds whole.
///
/// # Errors
/// Where stored evidence is missing or changed.
pub async fn assess(host: &mut Host, project: &Project, (store, sealed): (&Arc<dyn Store>, &Runs), brief: &Brief) -> Result<(Assessment, History)> {
    let (everything, Declared { criteria, waiting }) = judged_runs(store, sealed, brief).await?;
    let history = index::history(host, project, store, &everything).await?;
    let until = everything.partition_point(|run| run.sealed.manifest.shows() < brief.period.end());
    let all = everything.get(..until).unwrap_or_default();
    let runs: Vec<&Judged> = all.iter().filter(|run| brief.period.contains(run.sealed.manifest.shows())).collect();
    let ids: BTreeSet<ControlId> = runs.iter().flat_map(|run| run.controls.iter().map(|control| control.id.clone())).collect();
    let mut controls = Vec::new();
    let mut newest: BTreeMap<RunId, &Judged> = BTreeMap::new();
    for id in ids {
        let Some((assessed, run)) = control(brief, all, &id) else { continue };
        newest.insert(run.sealed.manifest.run.clone(), run);
        controls.push(assessed);
    }
    observe(store, &mut controls, &newest).await?;
    controls.extend(waiting.into_iter().map(|control| not_judged_yet(brief, all, control)));
    controls.sort_by(|a, b| a.control.id.cmp(&b.control.id));
    let began = runs.iter().map(|run| (run.sealed.manifest.run.clone(), run.sealed.manifest.started_at));
    let rests_on = verify::rests_on(project, began).await?;
    let assessment = Assessment {
        entity: brief.entity.clone(),
        period: brief.period,
        time_zone: brief.zone.name().to_owned(),
        prepared_at: brief.now,
        tool: TOOL.to_owned(),
        store: brief.store.clone(),
        scope: runs.last().map(|run| run.sealed.manifest.scope.clone()),
        evidence: cited(store, &controls, &newest).await?,
        populations: populations(&controls, &newest),
        episodes: episodes(&history, brief.period),
        remediation: project.settings.remediation.clone(),
        permissions: permissions(&controls, &newest),
        tasks: task_rows(store, brief, &controls, &newest).await?,
        waivers: waiver_uses(&all.iter().map(waiver_night).collect::<Vec<_>>(), brief.period, brief.zone, brief.now),
        log: rests_on.log,
        days: rests_on.days,
        scope_changes: scope_changes(&runs),
        controls,
        criteria,
        runs: runs.iter().map(|run| summary(run)).collect(),
    };
    Ok((assessment, history))
}

/// What the control files of the newest run declare beside the controls that it judged.
#[derive(Default)]
struct Declared {
    criteria: Vec<Criterion>,
    /// Weekly controls whose day had never come.
    waiting: Vec<Control>,
}

/// Every run, judged, with its controls as they were, in the order of what they show; and what the newest one before the end of the period declares.
async fn judged_runs(store: &Arc<dyn Store>, runs: &Runs, brief: &Brief) -> Result<(Vec<Judged>, Declared)> {
    let mut judged: Vec<Judged> = Vec::new();
    let mut declared = Declared::default();
    let mut catalogs = Catalogs::default();
    for run in runs.ids().await? {
        let sealed = runs.sealed(&run).await?;
        let SealedEvaluation { evaluation, digest, .. } = runs.evaluation(&sealed).await?.sealed();
        let (catalog, controls) = catalogs.of(store, &sealed.manifest).await?;
        if sealed.manifest.shows() < brief.period.end() {
            // By hand a person chooses what is judged.
            let waits = |control: &&Control| (control.weekday.is_some() || control.schedule.is_some()) && sealed.manifest.trigger == "due";
            declared = Declared { criteria: catalog.criteria.clone(), waiting: catalog.controls.iter().filter(waits).cloned().collect() };
        }
        judged.push(Judged::new(sealed, (evaluation, digest), catalog, controls));
    }
    judged.sort_by_key(|run| run.sealed.manifest.shows());
    let within = |run: &&Judged| run.sealed.manifest.shows() < brief.period.end();
    declared.waiting.retain(|waiting| judged.iter().filter(within).all(|run| run.control(&waiting.id).is_none()));
    Ok((judged, declared))
}

fn waiver_night(run: &Judged) -> WaiverNight<'_> {
    let manifest = &run.sealed.manifest;
    WaiverNight {
        run: &manifest.run,
        started_at: manifest.started_at,
        shows: manifest.shows(),
        declared: &run.catalog.waivers,
        findings: &run.evaluation.findings,
    }
}

/// A control over the period, without its observations, and the newest run that judged it.
fn control<'a>(brief: &Brief, all: &'a [Judged], id: &ControlId) -> Option<(ControlAssessment, &'a Judged)> {
    let judged: Vec<&Judged> = all.iter().filter(|run| run.control(id).is_some()).collect();
    let within: Vec<&Judged> = judged.iter().copied().filter(|run| brief.period.contains(run.sealed.manifest.shows())).collect();
    let newest = within.last().copied()?;
    let definition = newest.control(id)?;
    let assessed = ControlAssessment {
        control: definition.clone(),
        other_definitions: other_definitions(&within, definition),
        definition_changes: definition_changes(&within, id),
        slots: slots::of_control(brief, definition, &judged),
        schedules: slots::schedules(&within, id),
        findings: within.iter().filter_map(|run| Some((run.sealed.manifest.run.clone(), run.finding(id)?.clone()))).collect(),
        observations: Observations::default(),
    };
    Some((assessed, newest))
}

/// A control that no run has judged yet: it is in the report all the same, since nothing ran is no reason to leave it out.
fn not_judged_yet(brief: &Brief, all: &[Judged], control: Control) -> ControlAssessment {
    ControlAssessment {
        slots: slots::of_unjudged(brief, &control, all),
        control,
        other_definitions: Vec::new(),
        definition_changes: Vec::new(),
        schedules: Vec::new(),
        findings: Vec::new(),
        observations: Observations::default(),
    }
}

fn other_definitions(runs: &[&Judged], current: &Control) -> Vec<(RunId, Digest)> {
    let differs = |run: &&Judged| {
        let then = run.control(&current.id)?;
        (then.digest != current.digest).then(|| (run.sealed.manifest.run.clone(), then.digest))
    };
    runs.iter().filter_map(differs).collect()
}

/// Where runs of the period had another definition of a control than the run before them that judged it. A reconstruction has that of the day on which it was made.
fn definition_changes(runs: &[&Judged], id: &ControlId) -> Vec<DefinitionChange> {
    let ours: Vec<(&Judged, &Control)> = runs.iter().filter(|run| !run.is_reconstruction()).filter_map(|run| Some((*run, run.control(id)?))).collect();
    let found = |run: &Judged| run.finding(id).map(|finding| (run.sealed.manifest.run.clone(), finding.status, finding.counts));
    let change = |pair: &[(&Judged, &Control)]| {
        let [(before, then), (after, now)] = pair else { return None };
        (then.digest != now.digest).then(|| DefinitionChange {
            run: after.sealed.manifest.run.clone(),
            at: after.sealed.manifest.shows(),
            from: then.digest,
            to: now.digest,
            parts: part_changes(then, now),
            before: found(before),
            after: found(after),
        })
    };
    ours.windows(2).filter_map(change).collect()
}

/// Gives each control what the newest run that judged it saw.
async fn observe(store: &Arc<dyn Store>, controls: &mut [ControlAssessment], newest: &BTreeMap<RunId, &Judged>) -> Result<()> {
    for (run, judged) in newest {
        let theirs = controls.iter_mut().filter(|of| of.findings.last().is_some_and(|(last, _finding)| last == run));
        let mut theirs: BTreeMap<ControlId, &mut Observations> = theirs.map(|of| (of.control.id.clone(), &mut of.observations)).collect();
        let mut neighbour = Neighbour::default();
        let see = |seen: Observation| {
            if let Some(rows) = theirs.get_mut(&seen.control) {
                rows.push(seen, &mut neighbour);
            }
        };
        snapshot::each_result(store.as_ref(), &judged.evaluation, see).await?;
        theirs.into_values().for_each(Observations::shrink_to_fit);
    }
    Ok(())
}

/// The slots of tasks that the period touches, as the newest run of each control saw them.
async fn task_rows(store: &Arc<dyn Store>, brief: &Brief, controls: &[ControlAssessment], newest: &BTreeMap<RunId, &Judged>) -> Result<Vec<TaskRow>> {
    let mut rows = Vec::new();
    for (run, judged) in newest {
        let of_run = |of: &&ControlAssessment| of.control.task.is_some() && of.findings.last().is_some_and(|(last, _finding)| last == run);
        let theirs: Vec<&ControlAssessment> = controls.iter().filter(of_run).collect();
        if theirs.is_empty() {
            continue;
        }
        let ids = theirs.iter().map(|of| of.control.id.clone()).collect();
        let seen: Vec<Observation> = theirs.iter().flat_map(|of| of.observations.iter()).collect();
        rows.extend(tasks::of_run(store, &judged.sealed.manifest, &ids, seen.iter()).await?);
    }
    rows.retain(|row| row.seen.starts_at < brief.period.end() && row.seen.due.max(row.seen.ends_at) > brief.period.start());
    rows.sort_by(|a, b| (&a.control, a.seen.starts_at).cmp(&(&b.control, b.seen.starts_at)));
    Ok(rows)
}

/// The runs of the period that looked at something else than the run before them did; the window and the instant differ every night.
fn scope_changes(runs: &[&Judged]) -> Vec<ScopeChange> {
    let ours: Vec<&&Judged> = runs.iter().filter(|run| !run.is_reconstruction()).collect();
    let change = |pair: &[&&Judged]| {
        let [before, after] = pair else { return None };
        let lines = before.sealed.manifest.scope.differences(&after.sealed.manifest.scope);
        (!lines.is_empty()).then(|| ScopeChange { run: after.sealed.manifest.run.clone(), at: after.sealed.manifest.started_at, lines })
    };
    ours.windows(2).filter_map(change).collect()
}

/// What each control's newest run lacked; a permission that another control lacks in an older run of its own stays with that run.
fn permissions(controls: &[ControlAssessment], newest: &BTreeMap<RunId, &Judged>) -> Vec<MissingPermission> {
    let mut ledger = PermissionLedger::default();
    for (run, judged) in newest {
        let is_newest = |id: &ControlId| controls.iter().any(|of| of.control.id == *id && of.findings.last().is_some_and(|(newest, _)| newest == run));
        ledger.merge(&judged.evaluation.permissions, is_newest);
    }
    ledger.rows()
}

fn populations(controls: &[ControlAssessment], newest: &BTreeMap<RunId, &Judged>) -> Vec<(RunId, crate::model::Population)> {
    let used: BTreeSet<&str> = controls.iter().flat_map(|c| c.control.tests.iter().map(|test| test.population.as_str())).collect();
    let of = |(run, judged): (&RunId, &&Judged)| {
        let there = judged.evaluation.populations.iter().filter(|population| used.contains(population.kind.as_str()));
        there.map(|population| (run.clone(), population.clone())).collect::<Vec<_>>()
    };
    newest.iter().flat_map(of).collect()
}

async fn cited(store: &Arc<dyn Store>, controls: &[ControlAssessment], newest: &BTreeMap<RunId, &Judged>) -> Result<Vec<Cited>> {
    let mut evidence = Vec::new();
    for (run, judged) in newest {
        let mut numbers: BTreeSet<u32> = judged.evaluation.populations.iter().flat_map(|population| population.evidence.iter().copied()).collect();
        let here = controls.iter().filter(|control| control.findings.last().is_some_and(|(last, _finding)| last == run));
        numbers.extend(here.flat_map(|control| control.observations.evidence().flatten().copied()));
        let exchanges = snapshot::requests(store.as_ref(), &judged.sealed.manifest).await?;
        let placed: BTreeMap<Digest, Body> =
            snapshot::bodies(store.as_ref(), &judged.sealed.manifest).await?.into_iter().map(|body| (body.sha256, body)).collect();
        for exchange in exchanges.into_iter().filter(|exchange| numbers.contains(&exchange.n)) {
            let body = placed.get(&exchange.sha256).cloned();
            let body = body
                .ok_or_else(|| BodyError::Missing { object: format!("the place of body {} in {}", exchange.sha256, judged.sealed.manifest.bodies.object) })?;
            evidence.push(Cited { run: run.clone(), exchange, body });
        }
    }
    Ok(evidence)
}

fn summary(run: &Judged) -> RunSummary {
    let manifest = &run.sealed.manifest;
    RunSummary {
        run: manifest.run.clone(),
        started_at: manifest.started_at,
        ended_at: manifest.ended_at,
        trigger: manifest.trigger.clone(),
        as_of: manifest.scope.as_of,
        tool: manifest.tool.clone(),
        program: manifest.program,
        identities: manifest.identities.clone(),
        manifest: run.sealed.digest,
        object: run.sealed.object.clone(),
        evaluation: run.evaluation.id.clone(),
        exchanges: manifest.exchanges,
        not_modified: manifest.not_modified,
        failed: manifest.failed,
        continues: manifest.continues.clone(),
        budget: manifest.budget.clone(),
        partial: manifest.kinds.iter().filter(|(_kind, outcome)| **outcome == Outcome::Partial).map(|(kind, _outcome)| kind.clone()).collect(),
    }
}
