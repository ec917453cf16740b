//! Kubernetes clusters, in every location and in every status (a cluster that is being made or has failed is a member too).
//!
//! The API's JSON is proto3: false, zero, "" and empty lists are left out (<https://protobuf.dev/programming-guides/json/>). So a flag that is absent inside a part that is present is
//! false. A part that is absent as a whole was not configured: each attribute says what that means, and is unknown where a control would pass by it.
//! The whole object may hold the cluster's password and client key (`masterAuth`), and node metadata that people fill with secrets: the service's own listing is not asked for those,
//! and what the inventory shows of them is taken out before anything is kept.
//! Left out: node pools as resources of their own, and what runs in the cluster.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, flag, list, record, text, texts, time};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

const EXCLUSION: &[AttributeDecl] = &[
    AttributeDecl { name: "name", ty: TEXT, meaning: "What it is called", vendor: "the key in maintenanceExclusions" },
    AttributeDecl { name: "start", ty: AttributeType::Time, meaning: "When it begins", vendor: "startTime" },
    AttributeDecl { name: "end", ty: AttributeType::Time, meaning: "When it ends", vendor: "endTime" },
];

/// `gcp.gke_cluster`. <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters>
pub static GKE_CLUSTER: Asset = Asset {
    kind: &Kind {
        name: "gcp.gke_cluster",
        meaning: "A Kubernetes cluster",
        permission: "cloudasset.assets.listResource, or container.clusters.list",
        attributes: columns! { "container.clusters";
            "name": TEXT, "The cluster's name, unique in its project and location", "name";
            "location": TEXT, "A region or a zone", "location, else the older zone";
            "is_regional": BOOL, "True where the location is a region, so that the control plane is in several zones", "location";
            "node_locations": TEXTS, "Zones of the nodes; unknown where absent", "locations";
            "status": TEXT, "RUNNING, PROVISIONING, RECONCILING, STOPPING, ERROR, DEGRADED", "status";
            "version": TEXT, "Of the control plane", "currentMasterVersion";
            "release_channel": TEXT, "RAPID, REGULAR, STABLE, EXTENDED; UNSPECIFIED where absent", "releaseChannel.channel";
            "autopilot": BOOL, "True where Google runs the nodes; false where absent", "autopilot.enabled";
            "private_nodes": BOOL, "True where no node pool has external addresses; a pool that says nothing follows the cluster, a cluster that says nothing has external ones", "nodePools[].networkConfig.enablePrivateNodes, networkConfig.defaultEnablePrivateNodes, privateClusterConfig.enablePrivateNodes";
            "world_open_endpoint": BOOL, "True where the control plane can be reached from any address: by its public address without authorised networks (or with half the world among them), or by its DNS name", "controlPlaneEndpointsConfig, masterAuthorizedNetworksConfig, privateClusterConfig.enablePrivateEndpoint";
            "workload_pool": TEXT, "Pool of workload identities; empty where absent: not configured", "workloadIdentityConfig.workloadPool";
            "shielded_nodes": BOOL, "False where absent", "shieldedNodes.enabled";
            "database_encryption": TEXT, "Wanted: ENCRYPTED, DECRYPTED, ALL_OBJECTS_ENCRYPTION_ENABLED; unknown where absent", "databaseEncryption.state";
            "database_encryption_current": TEXT, "Reached, e.g. CURRENT_STATE_ENCRYPTED; unknown where absent", "databaseEncryption.currentState";
            "legacy_abac": BOOL, "True where the older authorisation is on; unknown where the whole part is absent", "legacyAbac.enabled";
            "client_certificate": BOOL, "True where a client certificate was or is issued; unknown where the whole part is absent", "masterAuth.clientCertificate, masterAuth.clientCertificateConfig.issueClientCertificate";
            "network_policy": BOOL, "True with the NetworkPolicy feature or Dataplane V2; false where absent", "networkPolicy.enabled, networkConfig.datapathProvider";
            "log_components": TEXTS, "e.g. SYSTEM_COMPONENTS, WORKLOADS; unknown where the whole part is absent", "loggingConfig.componentConfig.enableComponents";
            "managed_prometheus": BOOL, "False where absent", "monitoringConfig.managedPrometheusConfig.enabled";
            "binary_authorization": TEXT, "DISABLED (documented for absent) or PROJECT_SINGLETON_POLICY_ENFORCE, which the older enabled=true equals", "binaryAuthorization.evaluationMode";
            "default_account": BOOL, "True where a node pool acts as the project's default service account of Compute Engine, which is what a pool without an account does", "nodePools[].config.serviceAccount";
            "auto_upgrade": BOOL, "True where every node pool is upgraded by itself", "nodePools[].management.autoUpgrade";
            "auto_repair": BOOL, "True where every node pool replaces broken nodes by itself", "nodePools[].management.autoRepair";
            "secure_boot": BOOL, "True where the nodes of every pool boot signed software only", "nodePools[].config.shieldedInstanceConfig.enableSecureBoot";
            "integrity_monitoring": BOOL, "True where what boots on the nodes of every pool is compared with what booted before", "nodePools[].config.shieldedInstanceConfig.enableIntegrityMonitoring";
            "exclusions": AttributeType::List(&AttributeType::Record(EXCLUSION)), "Times in which nothing is upgraded; none where no policy says so", "maintenancePolicy.window.maintenanceExclusions";
            "alpha": BOOL, "True where alpha features of Kubernetes are on, with which a cluster lives for thirty days and is not upgraded; false where absent", "enableKubernetesAlpha";
            "vpc_native": BOOL, "True where pods have addresses of the network; false where absent", "ipAllocationPolicy.useIpAliases";
            "intranode_visibility": BOOL, "True where traffic between pods of one node is seen by firewalls and flow logs; false where absent", "networkConfig.enableIntraNodeVisibility";
            "node_images": TEXTS, "What nodes run, e.g. COS_CONTAINERD; unknown where a pool does not say", "nodePools[].config.imageType";
            "backup_plans": AttributeType::Int, "How many plans back it up by themselves; unknown without the inventory", "backupPlans[].cluster";
            "labels": AttributeType::Map(&AttributeType::Text), "Labels; the source leaves the field out where there are none", "resourceLabels";
        },
    },
    types: &["container.googleapis.com/Cluster"],
    absences: &[
        ("release_channel", Absence::Text("UNSPECIFIED")),
        ("autopilot", Absence::False),
        ("workload_pool", Absence::Text("")),
        ("shielded_nodes", Absence::False),
        ("managed_prometheus", Absence::False),
        ("alpha", Absence::False),
        ("vpc_native", Absence::False),
        ("intranode_visibility", Absence::False),
        ("labels", Absence::NoEntries),
    ],
    derived: &[
        Derived { name: "location", read: |item| Ok(location(item)?.map(Value::from)) },
        Derived { name: "is_regional", read: |item| Ok(location(item)?.map(is_region).transpose()?.map(Value::from)) },
        Derived { name: "private_nodes", read: |item| private_nodes(item).map(|private| Some(json!(private))) },
        Derived { name: "world_open_endpoint", read: |item| world_open_endpoint(item).map(|open| Some(json!(open))) },
        Derived { name: "legacy_abac", read: |item| within(item, "legacyAbac", |item| Ok(json!(flag(item, "legacyAbac/enabled")?.unwrap_or(false)))) },
        Derived { name: "client_certificate", read: |item| within(item, "masterAuth", |item| client_certificate(item).map(Value::from)) },
        Derived { name: "network_policy", read: |item| network_policy(item).map(|on| Some(json!(on))) },
        Derived {
            name: "log_components",
            read: |item| within(item, "loggingConfig", |item| Ok(json!(texts(item, "loggingConfig/componentConfig/enableComponents")?.unwrap_or_default()))),
        },
        Derived { name: "default_account", read: default_account },
        Derived { name: "auto_upgrade", read: |item| every_pool(item, "management", "management/autoUpgrade") },
        Derived { name: "auto_repair", read: |item| every_pool(item, "management", "management/autoRepair") },
        Derived { name: "secure_boot", read: |item| every_pool(item, "config", "config/shieldedInstanceConfig/enableSecureBoot") },
        Derived { name: "integrity_monitoring", read: |item| every_pool(item, "config", "config/shieldedInstanceConfig/enableIntegrityMonitoring") },
        Derived { name: "node_images", read: node_images },
        Derived { name: "exclusions", read: exclusions },
        Derived { name: "binary_authorization", read: |item| binary_authorization(item).map(|mode| Some(json!(mode))) },
    ],
    direct: Some(Direct {
        service: "container",
        operation: "container.projects.locations.clusters.list",
        target: TARGET,
        entries: "clusters",
        partial: Some("missingZones"),
        permission: "container.clusters.list",
        name: "//container.googleapis.com/projects/{project}/locations/{location|zone|-}/clusters/{name}",
        policy: None,
    }),
};

/// Everything but secrets. <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters>
const TARGET: &str = "/v1/projects/{project}/locations/-/clusters?fields=missingZones,clusters(name,id,selfLink,description,location,zone,locations,status,conditions,createTime,expireTime,\
currentMasterVersion,initialClusterVersion,releaseChannel,autopilot,network,networkConfig,networkPolicy,privateClusterConfig,controlPlaneEndpointsConfig,\
masterAuthorizedNetworksConfig,masterAuth(clientCertificate,clientCertificateConfig,clusterCaCertificate,username),legacyAbac,shieldedNodes,databaseEncryption,\
workloadIdentityConfig,binaryAuthorization,loggingService,loggingConfig,monitoringService,monitoringConfig,maintenancePolicy,addonsConfig,securityPostureConfig,\
confidentialNodes,authenticatorGroupsConfig,resourceLabels,enableKubernetesAlpha,ipAllocationPolicy/useIpAliases,\
nodePools(name,status,version,locations,management,networkConfig/enablePrivateNodes,config(imageType,serviceAccount,oauthScopes,shieldedInstanceConfig,workloadMetadataConfig)))";

/// A value of a part that says nothing where it is absent as a whole.
fn within<T>(item: &Value, whole: &str, read: impl FnOnce(&Value) -> Result<T, Gap>) -> Read<T> {
    record(item, whole)?.map(|_present| read(item)).transpose()
}

fn location(item: &Value) -> Read<&str> {
    let given = |place: &&str| !place.is_empty();
    match text(item, "location")?.filter(given) {
        Some(location) => Ok(Some(location)),
        None => Ok(text(item, "zone")?.filter(given)),
    }
}

/// `europe-west4` is a region, `europe-west4-a` a zone of it. <https://cloud.google.com/compute/docs/regions-zones>
fn is_region(location: &str) -> Result<bool, Gap> {
    match location.split('-').count() {
        2 => Ok(true),
        3 => Ok(false),
        _ => Err(Gap::new(GapCause::Malformed, "the location is neither a region nor a zone")),
    }
}

/// A pool that names no choice follows the cluster's default; the older `privateClusterConfig` is where clusters made before 2024 keep theirs.
fn private_nodes(item: &Value) -> Result<bool, Gap> {
    let default = match flag(item, "networkConfig/defaultEnablePrivateNodes")? {
        Some(chosen) => chosen,
        None => flag(item, "privateClusterConfig/enablePrivateNodes")?.unwrap_or(false),
    };
    let pools = list(item, "nodePools")?.unwrap_or_default();
    let mut private = default || !pools.is_empty();
    for pool in pools {
        private = private && flag(pool, "networkConfig/enablePrivateNodes")?.unwrap_or(default);
    }
    Ok(private)
}

/// The pools; unknown where the field is absent, which a cluster without pools and one that is being made have in common.
fn pools(item: &Value) -> Result<&[Value], Gap> {
    list(item, "nodePools")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the cluster's node pools are not told"))
}

/// A flag of every pool; unknown where a pool lacks the whole part that it is in, else false where the flag is left out.
fn every_pool(item: &Value, part: &str, path: &str) -> Read<Value> {
    let mut every = true;
    for pool in pools(item)? {
        record(pool, part)?.ok_or_else(|| Gap::new(GapCause::LeftOut, format!("a node pool does not tell its {part}")))?;
        every = flag(pool, path)?.unwrap_or(false) && every;
    }
    Ok(Some(json!(every)))
}

/// "If not specified, the default service account is used", which GKE writes as `default`.
/// <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodeConfig>
fn default_account(item: &Value) -> Read<Value> {
    let mut default = false;
    for pool in pools(item)? {
        record(pool, "config")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a node pool does not tell its config"))?;
        let account = text(pool, "config/serviceAccount")?.unwrap_or("default");
        default = default || account == "default" || account.is_empty() || account.ends_with("-compute@developer.gserviceaccount.com");
    }
    Ok(Some(json!(default)))
}

/// What the nodes of each pool run, once each.
fn node_images(item: &Value) -> Read<Value> {
    let image = |pool| text(pool, "config/imageType")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a node pool does not tell its image"));
    let images = pools(item)?.iter().map(image).collect::<Result<BTreeSet<_>, Gap>>()?;
    Ok(Some(json!(images)))
}

fn exclusions(item: &Value) -> Read<Value> {
    let mut read = Vec::new();
    for (name, exclusion) in record(item, "maintenancePolicy/window/maintenanceExclusions")?.into_iter().flatten() {
        let at = |field| time(exclusion, field)?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an exclusion does not tell when it is"));
        read.push(json!({ "name": name, "start": at("startTime")?, "end": at("endTime")? }));
    }
    Ok(Some(json!(read)))
}

/// By the public address (unless switched off, or behind authorised networks), or by the DNS name where outside traffic is allowed.
/// Whatever is left out counts as open: the control plane has a public address without authorised networks unless someone chose otherwise.
/// <https://cloud.google.com/kubernetes-engine/docs/how-to/latest/network-isolation>
fn world_open_endpoint(item: &Value) -> Result<bool, Gap> {
    if flag(item, "controlPlaneEndpointsConfig/dnsEndpointConfig/allowExternalTraffic")?.unwrap_or(false) {
        return Ok(true);
    }
    if flag(item, "controlPlaneEndpointsConfig/ipEndpointsConfig/enabled")? == Some(false) {
        return Ok(false);
    }
    let public = match flag(item, "controlPlaneEndpointsConfig/ipEndpointsConfig/enablePublicEndpoint")? {
        Some(public) => public,
        None => !flag(item, "privateClusterConfig/enablePrivateEndpoint")?.unwrap_or(false),
    };
    if !public {
        return Ok(false);
    }
    let newer = "controlPlaneEndpointsConfig/ipEndpointsConfig/authorizedNetworksConfig";
    let networks = if record(item, newer)?.is_some() { newer } else { "masterAuthorizedNetworksConfig" };
    if !flag(item, &format!("{networks}/enabled"))?.unwrap_or(false) {
        return Ok(true);
    }
    let mut open = false;
    for block in list(item, &format!("{networks}/cidrBlocks"))?.unwrap_or_default() {
        open = open || is_half_the_world(text(block, "cidrBlock")?.unwrap_or_default())?;
    }
    Ok(open)
}

/// Two halves (`0.0.0.0/1`, `128.0.0.0/1`) are the whole, so a prefix of one bit counts as open too.
fn is_half_the_world(cidr: &str) -> Result<bool, Gap> {
    let prefix = cidr.rsplit_once('/').and_then(|(_address, prefix)| prefix.parse::<u8>().ok());
    prefix.map(|bits| bits <= 1).ok_or_else(|| Gap::new(GapCause::Malformed, "an authorised network is not in CIDR notation"))
}

/// `clientCertificate` is issued only where it was asked for; the request for it (`issueClientCertificate`) stays visible without the permission to see credentials.
fn client_certificate(item: &Value) -> Result<bool, Gap> {
    let issued = text(item, "masterAuth/clientCertificate")?.is_some_and(|certificate| !certificate.is_empty());
    Ok(issued || flag(item, "masterAuth/clientCertificateConfig/issueClientCertificate")?.unwrap_or(false))
}

/// Dataplane V2 enforces network policies by itself. <https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2>
fn network_policy(item: &Value) -> Result<bool, Gap> {
    let dataplane_v2 = text(item, "networkConfig/datapathProvider")? == Some("ADVANCED_DATAPATH");
    Ok(dataplane_v2 || flag(item, "networkPolicy/enabled")?.unwrap_or(false))
}

fn binary_authorization(item: &Value) -> Result<&str, Gap> {
    match text(item, "binaryAuthorization/evaluationMode")? {
        Some(mode) if mode != "EVALUATION_MODE_UNSPECIFIED" => Ok(mode),
        _ if flag(item, "binaryAuthorization/enabled")?.unwrap_or(false) => Ok("PROJECT_SINGLETON_POLICY_ENFORCE"),
        _ => Ok("DISABLED"),
    }
}
