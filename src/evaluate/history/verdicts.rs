//! Every verdict of every run, one by one, from a history: the rows that were fed, in another order.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

use crate::evaluate::history::names::Name;
use crate::evaluate::history::{History, Mark, State, Track};
use crate::model::{Period, Verdict, VerdictRow};

/// The verdicts of a history, by control, test and resource.
#[derive(Debug)]
pub struct Verdicts<'h> {
    history: &'h History,
    tracks: Vec<&'h Track>,
}

impl History {
    /// Its verdicts, put in order.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts<'_> {
        let mut tracks: Vec<&Track> = self.tracks.iter().collect();
        let key = |track: &Track| (self.names.text(track.control), track.test, self.names.text(track.resource));
        tracks.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        Verdicts { history: self, tracks }
    }

    /// The runs that show an instant of a period, by the controls that they judged.
    fn judged_within(&self, period: Period) -> BTreeMap<Name, Arc<[u32]>> {
        let mut judged: BTreeMap<Name, Vec<u32>> = BTreeMap::new();
        for (place, run) in (0..).zip(&self.runs).filter(|(_place, run)| period.contains(run.shows)) {
            for (control, _definition) in &run.controls {
                judged.entry(*control).or_default().push(place);
            }
        }
        judged.into_iter().map(|(control, runs)| (control, runs.into())).collect()
    }
}

impl<'h> Verdicts<'h> {
    /// Those of the runs that show an instant of a period, by control, test, resource and that instant. What a run did not see has no row of that run.
    pub fn within(&self, period: Period) -> impl Iterator<Item = VerdictRow<'h>> {
        let history = self.history;
        let judged = history.judged_within(period);
        self.tracks.iter().flat_map(move |track| {
            let runs = judged.get(&track.control).map(Arc::clone).unwrap_or_default();
            let mut marks = track.marks().peekable();
            let mut last = None;
            (0..runs.len()).filter_map(move |place| {
                let run = *runs.get(place)?;
                last = iter::from_fn(|| marks.next_if(|mark| mark.run <= run)).last().or(last);
                row(history, track, last?, run)
            })
        })
    }
}

fn row<'h>(history: &'h History, track: &'h Track, mark: &Mark, run: u32) -> Option<VerdictRow<'h>> {
    let verdict = said(mark.state)?;
    let judged = history.run(run)?;
    Some(VerdictRow {
        control: history.names.text(track.control),
        test: track.test,
        kind: history.names.text(track.kind),
        resource: history.names.text(track.resource),
        name: history.names.text(track.name),
        run: &judged.run,
        shows: judged.shows,
        verdict,
        since: &history.run(mark.run)?.run,
        evaluation: &judged.evaluation,
    })
}

/// The verdict; none where the resource was not there.
fn said(state: State) -> Option<Verdict> {
    match state {
        State::Pass => Some(Verdict::Pass),
        State::Fail => Some(Verdict::Fail),
        State::Waived => Some(Verdict::Waived),
        State::NotApplicable => Some(Verdict::NotApplicable),
        State::Undetermined => Some(Verdict::Undetermined),
        State::Gone | State::Unseen => None,
    }
}
