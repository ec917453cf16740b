//! One finding for each control: what its newest run of the period says, and how its slots went.

use serde::Serialize;

use crate::model::{ControlAssessment, Finding, WaivedFailures};
use crate::report::oscal::controls::objective;
use crate::report::oscal::observations::Observations;
use crate::report::oscal::parts::{Props, Related, markup, title, uuid};
use crate::report::oscal::risks::Risks;
use crate::report::reading::{self, Conclusion, Reading, SlotCounts};
use crate::report::words::instant;

/// One of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Found {
    uuid: String,
    title: String,
    description: String,
    props: Props,
    target: Target,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_observations: Vec<Related>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_risks: Vec<RelatedRisk>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Target {
    r#type: &'static str,
    target_id: String,
    status: Status,
}

#[derive(Debug, Serialize)]
struct Status {
    state: &'static str,
    reason: &'static str,
    remarks: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct RelatedRisk {
    risk_uuid: String,
}

/// Those of an assessment.
pub(crate) fn of(reading: &Reading<'_>, observations: &Observations<'_>, risks: &Risks<'_>) -> Vec<Found> {
    reading.assessment.controls.iter().map(|control| found(reading, control, observations, risks)).collect()
}

/// What is neither satisfied nor known to fail is not satisfied to OSCAL, and never satisfied.
fn status(conclusion: Conclusion) -> Status {
    match conclusion {
        Conclusion::Satisfied => Status { state: "satisfied", reason: "pass", remarks: "Everything in a complete population passes." },
        Conclusion::Waived => Status { state: "satisfied", reason: "other", remarks: "Approved waivers cover what fails; without them it is not satisfied." },
        Conclusion::NotSatisfied => Status { state: "not-satisfied", reason: "fail", remarks: "At least one member fails." },
        Conclusion::Undetermined => Status { state: "not-satisfied", reason: "other", remarks: "Undetermined: it could not be told. It is not known to fail." },
        Conclusion::NotRun => Status { state: "not-satisfied", reason: "other", remarks: "Not run: no run of the period judged it. It is not known to fail." },
    }
}

fn found(reading: &Reading<'_>, of: &ControlAssessment, observations: &Observations<'_>, risks: &Risks<'_>) -> Found {
    let control = &of.control;
    let latest = reading::latest(of);
    let run = latest.map_or("none", |(run, _finding)| run.as_str());
    let conclusion = reading::conclusion(of);
    Found {
        uuid: uuid(&["finding", run, control.id.as_str(), &control.digest.to_string()]),
        title: format!("{}: {}", control.id, title(&control.title)),
        description: description(conclusion, latest.map(|(_run, finding)| finding)),
        props: props(reading, of),
        target: Target { r#type: "objective-id", target_id: objective(control), status: status(conclusion) },
        related_observations: observations.of_control(&control.id).iter().map(|uuid| Related::to(uuid)).collect(),
        related_risks: risks.open_of(&control.id).iter().map(|uuid| RelatedRisk { risk_uuid: uuid.clone() }).collect(),
    }
}

fn description(conclusion: Conclusion, finding: Option<&Finding>) -> String {
    let said = match conclusion {
        Conclusion::Waived => "Satisfied with waivers.",
        Conclusion::Satisfied => "Satisfied.",
        Conclusion::NotSatisfied => "Not satisfied.",
        Conclusion::Undetermined => "Undetermined.",
        Conclusion::NotRun => "Not run.",
    };
    let reasons = finding.map(|finding| finding.reasons.as_slice()).unwrap_or_default().iter().map(|reason| format!("Reason: {}", markup(reason)));
    let waived = finding
        .map(|finding| finding.waived_by.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|waived| format!("Waived: {}", markup(WaivedFailures::told(waived))));
    std::iter::once(said.to_owned()).chain(reasons).chain(waived).collect::<Vec<_>>().join("\n\n")
}

fn props(reading: &Reading<'_>, of: &ControlAssessment) -> Props {
    let conclusion = reading::conclusion(of);
    let latest = reading::latest(of);
    let raw = latest.map_or(conclusion.as_str(), |(_run, finding)| finding.raw_status().as_str());
    let slots = SlotCounts::of(&of.slots);
    let props = Props::default()
        .with("verdict", conclusion.as_str())
        .with("raw-verdict", raw)
        .with("control-id", &of.control.id)
        .with("severity", of.control.severity.as_str())
        .with("owner", &of.control.owner)
        .maybe("run", latest.map(|(run, _finding)| run))
        .maybe("judged-at", latest.and_then(|(run, _finding)| reading.run(run)).map(|run| instant(run.started_at)));
    let props = match latest {
        Some((_run, finding)) => props.counts(finding.counts),
        None => props,
    };
    props
        .with("slots-due", slots.due())
        .with("slots-run", slots.ran())
        .with("slots-not-run", slots.not_run)
        .with("slots-reconstructed", slots.reconstructed)
        .with("slots-pass", slots.pass)
        .with("slots-waived", slots.waived)
        .with("slots-late", slots.late)
        .with("slots-fail", slots.fail)
        .with("slots-undetermined", slots.undetermined)
        .with("slots-partial", slots.partial)
}
