//! How much a reader has to trust whoever ran the program, day by day. Derived from what was verified, never configured.
//!
//! Left out: how the facts are established. Selective collection and faked answers are not covered by any level; coverage and a second identity are for those.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::Gap;

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
pub enum Fact {
    /// It was verified.
    Verified,
    /// It is not there, or does not verify; why, without a full stop.
    Refuted(String),
    /// It could not be looked at.
    Undetermined(Gap),
}

/// Whether the storage keeps what it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Locked for good, in effect since then (`retentionPolicy.isLocked` and `effectiveTime` of a bucket).
    Since(DateTime<Utc>),
    /// It can be unlocked, or is not locked at all; why, without a full stop.
    Open(String),
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
    /// The store of that day.
    pub lock: Lock,
    /// At least one time stamp, by a configured root, on every checkpoint that covers the day's runs.
    pub time: Fact,
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
            (Assurance::L0, lacks("a signed log", &self.log)),
            (Assurance::L1, self.lacks_lock()),
            (Assurance::L2, lacks("time by an authority outside", &self.time)),
            (Assurance::L3, lacks("a witness outside", &self.witness)),
        ];
        let first = steps.into_iter().find(|(_, lacks)| lacks.is_some());
        first.map_or(Derived { level: Assurance::L4, lacks: None }, |(level, lacks)| Derived { level, lacks })
    }

    /// The whole day counts: what was written in the morning of the day on which a bucket was locked in the evening could have been replaced at noon.
    fn lacks_lock(&self) -> Option<String> {
        let what = "storage that was locked all day";
        match &self.lock {
            Lock::Since(since) if *since <= self.day.and_time(NaiveTime::MIN).and_utc() => None,
            Lock::Since(since) => Some(format!("{what}: it is locked since {}", since.format("%Y-%m-%dT%H:%M:%SZ"))),
            Lock::Open(why) => Some(format!("{what}: {why}")),
            Lock::Undetermined(gap) => Some(undetermined(what, gap)),
        }
    }
}

fn lacks(what: &str, fact: &Fact) -> Option<String> {
    match fact {
        Fact::Verified => None,
        Fact::Refuted(why) => Some(format!("{what}: {why}")),
        Fact::Undetermined(gap) => Some(undetermined(what, gap)),
    }
}

fn undetermined(what: &str, gap: &Gap) -> String {
    format!("{what}, which is undetermined: {gap}")
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
    use super::{Assurance, DayFacts, Fact, Lock};
    use crate::model::{Gap, GapCause};

    fn gap() -> Gap {
        Gap::new(GapCause::Forbidden, "the bucket cannot be read").cured_by("storage.buckets.get")
    }

    /// `1` verified, `0` refuted, `?` could not be looked at; log, lock, time, witness.
    fn facts(pattern: &str) -> DayFacts {
        let fact = |at: usize| match &pattern[at..=at] {
            "1" => Fact::Verified,
            "0" => Fact::Refuted("there is none".into()),
            _ => Fact::Undetermined(gap()),
        };
        let lock = match fact(1) {
            Fact::Verified => Lock::Since("2026-03-01T00:00:00Z".parse().unwrap()),
            Fact::Refuted(why) => Lock::Open(why),
            Fact::Undetermined(gap) => Lock::Undetermined(gap),
        };
        DayFacts { day: "2026-03-01".parse().unwrap(), log: fact(0), lock, time: fact(2), witness: fact(3) }
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
            let facts = DayFacts { lock: Lock::Since(since.parse().unwrap()), ..facts("1111") };
            assert_eq!(facts.derive().level, level, "{since}");
        }
    }

    #[test]
    fn the_weakest_day_is_the_smallest() {
        assert_eq!([Assurance::L3, Assurance::L1, Assurance::L4].into_iter().min(), Some(Assurance::L1));
    }
}
