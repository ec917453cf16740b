//! Everything that knows the expression engine (crate `cel`): checking, converting, compiling, evaluating, and the thread all of it happens on.
//!
//! Nothing outside this folder names a type of that crate. What an answer *means* for a control is decided outside.

mod check;
mod fault;
mod plan;
mod program;
mod subject;
mod thread;
mod value;
mod worker;

pub use check::check;
pub(super) use fault::Fault;
pub(super) use plan::{Part, Plan, PlannedTest, Trace, Work};
pub(super) use program::{Answer, References};
pub(super) use subject::Subject;
pub(super) use thread::Engine;
pub(super) use value::misfit;
