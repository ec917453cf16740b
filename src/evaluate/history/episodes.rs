//! The times in which resources failed, from a history.

use crate::evaluate::history::{History, Mark, State, Track};
use crate::model::{Digest, Period};
use crate::model::{Episode, EpisodeOutcome, Sighting};

/// The episodes that a period touches, by control, resource, and when they were first seen. One that is open at the end of the period is open, whatever came later.
#[must_use]
pub fn episodes(history: &History, period: Period) -> Vec<Episode> {
    let until = (0_u32..).zip(&history.runs).take_while(|(_place, run)| run.shows < period.end()).count();
    let Ok(until) = u32::try_from(until) else { return Vec::new() };
    let mut found = Vec::new();
    for track in &history.tracks {
        let of_track = of_track(history, track, until);
        found.extend(of_track.into_iter().filter(|episode| episode.ended.as_ref().is_none_or(|ended| ended.at >= period.start())));
    }
    found.sort_by(|a, b| (&a.control, &a.resource, a.test, a.first_seen.at).cmp(&(&b.control, &b.resource, b.test, b.first_seen.at)));
    found
}

/// A mark, and the run from which on something else was said, or the first that does not count any more.
type Spell<'h> = (&'h Mark, u32);

/// One failure in the making.
#[derive(Debug, Clone, Copy)]
struct Span<'h> {
    good: Option<Spell<'h>>,
    first: &'h Mark,
    failing: Spell<'h>,
}

fn of_track(history: &History, track: &Track, until: u32) -> Vec<Episode> {
    let mut found: Vec<Episode> = Vec::new();
    let mut span: Option<Span<'_>> = None;
    let mut good = None;
    let marks: Vec<&Mark> = track.marks().take_while(|mark| mark.run < until).collect();
    let ends = marks.iter().skip(1).map(|mark| mark.run).chain([until]);
    for spell in marks.iter().copied().zip(ends) {
        match spell.0.state {
            State::Fail | State::Waived => span = Some(span.map_or(Span { good, first: spell.0, failing: spell }, |span| Span { failing: spell, ..span })),
            State::Undetermined | State::Unseen => {}
            State::Pass | State::NotApplicable | State::Gone => {
                found.extend(span.take().and_then(|span| episode(history, track, span, (Some(spell.0), until))));
                good = Some(spell).filter(|(mark, _end)| mark.state != State::Gone);
            }
        }
    }
    found.extend(span.and_then(|span| episode(history, track, span, (None, until))));
    let (mut cured, count) = (false, found.len());
    for (place, episode) in (1..).zip(&mut found) {
        episode.again = cured;
        let is_fixed = episode.outcome == EpisodeOutcome::Fixed;
        cured |= is_fixed;
        episode.came_back = is_fixed && place < count;
    }
    found
}

fn episode(history: &History, track: &Track, span: Span<'_>, (ended, until): (Option<&Mark>, u32)) -> Option<Episode> {
    let control = history.control(track)?;
    let resource = history.names.text(track.resource);
    let first_seen = sighting(history, span.first.run, span.first)?;
    let text = format!("{control}\n{}\n{resource}\n{}", track.test, first_seen.run);
    let last = newest(history, track, span.failing);
    let outcome = match ended.map(|mark| mark.state) {
        Some(State::Pass) => EpisodeOutcome::Fixed,
        Some(State::NotApplicable) => EpisodeOutcome::OutOfScope,
        Some(State::Gone) => EpisodeOutcome::Gone,
        Some(State::Fail | State::Waived | State::Undetermined | State::Unseen) | None => EpisodeOutcome::Open,
    };
    let untold = (last + 1..ended.map_or(until, |mark| mark.run)).filter(|run| history.definition(*run, track.control).is_some()).count();
    Some(Episode {
        id: Digest::of(text.as_bytes()).short(),
        test: track.test,
        kind: history.names.text(track.kind).to_owned(),
        resource: resource.parse().ok()?,
        name: history.names.text(track.name).to_owned(),
        last_good: span.good.and_then(|good| sighting(history, newest(history, track, good), good.0)),
        last_seen: sighting(history, last, span.failing.0)?,
        because: history.names.text(span.first.because).to_owned(),
        outcome,
        ended: ended.and_then(|mark| sighting(history, mark.run, mark)),
        untold: u32::try_from(untold).unwrap_or(u32::MAX),
        waived: span.failing.0.state == State::Waived,
        again: false,
        came_back: false,
        redefined: ended.is_some_and(|mark| history.definition(mark.run, track.control) != history.definition(last, track.control)),
        first_seen,
        control,
    })
}

/// The newest run of a spell: the last before its end that judged the control.
fn newest(history: &History, track: &Track, (mark, end): Spell<'_>) -> u32 {
    history.judged_before(end, track.control).map_or(mark.run, |newest| newest.max(mark.run))
}

/// What `mark` says as of a run from which on it held, or in which it held still.
fn sighting(history: &History, run: u32, mark: &Mark) -> Option<Sighting> {
    let judged = history.run(run)?;
    let evidence = if run == mark.run { history.lists.list(mark.evidence).to_vec() } else { Vec::new() };
    Some(Sighting { run: judged.run.clone(), at: judged.shows, evidence, evaluation: judged.evaluation })
}
