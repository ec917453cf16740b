//! The deviation register: each time in which a resource failed a control.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::Control;
use crate::model::{Episode, Sighting};
use crate::report::reading::Reading;
use crate::report::table::Kind::{Flag, Instant, Number, Text};
use crate::report::table::cell::{Cell, blank, instant, list, number, optional, text};
use crate::report::table::{Rows, Table};

/// One row an episode.
pub(crate) fn deviations<'a>(reading: &'a Reading<'a>) -> Table<'a> {
    let controls: Rc<BTreeMap<_, _>> = Rc::new(reading.assessment.controls.iter().map(|of| (&of.control.id, &of.control)).collect());
    Table {
        name: "deviations".to_owned(),
        query: "each time in which a resource failed a test of a control and that the period touches, cured ones included, from all sealed runs until the period ends",
        columns: &[
            ("deviation_id", Text),
            ("control_id", Text),
            ("test", Number),
            ("severity", Text),
            ("owner", Text),
            ("resource_kind", Text),
            ("resource_id", Text),
            ("resource_name", Text),
            ("last_good", Instant),
            ("last_good_run", Text),
            ("first_seen", Instant),
            ("first_seen_run", Text),
            ("last_seen", Instant),
            ("last_seen_run", Text),
            ("outcome", Text),
            ("ended", Instant),
            ("retest_run", Text),
            ("hours_lasted", Number),
            ("days_allowed", Number),
            ("within_time", Flag),
            ("waived", Flag),
            ("tickets", Text),
            ("failed_before", Flag),
            ("came_back", Flag),
            ("definition_changed", Flag),
            ("runs_untold", Number),
            ("because", Text),
            ("first_evidence", Text),
            ("first_evaluation_sha256", Text),
            ("retest_evidence", Text),
            ("retest_evaluation_sha256", Text),
        ],
        rows: Rows::of(move || {
            let controls = Rc::clone(&controls);
            reading.assessment.episodes.iter().map(move |episode| row(reading, episode, controls.get(&episode.control).copied()))
        }),
    }
}

fn row(reading: &Reading<'_>, episode: &Episode, control: Option<&Control>) -> Vec<Cell> {
    let now = reading.ends();
    let allowed = control.and_then(|control| reading.days_allowed(control.severity));
    let mut row = vec![
        text(&episode.id),
        text(episode.control.as_str()),
        number(episode.test),
        optional(control.map(|control| control.severity.as_str())),
        optional(control.map(|control| &control.owner)),
        text(&episode.kind),
        text(episode.resource.as_str()),
        text(&episode.name),
    ];
    for sighting in [episode.last_good.as_ref(), Some(&episode.first_seen), Some(&episode.last_seen)] {
        row.extend(seen(sighting));
    }
    row.push(text(episode.outcome.as_str()));
    row.extend(seen(episode.ended.as_ref()));
    row.extend([
        number(episode.lasted(now).num_hours()),
        allowed.map_or_else(blank, number),
        episode.within(allowed, now).map_or_else(blank, Cell::from),
        Cell::from(episode.waived),
        list(reading.tickets(episode)),
        Cell::from(episode.again),
        Cell::from(episode.came_back),
        Cell::from(episode.redefined),
        number(episode.untold),
        text(&episode.because),
    ]);
    row.extend(evidence(Some(&episode.first_seen)));
    row.extend(evidence(episode.ended.as_ref()));
    row
}

fn seen(sighting: Option<&Sighting>) -> [Cell; 2] {
    sighting.map_or_else(|| [blank(), blank()], |sighting| [instant(sighting.at), text(sighting.run.as_str())])
}

fn evidence(sighting: Option<&Sighting>) -> [Cell; 2] {
    sighting.map_or_else(|| [blank(), blank()], |sighting| [list(&sighting.evidence), text(sighting.evaluation.to_string())])
}
