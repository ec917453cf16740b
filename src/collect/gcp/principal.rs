//! `gcp.principal`: all roles that somebody has at one place, those that come down from folders and the organisation and those that groups give included, and what is denied.
//!
//! One resource for each place that gives a member a role of its own, or gives one to a group that has the member in it, directly or by a group within; who only inherits is
//! found above, where the role is given. So whatever two roles meet in one hand meet in one of these. Groups, and whoever else stands for several, stay members of their own
//! beside those who are in them: everybody of a customer, say, as `principalSet://goog/cloudIdentityCustomerId/…`.
//! Left out: roles on anything below a project, what conditions say, deny policies that are set on projects below those configured, and what an account may do in the name of others by
//! domain-wide delegation, which Google Workspace keeps and no policy shows (`gcp.service_account` has the id to look for).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures::try_join;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::belonging::{Belonging, comparable};
use crate::collect::gcp::denials::Denials;
use crate::collect::gcp::fields::{Absent, list, put, short, text, texts};
use crate::collect::gcp::groups::{self, address_of};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::collect::gcp::member::Member;
use crate::collect::gcp::policies::{Place, Policies};
use crate::collect::gcp::{deny_rule, needs};
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Route, Scope, Tally, attribute};

/// Collects `gcp.principal`.
#[derive(Debug, Clone, Copy)]
pub struct Principal;

const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const PERMISSION: &str = "cloudasset.assets.listIamPolicy, or resourcemanager.projects.getIamPolicy, resourcemanager.folders.getIamPolicy and resourcemanager.organizations.getIamPolicy; iam.denypolicies.list and iam.denypolicies.get; and the administrator role Groups Reader, given in the Google Admin console";

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("resource", AttributeType::Text, "Full resource name of the place", "getIamPolicy resource"),
    attribute("resource_type", AttributeType::Text, "project, folder or organization", "getIamPolicy resource"),
    attribute("project", AttributeType::Optional(&AttributeType::Text), "The project's id; null on folders and organisations", "getIamPolicy resource"),
    attribute("project_labels", AttributeType::Map(&AttributeType::Text), "The project's labels; none on folders and organisations", "projects.list labels"),
    attribute(
        "member",
        AttributeType::Text,
        "As written, e.g. user:ada@example.com; in lower case who is only in a group",
        "getIamPolicy bindings[].members[], memberships.list preferredMemberKey.id",
    ),
    attribute("member_type", AttributeType::Text, "user, serviceAccount, group, domain …, as gcp.iam_binding has it", "getIamPolicy bindings[].members[]"),
    attribute(
        "roles",
        TEXTS,
        "Roles given to the member itself at this place, under a condition or not; none for who is only in a group",
        "getIamPolicy bindings[].role",
    ),
    attribute(
        "inherited_roles",
        TEXTS,
        "Roles given above, up to the organisation; unknown where that is not in scope or was not read",
        "getIamPolicy bindings[].role of the folders and the organisation above",
    ),
    attribute(
        "group_roles",
        TEXTS,
        "Roles given here or above to groups that the member is in, directly or by groups within them; unknown where one that gives a role was not read, or has everybody of a customer in it, or where inherited_roles would be",
        "getIamPolicy bindings[].role, memberships.list",
    ),
    attribute(
        "denied_permissions",
        TEXTS,
        "What deny rules set here or above deny the member always, whatever its roles, e.g. iam.googleapis.com/serviceAccountKeys.create: for several people together what a rule without exceptions denies, and of wildcards those of which nothing is excepted; unknown where a policy or a group that is named was not read, or whom a rule means cannot be told. Left out are deny policies of projects that are not configured by themselves",
        "policies.get rules[].denyRule",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.principal",
    meaning: "Somebody with roles on a project, folder or organisation, given to them or to a group that they are in",
    permission: PERMISSION,
    attributes: ATTRIBUTES,
};

/// Roles by who has them, and the exchange of the policy.
#[derive(Debug)]
struct Held<'h> {
    place: Place<'h>,
    n: u32,
    roles: BTreeMap<String, BTreeSet<String>>,
    /// The same of groups, by their addresses.
    groups: BTreeMap<String, BTreeSet<String>>,
    /// And of all, as they can be compared.
    compared: BTreeMap<String, BTreeSet<String>>,
}

/// Some policies in force at a place, or why one of them is not known.
type InForce<'a, 'h> = Result<Vec<&'a Held<'h>>, Gap>;

/// What bears on everybody.
struct Bearing<'a> {
    hierarchy: &'a Hierarchy,
    belonging: &'a Belonging,
    denials: &'a Denials,
}

#[async_trait]
impl Collector for Principal {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        let denied = ["iam.denypolicies.list", "iam.denypolicies.get"].map(|permission| Need::of_project(permission, Route::Always));
        needs::of_policies().into_iter().chain(denied).collect()
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let named = async { groups::walk(deny_rule::ask(scope, api, KIND.name).await?, api, KIND.name).await };
        try_join!(groups::ask(scope, api, KIND.name), named).map(drop)
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let what = "everybody who is given a role, or is in a group that is, on the organisations and folders walked, and on any";
        let mut population = hierarchy.population_of(&KIND, what);
        let mut held: BTreeMap<String, Held<'_>> = BTreeMap::new();
        let read = Policies::read(scope, &hierarchy, evidence, &mut |place, policy, n| {
            let mut roles = BTreeMap::new();
            let gaps = roles_of(policy, &mut roles);
            held.entry(place.name.clone()).or_insert_with(|| Held::new(place.clone(), n, roles));
            gaps
        })?;
        let giving: BTreeSet<&String> = held.values().flat_map(|here| here.groups.keys()).collect();
        let denials = Denials::read(scope, &hierarchy, evidence)?;
        let belonging = Belonging::read(giving.iter().copied().cloned().chain(denials.groups()).collect(), evidence)?;
        let unread: BTreeSet<&Gap> = giving.iter().flat_map(|group| belonging.gaps(group)).collect();
        let bearing = Bearing { hierarchy: &hierarchy, belonging: &belonging, denials: &denials };
        let mut counts: BTreeMap<String, u64> = read.tenants.keys().map(|tenant| (tenant.clone(), 0)).collect();
        for (name, here) in &held {
            let in_force = read.in_force(name, &hierarchy).map(|places| places.into_iter().filter_map(|place| held.get(place)).collect::<Vec<_>>());
            for member in here.everybody(&belonging) {
                let resource = resource(here, &member, &in_force, &bearing);
                *counts.entry(here.place.tenant.clone()).or_default() += u64::from(resource.is_ok());
                population.gaps.extend(resource.as_ref().err().cloned());
                resource.into_iter().for_each(&mut *emit);
            }
        }
        let source = || "none: neither a policy nor the inventory names a total".to_owned();
        population.tallies.extend(counts.into_iter().map(|(tenant, count)| Tally { tenant, count, second_count: None, second_source: source() }));
        population.gaps.extend(read.gaps.into_iter().chain(unread.into_iter().cloned()));
        population.evidence.extend(read.evidence.into_iter().chain(giving.into_iter().flat_map(|group| belonging.evidence(group)).copied()));
        Ok(hierarchy.close(population))
    }
}

impl<'h> Held<'h> {
    fn new(place: Place<'h>, n: u32, roles: BTreeMap<String, BTreeSet<String>>) -> Self {
        let (mut groups, mut compared) = (BTreeMap::<_, BTreeSet<String>>::new(), BTreeMap::<_, BTreeSet<String>>::new());
        for (member, roles) in &roles {
            compared.entry(comparable(member)).or_default().extend(roles.iter().cloned());
            if let Some(address) = address_of(member) {
                groups.entry(address).or_default().extend(roles.iter().cloned());
            }
        }
        Self { place, n, roles, groups, compared }
    }

    /// Who is given a role here, and who is in a group that is.
    fn everybody(&self, belonging: &Belonging) -> BTreeSet<String> {
        let within = self.groups.keys().flat_map(|group| belonging.members(group)).filter(|member| !self.compared.contains_key(*member));
        self.roles.keys().cloned().chain(within.map(ToOwned::to_owned)).collect()
    }
}

/// Adds what a policy gives to whom; returns what it could not make out.
pub(super) fn roles_of(policy: &Value, roles: &mut BTreeMap<String, BTreeSet<String>>) -> Vec<Gap> {
    let bindings = match list(policy, "bindings") {
        Ok(bindings) => bindings.unwrap_or_default(),
        Err(gap) => return vec![gap],
    };
    let mut gaps = Vec::new();
    for binding in bindings {
        match (text(binding, "role"), texts(binding, "members")) {
            (Ok(Some(role)), Ok(members)) => {
                for member in members.unwrap_or_default() {
                    roles.entry(member.to_owned()).or_default().extend([role.to_owned()]);
                }
            }
            (Ok(None), _) => gaps.push(Gap::new(GapCause::LeftOut, "a binding names no role")),
            (Err(gap), _) | (_, Err(gap)) => gaps.push(gap),
        }
    }
    gaps
}

fn resource(here: &Held<'_>, member: &str, in_force: &InForce<'_, '_>, bearing: &Bearing<'_>) -> Result<Resource, Gap> {
    let place = &here.place;
    let id = format!("{}?member={member}", place.full_name());
    let by_digest = |_unusable| format!("{}?principal={}", place.full_name(), Digest::of(id.as_bytes())).parse();
    let id: ResourceId = id.parse().or_else(by_digest).map_err(|_unusable| Gap::new(GapCause::Malformed, format!("a member on {} makes no id", place.name)))?;
    let compared = comparable(member);
    let above = in_force.as_ref().map(|places| places.iter().skip(1).copied()).map_err(Clone::clone);
    let giving: Vec<&Held<'_>> = above.iter().flat_map(Clone::clone).filter(|held| held.compared.contains_key(&compared)).collect();
    let by_groups = in_force.as_ref().map_err(Clone::clone).and_then(|places| group_roles(&compared, places, bearing.belonging));
    let denied = bearing.denials.of(&compared, &place.name, bearing.hierarchy, bearing.belonging);
    let told = by_groups.iter().map(|told| &told.1).chain(denied.iter().map(|told| &told.1)).flatten().copied();
    let evidence = place.listed.into_iter().chain([here.n]).chain(giving.iter().map(|held| held.n)).chain(told);
    let mut resource = Resource::new(&KIND, id, format!("{} on {}", short(member), place.name), hierarchy::sorted(evidence.collect()));
    resource.know("resource", place.full_name());
    resource.know("resource_type", place.resource_type());
    resource.know("project", place.project);
    put(&mut resource, "project_labels", place.labels.clone().map(Some), Absent::IsUnknown);
    resource.know("member", member);
    put(&mut resource, "member_type", Member::parse(member).kind.map(Some), Absent::IsUnknown);
    resource.know("roles", json!(here.roles.get(member).cloned().unwrap_or_default()));
    let inherited = || giving.iter().filter_map(|held| held.compared.get(&compared)).flatten().collect::<BTreeSet<_>>();
    put(&mut resource, "inherited_roles", above.map(|_read| Some(json!(inherited()))), Absent::IsUnknown);
    put(&mut resource, "group_roles", by_groups.map(|(roles, _told)| Some(json!(roles))), Absent::IsUnknown);
    put(&mut resource, "denied_permissions", denied.map(|(permissions, _told)| Some(json!(permissions))), Absent::IsUnknown);
    Ok(resource.completed(&KIND))
}

/// Roles of groups that somebody is in, and the exchanges that tell it.
fn group_roles<'a>(member: &str, places: &[&'a Held<'_>], belonging: &Belonging) -> Result<(BTreeSet<&'a String>, Vec<u32>), Gap> {
    let (mut all, mut told) = (BTreeSet::new(), Vec::new());
    for held in places {
        for (group, roles) in &held.groups {
            if belonging.holds(group, member)? {
                all.extend(roles);
                told.push(held.n);
                told.extend(belonging.evidence(group));
            }
        }
    }
    Ok((all, told))
}
