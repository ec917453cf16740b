//! How waivers were used over a period: derived from what each sealed run held and found, never typed in.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::model::finding::Finding;
use crate::model::ids::{ControlId, RunId, WaiverId};
use crate::model::period::Period;
use crate::model::waiver::{Waiver, WaiverStanding};

/// What one sealed run says of waivers.
#[derive(Debug, Clone)]
pub struct WaiverNight<'a> {
    /// The run.
    pub run: &'a RunId,
    /// When it began, UTC: what its control files hold was declared by then.
    pub started_at: DateTime<Utc>,
    /// The instant that it shows and is judged at, UTC.
    pub shows: DateTime<Utc>,
    /// What its control files declare.
    pub declared: &'a [Waiver],
    /// What it found.
    pub findings: &'a [Finding],
}

/// One waiver over a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverUse {
    /// As the newest run of the period that holds it declares it.
    pub waiver: Waiver,
    /// How it stands at the end of the period, or now where the period is not over.
    pub standing: WaiverStanding,
    /// Failures that it turned in all runs of the period.
    pub failures: u64,
    /// The runs in which it did.
    pub runs: Vec<RunId>,
    /// The days of the audit calendar on which its control had such a failure.
    pub days: BTreeSet<NaiveDate>,
    /// The first sealed run of the store whose control files hold it.
    pub first_run: RunId,
    /// When that run began, UTC.
    pub first_declared_at: DateTime<Utc>,
    /// A sealed run that began after the day of approval and before that one: its control files do not hold the waiver, so it was declared later than it says.
    pub retroactive: Option<RunId>,
    /// The waivers that renew it.
    pub renewed_by: Vec<WaiverId>,
    /// From the first approval to the last expiry of all that renew each other; its own days where there are none.
    pub spans: (NaiveDate, NaiveDate),
    /// Runs of the period that hold it with other terms.
    pub changed: Vec<RunId>,
}

impl WaiverUse {
    /// True where it turned no failure in the period.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.failures == 0
    }

    /// True where it renews another, or is renewed.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        self.waiver.renews.is_some() || !self.renewed_by.is_empty()
    }
}

/// Days × controls with at least one waived failure: two waivers of one control share a day.
#[must_use]
pub fn waived_control_days(uses: &[WaiverUse]) -> u64 {
    let days: BTreeSet<(&ControlId, NaiveDate)> = uses.iter().flat_map(|of| of.days.iter().map(|day| (&of.waiver.control, *day))).collect();
    u64::try_from(days.len()).unwrap_or(u64::MAX)
}

/// Every waiver that a run of the period declares, by id. `nights` are all sealed runs of the store that show what was before the period's end.
#[must_use]
pub fn waiver_uses(nights: &[WaiverNight<'_>], period: Period, zone: Tz, now: DateTime<Utc>) -> Vec<WaiverUse> {
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let mut by_start: Vec<&WaiverNight<'_>> = nights.iter().collect();
    by_start.sort_by_key(|night| night.started_at);
    let within: Vec<&WaiverNight<'_>> = by_start.iter().copied().filter(|night| period.contains(night.shows)).collect();
    let declared: BTreeMap<&WaiverId, &Waiver> = within.iter().flat_map(|night| night.declared).map(|waiver| (&waiver.id, waiver)).collect();
    let last_day = day(now.min(period.end() - TimeDelta::nanoseconds(1)));
    let of = |waiver: &Waiver| {
        let holding = |night: &&&WaiverNight<'_>| declaration(night, &waiver.id).is_some();
        let first = by_start.iter().find(holding)?;
        let used: Vec<(&WaiverNight<'_>, u64)> =
            within.iter().map(|night| (*night, failures(night, &waiver.id))).filter(|(_night, failures)| *failures > 0).collect();
        let gone = by_start.last().is_some_and(|night| declaration(night, &waiver.id).is_none());
        let without = by_start.iter().find(|night| night.started_at < first.started_at && day(night.started_at) > waiver.approved_on);
        let differs = |night: &&&WaiverNight<'_>| declaration(night, &waiver.id).is_some_and(|then| !then.same_terms(waiver));
        Some(WaiverUse {
            standing: if gone { WaiverStanding::Withdrawn } else { waiver.standing_on(last_day) },
            failures: used.iter().map(|(_night, failures)| failures).sum(),
            runs: used.iter().map(|(night, _failures)| night.run.clone()).collect(),
            days: used.iter().map(|(night, _failures)| day(night.shows)).collect(),
            first_run: first.run.clone(),
            first_declared_at: first.started_at,
            retroactive: without.map(|night| night.run.clone()),
            renewed_by: declared.values().filter(|other| other.renews.as_ref() == Some(&waiver.id)).map(|other| other.id.clone()).collect(),
            spans: spans(waiver, &declared),
            changed: within.iter().filter(differs).map(|night| night.run.clone()).collect(),
            waiver: waiver.clone(),
        })
    };
    declared.values().filter_map(|waiver| of(waiver)).collect()
}

fn declaration<'a>(night: &WaiverNight<'a>, id: &WaiverId) -> Option<&'a Waiver> {
    night.declared.iter().find(|waiver| waiver.id == *id)
}

fn failures(night: &WaiverNight<'_>, id: &WaiverId) -> u64 {
    night.findings.iter().flat_map(|finding| &finding.waived_by).filter(|waived| waived.waiver == *id).map(|waived| waived.failures).sum()
}

/// Follows renewals both ways; what was seen is not followed again, so that old files with a circle end too.
fn spans(waiver: &Waiver, declared: &BTreeMap<&WaiverId, &Waiver>) -> (NaiveDate, NaiveDate) {
    let mut span = (waiver.approved_on, waiver.expires_on);
    let mut seen = BTreeSet::from([&waiver.id]);
    let mut pending = vec![waiver];
    while let Some(at) = pending.pop() {
        span = (span.0.min(at.approved_on), span.1.max(at.expires_on));
        let linked = declared.values().filter(|other| at.renews.as_ref() == Some(&other.id) || other.renews.as_ref() == Some(&at.id));
        let new: Vec<&Waiver> = linked.copied().filter(|other| seen.insert(&other.id)).collect();
        pending.extend(new);
    }
    span
}
