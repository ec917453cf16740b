//! One table as a file: a value where a cell holds one, NULL where it is blank. A cell that is not what its column declares is an error, never another type.

use std::sync::Arc;

use ::parquet::basic::Repetition;
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use crate::report::parquet::file;
use crate::report::reading::Reading;
use crate::report::table::cell::{self, Cell, Value};
use crate::report::table::{Column, Kind, Table, ipe};
use crate::report::words::length;
use crate::report::{ReportError, ReportFile};

/// The file that holds a table.
///
/// # Errors
/// A cell that its column does not take, or what the writer refuses.
pub(crate) fn file(reading: &Reading<'_>, table: &Table) -> Result<ReportFile, ReportError> {
    let path = format!("parquet/{}.parquet", table.name);
    let refused = |source| ReportError::Parquet { file: path.clone(), source };
    let mut facts = vec![[cell::text("file"), cell::text(&path)], [cell::text("rows"), cell::number(length(&table.rows))]];
    facts.push([
        cell::text("encoding"),
        cell::text("Parquet; instants are UTC; several values in one cell are joined by '; '; text is as it came, and not safe in a spreadsheet"),
    ]);
    facts.extend(ipe::provenance(reading, table.query, &ipe::runs(reading, table)));
    let schema = file::schema(&table.name, table.columns.iter().copied(), Repetition::OPTIONAL).map_err(refused)?;
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(file::properties(&[]).map_err(refused)?)).map_err(refused)?;
    for rows in table.rows.chunks(file::GROUP) {
        let mut group = writer.next_row_group().map_err(refused)?;
        for (place, column) in table.columns.iter().enumerate() {
            let mut open = group.next_column().map_err(refused)?.ok_or_else(|| refused(ParquetError::General("a column is missing".to_owned())))?;
            fill(&mut open, *column, rows.iter().filter_map(|row| row.get(place))).map_err(refused)?;
            open.close().map_err(refused)?;
        }
        group.close().map_err(refused)?;
    }
    file::footer(facts).into_iter().for_each(|pair| writer.append_key_value_metadata(pair));
    writer.close().map_err(refused)?;
    Ok(ReportFile { path, bytes })
}

fn fill<'a>(open: &mut SerializedColumnWriter<'_>, (name, kind): Column, cells: impl Iterator<Item = &'a Cell>) -> Result<(), ParquetError> {
    match kind {
        Kind::Text => put::<ByteArrayType>(open, name, cells, |value| if let Value::Text(text) = value { Some(ByteArray::from(text.as_str())) } else { None }),
        Kind::Number => put::<Int64Type>(open, name, cells, |value| if let Value::Number(number) = value { i64::try_from(*number).ok() } else { None }),
        Kind::Flag => put::<BoolType>(open, name, cells, |value| if let Value::Flag(holds) = value { Some(*holds) } else { None }),
        Kind::Instant => put::<Int64Type>(open, name, cells, |value| if let Value::Instant(at) = value { Some(at.timestamp_micros()) } else { None }),
        Kind::Date => put::<Int32Type>(open, name, cells, |value| if let Value::Date(day) = value { Some(day.to_epoch_days()) } else { None }),
    }
}

fn put<'a, T: DataType>(
    open: &mut SerializedColumnWriter<'_>,
    name: &str,
    cells: impl Iterator<Item = &'a Cell>,
    of: impl Fn(&Value) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let is_there = *cell.unguarded() != Value::Blank;
        levels.push(i16::from(is_there));
        if is_there {
            values.push(of(cell.unguarded()).ok_or_else(|| ParquetError::General(format!("column {name} does not take {:?}", cell.unguarded())))?);
        }
    }
    open.typed::<T>().write_batch(&values, Some(&levels), None).map(drop)
}
