//! What a run says when it is over: a table and the reasons for a person, one document for a machine.

use std::io::Write as _;

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::cli::anchors::{Said, Word};
use crate::cli::due::{Owed, Waiting};
use crate::cli::exit::Exit;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::recorder::Recorded;
use crate::model::{Control, Finding, FindingStatus, Outcome};
use crate::store::snapshot::{Evaluation, Sealed};

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A person.
    Text,
    /// A program: one JSON document on stdout.
    Json,
}

/// An instant as every output prints it.
#[must_use]
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A table without lines, as wide as its contents.
#[must_use]
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    table
}

/// A run that is over.
pub struct Told<'a> {
    /// The controls it judged.
    pub controls: &'a [Control],
    /// Its seal.
    pub sealed: &'a Sealed,
    /// What was found.
    pub evaluation: &'a Evaluation,
    /// What it owed, with the slots that were missed before.
    pub missed: Vec<&'a Owed>,
    /// What it did not look at because its day has not come.
    pub waiting: Vec<Waiting>,
    /// Where it was entered in the log; none where there is no log.
    pub recorded: Option<&'a Recorded>,
}

/// Reports a run.
///
/// # Errors
/// Where the output cannot be written.
pub fn run(host: &mut Host, told: &Told<'_>, form: Form) -> Result<()> {
    let Told { controls, sealed, evaluation, missed, waiting, recorded } = told;
    if form == Form::Json {
        let mut document = run_json(sealed, evaluation, missed, *recorded);
        if let (Some(fields), false) = (document.as_object_mut(), waiting.is_empty()) {
            fields.insert("waiting".to_owned(), waiting.iter().map(waiting_json).collect());
        }
        writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?;
        return Ok(());
    }
    let manifest = &sealed.manifest;
    writeln!(
        host.out,
        "Run {} sealed: {} exchanges, {} unchanged (304), {} refused or failed; manifest sha256 {}",
        manifest.run, manifest.exchanges, manifest.not_modified, manifest.failed, sealed.digest
    )?;
    if let Some(continued) = &manifest.continues {
        writeln!(host.out, "It continues run {continued}: what that one was answered was not asked again")?;
    }
    if let Some(as_of) = manifest.scope.as_of {
        writeln!(host.out, "It reconstructs what there was at {}, as far as the sources remember it; nothing ran then", instant(as_of))?;
    }
    if !manifest.identities.is_empty() {
        let told: Vec<String> = manifest.identities.iter().map(|(system, who)| format!("{system} as {who}")).collect();
        writeln!(host.out, "Asked {}", told.join("; "))?;
    }
    writeln!(host.out, "Budget: {}", manifest.budget)?;
    if let Some(recorded) = recorded {
        writeln!(host.out, "Log {}", log_line(recorded))?;
    }
    for (kind, outcome) in &manifest.kinds {
        if *outcome == Outcome::Partial {
            writeln!(host.out, "  {kind} is partial: a later `collect --due` will try again")?;
        }
    }
    for owed in missed.iter().filter(|owed| !owed.missed.is_empty()) {
        let names: Vec<_> = owed.missed.iter().map(|slot| slot.name.as_str()).collect();
        writeln!(host.out, "  {} did not run in {}: these slots stay missed", owed.control, names.join(", "))?;
    }
    for Waiting { control, slot, from } in waiting {
        writeln!(host.out, "  {control} was not looked at: in {} it is due from {} on", slot.name, instant(*from))?;
    }
    writeln!(host.out, "\n{}\n", findings_table(controls, &evaluation.findings))?;
    reasons(host, controls, &evaluation.findings)?;
    totals(host, &evaluation.findings)
}

/// Why controls are not satisfied, undetermined, or satisfied only with waivers.
fn reasons(host: &mut Host, controls: &[Control], findings: &[Finding]) -> Result<()> {
    for finding in findings.iter().filter(|finding| finding.raw_status() != FindingStatus::Satisfied) {
        let title = controls.iter().find(|control| control.id == finding.control).map_or("", |control| control.title.as_str());
        let raw = if finding.counts.waived > 0 { format!(" ({} without waivers)", finding.raw_status().as_str()) } else { String::new() };
        writeln!(host.out, "{} {}{raw}: {title}", finding.control, finding.status.as_str())?;
        for reason in &finding.reasons {
            writeln!(host.out, "    {reason}")?;
        }
        for waived in &finding.waived_by {
            writeln!(host.out, "    {}", waived.told())?;
        }
    }
    Ok(())
}

/// How many controls stand how, and how they would without waivers where that differs.
fn totals(host: &mut Host, findings: &[Finding]) -> Result<()> {
    let of = |status| findings.iter().filter(|finding| finding.status == status).count();
    writeln!(
        host.out,
        "\n{} controls: {} satisfied, {} not satisfied, {} undetermined",
        findings.len(),
        of(FindingStatus::Satisfied),
        of(FindingStatus::NotSatisfied),
        of(FindingStatus::Undetermined)
    )?;
    if findings.iter().any(|finding| finding.counts.waived > 0) {
        let raw = |status| findings.iter().filter(|finding| finding.raw_status() == status).count();
        writeln!(
            host.out,
            "Without waivers: {} satisfied, {} not satisfied, {} undetermined",
            raw(FindingStatus::Satisfied),
            raw(FindingStatus::NotSatisfied),
            raw(FindingStatus::Undetermined)
        )?;
    }
    Ok(())
}

/// A control whose day has not come, for a machine.
#[must_use]
pub fn waiting_json(waiting: &Waiting) -> Value {
    json!({"control": waiting.control, "slot": waiting.slot.name, "from": instant(waiting.from)})
}

fn log_line(recorded: &Recorded) -> String {
    let entries: Vec<String> = recorded.entries.iter().map(ToString::to_string).collect();
    let given: Vec<String> = recorded.said.iter().filter(|said| matches!(said.word, Word::Given(_))).map(Said::told).collect();
    let observed = if given.is_empty() { String::new() } else { format!("; observed by {}", given.join(", ")) };
    format!("{}: entries {}; checkpoint of {} entries signed{observed}", recorded.origin, entries.join(", "), recorded.published.size)
}

fn log_json(recorded: &Recorded) -> Value {
    let given = |said: &Said| match said.word {
        Word::Given(at) => json!({"name": said.name, "at": instant(at)}),
        Word::None(ref why) => json!({"name": said.name, "none": why}),
        Word::Alarm(ref why) => json!({"name": said.name, "alarm": why}),
    };
    json!({
        "origin": recorded.origin,
        "entries": recorded.entries,
        "size": recorded.published.size,
        "checkpoint": String::from_utf8_lossy(&recorded.published.bytes),
        "observers": recorded.said.iter().map(given).collect::<Vec<_>>(),
    })
}

fn findings_table(controls: &[Control], findings: &[Finding]) -> Table {
    let mut table = table(&["CONTROL", "SEVERITY", "STATUS", "RAW", "PASS", "FAIL", "WAIVED", "UNDET.", "N/A", "OF"]);
    for finding in findings {
        let severity = controls.iter().find(|control| control.id == finding.control).map_or("", |control| control.severity.as_str());
        let counts = finding.counts;
        table.add_row([
            finding.control.to_string(),
            severity.to_owned(),
            finding.status.as_str().to_owned(),
            finding.raw_status().as_str().to_owned(),
            counts.pass.to_string(),
            counts.fail.to_string(),
            counts.waived.to_string(),
            counts.undetermined.to_string(),
            counts.not_applicable.to_string(),
            counts.in_scope().to_string(),
        ]);
    }
    for column in 4..10 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Findings as they are sealed, each with its status without waivers.
pub fn findings_json(findings: &[Finding]) -> Vec<Value> {
    let told = |finding: &Finding| {
        let mut document = json!(finding);
        if let Some(fields) = document.as_object_mut() {
            fields.insert("raw_status".to_owned(), json!(finding.raw_status()));
        }
        document
    };
    findings.iter().map(told).collect()
}

fn run_json(sealed: &Sealed, evaluation: &Evaluation, missed: &[&Owed], recorded: Option<&Recorded>) -> Value {
    let manifest = &sealed.manifest;
    let slots = |owed: &&&Owed| json!({"control": owed.control, "slots": owed.missed.iter().map(|slot| &slot.name).collect::<Vec<_>>()});
    json!({
        "run": manifest.run,
        "started_at": instant(manifest.started_at),
        "ended_at": instant(manifest.ended_at),
        "trigger": manifest.trigger,
        "continues": manifest.continues,
        "as_of": manifest.scope.as_of.map(instant),
        "identities": manifest.identities,
        "manifest_sha256": sealed.digest,
        "log": recorded.map(log_json),
        "evaluation": evaluation.id,
        "exchanges": manifest.exchanges,
        "not_modified": manifest.not_modified,
        "failed": manifest.failed,
        "budget": manifest.budget,
        "kinds": manifest.kinds,
        "observations": evaluation.observations,
        "findings": findings_json(&evaluation.findings),
        "populations": evaluation.populations,
        "not_run": missed.iter().filter(|owed| !owed.missed.is_empty()).map(|owed| slots(&owed)).collect::<Vec<_>>(),
    })
}

/// Says that nothing is owed, and until when.
///
/// # Errors
/// Where the output cannot be written.
pub fn nothing_due(host: &mut Host, catalog: &Catalog, now: DateTime<Utc>, project: &Project, form: Form) -> Result<Exit> {
    let zone = project.settings.time_zone;
    let until = catalog.controls.iter().filter_map(|control| control.next_owed(now, zone)).min().map(instant);
    match form {
        Form::Json => writeln!(host.out, "{}", json!({"due": [], "next_slot": until}))?,
        Form::Text => writeln!(
            host.out,
            "Nothing is due: every control has been answered in its slot, or waits for its day. The next is due from {} on.",
            until.unwrap_or_default()
        )?,
    }
    Ok(Exit::Satisfied)
}
