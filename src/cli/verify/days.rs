//! The assurance of each day on which evidence was collected: derived from what was verified.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

use crate::cli::anchors::Observed;
use crate::cli::project::{Place, Project};
use crate::cli::verify::Evidence;
use crate::cli::verify::evidence::CheckedRun;
use crate::ledger::verify::Verified;
use crate::model::assurance::{DayFacts, Derived, Fact};
use crate::model::{Gap, GapCause};

/// A day and its level.
#[derive(Debug, Clone)]
pub struct Day {
    /// The day, UTC.
    pub day: NaiveDate,
    /// Runs that began on it.
    pub runs: usize,
    /// What it came to.
    pub derived: Derived,
}

/// Since when the store is locked.
pub type Lock = Fact<DateTime<Utc>>;

/// Looks at the lock of the store.
///
/// # Errors
/// Exit code 2 where the store is configured wrongly; what cannot be seen is undetermined.
pub async fn lock(project: &Project) -> Result<Lock> {
    let store = match project.place()? {
        Place::Folder(_) => return Ok(Fact::Refuted("a directory is as safe as those who may write to it".to_owned())),
        Place::Bucket(store) => store,
    };
    let facts = match store.facts().await {
        Ok(facts) => facts,
        Err(error) => return Ok(Fact::Undetermined(Gap::new(GapCause::Forbidden, error.to_string()))),
    };
    let policy = facts.retention.filter(|policy| policy.locked);
    Ok(match policy.map(|policy| policy.since) {
        None => Fact::Refuted("the bucket's retention policy is not locked".to_owned()),
        Some(None) => Fact::Refuted("the bucket does not say since when it is locked".to_owned()),
        Some(Some(since)) => Fact::Verified(since),
    })
}

/// The level of each day.
#[must_use]
pub fn days(evidence: &Evidence, log: &Verified, observed: &Observed, lock: &Lock) -> Vec<Day> {
    let mut by_day: BTreeMap<NaiveDate, Vec<&CheckedRun>> = BTreeMap::new();
    for run in &evidence.runs {
        if let Some(at) = run.started_at {
            by_day.entry(at.date_naive()).or_default().push(run);
        }
    }
    let broken = evidence.problems.len().saturating_add(log.problems.len());
    let day = |(day, runs): (NaiveDate, Vec<&CheckedRun>)| {
        let facts = facts(day, &runs, (log, broken), observed, lock);
        Day { day, runs: runs.len(), derived: facts.derive() }
    };
    by_day.into_iter().map(day).collect()
}

fn facts(day: NaiveDate, runs: &[&CheckedRun], (log, broken): (&Verified, usize), observed: &Observed, lock: &Lock) -> DayFacts {
    let entries: Option<Vec<u64>> = runs.iter().map(|run| run.entry).collect();
    // A checkpoint covers the day where it covers its last entry.
    let last = entries.and_then(|entries| entries.into_iter().max()).filter(|last| log.covering(*last).is_some());
    let signed = match last {
        _ if log.first.is_none() => Fact::Refuted("nothing signs this evidence".to_owned()),
        _ if broken > 0 => Fact::Refuted("something in this store does not verify".to_owned()),
        None => Fact::Refuted("no signed checkpoint covers the day yet".to_owned()),
        Some(_) => Fact::Verified(()),
    };
    let times = last.map(|last| observed.times.range(last.saturating_add(1)..).flat_map(|(_size, times)| times.iter().map(|(_name, at)| *at)));
    let earliest = times.and_then(Iterator::min);
    let witnessed = last.is_some_and(|last| observed.cosigned.range(last.saturating_add(1)..).next().is_some());
    DayFacts {
        day,
        log: signed,
        lock: lock.clone(),
        time: earliest.map_or_else(|| Fact::Refuted("no time stamp is stored that verifies".to_owned()), Fact::Verified),
        witness: if witnessed { Fact::Verified(()) } else { Fact::Refuted("no cosignature is stored that verifies".to_owned()) },
    }
}
