//! OSCAL assessment results (<https://pages.nist.gov/OSCAL/resources/concepts/layer/assessment/assessment-results/>) for governance tools that read them.
//!
//! One result for the period: an observation for each resource that does not pass and one of counts for each test, a risk for each deviation and each waiver, a finding for
//! each control. OSCAL knows only satisfied and not satisfied, so that what could not be told, and what did not run, is not satisfied there; its property `verdict` says which.
//! Left out on purpose: an assessment plan and a system security plan, which nobody here writes; single passes, which the CSV files list.

mod backmatter;
mod controls;
mod document;
mod findings;
mod observations;
mod parts;
mod result;
mod risks;

use std::io::Write;

use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::model::Assessment;
use crate::report::reading::Reading;
use crate::report::{Files, Format, ReportError};

/// The OSCAL format.
pub(crate) struct Oscal;

impl Format for Oscal {
    fn name(&self) -> &'static str {
        "oscal"
    }

    fn meaning(&self) -> &'static str {
        "OSCAL assessment results in JSON, for tools: findings, observations, risks, evidence with digests"
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn render(&self, assessment: &Assessment, into: &mut dyn Files) -> Result<(), ReportError> {
        let document = document::Document::of(&Reading::new(assessment));
        let path = "assessment-results.json";
        let fill = &mut |file: &mut (dyn Write + Send)| {
            // One blank a level: a document of a large organisation consists of a million lines.
            document.serialize(&mut Serializer::with_formatter(&mut *file, PrettyFormatter::with_indent(b" ")))?;
            file.write_all(b"\n").map_err(|source| ReportError::File { file: path.to_owned(), source })
        };
        into.file(path, fill).map(drop)
    }
}
