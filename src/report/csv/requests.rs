//! The auditor's request list with what answers each line.

use crate::model::Assessment;
use crate::report::csv::file;
use crate::report::reading::Reading;
use crate::report::requests::Answer;
use crate::report::table::Kind::{Number, Text};
use crate::report::table::cell::{Cell, list, number, optional, text};
use crate::report::table::{Table, ipe};
use crate::report::words::length;
use crate::report::{Files, ReportError};

/// `requests.csv` and its companion.
///
/// # Errors
/// `ReportError` where it cannot be written.
pub(crate) fn request_list(assessment: &Assessment, answers: &[Answer], into: &mut dyn Files) -> Result<(), ReportError> {
    let row = |answer: &Answer| -> Vec<Cell> {
        let status = match (&answer.folder, answer.unknown.is_empty(), answer.request.wanted.is_empty()) {
            (_, _, true) => "empty: the list names no control and no criterion",
            (None, _, _) => "empty: no control of the period is named so, or satisfies that",
            (Some(_), false, _) => "answered in part",
            (Some(_), true, _) => "answered",
        };
        vec![
            text(&answer.request.id),
            text(&answer.request.text),
            text(status),
            optional(answer.folder.as_ref()),
            list(&answer.controls),
            list(&answer.unknown),
            number(length(&answer.controls.iter().collect::<Vec<_>>())),
        ]
    };
    let table = Table {
        name: "requests".to_owned(),
        query: "each line of the auditor's request list, those with nothing to show included",
        columns: &[
            ("request_id", Text),
            ("request", Text),
            ("status", Text),
            ("folder", Text),
            ("controls", Text),
            ("not_found", Text),
            ("controls_count", Number),
        ],
        rows: answers.iter().map(row).collect(),
    };
    let sha256 = file(&table, into)?;
    file(&ipe::companion(&Reading::new(assessment), &table, &sha256), into).map(drop)
}
