//! Sealed run → sealed evaluation. Reads stored bytes only, so it gives the same bytes tonight and in ten years.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use chrono_tz::Tz;

use crate::catalog::{self, Catalog, Overrides, SourceFile};
use crate::cli::evidence::StoredEvidence;
use crate::cli::{TOOL, vocabulary};
use crate::collect::registry;
use crate::evaluate::Judge;
use crate::model::{Control, ControlId, Digest, Finding, Manifest, MissingPermission, Observation, Parameters, Population, Resource, Waiver};
use crate::store::Store;
use crate::store::bodies::{Packed, Packer};
use crate::store::snapshot::{self, Evaluation, Sealed, SealedEvaluation};
use crate::store::spool::Spool;

/// Resources handed to the judge at a time.
const BATCH: usize = 256;

/// The control catalogue as it was in a run, read from the store.
///
/// # Errors
/// Where a control file is missing, changed, or not valid for this version.
pub async fn sealed_catalog(store: &dyn Store, manifest: &Manifest) -> Result<Catalog> {
    let wanted: BTreeSet<Digest> = manifest.control_files.iter().map(|file| file.sha256).collect();
    let placed = snapshot::bodies(store, manifest).await?.into_iter().filter(|body| wanted.contains(&body.sha256)).collect::<Vec<_>>();
    catalog_in(&Spool::gather(store, &placed).await?, manifest)
}

fn catalog_in(spool: &Spool, manifest: &Manifest) -> Result<Catalog> {
    let mut files = Vec::new();
    for file in &manifest.control_files {
        files.push(SourceFile::new(file.path.as_str(), String::from_utf8_lossy(&spool.get(file.sha256)?)));
    }
    let mut overrides: BTreeMap<ControlId, Parameters> = BTreeMap::new();
    for (control, json) in &manifest.parameters {
        overrides.insert(control.parse()?, serde_json::from_str(json)?);
    }
    catalog::load(&files, &vocabulary(), &Overrides::from(overrides))
        .map_err(|mistakes| anyhow!("the controls sealed in run {} do not load with this version:\n{mistakes}", manifest.run))
}

/// The controls that a run collected for, by id.
#[must_use]
pub fn judged_controls(catalog: &Catalog, manifest: &Manifest) -> Vec<Control> {
    catalog.controls.iter().filter(|control| manifest.controls.contains(&control.id)).cloned().collect()
}

/// Judges a sealed run and seals what was found. Doing it again is harmless: the same bytes are there already.
///
/// # Errors
/// Where stored evidence is missing or changed, or the result cannot be stored.
pub async fn judge(store: &Arc<dyn Store>, sealed: &Sealed) -> Result<SealedEvaluation> {
    let (evaluation, results) = evaluate(store, sealed).await?;
    snapshot::put_results(store.as_ref(), &evaluation.id, results).await?;
    Ok(snapshot::seal_evaluation(store.as_ref(), evaluation).await?)
}

/// Judges a sealed run and stores nothing.
///
/// # Errors
/// Where stored evidence is missing or changed.
pub async fn evaluate(store: &Arc<dyn Store>, sealed: &Sealed) -> Result<(Evaluation, Packed)> {
    let spool = Spool::gather(store.as_ref(), &snapshot::bodies(store.as_ref(), &sealed.manifest).await?).await?;
    let catalog = catalog_in(&spool, &sealed.manifest)?;
    let controls = judged_controls(&catalog, &sealed.manifest);
    let evidence = StoredEvidence::new(spool, snapshot::requests(store.as_ref(), &sealed.manifest).await?);
    let manifest = sealed.manifest.clone();
    let judged = tokio::task::spawn_blocking(move || judge_blocking(&evidence, &manifest, &controls, &catalog.waivers)).await??;
    let id = snapshot::evaluation_id(sealed, TOOL);
    let evaluation = Evaluation {
        format: 1,
        run: sealed.manifest.run.clone(),
        manifest: sealed.digest,
        tool: TOOL.to_owned(),
        findings: judged.findings,
        populations: judged.populations,
        permissions: judged.permissions,
        results: snapshot::results_of(&id, &judged.results),
        observations: judged.observations,
        id,
    };
    Ok((evaluation, judged.results))
}

/// What other controls say of a run's evidence. Nothing is stored.
///
/// # Errors
/// Where stored evidence is missing or changed.
pub async fn what_if(store: &Arc<dyn Store>, sealed: &Sealed, controls: Vec<Control>, waivers: Vec<Waiver>) -> Result<Vec<Finding>> {
    let spool = Spool::gather(store.as_ref(), &snapshot::bodies(store.as_ref(), &sealed.manifest).await?).await?;
    let evidence = StoredEvidence::new(spool, snapshot::requests(store.as_ref(), &sealed.manifest).await?);
    let manifest = sealed.manifest.clone();
    Ok(tokio::task::spawn_blocking(move || judge_blocking(&evidence, &manifest, &controls, &waivers)).await??.findings)
}

/// The stored evaluation of a run: by this version, else by the newest that judged it; none where nobody judged it whom `accepts` takes (by object and
/// SHA-256), e.g. because a run was killed between seal and judgement.
///
/// # Errors
/// Where it cannot be read.
pub async fn stored(store: &Arc<dyn Store>, sealed: &Sealed, accepts: impl Fn(&str, Digest) -> bool) -> Result<Option<SealedEvaluation>> {
    let ours = |found: &SealedEvaluation| found.evaluation.manifest == sealed.digest && accepts(&found.object, found.digest);
    // By its name first: listing is the dearer question.
    let own = snapshot::evaluation(store.as_ref(), &snapshot::evaluation_id(sealed, TOOL)).await?;
    if let Some(own) = own.filter(ours) {
        return Ok(Some(own));
    }
    let mut all: Vec<_> = snapshot::evaluations(store.as_ref(), &sealed.manifest.run).await?.into_iter().filter(ours).collect();
    all.sort_by(|a, b| a.evaluation.tool.cmp(&b.evaluation.tool).then_with(|| a.evaluation.id.cmp(&b.evaluation.id)));
    Ok(all.pop())
}

struct Judged {
    findings: Vec<Finding>,
    populations: Vec<Population>,
    permissions: Vec<MissingPermission>,
    results: Packed,
    observations: u64,
}

fn judge_blocking(evidence: &StoredEvidence, manifest: &Manifest, controls: &[Control], waivers: &[Waiver]) -> Result<Judged> {
    let mut judge = waiving(Judge::new(controls, registry::kinds(), manifest.shows())?, manifest, waivers)?;
    let mut results = Results { packer: Packer::new()?, observations: 0 };
    let mut populations = Vec::new();
    for kind in manifest.kinds.keys() {
        let collector = registry::find(kind).with_context(|| format!("run {} collected {kind}, which this version does not know", manifest.run))?;
        let mut batch: Vec<Resource> = Vec::new();
        let mut failed = None;
        let population = collector.extract(&manifest.scope, evidence, &mut |resource| {
            batch.push(resource);
            if batch.len() >= BATCH && failed.is_none() {
                failed = results.judge(&mut judge, std::mem::take(&mut batch)).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        results.judge(&mut judge, batch)?;
        populations.push(population);
    }
    let findings = judge.conclude(&populations);
    let permissions = judge.permissions(&populations);
    Ok(Judged { findings, populations, permissions, observations: results.observations, results: results.packer.finish()? })
}

/// Waivers as they were declared that night, on the day of the audit calendar that the run shows.
fn waiving(judge: Judge, manifest: &Manifest, waivers: &[Waiver]) -> Result<Judge> {
    if waivers.is_empty() {
        return Ok(judge);
    }
    let zone = manifest.time_zone.parse::<Tz>().ok().with_context(|| format!("run {} has the unknown time zone {:?}", manifest.run, manifest.time_zone))?;
    Ok(judge.waiving(waivers, manifest.shows().with_timezone(&zone).date_naive()))
}

struct Results {
    packer: Packer,
    observations: u64,
}

impl Results {
    fn judge(&mut self, judge: &mut Judge, batch: Vec<Resource>) -> Result<()> {
        let observations: Vec<Observation> = judge.observe(batch)?;
        for observation in &observations {
            serde_json::to_writer(&mut self.packer, observation)?;
            self.packer.write_all(b"\n")?;
            self.observations += 1;
        }
        Ok(())
    }
}
