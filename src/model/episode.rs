//! A time in which a resource failed a control: first seen, cured or not, and whether the cure held. The row of the deviation register.
//!
//! Derived from sealed observations, never typed in. What is not known neither begins one nor ends one.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::ids::{ControlId, ResourceId, RunId};

/// One resource failing one test of one control, without a known pass in between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// The same in every report of the same evidence: the first 12 hex digits of the SHA-256 of control, test, resource and the run that first saw it.
    pub id: String,
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
    /// The newest run before it that saw the resource and did not see it fail; none where the first look failed already.
    pub last_good: Option<Sighting>,
    /// The run that saw it first.
    pub first_seen: Sighting,
    /// The newest run that saw it fail.
    pub last_seen: Sighting,
    /// Why it failed, as the first run said.
    pub because: String,
    /// What became of it.
    pub outcome: EpisodeOutcome,
    /// The run that ended it: the re-test.
    pub ended: Option<Sighting>,
    /// Runs since the newest one that saw it fail, in which it could not be told.
    pub untold: u32,
    /// True where a waiver covered the newest failure that was seen.
    pub waived: bool,
    /// True where the resource had failed this test before, and had been cured: that cure did not hold.
    pub again: bool,
    /// True where it failed again after it was cured.
    pub came_back: bool,
    /// True where the control said something else in the run that ended it than in the newest that saw it fail, so that it may be the definition that changed.
    pub redefined: bool,
}

/// What a run saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The run.
    pub run: RunId,
    /// The instant that it shows, UTC.
    pub at: DateTime<Utc>,
    /// Numbers of the exchanges that it was read from; empty where the observation was the same as the one before, whose row in that run's results names them.
    pub evidence: Vec<u32>,
    /// SHA-256 of the sealed evaluation that holds the observation.
    pub evaluation: Digest,
}

/// What became of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EpisodeOutcome {
    /// It fails still, as far as anybody knows.
    Open,
    /// The resource passes.
    Fixed,
    /// The control does not apply to the resource any more.
    OutOfScope,
    /// A complete population does not hold the resource any more.
    Gone,
}

impl EpisodeOutcome {
    /// As written in CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Fixed => "fixed",
            Self::OutOfScope => "out-of-scope",
            Self::Gone => "gone",
        }
    }
}

impl Episode {
    /// How long it was there, as far as runs tell: to the run that ended it, or to `now`.
    #[must_use]
    pub fn lasted(&self, now: DateTime<Utc>) -> TimeDelta {
        self.ended.as_ref().map_or(now, |ended| ended.at) - self.first_seen.at
    }

    /// Whether it was cured within so many days, or still can be; none where no time is set.
    #[must_use]
    pub fn within(&self, days: Option<u32>, now: DateTime<Utc>) -> Option<bool> {
        days.map(|days| self.lasted(now) <= TimeDelta::days(i64::from(days)))
    }
}
