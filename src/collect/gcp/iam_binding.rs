//! `gcp.iam_binding`: who holds which role on a project, folder or organisation.
//!
//! One resource for each resource × role × member × condition, from each policy as it is set there: what a project inherits is found on its folders and organisation, which
//! are asked too where an organisation or folder is in scope. All policies come with Cloud Asset Inventory in one listing; where it is refused, each is asked for. Left out: policies on anything below a project (a bucket's public members are `gcp.bucket`'s).

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::try_join;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded_path, for_each};
use crate::collect::gcp::fields::{Absent, Read, list, put, short, text};
use crate::collect::gcp::hierarchy::{self, Hierarchy, RESOURCE_MANAGER};
use crate::collect::gcp::inventory::{self, Content, Query};
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

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
        "condition",
        AttributeType::Optional(&AttributeType::Text),
        "The condition's expression; null where the grant is unconditional",
        "getIamPolicy bindings[].condition.expression",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.iam_binding",
    meaning: "A role that a member holds on a project, folder or organisation",
    permission: "cloudasset.assets.listIamPolicy, or resourcemanager.projects.getIamPolicy, resourcemanager.folders.getIamPolicy and resourcemanager.organizations.getIamPolicy",
    attributes: ATTRIBUTES,
};

const POLICIES: Query = Query {
    content: Content::IamPolicy,
    types: &["cloudresourcemanager.googleapis.com/Organization", "cloudresourcemanager.googleapis.com/Folder", "cloudresourcemanager.googleapis.com/Project"],
};

/// Version 3 is the one that shows conditions. <https://cloud.google.com/iam/docs/policies#versions>
const BODY: &[u8] = br#"{"options":{"requestedPolicyVersion":3}}"#;

/// The three operations by the first word of the resource name, with their permission and the attribute `resource_type`.
const OPERATIONS: [(&str, &str, &str, &str); 3] = [
    ("projects", "cloudresourcemanager.projects.getIamPolicy", "resourcemanager.projects.getIamPolicy", "project"),
    ("folders", "cloudresourcemanager.folders.getIamPolicy", "resourcemanager.folders.getIamPolicy", "folder"),
    ("organizations", "cloudresourcemanager.organizations.getIamPolicy", "resourcemanager.organizations.getIamPolicy", "organization"),
];

#[async_trait]
impl Collector for IamBinding {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let (found, (), answered) =
            try_join!(hierarchy::ask(scope, api, KIND.name), inventory::ask_projects(scope, api, KIND.name), POLICIES.ask(scope, api, KIND.name))?;
        if answered {
            return Ok(());
        }
        let projects = found.projects.iter().map(|id| format!("projects/{id}"));
        for_each(found.nodes.iter().cloned().chain(projects).collect(), |name| policy(api, name)).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "all role bindings of the organisations and folders walked, and");
        let mut seen = BTreeSet::new();
        for parent in inventory::parents(scope) {
            if POLICIES.refused(&parent, evidence)?.is_none() {
                listed(&parent, &hierarchy, evidence, (&mut seen, &mut population), emit)?;
                continue;
            }
            for node in hierarchy.nodes_below(&parent) {
                Place::node(node).read(evidence, (&mut seen, &mut population), emit)?;
            }
            for (id, row) in hierarchy.live_below(&parent) {
                Place::project(id, row).read(evidence, (&mut seen, &mut population), emit)?;
            }
        }
        Ok(hierarchy.close(population))
    }
}

/// The grants that were found so far, and their population.
type Found<'a> = (&'a mut BTreeSet<ResourceId>, &'a mut Population);

/// Everything below a parent, as the inventory lists it.
fn listed(
    parent: &str,
    hierarchy: &Hierarchy,
    evidence: &dyn Evidence,
    (seen, population): Found<'_>,
    emit: &mut dyn FnMut(Resource),
) -> Result<(), Unreadable> {
    let before = seen.len();
    let read = POLICIES.read(parent, evidence, &mut |asset, n| {
        let place = match Place::of_asset(asset, hierarchy) {
            Ok(Some(place)) => place,
            Ok(None) => return Ok(None),
            Err(gap) => return Ok(Some(gap)),
        };
        let bindings = match list(asset, "iamPolicy/bindings") {
            Ok(bindings) => bindings.unwrap_or_default(),
            Err(gap) => return Ok(Some(gap)),
        };
        for binding in bindings {
            population.gaps.extend(place.take(binding, n, seen, emit));
        }
        Ok(None)
    })?;
    let compared = inventory::compare(parent, hierarchy, evidence)?;
    let count = u64::try_from(seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
    population.tallies.push(Tally { tenant: parent.to_owned(), count, second_count: None, second_source: "none: the inventory names no total".to_owned() });
    for read in [read, compared] {
        population.gaps.extend(read.gaps);
        population.evidence.extend(read.evidence);
    }
    Ok(())
}

async fn policy(api: &dyn Api, name: String) -> Result<(), ApiError> {
    let Some((_, operation, _, _)) = operation_of(&name) else { return Ok(()) };
    let target = format!("/v3/{}:getIamPolicy", encoded_path(&name));
    api.send(Request::get(RESOURCE_MANAGER, target, operation, name, KIND.name).post(BODY)).await.map(drop)
}

fn operation_of(name: &str) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    let collection = name.split('/').next().unwrap_or_default();
    OPERATIONS.into_iter().find(|operation| operation.0 == collection)
}

/// Where a policy is set.
struct Place<'a> {
    /// `projects/acme`, `folders/2`, `organizations/1`.
    name: String,
    project: Option<&'a str>,
    labels: Result<Value, Gap>,
    /// The exchange that brought the labels.
    listed: Option<u32>,
}

impl<'a> Place<'a> {
    fn node(name: &str) -> Self {
        Self { name: name.to_owned(), project: None, labels: Ok(json!({})), listed: None }
    }

    fn project(id: &'a str, row: &hierarchy::ProjectRow) -> Self {
        Self { name: format!("projects/{id}"), project: Some(id), labels: row.labels.clone(), listed: Some(row.n) }
    }

    /// Where the policy of an asset is set; none for a project that is going away.
    fn of_asset(asset: &Value, hierarchy: &'a Hierarchy) -> Result<Option<Self>, Gap> {
        let name = text(asset, "name")?.and_then(|name| name.strip_prefix("//cloudresourcemanager.googleapis.com/"));
        let name = name.ok_or_else(|| Gap::new(GapCause::Malformed, "a policy in the inventory belongs to nothing that has one here"))?;
        if !name.starts_with("projects/") {
            return Ok(Some(Self::node(name)));
        }
        let (id, row) =
            inventory::owner(asset, hierarchy)?.ok_or_else(|| Gap::new(GapCause::LeftOut, format!("the inventory does not say what {} is", short(name))))?;
        Ok(row.live.then(|| Self::project(id, row)))
    }

    fn read(&self, evidence: &dyn Evidence, (seen, population): Found<'_>, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
        let Some((_, operation, permission, _)) = operation_of(&self.name) else { return Ok(()) };
        let listing = Listing { operation, subject: &self.name, entries: "bindings", partial: None, permission, place: &self.name };
        let before = seen.len();
        let listed = listing.read(evidence, &mut |binding, n| Ok(self.take(binding, n, seen, emit)))?;
        let count = u64::try_from(seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
        population.tallies.push(Tally { tenant: self.name.clone(), count, second_count: None, second_source: "none: a policy names no total".to_owned() });
        population.gaps.extend(listed.gaps);
        population.evidence.extend(listed.evidence);
        Ok(())
    }

    /// Emits each member of a binding. Policies may name the same grant twice; it is one.
    fn take(&self, binding: &Value, n: u32, seen: &mut BTreeSet<ResourceId>, emit: &mut dyn FnMut(Resource)) -> Option<Gap> {
        let members = match list(binding, "members") {
            Ok(members) => members.unwrap_or_default(),
            Err(gap) => return Some(gap),
        };
        let grants: Vec<Grant<'_>> = members.iter().filter_map(|member| self.grant(binding, member.as_str()?, n)).collect();
        let lost = members.len().saturating_sub(grants.len());
        let resource_type = operation_of(&self.name).map_or("", |(_, _, _, resource_type)| resource_type);
        grants.into_iter().filter(|grant| seen.insert(grant.id.clone())).for_each(|grant| emit(self.resource(grant, resource_type)));
        (lost > 0).then(|| Gap::new(GapCause::Malformed, format!("{lost} members of a binding on {} are not usable text", self.name)))
    }

    fn full_name(&self) -> String {
        format!("//cloudresourcemanager.googleapis.com/{}", self.name)
    }

    /// The id is readable where it fits, else a digest (so that a long member is not lost); the condition is always a digest.
    /// Never the position in the policy, which changes from night to night. None where not even the digest makes an id.
    fn grant<'b>(&self, binding: &'b Value, member: &'b str, n: u32) -> Option<Grant<'b>> {
        let role = text(binding, "role").ok().flatten().unwrap_or("?");
        let condition = binding.get("condition").filter(|condition| !condition.is_null()).map(condition_digest);
        let id = format!("{}?role={role}&member={member}{}", self.full_name(), condition.unwrap_or_default());
        let by_digest = |_unusable| format!("{}?binding={}", self.full_name(), Digest::of(id.as_bytes())).parse();
        Some(Grant { id: id.parse().or_else(by_digest).ok()?, binding, member, n })
    }

    fn resource(&self, grant: Grant<'_>, resource_type: &str) -> Resource {
        let Grant { id, binding, member, n } = grant;
        let role = text(binding, "role");
        let shown = format!("{} on {} for {}", role.as_ref().ok().copied().flatten().unwrap_or("a role without name"), self.name, short(member));
        let evidence = hierarchy::sorted(self.listed.into_iter().chain([n]).collect());
        let mut resource = Resource::new(&KIND, id, shown, evidence);
        resource.know("resource", self.full_name());
        resource.know("resource_type", resource_type);
        resource.know("project", self.project);
        put(&mut resource, "project_labels", self.labels.clone().map(Some), Absent::IsUnknown);
        put(&mut resource, "role", role, Absent::IsUnknown);
        resource.know("member", member);
        let member = Member::parse(member);
        put(&mut resource, "member_type", member.kind.map(Some), Absent::IsUnknown);
        put(&mut resource, "member_domain", member.domain, Absent::Means(Value::Null));
        put(&mut resource, "condition", condition(binding), Absent::Means(Value::Null));
        resource.completed(&KIND)
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

/// A principal identifier, taken apart. <https://cloud.google.com/iam/docs/principal-identifiers>
struct Member<'a> {
    kind: Result<&'a str, Gap>,
    domain: Read<String>,
}

impl<'a> Member<'a> {
    fn parse(member: &'a str) -> Self {
        let strange = || Gap::new(GapCause::Malformed, "the member is not a documented principal identifier");
        match member.split_once(':') {
            None if matches!(member, "allUsers" | "allAuthenticatedUsers") => Self { kind: Ok(member), domain: Ok(None) },
            None => Self { kind: Err(strange()), domain: Err(strange()) },
            // `deleted:user:ada@example.com?uid=123`: the domain is still the one that held the role.
            Some(("deleted", rest)) => Self { kind: Ok("deleted"), domain: Self::parse(rest.split('?').next().unwrap_or(rest)).domain },
            Some(("domain", domain)) if !domain.is_empty() => Self { kind: Ok("domain"), domain: Ok(Some(domain.to_lowercase())) },
            // `serviceAccount:pool.svc.id.goog[namespace/name]` is a Kubernetes account; its pool is the domain.
            Some((kind @ ("user" | "group" | "serviceAccount"), address)) => Self { kind: Ok(kind), domain: domain_of(address).map(Some).ok_or_else(strange) },
            Some((kind, rest)) if !kind.is_empty() && !rest.is_empty() => Self { kind: Ok(kind), domain: Ok(None) },
            Some(_) => Self { kind: Err(strange()), domain: Err(strange()) },
        }
    }
}

fn domain_of(address: &str) -> Option<String> {
    let domain = match address.rsplit_once('@') {
        Some((_local, domain)) => domain,
        None => address.split_once('[')?.0,
    };
    (!domain.is_empty()).then(|| domain.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::Member;

    #[test]
    fn members_of_every_documented_form_have_a_type_and_their_domain() {
        let cases = [
            ("user:Ada@Example.com", "user", Some("example.com")),
            ("serviceAccount:ci@acme.iam.gserviceaccount.com", "serviceAccount", Some("acme.iam.gserviceaccount.com")),
            ("serviceAccount:acme.svc.id.goog[web/app]", "serviceAccount", Some("acme.svc.id.goog")),
            ("group:ops@example.com", "group", Some("example.com")),
            ("domain:example.com", "domain", Some("example.com")),
            ("allUsers", "allUsers", None),
            ("allAuthenticatedUsers", "allAuthenticatedUsers", None),
            ("deleted:user:ada@example.com?uid=123", "deleted", Some("example.com")),
            ("deleted:principal://iam.googleapis.com/locations/global/workforcePools/p/subject/s", "deleted", None),
            ("principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/group/g@h", "principalSet", None),
            ("projectOwner:acme", "projectOwner", None),
        ];
        for (member, kind, domain) in cases {
            let parsed = Member::parse(member);
            assert_eq!((parsed.kind, parsed.domain), (Ok(kind), Ok(domain.map(str::to_owned))), "{member}");
        }
    }

    #[test]
    fn what_is_no_principal_is_unknown_and_not_domainless() {
        for member in ["abcdefg", "", ":", "user:", "user:nobody", "group:ops", "user:x@"] {
            assert!(Member::parse(member).domain.is_err(), "{member:?}");
        }
    }
}
