//! Alert policies, channels, uptime checks and snoozes.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(70) {
        let labels = json!({ "channel_name": "#alerts", "auth_token": "nobody-may-read-this" });
        let data = json!({ "type": "slack", "displayName": "On call", "enabled": true, "labels": labels, "verificationStatus": "VERIFIED" });
        assets.push(asset(project, CHANNEL, "7", (data, json!({ "name": "On call", "type": "slack", "enabled": true, "verification": "VERIFIED" }))));
        let data = json!({ "type": "pagerduty", "enabled": true, "labels": { "service_key": "nobody-may-read-this" } });
        let truth = json!({ "name": null, "type": "pagerduty", "enabled": true, "verification": "VERIFICATION_STATUS_UNSPECIFIED" });
        assets.push(asset(project, CHANNEL, "8", (data, truth)));
    }
    if dice.chance(60) {
        let channels = json!([format!("projects/{}/notificationChannels/7", project.id)]);
        let filter = "metric.type=\"logging.googleapis.com/user/firewall\" resource.type=\"global\"";
        let data = json!({
            "displayName": "Firewall changed", "enabled": dice.chance(80), "combiner": "OR", "notificationChannels": channels, "severity": "WARNING",
            "documentation": { "content": "Look who did it.", "mimeType": "text/markdown" },
            "conditions": [{ "displayName": "any", "conditionThreshold": { "filter": filter, "comparison": "COMPARISON_GT", "duration": "0s" } }],
        });
        let truth = json!({
            "name": "Firewall changed", "enabled": data.get("enabled"), "channels": channels, "conditions": [filter], "documentation": "Look who did it.", "severity": "WARNING",
        });
        assets.push(asset(project, POLICY, "1", (data, truth)));
    }
    if dice.chance(40) {
        let matched = "protoPayload.methodName=\"cloudsql.instances.update\"";
        let data = json!({ "displayName": "Databases", "enabled": true, "combiner": "OR", "conditions": [{ "displayName": "any", "conditionMatchedLog": { "filter": matched } }] });
        let truth = json!({ "name": "Databases", "enabled": true, "channels": [], "conditions": [matched], "documentation": null, "severity": null });
        assets.push(asset(project, POLICY, "2", (data, truth)));
    }
    if dice.chance(50) {
        let data = json!({
            "displayName": "Shop", "period": "60s", "timeout": "10s", "selectedRegions": ["EUROPE", "USA", "ASIA_PACIFIC"], "monitoredResource": { "type": "uptime_url", "labels": { "host": "shop.example.com" } },
            "httpCheck": { "path": "/health", "port": 443, "useSsl": true, "validateSsl": true, "headers": { "Authorization": "nobody-may-read-this" } },
        });
        let truth = json!({
            "name": "Shop", "host": "shop.example.com", "path": "/health", "tls": true, "validates_certificate": true, "disabled": false, "period_seconds": 60,
            "regions": ["EUROPE", "USA", "ASIA_PACIFIC"],
        });
        assets.push(asset(project, CHECK, "shop", (data, truth)));
    }
    if dice.chance(20) {
        let data = json!({ "displayName": "Old", "period": "900s", "timeout": "10s", "disabled": true, "resourceGroup": { "groupId": "g", "resourceType": "INSTANCE" }, "tcpCheck": { "port": 22 } });
        let truth = json!({ "name": "Old", "host": null, "path": null, "tls": false, "validates_certificate": false, "disabled": true, "period_seconds": 900, "regions": [] });
        assets.push(asset(project, CHECK, "old", (data, truth)));
    }
    if dice.chance(20) {
        let (from, until) = (instant(plan.instant(-2)), instant(plan.instant(20)));
        let policies = json!([format!("projects/{}/alertPolicies/1", project.id)]);
        let data = json!({ "displayName": "While we move", "interval": { "startTime": from, "endTime": until }, "criteria": { "policies": policies } });
        assets.push(asset(project, SNOOZE, "s", (data, json!({ "name": "While we move", "starts_at": from, "ends_at": until, "policies": policies }))));
    }
    assets
}

/// What alert policies and uptime checks tell of their project.
pub(crate) fn told(asset: &Asset) -> Value {
    let field = |name: &str| asset.truth.get(name).cloned().unwrap_or_default();
    let count = |name: &str| field(name).as_array().map_or(0, Vec::len);
    match asset.kind {
        "gcp.alert_policy" => json!({ "name": field("name"), "enabled": field("enabled"), "channels": count("channels"), "conditions": field("conditions") }),
        _ => json!({ "name": field("name"), "disabled": field("disabled"), "period_seconds": field("period_seconds"), "regions": count("regions") }),
    }
}

type What = (&'static str, &'static str, &'static str);

const CHANNEL: What = ("gcp.notification_channel", "monitoring.googleapis.com/NotificationChannel", "notificationChannels");
const POLICY: What = ("gcp.alert_policy", "monitoring.googleapis.com/AlertPolicy", "alertPolicies");
const CHECK: What = ("gcp.uptime_check", "monitoring.googleapis.com/UptimeCheckConfig", "uptimeCheckConfigs");
const SNOOZE: What = ("gcp.snooze", "monitoring.googleapis.com/Snooze", "snoozes");

fn asset(project: &Project, (kind, asset_type, path): What, id: &str, (data, truth): (Value, Value)) -> Asset {
    let name = format!("projects/{}/{path}/{id}", project.id);
    Asset {
        kind,
        asset_type,
        location: "global",
        data: joined(json!({ "name": name }), &data),
        bindings: None,
        truth,
        name: format!("//monitoring.googleapis.com/{name}"),
    }
}
