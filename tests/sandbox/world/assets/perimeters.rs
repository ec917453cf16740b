//! What is set for the whole organisation to hold data and permissions: perimeters, access levels, deny policies.

use serde_json::{Value, json};

use crate::sandbox::world::assets::Asset;
use crate::sandbox::world::assets::logging::TOLD_ELSEWHERE;
use crate::sandbox::world::google::{Folder, Project};

const POLICY: &str = "accessPolicies/7";

/// One perimeter that is enforced, one that is tried out, a bridge, and what lets in from outside.
pub(crate) fn of_organization(number: u64, projects: &[Project]) -> Vec<Asset> {
    let inside: Vec<&Project> = projects.iter().take(2).collect();
    let numbers: Vec<String> = inside.iter().map(|project| format!("projects/{}", project.number)).collect();
    let ids: Vec<&str> = inside.iter().map(|project| project.id.as_str()).collect();
    let level = format!("{POLICY}/accessLevels/office");
    let services = ["bigquery.googleapis.com", "storage.googleapis.com"];
    let anybody = json!([{ "ingressFrom": { "identityType": "ANY_IDENTITY", "sources": [{ "accessLevel": "*" }] }, "ingressTo": { "resources": ["*"] } }]);
    let mut status = json!({ "restrictedServices": services, "accessLevels": [level], "ingressPolicies": anybody });
    // proto3 leaves an empty list out.
    if let (Some(status), false) = (status.as_object_mut(), numbers.is_empty()) {
        status.insert("resources".to_owned(), json!(numbers));
    }
    let enforced = json!({ "title": "data", "perimeterType": "PERIMETER_TYPE_REGULAR", "status": status });
    let tried = json!({ "title": "later", "spec": { "resources": numbers, "restrictedServices": services }, "useExplicitDryRunSpec": true });
    let bridge = json!({ "title": "both", "perimeterType": "PERIMETER_TYPE_BRIDGE", "status": {} });
    let basic = json!({ "title": "Office", "basic": { "conditions": [{ "ipSubnetworks": ["192.0.2.0/24"] }, { "members": ["user:ada@acme.example"] }], "combiningFunction": "OR" } });
    let wide = json!({ "title": "Wide", "basic": { "conditions": [{ "ipSubnetworks": ["0.0.0.0/0"] }] } });
    let custom = json!({ "title": "Own", "custom": { "expr": { "expression": "origin.region_code == 'DE'" } } });
    let told = |more: &[(&str, Value)]| {
        let mut told = json!({ "access_policy": POLICY, "is_bridge": false, "enforced": false, "dry_run": false, "resources": [], "projects": [],
            "restricted_services": [], "access_levels": [], "open_ingress": false, "open_egress": false });
        if let Some(told) = told.as_object_mut() {
            told.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        told
    };
    let data = told(&[
        ("title", json!("data")),
        ("enforced", json!(!numbers.is_empty())),
        ("resources", json!(numbers)),
        ("projects", json!(ids)),
        ("restricted_services", json!(services)),
        ("access_levels", json!([level])),
        ("open_ingress", json!(true)),
    ]);
    let level_told = |title: &str, open: Option<bool>, ranges: &[&str], members: &[&str]| {
        let expression = open.is_none().then_some("origin.region_code == 'DE'");
        json!({ "access_policy": POLICY, "title": title, "expression": expression, "open": open, "ip_ranges": ranges, "members": members })
    };
    vec![
        shown("", "AccessPolicy", TOLD_ELSEWHERE, json!({ "name": POLICY, "parent": format!("organizations/{number}"), "title": "default" }), json!({})),
        shown("/servicePerimeters/data", "ServicePerimeter", "gcp.service_perimeter", enforced, data),
        shown("/servicePerimeters/later", "ServicePerimeter", "gcp.service_perimeter", tried, told(&[("title", json!("later")), ("dry_run", json!(true))])),
        shown("/servicePerimeters/both", "ServicePerimeter", "gcp.service_perimeter", bridge, told(&[("title", json!("both")), ("is_bridge", json!(true))])),
        shown(
            "/accessLevels/office",
            "AccessLevel",
            "gcp.access_level",
            basic,
            level_told("Office", Some(false), &["192.0.2.0/24"], &["user:ada@acme.example"]),
        ),
        shown("/accessLevels/wide", "AccessLevel", "gcp.access_level", wide, level_told("Wide", Some(true), &["0.0.0.0/0"], &[])),
        shown("/accessLevels/own", "AccessLevel", "gcp.access_level", custom, level_told("Own", None, &[], &[])),
    ]
}

fn shown(path: &str, word: &str, kind: &'static str, data: Value, truth: Value) -> Asset {
    let asset_type = match word {
        "AccessPolicy" => "accesscontextmanager.googleapis.com/AccessPolicy",
        "AccessLevel" => "accesscontextmanager.googleapis.com/AccessLevel",
        _ => "accesscontextmanager.googleapis.com/ServicePerimeter",
    };
    Asset { kind, asset_type, name: format!("//accesscontextmanager.googleapis.com/{POLICY}{path}"), location: "global", data, bindings: None, truth }
}

/// A deny policy, as IAM shows it, and what its rules are to be made of.
pub(crate) struct Denied {
    pub(crate) id: &'static str,
    pub(crate) rules: Vec<Value>,
    pub(crate) truth: Vec<Value>,
}

/// Those of a place: keys for nobody in the organisation but who breaks the glass, and nothing deleted in production without its tag.
pub(crate) fn denied(place: &str, domain: &str, folders: &[Folder]) -> Vec<Denied> {
    let everybody = "principalSet://goog/public:all";
    let rule = |rule: Value, told: (Value, Value, Value)| {
        let truth = json!({ "denied_principals": [everybody], "exception_principals": told.0, "denied_permissions": told.1, "exception_permissions": [], "condition": told.2 });
        (json!({ "description": "decided", "denyRule": rule }), truth)
    };
    let keys = "iam.googleapis.com/serviceAccountKeys.create";
    let glass = format!("principalSet://goog/group/glass@{domain}");
    let deletion = "cloudresourcemanager.googleapis.com/projects.delete";
    let condition = "resource.matchTag('1/environment', 'production')";
    let (rules, truth) = match place.split_once('/') {
        Some(("organizations", _number)) => vec![
            rule(json!({ "deniedPrincipals": [everybody], "exceptionPrincipals": [glass], "deniedPermissions": [keys] }), (json!([glass]), json!([keys]), Value::Null)),
            rule(
                json!({ "deniedPrincipals": [everybody], "deniedPermissions": [deletion], "denialCondition": { "title": "production", "expression": condition } }),
                (json!([]), json!([deletion]), json!(condition)),
            ),
        ],
        Some(("folders", number)) if folders.first().is_some_and(|first| first.number.to_string() == number) => {
            vec![rule(json!({ "deniedPrincipals": [everybody], "deniedPermissions": [deletion] }), (json!([]), json!([deletion]), Value::Null))]
        }
        _ => return Vec::new(),
    }
    .into_iter()
    .unzip();
    vec![Denied { id: "decided", rules, truth }]
}
