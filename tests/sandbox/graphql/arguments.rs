//! Arguments and variables as JSON.

use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, OperationDefinition, Value as Literal};
use serde_json::{Map, Value};

use crate::sandbox::graphql::Refusal;

/// The variables of an operation, defaults filled in.
#[derive(Debug, Default)]
pub(crate) struct Variables(Map<String, Value>);

impl Variables {
    /// Takes what was given; a required variable that is missing is refused.
    pub(crate) fn new(operation: &OperationDefinition, given: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut all = Self::default();
        for definition in &operation.variables {
            let name = definition.name.as_str();
            let value = match (given.get(name), &definition.default_value) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => all.value(default),
                (None, None) => Value::Null,
            };
            if value.is_null() && definition.ty.is_non_null() {
                return Err(Refusal::new("INVALID_VARIABLES", format!("Variable ${name} of type {} was provided invalid value", definition.ty)));
            }
            all.0.insert(name.to_owned(), value);
        }
        Ok(all)
    }

    /// A literal with its variables put in.
    pub(crate) fn value(&self, literal: &Literal) -> Value {
        match literal {
            Literal::Null => Value::Null,
            Literal::Enum(name) => name.as_str().into(),
            Literal::Variable(name) => self.0.get(name.as_str()).cloned().unwrap_or_default(),
            Literal::String(text) => text.as_str().into(),
            Literal::Float(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
            Literal::Int(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
            Literal::Boolean(flag) => (*flag).into(),
            Literal::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Literal::Object(fields) => fields.iter().map(|(name, value)| (name.as_str().to_owned(), self.value(value))).collect(),
        }
    }

    /// The arguments of a field; nulls count as absent.
    pub(crate) fn arguments(&self, arguments: &[Node<Argument>]) -> Arguments {
        let given = arguments.iter().map(|argument| (argument.name.as_str().to_owned(), self.value(&argument.value)));
        Arguments(given.filter(|(_, value)| !value.is_null()).collect())
    }
}

/// The arguments of one field.
#[derive(Debug, Default)]
pub(crate) struct Arguments(Map<String, Value>);

impl Arguments {
    /// An argument, if it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Text or an enum value.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A number.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// True only where it was given as true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The texts of a list; a single value is a list of one, as GraphQL has it.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        Some(texts(self.get(name)?))
    }

    /// A field of an input object, e.g. `orderBy.field`.
    pub(crate) fn inner(&self, name: &str, field: &str) -> Option<&Value> {
        self.get(name)?.get(field).filter(|value| !value.is_null())
    }
}

/// The texts of a list or of a single value.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}
