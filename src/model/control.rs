//! What must be true, who owns it, how often it is checked, and how.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::digest::Digest;
use crate::model::ids::{ControlId, CriterionId};
use crate::model::period::{Frequency, Period, Slot, Weekday};
use crate::model::schedule::Schedule;
use crate::model::task::Task;
use crate::model::verdict::Verdict;

/// Values that a user may tune without copying the control; `params.name` in expressions.
pub type Parameters = BTreeMap<String, Value>;

/// One control, validated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// e.g. `CHG-01`.
    pub id: ControlId,
    /// One sentence that is true when the control operates.
    pub title: String,
    /// The team or person who answers for it.
    pub owner: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// The criteria that it helps to meet.
    pub satisfies: Vec<CriterionId>,
    /// How often it is due.
    pub frequency: Frequency,
    /// For a weekly control the day from which on it is owed, so that not all that is asked once a week is asked in the same night; none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekday: Option<Weekday>,
    /// When in each slot it is owed, and which slots there are; none for all of them, from their beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The first day, on the audit calendar, on which it is due; none where it is from the first run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<NaiveDate>,
    /// The risk, for the auditor.
    pub why: String,
    /// What to do, for the engineer.
    pub fix: String,
    /// How many days its evidence must be kept, where it asks for that; the longest wish of all controls counts for the whole store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// The parameters in force: the control's own, overridden by the configuration.
    pub parameters: Parameters,
    /// At least one.
    pub tests: Vec<Test>,
    /// The recurring duty that it is about, whose slots its first tests hold to account; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The control file that it was read from, as named on the command line or in the configuration.
    pub file: String,
    /// SHA-256 of the definition in force (TOML values and parameters, as compact JSON with sorted keys): changes when, and only when, what is judged or said changes.
    pub digest: Digest,
}

impl Control {
    /// The slot that holds an instant; none where its schedule has no time in it.
    #[must_use]
    pub fn slot_at(&self, at: DateTime<Utc>, zone: Tz) -> Option<Slot> {
        Some(self.frequency.slot_at(at, zone)).filter(|slot| self.is_slot(slot, zone))
    }

    /// The slots that start in `period` or are under way at its start, oldest first.
    #[must_use]
    pub fn slots_in(&self, period: Period, zone: Tz) -> Vec<Slot> {
        let mut slots = self.frequency.slots_in(period, zone);
        slots.retain(|slot| self.is_slot(slot, zone));
        slots
    }

    fn is_slot(&self, slot: &Slot, zone: Tz) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.first_in(slot.period, zone).is_some())
    }

    /// When it begins to be owed in a slot of its own.
    #[must_use]
    pub fn owed_from(&self, slot: &Slot, zone: Tz) -> DateTime<Utc> {
        let scheduled = self.schedule.as_ref().and_then(|schedule| schedule.first_in(slot.period, zone));
        scheduled.unwrap_or_else(|| self.weekday.map_or(slot.period.start(), |weekday| slot.from(weekday, zone)))
    }

    /// When it begins to be owed next, after an instant; none where its schedule has no time in the next thousand slots.
    #[must_use]
    pub fn next_owed(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let mut at = after;
        for _slot in 0..1_000 {
            let slot = self.frequency.slot_at(at, zone);
            let from = self.owed_from(&slot, zone);
            if after < from && self.is_slot(&slot, zone) && !self.is_before_start(&slot, zone) {
                return Some(from);
            }
            at = slot.period.end();
        }
        None
    }

    /// From when on a first run in a slot is late: six hours after it was owed, or half of what is left of the slot where that is sooner. None where nothing says when in its
    /// slots it is owed: then any time will do.
    #[must_use]
    pub fn late_from(&self, slot: &Slot, zone: Tz) -> Option<DateTime<Utc>> {
        let owed = self.owed_from(slot, zone);
        let grace = TimeDelta::hours(6).min((slot.period.end() - owed) / 2);
        (self.schedule.is_some() || self.weekday.is_some()).then_some(owed + grace)
    }

    /// Whether a slot ends before the first day on which it is due.
    #[must_use]
    pub fn is_before_start(&self, slot: &Slot, zone: Tz) -> bool {
        let last = slot.period.end() - TimeDelta::nanoseconds(1);
        self.starts.is_some_and(|starts| last.with_timezone(&zone).date_naive() < starts)
    }
}

/// One population judged by one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The kind's name.
    pub population: String,
    /// Which members it applies to; all when absent.
    #[serde(rename = "where")]
    pub filter: Option<Expression>,
    /// What must be true of each.
    pub require: Expression,
    /// Text for the finding, an expression that yields text.
    pub because: Option<Expression>,
    /// True where an empty population (no member, or none in scope) satisfies the test.
    pub may_be_empty: bool,
    /// Parameters (a text, or a list of texts) with what members are found by: where the population was not listed by one of their texts, the test is undetermined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed_by: Vec<String>,
    /// The control's own test cases.
    pub examples: Vec<Example>,
}

/// The source of a CEL expression, at most 4 KiB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expression(pub String);

/// A resource written by hand and the verdict it must get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The expected verdict.
    pub verdict: Verdict,
    /// The attributes that are known; every other declared attribute is unknown.
    pub resource: BTreeMap<String, Value>,
    /// The instant it is judged at.
    pub now: DateTime<Utc>,
    /// Parameters changed for this example only.
    pub parameters: Parameters,
    /// Line in the control file, from 1.
    pub line: usize,
}

/// How bad a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Cure at once.
    Critical,
    /// Cure within days.
    High,
    /// Cure within weeks.
    Medium,
    /// Cure when convenient.
    Low,
    /// For information.
    Info,
}

impl Severity {
    /// As written in TOML, CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// One criterion of a framework, in our own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// e.g. `soc2:CC8.1`.
    pub id: CriterionId,
    /// The framework's name for people, e.g. "SOC 2 (TSC 2017)".
    pub framework: String,
    /// What it is about, in our own words.
    pub title: String,
}
