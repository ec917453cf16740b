//! What is to be evaluated and what comes of it: the words that the watchdog and its thread exchange.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::evaluate::engine::fault::Fault;
use crate::evaluate::engine::program::Answer;
use crate::model::{ControlId, Parameters};

/// Every test of a run, compiled once and evaluated again and again.
#[derive(Debug)]
pub(in crate::evaluate) struct Plan {
    /// `now` in expressions.
    pub(in crate::evaluate) now: DateTime<Utc>,
    /// Named by their place in this list.
    pub(in crate::evaluate) tests: Vec<PlannedTest>,
}

/// One test of one control.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct PlannedTest {
    /// The control.
    pub(in crate::evaluate) control: ControlId,
    /// Which of its tests, from 1.
    pub(in crate::evaluate) number: u32,
    /// The variable that stands for the resource.
    pub(in crate::evaluate) noun: &'static str,
    /// `params` in expressions.
    pub(in crate::evaluate) parameters: Parameters,
    /// The source of `where`.
    pub(in crate::evaluate) filter: Option<String>,
    /// The source of `require`.
    pub(in crate::evaluate) require: String,
    /// The source of `because`.
    pub(in crate::evaluate) because: Option<String>,
}

/// One of the expressions of a test; prints as its key in control files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::evaluate) enum Part {
    Where,
    Require,
    Because,
}

impl Part {
    /// As written in control files.
    pub(in crate::evaluate) fn as_str(self) -> &'static str {
        match self {
            Self::Where => "where",
            Self::Require => "require",
            Self::Because => "because",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One resource under one test.
#[derive(Debug, Clone, Copy)]
pub(in crate::evaluate) struct Work {
    /// The subject's place in the batch.
    pub(in crate::evaluate) subject: usize,
    /// The test's place in the plan.
    pub(in crate::evaluate) test: usize,
}

/// What a test's expressions said of one resource, as far as they were needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::evaluate) struct Trace {
    /// `where`; none where the test has none.
    pub(in crate::evaluate) filter: Option<Answer>,
    /// `require`; none where `where` is not true.
    pub(in crate::evaluate) require: Option<Answer>,
    /// `because`; none unless `require` is false.
    pub(in crate::evaluate) because: Option<Answer>,
}

impl Trace {
    /// The trace of an evaluation that hangs. Only a `because` leaves the verdict standing: it is evaluated after `require` was false.
    pub(super) fn stuck_in(part: Part) -> Self {
        let timed_out = Some(Answer::None(Fault::TimedOut));
        match part {
            Part::Where => Self { filter: timed_out, ..Self::default() },
            Part::Require => Self { require: timed_out, ..Self::default() },
            Part::Because => Self { filter: None, require: Some(Answer::Truth(false)), because: timed_out },
        }
    }
}
