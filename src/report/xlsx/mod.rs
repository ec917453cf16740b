//! One workbook for whoever reads in a spreadsheet: a sheet that says what it is about and how far it can be believed, then each table of the CSV files.
//!
//! The cells hold what the CSV files hold, word for word: text, or a number of ours; never a formula, never a link. Left out on purpose: what a sheet cannot take, which the
//! first sheet then names; colours, charts, macros.

mod about;
mod sheet;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use crate::model::{Assessment, Hasher};
use crate::report::reading::Reading;
use crate::report::table::{TABLES, Table, cell};
use crate::report::{Files, Format, ReportError, csv, put};
use about::About;

/// The XLSX format.
pub(crate) struct Xlsx;

impl Format for Xlsx {
    fn name(&self) -> &'static str {
        "xlsx"
    }

    fn meaning(&self) -> &'static str {
        "one workbook with the tables of the CSV files and a first sheet about them"
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn render(&self, assessment: &Assessment, into: &mut dyn Files) -> Result<(), ReportError> {
        let reading = Reading::new(assessment);
        let mut workbook = Workbook::new();
        workbook.set_properties(&properties(assessment)?);
        // All sheets are there before any is written: text is then numbered as it is written, and not in the order in which threads come to it.
        for _sheet in 0..=TABLES.len() {
            workbook.add_worksheet();
        }
        let mut about = About::of(&reading);
        for (place, table) in (1..).zip(TABLES) {
            let table: Table<'_> = table(&reading);
            let mut hasher = Hasher::default();
            csv::write(&table, &mut hasher)?;
            let sha256 = hasher.finish();
            about.facts_of(&reading, &table, &sha256);
            let cut = sheet::fill(workbook.worksheet_from_index(place)?, &table, sheet::EXCEL)?;
            about.holds(&table.name, table.query, &cut);
        }
        let about = about.into_table();
        sheet::fill(workbook.worksheet_from_index(0)?, &about, sheet::EXCEL)?;
        put(into, "report.xlsx", &workbook.save_to_buffer()?).map(drop)
    }
}

/// What the file says of itself. Its date is that of the assessment: the same assessment makes the same file.
fn properties(of: &Assessment) -> Result<DocProperties, XlsxError> {
    let created = ExcelDateTime::from_timestamp(of.prepared_at.timestamp())?;
    Ok(DocProperties::new().set_title("Audit report").set_author(&*cell::text(&of.tool).shown()).set_creation_datetime(&created))
}
