//! `gcp.principal`: all roles that somebody has at one place, those that come down from folders and the organisation included.
//!
//! One resource for each place that gives a member a role of its own; who only inherits is found above, where the role is given. So whatever two roles meet in one hand
//! meet in one of these. Left out: who is in a group (a group is a member of its own here, and `gcp.group_membership` says who is in it), roles on anything below a project, deny policies, and what conditions say.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Absent, list, put, short, text, texts};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::collect::gcp::member::Member;
use crate::collect::gcp::needs;
use crate::collect::gcp::policies::{self, PERMISSION, Place, Policies};
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.principal`.
#[derive(Debug, Clone, Copy)]
pub struct Principal;

const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("resource", AttributeType::Text, "Full resource name of the place", "getIamPolicy resource"),
    attribute("resource_type", AttributeType::Text, "project, folder or organization", "getIamPolicy resource"),
    attribute("project", AttributeType::Optional(&AttributeType::Text), "The project's id; null on folders and organisations", "getIamPolicy resource"),
    attribute("project_labels", AttributeType::Map(&AttributeType::Text), "The project's labels; none on folders and organisations", "projects.list labels"),
    attribute("member", AttributeType::Text, "As written, e.g. user:ada@example.com", "getIamPolicy bindings[].members[]"),
    attribute("member_type", AttributeType::Text, "user, serviceAccount, group, domain …, as gcp.iam_binding has it", "getIamPolicy bindings[].members[]"),
    attribute("roles", TEXTS, "Roles given at this place, under a condition or not", "getIamPolicy bindings[].role"),
    attribute(
        "inherited_roles",
        TEXTS,
        "Roles given above, up to the organisation; unknown where that is not in scope or was not read",
        "getIamPolicy bindings[].role of the folders and the organisation above",
    ),
];

static KIND: Kind =
    Kind { name: "gcp.principal", meaning: "Somebody with roles on a project, folder or organisation", permission: PERMISSION, attributes: ATTRIBUTES };

/// Roles by who has them, and the exchange of the policy.
#[derive(Debug)]
struct Held<'h> {
    place: Place<'h>,
    n: u32,
    roles: BTreeMap<String, BTreeSet<String>>,
}

#[async_trait]
impl Collector for Principal {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_policies()
    }

    fn reaches_back(&self) -> bool {
        true
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        policies::ask(scope, api, KIND.name).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "everybody who is given a role on the organisations and folders walked, and on any");
        let mut held: BTreeMap<String, Held<'_>> = BTreeMap::new();
        let read = Policies::read(scope, &hierarchy, evidence, &mut |place, policy, n| {
            let mut roles = BTreeMap::new();
            let gaps = roles_of(policy, &mut roles);
            held.entry(place.name.clone()).or_insert_with(|| Held { place: place.clone(), n, roles });
            gaps
        })?;
        let mut counts: BTreeMap<String, u64> = read.tenants.keys().map(|tenant| (tenant.clone(), 0)).collect();
        for (name, here) in &held {
            let above = read.in_force(name, &hierarchy).map(|places| places.into_iter().skip(1).filter_map(|place| held.get(place)).collect::<Vec<_>>());
            for (member, roles) in &here.roles {
                let resource = resource(here, member, roles, &above);
                *counts.entry(here.place.tenant.clone()).or_default() += u64::from(resource.is_ok());
                population.gaps.extend(resource.as_ref().err().cloned());
                resource.into_iter().for_each(&mut *emit);
            }
        }
        let source = || "none: neither a policy nor the inventory names a total".to_owned();
        population.tallies.extend(counts.into_iter().map(|(tenant, count)| Tally { tenant, count, second_count: None, second_source: source() }));
        population.gaps.extend(read.gaps);
        population.evidence.extend(read.evidence);
        Ok(hierarchy.close(population))
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

fn resource(here: &Held<'_>, member: &str, roles: &BTreeSet<String>, above: &Result<Vec<&Held<'_>>, Gap>) -> Result<Resource, Gap> {
    let place = &here.place;
    let id = format!("{}?member={member}", place.full_name());
    let by_digest = |_unusable| format!("{}?principal={}", place.full_name(), Digest::of(id.as_bytes())).parse();
    let id: ResourceId = id.parse().or_else(by_digest).map_err(|_unusable| Gap::new(GapCause::Malformed, format!("a member on {} makes no id", place.name)))?;
    let giving: Vec<&Held<'_>> = above.iter().flatten().copied().filter(|held| held.roles.contains_key(member)).collect();
    let evidence = hierarchy::sorted(place.listed.into_iter().chain([here.n]).chain(giving.iter().map(|held| held.n)).collect());
    let mut resource = Resource::new(&KIND, id, format!("{} on {}", short(member), place.name), evidence);
    resource.know("resource", place.full_name());
    resource.know("resource_type", place.resource_type());
    resource.know("project", place.project);
    put(&mut resource, "project_labels", place.labels.clone().map(Some), Absent::IsUnknown);
    resource.know("member", member);
    put(&mut resource, "member_type", Member::parse(member).kind.map(Some), Absent::IsUnknown);
    resource.know("roles", json!(roles));
    let inherited = || giving.iter().filter_map(|held| held.roles.get(member)).flatten().collect::<BTreeSet<_>>();
    put(&mut resource, "inherited_roles", above.as_ref().map(|_read| Some(json!(inherited()))).map_err(Clone::clone), Absent::IsUnknown);
    Ok(resource.completed(&KIND))
}
