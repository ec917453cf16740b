//! Who may change or delete evidence, as far as a bucket's policy and the project's audit configuration tell.
//! <https://cloud.google.com/storage/docs/access-control/iam-roles>

use serde::Deserialize;
use serde_json::Value;

use crate::store::doctor::{Check, Unseen};

/// Permissions that a collector must not have.
pub const HARMFUL: &[&str] = &[
    "storage.buckets.delete",
    "storage.buckets.setIamPolicy",
    "storage.buckets.update",
    "storage.objects.delete",
    "storage.objects.overrideUnlockedRetention",
    "storage.objects.setIamPolicy",
    "storage.objects.update",
];

/// Roles with one of `HARMFUL` in them.
const HARMFUL_ROLES: &[&str] = &[
    "roles/editor",
    "roles/owner",
    "roles/storage.admin",
    "roles/storage.folderAdmin",
    "roles/storage.legacyBucketOwner",
    "roles/storage.legacyBucketWriter",
    "roles/storage.legacyObjectOwner",
    "roles/storage.objectAdmin",
    "roles/storage.objectUser",
];

/// Roles that let create, read or look.
const HARMLESS_ROLES: &[&str] = &[
    "roles/iam.securityReviewer",
    "roles/storage.bucketViewer",
    "roles/storage.legacyBucketReader",
    "roles/storage.legacyObjectReader",
    "roles/storage.objectCreator",
    "roles/storage.objectViewer",
    "roles/viewer",
];

/// A role and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Binding {
    /// e.g. `roles/storage.objectViewer`.
    pub role: String,
    /// e.g. `user:ann@example.com`.
    #[serde(default)]
    pub members: Vec<String>,
}

/// Which accesses to the data are logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditLogs {
    /// True where reads by everybody are.
    pub reads: bool,
    /// True where writes by everybody are.
    pub writes: bool,
}

/// Reads the bindings of a policy; none where it is not one.
#[must_use]
pub fn bindings(policy: &Value) -> Option<Vec<Binding>> {
    match policy.get("bindings") {
        Some(bindings) => Vec::deserialize(bindings).ok(),
        // A policy that grants nothing has an etag and no bindings.
        None => policy.get("etag").map(|_etag| Vec::new()),
    }
}

/// Reads the audit configuration of a project's policy. <https://cloud.google.com/logging/docs/audit/configure-data-access>
#[must_use]
pub fn audit_configuration(policy: &Value) -> AuditLogs {
    let array = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let of_storage = |config: &Value| matches!(config.get("service").and_then(Value::as_str), Some("allServices" | "storage.googleapis.com"));
    let configs = array(policy, "auditConfigs");
    let logs: Vec<Value> = configs.iter().filter(|config| of_storage(config)).flat_map(|config| array(config, "auditLogConfigs")).collect();
    let exempt = |log: &Value| !array(log, "exemptedMembers").is_empty();
    let on = |kind: &str| logs.iter().any(|log| log.get("logType").and_then(Value::as_str) == Some(kind));
    let all = |kind: &str| on(kind) && !logs.iter().any(|log| log.get("logType").and_then(Value::as_str) == Some(kind) && exempt(log));
    AuditLogs { reads: all("DATA_READ"), writes: all("DATA_WRITE") }
}

/// Who is granted, on the bucket itself, what lets them change or delete evidence.
#[must_use]
pub fn grants(bucket: &str, policy: &Result<Vec<Binding>, Unseen>) -> Check {
    const ID: &str = "grants";
    let bindings = match policy {
        Ok(bindings) => bindings,
        Err(unseen) => return unseen.check(ID),
    };
    let cure = format!("take the roles away with `gcloud storage buckets remove-iam-policy-binding gs://{bucket} --member=… --role=…`");
    let told = |wanted: &dyn Fn(&&Binding) -> bool| -> Vec<String> {
        bindings.iter().filter(wanted).map(|binding| format!("{} to {}", binding.role, binding.members.join(", "))).collect()
    };
    let public = |binding: &&Binding| binding.members.iter().any(|member| matches!(member.as_str(), "allUsers" | "allAuthenticatedUsers"));
    let open = told(&public);
    if !open.is_empty() {
        return Check::fail(ID, format!("the bucket is open to the public: {}", open.join("; ")), cure);
    }
    let harmful = told(&|binding| HARMFUL_ROLES.contains(&binding.role.as_str()));
    if !harmful.is_empty() {
        return Check::fail(ID, format!("may delete or change, by the bucket's own policy: {}", harmful.join("; ")), cure);
    }
    let strange = told(&|binding| !HARMLESS_ROLES.contains(&binding.role.as_str()));
    if !strange.is_empty() {
        let detail = format!("what these roles allow cannot be seen from here: {}", strange.join("; "));
        return Check::undetermined(ID, detail, "grant roles/storage.objectCreator and roles/storage.objectViewer instead, or look at the roles");
    }
    Check::pass(ID, "nobody may delete or change by the bucket's own policy; what the project or organisation grants is not in it")
}

/// What whoever runs proofline may do beyond creating and reading, wherever it was granted.
#[must_use]
pub fn own(held: &Result<Vec<String>, Unseen>) -> Check {
    const ID: &str = "own-permissions";
    match held {
        Err(unseen) => unseen.check(ID),
        Ok(held) if held.is_empty() => Check::pass(ID, "whoever runs proofline may neither delete nor change objects, the bucket or its policy"),
        Ok(held) => Check::fail(
            ID,
            format!("whoever runs proofline has {}", held.join(", ")),
            "collect as an account that has roles/storage.objectCreator and roles/storage.objectViewer only",
        ),
    }
}

/// Whether accesses to the evidence leave a trace. Never a failure: the folder or organisation may switch the logs on, which the project's policy does not show.
#[must_use]
pub fn audit_logs(audit: &Result<AuditLogs, Unseen>) -> Check {
    const ID: &str = "audit-logs";
    match audit {
        Err(unseen) => unseen.check(ID),
        Ok(AuditLogs { reads: true, writes: true }) => Check::pass(ID, "data reads and data writes of Cloud Storage are logged for everybody"),
        Ok(AuditLogs { reads, writes }) => {
            let missing = [(*reads, "DATA_READ"), (*writes, "DATA_WRITE")];
            let missing: Vec<_> = missing.into_iter().filter(|(on, _)| !on).map(|(_, name)| name).collect();
            let detail = format!("the project's policy does not switch {} on for everybody in Cloud Storage; the organisation may", missing.join(" and "));
            Check::undetermined(ID, detail, "switch Data Access audit logs on for storage.googleapis.com, without exempted principals")
        }
    }
}
