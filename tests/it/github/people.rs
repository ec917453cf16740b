//! When members last did something, and who holds a role of the organisation.

use proofline::collect::github::member_activity::MemberActivity;
use proofline::collect::github::org_role_assignment::OrgRoleAssignment;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, named, run, unknown, world};

#[tokio::test]
async fn a_member_was_last_active_when_the_log_says_so() {
    let (resources, population) = run(&MemberActivity, "normal").await;
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
    let ada = named(&resources, "ada");
    assert_eq!((known(ada, "last_event_at"), known(ada, "last_action")), (json!("2026-01-10T10:00:00Z"), json!("git.push")));
    assert_eq!(known(named(&resources, "grace"), "last_event_at"), json!(null), "nothing in 180 days");
    let gap = unknown(named(&resources, "linus"), "last_event_at");
    assert_eq!(gap.cause, GapCause::Forbidden, "a plan without a log is no idle member");
    assert!(gap.cure.expect("a cure").contains("read:audit_log"));
}

#[tokio::test]
async fn what_is_not_told_of_an_activity_is_unknown() {
    let (resources, population) = run(&MemberActivity, "partial").await;
    assert_eq!((resources.len(), population.completeness()), (3, Completeness::Reconciled));
    for resource in &resources {
        assert_eq!(unknown(resource, "last_event_at").cause, GapCause::Malformed, "{}", resource.name);
    }
    let (resources, _) = run(&MemberActivity, "truncated").await;
    assert_eq!(unknown(named(&resources, "grace"), "last_event_at").cause, GapCause::Unanswered);
    assert_eq!(known(named(&resources, "ada"), "last_action"), "git.push");
}

/// An entry that does not say who made it shows nobody active.
#[tokio::test]
async fn an_entry_that_names_nobody_is_nobodys_activity() {
    let mut fixture = fixture("github.member_activity", "normal");
    let answers = fixture["answers"].as_object_mut().expect("answers");
    let entries = answers.values_mut().filter_map(|answer| answer["body"].as_array_mut()).flatten();
    let told = entries.filter_map(|entry| entry.as_object_mut()?.remove("actor")).count();
    assert!(told > 0, "no entry named anybody");
    let (resources, _) = assert_contract(&MemberActivity, &collect(&MemberActivity, world(fixture)).await);
    for attribute in ["last_event_at", "last_action"] {
        assert_eq!(unknown(named(&resources, "ada"), attribute).cause, GapCause::LeftOut, "{attribute}");
    }
}

const ROLES: &str = "GET /orgs/acme/organization-roles";

fn of_role(id: u64, holders: &str) -> String {
    format!("GET /orgs/acme/organization-roles/{id}/{holders}?per_page=100")
}

async fn assigned(fixture: Value) -> (Vec<Resource>, Population) {
    assert_contract(&OrgRoleAssignment, &collect(&OrgRoleAssignment, world(fixture)).await)
}

#[tokio::test]
async fn whoever_holds_a_role_is_read_to_the_last_page() {
    let (resources, population) = run(&OrgRoleAssignment, "normal").await;
    assert_eq!(population.completeness(), Completeness::Enumerated, "{:?}", population.gaps);
    let facts: Vec<_> = resources.iter().map(|resource| (known(resource, "role"), known(resource, "holder"), known(resource, "source"))).collect();
    let expected = [
        (json!("security_manager"), json!("team:security"), json!("Predefined")),
        (json!("security_manager"), json!("ada"), json!("Predefined")),
        (json!("security_manager"), json!("bo"), json!("Predefined")),
        (json!("auditor"), json!("bo"), json!(null)),
    ];
    assert_eq!(facts, expected);
    assert_eq!(resources[0].id.as_str(), "github.com/orgs/acme/organization-roles/8/teams/security");
    assert_eq!(known(&resources[2], "assignment"), "indirect");
    let (resources, population) = run(&OrgRoleAssignment, "partial").await;
    assert_eq!((resources.len(), population.completeness()), (2, Completeness::Enumerated));
    for resource in &resources {
        assert_eq!(unknown(resource, "assignment").cause, GapCause::LeftOut, "{}", resource.name);
        assert_eq!(unknown(resource, "source").cause, GapCause::Malformed, "{}", resource.name);
    }
}

#[tokio::test]
async fn roles_that_cannot_be_read_are_not_unassigned() {
    let with = |target: String, answer: Value| {
        let mut odd = fixture("github.org_role_assignment", "normal");
        odd["answers"][target] = answer;
        odd
    };
    let refused = |status: u16| json!({ "status": status, "body": { "message": "Not Found" } });
    let ok = |body: Value| json!({ "status": 200, "body": body });
    for (case, world, read, cause) in [
        ("forbidden", with(ROLES.to_owned(), refused(403)), 0, GapCause::Forbidden),
        ("not found", with(ROLES.to_owned(), refused(404)), 0, GapCause::Forbidden),
        ("not offered", with(ROLES.to_owned(), refused(422)), 0, GapCause::Malformed),
        ("misshapen", with(ROLES.to_owned(), ok(json!({ "total_count": 2, "roles": 7 }))), 0, GapCause::Malformed),
        ("without roles", with(ROLES.to_owned(), ok(json!([]))), 0, GapCause::LeftOut),
        ("without a count", with(ROLES.to_owned(), ok(json!({ "roles": [{ "id": 9, "name": "auditor" }] }))), 1, GapCause::LeftOut),
        ("a role is missing", with(ROLES.to_owned(), ok(json!({ "total_count": 2, "roles": [{ "id": 9, "name": "auditor" }] }))), 1, GapCause::Incomplete),
        (
            "a nameless role",
            with(ROLES.to_owned(), ok(json!({ "total_count": 2, "roles": [{ "id": 9, "name": "auditor" }, { "id": 8 }] }))),
            1,
            GapCause::LeftOut,
        ),
        ("its teams are hidden", with(of_role(8, "teams"), refused(403)), 3, GapCause::Forbidden),
        ("its people are misshapen", with(of_role(9, "users"), ok(json!({ "users": [] }))), 3, GapCause::Malformed),
        ("somebody without a name", with(of_role(9, "users"), ok(json!([{ "assignment": "direct" }]))), 3, GapCause::Malformed),
        ("cut", with("GET /orgs/acme/organization-roles/8/users?per_page=100&page=2".to_owned(), refused(502)), 3, GapCause::Unanswered),
    ] {
        let (resources, population) = assigned(world).await;
        assert_eq!((resources.len(), population.completeness()), (read, Completeness::Incomplete), "{case}");
        assert_eq!(population.gaps[0].cause, cause, "{case}: {:?}", population.gaps);
        if cause == GapCause::Forbidden {
            assert!(population.gaps[0].cure.as_deref().is_some_and(|cure| cure.contains("admin:org")), "{case}");
        }
    }
    let (resources, population) = assigned(with(ROLES.to_owned(), ok(json!({ "total_count": 0, "roles": [] })))).await;
    assert_eq!((resources.len(), population.completeness()), (0, Completeness::Enumerated));
}
