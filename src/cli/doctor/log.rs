//! Whether what was collected is signed, lately, and in the log that is expected.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::doctor::observers;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::summary::instant;
use crate::ledger::LedgerError;
use crate::ledger::log::{self, Read};
use crate::ledger::statement::Statement;
use crate::store::doctor::Check;
use crate::store::{Store, snapshot};

const ID: &str = "log";
/// A nightly job that ran has a run that is not older.
const STALE: TimeDelta = TimeDelta::hours(36);

/// The log, and its observers where there are any.
///
/// # Errors
/// Where the configuration is wrong; what cannot be seen is no error.
pub(super) async fn checks(host: &Host, project: &Project) -> Result<Vec<Check>> {
    let store = project.store()?;
    let read = log::entries(store.as_ref()).await;
    let check = match &read {
        Ok(Some(read)) => signed(host, project, read),
        Ok(None) => unsigned(store.as_ref()).await,
        Err(LedgerError::Store(error)) => Check::undetermined(ID, error.to_string(), "cure the reason given, then run doctor again"),
        Err(error) => Check::fail(ID, error.to_string(), "run `proofline verify`: it names what is wrong"),
    };
    let observers = observers::check(project, store.as_ref(), read.ok().flatten().as_ref()).await?;
    Ok(std::iter::once(check).chain(observers).collect())
}

async fn unsigned(store: &dyn Store) -> Check {
    if snapshot::runs(store).await.is_ok_and(|runs| runs.is_empty()) {
        return Check::undetermined(ID, "nothing was collected yet", "run `proofline keygen`, then `proofline collect`");
    }
    Check::fail(ID, "nothing signs this evidence", "run `proofline keygen`, and set PROOFLINE_LOG_KEY_FILE for `collect`")
}

fn signed(host: &Host, project: &Project, read: &Read) -> Check {
    let nightly = "look whether `proofline collect --due` runs every night, and what it says";
    let foreign = read.entries.iter().filter(|entry| entry.statement.is_none()).count();
    let size = read.published.as_ref().map_or(0, |published| published.size);
    let pending = u64::try_from(read.entries.len()).unwrap_or(u64::MAX).saturating_sub(size);
    let expected = match &project.settings.log.vkey {
        Some(expected) if *expected != read.first => {
            let cure = "find out who replaced the log; where you did, write its first key there";
            return Check::fail(ID, format!("this is another log: its first key is {}, and [log] vkey = \"{expected}\"", read.first), cure);
        }
        Some(_) => "its first key is the expected one",
        None => "no [log] vkey says which first key to expect",
    };
    let said = format!("{size} entries are signed, {pending} wait for a checkpoint, {foreign} are not ours; {expected}; the key in force is {}", read.current);
    match read.entries.iter().rev().find_map(|entry| ended_at(entry.statement.as_ref()?)) {
        None => Check::fail(ID, format!("{said}; no run is in it"), nightly),
        Some(at) if host.now().signed_duration_since(at) > STALE => Check::fail(ID, format!("{said}; the newest run ended {}", instant(at)), nightly),
        Some(_) if pending > 0 => Check::fail(ID, said, "run `proofline collect --due`: it signs what waits"),
        Some(at) => Check::pass(ID, format!("{said}; the newest run ended {}", instant(at))),
    }
}

fn ended_at(statement: &Statement) -> Option<DateTime<Utc>> {
    statement.predicate().get("ended_at").and_then(|at| at.as_str()?.parse().ok())
}
