//! Groups of machines, and images.

use serde_json::json;

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::balancing::compute;
use crate::sandbox::world::assets::{Asset, policy};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let zone = |name: &str| format!("https://www.googleapis.com/compute/v1/projects/{}/zones/europe-west4-{name}", project.id);
    let mut assets = Vec::new();
    if dice.chance(30) {
        let fields = json!({ "targetSize": 3, "distributionPolicy": { "zones": [{ "zone": zone("a") }, { "zone": zone("b") }, { "zone": zone("c") }] },
            "autoHealingPolicies": [{ "healthCheck": "https://www.googleapis.com/compute/v1/projects/x/global/healthChecks/web", "initialDelaySec": 60 }] });
        let told = json!({ "size": 3, "zones": 3, "is_gke_pool": false, "heals": true });
        assets.push(compute(project, ("gcp.instance_group", "RegionInstanceGroupManager"), "regions/europe-west4/instanceGroupManagers/web", &fields, &told));
    }
    if dice.chance(30) {
        let fields = json!({ "targetSize": 1, "zone": zone("a") });
        let told = json!({ "size": 1, "zones": 1, "is_gke_pool": false, "heals": false });
        assets.push(compute(project, ("gcp.instance_group", "InstanceGroupManager"), "zones/europe-west4-a/instanceGroupManagers/lone", &fields, &told));
        let told = json!({ "size": 1, "zones": 1, "is_gke_pool": true, "heals": false });
        let pool = "zones/europe-west4-a/instanceGroupManagers/gke-main-pool-1-grp";
        assets.push(compute(project, ("gcp.instance_group", "InstanceGroupManager"), pool, &fields, &told));
    }
    if dice.chance(40) {
        let made = instant(plan.instant(-40));
        let public = dice.chance(20).then_some("allAuthenticatedUsers");
        let told = json!({ "created_at": made, "state": null });
        let image = compute(project, ("gcp.image", "Image"), "global/images/base-2", &json!({ "creationTimestamp": made, "status": "READY" }), &told);
        assets.push(Asset { bindings: Some(policy("roles/compute.imageUser", public)), ..image });
        let fields = json!({ "creationTimestamp": made, "status": "READY", "deprecated": { "state": "DEPRECATED" } });
        let old = compute(project, ("gcp.image", "Image"), "global/images/base-1", &fields, &json!({ "created_at": made, "state": "DEPRECATED" }));
        assets.push(Asset { bindings: Some(policy("roles/compute.imageUser", None)), ..old });
    }
    assets
}
