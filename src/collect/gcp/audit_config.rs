//! `gcp.audit_config`: what Cloud Audit Logs keep of the access to data in each project.
//!
//! What is set on a folder or the organisation holds below it, and a project can only add to it: both what is logged and who is exempted is the union.
//! <https://cloud.google.com/logging/docs/audit/configure-data-access>
//! Left out: the logs of administration, which are always kept, and what single services are set to beyond what all are.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Absent, list, put, text, texts};
use crate::collect::gcp::hierarchy::{self, Hierarchy, ProjectRow};
use crate::collect::gcp::inventory::REMEMBERS;
use crate::collect::gcp::needs;
use crate::collect::gcp::policies::{self, PERMISSION, Place, Policies};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, Scope, Tally, attribute};

/// Collects `gcp.audit_config`.
#[derive(Debug, Clone, Copy)]
pub struct AuditConfig;

const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("project", AttributeType::Text, "The project's id", "projects.list projectId"),
    attribute("project_labels", AttributeType::Map(&AttributeType::Text), "The project's labels", "projects.list labels"),
    attribute(
        "log_types",
        TEXTS,
        "ADMIN_READ, DATA_READ and DATA_WRITE as far as they are logged for all services, here or above",
        "getIamPolicy auditConfigs[] of allServices, auditLogConfigs[].logType",
    ),
    attribute(
        "exempted_members",
        TEXTS,
        "Whose access is not logged, in any service, here or above",
        "getIamPolicy auditConfigs[].auditLogConfigs[].exemptedMembers[]",
    ),
];

static KIND: Kind =
    Kind { name: "gcp.audit_config", meaning: "What is logged of the access to data in a project", permission: PERMISSION, attributes: ATTRIBUTES };

/// What one policy says, and its exchange.
#[derive(Debug, Default, Clone)]
struct Logged {
    n: u32,
    log_types: BTreeSet<String>,
    exempted: BTreeSet<String>,
}

#[async_trait]
impl Collector for AuditConfig {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_policies()
    }

    fn remembers(&self) -> Option<TimeDelta> {
        Some(REMEMBERS)
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        policies::ask(scope, api, KIND.name).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "one of each");
        let mut logged: BTreeMap<String, Logged> = BTreeMap::new();
        let mut unread: BTreeMap<String, Gap> = BTreeMap::new();
        let read = Policies::read(scope, &hierarchy, evidence, &mut |place, policy, n| {
            let told = logged_by(policy, n).map(|told| logged.insert(place.name.clone(), told));
            // What one policy does not tell is lacking there and below, and nowhere else.
            unread.extend(told.err().map(|gap| (place.name.clone(), gap)));
            Vec::new()
        })?;
        for parent in hierarchy.tenants() {
            let mut count = 0;
            for (id, row) in hierarchy.live_below(parent) {
                let told = in_force(&format!("projects/{id}"), (&read, &hierarchy), (&logged, &unread));
                let resource = resource(id, row, &told);
                count += u64::from(resource.is_some());
                population.gaps.extend(resource.is_none().then(|| Gap::new(GapCause::Malformed, format!("projects/{id} makes no id"))));
                resource.into_iter().for_each(&mut *emit);
            }
            let second_source = "none: projects are counted by gcp.project".to_owned();
            population.tallies.push(Tally { tenant: parent.to_owned(), count, second_count: None, second_source });
        }
        population.evidence.extend(read.evidence);
        Ok(hierarchy.close(population))
    }
}

/// What each policy says that could be made out, and why another could not.
type Told<'a> = (&'a BTreeMap<String, Logged>, &'a BTreeMap<String, Gap>);

/// What is set for a project, there and above.
fn in_force<'a>(name: &str, (read, hierarchy): (&Policies, &Hierarchy), (logged, unread): Told<'a>) -> Result<Vec<&'a Logged>, Gap> {
    let places = read.in_force(name, hierarchy)?;
    if let Some(gap) = places.iter().find_map(|place| unread.get(*place)) {
        return Err(gap.clone());
    }
    if !logged.contains_key(name) {
        // Each project has a policy.
        return Err(Gap::new(GapCause::Incomplete, format!("no policy of {name} was shown")));
    }
    Ok(places.iter().filter_map(|place| logged.get(*place)).collect())
}

/// <https://cloud.google.com/iam/docs/reference/rest/v1/Policy#auditconfig>
fn logged_by(policy: &Value, n: u32) -> Result<Logged, Gap> {
    let mut logged = Logged { n, ..Logged::default() };
    for config in list(policy, "auditConfigs")?.unwrap_or_default() {
        let for_all = text(config, "service")? == Some("allServices");
        for of_type in list(config, "auditLogConfigs")?.unwrap_or_default() {
            logged.exempted.extend(texts(of_type, "exemptedMembers")?.unwrap_or_default().into_iter().map(ToOwned::to_owned));
            let log_type = text(of_type, "logType")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an audit log has no type"))?;
            logged.log_types.extend(for_all.then(|| log_type.to_owned()));
        }
    }
    Ok(logged)
}

fn resource(id: &str, row: &ProjectRow, told: &Result<Vec<&Logged>, Gap>) -> Option<Resource> {
    let place = Place::project(id, row, id);
    let evidence = hierarchy::sorted([row.n].into_iter().chain(told.iter().flatten().map(|logged| logged.n)).collect());
    let mut resource = Resource::new(&KIND, format!("{}?audit_config", place.full_name()).parse().ok()?, id.to_owned(), evidence);
    resource.know("project", id);
    put(&mut resource, "project_labels", place.labels.map(Some), Absent::IsUnknown);
    let union =
        |of: fn(&Logged) -> &BTreeSet<String>| told.as_ref().map(|told| Some(json!(told.iter().flat_map(|logged| of(logged)).collect::<BTreeSet<_>>())));
    put(&mut resource, "log_types", union(|logged| &logged.log_types).map_err(Clone::clone), Absent::IsUnknown);
    put(&mut resource, "exempted_members", union(|logged| &logged.exempted).map_err(Clone::clone), Absent::IsUnknown);
    Some(resource.completed(&KIND))
}
