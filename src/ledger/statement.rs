//! What an entry says: an in-toto Statement v1 over subjects named by SHA-256, with a small predicate per kind.
//!
//! Left out: what the predicates of the other stages hold; here they are JSON objects.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ledger::LedgerError;
use crate::model::Digest;

const STATEMENT: &str = "statement";
const TYPE: &str = "https://in-toto.io/Statement/v1";
const MAX_SUBJECTS: usize = 256;
const MAX_NAME: usize = 512;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A run was sealed.
    Run,
    /// A sealed run was judged.
    Evaluation,
    /// The log has a new key.
    KeyRotation,
    /// The configuration in force changed.
    Configuration,
    /// Something will no longer be readable, and why.
    Tombstone,
    /// Something must be kept beyond its retention.
    Hold,
    /// Somebody gave evidence that a task was done.
    Attachment,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [Self::Run, Self::Evaluation, Self::KeyRotation, Self::Configuration, Self::Tombstone, Self::Hold, Self::Attachment];

    /// The kind's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Evaluation => "evaluation",
            Self::KeyRotation => "key-rotation",
            Self::Configuration => "configuration",
            Self::Tombstone => "tombstone",
            Self::Hold => "hold",
            Self::Attachment => "attachment",
        }
    }

    /// The predicate type, a URI.
    #[must_use]
    pub fn predicate_type(self) -> String {
        format!("proofline:entry/{}/v1", self.word())
    }
}

/// Something sealed, by name and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The object's key in the store, or what else names it.
    pub name: String,
    digest: Digests,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digests {
    sha256: Digest,
}

impl Subject {
    /// Names a digest.
    pub fn new(name: impl Into<String>, digest: Digest) -> Self {
        Self { name: name.into(), digest: Digests { sha256: digest } }
    }

    /// The SHA-256 of its bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest.sha256
    }
}

/// An in-toto Statement v1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    of: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Map<String, Value>,
}

impl Statement {
    /// A statement of `kind` over `subjects`. The same arguments give the same bytes, which is what makes appending idempotent.
    ///
    /// # Errors
    /// `LedgerError::Malformed` where there are no or too many subjects, or a name is empty, too long or used twice.
    pub fn new(kind: Kind, subjects: Vec<Subject>, predicate: Map<String, Value>) -> Result<Self, LedgerError> {
        Self { of: TYPE.to_owned(), subject: subjects, predicate_type: kind.predicate_type(), predicate }.checked()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// `LedgerError::Malformed`.
    pub fn parse(payload: &[u8]) -> Result<Self, LedgerError> {
        let statement: Self = serde_json::from_slice(payload).map_err(|_source| LedgerError::malformed(STATEMENT, "it is not an in-toto Statement v1"))?;
        statement.checked()
    }

    fn checked(self) -> Result<Self, LedgerError> {
        let refuse = |why| Err(LedgerError::malformed(STATEMENT, why));
        let names: BTreeSet<_> = self.subject.iter().map(|subject| &subject.name).collect();
        if self.of != TYPE {
            return refuse("it is of another type");
        }
        if names.is_empty() || self.subject.len() > MAX_SUBJECTS {
            return refuse("it has no or too many subjects");
        }
        if names.len() != self.subject.len() || names.iter().any(|name| name.is_empty() || name.len() > MAX_NAME) {
            return refuse("a subject's name is empty, too long or used twice");
        }
        Ok(self)
    }

    /// The payload's bytes. Hashed and signed as they are; nothing is ever serialised again to be checked.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Maps have text keys only: this cannot fail, and were it to, no reader would take an empty payload.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What it is about; none for a kind that this version does not know.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.predicate_type() == self.predicate_type)
    }

    /// The predicate type as written.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// What it names.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subject
    }

    /// What it says of them.
    #[must_use]
    pub fn predicate(&self) -> &Map<String, Value> {
        &self.predicate
    }
}
