//! `export`: an auditor's pack of a period or a control, which verifies with stock tools and without us.

pub mod pack;
mod proofs;
mod readme;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::export::pack::{Pack, Written};
use crate::cli::export::proofs::Proofs;
use crate::cli::export::readme::Vouched;
use crate::cli::host::Host;
use crate::cli::judge;
use crate::cli::progress::Steps;
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::summary::{Form, instant};
use crate::ledger::verify::{self, Pins};
use crate::model::{Body, ControlId, Digest, Exchange, Manifest, Observation, Period, ResourceId, RunId};
use crate::store::Store;
use crate::store::bodies::BodyError;
use crate::store::snapshot::{self, Evaluation, Sealed};
use crate::store::spool::Spool;

/// What goes into a pack.
pub struct Choice {
    /// Only runs that show an instant of it.
    pub period: Period,
    /// Only what bears on these; everything where there are none.
    pub controls: BTreeSet<ControlId>,
    /// Only what was seen of these resources, by the run that saw them; everything where nothing is said.
    pub items: Option<BTreeSet<(RunId, ResourceId)>>,
}

/// A file that goes into a pack beside the evidence.
pub struct Extra {
    /// Its name in the pack.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Runs the verb.
///
/// # Errors
/// Exit code 4 where the log does not verify, or stored evidence is missing or changed; where the pack cannot be written.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Export, form: Form) -> Result<Exit> {
    let runs = Runs::open(&project.store()?, project.settings.log.vkey.as_ref()).await?;
    let period = runs.period(host, project, (arguments.from, arguments.to)).await?;
    let choice = Choice { period, controls: arguments.control.iter().cloned().collect(), items: None };
    let written = write(host, project, &arguments.out, &choice, Vec::new()).await?;
    told(host, arguments, &choice, &written, form)?;
    Ok(Exit::Satisfied)
}

/// Writes a pack.
///
/// # Errors
/// As `run`.
pub async fn write(host: &mut Host, project: &Project, out: &Path, choice: &Choice, extras: Vec<Extra>) -> Result<Written> {
    let store = project.store()?;
    let log = verify::log(store.as_ref(), &Pins { vkey: project.settings.log.vkey.clone(), checkpoint: None }).await?;
    if let Some(problem) = log.problems.first() {
        let text = format!("{}: {}; nothing was exported: `proofline verify` says everything that is wrong", problem.object, problem.what);
        return Err(Failure { exit: Exit::Broken, message: text }.into());
    }
    let runs = Runs::of(&store, log.first.as_ref().map(|_key| log.entries.as_slice()));
    let chosen = chosen(&runs, choice).await?;
    let steps = Steps::new(host.screen);
    let mut pack = Pack::create(&host.folder.join(out))?;
    let mut objects = BTreeSet::new();
    for (at, sealed) in chosen.iter().enumerate() {
        steps.step(&format!("run {} of {}", at.saturating_add(1), chosen.len()));
        objects.extend(add_run((&store, &runs), sealed, choice, &mut pack).await?);
    }
    let stamped = Proofs { store: store.as_ref(), project, log: &log }.add(&objects, &mut pack).await?;
    let contents = readme::Contents {
        period: choice.period,
        controls: &choice.controls,
        runs: chosen.len(),
        prepared_at: host.now(),
        vouched: match (log.first.is_some(), stamped) {
            (false, _) => Vouched::Digests,
            (true, 0) => Vouched::Log,
            (true, _) => Vouched::LogAndTime,
        },
    };
    pack.add("README.md", readme::text(&contents).as_bytes())?;
    for extra in extras {
        pack.add(&extra.name, &extra.bytes)?;
    }
    let written = pack.finish(chosen.len())?;
    steps.finish();
    Ok(written)
}

fn told(host: &mut Host, arguments: &args::Export, wanted: &Choice, written: &Written, form: Form) -> Result<()> {
    let runs = written.runs;
    if form == Form::Json {
        let document = json!({
            "out": arguments.out, "period": wanted.period, "controls": wanted.controls, "runs": runs,
            "files": written.files, "bytes": written.bytes, "sha256sums": written.sums,
        });
        return Ok(writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?);
    }
    let (from, to) = (instant(wanted.period.start()), instant(wanted.period.end()));
    writeln!(host.out, "{} files of {runs} runs from {from} to {to} in {}", written.files, arguments.out.display())?;
    writeln!(host.out, "SHA-256 of SHA256SUMS: {}", written.sums)?;
    writeln!(host.out, "README.md in it says how to check it with sha256sum, openssl and zstd alone.")?;
    Ok(())
}

/// The runs of the period that bear on the controls, oldest first.
async fn chosen(runs: &Runs, wanted: &Choice) -> Result<Vec<Sealed>> {
    let mut chosen = Vec::new();
    let mut known = BTreeSet::new();
    for run in runs.ids().await? {
        let sealed = runs.sealed(&run).await?;
        let bears = wanted.controls.is_empty() || sealed.manifest.controls.iter().any(|id| wanted.controls.contains(id));
        known.extend(sealed.manifest.controls.iter().cloned());
        let saw = wanted.items.as_ref().is_none_or(|items| items.iter().any(|(of, _resource)| *of == run));
        if bears && saw && wanted.period.contains(sealed.manifest.shows()) {
            chosen.push(sealed);
        }
    }
    if let Some(id) = wanted.controls.iter().find(|id| !known.contains(id)) {
        return Err(Failure::usage(format!("no sealed run judged {id}: `proofline status` shows what was judged when")).into());
    }
    if chosen.is_empty() {
        return Err(Failure::usage("no sealed run lies in this period: choose another --from and --to").into());
    }
    Ok(chosen)
}

/// Adds one run: its manifest, its records, its evaluations, and the bodies that are wanted. Gives the manifests and what was attached to tasks, which entries of the log name.
async fn add_run((store, runs): (&Arc<dyn Store>, &Runs), sealed: &Sealed, choice: &Choice, pack: &mut Pack) -> Result<Vec<String>> {
    let controls = &choice.controls;
    let manifest = &sealed.manifest;
    for object in [&sealed.object, &manifest.requests.object, &manifest.bodies.object] {
        add_object(store.as_ref(), object, pack).await?;
    }
    let mut manifests = vec![sealed.object.clone()];
    let mut cited = BTreeSet::new();
    for judged in snapshot::evaluations(store.as_ref(), &manifest.run).await? {
        if judged.evaluation.manifest == sealed.digest && runs.accepts(&judged.object, judged.digest) {
            add_object(store.as_ref(), &judged.object, pack).await?;
            add_object(store.as_ref(), &judged.evaluation.results.object, pack).await?;
            cited.extend(cited_by(store.as_ref(), manifest, &judged.evaluation, choice).await?);
            manifests.push(judged.object);
        }
    }
    // A pack never holds evidence that nobody judged.
    anyhow::ensure!(manifests.len() > 1, "run {} was not judged yet: `proofline evaluate --run {}` does it", manifest.run, manifest.run);
    let exchanges = snapshot::requests(store.as_ref(), manifest).await?;
    let of_exchanges = exchanges.iter().filter(|exchange| controls.is_empty() || cited.contains(&exchange.n)).flat_map(digests);
    let texts: BTreeMap<Digest, String> = texts(manifest);
    let wanted: BTreeSet<Digest> = of_exchanges.chain(texts.keys().copied()).collect();
    add_bodies(store.as_ref(), manifest, (&wanted, &texts), pack).await?;
    let given = manifest.scope.attached().filter(|of| choice.items.is_none() && (controls.is_empty() || controls.contains(&of.control)));
    for object in given.filter_map(|of| of.object.as_ref()) {
        if !pack.holds(object) {
            add_object(store.as_ref(), object, pack).await?;
        }
        manifests.push(object.clone());
    }
    Ok(manifests)
}

async fn add_bodies(store: &dyn Store, manifest: &Manifest, (wanted, texts): (&BTreeSet<Digest>, &BTreeMap<Digest, String>), pack: &mut Pack) -> Result<()> {
    let placed: Vec<Body> = snapshot::bodies(store, manifest).await?.into_iter().filter(|body| wanted.contains(&body.sha256)).collect();
    anyhow::ensure!(placed.len() == wanted.len(), "{} does not say where all bodies of run {} lie", manifest.bodies.object, manifest.run);
    let new = |sha256: &Digest| !pack.holds(&body_name(*sha256));
    let missing: Vec<Body> = placed.into_iter().filter(|body| new(&body.sha256)).collect();
    let spool = Spool::gather(store, &missing).await?;
    for Body { sha256, .. } in missing {
        // Unpacked to be sure that the pack holds what its name says.
        let bytes = spool.get(sha256)?;
        pack.add(&body_name(sha256), &spool.frame(sha256)?)?;
        if let Some(text) = texts.get(&sha256) {
            pack.add(text, &bytes)?;
        }
    }
    Ok(())
}

fn body_name(sha256: Digest) -> String {
    format!("bodies/{sha256}.zst")
}

/// The exchanges that bear on the controls: cited by an observation of one of them, or by the population that it judged.
async fn cited_by(store: &dyn Store, manifest: &Manifest, evaluation: &Evaluation, choice: &Choice) -> Result<BTreeSet<u32>> {
    let controls = &choice.controls;
    if controls.is_empty() {
        return Ok(BTreeSet::new());
    }
    let catalog = judge::sealed_catalog(store, manifest).await?;
    let judged = judge::judged_controls(&catalog, manifest);
    let tests = judged.iter().filter(|control| controls.contains(&control.id)).flat_map(|control| &control.tests);
    let kinds: BTreeSet<&str> = tests.map(|test| test.population.as_str()).collect();
    let populations = evaluation.populations.iter().filter(|population| kinds.contains(population.kind.as_str()));
    let mut cited: BTreeSet<u32> = populations.flat_map(|population| population.evidence.iter().copied()).collect();
    let observations: Vec<Observation> = snapshot::results(store, evaluation).await?;
    let run = &manifest.run;
    let is_chosen = |seen: &Observation| choice.items.as_ref().is_none_or(|items| items.contains(&(run.clone(), seen.resource.clone())));
    cited.extend(observations.into_iter().filter(|seen| controls.contains(&seen.control) && is_chosen(seen)).flat_map(|seen| seen.evidence.to_vec()));
    Ok(cited)
}

fn digests(exchange: &Exchange) -> impl Iterator<Item = Digest> + use<> {
    [Some(exchange.sha256), exchange.request_body].into_iter().flatten()
}

/// The control files, the configuration and the redaction policy of a run, and where a reader finds them. Named by digest too, since they change over a period.
fn texts(manifest: &Manifest) -> BTreeMap<Digest, String> {
    let file = |(sha256, folder, path): (Digest, &str, &str)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        (sha256, format!("{folder}/{}-{name}", sha256.short()))
    };
    let controls = manifest.control_files.iter().map(|file| (file.sha256, "controls", file.path.as_str()));
    let policy = manifest.redaction.as_ref().map(|redaction| (redaction.policy, "configuration", "redaction.json"));
    controls.chain([(manifest.configuration, "configuration", "proofline.toml")]).chain(policy).map(file).collect()
}

async fn add_object(store: &dyn Store, object: &str, pack: &mut Pack) -> Result<()> {
    let bytes = store.get(object).await?.ok_or_else(|| BodyError::Missing { object: object.to_owned() })?;
    pack.add(object, &bytes).with_context(|| object.to_owned())
}
