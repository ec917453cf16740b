//! The error bodies of GitHub REST and of Google, and the permission or setting that would cure them.
//! <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api> and <https://google.aip.dev/193>

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::collect::answer::Answer;
use crate::model::{Gap, GapCause};

/// Both vendors' error bodies: GitHub has `message` on top, Google everything below `error`.
#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error: Option<GoogleError>,
}

#[derive(Default, Deserialize)]
struct GoogleError {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    details: Vec<Detail>,
    /// The older shape, which Cloud Storage still uses.
    #[serde(default)]
    errors: Vec<Detail>,
}

#[derive(Default, Deserialize)]
struct Detail {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    metadata: Value,
    #[serde(default, rename = "retryDelay")]
    retry_delay: Option<String>,
}

impl ErrorBody {
    /// An error body of another shape says nothing that could be read here.
    fn of(answer: &Answer<'_>) -> Self {
        serde_json::from_slice(answer.body).unwrap_or_default()
    }

    fn message(&self) -> Option<&str> {
        let google = self.error.as_ref().and_then(|error| error.message.as_deref());
        google.or(self.message.as_deref())
    }

    fn details(&self) -> impl Iterator<Item = &Detail> {
        self.error.iter().flat_map(|error| error.details.iter().chain(&error.errors))
    }

    fn detail(&self, reasons: &[&str]) -> Option<&Detail> {
        self.details().find(|detail| detail.reason.as_deref().is_some_and(|reason| reasons.contains(&reason)))
    }
}

/// The gap that a refusal leaves, with its cure where the source names one.
pub(super) fn refused(answer: &Answer<'_>) -> Gap {
    let body = ErrorBody::of(answer);
    if let Some(gap) = switched_off(answer, &body) {
        return gap;
    }
    let said = body.message().map(|message| format!(": {}", shortened(message))).unwrap_or_default();
    let detail = format!("{} answered {}{said}", answer.asked, answer.status);
    let cause = match answer.status {
        401 | 403 | 404 | 451 => GapCause::Forbidden,
        500.. => GapCause::Unanswered,
        _ => GapCause::Malformed,
    };
    let gap = Gap::new(cause, detail);
    match cure(answer, &body) {
        Some(cure) if cause == GapCause::Forbidden => gap.cured_by(cure),
        _ => gap,
    }
}

/// Some services give the reason in words only.
fn switched_off(answer: &Answer<'_>, body: &ErrorBody) -> Option<Gap> {
    let detail = body.detail(&["SERVICE_DISABLED", "accessNotConfigured"]);
    let message = body.message().unwrap_or_default();
    if detail.is_none() && !message.contains("has not been used in project") {
        return None;
    }
    let named = |key: &str| detail.and_then(|detail| detail.metadata.get(key)).and_then(Value::as_str).map(shortened);
    let service = named("service").or_else(|| service_in(message)).map_or_else(|| "the API that answers it".into(), |service| format!("the API {service}"));
    let place = named("consumer").map(|consumer| format!(" in {consumer}")).unwrap_or_default();
    let gap = Gap::new(GapCause::Disabled, format!("{}: {service} is switched off{place}", answer.asked));
    Some(gap.cured_by(format!("{service} enabled{place}")))
}

/// `dataflow.googleapis.com` out of the console's address in the message.
fn service_in(message: &str) -> Option<String> {
    let name = message.split_once("/apis/api/")?.1.split('/').next()?;
    Some(shortened(name)).filter(|name| name.ends_with(".googleapis.com"))
}

fn cure(answer: &Answer<'_>, body: &ErrorBody) -> Option<String> {
    if answer.header("x-github-sso").is_some_and(|sso| sso.starts_with("required")) {
        return Some("the token authorised for the organisation's single sign-on".into());
    }
    let filled = |name: &str| answer.header(name).filter(|value| !value.trim().is_empty());
    if let Some(permissions) = filled("x-accepted-github-permissions") {
        return Some(format!("GitHub permission {permissions}"));
    }
    // A token that has one of them lacks something else.
    let has = |scopes: &str| answer.header("x-oauth-scopes").is_some_and(|held| held.split(", ").any(|held| scopes.split(", ").any(|scope| scope == held)));
    if let Some(scopes) = filled("x-accepted-oauth-scopes").filter(|scopes| !has(scopes)) {
        return Some(format!("one of the token scopes {scopes}"));
    }
    let named = body.details().find_map(|detail| detail.metadata.get("permission").and_then(Value::as_str));
    named.or_else(|| body.message().and_then(permission_in)).map(|permission| format!("permission {}", shortened(permission)))
}

/// `storage.buckets.get` out of "… does not have storage.buckets.get access to the bucket".
fn permission_in(message: &str) -> Option<&str> {
    message
        .split(|c: char| !c.is_ascii_alphabetic() && c != '.')
        .map(|word| word.trim_matches('.'))
        .find(|word| word.split('.').count() >= 3 && word.split('.').all(|part| !part.is_empty()) && !word.ends_with(".com") && !word.starts_with("www."))
}

/// True where a 403 is a rate limit without saying so in its headers: GitHub's secondary limits, Google's quotas.
pub(super) fn speaks_of_a_rate_limit(answer: &Answer<'_>) -> bool {
    let body = ErrorBody::of(answer);
    let phrases = ["secondary rate limit", "api rate limit exceeded", "abuse detection"];
    let said = body.message().map(str::to_ascii_lowercase).unwrap_or_default();
    phrases.iter().any(|phrase| said.contains(phrase)) || body.detail(&["rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"]).is_some()
}

/// `google.rpc.RetryInfo` in an error's details, e.g. `"30s"`.
pub(super) fn retry_delay(answer: &Answer<'_>) -> Option<Duration> {
    let body = ErrorBody::of(answer);
    let text = body.details().find_map(|detail| detail.retry_delay.as_deref())?;
    Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok()
}

/// A vendor's words on one line, cut to 200 characters.
pub(super) fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    line.trim().trim_end_matches('.').to_owned()
}
