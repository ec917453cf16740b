//! The bytes of one table: RFC 4180.

use ::csv::{Terminator, WriterBuilder};

use crate::report::table::Table;
use crate::report::table::cell::Cell;
use crate::report::{ReportError, ReportFile};

/// The file that holds a table.
///
/// # Errors
/// A row with more or fewer cells than there are columns.
pub(crate) fn file(table: &Table) -> Result<ReportFile, ReportError> {
    Ok(ReportFile { path: table.path(), bytes: bytes(table)? })
}

/// The bytes of that file.
///
/// # Errors
/// A row with more or fewer cells than there are columns.
pub(crate) fn bytes(table: &Table) -> Result<Vec<u8>, ReportError> {
    let refused = |source| ReportError::Csv { file: table.path(), source };
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(table.columns).map_err(refused)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(Cell::as_str)).map_err(refused)?;
    }
    writer.into_inner().map_err(|unflushed| refused(unflushed.into_error().into()))
}
