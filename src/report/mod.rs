//! Stage 5: an `Assessment` → bytes. One folder per format; nothing here reads a file, a clock or a store.
//!
//! `reading`, `table` and `words` hold what the formats share, so that a number or a word is the same in each of them.
//! Left out on purpose: where the files go, and which formats a user asked for (`cli`).

mod csv;
mod html;
mod markdown;
mod oscal;
#[cfg(feature = "parquet")]
mod parquet;
mod reading;
pub mod requests;
mod table;
mod words;
mod xlsx;

pub use csv::sample;
pub use table::{Exchanges, Origin};

use std::io::{self, Write};

use crate::model::{Assessment, Digest, Slot, VerdictRow};

/// Every format; a new one is a folder and a line here.
pub static FORMATS: &[&dyn Format] = &[
    &html::Html,
    &csv::Csv,
    &markdown::Markdown,
    &xlsx::Xlsx,
    &oscal::Oscal,
    #[cfg(feature = "parquet")]
    &parquet::Parquet,
];

/// A report format.
pub trait Format: Send + Sync {
    /// As given to `report --format`.
    fn name(&self) -> &'static str;

    /// One line for `--help`.
    fn meaning(&self) -> &'static str;

    /// Whether a report has it where nobody says which formats. What only some tools read, and takes as much again, is asked for.
    fn is_usual(&self) -> bool {
        true
    }

    /// Renders the assessment into files.
    ///
    /// # Errors
    /// `ReportError` where it cannot be written in this format, or into these files.
    fn render(&self, assessment: &Assessment, into: &mut dyn Files) -> Result<(), ReportError>;

    /// How it has the verdicts of all runs beside that; none where it does not, as they are too many for a person.
    fn monthly(&self) -> Option<&dyn Monthly> {
        None
    }
}

/// Every verdict of every run, a file a month, written as they come: a year of them is not to be held.
pub trait Monthly {
    /// The path of a month's file below the report.
    fn path(&self, month: &Slot) -> String;

    /// The pattern that these paths follow, with one `*` for the name of the month.
    fn pattern(&self) -> &'static str;

    /// Writes the file of a month, of which `month.period` is what the report's period has of it, and tells how many rows it has. Rows come by control, test,
    /// resource and instant.
    ///
    /// # Errors
    /// `ReportError` where the format, or what is written into, refuses.
    fn write<'a>(
        &self,
        assessment: &Assessment,
        month: &Slot,
        rows: &mut dyn Iterator<Item = VerdictRow<'a>>,
        into: &mut (dyn Write + Send),
    ) -> Result<u64, ReportError>;
}

/// Where the files of a report go, one after another, as they come: a large one is not to be held whole.
pub trait Files {
    /// Writes a file, below the report, with `/` in its path, as `fill` does, and tells the SHA-256 of what was written.
    ///
    /// # Errors
    /// `ReportError::File`, or what `fill` ends with; nothing of the file is then left.
    fn file(&mut self, path: &str, fill: &mut Fill<'_>) -> Result<Digest, ReportError>;
}

/// Writes a file.
pub type Fill<'f> = dyn FnMut(&mut (dyn Write + Send)) -> Result<(), ReportError> + 'f;

/// Writes a file that is there already.
fn put(into: &mut dyn Files, path: &str, bytes: &[u8]) -> Result<Digest, ReportError> {
    into.file(path, &mut |file| file.write_all(bytes).map_err(|source| ReportError::File { file: path.to_owned(), source }))
}

/// One file that is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Relative path with `/`, e.g. `index.html`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It cannot be written.
    #[error("{file}: {source}")]
    File {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The CSV writer refused.
    #[error("{file}: {source}")]
    Csv {
        /// The file.
        file: String,
        /// What the writer says.
        source: ::csv::Error,
    },
    /// The JSON writer refused.
    #[error("assessment-results.json: {0}")]
    Json(#[from] serde_json::Error),
    /// The XLSX writer refused.
    #[error("report.xlsx: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// The Parquet writer, or what it writes into, refused.
    #[cfg(feature = "parquet")]
    #[error("{file}: {source}")]
    Parquet {
        /// The file.
        file: String,
        /// What the writer says.
        source: ::parquet::errors::ParquetError,
    },
}
