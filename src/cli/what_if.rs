//! `evaluate --todays-controls`: what the controls of today would have said of a sealed run. Labelled, never stored, never entered into the log: it is no evidence.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::Result;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::host::Host;
use crate::cli::judge;
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::summary::{self, Form, instant, table};
use crate::cli::tasks;
use crate::model::{Control, ControlId, Finding, RunId};

/// What is shown where a side says nothing.
const NOTHING: &str = "–";

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where there is no such run or a control file is wrong; where stored evidence is missing or changed.
pub async fn run(host: &mut Host, project: &Project, run: &RunId, form: Form) -> Result<Exit> {
    let catalog = project.catalog(host, &project.control_files()?)?;
    let store = project.store()?;
    let runs = Runs::open(&store, project.settings.log.vkey.as_ref()).await?;
    let mut sealed = runs.sealed(run).await?;
    let stored = runs.evaluation(&sealed).await?.sealed().evaluation;
    let collected = |control: &&Control| control.tests.iter().all(|test| sealed.manifest.kinds.contains_key(&test.population));
    let (judged, left_out): (Vec<&Control>, Vec<&Control>) = catalog.controls.iter().partition(collected);
    let controls: Vec<Control> = judged.into_iter().cloned().collect();
    let given = sealed.manifest.scope.attached().cloned().collect();
    let zone = sealed.manifest.time_zone.clone();
    let mut scope = tasks::in_scope(sealed.manifest.scope.clone(), &zone, &[], &controls, None);
    if let Some(tasks) = &mut scope.tasks {
        tasks.attached = given;
    }
    sealed.manifest.scope = scope;
    let findings = judge::what_if(&store, &sealed, controls.clone(), catalog.waivers).await?;
    let differing = |id| changed(find(&stored.findings, id), find(&findings, id));
    match form {
        Form::Json => {
            let left_out: Vec<_> = left_out.iter().map(|control| &control.id).collect();
            let changed: Vec<_> = ids(&stored.findings, &findings).into_iter().filter(|id| differing(id)).collect();
            let document = json!({
                "what_if": "the controls of today over the evidence of this run: not evidence, stored nowhere", "run": run, "shows": instant(sealed.manifest.shows()),
                "findings": summary::findings_json(&findings), "sealed_findings": summary::findings_json(&stored.findings), "changed": changed, "not_collected": left_out,
            });
            writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?;
        }
        Form::Text => {
            writeln!(host.out, "WHAT IF: the controls of today over the evidence of run {run}, which shows {}.", instant(sealed.manifest.shows()))?;
            writeln!(host.out, "This is no evidence: it is stored nowhere. What counts is the sealed evaluation {}.\n", stored.id)?;
            let all = ids(&stored.findings, &findings);
            let mut table = table(&["CONTROL", "SEALED", "FAIL", "WHAT IF", "FAIL", "DEFINITION"]);
            let mut shown = 0_usize;
            for id in all.iter().filter(|id| differing(id)) {
                let (before, after) = (find(&stored.findings, id), find(&findings, id));
                let definition = match (before, after) {
                    (None, _) => "not judged then",
                    (_, None) => "not judged now",
                    _ => "",
                };
                let status = |finding: Option<&Finding>| finding.map_or(NOTHING, |finding| finding.status.as_str());
                let fail = |finding: Option<&Finding>| finding.map_or_else(|| NOTHING.to_owned(), |finding| finding.counts.fail.to_string());
                table.add_row([id.as_str(), status(before), &fail(before), status(after), &fail(after), definition]);
                shown = shown.saturating_add(1);
            }
            if shown > 0 {
                writeln!(host.out, "{table}\n")?;
            }
            writeln!(host.out, "{shown} of {} controls would say something else.", all.len())?;
            if !left_out.is_empty() {
                writeln!(host.out, "{} controls of today rest on what that run did not collect.", left_out.len())?;
            }
        }
    }
    Ok(Exit::of(&findings))
}

fn find<'f>(findings: &'f [Finding], id: &ControlId) -> Option<&'f Finding> {
    findings.iter().find(|finding| finding.control == *id)
}

fn ids<'f>(before: &'f [Finding], after: &'f [Finding]) -> BTreeSet<&'f ControlId> {
    before.iter().chain(after).map(|finding| &finding.control).collect()
}

/// Whether the conclusion or a count differs; texts may differ for nothing more than wording.
fn changed(before: Option<&Finding>, after: Option<&Finding>) -> bool {
    let said = |finding: &Finding| (finding.status, finding.counts);
    before.map(said) != after.map(said)
}
