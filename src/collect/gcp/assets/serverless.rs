//! Services of Cloud Run and functions: who may call them, from where, and as whom they act. Their code and variables are never read.
//!
//! The inventory shows services as the older API does, whose fields stand elsewhere; both places are read.
//! <https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services>

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::direct::{Direct, ItemPolicy};
use crate::collect::gcp::fields::{Read, list, record, text};
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;

/// `gcp.run_service`.
pub static RUN_SERVICE: Asset = Asset {
    kind: &Kind {
        name: "gcp.run_service",
        meaning: "A service of Cloud Run",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy, or run.services.list and run.services.getIamPolicy",
        attributes: columns! { "services", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the region", "name";
            "ingress": TEXT, "all, internal, or internal-and-cloud-load-balancing: from where it can be reached", "ingress";
            "default_account": BOOL, "True where it acts as the project's default service account", "template.serviceAccount";
        },
    },
    types: &["run.googleapis.com/Service"],
    absences: &[],
    derived: &[
        Derived { name: "name", read: |data| name(data, &["metadata/name", "name"]) },
        Derived { name: "ingress", read: ingress },
        Derived {
            name: "default_account",
            read: |data| acts_as_default(data, &["spec/template/spec", "template"], &["spec/template/spec/serviceAccountName", "template/serviceAccount"]),
        },
    ],
    direct: Some(Direct {
        service: "run",
        operation: "run.projects.locations.services.list",
        target: "/v2/projects/{project}/locations/-/services?pageSize=100",
        entries: "services",
        partial: None,
        permission: "run.services.list",
        name: "//run.googleapis.com/{name}",
        policy: Some(ItemPolicy {
            operation: "run.projects.locations.services.getIamPolicy",
            target: "/v2/{name}:getIamPolicy?options.requestedPolicyVersion=3",
            permission: "run.services.getIamPolicy",
        }),
    }),
};

/// `gcp.cloud_function`. <https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions>
pub static CLOUD_FUNCTION: Asset = Asset {
    kind: &Kind {
        name: "gcp.cloud_function",
        meaning: "A function of Cloud Run functions, of either generation",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy, or cloudfunctions.functions.list and cloudfunctions.functions.getIamPolicy",
        attributes: columns! { "functions", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the region", "name";
            "runtime": TEXT, "e.g. nodejs22", "buildConfig.runtime";
            "ingress": TEXT, "ALLOW_ALL, ALLOW_INTERNAL_ONLY or ALLOW_INTERNAL_AND_GCLB: from where it can be reached", "serviceConfig.ingressSettings";
            "in_vpc": BOOL, "True where it is connected to a network of the project", "serviceConfig.vpcConnector, serviceConfig.directVpcNetworkInterface";
            "default_account": BOOL, "True where it acts as one of the project's default service accounts", "serviceConfig.serviceAccountEmail";
        },
    },
    types: &["cloudfunctions.googleapis.com/Function", "cloudfunctions.googleapis.com/CloudFunction"],
    absences: &[],
    derived: &[
        Derived { name: "name", read: |data| name(data, &["name"]) },
        Derived { name: "runtime", read: |data| Ok(first(data, &["buildConfig/runtime", "runtime"])?.map(Value::from)) },
        Derived { name: "ingress", read: |data| Ok(first(data, &["serviceConfig/ingressSettings", "ingressSettings"])?.map(Value::from)) },
        Derived { name: "in_vpc", read: in_vpc },
        Derived {
            name: "default_account",
            read: |data| acts_as_default(data, &["serviceConfig"], &["serviceConfig/serviceAccountEmail", "serviceAccountEmail"]),
        },
    ],
    direct: Some(Direct {
        service: "cloudfunctions",
        operation: "cloudfunctions.projects.locations.functions.list",
        target: "/v2/projects/{project}/locations/-/functions?pageSize=1000",
        entries: "functions",
        partial: Some("unreachable"),
        permission: "cloudfunctions.functions.list",
        name: "//cloudfunctions.googleapis.com/{name}",
        policy: Some(ItemPolicy {
            operation: "cloudfunctions.projects.locations.functions.getIamPolicy",
            target: "/v2/{name}:getIamPolicy?options.requestedPolicyVersion=3",
            permission: "cloudfunctions.functions.getIamPolicy",
        }),
    }),
};

/// The first of several places that says something.
fn first<'a>(data: &'a Value, paths: &[&str]) -> Read<&'a str> {
    for path in paths {
        if let Some(found) = text(data, path)?.filter(|found| !found.is_empty()) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn name(data: &Value, paths: &[&str]) -> Read<Value> {
    Ok(first(data, paths)?.map(|name| json!(name.rsplit('/').next().unwrap_or(name))))
}

/// In the words of the older API, whose annotations have them.
fn ingress(data: &Value) -> Read<Value> {
    let annotation = data.pointer("/metadata/annotations").and_then(|annotations| annotations.get("run.googleapis.com/ingress"));
    let words = match (annotation, text(data, "ingress")?) {
        (Some(annotation), _) => annotation.as_str(),
        (None, Some("INGRESS_TRAFFIC_ALL")) => Some("all"),
        (None, Some("INGRESS_TRAFFIC_INTERNAL_ONLY")) => Some("internal"),
        (None, Some("INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")) => Some("internal-and-cloud-load-balancing"),
        (None, None) => return Ok(None),
        (None, Some(_)) => None,
    };
    let strange = || Gap::new(GapCause::Malformed, "from where the service can be reached is said in words that are not documented");
    words.map(|words| Some(json!(words))).ok_or_else(strange)
}

/// "If not provided, the revision will use the project's default service account." Where the part that would name one is not shown either, nothing is known.
fn acts_as_default(data: &Value, parts: &[&str], paths: &[&str]) -> Read<Value> {
    const DEFAULTS: [&str; 2] = ["-compute@developer.gserviceaccount.com", "@appspot.gserviceaccount.com"];
    let is_default = |email: &str| DEFAULTS.iter().any(|default| email.ends_with(default));
    match first(data, paths)? {
        Some(email) => Ok(Some(json!(is_default(email)))),
        None => Ok(is_shown(data, parts)?.then_some(json!(true))),
    }
}

/// Through a connector, or, of the second generation, directly. One of the first generation shows its runtime beside its connector.
fn in_vpc(data: &Value) -> Read<Value> {
    let directly = list(data, "serviceConfig/directVpcNetworkInterface")?.is_some_and(|interfaces| !interfaces.is_empty());
    let connected = directly || first(data, &["serviceConfig/vpcConnector", "vpcConnector"])?.is_some();
    let is_told = connected || is_shown(data, &["serviceConfig"])? || text(data, "runtime")?.is_some();
    Ok(is_told.then_some(json!(connected)))
}

fn is_shown(data: &Value, parts: &[&str]) -> Result<bool, Gap> {
    for part in parts {
        if record(data, part)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
