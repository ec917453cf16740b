//! The first sheet: whom the workbook is about, what each sheet holds, what of it did not fit, and the IPE facts of each.

use crate::model::Digest;
use crate::report::reading::Reading;
use crate::report::table::Kind::Text;
use crate::report::table::cell::{Cell, blank, text};
use crate::report::table::{Table, ipe};
use crate::report::words::{grouped, instant, period_days, plural};
use crate::report::xlsx::sheet::Cut;

/// The rows so far: those of the workbook, those that say what sheets hold, and the facts.
pub(crate) struct About {
    workbook: Vec<Vec<Cell>>,
    sheets: Vec<Vec<Cell>>,
    facts: Vec<Vec<Cell>>,
}

impl About {
    /// What holds for all sheets.
    pub(crate) fn of(reading: &Reading<'_>) -> Self {
        let of = reading.assessment;
        let mut rows: Vec<Vec<Cell>> = [
            ("entity", of.entity.clone()),
            ("period", period_days(of)),
            ("period_start", instant(of.period.start())),
            ("period_end", format!("{} (not included)", instant(of.period.end()))),
            ("time_zone", of.time_zone.clone()),
            ("prepared_at", instant(of.prepared_at)),
            ("tool", of.tool.clone()),
            ("store", of.store.clone()),
        ]
        .map(|(item, value)| vec![blank(), text(item), text(value)])
        .into();
        if let Some(log) = &of.log {
            rows.push(vec![
                blank(),
                text("log"),
                text(format!("{}, {}, root {}", log.origin, plural(log.size, "entry").replace("entrys", "entries"), log.root)),
            ]);
        }
        match &of.scope {
            Some(scope) => rows.extend(ipe::scope(scope).into_iter().map(|[item, value]| vec![blank(), item, value])),
            None => rows.push(vec![blank(), text("scope"), text("not known: no run lies in the period")]),
        }
        rows.push(vec![blank(), text("cells"), text("text, or a number that was counted here; nothing is a formula or a link; each sheet has the rows and words of the CSV file that its facts name")]);
        Self { workbook: rows, sheets: Vec::new(), facts: Vec::new() }
    }

    /// The IPE facts of one table.
    pub(crate) fn facts_of(&mut self, reading: &Reading<'_>, table: &Table<'_>, sha256: &Digest) {
        let facts = ipe::facts(reading, table, sha256);
        self.facts.extend(facts.into_iter().map(|[item, value]| vec![text(&table.name), item, value]));
    }

    /// What one sheet holds, and what of its table it does not.
    pub(crate) fn holds(&mut self, name: &str, query: &str, cut: &Cut) {
        let mut tell = |item: &str, value: String| self.sheets.push(vec![text(name), text(item), text(value)]);
        tell("holds", query.to_owned());
        if cut.rows > 0 {
            let [shown, all] = [cut.shown, cut.shown + cut.rows].map(|number| grouped(u64::try_from(number).unwrap_or(u64::MAX)));
            tell("cut_rows", format!("the first {shown} of {all} rows are here: a sheet takes no more; {name}.csv has all of them"));
        }
        if cut.cells > 0 {
            tell("cut_cells", format!("{} texts end early: a cell takes 32,767 characters; {name}.csv has all of them", cut.cells));
        }
    }

    /// The sheet.
    pub(crate) fn into_table<'a>(self) -> Table<'a> {
        let rows = [self.workbook, self.sheets, self.facts].into_iter().flatten().collect();
        Table { name: "About".to_owned(), query: "what this workbook is about", columns: &[("sheet", Text), ("item", Text), ("value", Text)], rows }
    }
}
