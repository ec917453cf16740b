//! Merged changes and security tasks: what GitHub answers, and what is made of it.

#![cfg(test)]

use chrono::{DateTime, TimeDelta, Utc};
use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::github::issue::Issue;
use proofline::collect::github::pull_request::PullRequest;
use proofline::collect::replay::{Answer, Replay};
use proofline::model::{Attribute, Completeness, GapCause, Period, Population, Resource, Scope};
use serde_json::{Value, json};

use crate::github::assert_contract_in;

fn now() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().expect("an instant")
}

fn scope() -> Scope {
    Scope {
        github_organizations: vec!["acme".into()],
        issue_labels: vec!["cloud devops/soc2".into()],
        boards: proofline::model::Boards::default(),
        gcp_parents: Vec::new(),
        window: Period::new(now() - TimeDelta::days(1), now()).expect("a day"),
    }
}

fn collect(kind: &dyn Collector, scope: &Scope, answer: impl Fn(&Request) -> Answer + Send + Sync) -> (Vec<Resource>, Population) {
    let replay = Replay::new(now(), answer);
    futures::executor::block_on(kind.fetch(scope, &replay)).expect("fetched");
    assert_contract_in(scope, kind, &replay.evidence())
}

fn ok(body: &Value) -> Answer {
    Answer::new(200, body.to_string())
}

fn last_page(nodes: &Value) -> Value {
    json!({"totalCount": nodes.as_array().map_or(0, Vec::len), "pageInfo": {"hasNextPage": false, "endCursor": null}, "nodes": nodes})
}

fn list(items: &Value) -> Value {
    json!({"totalCount": items.as_array().map_or(0, Vec::len), "nodes": items})
}

fn known<'r>(resource: &'r Resource, name: &str) -> &'r Value {
    match &resource.attributes[name] {
        Attribute::Known(value) => value,
        Attribute::Unknown(gap) => panic!("{name} is not known: {gap}"),
    }
}

fn unknown(resource: &Resource, name: &str) -> GapCause {
    match &resource.attributes[name] {
        Attribute::Known(value) => panic!("{name} is known: {value}"),
        Attribute::Unknown(gap) => gap.cause,
    }
}

/// Answers by operation; the batch's details in the order asked.
fn site(request: &Request, listed: &Value, more: &Value, details: &Value, count: u64) -> Answer {
    match request.operation {
        "graphql/pull-requests" | "graphql/issues" => ok(&json!({"data": {"organization": {"repositories": last_page(listed)}}})),
        "graphql/repository-pull-requests" | "graphql/repository-issues" => ok(&json!({"data": {"repository": more}})),
        "graphql/pull-request-details" | "graphql/issue-details" => ok(&json!({"data": {"nodes": details}})),
        "graphql/search-merged" | "graphql/search-issues" => ok(&json!({"data": {"search": {"issueCount": count}}})),
        other => panic!("unexpected {other}"),
    }
}

fn listed_change(id: &str, updated: &str, merged: &str, base: &str) -> Value {
    let number: usize = id.bytes().map(usize::from).sum();
    json!({"id": id, "number": number, "url": format!("https://github.com/acme/web/pull/{number}"), "title": "t", "updatedAt": updated, "mergedAt": merged, "baseRefName": base})
}

fn repository(nodes: &Value, next: Option<&str>) -> Value {
    json!({"nameWithOwner": "acme/web", "defaultBranchRef": {"name": "main"}, "pullRequests": {"pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}, "nodes": nodes}})
}

fn change(id: &str) -> Value {
    let person = |login: &str| json!({"__typename": "User", "login": login});
    let commit = json!({"oid": "h", "author": {"user": {"login": "ada"}}, "committer": {"user": null}, "statusCheckRollup": null});
    json!({
        "id": id, "createdAt": "2026-03-01T08:00:00Z", "mergedAt": "2026-03-01T12:00:00Z", "body": "## Test plan\nunit tests", "headRefOid": "h",
        "author": person("ada"), "mergedBy": person("ada"), "mergeCommit": {"oid": "m"}, "labels": list(&json!([])), "closingIssuesReferences": list(&json!([])),
        "reviews": list(&json!([{"state": "APPROVED", "submittedAt": "2026-03-01T11:00:00Z", "author": person("grace"), "commit": {"oid": "h"}, "onBehalfOf": list(&json!([{"slug": "security"}]))}])),
        "files": list(&json!([{"path": "src/main.go"}])),
        "commits": list(&json!([{"commit": commit}])), "forcePushes": list(&json!([])), "headCommit": {"nodes": [{"commit": commit}]},
    })
}

const TONIGHT: &str = "2026-03-01T12:00:00Z";

#[test]
fn a_change_of_the_window_is_read_whole() {
    let listed = json!([repository(&json!([listed_change("A", TONIGHT, TONIGHT, "main"), listed_change("B", TONIGHT, TONIGHT, "release")]), None)]);
    let (resources, population) = collect(&PullRequest, &scope(), |request| site(request, &listed, &json!(null), &json!([change("A")]), 2));
    assert_eq!(resources.len(), 1, "what was merged to another branch is no change of the default branch");
    assert_eq!(known(&resources[0], "independent_approvals"), 1);
    assert_eq!(known(&resources[0], "independent_approvers"), &json!(["grace", "team:security"]));
    assert_eq!(known(&resources[0], "files"), &json!(["src/main.go"]));
    assert_eq!(known(&resources[0], "test_plan_length"), 10);
    assert_eq!(known(&resources[0], "checks"), &json!([]));
    assert_eq!(population.completeness(), Completeness::Reconciled, "search counts both, and the other branch is taken off");
}

#[test]
fn a_busy_repository_is_walked_until_the_window_is_over() {
    let listed = json!([repository(&json!([listed_change("A", TONIGHT, TONIGHT, "main")]), Some("c1"))]);
    let older = listed_change("Z", "2026-02-27T00:00:00Z", "2026-02-27T00:00:00Z", "main");
    let more = repository(&json!([listed_change("C", TONIGHT, TONIGHT, "main"), older]), Some("c2"));
    let (resources, population) = collect(&PullRequest, &scope(), |request| site(request, &listed, &more, &json!([change("A"), change("C")]), 2));
    assert_eq!(resources.len(), 2);
    assert!(population.completeness().is_complete(), "what follows was updated before the window: {:?}", population.gaps);
}

#[test]
fn a_quiet_organisation_has_no_changes_and_costs_two_requests() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let listed = json!([repository(&json!([listed_change("Z", "2026-02-27T00:00:00Z", "2026-02-27T00:00:00Z", "main")]), Some("c1"))]);
    let (resources, population) = collect(&PullRequest, &scope(), |request| {
        asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        site(request, &listed, &json!(null), &json!([]), 0)
    });
    assert_eq!((resources.len(), population.completeness()), (0, Completeness::Reconciled));
    assert_eq!(asked.into_inner(), 2);
}

#[test]
fn what_is_not_told_is_never_an_approval() {
    let listed = json!([repository(&json!([listed_change("A", TONIGHT, TONIGHT, "main")]), None)]);
    let with = |field: &str, value: Value| {
        let mut change = change("A");
        change[field] = value;
        let (mut resources, population) = collect(&PullRequest, &scope(), |request| site(request, &listed, &json!(null), &json!([change]), 1));
        assert_eq!(population.count(), 1);
        resources.pop().expect("a change stays in the population")
    };
    assert_eq!(unknown(&with("files", json!({"totalCount": 101, "nodes": [{"path": "src/main.go"}]})), "files"), GapCause::Incomplete);
    let teams = json!({"totalCount": 1, "nodes": [null]});
    let for_somebody =
        json!({"state": "APPROVED", "submittedAt": TONIGHT, "author": {"__typename": "User", "login": "grace"}, "commit": {"oid": "h"}, "onBehalfOf": teams});
    let hidden = with("reviews", list(&json!([for_somebody])));
    assert_eq!(unknown(&hidden, "independent_approvers"), GapCause::Incomplete, "the team that is hidden may be an owner");
    assert_eq!(known(&hidden, "independent_approvals"), 1);
    let cut = json!({"totalCount": 101, "nodes": [{"state": "APPROVED", "submittedAt": TONIGHT, "author": {"__typename": "User", "login": "grace"}, "commit": {"oid": "h"}}]});
    assert_eq!(unknown(&with("reviews", cut.clone()), "independent_approvals"), GapCause::Incomplete, "a later review may take it back");
    assert_eq!(
        unknown(&with("commits", json!({"totalCount": 300, "nodes": []})), "independent_approvals"),
        GapCause::Incomplete,
        "the approver may have pushed"
    );
    assert_eq!(unknown(&with("headRefOid", json!(7)), "independent_approvals"), GapCause::Malformed);
    assert_eq!(unknown(&with("body", json!(null)), "test_plan_length"), GapCause::LeftOut);
    for (name, attribute) in with("reviews", json!("nonsense")).attributes {
        assert!(!matches!((name.as_str(), attribute), ("independent_approvals" | "approvals", Attribute::Known(_))), "{name}");
    }
}

#[test]
fn a_change_whose_details_fail_stays_with_nothing_known() {
    let listed = json!([repository(&json!([listed_change("A", TONIGHT, TONIGHT, "main")]), None)]);
    for (answer, cause) in [
        (Answer::new(502, "<html>"), GapCause::Unanswered),
        (Answer::new(403, r#"{"message":"Resource not accessible"}"#), GapCause::Forbidden),
        (Answer::default(), GapCause::Unanswered),
        (ok(&json!({"data": {"nodes": [null]}, "errors": [{"type": "NOT_FOUND", "path": ["nodes", 0], "message": "gone"}]})), GapCause::Unanswered),
        (Answer::new(200, "{\"data\":{\"no"), GapCause::Unanswered),
    ] {
        let (resources, population) = collect(&PullRequest, &scope(), |request| match request.operation {
            "graphql/pull-request-details" => answer.clone(),
            _ => site(request, &listed, &json!(null), &json!([]), 1),
        });
        assert_eq!(resources.len(), 1, "{answer:?}");
        assert_eq!(unknown(&resources[0], "independent_approvals"), cause, "{answer:?}");
        assert_eq!(population.count(), 1);
    }
}

#[test]
fn a_listing_that_is_refused_or_cut_is_incomplete() {
    for answer in [Answer::new(502, ""), Answer::new(403, "{}"), Answer::new(200, "{\"da"), Answer::default(), ok(&json!({"data": {"organization": null}}))] {
        let kinds: [&dyn Collector; 2] = [&PullRequest, &Issue];
        for kind in kinds {
            let (resources, population) = collect(kind, &scope(), |request| match request.operation {
                "graphql/pull-requests" | "graphql/issues" => answer.clone(),
                _ => site(request, &json!([]), &json!(null), &json!([]), 0),
            });
            assert_eq!((resources.len(), population.completeness()), (0, Completeness::Incomplete), "{answer:?}");
        }
    }
}

#[test]
fn a_hidden_repository_and_a_wrong_count_are_told() {
    let (_resources, hidden) = collect(&PullRequest, &scope(), |request| site(request, &json!([null]), &json!(null), &json!([]), 0));
    assert_eq!(hidden.completeness(), Completeness::Incomplete);
    let (_resources, counted) = collect(&PullRequest, &scope(), |request| site(request, &json!([]), &json!(null), &json!([]), 3));
    assert_eq!(counted.completeness(), Completeness::Mismatched);
}

#[test]
fn without_a_label_nothing_is_a_task_and_nothing_is_asked() {
    let scope = Scope { issue_labels: Vec::new(), ..scope() };
    let (resources, population) = collect(&Issue, &scope, |request| panic!("{} was asked", request.operation));
    assert_eq!(resources.len(), 0);
    assert_eq!(population.gaps[0].cause, GapCause::NotConfigured);
    assert!(population.gaps[0].cure.as_deref().is_some_and(|cure| cure.contains("issue_labels")));
}

/// A closed task; the real ones differ from it where their tests say so.
fn task(changes: Value) -> Resource {
    let mut node = json!({
        "id": "T", "state": "CLOSED", "stateReason": "COMPLETED", "createdAt": "2026-01-11T00:00:00Z", "closedAt": "2026-02-25T12:00:00Z", "lastEditedAt": null,
        "body": "", "author": {"__typename": "User", "login": "manager"}, "milestone": null, "assignees": list(&json!([{"login": "ada"}])), "labels": list(&json!([{"name": "cloud devops/soc2"}])),
        "subIssuesSummary": {"total": 0, "completed": 0}, "closedByPullRequestsReferences": list(&json!([])), "comments": list(&json!([])),
        "timelineItems": list(&json!([{"__typename": "ClosedEvent", "createdAt": "2026-02-25T12:00:00Z", "actor": {"login": "ada"}}])),
    });
    for (name, value) in changes.as_object().expect("an object") {
        node[name] = value.clone();
    }
    let listed = json!([{"nameWithOwner": "acme/ops", "issues": {"pageInfo": {"hasNextPage": false, "endCursor": null}, "nodes": [{"id": "T", "number": 29592, "url": "https://github.com/acme/ops/issues/29592", "title": "GN-80"}]}}]);
    let (mut resources, population) = collect(&Issue, &scope(), |request| site(request, &listed, &json!(null), &json!([node]), 1));
    assert_eq!(population.completeness(), Completeness::Reconciled);
    resources.pop().expect("a task")
}

fn comment(body: &str, at: &str, edited: Option<&str>) -> Value {
    json!({"createdAt": at, "lastEditedAt": edited, "body": body, "author": {"__typename": "User", "login": "ada"}})
}

#[test]
fn the_teams_real_tasks_come_out_as_they_were() {
    // GN-100: closed although a closing condition was left open.
    let separation = task(json!({"body": "Close when\n- [x] described\n- [ ] true of every environment"}));
    assert_eq!((known(&separation, "open_boxes"), known(&separation, "total_boxes")), (&json!(1), &json!(2)));
    // GN-80 and others: the due date stands in prose only.
    assert_eq!(known(&task(json!({"body": "Due: 2026-02-28"})), "due"), "2026-02-28T23:59:59Z");
    assert_eq!(known(&task(json!({"body": "Due end of February"})), "due"), &Value::Null);
    // GN-79, GN-109: the evidence is a document that can still be edited.
    let linked = task(json!({"comments": list(&json!([comment("documented here https://docs.example.com/d/1", "2026-02-20T00:00:00Z", None)]))}));
    assert_eq!(known(&linked, "evidence")[0]["kind"], "link_only");
    // GN-81: a merged change is evidence; the document beside it is not.
    let merged = json!([{"number": 15871, "url": "https://github.com/acme/deploy/pull/15871", "merged": true, "mergedAt": "2026-02-20T00:00:00Z", "author": null, "repository": {"nameWithOwner": "acme/deploy"}}]);
    let replicated = task(json!({"closedByPullRequestsReferences": list(&merged)}));
    assert_eq!(known(&replicated, "evidence")[0]["kind"], "pull_request");
    assert_eq!(known(&replicated, "evidence")[0]["by"], "ghost", "the account is gone, the change is not");
    // GN-108: closed without anything.
    assert_eq!(known(&task(json!({})), "evidence"), &json!([]));
    assert_eq!(known(&task(json!({})), "closed_by"), "ada");
}

#[test]
fn what_was_changed_after_closing_is_counted() {
    let late = Some("2026-02-26T00:00:00Z");
    let edited =
        task(json!({"lastEditedAt": late, "comments": list(&json!([comment("x", "2026-02-20T00:00:00Z", late), comment("y", "2026-02-20T00:00:00Z", None)]))}));
    assert_eq!(known(&edited, "edits_after_close"), 2);
    let attached = task(json!({"comments": list(&json!([comment("https://github.com/user-attachments/files/1/log.txt", "2026-02-20T00:00:00Z", late)]))}));
    assert_eq!(known(&attached, "evidence")[0]["at"], "2026-02-26T00:00:00Z", "an edited comment gave its links when it was edited");
}

#[test]
fn cut_lists_leave_attributes_open_and_never_shorter() {
    let cut = json!({"totalCount": 150, "nodes": []});
    let task = task(json!({"comments": cut, "assignees": json!({"totalCount": 30, "nodes": []})}));
    for name in ["comments", "evidence", "edits_after_close", "assignees"] {
        assert_eq!(unknown(&task, name), GapCause::Incomplete, "{name}");
    }
}
