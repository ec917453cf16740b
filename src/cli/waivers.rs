//! `waivers`: which are declared, how each stands today, and what the newest run of its control made of it.

use std::io::Write as _;

use anyhow::Result;
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::cli::collect::past;
use crate::cli::exit::Exit;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::status;
use crate::cli::summary::{Form, table};
use crate::model::{Finding, Waiver, WaiverStanding};

/// Days before the end of a waiver from which on `status` names it.
const SOON: i64 = 30;

/// The waivers in force that end soon.
#[must_use]
pub fn ending(waivers: &[Waiver], today: NaiveDate) -> Vec<&Waiver> {
    let soon = |waiver: &&Waiver| waiver.standing_on(today) == WaiverStanding::InForce && left(waiver, today) <= SOON;
    waivers.iter().filter(soon).collect()
}

/// The same for a machine.
#[must_use]
pub fn ending_json(waivers: &[&Waiver], today: NaiveDate) -> Vec<Value> {
    let told = |waiver: &&Waiver| json!({"id": waiver.id, "control": waiver.control, "expires_on": waiver.expires_on, "days_left": left(waiver, today)});
    waivers.iter().map(told).collect()
}

/// How it stands today, in words.
#[must_use]
pub fn days_left(waiver: &Waiver, today: NaiveDate) -> String {
    match waiver.standing_on(today) {
        WaiverStanding::NotYet => format!("in force from {} on", waiver.approved_on),
        WaiverStanding::Expired => format!("expired, its last day was {}", waiver.expires_on),
        WaiverStanding::InForce | WaiverStanding::Withdrawn => match left(waiver, today) {
            0 => "its last day is today".to_owned(),
            1 => "it expires after 1 more day".to_owned(),
            days => format!("it expires after {days} more days"),
        },
    }
}

fn left(waiver: &Waiver, today: NaiveDate) -> i64 {
    waiver.expires_on.signed_duration_since(today).num_days()
}

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where a control file is wrong; where stored evidence is missing or changed.
pub async fn run(host: &mut Host, project: &Project, form: Form) -> Result<Exit> {
    let catalog = project.catalog(host, &project.control_files()?)?;
    let (past, _made) = past(&Runs::open(&project.store()?, project.settings.log.vkey.as_ref()).await?).await?;
    let today = host.now().with_timezone(&project.settings.time_zone).date_naive();
    let used = |waiver: &Waiver| status::newest(&past, &waiver.control).map(|(_run, finding)| failures(finding, waiver));
    if form == Form::Json {
        let told = |waiver: &Waiver| {
            let mut document = json!(waiver);
            if let Some(fields) = document.as_object_mut() {
                fields.insert("standing".to_owned(), json!(waiver.standing_on(today)));
                fields.insert("days_left".to_owned(), json!(left(waiver, today).max(0)));
                fields.insert("failures_in_newest_run".to_owned(), json!(used(waiver)));
            }
            document
        };
        writeln!(host.out, "{}", serde_json::to_string_pretty(&json!({"waivers": catalog.waivers.iter().map(told).collect::<Vec<_>>()}))?)?;
        return Ok(Exit::Satisfied);
    }
    if catalog.waivers.is_empty() {
        writeln!(host.out, "No waiver is declared.")?;
        return Ok(Exit::Satisfied);
    }
    let mut table = table(&["WAIVER", "CONTROL", "RESOURCE", "STANDING", "NEWEST RUN", "APPROVED BY", "TICKET"]);
    for waiver in &catalog.waivers {
        let newest = match used(waiver) {
            None => "never run".to_owned(),
            Some(0) => "not used".to_owned(),
            Some(failures) => format!("{failures} waived"),
        };
        let standing = format!("{}: {}", waiver.standing_on(today).as_str(), days_left(waiver, today));
        table.add_row([waiver.id.as_str(), waiver.control.as_str(), &waiver.resource, &standing, &newest, &waiver.approved_by, &waiver.ticket]);
    }
    writeln!(host.out, "{table}")?;
    Ok(Exit::Satisfied)
}

fn failures(finding: &Finding, waiver: &Waiver) -> u64 {
    finding.waived_by.iter().filter(|waived| waived.waiver == waiver.id).map(|waived| waived.failures).sum()
}
