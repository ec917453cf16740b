//! The GitHub kinds that describe an organisation, from fixtures: what was asked, what came back, what is known and what is not.

mod access;
mod actions;
mod activity;
mod audit;
mod boards;
mod branch;
mod changes;
mod deployments;
mod discussions;
mod files;
mod known;
mod listings;
mod milestones;
mod organization;
mod people;
mod properties;
mod repository;
mod reviews;
pub(crate) mod rules;
mod ruleset;
mod runs;
mod teams;
mod workflow;

use std::path::Path;

use proofline::collect::github::audit_event::AuditEvent;
use proofline::collect::github::audit_log::AuditLog;
use proofline::collect::github::branch::Branch;
use proofline::collect::github::member_activity::MemberActivity;
use proofline::collect::github::org_role_assignment::OrgRoleAssignment;
use proofline::collect::github::organization::Organization;
use proofline::collect::github::organization_member::OrganizationMember;
use proofline::collect::github::repository::Repository;
use proofline::collect::replay::{Answer, Replay, ReplayedEvidence};
use proofline::collect::{Collector, Evidence, Request};
use proofline::model::{Attribute, AttributeType, Gap, GapCause, Method, Period, Population, Resource, Scope};
use serde_json::Value;

/// One organisation, `acme`.
pub(crate) fn scope() -> Scope {
    let at = |text: &str| text.parse().expect("an instant");
    Scope {
        github_organizations: vec!["acme".into()],
        github_enterprise: None,
        issue_labels: Vec::new(),
        release_workflows: Vec::new(),
        boards: proofline::model::Boards::default(),
        gcp_parents: Vec::new(),
        window: Period::new(at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z")).expect("a period"),
        as_of: None,
        tasks: None,
    }
}

/// Every resource has exactly the declared attributes with the declared types, cites evidence, and is alone with its id.
pub(crate) fn assert_contract(collector: &dyn Collector, evidence: &dyn Evidence) -> (Vec<Resource>, Population) {
    assert_contract_in(&scope(), collector, evidence)
}

/// The same in another scope.
pub(crate) fn assert_contract_in(scope: &Scope, collector: &dyn Collector, evidence: &dyn Evidence) -> (Vec<Resource>, Population) {
    let kind = collector.kind();
    let mut resources: Vec<Resource> = Vec::new();
    let population = collector.extract(scope, evidence, &mut |resource| resources.push(resource)).expect("readable evidence");
    assert_eq!(population.kind, kind.name);
    assert_eq!(population.count(), u64::try_from(resources.len()).expect("a count"), "the tallies count what was emitted");
    let mut ids: Vec<_> = resources.iter().map(|resource| &resource.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), resources.len(), "ids are unique");
    for resource in &resources {
        assert_eq!(resource.kind, kind.name);
        assert!(!resource.evidence.is_empty(), "{} cites nothing", resource.id);
        let names: Vec<_> = resource.attributes.keys().map(String::as_str).collect();
        let mut declared: Vec<_> = kind.attributes.iter().map(|attribute| attribute.name).collect();
        declared.sort_unstable();
        assert_eq!(names, declared, "{}", resource.id);
        for declared in kind.attributes {
            if let Some(Attribute::Known(value)) = resource.attributes.get(declared.name) {
                assert!(has_type(value, declared.ty), "{} of {} is {value}, not {}", declared.name, resource.id, declared.ty);
            }
        }
    }
    (resources, population)
}

pub(crate) fn has_type(value: &Value, ty: AttributeType) -> bool {
    match ty {
        AttributeType::Bool => value.is_boolean(),
        AttributeType::Int => value.is_i64(),
        AttributeType::Text => value.is_string(),
        AttributeType::Time => value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
        AttributeType::List(inner) => value.as_array().is_some_and(|items| items.iter().all(|item| has_type(item, *inner))),
        AttributeType::Map(inner) => value.as_object().is_some_and(|items| items.values().all(|item| has_type(item, *inner))),
        AttributeType::Record(fields) => value.as_object().is_some_and(|object| {
            object.len() == fields.len() && fields.iter().all(|field| object.get(field.name).is_some_and(|value| has_type(value, field.ty)))
        }),
        AttributeType::Optional(inner) => value.is_null() || has_type(value, *inner),
    }
}

pub(crate) type World = Box<dyn Fn(&Request) -> Answer + Send + Sync>;

/// A world from JSON: `answers` by what is asked, `default` for everything else.
pub(crate) fn world(fixture: Value) -> World {
    let answer = |json: &Value| {
        let mut answer = Answer::new(u16::try_from(json["status"].as_u64().expect("a status")).expect("a status"), json["body"].to_string());
        for (name, value) in json["headers"].as_object().into_iter().flatten() {
            answer = answer.header(name, value.as_str().expect("text"));
        }
        answer
    };
    Box::new(move |request| fixture["answers"].get(key(request)).map_or_else(|| answer(&fixture["default"]), answer))
}

/// `GET /target`, or for GraphQL the operation and the cursor.
fn key(request: &Request) -> String {
    if request.method == Method::Get {
        return format!("GET {}", request.target);
    }
    let body: Value = serde_json::from_slice(request.body.as_ref().expect("a body")).expect("JSON");
    match body["variables"]["after"].as_str() {
        Some(cursor) => format!("{} after {cursor}", request.operation),
        None => request.operation.to_owned(),
    }
}

pub(crate) fn fixture(kind: &str, case: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(kind).join(format!("{case}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) async fn collect(collector: &dyn Collector, world: World) -> ReplayedEvidence {
    let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), world);
    collector.fetch(&scope(), &replay).await.expect("fetch goes on whatever is refused");
    replay.evidence()
}

async fn run(collector: &dyn Collector, case: &str) -> (Vec<Resource>, Population) {
    let evidence = collect(collector, world(fixture(collector.kind().name, case))).await;
    assert_contract(collector, &evidence)
}

const CASES: [&str; 6] = ["normal", "forbidden", "not_found", "empty", "truncated", "partial"];

fn named<'a>(resources: &'a [Resource], name: &str) -> &'a Resource {
    resources.iter().find(|resource| resource.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

pub(crate) fn known(resource: &Resource, name: &str) -> Value {
    match &resource.attributes[name] {
        Attribute::Known(value) => value.clone(),
        Attribute::Unknown(gap) => panic!("{name} of {} is unknown: {gap}", resource.id),
    }
}

pub(crate) fn unknown(resource: &Resource, name: &str) -> Gap {
    match &resource.attributes[name] {
        Attribute::Known(value) => panic!("{name} of {} is {value}", resource.id),
        Attribute::Unknown(gap) => gap.clone(),
    }
}

fn all_unknown_but(resource: &Resource, names: &[&str]) {
    for (name, attribute) in &resource.attributes {
        assert_eq!(matches!(attribute, Attribute::Unknown(_)), !names.contains(&name.as_str()), "{name} of {}: {attribute:?}", resource.id);
    }
}

#[tokio::test]
async fn every_case_of_every_kind_keeps_the_contract() {
    let collectors: [&dyn Collector; 8] =
        [&AuditEvent, &AuditLog, &Branch, &MemberActivity, &OrgRoleAssignment, &Organization, &OrganizationMember, &Repository];
    for collector in collectors {
        for case in CASES {
            let (_, population) = run(collector, case).await;
            let complete = population.completeness().is_complete();
            // Each organisation has settings and a log, whoever may see them; of a branch, what is missing may be a rule.
            let whole = matches!(case, "normal" | "empty")
                || matches!(collector.kind().name, "github.organization" | "github.audit_log")
                || case == "partial" && collector.kind().name != "github.branch";
            assert_eq!(complete, whole, "{} {case}: {:?} {:?}", collector.kind().name, population.tallies, population.gaps);
        }
    }
}

#[tokio::test]
async fn a_listing_that_was_not_read_to_its_end_is_never_whole() {
    let collectors: [&dyn Collector; 8] =
        [&AuditEvent, &AuditLog, &Branch, &MemberActivity, &OrgRoleAssignment, &Organization, &OrganizationMember, &Repository];
    for collector in collectors {
        let name = collector.kind().name;
        let evidence = collect(collector, world(fixture(name, "normal"))).await.stopped();
        let (resources, population) = assert_contract(collector, &evidence);
        let is_unknown = |attribute: &Attribute| matches!(attribute, Attribute::Unknown(gap) if gap.cause == GapCause::Incomplete);
        let told = !population.completeness().is_complete() || resources.iter().any(|resource| resource.attributes.values().any(is_unknown));
        assert!(told, "{name}: {resources:#?} {population:?}");
    }
}
