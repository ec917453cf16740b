//! `gcp.service_perimeter`: perimeters of VPC Service Controls, which data in Google's services does not leave.
//!
//! They belong to the organisation, and the inventory shows them all at once. What is only tried out (`spec`) never counts: all attributes but one speak of what is enforced (`status`).
//! Left out: single rules of ingress and egress beyond those that let everybody through, and what access levels ask for, which are `gcp.access_level`'s.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::access_policies::{self, PERMISSION, POLICY, own_name, policy_of};
use crate::collect::gcp::fields::{Absent, Read, list, part, put, short, text, texts};
use crate::collect::gcp::hierarchy::Hierarchy;
use crate::collect::gcp::typed::{Absence, Absences, attribute as typed};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, attribute};

/// Collects `gcp.service_perimeter`.
#[derive(Debug, Clone, Copy)]
pub struct ServicePerimeter;

const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const BOOL: AttributeType = AttributeType::Bool;

const ATTRIBUTES: &[AttributeDecl] = &[
    POLICY,
    attribute("title", TEXT, "What people call it", "assets.list servicePerimeter.title"),
    attribute("is_bridge", BOOL, "True where it only joins projects of other perimeters", "assets.list servicePerimeter.perimeterType"),
    attribute(
        "enforced",
        BOOL,
        "True where something is in it and services are restricted for that; what is only tried out does not count",
        "assets.list servicePerimeter.status",
    ),
    attribute("dry_run", BOOL, "True where something is tried out beside what is enforced, or instead of it", "assets.list servicePerimeter.spec"),
    attribute("resources", TEXTS, "What is in it, as written: projects by number, and networks", "assets.list servicePerimeter.status.resources"),
    attribute(
        "projects",
        TEXTS,
        "Ids of the projects in it; unknown where one of them is not in scope",
        "assets.list servicePerimeter.status.resources, projects.list projectId",
    ),
    attribute("restricted_services", TEXTS, "Services whose data does not leave it", "assets.list servicePerimeter.status.restrictedServices"),
    attribute("access_levels", TEXTS, "Names of the access levels that let in from outside", "assets.list servicePerimeter.status.accessLevels"),
    attribute("open_ingress", BOOL, "True where a rule lets anybody in from anywhere", "assets.list servicePerimeter.status.ingressPolicies[].ingressFrom"),
    attribute("open_egress", BOOL, "True where a rule lets anybody out to anything", "assets.list servicePerimeter.status.egressPolicies[]"),
];

static KIND: Kind = Kind { name: "gcp.service_perimeter", meaning: "A perimeter of VPC Service Controls", permission: PERMISSION, attributes: ATTRIBUTES };

/// Lists that are empty are left out, and so is a status in which nothing is.
const ABSENCES: Absences = &[("resources", Absence::NoItems), ("restricted_services", Absence::NoItems), ("access_levels", Absence::NoItems)];

#[async_trait]
impl Collector for ServicePerimeter {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        access_policies::needs()
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        access_policies::ask(scope, api, KIND.name).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        access_policies::read(&KIND, "servicePerimeter", scope, evidence, &mut |asset, cited, hierarchy| resource(asset, cited, hierarchy).map(&mut *emit))
    }
}

fn resource(asset: &Value, cited: Vec<u32>, hierarchy: &Hierarchy) -> Result<Resource, Gap> {
    let name = own_name(asset)?;
    let perimeter =
        part(asset, "servicePerimeter")?.filter(|shown| shown.is_object()).ok_or_else(|| Gap::new(GapCause::Malformed, "a perimeter is no object"))?;
    let id: ResourceId = name.parse().map_err(|_unusable| Gap::new(GapCause::Malformed, format!("the perimeter {} makes no id", short(name))))?;
    let mut resource = Resource::new(&KIND, id, text(perimeter, "title").ok().flatten().map_or_else(|| short(name), short), cited);
    resource.know(POLICY.name, policy_of(name));
    put(&mut resource, "title", text(perimeter, "title"), Absent::IsUnknown);
    put(&mut resource, "is_bridge", is_bridge(perimeter), Absent::IsUnknown);
    put(&mut resource, "enforced", enforced(perimeter).map(Some), Absent::IsUnknown);
    put(&mut resource, "dry_run", part(perimeter, "spec").map(|spec| Some(spec.is_some())), Absent::IsUnknown);
    put(&mut resource, "projects", projects(perimeter, hierarchy).map(|ids| Some(json!(ids))), Absent::IsUnknown);
    for declared in ATTRIBUTES.iter().filter(|declared| ABSENCES.iter().any(|(name, _absence)| *name == declared.name)) {
        put(&mut resource, declared.name, typed(asset, declared, ABSENCES), Absent::IsUnknown);
    }
    put(&mut resource, "open_ingress", any(perimeter, "status/ingressPolicies", lets_anybody_in).map(Some), Absent::IsUnknown);
    put(&mut resource, "open_egress", any(perimeter, "status/egressPolicies", lets_anybody_out).map(Some), Absent::IsUnknown);
    Ok(resource.completed(&KIND))
}

/// The type is left out where it is the regular one, the first of its words.
fn is_bridge(perimeter: &Value) -> Read<bool> {
    match text(perimeter, "perimeterType")? {
        None | Some("PERIMETER_TYPE_REGULAR") => Ok(Some(false)),
        Some("PERIMETER_TYPE_BRIDGE") => Ok(Some(true)),
        Some(_unknown) => Err(Gap::new(GapCause::Malformed, "the field perimeterType is no type that is known here")),
    }
}

fn enforced(perimeter: &Value) -> Result<bool, Gap> {
    let named = |path: &str| Ok::<_, Gap>(texts(perimeter, path)?.is_some_and(|named| !named.is_empty()));
    Ok(named("status/resources")? && named("status/restrictedServices")?)
}

fn projects<'h>(perimeter: &Value, hierarchy: &'h Hierarchy) -> Result<BTreeSet<&'h str>, Gap> {
    let unlisted = |project: &str| Gap::new(GapCause::Incomplete, format!("the list of projects does not hold {}", short(project)));
    let resources = texts(perimeter, "status/resources")?.unwrap_or_default();
    let numbered = resources.into_iter().filter(|name| name.starts_with("projects/"));
    numbered.map(|project| hierarchy.numbered(project).map(|(id, _row)| id).ok_or_else(|| unlisted(project))).collect()
}

fn any(perimeter: &Value, path: &str, open: fn(&Value) -> Result<bool, Gap>) -> Result<bool, Gap> {
    let mut found = false;
    for policy in list(perimeter, path)?.unwrap_or_default() {
        found = found || open(policy)?;
    }
    Ok(found)
}

/// `*` stands for all access levels, and for no access level at all. <https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.servicePerimeters#IngressSource>
fn lets_anybody_in(policy: &Value) -> Result<bool, Gap> {
    let from_anywhere = list(policy, "ingressFrom/sources")?.unwrap_or_default().iter().map(|source| text(source, "accessLevel"));
    let from_anywhere = from_anywhere.collect::<Result<Vec<_>, Gap>>()?.contains(&Some("*"));
    Ok(from_anywhere && text(policy, "ingressFrom/identityType")? == Some("ANY_IDENTITY"))
}

fn lets_anybody_out(policy: &Value) -> Result<bool, Gap> {
    let to_anything = texts(policy, "egressTo/resources")?.unwrap_or_default().contains(&"*");
    Ok(to_anything && text(policy, "egressFrom/identityType")? == Some("ANY_IDENTITY"))
}
