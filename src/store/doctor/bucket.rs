//! The judgement over a bucket: its settings, its versions, its clock.
//!
//! Left out: who may do what (`access.rs`).

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::doctor::access::{AuditLogs, Binding};
use crate::store::doctor::facts::BucketFacts;
use crate::store::doctor::retention::{self, Asked, Kept};
use crate::store::doctor::{Check, Unseen, access};

/// A clock this far from the service's is wrong; the service tells whole seconds, and answers travel.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// Everything that was seen of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The bucket's name.
    pub name: String,
    /// Its settings.
    pub bucket: Result<BucketFacts, Unseen>,
    /// Its IAM policy.
    pub policy: Result<Vec<Binding>, Unseen>,
    /// Those of `access::HARMFUL` that whoever asks has.
    pub held: Result<Vec<String>, Unseen>,
    /// Noncurrent versions under the store's prefix.
    pub noncurrent: Result<u64, Unseen>,
    /// Soft-deleted objects under the store's prefix.
    pub soft_deleted: Result<u64, Unseen>,
    /// The project's audit configuration.
    pub audit: Result<AuditLogs, Unseen>,
    /// The service's clock minus ours.
    pub skew: Result<TimeDelta, Unseen>,
}

/// What the store is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Since when evidence must have been kept.
    pub from: Result<DateTime<Utc>, Unseen>,
    /// How long evidence must be kept; none where nothing is asked.
    pub asked: Option<Asked>,
}

/// Every assertion, in the order of their weight.
#[must_use]
pub fn judge(seen: &Inspection, expected: &Expected) -> Vec<Check> {
    let of_bucket = |id, judge: &dyn Fn(&BucketFacts) -> Check| match &seen.bucket {
        Ok(facts) => judge(facts),
        Err(unseen) => unseen.check(id),
    };
    vec![
        of_bucket("retention-lock", &|facts| lock(&seen.name, facts, expected)),
        of_bucket("retention-start", &|facts| start(facts, expected)),
        of_bucket("versions", &|facts| versions(&seen.name, facts, &seen.noncurrent)),
        soft_deleted(&seen.soft_deleted),
        of_bucket("access", &|facts| access(&seen.name, facts)),
        access::grants(&seen.name, &seen.policy),
        access::own(&seen.held),
        of_bucket("lifecycle", &|facts| lifecycle(facts, expected)),
        of_bucket("encryption", &encryption),
        access::audit_logs(&seen.audit),
        clock(&seen.skew),
    ]
}

fn lock(name: &str, facts: &BucketFacts, expected: &Expected) -> Check {
    const ID: &str = "retention-lock";
    let lock = format!("run `gcloud storage buckets update gs://{name} --lock-retention-period`; it cannot be undone");
    let days = expected.asked.as_ref().map_or(400, |asked| asked.days);
    match retention::compare(expected.asked.as_ref(), facts) {
        Kept::Locked { period } => match &expected.asked {
            Some(asked) => Check::pass(ID, format!("locked for {period}; {} asks for {} days", asked.by, asked.days)),
            None => Check::pass(ID, format!("locked for {period}; no [retention] in proofline.toml asks for more")),
        },
        Kept::TooShort { period, asked } => {
            Check::fail(ID, format!("locked for {period}, and {} asks for {} days", asked.by, asked.days), retention::lengthen(name, &asked))
        }
        Kept::Unlocked => Check::fail(ID, "there is a retention policy, and whoever may update the bucket can remove it", lock),
        Kept::Nothing => {
            let set = format!("run `gcloud storage buckets update gs://{name} --retention-period={days}d`, look at it, then lock it");
            Check::fail(ID, "there is no retention policy: whoever may delete objects can delete evidence", set)
        }
        Kept::Undetermined => Check::undetermined(ID, "the retention policy does not say its period", "look at the bucket's retention policy"),
    }
}

fn start(facts: &BucketFacts, expected: &Expected) -> Check {
    const ID: &str = "retention-start";
    let begin = match &expected.from {
        Ok(begin) => *begin,
        Err(unseen) => return unseen.check(ID),
    };
    let from = begin.format("%Y-%m-%dT%H:%M:%SZ");
    let Some(policy) = &facts.retention else {
        let detail = format!("there is no retention policy: nothing since {from} is protected");
        return Check::fail(ID, detail, "set a retention policy; days before it stay unprotected");
    };
    match policy.since {
        None => Check::undetermined(ID, "the retention policy does not say since when it is in force", "look at the bucket's retention policy"),
        Some(since) if since <= begin => Check::pass(ID, format!("in force since {}, the period begins {from}", since.format("%Y-%m-%dT%H:%M:%SZ"))),
        Some(since) => {
            let days = (since - begin).num_days() + 1;
            let detail = format!("in force only since {}: {days} days from {from} on are unprotected", since.format("%Y-%m-%dT%H:%M:%SZ"));
            Check::fail(ID, detail, "it cannot be made up for; let the audit period begin later, or tell the auditor which days rest on the log alone")
        }
    }
}

fn versions(name: &str, facts: &BucketFacts, noncurrent: &Result<u64, Unseen>) -> Check {
    const ID: &str = "versions";
    let off = format!("run `gcloud storage buckets update gs://{name} --no-versioning`, and find out who replaced or deleted objects");
    match noncurrent {
        Err(unseen) => unseen.check(ID),
        Ok(0) if !facts.versioning => Check::pass(ID, "versioning is off and there is no noncurrent version"),
        Ok(0) => Check::fail(ID, "versioning is on: another object can be put over one that is retained", off),
        Ok(count) => Check::fail(ID, format!("{count} noncurrent versions: objects were replaced or deleted"), off),
    }
}

fn soft_deleted(count: &Result<u64, Unseen>) -> Check {
    const ID: &str = "soft-deleted";
    match count {
        Err(unseen) => unseen.check(ID),
        Ok(0) => Check::pass(ID, "no object lies deleted but restorable"),
        Ok(count) => Check::fail(
            ID,
            format!("{count} objects were deleted and can still be restored"),
            "restore them (`gcloud storage restore`), and find out who deleted them",
        ),
    }
}

fn access(name: &str, facts: &BucketFacts) -> Check {
    const ID: &str = "access";
    let cure = format!("run `gcloud storage buckets update gs://{name} --uniform-bucket-level-access --public-access-prevention`");
    match (facts.uniform_access, facts.public_access_prevention.as_deref()) {
        (Some(true), Some("enforced")) => Check::pass(ID, "IAM alone decides, and public access is prevented"),
        (Some(false), _) => Check::fail(ID, "ACLs of single objects can let others in: uniform bucket-level access is off", cure),
        (_, Some(other)) if other != "enforced" => Check::fail(ID, format!("public access prevention is {other:?}, not \"enforced\""), cure),
        (None, _) | (_, None) | (Some(true), Some(_)) => Check::undetermined(ID, "the bucket does not say who decides about access", cure),
    }
}

fn lifecycle(facts: &BucketFacts, expected: &Expected) -> Check {
    const ID: &str = "lifecycle";
    let asked = expected.asked.as_ref().map(|asked| u64::from(asked.days));
    let kept = facts.retention.as_ref().and_then(|policy| policy.seconds).map(|seconds| seconds.div_ceil(86_400));
    let needed = asked.max(kept);
    let early = facts.deletions.iter().find(|rule| rule.age_days.is_none() || needed.is_none() || rule.age_days < needed);
    match (early, needed) {
        (None, _) if facts.deletions.is_empty() => Check::pass(ID, "no rule deletes objects"),
        (None, _) => Check::pass(ID, "rules delete only what is older than it must be kept"),
        (Some(rule), needed) => {
            let when = rule.age_days.map_or_else(|| "whatever their age".to_owned(), |days| format!("after {days} days"));
            let kept = needed.map_or_else(|| "nothing says how long evidence must be kept".to_owned(), |days| format!("they must be kept for {days}"));
            Check::fail(ID, format!("a lifecycle rule deletes objects {when}, and {kept}"), "remove the rule; one that changes the storage class is harmless")
        }
    }
}

fn encryption(facts: &BucketFacts) -> Check {
    const ID: &str = "encryption";
    match &facts.kms_key {
        None => Check::pass(ID, "new objects are encrypted with Google's keys, which nobody here can destroy"),
        Some(key) => Check::undetermined(
            ID,
            format!("whoever may destroy versions of {key} can make the evidence unreadable, lock or no lock, and this cannot be seen from here"),
            "remove the bucket's default key, or keep the key in another project whose owners are not those of this one, with a long destroy delay",
        ),
    }
}

fn clock(skew: &Result<TimeDelta, Unseen>) -> Check {
    const ID: &str = "clock";
    match skew {
        Err(unseen) => unseen.check(ID),
        Ok(skew) if skew.abs() <= SKEW => Check::pass(ID, format!("within {} s of the service's", skew.num_seconds().abs())),
        Ok(skew) => {
            let how = if *skew > TimeDelta::zero() { "behind" } else { "ahead of" };
            let detail = format!("this machine's clock is {} s {how} the service's", skew.num_seconds().abs());
            Check::fail(ID, detail, "set the clock (NTP): runs are named and slots are told by it")
        }
    }
}
