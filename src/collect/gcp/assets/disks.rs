//! Disks of virtual machines and the snapshots of them. What is on them is never asked for.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, record, text, texts};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);
const MAP: AttributeType = AttributeType::Map(&AttributeType::Text);
const MAYBE_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// `gcp.disk`. <https://cloud.google.com/compute/docs/reference/rest/v1/disks>
pub static DISK: Asset = Asset {
    kind: &Kind {
        name: "gcp.disk",
        meaning: "A disk of Compute Engine",
        permission: "cloudasset.assets.listResource, or compute.disks.list",
        attributes: columns! { "compute.disks";
            "name": TEXT, "Its name in the zone or region", "name";
            "status": TEXT, "READY or another state", "status";
            "labels": MAP, "Its own labels", "labels";
            "attached": BOOL, "True where a machine uses it", "users";
            "is_gke_node": BOOL, "True for the disk that a node of a cluster boots from, which holds nothing that is not made anew", "labels";
            "schedules": TEXTS, "Names of the policies that take snapshots of it", "resourcePolicies";
            "newest_snapshot": AttributeType::Optional(&AttributeType::Time), "When the newest snapshot of it that is ready was taken; null where there is none; unknown without the inventory", "snapshots[].creationTimestamp";
            "kms_key": MAYBE_TEXT, "The customer's key of Key Management Service that it is encrypted with; null where there is none", "diskEncryptionKey.kmsKeyName";
            "supplied_key": BOOL, "True where a key encrypts it that the customer hands over with each request", "diskEncryptionKey.sha256";
        },
    },
    types: &["compute.googleapis.com/Disk", "compute.googleapis.com/RegionDisk"],
    absences: &[("labels", Absence::NoEntries), ("kms_key", Absence::Null)],
    derived: &[
        Derived { name: "attached", read: |data| Ok(Some(json!(texts(data, "users")?.is_some_and(|users| !users.is_empty())))) },
        Derived { name: "is_gke_node", read: |data| Ok(Some(json!(record(data, "labels")?.is_some_and(|labels| labels.contains_key("goog-gke-node"))))) },
        Derived { name: "schedules", read: schedules },
        Derived { name: "supplied_key", read: |data| Ok(Some(json!(text(data, "diskEncryptionKey/sha256")?.is_some()))) },
    ],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.disks.aggregatedList",
        target: "/compute/v1/projects/{project}/aggregated/disks?maxResults=500",
        entries: "items/*/disks",
        partial: None,
        permission: "compute.disks.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// `gcp.snapshot`. <https://cloud.google.com/compute/docs/reference/rest/v1/snapshots>
pub static SNAPSHOT: Asset = Asset {
    kind: &Kind {
        name: "gcp.snapshot",
        meaning: "A snapshot of a disk",
        permission: "cloudasset.assets.listResource, or compute.snapshots.list",
        attributes: columns! { "compute.snapshots";
            "name": TEXT, "Its name in the project", "name";
            "status": TEXT, "READY, UPLOADING, FAILED or another state", "status";
            "disk": TEXT, "The disk that it is of, e.g. projects/acme-prod/zones/europe-west4-a/disks/data", "sourceDisk";
            "created_at": AttributeType::Time, "When it was taken", "creationTimestamp";
            "scheduled": BOOL, "True where a policy took it", "autoCreated";
            "locations": TEXTS, "Regions, or groups of them, that it is kept in", "storageLocations";
            "labels": MAP, "Its own labels", "labels";
            "kms_key": MAYBE_TEXT, "The customer's key of Key Management Service that it is encrypted with; null where there is none", "snapshotEncryptionKey.kmsKeyName";
        },
    },
    types: &["compute.googleapis.com/Snapshot"],
    absences: &[("scheduled", Absence::False), ("labels", Absence::NoEntries), ("kms_key", Absence::Null)],
    derived: &[
        Derived { name: "disk", read: |data| Ok(text(data, "sourceDisk")?.map(|url| json!(path(url)))) },
        Derived { name: "locations", read: locations },
    ],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.snapshots.list",
        target: "/compute/v1/projects/{project}/global/snapshots?maxResults=500",
        entries: "items",
        partial: None,
        permission: "compute.snapshots.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// What comes after the server and the version.
fn path(url: &str) -> &str {
    url.split_once("/compute/v1/").map_or(url, |(_server, path)| path)
}

fn schedules(data: &Value) -> Read<Value> {
    let policies = texts(data, "resourcePolicies")?.unwrap_or_default();
    Ok(Some(policies.iter().map(|url| json!(url.rsplit('/').next().unwrap_or(url))).collect()))
}

/// The inventory has written the name in the singular.
fn locations(data: &Value) -> Read<Value> {
    let (now, before) = (texts(data, "storageLocations")?, texts(data, "storageLocation")?);
    match (now, before) {
        (Some(now), Some(before)) if now != before => Err(Gap::new(GapCause::Malformed, "the snapshot says in two ways where it is kept")),
        (now, before) => Ok(now.or(before).map(|places| json!(places))),
    }
}
