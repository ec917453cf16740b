//! Clusters of Dataproc, and with whose keys they encrypt.

use crate::collect::gcp::asset::{Asset, columns};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

/// `gcp.dataproc_cluster`. <https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.clusters>
///
/// Read from the inventory only: the service lists those of one region at a time.
pub static DATAPROC_CLUSTER: Asset = Asset {
    kind: &Kind {
        name: "gcp.dataproc_cluster",
        meaning: "A cluster of Dataproc",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "clusters";
            "name": AttributeType::Text, "Its name in the region", "clusterName";
            "kms_key": AttributeType::Optional(&AttributeType::Text), "The customer's key that disks are encrypted with; null where it is Google's", "config.encryptionConfig.gcePdKmsKeyName";
            "internal_only": AttributeType::Bool, "True where its machines have no address of the internet", "config.gceClusterConfig.internalIpOnly";
        },
    },
    types: &["dataproc.googleapis.com/Cluster"],
    absences: &[("kms_key", Absence::Null)],
    derived: &[],
    direct: None,
};
