//! What a JSON text says, escapes resolved, also where it is no valid one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, Visitor};

/// The text between the quotes, of which the last may be missing.
pub(super) fn inner(quoted: &[u8]) -> &[u8] {
    let text = quoted.strip_prefix(b"\"").unwrap_or(quoted);
    if is_closed(quoted) { text.strip_suffix(b"\"").unwrap_or(text) } else { text }
}

/// What it says. Text that cannot be read is taken as it stands.
pub(super) fn said(quoted: &[u8]) -> Cow<'_, [u8]> {
    let inner = inner(quoted);
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let read = if is_closed(quoted) { serde_json::from_slice(quoted) } else { serde_json::from_slice(&[quoted, b"\""].concat()) };
    read.map_or(Cow::Borrowed(inner), |Octets(octets)| Cow::Owned(octets))
}

/// What it says as a name.
pub(super) fn name(quoted: &[u8]) -> Cow<'_, str> {
    match said(quoted) {
        Cow::Borrowed(octets) => String::from_utf8_lossy(octets),
        Cow::Owned(octets) => Cow::Owned(String::from_utf8_lossy(&octets).into_owned()),
    }
}

/// True where this is one whole JSON value.
pub(super) fn is_valid(json: &[u8]) -> bool {
    std::str::from_utf8(json).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// True where the last quote ends the text and is neither its first nor escaped.
fn is_closed(quoted: &[u8]) -> bool {
    let Some(before) = quoted.strip_suffix(b"\"") else { return false };
    !before.is_empty() && before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
}

/// A text as bytes: halves of surrogate pairs, line ends and what is no UTF-8 are no errors there.
struct Octets(Vec<u8>);

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Octets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_bytes<E: de::Error>(self, octets: &[u8]) -> Result<Octets, E> {
        Ok(Octets(octets.to_vec()))
    }
}
