//! `verify`: holds everything in the store against everything that names it, and says which object is wrong. Writes nothing and needs no key.

mod days;
mod evidence;
mod files;
mod pack;
mod told;
mod written;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::cli::anchors::{self, Observed};
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::index;
use crate::cli::progress::Steps;
use crate::cli::project::Project;
use crate::cli::summary::Form;
use crate::ledger::note::Note;
use crate::ledger::verify::{self, Pins, Verified};
use crate::model::RunId;
use crate::model::assessment::{DayAssurance, LogSummary};
use crate::store::Store;

pub use days::{Day, Lock, days, lock};
pub use evidence::Evidence;

/// All that was found.
pub struct Found {
    /// The log.
    pub log: Verified,
    /// What lies behind its entries.
    pub evidence: Evidence,
    /// What observers said.
    pub observed: Observed,
    /// The level of each day on which evidence was collected.
    pub days: Vec<Day>,
}

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where a pinned key or checkpoint cannot be read; where the store cannot be read. What does not verify is no error but exit code 4.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Verify, form: Form) -> Result<Exit> {
    let store = project.store()?;
    let steps = Steps::new(host.screen);
    let mut pins = pins(&host.folder, arguments)?;
    pins.vkey = pins.vkey.or_else(|| project.settings.log.vkey.clone());
    steps.step("the log");
    let log = verify::log(store.as_ref(), &pins).await?;
    let mut evidence = evidence::check(&store, &log, arguments, &steps).await?;
    steps.step("when objects were written");
    let times = written::check(project, &log, &evidence).await?;
    evidence.problems.extend(times);
    steps.step("observers");
    let observed = anchors::observed(project, store.as_ref(), &log.checkpoints).await?;
    let days = days(&evidence, &log, &observed, &lock(project).await?);
    // What is wrong with the evidence itself is told already.
    if arguments.run.is_none() && evidence.problems.is_empty() {
        steps.step("the index");
        evidence.problems.extend(index::check(host, project, &store).await?);
    }
    steps.finish();
    let found = Found { log, evidence, observed, days };
    match form {
        Form::Json => told::json(host, project, &found)?,
        Form::Text => told::text(host, project, &found)?,
    }
    Ok(if found.problems().next().is_some() { Exit::Broken } else { Exit::Satisfied })
}

/// What runs rest on, without hashing their bodies again.
pub struct RestsOn {
    /// The log; none where nothing signs the evidence.
    pub log: Option<LogSummary>,
    /// The level of each day on which one of the runs began.
    pub days: Vec<DayAssurance>,
}

/// Derives the level of each day on which one of `runs` (name, beginning) began.
///
/// # Errors
/// Where the store or an observer's roots cannot be read. What does not verify lowers the level.
pub async fn rests_on(project: &Project, runs: impl Iterator<Item = (RunId, DateTime<Utc>)>) -> Result<RestsOn> {
    let store = project.store()?;
    let log = verify::log(store.as_ref(), &Pins { vkey: project.settings.log.vkey.clone(), checkpoint: None }).await?;
    let observed = anchors::observed(project, store.as_ref(), &log.checkpoints).await?;
    let evidence = Evidence { runs: evidence::began(&log, runs), ..Evidence::default() };
    let row = |day: Day| DayAssurance { day: day.day, runs: u32::try_from(day.runs).unwrap_or(u32::MAX), level: day.derived.level, lacks: day.derived.lacks };
    let days = days(&evidence, &log, &observed, &lock(project).await?).into_iter().map(row).collect();
    let summary = log.first.as_ref().zip(told::newest(&log)).map(|(first, (size, root))| LogSummary {
        origin: first.name().to_owned(),
        first_key: first.to_string(),
        size,
        root,
    });
    Ok(RestsOn { log: summary, days })
}

/// Verifies an exported pack.
///
/// # Errors
/// As `run`.
pub async fn run_on_pack(host: &mut Host, arguments: &args::Verify, form: Form) -> Result<Exit> {
    let path = arguments.pack.as_deref().context("a pack is named")?;
    pack::run(host, path, arguments, form).await
}

/// What the reader holds already.
fn pins(folder: &Path, arguments: &args::Verify) -> Result<Pins> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| Failure::usage(format!("{what}: {error}"));
    let vkey = arguments.vkey.as_ref().map(|text| text.parse()).transpose().map_err(|error| wrong("--vkey", &error))?;
    let checkpoint = match &arguments.checkpoint {
        None => None,
        Some(path) => {
            let bytes = fs::read(folder.join(path))
                .with_context(|| format!("reading {}", path.display()))
                .map_err(|error| wrong("--checkpoint", &format!("{error:#}")))?;
            Some(Note::parse(&bytes).map_err(|error| wrong("--checkpoint", &error))?)
        }
    };
    Ok(Pins { vkey, checkpoint })
}

/// A store that is shared between tasks.
type Shared = Arc<dyn Store>;
