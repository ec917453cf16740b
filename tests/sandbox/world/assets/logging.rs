//! Places for logs, sinks, and metrics of what is in logs.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;

/// What is told of no kind of its own.
pub(crate) const TOLD_ELSEWHERE: &str = "";

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let of = format!("projects/{}", project.id);
    let kept = json!({ "retentionDays": 400, "locked": true, "lifecycleState": "ACTIVE", "analyticsEnabled": true, "cmekSettings": { "kmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k" } });
    let kept_told = json!({ "retention_days": 400, "locked": true, "analytics": true, "kms_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k" });
    let mut assets = vec![
        place(&of, "_Required", &kept, &kept_told),
        place(
            &of,
            "_Default",
            &json!({ "retentionDays": 30, "lifecycleState": "ACTIVE" }),
            &json!({ "retention_days": 30, "locked": false, "analytics": false, "kms_key": null }),
        ),
        sink(
            &of,
            "_Default",
            &json!({ "destination": format!("logging.googleapis.com/{of}/locations/global/buckets/_Default"), "filter": "NOT LOG_ID(\"cloudaudit.googleapis.com/activity\")" }),
        ),
    ];
    if let Some(bucket) = project.buckets.first().filter(|_| dice.chance(30)) {
        let exclusions = json!([{ "name": "noise", "filter": "severity<WARNING" }, { "name": "old", "filter": "a=b", "disabled": true }]);
        assets.push(sink(&of, "archive", &json!({ "destination": format!("storage.googleapis.com/{}", bucket.name), "exclusions": exclusions })));
    }
    for (name, filter) in [
        (
            "firewall",
            "resource.type=\"gce_firewall_rule\" AND (protoPayload.methodName:\"compute.firewalls.patch\" OR protoPayload.methodName:\"compute.firewalls.insert\")",
        ),
        ("network", "resource.type=\"gce_network\" AND protoPayload.methodName:\"compute.networks.insert\""),
    ] {
        if dice.chance(50) {
            let more = if dice.chance(20) { json!({ "disabled": true }) } else { json!({}) };
            assets.push(metric(&of, name, filter, &more));
        }
    }
    assets
}

/// A sink of the whole organisation, which takes the logs of everything below it, and one that does not.
pub(crate) fn of_organization(number: u64) -> Vec<Asset> {
    let of = format!("organizations/{number}");
    vec![
        sink(&of, "everything", &json!({ "destination": "bigquery.googleapis.com/projects/acme-logs/datasets/audit", "includeChildren": true })),
        sink(&of, "own", &json!({ "destination": "pubsub.googleapis.com/projects/acme-logs/topics/own" })),
    ]
}

/// A sink as what it sends tells of a project.
pub(crate) fn told(sink: &Asset) -> Value {
    let text = |field: &str| sink.data.get(field).and_then(Value::as_str).unwrap_or_default();
    let of = sink.name.trim_start_matches("//logging.googleapis.com/").split("/sinks/").next().unwrap_or_default();
    let in_force = |exclusion: &&Value| exclusion.get("disabled") != Some(&Value::Bool(true));
    let exclusions = sink.data.get("exclusions").and_then(Value::as_array).map_or(0, |all| all.iter().filter(in_force).count());
    json!({ "name": text("name"), "of": of, "destination": text("destination"), "filter": text("filter"), "disabled": false, "exclusions": exclusions })
}

fn place(of: &str, name: &str, data: &Value, truth: &Value) -> Asset {
    let full = format!("{of}/locations/global/buckets/{name}");
    Asset {
        kind: "gcp.log_bucket",
        asset_type: "logging.googleapis.com/LogBucket",
        location: "global",
        data: joined(json!({ "name": full }), data),
        bindings: None,
        truth: joined(json!({ "name": name, "state": "ACTIVE" }), truth),
        name: format!("//logging.googleapis.com/{full}"),
    }
}

fn sink(of: &str, name: &str, data: &Value) -> Asset {
    let data = joined(json!({ "name": name, "writerIdentity": "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com" }), data);
    elsewhere(of, ("LogSink", "sinks", name), data)
}

fn metric(of: &str, name: &str, filter: &str, more: &Value) -> Asset {
    let data = json!({ "name": name, "filter": filter, "metricDescriptor": { "metricKind": "DELTA", "valueType": "INT64" } });
    elsewhere(of, ("LogMetric", "metrics", name), joined(data, more))
}

fn elsewhere(of: &str, (what, kind, name): (&str, &str, &str), data: Value) -> Asset {
    Asset {
        kind: TOLD_ELSEWHERE,
        asset_type: if what == "LogSink" { "logging.googleapis.com/LogSink" } else { "logging.googleapis.com/LogMetric" },
        name: format!("//logging.googleapis.com/{of}/{kind}/{name}"),
        location: "global",
        data,
        bindings: None,
        truth: json!({}),
    }
}
