//! Whether a store keeps evidence from those who would rather not have it: pure judgements over what was seen, and a trial that really tries to break the rule.
//!
//! What could not be seen is `undetermined`, never a pass. Left out: asking (`gcs/inspect.rs`), and what is in the objects.

pub mod access;
pub mod bucket;
pub mod facts;
pub mod folder;
pub mod retention;
pub mod trial;

use serde::Serialize;

use crate::model::Verdict;

/// One assertion about a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which assertion, e.g. `retention-lock`; kept for good.
    pub id: &'static str,
    /// `pass`, `fail` or `undetermined`.
    pub verdict: Verdict,
    /// What was seen, or why nothing was.
    pub detail: String,
    /// What to do about it; none where it passes.
    pub cure: Option<String>,
}

impl Check {
    /// It holds.
    pub fn pass(id: &'static str, detail: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Pass, detail: detail.into(), cure: None }
    }

    /// It does not.
    pub fn fail(id: &'static str, detail: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Fail, detail: detail.into(), cure: Some(cure.into()) }
    }

    /// It could not be told.
    pub fn undetermined(id: &'static str, detail: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Undetermined, detail: detail.into(), cure: Some(cure.into()) }
    }

    /// True where it passes.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Pass
    }
}

/// True where the store itself keeps everybody from deleting, over the whole period: the condition of assurance level L2.
#[must_use]
pub fn is_write_once(checks: &[Check]) -> bool {
    let holds = |id| checks.iter().any(|check| check.id == id && check.holds());
    ["retention-lock", "retention-start", "create-once", "no-delete"].into_iter().all(holds)
}

/// Something that could not be seen, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen(pub String);

impl Unseen {
    fn check(&self, id: &'static str) -> Check {
        Check::undetermined(id, self.0.clone(), "cure the reason given, then run doctor again")
    }
}
