//! The sealed manifest of one collect run: everything a verdict needs, named by digest.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::budget::Budget;
use crate::model::digest::Digest;
use crate::model::ids::{ControlId, RunId};
use crate::model::redaction::Redaction;
use crate::model::scope::Scope;

/// The seal of a run. Its creation is the commit point; its bytes are hashed as they are, never re-serialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format number, now 1.
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// When the run began, UTC.
    pub started_at: DateTime<Utc>,
    /// When the last answer had come, UTC.
    pub ended_at: DateTime<Utc>,
    /// `manual`, `due` or `reconstruct`.
    pub trigger: String,
    /// The run that this one continues: what that one was answered shortly before was not asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<RunId>,
    /// `proofline <version>`.
    pub tool: String,
    /// IANA name of the audit calendar's zone.
    pub time_zone: String,
    /// What was looked at.
    pub scope: Scope,
    /// Controls collected for, sorted.
    pub controls: Vec<ControlId>,
    /// SHA-256 of the program that collected; none where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Digest>,
    /// Who asked each source, by what it is called; none in runs from before it was kept, and of a source that no credential was sent to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<String, String>,
    /// SHA-256 of the configuration file as it was, kept as a body.
    pub configuration: Digest,
    /// The control and criteria files as they were, so that a later evaluation reads the same text.
    pub control_files: Vec<ControlFile>,
    /// Parameter overrides from the configuration: control id → name → value, as compact JSON text.
    pub parameters: BTreeMap<String, String>,
    /// What was taken out of answers before they were hashed; none in runs from before there was such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<Redaction>,
    /// The kinds collected and how that went.
    pub kinds: BTreeMap<String, Outcome>,
    /// The request file, `runs/<run>/requests.ndjson.zst`.
    pub requests: StoredFile,
    /// Where each body lies, `runs/<run>/bodies.ndjson.zst`.
    pub bodies: StoredFile,
    /// Exchanges in it.
    pub exchanges: u32,
    /// Answered with 304.
    pub not_modified: u32,
    /// Without a usable answer.
    pub failed: u32,
    /// The slots before this run's in which nothing ran, by name, of each control that it judged and that was owed: a gap is written down by the run that ends it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_run: BTreeMap<ControlId, Vec<String>>,
    /// Requests, waits and limits; none of it in runs from before it was kept.
    #[serde(default)]
    pub budget: Budget,
}

impl Manifest {
    /// The instant that it shows, UTC, and at which everything is judged: when it began, or the past one that it reconstructs.
    #[must_use]
    pub fn shows(&self) -> DateTime<Utc> {
        self.scope.as_of.unwrap_or(self.started_at)
    }
}

/// How collecting one kind went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every request had an answer, be it a refusal.
    Complete,
    /// Something had no answer that a later run may get.
    Partial,
}

/// One control or criteria file, stored as a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlFile {
    /// Its path below the control directory, with `/`.
    pub path: String,
    /// SHA-256 of its text.
    pub sha256: Digest,
}

/// Where a body lies: one zstd frame among others in a pack. A line of `bodies.ndjson.zst`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// SHA-256 of the uncompressed bytes.
    pub sha256: Digest,
    /// Length of the uncompressed bytes.
    pub bytes: u64,
    /// The pack's object name, `packs/<yyyy-mm>/<sha256>.zpack`.
    pub pack: Arc<str>,
    /// Where the frame starts in the pack, in bytes from 0.
    pub offset: u64,
    /// Length of the frame.
    pub length: u64,
}

/// An object that is one zstd frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// The object's name.
    pub object: String,
    /// SHA-256 of the uncompressed bytes.
    pub sha256: Digest,
    /// Length of the uncompressed bytes.
    pub bytes: u64,
}
