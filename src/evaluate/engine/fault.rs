//! Why an expression has no answer, in our words and without values: the engine's own texts print whole maps, in random order.

use cel::ExecutionError;

use crate::evaluate::engine::subject::UNKNOWN;

/// Why an expression has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluate) enum Fault {
    /// It needs this attribute, which is not known.
    Unknown(String),
    /// It looks this key up in a map that does not have it.
    NoKey(String),
    /// It asks for an element beyond the end of a list.
    NoElement,
    /// An operator or a function met values of types that it does not take, null among them.
    Types,
    /// Overflow, or division by zero.
    Arithmetic,
    /// A function refused its argument, e.g. `timestamp("soon")`.
    Function {
        /// Its name.
        name: String,
        /// What it says.
        message: String,
    },
    /// It names something that does not exist.
    NoSuchName(String),
    /// The engine panicked; the panic was caught.
    Panicked,
    /// It took longer than its time limit.
    TimedOut,
    /// Anything else that the engine reports.
    Other,
}

impl From<ExecutionError> for Fault {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::FunctionError { function, message } if function == UNKNOWN => Self::Unknown(message),
            ExecutionError::FunctionError { function, message } => Self::Function { name: function, message },
            ExecutionError::NoSuchKey(key) => Self::NoKey(key.to_string()),
            ExecutionError::IndexOutOfBounds(_) => Self::NoElement,
            ExecutionError::UndeclaredReference(name) => Self::NoSuchName(name.to_string()),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) | ExecutionError::Overflow(..) => Self::Arithmetic,
            ExecutionError::NoSuchOverload(_)
            | ExecutionError::UnexpectedType { .. }
            | ExecutionError::ValuesNotComparable(..)
            | ExecutionError::UnsupportedBinaryOperator(..)
            | ExecutionError::UnsupportedIndex(..)
            | ExecutionError::UnsupportedKeyType(_)
            | ExecutionError::UnsupportedTargetType { .. }
            | ExecutionError::NotSupportedAsMethod { .. } => Self::Types,
            _ => Self::Other,
        }
    }
}
