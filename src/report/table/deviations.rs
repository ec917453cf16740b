//! The deviation register: each time in which a resource failed a control.

use std::collections::BTreeMap;

use crate::model::Control;
use crate::model::{Episode, Sighting};
use crate::report::reading::Reading;
use crate::report::table::Table;
use crate::report::table::cell::{Cell, blank, list, number, optional, text};
use crate::report::words::instant;

/// One row an episode.
pub(crate) fn deviations(reading: &Reading<'_>) -> Table {
    let controls: BTreeMap<_, _> = reading.assessment.controls.iter().map(|of| (&of.control.id, &of.control)).collect();
    Table {
        name: "deviations".to_owned(),
        query: "each time in which a resource failed a test of a control and that the period touches, cured ones included, from all sealed runs until the period ends",
        columns: &[
            "deviation_id",
            "control_id",
            "test",
            "severity",
            "owner",
            "resource_kind",
            "resource_id",
            "resource_name",
            "last_good",
            "last_good_run",
            "first_seen",
            "first_seen_run",
            "last_seen",
            "last_seen_run",
            "outcome",
            "ended",
            "retest_run",
            "hours_lasted",
            "days_allowed",
            "within_time",
            "waived",
            "tickets",
            "failed_before",
            "came_back",
            "definition_changed",
            "runs_untold",
            "because",
            "first_evidence",
            "first_evaluation_sha256",
            "retest_evidence",
            "retest_evaluation_sha256",
        ],
        rows: reading.assessment.episodes.iter().map(|episode| row(reading, episode, controls.get(&episode.control).copied())).collect(),
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
    sighting.map_or_else(|| [blank(), blank()], |sighting| [text(instant(sighting.at)), text(sighting.run.as_str())])
}

fn evidence(sighting: Option<&Sighting>) -> [Cell; 2] {
    sighting.map_or_else(|| [blank(), blank()], |sighting| [list(&sighting.evidence), text(sighting.evaluation.to_string())])
}
