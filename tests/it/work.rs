//! Merged changes and security tasks: what GitHub answers, and what is made of it.

#![cfg(test)]

use chrono::{DateTime, TimeDelta, Utc};
use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::attachment;
use proofline::collect::github::issue::Issue;
use proofline::collect::github::pull_request::PullRequest;
use proofline::collect::replay::{Answer, Replay};
use proofline::evaluate::Judge;
use proofline::model::{Attribute, Completeness, Control, FindingStatus, GapCause, Period, Population, Resource, Scope, Test};
use serde_json::{Value, json};

use crate::github::assert_contract_in;

fn now() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().expect("an instant")
}

fn scope() -> Scope {
    Scope {
        github_organizations: vec!["acme".into()],
        github_enterprise: None,
        issue_labels: vec!["cloud devops/soc2".into()],
        release_workflows: Vec::new(),
        boards: proofline::model::Boards::default(),
        gcp_parents: Vec::new(),
        window: Period::new(now() - TimeDelta::days(1), now()).expect("a day"),
        as_of: None,
        tasks: None,
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
        "graphql/review-teams" => ok(&json!({"data": {"nodes": [behalf("R", &json!([{"slug": "security"}]))]}})),
        "graphql/search-merged" | "graphql/search-issues" => ok(&json!({"data": {"search": {"issueCount": count}}})),
        attachment::OPERATION | "actions/get-workflow-run" | "git/get-commit" => asked_for(&request.target),
        other => panic!("unexpected {other}"),
    }
}

/// What texts of issues name: a log that is there, one that is gone, one whose answer breaks off, a run and a commit.
fn asked_for(target: &str) -> Answer {
    match target {
        "/user-attachments/files/1/restore.log" => Answer::new(200, "18:02 restored").header("content-type", "text/plain"),
        "/user-attachments/files/4/members.csv" => Answer::new(200, "login,decision\nada,keep\nbo,\n"),
        "/user-attachments/files/2/broken.log" => Answer::default(),
        "/repos/acme/web/actions/runs/7" => ok(&json!({"id": 7, "name": "restore", "conclusion": "success"})),
        "/repos/acme/web/actions/runs/8" => ok(&json!({"id": 8, "name": "restore", "conclusion": null})),
        "/repos/acme/web/git/commits/0123456789abcdef0123456789abcdef01234567" => ok(&json!({"sha": "0123456789abcdef0123456789abcdef01234567"})),
        _ => Answer::new(404, "{\"message\":\"Not Found\"}"),
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
        "reviews": list(&json!([{"id": "R", "state": "APPROVED", "submittedAt": "2026-03-01T11:00:00Z", "author": person("grace"), "commit": {"oid": "h"}}])),
        "files": list(&json!([{"path": "src/main.go"}])),
        "commits": list(&json!([{"commit": commit}])), "forcePushes": list(&json!([])), "headCommit": {"nodes": [{"commit": commit}]},
    })
}

/// The teams that a review was given for.
fn behalf(id: &str, teams: &Value) -> Value {
    json!({"id": id, "onBehalfOf": list(teams)})
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
fn a_team_that_is_hidden_may_be_an_owner() {
    let listed = json!([repository(&json!([listed_change("A", TONIGHT, TONIGHT, "main")]), None)]);
    let nodes = |nodes: Value| ok(&json!({"data": {"nodes": nodes}}));
    for (answer, cause) in [
        (nodes(json!([behalf("R", &json!([null]))])), GapCause::Incomplete),
        (nodes(json!([{"id": "R"}])), GapCause::LeftOut),
        (nodes(json!([null])), GapCause::Unanswered),
        (nodes(json!([behalf("another", &json!([]))])), GapCause::Unanswered),
        (Answer::new(403, r#"{"message":"Resource not accessible"}"#), GapCause::Forbidden),
        (Answer::new(502, ""), GapCause::Unanswered),
    ] {
        let (resources, _population) = collect(&PullRequest, &scope(), |request| match request.operation {
            "graphql/review-teams" => answer.clone(),
            _ => site(request, &listed, &json!(null), &json!([change("A")]), 1),
        });
        assert_eq!(unknown(&resources[0], "independent_approvers"), cause, "{answer:?}");
        assert_eq!(known(&resources[0], "independent_approvals"), 1);
    }
}

#[test]
fn teams_are_asked_for_only_where_an_approval_counts() {
    let listed = json!([repository(&json!([listed_change("A", TONIGHT, TONIGHT, "main")]), None)]);
    let own = json!({"id": "R", "state": "APPROVED", "submittedAt": TONIGHT, "author": person("ada"), "commit": {"oid": "h"}});
    let mut change = change("A");
    change["reviews"] = list(&json!([own]));
    let (resources, _population) = collect(&PullRequest, &scope(), |request| match request.operation {
        "graphql/review-teams" => panic!("nobody's approval counts"),
        _ => site(request, &listed, &json!(null), &json!([change]), 1),
    });
    assert_eq!(known(&resources[0], "independent_approvers"), &json!([]));
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

/// The shipped controls about things with labels of their own, judged where nobody named those labels: an incident that was never looked for is no incident handled well.
#[test]
fn issues_whose_labels_were_not_read_leave_their_controls_open() {
    let controls = crate::controls_readme::shipped_catalog().controls;
    let about_issues = |test: &&Test| test.population == "github.issue" && test.filter.as_ref().is_some_and(|filter| filter.0.contains("issue.labels"));
    for test in controls.iter().flat_map(|control| &control.tests).filter(about_issues) {
        assert!(!test.listed_by.is_empty(), "`{}` asks for a label and does not say that issues have to be listed by it", test.require.0);
    }
    let (resources, population) = collect(&Issue, &scope(), |request| site(request, &json!([]), &json!(null), &json!([]), 0));
    assert_eq!((resources.len(), population.completeness()), (0, Completeness::Reconciled));
    let listed = |labels: &[&str]| Population { listed_by: labels.iter().map(|label| (*label).to_owned()).collect(), ..population.clone() };
    for (id, labels) in
        [("OPS-05", vec!["incident"]), ("OPS-06", vec!["incident"]), ("OPS-07", vec!["incident", "follow-up"]), ("TSK-18", vec!["devops/support"])]
    {
        let control: Vec<Control> = controls.iter().filter(|control| control.id.as_str() == id).cloned().collect();
        let judge = Judge::new(&control, &[Issue.kind()], now()).expect("the control compiles");
        let status = |population: Population| judge.conclude(&[population]).remove(0).status;
        assert_eq!(status(population.clone()), FindingStatus::Undetermined, "{id}");
        assert_eq!(status(listed(&labels)), FindingStatus::Satisfied, "{id}");
        assert_eq!(status(listed(&labels[1..])), FindingStatus::Undetermined, "{id}");
    }
}

fn person(login: &str) -> Value {
    json!({"__typename": "User", "login": login})
}

/// A closed task; the real ones differ from it where their tests say so.
fn task(changes: Value) -> Resource {
    let mut node = json!({
        "id": "T", "state": "CLOSED", "stateReason": "COMPLETED", "createdAt": "2026-01-11T00:00:00Z", "closedAt": "2026-02-25T12:00:00Z", "lastEditedAt": null,
        "body": "", "author": {"__typename": "User", "login": "manager"}, "repository": {"visibility": "PUBLIC"}, "milestone": null, "assignees": list(&json!([{"login": "ada"}])), "labels": list(&json!([{"name": "cloud devops/soc2"}])),
        "subIssuesSummary": {"total": 0, "completed": 0}, "closedByPullRequestsReferences": list(&json!([])), "comments": list(&json!([])),
        "timelineItems": list(&json!([{"__typename": "ClosedEvent", "createdAt": "2026-02-25T12:00:00Z", "stateReason": "COMPLETED", "actor": person("ada")}])),
        "people": list(&json!([{"__typename": "AssignedEvent", "createdAt": "2026-01-12T00:00:00Z", "actor": person("manager"), "assignee": person("ada")}])),
        "marks": list(&json!([{"__typename": "LabeledEvent", "createdAt": "2026-01-11T00:00:00Z", "actor": person("manager"), "label": {"name": "cloud devops/soc2"}}])),
        "references": list(&json!([])),
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
    json!({"createdAt": at, "lastEditedAt": edited, "body": body, "author": person("ada")})
}

fn said_by(login: &str, body: &str, at: &str) -> Value {
    json!({"createdAt": at, "lastEditedAt": null, "body": body, "author": person(login)})
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
    assert_eq!((&known(&linked, "evidence")[0]["kind"], &known(&linked, "evidence")[0]["captured"]), (&json!("link_only"), &json!(false)));
    // GN-81: a merged change is evidence; the document beside it is not.
    let merged = json!([{"number": 15871, "url": "https://github.com/acme/deploy/pull/15871", "merged": true, "mergedAt": "2026-02-20T00:00:00Z", "author": null, "repository": {"nameWithOwner": "acme/deploy"}}]);
    let replicated = task(json!({"closedByPullRequestsReferences": list(&merged)}));
    assert_eq!(known(&replicated, "evidence")[0]["kind"], "pull_request");
    assert_eq!(known(&replicated, "evidence")[0]["by"], "ghost", "the account is gone, the change is not");
    // GN-108: closed without anything.
    assert_eq!(known(&task(json!({})), "evidence"), &json!([]));
    assert_eq!(known(&task(json!({})), "closed_by"), "ada");
    assert_eq!(known(&task(json!({})), "doers"), &json!(["ada"]), "who did it closed it");
    // GN-79, GN-109: the label is missing, and with it the task from the population; the search for tasks says what was asked for.
    assert_eq!(known(&separation, "labelled")[0]["label"], "cloud devops/soc2");
    // The upgrade trackers: that no review is required is no review, and neither is what the doer says.
    let upgrade = |words: &str, login: &str| {
        let comments =
            [said_by("ada", "https://github.com/user-attachments/files/1/restore.log", "2026-02-20T00:00:00Z"), said_by(login, words, "2026-02-21T00:00:00Z")];
        known(&task(json!({"comments": list(&json!(comments))})), "reviewed_by").clone()
    };
    assert_eq!(upgrade("No review required: normal upgrade", "bo"), json!([]));
    assert_eq!(upgrade("all well", "ada"), json!([]));
    assert_eq!(upgrade("all well", "bo"), json!(["bo"]));
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

/// A task with one comment, written in time.
fn told(body: &str) -> Resource {
    task(json!({"comments": list(&json!([comment(body, "2026-02-20T00:00:00Z", None)]))}))
}

#[test]
fn evidence_is_captured_only_where_its_bytes_are_kept() {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let foreign = format!("https://github.com/else/web/commit/{sha}");
    let commit = format!("https://github.com/acme/web/commit/{sha}");
    let cases: [(&str, &str, Option<&str>, Option<&str>); 9] = [
        ("https://github.com/user-attachments/files/1/restore.log", "attachment", None, Some("restore.log")),
        ("https://github.com/user-attachments/files/3/gone.log", "attachment", Some("link only: GitHub answered 404"), None),
        ("https://private-user-images.githubusercontent.com/1/2.png?jwt=x", "attachment", Some("link only: the address was good for some minutes"), None),
        ("https://github.com/acme/web/actions/runs/7", "workflow_run", None, Some("restore")),
        (
            "https://github.com/acme/web/actions/runs/9/job/1",
            "workflow_run",
            Some("link only: GitHub answered 404 (needs Actions: read and Contents: read on the repository)"),
            None,
        ),
        (&commit, "commit", None, None),
        (&foreign, "commit", Some("link only: it is outside the organisation"), None),
        ("https://github.com/acme/web/commit/0123456", "link_only", Some("link only"), None),
        ("https://github.com.evil.example/user-attachments/files/1/restore.log", "link_only", Some("link only"), None),
    ];
    for (link, kind, reason, name) in cases {
        let resource = told(&format!("see {link}"));
        let item = &known(&resource, "evidence")[0];
        assert_eq!((item["kind"].as_str(), item["reason"].as_str(), item["name"].as_str()), (Some(kind), reason, name), "{link}");
        assert_eq!((item["captured"] == true, item["sha256"].is_string()), (reason.is_none(), reason.is_none()), "{link}");
        assert!(!item.to_string().contains("jwt"), "{item}");
    }
    let log = told("https://github.com/user-attachments/files/1/restore.log?raw=1");
    let item = &known(&log, "evidence")[0];
    assert_eq!((&item["bytes"], &item["media_type"], &item["conclusion"]), (&json!(14), &json!("text/plain"), &Value::Null));
    assert_eq!(item["sha256"], proofline::model::Digest::of(b"18:02 restored").to_string());
    assert_eq!(item["url"], "https://github.com/user-attachments/files/1/restore.log");
    assert_eq!(log.evidence.len(), 3, "listed, read, and the file itself");
    let run = told("https://github.com/acme/web/actions/runs/7");
    assert_eq!(known(&run, "evidence")[0]["conclusion"], "success");
    assert_eq!(known(&told("https://github.com/acme/web/actions/runs/8"), "evidence")[0]["conclusion"], Value::Null, "it has not ended");
}

/// GitHub gives what is attached in a private repository to browsers, and 404 to most credentials: that is no word on whether there was evidence.
#[test]
fn a_file_that_is_closed_to_the_credential_leaves_the_evidence_undetermined() {
    let with = |visibility: &Value, link: &str| {
        let comments = list(&json!([comment(&format!("the log: {link}"), "2026-02-20T00:00:00Z", None)]));
        task(json!({"comments": comments, "repository": visibility}))
    };
    let gone = "https://github.com/user-attachments/files/3/gone.log";
    for visibility in [json!({"visibility": "PRIVATE"}), json!({"visibility": "INTERNAL"}), Value::Null] {
        let task = with(&visibility, gone);
        for name in ["evidence", "decisions", "reviewed_by"] {
            let Attribute::Unknown(gap) = &task.attributes[name] else { panic!("{visibility} {name}: {:?}", task.attributes[name]) };
            assert_eq!(gap.cause, GapCause::Forbidden, "{name}");
            assert!(gap.detail.contains("gone.log") && gap.detail.contains("404") && gap.detail.contains("may not see"), "{gap}");
            assert!(gap.cure.as_deref().is_some_and(|cure| cure.contains("classic token with the scope repo")), "{gap}");
        }
        let kept = with(&visibility, "https://github.com/user-attachments/files/1/restore.log");
        assert_eq!(known(&kept, "evidence")[0]["captured"], true, "what is open is kept, whatever the repository");
        assert_eq!(known(&with(&visibility, "https://docs.example.com/d/1"), "evidence")[0]["kind"], "link_only");
    }
    let public = with(&json!({"visibility": "PUBLIC"}), gone);
    assert_eq!(known(&public, "evidence")[0]["reason"], "link only: GitHub answered 404", "there it would be open to everybody");
}

#[test]
fn a_flood_of_links_pushes_nothing_out() {
    let flood: String = (10..200).map(|number| format!("https://github.com/user-attachments/files/{number}/x.txt ")).collect();
    let comments =
        [comment("https://github.com/user-attachments/files/1/restore.log", "2026-02-20T00:00:00Z", None), comment(&flood, "2026-02-21T00:00:00Z", None)];
    let flooded = task(json!({"comments": list(&json!(comments))}));
    let items = known(&flooded, "evidence").as_array().expect("a list");
    assert_eq!((items.len(), &items[0]["captured"]), (191, &json!(true)));
    let unasked = items.iter().filter(|item| item["reason"] == "link only: the issue names 100 others before it").count();
    assert_eq!(unasked, 91, "the others were asked for, and are gone");
}

#[test]
fn files_of_an_enterprise_server_lie_on_its_own_host() {
    let node = json!({"id": "T", "url": "https://ghe.example/acme/ops/issues/1", "createdAt": "2026-01-11T00:00:00Z", "lastEditedAt": null, "author": person("ada"),
        "body": "https://ghe.example/user-attachments/files/1/restore.log https://github.com/user-attachments/files/1/restore.log",
        "comments": list(&json!([])), "closedByPullRequestsReferences": list(&json!([]))});
    let listed = json!([{"nameWithOwner": "acme/ops", "issues": {"pageInfo": {"hasNextPage": false, "endCursor": null}, "nodes": [{"id": "T", "number": 1, "url": "https://ghe.example/acme/ops/issues/1", "title": "t"}]}}]);
    let (resources, _population) = collect(&Issue, &scope(), |request| site(request, &listed, &json!(null), &json!([node]), 1));
    let kinds: Vec<_> =
        known(&resources[0], "evidence").as_array().expect("a list").iter().map(|item| (item["kind"].clone(), item["captured"].clone())).collect();
    assert_eq!(kinds, [(json!("attachment"), json!(true)), (json!("link_only"), json!(false))], "the files of another GitHub are asked of nobody");
}

#[test]
fn a_captured_table_tells_the_decisions_of_a_review() {
    let review = told("https://github.com/user-attachments/files/4/members.csv");
    let row = |member: &str, decision: &str| json!({"member": member, "decision": decision, "at": "2026-02-20T00:00:00Z", "by": "ada"});
    assert_eq!(known(&review, "decisions"), &json!([row("ada", "keep"), row("bo", "")]));
    assert_eq!(known(&told("https://github.com/user-attachments/files/5/members.csv"), "decisions"), &json!([]), "a table that is gone decides nothing");
}

#[test]
fn what_broke_off_leaves_the_evidence_undetermined() {
    let broken = told("https://github.com/user-attachments/files/2/broken.log and https://github.com/user-attachments/files/1/restore.log");
    for name in ["evidence", "decisions", "doers", "reviewed_by"] {
        assert_eq!(unknown(&broken, name), GapCause::Unanswered, "{name}");
    }
    assert_eq!(known(&broken, "open_boxes"), 0);
}

fn event(name: &str, at: &str, by: &str, more: &Value) -> Value {
    let mut event = json!({"__typename": name, "createdAt": at, "actor": person(by)});
    for (name, value) in more.as_object().expect("an object") {
        event[name] = value.clone();
    }
    event
}

#[test]
fn the_timeline_tells_who_did_what_and_when() {
    let bot = json!({"__typename": "Bot", "login": "triage"});
    let people = [
        event("AssignedEvent", "2026-01-14T00:00:00Z", "manager", &json!({"assignee": person("grace")})),
        event("UnassignedEvent", "2026-01-15T00:00:00Z", "manager", &json!({"assignee": person("grace")})),
        event("AssignedEvent", "2026-01-12T00:00:00Z", "manager", &json!({"assignee": bot})),
        event("AssignedEvent", "2026-01-13T00:00:00Z", "manager", &json!({"assignee": null})),
    ];
    let comments = [
        json!({"createdAt": "2026-01-11T01:00:00Z", "lastEditedAt": null, "body": "hello", "author": bot}),
        said_by("manager", "please", "2026-01-11T02:00:00Z"),
        said_by("bo", "on it", "2026-01-11T03:00:00Z"),
    ];
    let source = json!({"__typename": "PullRequest", "number": 3, "url": "https://github.com/acme/web/pull/3", "mergedAt": null, "repository": {"nameWithOwner": "acme/web"}});
    let references = [
        event("CrossReferencedEvent", "2026-01-20T00:00:00Z", "ada", &json!({"source": source})),
        event("ConnectedEvent", "2026-01-21T00:00:00Z", "ada", &json!({"subject": source})),
        event("CrossReferencedEvent", "2026-01-20T00:00:00Z", "ada", &json!({"source": {"__typename": "Issue"}})),
    ];
    let task = task(json!({"people": list(&json!(people)), "comments": list(&json!(comments)), "references": list(&json!(references))}));
    let who: Vec<_> = known(&task, "assigned").as_array().expect("a list").iter().map(|event| event["to"].as_str().expect("a login").to_owned()).collect();
    assert_eq!(who, ["triage", "ghost", "grace"]);
    assert_eq!(known(&task, "first_assigned_at"), "2026-01-13T00:00:00Z", "a bot does nothing; who is gone was somebody");
    assert_eq!(known(&task, "doers"), &json!(["ada", "ghost", "grace", "triage"]), "who gave it back had it");
    assert_eq!(known(&task, "first_response_at"), "2026-01-11T03:00:00Z", "neither a bot's word nor the author's own");
    assert_eq!(known(&task, "closings"), &json!([{"at": "2026-02-25T12:00:00Z", "by": "ada", "by_type": "User", "reason": "COMPLETED"}]));
    assert_eq!(known(&task, "linked_pull_requests").as_array().map(Vec::len), Some(1), "one change, however often it is named");
    assert_eq!(known(&task, "labelled")[0]["by"], "manager");
}

#[test]
fn a_timeline_that_is_cut_leaves_its_own_attributes_open() {
    let cut = json!({"totalCount": 150, "nodes": []});
    for (part, names) in [
        ("people", ["assigned", "first_assigned_at", "doers", "reviewed_by"].as_slice()),
        ("marks", &["labelled"]),
        ("references", &["linked_pull_requests"]),
        ("timelineItems", &["closings", "closed_by", "reopened_at", "edits_after_close"]),
        ("comments", &["evidence", "first_response_at", "reviewed_by"]),
    ] {
        let task = task(json!({part: cut}));
        for name in names {
            assert_eq!(unknown(&task, name), GapCause::Incomplete, "{part} {name}");
        }
        assert_eq!(known(&task, "state"), "CLOSED");
        assert!(part == "marks" || matches!(task.attributes["labelled"], Attribute::Known(_)), "{part}");
    }
    let since_when = task(json!({"people": list(&json!([]))}));
    assert_eq!(unknown(&since_when, "first_assigned_at"), GapCause::LeftOut, "ada has it, and nothing says since when");
    let nobody = task(json!({"people": list(&json!([])), "assignees": list(&json!([]))}));
    assert_eq!(known(&nobody, "first_assigned_at"), &Value::Null);
}

#[test]
fn a_title_that_is_changed_after_closing_is_a_change() {
    let renamed = event("RenamedTitleEvent", "2026-02-26T00:00:00Z", "ada", &json!({}));
    let closed = event("ClosedEvent", "2026-02-25T12:00:00Z", "ada", &json!({"stateReason": null}));
    assert_eq!(known(&task(json!({"timelineItems": list(&json!([closed, renamed]))})), "edits_after_close"), 1);
}
