//! `status`: what is due, and what the newest runs found.

use std::io::Write as _;

use anyhow::Result;
use serde_json::json;

use crate::cli::collect::past;
use crate::cli::due::{self, Past};
use crate::cli::exit::Exit;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::reconstruct;
use crate::cli::runs::Runs;
use crate::cli::summary::{self, Form, instant, table};
use crate::cli::waivers;
use crate::model::{ControlId, Finding};

/// Runs the verb. The exit code is that of the newest findings.
///
/// # Errors
/// Where stored evidence is missing or changed, or the controls are wrong.
pub async fn run(host: &mut Host, project: &Project, form: Form) -> Result<Exit> {
    let catalog = project.catalog(host, &project.control_files()?)?;
    let (past, _made) = past(&Runs::open(&project.store()?, project.settings.log.vkey.as_ref()).await?).await?;
    let now = host.now();
    let owed = due::owed(&catalog.controls, &past, now, project.settings.time_zone);
    let waiting = due::waiting(&catalog.controls, &past, now, project.settings.time_zone);
    let open = reconstruct::open(&catalog.controls, &past, now, project.settings.time_zone);
    let today = now.with_timezone(&project.settings.time_zone).date_naive();
    let ending = waivers::ending(&catalog.waivers, today);
    let newest: Vec<(&Past, &Finding)> = catalog.controls.iter().filter_map(|control| newest(&past, &control.id)).collect();
    let findings: Vec<Finding> = newest.iter().map(|(_run, finding)| (*finding).clone()).collect();
    if form == Form::Json {
        let due: Vec<_> = owed
            .iter()
            .map(|owed| json!({"control": owed.control, "slot": owed.slot.name, "missed": owed.missed.iter().map(|slot| &slot.name).collect::<Vec<_>>()}))
            .collect();
        let waiting: Vec<_> = waiting.iter().map(summary::waiting_json).collect();
        let open: Vec<_> = open.iter().map(|(day, open)| json!({"day": day, "controls": open.controls, "until": instant(open.until)})).collect();
        let runs: Vec<_> = past.iter().map(|run| &run.manifest.run).collect();
        writeln!(
            host.out,
            "{}",
            serde_json::to_string_pretty(
                &json!({"now": instant(now), "runs": runs, "due": due, "waiting": waiting, "reconstructible": open, "waivers_ending": waivers::ending_json(&ending, today), "findings": summary::findings_json(&findings)})
            )?
        )?;
        return Ok(Exit::of(&findings));
    }
    let mut table = table(&["CONTROL", "SLOT", "DUE", "MISSED", "NEWEST RUN", "STATUS"]);
    for control in &catalog.controls {
        let owing = owed.iter().find(|owed| owed.control == control.id);
        let found = newest.iter().find(|(_run, finding)| finding.control == control.id);
        table.add_row([
            control.id.to_string(),
            control.slot_at(now, project.settings.time_zone).map_or_else(|| "–".to_owned(), |slot| slot.name),
            match waiting.iter().find(|waiting| waiting.control == control.id) {
                Some(waiting) => format!("from {}", instant(waiting.from)),
                None if control.slot_at(now, project.settings.time_zone).is_none() => "no slot".to_owned(),
                None => if owing.is_some() { "due" } else { "done" }.to_owned(),
            },
            owing.map_or(0, |owed| owed.missed.len()).to_string(),
            found.map_or_else(|| "never".to_owned(), |(run, _finding)| run.manifest.run.to_string()),
            found.map_or_else(String::new, |(_run, finding)| finding.status.as_str().to_owned()),
        ]);
    }
    writeln!(host.out, "{table}\n\n{} of {} controls are due now; {} sealed runs", owed.len(), catalog.controls.len(), past.len())?;
    for (day, reconstruct::Open { controls, until }) in open {
        let until = instant(until);
        writeln!(host.out, "{day}: nothing ran for {controls} controls; until {until} the sources can tell: proofline collect --reconstruct {day}")?;
    }
    for waiver in ending {
        writeln!(host.out, "{} of {} is in force until {}: {}", waiver.id, waiver.control, waiver.expires_on, waivers::days_left(waiver, today))?;
    }
    Ok(Exit::of(&findings))
}

/// The newest finding of a control.
pub fn newest<'a>(past: &'a [Past], control: &ControlId) -> Option<(&'a Past, &'a Finding)> {
    past.iter().rev().find_map(|run| run.findings.iter().find(|finding| finding.control == *control).map(|finding| (run, finding)))
}
