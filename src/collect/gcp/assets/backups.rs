//! What backs up the clusters of Kubernetes Engine: plans, and restores that were made. What is in a backup is never asked for.

use serde_json::json;

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::fields::{last_of_name, number};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const INT: AttributeType = AttributeType::Int;
const TEXT: AttributeType = AttributeType::Text;
const MAYBE_INT: AttributeType = AttributeType::Optional(&AttributeType::Int);
const MAYBE_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);
const MAYBE_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// `gcp.backup_plan`. <https://cloud.google.com/kubernetes-engine/docs/add-on/backup-for-gke/reference/rest/v1/projects.locations.backupPlans>
pub static BACKUP_PLAN: Asset = Asset {
    kind: &Kind {
        name: "gcp.backup_plan",
        meaning: "A plan by which a cluster of Kubernetes Engine is backed up",
        permission: "cloudasset.assets.listResource, or gkebackup.backupPlans.list",
        attributes: columns! { "backupPlans";
            "name": TEXT, "Its name in the place", "name";
            "cluster": TEXT, "The cluster, e.g. projects/acme-prod/locations/europe-west4/clusters/main", "cluster";
            "state": TEXT, "READY or another state", "state";
            "deactivated": BOOL, "True where it makes no backups any more", "deactivated";
            "paused": BOOL, "True where it makes none by itself for now", "backupSchedule.paused";
            "schedule": MAYBE_TEXT, "When it makes one, as cron writes it; null where it goes by the loss that is accepted, or makes none by itself", "backupSchedule.cronSchedule";
            "target_rpo_minutes": MAYBE_INT, "Minutes of work whose loss is accepted; null where it goes by a schedule, or makes none by itself", "backupSchedule.rpoConfig.targetRpoMinutes";
            "retain_days": MAYBE_INT, "Days for which a backup is kept; null where none is ever deleted", "retentionPolicy.backupRetainDays";
            "lock_days": INT, "Days for which nobody can delete a backup", "retentionPolicy.backupDeleteLockDays";
            "all_namespaces": BOOL, "True where everything in the cluster is backed up", "backupConfig.allNamespaces";
            "volumes": BOOL, "True where what is on volumes is backed up", "backupConfig.includeVolumeData";
            "secrets": BOOL, "True where secrets are backed up", "backupConfig.includeSecrets";
            "kms_key": MAYBE_TEXT, "The customer's key that backups are encrypted with; null where it is Google's", "backupConfig.encryptionKey.gcpKmsEncryptionKey";
            "last_success": MAYBE_TIME, "When the last backup that succeeded was complete; null where none has", "lastSuccessfulBackupTime";
        },
    },
    types: &["gkebackup.googleapis.com/BackupPlan"],
    // The reference names the default of each: false, and no number of days.
    absences: &[
        ("deactivated", Absence::False),
        ("paused", Absence::False),
        ("schedule", Absence::Null),
        ("target_rpo_minutes", Absence::Null),
        ("all_namespaces", Absence::False),
        ("volumes", Absence::False),
        ("secrets", Absence::False),
        ("kms_key", Absence::Null),
        ("last_success", Absence::Null),
    ],
    derived: &[
        Derived { name: "name", read: last_of_name },
        Derived { name: "retain_days", read: |data| Ok(Some(json!(number(data, "retentionPolicy/backupRetainDays")?.filter(|days| *days != 0)))) },
        Derived { name: "lock_days", read: |data| Ok(Some(json!(number(data, "retentionPolicy/backupDeleteLockDays")?.unwrap_or(0)))) },
    ],
    direct: Some(Direct {
        service: "gkebackup",
        operation: "gkebackup.projects.locations.backupPlans.list",
        target: "/v1/projects/{project}/locations/-/backupPlans?pageSize=500",
        entries: "backupPlans",
        partial: Some("unreachable"),
        permission: "gkebackup.backupPlans.list",
        name: "//gkebackup.googleapis.com/{name}",
        policy: None,
    }),
};

/// `gcp.restore`. <https://cloud.google.com/kubernetes-engine/docs/add-on/backup-for-gke/reference/rest/v1/projects.locations.restorePlans.restores>
pub static RESTORE: Asset = Asset {
    kind: &Kind {
        name: "gcp.restore",
        meaning: "A restore of a cluster of Kubernetes Engine from a backup",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "restores";
            "name": TEXT, "Its name in the plan", "name";
            "backup": TEXT, "The backup that it restored", "backup";
            "cluster": TEXT, "The cluster that it restored into", "cluster";
            "state": TEXT, "SUCCEEDED, FAILED, IN_PROGRESS or another state", "state";
            "completed_at": MAYBE_TIME, "When it was complete; null where it is not", "completeTime";
            "failed_resources": INT, "How many resources could not be restored", "resourcesFailedCount";
        },
    },
    types: &["gkebackup.googleapis.com/Restore"],
    absences: &[("completed_at", Absence::Null)],
    derived: &[
        Derived { name: "name", read: last_of_name },
        Derived { name: "failed_resources", read: |data| Ok(Some(json!(number(data, "resourcesFailedCount")?.unwrap_or(0)))) },
    ],
    direct: None,
};
