//! An organisation's audit log, as the kinds that read it share it: what is asked for, which part of it a run covers, and what an entry says of time and place.
//!
//! Of a window, web events only: Git events (clone, fetch, push) are kept for seven days and are many; what moved a default branch is `branch_activity`'s business.
//! GitHub has this log for organisations of GitHub Enterprise Cloud; elsewhere it answers 404, which is no empty log.
//! <https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization>

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::wording::path_part;
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host, Period};

/// The operation that reads the log.
pub(super) const AUDIT_LOG: &str = "orgs/get-audit-log";
/// What shows it.
pub(super) const SEES_LOG: &str =
    "an organisation of GitHub Enterprise Cloud, and a credential of an owner (App: Administration: read on the organisation; token: read:audit_log)";
/// Days for which GitHub keeps web events.
pub(super) const KEPT_DAYS: i64 = 180;
/// How long an entry may take to appear, and how long what follows it is looked at: the last hour of a window is the next run's.
const SETTLING: TimeDelta = TimeDelta::hours(1);

/// The part of the log that a run with this window covers: as long as the window, and an hour earlier, so that the runs' parts join without a hole.
pub(super) fn covered(window: Period) -> Period {
    Period::new(window.start() - SETTLING, window.end() - SETTLING).unwrap_or(window)
}

/// Days at the beginning of what a run with this window covers of which GitHub keeps nothing any more. A day of which only a part is kept counts as lost.
pub(super) fn lost_days(window: Period) -> i64 {
    let lost = (window.end() - TimeDelta::days(KEPT_DAYS) - covered(window).start()).max(TimeDelta::zero());
    lost.num_days() + i64::from(lost > TimeDelta::days(lost.num_days()))
}

/// The end of what is looked at for things that followed an entry.
pub(super) fn followed_until(at: DateTime<Utc>) -> DateTime<Utc> {
    at + SETTLING
}

/// Asks for the part that is covered, and the hour after it.
/// <https://docs.github.com/en/enterprise-cloud@latest/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/reviewing-the-audit-log-for-your-organization#searching-the-audit-log>
pub(super) async fn fetch(organization: &str, window: Period, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let phrase = format!("created:{}..{}", seconds(covered(window).start()), seconds(window.end()));
    let ask = |target: &str| Request::get(Host::GitHub, target, AUDIT_LOG, organization, asked_by);
    let first = format!("/orgs/{}/audit-log?phrase={}&include=web&per_page=100", path_part(organization), path_part(&phrase));
    all_pages(api, ask(&first), Paging::Link, ask, |_page| {}).await
}

/// Asks for the newest entry that somebody made, Git events and all, as far back as GitHub keeps the log.
pub(super) async fn fetch_newest(organization: &str, login: &str, until: DateTime<Utc>, (api, asked_by): (&dyn Api, &'static str)) -> Result<(), ApiError> {
    let phrase = format!("actor:{login} created:>={}", seconds(until - TimeDelta::days(KEPT_DAYS)));
    let target = format!("/orgs/{}/audit-log?phrase={}&include=all&per_page=1", path_part(organization), path_part(&phrase));
    api.send(Request::get(Host::GitHub, target, AUDIT_LOG, newest_subject(organization, login), asked_by)).await.map(drop)
}

/// Asks for the entries of one action since then.
/// <https://docs.github.com/en/enterprise-cloud@latest/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/reviewing-the-audit-log-for-your-organization#search-based-on-the-action-performed>
pub(super) async fn fetch_action(organization: &str, action: &str, since: DateTime<Utc>, (api, asked_by): (&dyn Api, &'static str)) -> Result<(), ApiError> {
    let phrase = format!("action:{action} created:>={}", seconds(since));
    let subject = action_subject(organization, action);
    let ask = |target: &str| Request::get(Host::GitHub, target, AUDIT_LOG, subject.as_str(), asked_by);
    let first = format!("/orgs/{}/audit-log?phrase={}&include=web&per_page=100", path_part(organization), path_part(&phrase));
    all_pages(api, ask(&first), Paging::Link, ask, |_page| {}).await
}

/// What the exchanges about one action are filed under.
pub(super) fn action_subject(organization: &str, action: &str) -> String {
    format!("{organization}/audit-log?action={action}")
}

/// What the exchange about somebody's newest entry is filed under: it must not be mistaken for a page of the log.
pub(super) fn newest_subject(organization: &str, login: &str) -> String {
    format!("{organization}/audit-log?actor={login}")
}

/// `2026-01-31T23:00:00Z`: the log is searched by whole seconds.
fn seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What reading the log came to.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Why it is not whole.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges, in page order.
    pub(super) evidence: Vec<u32>,
}

/// Shows every entry that was read for the window, with the exchange that brought it.
pub(super) fn each(organization: &str, evidence: &dyn Evidence, visit: &mut dyn FnMut(&Field<'_>, u32)) -> Result<Log, Unreadable> {
    each_about(organization, evidence, visit)
}

/// Shows every entry that is filed under `subject`, with the exchange that brought it.
pub(super) fn each_about(subject: &str, evidence: &dyn Evidence, visit: &mut dyn FnMut(&Field<'_>, u32)) -> Result<Log, Unreadable> {
    let mut log = Log::default();
    for exchange in evidence.about(AUDIT_LOG, subject) {
        log.evidence.push(exchange.n);
        if !exchange.is_answer() {
            log.gaps.push(refused(evidence, exchange, SEES_LOG)?);
            continue;
        }
        match Answer::stored_rest(evidence, exchange)?.root().needing(SEES_LOG).items() {
            Ok(entries) => entries.iter().for_each(|entry| visit(entry, exchange.n)),
            Err(gap) => log.gaps.push(gap),
        }
    }
    if log.gaps.is_empty() {
        log.gaps.extend(evidence.listing_gap(AUDIT_LOG, subject));
    }
    Ok(log)
}

/// When an entry was recorded. GitHub gives milliseconds since 1970.
pub(super) fn recorded_at(entry: &Field<'_>) -> Fact<DateTime<Utc>> {
    let field = entry.get(if entry.get("created_at").value().is_some() { "created_at" } else { "@timestamp" });
    DateTime::from_timestamp_millis(field.int()?).ok_or_else(|| Gap::new(GapCause::Malformed, "the time of an entry of the audit log is out of range"))
}

/// An instant as attributes have it.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `owner/name` of the repository that an entry is about: its own field, or the address of its pull request.
pub(super) fn repository(entry: &Field<'_>) -> Fact<String> {
    if entry.get("repo").value().is_some() {
        return entry.get("repo").text().map(ToOwned::to_owned);
    }
    let url = entry.get("pull_request_url");
    if url.value().is_none() {
        return entry.get("repository").text().map(ToOwned::to_owned);
    }
    let parts: Vec<&str> = url.text()?.split('/').collect();
    match parts.as_slice() {
        [_, _, _, owner, name, "pull", ..] => Ok(format!("{owner}/{name}")),
        _ => Err(Gap::new(GapCause::Malformed, "pull_request_url of an entry of the audit log names no repository")),
    }
}
