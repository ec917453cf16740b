//! Cloud Audit Logs of administrative activity: what is asked for, which part of it a run covers, and how the places that refuse are told from those that answer.
//! <https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list>
//!
//! One request asks a hundred projects, folders and organisations at a time, for the few methods that controls judge. Where one of them may not be read all of them
//! are refused, so that a refused request is asked again in halves, down to the one that refuses. Entries that come late are given an hour, and what has to follow
//! an entry a day: the last twenty-five hours of a window are the next run's. Left out: what an entry says (`audit_entry`).

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::{Each, Listed, Listing};
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host, Period};

/// The operation that reads the logs.
const LIST: &str = "logging.entries.list";
/// What shows them. What people read and write is in other logs, which need more.
pub(super) const PERMISSION: &str = "logging.logEntries.list";
/// How many places one request may name.
const AT_ONCE: usize = 100;
/// How long an entry may take to appear, and how long what has to follow it may take.
const SETTLING: TimeDelta = TimeDelta::hours(25);
/// How long these logs are kept. <https://cloud.google.com/logging/quotas#logs_retention_periods>
const KEPT: TimeDelta = TimeDelta::days(400);
/// The log, and the methods that are judged: policies that are set, and firewall rules that change.
const WANTED: &str = r#"log_id("cloudaudit.googleapis.com/activity") AND protoPayload.methodName=~"(?i)setiam(policy|permissions)|compute[.]firewalls[.]""#;

/// The part of the logs that a run with this window covers: as long as the window, and earlier, so that the runs' parts join without a hole.
pub(super) fn covered(window: Period) -> Period {
    Period::new(window.start() - SETTLING, window.end() - SETTLING).unwrap_or(window)
}

/// Why what a run with this window covers is not all there any more; none where it is.
pub(super) fn lost(window: Period) -> Option<Gap> {
    let gone = covered(window).start() < window.end() - KEPT;
    gone.then(|| Gap::new(GapCause::LeftOut, format!("activity logs are kept for {} days, and what is covered begins earlier", KEPT.num_days())))
}

/// Some places, in the order of their names.
type Places<'p> = &'p [String];

/// The places in the batches in which they are asked first.
fn batches(places: &[String]) -> impl Iterator<Item = Places<'_>> {
    places.chunks(AT_ONCE)
}

/// What the exchanges about some places are filed under.
fn subject(places: Places<'_>) -> String {
    match places {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] => format!("{first} to {last}, {} in all", places.len()),
    }
}

fn halves(places: Places<'_>) -> [Places<'_>; 2] {
    let (first, second) = places.split_at(places.len() / 2);
    [first, second]
}

/// Asks for the part that is covered of the logs of all these places.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask(places: &BTreeSet<String>, window: Period, api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
    let places: Vec<String> = places.iter().cloned().collect();
    let mut waiting: Vec<Places<'_>> = batches(&places).collect();
    while let Some(asked) = waiting.pop() {
        if ask_batch(asked, covered(window), api, kind).await? && asked.len() > 1 {
            waiting.extend(halves(asked));
        }
    }
    Ok(())
}

/// True where it was refused for good.
async fn ask_batch(places: Places<'_>, covered: Period, api: &dyn Api, kind: &'static str) -> Result<bool, ApiError> {
    const TARGET: &str = "/v2/entries:list?fields=entries(insertId,logName,timestamp,protoPayload),nextPageToken";
    let at = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
    let filter = format!("{WANTED} AND timestamp>=\"{}\" AND timestamp<\"{}\"", at(covered.start()), at(covered.end()));
    let page = |token: Option<&str>| {
        let mut body = json!({ "resourceNames": places, "filter": filter, "orderBy": "timestamp asc", "pageSize": 1000 });
        if let (Some(body), Some(token)) = (body.as_object_mut(), token) {
            body.insert("pageToken".to_owned(), json!(token));
        }
        Request::get(Host::Google("logging"), TARGET, LIST, subject(places), kind).post(body.to_string())
    };
    let mut refused = false;
    all_pages(
        api,
        page(None),
        Paging::Token,
        |token| page(Some(token)),
        |reply| {
            refused |= reply.gap.as_ref().is_some_and(|gap| !gap.cause.is_transient());
        },
    )
    .await?;
    Ok(refused)
}

/// Hands each entry of these places to `each`; a gap for each place that refuses, and for whatever broke off.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn read(places: &BTreeSet<String>, evidence: &dyn Evidence, each: Each<'_>) -> Result<Listed, Unreadable> {
    let places: Vec<String> = places.iter().cloned().collect();
    let mut waiting: Vec<Places<'_>> = batches(&places).collect();
    let mut read = Listed::default();
    while let Some(asked) = waiting.pop() {
        let subject = subject(asked);
        let listing = Listing { operation: LIST, subject: &subject, entries: "entries", partial: None, permission: PERMISSION, place: &subject };
        if asked.len() > 1 && is_refused(&listing, evidence)? {
            waiting.extend(halves(asked));
            continue;
        }
        let listed = listing.read(evidence, each)?;
        read.gaps.extend(listed.gaps);
        read.evidence.extend(listed.evidence);
    }
    Ok(read)
}

/// Whether some page was refused for good, so that halves were asked for.
fn is_refused(listing: &Listing<'_>, evidence: &dyn Evidence) -> Result<bool, Unreadable> {
    for exchange in evidence.about(listing.operation, listing.subject).iter().filter(|exchange| !exchange.is_answer()) {
        if !listing.refused(evidence, exchange)?.cause.is_transient() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{batches, covered, halves, lost, subject};
    use crate::model::Period;

    #[test]
    fn the_parts_of_two_runs_join() {
        let at = |text: &str| text.parse().expect("a time");
        let night = |from: &str, to: &str| covered(Period::new(at(from), at(to)).expect("a window"));
        let (first, second) = (night("2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z"), night("2026-03-02T02:00:00Z", "2026-03-03T02:00:00Z"));
        assert_eq!(first.end(), second.start());
        assert_eq!(first.end(), at("2026-03-01T01:00:00Z"));
    }

    #[test]
    fn what_is_not_kept_any_more_is_missed() {
        let since = |from: &str| lost(Period::new(from.parse().expect("a time"), "2026-03-31T02:00:00Z".parse().expect("a time")).expect("a window"));
        assert_eq!(since("2025-03-01T02:00:00Z"), None, "395 days and those 25 hours");
        assert!(since("2025-02-24T02:00:00Z").is_some_and(|gap| gap.detail.contains("400 days")));
    }

    #[test]
    fn every_batch_and_each_half_of_it_has_a_name_of_its_own() {
        let places: Vec<String> = (0..250).map(|n| format!("projects/p{n:03}")).collect();
        let mut waiting: Vec<&[String]> = batches(&places).collect();
        assert_eq!(waiting.iter().map(|batch| batch.len()).collect::<Vec<_>>(), [100, 100, 50]);
        let mut names = std::collections::BTreeSet::new();
        while let Some(batch) = waiting.pop() {
            assert!(names.insert(subject(batch)), "{}", subject(batch));
            waiting.extend(halves(batch).into_iter().filter(|half| batch.len() > 1 && !half.is_empty()));
        }
    }
}
