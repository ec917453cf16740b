//! Why one attempt did not work, whether another may, and what a person is told in the end.
//!
//! Texts are ours throughout: a library's, or an answer's, may quote what was sent.

use google_cloud_storage::Error;

use crate::store::StoreError;
use crate::store::gcs::Address;

/// One attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An answer that is not a success.
    Status(u16),
    /// 404, and it is the bucket that is not there.
    NoBucket,
    /// 403, because the bucket's retention policy keeps the object.
    Retained,
    /// No token could be had; true where trying again may help.
    Credentials { passing: Passing },
    /// No whole answer.
    Broken(&'static str),
    /// The checksum of what arrived is not the one that was announced, or none was announced.
    Damaged(&'static str),
    /// The object is larger than any of ours.
    TooLarge(u64),
    /// An answer in a form that is not the documented one.
    Malformed(&'static str),
}

/// Whether it may pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    Yes,
    No,
}

impl Trouble {
    /// True where another attempt may do better. <https://cloud.google.com/storage/docs/retry-strategy>
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 429 | 500..600),
            Self::Broken(_) | Self::Damaged(_) => true,
            // The library has tried again already.
            Self::Credentials { .. } | Self::NoBucket | Self::Retained | Self::TooLarge(_) | Self::Malformed(_) => false,
        }
    }

    /// What an answer's status and body come to.
    pub(super) fn of_answer(status: u16, body: &[u8]) -> Self {
        let says = |words: &str| String::from_utf8_lossy(body).contains(words);
        match status {
            // A missing object and a missing bucket are both 404; only the words tell them apart.
            404 if says("bucket does not exist") => Self::NoBucket,
            403 if says("retentionPolicyNotMet") => Self::Retained,
            _ => Self::Status(status),
        }
    }

    /// As a person is told.
    pub(super) fn told(self, asked: &Asked<'_>) -> StoreError {
        let Asked { action, key, address, cure } = *asked;
        // The empty prefix is the whole store.
        let key = if key.is_empty() { address.to_string() } else { key.to_owned() };
        let unavailable = |key, why: String| StoreError::Unavailable { action, key, why };
        match self {
            Self::NoBucket => StoreError::Refused { action, key, status: 404, cure: no_bucket(address) },
            Self::Retained => StoreError::Refused { action, key, status: 403, cure: "the bucket's retention policy keeps what is there".to_owned() },
            Self::Status(status) if matches!(status, 408 | 429 | 500..600) => unavailable(key, format!("Google Cloud answered {status} every time")),
            Self::Status(status) => StoreError::Refused { action, key, status, cure: cure_of(status, asked) },
            Self::Credentials { passing: Passing::Yes } => unavailable(key, format!("no token could be obtained: set {cure}")),
            Self::Credentials { passing: Passing::No } => StoreError::Setup(format!("no usable Google credential for {address}: set {cure}")),
            Self::Broken(why) => unavailable(key, why.to_owned()),
            Self::Damaged(why) => StoreError::Damaged { action, key, why: why.to_owned() },
            Self::TooLarge(bytes) => StoreError::TooLarge { key, bytes, limit: super::LARGEST },
            Self::Malformed(why) => unavailable(key, why.to_owned()),
        }
    }
}

/// What was asked, for telling what to do about a refusal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) action: &'static str,
    pub(super) key: &'a str,
    pub(super) address: &'a Address,
    /// How a person gives a credential.
    pub(super) cure: &'a str,
}

fn cure_of(status: u16, asked: &Asked<'_>) -> String {
    let bucket = asked.address.bucket();
    match (status, asked.action) {
        (401, _) => format!("the credential is not accepted: set {}", asked.cure),
        (403, "write") => format!("grant whoever runs proofline roles/storage.objectCreator on the bucket {bucket}"),
        (403, "hold") => format!("run this as somebody who has storage.objects.update on the bucket {bucket}; whoever collects every night should not"),
        (403, "inspect") => format!("grant whoever runs proofline storage.buckets.get on the bucket {bucket}, e.g. by roles/storage.legacyBucketReader"),
        (403, "read the policy of") => {
            format!("grant whoever runs proofline storage.buckets.getIamPolicy on the bucket {bucket}, e.g. by roles/iam.securityReviewer")
        }
        (403, "read the audit configuration of") => {
            "grant whoever runs proofline resourcemanager.projects.getIamPolicy on that project, e.g. by roles/iam.securityReviewer".to_owned()
        }
        (403, _) => format!("grant whoever runs proofline roles/storage.objectViewer on the bucket {bucket}"),
        (404, _) => no_bucket(asked.address),
        _ => "it cannot be used like this; check `store` and `[storage]` in proofline.toml".to_owned(),
    }
}

fn no_bucket(address: &Address) -> String {
    format!("there is no bucket {}, or it is not for these credentials to see: create it, or correct `store` in proofline.toml", address.bucket())
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        if let Some(status) = error.http_status_code() {
            // An error in Google's form is parsed away; any other stays as it came.
            let words = error.status().map(|parsed| parsed.message.as_bytes()).or(error.http_payload().map(AsRef::as_ref));
            return Self::of_answer(status, words.unwrap_or_default());
        }
        if error.is_authentication() {
            let passing = if error.is_transient_and_before_rpc() { Passing::Yes } else { Passing::No };
            return Self::Credentials { passing };
        }
        if error.is_connect() {
            return Self::Broken("no connection could be made");
        }
        if error.is_deserialization() || error.is_serialization() {
            return Self::Damaged("the checksum does not match, or the answer is not in the documented form");
        }
        Self::Broken("the connection was closed before a whole answer came")
    }
}
