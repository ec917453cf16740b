//! Load balancers.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;

const SERVER: &str = "https://www.googleapis.com/compute/v1/";

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(40) {
        let logged = dice.chance(70);
        let guard = format!("{SERVER}projects/{}/global/securityPolicies/edge", project.id);
        let fields = json!({ "loadBalancingScheme": "EXTERNAL_MANAGED", "protocol": "HTTPS", "logConfig": { "enable": logged, "sampleRate": 1.0 }, "securityPolicy": guard });
        let told = json!({ "scheme": "EXTERNAL_MANAGED", "protocol": "HTTPS", "logged": logged, "security_policy": "edge" });
        assets.push(compute(project, ("gcp.backend_service", "BackendService"), "global/backendServices/web", &fields, &told));
        let policy = format!("{SERVER}projects/{}/global/sslPolicies/strong", project.id);
        assets.push(compute(
            project,
            ("gcp.https_proxy", "TargetHttpsProxy"),
            "global/targetHttpsProxies/web",
            &json!({ "sslPolicy": policy, "urlMap": format!("{SERVER}projects/{}/global/urlMaps/web", project.id) }),
            &json!({ "ssl_policy": "strong" }),
        ));
        let ciphers = json!(["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]);
        assets.push(compute(
            project,
            ("gcp.ssl_policy", "SslPolicy"),
            "global/sslPolicies/strong",
            &json!({ "profile": "MODERN", "minTlsVersion": "TLS_1_2", "enabledFeatures": ciphers }),
            &json!({ "profile": "MODERN", "min_tls": "TLS_1_2", "ciphers": ciphers }),
        ));
    }
    if dice.chance(25) {
        let fields = json!({ "loadBalancingScheme": "INTERNAL", "protocol": "TCP", "region": format!("{SERVER}projects/{}/regions/europe-west4", project.id) });
        let told = json!({ "scheme": "INTERNAL", "protocol": "TCP", "logged": false, "security_policy": null });
        assets.push(compute(project, ("gcp.backend_service", "RegionBackendService"), "regions/europe-west4/backendServices/inside", &fields, &told));
        assets.push(compute(project, ("gcp.https_proxy", "TargetHttpsProxy"), "global/targetHttpsProxies/plain", &json!({}), &json!({ "ssl_policy": null })));
        let policy = format!("{SERVER}projects/{}/global/sslPolicies/old", project.id);
        assets.push(compute(
            project,
            ("gcp.ssl_proxy", "TargetSslProxy"),
            "global/targetSslProxies/mail",
            &json!({ "sslPolicy": policy }),
            &json!({ "ssl_policy": "old" }),
        ));
        let ciphers = json!(["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"]);
        assets.push(compute(
            project,
            ("gcp.ssl_policy", "SslPolicy"),
            "global/sslPolicies/old",
            &json!({ "profile": "COMPATIBLE", "minTlsVersion": "TLS_1_0", "enabledFeatures": ciphers }),
            &json!({ "profile": "COMPATIBLE", "min_tls": "TLS_1_0", "ciphers": ciphers }),
        ));
    }
    assets
}

/// What stands in Compute Engine.
pub(crate) fn compute(project: &Project, (kind, what): (&'static str, &str), path: &str, fields: &Value, told: &Value) -> Asset {
    let path = format!("projects/{}/{path}", project.id);
    let name = path.rsplit('/').next().unwrap_or_default();
    let common = json!({ "kind": format!("compute#{}{}", what[..1].to_lowercase(), &what[1..]), "name": name, "selfLink": format!("{SERVER}{path}") });
    Asset {
        kind,
        asset_type: match what {
            "BackendService" => "compute.googleapis.com/BackendService",
            "RegionBackendService" => "compute.googleapis.com/RegionBackendService",
            "TargetHttpsProxy" => "compute.googleapis.com/TargetHttpsProxy",
            "TargetSslProxy" => "compute.googleapis.com/TargetSslProxy",
            "SslPolicy" => "compute.googleapis.com/SslPolicy",
            "InstanceGroupManager" => "compute.googleapis.com/InstanceGroupManager",
            "RegionInstanceGroupManager" => "compute.googleapis.com/RegionInstanceGroupManager",
            _ => "compute.googleapis.com/Image",
        },
        name: format!("//compute.googleapis.com/{path}"),
        location: if path.contains("/global/") { "global" } else { "europe-west4" },
        data: joined(common, fields),
        bindings: None,
        truth: joined(json!({ "name": name }), told),
    }
}
