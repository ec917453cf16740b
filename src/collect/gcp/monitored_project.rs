//! `gcp.monitored_project`: each project with the services that Cloud Monitoring knows in it and how many objectives each has, so that a project or a service without
//! any is told too, which a list of objectives alone would not tell of.
//!
//! Left out: how the objectives were met (`slo`).

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::asking::for_each;
use crate::collect::gcp::asset::{PROJECT, PROJECT_LABELS};
use crate::collect::gcp::fields::{Absent, put, text};
use crate::collect::gcp::hierarchy::{self, Hierarchy, ProjectRow, sorted};
use crate::collect::gcp::{needs, objectives};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, Scope, Tally, attribute};

/// Collects `gcp.monitored_project`.
#[derive(Debug, Clone, Copy)]
pub struct MonitoredProject;

const SERVICE: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "What people call the service, or its id where nobody named it", "displayName, name"),
    attribute("slos", AttributeType::Int, "How many objectives it has", "serviceLevelObjectives.list"),
];

const ATTRIBUTES: &[AttributeDecl] = &[
    PROJECT,
    PROJECT_LABELS,
    attribute(
        "services",
        AttributeType::List(&AttributeType::Record(SERVICE)),
        "Services that Cloud Monitoring knows in it, those that it found by itself included",
        "services.list",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.monitored_project",
    meaning: "A project, with the services that Cloud Monitoring knows in it",
    permission: "monitoring.services.list and monitoring.slos.list",
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for MonitoredProject {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_service(&[objectives::SERVICES_LIST, objectives::SLOS_LIST])
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let found = hierarchy::ask(scope, api, KIND.name).await?;
        for_each(found.projects.into_iter().collect(), |project| async move { objectives::ask(&project, api, KIND.name).await.map(drop) }).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "each");
        for parent in hierarchy.tenants() {
            let mut count = 0;
            for (id, row) in hierarchy.live_below(parent) {
                let resource = resource(id, row, evidence)?;
                count += u64::from(resource.is_ok());
                population.gaps.extend(resource.map(|resource| emit(resource.completed(&KIND))).err());
            }
            let second_source = "none: projects are counted by gcp.project".to_owned();
            population.tallies.push(Tally { tenant: parent.to_owned(), count, second_count: None, second_source });
        }
        Ok(hierarchy.close(population))
    }
}

fn resource(id: &str, row: &ProjectRow, evidence: &dyn Evidence) -> Result<Result<Resource, Gap>, Unreadable> {
    let Ok(name) = format!("//cloudresourcemanager.googleapis.com/projects/{id}?monitored").parse() else {
        return Ok(Err(Gap::new(GapCause::Malformed, format!("projects/{id} makes no id"))));
    };
    let (services, numbers) = services(id, evidence)?;
    let mut resource = Resource::new(&KIND, name, id, sorted([row.n].into_iter().chain(numbers).collect()));
    resource.know(PROJECT.name, id);
    put(&mut resource, PROJECT_LABELS.name, row.labels.clone().map(Some), Absent::IsUnknown);
    put(&mut resource, "services", services.map(Some), Absent::IsUnknown);
    Ok(Ok(resource))
}

/// The services of a project, by their names, or why they or the objectives of one of them are not known; and the exchanges that tell.
fn services(project: &str, evidence: &dyn Evidence) -> Result<(Result<Value, Gap>, Vec<u32>), Unreadable> {
    let mut called = BTreeMap::new();
    let mut listed = objectives::services(project, evidence, &mut |service, _n| {
        Ok(match (text(service, "name"), text(service, "displayName")) {
            (Ok(Some(name)), Ok(title)) => called.insert(name.to_owned(), title.unwrap_or_else(|| objectives::last(name)).to_owned()).and(None),
            _ => Some(Gap::new(GapCause::Malformed, format!("a service of projects/{project} has no usable name"))),
        })
    })?;
    let mut services = Vec::new();
    for (name, title) in called {
        let mut slos = 0_u64;
        let read = objectives::of_service(&name, project, evidence, &mut |_objective, _n| {
            slos += 1;
            Ok(None)
        })?;
        listed.gaps.extend(read.gaps);
        listed.evidence.extend(read.evidence);
        services.push(json!({ "name": title, "slos": slos }));
    }
    Ok((listed.gaps.into_iter().next().map_or_else(|| Ok(json!(services)), Err), listed.evidence))
}
