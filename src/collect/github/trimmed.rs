//! A REST listing read with only the fields that are wanted: its items are many times larger than what is used of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Parses a list of objects and keeps these fields of each; an item that is no object becomes null, an answer that is no list what it is.
///
/// # Errors
/// Where the text is not JSON.
pub(super) fn list(body: &[u8], kept: &[&str]) -> serde_json::Result<Value> {
    if !body.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(body);
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let items = reader_list(&mut reader, kept)?;
    reader.end().map(|()| Value::Array(items))
}

fn reader_list<'de, D: Deserializer<'de>>(reader: D, kept: &[&str]) -> Result<Vec<Value>, D::Error> {
    reader.deserialize_seq(Items(kept))
}

struct Items<'k>(&'k [&'k str]);

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Value>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Item(self.0))? {
            items.push(item);
        }
        Ok(items)
    }
}

struct Item<'k>(&'k [&'k str]);

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut item = Map::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if self.0.contains(&&*name) {
                item.insert(name.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(item))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _no_item: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, _no_item: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, _no_item: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E>(self, _no_item: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, _no_item: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_ignored| Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::list;

    #[test]
    fn only_what_is_wanted_is_kept() {
        let body = br#" [{"id":1,"owner":{"id":2,"login":"x"},"name":"a"}, 7, null, [1,{"id":9}], "s", true, -1, 1.5, {}] "#;
        let kept = json!([{"id": 1, "name": "a"}, null, null, null, null, null, null, null, {}]);
        assert_eq!(list(body, &["id", "name"]).expect("JSON"), kept);
        assert_eq!(list(br#"{"message":"no"}"#, &["id"]).expect("JSON"), json!({"message": "no"}));
        for broken in [&b"[{\"id\":1},"[..], b"[] x", b"", b"[{\"id\"}]"] {
            assert!(list(broken, &["id"]).is_err(), "{}", String::from_utf8_lossy(broken));
        }
    }
}
