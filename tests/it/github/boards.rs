//! Boards, what stands on them, and where an issue stands: what is hidden, cut or refused is never taken for an empty board or a missing task.

use proofline::collect::github::issue::Issue;
use proofline::collect::github::project::Project;
use proofline::collect::github::project_item::ProjectItem;
use proofline::collect::replay::Replay;
use proofline::collect::{Collector, Evidence as _, Request};
use proofline::model::{Board, Boards, Completeness, GapCause, Population, Resource, Scope};
use serde_json::{Value, json};

use crate::github::{assert_contract_in, known, scope as plain, unknown, world};

fn scope(projects: &[u32]) -> Scope {
    Scope {
        issue_labels: vec!["soc2".into()],
        boards: Boards { projects: projects.iter().copied().map(Board::from).collect(), due_field: "SLA".into() },
        ..plain()
    }
}

async fn run(collector: &dyn Collector, scope: &Scope, answers: Value) -> (Vec<Resource>, Population) {
    let fixture = json!({ "answers": answers, "default": { "status": 404, "body": { "message": "Not Found" } } });
    let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), world(fixture));
    collector.fetch(scope, &replay).await.expect("fetch goes on whatever is refused");
    assert_contract_in(scope, collector, &replay.evidence())
}

fn list(nodes: &Value) -> Value {
    json!({ "totalCount": nodes.as_array().map(Vec::len), "nodes": nodes })
}

fn value(kind: &str, field: &str, member: &str, value: Value) -> Value {
    let mut node = json!({ "__typename": kind, "updatedAt": "2026-02-02T00:00:00Z", "creator": { "login": "ada" }, "field": { "name": field } });
    node[member] = value;
    node
}

fn status(name: &str) -> Value {
    value("ProjectV2ItemFieldSingleSelectValue", "Status", "name", json!(name))
}

fn due(day: &str) -> Value {
    value("ProjectV2ItemFieldDateValue", "SLA", "date", json!(day))
}

fn item(id: &str, kind: &str, content: &Value, values: &Value) -> Value {
    json!({
        "id": id, "type": kind, "isArchived": false, "createdAt": "2026-02-01T00:00:00Z", "updatedAt": "2026-02-02T00:00:00Z", "creator": null, "content": content,
        "fieldValues": list(values),
    })
}

fn issue(number: u32) -> Value {
    json!({
        "__typename": "Issue", "number": number, "title": format!("SOC2 - GN-{number}"), "url": format!("https://github.com/acme/ops/issues/{number}"),
        "issueState": "OPEN", "repository": { "nameWithOwner": "acme/ops" }, "labels": list(&json!([{ "name": "soc2" }])), "assignees": list(&json!([])),
    })
}

fn page(items: &Value, next: Option<&str>, total: usize) -> Value {
    let items = json!({ "totalCount": total, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next }, "nodes": items });
    json!({ "status": 200, "body": { "data": { "organization": { "projectV2": { "title": "Cloud DevOps", "items": items } } } } })
}

fn not_there() -> Value {
    let error = json!({ "type": "NOT_FOUND", "path": ["organization", "projectV2"], "message": "Could not resolve to a ProjectV2 with the number 220." });
    json!({ "status": 200, "body": { "data": { "organization": { "projectV2": null } }, "errors": [error] } })
}

const CONTENT: [&str; 7] = ["number", "repository", "url", "title", "state", "labels", "assignees"];

#[tokio::test]
async fn a_board_is_read_to_its_last_page_with_what_stands_on_it() {
    let foreign = json!({ "__typename": "ProjectV2ItemFieldRepositoryValue" });
    let numbered = value("ProjectV2ItemFieldNumberValue", "Estimate", "number", json!(2.5));
    let first = item("A", "ISSUE", &issue(80), &json!([status("Todo"), due("2026-02-28"), numbered, foreign]));
    let draft = json!({ "__typename": "DraftIssue", "title": "An idea", "drafted": list(&json!([{ "login": "bo" }])) });
    let second = json!([item("B", "DRAFT_ISSUE", &draft, &json!([])), item("C", "REDACTED", &Value::Null, &json!([]))]);
    let answers = json!({ "graphql/project-items": page(&json!([first]), Some("x"), 3), "graphql/project-items after x": page(&second, None, 3) });
    let (items, population) = run(&ProjectItem, &scope(&[220]), answers).await;
    assert_eq!((items.len(), population.completeness()), (3, Completeness::Reconciled), "{:?}", population.gaps);
    let task = &items[0];
    assert_eq!((task.id.as_str(), task.name.as_str()), ("github.com/orgs/acme/projects/220/items/A", "acme/ops#80"));
    assert_eq!([known(task, "status"), known(task, "due")], [json!("Todo"), json!("2026-02-28T23:59:59Z")]);
    assert_eq!(known(task, "status_changed_at"), "2026-02-02T00:00:00Z");
    let fields = known(task, "fields");
    assert_eq!(fields.as_array().map(Vec::len), Some(3), "what the board shows of the content is no field of its own: {fields}");
    assert_eq!(fields[2], json!({ "name": "Estimate", "type": "number", "value": "2.5", "updated_at": "2026-02-02T00:00:00Z", "by": "ada" }));
    let idea = &items[1];
    assert_eq!([known(idea, "number"), known(idea, "labels"), known(idea, "assignees")], [Value::Null, json!([]), json!(["bo"])]);
    assert_eq!([known(idea, "status"), known(idea, "due")], [Value::Null, Value::Null]);
    for name in CONTENT {
        assert!(unknown(&items[2], name).cure.is_some_and(|cure| cure.contains("repository")), "{name} of what may not be seen");
    }
    assert_eq!(known(&items[2], "type"), "REDACTED");
}

#[tokio::test]
async fn what_is_cut_hidden_or_refused_is_never_an_empty_board() {
    let one = || item("A", "ISSUE", &issue(80), &json!([status("Todo")]));
    let cut = json!({ "graphql/project-items": page(&json!([one()]), Some("x"), 2), "graphql/project-items after x": { "status": 502, "body": {} } });
    let hidden = json!({ "graphql/project-items": page(&json!([one(), null]), None, 2) });
    let forbidden = json!({ "status": 200, "body": { "data": null, "errors": [{ "type": "INSUFFICIENT_SCOPES", "message": "needs read:project" }] } });
    for (case, answers, count) in [
        ("cut", cut, 1),
        ("hidden", hidden, 1),
        ("not there", json!({ "graphql/project-items": not_there() }), 0),
        ("no scope", json!({ "graphql/project-items": forbidden.clone() }), 0),
        ("refused", json!({}), 0),
    ] {
        let (items, population) = run(&ProjectItem, &scope(&[220]), answers).await;
        assert_eq!((items.len(), population.completeness()), (count, Completeness::Incomplete), "{case}");
        if count == 0 {
            let gap = &population.gaps[0];
            assert_eq!(gap.cause, GapCause::Forbidden, "{case}");
            assert!(gap.cure.as_deref().is_some_and(|cure| cure.contains("read:project")), "{case}: {gap}");
        }
    }
    let (_, short) = run(&ProjectItem, &scope(&[220]), json!({ "graphql/project-items": page(&json!([one()]), None, 5) })).await;
    assert_eq!(short.completeness(), Completeness::Mismatched);
    for answers in [json!({ "graphql/project": not_there() }), json!({ "graphql/project": forbidden }), json!({})] {
        let (boards, population) = run(&Project, &scope(&[220]), answers).await;
        assert_eq!((boards.len(), population.completeness()), (0, Completeness::Incomplete));
        assert!(population.gaps[0].cure.as_deref().is_some_and(|cure| cure.contains("organization_projects: read")), "{:?}", population.gaps);
    }
    // Field values that were not all read: the status may be among the others.
    let mut more = one();
    more["fieldValues"] = json!({ "totalCount": 60, "nodes": [] });
    let (items, _) = run(&ProjectItem, &scope(&[220]), json!({ "graphql/project-items": page(&json!([more]), None, 1) })).await;
    for name in ["status", "status_changed_at", "due", "due_changed_at", "fields"] {
        assert_eq!(unknown(&items[0], name).cause, GapCause::Incomplete, "{name}");
    }
}

#[tokio::test]
async fn without_a_number_nothing_is_asked() {
    let kinds: [&dyn Collector; 2] = [&Project, &ProjectItem];
    for kind in kinds {
        let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), |request: &Request| panic!("{} was asked", request.operation));
        kind.fetch(&scope(&[]), &replay).await.expect("nothing to do");
        let (boards, population) = assert_contract_in(&scope(&[]), kind, &replay.evidence());
        assert_eq!((boards.len(), population.gaps[0].cause), (0, GapCause::NotConfigured));
        assert!(population.gaps[0].cure.as_deref().is_some_and(|cure| cure.contains("projects")));
    }
}

/// Each organisation counts its boards anew.
#[tokio::test]
async fn a_board_is_asked_for_in_its_own_organisation_only() {
    let projects = ["acme/220", "beta/7"].map(|board| board.parse().expect("a board")).to_vec();
    let named = Scope { github_organizations: vec!["acme".into(), "beta".into(), "gamma".into()], boards: Boards { projects, ..Boards::default() }, ..plain() };
    let kinds: [(&dyn Collector, &str); 2] = [(&Project, "graphql/project"), (&ProjectItem, "graphql/project-items")];
    for (kind, operation) in kinds {
        let replay = Replay::new("2026-03-01T02:00:00Z".parse().expect("an instant"), world(json!({ "answers": {}, "default": not_there() })));
        kind.fetch(&named, &replay).await.expect("asked");
        let evidence = replay.evidence();
        let asked: Vec<String> = evidence.operation(operation).iter().map(|exchange| exchange.subject.clone()).collect();
        assert_eq!(asked, ["acme/projects/220", "beta/projects/7"]);
        let (_, population) = assert_contract_in(&named, kind, &replay.evidence());
        assert!(population.definition.contains("boards acme/220, beta/7 of"), "{}", population.definition);
        let tenants: Vec<&str> = population.tallies.iter().map(|tally| tally.tenant.as_str()).collect();
        assert!(tenants.len() == 2 && !tenants.iter().any(|tenant| tenant.contains("gamma")), "{tenants:?}");
    }
}

fn board(updates: &Value) -> Value {
    json!({
        "number": 220, "title": "Cloud DevOps", "url": "https://github.com/orgs/acme/projects/220", "shortDescription": null, "readme": null, "public": false,
        "closed": false, "createdAt": "2022-05-09T00:00:00Z", "updatedAt": "2026-02-02T00:00:00Z", "items": { "totalCount": 7 }, "statusUpdates": updates,
        "fields": list(&json!([{ "name": "Status", "dataType": "SINGLE_SELECT" }])), "workflows": list(&json!([{ "name": "Item closed", "enabled": true }])),
    })
}

async fn one_board(board: Value) -> Resource {
    beside(board, json!({})).await
}

/// A board, and what else the organisation answers.
async fn beside(board: Value, mut answers: Value) -> Resource {
    answers["graphql/project"] = json!({ "status": 200, "body": { "data": { "organization": { "projectV2": board } } } });
    let (mut boards, population) = run(&Project, &scope(&[220]), answers).await;
    assert_eq!(population.completeness(), Completeness::Reconciled);
    boards.remove(0)
}

#[tokio::test]
async fn what_the_team_wrote_is_told_newest_first() {
    let wrote = |at: &str| json!({ "createdAt": at, "updatedAt": at, "status": null, "body": null, "creator": null });
    // More than a hundred in all: the oldest were not read, and nothing is claimed of them.
    let updates = json!({ "totalCount": 170, "nodes": [wrote("2026-01-05T00:00:00Z"), wrote("2026-01-19T00:00:00Z")] });
    let told = one_board(board(&updates)).await;
    assert_eq!(known(&told, "last_status_update_at"), "2026-01-19T00:00:00Z");
    assert_eq!(known(&told, "status_updates")[0], json!({ "at": "2026-01-19T00:00:00Z", "edited": false, "by": null, "status": null, "body": "" }));
    let silent = one_board(board(&list(&json!([])))).await;
    assert_eq!(known(&silent, "last_status_update_at"), Value::Null);
    for (updates, cause) in [
        (Value::Null, GapCause::LeftOut),
        (json!({ "totalCount": 3, "nodes": [] }), GapCause::Incomplete),
        (json!({ "totalCount": 1, "nodes": [null] }), GapCause::LeftOut),
    ] {
        assert_eq!(unknown(&one_board(board(&updates)).await, "last_status_update_at").cause, cause, "{updates}");
    }
}

#[tokio::test]
async fn discussions_and_issues_are_records_beside_the_board() {
    let last = json!({ "hasNextPage": false, "endCursor": null });
    let ok = |data: Value| json!({ "status": 200, "body": { "data": data } });
    let listing = |field: &str, nodes: Value| {
        let mut repository = json!({ "nameWithOwner": "acme/ops" });
        repository[field] = json!({ "pageInfo": last, "nodes": nodes });
        ok(json!({ "organization": { "repositories": { "totalCount": 1, "pageInfo": last, "nodes": [repository] } } }))
    };
    let listed = |id: &str, title: &str, at: &str| json!({ "id": id, "number": 7, "url": format!("https://github.com/acme/ops/{id}/7"), "title": title, "createdAt": at });
    let details = |at: &str| {
        let author = json!({ "__typename": "User", "login": "ada" });
        json!({ "createdAt": at, "author": author, "labels": list(&json!([{ "name": "Team/DevOps" }])), "category": { "name": "Retrospectives", "isAnswerable": false } })
    };
    let node = |id: &str, at: &str| {
        let mut node = details(at);
        node["id"] = json!(id);
        node
    };
    let mut discussions = listing("discussions", json!([listed("D", "Fortnight 3", "2026-01-10T00:00:00Z"), listed("E", "Old", "2025-10-01T00:00:00Z")]));
    // What follows is older still, and nobody answers for it.
    discussions["body"]["data"]["organization"]["repositories"]["nodes"][0]["discussions"]["pageInfo"] = json!({ "hasNextPage": true, "endCursor": "x" });
    let answers = json!({
        "graphql/discussions": discussions,
        "graphql/discussion-details": ok(json!({ "nodes": [node("D", "2026-01-10T00:00:00Z")] })),
        "graphql/issues": listing("issues", json!([listed("I", "Planning of week 4", "2025-10-01T00:00:00Z")])),
        "graphql/issue-details": ok(json!({ "nodes": [node("I", "2026-01-19T00:00:00Z")] })),
    });
    let told = beside(board(&list(&json!([]))), answers.clone()).await;
    let record = |kind: &str, id: &str, at: &str, title: &str, marks: Value| json!({ "kind": kind, "at": at, "by": "ada", "title": title, "url": format!("https://github.com/acme/ops/{id}/7"), "marks": marks });
    let expected = json!([
        record("issue", "I", "2026-01-19T00:00:00Z", "Planning of week 4", json!(["team/devops"])),
        record("discussion", "D", "2026-01-10T00:00:00Z", "Fortnight 3", json!(["team/devops", "retrospectives"])),
    ]);
    assert_eq!(known(&told, "records"), expected, "newest first, and none of last autumn");
    assert!(told.evidence.len() >= 5, "the board and both listings with their details: {:?}", told.evidence);
    for (operation, cause) in [("graphql/discussions", GapCause::Forbidden), ("graphql/issue-details", GapCause::Forbidden)] {
        let mut silent = answers.clone();
        silent.as_object_mut().expect("an object").remove(operation);
        assert_eq!(unknown(&beside(board(&list(&json!([]))), silent).await, "records").cause, cause, "{operation}");
    }
}

/// The task GN-80 with this body and milestone, beside a board with these items.
async fn task(scope: &Scope, node: &Value, board: Value) -> Resource {
    let mut details = json!({ "id": "I", "state": "OPEN", "milestone": null, "body": "" });
    for (name, value) in node.as_object().expect("an object") {
        details[name] = value.clone();
    }
    let listed = json!([{ "id": "I", "number": 80, "url": "https://github.com/acme/ops/issues/80", "title": "GN-80" }]);
    let page = json!({ "hasNextPage": false, "endCursor": null });
    let repositories =
        json!({ "totalCount": 1, "pageInfo": page, "nodes": [{ "nameWithOwner": "acme/ops", "issues": { "pageInfo": page, "nodes": listed } }] });
    let ok = |data: Value| json!({ "status": 200, "body": { "data": data } });
    let answers = json!({
        "graphql/issues": ok(json!({ "organization": { "repositories": repositories } })), "graphql/issue-details": ok(json!({ "nodes": [details] })),
        "graphql/sub-issues": ok(json!({ "nodes": [{ "id": "I", "subIssues": details["subIssues"] }] })),
        "graphql/search-issues": ok(json!({ "search": { "issueCount": 1 } })), "graphql/project-items": board,
        "GET /user-attachments/files/1/log.txt": { "status": 200, "body": "the log" },
    });
    run(&Issue, scope, answers).await.0.remove(0)
}

fn dated(values: &Value) -> Value {
    page(&json!([item("A", "ISSUE", &issue(80), values), item("H", "REDACTED", &Value::Null, &json!([]))]), None, 2)
}

#[tokio::test]
async fn an_issue_knows_where_it_stands_and_which_date_counts() {
    let planned = json!({ "milestone": { "title": "Q1", "dueOn": "2026-02-20T08:00:00Z" }, "body": "Due: 2026-02-28" });
    let on = task(&scope(&[220]), &planned, dated(&json!([status("Todo"), due("2026-02-28")]))).await;
    let told = [known(&on, "due"), known(&on, "due_source"), known(&on, "due_stated"), known(&on, "milestone_due")];
    assert_eq!(told, [json!("2026-02-28T23:59:59Z"), json!("board"), json!(2), json!("2026-02-20T08:00:00Z")], "the text says what the board says");
    let place = json!({
        "project": 220, "status": "Todo", "status_changed_at": "2026-02-02T00:00:00Z", "due": "2026-02-28T23:59:59Z", "archived": false, "added_at": "2026-02-01T00:00:00Z",
        "values": { "Status": "Todo", "SLA": "2026-02-28" },
    });
    assert_eq!(known(&on, "boards"), json!([place]));
    assert!(on.evidence.len() >= 3, "the board's page is cited too");
    let undated = task(&scope(&[220]), &planned, dated(&json!([]))).await;
    assert_eq!([known(&undated, "due"), known(&undated, "due_source")], [json!("2026-02-20T08:00:00Z"), json!("milestone")]);
    let prose = task(&scope(&[220]), &json!({ "body": "Due: 2026-02-28" }), dated(&json!([status("Todo")]))).await;
    assert_eq!([known(&prose, "due_source"), known(&prose, "due_stated")], [json!("body"), json!(1)]);
    let elsewhere = task(&scope(&[220]), &json!({}), page(&json!([item("A", "ISSUE", &issue(7), &json!([]))]), None, 1)).await;
    assert_eq!([known(&elsewhere, "boards"), known(&elsewhere, "due"), known(&elsewhere, "due_stated")], [json!([]), Value::Null, json!(0)]);
}

#[tokio::test]
async fn a_board_that_was_not_read_leaves_open_where_an_issue_stands_and_when_it_is_due() {
    let planned = json!({ "milestone": { "title": "Q1", "dueOn": "2026-02-20T08:00:00Z" } });
    let (mut nameless, mut shown) = (issue(80), item("A", "ISSUE", &issue(80), &json!([])));
    nameless["repository"] = Value::Null;
    shown["fieldValues"] = Value::Null;
    for (case, board) in [
        ("not there", not_there()),
        ("refused", json!({ "status": 403, "body": { "message": "no" } })),
        ("cut", page(&json!([]), Some("x"), 120)),
        ("short", page(&json!([]), None, 1)),
        ("an issue without a name", page(&json!([item("A", "ISSUE", &nameless, &json!([]))]), None, 1)),
        ("an issue without values", page(&json!([shown]), None, 1)),
    ] {
        let left_open = task(&scope(&[220]), &planned, board).await;
        for name in ["boards", "due", "due_source", "due_stated"] {
            unknown(&left_open, name);
        }
        assert_eq!(known(&left_open, "milestone_due"), "2026-02-20T08:00:00Z", "{case}");
    }
    // Where no board is named, the milestone and the text say it all.
    let without = task(&scope(&[]), &planned, json!({ "status": 500, "body": {} })).await;
    assert_eq!(unknown(&without, "boards").cause, GapCause::NotConfigured);
    assert_eq!([known(&without, "due"), known(&without, "due_stated")], [json!("2026-02-20T08:00:00Z"), json!(1)]);
}

#[tokio::test]
async fn parts_of_an_issue_are_told_with_what_is_attached_to_each() {
    let attached = "## Cloud\n[log](https://github.com/user-attachments/files/1/log.txt)\n## Managed instances\nhttps://docs.example.com/d/1\n";
    let part = json!({
        "number": 81, "title": "Managed", "state": "CLOSED", "stateReason": "COMPLETED", "repository": { "nameWithOwner": "acme/ops" },
        "labels": list(&json!([{ "name": "soc2" }])),
    });
    let node = json!({
        "createdAt": "2026-01-11T00:00:00Z", "lastEditedAt": null, "author": null, "body": attached, "comments": list(&json!([])),
        "closedByPullRequestsReferences": list(&json!([])), "subIssuesSummary": { "total": 1, "completed": 1 }, "subIssues": list(&json!([part])),
    });
    let whole = task(&scope(&[220]), &node, dated(&json!([]))).await;
    let sections = known(&whole, "sections");
    let told = |at: usize| (sections[at]["heading"].clone(), sections[at]["links"].clone());
    assert_eq!(told(0), (json!("cloud"), json!(["https://github.com/user-attachments/files/1/log.txt"])));
    assert_eq!(told(1), (json!("managed instances"), json!(["https://docs.example.com/d/1"])));
    assert_eq!(known(&whole, "sub_issues")[0]["labels"], json!(["soc2"]));
    assert_eq!(whole.evidence.len(), 5, "what listed it, told of it, of its parts and of its board, and the log: {:?}", whole.evidence);
    let mut none = node.clone();
    none["subIssuesSummary"]["total"] = json!(0);
    assert_eq!(known(&task(&scope(&[220]), &none, dated(&json!([]))).await, "sub_issues"), json!([]), "nothing is asked where there are none");
    none["subIssuesSummary"] = Value::Null;
    assert_eq!(unknown(&task(&scope(&[220]), &none, dated(&json!([]))).await, "sub_issues").cause, GapCause::LeftOut);
    let mut cut = node;
    cut["comments"] = json!({ "totalCount": 150, "nodes": [] });
    cut["subIssues"] = json!({ "totalCount": 60, "nodes": [] });
    let cut = task(&scope(&[220]), &cut, dated(&json!([]))).await;
    assert_eq!([unknown(&cut, "sections").cause, unknown(&cut, "sub_issues").cause], [GapCause::Incomplete, GapCause::Incomplete]);
}
