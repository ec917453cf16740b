//! Cloud Storage buckets, their protection against loss, and who of the public may read them.
//!
//! The listing's projection `noAcl` leaves out ACLs only (<https://cloud.google.com/storage/docs/json_api/v1/buckets/list>), so a setting that is absent was never set; each attribute
//! says whether the vendor documents what that means. Where it does not, the attribute is unknown.
//! Left out: ACLs of single objects (only where `uniform_access` is false), and what a bucket inherits from its project's policy (`gcp.iam_binding`).

use serde_json::{Value, json};

use crate::collect::gcp::asset::{Asset, Derived, PUBLIC_MEMBERS, columns};
use crate::collect::gcp::direct::{Direct, ItemPolicy};
use crate::collect::gcp::fields::{Read, flag, list, number, record, text};
use crate::collect::gcp::typed::Absence;
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const SECONDS: AttributeType = AttributeType::Optional(&AttributeType::Int);

/// `gcp.bucket`. <https://cloud.google.com/storage/docs/json_api/v1/buckets>
pub static BUCKET: Asset = Asset {
    kind: &Kind {
        name: "gcp.bucket",
        meaning: "A Cloud Storage bucket",
        permission: "cloudasset.assets.listResource and cloudasset.assets.listIamPolicy, or storage.buckets.list and storage.buckets.getIamPolicy",
        attributes: columns! { "storage.buckets", PUBLIC_MEMBERS;
            "name": TEXT, "The bucket's name, unique in the world", "name";
            "location": TEXT, "e.g. EU or EUROPE-WEST4", "location";
            "storage_class": TEXT, "Class of new objects, e.g. STANDARD", "storageClass";
            "created_at": AttributeType::Time, "When it was created", "timeCreated";
            "public_access_prevention": TEXT, "enforced, inherited, or the older unspecified (same as inherited); unknown where absent, since the source writes it today", "iamConfiguration.publicAccessPrevention";
            "uniform_access": BOOL, "True where IAM alone decides and ACLs do not; unknown where absent", "iamConfiguration.uniformBucketLevelAccess.enabled, else its older name bucketPolicyOnly";
            "versioning": BOOL, "True where replaced objects are kept; absent means never switched on", "versioning.enabled";
            "retention_seconds": SECONDS, "Seconds for which no object can be deleted; null where the bucket has no retention policy (the source then leaves it out)", "retentionPolicy.retentionPeriod";
            "retention_locked": BOOL, "True where the retention policy can no longer be shortened; false without a policy, or where isLocked is left out (it comes only when true)", "retentionPolicy.isLocked";
            "soft_delete_seconds": SECONDS, "Seconds for which deleted objects can be restored, 0 where switched off; unknown where absent, since the source writes 0", "softDeletePolicy.retentionDurationSeconds";
            "kms_key": AttributeType::Optional(&AttributeType::Text), "The customer's default key; null where Google's keys are used (the source then leaves it out)", "encryption.defaultKmsKeyName";
            "deletes_by_rule": BOOL, "True where a lifecycle rule deletes objects", "lifecycle.rule[].action.type";
            "is_log_destination": BOOL, "True where a sink sends logs here; false only where all of the organisation is in scope", "logging.googleapis.com/LogSink destination";
            "labels": AttributeType::Map(&AttributeType::Text), "Labels; the source leaves the field out where there are none", "labels";
        },
    },
    types: &["storage.googleapis.com/Bucket"],
    // A bucket without policy has no such field, an unlocked policy no isLocked: https://cloud.google.com/storage/docs/using-bucket-lock
    absences: &[("retention_locked", Absence::False), ("kms_key", Absence::Null), ("labels", Absence::NoEntries)],
    derived: &[
        Derived { name: "uniform_access", read: uniform_access },
        Derived { name: "versioning", read: versioning },
        Derived { name: "retention_seconds", read: retention_seconds },
        Derived { name: "deletes_by_rule", read: deletes_by_rule },
    ],
    direct: Some(Direct {
        service: "storage",
        operation: "storage.buckets.list",
        // `returnPartialSuccess` keeps one unreachable location from failing the whole listing; what is missing is then named in `unreachable`.
        target: "/storage/v1/b?project={project}&maxResults=1000&projection=noAcl&returnPartialSuccess=true",
        entries: "items",
        partial: Some("unreachable"),
        permission: "storage.buckets.list",
        name: "//storage.googleapis.com/{name}",
        policy: Some(ItemPolicy {
            operation: "storage.buckets.getIamPolicy",
            target: "/storage/v1/b/{name}/iam?optionsRequestedPolicyVersion=3",
            permission: "storage.buckets.getIamPolicy",
        }),
    }),
};

/// Off by default. <https://cloud.google.com/storage/docs/object-versioning>
fn versioning(item: &Value) -> Read<Value> {
    let versioning = inside(item, "versioning", |item| flag(item, "versioning/enabled"))?;
    Ok(Some(json!(versioning.unwrap_or(false))))
}

/// A bucket without rules has no such field. <https://cloud.google.com/storage/docs/lifecycle>
fn deletes_by_rule(item: &Value) -> Read<Value> {
    let mut deletes = false;
    for rule in list(item, "lifecycle/rule")?.unwrap_or_default() {
        let action = text(rule, "action/type")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a lifecycle rule does not say what it does"))?;
        deletes = deletes || action == "Delete";
    }
    Ok(Some(json!(deletes)))
}

fn retention_seconds(item: &Value) -> Read<Value> {
    inside(item, "retentionPolicy", |item| number(item, "retentionPolicy/retentionPeriod")).map(|seconds| Some(json!(seconds)))
}

/// A value inside a part that may be absent as a whole: then so is the value. A part that is there without its value says nothing.
fn inside<T>(item: &Value, whole: &str, read: impl FnOnce(&Value) -> Read<T>) -> Read<T> {
    match record(item, whole)? {
        None => Ok(None),
        Some(_) => read(item)?.map(Some).ok_or_else(|| Gap::new(GapCause::LeftOut, format!("{whole} is there, but not what it says"))),
    }
}

/// `bucketPolicyOnly` is the older name, filled "with identical information"; buckets listed before 2019 have only that.
fn uniform_access(item: &Value) -> Read<Value> {
    let now = flag(item, "iamConfiguration/uniformBucketLevelAccess/enabled")?;
    let before = flag(item, "iamConfiguration/bucketPolicyOnly/enabled")?;
    Ok(now.or(before).map(Value::from))
}
