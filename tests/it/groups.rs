//! Groups that hold roles: which are asked about, what a refusal, a cut or a changed field leaves of who is in them. That what is read is true is `truth`'s.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Mutex;

use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::gcp::{Group, GroupMembership};
use proofline::collect::replay::Answer;
use proofline::model::{Attribute, GapCause};
use serde_json::{Value, json};

use crate::gcp::{Outcome, SWITCHED_OFF, altered, changes, collect, lacking, places, scope};

const PROJECT: &str = r#"{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1"}"#;

fn member(group: &str, nth: u32, key: &str, of_type: &str, roles: &Value) -> Value {
    json!({ "name": format!("groups/{group}/memberships/{nth}"), "preferredMemberKey": { "id": key }, "type": of_type, "roles": roles })
}

/// `ops` holds a role and has `oncall` in it, which has `ops` in it again, as no directory should; `readers` nobody owns.
fn memberships() -> BTreeMap<&'static str, Value> {
    let (owner, only) = (json!([{ "name": "MEMBER" }, { "name": "OWNER" }]), json!([{ "name": "MEMBER" }]));
    let until = json!([{ "name": "MEMBER", "expiryDetail": { "expireTime": "2026-06-01T00:00:00Z" } }]);
    BTreeMap::from([
        ("ops", json!([member("ops", 1, "ada@acme.example", "USER", &owner), member("ops", 2, "OnCall@acme.example", "GROUP", &only)])),
        ("oncall", json!([member("oncall", 1, "bo@acme.example", "USER", &owner), member("oncall", 2, "ops@acme.example", "GROUP", &only)])),
        (
            "readers",
            json!([
                member("readers", 1, "eve@elsewhere.example", "USER", &until),
                member("readers", 2, "ci@acme-a.iam.gserviceaccount.com", "SERVICE_ACCOUNT", &only),
                member("readers", 3, "C0123", "OTHER", &only)
            ]),
        ),
    ])
}

fn policy() -> Value {
    json!({ "bindings": [{ "role": "roles/owner", "members": ["group:Ops@acme.example", "user:ada@acme.example"] },
        { "role": "roles/viewer", "members": ["group:readers@acme.example", "deleted:group:gone@acme.example?uid=1"] }] })
}

/// What Cloud Identity answers.
fn directory(request: &Request, memberships: &BTreeMap<&str, Value>) -> Answer {
    if request.operation == "cloudidentity.groups.lookup" {
        let name = request.subject.split('@').next().expect("an address");
        return match memberships.contains_key(name) {
            true => Answer::new(200, json!({ "name": format!("groups/{name}") }).to_string()),
            false => Answer::new(403, "{}"),
        };
    }
    assert_eq!(request.operation, "cloudidentity.groups.memberships.list");
    let name = request.subject.trim_start_matches("groups/");
    Answer::new(200, json!({ "memberships": memberships[name] }).to_string())
}

/// The policy of acme-a through the inventory; `answer` answers for Cloud Identity.
async fn seen(collector: &dyn Collector, policy: &Value, answer: impl Fn(&Request) -> Answer + Send + Sync) -> Outcome {
    let project: Value = serde_json::from_str(PROJECT).expect("a project");
    collect(collector, &scope(&["organizations/1"]), |request: &Request| match request.operation {
        "cloudresourcemanager.projects.list" => Answer::new(200, json!({ "projects": [project] }).to_string()),
        "cloudresourcemanager.folders.list" | "cloudresourcemanager.projects.search" => Answer::new(200, "{}"),
        "cloudasset.assets.list" if request.subject.contains("IAM_POLICY") => Answer::new(
            200,
            json!({ "assets": [{ "name": "//cloudresourcemanager.googleapis.com/projects/7", "ancestors": ["projects/7", "organizations/1"], "iamPolicy": policy }] })
                .to_string(),
        ),
        "cloudasset.assets.list" => Answer::new(200, json!({ "assets": [{ "resource": { "data": { "projectId": "acme-a" } } }] }).to_string()),
        _ => answer(request),
    })
    .await
}

#[tokio::test]
async fn groups_that_policies_name_are_asked_once_each_and_those_within_them_too() {
    let asked = Mutex::new(Vec::new());
    let groups = seen(&Group, &policy(), |request| {
        asked.lock().expect("nobody panics").push(request.subject.clone());
        directory(request, &memberships())
    })
    .await;
    let mut asked = asked.into_inner().expect("nobody panicked");
    asked.sort_unstable();
    assert_eq!(asked, ["groups/oncall", "groups/ops", "groups/readers", "oncall@acme.example", "ops@acme.example", "readers@acme.example"]);
    assert_eq!(groups.population.gaps, []);
    let place = "//cloudresourcemanager.googleapis.com/projects/acme-a";
    assert_eq!(groups.known("ops@", "held_roles"), json!([{ "role": "roles/owner", "resource": place }]));
    assert_eq!(groups.known("ops@", "owners"), json!(["ada@acme.example"]));
    assert_eq!(groups.known("oncall@", "held_roles"), json!([]));
    assert_eq!(groups.known("oncall@", "within"), json!(["ops@acme.example"]));
    assert_eq!((groups.known("readers@", "owners"), groups.known("readers@", "member_count")), (json!([]), json!(3)));

    let members = seen(&GroupMembership, &policy(), |request| directory(request, &memberships())).await;
    assert_eq!(members.population.gaps, []);
    assert_eq!(members.resources.len(), 7);
    let eve = "eve@elsewhere.example in readers@";
    for (attribute, value) in [
        ("member_domain", json!("elsewhere.example")),
        ("expires_at", json!("2026-06-01T00:00:00Z")),
        ("held_roles", json!(["roles/viewer"])),
        ("group_has_owner", json!(false)),
        ("roles", json!(["MEMBER"])),
        ("member_project", Value::Null),
    ] {
        assert_eq!(members.known(eve, attribute), value, "{attribute}");
    }
    assert_eq!(members.known("ci@acme-a", "member_project"), "acme-a");
    assert_eq!(members.known("C0123", "member_domain"), Value::Null);
    assert_eq!(members.known("ada@acme.example in ops@", "group_has_owner"), true);
    assert_eq!(members.known("ada@acme.example in ops@", "expires_at"), Value::Null);
}

#[tokio::test]
async fn a_group_that_is_refused_is_unknown_and_leaves_the_others_as_they_are() {
    let whole = seen(&GroupMembership, &policy(), |request| directory(request, &memberships())).await;
    let answers = [
        (403, "{}", GapCause::Forbidden),
        (404, "{}", GapCause::Forbidden),
        (403, SWITCHED_OFF, GapCause::Disabled),
        (503, "{}", GapCause::Unanswered),
        (200, r#"{"name":7,"memberships":7}"#, GapCause::Malformed),
    ];
    let cases =
        ["cloudidentity.groups.lookup", "cloudidentity.groups.memberships.list"].into_iter().flat_map(|operation| answers.map(|answer| (operation, answer)));
    for (operation, (status, body, cause)) in cases.chain([("cloudidentity.groups.lookup", (200, "{}", GapCause::LeftOut))]) {
        let refuses = |request: &Request| match request.operation == operation && request.subject.contains("readers") {
            true => Answer::new(status, body),
            false => directory(request, &memberships()),
        };
        let members = seen(&GroupMembership, &policy(), refuses).await;
        let groups = seen(&Group, &policy(), refuses).await;
        let gap = members.population.gaps.iter().find(|gap| gap.cause == cause).unwrap_or_else(|| panic!("{status} {body}: {:?}", members.population.gaps));
        assert!(cause != GapCause::Forbidden || gap.cure.as_ref().is_some_and(|cure| cure.contains("Groups Reader")), "{gap:?}");
        assert_eq!(members.resources.len(), 4, "those of the other groups");
        assert!(changes(&whole, &members).is_empty());
        assert_eq!(groups.unknown("readers@", "owners"), cause);
        assert_eq!(groups.unknown("readers@", "member_count"), cause);
        assert_eq!(groups.unknown("oncall@", "within"), cause, "readers may have it in it");
        assert_eq!(groups.known("ops@", "owners"), json!(["ada@acme.example"]));
        assert!(!groups.population.completeness().is_complete());
    }
}

#[tokio::test]
async fn a_list_that_breaks_off_keeps_what_it_showed_and_says_so() {
    let cut = |request: &Request| match (request.subject.as_str(), request.target.contains("pageToken")) {
        ("groups/readers", true) => Answer::new(503, "{}"),
        ("groups/readers", false) => Answer::new(200, json!({ "memberships": memberships()["readers"], "nextPageToken": "more" }).to_string()),
        _ => directory(request, &memberships()),
    };
    let members = seen(&GroupMembership, &policy(), cut).await;
    assert_eq!(members.resources.len(), 7);
    assert_eq!(members.population.gaps.first().map(|gap| gap.cause), Some(GapCause::Unanswered));
    assert_eq!(members.unknown("eve@elsewhere.example", "group_has_owner"), GapCause::Unanswered, "the next page may name one");
    assert_eq!(members.known("ada@acme.example in ops@", "group_has_owner"), true);
}

#[tokio::test]
async fn without_groups_nobody_is_asked_and_a_policy_that_is_not_read_may_name_one() {
    let nobody = |request: &Request| -> Answer { panic!("{} was asked", request.target) };
    let none = seen(&Group, &json!({ "bindings": [{ "role": "roles/owner", "members": ["user:ada@acme.example"] }] }), nobody).await;
    assert!(none.resources.is_empty() && none.population.gaps.is_empty());
    let broken = json!({ "bindings": [{ "role": "roles/owner", "members": ["group:ops@acme.example"] }, { "members": ["group:readers@acme.example"] }] });
    let groups = seen(&Group, &broken, |request| directory(request, &memberships())).await;
    assert_eq!(groups.unknown("ops@", "held_roles"), GapCause::LeftOut);
    assert_eq!(groups.known("ops@", "owners"), json!(["ada@acme.example"]));
    assert!(!groups.population.completeness().is_complete());
}

/// Each value of each answer about a group, to be changed and to be left out.
fn every_place() -> Vec<(&'static str, String, bool)> {
    let all = memberships();
    let of = |(group, body): (&&'static str, &Value)| {
        places(&json!({ "exchanges": [{ "body": body }] })).into_iter().map(|place| (*group, place)).collect::<Vec<_>>()
    };
    all.iter().flat_map(of).flat_map(|(group, place)| [(group, place.clone(), false), (group, place, true)]).collect()
}

/// Each value of each answer about a group, changed or left out: nothing is lost without a gap, and nothing becomes another known value but where the vendor documents it.
#[tokio::test]
async fn a_field_that_is_changed_or_left_out_makes_things_unknown_and_never_different() {
    let both: [&dyn Collector; 2] = [&Group, &GroupMembership];
    for collector in both {
        let kind = collector.kind().name;
        let before = seen(collector, &policy(), |request| directory(request, &memberships())).await;
        for (group, place, without) in every_place() {
            let mut all = memberships();
            let whole = [altered, lacking][usize::from(without)](json!({ "exchanges": [{ "body": all[group] }] }), &place);
            all.insert(group, whole["exchanges"][0]["body"].clone());
            let after = seen(collector, &policy(), |request| directory(request, &all)).await;
            assert!(before.resources.len() <= after.resources.len() || !after.population.gaps.is_empty(), "{kind} {group} {place}: lost without a word");
            let changed = changes(&before, &after);
            assert!(changed.iter().all(|name| without && name == "expires_at"), "{kind} {group} {place}: {changed:?} changed");
        }
        let known = |name: &str| before.resources.iter().any(|resource| matches!(resource.attributes.get(name), Some(Attribute::Known(_))));
        assert!(collector.kind().attributes.iter().all(|declared| known(declared.name)));
    }
}
