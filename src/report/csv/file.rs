//! The bytes of one table: RFC 4180.

use std::io::Write;

use ::csv::{Terminator, WriterBuilder};

use crate::report::ReportError;
use crate::report::table::Table;

/// Writes a table.
///
/// # Errors
/// A row with more or fewer cells than there are columns, or what is written into refuses.
pub(crate) fn write(table: &Table<'_>, into: impl Write) -> Result<(), ReportError> {
    let refused = |source| ReportError::Csv { file: table.path(), source };
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(into);
    writer.write_record(table.columns.iter().map(|(name, _kind)| name)).map_err(refused)?;
    for row in table.rows.iter() {
        for cell in &row {
            writer.write_field(cell.shown().as_bytes()).map_err(refused)?;
        }
        writer.write_record(None::<&[u8]>).map_err(refused)?;
    }
    writer.flush().map_err(|error| refused(error.into()))
}
