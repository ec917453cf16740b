//! API keys.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(30) {
        let data = json!({ "displayName": "Maps", "restrictions": { "browserKeyRestrictions": { "allowedReferrers": ["example.com/*"] }, "apiTargets": [{ "service": "maps.googleapis.com" }] } });
        let truth = json!({ "name": "Maps", "apis": ["maps.googleapis.com"], "callers": "browser", "created_at": instant(plan.instant(-40)) });
        assets.push(key(project, "1f", &joined(data, &json!({ "createTime": instant(plan.instant(-40)) })), truth));
    }
    if dice.chance(20) {
        let data = json!({ "createTime": instant(plan.instant(-400)), "serviceAccountEmail": format!("app@{}.iam.gserviceaccount.com", project.id) });
        let truth = json!({ "name": null, "apis": [], "callers": "any", "created_at": instant(plan.instant(-400)), "service_account": format!("app@{}.iam.gserviceaccount.com", project.id) });
        assets.push(key(project, "2a", &data, truth));
    }
    assets
}

fn key(project: &Project, uid: &str, data: &Value, truth: Value) -> Asset {
    let name = format!("projects/{}/locations/global/keys/{uid}", project.id);
    Asset {
        kind: "gcp.api_key",
        asset_type: "apikeys.googleapis.com/Key",
        location: "global",
        data: joined(json!({ "name": name, "uid": uid }), data),
        bindings: None,
        truth: joined(json!({ "deleted_at": null, "service_account": null }), &truth),
        name: format!("//apikeys.googleapis.com/{name}"),
    }
}
