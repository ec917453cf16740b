//! Services as Cloud Monitoring knows them, and the objectives that each of them has: one listing for each project, and one for each service in it.
//! <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/services/list>
//!
//! In place of a service's name `-` is documented for metrics scopes alone, and those may hold other projects. What an indicator is made of is not asked for.
//! Left out: whether an objective was met (`attainment`).

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::{Each, Listed, Listing};
use crate::collect::gcp::asking::{collected, encoded, encoded_path, names, pages};
use crate::model::Host;

/// The service.
pub(super) const MONITORING: Host = Host::Google("monitoring");

/// Shows the services of a project.
pub(super) const SERVICES_LIST: &str = "monitoring.services.list";
/// Shows the objectives of a service.
pub(super) const SLOS_LIST: &str = "monitoring.slos.list";

const SERVICES: &str = "monitoring.services.list";
const OBJECTIVES: &str = "monitoring.services.serviceLevelObjectives.list";

/// Asks for the services of a project and the objectives of each; tells the objectives' names.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask(project: &str, api: &dyn Api, kind: &'static str) -> Result<Vec<String>, ApiError> {
    let mut services = Vec::new();
    let target = format!("/v3/projects/{}/services?pageSize=1000&fields=services(name,displayName),nextPageToken", encoded(project));
    pages(api, Request::get(MONITORING, target, SERVICES, format!("projects/{project}"), kind), |page| services.extend(names(page, "services", "name")))
        .await?;
    Ok(collected(services.into_iter().map(|service| ask_service(service, api, kind)).collect()).await?.into_iter().flatten().collect())
}

async fn ask_service(service: String, api: &dyn Api, kind: &'static str) -> Result<Vec<String>, ApiError> {
    const FIELDS: &str = "serviceLevelObjectives(name,displayName,goal,rollingPeriod,calendarPeriod),nextPageToken";
    let mut objectives = Vec::new();
    let target = format!("/v3/{}/serviceLevelObjectives?pageSize=1000&fields={FIELDS}", encoded_path(&service));
    pages(api, Request::get(MONITORING, target, OBJECTIVES, service, kind), |page| objectives.extend(names(page, "serviceLevelObjectives", "name"))).await?;
    Ok(objectives)
}

/// Hands each service of a project to `each`.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn services(project: &str, evidence: &dyn Evidence, each: Each<'_>) -> Result<Listed, Unreadable> {
    let place = format!("projects/{project}");
    Listing { operation: SERVICES, subject: &place, entries: "services", partial: None, permission: SERVICES_LIST, place: &place }.read(evidence, each)
}

/// Hands each objective of a service in a project to `each`.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn of_service(service: &str, project: &str, evidence: &dyn Evidence, each: Each<'_>) -> Result<Listed, Unreadable> {
    let place = format!("projects/{project}");
    Listing { operation: OBJECTIVES, subject: service, entries: "serviceLevelObjectives", partial: None, permission: SLOS_LIST, place: &place }
        .read(evidence, each)
}

/// The id at the end of a name such as `projects/7/services/shop`.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
