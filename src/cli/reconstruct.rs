//! `collect --reconstruct`: which controls a past day can still be told of, and until when. Pure.
//!
//! Cloud Asset Inventory and audit logs remember, each for so long: what GitHub and single services tell otherwise is gone with the night. A reconstruction is a run of
//! its own that says so; it stands for a slot only where nothing ran in it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::cli::due::{Past, WINDOWED, day_start, is_answered};
use crate::cli::exit::Failure;
use crate::collect::registry;
use crate::model::{Control, ControlId, Period, Slot};

/// What a run reconstructs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconstruction {
    /// The last second of the day: whatever was done about it on that day counts.
    pub as_of: DateTime<Utc>,
    /// The day, and what comes before it in the slots of those that judge what happened.
    pub window: Period,
    /// Those whose slot is over, in which nothing ran, and that rest on what is remembered alone.
    pub controls: Vec<ControlId>,
}

/// A day that was missed and can be told of still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// How many controls nothing ran for.
    pub controls: usize,
    /// When the first of them is forgotten.
    pub until: DateTime<Utc>,
}

/// What can be told of a day.
///
/// # Errors
/// Exit code 2: it is not over yet, or too long ago.
pub fn of_day(controls: &[Control], past: &[Past], day: NaiveDate, (now, zone): (DateTime<Utc>, Tz)) -> Result<Reconstruction, Failure> {
    let end = day.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, |next| day_start(next, zone));
    let as_of = end - TimeDelta::seconds(1);
    if now < end {
        return Err(Failure::usage(format!("{day} is not over yet: `proofline collect` tells what there is now")));
    }
    let longest = registry::COLLECTORS.iter().filter_map(|collector| collector.remembers()).max().unwrap_or_default();
    if as_of < now - longest {
        let days = longest.num_days();
        return Err(Failure::usage(format!("no source remembers more than {days} days, and {day} is longer ago: its slots stay missed")));
    }
    let missed = |control: &Control| {
        let slot = control.slot_at(as_of, zone).filter(|slot| slot.period.end() <= now && !is_answered(past, control, slot))?;
        told_until(control, &slot, as_of).is_some_and(|until| now <= until).then_some(slot)
    };
    let (mut start, mut told) = (day_start(day, zone), Vec::new());
    for (control, slot) in controls.iter().filter_map(|control| Some((control, missed(control)?))) {
        if tells_events(control) {
            if slot.period.end() > end {
                // What happened on the days that are left counts as well: the slot is told of by its last day.
                continue;
            }
            start = start.min(slot.period.start());
        }
        told.push(control.id.clone());
    }
    let window = Period::new(start, end).map_err(|error| Failure::usage(format!("{day} is no day: {error}")))?;
    Ok(Reconstruction { as_of, window, controls: told })
}

/// The last days of all slots since the first run in which nothing ran and that can be told of still.
#[must_use]
pub fn open(controls: &[Control], past: &[Past], now: DateTime<Utc>, zone: Tz) -> BTreeMap<NaiveDate, Open> {
    let mut days: BTreeMap<NaiveDate, Open> = BTreeMap::new();
    let began = past.iter().filter(|run| run.manifest.scope.as_of.is_none()).map(|run| run.manifest.started_at).min();
    for (control, span) in controls.iter().filter_map(|control| Some((control, remembers(control)?))) {
        let Some(Ok(remembered)) = began.map(|began| Period::new(began.max(now - span), now)) else { continue };
        for slot in control.slots_in(remembered, zone) {
            let last = slot.period.end() - TimeDelta::seconds(1);
            let Some(until) = told_until(control, &slot, last).filter(|until| now <= *until) else { continue };
            if slot.period.end() <= now && last >= remembered.start() && !is_answered(past, control, &slot) {
                let open = days.entry(last.with_timezone(&zone).date_naive()).or_insert(Open { controls: 0, until });
                open.controls += 1;
                open.until = open.until.min(until);
            }
        }
    }
    days
}

/// Until when it can be told what there was at an instant of a slot. What happened in it counts from its beginning: a log that has lost that shows fewer events than there
/// were, and nobody could tell.
#[must_use]
pub fn told_until(control: &Control, slot: &Slot, as_of: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let first = if tells_events(control) { slot.period.start().min(as_of) } else { as_of };
    Some(first + remembers(control)?)
}

fn tells_events(control: &Control) -> bool {
    control.tests.iter().any(|test| WINDOWED.contains(&test.population.as_str()))
}

/// How long all that a control asks about is remembered; none where some of it is gone with the night.
#[must_use]
pub fn remembers(control: &Control) -> Option<TimeDelta> {
    let spans: Option<Vec<TimeDelta>> = control.tests.iter().map(|test| registry::find(&test.population)?.remembers()).collect();
    spans?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use chrono_tz::Tz;

    use super::of_day;
    use crate::cli::due::tests::control;
    use crate::model::Frequency;

    /// What happened counts over the whole slot, what there was at its end; and each is remembered for so long.
    #[test]
    fn a_slot_of_events_is_read_from_its_beginning() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let of_slot = |frequency: Frequency, population: &str, day: &str| {
            let mut control = control(frequency);
            control.tests[0].population = population.into();
            let day: NaiveDate = day.parse().expect("a day");
            of_day(&[control], &[], day, (at("2026-03-31T02:00:00Z"), Tz::UTC))
                .map(|told| (told.controls.len(), told.window.start()))
                .map_err(|error| error.to_string())
        };
        let of = |population: &str, day: &str| of_slot(Frequency::Weekly, population, day);
        assert_eq!(of("github.audit_event", "2026-03-29"), Ok((1, at("2026-03-23T00:00:00Z"))));
        assert_eq!(of("gcp.bucket", "2026-03-29"), Ok((1, at("2026-03-29T00:00:00Z"))));
        assert_eq!(of("gcp.bucket", "2026-03-26"), Ok((1, at("2026-03-26T00:00:00Z"))), "any day of a slot that is over tells of it");
        assert_eq!(of("github.audit_event", "2026-03-26"), Ok((0, at("2026-03-26T00:00:00Z"))), "of what happened only the last does");
        assert_eq!(of("gcp.bucket", "2026-03-30"), Ok((0, at("2026-03-30T00:00:00Z"))), "its slot goes on");
        assert_eq!(of("gcp.bucket", "2026-02-22"), Ok((0, at("2026-02-22T00:00:00Z"))), "37 days ago");
        assert_eq!(of("github.audit_event", "2026-02-22"), Ok((1, at("2026-02-16T00:00:00Z"))));
        assert_eq!(of("github.branch", "2026-03-29"), Ok((0, at("2026-03-29T00:00:00Z"))), "gone with the night");
        // 178 days back is 2025-10-04: the log still has the end of these slots, and has lost the beginning of two.
        assert_eq!(of_slot(Frequency::Monthly, "github.audit_event", "2025-11-30"), Ok((1, at("2025-11-01T00:00:00Z"))));
        assert_eq!(of_slot(Frequency::Monthly, "github.audit_event", "2025-10-31").map(|(controls, _start)| controls), Ok(0));
        assert_eq!(of("github.audit_event", "2025-10-05").map(|(controls, _start)| controls), Ok(0));
        assert_eq!(of_slot(Frequency::Daily, "github.audit_event", "2025-10-05").map(|(controls, _start)| controls), Ok(1));
        assert!(of("github.audit_event", "2025-09-01").is_err_and(|error| error.contains("178 days")));
    }
}
