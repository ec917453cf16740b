//! The slots of a control over an audit period, by what was declared when they were due. Pure.
//!
//! Where a control's frequency or schedule changed, the new one counts from the first run that had it. A slot of the old one that was under way then is kept where something
//! had run in it, and is none otherwise: nobody promised it any more.

use chrono::{DateTime, Utc};

use crate::cli::assess::Brief;
use crate::cli::index::Judged;
use crate::model::assessment::Due;
use crate::model::{Control, ControlId, Period, Slot, SlotRow, SlotState};

/// From when on a control was due in a certain way.
struct Segment<'a> {
    control: &'a Control,
    run: &'a Judged,
    since: DateTime<Utc>,
}

/// The slots of a control that runs judged; `judged` are those, in the order of what they show, those before the period too.
#[must_use]
pub fn of_control(brief: &Brief, current: &Control, judged: &[&Judged]) -> Vec<SlotRow> {
    let segments = segments(judged.iter().copied(), &current.id);
    let began = began(judged.iter().copied()).unwrap_or(brief.now);
    let mut rows = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        let since = if place == 0 { brief.period.start() } else { segment.since.max(brief.period.start()) };
        let until = segments.get(place.saturating_add(1)).map(|next| next.since);
        let Ok(within) = Period::new(since, until.unwrap_or(brief.period.end()).min(brief.period.end())) else { continue };
        for slot in segment.control.slots_in(within, brief.zone) {
            let is_ours = |run: &&&Judged| {
                let shows = run.sealed.manifest.shows();
                slot.period.contains(shows) && until.is_none_or(|until| shows < until) && (place == 0 || shows >= segment.since)
            };
            let inside: Vec<&Judged> = judged.iter().filter(is_ours).copied().collect();
            let is_cut = until.is_some_and(|until| slot.period.end() > until);
            if !(is_cut && inside.is_empty()) {
                rows.push(row(brief, segment.control, slot, &inside, began));
            }
        }
    }
    rows
}

/// The slots of a control that no run has judged yet.
#[must_use]
pub fn of_unjudged(brief: &Brief, control: &Control, all: &[Judged]) -> Vec<SlotRow> {
    let began = began(all.iter()).unwrap_or(brief.now);
    control.slots_in(brief.period, brief.zone).into_iter().map(|slot| row(brief, control, slot, &[], began)).collect()
}

/// When a control was due, as runs of the period had it, oldest first.
#[must_use]
pub fn schedules(within: &[&Judged], id: &ControlId) -> Vec<Due> {
    let due = |segment: Segment<'_>| Due { run: segment.run.sealed.manifest.run.clone(), since: segment.since, words: words(segment.control) };
    segments(within.iter().copied(), id).into_iter().map(due).collect()
}

fn words(control: &Control) -> String {
    let mut words = control.frequency.to_string();
    if let Some(weekday) = control.weekday {
        words = format!("{words} from {}", weekday.as_str());
    }
    if let Some(schedule) = &control.schedule {
        words = format!("{words} at {schedule}");
    }
    control.starts.map_or(words.clone(), |starts| format!("{words} since {starts}"))
}

/// A reconstruction has the definitions of the day on which somebody made it, which were not in force on the day that it shows: it says nothing here, unless there is nothing else.
fn segments<'a>(judged: impl Iterator<Item = &'a Judged>, id: &ControlId) -> Vec<Segment<'a>> {
    let judged: Vec<&Judged> = judged.collect();
    let only_reconstructed = judged.iter().all(|run| run.is_reconstruction());
    let mut segments: Vec<Segment<'a>> = Vec::new();
    for run in judged.into_iter().filter(|run| only_reconstructed || !run.is_reconstruction()) {
        let Some(control) = run.control(id) else { continue };
        if segments.last().is_none_or(|last| cadence(last.control) != cadence(control)) {
            segments.push(Segment { control, run, since: run.sealed.manifest.shows() });
        }
    }
    segments
}

/// What says when a control is due.
fn cadence(control: &Control) -> impl PartialEq {
    (control.frequency, control.weekday, control.schedule.clone(), control.starts)
}

/// When something first ran: a reconstruction is no promise kept.
fn began<'a>(mut runs: impl Iterator<Item = &'a Judged>) -> Option<DateTime<Utc>> {
    runs.find(|run| !run.is_reconstruction()).map(|run| run.sealed.manifest.started_at)
}

fn row(brief: &Brief, control: &Control, slot: Slot, inside: &[&Judged], began: DateTime<Utc>) -> SlotRow {
    let ran = || inside.iter().filter(|run| !run.is_reconstruction());
    let first = ran().map(|run| run.sealed.manifest.started_at).min();
    let late = first.zip(control.late_from(&slot, brief.zone)).is_some_and(|(first, late_from)| first > late_from);
    // With a declared start, that is when the promise begins, whether or not anything ran.
    let is_before = if control.starts.is_some() { control.is_before_start(&slot, brief.zone) } else { slot.period.end() <= began };
    let state = match SlotState::worst(ran().filter_map(|run| run.finding(&control.id))) {
        Some(SlotState::Pass) if late => SlotState::Late,
        Some(worst) => worst,
        None if !inside.is_empty() => SlotState::Reconstructed,
        None if is_before => SlotState::BeforeStart,
        None if slot.period.end() <= brief.now => SlotState::NotRun,
        None => SlotState::Pending,
    };
    SlotRow { state, late, runs: inside.iter().map(|run| run.sealed.manifest.run.clone()).collect(), slot }
}
