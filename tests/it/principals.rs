//! What groups give and what deny rules take away: groups within groups and in circles, groups that are not read, exceptions and conditions, from above and from beside.
#![cfg(test)]

use std::collections::BTreeMap;

use proofline::collect::api::Request;
use proofline::collect::gcp::Principal;
use proofline::collect::replay::Answer;
use proofline::model::{Attribute, GapCause};
use serde_json::{Value, json};

use crate::gcp::{Outcome, collect, scope};

const ADMIN: &str = "roles/iam.serviceAccountAdmin";
const USER: &str = "roles/iam.serviceAccountUser";
const KEYS: &str = "iam.googleapis.com/serviceAccountKeys.create";

/// `organizations/1` above `folders/2` above `acme-prod`.
struct World {
    policies: BTreeMap<&'static str, Value>,
    /// Members by the first word of a group's address; other groups may not be seen.
    members: BTreeMap<&'static str, Vec<(&'static str, &'static str)>>,
    /// The one deny rule of a place; null where its policies are refused.
    rules: BTreeMap<&'static str, Value>,
    parents: &'static [&'static str],
}

/// Ada is in `ops`, and so are all of `oncall`; `oncall` has `night` in it, and `night` has `oncall`, as no directory should.
fn world() -> World {
    let policy =
        |pairs: &[(&str, &str)]| json!({ "bindings": pairs.iter().map(|(role, member)| json!({ "role": role, "members": [member] })).collect::<Vec<_>>() });
    let policies = BTreeMap::from([
        ("organizations/1", policy(&[("roles/viewer", "user:top@acme.example")])),
        ("folders/2", policy(&[(USER, "group:OnCall@acme.example")])),
        (
            "projects/11",
            policy(&[
                (ADMIN, "group:ops@acme.example"),
                ("roles/browser", "user:Ada@acme.example"),
                ("roles/browser", "serviceAccount:ci@acme-prod.iam.gserviceaccount.com"),
                ("roles/browser", "allUsers"),
            ]),
        ),
    ]);
    let members = BTreeMap::from([
        ("ops", vec![("ada@acme.example", "USER"), ("oncall@acme.example", "GROUP")]),
        ("oncall", vec![("Bo@acme.example", "USER"), ("night@acme.example", "GROUP")]),
        ("night", vec![("carol@acme.example", "USER"), ("oncall@acme.example", "GROUP")]),
    ]);
    World { policies, members, rules: BTreeMap::new(), parents: &["organizations/1"] }
}

fn asset((name, policy): (&&str, &Value)) -> Value {
    let above: &[&str] = if name.starts_with("projects") { &["folders/2", "organizations/1"] } else { &[] };
    let ancestors: Vec<&str> = std::iter::once(*name).chain(above.iter().copied()).collect();
    json!({ "name": format!("//cloudresourcemanager.googleapis.com/{name}"), "ancestors": ancestors, "iamPolicy": policy })
}

/// Who is denied, who is excepted, about whom it is asked, and what must come out.
type DenyCase<'c> = (&'c [&'c str], &'c [&'c str], &'c str, &'c Result<Value, GapCause>);

impl World {
    async fn seen(&self) -> Outcome {
        collect(&Principal, &scope(self.parents), |request| self.answer(request)).await
    }

    fn answer(&self, request: &Request) -> Answer {
        let ok = |body: Value| Answer::new(200, body.to_string());
        let project = json!({ "projectId": "acme-prod", "name": "projects/11", "state": "ACTIVE", "parent": "folders/2" });
        let of_group = |name: &str| self.members.get(name.split('@').next().unwrap_or(name)).cloned();
        match (request.operation, request.subject.as_str()) {
            ("cloudasset.assets.list", subject) if subject.contains("IAM_POLICY") => {
                ok(json!({ "assets": self.policies.iter().map(asset).collect::<Vec<_>>() }))
            }
            ("cloudasset.assets.list", _) => ok(json!({ "assets": [{ "resource": { "data": project } }] })),
            ("cloudresourcemanager.folders.list", "organizations/1") => ok(json!({ "folders": [{ "name": "folders/2", "parent": "organizations/1" }] })),
            ("cloudresourcemanager.projects.list", "folders/2") | ("cloudresourcemanager.projects.search", _) => ok(json!({ "projects": [project] })),
            ("cloudresourcemanager.projects.get", _) => ok(project),
            ("cloudidentity.groups.lookup", address) => match of_group(address) {
                Some(_) => ok(json!({ "name": format!("groups/{}", address.split('@').next().unwrap_or_default()) })),
                None => Answer::new(403, "{}"),
            },
            ("cloudidentity.groups.memberships.list", name) => {
                let name = name.trim_start_matches("groups/");
                let shown = |(nth, (key, of_type)): (usize, &(&str, &str))| {
                    json!({ "name": format!("groups/{name}/memberships/{nth}"), "type": of_type,
                    "preferredMemberKey": { "id": key }, "roles": [{ "name": "MEMBER", "expiryDetail": { "expireTime": "2026-06-01T00:00:00Z" } }] })
                };
                ok(json!({ "memberships": of_group(name).unwrap_or_default().iter().enumerate().map(shown).collect::<Vec<_>>() }))
            }
            ("iam.policies.listPolicies", place) => match self.rules.get(place) {
                None => ok(json!({})),
                Some(Value::Null) => Answer::new(403, "{}"),
                Some(_) => ok(json!({ "policies": [{ "name": format!("policies/{}/denypolicies/decided", place.replace('/', "%2F")) }] })),
            },
            ("iam.policies.get", subject) => ok(json!({ "rules": [{ "denyRule": self.rules[subject.split("/denypolicies/").next().unwrap_or_default()] }] })),
            _ => ok(json!({})),
        }
    }
}

#[tokio::test]
async fn groups_give_roles_to_those_within_them_here_and_from_above() {
    let seen = world().seen().await;
    assert_eq!(seen.population.gaps, []);
    let cases = [
        ("user:Ada@acme.example on projects/acme-prod", json!(["roles/browser"]), json!([]), json!([ADMIN])),
        ("user:bo@acme.example on projects/acme-prod", json!([]), json!([]), json!([ADMIN, USER])),
        ("user:carol@acme.example on projects/acme-prod", json!([]), json!([]), json!([ADMIN, USER])),
        ("group:ops@acme.example on projects/acme-prod", json!([ADMIN]), json!([]), json!([])),
        // No group gives itself a role, not even in a circle.
        ("group:oncall@acme.example on projects/acme-prod", json!([]), json!([USER]), json!([ADMIN])),
        ("group:night@acme.example on projects/acme-prod", json!([]), json!([]), json!([ADMIN, USER])),
        ("allUsers on projects/acme-prod", json!(["roles/browser"]), json!([]), json!([])),
        ("serviceAccount:ci@acme-prod.iam.gserviceaccount.com on projects/acme-prod", json!(["roles/browser"]), json!([]), json!([])),
        ("group:OnCall@acme.example on folders/2", json!([USER]), json!([]), json!([])),
        ("user:bo@acme.example on folders/2", json!([]), json!([]), json!([USER])),
        ("user:carol@acme.example on folders/2", json!([]), json!([]), json!([USER])),
        ("group:night@acme.example on folders/2", json!([]), json!([]), json!([USER])),
        ("user:top@acme.example on organizations/1", json!(["roles/viewer"]), json!([]), json!([])),
    ];
    assert_eq!(seen.resources.len(), cases.len(), "each once");
    for (name, roles, inherited, by_groups) in cases {
        assert_eq!((seen.known(name, "roles"), seen.known(name, "inherited_roles")), (roles, inherited), "{name}");
        assert_eq!(seen.known(name, "group_roles"), by_groups, "{name}");
        assert_eq!(seen.known(name, "denied_permissions"), json!([]), "{name}");
    }
    assert_eq!(seen.known("user:bo@acme.example on projects", "member_type"), "user");
}

/// Whoever is known to be in the groups that may not be read whole is known to have their roles; of all others it is open.
#[tokio::test]
async fn a_group_that_is_not_read_makes_unknown_what_it_may_give_and_nothing_else() {
    let mut world = world();
    world.members.remove("night");
    let seen = world.seen().await;
    let gap = seen.population.gaps.first().expect("people may be missing");
    assert_eq!(gap.cause, GapCause::Forbidden);
    assert!(gap.cure.as_ref().is_some_and(|cure| cure.contains("Groups Reader")), "{gap:?}");
    assert!(!seen.population.completeness().is_complete());
    assert_eq!(seen.known("user:bo@acme.example on projects", "group_roles"), json!([ADMIN, USER]));
    assert_eq!(seen.unknown("user:Ada@acme.example on projects", "group_roles"), GapCause::Forbidden);
    assert_eq!(seen.known("user:Ada@acme.example on projects", "roles"), json!(["roles/browser"]));
    assert_eq!(seen.known("user:Ada@acme.example on projects", "inherited_roles"), json!([]));
    assert_eq!(seen.unknown("serviceAccount:ci@acme-prod", "group_roles"), GapCause::Forbidden);
    assert_eq!(seen.known("allUsers on projects", "group_roles"), json!([]), "in no group ever");
    assert_eq!(seen.known("user:top@acme.example", "group_roles"), json!([]), "no group holds a role there");
    assert_eq!(seen.known("user:Ada@acme.example on projects", "denied_permissions"), json!([]));
}

#[tokio::test]
async fn a_group_with_everybody_or_somebody_strange_in_it_is_open_for_people_that_it_does_not_name() {
    let everybody = "principalSet://goog/cloudIdentityCustomerId/C01 on projects/acme-prod";
    let mut world = world();
    world.members.insert("ops", vec![("ada@acme.example", "USER"), ("C01", "OTHER"), ("drive", "SHARED_DRIVE")]);
    let seen = world.seen().await;
    assert_eq!(seen.population.gaps, []);
    assert_eq!((seen.known(everybody, "group_roles"), seen.known(everybody, "member_type")), (json!([ADMIN]), json!("principalSet")));
    assert_eq!(seen.known("user:Ada@acme.example on projects", "group_roles"), json!([ADMIN]));
    assert_eq!(seen.known("serviceAccount:ci@acme-prod", "group_roles"), json!([]), "no account of a project is one of a customer's");
    assert!(!seen.resources.iter().any(|resource| resource.name.contains("drive")));
    world.policies.insert("projects/11", json!({ "bindings": [{ "role": ADMIN, "members": ["group:ops@acme.example", "user:eve@acme.example"] }] }));
    assert_eq!(world.seen().await.unknown("user:eve@acme.example on projects", "group_roles"), GapCause::LeftOut);
    for strange in [("somebody", "USER"), ("x@y.example", "OTHER"), ("x@y.example", "NEW")] {
        world.members.insert("ops", vec![strange]);
        let seen = world.seen().await;
        assert_eq!(seen.population.gaps.first().map(|gap| gap.cause), Some(GapCause::Malformed), "{strange:?}");
        assert_eq!(seen.unknown("user:eve@acme.example on projects", "group_roles"), GapCause::Malformed, "{strange:?}");
    }
}

/// What is denied on `acme-prod`, of a rule on the folder above it.
async fn denied(rule: &Value, member: &str) -> Result<Value, GapCause> {
    let seen = World { rules: BTreeMap::from([("folders/2", rule.clone())]), ..world() }.seen().await;
    assert_eq!(seen.population.gaps, [], "whom rules name is not who holds roles");
    let name = format!("{member} on projects/acme-prod");
    let found = seen.resources.iter().find(|resource| resource.name.starts_with(member) && resource.name.ends_with("on projects/acme-prod"));
    match &found.unwrap_or_else(|| panic!("no {name}")).attributes["denied_permissions"] {
        Attribute::Known(value) => Ok(value.clone()),
        Attribute::Unknown(gap) => Err(gap.cause),
    }
}

fn rule(denied: &[&str], excepted: &[&str]) -> Value {
    json!({ "deniedPrincipals": denied, "exceptionPrincipals": excepted, "deniedPermissions": [KEYS] })
}

#[tokio::test]
async fn a_rule_denies_to_whom_it_means_and_does_not_except() {
    const ALL: &str = "principalSet://goog/public:all";
    const ONCALL: &str = "principalSet://goog/group/OnCall@acme.example";
    const GONE: &str = "principalSet://goog/group/gone@acme.example";
    const CUSTOMER: &str = "principalSet://goog/cloudIdentityCustomerId/C01";
    const EVERYTHING: &str = "principalSet://cloudresourcemanager.googleapis.com/organizations/1";
    const CI: &str = "principal://iam.googleapis.com/projects/-/serviceAccounts/ci@acme-prod.iam.gserviceaccount.com";
    const ADA: &str = "principal://goog/subject/Ada@acme.example";
    const POOL: &str = "principalSet://iam.googleapis.com/locations/global/workforcePools/p/group/g";
    let (ada, bo, ci, ops) = ("user:Ada@", "user:bo@", "serviceAccount:ci@", "group:ops@");
    let (keys, none, open) = (Ok(json!([KEYS])), Ok(json!([])), Err(GapCause::LeftOut));
    let cases: [DenyCase<'_>; 27] = [
        (&[ALL], &[], ada, &keys),
        (&[ALL], &[], ci, &keys),
        (&[ALL], &[], ops, &keys),
        (&[ALL], &[], "allUsers", &keys),
        (&[ALL], &[ONCALL], ada, &keys),
        (&[ALL], &[ONCALL], bo, &none),
        (&[ALL], &[ONCALL], "user:carol@", &none),
        (&[ALL], &[ONCALL], ops, &none),
        (&[ALL], &[ONCALL], "allUsers", &none),
        (&[ALL], &[ADA], ada, &none),
        (&[ALL], &[ADA], bo, &keys),
        (&[ALL], &[CI], ci, &none),
        (&[ALL], &[GONE], bo, &Err(GapCause::Forbidden)),
        (&[ALL], &[GONE, ADA], ada, &none),
        (&[ALL], &[EVERYTHING], ada, &open),
        (&[ALL], &[POOL], ada, &keys),
        (&[ALL, CUSTOMER], &[], ada, &keys),
        (&[ONCALL], &[], bo, &keys),
        (&[ONCALL], &[], ada, &none),
        (&[ONCALL], &[ADA], "user:carol@", &keys),
        (&[ADA], &[], ada, &keys),
        (&[ADA], &[], ops, &none),
        (&[CI], &[], ci, &keys),
        (&[CI], &[], ada, &none),
        (&[CUSTOMER], &[], ada, &open),
        (&[EVERYTHING], &[ADA], ada, &none),
        (&[GONE], &[], ada, &Err(GapCause::Forbidden)),
    ];
    for (principals, excepted, member, expected) in cases {
        assert_eq!(&denied(&rule(principals, excepted), member).await, expected, "{principals:?} but {excepted:?}: {member}");
    }
}

#[tokio::test]
async fn conditions_and_excepted_permissions_leave_only_what_is_denied_for_certain() {
    let with = |field: &str, value: Value| {
        let mut rule = rule(&["principalSet://goog/public:all"], &[]);
        rule[field] = value;
        rule
    };
    let (keys, none) = (Ok(json!([KEYS])), Ok(json!([])));
    let cases = [
        (with("denialCondition", json!({ "expression": "resource.matchTag('1/environment', 'production')" })), none.clone()),
        (with("denialCondition", json!({ "title": "without" })), Err(GapCause::LeftOut)),
        (with("exceptionPermissions", json!([KEYS])), none.clone()),
        (with("exceptionPermissions", json!(["iam.googleapis.com/serviceAccountKeys.*"])), none.clone()),
        (with("exceptionPermissions", json!(["iam.googleapis.com/serviceAccountKeys.get"])), keys.clone()),
        (with("exceptionPermissions", json!(["storage.googleapis.com/*.*"])), keys),
        (with("exceptionPermissions", json!([7])), Err(GapCause::Malformed)),
        (with("deniedPermissions", json!(["iam.googleapis.com/*.create"])), Ok(json!(["iam.googleapis.com/*.create"]))),
        (with("deniedPermissions", Value::Null), Err(GapCause::LeftOut)),
    ];
    for (rule, expected) in cases {
        assert_eq!(denied(&rule, "user:bo@").await, expected, "{rule}");
    }
    let mut partly = with("deniedPermissions", json!(["iam.googleapis.com/*.*"]));
    partly["exceptionPermissions"] = json!([KEYS]);
    assert_eq!(denied(&partly, "user:bo@").await, none, "what is left of it has no name");
}

#[tokio::test]
async fn rules_hold_below_where_they_are_set_and_a_policy_that_is_refused_is_open_there() {
    let all = |permission: &str| json!({ "deniedPrincipals": ["principalSet://goog/public:all"], "deniedPermissions": [permission] });
    let rules = BTreeMap::from([("organizations/1", all("a.googleapis.com/x.y")), ("folders/2", all("b.googleapis.com/x.y"))]);
    let seen = World { rules, ..world() }.seen().await;
    assert_eq!(seen.known("user:bo@acme.example on projects", "denied_permissions"), json!(["a.googleapis.com/x.y", "b.googleapis.com/x.y"]));
    assert_eq!(seen.known("user:top@acme.example", "denied_permissions"), json!(["a.googleapis.com/x.y"]));
    let rules = BTreeMap::from([("organizations/1", all("a.googleapis.com/x.y")), ("folders/2", Value::Null)]);
    let refused = World { rules, ..world() }.seen().await;
    assert_eq!(refused.unknown("user:bo@acme.example on projects", "denied_permissions"), GapCause::Forbidden);
    assert_eq!(refused.known("user:bo@acme.example on projects", "group_roles"), json!([ADMIN, USER]));
    assert_eq!(refused.known("user:top@acme.example", "denied_permissions"), json!(["a.googleapis.com/x.y"]));
    assert_eq!(refused.population.gaps, []);
    // Above a project by itself there may be more of both.
    let alone =
        World { parents: &["projects/acme-prod"], rules: BTreeMap::from([("projects/acme-prod", all("c.googleapis.com/x.y"))]), ..world() }.seen().await;
    let unknown = |attribute: &str| alone.unknown("user:bo@acme.example on projects", attribute);
    assert_eq!((unknown("denied_permissions"), unknown("group_roles")), (GapCause::NotConfigured, GapCause::NotConfigured));
    // Its own rules are asked for where it is configured beside what is above it.
    let beside =
        World { parents: &["organizations/1", "projects/acme-prod"], rules: BTreeMap::from([("projects/acme-prod", all("c.googleapis.com/x.y"))]), ..world() };
    assert_eq!(beside.seen().await.known("user:bo@acme.example on projects", "denied_permissions"), json!(["c.googleapis.com/x.y"]));
}
