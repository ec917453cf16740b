//! `collect --reconstruct`: which controls a past day can still be told of, and until when. Pure.
//!
//! Only Cloud Asset Inventory remembers, and only for so long: what GitHub and single services tell is gone with the night. A reconstruction is a run of its own that
//! says so; it stands for a slot only where nothing ran in it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::cli::due::{Past, day_start, is_answered};
use crate::cli::exit::Failure;
use crate::collect::gcp::REMEMBERS;
use crate::collect::registry;
use crate::model::{Control, ControlId, Period};

/// What a run reconstructs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconstruction {
    /// The last second of the day: whatever was done about it on that day counts.
    pub as_of: DateTime<Utc>,
    /// The day.
    pub window: Period,
    /// Those whose slot is over, in which nothing ran, and that rest on what is remembered alone.
    pub controls: Vec<ControlId>,
}

/// A day that was missed and can be told of still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// How many controls nothing ran for.
    pub controls: usize,
    /// When it is forgotten.
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
    if as_of < now - REMEMBERS {
        let days = REMEMBERS.num_days();
        return Err(Failure::usage(format!("Cloud Asset Inventory remembers {days} days, and {day} is longer ago: its slots stay missed")));
    }
    let window = Period::new(day_start(day, zone), end).map_err(|error| Failure::usage(format!("{day} is no day: {error}")))?;
    let missed = |control: &&Control| {
        let slot = control.slot_at(as_of, zone);
        reaches_back(control) && slot.is_some_and(|slot| slot.period.end() <= now && !is_answered(past, control, &slot))
    };
    Ok(Reconstruction { as_of, window, controls: controls.iter().filter(missed).map(|control| control.id.clone()).collect() })
}

/// The last days of all slots since the first run in which nothing ran and that can be told of still.
#[must_use]
pub fn open(controls: &[Control], past: &[Past], now: DateTime<Utc>, zone: Tz) -> BTreeMap<NaiveDate, Open> {
    let mut days: BTreeMap<NaiveDate, Open> = BTreeMap::new();
    let began = past.iter().filter(|run| run.manifest.scope.as_of.is_none()).map(|run| run.manifest.started_at).min();
    let Some(Ok(remembered)) = began.map(|began| Period::new(began.max(now - REMEMBERS), now)) else { return days };
    for control in controls.iter().filter(|control| reaches_back(control)) {
        for slot in control.slots_in(remembered, zone) {
            let last = slot.period.end() - TimeDelta::seconds(1);
            if slot.period.end() <= now && last >= remembered.start() && !is_answered(past, control, &slot) {
                let open = days.entry(last.with_timezone(&zone).date_naive()).or_insert(Open { controls: 0, until: last + REMEMBERS });
                open.controls += 1;
            }
        }
    }
    days
}

/// Whether all that a control asks about is remembered.
#[must_use]
pub fn reaches_back(control: &Control) -> bool {
    control.tests.iter().all(|test| registry::find(&test.population).is_some_and(|collector| collector.reaches_back()))
}
