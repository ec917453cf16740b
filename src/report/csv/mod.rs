//! CSV for spreadsheets and scripts: RFC 4180, UTF-8 without a byte order mark, CRLF, one header line, one record a line.
//!
//! No byte order mark, because it would become part of the first column's name in every reader that does not know it, while all of our own words, numbers and instants are ASCII.
//! Each file has a companion `<name>.ipe.csv`: source, query and parameters, match to the source, gaps, and the SHA-256 of the file.

mod cell;
mod changes;
mod controls;
mod deviations;
mod ipe;
mod requests;
mod runs;
mod sample;
mod sheet;
mod tasks;
mod waivers;

pub(crate) use requests::request_list;
pub use sample::{Bodies, files as sample};

use crate::model::Assessment;
use crate::report::reading::Reading;
use crate::report::{Format, ReportError, ReportFile};

/// The CSV format.
pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn meaning(&self) -> &'static str {
        "tables for spreadsheets and scripts, each with its source, query, counts and gaps"
    }

    fn render(&self, assessment: &Assessment) -> Result<Vec<ReportFile>, ReportError> {
        let reading = Reading::new(assessment);
        let sheets = [
            controls::controls(&reading),
            controls::results(&reading),
            controls::findings(&reading),
            controls::slots(&reading),
            deviations::deviations(&reading),
            runs::populations(&reading),
            runs::evidence(&reading),
            runs::runs(&reading),
            runs::criteria(&reading),
            runs::assurance(&reading),
            runs::permissions(&reading),
            waivers::waivers(&reading),
            tasks::tasks(&reading),
            changes::changes(&reading),
        ];
        let mut files = Vec::new();
        for sheet in sheets {
            let bytes = sheet.to_bytes()?;
            let companion = ipe::companion(&reading, &sheet, &bytes);
            files.push(ReportFile { path: sheet.path(), bytes });
            files.push(ReportFile { path: companion.path(), bytes: companion.to_bytes()? });
        }
        Ok(files)
    }
}
