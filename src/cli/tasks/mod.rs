//! `tasks`: the slots of recurring tasks, how each stands, and what is to be done about it.

pub mod open;
mod rows;

pub use rows::{latest, of_run};

use std::io::Write as _;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::cli::args;
use crate::cli::attach::attached;
use crate::cli::collect::past;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::status;
use crate::cli::summary::{Form, instant, table};
use crate::ledger::replay::Entry;
use crate::model::{Control, Finding, Scope, Slot, Task, TaskRow, TaskRule, TaskStanding, Tasks, unseen};

/// Days before a slot is due from which on it is listed without `--all`.
const SOON: i64 = 14;

/// A scope with the tasks of the controls that are judged, and with the labels of all tasks that are declared, so that they are the same whatever a run judges.
#[must_use]
pub fn in_scope(scope: Scope, zone: &str, declared: &[Control], judged: &[Control], entries: Option<&[Entry]>) -> Scope {
    let mut labels = scope.issue_labels.clone();
    labels.extend(declared.iter().filter_map(|control| control.task.as_ref()).map(|task| task.label.clone()));
    labels.sort();
    labels.dedup();
    let rule = |control: &Control| Some(TaskRule { control: control.id.clone(), title: control.title.clone(), task: control.task.clone()? });
    let rules: Vec<TaskRule> = judged.iter().filter_map(rule).collect();
    let mut given = entries.map(attached).unwrap_or_default();
    given.retain(|given| rules.iter().any(|rule| rule.control == given.control));
    let tasks = (!rules.is_empty()).then(|| Tasks { time_zone: zone.to_owned(), rules, attached: given });
    Scope { issue_labels: labels, tasks, ..scope }
}

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where a control file is wrong, or GitHub refuses to open an issue; where stored evidence is missing or changed.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Tasks, form: Form) -> Result<Exit> {
    match &arguments.verb {
        Some(args::TasksVerb::Open(arguments)) => open::run(host, project, arguments, form).await,
        None => list(host, project, arguments, form).await,
    }
}

async fn list(host: &mut Host, project: &Project, arguments: &args::Tasks, form: Form) -> Result<Exit> {
    let catalog = project.catalog(host, &project.control_files()?)?;
    let declared: Vec<&Control> = catalog.controls.iter().filter(|control| control.task.is_some()).collect();
    if declared.is_empty() {
        return Err(Failure::usage("no control declares a recurring task: write [control.task] below a control, see controls/README.md").into());
    }
    let store = project.store()?;
    let runs = Runs::open(&store, project.settings.log.vkey.as_ref()).await?;
    let rows = latest(&store, &runs, &declared).await?;
    let (past, _made) = past(&runs).await?;
    let findings: Vec<Finding> = declared.iter().filter_map(|control| status::newest(&past, &control.id)).map(|(_run, finding)| finding.clone()).collect();
    let now = host.now();
    let unseen = not_looked_at(project, &declared, &rows, now);
    let is_listed = |row: &&TaskRow| arguments.all || (row.standing.needs_hands() && (row.seen.due - now).num_days() <= SOON);
    let listed: Vec<&TaskRow> = rows.iter().filter(is_listed).collect();
    match form {
        Form::Json => {
            let begun: Vec<_> = unseen
                .iter()
                .map(|(control, slot, task)| json!({"control": control.id, "slot": slot.name, "due": instant(task.due(slot, project.settings.time_zone))}))
                .collect();
            writeln!(host.out, "{}", serde_json::to_string_pretty(&json!({"now": instant(now), "slots": rows, "begun_since": begun}))?)?;
        }
        Form::Text => text(host, (&rows, &listed), &unseen, project)?,
    }
    Ok(Exit::of(&findings))
}

type Begun<'c> = (&'c Control, Slot, &'c Task);

/// The slots that no run has looked at: they began since, or nothing ran.
fn not_looked_at<'c>(project: &Project, declared: &[&'c Control], rows: &[TaskRow], now: DateTime<Utc>) -> Vec<Begun<'c>> {
    let of = |control: &&'c Control| {
        let control = *control;
        let task = control.task.as_ref()?;
        let slots = task.slots_until(now, project.settings.time_zone).into_iter();
        let is_new = move |slot: &Slot| !rows.iter().any(|row| row.control == control.id && row.slot == slot.name);
        Some(slots.filter(is_new).map(move |slot| (control, slot, task)).collect::<Vec<_>>())
    };
    declared.iter().filter_map(of).flatten().collect()
}

fn text(host: &mut Host, (rows, listed): (&[TaskRow], &[&TaskRow]), begun: &[Begun<'_>], project: &Project) -> Result<()> {
    let counts: Vec<String> = TaskStanding::ALL
        .into_iter()
        .map(|standing| (standing, rows.iter().filter(|row| row.standing == standing).count()))
        .filter(|(_standing, count)| *count > 0)
        .map(|(standing, count)| format!("{count} {}", standing.as_str()))
        .collect();
    if !listed.is_empty() {
        let mut table = table(&["TASK", "SLOT", "DUE", "STANDS", "WHO", "ISSUE, OR WHAT IS MISSING"]);
        for row in listed {
            let who = if row.seen.assignees.is_empty() { "nobody".to_owned() } else { row.seen.assignees.join(", ") };
            let what = row.because.first().or(row.seen.issues.first()).map_or("no issue yet", String::as_str);
            table.add_row([row.control.as_str(), &row.slot, &instant(row.seen.due), row.standing.as_str(), &plain(&who), &plain(what)]);
        }
        writeln!(host.out, "{table}\n")?;
    }
    for (control, slot, task) in begun {
        writeln!(host.out, "{} {}: no run has looked at it yet; due {}", control.id, slot.name, instant(task.due(slot, project.settings.time_zone)))?;
    }
    let told = if counts.is_empty() { "none was looked at yet".to_owned() } else { counts.join(", ") };
    writeln!(host.out, "{} slots of tasks: {told}.", rows.len() + begun.len())?;
    if listed.len() < rows.len() {
        writeln!(host.out, "--all lists them all.")?;
    }
    Ok(())
}

/// What a source named, on a terminal.
fn plain(text: &str) -> String {
    unseen::written_out(text, |_c| true).into_owned()
}
