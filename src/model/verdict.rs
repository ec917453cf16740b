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
    /// Holds what is the same in another row once, together with it.
    pub fn share(&mut self, other: &Self) {
        fn take<T: PartialEq + Clone>(mine: &mut T, theirs: &T) {
            if mine == theirs {
                mine.clone_from(theirs);
            }
        }
        take(&mut self.control, &other.control);
        take(&mut self.kind, &other.kind);
        take(&mut self.resource, &other.resource);
        take(&mut self.name, &other.name);
        take(&mut self.because, &other.because);
        take(&mut self.waiver, &other.waiver);
        take(&mut self.evidence, &other.evidence);
    }

    /// The verdict before any waiver: only failures are ever waived.
    #[must_use]
    pub fn raw_verdict(&self) -> Verdict {
        match self.verdict {
            Verdict::Waived => Verdict::Fail,
            verdict @ (Verdict::Pass | Verdict::Fail | Verdict::NotApplicable | Verdict::Undetermined) => verdict,
        }
    }
}

/// One row of a run's results. What rows have in common they can share: a large run has a million of them.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Observation, Verdict};

    fn row(resource: &str, because: &str) -> Observation {
        Observation {
            control: "REP-03".parse().expect("an id"),
            test: 1,
            kind: "github.branch".into(),
            resource: resource.parse().expect("an id"),
            name: resource.into(),
            verdict: Verdict::Fail,
            because: because.into(),
            waiver: None,
            transient: false,
            evidence: [1, 2].into(),
        }
    }

    #[test]
    fn rows_share_what_is_the_same_and_say_what_they_said() {
        let first = row("a", "no approval");
        let mut second = row("b", "no approval");
        second.share(&first);
        assert_eq!(second, row("b", "no approval"));
        assert!(Arc::ptr_eq(&first.kind, &second.kind) && Arc::ptr_eq(&first.because, &second.because) && Arc::ptr_eq(&first.evidence, &second.evidence));
        assert!(!Arc::ptr_eq(&first.name, &second.name));
    }
}
