//! The tables of a report, for every format that is made of tables: CSV and XLSX have the same rows, in the same order, with the same words.
//!
//! Left out on purpose: bytes, which each format writes in its own way.

pub(crate) mod cell;
mod changes;
mod controls;
mod deviations;
pub(crate) mod ipe;
mod runs;
mod tasks;
mod waivers;

use crate::report::reading::Reading;
use crate::report::table::cell::Cell;

/// Every table, in the order in which a reader needs them. Each is made by itself, so that a format need not hold all of them at once.
pub(crate) static TABLES: &[fn(&Reading<'_>) -> Table] = &[
    controls::controls,
    controls::results,
    controls::findings,
    controls::slots,
    deviations::deviations,
    runs::populations,
    runs::evidence,
    runs::runs,
    runs::criteria,
    runs::assurance,
    runs::permissions,
    waivers::waivers,
    tasks::tasks,
    changes::changes,
];

/// What the cells of a column hold, where they are not blank. It is the same in each report, whatever that has to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text; several in one cell are joined by `; `.
    Text,
    /// A whole number.
    Number,
    /// `yes` or `no`.
    Flag,
    /// An instant, UTC.
    Instant,
    /// A day of the audit calendar.
    Date,
}

/// A column: its name and what it holds.
pub(crate) type Column = (&'static str, Kind);

/// One table before it is written.
pub(crate) struct Table {
    /// Its name, e.g. `results`.
    pub(crate) name: String,
    /// What its rows are, in words: the query of the IPE facts.
    pub(crate) query: &'static str,
    /// The header line; the order is part of the format.
    pub(crate) columns: &'static [Column],
    /// As many cells a row as there are columns.
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// The name of its CSV file.
    pub(crate) fn path(&self) -> String {
        format!("{}.csv", self.name)
    }
}
