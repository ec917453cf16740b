//! `gcp.group_membership`: who is in a Google group that holds a role on a project, folder or organisation, or in a group within such a one.
//!
//! One resource for each member of each group, as it is in that group itself: who is in a group within is found there. Left out: whom a member stands for beyond that (all of
//! a domain, say), and whether an account still exists.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Absent, Read, list, part, put, short, text, time};
use crate::collect::gcp::groups::{self, Group, Groups, PERMISSION, Roster};
use crate::collect::gcp::hierarchy::{Hierarchy, sorted};
use crate::collect::gcp::iam_binding::member_project;
use crate::collect::gcp::member::Member;
use crate::collect::gcp::needs;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.group_membership`.
#[derive(Debug, Clone, Copy)]
pub struct GroupMembership;

const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("group", TEXT, "The group's address, in lower case", "getIamPolicy bindings[].members[], memberships.list preferredMemberKey.id"),
    attribute("held_roles", TEXTS, "Roles that the group holds by its own name, here or there; where, gcp.group says", "getIamPolicy bindings[].role"),
    attribute("group_has_owner", AttributeType::Bool, "True where somebody owns the group", "memberships.list roles[].name"),
    attribute(
        "member",
        TEXT,
        "Address of the member, or what else it is told by, such as the id of a customer for everybody",
        "memberships.list preferredMemberKey.id",
    ),
    attribute("member_type", TEXT, "USER, SERVICE_ACCOUNT, GROUP or OTHER", "memberships.list type"),
    attribute(
        "member_domain",
        AttributeType::Optional(&TEXT),
        "Lower-case domain of the address; null for members without one",
        "memberships.list preferredMemberKey.id, after @",
    ),
    attribute(
        "member_project",
        AttributeType::Optional(&TEXT),
        "Id of the project that a service account belongs to, as gcp.iam_binding has it; null for other members and for accounts of no project of the organisation",
        "memberships.list preferredMemberKey.id, projects.list projectId",
    ),
    attribute("roles", TEXTS, "OWNER, MANAGER and MEMBER, as far as the member is that", "memberships.list roles[].name"),
    attribute(
        "expires_at",
        AttributeType::Optional(&AttributeType::Time),
        "When the membership ends by itself; null where it does not",
        "memberships.list roles[].expiryDetail.expireTime",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.group_membership",
    meaning: "A member of a Google group that holds a role on a project, folder or organisation, or is within one that does",
    permission: PERMISSION,
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for GroupMembership {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_policies()
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        groups::ask(scope, api, KIND.name).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy
            .population_of(&KIND, "everybody in groups that are given a role, and in groups within them, on the organisations and folders walked, and on any");
        let read = Groups::read(scope, &hierarchy, evidence)?;
        let mut seen = BTreeSet::new();
        for (address, group) in &read.groups {
            let roster = Roster::of(address, evidence)?;
            let before = seen.len();
            for (membership, n) in &roster.members {
                let told = resource((address, group), (&read, &roster), (membership, *n), &hierarchy);
                population.gaps.extend(told.as_ref().err().cloned());
                // Pages may overlap.
                told.into_iter().filter(|resource| seen.insert(resource.id.clone())).for_each(&mut *emit);
            }
            let count = u64::try_from(seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
            let second_source = "none: Cloud Identity names no total".to_owned();
            population.tallies.push(Tally { tenant: format!("group:{address}"), count, second_count: None, second_source });
        }
        population.gaps.extend(read.gaps);
        population.evidence.extend(read.evidence);
        Ok(hierarchy.close(population))
    }
}

fn resource(
    (address, group): (&str, &Group),
    (read, roster): (&Groups, &Roster),
    (membership, n): (&Value, u32),
    hierarchy: &Hierarchy,
) -> Result<Resource, Gap> {
    let nameless = || Gap::new(GapCause::Malformed, format!("a member of the group {} has no usable name", short(address)));
    let name = text(membership, "name").ok().flatten().filter(|name| name.starts_with("groups/")).ok_or_else(nameless)?;
    let id: ResourceId = format!("//cloudidentity.googleapis.com/{name}").parse().map_err(|_unusable| nameless())?;
    let member = groups::member_of(membership);
    let of_type = text(membership, "type");
    let shown = format!("{} in {}", member.clone().map_or_else(|_unknown| "somebody".to_owned(), short), short(address));
    let mut resource = Resource::new(&KIND, id, shown, sorted(group.evidence.iter().chain(&roster.evidence).copied().chain([n]).collect()));
    resource.know("group", address);
    let held: BTreeSet<&str> = group.held.iter().map(|(role, _place)| role.as_str()).collect();
    put(&mut resource, "held_roles", read.unread.clone().map_or(Ok(Some(json!(held))), Err), Absent::IsUnknown);
    put(&mut resource, "group_has_owner", has_owner(roster).map(Some), Absent::IsUnknown);
    put(&mut resource, "member", member.clone().map(Some), Absent::IsUnknown);
    put(&mut resource, "member_type", of_type.clone(), Absent::IsUnknown);
    put(&mut resource, "member_domain", domain(&member, &of_type).map(|domain| Some(json!(domain))), Absent::IsUnknown);
    let project = project(&member, &of_type, hierarchy);
    put(&mut resource, "member_project", project.map(|project| Some(json!(project))), Absent::IsUnknown);
    put(&mut resource, "roles", groups::roles(membership).map(|roles| Some(json!(roles))), Absent::IsUnknown);
    put(&mut resource, "expires_at", expires_at(membership).map(|at| Some(json!(at))), Absent::IsUnknown);
    Ok(resource.completed(&KIND))
}

/// One owner that was seen is enough; that there is none takes the whole list.
fn has_owner(roster: &Roster) -> Result<bool, Gap> {
    let owns = |(membership, _n): &(Value, u32)| groups::roles(membership).is_ok_and(|roles| roles.contains("OWNER"));
    if roster.members.iter().any(owns) {
        return Ok(true);
    }
    roster.owners().map(|owners| !owners.is_empty())
}

/// What an address ends in; who or what has none has no domain.
fn domain(member: &Result<&str, Gap>, of_type: &Read<&str>) -> Read<String> {
    let member = member.clone()?;
    let of_type = of_type.clone()?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a membership does not say what its member is"))?;
    if !member.contains('@') && !matches!(of_type, "USER" | "GROUP" | "SERVICE_ACCOUNT") {
        return Ok(None);
    }
    Member::parse(&format!("user:{member}")).domain
}

fn project(member: &Result<&str, Gap>, of_type: &Read<&str>, hierarchy: &Hierarchy) -> Read<String> {
    let member = member.clone()?;
    match of_type.clone()? {
        None => Err(Gap::new(GapCause::LeftOut, "a membership does not say what its member is")),
        Some("SERVICE_ACCOUNT") => Ok(member_project(&format!("serviceAccount:{member}"), hierarchy)?.map(|(id, _row)| id.to_owned())),
        Some(_other) => Ok(None),
    }
}

/// The full view shows the end of a membership where there is one. <https://cloud.google.com/identity/docs/how-to/manage-expirations>
fn expires_at(membership: &Value) -> Read<String> {
    // Roles that are left out would have told it.
    groups::roles(membership)?;
    for role in list(membership, "roles")?.unwrap_or_default() {
        if part(role, "expiryDetail")?.is_some() {
            let at = time(role, "expiryDetail/expireTime")?;
            return at.map(|at| Some(at.to_owned())).ok_or_else(|| Gap::new(GapCause::LeftOut, "a membership that ends does not say when"));
        }
    }
    Ok(None)
}
