//! The verdicts of one month, a row a test, resource and run, as they come: a row group is held at a time, never a month.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::Repetition;
use ::parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter};
use chrono::{DateTime, Utc};

use crate::model::{Assessment, Digest, RunSummary, Slot, VerdictRow};
use crate::report::parquet::file;
use crate::report::reading::Reading;
use crate::report::table::cell::{Cell, number, text};
use crate::report::table::{Kind, ipe};
use crate::report::{Monthly, ReportError};

/// What a column holds of a row.
enum Content {
    Text(for<'r, 'a> fn(&'r VerdictRow<'a>) -> &'a str),
    Number(fn(&VerdictRow<'_>) -> i64),
    Instant(fn(&VerdictRow<'_>) -> DateTime<Utc>),
    Digest(for<'r, 'a> fn(&'r VerdictRow<'a>) -> &'a Digest),
}

impl Content {
    fn kind(&self) -> Kind {
        match self {
            Self::Text(_) | Self::Digest(_) => Kind::Text,
            Self::Number(_) => Kind::Number,
            Self::Instant(_) => Kind::Instant,
        }
    }
}

static COLUMNS: &[(&str, Content)] = &[
    ("control_id", Content::Text(|row| row.control)),
    ("test", Content::Number(|row| row.test.into())),
    ("resource_kind", Content::Text(|row| row.kind)),
    ("resource_id", Content::Text(|row| row.resource)),
    ("resource_name", Content::Text(|row| row.name)),
    ("run_id", Content::Text(|row| row.run.as_str())),
    ("shown_at", Content::Instant(|row| row.shows)),
    ("verdict", Content::Text(|row| row.verdict.as_str())),
    ("since_run", Content::Text(|row| row.since.as_str())),
    ("evaluation_sha256", Content::Digest(|row| row.evaluation)),
];

/// Control, test, resource and instant: the order of the rows.
const SORTED: &[i32] = &[0, 1, 3, 6];

const QUERY: &str = "every verdict of every run that shows an instant of this month and of the period, one row a test, resource and run; what a run did not see has no row of it";

/// Values that are turned into the writer's own at once.
const BATCH: usize = 1 << 13;

/// The verdicts in Parquet.
pub(crate) struct Verdicts;

impl Monthly for Verdicts {
    /// Tools take it for partitioned by `month`.
    fn path(&self, month: &Slot) -> String {
        self.pattern().replace('*', &month.name)
    }

    fn pattern(&self) -> &'static str {
        "parquet/verdicts/month=*/verdicts.parquet"
    }

    fn write<'a>(
        &self,
        assessment: &Assessment,
        month: &Slot,
        rows: &mut dyn Iterator<Item = VerdictRow<'a>>,
        into: &mut (dyn Write + Send),
    ) -> std::result::Result<u64, ReportError> {
        let path = self.path(month);
        pour(&path, assessment, month, rows, into).map_err(|source| ReportError::Parquet { file: path, source })
    }
}

fn pour<'a>(path: &str, assessment: &Assessment, month: &Slot, rows: &mut dyn Iterator<Item = VerdictRow<'a>>, into: &mut (dyn Write + Send)) -> Result<u64> {
    let columns = COLUMNS.iter().map(|(name, fill)| (*name, fill.kind()));
    let schema = file::schema("verdicts", columns, Repetition::REQUIRED)?;
    let mut writer = SerializedFileWriter::new(into, schema, Arc::new(file::properties(SORTED)?))?;
    let mut held: Vec<VerdictRow<'a>> = Vec::new();
    let mut count = 0;
    loop {
        held.clear();
        held.extend((&mut *rows).take(file::GROUP));
        if held.is_empty() {
            break;
        }
        count += u64::try_from(held.len()).unwrap_or(u64::MAX);
        group(writer.next_row_group()?, &held)?;
    }
    let facts = facts(assessment, month).into_iter().chain([[text("file"), text(path)], [text("rows"), number(count)]]);
    file::footer(facts).into_iter().for_each(|pair| writer.append_key_value_metadata(pair));
    writer.close()?;
    Ok(count)
}

fn facts(assessment: &Assessment, month: &Slot) -> Vec<[Cell; 2]> {
    let reading = Reading::new(assessment);
    let runs: Vec<&RunSummary> = assessment.runs.iter().filter(|run| month.period.contains(run.as_of.unwrap_or(run.started_at))).collect();
    let mut facts = vec![
        [
            text("encoding"),
            text("Parquet; instants are UTC; text is as it came, and not safe in a spreadsheet; a resource has the name that the newest run knows it by"),
        ],
        [text("parameter.month"), text(&month.name)],
    ];
    facts.extend(ipe::provenance(&reading, QUERY, &runs));
    facts
}

/// Each column in its turn, as the format wants it.
fn group<W: Write + Send>(mut group: SerializedRowGroupWriter<'_, W>, rows: &[VerdictRow<'_>]) -> Result<()> {
    for (name, fill) in COLUMNS {
        let mut open = group.next_column()?.ok_or_else(|| ParquetError::General(format!("{name} is missing")))?;
        match fill {
            Content::Text(of) => texts(&mut open, rows, of, ByteArray::from),
            Content::Digest(of) => texts(&mut open, rows, of, |digest| ByteArray::from(digest.to_string().as_str())),
            Content::Number(of) => numbers(&mut open, rows, of),
            Content::Instant(of) => numbers(&mut open, rows, |row| of(row).timestamp_micros()),
        }?;
        open.close()?;
    }
    group.close().map(drop)
}

fn numbers(open: &mut SerializedColumnWriter<'_>, rows: &[VerdictRow<'_>], of: impl Fn(&VerdictRow<'_>) -> i64) -> Result<()> {
    for rows in rows.chunks(BATCH) {
        let values: Vec<i64> = rows.iter().map(&of).collect();
        open.typed::<Int64Type>().write_batch(&values, None, None)?;
    }
    Ok(())
}

/// The same few texts come again and again: each is made once, and the one before is at hand.
fn texts<'r, 'a, K: Ord + Copy>(
    open: &mut SerializedColumnWriter<'_>,
    rows: &'r [VerdictRow<'a>],
    of: impl Fn(&'r VerdictRow<'a>) -> K,
    made: impl Fn(K) -> ByteArray,
) -> Result<()> {
    let mut known: BTreeMap<K, ByteArray> = BTreeMap::new();
    let mut last: Option<(K, ByteArray)> = None;
    for rows in rows.chunks(BATCH) {
        let mut values = Vec::with_capacity(rows.len());
        for key in rows.iter().map(&of) {
            if last.as_ref().is_none_or(|(before, _)| *before != key) {
                last = Some((key, known.entry(key).or_insert_with(|| made(key)).clone()));
            }
            values.extend(last.as_ref().map(|(_, text)| text.clone()));
        }
        open.typed::<ByteArrayType>().write_batch(&values, None, None)?;
    }
    Ok(())
}
