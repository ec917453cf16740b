//! Whether the configured observers still vouch for the log: when each last did, and whether that is for the newest checkpoints.

use std::collections::BTreeMap;

use anyhow::Result;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::cli::anchors::{self, Observed};
use crate::cli::project::Project;
use crate::cli::summary::instant;
use crate::ledger::log::Read;
use crate::ledger::replay::ANCHORS;
use crate::model::Verdict;
use crate::store::doctor::Check;
use crate::store::{Store, StoreError};

const ID: &str = "observers";
const CURE: &str = "run `proofline collect --due`: it asks every observer again and says what each answers";
/// An observer that missed so many checkpoints in a row is not only late.
const RECENT: usize = 3;

/// An observer's file name below `log/anchor/<size>/`.
struct Observer<'a> {
    name: &'a str,
    file: String,
}

/// One check over all observers; none where none is configured.
///
/// # Errors
/// Exit code 2 where an observer is configured wrongly; what cannot be seen is no error.
pub(super) async fn check(project: &Project, store: &dyn Store, log: Option<&Read>) -> Result<Option<Check>> {
    let configured = &project.settings.log;
    let authorities = configured.authorities.iter().map(|authority| Observer { name: &authority.name, file: format!("{}.tsr", authority.name) });
    let witnesses = configured.witnesses.iter().map(|witness| Observer { name: &witness.name, file: format!("{}.cosig", witness.name) });
    let all: Vec<Observer<'_>> = authorities.chain(witnesses).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let Some(log) = log.filter(|log| log.published.is_some()) else {
        return Ok(Some(Check::undetermined(ID, "there is no signed checkpoint that they could vouch for", "run `proofline collect`, then doctor again")));
    };
    let unseen = |error: StoreError| Check::undetermined(ID, error.to_string(), "cure the reason given, then run doctor again");
    let (recent, checkpoints) = match checkpoints(store, log, &all).await {
        Ok(read) => read,
        Err(error) => return Ok(Some(unseen(error))),
    };
    match anchors::observed(project, store, &checkpoints).await {
        Ok(observed) => Ok(Some(together(all.iter().map(|observer| of(observer, &recent, &observed)).collect()))),
        Err(error) => match error.downcast::<StoreError>() {
            Ok(error) => Ok(Some(unseen(error))),
            Err(error) => Err(error),
        },
    }
}

/// The sizes of the newest checkpoints, newest first; and these checkpoints with the newest that each observer is said to have vouched for.
async fn checkpoints(store: &dyn Store, log: &Read, observers: &[Observer<'_>]) -> Result<(Vec<u64>, BTreeMap<u64, Bytes>), StoreError> {
    let mut checkpoints = log.checkpoints(store, log.sizes().rev(), RECENT).await?;
    let recent = checkpoints.keys().rev().copied().collect();
    let stored = store.list(ANCHORS).await?;
    let size = |key: &String, file: &str| key.strip_prefix(ANCHORS)?.strip_suffix(file)?.strip_suffix('/')?.parse::<u64>().ok();
    let claimed = observers.iter().filter_map(|observer| stored.iter().filter_map(|key| size(key, &observer.file)).max());
    checkpoints.extend(log.checkpoints(store, claimed, usize::MAX).await?);
    Ok((recent, checkpoints))
}

fn of(observer: &Observer<'_>, recent: &[u64], observed: &Observed) -> (Verdict, String) {
    let name = observer.name;
    let below = format!("/{}", observer.file);
    if let Some(problem) = observed.problems.iter().find(|problem| problem.object.ends_with(&below)) {
        return (Verdict::Fail, format!("{} does not verify: {}", problem.object, problem.what));
    }
    let words = if observer.file.ends_with(".tsr") { &observed.times } else { &observed.cosigned };
    let newest = words.iter().rev().find_map(|(size, said)| said.iter().find(|(by, _at)| by == name).map(|(_by, at)| (*size, *at)));
    let last = |(size, at): (u64, DateTime<Utc>)| format!("{name} last vouched for the checkpoint of {size} entries, at {}", instant(at));
    let missed = newest.and_then(|(size, _at)| recent.iter().position(|recent| *recent == size));
    match (newest, missed) {
        (Some(word), Some(0)) => (Verdict::Pass, format!("{}, the newest", last(word))),
        (Some(word), Some(missed)) => (Verdict::Undetermined, format!("{}, and not yet for the newest {missed}", last(word))),
        (Some(word), None) => (Verdict::Fail, format!("{}, and for none of the newest {}", last(word), recent.len())),
        (None, _) => (Verdict::Fail, format!("{name} vouched for none of the newest {}, nor for any other that can be told", recent.len())),
    }
}

fn together(all: Vec<(Verdict, String)>) -> Check {
    let any = |verdict| all.iter().any(|(of, _said)| *of == verdict);
    let said: Vec<&str> = all.iter().map(|(_verdict, said)| said.as_str()).collect();
    let said = said.join("; ");
    if any(Verdict::Fail) {
        Check::fail(ID, said, CURE)
    } else if any(Verdict::Undetermined) {
        Check::undetermined(ID, said, CURE)
    } else {
        Check::pass(ID, said)
    }
}
