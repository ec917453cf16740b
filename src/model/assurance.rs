//! How much a reader has to trust whoever ran the program, day by day. Derived from what was verified, never configured.
//!
//! Left out: how the facts are established. Selective collection and faked answers are not covered by any level; coverage and a second identity are for those.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::model::Gap;

/// After the end of a day: a nightly run is stamped within minutes, or by the next night's checkpoint.
const STAMPED_WITHIN: TimeDelta = TimeDelta::hours(36);

/// What one day's evidence rests on. Each level has all that the ones before it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Assurance {
    /// Hashes only: damage shows, a rewrite does not.
    L0,
    /// A signed log: only the holder of the key can rewrite.
    L1,
    /// Storage that was locked all day: nobody can delete or replace, the cloud's administrators included.
    L2,
    /// Time by an authority outside: nothing can be dated back.
    L3,
    /// A witness outside: no two histories, and none that was shortened.
    L4,
}

/// What was established about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T = ()> {
    /// It was verified, with this.
    Verified(T),
    /// It is not there, or does not verify; why, without a full stop.
    Refuted(String),
    /// It could not be looked at.
    Undetermined(Gap),
}

/// All that the level of a day follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFacts {
    /// The day, UTC.
    pub day: NaiveDate,
    /// The day's runs are in the log, and a signed checkpoint that covers them verifies.
    pub log: Fact,
    /// The store is locked for good, in effect since then (`retentionPolicy.isLocked` and `effectiveTime` of a bucket).
    pub lock: Fact<DateTime<Utc>>,
    /// The earliest time stamp, verified up to a configured root, on a checkpoint that covers the day's runs.
    pub time: Fact<DateTime<Utc>>,
    /// At least one verified cosignature on a checkpoint that covers them.
    pub witness: Fact,
}

/// A day's level and what it lacks for the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The level.
    pub level: Assurance,
    /// One sentence without a full stop; none on the highest level.
    pub lacks: Option<String>,
}

impl DayFacts {
    /// The level: as far as everything is verified without a gap. A time stamp on a log in an open store does not lift it; `lacks` names the store.
    #[must_use]
    pub fn derive(&self) -> Derived {
        let steps = [
            (Assurance::L0, lacks("a signed log", &self.log, |()| None)),
            (Assurance::L1, lacks("storage that was locked all day", &self.lock, |since| self.unlocked(*since))),
            (Assurance::L2, lacks("time by an authority outside", &self.time, |at| self.late(*at))),
            (Assurance::L3, lacks("a witness outside", &self.witness, |()| None)),
        ];
        let first = steps.into_iter().find(|(_, lacks)| lacks.is_some());
        first.map_or(Derived { level: Assurance::L4, lacks: None }, |(level, lacks)| Derived { level, lacks })
    }

    /// The whole day counts: what was written in the morning of the day on which a bucket was locked in the evening could have been replaced at noon.
    fn unlocked(&self, since: DateTime<Utc>) -> Option<String> {
        let start = self.day.and_time(NaiveTime::MIN).and_utc();
        (since > start).then(|| format!("it is locked since {}", written(since)))
    }

    /// A stamp says "not later than". One that came long after the day says nothing against a history that was written in between.
    fn late(&self, at: DateTime<Utc>) -> Option<String> {
        let after = at.signed_duration_since(self.day.and_time(NaiveTime::MIN).and_utc()) - TimeDelta::days(1);
        (after > STAMPED_WITHIN).then(|| format!("the first time stamp is of {}, more than {} hours after the day", written(at), STAMPED_WITHIN.num_hours()))
    }
}

/// `but` finds what is wrong with something that was verified.
fn lacks<T>(what: &str, fact: &Fact<T>, but: impl Fn(&T) -> Option<String>) -> Option<String> {
    match fact {
        Fact::Verified(found) => but(found).map(|why| format!("{what}: {why}")),
        Fact::Refuted(why) => Some(format!("{what}: {why}")),
        Fact::Undetermined(gap) => Some(format!("{what}, which is undetermined: {gap}")),
    }
}

fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::L0 => "L0 hashes only",
            Self::L1 => "L1 signed log",
            Self::L2 => "L2 signed log in locked storage",
            Self::L3 => "L3 signed log in locked storage, with time from outside",
            Self::L4 => "L4 signed log in locked storage, with time and a witness from outside",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Assurance, DayFacts, Fact};
    use crate::model::{Gap, GapCause};

    fn gap() -> Gap {
        Gap::new(GapCause::Forbidden, "the bucket cannot be read").cured_by("storage.buckets.get")
    }

    /// `1` verified, `0` refuted, `?` could not be looked at.
    fn fact<T>(pattern: &str, at: usize, found: T) -> Fact<T> {
        match &pattern[at..=at] {
            "1" => Fact::Verified(found),
            "0" => Fact::Refuted("there is none".into()),
            _ => Fact::Undetermined(gap()),
        }
    }

    /// Log, lock, time, witness.
    fn facts(pattern: &str) -> DayFacts {
        let at = |text: &str| text.parse().unwrap();
        DayFacts {
            day: "2026-03-01".parse().unwrap(),
            log: fact(pattern, 0, ()),
            lock: fact(pattern, 1, at("2026-03-01T00:00:00Z")),
            time: fact(pattern, 2, at("2026-03-02T02:10:00Z")),
            witness: fact(pattern, 3, ()),
        }
    }

    #[test]
    fn a_level_needs_all_that_is_below_it() {
        let cases = [
            ("1111", Assurance::L4, None),
            ("1110", Assurance::L3, Some("a witness outside: there is none")),
            ("111?", Assurance::L3, Some("a witness outside, which is undetermined: the bucket cannot be read (needs storage.buckets.get)")),
            ("1101", Assurance::L2, Some("time by an authority outside: there is none")),
            ("11?1", Assurance::L2, Some("time by an authority outside, which is undetermined: the bucket cannot be read (needs storage.buckets.get)")),
            ("1011", Assurance::L1, Some("storage that was locked all day: there is none")),
            ("1?11", Assurance::L1, Some("storage that was locked all day, which is undetermined: the bucket cannot be read (needs storage.buckets.get)")),
            ("0111", Assurance::L0, Some("a signed log: there is none")),
            ("?111", Assurance::L0, Some("a signed log, which is undetermined: the bucket cannot be read (needs storage.buckets.get)")),
            ("0000", Assurance::L0, Some("a signed log: there is none")),
        ];
        for (pattern, level, lacks) in cases {
            let derived = facts(pattern).derive();
            assert_eq!((derived.level, derived.lacks.as_deref()), (level, lacks), "{pattern}");
        }
    }

    /// All 81: no level without everything below it, and never a gap taken for a yes.
    #[test]
    fn every_combination_is_as_low_as_its_first_gap() {
        for number in 0..81_usize {
            let pattern: String = [27, 9, 3, 1].iter().map(|place| ["1", "0", "?"][number / place % 3]).collect();
            let verified = pattern.chars().take_while(|c| *c == '1').count();
            let levels = [Assurance::L0, Assurance::L1, Assurance::L2, Assurance::L3, Assurance::L4];
            let derived = facts(&pattern).derive();
            assert_eq!(derived.level, levels[verified], "{pattern}");
            assert_eq!(derived.lacks.is_none(), verified == 4, "{pattern}");
        }
    }

    #[test]
    fn a_lock_counts_from_the_first_whole_day() {
        for (since, level) in [("2026-02-28T23:59:59Z", Assurance::L4), ("2026-03-01T00:00:00Z", Assurance::L4), ("2026-03-01T00:00:01Z", Assurance::L1)] {
            let facts = DayFacts { lock: Fact::Verified(since.parse().unwrap()), ..facts("1111") };
            assert_eq!(facts.derive().level, level, "{since}");
        }
    }

    #[test]
    fn a_time_stamp_that_came_late_is_none() {
        for (at, level) in [("2026-03-01T02:00:00Z", Assurance::L4), ("2026-03-03T12:00:00Z", Assurance::L4), ("2026-03-03T12:00:01Z", Assurance::L2)] {
            let facts = DayFacts { time: Fact::Verified(at.parse().unwrap()), ..facts("1111") };
            assert_eq!(facts.derive().level, level, "{at}");
        }
        let late = DayFacts { time: Fact::Verified("2027-01-01T00:00:00Z".parse().unwrap()), ..facts("1111") };
        let why = "time by an authority outside: the first time stamp is of 2027-01-01T00:00:00Z, more than 36 hours after the day";
        assert_eq!(late.derive().lacks.as_deref(), Some(why));
    }

    #[test]
    fn no_day_is_too_far_away() {
        for day in [chrono::NaiveDate::MIN, chrono::NaiveDate::MAX] {
            for at in [chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC] {
                let derived = DayFacts { day, lock: Fact::Verified(at), time: Fact::Verified(at), ..facts("1111") }.derive();
                assert_eq!(derived.level == Assurance::L4, at == chrono::DateTime::<chrono::Utc>::MIN_UTC, "{day} {at}");
            }
        }
    }

    #[test]
    fn the_weakest_day_is_the_smallest() {
        assert_eq!([Assurance::L3, Assurance::L1, Assurance::L4].into_iter().min(), Some(Assurance::L1));
    }
}
