//! The tables of kinds that Cloud Asset Inventory shows, all of them alike: what the sandbox's world holds of a kind is shown to it whole, with each field of
//! another type or left out, and without the inventory. That what is read is true is `truth`'s.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proofline::collect::Collector;
use proofline::collect::api::Request;
use proofline::collect::gcp::assets::{ASSETS, BUCKET, CLOUD_FUNCTION, RUN_SERVICE, WATCHED_PROJECT};
use proofline::collect::replay::Answer;
use proofline::model::{Attribute, GapCause};
use serde_json::{Value, json};

use crate::gcp::{Outcome, changes, collect, leave_out, places, scope};
use crate::sandbox::rest::inventory::{Shown, everything};
use crate::sandbox::site::Site;
use crate::sandbox::world::google::Inventory;
use crate::sandbox::world::{Plan, World};
use crate::truth::assert_all_is_seen;

/// Attributes that are worked out from fields whose absence the vendor documents to mean something; those that are read straight are in the tables themselves.
const WORKED_OUT: &[(&str, &[&str])] = &[
    ("gcp.bucket", &["deletes_by_rule", "retention_seconds", "versioning"]),
    (
        "gcp.gke_cluster",
        &[
            "auto_repair",
            "auto_upgrade",
            "binary_authorization",
            "default_account",
            "exclusions",
            "integrity_monitoring",
            "secure_boot",
            "client_certificate",
            "legacy_abac",
            "log_components",
            "network_policy",
            "private_nodes",
            "world_open_endpoint",
        ],
    ),
    ("gcp.firewall_rule", &["open_to_world", "opens_ssh_or_rdp"]),
    ("gcp.compute_project", &["os_login", "os_login_2fa", "serial_port"]),
    (
        "gcp.instance",
        &[
            "blocks_project_keys",
            "confidential",
            "default_account",
            "external_address",
            "full_scope",
            "integrity_monitoring",
            "is_gke_node",
            "os_login",
            "secure_boot",
            "serial_port",
            "vtpm",
        ],
    ),
    ("gcp.alloydb_cluster", &["automated_backups", "continuous_backups"]),
    ("gcp.api_key", &["apis", "callers"]),
    ("gcp.backup_plan", &["lock_days", "retain_days"]),
    ("gcp.disk", &["attached", "is_gke_node", "schedules", "supplied_key"]),
    ("gcp.dns_policy", &["networks"]),
    ("gcp.dns_zone", &["dnssec", "keys"]),
    // "If not provided, … the default service account."
    ("gcp.cloud_function", &["default_account", "in_vpc"]),
    ("gcp.instance_group", &["heals"]),
    ("gcp.kms_key", &["primary_state", "primary_since"]),
    ("gcp.network", &["legacy"]),
    ("gcp.pubsub_subscription", &["pushes", "push_signed"]),
    ("gcp.restore", &["failed_resources"]),
    ("gcp.run_service", &["default_account"]),
    ("gcp.secret", &["customer_key"]),
    (
        "gcp.sql_instance",
        &[
            "authorized_networks",
            "flags",
            "iam_authentication",
            "maintenance_window",
            "open_to_world",
            "point_in_time_recovery",
            // The mode that is left out has priority over the switch that then counts.
            "tls_only",
        ],
    ),
    ("gcp.subnetwork", &["flow_logs"]),
];

/// The projects themselves have a test of their own: populations are compared with them, and all that is told of them is told by other assets.
fn has_content(types: &[&str]) -> bool {
    types != ["cloudresourcemanager.googleapis.com/Project"]
}

/// What the world holds of each kind, a few of each: enough to show every field that it has.
fn examples(types: &[&str]) -> Vec<Shown<'static>> {
    static WORLD: LazyLock<World> = LazyLock::new(|| World::new(Plan { projects: 30, repositories: 1, members: 1, ..Plan::default() }));
    let mut fields = BTreeSet::new();
    let is_new = |shown: &Shown<'_>| {
        let known = fields.len();
        fields.extend(places(&json!({ "exchanges": [{ "body": shown.data }] })));
        fields.len() > known
    };
    everything(&WORLD.google, &|asset_type| types.contains(&asset_type)).into_iter().filter(is_new).collect()
}

/// The inventory's answer about one project, as a fixture that `places` can walk.
fn fixture(assets: &[Shown<'_>]) -> Value {
    let shown = |asset: &Shown<'_>| json!({ "name": asset.name, "assetType": asset.asset_type, "ancestors": ["projects/7", "organizations/1"], "resource": { "data": asset.data.as_ref() } });
    json!({ "exchanges": [{ "body": { "assets": assets.iter().map(shown).collect::<Vec<_>>() } }] })
}

/// What is told by assets of other types is what the world holds of those.
async fn read(collector: &dyn Collector, types: &[&str], fixture: &Value) -> Outcome {
    let own = types.join(" ");
    let of_others = |subject: &str| self::fixture(&examples(&subject.split(' ').skip(2).collect::<Vec<_>>()))["exchanges"][0]["body"].to_string();
    const PROJECT: &str = r#"{"assets":[{"name":"//cloudresourcemanager.googleapis.com/projects/7","ancestors":["projects/7","organizations/1"],
        "resource":{"data":{"projectId":"acme-a","projectNumber":"7"}}}]}"#;
    collect(collector, &scope(&["organizations/1"]), |request: &Request| match request.operation {
        "cloudresourcemanager.projects.list" if request.target.contains("organizations") => {
            Answer::new(200, r#"{"projects":[{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1","labels":{"team":"a"}}]}"#)
        }
        "cloudasset.assets.list" if request.subject.ends_with("cloudresourcemanager.googleapis.com/Project") => Answer::new(200, PROJECT),
        "cloudasset.assets.list" if request.target.contains("IAM_POLICY") => Answer::new(200, "{}"),
        "cloudasset.assets.list" if !request.subject.ends_with(&own) => Answer::new(200, of_others(&request.subject)),
        "cloudasset.assets.list" => Answer::new(200, fixture["exchanges"][0]["body"].to_string()),
        _ => Answer::new(200, "{}"),
    })
    .await
}

#[tokio::test]
async fn every_table_has_examples_and_reads_them_whole() {
    for asset in ASSETS.iter().filter(|asset| has_content(asset.types())) {
        let examples = examples(asset.types());
        assert!(!examples.is_empty(), "the sandbox's world holds no {}", asset.kind().name);
        let outcome = read(*asset, asset.types(), &fixture(&examples)).await;
        assert_eq!(outcome.resources.len(), examples.len(), "{}", asset.kind().name);
        assert!(outcome.population.gaps.is_empty(), "{:?}", outcome.population.gaps);
        let known = |name: &str| outcome.resources.iter().any(|resource| matches!(resource.attributes.get(name), Some(Attribute::Known(_))));
        for declared in asset.kind().attributes {
            assert!(known(declared.name), "no example of {} shows its {}", asset.kind().name, declared.name);
        }
    }
}

#[tokio::test]
async fn a_field_of_another_type_makes_things_unknown_and_never_different() {
    for asset in ASSETS.iter().filter(|asset| has_content(asset.types())) {
        let whole = fixture(&examples(asset.types()));
        let before = read(*asset, asset.types(), &whole).await;
        for place in places(&whole) {
            let mut broken = whole.clone();
            let value = broken.pointer_mut(&place).expect("a place in it");
            *value = [json!("junk"), json!(true)][usize::from(value.is_string())].clone();
            let after = read(*asset, asset.types(), &broken).await;
            let lost = before.resources.len() > after.resources.len();
            assert!(!lost || !after.population.gaps.is_empty(), "{} {place}: resources were lost without a word", asset.kind().name);
            let changed = changes(&before, &after);
            assert!(changed.is_empty(), "{} {place}: {changed:?} changed", asset.kind().name);
        }
    }
}

#[tokio::test]
async fn a_field_that_is_left_out_has_the_documented_meaning_or_none() {
    let worked_out: BTreeMap<_, _> = WORKED_OUT.iter().copied().collect();
    for asset in ASSETS.iter().filter(|asset| has_content(asset.types())) {
        let kind = asset.kind().name;
        let whole = fixture(&examples(asset.types()));
        let before = read(*asset, asset.types(), &whole).await;
        let mut documented = asset.absent();
        documented.extend(worked_out.get(kind).copied().unwrap_or_default().iter().copied());
        for place in places(&whole) {
            let mut without = whole.clone();
            leave_out(&mut without, &place);
            let after = read(*asset, asset.types(), &without).await;
            let changed = changes(&before, &after);
            assert!(changed.iter().all(|name| documented.contains(name.as_str())), "{kind} {place}: {changed:?} changed, documented are {documented:?}");
        }
    }
}

#[tokio::test]
async fn an_inventory_that_breaks_off_or_shows_something_else_is_a_gap() {
    for asset in ASSETS.iter().filter(|asset| has_content(asset.types())) {
        for (status, body, cause) in [
            (200, r#"{"assets":{}}"#, GapCause::Malformed),
            (200, r#"{"assets":[7]}"#, GapCause::Malformed),
            (200, r#"{"assets":[{"name":"//x/y"}]}"#, GapCause::LeftOut),
            (200, r#"{"assets":[{}"#, GapCause::Malformed),
            (503, "{}", GapCause::Unanswered),
        ] {
            let outcome = collect(*asset, &scope(&["projects/acme-a"]), |request: &Request| match request.operation {
                "cloudresourcemanager.projects.get" => Answer::new(200, r#"{"name":"projects/7","projectId":"acme-a","state":"ACTIVE"}"#),
                "cloudasset.assets.list" => Answer::new(status, body),
                _ => Answer::new(200, "{}"),
            })
            .await;
            assert!(outcome.resources.is_empty());
            assert!(outcome.population.gaps.iter().any(|gap| gap.cause == cause), "{} {body}: {:?}", asset.kind().name, outcome.population.gaps);
        }
    }
}

/// A project that the inventory does not know yet may hold anything.
#[tokio::test]
async fn a_project_that_the_inventory_does_not_know_is_a_gap() {
    for asset in ASSETS.iter().filter(|asset| has_content(asset.types())) {
        let outcome = collect(*asset, &scope(&["projects/acme-a"]), |request: &Request| match request.operation {
            "cloudresourcemanager.projects.get" => Answer::new(200, r#"{"name":"projects/7","projectId":"acme-a","state":"ACTIVE"}"#),
            _ => Answer::new(200, "{}"),
        })
        .await;
        assert!(outcome.population.gaps.iter().any(|gap| gap.cause == GapCause::Incomplete && gap.detail.contains("acme-a")), "{:?}", outcome.population.gaps);
    }
}

/// Whether it is switched off or forbidden, what the services themselves list is as true.
#[test]
fn without_the_inventory_the_services_are_asked() {
    for inventory in [Inventory::Off, Inventory::Forbidden] {
        let site = Site::small();
        let plan = site.sandbox().world().plan.clone();
        site.sandbox().serve_world(World::new(Plan { inventory, ..plan }));
        assert_all_is_seen(&site);
    }
}

/// Sinks of folders and of the organisation count for what is below them where they take its logs; what cannot be read makes all of its kind unknown.
#[tokio::test]
async fn what_watches_over_a_project_is_told_of_it() {
    const SINK: &str = "logging.googleapis.com/LogSink";
    let watched = |sinks: Value| async move {
        let outcome = collect(&WATCHED_PROJECT, &scope(&["organizations/1"]), |request: &Request| match request.operation {
            "cloudresourcemanager.projects.list" if request.target.contains("organizations") => {
                Answer::new(200, r#"{"projects":[{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1"}]}"#)
            }
            "cloudasset.assets.list" if request.subject.ends_with("cloudresourcemanager.googleapis.com/Project") => {
                let data = json!({ "projectId": "acme-a", "projectNumber": "7" });
                let project = json!({ "name": "//cloudresourcemanager.googleapis.com/projects/7", "ancestors": ["projects/7", "folders/2", "organizations/1"], "resource": { "data": data } });
                Answer::new(200, json!({ "assets": [project] }).to_string())
            }
            "cloudasset.assets.list" if request.subject.ends_with(SINK) => Answer::new(200, json!({ "assets": sinks }).to_string()),
            _ => Answer::new(200, "{}"),
        })
        .await;
        assert_eq!(outcome.resources.len(), 1, "{:?}", outcome.population.gaps);
        outcome.resources[0].attributes.clone()
    };
    let sink = |of: &str, more: Value| {
        let mut data = json!({ "name": "s", "destination": "storage.googleapis.com/logs" });
        data.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "name": format!("//logging.googleapis.com/{of}/sinks/s"), "ancestors": [of], "resource": { "data": data } })
    };
    let children = || json!({ "includeChildren": true });
    let all = json!([
        sink("projects/acme-a", json!({})),
        sink("folders/2", children()),
        sink("organizations/1", children()),
        sink("organizations/1", json!({})),
        sink("folders/3", children()),
        sink("projects/other", json!({})),
    ]);
    let told = watched(all).await;
    let Some(Attribute::Known(exports)) = told.get("log_exports") else { panic!("{:?}", told.get("log_exports")) };
    let of: Vec<&Value> = exports.as_array().expect("a list").iter().map(|export| &export["of"]).collect();
    assert_eq!(of, ["projects/acme-a", "folders/2", "organizations/1"]);
    assert!(["alerts", "log_metrics", "uptime_checks"].iter().all(|name| told.get(*name) == Some(&Attribute::Known(json!([])))), "{told:?}");
    for broken in [json!([7]), json!([sink("projects/other", json!({ "destination": 7 }))]), json!([{ "name": "//logging.googleapis.com/projects/x/sinks/s" }])]
    {
        let told = watched(broken).await;
        assert!(matches!(told.get("log_exports"), Some(Attribute::Unknown(_))), "{told:?}");
        assert!(matches!(told.get("alerts"), Some(Attribute::Known(_))), "{told:?}");
    }
}

/// Whoever is outside of what is configured may send logs into a bucket, so that only a whole organisation tells that nobody does.
#[tokio::test]
async fn a_bucket_that_no_known_sink_names_may_receive_logs_all_the_same() {
    let told = |parent: &'static str, destination: &'static str| async move {
        const PROJECT: &str = r#"{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1"}"#;
        let outcome = collect(&BUCKET, &scope(&[parent]), |request: &Request| match request.operation {
            "cloudresourcemanager.projects.list" => Answer::new(200, format!(r#"{{"projects":[{PROJECT}]}}"#)),
            "cloudresourcemanager.projects.get" => Answer::new(200, PROJECT),
            "cloudasset.assets.list" if request.subject.ends_with("storage.googleapis.com/Bucket") => {
                let bucket = json!({ "name": "//storage.googleapis.com/logs", "ancestors": ["projects/7", "organizations/1"], "resource": { "data": { "name": "logs" } } });
                Answer::new(200, json!({ "assets": [bucket] }).to_string())
            }
            "cloudasset.assets.list" if request.subject.ends_with("logging.googleapis.com/LogSink") => {
                let sink = json!({ "name": "//logging.googleapis.com/projects/acme-a/sinks/s", "ancestors": ["projects/7"], "resource": { "data": { "name": "s", "destination": destination } } });
                Answer::new(200, json!({ "assets": [sink] }).to_string())
            }
            _ => Answer::new(200, "{}"),
        })
        .await;
        outcome.resources[0].attributes["is_log_destination"].clone()
    };
    let (here, elsewhere) = ("storage.googleapis.com/logs", "storage.googleapis.com/others");
    assert_eq!(told("organizations/1", here).await, Attribute::Known(json!(true)));
    assert_eq!(told("organizations/1", elsewhere).await, Attribute::Known(json!(false)));
    assert_eq!(told("projects/acme-a", here).await, Attribute::Known(json!(true)));
    let unknown = told("projects/acme-a", elsewhere).await;
    assert!(matches!(&unknown, Attribute::Unknown(gap) if gap.cause == GapCause::NotConfigured), "{unknown:?}");
}

/// Cloud Run and its functions are shown by the inventory as an older API shows them, too.
#[tokio::test]
async fn what_the_older_api_shows_is_read_as_the_newer_one_is() {
    let shown = |name: &str, asset_type: &str, data: Value| json!({ "name": name, "assetType": asset_type, "ancestors": ["projects/7", "organizations/1"], "resource": { "data": data } });
    let of = |asset: Value| json!({ "exchanges": [{ "body": { "assets": [asset] } }] });
    let service = |ingress: &str, account: Value| {
        let data = json!({ "kind": "Service", "metadata": { "name": "web", "annotations": { "run.googleapis.com/ingress": ingress } },
            "spec": { "template": { "spec": { "serviceAccountName": account } } } });
        of(shown("//run.googleapis.com/projects/acme-a/locations/l/services/web", "run.googleapis.com/Service", data))
    };
    for (ingress, account, is_default) in [("internal", json!("web@acme-a.iam.gserviceaccount.com"), false), ("all", Value::Null, true)] {
        let seen = read(&RUN_SERVICE, &["run.googleapis.com/Service"], &service(ingress, account)).await;
        assert_eq!(seen.known("web", "ingress"), ingress);
        assert_eq!(seen.known("web", "default_account"), is_default);
    }
    let seen = read(&RUN_SERVICE, &["run.googleapis.com/Service"], &service("all", json!(7))).await;
    assert_eq!(seen.unknown("web", "default_account"), GapCause::Malformed);
    let data = json!({ "name": "projects/acme-a/locations/l/functions/hook", "runtime": "go122", "ingressSettings": "ALLOW_ALL", "vpcConnector": "c",
        "serviceAccountEmail": "acme-a@appspot.gserviceaccount.com" });
    let function = of(shown("//cloudfunctions.googleapis.com/projects/acme-a/locations/l/functions/hook", "cloudfunctions.googleapis.com/CloudFunction", data));
    let seen = read(&CLOUD_FUNCTION, CLOUD_FUNCTION.types(), &function).await;
    assert_eq!((seen.known("hook", "runtime"), seen.known("hook", "ingress")), (json!("go122"), json!("ALLOW_ALL")));
    assert_eq!((seen.known("hook", "in_vpc"), seen.known("hook", "default_account")), (json!(true), json!(true)));
}

/// Other assets name a project by its id where it is listed by its number alone: what they tell of one that is in no list is not known, rather than nothing.
#[tokio::test]
async fn what_watches_over_a_project_that_is_not_listed_is_unknown() {
    let shown = |name: &str, data: Value| json!({ "name": name, "ancestors": ["projects/7", "organizations/1"], "resource": { "data": data } });
    let project = shown("//cloudresourcemanager.googleapis.com/projects/7", json!({ "projectId": "acme-a", "projectNumber": "7" }));
    let alert = shown(
        "//monitoring.googleapis.com/projects/acme-a/alertPolicies/1",
        json!({ "displayName": "down", "enabled": true, "notificationChannels": ["c"], "conditions": [{ "conditionThreshold": { "filter": "f" } }] }),
    );
    for (listed, known) in [(r#"{"projects":[{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1"}]}"#, true), ("{}", false)] {
        let seen = collect(&WATCHED_PROJECT, &scope(&["organizations/1"]), |request: &Request| match request.operation {
            "cloudresourcemanager.projects.list" if request.target.contains("organizations") => Answer::new(200, listed),
            "cloudasset.assets.list" if request.subject.ends_with("/Project") => Answer::new(200, json!({ "assets": [project] }).to_string()),
            "cloudasset.assets.list" if request.subject.ends_with("/AlertPolicy") => Answer::new(200, json!({ "assets": [alert] }).to_string()),
            _ => Answer::new(200, "{}"),
        })
        .await;
        match known {
            true => assert_eq!(seen.known("", "alerts").as_array().map(Vec::len), Some(1)),
            false => assert_eq!(seen.unknown("", "alerts"), GapCause::Incomplete),
        }
    }
}

/// What folders and the organisation set holds below them, so that what is set in a project alone is not all.
#[tokio::test]
async fn what_is_set_above_is_unknown_where_that_is_not_in_scope() {
    let shown = |name: &str, data: Value| json!({ "name": name, "ancestors": ["projects/7", "organizations/1"], "resource": { "data": data } });
    let project = shown("//cloudresourcemanager.googleapis.com/projects/7", json!({ "projectId": "acme-a", "projectNumber": "7" }));
    let contact = shown(
        "//essentialcontacts.googleapis.com/projects/7/contacts/1",
        json!({ "notificationCategorySubscriptions": ["BILLING"], "validationState": "VALID" }),
    );
    const LISTED: &str = r#"{"name":"projects/7","projectId":"acme-a","state":"ACTIVE","parent":"organizations/1"}"#;
    for (parent, known) in [("organizations/1", true), ("projects/acme-a", false)] {
        let seen = collect(&WATCHED_PROJECT, &scope(&[parent]), |request: &Request| match request.operation {
            "cloudresourcemanager.projects.list" => Answer::new(200, format!(r#"{{"projects":[{LISTED}]}}"#)),
            "cloudresourcemanager.projects.get" => Answer::new(200, LISTED),
            "cloudasset.assets.list" if request.subject.ends_with("/Project") => Answer::new(200, json!({ "assets": [project] }).to_string()),
            "cloudasset.assets.list" if request.subject.ends_with("/Contact") => Answer::new(200, json!({ "assets": [contact] }).to_string()),
            _ => Answer::new(200, "{}"),
        })
        .await;
        for attribute in ["contacts", "constraints", "log_exports"] {
            match known {
                true => drop(seen.known("", attribute)),
                false => assert_eq!(seen.unknown("", attribute), GapCause::NotConfigured, "{attribute}"),
            }
        }
        assert_eq!(seen.known("", "alerts"), json!([]), "nothing above tells of a project's own alerts");
    }
}

/// What may be told where nothing is shown is not told: neither that a service acts as the default account nor that a function is outside of every network.
#[tokio::test]
async fn a_workload_whose_settings_are_not_shown_is_unknown() {
    let of = |name: &str, data: Value| {
        let shown = json!({ "name": name, "ancestors": ["projects/7", "organizations/1"], "resource": { "data": data } });
        json!({ "exchanges": [{ "body": { "assets": [shown] } }] })
    };
    let service = of("//run.googleapis.com/projects/acme-a/locations/l/services/web", json!({ "name": "projects/acme-a/locations/l/services/web" }));
    let seen = read(&RUN_SERVICE, &["run.googleapis.com/Service"], &service).await;
    assert_eq!(seen.unknown("web", "default_account"), GapCause::LeftOut);
    let function =
        of("//cloudfunctions.googleapis.com/projects/acme-a/locations/l/functions/hook", json!({ "name": "projects/acme-a/locations/l/functions/hook" }));
    let seen = read(&CLOUD_FUNCTION, CLOUD_FUNCTION.types(), &function).await;
    assert_eq!((seen.unknown("hook", "default_account"), seen.unknown("hook", "in_vpc")), (GapCause::LeftOut, GapCause::LeftOut));
    let data = json!({ "name": "projects/acme-a/locations/l/functions/hook", "serviceConfig": { "directVpcNetworkInterface": [{ "network": "n" }] } });
    let direct = of("//cloudfunctions.googleapis.com/projects/acme-a/locations/l/functions/hook", data);
    assert_eq!(read(&CLOUD_FUNCTION, CLOUD_FUNCTION.types(), &direct).await.known("hook", "in_vpc"), true);
}
