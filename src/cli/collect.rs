//! `collect`: fetch, seal, judge.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _};

use crate::catalog::{Catalog, SourceFile};
use crate::cli::archive::{Earlier, RunArchive};
use crate::cli::args;
use crate::cli::due::{self, Owed, Past};
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::network::Errand;
use crate::cli::project::Project;
use crate::cli::recorder::Recorder;
use crate::cli::runs::{Judgement, Runs};
use crate::cli::{TOOL, judge, memory, network, reconstruct, redaction, retention, signing, summary, tasks};
use crate::collect::evidence::refusal;
use crate::collect::memory::Memory;
use crate::collect::redact::Redactor;
use crate::collect::registry;
use crate::ledger::replay::Entry;
use crate::model::{Budget, Control, ControlFile, ControlId, Exchange, Manifest, Outcome, Period, RunId, Scope};
use crate::store::Store;
use crate::store::snapshot::{self, Sealed, SealedEvaluation};

/// Runs that are read at the same time; a bucket answers each after a while.
const AT_ONCE: usize = 16;
/// How many of the newest runs are searched for bodies to re-validate: with a run a night, what is asked once a week is found again.
const RECENT: usize = 8;
/// How old an answer may be that a run takes over from the one that it continues: a primary limit lifts within an hour, an outage within some.
const TAKEN_OVER: TimeDelta = TimeDelta::hours(6);

/// What a run will do.
struct Plan {
    run: RunId,
    started_at: DateTime<Utc>,
    trigger: &'static str,
    controls: Vec<Control>,
    kinds: BTreeSet<String>,
    scope: Scope,
    earlier: Vec<RunId>,
    /// Slots before this one in which nothing ran, by control.
    not_run: BTreeMap<ControlId, Vec<String>>,
    /// The run that this one continues, and since when its answers count.
    continues: Option<(RunId, DateTime<Utc>)>,
}

/// Runs the verb.
///
/// # Errors
/// Where it cannot go on; a finding is no error.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Collect, form: summary::Form) -> Result<Exit> {
    let files = project.control_files()?;
    let catalog = project.catalog(host, &files)?;
    let store = project.store()?;
    retention::demand(host, project, &catalog.controls).await?;
    let signer = signing::configured(host, project).await?;
    let mut recorder = Recorder::open(host, project, &store, signer.as_deref()).await?;
    let (past, made) = past(&Runs::of(&store, recorder.entries())).await?;
    for judged in &made {
        recorder.evaluation(judged).await?;
    }
    let now = host.now();
    let owed = due::owed(&catalog.controls, &past, now, project.settings.time_zone);
    let known = Known { catalog, past, owed };
    if arguments.due && known.owed.is_empty() {
        // What an earlier start could not finish is finished now.
        recorder.finish(host, project).await?;
        return summary::nothing_due(host, &known.catalog, now, project, form);
    }
    let plan = match arguments.reconstruct {
        Some(day) => plan_of_day(host, project, arguments, &known, day)?,
        None => plan(host, project, arguments, &known, recorder.entries())?,
    };
    if plan.controls.is_empty() {
        match arguments.reconstruct {
            Some(day) => writeln!(host.err, "Nothing of {day} is missing that the sources could tell: `proofline status` says which days are open")?,
            None => writeln!(host.err, "warning: this shard has nothing to do: there are fewer parts than shards")?,
        }
        recorder.finish(host, project).await?;
        return Ok(Exit::Satisfied);
    }
    let redactor = redaction::redactor(host, project)?;
    redaction::same_key(&redactor, known.past.iter().map(|past| &past.manifest), recorder.entries())?;
    let memory = memory::read(host, &store, &known.past, (&plan.kinds, plan.continues.as_ref().map(|(run, _since)| run))).await?;
    let sealed = fetch_and_seal(host, project, &store, (&plan, &files), (redactor, memory)).await?;
    recorder.run(&sealed).await?;
    let judged = judge::judge(&store, &sealed).await?;
    recorder.evaluation(&judged).await?;
    let recorded = recorder.finish(host, project).await?;
    let evaluation = judged.evaluation;
    let mut waiting = due::waiting(&known.catalog.controls, &known.past, now, project.settings.time_zone);
    waiting.retain(|waiting| arguments.due && plan.controls.iter().all(|control| control.id != waiting.control));
    let missed = known.owed.iter().filter(|owed| plan.controls.iter().any(|control| control.id == owed.control)).collect();
    let exit = Exit::of(&evaluation.findings);
    let exit = recorded.as_ref().map_or(exit, |recorded| recorded.exit(exit));
    let told = summary::Told { controls: &plan.controls, sealed: &sealed, evaluation: &evaluation, missed, waiting, recorded: recorded.as_ref() };
    summary::run(host, &told, form)?;
    Ok(exit)
}

/// The sealed runs and their findings, in the order of what they show, oldest first. A run that was killed before it was judged is judged now; such evaluations come beside, for the log.
///
/// # Errors
/// Where stored evidence is missing or changed.
pub async fn past(runs: &Runs) -> Result<(Vec<Past>, Vec<SealedEvaluation>)> {
    let one = |run| one_past(runs, run);
    let all: Vec<_> = futures::stream::iter(runs.ids().await?).map(one).buffered(AT_ONCE).try_collect().await?;
    let (mut past, made): (Vec<Past>, Vec<Option<SealedEvaluation>>) = all.into_iter().unzip();
    past.sort_by_key(|run| run.manifest.shows());
    Ok((past, made.into_iter().flatten().collect()))
}

async fn one_past(runs: &Runs, run: RunId) -> Result<(Past, Option<SealedEvaluation>)> {
    let sealed = runs.sealed(&run).await?;
    let (findings, made) = match runs.evaluation(&sealed).await? {
        Judgement::Stored(stored) => (stored.evaluation.findings, None),
        Judgement::Made(judged) => (judged.evaluation.findings.clone(), Some(judged)),
    };
    Ok((Past { manifest: sealed.manifest, findings }, made))
}

/// What is known before the first request.
struct Known {
    catalog: Catalog,
    past: Vec<Past>,
    owed: Vec<Owed>,
}

fn plan(host: &Host, project: &Project, arguments: &args::Collect, known: &Known, entries: Option<&[Entry]>) -> Result<Plan> {
    let Known { catalog, past, owed } = known;
    let now = host.now();
    let settings = &project.settings;
    named(catalog, arguments)?;
    let wanted = |control: &&Control| {
        if arguments.due { owed.iter().any(|owed| owed.control == control.id) } else { arguments.control.is_empty() || arguments.control.contains(&control.id) }
    };
    let controls: Vec<Control> = catalog.controls.iter().filter(wanted).cloned().collect();
    let controls = match arguments.shard {
        Some(shard) => part(controls, shard),
        None => controls,
    };
    let kinds = kinds(&controls);
    let first = TimeDelta::days(i64::from(settings.first_window_days));
    // Evidence of a slot is gathered within it.
    let oldest = owed.iter().map(|owed| owed.slot.period.start()).fold(now - TAKEN_OVER, DateTime::max);
    let continued = past.last().filter(|last| arguments.due && due::is_to_be_continued(&last.manifest, oldest));
    let window = match (arguments.since, continued) {
        (Some(day), _) => Period::new(due::day_start(day, settings.time_zone), now),
        (None, Some(continued)) => due::window(past, &kinds, now, first).map(|own| due::continued_window(continued.manifest.scope.window, own)),
        (None, None) => due::window(past, &kinds, now, first),
    };
    let window = window.map_err(|error| Failure::usage(format!("no changes can be collected: {error}; is the clock right?")))?;
    Ok(Plan {
        run: run_id(host, now)?,
        started_at: now,
        trigger: if arguments.due { "due" } else { "manual" },
        kinds,
        scope: tasks::in_scope(project.scope(window), settings.time_zone.name(), &catalog.controls, &controls, entries),
        not_run: not_run(&controls, owed),
        continues: continued.map(|run| (run.manifest.run.clone(), oldest)),
        earlier: past.iter().rev().take(RECENT).rev().map(|run| run.manifest.run.clone()).collect(),
        controls,
    })
}

fn not_run(controls: &[Control], owed: &[Owed]) -> BTreeMap<ControlId, Vec<String>> {
    let of = |owed: &Owed| (owed.control.clone(), owed.missed.iter().map(|slot| slot.name.clone()).collect::<Vec<_>>());
    let ours = owed.iter().filter(|owed| controls.iter().any(|control| control.id == owed.control));
    ours.map(of).filter(|(_control, missed)| !missed.is_empty()).collect()
}

/// What a run does that tells of a past day.
fn plan_of_day(host: &Host, project: &Project, arguments: &args::Collect, known: &Known, day: NaiveDate) -> Result<Plan> {
    let Known { catalog, past, .. } = known;
    let now = host.now();
    named(catalog, arguments)?;
    let reconstruction = reconstruct::of_day(&catalog.controls, past, day, (now, project.settings.time_zone))?;
    for control in catalog.controls.iter().filter(|control| arguments.control.contains(&control.id)) {
        let kinds = || kinds(std::slice::from_ref(control)).into_iter().collect::<Vec<_>>().join(", ");
        let until = |slot| reconstruct::told_until(control, &slot, reconstruction.as_of);
        let is_forgotten = control.slot_at(reconstruction.as_of, project.settings.time_zone).and_then(until).is_some_and(|until| until < now);
        let why = match reconstruct::remembers(control) {
            None => "which is not remembered: only what Cloud Asset Inventory and audit logs show can be reconstructed".to_owned(),
            Some(span) if is_forgotten => format!("of which no more than {} days are remembered", span.num_days()),
            Some(_span) => continue,
        };
        return Err(Failure::usage(format!("{} rests on {}, {why}", control.id, kinds())).into());
    }
    let wanted =
        |control: &&Control| reconstruction.controls.contains(&control.id) && (arguments.control.is_empty() || arguments.control.contains(&control.id));
    let controls: Vec<Control> = catalog.controls.iter().filter(wanted).cloned().collect();
    Ok(Plan {
        run: run_id(host, now)?,
        started_at: now,
        trigger: "reconstruct",
        kinds: kinds(&controls),
        controls,
        scope: Scope { as_of: Some(reconstruction.as_of), ..project.scope(reconstruction.window) },
        continues: None,
        earlier: Vec::new(),
        not_run: BTreeMap::new(),
    })
}

fn named(catalog: &Catalog, arguments: &args::Collect) -> Result<(), Failure> {
    match arguments.control.iter().find(|id| catalog.control(id).is_none()) {
        Some(id) => Err(Failure::usage(format!("there is no control {id}: `proofline controls list` shows them all"))),
        None => Ok(()),
    }
}

fn kinds(controls: &[Control]) -> BTreeSet<String> {
    controls.iter().flat_map(|control| control.tests.iter().map(|test| test.population.clone())).collect()
}

fn run_id(host: &Host, now: DateTime<Utc>) -> Result<RunId> {
    Ok(format!("{}-{:08x}", now.format("%Y%m%dT%H%M%SZ"), (host.random)()).parse()?)
}

/// The controls of one shard. Those about the same kinds stay together, so that no two shards ask for the same.
fn part(controls: Vec<Control>, shard: args::Shard) -> Vec<Control> {
    let kinds = |control: &Control| kinds(std::slice::from_ref(control));
    let groups: BTreeSet<BTreeSet<String>> = controls.iter().map(kinds).collect();
    let ours: Vec<BTreeSet<String>> = groups.into_iter().skip(shard.number.saturating_sub(1)).step_by(shard.of).collect();
    controls.into_iter().filter(|control| ours.contains(&kinds(control))).collect()
}

async fn fetch_and_seal(
    host: &mut Host,
    project: &Project,
    store: &Arc<dyn Store>,
    (plan, files): (&Plan, &[SourceFile]),
    (redactor, memory): (Redactor, Memory),
) -> Result<Sealed> {
    let redaction = redaction::record(&redactor);
    let earlier = Earlier { runs: &plan.earlier, continues: plan.continues.as_ref() };
    let archive = Arc::new(RunArchive::new(Arc::clone(store), plan.started_at, earlier, &redaction).await?);
    archive.keep_text(redactor.policy().text()).await?;
    let identities = network::fetch(host, project, Arc::clone(&archive), Errand { scope: &plan.scope, kinds: &plan.kinds, redactor, memory }).await?;
    let control_files = keep_controls(&archive, files).await?;
    let configuration = archive.keep_text(&project.text).await?;
    let also = control_files.iter().map(|file| file.sha256).chain([configuration, redaction.policy]);
    let bodies = snapshot::put_bodies(store.as_ref(), &plan.run, &archive.place(also).await?).await?;
    let exchanges = archive.take_exchanges();
    // What it knows of bodies is not needed beside the records, and both grow with the organisation.
    drop(archive);
    let (requests, exchanges) = snapshot::put_requests(store.as_ref(), &plan.run, exchanges).await?;
    let parameters = project.settings.parameters.values().into_iter().map(|(id, values)| Ok((id.to_string(), serde_json::to_string(&values)?)));
    let manifest = Manifest {
        format: 1,
        run: plan.run.clone(),
        started_at: plan.started_at,
        ended_at: host.now(),
        trigger: plan.trigger.to_owned(),
        continues: plan.continues.as_ref().map(|(run, _since)| run.clone()),
        tool: TOOL.to_owned(),
        time_zone: project.settings.time_zone.name().to_owned(),
        scope: plan.scope.clone(),
        controls: plan.controls.iter().map(|control| control.id.clone()).collect(),
        program: host.program,
        identities,
        configuration,
        control_files,
        parameters: parameters.collect::<Result<_>>()?,
        redaction: Some(redaction),
        kinds: outcomes(&plan.kinds, &exchanges),
        requests,
        bodies,
        exchanges: count(&exchanges, |_exchange| true),
        not_modified: count(&exchanges, |exchange| exchange.status == Some(304)),
        failed: count(&exchanges, |exchange| !exchange.is_answer()),
        not_run: plan.not_run.clone(),
        budget: Budget::of(&exchanges),
    };
    snapshot::seal(store.as_ref(), manifest).await.context("sealing the run")
}

async fn keep_controls(archive: &RunArchive, files: &[SourceFile]) -> Result<Vec<ControlFile>> {
    let mut kept = Vec::new();
    for file in files {
        kept.push(ControlFile { path: file.path.clone(), sha256: archive.keep_text(&file.text).await? });
    }
    Ok(kept)
}

fn count(exchanges: &[Exchange], which: impl Fn(&Exchange) -> bool) -> u32 {
    u32::try_from(exchanges.iter().filter(|exchange| which(exchange)).count()).unwrap_or(u32::MAX)
}

/// A kind is partial where an exchange that it asked for had no answer that a later run may get.
fn outcomes(kinds: &BTreeSet<String>, exchanges: &[Exchange]) -> BTreeMap<String, Outcome> {
    let lost = |kind: &str| {
        exchanges.iter().any(|e| !e.is_answer() && !e.was_too_much() && refusal(e).cause.is_transient() && e.asked_by.iter().any(|asked| asked == kind))
    };
    kinds.iter().map(|kind| (kind.clone(), if lost(kind) { Outcome::Partial } else { Outcome::Complete })).collect()
}

/// `evaluate`: judges a sealed run again.
///
/// # Errors
/// Where the run or its evidence is missing or changed.
pub async fn again(host: &mut Host, project: &Project, arguments: &args::Evaluate, form: summary::Form) -> Result<Exit> {
    let store = project.store()?;
    let signer = signing::configured(host, project).await?;
    let mut recorder = Recorder::open(host, project, &store, signer.as_deref()).await?;
    let sealed = Runs::of(&store, recorder.entries()).sealed(&arguments.run).await?;
    let before = snapshot::evaluations(store.as_ref(), &arguments.run).await?;
    let judged = judge::judge(&store, &sealed).await?;
    recorder.evaluation(&judged).await?;
    let recorded = recorder.finish(host, project).await?;
    let evaluation = judged.evaluation;
    let catalog = judge::sealed_catalog(store.as_ref(), &sealed.manifest).await?;
    let controls = judge::judged_controls(&catalog, &sealed.manifest);
    let told =
        summary::Told { controls: &controls, sealed: &sealed, evaluation: &evaluation, missed: Vec::new(), waiting: Vec::new(), recorded: recorded.as_ref() };
    summary::run(host, &told, form)?;
    if form == summary::Form::Text {
        let same = before.iter().any(|earlier| earlier.evaluation.id == evaluation.id);
        let said = if same { "the same bytes as before" } else { "a first judgement by this version" };
        writeln!(host.out, "Evaluation {}: {said}.", evaluation.id)?;
    }
    let exit = Exit::of(&evaluation.findings);
    Ok(recorded.map_or(exit, |recorded| recorded.exit(exit)))
}

/// The kinds of a plan that this version can collect.
///
/// # Errors
/// Exit code 2 where a control names another.
pub fn collectors(kinds: &BTreeSet<String>) -> Result<Vec<&'static dyn crate::collect::Collector>> {
    kinds.iter().map(|kind| registry::find(kind).ok_or_else(|| Failure::usage(format!("no collector for {kind}")).into())).collect()
}
