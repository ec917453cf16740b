//! Control × run → finding.

use serde::{Deserialize, Serialize};

use crate::model::ids::ControlId;
use crate::model::verdict::Verdict;

/// What one run says of one control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The control.
    pub control: ControlId,
    /// The conclusion.
    pub status: FindingStatus,
    /// How many resources got which verdict.
    pub counts: Counts,
    /// Why it is not satisfied or undetermined: one line a reason, the weightiest first; empty when satisfied.
    pub reasons: Vec<String>,
    /// True where something was left open for a cause that may be gone in the next run, whatever the conclusion is.
    pub transient: bool,
}

/// The conclusion of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingStatus {
    /// Everything in a complete population passes.
    Satisfied,
    /// Not known: a member, a page or a count is missing, or the population is empty.
    Undetermined,
    /// At least one member fails.
    NotSatisfied,
}

impl FindingStatus {
    /// As written in CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Satisfied => "satisfied",
            Self::Undetermined => "undetermined",
            Self::NotSatisfied => "not-satisfied",
        }
    }
}

/// Verdicts counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// `pass`.
    pub pass: u64,
    /// `fail`.
    pub fail: u64,
    /// `waived`.
    pub waived: u64,
    /// `not-applicable`.
    pub not_applicable: u64,
    /// `undetermined`.
    pub undetermined: u64,
}

impl Counts {
    /// Counts one more verdict.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
            Verdict::Waived => self.waived += 1,
            Verdict::NotApplicable => self.not_applicable += 1,
            Verdict::Undetermined => self.undetermined += 1,
        }
    }

    /// How many the control applies to, known or not: the denominator.
    #[must_use]
    pub fn in_scope(&self) -> u64 {
        self.pass + self.fail + self.waived + self.undetermined
    }
}
