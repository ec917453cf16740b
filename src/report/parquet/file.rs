//! What all files have in common: the schema that columns lead to, how bytes are packed, and the facts in the footer.

use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use ::parquet::errors::Result;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::WriterProperties;
use ::parquet::schema::types::{Type, TypePtr};

use crate::report::table::cell::{Cell, Value};
use crate::report::table::{Column, Kind};

/// Rows of a row group: so many are held at once.
pub(crate) const GROUP: usize = 1 << 17;

/// The schema of a file with these columns.
///
/// # Errors
/// Where two have one name.
pub(crate) fn schema(name: &str, columns: impl Iterator<Item = Column>, repetition: Repetition) -> Result<TypePtr> {
    let fields = columns.map(|(name, kind)| field(name, kind, repetition).map(Arc::new)).collect::<Result<_>>()?;
    Ok(Arc::new(Type::group_type_builder(name).with_fields(fields).build()?))
}

fn field(name: &str, kind: Kind, repetition: Repetition) -> Result<Type> {
    let (physical, logical) = match kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Number => (Physical::INT64, None),
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Instant => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
    };
    Type::primitive_type_builder(name, physical).with_repetition(repetition).with_logical_type(logical).build()
}

/// How every file is packed. `sorted` are the columns by whose values its rows follow upon each other.
///
/// # Errors
/// Never: the level is one that there is.
pub(crate) fn properties(sorted: &[i32]) -> Result<WriterProperties> {
    let sorting: Vec<SortingColumn> = sorted.iter().map(|column| SortingColumn { column_idx: *column, descending: false, nulls_first: false }).collect();
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by(concat!("proofline ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_sorting_columns((!sorting.is_empty()).then_some(sorting))
        .build())
}

/// The facts as the footer holds them: readers take it for a map, so an item with several values is there once, with a value a line.
pub(crate) fn footer(facts: impl IntoIterator<Item = [Cell; 2]>) -> Vec<KeyValue> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for [item, value] in facts {
        let (key, value) = (format!("ipe.{}", raw(&item)), raw(&value));
        match pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, before)) => {
                before.push('\n');
                before.push_str(&value);
            }
            None => pairs.push((key, value)),
        }
    }
    pairs.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect()
}

fn raw(cell: &Cell) -> String {
    match cell.unguarded() {
        Value::Text(text) => text.clone(),
        Value::Blank | Value::Number(_) | Value::Flag(_) | Value::Instant(_) | Value::Date(_) => cell.shown().into_owned(),
    }
}
