//! `gcp.gke_cluster`: Kubernetes clusters, in every location and in every status (a cluster that is being made or has failed is a member too).
//!
//! The API's JSON is proto3: false, zero, "" and empty lists are left out (<https://protobuf.dev/programming-guides/json/>). So a flag that is absent inside a part that is present is
//! false. A part that is absent as a whole was not configured: each attribute says what that means, and is unknown where a control would pass by it.
//! The request names the fields it wants, since the whole object may hold the cluster's password and client key (`masterAuth`), and node metadata that people fill with secrets.
//! Left out: node pools as resources of their own, and what runs in the cluster.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded, for_each};
use crate::collect::gcp::fields::{Absent, Read, attribute, flag, labels, list, put, record, short, text, texts};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Host, Kind, Population, Resource, Scope, Tally};

/// Collects `gcp.gke_cluster`.
#[derive(Debug, Clone, Copy)]
pub struct GkeCluster;

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "The cluster's name, unique in its project and location", "clusters.list name"),
    attribute("project", AttributeType::Text, "Id of the project that owns it", "the project asked"),
    attribute("location", AttributeType::Text, "A region or a zone", "clusters.list location, else the older zone"),
    attribute(
        "is_regional",
        AttributeType::Bool,
        "True where the location is a region, so that the control plane is in several zones",
        "clusters.list location",
    ),
    attribute("node_locations", AttributeType::List(&AttributeType::Text), "Zones of the nodes; unknown where absent", "clusters.list locations"),
    attribute("status", AttributeType::Text, "RUNNING, PROVISIONING, RECONCILING, STOPPING, ERROR, DEGRADED", "clusters.list status"),
    attribute("version", AttributeType::Text, "Of the control plane", "clusters.list currentMasterVersion"),
    attribute("release_channel", AttributeType::Text, "RAPID, REGULAR, STABLE, EXTENDED; UNSPECIFIED where absent", "clusters.list releaseChannel.channel"),
    attribute("autopilot", AttributeType::Bool, "True where Google runs the nodes; false where absent", "clusters.list autopilot.enabled"),
    attribute(
        "private_nodes",
        AttributeType::Bool,
        "True where no node pool has external addresses; a pool that says nothing follows the cluster, a cluster that says nothing has external ones",
        "clusters.list nodePools[].networkConfig.enablePrivateNodes, networkConfig.defaultEnablePrivateNodes, privateClusterConfig.enablePrivateNodes",
    ),
    attribute(
        "world_open_endpoint",
        AttributeType::Bool,
        "True where the control plane can be reached from any address: by its public address without authorised networks (or with half the world among them), or by its DNS name",
        "clusters.list controlPlaneEndpointsConfig, masterAuthorizedNetworksConfig, privateClusterConfig.enablePrivateEndpoint",
    ),
    attribute(
        "workload_pool",
        AttributeType::Text,
        "Pool of workload identities; empty where absent: not configured",
        "clusters.list workloadIdentityConfig.workloadPool",
    ),
    attribute("shielded_nodes", AttributeType::Bool, "False where absent", "clusters.list shieldedNodes.enabled"),
    attribute(
        "database_encryption",
        AttributeType::Text,
        "Wanted: ENCRYPTED, DECRYPTED, ALL_OBJECTS_ENCRYPTION_ENABLED; unknown where absent",
        "clusters.list databaseEncryption.state",
    ),
    attribute(
        "database_encryption_current",
        AttributeType::Text,
        "Reached, e.g. CURRENT_STATE_ENCRYPTED; unknown where absent",
        "clusters.list databaseEncryption.currentState",
    ),
    attribute(
        "legacy_abac",
        AttributeType::Bool,
        "True where the older authorisation is on; unknown where the whole part is absent",
        "clusters.list legacyAbac.enabled",
    ),
    attribute(
        "client_certificate",
        AttributeType::Bool,
        "True where a client certificate was or is issued; unknown where the whole part is absent",
        "clusters.list masterAuth.clientCertificate, masterAuth.clientCertificateConfig.issueClientCertificate",
    ),
    attribute(
        "network_policy",
        AttributeType::Bool,
        "True with the NetworkPolicy feature or Dataplane V2; false where absent",
        "clusters.list networkPolicy.enabled, networkConfig.datapathProvider",
    ),
    attribute(
        "log_components",
        AttributeType::List(&AttributeType::Text),
        "e.g. SYSTEM_COMPONENTS, WORKLOADS; unknown where the whole part is absent",
        "clusters.list loggingConfig.componentConfig.enableComponents",
    ),
    attribute("managed_prometheus", AttributeType::Bool, "False where absent", "clusters.list monitoringConfig.managedPrometheusConfig.enabled"),
    attribute(
        "binary_authorization",
        AttributeType::Text,
        "DISABLED (documented for absent) or PROJECT_SINGLETON_POLICY_ENFORCE, which the older enabled=true equals",
        "clusters.list binaryAuthorization.evaluationMode",
    ),
    attribute(
        "labels",
        AttributeType::Map(&AttributeType::Text),
        "Labels; the source leaves the field out where there are none",
        "clusters.list resourceLabels",
    ),
];

static KIND: Kind = Kind { name: "gcp.gke_cluster", meaning: "A Kubernetes cluster", permission: "container.clusters.list", attributes: ATTRIBUTES };

const CLUSTERS: &str = "container.projects.locations.clusters.list";

/// Everything but secrets. <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters>
const FIELDS: &str = "missingZones,clusters(name,id,selfLink,description,location,zone,locations,status,conditions,createTime,expireTime,\
currentMasterVersion,initialClusterVersion,releaseChannel,autopilot,network,networkConfig,networkPolicy,privateClusterConfig,controlPlaneEndpointsConfig,\
masterAuthorizedNetworksConfig,masterAuth(clientCertificate,clientCertificateConfig,clusterCaCertificate,username),legacyAbac,shieldedNodes,databaseEncryption,\
workloadIdentityConfig,binaryAuthorization,loggingService,loggingConfig,monitoringService,monitoringConfig,maintenancePolicy,addonsConfig,securityPostureConfig,\
confidentialNodes,authenticatorGroupsConfig,resourceLabels,\
nodePools(name,status,version,locations,management,networkConfig/enablePrivateNodes,config(imageType,serviceAccount,oauthScopes,shieldedInstanceConfig,workloadMetadataConfig)))";

#[async_trait]
impl Collector for GkeCluster {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let found = hierarchy::ask(scope, api, KIND.name).await?;
        for_each(found.projects.into_iter().collect(), |id| async move {
            let target = format!("/v1/projects/{}/locations/-/clusters?fields={FIELDS}", encoded(&id));
            api.send(Request::get(Host::Google("container"), target, CLUSTERS, format!("projects/{id}"), KIND.name)).await.map(drop)
        })
        .await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "all clusters in all locations");
        for (id, _row) in hierarchy.live() {
            read_project(id, evidence, &mut population, emit)?;
        }
        Ok(hierarchy.close(population))
    }
}

fn read_project(id: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let name = format!("projects/{id}");
    let listing = Listing {
        operation: CLUSTERS,
        subject: &name,
        entries: "clusters",
        partial: Some("missingZones"),
        permission: "container.clusters.list",
        place: &name,
    };
    let mut seen = BTreeSet::new();
    let listed = listing.read(evidence, &mut |item, n| match resource(item, id, n) {
        Ok(cluster) if seen.insert(cluster.id.clone()) => {
            emit(cluster.completed(&KIND));
            Ok(None)
        }
        Ok(cluster) => Ok(Some(Gap::new(GapCause::Malformed, format!("two clusters of {name} are called {}", cluster.name)))),
        Err(gap) => Ok(Some(gap)),
    })?;
    let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
    population.tallies.push(Tally { tenant: name, count, second_count: None, second_source: "none: the cluster listing names no total".to_owned() });
    population.gaps.extend(listed.gaps);
    population.evidence.extend(listed.evidence);
    Ok(())
}

fn resource(item: &Value, project: &str, n: u32) -> Result<Resource, Gap> {
    let nameless = || Gap::new(GapCause::Malformed, format!("a cluster of projects/{project} has no usable name"));
    let name = text(item, "name").ok().flatten().ok_or_else(nameless)?;
    let location = location(item);
    let place = location.as_ref().ok().copied().flatten().unwrap_or("-");
    let id = format!("//container.googleapis.com/projects/{project}/locations/{place}/clusters/{name}").parse().map_err(|_unusable| nameless())?;
    let mut cluster = Resource::new(&KIND, id, format!("{project}/{}", short(name)), vec![n]);
    cluster.know("name", name);
    cluster.know("project", project);
    put(&mut cluster, "is_regional", location.clone().and_then(|place| place.map(is_region).transpose()), Absent::IsUnknown);
    put(&mut cluster, "location", location, Absent::IsUnknown);
    put(&mut cluster, "node_locations", texts(item, "locations"), Absent::IsUnknown);
    put(&mut cluster, "status", text(item, "status"), Absent::IsUnknown);
    put(&mut cluster, "version", text(item, "currentMasterVersion"), Absent::IsUnknown);
    put(&mut cluster, "release_channel", text(item, "releaseChannel/channel"), Absent::Means(json!("UNSPECIFIED")));
    put(&mut cluster, "autopilot", flag(item, "autopilot/enabled"), Absent::Means(json!(false)));
    put(&mut cluster, "labels", labels(item, "resourceLabels"), Absent::Means(json!({})));
    protection(&mut cluster, item);
    Ok(cluster)
}

fn protection(cluster: &mut Resource, item: &Value) {
    put(cluster, "private_nodes", private_nodes(item).map(Some), Absent::IsUnknown);
    put(cluster, "world_open_endpoint", world_open_endpoint(item).map(Some), Absent::IsUnknown);
    put(cluster, "workload_pool", text(item, "workloadIdentityConfig/workloadPool"), Absent::Means(json!("")));
    put(cluster, "shielded_nodes", flag(item, "shieldedNodes/enabled"), Absent::Means(json!(false)));
    put(cluster, "database_encryption", text(item, "databaseEncryption/state"), Absent::IsUnknown);
    put(cluster, "database_encryption_current", text(item, "databaseEncryption/currentState"), Absent::IsUnknown);
    put(cluster, "legacy_abac", within(item, "legacyAbac", |item| Ok(flag(item, "legacyAbac/enabled")?.unwrap_or(false))), Absent::IsUnknown);
    put(cluster, "client_certificate", within(item, "masterAuth", client_certificate), Absent::IsUnknown);
    put(cluster, "network_policy", network_policy(item).map(Some), Absent::IsUnknown);
    let components = |item: &Value| Ok(json!(texts(item, "loggingConfig/componentConfig/enableComponents")?.unwrap_or_default()));
    put(cluster, "log_components", within(item, "loggingConfig", components), Absent::IsUnknown);
    put(cluster, "managed_prometheus", flag(item, "monitoringConfig/managedPrometheusConfig/enabled"), Absent::Means(json!(false)));
    put(cluster, "binary_authorization", binary_authorization(item).map(Some), Absent::IsUnknown);
}

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
