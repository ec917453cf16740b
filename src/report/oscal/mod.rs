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

use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::model::Assessment;
use crate::report::reading::Reading;
use crate::report::{Format, ReportError, ReportFile};

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

    fn render(&self, assessment: &Assessment) -> Result<Vec<ReportFile>, ReportError> {
        let document = document::Document::of(&Reading::new(assessment));
        let mut bytes = Vec::new();
        // One blank a level: a document of a large organisation consists of a million lines.
        document.serialize(&mut Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b" ")))?;
        bytes.push(b'\n');
        Ok(vec![ReportFile { path: "assessment-results.json".to_owned(), bytes }])
    }
}
