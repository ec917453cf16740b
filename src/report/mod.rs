//! Stage 5: an `Assessment` → bytes. One file per format; nothing here reads a file, a clock or a store.

use crate::model::Assessment;

/// A report format.
pub trait Format: Send + Sync {
    /// As given to `report --format`.
    fn name(&self) -> &'static str;

    /// One line for `--help`.
    fn meaning(&self) -> &'static str;

    /// Renders the assessment.
    ///
    /// # Errors
    /// `ReportError` where it cannot be written in this format.
    fn render(&self, assessment: &Assessment) -> Result<Vec<ReportFile>, ReportError>;
}

/// One file of a report.
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
    /// The CSV writer refused.
    #[error("{file}: {source}")]
    Csv {
        /// The file.
        file: String,
        /// What the writer says.
        source: csv::Error,
    },
}
