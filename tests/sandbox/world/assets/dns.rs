//! Zones, and policies of name resolution.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(40) {
        let weak = dice.chance(25);
        let (key, told_key) = if weak { ("rsasha1", "rsasha1") } else { ("rsasha256", "rsasha256") };
        let fields = json!({
            "visibility": "public", "labels": { "team": "a" }, "cloudLoggingConfig": { "kind": "dns#managedZoneCloudLoggingConfig", "enableLogging": true },
            "dnssecConfig": { "kind": "dns#managedZoneDnsSecConfig", "state": "on", "nonExistence": "nsec3", "defaultKeySpecs": [
                { "kind": "dns#dnsKeySpec", "keyType": "keySigning", "algorithm": key, "keyLength": 2048 },
                { "kind": "dns#dnsKeySpec", "keyType": "zoneSigning", "algorithm": "rsasha256", "keyLength": 1024 },
            ] },
        });
        let keys = json!([{ "use": "keysigning", "algorithm": told_key }, { "use": "zonesigning", "algorithm": "rsasha256" }]);
        assets.push(zone(project, "web", &fields, &json!({ "visibility": "public", "dnssec": "on", "keys": keys, "logged": true, "labels": { "team": "a" } })));
    }
    if dice.chance(25) {
        // In capitals, as the inventory has shown it.
        let fields =
            json!({ "visibility": "PUBLIC", "dnssecConfig": { "state": "OFF", "defaultKeySpecs": [{ "keyType": "KEY_SIGNING", "algorithm": "RSASHA256" }] } });
        let told =
            json!({ "visibility": "public", "dnssec": "off", "keys": [{ "use": "keysigning", "algorithm": "rsasha256" }], "logged": false, "labels": {} });
        assets.push(zone(project, "old", &fields, &told));
    }
    if dice.chance(40) {
        let told = json!({ "visibility": "private", "dnssec": "off", "keys": [], "logged": false, "labels": {} });
        assets.push(zone(project, "internal", &json!({ "visibility": "private" }), &told));
    }
    if dice.chance(60) {
        let logged = dice.chance(70);
        let network = format!("projects/{}/global/networks/main", project.id);
        let mut data = json!({ "kind": "dns#policy", "name": "main", "networks": [{ "kind": "dns#policyNetwork", "networkUrl": format!("https://www.googleapis.com/compute/v1/{network}") }] });
        if logged {
            data = joined(data, &json!({ "enableLogging": true, "enableInboundForwarding": true }));
        }
        assets.push(Asset {
            kind: "gcp.dns_policy",
            asset_type: "dns.googleapis.com/Policy",
            name: format!("//dns.googleapis.com/projects/{}/policies/main", project.id),
            location: "global",
            data,
            bindings: None,
            truth: json!({ "name": "main", "networks": [network], "logged": logged, "inbound": logged }),
        });
    }
    assets
}

fn zone(project: &Project, name: &str, fields: &Value, told: &Value) -> Asset {
    let domain = format!("{name}.{}.example.", project.id);
    Asset {
        kind: "gcp.dns_zone",
        asset_type: "dns.googleapis.com/ManagedZone",
        name: format!("//dns.googleapis.com/projects/{}/managedZones/{name}", project.id),
        location: "global",
        data: joined(json!({ "kind": "dns#managedZone", "name": name, "dnsName": domain, "description": "" }), fields),
        bindings: None,
        truth: joined(json!({ "name": name, "dns_name": domain }), told),
    }
}
