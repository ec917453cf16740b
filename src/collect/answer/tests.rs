//! Answers as the vendors document them, and what they must be taken for.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;

use super::{Answer, Lifts, Reach, Reading};
use crate::model::{Gap, GapCause};

/// Status, headers, body, and the limit that they are.
type Limited = (u16, &'static [(&'static str, &'static str)], &'static str, Reach, Lifts);

fn read(target: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Reading {
    let headers: BTreeMap<String, String> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Answer { asked: "x/get for acme", target, status, headers: &headers, body: body.as_bytes() }.read()
}

fn gap(reading: Reading) -> Gap {
    match reading {
        Reading::Refused(gap) | Reading::Busy(gap, _) => gap,
        other => panic!("{other:?} is no refusal"),
    }
}

#[test]
fn a_body_that_is_not_json_is_no_answer() {
    assert_eq!(read("/orgs/acme", 200, &[], "{}"), Reading::Usable);
    assert_eq!(read("/repos/a/b/vulnerability-alerts", 204, &[], ""), Reading::Usable);
    for body in ["", "<html>", "{\"a\":"] {
        assert_eq!(gap(read("/orgs/acme", 200, &[], body)).cause, GapCause::Malformed, "{body:?}");
    }
}

#[test]
fn a_refusal_names_its_cure() {
    let body = r#"{"message":"Resource not accessible by integration"}"#;
    let plain = gap(read("/x", 403, &[("x-accepted-github-permissions", "administration=read")], body));
    assert_eq!((plain.cause, plain.cure.as_deref()), (GapCause::Forbidden, Some("GitHub permission administration=read")));
    assert_eq!(gap(read("/x", 404, &[], r#"{"message":"Not Found"}"#)).to_string(), "x/get for acme answered 404: Not Found");

    let denied =
        r#"{"error":{"code":403,"message":"Permission denied","details":[{"reason":"IAM_PERMISSION_DENIED","metadata":{"permission":"iam.roles.list"}}]}}"#;
    assert_eq!(gap(read("/v1/x", 403, &[], denied)).cure.as_deref(), Some("permission iam.roles.list"));
    let storage = r#"{"error":{"message":"sa@p.iam.gserviceaccount.com does not have storage.buckets.get access to the Google Cloud Storage bucket.","errors":[{"reason":"forbidden"}]}}"#;
    assert_eq!(gap(read("/storage/v1/b", 403, &[], storage)).cure.as_deref(), Some("permission storage.buckets.get"));
}

#[test]
fn a_scope_that_the_token_has_is_no_cure() {
    let cure = |held| gap(read("/x", 404, &[("x-accepted-oauth-scopes", "read:org, repo"), ("x-oauth-scopes", held)], "{}")).cure;
    assert_eq!(cure("gist").as_deref(), Some("one of the token scopes read:org, repo"));
    assert_eq!(cure("gist, repo"), None);
}

#[test]
fn a_disabled_service_is_told_apart_from_a_missing_permission() {
    let new = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED","metadata":{"service":"container.googleapis.com","consumer":"projects/12"}}]}}"#;
    let gap_new = gap(read("/v1/x", 403, &[], new));
    assert_eq!(gap_new.cause, GapCause::Disabled);
    assert_eq!(gap_new.cure.as_deref(), Some("the API container.googleapis.com enabled in projects/12"));
    let old = r#"{"error":{"errors":[{"reason":"accessNotConfigured"}]}}"#;
    assert_eq!(gap(read("/v1/x", 403, &[], old)).cause, GapCause::Disabled);
    let words = r#"{"error":{"code":403,"message":"X API has not been used in project 12 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/x.googleapis.com/overview?project=12"}}"#;
    let words = gap(read("/v1/x", 403, &[], words));
    assert_eq!((words.cause, words.cure.as_deref()), (GapCause::Disabled, Some("the API x.googleapis.com enabled")));
}

#[test]
fn a_rate_limit_is_never_a_missing_permission() {
    let limits: &[Limited] = &[
        (429, &[("retry-after", "7")], "", Reach::Host, Lifts::In(Duration::from_secs(7))),
        (
            403,
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1767225660"), ("date", "Thu, 01 Jan 2026 00:00:00 GMT")],
            "{}",
            Reach::Allowance,
            Lifts::In(Duration::from_mins(1)),
        ),
        (
            429,
            &[("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT"), ("date", "Thu, 01 Jan 2026 00:00:00 GMT")],
            "",
            Reach::Host,
            Lifts::In(Duration::from_secs(9)),
        ),
        (429, &[("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")], "", Reach::Host, Lifts::At(DateTime::UNIX_EPOCH)),
        (403, &[], r#"{"message":"You have exceeded a secondary rate limit."}"#, Reach::Host, Lifts::Unsaid),
        (403, &[], r#"{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}"#, Reach::Host, Lifts::Unsaid),
        (429, &[], r#"{"error":{"details":[{"retryDelay":"1.5s"}]}}"#, Reach::Host, Lifts::In(Duration::from_millis(1500))),
    ];
    for (status, headers, body, reach, lifts) in limits {
        let Reading::Limited(limit) = read("/x", *status, headers, body) else { panic!("{status} {body} is a rate limit") };
        assert_eq!((limit.reach, limit.lifts, limit.gap.cause), (*reach, *lifts, GapCause::Unanswered), "{status} {body}");
    }
}

#[test]
fn graphql_hides_its_errors_behind_200() {
    let of = |body: &str| read("/api/graphql", 200, &[], body);
    assert_eq!(of(r#"{"data":{"organization":{"login":"a"}},"errors":[{"type":"FORBIDDEN","message":"no"}]}"#), Reading::Usable);
    assert!(matches!(of(r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#), Reading::Limited(_)));
    assert_eq!(gap(of(r#"{"data":{"organization":null},"errors":[{"type":"FORBIDDEN","message":"no"}]}"#)).cause, GapCause::Forbidden);
    assert_eq!(gap(of(r#"{"errors":[{"type":"INSUFFICIENT_SCOPES","message":"no"}]}"#)).cause, GapCause::Forbidden);
    assert!(matches!(of(r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}"#), Reading::Busy(..)));
    assert_eq!(gap(of(r#"{"errors":[{"message":"Parse error on \"}\""}]}"#)).cause, GapCause::Malformed);
    for shape in ["{}", "[]", r#"{"data":null}"#, r#"{"data":{"organization":null}}"#, r#"{"errors":"x"}"#] {
        assert_eq!(gap(of(shape)).cause, GapCause::Malformed, "{shape}");
    }
}
