//! Groups of virtual machines that Compute Engine keeps at their size, and the images that machines are made from.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{Read, list, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;

/// `gcp.instance_group`. <https://cloud.google.com/compute/docs/reference/rest/v1/instanceGroupManagers>
pub static INSTANCE_GROUP: Asset = Asset {
    kind: &Kind {
        name: "gcp.instance_group",
        meaning: "A group of virtual machines that is kept at its size",
        permission: "cloudasset.assets.listResource, or compute.instanceGroupManagers.list",
        attributes: columns! { "compute.instanceGroupManagers";
            "name": TEXT, "Its name in the zone or region", "name";
            "size": AttributeType::Int, "How many machines it is to have", "targetSize";
            "zones": AttributeType::Int, "In how many zones they are", "distributionPolicy.zones, or zone";
            "is_gke_pool": BOOL, "True for a pool of nodes of a cluster, which GKE looks after", "name";
            "heals": BOOL, "True where a machine that does not answer is made anew", "autoHealingPolicies";
        },
    },
    types: &["compute.googleapis.com/InstanceGroupManager", "compute.googleapis.com/RegionInstanceGroupManager"],
    absences: &[],
    derived: &[
        Derived { name: "zones", read: zones },
        // GKE names them after the cluster: https://cloud.google.com/kubernetes-engine/docs/concepts/node-pools
        Derived { name: "is_gke_pool", read: |data| Ok(text(data, "name")?.map(|name| json!(name.starts_with("gke-") && name.ends_with("-grp")))) },
        Derived { name: "heals", read: |data| Ok(Some(json!(list(data, "autoHealingPolicies")?.is_some_and(|policies| !policies.is_empty())))) },
    ],
    direct: Some(Direct {
        service: "compute",
        operation: "compute.instanceGroupManagers.aggregatedList",
        target: "/compute/v1/projects/{project}/aggregated/instanceGroupManagers?maxResults=500",
        entries: "items/*/instanceGroupManagers",
        partial: None,
        permission: "compute.instanceGroupManagers.list",
        name: "//compute.googleapis.com/{selfLink}",
        policy: None,
    }),
};

/// `gcp.image`. <https://cloud.google.com/compute/docs/reference/rest/v1/images>
///
/// Read from the inventory only: the service gives the policy of one image at a time, under a name that its list does not show.
pub static IMAGE: Asset = Asset {
    kind: &Kind {
        name: "gcp.image",
        meaning: "An image of the project's own that machines are made from",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy",
        attributes: columns! { "compute.images", PUBLIC_MEMBERS;
            "name": TEXT, "Its name in the project", "name";
            "created_at": AttributeType::Time, "When it was made", "creationTimestamp";
            "state": AttributeType::Optional(&AttributeType::Text), "DEPRECATED, OBSOLETE or DELETED; null where it is meant to be used", "deprecated.state";
        },
    },
    types: &["compute.googleapis.com/Image"],
    absences: &[("state", Absence::Null)],
    derived: &[],
    direct: None,
};

/// A group of one zone names it; one of a region names those that it spreads over.
fn zones(data: &Value) -> Read<Value> {
    if text(data, "zone")?.is_some() {
        return Ok(Some(json!(1)));
    }
    let zones = list(data, "distributionPolicy/zones")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the group does not tell its zones"))?;
    Ok(Some(json!(zones.len())))
}
