//! Exit codes, and which of several wins.

use crate::model::{Finding, FindingStatus};

/// How an invocation ended. Where several hold: ledger before usage before not satisfied before undetermined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything asked for was done, and what was judged is satisfied.
    Satisfied,
    /// 1: a control is not satisfied.
    NotSatisfied,
    /// 2: the command line, the configuration or a control file is wrong.
    Usage,
    /// 3: a control could not be told, or the run could not be finished.
    Undetermined,
    /// 4: stored evidence is missing or is not what its digest says.
    Broken,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Satisfied => 0,
            Self::NotSatisfied => 1,
            Self::Usage => 2,
            Self::Undetermined => 3,
            Self::Broken => 4,
        }
    }

    /// What findings come to.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let any = |status| findings.iter().any(|finding| finding.status == status);
        if any(FindingStatus::NotSatisfied) {
            Self::NotSatisfied
        } else if any(FindingStatus::Undetermined) {
            Self::Undetermined
        } else {
            Self::Satisfied
        }
    }
}

/// An error that knows its exit code; any other error is `Undetermined`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The code.
    pub exit: Exit,
    /// What is wrong and what to do, for a person.
    pub message: String,
}

impl Failure {
    /// A mistake in the command line, the configuration or a control file.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }
}
