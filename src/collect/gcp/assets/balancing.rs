//! Load balancers: what they log, and with what they encrypt.
//!
//! Left out: proxies of one region, which the inventory does not list as such, and what a URL map does with requests that are not encrypted.

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::last_word;
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const MAYBE: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// `gcp.backend_service`. <https://cloud.google.com/compute/docs/reference/rest/v1/backendServices>
pub static BACKEND_SERVICE: Asset = Asset {
    kind: &Kind {
        name: "gcp.backend_service",
        meaning: "What a load balancer sends requests to",
        permission: "cloudasset.assets.listResource, or compute.backendServices.list",
        attributes: columns! { "compute.backendServices";
            "name": TEXT, "Its name in the project", "name";
            "scheme": TEXT, "EXTERNAL or EXTERNAL_MANAGED where it faces the internet; INTERNAL and others where not", "loadBalancingScheme";
            "protocol": TEXT, "e.g. HTTP, HTTPS or TCP", "protocol";
            "logged": BOOL, "True where requests are logged", "logConfig.enable";
            "security_policy": MAYBE, "Name of the policy of Cloud Armor that guards it; null where none does", "securityPolicy";
        },
    },
    types: &["compute.googleapis.com/BackendService", "compute.googleapis.com/RegionBackendService"],
    // "By default logging is disabled": https://cloud.google.com/load-balancing/docs/https/https-logging-monitoring
    absences: &[("logged", Absence::False), ("security_policy", Absence::Null)],
    derived: &[Derived { name: "security_policy", read: |data| Ok(Some(last_word(data, "securityPolicy")?.unwrap_or_default())) }],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.backendServices.aggregatedList",
        target: "/compute/v1/projects/{project}/aggregated/backendServices?maxResults=500",
        entries: "items/*/backendServices",
        partial: None,
        permission: "compute.backendServices.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// `gcp.https_proxy`. <https://cloud.google.com/compute/docs/reference/rest/v1/targetHttpsProxies>
pub static HTTPS_PROXY: Asset = Asset {
    kind: &Kind {
        name: "gcp.https_proxy",
        meaning: "What ends the encryption of HTTPS in front of a load balancer",
        permission: "cloudasset.assets.listResource, or compute.targetHttpsProxies.list",
        attributes: columns! { "compute.targetHttpsProxies";
            "name": TEXT, "Its name in the project", "name";
            "ssl_policy": MAYBE, "Name of its SSL policy; null where Google's default holds, which takes TLS 1.0 and old ciphers", "sslPolicy";
        },
    },
    types: &["compute.googleapis.com/TargetHttpsProxy"],
    absences: &[("ssl_policy", Absence::Null)],
    derived: &[Derived { name: "ssl_policy", read: |data| Ok(Some(last_word(data, "sslPolicy")?.unwrap_or_default())) }],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.targetHttpsProxies.list",
        target: "/compute/v1/projects/{project}/global/targetHttpsProxies?maxResults=500",
        entries: "items",
        partial: None,
        permission: "compute.targetHttpsProxies.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// `gcp.ssl_proxy`. <https://cloud.google.com/compute/docs/reference/rest/v1/targetSslProxies>
pub static SSL_PROXY: Asset = Asset {
    kind: &Kind {
        name: "gcp.ssl_proxy",
        meaning: "What ends the encryption of other traffic in front of a load balancer",
        permission: "cloudasset.assets.listResource, or compute.targetSslProxies.list",
        attributes: columns! { "compute.targetSslProxies";
            "name": TEXT, "Its name in the project", "name";
            "ssl_policy": MAYBE, "Name of its SSL policy; null where Google's default holds, which takes TLS 1.0 and old ciphers", "sslPolicy";
        },
    },
    types: &["compute.googleapis.com/TargetSslProxy"],
    absences: &[("ssl_policy", Absence::Null)],
    derived: &[Derived { name: "ssl_policy", read: |data| Ok(Some(last_word(data, "sslPolicy")?.unwrap_or_default())) }],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.targetSslProxies.list",
        target: "/compute/v1/projects/{project}/global/targetSslProxies?maxResults=500",
        entries: "items",
        partial: None,
        permission: "compute.targetSslProxies.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// `gcp.ssl_policy`. <https://cloud.google.com/compute/docs/reference/rest/v1/sslPolicies>
pub static SSL_POLICY: Asset = Asset {
    kind: &Kind {
        name: "gcp.ssl_policy",
        meaning: "Which versions of TLS and which ciphers load balancers take",
        permission: "cloudasset.assets.listResource, or compute.sslPolicies.list",
        attributes: columns! { "compute.sslPolicies";
            "name": TEXT, "Its name in the project", "name";
            "profile": TEXT, "COMPATIBLE, MODERN, RESTRICTED, FIPS_202205 or CUSTOM", "profile";
            "min_tls": TEXT, "TLS_1_0, TLS_1_1, TLS_1_2 or TLS_1_3", "minTlsVersion";
            "ciphers": TEXTS, "What it takes, as the profile or its owner chose", "enabledFeatures";
        },
    },
    types: &["compute.googleapis.com/SslPolicy"],
    absences: &[],
    derived: &[],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.sslPolicies.aggregatedList",
        target: "/compute/v1/projects/{project}/aggregated/sslPolicies?maxResults=500",
        entries: "items/*/sslPolicies",
        partial: None,
        permission: "compute.sslPolicies.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};
