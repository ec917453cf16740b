//! The Google Cloud kinds over fixtures: what is asked, what is read, and that nothing is lost or made up. Real recordings are `recorded_gcp`'s.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what tests share fails by panicking and says what it saw"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use proofline::collect::api::Request;
use proofline::collect::gcp::assets::{BUCKET, GKE_CLUSTER};
use proofline::collect::gcp::{IamBinding, Project, ServiceAccountKey};
use proofline::collect::replay::{Answer, Replay};
use proofline::collect::{Collector, Evidence};
use proofline::model::{Attribute, AttributeType, Completeness, GapCause, GcpParent, Host, Kind, Method, Period, Population, Resource, Scope};
use serde_json::{Value, json};

/// What a kind made of some exchanges.
pub(crate) struct Outcome {
    pub(crate) population: Population,
    pub(crate) resources: Vec<Resource>,
}

/// Asks through `answer`, extracts, and checks what holds for every kind and every input.
pub(crate) async fn collect(collector: &dyn Collector, scope: &Scope, answer: impl Fn(&Request) -> Answer + Send + Sync) -> Outcome {
    let replay = Replay::new("2026-03-01T02:00:00Z".parse().unwrap(), answer);
    collector.fetch(scope, &replay).await.unwrap();
    extract(collector, scope, &replay.evidence())
}

fn extract(collector: &dyn Collector, scope: &Scope, evidence: &dyn Evidence) -> Outcome {
    let mut resources = Vec::new();
    let population = collector.extract(scope, evidence, &mut |resource| resources.push(resource)).unwrap();
    let kind = collector.kind();
    let mut ids = BTreeSet::new();
    for resource in &resources {
        conforms(kind, resource);
        assert!(ids.insert(resource.id.clone()), "{} was emitted twice", resource.id);
    }
    assert_eq!(population.count(), u64::try_from(resources.len()).unwrap(), "the tallies count what was emitted");
    assert_eq!(population.kind, kind.name);
    Outcome { population, resources }
}

/// Exactly the declared attributes, with the declared types, citing at least one exchange.
fn conforms(kind: &Kind, resource: &Resource) {
    let declared: Vec<&str> = kind.attributes.iter().map(|attribute| attribute.name).collect();
    let mut expected = declared.clone();
    expected.sort_unstable();
    assert_eq!(resource.attributes.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{}", resource.id);
    assert!(!resource.evidence.is_empty() && resource.evidence.iter().all(|n| *n > 0), "{} cites no exchange", resource.id);
    for attribute in kind.attributes {
        if let Attribute::Known(value) = &resource.attributes[attribute.name] {
            assert!(is_of(value, &attribute.ty), "{} of {} is {value}, declared {}", attribute.name, resource.id, attribute.ty);
        }
    }
}

fn is_of(value: &Value, ty: &AttributeType) -> bool {
    match ty {
        AttributeType::Bool => value.is_boolean(),
        AttributeType::Int => value.is_i64(),
        AttributeType::Text => value.is_string(),
        AttributeType::Time => value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
        AttributeType::List(inner) => value.as_array().is_some_and(|all| all.iter().all(|one| is_of(one, inner))),
        AttributeType::Map(inner) => value.as_object().is_some_and(|all| all.values().all(|one| is_of(one, inner))),
        AttributeType::Record(fields) => {
            value.as_object().is_some_and(|all| all.len() == fields.len() && fields.iter().all(|f| all.get(f.name).is_some_and(|one| is_of(one, &f.ty))))
        }
        AttributeType::Optional(inner) => value.is_null() || is_of(value, inner),
    }
}

pub(crate) fn scope(parents: &[&str]) -> Scope {
    let parent = |name: &&str| match name.split_once('/').unwrap() {
        ("organizations", id) => GcpParent::Organization(id.to_owned()),
        ("folders", id) => GcpParent::Folder(id.to_owned()),
        (_, id) => GcpParent::Project(id.to_owned()),
    };
    Scope {
        github_organizations: Vec::new(),
        github_enterprise: None,
        issue_labels: Vec::new(),
        release_workflows: Vec::new(),
        boards: proofline::model::Boards::default(),
        gcp_parents: parents.iter().map(parent).collect(),
        window: Period::new("2026-02-01T00:00:00Z".parse().unwrap(), "2026-03-01T00:00:00Z".parse().unwrap()).unwrap(),
        as_of: None,
        tasks: None,
    }
}

/// Reads `tests/fixtures/<kind>/<case>.json`.
fn load(kind: &Kind, case: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(kind.name).join(format!("{case}.json"));
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

/// Replays a fixture; a request that it does not know, or an exchange that was not asked for, fails.
pub(crate) async fn fixture(collector: &dyn Collector, case: &str) -> Outcome {
    let (outcome, unknown, unasked) = replayed(collector, &load(collector.kind(), case)).await;
    assert!(unknown.is_empty(), "{case} does not know {unknown:?}");
    assert!(unasked.is_empty(), "{case} holds exchanges that were not asked for: {unasked:?}");
    outcome
}

/// What came of it, what was asked beyond it, and what it holds in vain (the second count is allowed to be).
async fn replayed(collector: &dyn Collector, fixture: &Value) -> (Outcome, Vec<String>, Vec<String>) {
    let parents: Vec<&str> = fixture["scope"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let answers: BTreeMap<&str, &Value> = fixture["exchanges"].as_array().unwrap().iter().map(|e| (e["ask"].as_str().unwrap(), e)).collect();
    let asked = Mutex::new(BTreeSet::new());
    let outcome = collect(collector, &scope(&parents), |request| {
        if request.host == Host::Google("cloudasset") {
            // The services' own answers are what the fixtures hold.
            return Answer::new(403, SWITCHED_OFF);
        }
        let ask = shown(request);
        if request.method == Method::Post {
            assert_eq!(request.body.as_deref(), Some(&br#"{"options":{"requestedPolicyVersion":3}}"#[..]));
        }
        let exchange = answers.get(ask.as_str()).copied();
        asked.lock().unwrap().insert(ask);
        let Some(exchange) = exchange else { return Answer::new(404, "{}") };
        let body = exchange.get("text").map_or_else(|| exchange["body"].to_string(), |text| text.as_str().unwrap().to_owned());
        Answer { status: exchange["status"].as_u64().map(|status| u16::try_from(status).unwrap()), body: body.into(), ..Answer::default() }
    })
    .await;
    let asked = asked.into_inner().unwrap();
    let unasked = answers.keys().filter(|ask| !asked.contains(**ask)).map(ToString::to_string).collect();
    (outcome, asked.into_iter().filter(|ask| !answers.contains_key(ask.as_str())).collect(), unasked)
}

/// An API that nobody switched on.
pub(crate) const SWITCHED_OFF: &str =
    r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED","metadata":{"service":"cloudasset.googleapis.com"}}]}}"#;

/// `GET storage /storage/v1/b?…`; the long list of fields is a star in fixtures.
fn shown(request: &Request) -> String {
    let Host::Google(service) = request.host else { panic!("not Google: {request:?}") };
    let method = if request.method == Method::Get { "GET" } else { "POST" };
    let target = request.target.split_once("fields=").map_or_else(|| request.target.clone(), |(before, _fields)| format!("{before}fields=*"));
    format!("{method} {service} {target}")
}

impl Outcome {
    fn names(&self) -> Vec<&str> {
        self.resources.iter().map(|resource| resource.name.as_str()).collect()
    }

    pub(crate) fn known(&self, name: &str, attribute: &str) -> Value {
        match &self.one(name).attributes[attribute] {
            Attribute::Known(value) => value.clone(),
            Attribute::Unknown(gap) => panic!("{attribute} of {name} is unknown: {gap}"),
        }
    }

    pub(crate) fn unknown(&self, name: &str, attribute: &str) -> GapCause {
        match &self.one(name).attributes[attribute] {
            Attribute::Known(value) => panic!("{attribute} of {name} is {value}"),
            Attribute::Unknown(gap) => gap.cause,
        }
    }

    fn one(&self, name: &str) -> &Resource {
        self.resources.iter().find(|resource| resource.name.contains(name)).unwrap_or_else(|| panic!("no {name} in {:?}", self.names()))
    }

    /// One gap of that cause whose text and cure hold all of `words`.
    fn gap(&self, cause: GapCause, words: &[&str]) {
        let found = self.population.gaps.iter().any(|gap| gap.cause == cause && words.iter().all(|word| gap.to_string().contains(word)));
        assert!(found, "no {cause:?} gap with {words:?} in {:#?}", self.population.gaps);
        assert_eq!(self.population.completeness(), Completeness::Incomplete);
    }
}

#[tokio::test]
async fn projects_of_the_whole_tree_are_listed_and_reconciled_with_the_search() {
    let seen = fixture(&Project, "normal").await;
    assert_eq!(seen.names(), ["acme-dev", "acme-gone", "acme-prod"]);
    assert_eq!(seen.population.completeness(), Completeness::Reconciled);
    assert_eq!((seen.population.tallies[0].count, seen.population.tallies[0].second_count), (3, Some(3)));
    assert_eq!(seen.known("acme-prod", "labels"), json!({"environment": "production"}));
    assert_eq!(seen.known("acme-dev", "labels"), json!({}));
    assert_eq!(seen.known("acme-prod", "number"), "1001");
    assert_eq!((seen.known("acme-gone", "state"), seen.known("acme-gone", "deleted_at")), (json!("DELETE_REQUESTED"), json!("2026-02-01T00:00:00Z")));
    assert_eq!(seen.one("acme-prod").id.as_str(), "//cloudresourcemanager.googleapis.com/projects/acme-prod");
}

#[tokio::test]
async fn a_project_listing_that_is_not_whole_says_so() {
    let forbidden = fixture(&Project, "forbidden").await;
    assert_eq!(forbidden.names(), ["acme-dev", "acme-gone"]);
    forbidden.gap(GapCause::Forbidden, &["folders/2", "resourcemanager.projects.list on folders/2"]);
    forbidden.gap(GapCause::Incomplete, &["projects.search knows", "acme-prod"]);
    let truncated = fixture(&Project, "truncated").await;
    assert_eq!(truncated.names(), ["acme-dev", "acme-prod"]);
    truncated.gap(GapCause::Unanswered, &["organizations/1", "503"]);
    let looping = fixture(&Project, "token-loop").await;
    assert_eq!(looping.names(), ["acme-dev", "acme-prod"]);
    looping.gap(GapCause::Incomplete, &["goes on after page 2"]);
    fixture(&Project, "not-found").await.gap(GapCause::Forbidden, &["projects/acme-prod", "404", "resourcemanager.projects.get"]);
    fixture(&Project, "disabled").await.gap(GapCause::Disabled, &["switched off"]);
}

#[tokio::test]
async fn a_second_count_that_disagrees_or_is_missing_is_not_agreement() {
    let lagging = fixture(&Project, "mismatch").await;
    assert_eq!(lagging.population.completeness(), Completeness::Mismatched);
    let refused = fixture(&Project, "search-refused").await;
    assert_eq!(refused.population.completeness(), Completeness::Enumerated);
    assert!(refused.population.tallies[0].second_source.contains("resourcemanager.projects.get"), "{:?}", refused.population.tallies);
    let empty = fixture(&Project, "empty").await;
    assert_eq!((empty.population.count(), empty.population.completeness()), (0, Completeness::Reconciled));
}

#[tokio::test]
async fn a_malformed_project_is_kept_with_its_holes_and_a_nameless_one_is_named() {
    let seen = fixture(&Project, "malformed").await;
    for attribute in ["labels", "created_at", "number"] {
        assert_eq!(seen.unknown("acme-prod", attribute), GapCause::Malformed, "{attribute}");
    }
    assert_eq!(seen.unknown("acme-solo", "parent"), GapCause::LeftOut);
    seen.gap(GapCause::Malformed, &["folders/2", "no usable name"]);
}

#[tokio::test]
async fn overlapping_parents_count_a_project_once() {
    let all = scope(&["organizations/1", "folders/2", "projects/acme-prod"]);
    let seen = collect(&Project, &all, |request| match request.subject.as_str() {
        "organizations/1" if request.operation.contains("folders") => Answer::new(200, r#"{"folders":[{"name":"folders/2"}]}"#),
        "folders/2" if request.operation.contains("projects") => Answer::new(200, r#"{"projects":[{"projectId":"acme-prod","state":"ACTIVE"}]}"#),
        "projects/acme-prod" => Answer::new(200, r#"{"projectId":"acme-prod","state":"ACTIVE"}"#),
        "everything visible" => Answer::new(200, r#"{"projects":[{"projectId":"acme-prod","state":"ACTIVE","parent":"folders/2"}]}"#),
        _ => Answer::new(200, "{}"),
    })
    .await;
    assert_eq!(seen.names(), ["acme-prod"]);
    assert_eq!(seen.population.completeness(), Completeness::Enumerated, "{:?}", seen.population);
}

#[tokio::test]
async fn without_configured_parents_nothing_is_claimed() {
    for collector in all() {
        let seen = collect(collector, &scope(&[]), |request| panic!("asked {request:?}")).await;
        seen.gap(GapCause::NotConfigured, &["gcp parents"]);
    }
}

#[tokio::test]
async fn every_grant_is_one_binding() {
    let seen = fixture(&IamBinding, "normal").await;
    assert_eq!(seen.resources.len(), 11, "{:?}", seen.names());
    assert_eq!(seen.population.completeness(), Completeness::Enumerated);
    assert_eq!(seen.known("roles/owner on projects/acme-prod for user:", "member_domain"), "example.com");
    assert_eq!(seen.known("roles/owner on projects/acme-prod for user:", "member"), "user:Ada@Example.com");
    assert_eq!(seen.known("roles/owner on projects/acme-prod for user:", "project_labels"), json!({"environment": "production"}));
    assert_eq!(seen.known("for allUsers", "member_type"), "allUsers");
    assert_eq!(seen.known("for deleted:", "member_domain"), "acme-prod.iam.gserviceaccount.com");
    let conditions: BTreeSet<_> = seen
        .resources
        .iter()
        .filter(|r| r.name == "roles/viewer on projects/acme-prod for user:ada@example.com")
        .collect::<Vec<_>>()
        .iter()
        .map(|r| serde_json::to_string(&r.attributes["condition"]).unwrap())
        .collect();
    assert_eq!(conditions.len(), 2, "with and without condition are two grants: {conditions:?}");
    assert_eq!(seen.known("organizationAdmin", "resource_type"), "organization");
    assert_eq!(seen.known("organizationAdmin", "project"), Value::Null);
}

#[tokio::test]
async fn one_refused_policy_does_not_drop_the_rest() {
    let seen = fixture(&IamBinding, "forbidden").await;
    assert_eq!(seen.names(), ["roles/viewer on projects/acme-dev for group:dev@example.com"]);
    seen.gap(GapCause::Forbidden, &["projects/acme-prod", "resourcemanager.projects.getIamPolicy on projects/acme-prod"]);
    fixture(&IamBinding, "not-found").await.gap(GapCause::Forbidden, &["404"]);
    fixture(&IamBinding, "disabled").await.gap(GapCause::Disabled, &["cloudresourcemanager.googleapis.com"]);
    fixture(&IamBinding, "truncated").await.gap(GapCause::Malformed, &["cut off"]);
    let empty = fixture(&IamBinding, "empty").await;
    assert_eq!((empty.population.count(), empty.population.completeness()), (0, Completeness::Enumerated));
}

#[tokio::test]
async fn strange_bindings_are_kept_as_unknown() {
    let seen = fixture(&IamBinding, "malformed").await;
    assert_eq!(seen.unknown("a role without name", "role"), GapCause::Malformed);
    assert_eq!(seen.unknown("for abcdefg", "member_type"), GapCause::Malformed);
    assert_eq!(seen.unknown("roles/browser", "condition"), GapCause::LeftOut);
    assert_eq!(seen.unknown("roles/browser", "project_labels"), GapCause::Malformed);
    assert!(seen.one("roles/owner").id.as_str().contains("?binding="), "a member too long for an id is named by its digest");
    seen.gap(GapCause::Malformed, &["1 members of a binding"]);
    seen.gap(GapCause::Malformed, &["members is not a list"]);
    seen.gap(GapCause::Malformed, &["members is not inside an object"]);
}

#[tokio::test]
async fn keys_of_all_accounts_are_read_disabled_ones_too() {
    let seen = fixture(&ServiceAccountKey, "normal").await;
    assert_eq!(seen.resources.len(), 3);
    assert_eq!(seen.population.completeness(), Completeness::Enumerated);
    assert_eq!(seen.known("keys/k1", "disabled"), false);
    assert_eq!(seen.known("keys/k2", "key_type"), "SYSTEM_MANAGED");
    assert_eq!((seen.known("keys/k3", "disabled"), seen.known("keys/k3", "service_account_disabled")), (json!(true), json!(true)));
    assert_eq!(seen.known("keys/k3", "service_account"), "old@acme-prod.iam.gserviceaccount.com");
    assert_eq!(seen.one("keys/k1").evidence.len(), 2, "the key's page and the account's");
}

#[tokio::test]
async fn refused_keys_are_a_gap_that_names_the_permission() {
    let seen = fixture(&ServiceAccountKey, "forbidden").await;
    assert_eq!(seen.resources.len(), 1);
    seen.gap(GapCause::Forbidden, &["sealed@", "iam.serviceAccountKeys.list on projects/acme-prod"]);
    fixture(&ServiceAccountKey, "not-found").await.gap(GapCause::Forbidden, &["404"]);
    fixture(&ServiceAccountKey, "disabled").await.gap(GapCause::Disabled, &["iam.googleapis.com"]);
    let truncated = fixture(&ServiceAccountKey, "truncated").await;
    assert_eq!(truncated.resources.len(), 1);
    truncated.gap(GapCause::Unanswered, &["iam.projects.serviceAccounts.list"]);
    assert_eq!(fixture(&ServiceAccountKey, "empty").await.population.completeness(), Completeness::Enumerated);
    let malformed = fixture(&ServiceAccountKey, "malformed").await;
    assert_eq!(malformed.unknown("k1", "valid_after"), GapCause::Malformed);
    assert_eq!(malformed.unknown("k1", "disabled"), GapCause::Malformed);
    assert_eq!(malformed.unknown("k1", "key_origin"), GapCause::LeftOut);
    malformed.gap(GapCause::Malformed, &["a service account of projects/acme-prod has no name"]);
    malformed.gap(GapCause::Malformed, &["a key of a service account"]);
}

#[tokio::test]
async fn buckets_say_what_was_set_and_what_absence_means() {
    let seen = fixture(&BUCKET, "normal").await;
    assert_eq!(seen.names(), ["acme-backup", "acme-2018", "acme-www"]);
    assert_eq!(seen.population.completeness(), Completeness::Enumerated);
    assert_eq!((seen.known("backup", "retention_seconds"), seen.known("backup", "retention_locked")), (json!(2_592_000), json!(true)));
    assert_eq!((seen.known("2018", "retention_seconds"), seen.known("2018", "retention_locked")), (json!(604_800), json!(false)));
    assert_eq!(
        (seen.known("www", "retention_seconds"), seen.known("www", "kms_key"), seen.known("2018", "versioning")),
        (Value::Null, Value::Null, json!(false))
    );
    assert_eq!(seen.known("2018", "uniform_access"), false);
    assert_eq!(seen.unknown("2018", "public_access_prevention"), GapCause::LeftOut);
    assert_eq!((seen.unknown("2018", "soft_delete_seconds"), seen.known("www", "soft_delete_seconds")), (GapCause::LeftOut, json!(0)));
    assert_eq!((seen.known("backup", "public_members"), seen.known("www", "public_members")), (json!([]), json!(["allAuthenticatedUsers", "allUsers"])));
}

#[tokio::test]
async fn a_bucket_whose_policy_is_refused_stays_with_unknown_public_members() {
    let seen = fixture(&BUCKET, "forbidden").await;
    assert_eq!((seen.unknown("acme-a", "public_members"), seen.known("acme-b", "public_members")), (GapCause::Forbidden, json!([])));
    assert_eq!(seen.known("acme-a", "public_access_prevention"), "enforced");
    assert_eq!((seen.known("acme-b", "public_access_prevention"), seen.known("acme-b", "uniform_access")), (json!("unspecified"), json!(false)), "of 2021");
    assert_eq!(seen.population.completeness(), Completeness::Enumerated, "the population itself is whole");
    assert_eq!(fixture(&BUCKET, "not-found").await.unknown("acme-a", "public_members"), GapCause::Forbidden);
}

#[tokio::test]
async fn a_bucket_listing_that_is_not_whole_says_so() {
    let forbidden = fixture(&BUCKET, "list-forbidden").await;
    assert_eq!(forbidden.names(), ["dev-a"]);
    forbidden.gap(GapCause::Forbidden, &["storage.buckets.list on projects/acme-prod"]);
    fixture(&BUCKET, "disabled").await.gap(GapCause::Disabled, &["switched off"]);
    fixture(&BUCKET, "rate-limited").await.gap(GapCause::Unanswered, &["rate limit"]);
    fixture(&BUCKET, "unreachable").await.gap(GapCause::Incomplete, &["unreachable", "acme-lost"]);
    let truncated = fixture(&BUCKET, "truncated").await;
    assert_eq!(truncated.names(), ["acme-a"]);
    truncated.gap(GapCause::Malformed, &["cut off"]);
    assert_eq!(fixture(&BUCKET, "empty").await.population.completeness(), Completeness::Enumerated);
}

#[tokio::test]
async fn malformed_bucket_settings_are_unknown_one_by_one() {
    let seen = fixture(&BUCKET, "malformed").await;
    for attribute in ["retention_seconds", "versioning", "labels", "uniform_access", "public_access_prevention", "soft_delete_seconds", "public_members"] {
        assert_eq!(seen.unknown("acme-a", attribute), GapCause::Malformed, "{attribute}");
    }
    assert_eq!((seen.unknown("acme-b", "versioning"), seen.unknown("acme-b", "retention_seconds")), (GapCause::LeftOut, GapCause::LeftOut));
    seen.gap(GapCause::Malformed, &["bucket of projects/acme-prod has no usable name"]);
}

#[tokio::test]
async fn clusters_in_every_status_are_members_and_absence_is_read_as_documented() {
    let seen = fixture(&GKE_CLUSTER, "normal").await;
    assert_eq!(seen.resources.len(), 6);
    let hardened = ["is_regional", "private_nodes", "shielded_nodes", "network_policy", "managed_prometheus"];
    let weak = ["world_open_endpoint", "legacy_abac", "client_certificate"];
    for (attributes, expected) in [(&hardened[..], true), (&weak[..], false)] {
        for attribute in attributes {
            assert_eq!(seen.known("acme-prod/prod", attribute), expected, "{attribute} of the hardened cluster");
            assert_eq!(seen.known("acme-prod/legacy", attribute), !expected, "{attribute} of the old cluster");
        }
    }
    assert_eq!((seen.known("legacy", "location"), seen.known("legacy", "status")), (json!("us-east1-b"), json!("ERROR")));
    assert_eq!((seen.known("legacy", "log_components"), seen.known("legacy", "binary_authorization")), (json!([]), json!("PROJECT_SINGLETON_POLICY_ENFORCE")));
    assert_eq!(
        (seen.known("new", "release_channel"), seen.known("new", "workload_pool"), seen.known("new", "binary_authorization")),
        (json!("UNSPECIFIED"), json!(""), json!("DISABLED"))
    );
    for silent in ["legacy_abac", "client_certificate", "log_components", "database_encryption", "version", "node_locations"] {
        assert_eq!(seen.unknown("acme-prod/new", silent), GapCause::LeftOut, "{silent} of a cluster that is being made");
    }
}

#[tokio::test]
async fn a_control_plane_is_open_unless_something_shuts_it() {
    let seen = fixture(&GKE_CLUSTER, "normal").await;
    for (name, open) in [("new", true), ("halves", true), ("dns", true), ("shut", false), ("prod/prod", false)] {
        assert_eq!(seen.known(name, "world_open_endpoint"), open, "{name}");
    }
    assert_eq!(seen.known("halves", "private_nodes"), false, "one pool with external addresses is enough");
}

#[tokio::test]
async fn a_cluster_listing_that_is_not_whole_says_so() {
    let forbidden = fixture(&GKE_CLUSTER, "forbidden").await;
    assert_eq!(forbidden.names(), ["acme-dev/new"]);
    forbidden.gap(GapCause::Forbidden, &["container.clusters.list on projects/acme-prod"]);
    fixture(&GKE_CLUSTER, "missing-zones").await.gap(GapCause::Incomplete, &["us-east1-b, us-east1-c"]);
    fixture(&GKE_CLUSTER, "disabled").await.gap(GapCause::Disabled, &["container.googleapis.com", "enabled"]);
    fixture(&GKE_CLUSTER, "not-found").await.gap(GapCause::Forbidden, &["404"]);
    fixture(&GKE_CLUSTER, "truncated").await.gap(GapCause::Malformed, &["cut off"]);
    fixture(&GKE_CLUSTER, "error-body").await.gap(GapCause::Malformed, &["holds an error"]);
    assert_eq!(fixture(&GKE_CLUSTER, "empty").await.population.completeness(), Completeness::Enumerated);
    let malformed = fixture(&GKE_CLUSTER, "malformed").await;
    malformed.gap(GapCause::Malformed, &["gke_cluster of projects/acme-prod has no usable name"]);
    for attribute in ["is_regional", "legacy_abac", "private_nodes", "world_open_endpoint", "log_components", "shielded_nodes", "client_certificate"] {
        assert_eq!(malformed.unknown("odd", attribute), GapCause::Malformed, "{attribute}");
    }
}

/// No secret is asked for: the field mask of the cluster listing has neither the password nor the client key, nor node metadata.
#[tokio::test]
async fn cluster_credentials_are_not_asked_for() {
    let targets = Mutex::new(Vec::new());
    collect(&GKE_CLUSTER, &scope(&["projects/acme-prod"]), |request| {
        if request.host == Host::Google("cloudasset") {
            return Answer::new(403, SWITCHED_OFF);
        }
        targets.lock().unwrap().push(request.target.clone());
        Answer::new(200, r#"{"projectId":"acme-prod","state":"ACTIVE"}"#)
    })
    .await;
    let asked = targets.into_inner().unwrap().pop().unwrap();
    assert!(asked.contains("masterAuth(") && asked.contains("nodePools("), "{asked}");
    for secret in ["clientKey", "password", "metadata", "masterAuth,"] {
        assert!(!asked.contains(secret), "{secret} in {asked}");
    }
}

/// Each value of each `normal` fixture, one at a time, turned into something of another type: nothing is lost without a gap, and no attribute becomes another known value.
#[tokio::test]
async fn a_value_of_the_wrong_type_makes_things_unknown_and_never_different() {
    for collector in all() {
        let whole = load(collector.kind(), "normal");
        let (before, ..) = replayed(collector, &whole).await;
        for place in places(&whole) {
            let mut broken = whole.clone();
            let value = broken.pointer_mut(&place).unwrap();
            *value = [json!("junk"), json!(true)][usize::from(value.is_string())].clone();
            let (after, ..) = replayed(collector, &broken).await;
            let lost = before.resources.len() > after.resources.len();
            assert!(!lost || !after.population.gaps.is_empty(), "{} {place}: resources were lost without a word", collector.kind().name);
            let changed = changes(&before, &after);
            assert!(changed.is_empty(), "{} {place}: {changed:?} changed", collector.kind().name);
        }
    }
}

/// Each value of each `normal` fixture, one at a time, left out: the attributes that this can turn into another known value are those whose absence the vendor documents.
#[tokio::test]
async fn a_value_that_is_left_out_has_the_documented_default_or_none() {
    let documented: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("gcp.project", &["deleted_at", "labels"][..]),
        ("gcp.iam_binding", &["member_project_labels", "project_labels"]),
        ("gcp.service_account_key", &["disabled", "service_account_disabled"]),
        // public_*: an empty policy is what a bucket without grants answers.
        ("gcp.bucket", &["kms_key", "labels", "project_labels", "public_members", "retention_locked", "retention_seconds", "versioning"]),
        (
            "gcp.gke_cluster",
            &[
                "binary_authorization",
                "client_certificate",
                "labels",
                "legacy_abac",
                "log_components",
                "managed_prometheus",
                "network_policy",
                "private_nodes",
                "project_labels",
                "release_channel",
                "shielded_nodes",
                "workload_pool",
                "world_open_endpoint",
            ],
        ),
    ]);
    for collector in all() {
        let whole = load(collector.kind(), "normal");
        let (before, ..) = replayed(collector, &whole).await;
        let mut changed = BTreeSet::new();
        for place in places(&whole) {
            let mut without = whole.clone();
            leave_out(&mut without, &place);
            let (after, ..) = replayed(collector, &without).await;
            changed.extend(changes(&before, &after));
        }
        assert_eq!(changed.iter().map(String::as_str).collect::<Vec<_>>(), documented[collector.kind().name], "{}", collector.kind().name);
    }
}

/// Removes a field; an entry of a list stays.
pub(crate) fn leave_out(fixture: &mut Value, place: &str) {
    let (parent, field) = place.rsplit_once('/').unwrap();
    if let Value::Object(fields) = fixture.pointer_mut(parent).unwrap() {
        fields.remove(&field.replace("~1", "/"));
    }
}

/// A fixture without a value.
pub(crate) fn lacking(mut fixture: Value, place: &str) -> Value {
    leave_out(&mut fixture, place);
    fixture
}

/// A fixture with something of another type in place of a value.
pub(crate) fn altered(mut fixture: Value, place: &str) -> Value {
    let value = fixture.pointer_mut(place).unwrap();
    *value = [json!("junk"), json!(true)][usize::from(value.is_string())].clone();
    fixture
}

/// Pointers to every value inside the bodies of a fixture.
pub(crate) fn places(fixture: &Value) -> Vec<String> {
    fn below(value: &Value, place: &str, places: &mut Vec<String>) {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.replace('/', "~1"), value)).collect(),
            Value::Array(values) => values.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (name, value) in inner {
            let place = format!("{place}/{name}");
            below(value, &place, places);
            places.push(place);
        }
    }
    let mut places = Vec::new();
    for index in 0..fixture["exchanges"].as_array().unwrap().len() {
        below(&fixture["exchanges"][index]["body"], &format!("/exchanges/{index}/body"), &mut places);
    }
    places
}

/// Attributes that are known before and known to be something else after.
pub(crate) fn changes(before: &Outcome, after: &Outcome) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    for resource in &after.resources {
        let Some(earlier) = before.resources.iter().find(|earlier| earlier.id == resource.id) else { continue };
        let differ =
            |(name, now): &(&String, &Attribute)| matches!((&earlier.attributes[*name], now), (Attribute::Known(was), Attribute::Known(is)) if was != is);
        changed.extend(resource.attributes.iter().filter(differ).map(|(name, _now)| name.clone()));
    }
    changed
}

/// Whatever JSON comes, of whatever shape, nothing panics and nothing is claimed to be complete without reason.
#[tokio::test]
async fn no_json_makes_a_kind_panic() {
    let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
    let hostile = [
        "",
        "null",
        "[]",
        "7",
        "{}",
        "\u{0}",
        "{\"items\":null}",
        r#"{"items":{},"clusters":7,"bindings":"x","accounts":[[]],"keys":[null],"projects":[[]],"folders":[1]}"#,
        &deep,
    ];
    for collector in all() {
        for body in hostile {
            let answer = |request: &Request| match request.operation {
                "cloudresourcemanager.projects.get" => Answer::new(200, r#"{"projectId":"p"}"#),
                _ => Answer::new(200, body.to_owned()),
            };
            let seen = collect(collector, &scope(&["organizations/1", "projects/p"]), answer).await;
            assert!(
                body.starts_with("{}") || body.contains(":null}") || !seen.population.gaps.is_empty(),
                "{}: {body:?} passed for an answer",
                collector.kind().name
            );
        }
    }
}

fn all() -> [&'static dyn Collector; 5] {
    [&Project, &IamBinding, &ServiceAccountKey, &BUCKET, &GKE_CLUSTER]
}
