//! Topics and subscriptions.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined, policy};
use crate::sandbox::world::google::Project;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(50) {
        let key = format!("projects/{}/locations/europe-west4/keyRings/main/cryptoKeys/events", project.id);
        let public = dice.chance(15).then_some("allUsers");
        let topic = (json!({ "labels": { "team": "a" }, "kmsKeyName": key }), json!({ "labels": { "team": "a" }, "kms_key": key }));
        assets.push(asset(project, ("gcp.pubsub_topic", "Topic", "topics/events"), topic, public));
        let pulled = (
            json!({ "pushConfig": {}, "labels": { "team": "a" } }),
            json!({ "topic": "events", "labels": { "team": "a" }, "pushes": false, "push_signed": false }),
        );
        assets.push(asset(project, ("gcp.pubsub_subscription", "Subscription", "subscriptions/worker"), of_topic(project, pulled), None));
    }
    if dice.chance(40) {
        assets.push(asset(project, ("gcp.pubsub_topic", "Topic", "topics/plain"), (json!({}), json!({ "labels": {}, "kms_key": null })), None));
        let config = json!({ "pushEndpoint": "https://example.com/push?key=nobody-may-read-this", "oidcToken": { "serviceAccountEmail": "push@x.iam.gserviceaccount.com" } });
        let pushed = (json!({ "pushConfig": config }), json!({ "topic": "events", "labels": {}, "pushes": true, "push_signed": true }));
        let public = dice.chance(15).then_some("allAuthenticatedUsers");
        assets.push(asset(project, ("gcp.pubsub_subscription", "Subscription", "subscriptions/hook"), of_topic(project, pushed), public));
    }
    assets
}

fn of_topic(project: &Project, (data, truth): (Value, Value)) -> (Value, Value) {
    (joined(data, &json!({ "topic": format!("projects/{}/topics/events", project.id), "ackDeadlineSeconds": 10 })), truth)
}

fn asset(project: &Project, (kind, what, path): (&'static str, &str, &str), (data, truth): (Value, Value), public: Option<&str>) -> Asset {
    let name = format!("projects/{}/{path}", project.id);
    let role = if what == "Topic" { "roles/pubsub.publisher" } else { "roles/pubsub.subscriber" };
    Asset {
        kind,
        asset_type: if what == "Topic" { "pubsub.googleapis.com/Topic" } else { "pubsub.googleapis.com/Subscription" },
        name: format!("//pubsub.googleapis.com/{name}"),
        location: "global",
        data: joined(json!({ "name": name }), &data),
        bindings: Some(policy(role, public)),
        truth: joined(json!({ "name": path.rsplit('/').next() }), &truth),
    }
}
