//! What was observed in each control's newest run: one observation for each resource that does not pass, and for each test one that counts all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::model::{ControlAssessment, ControlId, Counts, Observation, ResourceId, RunId, Test, Verdict, WaiverId};
use crate::report::oscal::backmatter::exchange_uuid;
use crate::report::oscal::controls::activity_uuid;
use crate::report::oscal::parts::{Props, markup, title, uuid};
use crate::report::reading::{self, Reading};
use crate::report::words::{self, instant};

/// One of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Observed {
    uuid: String,
    title: String,
    description: String,
    props: Props,
    methods: [&'static str; 1],
    types: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subjects: Vec<Subject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relevant_evidence: Vec<Evidence>,
    collected: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Subject {
    subject_uuid: String,
    r#type: &'static str,
    title: String,
}

#[derive(Debug, Serialize)]
struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
    description: String,
    #[serde(skip_serializing_if = "Props::is_empty")]
    props: Props,
}

/// A resource that an observation is about.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    uuid: String,
    description: String,
    props: Props,
}

/// All observations, and how to find them.
#[derive(Default)]
pub(crate) struct Observations<'a> {
    /// In the order of the controls.
    pub(crate) all: Vec<Observed>,
    /// The resources that they are about, each once.
    pub(crate) items: BTreeMap<(Arc<str>, ResourceId), Item>,
    by_control: BTreeMap<&'a ControlId, Vec<String>>,
    by_resource: BTreeMap<(&'a ControlId, u32, ResourceId), String>,
    by_waiver: BTreeMap<WaiverId, Vec<String>>,
}

impl<'a> Observations<'a> {
    /// Those of an assessment.
    pub(crate) fn of(reading: &Reading<'a>) -> Self {
        let mut observations = Self::default();
        for control in &reading.assessment.controls {
            if let Some((run, _finding)) = reading::latest(control) {
                observations.add(reading, control, run);
            }
        }
        observations
    }

    /// The names of a control's observations.
    pub(crate) fn of_control(&self, control: &ControlId) -> &[String] {
        self.by_control.get(control).map(Vec::as_slice).unwrap_or_default()
    }

    /// The name of the observation of one resource; none where it passes now, or is not there any more.
    pub(crate) fn of_resource(&self, control: &'a ControlId, test: u32, resource: &ResourceId) -> Option<&String> {
        self.by_resource.get(&(control, test, resource.clone()))
    }

    /// The names of the failures that a waiver turned.
    pub(crate) fn of_waiver(&self, waiver: &WaiverId) -> &[String] {
        self.by_waiver.get(waiver).map(Vec::as_slice).unwrap_or_default()
    }

    fn add(&mut self, reading: &Reading<'a>, control: &'a ControlAssessment, run: &'a RunId) {
        let id = &control.control.id;
        for (number, test) in (1_u32..).zip(&control.control.tests) {
            let counted = counted(reading, control, run, (number, test));
            self.by_control.entry(id).or_default().push(counted.uuid.clone());
            self.all.push(counted);
        }
        for seen in control.observations.iter().filter(|seen| !matches!(seen.verdict, Verdict::Pass | Verdict::NotApplicable)) {
            let single = single(reading, control, run, &seen);
            self.by_control.entry(id).or_default().push(single.uuid.clone());
            self.by_resource.insert((id, seen.test, seen.resource.clone()), single.uuid.clone());
            if let Some(waiver) = &seen.waiver {
                self.by_waiver.entry(waiver.clone()).or_default().push(single.uuid.clone());
            }
            self.items.entry((Arc::clone(&seen.kind), seen.resource.clone())).or_insert_with(|| item(&seen));
            self.all.push(single);
        }
    }
}

fn item(seen: &Observation) -> Item {
    Item {
        uuid: subject_uuid(seen),
        description: format!("{}: {}", markup(&seen.kind), title(&seen.name)),
        props: Props::default().with("kind", &seen.kind).with("resource-id", &seen.resource).with("name", &seen.name),
    }
}

fn subject_uuid(seen: &Observation) -> String {
    uuid(&["resource", &seen.kind, seen.resource.as_str()])
}

fn single(reading: &Reading<'_>, control: &ControlAssessment, run: &RunId, seen: &Observation) -> Observed {
    let id = control.control.id.as_str();
    Observed {
        uuid: uuid(&["observation", run.as_str(), id, &seen.test.to_string(), &seen.kind, seen.resource.as_str()]),
        title: format!("{id}, test {}: {}: {}", seen.test, seen.verdict.as_str(), title(&seen.name)),
        description: format!("The verdict is {}: {}", seen.verdict.as_str(), title(&seen.because)),
        props: Props::default()
            .with("verdict", seen.verdict.as_str())
            .maybe("raw-verdict", (seen.raw_verdict() != seen.verdict).then(|| seen.raw_verdict().as_str()))
            .maybe("waiver", seen.waiver.as_ref())
            .with("control-id", id)
            .with("test", seen.test)
            .with("run", run)
            .maybe("may-settle-by-itself", seen.transient.then_some("yes")),
        methods: ["TEST"],
        types: ["control-objective"],
        subjects: vec![Subject { subject_uuid: subject_uuid(seen), r#type: "inventory-item", title: title(&seen.name) }],
        relevant_evidence: seen.evidence.iter().map(|n| evidence(reading, run, *n)).collect(),
        collected: collected(reading, run, &seen.evidence),
    }
}

/// All members of one test's population, counted; what lists them is the evidence.
fn counted(reading: &Reading<'_>, control: &ControlAssessment, run: &RunId, (number, test): (u32, &Test)) -> Observed {
    let id = control.control.id.as_str();
    let mut counts = Counts::default();
    for (_test, verdict) in control.observations.verdicts().filter(|(test, _verdict)| *test == number) {
        counts.add(verdict);
    }
    let population = reading.population(run, &test.population);
    let listed_by = population.map(|population| population.evidence.as_slice()).unwrap_or_default();
    Observed {
        uuid: uuid(&["counts", run.as_str(), id, &number.to_string()]),
        title: format!("{id}, test {number}: {} of {} in scope pass", counts.pass, counts.in_scope()),
        description: format!(
            "Of {} in scope {} pass, {} fail, {} fail and are waived, {} are undetermined; {} more are out of its scope. The population is {}.",
            counts.in_scope(),
            counts.pass,
            counts.fail,
            counts.waived,
            counts.undetermined,
            counts.not_applicable,
            population.map_or_else(|| "not known".to_owned(), |population| markup(words::tallies(population)))
        ),
        props: Props::default()
            .with("control-id", id)
            .with("test", number)
            .with("activity", activity_uuid(&control.control, number))
            .with("run", run)
            .with("population", &test.population)
            .maybe("enumerated", population.map(|population| population.count()))
            .maybe("completeness", population.map(|population| words::completeness(population.completeness())))
            .each("gap", population.map(|population| population.gaps.as_slice()).unwrap_or_default())
            .counts(counts),
        methods: ["TEST"],
        types: ["control-objective"],
        subjects: Vec::new(),
        relevant_evidence: listed_by.iter().map(|n| evidence(reading, run, *n)).collect(),
        collected: collected(reading, run, listed_by),
    }
}

fn evidence(reading: &Reading<'_>, run: &RunId, n: u32) -> Evidence {
    match reading.exchange(run, n) {
        Some(exchange) => Evidence {
            href: Some(format!("#{}", exchange_uuid(run, n))),
            description: format!("{} about {}", markup(&exchange.operation), markup(&exchange.subject)),
            props: Props::default().with("sha256", exchange.sha256),
        },
        None => Evidence { href: None, description: format!("Exchange {n} of run {run} is not in this assessment."), props: Props::default() },
    }
}

/// When the newest of its answers was asked for; where none is here, when the run began.
fn collected(reading: &Reading<'_>, run: &RunId, evidence: &[u32]) -> String {
    let asked = evidence.iter().filter_map(|n| reading.exchange(run, *n)).map(|exchange| exchange.sent_at).max();
    let began = reading.run(run).map(|run| run.started_at);
    instant(asked.or(began).unwrap_or(DateTime::<Utc>::UNIX_EPOCH))
}
