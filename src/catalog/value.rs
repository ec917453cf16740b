//! TOML values as the JSON that expressions see: scalars, instants, and values of a declared attribute type.
//!
//! Left out: what the values are for.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde_json::{Map, Value};
use toml::de::{DeInteger, DeValue};

use crate::catalog::page::{Node, Page, Section, shown, type_name};
use crate::catalog::suggest;
use crate::model::{AttributeDecl, AttributeType};

/// Days for which a store can be asked to keep evidence: a bucket's retention policy is shorter than 100 years, and not enforced reliably below a day.
pub(super) const RETENTION_DAYS: RangeInclusive<u32> = 1..=36_500;

/// Text that says something, on as many lines as it likes; line ends are `\n` whatever the editor wrote, since texts reach digests.
pub(super) fn text<'t>(page: &mut Page<'_>, node: Node<'t, '_>, key: &str) -> Option<Cow<'t, str>> {
    let DeValue::String(given) = node.get_ref() else {
        page.error(node.span(), format!("`{key}` is text, not {}", type_name(node.get_ref())), format!("write {key} = \"…\""));
        return None;
    };
    let text = if given.contains("\r\n") { Cow::Owned(given.replace("\r\n", "\n")) } else { Cow::Borrowed(given.as_ref()) };
    if text.trim().is_empty() {
        page.error(node.span(), format!("`{key}` is empty"), None);
        return None;
    }
    if let Some(odd) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        page.error(node.span(), format!("`{key}` holds the control character {}", odd.escape_unicode()), "leave it out".to_owned());
        return None;
    }
    Some(text)
}

/// Text on one line.
pub(super) fn line<'t>(page: &mut Page<'_>, node: Node<'t, '_>, key: &str) -> Option<Cow<'t, str>> {
    let text = text(page, node, key)?;
    if text.contains(['\n', '\t']) {
        page.error(node.span(), format!("`{key}` is one line"), None);
        return None;
    }
    Some(text)
}

/// true or false.
pub(super) fn truth(page: &mut Page<'_>, node: Node<'_, '_>, key: &str) -> Option<bool> {
    let truth = node.get_ref().as_bool();
    if truth.is_none() {
        page.error(node.span(), format!("`{key}` is true or false, not {}", type_name(node.get_ref())), None);
    }
    truth
}

/// A list; of what, the caller checks.
pub(super) fn list<'t, 'i>(page: &mut Page<'_>, node: Node<'t, 'i>, key: &str) -> Option<impl Iterator<Item = Node<'t, 'i>> + use<'t, 'i>> {
    let DeValue::Array(items) = node.get_ref() else {
        page.error(node.span(), format!("`{key}` is a list, not {}", type_name(node.get_ref())), format!("write {key} = [ … ]"));
        return None;
    };
    Some(items.iter())
}

/// One of an enum's names, as serde knows them: a new variant is allowed, and listed, without a line here. `unlisted` ones are not offered.
pub(super) fn variant<T: for<'de> Deserialize<'de>>(page: &mut Page<'_>, node: Node<'_, '_>, key: &str, unlisted: &[&str]) -> Option<T> {
    let given = line(page, node, key)?;
    match T::deserialize(given.as_ref().into_deserializer()) {
        Ok(value) => Some(value),
        Err(NotAVariant(names)) => {
            let names: Vec<&str> = names.iter().copied().filter(|name| !unlisted.contains(name)).collect();
            page.error(node.span(), format!("`{key}` cannot be \"{}\"", shown(&given)), choices(&given, &names));
            None
        }
    }
}

fn choices(given: &str, names: &[&str]) -> Option<String> {
    let all = suggest::one_of(names)?;
    Some(match suggest::nearest(given, names.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"? {all}"),
        None => all,
    })
}

/// The names that serde would have taken.
#[derive(Debug)]
struct NotAVariant(&'static [&'static str]);

impl fmt::Display for NotAVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.0.join(", "))
    }
}

impl std::error::Error for NotAVariant {}

impl serde::de::Error for NotAVariant {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

/// A whole number within bounds.
pub(super) fn number(page: &mut Page<'_>, node: Node<'_, '_>, key: &str, allowed: RangeInclusive<u32>) -> Option<u32> {
    let help = format!("write an integer from {} to {}", allowed.start(), allowed.end());
    let DeValue::Integer(given) = node.get_ref() else {
        page.error(node.span(), format!("`{key}` is an integer, not {}", type_name(node.get_ref())), help);
        return None;
    };
    let number = u32::from_str_radix(given.as_str(), given.radix()).ok().filter(|number| allowed.contains(number));
    if number.is_none() {
        page.error(node.span(), format!("`{key}` is out of range"), help);
    }
    number
}

/// A whole number of 64 bits.
pub(super) fn integer(page: &mut Page<'_>, node: Node<'_, '_>, given: &DeInteger<'_>) -> Option<i64> {
    let number = i64::from_str_radix(given.as_str(), given.radix()).ok();
    if number.is_none() {
        page.error(node.span(), "this number does not fit into 64 bits", None);
    }
    number
}

/// An instant: a TOML date and time with its offset, or the same as text.
pub(super) fn instant(page: &mut Page<'_>, node: Node<'_, '_>, key: &str) -> Option<DateTime<Utc>> {
    let help = "write date, time and offset, e.g. 2026-01-31T09:00:00Z".to_owned();
    let given = match node.get_ref() {
        DeValue::Datetime(given) => given.to_string(),
        DeValue::String(given) => given.to_string(),
        other => {
            page.error(node.span(), format!("`{}` is an instant, not {}", shown(key), type_name(other)), help);
            return None;
        }
    };
    let instant = DateTime::parse_from_rfc3339(&given).ok();
    if instant.is_none() {
        page.error(node.span(), format!("`{}` is not an instant", shown(key)), help);
    }
    instant.map(|at| at.with_timezone(&Utc))
}

/// A day: a TOML date without a time.
pub(super) fn day(page: &mut Page<'_>, node: Node<'_, '_>, key: &str) -> Option<NaiveDate> {
    let help = "write a date without quotes, e.g. 2026-12-31".to_owned();
    let DeValue::Datetime(given) = node.get_ref() else {
        page.error(node.span(), format!("`{}` is a date, not {}", shown(key), type_name(node.get_ref())), help);
        return None;
    };
    let day = given.to_string().parse::<NaiveDate>().ok();
    if day.is_none() {
        page.error(node.span(), format!("`{}` is a date without a time", shown(key)), help);
    }
    day
}

/// RFC 3339 in UTC, as collectors write it.
pub(super) fn instant_text(at: DateTime<Utc>) -> Value {
    Value::String(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Any TOML value as JSON, for parameters.
pub(super) fn any(page: &mut Page<'_>, node: Node<'_, '_>, key: &str) -> Option<Value> {
    match node.get_ref() {
        DeValue::String(text) => Some(Value::String(text.to_string())),
        DeValue::Boolean(truth) => Some(Value::Bool(*truth)),
        DeValue::Integer(number) => integer(page, node, number).map(Value::from),
        DeValue::Float(number) => {
            let float = number.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            if float.is_none() {
                page.error(node.span(), format!("`{}` is not a finite number", shown(key)), None);
            }
            float.map(Value::Number)
        }
        DeValue::Datetime(_) => instant(page, node, key).map(instant_text),
        DeValue::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| any(page, item, key)).collect();
            items.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
        }
        DeValue::Table(_) => {
            let table = Section::open(page, node, "a table")?;
            let entries: Vec<_> = table.entries().map(|(key, _, value)| any(page, value, key).map(|value| (key.to_owned(), value))).collect();
            entries.into_iter().collect::<Option<Map<_, _>>>().map(Value::Object)
        }
    }
}

/// A value of a declared type, as JSON.
pub(super) fn typed(page: &mut Page<'_>, node: Node<'_, '_>, ty: &AttributeType, key: &str) -> Option<Value> {
    match (ty, node.get_ref()) {
        (AttributeType::Bool, DeValue::Boolean(truth)) => Some(Value::Bool(*truth)),
        (AttributeType::Int, DeValue::Integer(number)) => integer(page, node, number).map(Value::from),
        (AttributeType::Text, DeValue::String(text)) => Some(Value::String(text.to_string())),
        (AttributeType::Time, DeValue::Datetime(_) | DeValue::String(_)) => instant(page, node, key).map(instant_text),
        (AttributeType::List(inner), DeValue::Array(items)) => {
            let items: Vec<_> = items.iter().map(|item| typed(page, item, inner, key)).collect();
            items.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
        }
        (AttributeType::Map(inner), DeValue::Table(_)) => {
            let table = Section::open(page, node, "a map")?;
            let entries: Vec<_> = table.entries().map(|(key, _, value)| typed(page, value, inner, key).map(|value| (key.to_owned(), value))).collect();
            entries.into_iter().collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        (AttributeType::Record(fields), DeValue::Table(_)) => {
            let table = Section::open(page, node, "a record")?;
            record(page, &table, fields, key).map(|entries| Value::Object(entries.into_iter().collect()))
        }
        (AttributeType::Optional(_), DeValue::Table(_)) if is_none(node) => Some(Value::Null),
        (AttributeType::Optional(inner), _) => typed(page, node, inner, key),
        (_, given) => {
            page.error(node.span(), format!("`{}` is {ty}, not {}", shown(key), type_name(given)), example_of(ty).map(|example| format!("e.g. {example}")));
            None
        }
    }
}

/// A table with declared fields, each a value of its type; the fields that are right, or nothing where one is wrong.
pub(super) fn record(page: &mut Page<'_>, table: &Section<'_, '_>, fields: &[AttributeDecl], owner: &str) -> Option<Vec<(String, Value)>> {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let mut entries = Vec::new();
    let mut sound = true;
    for (key, range, value) in table.entries() {
        let Some(field) = fields.iter().find(|field| field.name == key) else {
            page.error(range, format!("{owner} has no attribute `{}`", shown(key)), suggest::did_you_mean(key, &names));
            sound = false;
            continue;
        };
        match typed(page, value, &field.ty, key) {
            Some(value) => entries.push((key.to_owned(), value)),
            None => sound = false,
        }
    }
    sound.then_some(entries)
}

/// `{ none = true }`: TOML has no null, and an empty text is something else than no text.
fn is_none(node: Node<'_, '_>) -> bool {
    match node.get_ref() {
        DeValue::Table(table) => table.len() == 1 && table.get("none").is_some_and(|value| value.get_ref().as_bool() == Some(true)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) => false,
    }
}

fn example_of(ty: &AttributeType) -> Option<&'static str> {
    match ty {
        AttributeType::Bool => Some("true"),
        AttributeType::Int => Some("1"),
        AttributeType::Text => Some("\"…\""),
        AttributeType::Time => Some("2026-01-31T09:00:00Z"),
        AttributeType::List(_) => Some("[]"),
        AttributeType::Map(_) => Some("{ key = … }"),
        AttributeType::Record(_) => None,
        AttributeType::Optional(inner) => example_of(inner),
    }
}
