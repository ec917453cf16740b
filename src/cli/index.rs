//! The interval index of a store: read from the user's cache, completed by what was sealed since, written back. It is no evidence: whatever is wrong with it, it is built again.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::catalog::Catalog;
use crate::cli::due;
use crate::cli::host::Host;
use crate::cli::judge;
use crate::cli::project::Project;
use crate::evaluate::history::{History, Told};
use crate::model::{Control, ControlId, Digest, Finding, Manifest};
use crate::store::Store;
use crate::store::check::Problem;
use crate::store::snapshot::{self, Evaluation, Sealed, SnapshotError};

/// A sealed run, what was found in it, and the controls as they were.
pub struct Judged {
    /// The run.
    pub sealed: Sealed,
    /// What was found; the findings are by id.
    pub evaluation: Evaluation,
    /// SHA-256 of the sealed evaluation.
    pub digest: Digest,
    /// The catalogue as it was.
    pub catalog: Arc<Catalog>,
    /// The controls that it judged, by id.
    pub controls: Arc<[Control]>,
}

impl Judged {
    /// A run with what was found in it; `controls` are by id.
    #[must_use]
    pub fn new(sealed: Sealed, (mut evaluation, digest): (Evaluation, Digest), catalog: Arc<Catalog>, controls: Arc<[Control]>) -> Self {
        evaluation.findings.sort_by(|a, b| a.control.cmp(&b.control));
        Self { sealed, evaluation, digest, catalog, controls }
    }

    /// A control as it judged it; none where it did not.
    #[must_use]
    pub fn control(&self, id: &ControlId) -> Option<&Control> {
        self.controls.binary_search_by(|control| control.id.cmp(id)).ok().and_then(|place| self.controls.get(place))
    }

    /// What it says of a control.
    #[must_use]
    pub fn finding(&self, id: &ControlId) -> Option<&Finding> {
        let findings = &self.evaluation.findings;
        findings.binary_search_by(|finding| finding.control.cmp(id)).ok().and_then(|place| findings.get(place))
    }

    /// Whether it tells of a past instant.
    #[must_use]
    pub fn is_reconstruction(&self) -> bool {
        self.sealed.manifest.scope.as_of.is_some()
    }
}

/// The history of `runs`, which are in the order of what they show.
///
/// # Errors
/// Where stored observations are missing or changed, or a warning cannot be written.
pub async fn history(host: &mut Host, project: &Project, store: &Arc<dyn Store>, runs: &[Judged]) -> Result<History> {
    let place = place(host, project);
    let kept = place.as_deref().map_or_else(History::default, |place| read(place).filter(|kept| begins(kept, runs)).unwrap_or_default());
    let known = kept.runs().count();
    if known == runs.len() {
        return Ok(kept);
    }
    let history = build(store, kept, runs.get(known..).unwrap_or_default()).await?;
    if let Some(place) = place
        && let Err(error) = write(&place, &history)
    {
        writeln!(host.err, "warning: the index is not kept, and will be built again: {error:#}")?;
    }
    Ok(history)
}

/// Takes runs into a history.
async fn build(store: &Arc<dyn Store>, mut history: History, runs: &[Judged]) -> Result<History> {
    for judged in runs {
        let manifest = &judged.sealed.manifest;
        let told = Told {
            run: &manifest.run,
            shows: manifest.shows(),
            evaluation: judged.digest,
            controls: &judged.controls,
            populations: &judged.evaluation.populations,
            passing: &due::PASSING,
        };
        let mut taking = history.take(&told)?;
        snapshot::each_result(store.as_ref(), &judged.evaluation, |row| taking.see(&row)).await?;
        taking.close();
    }
    Ok(history)
}

/// Whether a history is that of the first of these runs, judged as they are now.
fn begins(history: &History, runs: &[Judged]) -> bool {
    let known = history.runs().count();
    known <= runs.len() && history.runs().zip(runs).all(|((run, evaluation), judged)| *run == judged.sealed.manifest.run && evaluation == judged.digest)
}

/// What is wrong with the index that is kept of a store: it is built again from the same runs, and compared. One of runs that were judged otherwise since says nothing any more.
///
/// # Errors
/// Where stored evidence is missing or changed.
pub async fn check(host: &Host, project: &Project, store: &Arc<dyn Store>) -> Result<Option<Problem>> {
    let Some(place) = place(host, project) else { return Ok(None) };
    let Ok(bytes) = fs::read(&place) else { return Ok(None) };
    let problem =
        |what: String| Some(Problem::new(place.display().to_string(), format!("{what}; it is no evidence: delete it, and the next report builds it again")));
    let kept = match History::from_bytes(&bytes) {
        Ok(kept) => kept,
        Err(error) => return Ok(problem(error.to_string())),
    };
    let mut runs = Vec::new();
    let mut catalogs = Catalogs::default();
    for (run, digest) in kept.runs() {
        let sealed = match snapshot::open(store.as_ref(), run).await {
            Err(SnapshotError::NoSuchRun { run }) => return Ok(problem(format!("it tells of run {run}, which the store does not hold"))),
            opened => opened?,
        };
        let Some(found) = snapshot::evaluations(store.as_ref(), run).await?.into_iter().find(|found| found.digest == digest) else { return Ok(None) };
        // What the store holds verified already: controls that do not load are those of another version, which reports nothing from this index either.
        let Ok((catalog, controls)) = catalogs.of(store, &sealed.manifest).await else { return Ok(None) };
        runs.push(Judged::new(sealed, (found.evaluation, digest), catalog, controls));
    }
    let again = build(store, History::default(), &runs).await?;
    Ok(if again.to_bytes()? == bytes { None } else { problem("built again from the sealed evaluations, the index does not come out so".to_owned()) })
}

/// Where the index of this store lies: in the user's cache; none where there is no such place.
fn place(host: &Host, project: &Project) -> Option<PathBuf> {
    let variable = |name: &str| host.variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
    let store = match project.settings.store.strip_prefix("file:") {
        Some(folder) => fs::canonicalize(project.folder.join(folder)).ok()?.to_string_lossy().into_owned(),
        None => project.settings.store.clone(),
    };
    Some(cache.join("proofline").join(format!("{}.history", Digest::of(store.as_bytes()).short())))
}

/// The index as it was kept; none where there is none, or it cannot be used.
fn read(place: &Path) -> Option<History> {
    fs::read(place).ok().and_then(|bytes| History::from_bytes(&bytes).ok())
}

/// Written aside and moved into place, so that two reports at once leave a whole one.
fn write(place: &Path, history: &History) -> Result<()> {
    let folder = place.parent().context("a cache has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let mut aside = tempfile::NamedTempFile::new_in(folder).with_context(|| format!("writing into {}", folder.display()))?;
    aside.write_all(&history.to_bytes()?).with_context(|| format!("writing {}", place.display()))?;
    aside.persist(place).with_context(|| format!("writing {}", place.display()))?;
    Ok(())
}

/// The catalogue of the run that was read last: it is the same night after night until somebody changes it.
#[derive(Default)]
pub struct Catalogs {
    last: Option<(Manifest, Arc<Catalog>, Arc<[Control]>)>,
}

impl Catalogs {
    /// The catalogue of a run, and the controls of it that the run judged.
    ///
    /// # Errors
    /// Where a control file is missing, changed, or not valid for this version.
    pub async fn of(&mut self, store: &Arc<dyn Store>, manifest: &Manifest) -> Result<(Arc<Catalog>, Arc<[Control]>)> {
        if let Some((last, catalog, controls)) = &self.last
            && (&last.control_files, &last.parameters) == (&manifest.control_files, &manifest.parameters)
        {
            let controls = if last.controls == manifest.controls { Arc::clone(controls) } else { judge::judged_controls(catalog, manifest).into() };
            let catalog = Arc::clone(catalog);
            self.last = Some((manifest.clone(), Arc::clone(&catalog), Arc::clone(&controls)));
            return Ok((catalog, controls));
        }
        let catalog = Arc::new(judge::sealed_catalog(store.as_ref(), manifest).await?);
        let controls: Arc<[Control]> = judge::judged_controls(&catalog, manifest).into();
        self.last = Some((manifest.clone(), Arc::clone(&catalog), Arc::clone(&controls)));
        Ok((catalog, controls))
    }
}
