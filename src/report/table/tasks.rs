//! The table of recurring tasks: a row a slot.

use crate::model::{Aspect, TaskEvidence, TaskRow};
use crate::report::reading::Reading;
use crate::report::table::Kind::{Instant, Number, Text};
use crate::report::table::Table;
use crate::report::table::cell::{Cell, blank, instant, list, number, optional, text};
use crate::report::words;

/// One row a slot of a task that was due in the period, or is under way at its end.
pub(crate) fn tasks<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "tasks".to_owned(),
        query: "every slot of every recurring task that the period touches, by the calendar, as the newest run of its control saw it; one that nobody did is here too",
        columns: &[
            ("control_id", Text),
            ("title", Text),
            ("slot", Text),
            ("slot_start", Instant),
            ("due", Instant),
            ("standing", Text),
            ("issue_url", Text),
            ("other_issues", Text),
            ("opened_at", Instant),
            ("opened_by", Text),
            ("assignees", Text),
            ("first_assigned_at", Instant),
            ("closed_at", Instant),
            ("closed_by", Text),
            ("state_reason", Text),
            ("evidence_that_counts", Text),
            ("evidence_sha256", Text),
            ("evidence_that_does_not", Text),
            ("doers", Text),
            ("reviewed_by", Text),
            ("opened", Text),
            ("assigned", Text),
            ("on_time", Text),
            ("evidenced", Text),
            ("four_eyes", Text),
            ("boxes_open", Number),
            ("edits_after_close", Number),
            ("because", Text),
            ("run_id", Text),
            ("evidence", Text),
        ],
        rows: reading.assessment.tasks.iter().map(row).collect(),
    }
}

fn row(of: &TaskRow) -> Vec<Cell> {
    let seen = &of.seen;
    let at = |at: Option<_>| at.map_or_else(blank, instant);
    let aspect = |wanted| optional(of.aspects.iter().find(|(aspect, _verdict)| *aspect == wanted).map(|(_aspect, verdict)| verdict.as_str()));
    let counting = || seen.evidence.iter().filter(|item| item.counts);
    vec![
        text(of.control.as_str()),
        text(&of.title),
        text(&of.slot),
        instant(seen.starts_at),
        instant(seen.due),
        text(of.standing.as_str()),
        optional(seen.issues.first()),
        list(seen.issues.iter().skip(1)),
        at(seen.opened_at),
        optional(seen.opened_by.as_ref()),
        list(&seen.assignees),
        at(seen.first_assigned_at),
        at(seen.closed_at),
        optional(seen.closed_by.as_ref()),
        optional(seen.state_reason.as_ref()),
        list(counting().map(told)),
        list(counting().filter_map(|item| item.sha256.as_ref())),
        list(seen.evidence.iter().filter(|item| !item.counts).map(told)),
        list(&seen.doers),
        list(&seen.reviewed_by),
        aspect(Aspect::Opened),
        aspect(Aspect::Assigned),
        aspect(Aspect::OnTime),
        aspect(Aspect::Evidenced),
        aspect(Aspect::Reviewed),
        seen.open_boxes.map_or_else(blank, number),
        seen.edits_after_close.map_or_else(blank, number),
        list(&of.because),
        text(of.run.as_str()),
        list(&of.exchanges),
    ]
}

fn told(item: &TaskEvidence) -> String {
    format!("{} {} by {} {}", item.kind, item.name, item.by, words::instant(item.at))
}
