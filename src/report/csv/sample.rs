//! A sample's files: the worksheet that an auditor fills in, and the frozen population.

use crate::model::Digest;
use crate::model::sample::{Item, Sample};
use crate::report::csv::file::write;
use crate::report::table::Kind::{Flag, Instant, Number, Text};
use crate::report::table::cell::{Cell, blank, instant, list, number, text};
use crate::report::table::{Exchanges, Origin, Table, ipe};
use crate::report::{ReportError, ReportFile};

/// `worksheet.csv` and `population.csv`, each with its companion; `cited` are the exchanges that the drawn items name.
///
/// # Errors
/// `ReportError` where they cannot be written.
pub fn files(sample: &Sample, origin: &Origin, cited: &Exchanges) -> Result<Vec<ReportFile>, ReportError> {
    let mut files = Vec::new();
    let mut file = |table: &Table<'_>| {
        let mut bytes = Vec::new();
        write(table, &mut bytes)?;
        let sha256 = Digest::of(&bytes);
        files.push(ReportFile { path: table.path(), bytes });
        Ok::<_, ReportError>(sha256)
    };
    for table in [worksheet(sample, cited), population(sample)] {
        let sha256 = file(&table)?;
        file(&ipe::of_sample(sample, (origin, cited), &table, &sha256))?;
    }
    Ok(files)
}

fn worksheet<'a>(sample: &Sample, cited: &Exchanges) -> Table<'a> {
    let rows = (1_u32..).zip(&sample.drawn).filter_map(|(place, drawn)| {
        let item = sample.population.get(drawn.item)?;
        let mut row = vec![number(place), text(drawn.selection.as_str()), text(&item.stratum), text(sample.control.id.as_str())];
        row.extend(item_cells(item));
        row.extend([
            list(item.evidence.iter()),
            list(
                item.evidence
                    .iter()
                    .map(|n| cited.get(&(item.run.clone(), *n)).map_or_else(|| "not in this pack".to_owned(), |exchange| exchange.sha256.to_string())),
            ),
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
