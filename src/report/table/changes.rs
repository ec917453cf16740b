//! The table of definitions that changed within the period.

use crate::model::{ControlAssessment, ControlId, Counts, DefinitionChange, FindingStatus, PartChange, RunId};
use crate::report::reading::Reading;
use crate::report::table::Kind::{Instant, Number, Text};
use crate::report::table::Table;
use crate::report::table::cell::{Cell, blank, instant, number, optional, text};

/// One row a part of a control that said something else from a run on.
pub(crate) fn changes<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    let of_control = |of: &ControlAssessment| {
        let id = of.control.id.clone();
        of.definition_changes.iter().flat_map(move |change| change.parts.iter().map(|part| row(&id, change, part)).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    Table {
        name: "changes".to_owned(),
        query: "every part of a control's definition that differs between two runs of the period that follow upon each other, and what both found",
        columns: &[
            ("control_id", Text),
            ("first_run_with_it", Text),
            ("from", Instant),
            ("part", Text),
            ("before", Text),
            ("after", Text),
            ("definition_before_sha256", Text),
            ("definition_after_sha256", Text),
            ("status_before", Text),
            ("passed_before", Number),
            ("failed_before", Number),
            ("undetermined_before", Number),
            ("status_after", Text),
            ("passed_after", Number),
            ("failed_after", Number),
            ("undetermined_after", Number),
        ],
        rows: reading.assessment.controls.iter().flat_map(of_control).collect(),
    }
}

fn row(id: &ControlId, change: &DefinitionChange, part: &PartChange) -> Vec<Cell> {
    let mut row = vec![
        text(id.as_str()),
        text(change.run.as_str()),
        instant(change.at),
        text(&part.part),
        optional(part.before.as_ref()),
        optional(part.after.as_ref()),
        text(change.from.to_string()),
        text(change.to.to_string()),
    ];
    row.extend(found(change.before.as_ref()));
    row.extend(found(change.after.as_ref()));
    row
}

fn found(finding: Option<&(RunId, FindingStatus, Counts)>) -> [Cell; 4] {
    finding.map_or_else(
        || [blank(), blank(), blank(), blank()],
        |(_run, status, counts)| [text(status.as_str()), number(counts.pass), number(counts.fail), number(counts.undetermined)],
    )
}
