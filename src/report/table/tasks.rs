//! The table of recurring tasks: a row a slot.

use crate::model::{Aspect, TaskEvidence, TaskRow};
use crate::report::reading::Reading;
use crate::report::table::Table;
use crate::report::table::cell::{Cell, blank, list, number, optional, text};
use crate::report::words::instant;

/// One row a slot of a task that was due in the period, or is under way at its end.
pub(crate) fn tasks(reading: &Reading<'_>) -> Table {
    Table {
        name: "tasks".to_owned(),
        query: "every slot of every recurring task that the period touches, by the calendar, as the newest run of its control saw it; one that nobody did is here too",
        columns: &[
            "control_id",
            "title",
            "slot",
            "slot_start",
            "due",
            "standing",
            "issue_url",
            "other_issues",
            "opened_at",
            "opened_by",
            "assignees",
            "first_assigned_at",
            "closed_at",
            "closed_by",
            "state_reason",
            "evidence_that_counts",
            "evidence_sha256",
            "evidence_that_does_not",
            "doers",
            "reviewed_by",
            "opened",
            "assigned",
            "on_time",
            "evidenced",
            "four_eyes",
            "boxes_open",
            "edits_after_close",
            "because",
            "run_id",
            "evidence",
        ],
        rows: reading.assessment.tasks.iter().map(row).collect(),
    }
}

fn row(of: &TaskRow) -> Vec<Cell> {
    let seen = &of.seen;
    let at = |at: Option<_>| optional(at.map(instant));
    let aspect = |wanted| optional(of.aspects.iter().find(|(aspect, _verdict)| *aspect == wanted).map(|(_aspect, verdict)| verdict.as_str()));
    let counting = || seen.evidence.iter().filter(|item| item.counts);
    vec![
        text(of.control.as_str()),
        text(&of.title),
        text(&of.slot),
        text(instant(seen.starts_at)),
        text(instant(seen.due)),
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
    format!("{} {} by {} {}", item.kind, item.name, item.by, instant(item.at))
}
