//! CSV for spreadsheets and scripts: RFC 4180, UTF-8 without a byte order mark, CRLF, one header line, one record a line.
//!
//! No byte order mark, because it would become part of the first column's name in every reader that does not know it, while all of our own words, numbers and instants are ASCII.
//! Each file has a companion `<name>.ipe.csv`: source, query and parameters, match to the source, gaps, and the SHA-256 of the file.

mod file;
mod requests;
mod sample;

pub(crate) use file::write;
pub(crate) use requests::request_list;
pub use sample::files as sample;

use crate::model::{Assessment, Digest};
use crate::report::reading::Reading;
use crate::report::table::{TABLES, Table, ipe};
use crate::report::{Files, Format, ReportError};

/// The CSV format.
pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn meaning(&self) -> &'static str {
        "tables for spreadsheets and scripts, each with its source, query, counts and gaps"
    }

    fn render(&self, assessment: &Assessment, into: &mut dyn Files) -> Result<(), ReportError> {
        let reading = Reading::new(assessment);
        for table in TABLES {
            let table = table(&reading);
            let sha256 = file(&table, into)?;
            file(&ipe::companion(&reading, &table, &sha256), into)?;
        }
        Ok(())
    }
}

/// The file of a table.
fn file(table: &Table<'_>, into: &mut dyn Files) -> Result<Digest, ReportError> {
    into.file(&table.path(), &mut |file| write(table, file))
}
