//! `gcp.deny_rule`: what nobody may do, or somebody may not, whatever roles they hold: the rules of deny policies.
//!
//! Cloud Asset Inventory shows none of them, so that each organisation and folder is asked, and a project where it is what was configured: one request, and one for each
//! policy, since the listing leaves rules out. <https://cloud.google.com/iam/docs/reference/rest/v2/policies/listPolicies>
//! Left out: policies that are set on projects below them, which would take a request each, and can only deny more.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::{Listed, Listing};
use crate::collect::gcp::asking::{collected, encoded, entries, names, pages};
use crate::collect::gcp::fields::{Absent, Read, list, part, put, short, text, texts};
use crate::collect::gcp::hierarchy::{self, Hierarchy, sorted};
use crate::collect::gcp::needs;
use crate::collect::gcp::typed::{Absence, Absences, attribute as typed};
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Host, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.deny_rule`.
#[derive(Debug, Clone, Copy)]
pub struct DenyRule;

const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const PERMISSION: &str = "iam.denypolicies.list and iam.denypolicies.get";

const IAM: Host = Host::Google("iam");
const LIST: &str = "iam.policies.listPolicies";
const GET: &str = "iam.policies.get";

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("resource", TEXT, "Full resource name of the organisation, folder or project that it holds on and below", "policies.listPolicies parent"),
    attribute("resource_type", TEXT, "project, folder or organization", "policies.listPolicies parent"),
    attribute("policy", TEXT, "Id of the policy that it is a rule of", "policies.get name"),
    attribute("denied_principals", TEXTS, "Who is denied, e.g. principalSet://goog/public:all", "policies.get rules[].denyRule.deniedPrincipals"),
    attribute("exception_principals", TEXTS, "Who is not, although named or meant by that", "policies.get rules[].denyRule.exceptionPrincipals"),
    attribute(
        "denied_permissions",
        TEXTS,
        "What is denied, e.g. iam.googleapis.com/serviceAccountKeys.create",
        "policies.get rules[].denyRule.deniedPermissions",
    ),
    attribute("exception_permissions", TEXTS, "What is not, although named or meant by that", "policies.get rules[].denyRule.exceptionPermissions"),
    attribute(
        "condition",
        AttributeType::Optional(&TEXT),
        "Under which condition it denies, by tags of the resource; null where it always does",
        "policies.get rules[].denyRule.denialCondition.expression",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.deny_rule",
    meaning: "A rule that denies permissions on an organisation or folder, or on a project that is configured by itself, and below",
    permission: PERMISSION,
    attributes: ATTRIBUTES,
};

/// Lists that are empty are left out.
const ABSENCES: Absences = &[("exception_principals", Absence::NoItems), ("exception_permissions", Absence::NoItems)];

#[async_trait]
impl Collector for DenyRule {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_service(&["iam.denypolicies.list", "iam.denypolicies.get"])
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        ask(scope, api, KIND.name).await.map(drop)
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "all rules of deny policies of the organisations and folders walked, and not of those");
        let mut seen = BTreeSet::new();
        for place in places(scope, hierarchy.nodes.keys().map(String::as_str)) {
            let before = seen.len();
            let (told, read) = rules_of(&place, evidence)?;
            told.into_iter().filter(|rule| seen.insert(rule.id.clone())).for_each(&mut *emit);
            population.gaps.extend(read.gaps);
            population.evidence.extend(read.evidence);
            let count = u64::try_from(seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
            population.tallies.push(Tally { tenant: place, count, second_count: None, second_source: "none: the listing names no total".to_owned() });
        }
        Ok(hierarchy.close(population))
    }
}

/// Asks for the deny policies of all places where they are looked for, and tells the addresses of the groups that their rules name.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask(scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<BTreeSet<String>, ApiError> {
    let found = hierarchy::ask(scope, api, kind).await?;
    let places = places(scope, found.nodes.iter().map(String::as_str));
    let named = collected(places.into_iter().map(|place| policies(api, place, kind)).collect()).await?;
    Ok(named.into_iter().flatten().collect())
}

/// The rules of a place as they were stored, and how they were read.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn rules_of(place: &str, evidence: &dyn Evidence) -> Result<(Vec<Resource>, Listed), Unreadable> {
    let mut ids = BTreeSet::new();
    let listing = Listing { operation: LIST, subject: place, entries: "policies", partial: None, permission: PERMISSION, place };
    let mut read = listing.read(evidence, &mut |policy, _n| {
        let id = policy.get("name").and_then(Value::as_str).and_then(id_of);
        ids.extend(id.map(ToOwned::to_owned));
        Ok(id.is_none().then(|| Gap::new(GapCause::Malformed, format!("a deny policy of {place} has no usable name"))))
    })?;
    let (listed, mut all) = (read.evidence.clone(), Vec::new());
    for id in ids {
        let (told, of_policy) = policy((place, &id), &listed, evidence)?;
        all.extend(told);
        read.gaps.extend(of_policy.gaps);
        read.evidence.extend(of_policy.evidence);
    }
    Ok((all, read))
}

/// The address of the group that a principal of a rule is.
pub(super) fn group_of(principal: &str) -> Option<String> {
    principal.strip_prefix("principalSet://goog/group/").map(str::to_lowercase)
}

/// Where policies are looked for: what was walked, and projects that are configured by themselves.
pub(super) fn places<'a>(scope: &Scope, nodes: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let configured = scope.gcp_parents.iter().map(ToString::to_string);
    nodes.map(ToOwned::to_owned).chain(configured).collect()
}

/// The path of the policies of a place, which takes its full name as one word.
fn path(place: &str) -> String {
    format!("/v2/policies/{}/denypolicies", encoded(&format!("cloudresourcemanager.googleapis.com/{place}")))
}

fn subject(place: &str, id: &str) -> String {
    format!("{place}/denypolicies/{id}")
}

fn id_of(name: &str) -> Option<&str> {
    name.rsplit_once("/denypolicies/").map(|(_place, id)| id).filter(|id| !id.is_empty() && !id.contains('/'))
}

async fn policies(api: &dyn Api, place: String, kind: &'static str) -> Result<Vec<String>, ApiError> {
    let mut found = Vec::new();
    let request = Request::get(IAM, format!("{}?pageSize=1000", path(&place)), LIST, &place, kind);
    pages(api, request, |page| found.extend(names(page, "policies", "name"))).await?;
    let ids: BTreeSet<&str> = found.iter().filter_map(|name| id_of(name)).collect();
    let mut named = Vec::new();
    for id in ids {
        let target = format!("{}/{}", path(&place), encoded(id));
        named.extend(groups_in(&api.send(Request::get(IAM, target, GET, subject(&place, id), kind)).await?));
    }
    Ok(named)
}

/// The addresses of the groups that the rules of a policy name.
fn groups_in(policy: &Reply) -> Vec<String> {
    let rules = entries(policy, "rules");
    let of = |field: &'static str| rules.iter().filter_map(move |rule| texts(rule.get("denyRule")?, field).ok().flatten()).flatten().filter_map(group_of);
    of("deniedPrincipals").chain(of("exceptionPrincipals")).collect()
}

/// The rules of a policy as it was stored, and how it was read.
fn policy((place, id): (&str, &str), listed: &[u32], evidence: &dyn Evidence) -> Result<(Vec<Resource>, Listed), Unreadable> {
    let subject = subject(place, id);
    let listing = Listing { operation: GET, subject: &subject, entries: "", partial: None, permission: PERMISSION, place };
    let (mut told, mut lost) = (Vec::new(), Vec::new());
    let mut read = listing.read(evidence, &mut |policy, n| {
        let cited = sorted(listed.iter().copied().chain([n]).collect());
        for rule in rules((place, id), policy, &cited) {
            lost.extend(rule.as_ref().err().cloned());
            told.extend(rule);
        }
        Ok(None)
    })?;
    read.gaps.extend(lost);
    Ok((told, read))
}

/// The rules of a policy. One that shows none has lost them: nobody sets such a one.
fn rules((place, id): (&str, &str), policy: &Value, cited: &[u32]) -> Vec<Result<Resource, Gap>> {
    let none = || Gap::new(GapCause::LeftOut, format!("the deny policy {} of {place} shows no rule", short(id)));
    match list(policy, "rules").and_then(|rules| rules.filter(|rules| !rules.is_empty()).ok_or_else(none)) {
        Err(gap) => vec![Err(gap)],
        Ok(rules) => rules.iter().map(|rule| resource((place, id), rule, cited.to_vec())).collect(),
    }
}

/// Rules have no names: one is told from another by what it says.
fn resource((place, policy): (&str, &str), rule: &Value, evidence: Vec<u32>) -> Result<Resource, Gap> {
    let strange = || Gap::new(GapCause::Malformed, format!("a rule of the deny policy {} of {place} is none that is known here", short(policy)));
    let denies = part(rule, "denyRule")?.filter(|rule| rule.is_object()).ok_or_else(strange)?;
    let digest = Digest::of(denies.to_string().as_bytes());
    let full_name = format!("//cloudresourcemanager.googleapis.com/{place}");
    let id: ResourceId = format!("{full_name}?denypolicy={policy}&rule={digest}").parse().map_err(|_unusable| strange())?;
    let mut resource = Resource::new(&KIND, id, format!("{} on {place}", short(policy)), evidence);
    resource.know("resource", full_name);
    resource.know("resource_type", place.split('/').next().unwrap_or_default().trim_end_matches('s'));
    resource.know("policy", policy);
    for declared in ATTRIBUTES.iter().filter(|declared| declared.name.ends_with("principals") || declared.name.ends_with("permissions")) {
        let field = declared.vendor.rsplit('.').next().unwrap_or_default();
        let told = typed(denies, &AttributeDecl { vendor: field, ..*declared }, ABSENCES);
        put(&mut resource, declared.name, told, Absent::IsUnknown);
    }
    put(&mut resource, "condition", condition(denies), Absent::IsUnknown);
    Ok(resource.completed(&KIND))
}

/// A condition without expression is not "no condition".
fn condition(denies: &Value) -> Read<Value> {
    match part(denies, "denialCondition")? {
        None => Ok(Some(Value::Null)),
        Some(condition) => Ok(text(condition, "expression")?.map(|expression| json!(expression))),
    }
}
