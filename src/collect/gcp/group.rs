//! `gcp.group`: a Google group that holds a role on a project, folder or organisation, or is within one that does.
//!
//! A group that Cloud Identity does not show is one of these all the same, since a policy names it. Left out: who is in it, which is `gcp.group_membership`'s, and
//! whether people may join by themselves, which no API of Cloud Identity tells.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Absent, put, short, text};
use crate::collect::gcp::groups::{self, Groups, PERMISSION, Roster};
use crate::collect::gcp::hierarchy::{Hierarchy, sorted};
use crate::collect::gcp::inventory;
use crate::collect::gcp::needs;
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.group`.
#[derive(Debug, Clone, Copy)]
pub struct Group;

const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

const HELD: &[AttributeDecl] = &[
    attribute("role", AttributeType::Text, "e.g. roles/owner", "getIamPolicy bindings[].role"),
    attribute("resource", AttributeType::Text, "Full resource name that the policy is set on", "getIamPolicy resource"),
];

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("group", AttributeType::Text, "Its address, in lower case", "getIamPolicy bindings[].members[], memberships.list preferredMemberKey.id"),
    attribute(
        "held_roles",
        AttributeType::List(&AttributeType::Record(HELD)),
        "Roles that it holds by its own name, under a condition or not; unknown where a policy in scope was not read",
        "getIamPolicy bindings[]",
    ),
    attribute("within", TEXTS, "Addresses of the groups here that it is a member of; unknown where one of them was not read", "memberships.list type GROUP"),
    attribute("owners", TEXTS, "Addresses of its owners", "memberships.list preferredMemberKey.id with the role OWNER"),
    attribute("member_count", AttributeType::Int, "How many members it has, itself, its owners included", "memberships.list"),
];

static KIND: Kind = Kind {
    name: "gcp.group",
    meaning: "A Google group that holds a role on a project, folder or organisation, or is within one that does",
    permission: PERMISSION,
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for Group {
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
        let mut population =
            hierarchy.population_of(&KIND, "every group that is given a role, with the groups within it, on the organisations and folders walked, and on any");
        let read = Groups::read(scope, &hierarchy, evidence)?;
        let mut count = 0;
        for address in read.groups.keys() {
            let roster = Roster::of(address, evidence)?;
            match resource(address, &read, &roster) {
                Ok(resource) => {
                    count += 1;
                    emit(resource);
                }
                Err(gap) => population.gaps.push(gap),
            }
        }
        let tenant = inventory::parents(scope).into_iter().collect::<Vec<_>>().join(", ");
        population.tallies.push(Tally { tenant, count, second_count: None, second_source: "none: policies name groups, and nothing counts them".to_owned() });
        population.gaps.extend(read.gaps);
        population.evidence.extend(read.evidence);
        Ok(hierarchy.close(population))
    }
}

fn resource(address: &str, read: &Groups, roster: &Roster) -> Result<Resource, Gap> {
    let nameless = || Gap::new(GapCause::Malformed, format!("the group {} makes no id", short(address)));
    let group = read.groups.get(address).ok_or_else(nameless)?;
    let id = format!("//cloudidentity.googleapis.com/groups?address={address}");
    let by_digest = |_unusable| format!("//cloudidentity.googleapis.com/groups?group={}", Digest::of(id.as_bytes())).parse();
    let id: ResourceId = id.parse().or_else(by_digest).map_err(|_unusable| nameless())?;
    let mut resource = Resource::new(&KIND, id, short(address), sorted(group.evidence.iter().chain(&roster.evidence).copied().collect()));
    resource.know("group", address);
    let held = group.held.iter().map(|(role, resource)| json!({ "role": role, "resource": resource })).collect::<Vec<_>>();
    put(&mut resource, "held_roles", read.unread.clone().map_or(Ok(Some(json!(held))), Err), Absent::IsUnknown);
    put(&mut resource, "within", read.unexpanded.clone().map_or_else(|| Ok(Some(json!(group.within))), Err), Absent::IsUnknown);
    put(&mut resource, "owners", roster.owners().map(|owners| Some(json!(owners))), Absent::IsUnknown);
    put(&mut resource, "member_count", member_count(roster).map(Some), Absent::IsUnknown);
    Ok(resource.completed(&KIND))
}

/// Pages may overlap, so that members are counted by the names of their memberships.
fn member_count(roster: &Roster) -> Result<usize, Gap> {
    if let Some(gap) = roster.gaps.first() {
        return Err(gap.clone());
    }
    let nameless = || Gap::new(GapCause::LeftOut, "a membership has no name");
    let names = roster.members.iter().map(|(membership, _n)| text(membership, "name")?.ok_or_else(nameless));
    Ok(names.collect::<Result<BTreeSet<_>, Gap>>()?.len())
}
