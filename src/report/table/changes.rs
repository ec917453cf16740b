//! The table of definitions that changed within the period.

use crate::model::{ControlAssessment, ControlId, Counts, DefinitionChange, FindingStatus, PartChange, RunId};
use crate::report::reading::Reading;
use crate::report::table::Table;
use crate::report::table::cell::{Cell, blank, number, optional, text};
use crate::report::words::instant;

/// One row a part of a control that said something else from a run on.
pub(crate) fn changes(reading: &Reading<'_>) -> Table {
    let of_control = |of: &ControlAssessment| {
        let id = of.control.id.clone();
        of.definition_changes.iter().flat_map(move |change| change.parts.iter().map(|part| row(&id, change, part)).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    Table {
        name: "changes".to_owned(),
        query: "every part of a control's definition that differs between two runs of the period that follow upon each other, and what both found",
        columns: &[
            "control_id",
            "first_run_with_it",
            "from",
            "part",
            "before",
            "after",
            "definition_before_sha256",
            "definition_after_sha256",
            "status_before",
            "passed_before",
            "failed_before",
            "undetermined_before",
            "status_after",
            "passed_after",
            "failed_after",
            "undetermined_after",
        ],
        rows: reading.assessment.controls.iter().flat_map(of_control).collect(),
    }
}

fn row(id: &ControlId, change: &DefinitionChange, part: &PartChange) -> Vec<Cell> {
    let mut row = vec![
        text(id.as_str()),
        text(change.run.as_str()),
        text(instant(change.at)),
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
