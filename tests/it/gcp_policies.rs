//! What several policies together give: roles that come down from folders and the organisation, and what is logged of the access to data.

use std::collections::BTreeMap;

use proofline::collect::gcp::{AuditConfig, IamBinding, Principal};
use proofline::collect::replay::Answer;
use proofline::collect::{Collector, Request};
use proofline::model::GapCause;
use serde_json::{Value, json};

use crate::gcp::{Outcome, collect, scope};

/// Policies by place, with `organizations/1` above `folders/2` above `acme-prod`, and `acme-dev` beside the folder.
struct World {
    policies: BTreeMap<&'static str, Value>,
    /// Whether the inventory answers.
    inventory: bool,
    parents: &'static [&'static str],
}

fn bindings(pairs: &[(&str, &str)]) -> Value {
    json!({ "bindings": pairs.iter().map(|(role, member)| json!({ "role": role, "members": [member] })).collect::<Vec<_>>() })
}

fn world() -> World {
    let policies = BTreeMap::from([
        ("organizations/1", bindings(&[("roles/viewer", "user:ada@example.com"), ("roles/owner", "user:top@example.com")])),
        ("folders/2", bindings(&[("roles/iam.serviceAccountUser", "user:ada@example.com")])),
        ("projects/acme-prod", bindings(&[("roles/iam.serviceAccountAdmin", "user:ada@example.com"), ("roles/browser", "user:bo@example.com")])),
        ("projects/acme-dev", bindings(&[("roles/editor", "user:ada@example.com")])),
    ]);
    World { policies, inventory: true, parents: &["organizations/1"] }
}

impl World {
    async fn seen_by(&self, collector: &dyn Collector) -> Outcome {
        collect(collector, &scope(self.parents), |request| self.answer(request)).await
    }

    fn answer(&self, request: &Request) -> Answer {
        let ok = |body: Value| Answer::new(200, body.to_string());
        let project =
            |id: &str, number: u64, parent: &str| json!({ "projectId": id, "name": format!("projects/{number}"), "state": "ACTIVE", "parent": parent });
        let (prod, dev) = (project("acme-prod", 11, "folders/2"), project("acme-dev", 12, "organizations/1"));
        match (request.operation, request.subject.as_str()) {
            ("cloudasset.assets.list", _) if !self.inventory => Answer::new(403, r#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#),
            ("cloudasset.assets.list", subject) if subject.contains("IAM_POLICY") => ok(json!({ "assets": self.policies.iter().map(|(name, policy)| {
                let (asset, ancestors) = match *name {
                    "projects/acme-prod" => ("projects/11", json!(["projects/11", "folders/2", "organizations/1"])),
                    "projects/acme-dev" => ("projects/12", json!(["projects/12", "organizations/1"])),
                    node => (node, json!([node])),
                };
                json!({ "name": format!("//cloudresourcemanager.googleapis.com/{asset}"), "ancestors": ancestors, "iamPolicy": policy })
            }).collect::<Vec<_>>() })),
            ("cloudasset.assets.list", _) => ok(json!({ "assets": [{ "resource": { "data": prod } }, { "resource": { "data": dev } }] })),
            (operation, place) if operation.ends_with("getIamPolicy") => match self.policies.get(place) {
                Some(policy) => ok(policy.clone()),
                None => Answer::new(403, r#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#),
            },
            ("cloudresourcemanager.folders.list", "organizations/1") => ok(json!({ "folders": [{ "name": "folders/2", "parent": "organizations/1" }] })),
            ("cloudresourcemanager.projects.list", "organizations/1") => ok(json!({ "projects": [dev] })),
            ("cloudresourcemanager.projects.list", "folders/2") => ok(json!({ "projects": [prod] })),
            ("cloudresourcemanager.projects.get", _) => ok(prod),
            ("cloudresourcemanager.projects.search", _) => ok(json!({ "projects": [prod, dev] })),
            _ => ok(json!({})),
        }
    }
}

#[tokio::test]
async fn roles_come_down_from_all_that_is_above() {
    for inventory in [true, false] {
        let seen = World { inventory, ..world() }.seen_by(&Principal).await;
        assert!(seen.population.gaps.is_empty(), "{:?}", seen.population.gaps);
        assert_eq!(seen.resources.len(), 6);
        let ada = "user:ada@example.com on projects/acme-prod";
        assert_eq!(seen.known(ada, "roles"), json!(["roles/iam.serviceAccountAdmin"]));
        assert_eq!(seen.known(ada, "inherited_roles"), json!(["roles/iam.serviceAccountUser", "roles/viewer"]));
        assert_eq!(seen.known("user:ada@example.com on projects/acme-dev", "inherited_roles"), json!(["roles/viewer"]));
        assert_eq!(seen.known("user:bo@example.com on projects/acme-prod", "inherited_roles"), json!([]));
        assert_eq!(seen.known("user:top@example.com on organizations/1", "inherited_roles"), json!([]));
    }
}

#[tokio::test]
async fn what_is_above_and_was_not_read_is_unknown_there_and_nowhere_else() {
    let mut world = World { inventory: false, ..world() };
    world.policies.remove("folders/2");
    let seen = world.seen_by(&Principal).await;
    let ada = "user:ada@example.com on projects/acme-prod";
    assert_eq!(seen.known(ada, "roles"), json!(["roles/iam.serviceAccountAdmin"]));
    assert_eq!(seen.unknown(ada, "inherited_roles"), GapCause::Forbidden);
    assert_eq!(seen.known("user:ada@example.com on projects/acme-dev", "inherited_roles"), json!(["roles/viewer"]));
    assert!(!seen.population.completeness().is_complete());
}

#[tokio::test]
async fn what_is_above_the_scope_is_unknown_with_what_to_configure() {
    for (parents, place) in [(&["projects/acme-prod"][..], "projects/acme-prod"), (&["folders/2"], "folders/2")] {
        let seen = World { parents, inventory: false, ..world() }.seen_by(&Principal).await;
        assert_eq!(seen.unknown(&format!("user:ada@example.com on {place}"), "inherited_roles"), GapCause::NotConfigured);
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_made_out_leaves_a_gap_in_every_kind() {
    for broken in [
        json!({ "bindings": 7 }),
        json!({ "bindings": [{ "members": ["user:ada@example.com"] }] }),
        json!({ "bindings": [{ "role": "roles/x", "members": [7] }] }),
    ] {
        let mut world = world();
        world.policies.insert("projects/acme-dev", broken.clone());
        let seen = world.seen_by(&Principal).await;
        assert!(!seen.population.gaps.is_empty(), "{broken}");
    }
    let mut world = world();
    world.policies.insert("projects/acme-dev", json!({ "bindings": [{ "role": "roles/x", "members": [7] }] }));
    assert!(!world.seen_by(&IamBinding).await.population.gaps.is_empty());
}

fn audited(service: &str, logs: &Value) -> Value {
    json!({ "service": service, "auditLogConfigs": logs })
}

#[tokio::test]
async fn what_is_logged_is_the_union_of_all_that_is_set_here_and_above() {
    for inventory in [true, false] {
        let mut world = World { inventory, ..world() };
        let set = |world: &mut World, place, configs: Value| world.policies.insert(place, json!({ "bindings": [], "auditConfigs": configs }));
        set(&mut world, "organizations/1", json!([audited("allServices", &json!([{ "logType": "DATA_WRITE" }]))]));
        set(
            &mut world,
            "folders/2",
            json!([audited("storage.googleapis.com", &json!([{ "logType": "DATA_READ", "exemptedMembers": ["user:ada@example.com"] }]))]),
        );
        set(&mut world, "projects/acme-prod", json!([audited("allServices", &json!([{ "logType": "ADMIN_READ" }]))]));
        set(&mut world, "projects/acme-dev", json!([]));
        let seen = world.seen_by(&AuditConfig).await;
        assert_eq!(seen.population.gaps, []);
        assert_eq!(seen.known("acme-prod", "log_types"), json!(["ADMIN_READ", "DATA_WRITE"]), "one service is not all");
        assert_eq!(seen.known("acme-prod", "exempted_members"), json!(["user:ada@example.com"]));
        assert_eq!(seen.known("acme-dev", "log_types"), json!(["DATA_WRITE"]));
        assert_eq!(seen.known("acme-dev", "exempted_members"), json!([]));
    }
}

#[tokio::test]
async fn what_may_be_logged_and_was_not_read_is_unknown() {
    // Refused, misshapen, and left out by the inventory.
    let broken = json!({ "auditConfigs": [{ "service": "allServices", "auditLogConfigs": [{ "exemptedMembers": [] }] }] });
    let cases = [
        (false, None, GapCause::Forbidden),
        (true, Some(broken.clone()), GapCause::LeftOut),
        (false, Some(broken), GapCause::LeftOut),
        (true, None, GapCause::Incomplete),
    ];
    for (inventory, policy, cause) in cases {
        let mut world = World { inventory, ..world() };
        world.policies.remove("projects/acme-prod");
        world.policies.extend(policy.map(|policy| ("projects/acme-prod", policy)));
        let seen = world.seen_by(&AuditConfig).await;
        for attribute in ["log_types", "exempted_members"] {
            assert_eq!(seen.unknown("acme-prod", attribute), cause);
            seen.known("acme-dev", attribute);
        }
    }
    let mut world = World { inventory: false, ..world() };
    world.policies.remove("organizations/1");
    let seen = world.seen_by(&AuditConfig).await;
    assert_eq!(seen.unknown("acme-dev", "log_types"), GapCause::Forbidden, "what the organisation sets holds everywhere below");
}

/// An account of a project that was not found may be one of the test environment's: it is nobody's only where all of the organisation was listed.
#[tokio::test]
async fn whose_a_service_account_is_is_known_or_is_not() {
    let accounts = bindings(&[
        ("roles/viewer", "serviceAccount:ci@acme-dev.iam.gserviceaccount.com"),
        ("roles/viewer", "serviceAccount:12-compute@developer.gserviceaccount.com"),
        ("roles/viewer", "serviceAccount:ci@elsewhere.iam.gserviceaccount.com"),
        ("roles/viewer", "serviceAccount:service-12@gcp-sa-logging.iam.gserviceaccount.com"),
    ]);
    let with = |parents| {
        let mut world = World { parents, inventory: false, ..world() };
        world.policies.insert("projects/acme-prod", accounts.clone());
        world
    };
    let whole = with(&["organizations/1"]).seen_by(&IamBinding).await;
    assert_eq!(whole.known("for serviceAccount:ci@acme-dev", "member_project"), "acme-dev");
    assert_eq!(whole.known("for serviceAccount:12-compute", "member_project"), "acme-dev");
    assert_eq!(whole.known("for serviceAccount:ci@elsewhere", "member_project"), Value::Null);
    let part = with(&["projects/acme-prod"]).seen_by(&IamBinding).await;
    for member in ["for serviceAccount:ci@acme-dev", "for serviceAccount:ci@elsewhere"] {
        assert_eq!(part.unknown(member, "member_project"), GapCause::NotConfigured);
        assert_eq!(part.unknown(member, "member_project_labels"), GapCause::NotConfigured);
    }
    assert_eq!(part.known("for serviceAccount:service-12", "member_project"), Value::Null);
    let cut = collect(&IamBinding, &scope(&["organizations/1"]), |request| match (request.operation, request.subject.as_str()) {
        ("cloudresourcemanager.projects.list", "organizations/1") => Answer::new(503, "{}"),
        _ => with(&["organizations/1"]).answer(request),
    })
    .await;
    assert_eq!(cut.unknown("for serviceAccount:ci@acme-dev", "member_project"), GapCause::Unanswered);
}
