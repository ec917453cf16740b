//! Networks and firewall rules.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = vec![network(project, "main", Range::Subnetworks)];
    if dice.chance(20) {
        assets.push(network(project, "default", Range::Subnetworks));
    }
    if dice.chance(5) {
        assets.push(network(project, "old", Range::Legacy));
    }
    assets.push(firewall(
        project,
        "allow-iap",
        &json!({ "sourceRanges": ["35.235.240.0/20"], "allowed": [{ "IPProtocol": "tcp", "ports": ["22"] }] }),
        (false, true),
    ));
    if dice.chance(25) {
        let fields =
            json!({ "sourceRanges": ["10.0.0.0/8", "0.0.0.0/0"], "allowed": [{ "IPProtocol": "icmp" }, { "IPProtocol": "tcp", "ports": ["20-30", "443"] }] });
        assets.push(firewall(project, "allow-all", &fields, (true, true)));
    }
    if dice.chance(25) {
        let fields = json!({ "sourceRanges": ["0.0.0.0/0"], "disabled": true, "allowed": [{ "IPProtocol": "all" }] });
        assets.push(firewall(project, "asleep", &fields, (true, true)));
    }
    assets.push(firewall(project, "web", &json!({ "sourceRanges": ["0.0.0.0/0"], "allowed": [{ "IPProtocol": "tcp", "ports": ["443"] }] }), (true, false)));
    let logged = dice.chance(60);
    let main = json!({ "purpose": "PRIVATE", "privateIpGoogleAccess": true, "logConfig": { "enable": logged, "flowSampling": 0.5 } });
    assets.push(subnetwork(project, "main-nodes", &main, &json!({ "purpose": "PRIVATE", "flow_logs": logged, "private_google_access": true })));
    if dice.chance(30) {
        assets.push(subnetwork(
            project,
            "old",
            &json!({ "enableFlowLogs": true }),
            &json!({ "purpose": "PRIVATE", "flow_logs": true, "private_google_access": false }),
        ));
    }
    if dice.chance(30) {
        let proxies = json!({ "purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE" });
        assets.push(subnetwork(
            project,
            "proxies",
            &proxies,
            &json!({ "purpose": "REGIONAL_MANAGED_PROXY", "flow_logs": false, "private_google_access": false }),
        ));
    }
    assets
}

fn subnetwork(project: &Project, name: &str, fields: &Value, told: &Value) -> Asset {
    let region = format!("projects/{}/regions/europe-west4", project.id);
    let path = format!("{region}/subnetworks/{name}");
    let network = format!("https://www.googleapis.com/compute/v1/projects/{}/global/networks/main", project.id);
    let link = format!("https://www.googleapis.com/compute/v1/{path}");
    let region = format!("https://www.googleapis.com/compute/v1/{region}");
    Asset {
        kind: "gcp.subnetwork",
        asset_type: "compute.googleapis.com/Subnetwork",
        name: format!("//compute.googleapis.com/{path}"),
        location: "europe-west4",
        data: joined(
            json!({ "kind": "compute#subnetwork", "name": name, "network": network, "region": region, "ipCidrRange": "10.4.0.0/20", "selfLink": link }),
            fields,
        ),
        bindings: None,
        truth: joined(json!({ "name": name, "network": "main" }), told),
    }
}

/// How a network's addresses are shared out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Range {
    Subnetworks,
    Legacy,
}

fn network(project: &Project, name: &str, range: Range) -> Asset {
    let path = format!("projects/{}/global/networks/{name}", project.id);
    let mut data = json!({ "kind": "compute#network", "name": name, "selfLink": format!("https://www.googleapis.com/compute/v1/{path}") });
    let (field, value) = match range {
        Range::Subnetworks => ("autoCreateSubnetworks", json!(name == "default")),
        Range::Legacy => ("IPv4Range", json!("10.240.0.0/16")),
    };
    if let Value::Object(fields) = &mut data {
        fields.insert(field.to_owned(), value);
    }
    let mut truth = json!({ "name": name, "legacy": range == Range::Legacy });
    if let (Value::Object(truth), Range::Subnetworks) = (&mut truth, range) {
        truth.insert("auto_subnets".to_owned(), json!(name == "default"));
    }
    Asset {
        kind: "gcp.network",
        asset_type: "compute.googleapis.com/Network",
        name: format!("//compute.googleapis.com/{path}"),
        location: "global",
        data,
        bindings: None,
        truth,
    }
}

fn firewall(project: &Project, name: &str, fields: &Value, (open, administration): (bool, bool)) -> Asset {
    let path = format!("projects/{}/global/firewalls/{name}", project.id);
    let network = format!("https://www.googleapis.com/compute/v1/projects/{}/global/networks/main", project.id);
    let mut data = json!({
        "kind": "compute#firewall", "name": name, "network": network, "direction": "INGRESS", "priority": 1000, "logConfig": { "enable": false },
        "selfLink": format!("https://www.googleapis.com/compute/v1/{path}"),
    });
    data = joined(data, fields);
    let truth = json!({
        "name": name, "network": "main", "direction": "INGRESS", "disabled": fields.get("disabled").is_some(), "source_ranges": fields.get("sourceRanges"),
        "open_to_world": open, "opens_ssh_or_rdp": administration, "logged": false,
    });
    Asset {
        kind: "gcp.firewall_rule",
        asset_type: "compute.googleapis.com/Firewall",
        name: format!("//compute.googleapis.com/{path}"),
        location: "global",
        data,
        bindings: None,
        truth,
    }
}
