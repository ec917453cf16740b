//! The table of waivers and how they were used.

use crate::model::WaiverUse;
use crate::report::reading::Reading;
use crate::report::table::Kind::{Date, Flag, Instant, Number, Text};
use crate::report::table::Table;
use crate::report::table::cell::{Cell, date, instant, list, number, optional, text};
use crate::report::words;

/// One row a waiver that a run of the period declares.
pub(crate) fn waivers<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    Table {
        name: "waivers".to_owned(),
        query: "every waiver that the control files of a run of the period declare, used or not, as the newest of them declares it",
        columns: &[
            ("waiver_id", Text),
            ("control_id", Text),
            ("resource_pattern", Text),
            ("reason", Text),
            ("compensating_control", Text),
            ("requested_by", Text),
            ("approved_by", Text),
            ("approved_on", Date),
            ("expires_on", Date),
            ("ticket", Text),
            ("renews", Text),
            ("renewed_by", Text),
            ("spans_from", Date),
            ("spans_to", Date),
            ("status_at_period_end", Text),
            ("failures_waived", Number),
            ("used_in_runs", Text),
            ("waived_control_days", Number),
            ("unused", Flag),
            ("retroactive", Flag),
            ("run_without_it_after_approval", Text),
            ("first_declared_run", Text),
            ("first_declared_at", Instant),
            ("changed_in_period", Flag),
            ("runs_with_other_terms", Text),
            ("control_file", Text),
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
        date(waiver.approved_on),
        date(waiver.expires_on),
        text(&waiver.ticket),
        optional(waiver.renews.as_ref().map(|id| id.as_str())),
        list(&of.renewed_by),
        date(of.spans.0),
        date(of.spans.1),
        text(of.standing.as_str()),
        number(of.failures),
        list(&of.runs),
        number(u64::try_from(of.days.len()).unwrap_or(u64::MAX)),
        Cell::from(of.is_unused()),
        Cell::from(of.retroactive.is_some()),
        optional(of.retroactive.as_ref().map(|run| run.as_str())),
        text(of.first_run.as_str()),
        instant(of.first_declared_at),
        Cell::from(words::length(&of.changed) > 0),
        list(&of.changed),
        text(&waiver.file),
    ]
}
