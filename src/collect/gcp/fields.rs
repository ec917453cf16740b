//! Reading one JSON item: absent, present, or not what the vendor documents. Nothing is defaulted here; each kind says what absence means.

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::model::{Gap, GapCause, Resource};

/// A field: its value, nothing where it is absent (or null, which Google's JSON treats alike), or a gap where it has the wrong shape.
pub(super) type Read<T> = Result<Option<T>, Gap>;

/// What it means that a field is absent.
#[derive(Debug, Clone)]
pub(super) enum Absent {
    /// Nothing: the attribute is unknown.
    IsUnknown,
    /// The vendor documents this value for it.
    Means(Value),
}

/// Sets an attribute from a field.
pub(super) fn put(resource: &mut Resource, name: &str, read: Read<impl Into<Value>>, absent: Absent) {
    match (read, absent) {
        (Ok(Some(value)), _) => resource.know(name, value),
        (Ok(None), Absent::Means(value)) => resource.know(name, value),
        (Ok(None), Absent::IsUnknown) => resource.take(name, None, None),
        (Err(gap), _) => resource.lack(name, gap),
    }
}

/// The value at `path` (names separated by `/`).
pub(super) fn part<'a>(item: &'a Value, path: &str) -> Read<&'a Value> {
    let mut here = item;
    for name in path.split('/') {
        let fields = here.as_object().ok_or_else(|| wrong(path, "inside an object"))?;
        match fields.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(inner) => here = inner,
        }
    }
    Ok(Some(here))
}

/// An object.
pub(super) fn record<'a>(item: &'a Value, path: &str) -> Read<&'a Map<String, Value>> {
    shaped(item, path, "an object", Value::as_object)
}

/// Text.
pub(super) fn text<'a>(item: &'a Value, path: &str) -> Read<&'a str> {
    shaped(item, path, "text", Value::as_str)
}

/// The last word of a path or an address: what is called by it, without where it stands.
pub(super) fn last_word(item: &Value, path: &str) -> Read<Value> {
    Ok(text(item, path)?.map(|name| name.rsplit('/').next().unwrap_or(name).into()))
}

/// That of the item's own name, `projects/…/NAME`.
pub(super) fn last_of_name(item: &Value) -> Read<Value> {
    last_word(item, "name")
}

/// True or false.
pub(super) fn flag(item: &Value, path: &str) -> Read<bool> {
    shaped(item, path, "true or false", Value::as_bool)
}

/// A whole number; Google writes 64-bit ones as text (<https://protobuf.dev/programming-guides/json/>), and the asset inventory knows no numbers but those with a
/// fraction, so that a 7 may come as `7.0`.
pub(super) fn number(item: &Value, path: &str) -> Read<i64> {
    let whole = |value: &Value| value.as_number()?.to_string().strip_suffix(".0")?.parse().ok();
    shaped(item, path, "a whole number", |value| value.as_i64().or_else(|| value.as_str()?.parse().ok()).or_else(|| whole(value)))
}

/// An instant, kept as the RFC 3339 text that came.
pub(super) fn time<'a>(item: &'a Value, path: &str) -> Read<&'a str> {
    shaped(item, path, "an RFC 3339 time", |value| value.as_str().filter(|text| DateTime::parse_from_rfc3339(text).is_ok()))
}

/// A list.
pub(super) fn list<'a>(item: &'a Value, path: &str) -> Read<&'a [Value]> {
    shaped(item, path, "a list", |value| value.as_array().map(Vec::as_slice))
}

/// A list of text.
pub(super) fn texts<'a>(item: &'a Value, path: &str) -> Read<Vec<&'a str>> {
    shaped(item, path, "a list of text", |value| value.as_array()?.iter().map(Value::as_str).collect())
}

/// A map from text to text.
pub(super) fn labels(item: &Value, path: &str) -> Read<Value> {
    shaped(item, path, "a map of text", |value| value.as_object()?.values().all(Value::is_string).then(|| value.clone()))
}

fn shaped<'a, T>(item: &'a Value, path: &str, what: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Read<T> {
    part(item, path)?.map(|value| read(value).ok_or_else(|| wrong(path, what))).transpose()
}

/// A gap for a field of the wrong shape; never quotes what came instead.
fn wrong(path: &str, what: &str) -> Gap {
    Gap::new(GapCause::Malformed, format!("the field {path} is not {what}"))
}

/// A name from outside, cut to what a sentence can hold.
pub(super) fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{flag, labels, number, part, text, texts, time};

    #[test]
    fn absent_null_and_wrong_are_three_things() {
        let item = json!({"a": {"b": true, "n": null}, "t": 7});
        assert_eq!(flag(&item, "a/b"), Ok(Some(true)));
        assert_eq!(flag(&item, "a/n"), Ok(None));
        assert_eq!(flag(&item, "x/y"), Ok(None));
        assert!(flag(&item, "t").is_err() && text(&item, "t").is_err());
        assert!(part(&item, "t/u").is_err(), "a number has no fields");
        assert!(part(&json!([1]), "a").is_err());
    }

    #[test]
    fn sixty_four_bit_numbers_come_as_text() {
        let item = json!({"s": "3600", "n": 3600, "bad": "1h", "big": "99999999999999999999", "f": 1.5});
        assert_eq!((number(&item, "s"), number(&item, "n")), (Ok(Some(3600)), Ok(Some(3600))));
        assert_eq!(number(&json!({"whole": 7.0}), "whole"), Ok(Some(7)));
        for bad in ["bad", "big", "f"] {
            assert!(number(&item, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_lists_and_maps_are_checked_to_the_last_entry() {
        let item = json!({"t": "2026-01-02T03:04:05.678Z", "d": "2026-01-02", "l": ["a", 1], "m": {"k": 1}, "ok": {"k": "v"}});
        assert_eq!(time(&item, "t"), Ok(Some("2026-01-02T03:04:05.678Z")));
        assert!(time(&item, "d").is_err() && texts(&item, "l").is_err() && labels(&item, "m").is_err());
        assert_eq!(labels(&item, "ok"), Ok(Some(json!({"k": "v"}))));
    }
}
