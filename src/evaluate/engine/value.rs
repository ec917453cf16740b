//! JSON → values of the expression engine: attributes by their declared type, parameters by their JSON type.
//!
//! The engine's own conversion turns positive integers into unsigned ones, which then cannot be added to signed literals; here every integer is signed.
//! A value that does not fit its declared type is refused, never coerced: it becomes an unknown attribute.

use std::fmt;
use std::sync::Arc;

use cel::Value;
use cel::objects::{Key, Map};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::model::{AttributeDecl, AttributeType};

/// Where, and how, a value does not fit; never holds the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluate) struct Misfit {
    /// Path below the attribute, e.g. `[3].app`; empty for the attribute itself.
    path: String,
    /// What was declared and what was found.
    message: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "at {}: {}", self.path, self.message) }
    }
}

impl Misfit {
    fn new(declared: &AttributeType, found: &Json) -> Self {
        Self { path: String::new(), message: format!("declared {declared}, but the value is {}", name_of(found)) }
    }

    fn below(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

/// Why `json` is not a value of the declared type; none where it is.
pub(in crate::evaluate) fn misfit(declared: &AttributeType, json: &Json) -> Option<Misfit> {
    attribute(declared, json).err()
}

/// The value of an attribute of the declared type.
pub(super) fn attribute(declared: &AttributeType, json: &Json) -> Result<Value, Misfit> {
    match (declared, json) {
        (AttributeType::Optional(_), Json::Null) => Ok(Value::Null),
        (AttributeType::Optional(inner), _) => attribute(inner, json),
        (AttributeType::Bool, Json::Bool(truth)) => Ok(Value::Bool(*truth)),
        (AttributeType::Int, Json::Number(number)) => number.as_i64().map(Value::Int).ok_or_else(|| Misfit::new(declared, json)),
        (AttributeType::Text, Json::String(text)) => Ok(Value::String(Arc::new(text.clone()))),
        (AttributeType::Time, Json::String(text)) => match DateTime::parse_from_rfc3339(text) {
            Ok(at) => Ok(Value::Timestamp(at.with_timezone(&Utc).fixed_offset())),
            Err(_) => Err(Misfit { path: String::new(), message: "declared time, but the value is text that is not an RFC 3339 instant".to_owned() }),
        },
        (AttributeType::List(inner), Json::Array(items)) => {
            let items: Result<Vec<Value>, Misfit> =
                items.iter().enumerate().map(|(at, item)| attribute(inner, item).map_err(|misfit| misfit.below(&format!("[{at}]")))).collect();
            Ok(Value::List(Arc::new(items?)))
        }
        (AttributeType::Map(inner), Json::Object(entries)) => {
            let entries = entries.iter().map(|(key, item)| Ok((text_key(key), attribute(inner, item).map_err(|misfit| misfit.below(&format!("[{key:?}]")))?)));
            Ok(Value::Map(Map { map: Arc::new(entries.collect::<Result<_, Misfit>>()?) }))
        }
        (AttributeType::Record(fields), Json::Object(entries)) => record(fields, entries),
        _ => Err(Misfit::new(declared, json)),
    }
}

/// A record has exactly the declared fields: with one left out, `'app' in check` or iterating would turn what is missing into an answer.
fn record(fields: &[AttributeDecl], entries: &serde_json::Map<String, Json>) -> Result<Value, Misfit> {
    if let Some(stray) = entries.keys().find(|name| !fields.iter().any(|field| field.name == name.as_str())) {
        return Err(Misfit { path: format!(".{stray}"), message: "the field is not declared".to_owned() });
    }
    let values = fields.iter().map(|field| {
        let Some(json) = entries.get(field.name) else {
            return Err(Misfit { path: format!(".{}", field.name), message: "the field is missing".to_owned() });
        };
        Ok((text_key(field.name), attribute(&field.ty, json).map_err(|misfit| misfit.below(&format!(".{}", field.name)))?))
    });
    Ok(Value::Map(Map { map: Arc::new(values.collect::<Result<_, Misfit>>()?) }))
}

/// The value of a parameter; text stays text, so a duration is written `duration(params.max_age)` in expressions.
pub(super) fn parameter(json: &Json) -> Result<Value, Misfit> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) if number.is_f64() => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        Json::Number(number) => Value::Int(number.as_i64().ok_or_else(|| Misfit::new(&AttributeType::Int, json))?),
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Array(items) => Value::List(Arc::new(items.iter().map(parameter).collect::<Result<Vec<_>, _>>()?)),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, item)| Ok((text_key(key), parameter(item)?)));
            Value::Map(Map { map: Arc::new(entries.collect::<Result<_, Misfit>>()?) })
        }
    })
}

/// A map with text keys.
pub(super) fn map(entries: impl Iterator<Item = (String, Value)>) -> Value {
    Value::Map(Map { map: Arc::new(entries.map(|(key, value)| (Key::String(Arc::new(key)), value)).collect()) })
}

fn text_key(key: &str) -> Key {
    Key::String(Arc::new(key.to_owned()))
}

fn name_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_f64() => "a number with a fraction",
        Json::Number(number) if number.is_i64() => "int",
        Json::Number(_) => "a number beyond 64 bits signed",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{attribute, parameter};
    use crate::model::{AttributeDecl, AttributeType};

    const FIELDS: &[AttributeDecl] = &[
        AttributeDecl { name: "context", ty: AttributeType::Text, meaning: "", vendor: "" },
        AttributeDecl { name: "app", ty: AttributeType::Optional(&AttributeType::Text), meaning: "", vendor: "" },
    ];

    #[test]
    fn values_fit_their_declared_type_or_are_refused_with_the_place() {
        let checks = AttributeType::List(&AttributeType::Record(FIELDS));
        let labels = AttributeType::Map(&AttributeType::Int);
        let cases = [
            (AttributeType::Bool, json!(true), None),
            (AttributeType::Bool, json!("true"), Some("declared bool, but the value is text")),
            (AttributeType::Bool, json!(null), Some("declared bool, but the value is null")),
            (AttributeType::Int, json!(i64::MIN), None),
            (AttributeType::Int, json!(u64::MAX), Some("declared int, but the value is a number beyond 64 bits signed")),
            (AttributeType::Int, json!(1.0), Some("declared int, but the value is a number with a fraction")),
            (AttributeType::Time, json!("2026-03-01T00:00:00+01:00"), None),
            (AttributeType::Time, json!("2026-03-01"), Some("declared time, but the value is text that is not an RFC 3339 instant")),
            (AttributeType::Optional(&AttributeType::Text), json!(null), None),
            (AttributeType::Optional(&AttributeType::Text), json!(1), Some("declared text, but the value is int")),
            (checks, json!([{"context": "ci", "app": null}]), None),
            (checks, json!([{"context": "ci", "app": null}, {"context": "ci"}]), Some("at [1].app: the field is missing")),
            (checks, json!([{"context": 1, "app": null}]), Some("at [0].context: declared text, but the value is int")),
            (checks, json!([{"context": "ci", "app": null, "more": 1}]), Some("at [0].more: the field is not declared")),
            (labels, json!({"a": 1, "b": "x"}), Some("at [\"b\"]: declared int, but the value is text")),
        ];
        for (ty, value, wrong) in cases {
            assert_eq!(attribute(&ty, &value).err().map(|misfit| misfit.to_string()), wrong.map(str::to_owned), "{ty} {value}");
        }
    }

    #[test]
    fn parameters_keep_signed_integers_and_refuse_larger_ones() {
        assert_eq!(parameter(&json!(2)), Ok(cel::Value::Int(2)));
        assert!(parameter(&json!({"a": [u64::MAX]})).is_err());
    }
}
