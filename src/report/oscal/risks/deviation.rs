//! A deviation of the register as a risk, with its history.

use chrono::TimeDelta;

use crate::model::{Control, Episode, EpisodeOutcome, Sighting};
use crate::report::oscal::observations::Observations;
use crate::report::oscal::parts::{Props, Related, YesNo, title, uuid};
use crate::report::oscal::risks::{Entry, Response, Risk, RiskLog, severity, statement};
use crate::report::reading::Reading;
use crate::report::words::instant;

/// The risk that one deviation is.
pub(crate) fn risk<'a>(reading: &Reading<'a>, episode: &'a Episode, control: Option<&Control>, observations: &Observations<'a>) -> Risk {
    let now = reading.ends();
    let allowed = control.and_then(|control| reading.days_allowed(control.severity));
    let within = episode.within(allowed, now).map(YesNo);
    let status = match (episode.outcome, episode.waived) {
        (EpisodeOutcome::Open, true) => "deviation-approved",
        (EpisodeOutcome::Open, false) => "open",
        (EpisodeOutcome::Fixed | EpisodeOutcome::OutOfScope | EpisodeOutcome::Gone, _) => "closed",
    };
    // What was observed of the resource belongs to it as long as it is open; a resource that is failing again has a deviation of its own.
    let related = observations.of_resource(&episode.control, episode.test, &episode.resource).filter(|_uuid| episode.outcome == EpisodeOutcome::Open);
    let cure = control.filter(|_control| episode.outcome == EpisodeOutcome::Open).map(|control| Response {
        uuid: uuid(&["cure", &episode.id]),
        lifecycle: "recommendation",
        title: "Cure",
        description: title(&control.fix),
        props: Props::default().defined("type", "mitigate"),
    });
    Risk {
        uuid: uuid(&["deviation", &episode.id]),
        title: format!("{}, test {}: {}", episode.control, episode.test, title(&episode.name)),
        description: format!("It fails: {}", title(&episode.because)),
        statement: statement(control),
        props: Props::default()
            .with("deviation-id", &episode.id)
            .with("control-id", &episode.control)
            .with("test", episode.test)
            .with("kind", &episode.kind)
            .with("resource-id", &episode.resource)
            .with("outcome", episode.outcome.as_str())
            .with("hours-lasted", episode.lasted(now).num_hours())
            .maybe("days-allowed", allowed)
            .maybe("within-time", within)
            .with("waived", YesNo(episode.waived))
            .with("failed-before", YesNo(episode.again))
            .with("came-back", YesNo(episode.came_back))
            .with("definition-changed", YesNo(episode.redefined))
            .with("runs-untold", episode.untold),
        status,
        characterizations: severity(reading, control.map(|control| control.severity)),
        mitigating_factors: Vec::new(),
        deadline: allowed.map(|days| instant(episode.first_seen.at + TimeDelta::days(days.into()))),
        remediations: cure.into_iter().collect(),
        risk_log: Some(RiskLog { entries: history(episode) }),
        related_observations: related.map(|uuid| Related::to(uuid)).into_iter().collect(),
    }
}

/// Good, first seen, last seen, ended: each with the run that says so.
fn history(episode: &Episode) -> Vec<Entry> {
    let ended = match episode.outcome {
        EpisodeOutcome::Open => "Ended",
        EpisodeOutcome::Fixed => "Fixed: the re-test passes",
        EpisodeOutcome::OutOfScope => "Out of scope: the control does not apply to it any more",
        EpisodeOutcome::Gone => "Gone: a complete population does not hold it any more",
    };
    let entry = |title: &'static str, kind: Option<&'static str>, sighting: &Sighting, status_change| Entry {
        uuid: uuid(&["log", &episode.id, title, sighting.run.as_str()]),
        title,
        start: instant(sighting.at),
        props: kind
            .into_iter()
            .fold(Props::default(), |props, kind| props.defined("type", kind))
            .with("run", &sighting.run)
            .with("evaluation-sha256", sighting.evaluation),
        status_change,
    };
    let good = episode.last_good.as_ref().map(|at| entry("Last seen good", None, at, None));
    let first = entry("First seen failing", None, &episode.first_seen, Some("open"));
    let last = (episode.last_seen.run != episode.first_seen.run).then(|| entry("Last seen failing", Some("status-update"), &episode.last_seen, None));
    let kind = if episode.outcome == EpisodeOutcome::Fixed { "remediated" } else { "closed" };
    let ended = episode.ended.as_ref().map(|at| entry(ended, Some(kind), at, Some("closed")));
    good.into_iter().chain([first]).chain(last).chain(ended).collect()
}
