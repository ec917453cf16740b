//! `tasks open`: opens the issue of each slot that is under way, and puts it on the boards. It writes to GitHub, with a token of its own, and only where a task says how.
//!
//! An issue that is there already, by its title or by the mark that this leaves in its text, is not opened again.

use std::io::Write as _;

use anyhow::Result;
use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::network;
use crate::cli::project::Project;
use crate::cli::summary::Form;
use crate::collect::github::task_slot::says;
use crate::collect::transport::{Board, Desk, DeskError, Draft, OpenedIssue};
use crate::model::{Control, Opening, Slot, Task};

/// The variable that holds the token. Not the one that collects: that one only reads.
const TOKEN: &str = "PROOFLINE_TASKS_TOKEN";

/// A slot whose issue there has to be.
struct Wanted<'c> {
    control: &'c Control,
    task: &'c Task,
    opening: &'c Opening,
    slot: Slot,
}

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where no task says how it is opened, or there is no token for it; where GitHub refuses.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::TasksOpen, form: Form) -> Result<Exit> {
    let catalog = project.catalog(host, &project.control_files()?)?;
    let wanted = wanted(host, project, &catalog.controls, arguments)?;
    if arguments.dry_run {
        return dry(host, project, &wanted, form);
    }
    let token = host.variable(TOKEN).ok_or_else(|| {
        Failure::usage(format!(
            "opening issues needs a token of its own in {TOKEN}, with Issues: write on the repositories (and Projects: write for boards): what collects every night only reads. --dry-run shows what would be opened"
        ))
    })?;
    let desk = Desk::new(&network::settings(&project.settings), &SecretString::from(token.to_owned()))?;
    let mut told = Vec::new();
    let mut failed = false;
    for wanted in &wanted {
        match open_one(&desk, project, wanted).await {
            Ok(Done { issue, is_new, warnings }) => {
                for warning in warnings {
                    writeln!(host.err, "warning: {} {}: {warning}", wanted.control.id, wanted.slot.name)?;
                }
                let word = if is_new { "opened" } else { "there already" };
                if form == Form::Text {
                    writeln!(host.out, "{} {}: {word}: {}", wanted.control.id, wanted.slot.name, issue.html_url)?;
                }
                told.push(json!({"control": wanted.control.id, "slot": wanted.slot.name, "new": is_new, "url": issue.html_url}));
            }
            // One repository that refuses keeps no other from its issue.
            Err(error) => {
                failed = true;
                writeln!(host.err, "error: {} {}: {error}", wanted.control.id, wanted.slot.name)?;
            }
        }
    }
    if form == Form::Json {
        writeln!(host.out, "{}", serde_json::to_string_pretty(&json!({ "issues": told }))?)?;
    }
    Ok(if failed { Exit::Undetermined } else { Exit::Satisfied })
}

/// The slots that are under way now, or begin within `--ahead` days, of the tasks that say how they are opened.
fn wanted<'c>(host: &Host, project: &Project, controls: &'c [Control], arguments: &args::TasksOpen) -> Result<Vec<Wanted<'c>>> {
    let until = host.now() + TimeDelta::days(i64::from(arguments.ahead));
    let mut wanted = Vec::new();
    for control in controls {
        let Some((task, opening)) = control.task.as_ref().and_then(|task| Some((task, task.open.as_ref()?))) else { continue };
        if !arguments.task.is_empty() && !arguments.task.contains(&control.id) {
            continue;
        }
        let slots = task.slots_until(until, project.settings.time_zone).into_iter().filter(|slot| slot.period.end() > host.now());
        wanted.extend(slots.map(|slot| Wanted { control, task, opening, slot }));
    }
    if let Some(id) = arguments.task.iter().find(|id| wanted.iter().all(|wanted| wanted.control.id != **id)) {
        return Err(Failure::usage(format!("{id} has no slot under way, or does not say how it is opened: write [control.task.open] below it")).into());
    }
    if wanted.is_empty() {
        return Err(Failure::usage("no task says how it is opened: write [control.task.open] with repository and body below one").into());
    }
    Ok(wanted)
}

struct Done {
    issue: OpenedIssue,
    is_new: bool,
    warnings: Vec<String>,
}

async fn open_one(desk: &Desk, project: &Project, wanted: &Wanted<'_>) -> Result<Done, DeskError> {
    let draft = draft(project, wanted);
    let (issue, is_new) = match find(desk, wanted, &draft).await? {
        Some(issue) => (issue, false),
        None => match desk.open(&wanted.opening.repository, &draft).await {
            Ok(issue) => (issue, true),
            // The answer got lost, so that it may be there.
            Err(silent @ DeskError::Silent { .. }) => (find(desk, wanted, &draft).await?.ok_or(silent)?, true),
            Err(error) => return Err(error),
        },
    };
    let mut warnings = Vec::new();
    if !issue.labels.iter().any(|label| label.name == wanted.task.label) {
        warnings.push(format!(
            "the label {} was not set, so that no run will find it: may this token label issues in {}?",
            wanted.task.label, wanted.opening.repository
        ));
    }
    let missing: Vec<&str> =
        draft.assignees.iter().filter(|login| !issue.assignees.iter().any(|is| is.login.eq_ignore_ascii_case(login))).map(String::as_str).collect();
    if is_new && !missing.is_empty() {
        warnings.push(format!("it was not given to {}: may they be assigned in {}?", missing.join(", "), wanted.opening.repository));
    }
    let organization = wanted.opening.repository.split('/').next().unwrap_or_default();
    for number in project.settings.github.boards.of(organization) {
        let board = desk.board(organization, number).await?;
        warnings.extend(place(desk, project, (&board, number), wanted, &issue).await?);
    }
    Ok(Done { issue, is_new, warnings })
}

/// Puts it on a board with its due day and slot; what the board has no field for is told.
async fn place(desk: &Desk, project: &Project, (board, number): (&Board, u32), wanted: &Wanted<'_>, issue: &OpenedIssue) -> Result<Vec<String>, DeskError> {
    let item = desk.place(board, issue).await?;
    let due = wanted.task.due_day(&wanted.slot, project.settings.time_zone).to_string();
    let mut values = vec![(project.settings.github.boards.due_field.as_str(), due.as_str())];
    values.extend(wanted.task.field.as_deref().map(|field| (field, wanted.slot.name.as_str())));
    let mut warnings = Vec::new();
    for value in values {
        match desk.set(board, &item, value).await {
            Err(unfit @ DeskError::Field { .. }) => warnings.push(format!("board {number}: {unfit}")),
            set => set?,
        }
    }
    Ok(warnings)
}

/// The issue of a slot, where it is there.
async fn find(desk: &Desk, wanted: &Wanted<'_>, draft: &Draft) -> Result<Option<OpenedIssue>, DeskError> {
    let mark = mark(wanted);
    let title = wanted.task.title_of(&wanted.slot).filter(|_title| wanted.task.names_slots()).unwrap_or_else(|| draft.title.clone());
    let issues = desk.issues(&wanted.opening.repository, &wanted.task.label).await?;
    Ok(issues.into_iter().find(|issue| says(&issue.title, &title) || issue.body.as_deref().unwrap_or_default().contains(&mark)))
}

/// What tells an issue that was opened here, whatever becomes of its title. GitHub does not show it.
fn mark(wanted: &Wanted<'_>) -> String {
    format!("<!-- proofline task {} {} -->", wanted.control.id, wanted.slot.name)
}

fn draft(project: &Project, wanted: &Wanted<'_>) -> Draft {
    let due = wanted.task.due_day(&wanted.slot, project.settings.time_zone).to_string();
    let slot = &wanted.slot.name;
    let title = match &wanted.task.title {
        Some(title) if title.contains("{slot}") => title.replace("{slot}", slot),
        Some(title) => format!("{title} {slot}"),
        None => format!("{} {slot}", wanted.control.title),
    };
    let body = wanted.opening.body.replace("{slot}", slot).replace("{due}", &due);
    // A line that `github.issue` reads the due date from.
    let due_line = if body.lines().any(|line| line.trim_start().to_lowercase().starts_with("due:")) { String::new() } else { format!("\n\nDue: {due}") };
    Draft {
        title,
        body: format!("{}{due_line}\n\n{}\n", body.trim_end(), mark(wanted)),
        labels: vec![wanted.task.label.clone()],
        assignees: wanted.opening.assignees.clone(),
    }
}

fn dry(host: &mut Host, project: &Project, wanted: &[Wanted<'_>], form: Form) -> Result<Exit> {
    let drafts: Vec<(&Wanted<'_>, Draft)> = wanted.iter().map(|wanted| (wanted, draft(project, wanted))).collect();
    if form == Form::Json {
        let told: Vec<Value> = drafts
            .iter()
            .map(|(wanted, draft)| json!({"control": wanted.control.id, "slot": wanted.slot.name, "repository": wanted.opening.repository, "issue": draft}))
            .collect();
        writeln!(host.out, "{}", serde_json::to_string_pretty(&json!({ "would_open": told }))?)?;
        return Ok(Exit::Satisfied);
    }
    for (wanted, draft) in &drafts {
        let who = if draft.assignees.is_empty() { "nobody".to_owned() } else { draft.assignees.join(", ") };
        writeln!(
            host.out,
            "{} {} in {}, for {who}, where it is not there yet:\n  {}\n",
            wanted.control.id, wanted.slot.name, wanted.opening.repository, draft.title
        )?;
        for line in draft.body.lines() {
            writeln!(host.out, "    {line}")?;
        }
        writeln!(host.out)?;
    }
    Ok(Exit::Satisfied)
}
