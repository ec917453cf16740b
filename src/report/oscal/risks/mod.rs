//! What is at risk: each deviation of the register, cured ones included, and each waiver.

mod deviation;
mod waiver;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Control, ControlId, Severity};
use crate::report::oscal::observations::Observations;
use crate::report::oscal::parts::{Origin, Props, Related, title};
use crate::report::reading::Reading;

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
            risks.add(&episode.control, deviation::risk(reading, episode, controls.get(&episode.control).copied(), observations));
        }
        for of in &of.waivers {
            risks.add(&of.waiver.control, waiver::risk(reading, of, controls.get(&of.waiver.control).copied(), observations));
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

/// Why a failure matters, by the control's own words.
fn statement(control: Option<&Control>) -> String {
    control.map_or_else(|| "No run of the period judged the control.".to_owned(), |control| title(&control.why))
}
