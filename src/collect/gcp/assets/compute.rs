//! Virtual machines, and what a project sets for all of its own.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, flag, list, part, record, text, texts};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const MAYBE: AttributeType = AttributeType::Optional(&AttributeType::Bool);

/// `gcp.instance`. <https://cloud.google.com/compute/docs/reference/rest/v1/instances>
pub static INSTANCE: Asset = Asset {
    kind: &Kind {
        name: "gcp.instance",
        meaning: "A virtual machine of Compute Engine",
        permission: "cloudasset.assets.listResource, or compute.instances.list",
        attributes: columns! { "compute.instances";
            "name": TEXT, "Its name in the zone", "name";
            "status": TEXT, "RUNNING, TERMINATED (stopped) or another state", "status";
            "labels": AttributeType::Map(&AttributeType::Text), "Its own labels", "labels";
            "is_gke_node": BOOL, "True for a node of a cluster, whose network and metadata GKE sets", "labels";
            "default_account": BOOL, "True where it acts as the project's default service account of Compute Engine", "serviceAccounts[].email";
            "full_scope": BOOL, "True where its tokens are good for every API", "serviceAccounts[].scopes";
            "external_address": BOOL, "True where a network interface has an address of the internet, be it an IPv4 or an IPv6 one", "networkInterfaces[].accessConfigs";
            "ip_forward": BOOL, "True where it may pass on what is not addressed to it", "canIpForward";
            "secure_boot": BOOL, "True where only signed software boots", "shieldedInstanceConfig.enableSecureBoot";
            "vtpm": BOOL, "True where it has a virtual trusted platform module", "shieldedInstanceConfig.enableVtpm";
            "integrity_monitoring": BOOL, "True where what boots is compared with what booted before", "shieldedInstanceConfig.enableIntegrityMonitoring";
            "confidential": BOOL, "True where its memory is encrypted", "confidentialInstanceConfig";
            "deletion_protection": BOOL, "True where it cannot be deleted by mistake", "deletionProtection";
            "restarts": BOOL, "True where it is started again when it fails", "scheduling.automaticRestart";
            "migrates": BOOL, "True where it goes on running while its host is maintained", "scheduling.onHostMaintenance";
            "interfaces": AttributeType::Int, "How many network interfaces it has", "networkInterfaces";
            "deletes_disks": BOOL, "True where a disk that it did not boot from is deleted with it", "disks[].autoDelete";
            "preemptible": BOOL, "True where Google may take it away at any time", "scheduling.preemptible";
            "os_login": MAYBE, "What its own metadata says of OS Login; null where the project's holds", "metadata.items[enable-oslogin]";
            "blocks_project_keys": BOOL, "True where SSH keys of the project do not let anyone in", "metadata.items[block-project-ssh-keys]";
            "serial_port": MAYBE, "What its own metadata says of the serial console; null where the project's holds", "metadata.items[serial-port-enable]";
        },
    },
    types: &["compute.googleapis.com/Instance"],
    absences: &[("labels", Absence::NoEntries), ("ip_forward", Absence::False), ("deletion_protection", Absence::False)],
    derived: &[
        Derived { name: "is_gke_node", read: |data| Ok(Some(json!(record(data, "labels")?.is_some_and(|labels| labels.contains_key("goog-gke-node"))))) },
        Derived { name: "default_account", read: default_account },
        Derived { name: "full_scope", read: full_scope },
        Derived { name: "external_address", read: external_address },
        Derived { name: "secure_boot", read: |data| shielded(data, "shieldedInstanceConfig/enableSecureBoot") },
        Derived { name: "vtpm", read: |data| shielded(data, "shieldedInstanceConfig/enableVtpm") },
        Derived { name: "integrity_monitoring", read: |data| shielded(data, "shieldedInstanceConfig/enableIntegrityMonitoring") },
        Derived { name: "confidential", read: confidential },
        Derived { name: "interfaces", read: |data| Ok(list(data, "networkInterfaces")?.map(|interfaces| json!(interfaces.len()))) },
        Derived { name: "deletes_disks", read: deletes_disks },
        Derived { name: "migrates", read: |data| Ok(text(data, "scheduling/onHostMaintenance")?.map(|what| json!(what == "MIGRATE"))) },
        Derived { name: "os_login", read: |data| Ok(Some(json!(switch(data, "metadata/items", "enable-oslogin")?))) },
        Derived { name: "blocks_project_keys", read: |data| Ok(Some(json!(switch(data, "metadata/items", "block-project-ssh-keys")?.unwrap_or(false)))) },
        Derived { name: "serial_port", read: |data| Ok(Some(json!(switch(data, "metadata/items", "serial-port-enable")?))) },
    ],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.instances.aggregatedList",
        target: "/compute/v1/projects/{project}/aggregated/instances?maxResults=500",
        entries: "items/*/instances",
        partial: None,
        permission: "compute.instances.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// `gcp.compute_project`. <https://cloud.google.com/compute/docs/reference/rest/v1/projects>
pub static COMPUTE_PROJECT: Asset = Asset {
    kind: &Kind {
        name: "gcp.compute_project",
        meaning: "What a project sets for all of its virtual machines",
        permission: "cloudasset.assets.listResource, or compute.projects.get",
        attributes: columns! { "compute.projects";
            "os_login": BOOL, "True where people sign in to machines with their own account, unless a machine says otherwise", "commonInstanceMetadata.items[enable-oslogin]";
            "os_login_2fa": BOOL, "True where that takes a second factor", "commonInstanceMetadata.items[enable-oslogin-2fa]";
            "serial_port": BOOL, "True where the serial console can be reached over the network, unless a machine says otherwise", "commonInstanceMetadata.items[serial-port-enable]";
        },
    },
    types: &["compute.googleapis.com/Project"],
    absences: &[],
    derived: &[
        Derived { name: "os_login", read: |data| of_project(data, "enable-oslogin") },
        Derived { name: "os_login_2fa", read: |data| of_project(data, "enable-oslogin-2fa") },
        Derived { name: "serial_port", read: |data| of_project(data, "serial-port-enable") },
    ],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.projects.get",
        target: "/compute/v1/projects/{project}?prettyPrint=false",
        entries: "",
        partial: None,
        permission: "compute.projects.get",
        name: "//compute.googleapis.com/projects/{project}",
        policy: None,
    }),
};

/// `<project number>-compute@developer.gserviceaccount.com`.
fn default_account(data: &Value) -> Read<Value> {
    let mut default = false;
    for account in list(data, "serviceAccounts")?.unwrap_or_default() {
        let email = text(account, "email")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a service account of the machine has no address"))?;
        default = default || email.ends_with("-compute@developer.gserviceaccount.com");
    }
    Ok(Some(json!(default)))
}

fn full_scope(data: &Value) -> Read<Value> {
    let mut full = false;
    for account in list(data, "serviceAccounts")?.unwrap_or_default() {
        let scopes = texts(account, "scopes")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a service account of the machine has no scopes"))?;
        full = full || scopes.contains(&"https://www.googleapis.com/auth/cloud-platform");
    }
    Ok(Some(json!(full)))
}

/// A configuration of access without an address is that of a stopped machine, which gets one when it starts.
fn external_address(data: &Value) -> Read<Value> {
    let mut external = false;
    let interfaces = list(data, "networkInterfaces")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the machine's network interfaces are not told"))?;
    for interface in interfaces {
        for access in ["accessConfigs", "ipv6AccessConfigs"] {
            external = external || list(interface, access)?.is_some_and(|configured| !configured.is_empty());
        }
    }
    Ok(Some(json!(external)))
}

/// The boot disk holds what the image brought, and goes with the machine.
fn deletes_disks(data: &Value) -> Read<Value> {
    let mut deletes = false;
    for disk in list(data, "disks")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the machine's disks are not told"))? {
        let told = |field: &str| flag(disk, field)?.ok_or_else(|| Gap::new(GapCause::LeftOut, format!("a disk of the machine does not tell {field}")));
        deletes |= !told("boot")? && told("autoDelete")?;
    }
    Ok(Some(json!(deletes)))
}

/// A machine without a configuration was made from an image that has no such features.
fn shielded(data: &Value, path: &str) -> Read<Value> {
    match part(data, "shieldedInstanceConfig")? {
        None => Ok(Some(json!(false))),
        Some(_) => Ok(flag(data, path)?.map(Value::from)),
    }
}

fn confidential(data: &Value) -> Read<Value> {
    let typed = text(data, "confidentialInstanceConfig/confidentialInstanceType")?.is_some_and(|name| name != "CONFIDENTIAL_INSTANCE_TYPE_UNSPECIFIED");
    let enabled = flag(data, "confidentialInstanceConfig/enableConfidentialCompute")?;
    Ok(Some(json!(typed || enabled.unwrap_or(false))))
}

fn of_project(data: &Value, key: &str) -> Read<Value> {
    Ok(Some(json!(switch(data, "commonInstanceMetadata/items", key)?.unwrap_or(false))))
}

/// What metadata switches on or off; none where it says nothing of it.
/// <https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys>
fn switch(data: &Value, items: &str, key: &str) -> Read<bool> {
    let mut said = None;
    for item in list(data, items)?.unwrap_or_default() {
        let name = text(item, "key")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an entry of the metadata has no key"))?;
        if name != key {
            continue;
        }
        let value = text(item, "value")?.ok_or_else(|| Gap::new(GapCause::LeftOut, format!("{key} has no value")))?;
        said = Some(match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "1" => true,
            "false" | "no" | "n" | "0" | "" => false,
            _ => return Err(Gap::new(GapCause::Malformed, format!("{key} is neither on nor off"))),
        });
    }
    Ok(said)
}
