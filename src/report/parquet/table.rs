//! One table as a file: a value where a cell holds one, NULL where it is blank. A cell that is not what its column declares is an error, never another type.

use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::Repetition;
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use crate::report::parquet::file;
use crate::report::reading::Reading;
use crate::report::table::cell::{self, Cell, Value};
use crate::report::table::ipe::Drawn;
use crate::report::table::{Column, Kind, Table, ipe};
use crate::report::{Files, ReportError};

/// Rows that are held at once.
const HELD: usize = 1 << 14;

/// The file that holds a table.
///
/// # Errors
/// A cell that its column does not take, or what the writer refuses.
pub(crate) fn file(reading: &Reading<'_>, table: &Table<'_>, into: &mut dyn Files) -> Result<(), ReportError> {
    let path = format!("parquet/{}.parquet", table.name);
    let mut fill = |file: &mut (dyn Write + Send)| pour(&path, reading, table, file).map_err(|source| ReportError::Parquet { file: path.clone(), source });
    into.file(&path, &mut fill).map(drop)
}

fn pour(path: &str, reading: &Reading<'_>, table: &Table<'_>, into: &mut (dyn Write + Send)) -> Result<(), ParquetError> {
    let schema = file::schema(&table.name, table.columns.iter().copied(), Repetition::OPTIONAL)?;
    let mut writer = SerializedFileWriter::new(into, schema, Arc::new(file::properties(&[])?))?;
    let mut rows = table.rows.iter();
    loop {
        let held: Vec<Vec<Cell>> = rows.by_ref().take(HELD).collect();
        if held.is_empty() {
            break;
        }
        let mut group = writer.next_row_group()?;
        for (place, column) in table.columns.iter().enumerate() {
            let mut open = group.next_column()?.ok_or_else(|| ParquetError::General("a column is missing".to_owned()))?;
            fill(&mut open, *column, held.iter().filter_map(|row| row.get(place)))?;
            open.close()?;
        }
        group.close()?;
    }
    file::footer(facts(path, reading, table)).into_iter().for_each(|pair| writer.append_key_value_metadata(pair));
    writer.close().map(drop)
}

fn facts(path: &str, reading: &Reading<'_>, table: &Table<'_>) -> Vec<[Cell; 2]> {
    let drawn = Drawn::of(reading, table);
    let mut facts = vec![[cell::text("file"), cell::text(path)], [cell::text("rows"), cell::number(drawn.rows)]];
    facts.push([
        cell::text("encoding"),
        cell::text("Parquet; instants are UTC; several values in one cell are joined by '; '; text is as it came, and not safe in a spreadsheet"),
    ]);
    facts.extend(ipe::provenance(reading, table.query, &drawn.runs));
    facts
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
