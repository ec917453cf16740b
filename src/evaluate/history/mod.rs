//! What all runs said of every resource, kept as changes: the interval index.
//!
//! It is fed sealed observations, run by run in the order of the instants that they show, and answers a year from what changed in it. It holds nothing that the sealed
//! evaluations do not, so it can be thrown away and built again. Left out: where it lies (`cli`), slots, and why a control as a whole was not satisfied.

mod bytes;
mod episodes;
mod names;
#[cfg(test)]
mod tests;
mod verdicts;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use episodes::episodes;
pub use verdicts::Verdicts;

use crate::evaluate::history::names::{List, Lists, Name, Names};
use crate::model::{Control, ControlId, Digest, Observation, Population, RunId, Verdict};

/// What a run said, or did not, of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Pass,
    Fail,
    Waived,
    NotApplicable,
    Undetermined,
    /// It was not there, and the population was whole.
    Gone,
    /// It was not there, and the population was not whole, or is never of all that there is.
    Unseen,
}

impl From<Verdict> for State {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Waived => Self::Waived,
            Verdict::NotApplicable => Self::NotApplicable,
            Verdict::Undetermined => Self::Undetermined,
        }
    }
}

/// A run that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) run: RunId,
    /// The instant that it shows.
    pub(crate) shows: DateTime<Utc>,
    /// SHA-256 of the sealed evaluation.
    pub(crate) evaluation: Digest,
    /// The controls that it judged, with the digest of each definition.
    controls: Vec<(Name, Name)>,
}

/// From which run on something is said of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Place in `runs`.
    pub(crate) run: u32,
    pub(crate) state: State,
    because: Name,
    evidence: List,
}

/// One test of one control and one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Track {
    control: Name,
    test: u32,
    kind: Name,
    resource: Name,
    /// As it was called last.
    name: Name,
    first: Mark,
    /// Only where it changed, oldest first. Of most tracks there is none.
    later: Box<[Mark]>,
}

impl Track {
    /// Oldest first.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &Mark> {
        std::iter::once(&self.first).chain(&self.later)
    }

    fn last(&self) -> &Mark {
        self.later.last().unwrap_or(&self.first)
    }

    fn push(&mut self, mark: Mark) {
        let mut later = std::mem::take(&mut self.later).into_vec();
        later.reserve_exact(1);
        later.push(mark);
        self.later = later.into_boxed_slice();
    }
}

/// What is known of a track while runs are taken in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Visit {
    /// The last run that had a row of it, from 1.
    seen_in: u32,
    /// The track whose row followed the last time: rows come in the same order night after night.
    next: u32,
}

/// The changes of all observations over all runs.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    names: Names,
    lists: Lists,
    runs: Vec<Judged>,
    tracks: Vec<Track>,
    #[serde(skip)]
    places: BTreeMap<(Name, u32, Name), u32>,
    /// Of each track; not stored, as places are not.
    #[serde(skip)]
    visits: Vec<Visit>,
}

/// A run shows an earlier instant than one that was taken in already: build the history again, in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("run {run} shows an earlier instant than a run before it")]
pub struct OutOfOrder {
    run: RunId,
}

/// The bytes are not a history: throw them away and build it again.
#[derive(Debug, thiserror::Error)]
#[error("the index cannot be read: {0}")]
pub struct NotAHistory(String);

/// What is known of a run beside its observations.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The instant that it shows, UTC.
    pub shows: DateTime<Utc>,
    /// SHA-256 of its sealed evaluation.
    pub evaluation: Digest,
    /// The controls that it judged, as they were.
    pub controls: &'a [Control],
    /// What it enumerated.
    pub populations: &'a [Population],
    /// The kinds of which a run shows what is new, so that one which a later run does not show may be there still.
    pub passing: &'a [&'a str],
}

/// A run that is being taken in: every observation of it, then `close`.
#[derive(Debug)]
pub struct Taking<'h> {
    history: &'h mut History,
    run: u32,
    /// The tests whose population was of all that there is, by control.
    whole: BTreeMap<Name, Vec<u32>>,
    before: Option<u32>,
}

impl History {
    /// The runs that were taken in, oldest first, each with the SHA-256 of its evaluation.
    pub fn runs(&self) -> impl Iterator<Item = (&RunId, Digest)> {
        self.runs.iter().map(|judged| (&judged.run, judged.evaluation))
    }

    /// How many resources × tests it follows.
    #[must_use]
    pub fn tracks(&self) -> usize {
        self.tracks.len()
    }

    /// Begins to take in a run.
    ///
    /// # Errors
    /// `OutOfOrder`.
    pub fn take(&mut self, told: &Told<'_>) -> Result<Taking<'_>, OutOfOrder> {
        if self.runs.last().is_some_and(|last| told.shows < last.shows) {
            return Err(OutOfOrder { run: told.run.clone() });
        }
        self.place_all();
        let mut whole = BTreeMap::new();
        let mut controls = Vec::new();
        for control in told.controls {
            let name = self.names.of(control.id.as_str());
            controls.push((name, self.names.of(&control.digest.to_string())));
            let shows_all = |kind: &str| !told.passing.contains(&kind) && Population::is_whole(told.populations, kind);
            let of_tests = (1_u32..).zip(&control.tests).filter(|(_number, test)| shows_all(&test.population));
            whole.insert(name, of_tests.map(|(number, _test)| number).collect());
        }
        controls.sort_unstable();
        let run = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        self.runs.push(Judged { run: told.run.clone(), shows: told.shows, evaluation: told.evaluation, controls });
        Ok(Taking { history: self, run, whole, before: None })
    }

    /// Where each track is found; they are not stored, since reports do not need them.
    fn place_all(&mut self) {
        if self.places.len() != self.tracks.len() {
            let places = (0..).zip(&self.tracks).map(|(place, track)| ((track.control, track.test, track.resource), place));
            self.places = places.collect();
        }
        self.visits.resize(self.tracks.len(), Visit::default());
    }
}

impl Taking<'_> {
    /// Takes in one observation.
    pub fn see(&mut self, seen: &Observation) {
        let place = self.expected(seen).unwrap_or_else(|| self.find(seen));
        let previous = self.before.replace(place);
        let History { names, lists, tracks, visits, .. } = &mut *self.history;
        if let Some(previous) = previous.and_then(|previous| at(visits, previous)) {
            previous.next = place;
        }
        let (Some(track), Some(visit)) = (at(tracks, place), at(visits, place)) else { return };
        visit.seen_in = self.run + 1;
        if names.text(track.name) != &*seen.name {
            track.name = names.of(&seen.name);
        }
        let state = State::from(seen.verdict);
        if track.last().state != state {
            let because = names.of(&seen.because);
            track.push(Mark { run: self.run, state, because, evidence: lists.of(&seen.evidence) });
        }
    }

    /// The track that followed the one before in the last run, where it is that of this observation.
    fn expected(&self, seen: &Observation) -> Option<u32> {
        let History { names, tracks, visits, .. } = &*self.history;
        let place = match self.before {
            None => 0,
            Some(before) => visits.get(usize::try_from(before).ok()?)?.next,
        };
        let track = tracks.get(usize::try_from(place).ok()?)?;
        let is_it = track.test == seen.test && names.text(track.resource) == seen.resource.as_str() && names.text(track.control) == seen.control.as_str();
        is_it.then_some(place)
    }

    fn find(&mut self, seen: &Observation) -> u32 {
        let History { names, lists, tracks, visits, places, .. } = &mut *self.history;
        let (control, resource) = (names.of(seen.control.as_str()), names.of(seen.resource.as_str()));
        *places.entry((control, seen.test, resource)).or_insert_with(|| {
            let (kind, name, because) = (names.of(&seen.kind), names.of(&seen.name), names.of(&seen.because));
            let first = Mark { run: self.run, state: State::from(seen.verdict), because, evidence: lists.of(&seen.evidence) };
            tracks.push(Track { control, test: seen.test, kind, resource, name, first, later: Box::default() });
            visits.push(Visit::default());
            u32::try_from(tracks.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Ends the run: what its controls had seen before and it did not is gone, or, where the population was not whole, not known.
    pub fn close(self) {
        let Self { history, run, whole, .. } = self;
        let (nothing, none) = (history.names.of(""), history.lists.of(&[]));
        for (track, _visit) in history.tracks.iter_mut().zip(&history.visits).filter(|(_track, visit)| visit.seen_in != run + 1) {
            let Some(tests) = whole.get(&track.control) else { continue };
            let last = track.last().state;
            let state = if last == State::Gone || tests.contains(&track.test) { State::Gone } else { State::Unseen };
            if last != state {
                track.push(Mark { run, state, because: nothing, evidence: none });
            }
        }
    }
}

fn at<T>(held: &mut [T], place: u32) -> Option<&mut T> {
    held.get_mut(usize::try_from(place).ok()?)
}

impl History {
    /// The definition of a control in a run; none where that did not judge it.
    fn definition(&self, run: u32, control: Name) -> Option<Name> {
        let judged = self.run(run)?;
        let place = judged.controls.binary_search_by_key(&control, |(control, _definition)| *control).ok()?;
        judged.controls.get(place).map(|(_control, definition)| *definition)
    }

    fn run(&self, run: u32) -> Option<&Judged> {
        self.runs.get(usize::try_from(run).ok()?)
    }

    /// The newest run before `run` that judged a control.
    fn judged_before(&self, run: u32, control: Name) -> Option<u32> {
        (0..run).rev().find(|earlier| self.definition(*earlier, control).is_some())
    }

    fn control(&self, track: &Track) -> Option<ControlId> {
        self.names.text(track.control).parse().ok()
    }
}
