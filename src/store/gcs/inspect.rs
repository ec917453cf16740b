//! What `doctor` looks at and tries: the bucket's settings and policy, versions, deleted objects, the clock; and deleting, which must be refused.
//!
//! Left out: what any of it means (`doctor/`).

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::store::doctor::Unseen;
use crate::store::doctor::access::{self, AuditLogs, Binding};
use crate::store::doctor::bucket::Inspection;
use crate::store::doctor::facts::{self, BucketFacts};
use crate::store::doctor::trial::{self, Deletion, Trial};
use crate::store::gcs::client::Answer;
use crate::store::gcs::trouble::Trouble;
use crate::store::gcs::{GcsStore, Which};
use crate::store::{StoreError, key};

/// Tells the time, UTC.
pub type Clock = dyn Fn() -> DateTime<Utc> + Send + Sync;

impl GcsStore {
    /// Looks at everything; what cannot be seen says why.
    pub async fn inspect(&self, clock: &Clock) -> Inspection {
        let seen = self.settings_and_date().await;
        let skew = skew(seen.as_ref().map(|(_, date)| date.as_deref()), clock());
        let bucket = seen.map(|(facts, _)| facts);
        let project = bucket.as_ref().ok().and_then(|facts| facts.project.clone());
        Inspection {
            name: self.address().bucket().to_owned(),
            audit: self.audit(project.as_deref()).await,
            bucket: bucket.map_err(unseen),
            policy: self.policy().await.map_err(unseen),
            held: self.held().await.map_err(unseen),
            noncurrent: self.count(Which::AllVersions).await,
            soft_deleted: self.count(Which::SoftDeleted).await,
            skew,
        }
    }

    /// The bucket's settings.
    ///
    /// # Errors
    /// `StoreError` where they cannot be read.
    pub async fn facts(&self) -> Result<BucketFacts, StoreError> {
        Ok(self.settings_and_date().await?.0)
    }

    async fn settings_and_date(&self) -> Result<(BucketFacts, Option<String>), StoreError> {
        let answer = self.of_bucket(&[], &[("projection", "noAcl")], "inspect").await?;
        let facts = json(&answer).as_ref().and_then(facts::read);
        let facts = facts.ok_or_else(|| self.malformed("inspect"))?;
        Ok((facts, answer.date))
    }

    async fn policy(&self) -> Result<Vec<Binding>, StoreError> {
        const ACTION: &str = "read the policy of";
        let answer = self.of_bucket(&["iam"], &[("optionsRequestedPolicyVersion", "3")], ACTION).await?;
        json(&answer).as_ref().and_then(access::bindings).ok_or_else(|| self.malformed(ACTION))
    }

    /// Which harmful permissions whoever asks has, wherever they were granted.
    async fn held(&self) -> Result<Vec<String>, StoreError> {
        let query: Vec<_> = access::HARMFUL.iter().map(|permission| ("permissions", *permission)).collect();
        let answer = self.of_bucket(&["iam", "testPermissions"], &query, "inspect").await?;
        let document = json(&answer).filter(|document| document.get("kind").is_some()).ok_or_else(|| self.malformed("inspect"))?;
        let listed = document.get("permissions").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(listed.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
    }

    async fn count(&self, which: Which) -> Result<u64, Unseen> {
        let items = self.items("", which).await.map_err(unseen)?;
        let counted = items.iter().filter(|item| which != Which::AllVersions || item.time_deleted.is_some()).count();
        Ok(u64::try_from(counted).unwrap_or(u64::MAX))
    }

    async fn audit(&self, project: Option<&str>) -> Result<AuditLogs, Unseen> {
        let project = project.ok_or_else(|| Unseen("the project of the bucket is not known, so its audit configuration is not either".to_owned()))?;
        let client = self.client().await.map_err(unseen)?;
        let told = |trouble: Trouble| unseen(trouble.told(&self.asked("read the audit configuration of", project)));
        let answer = client.project_policy(project).await.map_err(told)?;
        let policy = json(&answer).filter(Value::is_object).ok_or_else(|| told(Trouble::Malformed("the answer is not in the documented form")))?;
        Ok(access::audit_configuration(&policy))
    }

    async fn of_bucket(&self, below: &[&str], query: &[(&str, &str)], action: &'static str) -> Result<Answer, StoreError> {
        let bucket = self.address().bucket();
        let path = [&["storage", "v1", "b", bucket], below].concat();
        self.client().await?.read(&path, query).await.map_err(|trouble| trouble.told(&self.asked(action, bucket)))
    }

    fn malformed(&self, action: &'static str) -> StoreError {
        Trouble::Malformed("the answer is not in the documented form").told(&self.asked(action, self.address().bucket()))
    }
}

#[async_trait]
impl Trial for GcsStore {
    async fn try_delete(&self, key: &str) -> Result<Deletion, StoreError> {
        key::check(key)?;
        if !key.starts_with(trial::FOLDER) {
            return Err(StoreError::InvalidKey { key: key.to_owned() });
        }
        let path = ["storage", "v1", "b", self.address().bucket(), "o", &self.address().name(key)];
        match self.client().await?.delete(&path).await {
            Ok(_deleted) => Ok(Deletion::Deleted),
            Err(Trouble::Retained) => Ok(Deletion::Refused("the bucket's retention policy keeps it")),
            Err(Trouble::Status(403)) => Ok(Deletion::Refused("whoever runs proofline may not delete; what others may is told by retention-lock")),
            Err(trouble) => Err(trouble.told(&self.asked("delete", key))),
        }
    }
}

fn json(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

fn unseen(error: StoreError) -> Unseen {
    Unseen(error.to_string())
}

/// The service's clock minus ours.
fn skew(date: Result<Option<&str>, &StoreError>, now: DateTime<Utc>) -> Result<TimeDelta, Unseen> {
    let date = date.map_err(|error| Unseen(error.to_string()))?;
    let at = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    at.map(|at| at.with_timezone(&Utc) - now).ok_or_else(|| Unseen("the answer came without a readable Date".to_owned()))
}
