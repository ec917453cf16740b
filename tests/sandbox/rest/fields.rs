//! Google's partial responses: `fields=a,b(c,d/e)`. What the mask does not name is not sent.
//! <https://cloud.google.com/storage/docs/json_api#partial-response>

use std::collections::BTreeMap;

use serde_json::Value;

/// The fields that are wanted; empty for everything below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mask(BTreeMap<String, Mask>);

impl Mask {
    /// Reads a mask; none where its parentheses do not match.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mask, rest) = Self::list(text)?;
        rest.is_empty().then_some(mask)
    }

    fn list(mut text: &str) -> Option<(Self, &str)> {
        let mut mask = Self::default();
        loop {
            let end = text.find([',', '(', ')']).unwrap_or(text.len());
            let (path, rest) = text.split_at_checked(end)?;
            let (below, rest) = match rest.strip_prefix('(') {
                None => (Self::default(), rest),
                Some(inner) => {
                    let (below, rest) = Self::list(inner)?;
                    (below, rest.strip_prefix(')')?)
                }
            };
            mask.add(path, below);
            match rest.strip_prefix(',') {
                Some(more) => text = more,
                None => return Some((mask, rest)),
            }
        }
    }

    fn add(&mut self, path: &str, below: Self) {
        match path.split_once('/') {
            Some((first, rest)) => self.0.entry(first.trim().to_owned()).or_default().add(rest, below),
            None => drop(self.0.insert(path.trim().to_owned(), below)),
        }
    }

    /// Leaves what is wanted.
    pub(crate) fn apply(&self, value: &mut Value) {
        if self.0.is_empty() || self.0.contains_key("*") {
            return;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(fields) => {
                fields.retain(|name, _| self.0.contains_key(name));
                for (name, value) in fields.iter_mut() {
                    self.0.get(name).into_iter().for_each(|below| below.apply(value));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
