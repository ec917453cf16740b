//! What a bucket's JSON says, typed. <https://cloud.google.com/storage/docs/json_api/v1/buckets#resource>
//!
//! The source leaves out what was never set. Where it documents what that means the meaning is noted here; elsewhere the field stays `None`, which nobody may take for a pass.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// A bucket's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketFacts {
    /// Number of the project that owns it.
    pub project: Option<String>,
    /// None where the bucket has no retention policy.
    pub retention: Option<RetentionPolicy>,
    /// True where replaced objects are kept as noncurrent versions; the source leaves it out where it was never switched on.
    pub versioning: bool,
    /// True where IAM alone decides.
    pub uniform_access: Option<bool>,
    /// `enforced` or `inherited`.
    pub public_access_prevention: Option<String>,
    /// Rules that delete; none where the bucket has no lifecycle.
    pub deletions: Vec<Deletion>,
    /// The customer's default key; none where Google's keys are used.
    pub kms_key: Option<String>,
}

/// A bucket's retention policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// For how long an object can be neither replaced nor deleted.
    pub seconds: Option<u64>,
    /// True where the period can no longer be shortened; the source sends it only where true.
    pub locked: bool,
    /// Since when the service has enforced it.
    pub since: Option<DateTime<Utc>>,
}

/// A lifecycle rule that deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Only objects older than this; none where the rule does not say.
    pub age_days: Option<u64>,
}

/// Reads a bucket's JSON; none where it is not one.
#[must_use]
pub fn read(json: &Value) -> Option<BucketFacts> {
    let raw = Raw::deserialize(json).ok()?;
    if raw.kind != "storage#bucket" {
        return None;
    }
    let iam = raw.iam_configuration.unwrap_or_default();
    let rules = raw.lifecycle.map(|lifecycle| lifecycle.rule).unwrap_or_default();
    // Rules of a kind that this version does not know are taken for deletions.
    let harmless = |rule: &Rule| matches!(rule.action.kind.as_str(), "SetStorageClass" | "AbortIncompleteMultipartUpload");
    Some(BucketFacts {
        project: raw.project_number,
        retention: raw.retention_policy.map(|policy| RetentionPolicy {
            seconds: policy.retention_period.and_then(|text| text.parse().ok()),
            locked: policy.is_locked.unwrap_or(false),
            since: policy.effective_time,
        }),
        versioning: raw.versioning.is_some_and(|versioning| versioning.enabled),
        uniform_access: iam.uniform_bucket_level_access.map(|access| access.enabled),
        public_access_prevention: iam.public_access_prevention,
        deletions: rules.iter().filter(|rule| !harmless(rule)).map(|rule| Deletion { age_days: rule.condition.age }).collect(),
        kms_key: raw.encryption.and_then(|encryption| encryption.default_kms_key_name),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    kind: String,
    project_number: Option<String>,
    retention_policy: Option<RawRetention>,
    versioning: Option<Switch>,
    iam_configuration: Option<RawIam>,
    lifecycle: Option<Lifecycle>,
    encryption: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRetention {
    retention_period: Option<String>,
    is_locked: Option<bool>,
    effective_time: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Switch {
    enabled: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawIam {
    uniform_bucket_level_access: Option<Switch>,
    public_access_prevention: Option<String>,
}

#[derive(Deserialize)]
struct Lifecycle {
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    action: Action,
    #[serde(default)]
    condition: Condition,
}

#[derive(Deserialize, Default)]
struct Action {
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize, Default)]
struct Condition {
    age: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encryption {
    default_kms_key_name: Option<String>,
}
