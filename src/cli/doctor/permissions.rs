//! What the credentials of the newest runs could not see, and what would have to be granted.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::model::{ControlId, MissingPermission, PermissionLedger};
use crate::store::doctor::Check;

const ID: &str = "permissions";
/// A control that none of so many runs judged is a yearly one, or gone.
const RUNS: usize = 40;

/// The permission ledger, each control as its newest run found it, and what it amounts to.
pub(super) async fn check(project: &Project) -> (Check, Vec<MissingPermission>) {
    match ledger(project).await {
        Err(error) => (Check::undetermined(ID, format!("{error:#}"), "cure the reason given, then run doctor again"), Vec::new()),
        Ok(None) => (Check::undetermined(ID, "nothing was collected yet", "run `proofline collect`: what it may not see is known afterwards"), Vec::new()),
        Ok(Some(missing)) if missing.is_empty() => (Check::pass(ID, "the newest runs lacked no permission that is known to help"), missing),
        Ok(Some(missing)) => {
            let controls: BTreeSet<&ControlId> = missing.iter().flat_map(|row| &row.controls).collect();
            let detail = format!("{} permissions leave {} controls open in the newest runs", missing.len(), controls.len());
            (Check::undetermined(ID, detail, "grant what is listed below"), missing)
        }
    }
}

/// None where nothing was judged yet.
async fn ledger(project: &Project) -> Result<Option<Vec<MissingPermission>>> {
    let store = project.store()?;
    let runs = Runs::open(&store, project.settings.log.vkey.as_ref()).await?;
    let mut ledger = PermissionLedger::default();
    let mut told: BTreeSet<ControlId> = BTreeSet::new();
    for run in runs.ids().await?.iter().rev().take(RUNS) {
        let sealed = runs.sealed(run).await?;
        let fresh: BTreeSet<ControlId> = sealed.manifest.controls.iter().filter(|id| !told.contains(id)).cloned().collect();
        if fresh.is_empty() {
            continue;
        }
        let evaluation = runs.evaluation(&sealed).await?.sealed().evaluation;
        ledger.merge(&evaluation.permissions, |id| fresh.contains(id));
        told.extend(fresh);
    }
    Ok((!told.is_empty()).then(|| ledger.rows()))
}
