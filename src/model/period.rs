//! Audit windows and due occurrences: `[start, end)` in UTC, cut at midnight of the audit calendar's time zone.

use std::fmt;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A window `[start, end)`, UTC, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Period {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct Ends {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// The start is not before the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a period starts before it ends: {start} is not before {end}")]
pub struct EmptyPeriod {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Period {
    /// The window `[start, end)`.
    ///
    /// # Errors
    /// `EmptyPeriod` where `start >= end`.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, EmptyPeriod> {
        if start < end { Ok(Self { start, end }) } else { Err(EmptyPeriod { start, end }) }
    }

    /// The first instant.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// True where `start <= at < end`.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }
}

impl TryFrom<Ends> for Period {
    type Error = EmptyPeriod;

    fn try_from(ends: Ends) -> Result<Self, EmptyPeriod> {
        Self::new(ends.start, ends.end)
    }
}

impl From<Period> for Ends {
    fn from(period: Period) -> Self {
        Self { start: period.start, end: period.end }
    }
}

/// How often a control is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Frequency {
    /// Each clock hour.
    Hourly,
    /// Each calendar day.
    Daily,
    /// Each week, Monday to Sunday (ISO 8601).
    Weekly,
    /// Each calendar month.
    Monthly,
    /// January to March, and so on.
    Quarterly,
    /// Each calendar year.
    Yearly,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weekday {
    /// The first (ISO 8601).
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

/// One due occurrence of a control.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// For people and file names: `2026-11-23`, `2026-W48`, `2026-11`, `2026-Q4`, `2026`, `2026-11-23T14`.
    pub name: String,
    /// When it is due.
    pub period: Period,
}

impl Weekday {
    /// As written in TOML.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    fn days_from_monday(self) -> u64 {
        match self {
            Self::Monday => 0,
            Self::Tuesday => 1,
            Self::Wednesday => 2,
            Self::Thursday => 3,
            Self::Friday => 4,
            Self::Saturday => 5,
            Self::Sunday => 6,
        }
    }
}

impl Slot {
    /// When a day of this week begins; for slots that are weeks.
    #[must_use]
    pub fn from(&self, weekday: Weekday, zone: Tz) -> DateTime<Utc> {
        let monday = self.period.start.with_timezone(&zone).date_naive();
        midnight(monday + Days::new(weekday.days_from_monday()), zone)
    }
}

impl Frequency {
    /// As written in TOML.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Yearly => "yearly",
        }
    }

    /// The frequency whose slots are named so.
    #[must_use]
    pub fn of_name(slot: &str) -> Self {
        match slot {
            name if name.contains('T') => Self::Hourly,
            name if name.contains("-W") => Self::Weekly,
            name if name.contains("-Q") => Self::Quarterly,
            name if name.len() > 7 => Self::Daily,
            name if name.len() > 4 => Self::Monthly,
            _ => Self::Yearly,
        }
    }

    /// The slot that holds `at` in the calendar of `zone`.
    #[must_use]
    pub fn slot_at(self, at: DateTime<Utc>, zone: Tz) -> Slot {
        if self == Self::Hourly {
            return hour_slot(at, zone);
        }
        self.slot_of(at.with_timezone(&zone).date_naive(), zone)
    }

    /// The slot that holds a day of the calendar of `zone`; of the hours of a day the first.
    #[must_use]
    pub fn slot_of(self, day: NaiveDate, zone: Tz) -> Slot {
        if self == Self::Hourly {
            return hour_slot(midnight(day, zone), zone);
        }
        let first = self.first_day(day);
        let next = self.first_day_after(first);
        let period = Period { start: midnight(first, zone), end: midnight(next, zone) };
        Slot { name: self.name_of(first), period }
    }

    /// The slots that start in `period` or are under way at its start, oldest first.
    #[must_use]
    pub fn slots_in(self, period: Period, zone: Tz) -> Vec<Slot> {
        let mut slots = Vec::new();
        let mut at = period.start;
        while at < period.end {
            let slot = self.slot_at(at, zone);
            at = slot.period.end;
            slots.push(slot);
        }
        slots
    }

    fn first_day(self, day: NaiveDate) -> NaiveDate {
        let month_start = |month: u32| NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
        match self {
            Self::Hourly | Self::Daily => day,
            Self::Weekly => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
            Self::Monthly => month_start(day.month()),
            Self::Quarterly => month_start((day.month0() / 3) * 3 + 1),
            Self::Yearly => month_start(1),
        }
    }

    fn first_day_after(self, first: NaiveDate) -> NaiveDate {
        match self {
            Self::Hourly | Self::Daily => first + Days::new(1),
            Self::Weekly => first + Days::new(7),
            Self::Monthly => first + Months::new(1),
            Self::Quarterly => first + Months::new(3),
            Self::Yearly => first + Months::new(12),
        }
    }

    fn name_of(self, first: NaiveDate) -> String {
        match self {
            Self::Hourly | Self::Daily => first.format("%Y-%m-%d").to_string(),
            Self::Weekly => first.format("%G-W%V").to_string(),
            Self::Monthly => first.format("%Y-%m").to_string(),
            Self::Quarterly => format!("{}-Q{}", first.year(), first.month0() / 3 + 1),
            Self::Yearly => first.format("%Y").to_string(),
        }
    }
}

/// The first instant of a local day: midnight, or the first instant after it where a clock change skips midnight.
fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let naive = day.and_time(NaiveTime::MIN);
    (0..=180)
        .find_map(|minutes| zone.from_local_datetime(&(naive + chrono::TimeDelta::minutes(minutes))).earliest())
        .map_or_else(|| naive.and_utc(), |local| local.with_timezone(&Utc))
}

/// Hours are cut in UTC, so that a clock change neither merges nor drops one; the name shows the local hour and the offset.
fn hour_slot(at: DateTime<Utc>, zone: Tz) -> Slot {
    let start =
        at - chrono::TimeDelta::nanoseconds(i64::from(at.nanosecond())) - chrono::TimeDelta::seconds(i64::from(at.second()) + i64::from(at.minute()) * 60);
    let name = start.with_timezone(&zone).format("%Y-%m-%dT%H%z").to_string();
    Slot { name, period: Period { start, end: start + chrono::TimeDelta::hours(1) } }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use chrono_tz::Tz;
    use proptest::prelude::{Just, ProptestConfig, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::{Frequency, Period, Weekday};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_day_of_a_week_begins_where_its_calendar_says() {
        let week = |zone| Frequency::Weekly.slot_at(at("2026-03-26T12:00:00Z"), zone);
        assert_eq!(week(Tz::UTC).from(Weekday::Monday, Tz::UTC), at("2026-03-23T00:00:00Z"));
        assert_eq!(week(Tz::UTC).from(Weekday::Thursday, Tz::UTC), at("2026-03-26T00:00:00Z"));
        // Summer time begins on the Sunday, after its midnight.
        assert_eq!(week(Tz::Europe__Berlin).from(Weekday::Sunday, Tz::Europe__Berlin), at("2026-03-28T23:00:00Z"));
    }

    #[test]
    fn slots_follow_the_audit_calendar() {
        let cases = [
            (Frequency::Daily, Tz::UTC, "2026-02-28T23:59:59Z", "2026-02-28", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"),
            // The day of the spring clock change has 23 hours in Berlin.
            (Frequency::Daily, Tz::Europe__Berlin, "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            // Beirut's clocks skip midnight: the day starts at 01:00.
            (Frequency::Daily, Tz::Asia__Beirut, "2021-03-28T12:00:00Z", "2021-03-28", "2021-03-27T22:00:00Z", "2021-03-28T21:00:00Z"),
            (Frequency::Weekly, Tz::UTC, "2027-01-01T00:00:00Z", "2026-W53", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"),
            (Frequency::Monthly, Tz::UTC, "2024-02-29T10:00:00Z", "2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            (Frequency::Quarterly, Tz::UTC, "2026-11-23T00:00:00Z", "2026-Q4", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            (Frequency::Yearly, Tz::America__Los_Angeles, "2027-01-01T07:59:59Z", "2026", "2026-01-01T08:00:00Z", "2027-01-01T08:00:00Z"),
        ];
        for (frequency, zone, now, name, start, end) in cases {
            let slot = frequency.slot_at(at(now), zone);
            assert_eq!((slot.name.as_str(), slot.period.start(), slot.period.end()), (name, at(start), at(end)), "{frequency} {now}");
        }
    }

    #[test]
    fn a_period_is_never_empty() {
        let t = at("2026-01-01T00:00:00Z");
        assert!(Period::new(t, t).is_err());
        assert!(serde_json::from_str::<Period>(r#"{"start":"2026-01-02T00:00:00Z","end":"2026-01-01T00:00:00Z"}"#).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Slots of any frequency tile time: no gap, no overlap, every instant in exactly the slot that names it.
        #[test]
        fn slots_tile_time(
            seconds in 1_000_000_000_i64..2_200_000_000,
            frequency in prop_oneof![
                Just(Frequency::Hourly), Just(Frequency::Daily), Just(Frequency::Weekly),
                Just(Frequency::Monthly), Just(Frequency::Quarterly), Just(Frequency::Yearly)
            ],
            zone in prop_oneof![Just(Tz::UTC), Just(Tz::Europe__Berlin), Just(Tz::America__New_York), Just(Tz::Australia__Lord_Howe), Just(Tz::Asia__Beirut)],
        ) {
            let now = DateTime::from_timestamp(seconds, 0).expect("in range");
            let slot = frequency.slot_at(now, zone);
            prop_assert!(slot.period.contains(now));
            prop_assert_eq!(Frequency::of_name(&slot.name), frequency);
            prop_assert_eq!(&frequency.slot_at(slot.period.start(), zone), &slot);
            prop_assert_eq!(&frequency.slot_at(slot.period.end() - TimeDelta::nanoseconds(1), zone), &slot);
            let next = frequency.slot_at(slot.period.end(), zone);
            prop_assert_eq!(next.period.start(), slot.period.end());
        }
    }
}
