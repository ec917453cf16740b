//! Stage 4: pure judgement. Resources read from stored evidence, and controls → observations and findings.
//!
//! Expressions are CEL. The language's engine, its types and its errors stay behind `engine`; the rest of this folder speaks in the model's nouns.
//! Left out on purpose: where resources come from, periods and slots, and any clock. The one exception is the watchdog in `engine::thread`, which measures
//! how long one expression takes and never what time it is.

mod conclude;
pub mod difference;
mod engine;
mod example;
pub mod history;
mod judge;
mod ruling;
pub mod sample;

use std::time::Duration;

pub use engine::check;
pub use example::{ExampleOutcome, run_example};
pub use judge::Judge;

use crate::model::{ControlId, ResourceId};

/// How long one expression may take on one resource before it counts as undetermined.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The longest expression source, in bytes.
pub const SOURCE_LIMIT: usize = 4096;

/// Judging cannot go on. What is merely not known is an `undetermined` observation, never this.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A control file names a kind that this version does not have: fix the control.
    #[error("{control}: there is no resource kind {kind:?}")]
    UnknownKind {
        /// The control.
        control: ControlId,
        /// The kind it names.
        kind: String,
    },
    /// An expression does not compile: fix the control.
    #[error("{control}, test {test}, {part}: {message}")]
    Expression {
        /// The control.
        control: ControlId,
        /// Which of its tests, from 1.
        test: u32,
        /// `where`, `require` or `because`.
        part: &'static str,
        /// The first mistake in it.
        message: String,
    },
    /// A parameter cannot be handed to expressions: fix the control or the configuration.
    #[error("{control}: parameter {name}: {message}")]
    Parameter {
        /// The control.
        control: ControlId,
        /// The parameter.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// Two controls have the same id: rename one.
    #[error("two controls are called {control}")]
    SameControl {
        /// The id.
        control: ControlId,
    },
    /// A resource cites no exchange, so nothing could be proven with it: a mistake in a collector.
    #[error("{kind} {resource} cites no evidence")]
    NoEvidence {
        /// Its kind.
        kind: String,
        /// The resource.
        resource: ResourceId,
    },
    /// A resource is of a kind that was not given to `Judge::new`: a mistake in the caller.
    #[error("{resource} is of the unknown kind {kind:?}")]
    StrayResource {
        /// Its kind.
        kind: String,
        /// The resource.
        resource: ResourceId,
    },
    /// A resource has an attribute that its kind does not declare: a mistake in a collector, or in an example.
    #[error("{kind} {resource} has an attribute {attribute:?} that the kind does not declare")]
    Undeclared {
        /// Its kind.
        kind: String,
        /// The resource.
        resource: ResourceId,
        /// The attribute.
        attribute: String,
    },
    /// The value of an attribute in an example is not of its declared type: fix the example.
    #[error("the example's {attribute} is {message}")]
    ExampleValue {
        /// The attribute.
        attribute: String,
        /// The declared type beside the value's.
        message: String,
    },
    /// A control has no test of that number.
    #[error("{control} has no test {test}")]
    NoSuchTest {
        /// The control.
        control: ControlId,
        /// Which test was asked for, from 1.
        test: usize,
    },
    /// The operating system gave no thread with a large enough stack: stop, or free memory.
    #[error("the thread that evaluates expressions could not be started")]
    NoThread(#[source] std::io::Error),
    /// The thread that evaluates ended although nothing asked it to: a defect of ours.
    #[error("the thread that evaluates expressions ended unexpectedly")]
    ThreadEnded,
}
