//! The runs that count. In a store with a log these are the runs that the log names, as it names them: whoever can only create objects cannot bring evidence
//! in, and whoever takes a run away is found out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use chrono::{Days, NaiveDate};

use crate::cli::due::day_start;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::judge;
use crate::cli::project::Project;
use crate::ledger::log;
use crate::ledger::note::Vkey;
use crate::ledger::replay::Entry;
use crate::ledger::statement::Kind;
use crate::model::{Digest, Period, RunId};
use crate::store::Store;
use crate::store::bodies::BodyError;
use crate::store::snapshot::{self, Sealed, SealedEvaluation};

/// Where an evaluation comes from.
pub enum Judgement {
    /// It counts as it is stored.
    Stored(SealedEvaluation),
    /// It was made just now, and the log does not name it yet.
    Made(SealedEvaluation),
}

impl Judgement {
    /// What was found.
    #[must_use]
    pub fn sealed(self) -> SealedEvaluation {
        match self {
            Self::Stored(sealed) | Self::Made(sealed) => sealed,
        }
    }
}

/// The sealed runs of a store.
pub struct Runs {
    store: Arc<dyn Store>,
    /// The objects that the log names; none where there is no log.
    named: Option<BTreeMap<String, BTreeSet<Digest>>>,
}

impl Runs {
    /// Reads the log, where there is one.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what was signed; exit code 4 where it is not the one that is expected.
    pub async fn open(store: &Arc<dyn Store>, expected: Option<&Vkey>) -> Result<Self> {
        let read = log::entries(store.as_ref()).await?;
        let first = read.as_ref().map(|read| &read.first);
        if let Some(expected) = expected.filter(|expected| first != Some(expected))
            && (first.is_some() || !snapshot::runs(store.as_ref()).await?.is_empty())
        {
            let found = first.map_or_else(|| "nothing signs this evidence".to_owned(), |first| format!("this is another log, whose first key is {first}"));
            return Err(Failure { exit: Exit::Broken, message: format!("{found}, and [log] vkey = \"{expected}\"") }.into());
        }
        Ok(Self::of(store, read.as_ref().map(|read| read.entries.as_slice())))
    }

    /// The runs of a log that was read already.
    #[must_use]
    pub fn of(store: &Arc<dyn Store>, entries: Option<&[Entry]>) -> Self {
        Self { store: Arc::clone(store), named: entries.map(named) }
    }

    /// Their names, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be listed.
    pub async fn ids(&self) -> Result<Vec<RunId>> {
        match &self.named {
            None => Ok(snapshot::runs(self.store.as_ref()).await?),
            Some(named) => Ok(named.keys().filter_map(|key| snapshot::run_of(key)).collect()),
        }
    }

    /// The days `from` to `to` of the audit calendar, both included: from the day of the first run and until today where they are not given.
    ///
    /// # Errors
    /// Exit code 2 where there is no run yet, or the days are in the wrong order.
    pub async fn period(&self, host: &Host, project: &Project, (from, to): (Option<NaiveDate>, Option<NaiveDate>)) -> Result<Period> {
        let zone = project.settings.time_zone;
        let first = match self.ids().await?.first() {
            Some(run) => self.sealed(run).await?.manifest.started_at,
            None => return Err(Failure::usage("the store holds no sealed run yet: run `proofline collect` first").into()),
        };
        let from = from.unwrap_or_else(|| first.with_timezone(&zone).date_naive());
        let to = to.unwrap_or_else(|| host.now().with_timezone(&zone).date_naive());
        let period = Period::new(day_start(from, zone), day_start(to + Days::new(1), zone));
        period.map_err(|error| Failure::usage(format!("--from {from} --to {to}: {error}")).into())
    }

    /// A run, as it was sealed.
    ///
    /// # Errors
    /// `SnapshotError`; `BodyError::Tampered` or `Missing` where the manifest is not the one that the log names.
    pub async fn sealed(&self, run: &RunId) -> Result<Sealed> {
        let object = snapshot::manifest_of(run);
        let Some(named) = &self.named else { return Ok(snapshot::open(self.store.as_ref(), run).await?) };
        let Some(digests) = named.get(&object) else { return Err(snapshot::SnapshotError::NoSuchRun { run: run.clone() }.into()) };
        let sealed = match snapshot::open(self.store.as_ref(), run).await {
            Err(snapshot::SnapshotError::NoSuchRun { .. }) => return Err(BodyError::Missing { object }.into()),
            sealed => sealed?,
        };
        match digests.first() {
            Some(&expected) if !digests.contains(&sealed.digest) => Err(BodyError::Tampered { object, expected, found: sealed.digest.to_string() }.into()),
            _ => Ok(sealed),
        }
    }

    /// The evaluation of a run: by this version, else by the newest that judged it. One that the log does not name is made again, and has to come out the
    /// same; whoever writes the log enters it.
    ///
    /// # Errors
    /// As `judge::judge`.
    pub async fn evaluation(&self, sealed: &Sealed) -> Result<Judgement> {
        let found = judge::stored(&self.store, sealed, |object, digest| self.accepts(object, digest)).await?;
        match found {
            Some(evaluation) => Ok(Judgement::Stored(evaluation)),
            None => Ok(Judgement::Made(judge::judge(&self.store, sealed).await?)),
        }
    }

    /// Whether an object counts as it is: the log names it so, or there is no log.
    #[must_use]
    pub fn accepts(&self, object: &str, digest: Digest) -> bool {
        self.named.as_ref().is_none_or(|named| named.get(object).is_some_and(|digests| digests.contains(&digest)))
    }
}

fn named(entries: &[Entry]) -> BTreeMap<String, BTreeSet<Digest>> {
    let mut named: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
    for statement in entries.iter().filter_map(|entry| entry.statement.as_ref()) {
        if matches!(statement.kind(), Some(Kind::Run | Kind::Evaluation)) {
            for subject in statement.subjects() {
                named.entry(subject.name.clone()).or_default().insert(subject.digest());
            }
        }
    }
    named
}
