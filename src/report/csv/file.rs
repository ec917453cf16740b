//! The bytes of one table: RFC 4180.

use ::csv::{Terminator, WriterBuilder};

use crate::report::table::Table;
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
    writer.write_record(table.columns.iter().map(|(name, _kind)| name)).map_err(refused)?;
    for row in &table.rows {
        for cell in row {
            writer.write_field(cell.shown().as_bytes()).map_err(refused)?;
        }
        writer.write_record(None::<&[u8]>).map_err(refused)?;
    }
    writer.into_inner().map_err(|unflushed| refused(unflushed.into_error().into()))
}
