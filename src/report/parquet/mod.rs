//! Parquet, for `BigQuery`, `DuckDB` and whatever else reads columns: a file for each table, and a folder for each month with the verdict of every run on every resource.
//!
//! A column has the type that the table declares, whatever a report has to tell; what is blank is NULL. Text is as it came: no spreadsheet opens these files, so nothing of it is guarded
//! or written out. The footer of each file holds its IPE facts, as keys that begin with `ipe.`.

mod file;
mod table;
mod verdicts;

use crate::model::Assessment;
use crate::report::reading::Reading;
use crate::report::table::TABLES;
use crate::report::{Files, Format, Monthly, ReportError};

/// The Parquet format.
pub(crate) struct Parquet;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn meaning(&self) -> &'static str {
        "typed tables for BigQuery and DuckDB, and every verdict of every run by month"
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn render(&self, assessment: &Assessment, into: &mut dyn Files) -> Result<(), ReportError> {
        let reading = Reading::new(assessment);
        TABLES.iter().try_for_each(|table| table::file(&reading, &table(&reading), into))
    }

    fn monthly(&self) -> Option<&dyn Monthly> {
        Some(&verdicts::Verdicts)
    }
}
