//! `gcp.bucket`: Cloud Storage buckets, their protection against loss, and who of the public may read them.
//!
//! The listing's projection `noAcl` leaves out ACLs only (<https://cloud.google.com/storage/docs/json_api/v1/buckets/list>), so a setting that is absent was never set; each attribute
//! says whether the vendor documents what that means. Where it does not, the attribute is unknown.
//! Left out: ACLs of single objects (only where `uniform_access` is false), and what a bucket inherits from its project's policy (`gcp.iam_binding`).

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded, for_each, names, pages};
use crate::collect::gcp::fields::{Absent, Read, attribute, flag, labels, number, put, record, short, text, texts, time};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Host, Kind, Population, Resource, Scope, Tally};

/// Collects `gcp.bucket`.
#[derive(Debug, Clone, Copy)]
pub struct Bucket;

const GRANT: &[AttributeDecl] = &[
    attribute("member", AttributeType::Text, "allUsers or allAuthenticatedUsers", "buckets.getIamPolicy bindings[].members[]"),
    attribute("role", AttributeType::Text, "What they may do", "buckets.getIamPolicy bindings[].role"),
];

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "The bucket's name, unique in the world", "buckets.list name"),
    attribute("project", AttributeType::Text, "Id of the project that owns it", "the project asked"),
    attribute("location", AttributeType::Text, "e.g. EU or EUROPE-WEST4", "buckets.list location"),
    attribute("storage_class", AttributeType::Text, "Class of new objects, e.g. STANDARD", "buckets.list storageClass"),
    attribute("created_at", AttributeType::Time, "When it was created", "buckets.list timeCreated"),
    attribute(
        "public_access_prevention",
        AttributeType::Text,
        "enforced, inherited, or the older unspecified (same as inherited); unknown where absent, since the source writes it today",
        "buckets.list iamConfiguration.publicAccessPrevention",
    ),
    attribute(
        "uniform_access",
        AttributeType::Bool,
        "True where IAM alone decides and ACLs do not; unknown where absent",
        "buckets.list iamConfiguration.uniformBucketLevelAccess.enabled, else its older name bucketPolicyOnly",
    ),
    attribute("versioning", AttributeType::Bool, "True where replaced objects are kept; absent means never switched on", "buckets.list versioning.enabled"),
    attribute(
        "retention_seconds",
        AttributeType::Optional(&AttributeType::Int),
        "Seconds for which no object can be deleted; null where the bucket has no retention policy (the source then leaves it out)",
        "buckets.list retentionPolicy.retentionPeriod",
    ),
    attribute(
        "retention_locked",
        AttributeType::Bool,
        "True where the retention policy can no longer be shortened; false without a policy, or where isLocked is left out (it comes only when true)",
        "buckets.list retentionPolicy.isLocked",
    ),
    attribute(
        "soft_delete_seconds",
        AttributeType::Optional(&AttributeType::Int),
        "Seconds for which deleted objects can be restored, 0 where switched off; unknown where absent, since the source writes 0",
        "buckets.list softDeletePolicy.retentionDurationSeconds",
    ),
    attribute(
        "kms_key",
        AttributeType::Optional(&AttributeType::Text),
        "The customer's default key; null where Google's keys are used (the source then leaves it out)",
        "buckets.list encryption.defaultKmsKeyName",
    ),
    attribute(
        "public_members",
        AttributeType::List(&AttributeType::Text),
        "allUsers and allAuthenticatedUsers, where the bucket's own policy names them; public access prevention may still refuse them",
        "buckets.getIamPolicy bindings[].members[]",
    ),
    attribute("public_grants", AttributeType::List(&AttributeType::Record(GRANT)), "The same with the roles", "buckets.getIamPolicy bindings[]"),
    attribute("labels", AttributeType::Map(&AttributeType::Text), "Labels; the source leaves the field out where there are none", "buckets.list labels"),
];

static KIND: Kind =
    Kind { name: "gcp.bucket", meaning: "A Cloud Storage bucket", permission: "storage.buckets.list and storage.buckets.getIamPolicy", attributes: ATTRIBUTES };

const STORAGE: Host = Host::Google("storage");
const BUCKETS: &str = "storage.buckets.list";
const POLICY: &str = "storage.buckets.getIamPolicy";

#[async_trait]
impl Collector for Bucket {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let found = hierarchy::ask(scope, api, KIND.name).await?;
        for_each(found.projects.into_iter().collect(), |id| buckets_of(api, id)).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "all buckets");
        for (id, _row) in hierarchy.live() {
            read_project(id, evidence, &mut population, emit)?;
        }
        Ok(hierarchy.close(population))
    }
}

/// `returnPartialSuccess` keeps one unreachable location from failing the whole listing; what is missing is then named in `unreachable`.
async fn buckets_of(api: &dyn Api, id: String) -> Result<(), ApiError> {
    let mut buckets = Vec::new();
    let target = format!("/storage/v1/b?project={}&maxResults=1000&projection=noAcl&returnPartialSuccess=true", encoded(&id));
    pages(api, Request::get(STORAGE, target, BUCKETS, format!("projects/{id}"), KIND.name), |page| buckets.extend(names(page, "items", "name"))).await?;
    for_each(buckets, |name| async move {
        let target = format!("/storage/v1/b/{}/iam?optionsRequestedPolicyVersion=3", encoded(&name));
        api.send(Request::get(STORAGE, target, POLICY, name, KIND.name)).await.map(drop)
    })
    .await
}

fn read_project(id: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let project = format!("projects/{id}");
    let listing =
        Listing { operation: BUCKETS, subject: &project, entries: "items", partial: Some("unreachable"), permission: "storage.buckets.list", place: &project };
    let mut seen = BTreeSet::new();
    let listed = listing.read(evidence, &mut |item, n| {
        let nameless = || Gap::new(GapCause::Malformed, format!("a bucket of {project} has no usable name"));
        let Ok(Some(name)) = text(item, "name") else { return Ok(Some(nameless())) };
        let Ok(full_name) = format!("//storage.googleapis.com/{name}").parse() else { return Ok(Some(nameless())) };
        if !seen.insert(name.to_owned()) {
            return Ok(None);
        }
        let public = Public::read(name, &project, evidence)?;
        let numbers = hierarchy::sorted(public.evidence.iter().copied().chain([n]).collect());
        let mut bucket = Resource::new(&KIND, full_name, short(name), numbers);
        bucket.know("name", name);
        bucket.know("project", id);
        settings(&mut bucket, item);
        public.settle(&mut bucket);
        emit(bucket.completed(&KIND));
        Ok(None)
    })?;
    let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
    population.tallies.push(Tally { tenant: project, count, second_count: None, second_source: "none: the bucket listing names no total".to_owned() });
    population.gaps.extend(listed.gaps);
    population.evidence.extend(listed.evidence);
    Ok(())
}

fn settings(bucket: &mut Resource, item: &Value) {
    put(bucket, "location", text(item, "location"), Absent::IsUnknown);
    put(bucket, "storage_class", text(item, "storageClass"), Absent::IsUnknown);
    put(bucket, "created_at", time(item, "timeCreated"), Absent::IsUnknown);
    put(bucket, "public_access_prevention", text(item, "iamConfiguration/publicAccessPrevention"), Absent::IsUnknown);
    put(bucket, "uniform_access", uniform_access(item), Absent::IsUnknown);
    // Off by default: https://cloud.google.com/storage/docs/object-versioning
    put(bucket, "versioning", inside(item, "versioning", |item| flag(item, "versioning/enabled")), Absent::Means(json!(false)));
    // A bucket without policy has no such field, an unlocked policy no isLocked: https://cloud.google.com/storage/docs/using-bucket-lock
    put(bucket, "retention_seconds", inside(item, "retentionPolicy", |item| number(item, "retentionPolicy/retentionPeriod")), Absent::Means(Value::Null));
    put(bucket, "retention_locked", flag(item, "retentionPolicy/isLocked"), Absent::Means(json!(false)));
    put(bucket, "soft_delete_seconds", number(item, "softDeletePolicy/retentionDurationSeconds"), Absent::IsUnknown);
    put(bucket, "kms_key", text(item, "encryption/defaultKmsKeyName"), Absent::Means(Value::Null));
    put(bucket, "labels", labels(item, "labels"), Absent::Means(json!({})));
}

/// A value inside a part that may be absent as a whole: then so is the value. A part that is there without its value says nothing.
fn inside<T>(item: &Value, whole: &str, read: impl FnOnce(&Value) -> Read<T>) -> Read<T> {
    match record(item, whole)? {
        None => Ok(None),
        Some(_) => read(item)?.map(Some).ok_or_else(|| Gap::new(GapCause::LeftOut, format!("{whole} is there, but not what it says"))),
    }
}

/// `bucketPolicyOnly` is the older name, filled "with identical information"; buckets listed before 2019 have only that.
fn uniform_access(item: &Value) -> Read<bool> {
    match flag(item, "iamConfiguration/uniformBucketLevelAccess/enabled")? {
        Some(enabled) => Ok(Some(enabled)),
        None => flag(item, "iamConfiguration/bucketPolicyOnly/enabled"),
    }
}

/// What a bucket's own policy grants to the public.
struct Public {
    grants: Vec<(String, String)>,
    gap: Option<Gap>,
    evidence: Vec<u32>,
}

impl Public {
    fn read(bucket: &str, project: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let policy =
            Listing { operation: POLICY, subject: bucket, entries: "bindings", partial: None, permission: "storage.buckets.getIamPolicy", place: project };
        let mut grants = BTreeSet::new();
        let listed = policy.read(evidence, &mut |binding, _n| {
            let members = match texts(binding, "members") {
                Ok(members) => members.unwrap_or_default(),
                Err(gap) => return Ok(Some(gap)),
            };
            let mut public = members.into_iter().filter(|member| matches!(*member, "allUsers" | "allAuthenticatedUsers")).peekable();
            match text(binding, "role") {
                Ok(Some(role)) => grants.extend(public.map(|member| (member.to_owned(), role.to_owned()))),
                Ok(None) | Err(_) if public.peek().is_some() => {
                    return Ok(Some(Gap::new(GapCause::Malformed, "a binding of the public has no role")));
                }
                Ok(None) | Err(_) => {}
            }
            Ok(None)
        })?;
        Ok(Self { grants: grants.into_iter().collect(), gap: listed.gaps.into_iter().next(), evidence: listed.evidence })
    }

    /// A policy that was read in part is not known: what it lacks may be the public member.
    fn settle(self, bucket: &mut Resource) {
        if let Some(gap) = self.gap {
            bucket.lack("public_members", gap.clone());
            bucket.lack("public_grants", gap);
            return;
        }
        let members: BTreeSet<&str> = self.grants.iter().map(|(member, _role)| member.as_str()).collect();
        bucket.know("public_members", json!(members));
        bucket.know("public_grants", self.grants.iter().map(|(member, role)| json!({"member": member, "role": role})).collect::<Vec<_>>());
    }
}
