//! Deny policies, perimeters and access levels: what is asked, what a refusal, a cut or a changed field leaves of them. That what is read is true is `truth`'s.
#![cfg(test)]

use std::collections::BTreeSet;
use std::sync::Mutex;

use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::gcp::{AccessLevel, DenyRule, ServicePerimeter};
use proofline::collect::replay::Answer;
use proofline::model::GapCause;
use serde_json::{Value, json};

use crate::gcp::{Outcome, SWITCHED_OFF, altered, changes, collect, lacking, places, scope};

/// `organizations/1` with `folders/2`, and `acme-a` in it.
async fn seen(collector: &dyn Collector, parents: &[&str], answer: impl Fn(&Request) -> Answer + Send + Sync) -> Outcome {
    let project = json!({ "name": "projects/7", "projectId": "acme-a", "state": "ACTIVE", "parent": "folders/2" });
    collect(collector, &scope(parents), |request: &Request| match (request.operation, request.subject.as_str()) {
        ("cloudresourcemanager.folders.list", "organizations/1") => Answer::new(200, r#"{"folders":[{"name":"folders/2","parent":"organizations/1"}]}"#),
        ("cloudresourcemanager.projects.list", "folders/2") | ("cloudresourcemanager.projects.search", _) => {
            Answer::new(200, json!({ "projects": [project] }).to_string())
        }
        ("cloudresourcemanager.folders.list" | "cloudresourcemanager.projects.list", _) => Answer::new(200, "{}"),
        ("cloudresourcemanager.projects.get", _) => Answer::new(200, project.to_string()),
        _ => answer(request),
    })
    .await
}

fn rules() -> Value {
    json!({ "rules": [
        { "denyRule": { "deniedPrincipals": ["principalSet://goog/public:all"], "exceptionPrincipals": ["principalSet://goog/group/glass@acme.example"],
            "deniedPermissions": ["iam.googleapis.com/serviceAccountKeys.create"], "exceptionPermissions": ["iam.googleapis.com/serviceAccountKeys.get"],
            "denialCondition": { "expression": "resource.matchTag('1/environment', 'production')" } } },
        { "denyRule": { "deniedPrincipals": ["principalSet://goog/public:all"], "deniedPermissions": ["iam.googleapis.com/roles.delete"] } }] })
}

/// Each place has one policy.
fn denies(request: &Request, rules: &Value) -> Answer {
    match request.operation {
        "iam.policies.listPolicies" => {
            let place = request.subject.replace('/', "%2F");
            Answer::new(
                200,
                json!({ "policies": [{ "name": format!("policies/cloudresourcemanager.googleapis.com%2F{place}/denypolicies/decided") }] }).to_string(),
            )
        }
        _ => Answer::new(200, rules.to_string()),
    }
}

#[tokio::test]
async fn deny_policies_are_asked_of_what_is_above_projects_and_of_those_configured_alone() {
    for (parents, expected) in [
        (
            &["organizations/1"][..],
            &[
                "/v2/policies/cloudresourcemanager.googleapis.com%2Ffolders%2F2/denypolicies",
                "/v2/policies/cloudresourcemanager.googleapis.com%2Forganizations%2F1/denypolicies",
            ][..],
        ),
        (&["projects/acme-a"], &["/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme-a/denypolicies"]),
    ] {
        let asked = Mutex::new(BTreeSet::new());
        let outcome = seen(&DenyRule, parents, |request| {
            asked.lock().expect("nobody panics").insert(request.target.clone());
            denies(request, &rules())
        })
        .await;
        let both: BTreeSet<String> = expected.iter().flat_map(|path| [format!("{path}?pageSize=1000"), format!("{path}/decided")]).collect();
        assert_eq!(asked.into_inner().expect("nobody panicked"), both);
        assert_eq!(outcome.population.gaps, []);
        assert_eq!(outcome.resources.len(), 2 * expected.len());
        let condition: Vec<_> = outcome.resources.iter().map(|rule| rule.attributes["condition"].clone()).collect();
        assert!(condition.contains(&proofline::model::Attribute::Known(Value::Null)), "{condition:?}");
    }
}

#[tokio::test]
async fn a_place_that_refuses_its_deny_policies_leaves_the_others_as_they_are() {
    let answers = [
        (403, "{}", GapCause::Forbidden),
        (404, "{}", GapCause::Forbidden),
        (403, SWITCHED_OFF, GapCause::Disabled),
        (503, "{}", GapCause::Unanswered),
        (200, "[7]", GapCause::Malformed),
        (200, r#"{"policies":[{}],"rules":[{"description":"none"}]}"#, GapCause::Malformed),
    ];
    for (operation, (status, body, cause)) in
        ["iam.policies.listPolicies", "iam.policies.get"].into_iter().flat_map(|operation| answers.map(|answer| (operation, answer)))
    {
        let refuses = |request: &Request| match request.operation == operation && request.subject.starts_with("folders/2") {
            true => Answer::new(status, body),
            false => denies(request, &rules()),
        };
        let outcome = seen(&DenyRule, &["organizations/1"], refuses).await;
        assert_eq!(outcome.resources.len(), 2, "{operation} {status}");
        let gap = outcome.population.gaps.first().expect("it is said");
        assert_eq!(gap.cause, cause, "{operation} {status} {body}");
        assert!(cause != GapCause::Forbidden || gap.cure.as_ref().is_some_and(|cure| cure.contains("iam.denypolicies.list")), "{gap:?}");
    }
    let cut = |request: &Request| match request.target.contains("pageToken") {
        true => Answer::new(503, "{}"),
        false if request.operation == "iam.policies.listPolicies" => {
            Answer::new(200, r#"{"policies":[{"name":"policies/x/denypolicies/decided"}],"nextPageToken":"more"}"#)
        }
        false => denies(request, &rules()),
    };
    let outcome = seen(&DenyRule, &["organizations/1"], cut).await;
    assert_eq!((outcome.resources.len(), outcome.population.gaps.len()), (4, 2));
}

fn perimeter() -> Value {
    let config = json!({ "resources": ["projects/7"], "restrictedServices": ["storage.googleapis.com"], "accessLevels": ["accessPolicies/7/accessLevels/office"],
        "ingressPolicies": [{ "ingressFrom": { "identityType": "ANY_IDENTITY", "sources": [{ "accessLevel": "*" }] } }],
        "egressPolicies": [{ "egressFrom": { "identityType": "ANY_IDENTITY" }, "egressTo": { "resources": ["*"] } }] });
    json!({ "assets": [{ "name": "//accesscontextmanager.googleapis.com/accessPolicies/7/servicePerimeters/data",
        "servicePerimeter": { "title": "data", "perimeterType": "PERIMETER_TYPE_BRIDGE", "status": config, "spec": {} } }] })
}

fn level() -> Value {
    json!({ "assets": [
        { "name": "//accesscontextmanager.googleapis.com/accessPolicies/7/accessLevels/office", "accessLevel": { "title": "Office", "basic": { "combiningFunction": "AND",
            "conditions": [{ "ipSubnetworks": ["192.0.2.0/24"], "members": ["user:ada@acme.example"] }] } } },
        { "name": "//accesscontextmanager.googleapis.com/accessPolicies/7/accessLevels/own", "accessLevel": { "title": "Own", "custom": { "expr": { "expression": "true" } } } }] })
}

#[tokio::test]
async fn what_is_only_tried_out_counts_for_nothing() {
    let mut tried = perimeter();
    let status = tried["assets"][0]["servicePerimeter"]["status"].take();
    tried["assets"][0]["servicePerimeter"]["spec"] = status;
    let outcome = seen(&ServicePerimeter, &["organizations/1"], |_request| Answer::new(200, tried.to_string())).await;
    assert_eq!(outcome.population.gaps, []);
    for (attribute, value) in
        [("enforced", json!(false)), ("dry_run", json!(true)), ("restricted_services", json!([])), ("projects", json!([])), ("open_ingress", json!(false))]
    {
        assert_eq!(outcome.known("data", attribute), value, "{attribute}");
    }
    let outcome = seen(&ServicePerimeter, &["organizations/1"], |_request| Answer::new(200, perimeter().to_string())).await;
    for (attribute, value) in [
        ("enforced", json!(true)),
        ("projects", json!(["acme-a"])),
        ("open_ingress", json!(true)),
        ("open_egress", json!(true)),
        ("access_policy", json!("accessPolicies/7")),
    ] {
        assert_eq!(outcome.known("data", attribute), value, "{attribute}");
    }
}

#[tokio::test]
async fn a_level_is_open_where_nothing_is_asked_that_not_everybody_meets() {
    for (basic, open) in [
        (json!({ "conditions": [{}] }), true),
        (json!({ "conditions": [{ "ipSubnetworks": ["::/0", "192.0.2.0/24"] }] }), true),
        (json!({ "conditions": [{ "ipSubnetworks": ["0.0.0.0/0"], "regions": ["DE"] }] }), false),
        (json!({ "conditions": [{ "devicePolicy": {} }] }), true),
        (json!({ "conditions": [{ "devicePolicy": { "requireScreenlock": true } }] }), false),
        (json!({ "conditions": [{ "ipSubnetworks": ["0.0.0.0/1", "128.0.0.0/1"] }] }), true),
        (json!({ "conditions": [{ "negate": true }] }), false),
        (json!({ "conditions": [{ "members": ["user:a@b"] }, {}] }), false),
        (json!({ "conditions": [{ "members": ["user:a@b"] }, {}], "combiningFunction": "OR" }), true),
    ] {
        let mut told = level();
        told["assets"][0]["accessLevel"]["basic"] = basic.clone();
        let outcome = seen(&AccessLevel, &["organizations/1"], |_request| Answer::new(200, told.to_string())).await;
        assert_eq!(outcome.known("Office", "open"), open, "{basic}");
        assert_eq!(outcome.known("Own", "open"), Value::Null);
    }
}

#[tokio::test]
async fn without_the_inventory_or_the_organisation_nothing_is_claimed() {
    let all: [(&dyn Collector, Value); 2] = [(&ServicePerimeter, perimeter()), (&AccessLevel, level())];
    for (collector, told) in all {
        for (status, body, cause) in [
            (403, "{}", GapCause::Forbidden),
            (403, SWITCHED_OFF, GapCause::Disabled),
            (503, "{}", GapCause::Unanswered),
            (200, r#"{"assets":7}"#, GapCause::Malformed),
        ] {
            let outcome = seen(collector, &["organizations/1"], |_request| Answer::new(status, body)).await;
            assert!(outcome.resources.is_empty());
            assert_eq!(outcome.population.gaps.first().map(|gap| gap.cause), Some(cause));
        }
        let outcome = seen(collector, &["folders/2"], |_request| Answer::new(200, "{}")).await;
        assert!(outcome.population.gaps.iter().any(|gap| gap.cause == GapCause::NotConfigured));
        let cut = |request: &Request| match request.target.contains("pageToken") {
            true => Answer::new(503, "{}"),
            false => {
                let mut page = told.clone();
                page["nextPageToken"] = json!("more");
                Answer::new(200, page.to_string())
            }
        };
        let outcome = seen(collector, &["organizations/1"], cut).await;
        assert!(!outcome.resources.is_empty() && !outcome.population.gaps.is_empty());
    }
}

/// What a kind makes of an answer.
async fn told_by(collector: &dyn Collector, body: &Value) -> Outcome {
    seen(collector, &["organizations/1"], |request| match request.operation {
        "cloudasset.assets.list" => Answer::new(200, body.to_string()),
        _ => denies(request, body),
    })
    .await
}

/// Each value, changed or left out: nothing is lost without a gap, and nothing becomes another known value but where the vendor leaves out what is empty.
#[tokio::test]
async fn a_field_that_is_changed_or_left_out_makes_things_unknown_and_never_different() {
    let perimeters = ["access_levels", "dry_run", "enforced", "is_bridge", "open_egress", "open_ingress", "projects", "resources", "restricted_services"];
    let all: [(&dyn Collector, Value, &[&str]); 3] =
        [(&DenyRule, rules(), &[]), (&ServicePerimeter, perimeter(), &perimeters), (&AccessLevel, level(), &["ip_ranges", "members", "open"])];
    for (collector, told, empty) in all {
        let kind = collector.kind().name;
        let before = told_by(collector, &told).await;
        for (place, without) in places(&json!({ "exchanges": [{ "body": told }] })).into_iter().flat_map(|place| [(place.clone(), false), (place, true)]) {
            let whole = [altered, lacking][usize::from(without)](json!({ "exchanges": [{ "body": told }] }), &place);
            let after = told_by(collector, &whole["exchanges"][0]["body"]).await;
            // Without a list there is none.
            let is_list = without && place.ends_with("/assets");
            assert!(is_list || before.resources.len() <= after.resources.len() || !after.population.gaps.is_empty(), "{kind} {place}: lost without a word");
            let changed = changes(&before, &after);
            assert!(changed.iter().all(|name| without && empty.contains(&name.as_str())), "{kind} {place}: {changed:?} changed");
        }
    }
}
