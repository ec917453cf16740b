//! Test × resource → verdict.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::ids::{ControlId, ResourceId, RunId, WaiverId};

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
    pub kind: Arc<str>,
    /// The resource.
    pub resource: ResourceId,
    /// What a person calls it.
    pub name: Arc<str>,
    /// The judgement.
    pub verdict: Verdict,
    /// Why, in one line: the control's own `because`, the attribute that is missing, or the `where` that excluded it.
    pub because: Arc<str>,
    /// The waiver that turned the failure; only with the verdict `waived`. What `because` says is why it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverId>,
    /// True where an undetermined verdict may be settled by running again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transient: bool,
    /// Numbers of the exchanges that it was read from; never empty.
    pub evidence: Arc<[u32]>,
}

/// What one run said of one resource by one test, as the history tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerdictRow<'a> {
    /// The control's id.
    pub control: &'a str,
    /// Which of its tests, from 1.
    pub test: u32,
    /// The resource's kind.
    pub kind: &'a str,
    /// The resource's id.
    pub resource: &'a str,
    /// What a person calls it, as the newest run that saw it has it.
    pub name: &'a str,
    /// The run.
    pub run: &'a RunId,
    /// The instant that it shows, UTC.
    pub shows: DateTime<Utc>,
    /// What it said.
    pub verdict: Verdict,
    /// The run from which on every run that judged the control said so.
    pub since: &'a RunId,
    /// SHA-256 of the run's sealed evaluation.
    pub evaluation: &'a Digest,
}
