//! GraphQL answers 200 to almost everything; what went wrong stands in `errors`.
//! <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::collect::answer::refused::shortened;
use crate::collect::answer::{Answer, Lifts, Limit, Reach, Reading};
use crate::model::{Gap, GapCause};

/// Classes of errors that do not pass by themselves.
const LASTING: &[&str] = &["FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND", "SAML_FAILURE"];

/// Classes of errors that say how much one query may ask for.
const EXHAUSTED: &[&str] = &["MAX_NODE_LIMIT_EXCEEDED", "RESOURCE_LIMITS_EXCEEDED"];

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Option<BTreeMap<String, Option<IgnoredAny>>>,
    #[serde(default)]
    errors: Vec<Mistake>,
}

#[derive(Deserialize)]
struct Mistake {
    #[serde(default, rename = "type")]
    class: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Mistake {
    fn is(&self, classes: &[&str]) -> bool {
        self.class.as_deref().is_some_and(|class| classes.contains(&class))
    }

    fn speaks_of_time(&self) -> bool {
        ["something went wrong", "timeout", "timed out"].iter().any(|phrase| self.says(phrase))
    }

    fn says(&self, phrase: &str) -> bool {
        self.message.as_deref().is_some_and(|message| message.to_ascii_lowercase().contains(phrase))
    }
}

/// An answer with some data is usable, whatever its errors: the kinds read both. One with none is not.
pub(super) fn read(answer: &Answer<'_>) -> Reading {
    let envelope: Envelope = match serde_json::from_slice(answer.body) {
        Ok(envelope) => envelope,
        Err(error) => return refused(answer, GapCause::Malformed, &format!("answered what is not GraphQL: {error}")),
    };
    if envelope.errors.iter().any(|error| error.is(&["RATE_LIMITED", "RATE_LIMIT"]) || error.says("secondary rate limit")) {
        let gap = Gap::new(GapCause::Unanswered, format!("{} was held back by a rate limit", answer.asked));
        let lifts = answer.retry_after().or_else(|| answer.used_up()).unwrap_or(Lifts::Unsaid);
        return Reading::Limited(Limit { reach: Reach::Allowance, lifts, gap });
    }
    if envelope.data.as_ref().is_some_and(holds_something) {
        return Reading::Usable;
    }
    let Some(first) = envelope.errors.first() else {
        return refused(answer, GapCause::Malformed, "answered neither data nor errors");
    };
    let message = shortened(first.message.as_deref().unwrap_or("no message"));
    let sentence = match &first.class {
        Some(class) => format!("answered {}: {message}", shortened(class)),
        None => format!("answered: {message}"),
    };
    if first.speaks_of_time() {
        return Reading::Busy(Gap::new(GapCause::Unanswered, format!("{} {sentence}", answer.asked)), Duration::ZERO);
    }
    let cause = if first.is(LASTING) { GapCause::Forbidden } else { GapCause::Malformed };
    refused(answer, cause, &sentence)
}

/// Why the answer is not whole, where a smaller question may have a whole one.
pub(super) fn cut_short(answer: &Answer<'_>) -> Option<Gap> {
    let envelope: Envelope = serde_json::from_slice(answer.body).ok()?;
    let error = envelope.errors.iter().find(|error| error.is(EXHAUSTED) || error.class.is_none() && error.speaks_of_time())?;
    let message = shortened(error.message.as_deref().unwrap_or("no message"));
    Some(Gap::new(GapCause::Unanswered, format!("{} answered in part: {message}", answer.asked)))
}

/// True where all errors of the answer, if there are any, are refusals: asking again would bring the same.
pub(super) fn is_settled(body: &[u8]) -> bool {
    serde_json::from_slice::<Envelope>(body).is_ok_and(|envelope| envelope.errors.iter().all(|error| error.is(LASTING)))
}

/// `{"organization": null}` is how GraphQL says no.
fn holds_something(data: &BTreeMap<String, Option<IgnoredAny>>) -> bool {
    data.values().any(Option::is_some)
}

fn refused(answer: &Answer<'_>, cause: GapCause, sentence: &str) -> Reading {
    Reading::Refused(Gap::new(cause, format!("{} {sentence}", answer.asked)))
}
