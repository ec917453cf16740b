//! Entries of Cloud Audit Logs: what is asked of whom, that one place which refuses drops no other, and what a task, a hole or a changed field makes of an entry. That
//! what is read is true is `truth`'s.
#![cfg(test)]

use std::sync::Mutex;

use proofline::collect::api::Request;
use proofline::collect::gcp::AuditEntry;
use proofline::collect::redact::{Policy, Redactor};
use proofline::collect::replay::Answer;
use proofline::model::{Attribute, GapCause};
use serde_json::{Value, json};

use crate::gcp::{Outcome, changes, collect, leave_out, places, scope};

/// So many projects.
fn projects(count: usize) -> String {
    let project = |n: usize| json!({ "name": format!("projects/{n}"), "projectId": format!("p{n:03}"), "state": "ACTIVE", "parent": "organizations/1" });
    json!({ "projects": (0..count).map(project).collect::<Vec<_>>() }).to_string()
}

/// An owner who was made at noon.
fn entry(project: &str) -> Value {
    json!({ "insertId": format!("-{project}"), "logName": format!("projects/{project}/logs/cloudaudit.googleapis.com%2Factivity"), "timestamp": "2026-02-10T12:00:00Z",
        "protoPayload": { "serviceName": "cloudresourcemanager.googleapis.com", "methodName": "SetIamPolicy", "resourceName": format!("projects/{project}"),
            "authenticationInfo": { "principalEmail": "ada@acme.example" }, "status": {},
            "serviceData": { "policyDelta": { "bindingDeltas": [
                { "action": "ADD", "role": "roles/owner", "member": "user:emergency@acme.example" }, { "action": "REMOVE", "role": "roles/viewer", "member": "user:bo@acme.example" } ] } } } })
}

/// The places that a request names.
fn named(request: &Request) -> Vec<String> {
    let body: Value = serde_json::from_slice(request.body.as_deref().expect("a body")).expect("JSON");
    body["resourceNames"].as_array().expect("places").iter().map(|place| place.as_str().expect("a name").to_owned()).collect()
}

async fn of(count: usize, answer: impl Fn(&Request) -> Answer + Send + Sync) -> Outcome {
    collect(&AuditEntry, &scope(&["organizations/1"]), |request: &Request| match request.operation {
        "cloudresourcemanager.projects.list" => Answer::new(200, projects(count)),
        "cloudresourcemanager.folders.list" | "cloudresourcemanager.projects.search" => Answer::new(200, "{}"),
        _ => answer(request),
    })
    .await
}

fn answered(entries: &[Value]) -> Answer {
    Answer::new(200, json!({ "entries": entries }).to_string())
}

fn attribute<'o>(outcome: &'o Outcome, name: &str) -> &'o Attribute {
    &outcome.resources.first().expect("an entry").attributes[name]
}

#[tokio::test]
async fn a_hundred_places_are_asked_at_a_time_and_pages_are_turned_in_the_body() {
    let asked = Mutex::new(Vec::new());
    let outcome = of(150, |request| {
        let body: Value = serde_json::from_slice(request.body.as_deref().expect("a body")).expect("JSON");
        asked.lock().expect("nobody panics").push((named(request).len(), body["pageToken"].clone(), body["filter"].clone()));
        match (named(request).len(), body["pageToken"].is_null()) {
            (100, true) => Answer::new(200, json!({ "entries": [entry("p001")], "nextPageToken": "more" }).to_string()),
            (100, false) => answered(&[entry("p002")]),
            _ => Answer::new(200, "{}"),
        }
    })
    .await;
    let asked = asked.into_inner().expect("nobody panicked");
    let mut sizes: Vec<(usize, Value)> = asked.iter().map(|(size, token, _filter)| (*size, token.clone())).collect();
    sizes.sort_by_key(|(size, token)| (*size, token.to_string()));
    assert_eq!(sizes, [(51, Value::Null), (100, json!("more")), (100, Value::Null)], "the organisation and 150 projects");
    assert!(
        asked
            .iter()
            .all(|(_, _, filter)| filter.as_str().is_some_and(|f| f.ends_with(r#"timestamp>="2026-01-30T23:00:00Z" AND timestamp<"2026-02-27T23:00:00Z""#))),
        "{asked:?}"
    );
    assert_eq!(outcome.resources.len(), 2);
    assert!(outcome.population.gaps.is_empty(), "{:?}", outcome.population.gaps);
    for (name, value) in [
        ("project", json!("p001")),
        ("actor", json!("ada@acme.example")),
        ("actor_type", json!("user")),
        ("succeeded", json!(true)),
        ("granted", json!([{ "role": "roles/owner", "member": "user:emergency@acme.example" }])),
        ("removed", json!([{ "role": "roles/viewer", "member": "user:bo@acme.example" }])),
    ] {
        assert_eq!(attribute(&outcome, name), &Attribute::Known(value), "{name}");
    }
}

#[tokio::test]
async fn a_place_that_refuses_drops_no_other() {
    let requests = Mutex::new(0);
    let outcome = of(150, |request| {
        *requests.lock().expect("nobody panics") += 1;
        match named(request).iter().any(|place| place == "projects/p077") {
            true => Answer::new(403, "{}"),
            false => answered(&named(request).iter().filter_map(|place| place.strip_prefix("projects/")).map(entry).collect::<Vec<_>>()),
        }
    })
    .await;
    assert_eq!(outcome.resources.len(), 149);
    let gaps = &outcome.population.gaps;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((gaps[0].cause, gaps[0].cure.as_deref()), (GapCause::Forbidden, Some("logging.logEntries.list on projects/p077")));
    let requests = requests.into_inner().expect("nobody panicked");
    assert!(requests <= 16, "{requests} requests");
    // A batch without an answer is not asked in halves, and is a gap.
    let outcome = of(150, |_request| Answer::new(503, "{}")).await;
    assert!(outcome.resources.is_empty() && outcome.population.gaps.iter().all(|gap| gap.cause == GapCause::Unanswered));
    let outcome = of(3, |_request| Answer::new(200, "[7]")).await;
    assert!(outcome.population.gaps.iter().any(|gap| gap.cause == GapCause::Malformed), "{:?}", outcome.population.gaps);
}

#[tokio::test]
async fn a_hole_makes_things_unknown_and_never_different() {
    let whole = json!({ "exchanges": [{ "body": { "entries": [entry("p001")] } }] });
    let before = of(3, |_request| answered(&[entry("p001")])).await;
    for place in places(&whole) {
        let mut broken = whole.clone();
        let value = broken.pointer_mut(&place).expect("a place in it");
        *value = [json!("junk"), json!(true)][usize::from(value.is_string())].clone();
        let after = of(3, |_request| Answer::new(200, broken["exchanges"][0]["body"].to_string())).await;
        assert!(before.resources.len() <= after.resources.len() || !after.population.gaps.is_empty(), "{place}: lost without a word");
        assert!(changes(&before, &after).is_empty(), "{place}: {:?} changed", changes(&before, &after));
        let mut without = whole.clone();
        leave_out(&mut without, &place);
        let after = of(3, |_request| Answer::new(200, without["exchanges"][0]["body"].to_string())).await;
        // Empty messages and lists are left out.
        let documented = place.contains("bindingDeltas");
        assert!(changes(&before, &after).is_empty() || documented, "{place}: {:?} changed", changes(&before, &after));
    }
}

#[tokio::test]
async fn without_a_label_for_tasks_nothing_is_said_of_them() {
    let outcome = of(3, |_request| answered(&[entry("p001")])).await;
    let Attribute::Unknown(gap) = attribute(&outcome, "tasks") else { panic!("no task was looked for") };
    assert_eq!(gap.cause, GapCause::NotConfigured);
    assert!(gap.cure.as_deref().is_some_and(|cure| cure.contains("issue_labels")));
}

#[test]
fn from_where_and_with_what_people_acted_is_taken_out_and_who_they_are_is_not() {
    let redactor = Redactor::new(Policy::shipped().expect("rules"), None);
    let body = json!({ "entries": [{ "protoPayload": {
        "authenticationInfo": { "principalEmail": "ada@acme.example", "principalSubject": "user:ada@acme.example", "oauthInfo": { "oauthClientId": "x" },
            "serviceAccountKeyName": "//iam/keys/1", "thirdPartyPrincipal": { "a": 1 } },
        "requestMetadata": { "callerIp": "203.0.113.7", "callerSuppliedUserAgent": "gcloud" },
        "request": { "policy": "p" }, "response": { "etag": "e" }, "other": { "contactEmail": "bo@acme.example" } } }] });
    let clean = |operation: &str| {
        let clean = redactor.clean(operation, body.to_string().into_bytes().into()).expect("it may be kept");
        String::from_utf8(clean.body.to_vec()).expect("text")
    };
    let kept = clean("logging.entries.list");
    assert!(kept.contains(r#""principalEmail":"ada@acme.example""#), "{kept}");
    for gone in ["user:ada", "203.0.113.7", "gcloud", "oauthClientId", "keys/1", "policy", "etag", "bo@acme.example"] {
        assert!(!kept.contains(gone), "{gone} is in {kept}");
    }
    assert!(!clean("other.list").contains(r#""principalEmail":"ada"#), "elsewhere an address is one");
}
