//! Test × resource → verdict.

use serde::{Deserialize, Serialize};

use crate::model::ids::{ControlId, ResourceId, WaiverId};

/// What one test says of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// `require` is true.
    Pass,
    /// `require` is false.
    Fail,
    /// `require` is false, and an approved waiver that had not expired covers it.
    Waived,
    /// `where` is false.
    NotApplicable,
    /// Not known; the observation says why.
    Undetermined,
}

impl Verdict {
    /// As written in TOML, CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Waived => "waived",
            Self::NotApplicable => "not-applicable",
            Self::Undetermined => "undetermined",
        }
    }
}

impl Observation {
    /// The verdict before any waiver: only failures are ever waived.
    #[must_use]
    pub fn raw_verdict(&self) -> Verdict {
        match self.verdict {
            Verdict::Waived => Verdict::Fail,
            verdict @ (Verdict::Pass | Verdict::Fail | Verdict::NotApplicable | Verdict::Undetermined) => verdict,
        }
    }
}

/// One row of a run's results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The control.
    pub control: ControlId,
    /// Which of its tests, from 1.
    pub test: u32,
    /// The resource's kind.
    pub kind: String,
    /// The resource.
    pub resource: ResourceId,
    /// What a person calls it.
    pub name: String,
    /// The judgement.
    pub verdict: Verdict,
    /// Why, in one line: the control's own `because`, the attribute that is missing, or the `where` that excluded it.
    pub because: String,
    /// The waiver that turned the failure; only with the verdict `waived`. What `because` says is why it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverId>,
    /// True where an undetermined verdict may be settled by running again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transient: bool,
    /// Numbers of the exchanges that it was read from; never empty.
    pub evidence: Vec<u32>,
}
