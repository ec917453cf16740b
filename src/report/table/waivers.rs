//! The table of waivers and how they were used.

use crate::model::WaiverUse;
use crate::report::reading::Reading;
use crate::report::table::Table;
use crate::report::table::cell::{Cell, list, number, optional, text};
use crate::report::words::{self, instant};

/// One row a waiver that a run of the period declares.
pub(crate) fn waivers(reading: &Reading<'_>) -> Table {
    Table {
        name: "waivers".to_owned(),
        query: "every waiver that the control files of a run of the period declare, used or not, as the newest of them declares it",
        columns: &[
            "waiver_id",
            "control_id",
            "resource_pattern",
            "reason",
            "compensating_control",
            "requested_by",
            "approved_by",
            "approved_on",
            "expires_on",
            "ticket",
            "renews",
            "renewed_by",
            "spans_from",
            "spans_to",
            "status_at_period_end",
            "failures_waived",
            "used_in_runs",
            "waived_control_days",
            "unused",
            "retroactive",
            "run_without_it_after_approval",
            "first_declared_run",
            "first_declared_at",
            "changed_in_period",
            "runs_with_other_terms",
            "control_file",
        ],
        rows: reading.assessment.waivers.iter().map(row).collect(),
    }
}

fn row(of: &WaiverUse) -> Vec<Cell> {
    let waiver = &of.waiver;
    vec![
        text(waiver.id.as_str()),
        text(waiver.control.as_str()),
        text(&waiver.resource),
        text(&waiver.reason),
        optional(waiver.compensating.as_ref()),
        text(&waiver.requested_by),
        text(&waiver.approved_by),
        text(waiver.approved_on.to_string()),
        text(waiver.expires_on.to_string()),
        text(&waiver.ticket),
        optional(waiver.renews.as_ref().map(|id| id.as_str())),
        list(&of.renewed_by),
        text(of.spans.0.to_string()),
        text(of.spans.1.to_string()),
        text(of.standing.as_str()),
        number(of.failures),
        list(&of.runs),
        number(u64::try_from(of.days.len()).unwrap_or(u64::MAX)),
        Cell::from(of.is_unused()),
        Cell::from(of.retroactive.is_some()),
        optional(of.retroactive.as_ref().map(|run| run.as_str())),
        text(of.first_run.as_str()),
        text(instant(of.first_declared_at)),
        Cell::from(words::length(&of.changed) > 0),
        list(&of.changed),
        text(&waiver.file),
    ]
}
