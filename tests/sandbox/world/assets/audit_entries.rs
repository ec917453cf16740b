//! What the logs of activity say of who set policies and changed firewall rules.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::logging::TOLD_ELSEWHERE;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// An entry.
pub(crate) const ENTRY: &str = "logging.googleapis.com/LogEntry";

/// Those of a project: what a deployer did, what a person did, what came to nothing, and what nobody asks for.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let deployer = format!("deployer@{}.iam.gserviceaccount.com", project.id);
    let mut assets = Vec::new();
    for night in [-20_i64, -3, -1, 0] {
        let hours = i64::try_from(dice.below(20)).unwrap_or_default() + 2;
        let at = instant(plan.instant(night + i64::from(plan.night)) - TimeDelta::hours(hours));
        let person = "ada@acme.example";
        let rule = format!("projects/{}/global/firewalls/allow-{night}", project.id);
        let (actor, actor_type) = if dice.chance(80) { (deployer.as_str(), "serviceAccount") } else { (person, "user") };
        let done = |method: &str, service: &str, name: &str| json!({ "serviceName": service, "methodName": method, "resourceName": name });
        let changed = done("v1.compute.firewalls.patch", "compute.googleapis.com", &rule);
        assets.push(entry(project, ("f", &at), (actor, actor_type), (changed, json!({})), (json!([]), json!([]))));
        if dice.chance(40) {
            let place = format!("projects/{}", project.id);
            let set = done("SetIamPolicy", "cloudresourcemanager.googleapis.com", &place);
            let (given, taken) = (pair("roles/owner", "user:ada@acme.example"), pair("roles/viewer", "group:all@acme.example"));
            let deltas = json!([joined(json!({ "action": "ADD" }), &given), joined(json!({ "action": "REMOVE" }), &taken)]);
            let data = json!({ "serviceData": { "@type": "type.googleapis.com/google.iam.v1.logging.AuditData", "policyDelta": { "bindingDeltas": deltas } } });
            assets.push(entry(project, ("p", &at), (person, "user"), (set, data), (json!([given]), json!([taken]))));
        }
        let refused =
            joined(done("google.iam.admin.v1.SetIAMPolicy", "iam.googleapis.com", "projects/-/serviceAccounts/1"), &json!({ "status": { "code": 7 } }));
        assets.push(entry(project, ("r", &at), (person, "user"), (refused, json!({ "serviceData": {} })), (json!([]), json!([]))));
        let other =
            entry(project, ("o", &at), (person, "user"), (done("storage.buckets.create", "storage.googleapis.com", "b"), json!({})), (json!([]), json!([])));
        assets.push(Asset { kind: TOLD_ELSEWHERE, ..other });
    }
    assets
}

fn pair(role: &str, member: &str) -> Value {
    json!({ "role": role, "member": member })
}

fn entry(
    project: &Project,
    (letter, at): (&str, &str),
    (actor, actor_type): (&str, &str),
    (done, more): (Value, Value),
    (granted, removed): (Value, Value),
) -> Asset {
    let insert_id = format!("-{letter}{}", at.chars().filter(char::is_ascii_digit).collect::<String>());
    let field = |name: &str| done.get(name).cloned().unwrap_or_default();
    let truth = json!({ "insert_id": insert_id, "place": format!("projects/{}", project.id), "at": at, "service": field("serviceName"), "method": field("methodName"),
        "succeeded": done.pointer("/status/code").is_none(), "actor": actor, "actor_type": actor_type, "resource_name": field("resourceName"), "granted": granted, "removed": removed });
    let person = json!({ "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": { "principalEmail": actor, "principalSubject": "nobody-may-read-this", "oauthInfo": { "oauthClientId": "nobody-may-read-this" } },
        "requestMetadata": { "callerIp": "203.0.113.7", "callerSuppliedUserAgent": "nobody-may-read-this" }, "request": { "policy": "nobody-may-read-this" } });
    let payload = joined(joined(person, &done), &more);
    let data = json!({ "insertId": insert_id, "logName": format!("projects/{}/logs/cloudaudit.googleapis.com%2Factivity", project.id), "timestamp": at, "receiveTimestamp": at,
        "severity": "NOTICE", "resource": { "type": "project", "labels": { "project_id": project.id } }, "protoPayload": payload });
    let name = format!("//logging.googleapis.com/projects/{}/logs/activity?entry={insert_id}&at={at}", project.id);
    Asset { kind: "gcp.audit_entry", asset_type: ENTRY, name, location: "global", data, bindings: None, truth }
}
