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

pub use ipe::{Exchanges, Origin};

use std::rc::Rc;

use crate::report::reading::Reading;
use crate::report::table::cell::Cell;

/// Every table, in the order in which a reader needs them. Each is made by itself, so that a format need not hold all of them at once.
pub(crate) static TABLES: &[for<'a> fn(&'a Reading<'a>) -> Table<'a>] = &[
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
pub(crate) struct Table<'a> {
    /// Its name, e.g. `results`.
    pub(crate) name: String,
    /// What its rows are, in words: the query of the IPE facts.
    pub(crate) query: &'static str,
    /// The header line; the order is part of the format.
    pub(crate) columns: &'static [Column],
    /// As many cells a row as there are columns.
    pub(crate) rows: Rows<'a>,
}

/// The rows of a table, made whenever they are read: those of a large report are not to be held.
pub(crate) struct Rows<'a>(Box<dyn Fn() -> Box<dyn Iterator<Item = Vec<Cell>> + 'a> + 'a>);

impl<'a> Rows<'a> {
    /// Rows that `make` makes.
    pub(crate) fn of<I: Iterator<Item = Vec<Cell>> + 'a>(make: impl Fn() -> I + 'a) -> Self {
        Self(Box::new(move || Box::new(make())))
    }

    /// Reads them, from the first on.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = Vec<Cell>> + 'a> {
        (self.0)()
    }
}

/// Few rows, held.
impl FromIterator<Vec<Cell>> for Rows<'_> {
    fn from_iter<I: IntoIterator<Item = Vec<Cell>>>(rows: I) -> Self {
        let held: Rc<[Vec<Cell>]> = rows.into_iter().collect();
        Self::of(move || {
            let held = Rc::clone(&held);
            (0..held.len()).filter_map(move |place| held.get(place).cloned())
        })
    }
}

impl Table<'_> {
    /// The name of its CSV file.
    pub(crate) fn path(&self) -> String {
        format!("{}.csv", self.name)
    }
}
