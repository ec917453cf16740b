//! The bucket: its settings, its objects, its clock, and what the caller may do.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

/// Everything a collector and a doctor need.
pub(crate) const PERMISSIONS: &[&str] =
    &["storage.objects.create", "storage.objects.get", "storage.objects.list", "storage.buckets.get", "storage.buckets.getIamPolicy"];

/// A bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// The fake clock.
    pub(crate) now: DateTime<Utc>,
    /// How far a request moves it.
    pub(crate) step: TimeDelta,
    pub(crate) live: BTreeMap<String, Object>,
    pub(crate) noncurrent: Vec<Object>,
    pub(crate) soft_deleted: Vec<Object>,
    /// Seconds, locked, since.
    pub(crate) retention: Option<(u64, bool, DateTime<Utc>)>,
    pub(crate) versioning: bool,
    pub(crate) soft_delete_seconds: u64,
    pub(crate) uniform_access: bool,
    pub(crate) public_access_prevention: String,
    pub(crate) lifecycle: Value,
    pub(crate) kms_key: Option<String>,
    pub(crate) bindings: Value,
    /// What the caller may do.
    pub(crate) permissions: BTreeSet<String>,
    /// False for a service that lies, as some emulators do.
    pub(crate) honours_preconditions: bool,
    /// True where a request without a bearer token is 401.
    pub(crate) needs_token: bool,
    /// The tokens that came.
    pub(crate) tokens: BTreeSet<String>,
    /// From when on uploads fail.
    pub(crate) outage: Option<Outage>,
    /// Names on a page, however many are asked for.
    pub(crate) page_size: usize,
    /// A rule that the last request broke.
    pub(crate) complaint: Option<String>,
    generations: i64,
    written: BTreeMap<String, DateTime<Utc>>,
}

/// A version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) generation: i64,
    pub(crate) metageneration: i64,
    pub(crate) created: DateTime<Utc>,
    pub(crate) content_type: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) held: bool,
}

/// Uploads fail from one on, until this is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Uploads that still work.
    pub(crate) left: u32,
    /// Whether the first that fails takes effect all the same.
    pub(crate) after_effect: bool,
}

/// Why a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Precondition,
    Retention,
    Hold,
    Rate,
}

impl Bucket {
    /// A bucket as the documentation tells to set one up: locked for 400 days since before everything, uniform access, nothing else.
    pub(crate) fn locked(name: &str, now: DateTime<Utc>) -> Self {
        Self {
            name: name.to_owned(),
            now,
            step: TimeDelta::milliseconds(200),
            live: BTreeMap::new(),
            noncurrent: Vec::new(),
            soft_deleted: Vec::new(),
            retention: Some((400 * 86_400, true, now - TimeDelta::days(30))),
            versioning: false,
            soft_delete_seconds: 0,
            uniform_access: true,
            public_access_prevention: "enforced".to_owned(),
            lifecycle: Value::Null,
            kms_key: None,
            bindings: json!([{"role": "roles/storage.objectCreator", "members": ["serviceAccount:collector@acme.iam.gserviceaccount.com"]}]),
            permissions: PERMISSIONS.iter().map(|&name| name.to_owned()).collect(),
            honours_preconditions: true,
            needs_token: false,
            tokens: BTreeSet::new(),
            outage: None,
            page_size: 1000,
            complaint: None,
            generations: 1_700_000_000_000_000,
            written: BTreeMap::new(),
        }
    }

    /// A request has come.
    pub(crate) fn tick(&mut self) {
        self.now += self.step;
    }

    /// Whether the caller has a permission.
    pub(crate) fn may(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }

    fn is_retained(&self, object: &Object) -> bool {
        self.retention.is_some_and(|(seconds, _, _)| self.now < object.created + TimeDelta::seconds(i64::try_from(seconds).expect("below 100 years")))
    }

    /// Writes, where the rules allow it.
    pub(crate) fn write(&mut self, mut object: Object, if_generation_match: Option<i64>) -> Result<Object, Refusal> {
        let name = object.name.clone();
        // "a maximum rate of one write per second to the same object name"
        if self.written.get(&name).is_some_and(|last| self.now - *last < TimeDelta::seconds(1)) {
            return Err(Refusal::Rate);
        }
        let there = self.live.get(&name);
        if self.honours_preconditions && if_generation_match.is_some_and(|expected| expected != there.map_or(0, |there| there.generation)) {
            return Err(Refusal::Precondition);
        }
        if there.is_some_and(|there| self.is_retained(there)) {
            return Err(Refusal::Retention);
        }
        if let Some(replaced) = self.live.remove(&name) {
            self.retire(replaced);
        }
        self.generations += 1;
        object.generation = self.generations;
        object.created = self.now;
        self.written.insert(name.clone(), self.now);
        self.live.insert(name, object.clone());
        Ok(object)
    }

    /// Deletes, where the rules allow it; false where there is nothing.
    pub(crate) fn delete(&mut self, name: &str) -> Result<bool, Refusal> {
        match self.live.get(name) {
            None => Ok(false),
            Some(there) if there.held => Err(Refusal::Hold),
            Some(there) if self.is_retained(there) => Err(Refusal::Retention),
            Some(_) => {
                let gone = self.live.remove(name).expect("just seen");
                self.retire(gone);
                Ok(true)
            }
        }
    }

    fn retire(&mut self, object: Object) {
        if self.versioning {
            self.noncurrent.push(object);
        } else if self.soft_delete_seconds > 0 {
            self.soft_deleted.push(object);
        }
    }

    /// `Bucket`. Members at their default are absent, as in the real answers.
    pub(crate) fn json(&self) -> Value {
        let mut shown = json!({
            "kind": "storage#bucket", "id": self.name, "name": self.name, "projectNumber": "123456789012", "generation": "1", "metageneration": "3",
            "location": "EUROPE-WEST3", "locationType": "region", "storageClass": "STANDARD", "timeCreated": instant(self.now - TimeDelta::days(60)),
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": self.uniform_access}, "publicAccessPrevention": self.public_access_prevention},
            "softDeletePolicy": {"retentionDurationSeconds": self.soft_delete_seconds.to_string(), "effectiveTime": instant(self.now - TimeDelta::days(60))},
        });
        if let Some((seconds, locked, since)) = self.retention {
            shown["retentionPolicy"] = json!({"retentionPeriod": seconds.to_string(), "effectiveTime": instant(since)});
            if locked {
                shown["retentionPolicy"]["isLocked"] = json!(true);
            }
        }
        if self.versioning {
            shown["versioning"] = json!({"enabled": true});
        }
        if !self.lifecycle.is_null() {
            shown["lifecycle"] = self.lifecycle.clone();
        }
        if let Some(key) = &self.kms_key {
            shown["encryption"] = json!({"defaultKmsKeyName": key});
        }
        shown
    }
}

impl Object {
    /// `Object`.
    pub(crate) fn json(&self, bucket: &str) -> Value {
        json!({
            "kind": "storage#object", "id": format!("{bucket}/{}/{}", self.name, self.generation), "name": self.name, "bucket": bucket,
            "generation": self.generation.to_string(), "metageneration": self.metageneration.to_string(), "contentType": self.content_type,
            "storageClass": "STANDARD", "size": self.bytes.len().to_string(), "crc32c": crc(&self.bytes), "etag": format!("C{}", self.generation),
            "timeCreated": instant(self.created), "updated": instant(self.created), "metadata": self.metadata,
        })
    }
}

/// A CRC32C as the API writes it: base64 of its big-endian bytes.
pub(crate) fn crc(bytes: &[u8]) -> String {
    STANDARD.encode(crc32c::crc32c(bytes).to_be_bytes())
}

/// RFC 3339 with milliseconds.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
