//! A published operation: method, path template and query parameters, whichever vendor wrote it down.

use std::collections::BTreeMap;

use crate::sandbox::rest::Ask;

/// An operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) template: Vec<Segment>,
    pub(crate) query: BTreeMap<String, Parameter>,
}

/// A segment of a path template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// This text.
    Literal(String),
    /// Any text.
    Any,
    /// Any text with this at its end, e.g. `:getIamPolicy`.
    Ending(String),
}

/// A query parameter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameter {
    pub(crate) required: bool,
    /// The values that are allowed; empty for any.
    pub(crate) values: Vec<String>,
    /// `integer`, `boolean` or anything else.
    pub(crate) kind: String,
}

impl Operation {
    /// An operation at a path like `/orgs/{org}/repos`.
    pub(crate) fn new(method: &str, path: &str, query: BTreeMap<String, Parameter>) -> Self {
        let segment = |text: &str| match text.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            None => Segment::Literal(text.to_owned()),
            Some((_, "")) => Segment::Any,
            Some((_, ending)) if ending.starts_with(':') => Segment::Ending(ending.to_owned()),
            Some(_) => Segment::Any,
        };
        let template = path.trim_start_matches('/').split('/').map(segment).collect();
        Self { method: method.to_ascii_uppercase(), template, query }
    }

    /// How many segments are exact, where the path fits.
    fn fit(&self, segments: &[String]) -> Option<usize> {
        if self.template.len() != segments.len() {
            return None;
        }
        let mut exact = 0;
        for (expected, found) in self.template.iter().zip(segments) {
            match expected {
                Segment::Literal(text) if text == found => exact += 2,
                Segment::Ending(ending) if found.len() > ending.len() && found.ends_with(ending) => exact += 1,
                Segment::Any if !found.is_empty() => {}
                Segment::Literal(_) | Segment::Ending(_) | Segment::Any => return None,
            }
        }
        Some(exact)
    }

    /// What is wrong with the query.
    fn query_violation(&self, ask: &Ask, common: &BTreeMap<String, Parameter>) -> Option<String> {
        let given = ask.parameters();
        for (name, value) in &given {
            let Some(parameter) = self.query.get(name).or_else(|| common.get(name)) else {
                return Some(format!("the query parameter {name} is not published for this path"));
            };
            let fits = match parameter.kind.as_str() {
                "integer" => value.parse::<i64>().is_ok(),
                "boolean" => matches!(value.as_str(), "true" | "false"),
                _ => parameter.values.is_empty() || parameter.values.contains(value),
            };
            if !fits {
                return Some(format!("the query parameter {name} may not be {value:?}"));
            }
        }
        let missing = self.query.iter().find(|(name, parameter)| parameter.required && !given.iter().any(|(known, _)| known == *name));
        missing.map(|(name, _)| format!("the query parameter {name} is required"))
    }
}

/// What is wrong with a request, given all published operations.
pub(crate) fn violation(operations: &[Operation], common: &BTreeMap<String, Parameter>, ask: &Ask, segments: &[String]) -> Option<String> {
    let fitting = |operation: &Operation| operation.fit(segments);
    let known = operations.iter().any(|operation| fitting(operation).is_some());
    let of_method = operations.iter().filter(|operation| operation.method == ask.method);
    match of_method.filter_map(|operation| Some((fitting(operation)?, operation))).max_by_key(|(exact, _)| *exact) {
        Some((_, operation)) => operation.query_violation(ask, common),
        None if known => Some(format!("the method {} is not published for this path", ask.method)),
        None => Some("the path is not published".to_owned()),
    }
}
