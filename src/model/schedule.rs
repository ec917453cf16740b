//! When in its slots a control begins to be owed: a cron pattern on the audit calendar.
//!
//! The frequency says what a slot is, the pattern when in it the control is owed, and which slots there are: one in which the pattern has no time is none, so that
//! `frequency = "daily"` with `0 2 * * MON-FRI` is due on working days. Where it has several times in a slot, the first counts.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

use crate::model::period::Period;

/// A cron pattern of five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    text: String,
    cron: Cron,
}

/// It is no pattern of five fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSchedule(String);

impl Schedule {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time of the pattern in a slot; none where it has none in it.
    #[must_use]
    pub fn first_in(&self, slot: Period, zone: Tz) -> Option<DateTime<Utc>> {
        let first = self.cron.find_next_occurrence(&slot.start().with_timezone(&zone), true).ok()?;
        Some(first.with_timezone(&Utc)).filter(|first| slot.contains(*first))
    }
}

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| InvalidSchedule(error.to_string()))?;
        Ok(Self { text: text.to_owned(), cron })
    }
}

impl TryFrom<String> for Schedule {
    type Error = InvalidSchedule;

    fn try_from(text: String) -> Result<Self, InvalidSchedule> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> String {
        schedule.text
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Schedule {}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;

    use super::Schedule;
    use crate::model::Frequency;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_pattern_says_when_in_a_slot_and_in_which_slots() {
        let (daily, weekly, quarterly) = (Frequency::Daily, Frequency::Weekly, Frequency::Quarterly);
        let berlin = Tz::Europe__Berlin;
        let cases = [
            ("17 2 * * *", daily, Tz::UTC, "2026-03-05T12:00:00Z", Some("2026-03-05T02:17:00Z")),
            ("17 2 * * *", daily, berlin, "2026-07-05T12:00:00Z", Some("2026-07-05T00:17:00Z")),
            ("0 2 * * MON-FRI", daily, Tz::UTC, "2026-03-07T12:00:00Z", None),
            ("0 2 * * MON-FRI", daily, Tz::UTC, "2026-03-09T12:00:00Z", Some("2026-03-09T02:00:00Z")),
            // Several times in a slot: the first.
            ("0 6 * * TUE,THU", weekly, Tz::UTC, "2026-03-08T12:00:00Z", Some("2026-03-03T06:00:00Z")),
            ("0 9 15 1,4,7,10 *", quarterly, Tz::UTC, "2026-12-31T00:00:00Z", Some("2026-10-15T09:00:00Z")),
            // 2026-03-29 has no half past two in Berlin: it is owed as soon as the clocks have gone on.
            ("30 2 * * *", daily, berlin, "2026-03-29T12:00:00Z", Some("2026-03-29T01:00:00Z")),
            // 2026-10-25 has two.
            ("30 2 * * *", daily, berlin, "2026-10-25T12:00:00Z", Some("2026-10-25T00:30:00Z")),
            ("0 0 29 2 *", Frequency::Yearly, Tz::UTC, "2026-06-01T00:00:00Z", None),
            ("0 0 29 2 *", Frequency::Yearly, Tz::UTC, "2028-06-01T00:00:00Z", Some("2028-02-29T00:00:00Z")),
        ];
        for (pattern, frequency, zone, now, first) in cases {
            let schedule: Schedule = pattern.parse().expect("a pattern");
            assert_eq!(schedule.first_in(frequency.slot_at(at(now), zone).period, zone), first.map(at), "{pattern} {now}");
        }
    }

    #[test]
    fn what_is_no_pattern_of_five_fields_is_refused() {
        for text in ["", "daily", "* * * *", "0 0 2 * * *", "61 2 * * *", "0 2 * * MON-FRY", "0 2 31 FOO *"] {
            assert!(text.parse::<Schedule>().is_err(), "{text:?}");
        }
    }
}
