//! A table with a header line, and its bytes.

use ::csv::{Terminator, WriterBuilder};

use crate::report::ReportError;
use crate::report::csv::cell::Cell;

/// One CSV file before it is written.
pub(crate) struct Sheet {
    /// Its name without `.csv`.
    pub(crate) name: String,
    /// What its rows are, in words: the query of the IPE companion.
    pub(crate) query: &'static str,
    /// The header line; the order is part of the format.
    pub(crate) columns: &'static [&'static str],
    /// As many cells a row as there are columns.
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// The file's name.
    pub(crate) fn path(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// RFC 4180 bytes.
    ///
    /// # Errors
    /// A row with more or fewer cells than there are columns.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, ReportError> {
        let refused = |source| ReportError::Csv { file: self.path(), source };
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(self.columns).map_err(refused)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::as_str)).map_err(refused)?;
        }
        writer.into_inner().map_err(|unflushed| refused(unflushed.into_error().into()))
    }
}
