//! What can be wrong with an expression, and where; the catalogue asks, the expression engine answers.

use std::ops::Range;

use crate::model::control::{Expression, Parameters};
use crate::model::kind::Kind;

/// An expression in its place, as far as is needed to check it.
#[derive(Debug, Clone, Copy)]
pub struct ExpressionSite<'a> {
    /// The kind whose noun it may use.
    pub kind: &'static Kind,
    /// The parameters it may use.
    pub parameters: &'a Parameters,
    /// Its source.
    pub expression: &'a Expression,
    /// What it must yield.
    pub want: Want,
    /// What is true wherever it is evaluated: the test's `where` for `require` and `because`; none for `where` itself.
    pub given: Option<&'a Expression>,
}

/// What an expression must yield.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// true or false (`where`, `require`).
    Truth,
    /// Text (`because`).
    Text,
}

/// One mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionMistake {
    /// Error or warning.
    pub weight: Weight,
    /// Byte range in the expression's source.
    pub range: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead, e.g. "did you mean `is_default`?".
    pub help: Option<String>,
}

/// Whether a mistake stops the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It does.
    Error,
    /// It is shown.
    Warning,
}
