//! The types that the checker reasons with. `Any` is what it knows nothing about, and goes with everything.

use std::fmt;

use serde_json::Value as Json;

use crate::model::{AttributeDecl, AttributeType};

/// What is known of a value before it exists.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Any,
    Null,
    Bool,
    Int,
    /// An unsigned number, written `1u`.
    Unsigned,
    /// A number with a fraction.
    Double,
    Text,
    Bytes,
    Time,
    Duration,
    List(Box<Type>),
    /// Keys are text where the map comes from an attribute or a parameter.
    Map(Box<Type>),
    Record(&'static [AttributeDecl]),
    /// The inner type, or null.
    Optional(Box<Type>),
    /// A type as a value, e.g. `int`.
    Kind,
}

impl From<&AttributeType> for Type {
    fn from(declared: &AttributeType) -> Self {
        match declared {
            AttributeType::Bool => Self::Bool,
            AttributeType::Int => Self::Int,
            AttributeType::Text => Self::Text,
            AttributeType::Time => Self::Time,
            AttributeType::List(inner) => Self::List(Box::new(Self::from(*inner))),
            AttributeType::Map(inner) => Self::Map(Box::new(Self::from(*inner))),
            AttributeType::Record(fields) => Self::Record(fields),
            AttributeType::Optional(inner) => Self::Optional(Box::new(Self::from(*inner))),
        }
    }
}

impl From<&Json> for Type {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Bool,
            Json::Number(number) if number.is_f64() => Self::Double,
            Json::Number(_) => Self::Int,
            Json::String(_) => Self::Text,
            Json::Array(items) => Self::List(Box::new(Self::common(items.iter().map(Self::from)))),
            Json::Object(entries) => Self::Map(Box::new(Self::common(entries.values().map(Self::from)))),
        }
    }
}

impl Type {
    /// The type of all of them; `Any` where they differ or there are none.
    pub(super) fn common(types: impl Iterator<Item = Self>) -> Self {
        let mut common: Option<Self> = None;
        for ty in types {
            match &common {
                None => common = Some(ty),
                Some(so_far) if *so_far == ty => {}
                Some(_) => return Self::Any,
            }
        }
        common.unwrap_or(Self::Any)
    }

    /// True for the types that compare with each other as numbers.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Unsigned | Self::Double)
    }

    /// False where the two can never be equal.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Optional(_), Self::Null) | (Self::Null, Self::Optional(_)) => true,
            (Self::Optional(inner), other) | (other, Self::Optional(inner)) => inner.may_equal(other),
            (Self::List(a), Self::List(b)) | (Self::Map(a), Self::Map(b)) => a.may_equal(b),
            (Self::Record(_), Self::Map(_)) | (Self::Map(_), Self::Record(_)) => true,
            (a, b) => a == b || (a.is_number() && b.is_number()),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any type"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Unsigned => f.write_str("unsigned int"),
            Self::Double => f.write_str("double"),
            Self::Text => f.write_str("text"),
            Self::Bytes => f.write_str("bytes"),
            Self::Time => f.write_str("time"),
            Self::Duration => f.write_str("duration"),
            Self::List(inner) => write!(f, "list of {inner}"),
            Self::Map(inner) => write!(f, "map of {inner}"),
            Self::Record(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                write!(f, "record ({})", names.join(", "))
            }
            Self::Optional(inner) => write!(f, "{inner} or null"),
            Self::Kind => f.write_str("type"),
        }
    }
}
