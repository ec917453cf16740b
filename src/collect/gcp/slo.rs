//! `gcp.slo`: objectives that people set for the services of a project in Cloud Monitoring, and how the last month went.
//!
//! One request for each project, each service and each objective, which is why a control over them is a monthly one. Left out: how an indicator is measured, and which
//! service should have an objective (`monitored_project`).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::asking::{for_each, pages};
use crate::collect::gcp::asset::{PROJECT, PROJECT_LABELS};
use crate::collect::gcp::attainment::{self, Attained, Compliance, millionths};
use crate::collect::gcp::fields::{Absent, Read, part, put, short, text};
use crate::collect::gcp::hierarchy::{self, Hierarchy, ProjectRow, sorted};
use crate::collect::gcp::{needs, objectives};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.slo`.
#[derive(Debug, Clone, Copy)]
pub struct Slo;

const TEXT: AttributeType = AttributeType::Text;
const INT: AttributeType = AttributeType::Int;

const ATTRIBUTES: &[AttributeDecl] = &[
    PROJECT,
    PROJECT_LABELS,
    attribute("service", TEXT, "Id of the service in the project", "serviceLevelObjectives.list name"),
    attribute("name", AttributeType::Optional(&TEXT), "What people call it; null where nobody named it", "serviceLevelObjectives.list displayName"),
    attribute("goal", INT, "The share that has to be good, in millionths: 999000 for 99.9 %", "serviceLevelObjectives.list goal"),
    attribute(
        "rolling_days",
        AttributeType::Optional(&INT),
        "Over how many days it has to be; null where over a period of the calendar",
        "serviceLevelObjectives.list rollingPeriod",
    ),
    attribute(
        "calendar_period",
        AttributeType::Optional(&TEXT),
        "DAY, WEEK, FORTNIGHT or MONTH over which it has to be; null where over a rolling one",
        "serviceLevelObjectives.list calendarPeriod",
    ),
    attribute(
        "attained",
        INT,
        "The share that was good in the worst of its periods in the last 31 days, in millionths; unknown where one was not measured, unless another missed the goal",
        "timeSeries.list select_slo_compliance",
    ),
    attribute("worst_on", TEXT, "The day on which that period ended, e.g. 2026-01-31", "timeSeries.list points[].interval.endTime"),
    attribute("periods", INT, "How many of its periods in those days are told", "timeSeries.list points[]"),
];

static KIND: Kind = Kind {
    name: "gcp.slo",
    meaning: "An objective for a service in Cloud Monitoring",
    permission: "monitoring.services.list, monitoring.slos.list and monitoring.timeSeries.list",
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for Slo {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_service(&[objectives::SERVICES_LIST, objectives::SLOS_LIST, attainment::SERIES_LIST])
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let found = hierarchy::ask(scope, api, KIND.name).await?;
        for_each(found.projects.into_iter().collect(), |project| async move {
            let objectives = objectives::ask(&project, api, KIND.name).await?;
            let requests = objectives.iter().map(|objective| attainment::request(objective, &project, scope, KIND.name)).collect();
            for_each(requests, |request| pages(api, request, |_page| ())).await
        })
        .await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "every objective of every service");
        for (id, row) in hierarchy.live() {
            Project { id, row, scope, evidence }.read(&mut population, emit)?;
        }
        Ok(hierarchy.close(population))
    }
}

/// A project that is being read.
struct Project<'a> {
    id: &'a str,
    row: &'a ProjectRow,
    scope: &'a Scope,
    evidence: &'a dyn Evidence,
}

impl Project<'_> {
    fn read(&self, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
        let mut services = BTreeMap::new();
        let listed = objectives::services(self.id, self.evidence, &mut |service, n| {
            Ok(match text(service, "name") {
                Ok(Some(name)) => services.insert(name.to_owned(), n).and(None),
                _ => Some(self.nameless("a service")),
            })
        })?;
        population.gaps.extend(listed.gaps);
        population.evidence.extend(listed.evidence);
        let mut seen = BTreeSet::new();
        for (service, n) in services {
            let mut objectives = Vec::new();
            let listed = objectives::of_service(&service, self.id, self.evidence, &mut |objective, n| {
                objectives.push((objective.clone(), n));
                Ok(None)
            })?;
            population.gaps.extend(listed.gaps);
            population.evidence.extend(listed.evidence);
            for (objective, own) in objectives {
                let resource = self.resource(&service, &objective, &[self.row.n, n, own])?;
                let mut take = |resource: Resource| seen.insert(resource.id.clone()).then(|| emit(resource.completed(&KIND)));
                population.gaps.extend(resource.map(&mut take).err());
            }
        }
        let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        let second_source = "none: the listings name no total".to_owned();
        population.tallies.push(Tally { tenant: format!("projects/{}", self.id), count, second_count: None, second_source });
        Ok(())
    }

    fn nameless(&self, what: &str) -> Gap {
        Gap::new(GapCause::Malformed, format!("{what} of projects/{} has no usable name", self.id))
    }

    fn resource(&self, service: &str, objective: &Value, cited: &[u32]) -> Result<Result<Resource, Gap>, Unreadable> {
        let Ok(Some(name)) = text(objective, "name") else { return Ok(Err(self.nameless("an objective"))) };
        let Ok(id) = format!("//monitoring.googleapis.com/{name}").parse::<ResourceId>() else { return Ok(Err(self.nameless("an objective"))) };
        let goal = goal(objective);
        let compliance = Compliance::read(objective);
        let asked = (compliance.clone(), goal.as_ref().ok().copied().flatten());
        let (worst, numbers) = attainment::worst((name, self.id), asked, self.scope, self.evidence)?;
        let title = text(objective, "displayName").ok().flatten().unwrap_or_else(|| objectives::last(name));
        let mut resource = Resource::new(&KIND, id, short(title), sorted(cited.iter().copied().chain(numbers).collect()));
        resource.know(PROJECT.name, self.id);
        put(&mut resource, PROJECT_LABELS.name, self.row.labels.clone().map(Some), Absent::IsUnknown);
        resource.know("service", objectives::last(service));
        put(&mut resource, "name", text(objective, "displayName"), Absent::Means(Value::Null));
        put(&mut resource, "goal", goal, Absent::IsUnknown);
        let period = |told: fn(&Compliance) -> Value| compliance.as_ref().map(|compliance| Some(told(compliance))).map_err(Clone::clone);
        put(&mut resource, "rolling_days", period(Compliance::rolling_days), Absent::IsUnknown);
        put(&mut resource, "calendar_period", period(Compliance::calendar_period), Absent::IsUnknown);
        let of_worst = |told: fn(&Attained) -> Value| worst.as_ref().map(|worst| Some(told(worst))).map_err(Clone::clone);
        put(&mut resource, "attained", of_worst(|worst| json!(worst.share)), Absent::IsUnknown);
        put(&mut resource, "worst_on", of_worst(|worst| json!(worst.on.to_string())), Absent::IsUnknown);
        put(&mut resource, "periods", of_worst(|worst| json!(worst.periods)), Absent::IsUnknown);
        Ok(Ok(resource))
    }
}

fn goal(objective: &Value) -> Read<i64> {
    let Some(goal) = part(objective, "goal")? else { return Ok(None) };
    let share = goal.as_f64().filter(|goal| *goal > 0.0 && *goal <= 1.0).and_then(millionths);
    share.map(Some).ok_or_else(|| Gap::new(GapCause::Malformed, "the goal of an objective is no share"))
}
