//! Control × run → finding.

use serde::{Deserialize, Serialize};

use crate::model::ids::{ControlId, WaiverId};
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
    /// The failures that waivers cover, by waiver; they stay failures in the raw status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived_by: Vec<WaivedFailures>,
    /// True where something was left open for a cause that may be gone in the next run, whatever the conclusion is.
    pub transient: bool,
}

/// What one waiver turned in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaivedFailures {
    /// The waiver.
    pub waiver: WaiverId,
    /// How many failures.
    pub failures: u64,
    /// The names of the first few.
    pub names: Vec<String>,
}

impl WaivedFailures {
    /// In one line.
    #[must_use]
    pub fn told(&self) -> String {
        let more = self.failures.saturating_sub(u64::try_from(self.names.len()).unwrap_or(u64::MAX));
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("{} fail and are waived by {}: {}{more}", self.failures, self.waiver, self.names.join(", "))
    }
}

impl Finding {
    /// The status without waivers.
    #[must_use]
    pub fn raw_status(&self) -> FindingStatus {
        if self.counts.waived > 0 { FindingStatus::NotSatisfied } else { self.status }
    }
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
