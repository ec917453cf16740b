//! Clusters of AlloyDB, and instances of Memorystore for Redis. What is in them is never asked for.
//!
//! Read from the inventory only: the services list those of one region at a time.

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::fields::{Read, flag, last_of_name, record, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const MAYBE: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// `gcp.alloydb_cluster`. <https://cloud.google.com/alloydb/docs/reference/rest/v1/projects.locations.clusters>
pub static ALLOYDB_CLUSTER: Asset = Asset {
    kind: &Kind {
        name: "gcp.alloydb_cluster",
        meaning: "A cluster of AlloyDB",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "clusters";
            "name": TEXT, "Its name in the region", "name";
            "primary": BOOL, "False for a copy of another cluster, which is backed up there", "clusterType";
            "automated_backups": BOOL, "True where it is backed up by a schedule; unknown where it does not say", "automatedBackupPolicy.enabled";
            "continuous_backups": BOOL, "True where it can be restored to any moment; on unless it says otherwise", "continuousBackupConfig.enabled";
            "kms_key": MAYBE, "The customer's key that it is encrypted with; null where it is Google's", "encryptionConfig.kmsKeyName";
        },
    },
    types: &["alloydb.googleapis.com/Cluster"],
    absences: &[("kms_key", Absence::Null)],
    derived: &[
        Derived { name: "name", read: last_of_name },
        Derived { name: "primary", read: |data| Ok(text(data, "clusterType")?.map(|kind| json!(kind == "PRIMARY"))) },
        Derived { name: "automated_backups", read: automated_backups },
        Derived { name: "continuous_backups", read: |data| Ok(Some(json!(flag(data, "continuousBackupConfig/enabled")?.unwrap_or(true)))) },
    ],
    direct: None,
};

/// `gcp.redis_instance`. <https://cloud.google.com/memorystore/docs/redis/reference/rest/v1/projects.locations.instances>
pub static REDIS_INSTANCE: Asset = Asset {
    kind: &Kind {
        name: "gcp.redis_instance",
        meaning: "An instance of Memorystore for Redis",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "instances";
            "name": TEXT, "Its name in the region", "name";
            "tier": TEXT, "STANDARD_HA, with a copy in another zone, or BASIC", "tier";
            "auth": BOOL, "True where it asks for a password", "authEnabled";
            "encrypted": BOOL, "True where connections are encrypted", "transitEncryptionMode";
        },
    },
    types: &["redis.googleapis.com/Instance"],
    // "If set to `true` AUTH is enabled on the instance. Default value is `false`": proto3 leaves it out.
    absences: &[("auth", Absence::False)],
    derived: &[
        Derived { name: "name", read: last_of_name },
        Derived { name: "encrypted", read: |data| Ok(text(data, "transitEncryptionMode")?.map(|mode| json!(mode == "SERVER_AUTHENTICATION"))) },
    ],
    direct: None,
};

/// A policy that is there without saying so is off, as proto3 has it.
fn automated_backups(data: &Value) -> Read<Value> {
    record(data, "automatedBackupPolicy")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the cluster does not tell its policy of backups"))?;
    Ok(Some(json!(flag(data, "automatedBackupPolicy/enabled")?.unwrap_or(false))))
}
