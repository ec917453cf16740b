//! What share of a service was good, as Cloud Monitoring worked it out for an objective, at the end of each of the last 31 days.
//! <https://cloud.google.com/stackdriver/docs/solutions/slo-monitoring/api/timeseries-selectors>
//!
//! The value of a day is that of the minute before midnight, UTC, since periods of a calendar begin anew after it. Of a rolling period each whole one within those days
//! counts, of a calendar's each that ended in them. Shares are whole millionths, rounded down past the ninth digit, so that no rounding makes one better.
//! Left out: which objectives there are (`objectives`).

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc, Weekday};
use serde_json::{Value, json};

use crate::collect::api::Request;
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded, encoded_path};
use crate::collect::gcp::assets::seconds;
use crate::collect::gcp::fields::{list, part, text, time};
use crate::collect::gcp::objectives::MONITORING;
use crate::model::{Gap, GapCause, Scope};

/// Shows how they were met.
pub(super) const SERIES_LIST: &str = "monitoring.timeSeries.list";

const SERIES: &str = "monitoring.projects.timeSeries.list";
/// How many days are looked at: as many as the longest month has.
const DAYS: i64 = 31;
/// How long before the window's end a day has to be over, so that its last minute is measured.
const SETTLING: TimeDelta = TimeDelta::hours(1);

/// How it went in the worst period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attained {
    /// The share that was good, in millionths.
    pub(super) share: i64,
    /// The day on which that period ended.
    pub(super) on: NaiveDate,
    /// How many periods were looked at.
    pub(super) periods: usize,
}

/// Over which periods an objective is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compliance {
    /// Over so many days, up to any instant.
    Rolling(i64),
    /// Since the start of the current one.
    Calendar(Calendar),
}

/// A period of the calendar. <https://github.com/googleapis/googleapis/blob/master/google/type/calendar_period.proto>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the Monday of a week with an odd number.
    Fortnight,
    /// From the first.
    Month,
}

impl Compliance {
    /// Reads it from an objective.
    ///
    /// # Errors
    /// The source leaves it out, or it is none that is documented.
    pub(super) fn read(objective: &Value) -> Result<Self, Gap> {
        let unknown = || Gap::new(GapCause::Malformed, "the period of an objective is none that is known here");
        match (seconds(objective, "rollingPeriod")?, text(objective, "calendarPeriod")?) {
            (Some(rolling), None) if rolling > 0 && rolling % 86_400 == 0 && rolling / 86_400 < DAYS => Ok(Self::Rolling(rolling / 86_400)),
            (None, Some("DAY")) => Ok(Self::Calendar(Calendar::Day)),
            (None, Some("WEEK")) => Ok(Self::Calendar(Calendar::Week)),
            (None, Some("FORTNIGHT")) => Ok(Self::Calendar(Calendar::Fortnight)),
            (None, Some("MONTH")) => Ok(Self::Calendar(Calendar::Month)),
            (None, None) => Err(Gap::new(GapCause::LeftOut, "the source left out the period of an objective")),
            _ => Err(unknown()),
        }
    }

    /// Its days, for a rolling one.
    pub(super) fn rolling_days(&self) -> Value {
        match self {
            Self::Rolling(days) => json!(days),
            Self::Calendar(_) => Value::Null,
        }
    }

    /// The vendor's word, for one of the calendar.
    pub(super) fn calendar_period(&self) -> Value {
        match self {
            Self::Rolling(_) => Value::Null,
            Self::Calendar(Calendar::Day) => json!("DAY"),
            Self::Calendar(Calendar::Week) => json!("WEEK"),
            Self::Calendar(Calendar::Fortnight) => json!("FORTNIGHT"),
            Self::Calendar(Calendar::Month) => json!("MONTH"),
        }
    }

    /// Whether a period ends with this day, which is so many days before the last one.
    fn ends(self, day: NaiveDate, before: i64) -> bool {
        let next = day.succ_opt().unwrap_or(day);
        match self {
            Self::Rolling(days) => before + days <= DAYS,
            Self::Calendar(Calendar::Day) => true,
            Self::Calendar(Calendar::Week) => next.weekday() == Weekday::Mon,
            Self::Calendar(Calendar::Fortnight) => next.weekday() == Weekday::Mon && next.iso_week().week() % 2 == 1,
            Self::Calendar(Calendar::Month) => next.day() == 1,
        }
    }
}

/// The last day that is over.
fn last_day(scope: &Scope) -> NaiveDate {
    let day = (scope.window.end() - SETTLING).date_naive();
    day.pred_opt().unwrap_or(day)
}

fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(24 * 60 - 1)
}

/// The request for the measured days of an objective of a project.
pub(super) fn request(objective: &str, project: &str, scope: &Scope, kind: &'static str) -> Request {
    let until = end_of(last_day(scope));
    let at = |instant: DateTime<Utc>| encoded(&instant.to_rfc3339_opts(SecondsFormat::Secs, true));
    let target = format!(
        "/v3/projects/{}/timeSeries?filter={}&interval.startTime={}&interval.endTime={}&aggregation.alignmentPeriod=86400s&aggregation.perSeriesAligner=ALIGN_NEXT_OLDER&view=FULL&pageSize=1000&fields=timeSeries(points),nextPageToken,executionErrors,unreachable",
        encoded_path(project),
        encoded(&format!("select_slo_compliance(\"{objective}\")")),
        at(until - TimeDelta::days(DAYS)),
        at(until),
    );
    Request::get(MONITORING, target, SERIES, objective, kind)
}

/// The worst period of an objective of a project, and the exchanges that tell it. Where a period is not measured, only one that missed the goal is told.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn worst(
    (objective, project): (&str, &str),
    (compliance, goal): (Result<Compliance, Gap>, Option<i64>),
    scope: &Scope,
    evidence: &dyn Evidence,
) -> Result<(Result<Attained, Gap>, Vec<u32>), Unreadable> {
    let place = format!("projects/{project}");
    let listing =
        Listing { operation: SERIES, subject: objective, entries: "timeSeries", partial: Some("unreachable"), permission: SERIES_LIST, place: &place };
    let mut measured = BTreeMap::new();
    let mut read = listing.read(evidence, &mut |series, _n| Ok(days(series, &mut measured).err()))?;
    let errors = Listing { entries: "executionErrors", partial: None, ..listing };
    let failed = || Gap::new(GapCause::Incomplete, "Cloud Monitoring met errors while it worked out how an objective was met");
    read.gaps.extend(errors.read(evidence, &mut |_error, _n| Ok(Some(failed())))?.gaps);
    let told = match (compliance, read.gaps.into_iter().next()) {
        (Ok(compliance), gap) => of_periods(compliance, goal, last_day(scope), (&measured, gap)),
        (Err(unknown), _) => Err(unknown),
    };
    Ok((told, read.evidence))
}

fn of_periods(compliance: Compliance, goal: Option<i64>, last: NaiveDate, (measured, gap): (&BTreeMap<NaiveDate, i64>, Option<Gap>)) -> Result<Attained, Gap> {
    let ends: Vec<NaiveDate> =
        (0..DAYS).map(|before| (last - TimeDelta::days(before), before)).filter(|(day, before)| compliance.ends(*day, *before)).map(|(day, _)| day).collect();
    let known: Vec<(i64, NaiveDate)> = ends.iter().filter_map(|day| measured.get(day).map(|share| (*share, *day))).collect();
    let lacking = ends.len() - known.len();
    let worst = known.iter().min().map(|(share, on)| Attained { share: *share, on: *on, periods: known.len() });
    match (worst, gap) {
        (Some(worst), _) if goal.is_some_and(|goal| worst.share < goal) => Ok(worst),
        (_, Some(gap)) => Err(gap),
        (Some(worst), None) if lacking == 0 => Ok(worst),
        _ => Err(Gap::new(GapCause::LeftOut, format!("Cloud Monitoring measured nothing at the end of {lacking} of {} periods", ends.len()))),
    }
}

/// Adds what a series tells of each day; a day without activity has no share.
fn days(series: &Value, measured: &mut BTreeMap<NaiveDate, i64>) -> Result<(), Gap> {
    for point in list(series, "points")?.unwrap_or_default() {
        let broken = || Gap::new(GapCause::Malformed, "a measured value is not what the vendor documents");
        let at = time(point, "interval/endTime")?.and_then(|at| DateTime::parse_from_rfc3339(at).ok()).ok_or_else(broken)?;
        let value = part(point, "value/doubleValue")?.ok_or_else(broken)?;
        if value.as_str() == Some("NaN") {
            continue;
        }
        let value = value.as_f64().ok_or_else(broken)?;
        if !(0.0..=1.0).contains(&value) {
            continue;
        }
        let share = millionths(value).ok_or_else(broken)?;
        measured.entry(at.with_timezone(&Utc).date_naive()).and_modify(|known| *known = share.min(*known)).or_insert(share);
    }
    Ok(())
}

/// Millionths, rounded down. What stands past the ninth digit is noise of how the number is held.
pub(super) fn millionths(value: f64) -> Option<i64> {
    let written = format!("{value:.9}");
    let (whole, rest) = written.split_once('.')?;
    format!("{whole}{}", rest.get(..6)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{NaiveDate, TimeDelta};
    use serde_json::json;

    use super::{Calendar, Compliance, DAYS, days, millionths, of_periods};
    use crate::model::{Gap, GapCause};

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).expect("a day")
    }

    /// Every day with a share of its own, the older the worse.
    fn measured() -> BTreeMap<NaiveDate, i64> {
        (0..DAYS).map(|before| (day(3, 1) - TimeDelta::days(before), 999_900 - before)).collect()
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!([millionths(0.999), millionths(1.0), millionths(0.0), millionths(0.998_999_9)].map(Option::unwrap), [999_000, 1_000_000, 0, 998_999]);
        assert_eq!(millionths(0.1 + 0.2), Some(300_000), "what a sum leaves behind is no share");
    }

    #[test]
    fn periods_end_where_the_vendor_says() {
        let ends = |compliance: Compliance| {
            let all = (0..DAYS).filter(move |before| compliance.ends(day(3, 1) - TimeDelta::days(*before), *before));
            all.map(|before| day(3, 1) - TimeDelta::days(before)).collect::<Vec<_>>()
        };
        assert_eq!(ends(Compliance::Rolling(30)), [day(3, 1), day(2, 28)]);
        assert_eq!(ends(Compliance::Rolling(1)).len(), 31);
        assert_eq!(ends(Compliance::Calendar(Calendar::Month)), [day(2, 28), day(1, 31)]);
        // 2026-03-01 is the Sunday of the ninth week.
        assert_eq!(ends(Compliance::Calendar(Calendar::Week)), [day(3, 1), day(2, 22), day(2, 15), day(2, 8), day(2, 1)]);
        assert_eq!(ends(Compliance::Calendar(Calendar::Fortnight)), [day(2, 22), day(2, 8)]);
    }

    #[test]
    fn the_worst_period_is_told_and_what_was_not_measured_is_never_good() {
        let worst = |compliance, goal, measured: &BTreeMap<_, _>, gap| of_periods(compliance, goal, day(3, 1), (measured, gap));
        let whole = worst(Compliance::Rolling(30), Some(1), &measured(), None).expect("it is measured");
        assert_eq!((whole.share, whole.on, whole.periods), (999_899, day(2, 28), 2));
        let mut holed = measured();
        holed.remove(&day(3, 1));
        assert_eq!(worst(Compliance::Rolling(30), Some(1), &holed, None).map_err(|gap| gap.cause), Err(GapCause::LeftOut));
        assert!(worst(Compliance::Rolling(30), Some(999_900), &holed, None).is_ok(), "it was missed, whatever the other day held");
        assert!(worst(Compliance::Calendar(Calendar::Week), Some(1), &BTreeMap::new(), None).is_err());
        let cut = || Some(Gap::new(GapCause::Incomplete, "cut"));
        assert!(worst(Compliance::Rolling(30), Some(1), &measured(), cut()).is_err());
        assert!(worst(Compliance::Rolling(30), None, &measured(), cut()).is_err());
    }

    #[test]
    fn a_day_without_activity_has_no_share() {
        let point = |value: serde_json::Value| json!({ "points": [{ "interval": { "endTime": "2026-02-01T23:59:00Z" }, "value": { "doubleValue": value } }] });
        let mut measured = BTreeMap::new();
        for idle in [json!(-1), json!("NaN"), json!(7.5)] {
            assert!(days(&point(idle), &mut measured).is_ok() && measured.is_empty());
        }
        assert!(days(&point(json!("much")), &mut measured).is_err() && days(&json!({ "points": [{}] }), &mut measured).is_err());
        assert!(days(&point(json!(0.5)), &mut measured).is_ok());
        assert_eq!(measured, BTreeMap::from([(day(2, 1), 500_000)]));
    }

    #[test]
    fn a_period_that_nobody_documents_is_unknown() {
        let of = |objective| Compliance::read(&objective);
        assert_eq!(of(json!({ "rollingPeriod": "2592000s" })), Ok(Compliance::Rolling(30)));
        assert_eq!(of(json!({ "calendarPeriod": "MONTH" })), Ok(Compliance::Calendar(Calendar::Month)));
        for odd in
            [json!({}), json!({ "rollingPeriod": "3600s" }), json!({ "calendarPeriod": "YEAR" }), json!({ "rollingPeriod": "86400s", "calendarPeriod": "DAY" })]
        {
            assert!(of(odd).is_err());
        }
    }
}
