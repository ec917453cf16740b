//! A sample's files: the worksheet that an auditor fills in, and the frozen population.

use std::collections::BTreeMap;

use crate::model::sample::{Item, Sample};
use crate::model::{Digest, RunId};
use crate::report::csv::file::write;
use crate::report::table::Kind::{Flag, Instant, Number, Text};
use crate::report::table::Table;
use crate::report::table::cell::{Cell, blank, instant, list, number, text};
use crate::report::{ReportError, ReportFile};

/// The SHA-256 of the exchanges that items cite, by run and number.
pub type Bodies = BTreeMap<(RunId, u32), Digest>;

/// `worksheet.csv` and `population.csv`.
///
/// # Errors
/// `ReportError` where they cannot be written.
pub fn files(sample: &Sample, bodies: &Bodies) -> Result<Vec<ReportFile>, ReportError> {
    let file = |table: &Table<'_>| {
        let mut bytes = Vec::new();
        write(table, &mut bytes)?;
        Ok(ReportFile { path: table.path(), bytes })
    };
    [worksheet(sample, bodies), population(sample)].iter().map(file).collect()
}

fn worksheet<'a>(sample: &Sample, bodies: &Bodies) -> Table<'a> {
    let rows = (1_u32..).zip(&sample.drawn).filter_map(|(place, drawn)| {
        let item = sample.population.get(drawn.item)?;
        let mut row = vec![number(place), text(drawn.selection.as_str()), text(&item.stratum), text(sample.control.id.as_str())];
        row.extend(item_cells(item));
        row.extend([
            list(item.evidence.iter()),
            list(item.evidence.iter().map(|n| bodies.get(&(item.run.clone(), *n)).map_or_else(|| "not in this pack".to_owned(), Digest::to_string))),
            text(&drawn.rank),
        ]);
        row.extend((0..7).map(|_tick| blank()));
        Some(row)
    });
    Table {
        name: "worksheet".to_owned(),
        query: "the items drawn",
        columns: &[
            ("sample_no", Number),
            ("selection", Text),
            ("stratum", Text),
            ("control_id", Text),
            ("test", Number),
            ("resource_kind", Text),
            ("resource_id", Text),
            ("resource_name", Text),
            ("verdict", Text),
            ("failed_in_period", Flag),
            ("because", Text),
            ("run_id", Text),
            ("shows", Instant),
            ("evidence", Text),
            ("evidence_sha256", Text),
            ("rank", Text),
            ("tick_agreed_to_source", Text),
            ("tick_attributes_agreed", Text),
            ("tick_criterion_met", Text),
            ("auditor_exception", Text),
            ("performed_by", Text),
            ("performed_on", Text),
            ("remarks", Text),
        ],
        rows: rows.collect(),
    }
}

fn population<'a>(sample: &Sample) -> Table<'a> {
    Table {
        name: "population".to_owned(),
        query: "everything that the control applied to in the period, by key",
        columns: &[
            ("key", Text),
            ("stratum", Text),
            ("test", Number),
            ("resource_kind", Text),
            ("resource_id", Text),
            ("resource_name", Text),
            ("verdict", Text),
            ("failed_in_period", Flag),
            ("because", Text),
            ("run_id", Text),
            ("shows", Instant),
        ],
        rows: sample.population.iter().map(|item| [text(item.key()), text(&item.stratum)].into_iter().chain(item_cells(item)).collect()).collect(),
    }
}

fn item_cells(item: &Item) -> [Cell; 9] {
    [
        number(item.test),
        text(&item.kind),
        text(item.resource.as_str()),
        text(&item.name),
        text(item.verdict.as_str()),
        Cell::from(item.failed),
        text(&item.because),
        text(item.run.as_str()),
        instant(item.at),
    ]
}
