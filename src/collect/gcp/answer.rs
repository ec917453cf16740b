//! Reading stored answers: the pages of a listing, and what a refusal means. Every hole becomes a gap that names what would close it.

use serde_json::Value;

use crate::collect::evidence::{Evidence, Unreadable, refusal};
use crate::collect::gcp::fields::{list, record, short, text};
use crate::model::{Exchange, Gap, GapCause};

/// A listing to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing<'a> {
    /// The operation.
    pub(super) operation: &'static str,
    /// About what.
    pub(super) subject: &'a str,
    /// The field that holds the entries, left out by the vendors where there are none; `items/*/instances` for an aggregated listing, and
    /// nothing where the answer is the one entry.
    pub(super) entries: &'static str,
    /// The field that names what the answer does not cover, e.g. `unreachable`.
    pub(super) partial: Option<&'static str>,
    /// The permission that answers it.
    pub(super) permission: &'static str,
    /// Where that permission is needed, e.g. `projects/acme-prod`.
    pub(super) place: &'a str,
}

/// Takes one entry and the number of its exchange; returns what it could not make out.
pub(super) type Each<'a> = &'a mut dyn FnMut(&Value, u32) -> Result<Option<Gap>, Unreadable>;

/// How a listing was read.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// What is missing; empty where everything from the first page to the last was read.
    pub(super) gaps: Vec<Gap>,
    /// The pages' exchange numbers.
    pub(super) evidence: Vec<u32>,
}

impl Listing<'_> {
    /// Hands every entry, with the number of its exchange, to `each`.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(&self, evidence: &dyn Evidence, each: Each<'_>) -> Result<Listed, Unreadable> {
        let mut listed = Listed::default();
        let mut refused = false;
        for exchange in evidence.about(self.operation, self.subject) {
            listed.evidence.push(exchange.n);
            if !exchange.is_answer() {
                refused = true;
                listed.gaps.push(self.refused(evidence, exchange)?);
                continue;
            }
            match object(evidence, exchange)? {
                Ok(page) => self.read_page(&page, exchange, each, &mut listed.gaps)?,
                Err(gap) => listed.gaps.push(gap),
            }
        }
        if !refused {
            listed.gaps.extend(evidence.listing_gap(self.operation, self.subject).map(|gap| gap.cured_by(format!("{} on {}", self.permission, self.place))));
        }
        Ok(listed)
    }

    /// The gap that an exchange of this listing without a usable answer leaves.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn refused(&self, evidence: &dyn Evidence, exchange: &Exchange) -> Result<Gap, Unreadable> {
        refused_gap(evidence, exchange, self.permission, self.place)
    }

    fn read_page(&self, page: &Value, exchange: &Exchange, each: Each<'_>, gaps: &mut Vec<Gap>) -> Result<(), Unreadable> {
        match self.entries.split_once("/*/") {
            None if self.entries.is_empty() => gaps.extend(each(page, exchange.n)?),
            None => read_list(page, self.entries, (exchange, gaps), each)?,
            Some((places, entries)) => self.read_places(page, (places, entries), (exchange, gaps), each)?,
        }
        let Some(field) = self.partial else { return Ok(()) };
        match unseen(page, field) {
            Ok(missing) => {
                if !missing.is_empty() {
                    gaps.push(Gap::new(
                        GapCause::Incomplete,
                        format!("{} for {} names {field}: {}", self.operation, self.subject, few(missing.iter().copied())),
                    ));
                }
            }
            Err(gap) => gaps.push(gap),
        }
        Ok(())
    }

    /// The lists of an aggregated listing of Compute Engine, by place. Each may carry a warning: that there is nothing, or that it was not reached.
    /// <https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList>
    fn read_places(&self, page: &Value, (places, entries): (&str, &str), (exchange, gaps): Found<'_>, each: Each<'_>) -> Result<(), Unreadable> {
        let by_place = match record(page, places) {
            Ok(by_place) => by_place,
            Err(gap) => {
                gaps.push(gap);
                None
            }
        };
        for (place, holder) in by_place.into_iter().flatten() {
            read_list(holder, entries, (exchange, gaps), each)?;
            let warning = text(holder, "warning/code").ok().flatten().filter(|code| *code != "NO_RESULTS_ON_PAGE");
            gaps.extend(
                warning.map(|code| Gap::new(GapCause::Incomplete, format!("{} for {}: {} in {}", self.operation, self.subject, short(code), short(place)))),
            );
        }
        Ok(())
    }
}

/// What a field says that an answer does not cover: names, or warnings that have a code.
fn unseen<'a>(page: &'a Value, field: &str) -> Result<Vec<&'a str>, Gap> {
    let entries = list(page, field)?.unwrap_or_default();
    let name = |entry: &'a Value| entry.as_str().or_else(|| entry.get("code")?.as_str());
    let names: Option<Vec<&str>> = entries.iter().map(name).collect();
    names.ok_or_else(|| Gap::new(GapCause::Malformed, format!("the field {field} is not a list of text")))
}

/// Where something was found, and what is missing there.
type Found<'a> = (&'a Exchange, &'a mut Vec<Gap>);

fn read_list(holder: &Value, entries: &str, (exchange, gaps): Found<'_>, each: Each<'_>) -> Result<(), Unreadable> {
    match holder.get(entries) {
        None | Some(Value::Null) => {}
        Some(Value::Array(entries)) => {
            for entry in entries {
                gaps.extend(each(entry, exchange.n)?);
            }
        }
        Some(_) => gaps.push(malformed(exchange, &format!("{entries} is not a list"))),
    }
    Ok(())
}

/// The body of an answer as a JSON object, or why it is none.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn object(evidence: &dyn Evidence, exchange: &Exchange) -> Result<Result<Value, Gap>, Unreadable> {
    let body = evidence.body(exchange)?;
    Ok(match serde_json::from_slice::<Value>(&body) {
        Err(_not_json) => Err(malformed(exchange, "the body is not JSON, or was cut off")),
        Ok(Value::Object(fields)) if fields.contains_key("error") => Err(malformed(exchange, "the body holds an error although the status says success")),
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) => Err(malformed(exchange, "the body is not an object")),
    })
}

/// A gap for an answer that is not what the vendor documents.
pub(super) fn malformed(exchange: &Exchange, what: &str) -> Gap {
    Gap::new(GapCause::Malformed, format!("{} for {}: {what}", exchange.operation, exchange.subject))
}

/// The gap that an exchange without a usable answer leaves, with the permission or the switch that would close it.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn refused_gap(evidence: &dyn Evidence, exchange: &Exchange, permission: &str, place: &str) -> Result<Gap, Unreadable> {
    let gap = refusal(exchange);
    let may_explain = exchange.error.is_none() && matches!(exchange.status, Some(401 | 403 | 404)) && exchange.bytes > 0;
    let reason = if may_explain { Reason::of(&evidence.body(exchange)?) } else { Reason::Unknown };
    let asked = format!("{} for {}", exchange.operation, exchange.subject);
    Ok(match reason {
        Reason::Disabled(service) => Gap::new(GapCause::Disabled, format!("{asked}: {service} is switched off, which does not mean that nothing is there"))
            .cured_by(format!("{service} enabled, and {permission}, on {place}")),
        Reason::Throttled => Gap::new(GapCause::Unanswered, format!("{asked}: the rate limit was not lifted in time")),
        Reason::Unknown if gap.cause == GapCause::Forbidden => gap.cured_by(format!("{permission} on {place}")),
        Reason::Unknown => gap,
    })
}

/// Why Google refused, as far as the body tells.
enum Reason {
    Disabled(String),
    Throttled,
    Unknown,
}

impl Reason {
    /// The three shapes of <https://cloud.google.com/apis/design/errors>: `details[].reason`, the older `errors[].reason`, and before both a sentence only.
    fn of(body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let listed = |list: &str| json.pointer(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let service = || {
            let named = listed("/error/details").iter().find_map(|detail| detail.pointer("/metadata/service").and_then(Value::as_str));
            named.filter(|name| name.len() <= 80 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')).unwrap_or("the API").to_owned()
        };
        let reasons = listed("/error/details").iter().chain(listed("/error/errors")).filter_map(|detail| detail.get("reason").and_then(Value::as_str));
        for reason in reasons {
            match reason {
                "SERVICE_DISABLED" | "accessNotConfigured" => return Self::Disabled(service()),
                "RATE_LIMIT_EXCEEDED" | "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" => return Self::Throttled,
                _ => {}
            }
        }
        let message = json.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        if message.contains("has not been used in project") && message.contains("disabled") { Self::Disabled(service()) } else { Self::Unknown }
    }
}

/// The first few of many names, for a sentence.
pub(super) fn few<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut shown = Vec::new();
    let mut more = 0_u64;
    for name in names {
        if shown.len() < 5 {
            shown.push(short(name));
        } else {
            more += 1;
        }
    }
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Reason, few, unseen};

    #[test]
    fn a_disabled_api_is_told_from_a_missing_permission_in_all_three_shapes() {
        let modern = br#"{"error":{"code":403,"details":[{"reason":"SERVICE_DISABLED","metadata":{"service":"container.googleapis.com"}}]}}"#;
        assert!(matches!(Reason::of(modern), Reason::Disabled(service) if service == "container.googleapis.com"));
        let older = br#"{"error":{"code":403,"errors":[{"reason":"accessNotConfigured","domain":"usageLimits"}]}}"#;
        assert!(matches!(Reason::of(older), Reason::Disabled(_)));
        let oldest = br#"{"error":{"code":403,"message":"Some API has not been used in project 1 before or it is disabled. Enable it."}}"#;
        assert!(matches!(Reason::of(oldest), Reason::Disabled(_)));
        let forbidden = br#"{"error":{"code":403,"message":"Permission denied","errors":[{"reason":"forbidden"}]}}"#;
        assert!(matches!(Reason::of(forbidden), Reason::Unknown));
        let busy = br#"{"error":{"code":403,"errors":[{"reason":"userRateLimitExceeded"}]}}"#;
        assert!(matches!(Reason::of(busy), Reason::Throttled));
        assert!(matches!(Reason::of(b"<html>"), Reason::Unknown));
    }

    #[test]
    fn what_an_answer_does_not_cover_is_named_or_is_a_gap() {
        let page = json!({"unreachable": ["a", "b"], "warnings": [{"code": "REGION_UNREACHABLE", "region": "r"}], "odd": [7]});
        assert_eq!(unseen(&page, "unreachable"), Ok(vec!["a", "b"]));
        assert_eq!(unseen(&page, "warnings"), Ok(vec!["REGION_UNREACHABLE"]));
        assert_eq!(unseen(&page, "none"), Ok(Vec::new()));
        assert!(unseen(&page, "odd").is_err());
    }

    #[test]
    fn a_long_list_is_cut_with_its_length() {
        assert_eq!(few(["a", "b"].into_iter()), "a, b");
        assert_eq!(few(["a", "b", "c", "d", "e", "f", "g"].into_iter()), "a, b, c, d, e and 2 more");
    }
}
