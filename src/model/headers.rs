//! The headers of an answer, as its record keeps them.
//!
//! A large organisation's night has a hundred thousand records in memory at a time; a map of texts would be most of each. Left out: which headers are kept (the transport).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ends every name and every value; HTTP allows it in neither.
const END: char = '\0';

/// Headers by name, lower case, sorted; held in one piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Box<str>);

impl Headers {
    /// The value of a header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(there, _value)| *there == name).map(|(_name, value)| value)
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once(END)?;
            let (value, after) = after.split_once(END)?;
            rest = after;
            Some((name, value))
        })
    }

    /// As a map, for whoever reads an answer that comes just now too.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Those of some names.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let mut text = String::new();
        for part in self.iter().filter(|(name, _value)| names.contains(name)).flat_map(|(name, value)| [name, value]) {
            text.push_str(part);
            text.push(END);
        }
        Self(text.into_boxed_str())
    }

    /// True where none was kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&BTreeMap<String, String>> for Headers {
    fn from(map: &BTreeMap<String, String>) -> Self {
        let mut text = String::new();
        for part in map.iter().flat_map(|(name, value)| [name, value]) {
            text.extend(part.chars().filter(|c| *c != END));
            text.push(END);
        }
        Self(text.into_boxed_str())
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, String>::deserialize(deserializer).map(|map| Self::from(&map))
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn headers_are_the_same_json_as_a_map() {
        let json = r#"{"date":"Mon, 02 Nov 2026 02:00:00 GMT","etag":"W/\"a\"","link":""}"#;
        let headers: Headers = serde_json::from_str(json).expect("headers");
        assert_eq!(serde_json::to_string(&headers).expect("JSON"), json);
        assert_eq!((headers.get("etag"), headers.get("link"), headers.get("eta")), (Some("W/\"a\""), Some(""), None));
        assert_eq!(Headers::from(&headers.to_map()), headers);
        assert_eq!(serde_json::to_string(&headers.only(&["link", "date"])).expect("JSON"), r#"{"date":"Mon, 02 Nov 2026 02:00:00 GMT","link":""}"#);
        assert!(!headers.is_empty() && serde_json::from_str::<Headers>("{}").expect("headers").is_empty());
        assert!(serde_json::from_str::<Headers>(r#"{"etag":1}"#).is_err());
    }

    #[test]
    fn what_http_forbids_does_not_become_another_header() {
        let headers: Headers = serde_json::from_str(r#"{"a":"1\u0000etag\u00002"}"#).expect("headers");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "1etag2")]);
    }
}
