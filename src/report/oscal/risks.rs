//! What is at risk: each deviation of the register, cured ones included, and each waiver.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use serde::Serialize;

use crate::model::{Control, ControlId, Episode, EpisodeOutcome, Severity, Sighting, WaiverStanding, WaiverUse};
use crate::report::oscal::observations::Observations;
use crate::report::oscal::parts::{Origin, Props, Related, YesNo, title, uuid};
use crate::report::reading::Reading;
use crate::report::words::{instant, plural};

/// Where OSCAL's own facets are defined.
const FACETS: &str = "http://csrc.nist.gov/ns/oscal";

/// One of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Risk {
    uuid: String,
    title: String,
    description: String,
    statement: String,
    props: Props,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    characterizations: Vec<Characterization>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mitigating_factors: Vec<Mitigation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remediations: Vec<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk_log: Option<RiskLog>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_observations: Vec<Related>,
}

#[derive(Debug, Serialize)]
struct Characterization {
    origin: Origin,
    facets: [Facet; 1],
}

#[derive(Debug, Serialize)]
struct Facet {
    name: &'static str,
    system: &'static str,
    value: &'static str,
}

#[derive(Debug, Serialize)]
struct Mitigation {
    uuid: String,
    description: String,
}

#[derive(Debug, Serialize)]
struct Response {
    uuid: String,
    lifecycle: &'static str,
    title: &'static str,
    description: String,
    props: Props,
}

#[derive(Debug, Serialize)]
struct RiskLog {
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    uuid: String,
    title: &'static str,
    start: String,
    props: Props,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_change: Option<&'static str>,
}

/// All risks, and which of them are not closed.
#[derive(Default)]
pub(crate) struct Risks<'a> {
    /// Deviations first.
    pub(crate) all: Vec<Risk>,
    open: BTreeMap<&'a ControlId, Vec<String>>,
}

impl<'a> Risks<'a> {
    /// Those of an assessment.
    pub(crate) fn of(reading: &Reading<'a>, observations: &Observations<'a>) -> Self {
        let of = reading.assessment;
        let controls: BTreeMap<&ControlId, &Control> = of.controls.iter().map(|of| (&of.control.id, &of.control)).collect();
        let mut risks = Self::default();
        for episode in &of.episodes {
            let related = observations.of_resource(&episode.control, episode.test, &episode.resource).filter(|_uuid| episode.outcome == EpisodeOutcome::Open);
            risks.add(&episode.control, deviation(reading, episode, controls.get(&episode.control).copied(), related));
        }
        for waiver in &of.waivers {
            risks.add(&waiver.waiver.control, waived(reading, waiver, controls.get(&waiver.waiver.control).copied()));
        }
        risks
    }

    /// The names of a control's risks that are not closed.
    pub(crate) fn open_of(&self, control: &ControlId) -> &[String] {
        self.open.get(control).map(Vec::as_slice).unwrap_or_default()
    }

    fn add(&mut self, control: &'a ControlId, risk: Risk) {
        if risk.status != "closed" {
            self.open.entry(control).or_default().push(risk.uuid.clone());
        }
        self.all.push(risk);
    }
}

fn severity(reading: &Reading<'_>, severity: Option<Severity>) -> Vec<Characterization> {
    let facets = severity.map(|severity| [Facet { name: "severity", system: FACETS, value: severity.as_str() }]);
    facets.map(|facets| Characterization { origin: Origin::tool(&reading.assessment.tool), facets }).into_iter().collect()
}

fn deviation(reading: &Reading<'_>, episode: &Episode, control: Option<&Control>, related: Option<&String>) -> Risk {
    let now = reading.ends();
    let allowed = control.and_then(|control| reading.days_allowed(control.severity));
    let within = episode.within(allowed, now).map(YesNo);
    let status = match (episode.outcome, episode.waived) {
        (EpisodeOutcome::Open, true) => "deviation-approved",
        (EpisodeOutcome::Open, false) => "open",
        (EpisodeOutcome::Fixed | EpisodeOutcome::OutOfScope | EpisodeOutcome::Gone, _) => "closed",
    };
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
        statement: control.map_or_else(|| "No run of the period judged the control.".to_owned(), |control| title(&control.why)),
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

fn waived(reading: &Reading<'_>, of: &WaiverUse, control: Option<&Control>) -> Risk {
    let waiver = &of.waiver;
    let id = waiver.id.as_str();
    let status = match of.standing {
        WaiverStanding::InForce | WaiverStanding::NotYet => "deviation-approved",
        WaiverStanding::Expired | WaiverStanding::Withdrawn => "closed",
    };
    let acceptance = Response {
        uuid: uuid(&["acceptance", id]),
        lifecycle: "completed",
        title: "Acceptance",
        description: format!("Requested by {}, approved by {}.", title(&waiver.requested_by), title(&waiver.approved_by)),
        props: Props::default().defined("type", "accept"),
    };
    let compensating = waiver.compensating.as_ref().map(|text| Mitigation { uuid: uuid(&["compensating", id]), description: title(text) });
    Risk {
        uuid: uuid(&["waiver", id]),
        title: format!("Waiver {id}: failures of {} are accepted", waiver.control),
        description: format!("Reason: {}\n\nIt covers resources whose ids match {}.", title(&waiver.reason), title(&waiver.resource)),
        statement: control.map_or_else(|| "No run of the period judged the control.".to_owned(), |control| title(&control.why)),
        props: Props::default()
            .with("waiver-id", id)
            .with("control-id", &waiver.control)
            .with("resource-pattern", &waiver.resource)
            .with("standing", of.standing.as_str())
            .with("requested-by", &waiver.requested_by)
            .with("approved-by", &waiver.approved_by)
            .with("approved-on", waiver.approved_on)
            .with("expires-on", waiver.expires_on)
            .with("ticket", &waiver.ticket)
            .maybe("renews", waiver.renews.as_ref())
            .each("renewed-by", &of.renewed_by)
            .with("failures-waived", of.failures)
            .with("unused", YesNo(of.is_unused()))
            .with("retroactive", YesNo(of.retroactive.is_some()))
            .with("used", plural(u64::try_from(of.runs.len()).unwrap_or(u64::MAX), "run"))
            .with("definition-file", &waiver.file),
        status,
        characterizations: severity(reading, control.map(|control| control.severity)),
        mitigating_factors: compensating.into_iter().collect(),
        deadline: end_of(waiver.expires_on, &reading.assessment.time_zone),
        remediations: vec![acceptance],
        risk_log: None,
        related_observations: Vec::new(),
    }
}

/// When a day of the audit calendar is over; none where its zone is not known.
fn end_of(day: NaiveDate, zone: &str) -> Option<String> {
    let zone: Tz = zone.parse().ok()?;
    let next = day.succ_opt()?.and_hms_opt(0, 0, 0)?;
    Some(instant(next.and_local_timezone(zone).earliest()?.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_day_ends_on_the_audit_calendar() {
        let day = "2027-01-31".parse().expect("a day");
        assert_eq!(end_of(day, "Europe/Berlin").as_deref(), Some("2027-01-31T23:00:00Z"));
        assert_eq!(end_of(day, "Mars/Olympus"), None);
    }
}
