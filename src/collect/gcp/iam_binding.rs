//! `gcp.iam_binding`: who holds which role on a project, folder or organisation.
//!
//! One resource for each resource × role × member × condition, from each policy as it is set there: what a project inherits is found on its folders and organisation, which
//! are asked too where an organisation or folder is in scope; `gcp.principal` has both together. Left out: policies on anything below a project (a bucket's public members are `gcp.bucket`'s).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Absent, Read, list, put, short, text};
use crate::collect::gcp::hierarchy::{self, Hierarchy, ProjectRow};
use crate::collect::gcp::inventory::REMEMBERS;
use crate::collect::gcp::member::{Member, service_account_project};
use crate::collect::gcp::needs;
use crate::collect::gcp::policies::{self, PERMISSION, Place, Policies};
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.iam_binding`.
#[derive(Debug, Clone, Copy)]
pub struct IamBinding;

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("resource", AttributeType::Text, "Full resource name that the policy is set on", "getIamPolicy resource"),
    attribute("resource_type", AttributeType::Text, "project, folder or organization", "getIamPolicy resource"),
    attribute("project", AttributeType::Optional(&AttributeType::Text), "The project's id; null on folders and organisations", "getIamPolicy resource"),
    attribute("project_labels", AttributeType::Map(&AttributeType::Text), "The project's labels; none on folders and organisations", "projects.list labels"),
    attribute("role", AttributeType::Text, "e.g. roles/owner", "getIamPolicy bindings[].role"),
    attribute("member", AttributeType::Text, "As written, e.g. user:ada@example.com", "getIamPolicy bindings[].members[]"),
    attribute(
        "member_type",
        AttributeType::Text,
        "user, serviceAccount, group, domain, principal, principalSet, projectOwner …, allUsers, allAuthenticatedUsers; deleted for all that were deleted",
        "getIamPolicy bindings[].members[], before the first colon",
    ),
    attribute(
        "member_domain",
        AttributeType::Optional(&AttributeType::Text),
        "Lower-case domain of an address; null for members that have none (allUsers, principal sets)",
        "getIamPolicy bindings[].members[], after @",
    ),
    attribute(
        "member_project",
        AttributeType::Optional(&AttributeType::Text),
        "Id of the project that a service account belongs to; null for other members, for what Google runs for its services, and for accounts of no project of the organisation; unknown where not all of the organisation is in scope and listed",
        "getIamPolicy bindings[].members[], projects.list projectId",
    ),
    attribute(
        "member_project_labels",
        AttributeType::Map(&AttributeType::Text),
        "Labels of that project; none where there is none, unknown where that is",
        "projects.list labels",
    ),
    attribute(
        "condition",
        AttributeType::Optional(&AttributeType::Text),
        "The condition's expression; null where the grant is unconditional",
        "getIamPolicy bindings[].condition.expression",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.iam_binding",
    meaning: "A role that a member holds on a project, folder or organisation",
    permission: PERMISSION,
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for IamBinding {
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
        let mut population = hierarchy.population_of(&KIND, "all role bindings of the organisations and folders walked, and");
        let mut seen = BTreeSet::new();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let read = Policies::read(scope, &hierarchy, evidence, &mut |place, policy, n| {
            let bindings = match list(policy, "bindings") {
                Ok(bindings) => bindings.unwrap_or_default(),
                Err(gap) => return vec![gap],
            };
            let before = seen.len();
            let gaps = bindings.iter().filter_map(|binding| take((place, &hierarchy), binding, n, &mut seen, emit)).collect();
            *counts.entry(place.tenant.clone()).or_default() += u64::try_from(seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
            gaps
        })?;
        let source = || "none: neither a policy nor the inventory names a total".to_owned();
        let tally = |tenant: String| Tally { count: counts.get(&tenant).copied().unwrap_or_default(), tenant, second_count: None, second_source: source() };
        population.tallies.extend(read.tenants.into_keys().map(tally));
        population.gaps.extend(read.gaps);
        population.evidence.extend(read.evidence);
        Ok(hierarchy.close(population))
    }
}

/// Emits each member of a binding. Policies may name the same grant twice; it is one.
fn take((place, hierarchy): (&Place<'_>, &Hierarchy), binding: &Value, n: u32, seen: &mut BTreeSet<ResourceId>, emit: &mut dyn FnMut(Resource)) -> Option<Gap> {
    let members = match list(binding, "members") {
        Ok(members) => members.unwrap_or_default(),
        Err(gap) => return Some(gap),
    };
    let grants: Vec<Grant<'_>> = members.iter().filter_map(|member| grant(place, binding, member.as_str()?, n)).collect();
    let lost = members.len().saturating_sub(grants.len());
    grants.into_iter().filter(|grant| seen.insert(grant.id.clone())).for_each(|grant| emit(resource((place, hierarchy), grant)));
    (lost > 0).then(|| Gap::new(GapCause::Malformed, format!("{lost} members of a binding on {} are not usable text", place.name)))
}

/// The id is readable where it fits, else a digest (so that a long member is not lost); the condition is always a digest.
/// Never the position in the policy, which changes from night to night. None where not even the digest makes an id.
fn grant<'b>(place: &Place<'_>, binding: &'b Value, member: &'b str, n: u32) -> Option<Grant<'b>> {
    let role = text(binding, "role").ok().flatten().unwrap_or("?");
    let condition = binding.get("condition").filter(|condition| !condition.is_null()).map(condition_digest);
    let id = format!("{}?role={role}&member={member}{}", place.full_name(), condition.unwrap_or_default());
    let by_digest = |_unusable| format!("{}?binding={}", place.full_name(), Digest::of(id.as_bytes())).parse();
    Some(Grant { id: id.parse().or_else(by_digest).ok()?, binding, member, n })
}

fn resource((place, hierarchy): (&Place<'_>, &Hierarchy), grant: Grant<'_>) -> Resource {
    let Grant { id, binding, member, n } = grant;
    let role = text(binding, "role");
    let shown = format!("{} on {} for {}", role.as_ref().ok().copied().flatten().unwrap_or("a role without name"), place.name, short(member));
    let evidence = hierarchy::sorted(place.listed.into_iter().chain([n]).collect());
    let mut resource = Resource::new(&KIND, id, shown, evidence);
    resource.know("resource", place.full_name());
    resource.know("resource_type", place.resource_type());
    resource.know("project", place.project);
    put(&mut resource, "project_labels", place.labels.clone().map(Some), Absent::IsUnknown);
    put(&mut resource, "role", role, Absent::IsUnknown);
    resource.know("member", member);
    let of = member_project(member, hierarchy);
    put(&mut resource, "member_project", of.clone().map(|of| Some(json!(of.map(|(id, _row)| id)))), Absent::IsUnknown);
    let labels = of.clone().and_then(|of| of.map_or_else(|| Ok(json!({})), |(_id, row)| row.labels.clone()));
    put(&mut resource, "member_project_labels", labels.map(Some), Absent::IsUnknown);
    let listed = of.ok().flatten().map(|(_id, row)| row.n);
    resource.evidence = hierarchy::sorted(resource.evidence.iter().copied().chain(listed).collect());
    let member = Member::parse(member);
    put(&mut resource, "member_type", member.kind.map(Some), Absent::IsUnknown);
    put(&mut resource, "member_domain", member.domain, Absent::Means(Value::Null));
    put(&mut resource, "condition", condition(binding), Absent::Means(Value::Null));
    resource.completed(&KIND)
}

/// The project of a service account; none for what belongs to none of the organisation, which takes all of its projects to know.
pub(super) fn member_project<'h>(member: &str, hierarchy: &'h Hierarchy) -> Result<Option<(&'h str, &'h ProjectRow)>, Gap> {
    let Some(project) = service_account_project(member) else { return Ok(None) };
    match hierarchy.by_id_or_number(project) {
        Some(found) => Ok(Some(found)),
        None => hierarchy.is_whole().map(|()| None),
    }
}

/// One member of one binding.
struct Grant<'a> {
    id: ResourceId,
    binding: &'a Value,
    member: &'a str,
    n: u32,
}

/// What tells two conditions apart, without regard to the order of their fields.
fn condition_digest(condition: &Value) -> String {
    let field = |name: &str| condition.get(name).cloned().unwrap_or_default();
    let parts = json!([field("title"), field("description"), field("expression"), condition.is_object()]);
    format!("&condition={}", Digest::of(parts.to_string().as_bytes()).short())
}

fn condition(binding: &Value) -> Read<&str> {
    match binding.get("condition") {
        None | Some(Value::Null) => Ok(None),
        // A condition without expression is not "no condition": it stays unknown.
        Some(condition) => text(condition, "expression")?.map(Some).ok_or_else(|| Gap::new(GapCause::LeftOut, "the condition has no expression")),
    }
}
