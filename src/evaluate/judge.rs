//! Resources in, observations out, with the running counts that the findings are drawn from.
//!
//! Observations are handed over and not kept: memory grows with the number of tests and one batch, not with the population.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use crate::evaluate::conclude::{self, Standing};
use crate::evaluate::engine::{Engine, Plan, PlannedTest, Subject, Trace, Work};
use crate::evaluate::ruling::Case;
use crate::evaluate::{EvaluateError, TIME_LIMIT};
use crate::model::{
    Control, ControlId, Expression, Finding, Gap, Kind, MissingPermission, Observation, Parameters, PermissionLedger, Population, Resource, Test, Waiver,
    WaiverStanding,
};

/// Judges the resources of one run under all controls, at one instant.
#[derive(Debug)]
pub struct Judge {
    engine: Engine,
    kinds: BTreeMap<&'static str, &'static Kind>,
    /// Sorted by control id, then by number; the engine's plan has the same order.
    tests: Vec<JudgedTest>,
    controls: Vec<ControlId>,
    permissions: PermissionLedger,
    /// In force, the first approved first.
    waivers: Vec<Waiver>,
}

#[derive(Debug)]
struct JudgedTest {
    control: ControlId,
    number: u32,
    kind: &'static Kind,
    parameters: Parameters,
    filter: Option<String>,
    require: String,
    standing: Standing,
}

/// A resource ready to be judged.
struct Prepared {
    resource: Resource,
    gaps: BTreeMap<String, Gap>,
}

impl Judge {
    /// Compiles every expression of `controls`. `now` is what expressions call `now`: the instant at which the run began.
    ///
    /// Controls are taken as `catalog` validated them; nothing is checked again here beyond what cannot be evaluated, so that a later,
    /// stricter checker can still re-perform an old night.
    ///
    /// # Errors
    /// `UnknownKind`, `Expression`, `Parameter` or `SameControl` where a control cannot be evaluated; `NoThread` where the machine refuses one.
    pub fn new(controls: &[Control], kinds: &[&'static Kind], now: DateTime<Utc>) -> Result<Self, EvaluateError> {
        let kinds: BTreeMap<&'static str, &'static Kind> = kinds.iter().map(|kind| (kind.name, *kind)).collect();
        let mut sorted: Vec<&Control> = controls.iter().collect();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some([twin, _]) = sorted.windows(2).find_map(|pair| <[&Control; 2]>::try_from(pair).ok().filter(|[a, b]| a.id == b.id)) {
            return Err(EvaluateError::SameControl { control: twin.id.clone() });
        }
        let mut tests = Vec::new();
        let mut planned = Vec::new();
        for control in &sorted {
            for (number, test) in (1..).zip(&control.tests) {
                let unknown = || EvaluateError::UnknownKind { control: control.id.clone(), kind: test.population.clone() };
                let kind = kinds.get(test.population.as_str()).copied().ok_or_else(unknown)?;
                tests.push(JudgedTest::new(control, number, test, kind));
                planned.push(plan(control, number, test, kind));
            }
        }
        let engine = Engine::start(Plan { now, tests: planned }, TIME_LIMIT)?;
        Ok(Self {
            engine,
            kinds,
            tests,
            controls: sorted.into_iter().map(|control| control.id.clone()).collect(),
            permissions: PermissionLedger::default(),
            waivers: Vec::new(),
        })
    }

    /// The same judge with another bound on each expression on each resource; `TIME_LIMIT` otherwise.
    #[must_use]
    pub fn limited_to(mut self, limit: Duration) -> Self {
        self.engine.set_limit(limit);
        self
    }

    /// The same judge with those of the waivers that are in force on `day`, the day of the audit calendar on which it judges. Where several cover a failure, the
    /// one that was approved first counts, so that a renewal is not used before it is needed.
    #[must_use]
    pub fn waiving(mut self, waivers: &[Waiver], day: NaiveDate) -> Self {
        self.waivers = waivers.iter().filter(|waiver| waiver.standing_on(day) == WaiverStanding::InForce).cloned().collect();
        self.waivers.sort_by(|a, b| (a.approved_on, &a.id).cmp(&(b.approved_on, &b.id)));
        self
    }

    /// Judges a batch of resources under every test whose population is their kind.
    ///
    /// The observations come in the order of the resources, then by control id, then by test. Resources of kinds that no test asks for yield none.
    /// The same resource must not be given twice: it would count twice.
    ///
    /// # Errors
    /// `NoEvidence`, `Undeclared` or `StrayResource` where a resource breaks what collectors promise; nothing of the batch is counted then.
    /// `NoThread` or `ThreadEnded` where evaluating cannot go on.
    pub fn observe(&mut self, resources: Vec<Resource>) -> Result<Vec<Observation>, EvaluateError> {
        let mut prepared = Vec::with_capacity(resources.len());
        let mut subjects = Vec::with_capacity(resources.len());
        let mut work = Vec::new();
        for resource in resources {
            let kind = self.vetted(&resource)?;
            let (subject, gaps) = Subject::new(kind, &resource);
            let place = prepared.len();
            work.extend(self.tests.iter().enumerate().filter(|(_, test)| test.kind.name == kind.name).map(|(test, _)| Work { subject: place, test }));
            subjects.push(subject);
            prepared.push(Prepared { resource, gaps });
        }
        let traces = self.engine.run(subjects, &work)?;
        let judged = work.iter().zip(&traces);
        Ok(judged.filter_map(|(work, trace)| self.observation(*work, prepared.get(work.subject)?, trace)).collect())
    }

    /// One finding a control, sorted by control id, from everything observed so far and the populations of the run.
    #[must_use]
    pub fn conclude(&self, populations: &[Population]) -> Vec<Finding> {
        let findings = self.controls.iter().map(|control| {
            let standings: Vec<&Standing> = self.tests.iter().filter(|test| test.control == *control).map(|test| &test.standing).collect();
            conclude::finding(control, &standings, populations)
        });
        findings.collect()
    }

    /// What would have to be granted to close what is open, from everything observed so far and the populations of the run.
    #[must_use]
    pub fn permissions(&self, populations: &[Population]) -> Vec<MissingPermission> {
        let mut ledger = self.permissions.clone();
        for population in populations {
            let asking = self.tests.iter().filter(|test| test.kind.name == population.kind);
            for (test, gap) in asking.flat_map(|test| population.gaps.iter().map(move |gap| (test, gap))) {
                ledger.note(gap, &population.kind, &test.control, 0);
            }
        }
        ledger.rows()
    }

    fn vetted(&self, resource: &Resource) -> Result<&'static Kind, EvaluateError> {
        let (kind, id) = (|| resource.kind.clone(), || resource.id.clone());
        let Some(known) = self.kinds.get(resource.kind.as_str()).copied() else {
            return Err(EvaluateError::StrayResource { kind: kind(), resource: id() });
        };
        if resource.evidence.is_empty() {
            return Err(EvaluateError::NoEvidence { kind: kind(), resource: id() });
        }
        match resource.attributes.keys().find(|name| known.attribute(name).is_none()) {
            Some(attribute) => Err(EvaluateError::Undeclared { kind: kind(), resource: id(), attribute: attribute.clone() }),
            None => Ok(known),
        }
    }

    fn observation(&mut self, work: Work, prepared: &Prepared, trace: &Trace) -> Option<Observation> {
        let limit = self.engine.limit();
        let references = self.engine.references(work.test);
        let test = self.tests.get_mut(work.test)?;
        let resource = &prepared.resource;
        let case = Case {
            noun: test.kind.noun(),
            resource,
            gaps: &prepared.gaps,
            parameters: &test.parameters,
            filter: test.filter.as_deref(),
            require: &test.require,
            references,
            limit,
        };
        let ruling = case.rule(trace).waived_by(self.waivers.iter().find(|waiver| waiver.covers(&test.control, &resource.id)));
        test.standing.count(&ruling, &resource.name);
        if let Some((name, gap)) = ruling.lacks.as_ref().and_then(|name| Some((name, prepared.gaps.get(name)?))) {
            self.permissions.note(gap, &format!("{}.{name}", resource.kind), &test.control, 1);
        }
        Some(Observation {
            control: test.control.clone(),
            test: test.number,
            kind: resource.kind.as_str().into(),
            resource: resource.id.clone(),
            name: resource.name.as_str().into(),
            verdict: ruling.verdict,
            because: ruling.because.into(),
            waiver: ruling.waiver,
            transient: ruling.transient,
            evidence: resource.evidence.as_slice().into(),
        })
    }
}

impl JudgedTest {
    fn new(control: &Control, number: u32, test: &Test, kind: &'static Kind) -> Self {
        Self {
            control: control.id.clone(),
            number,
            kind,
            parameters: control.parameters.clone(),
            filter: test.filter.as_ref().map(|Expression(source)| source.clone()),
            require: test.require.0.clone(),
            standing: Standing::new(number, kind, test, &control.parameters),
        }
    }
}

fn plan(control: &Control, number: u32, test: &Test, kind: &Kind) -> PlannedTest {
    let source = |expression: &Expression| expression.0.clone();
    PlannedTest {
        control: control.id.clone(),
        number,
        noun: kind.noun(),
        parameters: control.parameters.clone(),
        filter: test.filter.as_ref().map(source),
        require: source(&test.require),
        because: test.because.as_ref().map(source),
    }
}
