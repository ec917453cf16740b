//! What the bucket says of objects by itself, against what runs say: a service's clock that whoever writes cannot set.
//!
//! Left out: directories, whose times anybody can set.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::hold;
use crate::cli::project::{Place, Project};
use crate::cli::summary::instant;
use crate::cli::verify::evidence::CheckedRun;
use crate::cli::verify::{Evidence, Verified};
use crate::store::check::Problem;
use crate::store::gcs::Written;
use crate::store::snapshot;

/// A run's seal is written right after its last answer, by another clock.
const BEFORE: TimeDelta = TimeDelta::minutes(5);
/// Uploads may wait for a service that is down.
const AFTER: TimeDelta = TimeDelta::hours(24);

/// Holds the times of a bucket's objects against the runs.
///
/// # Errors
/// Where the bucket cannot be listed.
pub(super) async fn check(project: &Project, log: &Verified, evidence: &Evidence) -> Result<Vec<Problem>> {
    let Place::Bucket(bucket) = project.place()? else { return Ok(Vec::new()) };
    let held = hold::held(&log.entries);
    let mut problems = Vec::new();
    let ends: BTreeMap<String, DateTime<Utc>> = evidence.runs.iter().filter_map(|run| Some((run.run.to_string(), run.ended_at?))).collect();
    for written in bucket.written("runs/").await? {
        let run = written.key.split('/').nth(1).unwrap_or_default();
        // Left over from a run that was interrupted, or not looked at.
        let Some(ended) = ends.get(run) else { continue };
        let earliest = if snapshot::run_of(&written.key).is_some() { Some(*ended - BEFORE) } else { None };
        problems.extend(judged(&written, earliest, *ended + AFTER));
        let was_held = held.iter().any(|(held, _reason)| held.to_string() == run);
        if !written.untouched && !was_held {
            problems.push(Problem::new(&written.key, "its metadata was changed after it was written, and no hold in the log says why"));
        }
    }
    let first_use = first_use(&evidence.runs);
    for written in bucket.written("packs/").await? {
        if let Some(ended) = first_use.get(&written.key) {
            problems.extend(judged(&written, None, *ended + AFTER));
        }
    }
    Ok(problems)
}

/// When the first run ended that needs a pack.
fn first_use(runs: &[CheckedRun]) -> BTreeMap<String, DateTime<Utc>> {
    let mut first: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    let uses = runs.iter().filter_map(|run| Some((run.ended_at?, &run.packs)));
    for (ended, pack) in uses.flat_map(|(ended, packs): (_, &BTreeSet<String>)| packs.iter().map(move |pack| (ended, pack))) {
        first.entry(pack.clone()).and_modify(|earliest| *earliest = ended.min(*earliest)).or_insert(ended);
    }
    first
}

fn judged(written: &Written, earliest: Option<DateTime<Utc>>, latest: DateTime<Utc>) -> Option<Problem> {
    let at = written.at?;
    let wrong = |what: &str| Problem::new(&written.key, format!("Cloud Storage says that it was created at {}, {what}", instant(at)));
    if at > latest {
        Some(wrong("more than 24 hours after the run that needs it says that it ended"))
    } else if earliest.is_some_and(|earliest| at < earliest) {
        Some(wrong("before the run that it seals says that it ended"))
    } else {
        None
    }
}
