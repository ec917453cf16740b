//! CSV for spreadsheets and scripts: RFC 4180, UTF-8 without a byte order mark, CRLF, one header line, one record a line.
//!
//! No byte order mark, because it would become part of the first column's name in every reader that does not know it, while all of our own words, numbers and instants are ASCII.
//! Each file has a companion `<name>.ipe.csv`: source, query and parameters, match to the source, gaps, and the SHA-256 of the file.

mod file;
mod requests;
mod sample;

pub(crate) use file::bytes;
pub(crate) use requests::request_list;
pub use sample::{Bodies, files as sample};

use crate::model::{Assessment, Digest};
use crate::report::reading::Reading;
use crate::report::table::{TABLES, ipe};
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
        let mut files = Vec::new();
        for table in TABLES {
            let table = table(&reading);
            let written = file::file(&table)?;
            let companion = ipe::companion(&reading, &table, &Digest::of(&written.bytes));
            files.extend([written, file::file(&companion)?]);
        }
        Ok(files)
    }
}
