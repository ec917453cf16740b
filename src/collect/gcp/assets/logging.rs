//! Where logs are kept. Log entries are never asked for. Where logs are sent to, and what alerts on them, is `watched`'s.

use crate::collect::gcp::asset::{Asset, Derived, columns};
use crate::collect::gcp::fields::last_of_name;
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;

/// `gcp.log_bucket`. <https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.locations.buckets>
///
/// Read from the inventory only: the service lists those of one project, and those of folders and organisations would be missing without a word.
pub static LOG_BUCKET: Asset = Asset {
    kind: &Kind {
        name: "gcp.log_bucket",
        meaning: "A place where Cloud Logging keeps logs, of a project, a folder or an organisation",
        permission: "cloudasset.assets.listResource",
        attributes: columns! { "buckets";
            "name": TEXT, "Its name, e.g. _Default", "name";
            "retention_days": AttributeType::Int, "Days for which an entry is kept", "retentionDays";
            "locked": BOOL, "True where nobody can shorten that or delete the bucket while something is in it", "locked";
            "state": TEXT, "ACTIVE, DELETE_REQUESTED or another state", "lifecycleState";
            "analytics": BOOL, "True where its entries can be queried by SQL", "analyticsEnabled";
            "kms_key": AttributeType::Optional(&AttributeType::Text), "The customer's key that entries are encrypted with; null where it is Google's", "cmekSettings.kmsKeyName";
        },
    },
    types: &["logging.googleapis.com/LogBucket"],
    // proto3 leaves out what is false or empty.
    absences: &[("locked", Absence::False), ("analytics", Absence::False), ("kms_key", Absence::Null)],
    derived: &[Derived { name: "name", read: last_of_name }],
    direct: None,
};
