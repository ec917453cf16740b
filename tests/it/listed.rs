//! Kinds that services list themselves, and what services tell of assets: whom they ask, and what a refusal, a cut or a changed field leaves of it. That what is read
//! is true is `truth`'s.
#![cfg(test)]

use std::sync::Mutex;

use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::gcp::SecurityFinding;
use proofline::collect::gcp::assets::{LISTED, SERVICE_ACCOUNT_USE, SQL_BACKUP, SQL_RESTORE};
use proofline::collect::replay::Answer;
use proofline::model::{Attribute, GapCause};
use serde_json::{Value, json};

use crate::gcp::{Outcome, changes, collect, leave_out, places, scope};

const PROJECTS: &str = r#"{"projects":[{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1"},
    {"name":"projects/8","projectId":"acme-b","state":"ACTIVE","parent":"organizations/1"}]}"#;

/// What a service answers about acme-a, as the vendor documents it.
fn items(kind: &str) -> Value {
    match kind {
        "gcp.error_group" => json!({ "errorGroupStats": [{ "firstSeenTime": "2026-01-01T00:00:00Z", "lastSeenTime": "2026-01-02T00:00:00Z",
            "group": { "name": "projects/acme-a/groups/g", "groupId": "g", "resolutionStatus": "OPEN", "trackingIssues": [{ "url": "https://github.com/acme/web/issues/7" }] } }] }),
        "gcp.image_vulnerability" => json!({ "occurrences": [{ "name": "projects/acme-a/occurrences/1", "resourceUri": "https://docker.pkg.dev/acme-a/web",
            "noteName": "projects/goog-vulnz/notes/CVE-2026-0001", "createTime": "2026-01-01T00:00:00Z", "vulnerability": { "effectiveSeverity": "HIGH", "fixAvailable": true } }] }),
        "gcp.security_finding" => {
            json!({ "totalSize": 1, "listFindingsResults": [{ "resource": { "projectName": "//cloudresourcemanager.googleapis.com/projects/7" },
            "finding": { "name": "organizations/1/sources/5/findings/1", "category": "PUBLIC_BUCKET_ACL", "findingClass": "MISCONFIGURATION", "severity": "HIGH", "state": "INACTIVE",
                "mute": "MUTED", "muteInitiator": "ada@acme.example", "createTime": "2026-01-01T00:00:00Z", "eventTime": "2026-01-02T00:00:00Z",
                "resourceName": "//storage.googleapis.com/a" } }] })
        }
        other => panic!("no items of {other}"),
    }
}

/// Absent fields that mean something, as the vendors document it.
fn documented(kind: &str) -> &'static [&'static str] {
    match kind {
        "gcp.error_group" => &["status", "tracking_issues"],
        "gcp.image_vulnerability" => &["fix_available"],
        _ => &["muted_by"],
    }
}

/// The inventory shows what acme-a holds; the service answers as told.
async fn of(collector: &dyn Collector, answer: impl Fn(&Request) -> Answer + Send + Sync) -> Outcome {
    let holder =
        |name: &str| json!({ "name": name, "ancestors": ["projects/7", "organizations/1"], "resource": { "data": { "name": "held", "state": "RUNNABLE" } } });
    let project = |id: &str, number: u64| {
        json!({ "name": format!("//cloudresourcemanager.googleapis.com/projects/{number}"), "ancestors": [format!("projects/{number}"), "organizations/1"],
            "resource": { "data": { "projectId": id, "projectNumber": number.to_string() } } })
    };
    collect(collector, &scope(&["organizations/1"]), |request: &Request| match request.operation {
        "cloudresourcemanager.projects.list" => Answer::new(200, PROJECTS),
        "cloudresourcemanager.folders.list" | "cloudresourcemanager.projects.search" => Answer::new(200, "{}"),
        "cloudasset.assets.list" if request.subject.ends_with("/Project") => {
            Answer::new(200, json!({ "assets": [project("acme-a", 7), project("acme-b", 8)] }).to_string())
        }
        "cloudasset.assets.list" => Answer::new(200, json!({ "assets": [holder("//holder/a")] }).to_string()),
        _ => answer(request),
    })
    .await
}

/// acme-b has nothing but its name.
fn answered(request: &Request, body: &Value) -> Answer {
    let nothing = json!({ "name": "none" });
    Answer::new(200, if request.subject == "projects/acme-b" { &nothing } else { body }.to_string())
}

/// All of them, and how many projects of the two are asked: findings come in one list.
fn all() -> Vec<&'static dyn Collector> {
    let mut all: Vec<&'static dyn Collector> = vec![&SecurityFinding];
    for listed in LISTED {
        all.push(*listed);
    }
    all
}

#[tokio::test]
async fn what_a_service_lists_is_read_whole_from_those_that_hold_something() {
    for collector in all() {
        let kind = collector.kind().name;
        let asked = Mutex::new(Vec::new());
        let outcome = of(collector, |request| {
            asked.lock().expect("nobody panics").push(request.subject.clone());
            answered(request, &items(kind))
        })
        .await;
        let asked = asked.into_inner().expect("nobody panicked");
        match kind {
            "gcp.security_finding" => assert_eq!(asked, ["organizations/1"]),
            _ => assert_eq!(asked, ["projects/acme-a"], "{kind}"),
        }
        assert!(outcome.population.gaps.is_empty(), "{kind}: {:?}", outcome.population.gaps);
        for declared in collector.kind().attributes {
            let known = outcome.resources.iter().any(|resource| matches!(resource.attributes.get(declared.name), Some(Attribute::Known(_))));
            assert!(known, "{kind}: {} is not known", declared.name);
        }
    }
}

#[tokio::test]
async fn a_service_that_refuses_or_breaks_off_leaves_a_gap_and_no_resource() {
    for collector in all() {
        for (status, body, cause) in
            [(403, "{}", GapCause::Forbidden), (503, "{}", GapCause::Unanswered), (200, "[7]", GapCause::Malformed), (200, r#"{"a":"#, GapCause::Malformed)]
        {
            let outcome = of(collector, |_request| Answer::new(status, body)).await;
            assert!(outcome.resources.is_empty(), "{}", collector.kind().name);
            assert!(outcome.population.gaps.iter().any(|gap| gap.cause == cause), "{} {status}: {:?}", collector.kind().name, outcome.population.gaps);
        }
        // A page that promises another which never came.
        let cut = |request: &Request| match request.target.contains("pageToken") {
            true => Answer::new(503, "{}"),
            false => {
                let mut page = items(collector.kind().name);
                page["nextPageToken"] = json!("more");
                Answer::new(200, page.to_string())
            }
        };
        let outcome = of(collector, cut).await;
        assert!(!outcome.population.gaps.is_empty(), "{}", collector.kind().name);
    }
}

#[tokio::test]
async fn a_field_that_is_changed_or_left_out_makes_things_unknown_and_never_different() {
    for collector in all() {
        let kind = collector.kind().name;
        let whole = json!({ "exchanges": [{ "body": items(kind) }] });
        let before = of(collector, |request| answered(request, &items(kind))).await;
        for place in places(&whole) {
            let mut broken = whole.clone();
            let value = broken.pointer_mut(&place).expect("a place in it");
            *value = [json!("junk"), json!(true)][usize::from(value.is_string())].clone();
            let after = of(collector, |request| answered(request, &broken["exchanges"][0]["body"])).await;
            assert!(before.resources.len() <= after.resources.len() || !after.population.gaps.is_empty(), "{kind} {place}: lost without a word");
            assert!(changes(&before, &after).is_empty(), "{kind} {place}: {:?} changed", changes(&before, &after));
            let mut without = whole.clone();
            leave_out(&mut without, &place);
            let after = of(collector, |request| answered(request, &without["exchanges"][0]["body"])).await;
            let changed = changes(&before, &after);
            assert!(changed.iter().all(|name| documented(kind).contains(&name.as_str())), "{kind} {place}: {changed:?} changed");
        }
    }
}

/// One service that does not answer in one project takes what is told there, and nothing else.
#[tokio::test]
async fn what_is_told_is_unknown_where_the_service_refuses_and_there_alone() {
    let server = |project: &str, number: u64| {
        json!({ "name": format!("//cloudsql.googleapis.com/projects/{project}/instances/main"), "ancestors": [format!("projects/{number}"), "organizations/1"],
            "resource": { "data": { "name": "main", "state": "RUNNABLE", "instanceType": "CLOUD_SQL_INSTANCE", "uniqueId": "77", "email": "a@b" } } })
    };
    let account = r#"{"activities":[{"activity":{"lastAuthenticatedTime":"2026-01-01T00:00:00Z","serviceAccount":{"serviceAccountId":"77"}}}]}"#;
    let run = r#"{"items":[{"instance":"main","status":"SUCCESSFUL","endTime":"2026-01-01T00:00:00Z","operationType":"RESTORE_VOLUME"},
        {"instance":"other","status":"SUCCESSFUL","endTime":"2026-01-09T00:00:00Z","operationType":"BACKUP_VOLUME"}]}"#;
    let restored = r#"{"items":[{"status":"DONE","endTime":"2026-01-01T00:00:00Z","operationType":"RESTORE_VOLUME"}]}"#;
    let told: [(&dyn Collector, &str, &str); 3] =
        [(&SQL_BACKUP, "last_backup", run), (&SQL_RESTORE, "last_restore", restored), (&SERVICE_ACCOUNT_USE, "last_used", account)];
    for (collector, attribute, body) in told {
        let told = |second: Answer| async move {
            let answer = move |request: &Request| match request.operation {
                "cloudresourcemanager.projects.list" => Answer::new(200, PROJECTS),
                // Backups are asked of the service only where there is no inventory.
                "cloudasset.assets.list" if attribute == "last_backup" => Answer::new(403, "{}"),
                "sql.instances.list" => Answer::new(200, json!({ "items": [server(&request.subject, 7)["resource"]["data"]] }).to_string()),
                "cloudasset.assets.list" if request.subject.ends_with("/Project") => Answer::new(200, "{}"),
                "cloudasset.assets.list" => Answer::new(200, json!({ "assets": [server("acme-a", 7), server("acme-b", 8)] }).to_string()),
                _ if request.subject == "projects/acme-a" => Answer::new(200, body),
                _ if request.subject == "projects/acme-b" => second.clone(),
                _ => Answer::new(200, "{}"),
            };
            collect(collector, &scope(&["organizations/1"]), answer).await
        };
        let of_project = |outcome: &Outcome, project: &str| {
            let resource =
                outcome.resources.iter().find(|resource| resource.attributes.get("project") == Some(&Attribute::Known(json!(project)))).expect("it is listed");
            resource.attributes.get(attribute).cloned()
        };
        for (second, expected) in [
            (Answer::new(200, "{}"), Ok(Value::Null)),
            (Answer::new(403, "{}"), Err(GapCause::Forbidden)),
            (Answer::new(503, "{}"), Err(GapCause::Unanswered)),
            (Answer::new(200, r#"{"items":7,"activities":7}"#), Err(GapCause::Malformed)),
        ] {
            let outcome = told(second).await;
            assert_eq!(of_project(&outcome, "acme-a"), Some(Attribute::Known(json!("2026-01-01T00:00:00Z"))), "{attribute}");
            match (of_project(&outcome, "acme-b"), expected) {
                (Some(Attribute::Known(value)), Ok(expected)) => assert_eq!(value, expected, "{attribute}"),
                (Some(Attribute::Unknown(gap)), Err(cause)) => assert_eq!(gap.cause, cause, "{attribute}"),
                (other, expected) => panic!("{attribute}: {other:?}, expected {expected:?}"),
            }
        }
    }
}
