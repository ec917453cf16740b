//! Google groups that hold roles, and the groups within them: who is in them is asked of Cloud Identity.
//!
//! Asked for are the groups that policies name, or the rules of deny policies, and from there on each group that is a member of one: two requests a group, and one for each 500 members.
//! <https://cloud.google.com/identity/docs/reference/rest/v1/groups.memberships/list>
//! `searchTransitiveMemberships` would walk by itself, but is sold with some editions only. Left out: groups that hold no role here, and everything else about members.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::{Listed, Listing};
use crate::collect::gcp::asking::{collected, encoded, encoded_path, entries, json, pages};
use crate::collect::gcp::fields::{list, part, short, text, texts};
use crate::collect::gcp::hierarchy::{Hierarchy, sorted};
use crate::collect::gcp::policies::{self, Policies};
use crate::collect::gcp::principal::roles_of;
use crate::model::{Gap, GapCause, Host, Scope};

/// What it takes to see who is in a group: no role of Google Cloud gives it.
const READER: &str = "the administrator role Groups Reader, given in the Google Admin console,";
/// Where that is needed; the same for each group, since it is given once.
const DIRECTORY: &str = "the organisation's directory";
/// What it takes to read all of this.
pub(super) const PERMISSION: &str = "cloudasset.assets.listIamPolicy, or resourcemanager.projects.getIamPolicy, resourcemanager.folders.getIamPolicy and resourcemanager.organizations.getIamPolicy; and the administrator role Groups Reader, given in the Google Admin console";

const CLOUD_IDENTITY: Host = Host::Google("cloudidentity");
const LOOKUP: &str = "cloudidentity.groups.lookup";
const MEMBERSHIPS: &str = "cloudidentity.groups.memberships.list";
/// What is asked for of each membership; the rest is never sent. The basic view would leave out until when somebody is a member.
const QUERY: &str = "view=FULL&pageSize=500&fields=memberships(name,preferredMemberKey,roles(name,expiryDetail),type),nextPageToken";

/// Asks for every policy in scope, and for who is in the groups that they name.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask(scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
    walk(policies::ask_naming(scope, api, kind, named).await?, api, kind).await
}

/// Asks who is in the groups with these addresses, and in the groups within them.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn walk(mut level: BTreeSet<String>, api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
    let mut asked = BTreeSet::new();
    while !level.is_empty() {
        let within = collected(level.iter().map(|address| members(api, address.clone(), kind)).collect()).await?;
        asked.append(&mut level);
        level = within.into_iter().flatten().filter(|address| !asked.contains(address)).collect();
    }
    Ok(())
}

/// Asks who is in a group, and tells the groups among them.
async fn members(api: &dyn Api, address: String, kind: &'static str) -> Result<Vec<String>, ApiError> {
    let target = format!("/v1/groups:lookup?groupKey.id={}", encoded(&address));
    let found = json(&api.send(Request::get(CLOUD_IDENTITY, target, LOOKUP, address, kind)).await?);
    let mut within = Vec::new();
    if let Ok(name) = name_of(&found) {
        let target = format!("/v1/{}/memberships?{QUERY}", encoded_path(name));
        let request = Request::get(CLOUD_IDENTITY, target, MEMBERSHIPS, name, kind);
        pages(api, request, |page| within.extend(entries(page, "memberships").iter().filter_map(|membership| group_within(membership).ok().flatten()))).await?;
    }
    Ok(within)
}

/// The addresses of the groups that the policies of an answer name: a page of the inventory, or a policy by itself.
fn named(reply: &Reply) -> Vec<String> {
    let answer = json(reply);
    let listed = answer.get("assets").and_then(Value::as_array);
    let policies: Vec<&Value> = listed.map_or_else(|| vec![&answer], |assets| assets.iter().filter_map(|asset| asset.get("iamPolicy")).collect());
    let bindings = policies.into_iter().filter_map(|policy| policy.get("bindings")?.as_array()).flatten();
    bindings.filter_map(|binding| texts(binding, "members").ok().flatten()).flatten().filter_map(address_of).collect()
}

/// Of a group; policies and directories do not agree on capital letters.
pub(super) fn address_of(member: &str) -> Option<String> {
    member.strip_prefix("group:").map(str::to_lowercase)
}

fn name_of(found: &Value) -> Result<&str, Gap> {
    let name = text(found, "name")?.filter(|name| name.strip_prefix("groups/").is_some_and(|id| !id.is_empty() && !id.contains('/')));
    name.ok_or_else(|| Gap::new(GapCause::LeftOut, "a group that was looked up has no usable name"))
}

/// The address of a member that is a group.
///
/// # Errors
/// It does not say, or the group is none that can be looked up.
pub(super) fn group_within(membership: &Value) -> Result<Option<String>, Gap> {
    let of_type = text(membership, "type")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a membership does not say what its member is"))?;
    if of_type != "GROUP" {
        return Ok(None);
    }
    if part(membership, "preferredMemberKey/namespace")?.is_some() {
        return Err(Gap::new(GapCause::Incomplete, "a group of another source of identities is a member, and such groups are not looked into"));
    }
    let address = text(membership, "preferredMemberKey/id")?.filter(|address| !address.is_empty());
    address.map(|address| Some(address.to_lowercase())).ok_or_else(|| Gap::new(GapCause::LeftOut, "a group that is a member has no address"))
}

/// One group.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// The roles that it holds by its own name, and the full names of the places.
    pub(super) held: BTreeSet<(String, String)>,
    /// Addresses of the groups that it is a member of.
    pub(super) within: BTreeSet<String>,
    /// The policies that name it, and the listings that show it as a member.
    pub(super) evidence: Vec<u32>,
}

/// All groups that hold roles, with those within them.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// By address.
    pub(super) groups: BTreeMap<String, Group>,
    /// Why a group may hold a role that is not known.
    pub(super) unread: Option<Gap>,
    /// Why a group may be within one that is not known.
    pub(super) unexpanded: Option<Gap>,
    /// What is missing.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges.
    pub(super) evidence: Vec<u32>,
}

/// Who is in one group.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Memberships as the vendor shows them, with their exchanges.
    pub(super) members: Vec<(Value, u32)>,
    /// What is missing.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges.
    pub(super) evidence: Vec<u32>,
}

impl Groups {
    /// Reads which groups there are.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(scope: &Scope, hierarchy: &Hierarchy, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let read = Policies::read(scope, hierarchy, evidence, &mut |place, policy, n| {
            let mut roles = BTreeMap::new();
            let gaps = roles_of(policy, &mut roles);
            for (address, roles) in roles.into_iter().filter_map(|(member, roles)| Some((address_of(&member)?, roles))) {
                let group = groups.entry(address).or_default();
                group.held.extend(roles.into_iter().map(|role| (role, place.full_name())));
                group.evidence.push(n);
            }
            gaps
        })?;
        let unread = hierarchy.gaps().chain(&read.gaps).next().cloned();
        let mut this = Self { groups, unread, gaps: read.gaps, evidence: read.evidence, unexpanded: None };
        this.expand(evidence)?;
        Ok(this)
    }

    /// Adds the groups that are within groups.
    fn expand(&mut self, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let mut waiting: Vec<String> = self.groups.keys().cloned().collect();
        let mut expanded = BTreeSet::new();
        while let Some(address) = waiting.pop() {
            if !expanded.insert(address.clone()) {
                continue;
            }
            let mut roster = Roster::of(&address, evidence)?;
            waiting.extend(self.nest(&address, &mut roster));
            self.unexpanded = self.unexpanded.take().or_else(|| roster.gaps.first().cloned());
            self.gaps.append(&mut roster.gaps);
            self.evidence.append(&mut roster.evidence);
        }
        for group in self.groups.values_mut() {
            group.evidence = sorted(std::mem::take(&mut group.evidence));
        }
        Ok(())
    }

    /// Notes the groups among the members of one, and tells them.
    fn nest(&mut self, address: &str, roster: &mut Roster) -> BTreeSet<String> {
        let mut nested = BTreeSet::new();
        for (membership, n) in &roster.members {
            let within = group_within(membership);
            roster.gaps.extend(within.as_ref().err().cloned());
            let Some(within) = within.ok().flatten() else { continue };
            let group = self.groups.entry(within.clone()).or_default();
            group.within.insert(address.to_owned());
            group.evidence.push(*n);
            nested.insert(within);
        }
        nested
    }
}

impl Roster {
    /// Reads who is in the group with this address.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn of(address: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut this = Self::default();
        let mut name = None;
        let listing = |operation, subject, entries| Listing { operation, subject, entries, partial: None, permission: READER, place: DIRECTORY };
        let found = listing(LOOKUP, address, "").read(evidence, &mut |found, _n| {
            Ok(match name_of(found) {
                Ok(found) => {
                    name = Some(found.to_owned());
                    None
                }
                Err(gap) => Some(Gap::new(gap.cause, format!("{} ({})", gap.detail, short(address)))),
            })
        })?;
        this.take(found);
        let Some(name) = name else { return Ok(this) };
        let mut members = Vec::new();
        let listed = listing(MEMBERSHIPS, &name, "memberships").read(evidence, &mut |membership, n| {
            members.push((membership.clone(), n));
            Ok(None)
        })?;
        this.members = members;
        this.take(listed);
        Ok(this)
    }

    fn take(&mut self, listed: Listed) {
        self.gaps.extend(listed.gaps);
        self.evidence.extend(listed.evidence);
    }

    /// Addresses of its owners.
    ///
    /// # Errors
    /// Somebody may own it who is not known.
    pub(super) fn owners(&self) -> Result<BTreeSet<String>, Gap> {
        if let Some(gap) = self.gaps.first() {
            return Err(gap.clone());
        }
        let mut owners = BTreeSet::new();
        for (membership, _n) in &self.members {
            if roles(membership)?.contains("OWNER") {
                owners.insert(member_of(membership)?.to_owned());
            }
        }
        Ok(owners)
    }
}

/// What somebody is in a group: OWNER, MANAGER, MEMBER.
///
/// # Errors
/// It does not say.
pub(super) fn roles(membership: &Value) -> Result<BTreeSet<&str>, Gap> {
    let left_out = || Gap::new(GapCause::LeftOut, "a membership does not say what its member is in the group");
    let roles = list(membership, "roles")?.filter(|roles| !roles.is_empty()).ok_or_else(left_out)?;
    roles.iter().map(|role| text(role, "name")?.ok_or_else(left_out)).collect()
}

/// The member's address.
///
/// # Errors
/// It does not say.
pub(super) fn member_of(membership: &Value) -> Result<&str, Gap> {
    let member = text(membership, "preferredMemberKey/id")?.filter(|member| !member.is_empty());
    member.ok_or_else(|| Gap::new(GapCause::LeftOut, "a membership does not say whose it is"))
}
