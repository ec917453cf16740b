//! Reading one field at a time from an answer of GitHub, so that what is absent, refused or misshapen becomes a gap with its reason and never a default.
//!
//! GraphQL may answer in part: `data` with holes, and `errors` that name the holes by path. <https://spec.graphql.org/October2021/#sec-Errors>

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::collect::evidence::{Evidence, Unreadable, refusal};
use crate::collect::github::trimmed;
use crate::model::{Exchange, Gap, GapCause, Resource};

/// A value, or the reason why there is none.
pub type Fact<T> = Result<T, Gap>;

/// The longest text of a source that a gap repeats, in characters.
const QUOTE: usize = 200;

/// One answer, parsed leniently: what is not JSON has no fields, and says why.
#[derive(Debug)]
pub(super) struct Answer {
    json: Value,
    problems: Vec<Problem>,
}

/// An entry of a GraphQL answer's `errors`.
#[derive(Debug)]
struct Problem {
    /// JSON pointer of the field that it is about, from the root of the answer; empty where it does not say.
    at: String,
    cause: GapCause,
    /// The source says that there is no such thing, which is also how it hides what the credential may not see.
    not_found: bool,
    message: String,
}

/// A place in an answer, which may hold nothing.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    value: Option<&'a Value>,
    at: String,
    problems: &'a [Problem],
    cure: Option<&'static str>,
}

impl Answer {
    /// Parses a REST answer.
    pub(super) fn rest(body: &Bytes) -> Self {
        match serde_json::from_slice(body) {
            Ok(json) => Self::of(json),
            Err(error) => Self::misshapen(&error),
        }
    }

    /// Parses a GraphQL answer and indexes its errors by path.
    pub(super) fn graphql(body: &Bytes) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(json) => {
                let errors = json.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let problems = errors.iter().map(Problem::read).collect();
                Self { json, problems }
            }
            Err(error) => Self::misshapen(&error),
        }
    }

    /// Wraps JSON that was parsed before.
    pub(super) fn of(json: Value) -> Self {
        Self { json, problems: Vec::new() }
    }

    fn misshapen(error: &serde_json::Error) -> Self {
        let problem = Problem { at: String::new(), cause: GapCause::Malformed, not_found: false, message: format!("the answer is not JSON: {error}") };
        Self { json: Value::Null, problems: vec![problem] }
    }

    /// The whole answer.
    pub(super) fn root(&self) -> Field<'_> {
        Field { value: Some(&self.json), at: String::new(), problems: &self.problems, cure: None }
    }

    /// Reads a stored REST answer.
    pub(super) fn stored_rest(evidence: &dyn Evidence, exchange: &Exchange) -> Result<Self, Unreadable> {
        Ok(Self::rest(&evidence.body(exchange)?))
    }

    /// Parses a REST listing with only these fields of its items.
    pub(super) fn list(body: &Bytes, kept: &[&str]) -> Self {
        trimmed::list(body, kept).map_or_else(|error| Self::misshapen(&error), Self::of)
    }

    /// Reads a stored REST listing with only these fields of its items.
    pub(super) fn stored_list(evidence: &dyn Evidence, exchange: &Exchange, kept: &[&str]) -> Result<Self, Unreadable> {
        Ok(Self::list(&evidence.body(exchange)?, kept))
    }

    /// Reads a stored GraphQL answer.
    pub(super) fn stored_graphql(evidence: &dyn Evidence, exchange: &Exchange) -> Result<Self, Unreadable> {
        Ok(Self::graphql(&evidence.body(exchange)?))
    }
}

impl Problem {
    fn read(error: &Value) -> Self {
        let text = |key: &str| error.get(key).and_then(Value::as_str);
        let steps = error.get("path").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let at: String = steps.iter().map(|step| format!("/{}", step.as_str().map_or_else(|| step.to_string(), ToOwned::to_owned))).collect();
        let cause = match text("type") {
            Some("FORBIDDEN" | "NOT_FOUND" | "INSUFFICIENT_SCOPES" | "UNAUTHORIZED") => GapCause::Forbidden,
            None if error.pointer("/extensions/code").is_some() => GapCause::Malformed,
            // Rate limits, resource limits, and timeouts, which carry no type at all.
            _ => GapCause::Unanswered,
        };
        Self {
            at: if at.is_empty() { at } else { format!("/data{at}") },
            cause,
            not_found: text("type") == Some("NOT_FOUND"),
            message: quote(text("message").unwrap_or("no message")),
        }
    }

    /// True where a hole at `at` may be this problem's doing: GraphQL lifts a null to the nearest field that may be null, so either may be the deeper one.
    fn concerns(&self, at: &str) -> bool {
        is_within(at, &self.at) || is_within(&self.at, at)
    }
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Text of a source, cut and on one line, for a gap's detail.
pub(super) fn quote(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTE).collect()
}

impl<'a> Field<'a> {
    /// The field of this name; where this is no object, a field that is absent.
    pub(super) fn get(&self, name: &str) -> Self {
        self.step(name, self.value.and_then(|value| value.get(name)))
    }

    /// The field at the end of a path of names.
    pub(super) fn path(&self, names: &[&str]) -> Self {
        names.iter().fold(self.clone(), |field, name| field.get(name))
    }

    fn step(&self, name: &str, value: Option<&'a Value>) -> Self {
        Self { value, at: format!("{}/{name}", self.at), problems: self.problems, cure: self.cure }
    }

    /// The same field; where nothing is there, `cure` would help.
    pub(super) fn needing(mut self, cure: &'static str) -> Self {
        self.cure = Some(cure);
        self
    }

    /// The JSON at this place; none where it is absent or null.
    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value.filter(|value| !value.is_null())
    }

    /// True where the source says "none" in so many words: null is written there and no error explains it.
    pub(super) fn is_none(&self) -> bool {
        self.value.is_some_and(Value::is_null) && self.problem().is_none()
    }

    /// True where nothing is here because the source knows no such thing, or hides that it does.
    pub(super) fn is_not_found(&self) -> bool {
        self.value().is_none() && self.problem().is_some_and(|problem| problem.not_found)
    }

    fn problem(&self) -> Option<&'a Problem> {
        self.problems.iter().find(|problem| problem.concerns(&self.at))
    }

    /// Why nothing is here.
    pub(super) fn gap(&self) -> Gap {
        let gap = match self.problem() {
            Some(problem) => Gap::new(problem.cause, format!("{}: {}", self.label(), problem.message)),
            None => Gap::new(GapCause::LeftOut, format!("the source left out {}", self.label())),
        };
        match self.cure {
            Some(cure) if gap.cause != GapCause::Malformed && gap.cause != GapCause::Unanswered => gap.cured_by(cure),
            _ => gap,
        }
    }

    /// The path inside the item that the field belongs to: what follows the last position in a list.
    fn label(&self) -> String {
        let steps: Vec<_> = self.at.split('/').filter(|step| !step.is_empty()).collect();
        let start = steps.iter().rposition(|step| step.bytes().all(|b| b.is_ascii_digit())).map_or(0, |position| position + 1);
        let inside = steps.get(start..).unwrap_or_default().join(".");
        if inside.is_empty() { "the item".to_owned() } else { inside }
    }

    fn read<T>(&self, expected: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Fact<T> {
        let value = self.value().ok_or_else(|| self.gap())?;
        read(value).ok_or_else(|| Gap::new(GapCause::Malformed, format!("{} is not {expected}", self.label())))
    }

    /// true or false.
    pub(super) fn bool(&self) -> Fact<bool> {
        self.read("true or false", Value::as_bool)
    }

    /// A whole number.
    pub(super) fn int(&self) -> Fact<i64> {
        self.read("a whole number", Value::as_i64)
    }

    /// Text.
    pub(super) fn text(&self) -> Fact<&'a str> {
        self.read("text", Value::as_str)
    }

    /// An instant, as RFC 3339 text in UTC.
    pub(super) fn time(&self) -> Fact<String> {
        let text = self.text()?;
        let at = DateTime::parse_from_rfc3339(text).map_err(|error| Gap::new(GapCause::Malformed, format!("{} is not a time: {error}", self.label())))?;
        Ok(at.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }

    /// The elements of a list.
    pub(super) fn items(&self) -> Fact<Vec<Field<'a>>> {
        let items = self.read("a list", Value::as_array)?;
        Ok(items.iter().enumerate().map(|(position, item)| self.step(&position.to_string(), Some(item))).collect())
    }

    /// What `read` makes of the field, or none where the source says "none".
    pub(super) fn or_none<T>(&self, read: impl FnOnce(&Self) -> Fact<T>) -> Fact<Option<T>> {
        if self.is_none() { Ok(None) } else { read(self).map(Some) }
    }

    /// The nodes of a connection that can be seen, and why they are not all, where they are not all.
    pub(super) fn nodes(&self) -> (Vec<Field<'a>>, Option<Gap>) {
        let nodes = match self.get("nodes").items() {
            Ok(nodes) => nodes,
            Err(gap) => return (Vec::new(), Some(gap)),
        };
        let (seen, hidden): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|node| node.value().is_some());
        let total = match self.get("totalCount").int() {
            Ok(total) => usize::try_from(total).unwrap_or(usize::MAX),
            Err(gap) => return (seen, Some(gap)),
        };
        let gap = if let Some(first) = hidden.first() {
            let why = first.problem().map_or_else(|| "null".to_owned(), |problem| problem.message.clone());
            Some(Gap::new(GapCause::Incomplete, format!("{} of {total} {} are hidden: {why}", hidden.len(), self.label())))
        } else if total > seen.len() {
            Some(Gap::new(GapCause::Incomplete, format!("only {} of {total} {} were read", seen.len(), self.label())))
        } else {
            None
        };
        (seen, gap)
    }

    /// All nodes of a connection, or why they are not all.
    pub(super) fn all_nodes(&self) -> Fact<Vec<Field<'a>>> {
        match self.nodes() {
            (seen, None) => Ok(seen),
            (_, Some(gap)) => Err(gap),
        }
    }
}

/// Sets an attribute from a fact.
pub(super) fn set<T: Into<Value>>(resource: &mut Resource, name: &str, fact: Fact<T>) {
    match fact {
        Ok(value) => resource.know(name, value),
        Err(gap) => resource.lack(name, gap),
    }
}

/// The gap that a refused REST exchange leaves, with GitHub's own words and what would help.
///
/// A rate limit may come as 403 without `retry-after`; only the message tells it from a missing permission.
/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
pub(super) fn refused(evidence: &dyn Evidence, exchange: &Exchange, cure: &str) -> Result<Gap, Unreadable> {
    let mut gap = refusal(exchange);
    if exchange.status.is_none() {
        return Ok(gap);
    }
    let answer = Answer::stored_rest(evidence, exchange)?;
    let message = answer.root().get("message").text().map(quote).unwrap_or_default();
    if !message.is_empty() {
        gap.detail = format!("{}: {message}", gap.detail);
    }
    if gap.cause == GapCause::Forbidden && message.contains("rate limit") {
        gap.cause = GapCause::Unanswered;
    }
    // A credential that is not taken for one has no permissions to lack.
    let cure = if exchange.status == Some(401) { ACCEPTED_CREDENTIAL } else { cure };
    Ok(if gap.cause == GapCause::Forbidden { gap.cured_by(cure) } else { gap })
}

/// What a 401 asks for.
const ACCEPTED_CREDENTIAL: &str = "a GITHUB_TOKEN, or a GitHub App's id and key, that GitHub still accepts";

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::Answer;
    use crate::model::GapCause;

    fn graphql(json: &serde_json::Value) -> Answer {
        Answer::graphql(&Bytes::from(json.to_string()))
    }

    #[test]
    fn a_hole_takes_the_reason_of_the_error_that_names_it_and_no_other() {
        let answer = graphql(&json!({
            "data": {"o": {"nodes": [{"a": null, "b": null, "c": 1}, {"a": null}]}},
            "errors": [{"type": "FORBIDDEN", "path": ["o", "nodes", 0, "a", "deep"], "message": "no\nentry"}]
        }));
        let nodes = answer.root().path(&["data", "o", "nodes"]).items().expect("a list");
        let gap = nodes[0].get("a").bool().expect_err("a hole");
        assert_eq!((gap.cause, gap.detail.as_str()), (GapCause::Forbidden, "a: no entry"));
        assert!(!nodes[0].get("a").is_none(), "a refused field is not none");
        assert_eq!(nodes[0].get("b").bool().expect_err("a hole").cause, GapCause::LeftOut);
        assert!(nodes[1].get("a").is_none());
        assert_eq!(nodes[0].get("c").bool().expect_err("a number").cause, GapCause::Malformed);
        assert_eq!(nodes[0].get("c").get("d").text().expect_err("nothing there").cause, GapCause::LeftOut);
    }

    #[test]
    fn an_error_without_a_path_explains_every_hole() {
        let answer = graphql(&json!({"data": {"o": null}, "errors": [{"type": "INSUFFICIENT_SCOPES", "message": "needs read:org"}]}));
        let organization = answer.root().path(&["data", "o"]);
        assert!(!organization.is_none());
        assert_eq!(organization.gap().cause, GapCause::Forbidden);
    }

    #[test]
    fn what_is_not_json_is_malformed_everywhere() {
        let answer = Answer::rest(&Bytes::from_static(b"<html>"));
        assert_eq!(answer.root().get("login").text().expect_err("no field").cause, GapCause::Malformed);
    }

    #[test]
    fn a_connection_that_overflows_or_hides_nodes_is_not_all() {
        let short = graphql(&json!({"c": {"totalCount": 2, "nodes": [{"x": 1}]}}));
        assert_eq!(short.root().get("c").all_nodes().expect_err("short").detail, "only 1 of 2 c were read");
        let hidden = graphql(&json!({"c": {"totalCount": 2, "nodes": [{"x": 1}, null]}}));
        assert_eq!(hidden.root().get("c").nodes().0.len(), 1);
        assert!(hidden.root().get("c").all_nodes().is_err());
        let whole = graphql(&json!({"c": {"totalCount": 1, "nodes": [{"x": 1}]}}));
        assert_eq!(whole.root().get("c").all_nodes().map(|nodes| nodes.len()), Ok(1));
    }
}
