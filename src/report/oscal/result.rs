//! The one result: the period, its runs as a log, and what was observed, found and is at risk.

use serde::Serialize;

use crate::model::RunSummary;
use crate::report::oscal::backmatter::manifest_uuid;
use crate::report::oscal::controls::{self, Reviewed};
use crate::report::oscal::document::identity;
use crate::report::oscal::findings::{self, Found};
use crate::report::oscal::observations::{Item, Observations, Observed};
use crate::report::oscal::parts::{Link, Props, markup, title, tool_uuid, uuid};
use crate::report::oscal::risks::{Risk, Risks};
use crate::report::reading::Reading;
use crate::report::table::ipe;
use crate::report::words::{instant, period_days};

/// What the period came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AssessmentResult {
    uuid: String,
    title: String,
    description: String,
    start: String,
    end: String,
    /// Where all of it comes from: source, parameters, identities, counts and gaps, by the words of the CSV files' companions.
    props: Props,
    local_definitions: Definitions,
    reviewed_controls: Reviewed,
    #[serde(skip_serializing_if = "Option::is_none")]
    assessment_log: Option<Log>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observations: Vec<Observed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    risks: Vec<Risk>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Found>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Definitions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inventory_items: Vec<Item>,
    assessment_assets: Assets,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Assets {
    components: [Component; 1],
    assessment_platforms: [Platform; 1],
}

#[derive(Debug, Serialize)]
struct Component {
    uuid: String,
    r#type: &'static str,
    title: String,
    description: &'static str,
    status: Operational,
}

#[derive(Debug, Serialize)]
struct Operational {
    state: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Platform {
    uuid: String,
    uses_components: [Uses; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Uses {
    component_uuid: String,
}

#[derive(Debug, Serialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    uuid: String,
    title: String,
    start: String,
    end: String,
    props: Props,
    links: [Link; 1],
}

/// The result of an assessment.
pub(crate) fn of(reading: &Reading<'_>) -> AssessmentResult {
    let assessment = reading.assessment;
    let observations = Observations::of(reading);
    let risks = Risks::of(reading, &observations);
    let findings = findings::of(reading, &observations, &risks);
    let tool = tool_uuid(&assessment.tool);
    let component = Component {
        uuid: tool.clone(),
        r#type: "software",
        title: title(&assessment.tool),
        description: "Collects answers of sources, seals them, and judges what was sealed.",
        status: Operational { state: "operational" },
    };
    let platform = Platform { uuid: uuid(&["platform", &assessment.tool]), uses_components: [Uses { component_uuid: tool }] };
    let entries: Vec<Entry> = assessment.runs.iter().map(entry).collect();
    AssessmentResult {
        uuid: identity("result", assessment),
        title: format!("Period {}", period_days(assessment)),
        description: "For each control the finding of its newest run of the period. Observations name each resource that does not pass, and count those that do; the CSV files of the same report name all.".to_owned(),
        start: instant(assessment.period.start()),
        end: instant(assessment.period.end()),
        props: ipe::of_whole(reading).into_iter().fold(Props::default(), |props, [item, value]| props.with(item, value)),
        local_definitions: Definitions {
            inventory_items: observations.items.into_values().collect(),
            assessment_assets: Assets { components: [component], assessment_platforms: [platform] },
        },
        reviewed_controls: controls::reviewed(assessment.controls.iter().map(|of| &of.control)),
        assessment_log: (!entries.is_empty()).then_some(Log { entries }),
        observations: observations.all,
        risks: risks.all,
        findings,
    }
}

fn entry(run: &RunSummary) -> Entry {
    Entry {
        uuid: uuid(&["run", run.run.as_str()]),
        title: format!("Run {}, {}", run.run, markup(&run.trigger)),
        start: instant(run.started_at),
        end: instant(run.ended_at),
        props: Props::default()
            .with("tool", &run.tool)
            .maybe("as-of", run.as_of.map(instant))
            .with("requests", run.exchanges)
            .with("not-modified", run.not_modified)
            .with("without-answer", run.failed)
            .each("partial", &run.partial)
            .maybe("continues", run.continues.as_ref())
            .with("manifest-sha256", run.manifest),
        links: [Link::to(&manifest_uuid(&run.run))],
    }
}
