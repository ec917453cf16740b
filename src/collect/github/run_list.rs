//! The runs of one workflow of one repository since the beginning of a week, page after page.
//!
//! GitHub shows no more than 1,000 that were created in a span, so one that has as many is asked for in halves. Left out: what is told of a run (`workflow_run`).
//! <https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow>

use std::fmt;

use chrono::{DateTime, SecondsFormat, SubsecRound as _, TimeDelta, Utc};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::wording::{path_part, repository_path};
use crate::collect::github::workflow;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host};

const OPERATION: &str = "actions/list-workflow-runs";
/// What shows the runs.
pub(super) const SEES_RUNS: &str = "Actions, Contents and Pull requests: read on all repositories (token: repo)";
/// Where the files of workflows lie.
const FOLDER: &str = ".github/workflows/";
/// GitHub shows no more of a span than these.
const MOST: u64 = 1_000;
/// The pages that hold them.
const PAGES: u32 = 10;

/// A workflow of a repository.
#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    /// `owner/name`.
    pub(super) repository: String,
    /// Its path, e.g. `.github/workflows/release.yml`.
    pub(super) path: String,
}

/// Those of the wanted workflows that a repository of the bulk query has on its default branch.
pub(super) fn pipelines(node: &Field<'_>, wanted: &[String]) -> Fact<Vec<Pipeline>> {
    let repository = node.get("nameWithOwner").text()?;
    let paths = workflow::names(node)?.into_iter().map(|file| format!("{FOLDER}{file}")).filter(|path| wanted.contains(path));
    Ok(paths.map(|path| Pipeline { repository: repository.to_owned(), path }).collect())
}

/// The seconds from one to another, both included; GitHub tells of runs no finer than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    /// It is asked for without an end.
    is_open: bool,
}

impl Span {
    /// Everything since the beginning of the week that holds an instant. Weeks are counted from 1970, so that for some nights the question stays the same, and GitHub
    /// answers 304 where nothing has run. `until` is where it ends should it have to be halved.
    pub(super) fn since(at: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        let into_week = TimeDelta::seconds(at.timestamp().rem_euclid(TimeDelta::weeks(1).num_seconds()));
        Self { first: at.trunc_subsecs(0) - into_week, last: until.trunc_subsecs(0), is_open: true }
    }

    /// When it begins.
    pub(super) fn first(self) -> DateTime<Utc> {
        self.first
    }

    /// Both halves; none of a single second.
    fn halves(self) -> Option<[Self; 2]> {
        let middle = self.first + TimeDelta::seconds((self.last - self.first).num_seconds() / 2);
        let part = |first, last| Self { first, last, is_open: false };
        (self.first < self.last).then_some([part(self.first, middle), part(middle + TimeDelta::seconds(1), self.last)])
    }

    /// What is asked instead, where the span's first page counts more than GitHub shows.
    fn instead(self, number: u32, page: &Answer) -> Option<[Self; 2]> {
        let is_cut = number == 1 && total(page).is_ok_and(|total| total >= MOST);
        if is_cut { self.halves() } else { None }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        if self.is_open { write!(f, ">={}", instant(self.first)) } else { write!(f, "{}..{}", instant(self.first), instant(self.last)) }
    }
}

fn total(page: &Answer) -> Fact<u64> {
    let told = page.root().needing(SEES_RUNS).get("total_count").int()?;
    u64::try_from(told).map_err(|_negative| Gap::new(GapCause::Malformed, "total_count is less than none"))
}

/// The runs on a page.
pub(super) fn runs(page: &Answer) -> Fact<Vec<Field<'_>>> {
    page.root().needing(SEES_RUNS).get("workflow_runs").items()
}

impl Pipeline {
    fn subject(&self, span: Span) -> String {
        format!("{}/{}?created={span}", self.repository, self.path)
    }

    fn target(&self, span: Span) -> String {
        let file = self.path.strip_prefix(FOLDER).unwrap_or(&self.path);
        let below = format!("/repos/{}/actions/workflows/{}/runs", repository_path(&self.repository), path_part(file));
        format!("{below}?created={}&exclude_pull_requests=true&per_page=100", path_part(&span.to_string()))
    }

    /// Asks for every page of a span, or of its parts; shows each page of runs.
    pub(super) async fn fetch(&self, span: Span, api: &dyn Api, asked_by: &'static str, mut on_page: impl FnMut(&Answer) + Send) -> Result<(), ApiError> {
        let mut spans = vec![span];
        while let Some(span) = spans.pop() {
            spans.extend(self.ask(span, api, asked_by, &mut on_page).await?.into_iter().flatten());
        }
        Ok(())
    }

    /// Asks for one span; gives its halves, where those are to be asked for instead.
    async fn ask(&self, span: Span, api: &dyn Api, asked_by: &'static str, on_page: &mut (dyn FnMut(&Answer) + Send)) -> Result<Option<[Span; 2]>, ApiError> {
        let subject = self.subject(span);
        let mut target = self.target(span);
        for number in 1..=PAGES {
            let request = Request::get(Host::GitHub, target, OPERATION, subject.as_str(), asked_by);
            let reply = api.send(request.page(Paging::Link, number)).await?;
            let page = Answer::rest(&reply.body);
            if let Some(halves) = span.instead(number, &page) {
                return Ok(Some(halves));
            }
            if reply.gap.is_none() {
                on_page(&page);
            }
            let Some(next) = reply.next.filter(|_next| reply.gap.is_none()) else { break };
            target = next;
        }
        Ok(None)
    }

    /// Shows every run of a span as it was stored, with its exchange.
    pub(super) fn each(&self, span: Span, evidence: &dyn Evidence, visit: &mut dyn FnMut(&Field<'_>, u32)) -> Result<Told, Unreadable> {
        let mut told = Told { total: Some(0), gaps: Vec::new(), evidence: Vec::new() };
        let mut spans = vec![span];
        while let Some(span) = spans.pop() {
            spans.extend(self.span(span, evidence, &mut told, visit)?.into_iter().flatten());
        }
        Ok(told)
    }

    /// Reads one span; gives its halves, where those were asked for instead.
    fn span(&self, span: Span, evidence: &dyn Evidence, told: &mut Told, visit: &mut dyn FnMut(&Field<'_>, u32)) -> Result<Option<[Span; 2]>, Unreadable> {
        let subject = self.subject(span);
        let before = told.gaps.len();
        let mut counted = None;
        for (number, exchange) in (1..).zip(evidence.about(OPERATION, &subject)) {
            told.evidence.push(exchange.n);
            if !exchange.is_answer() {
                told.gaps.push(refused(evidence, exchange, SEES_RUNS)?);
                continue;
            }
            let page = Answer::stored_rest(evidence, exchange)?;
            if let Some(halves) = span.instead(number, &page) {
                return Ok(Some(halves));
            }
            counted.get_or_insert_with(|| total(&page));
            match runs(&page) {
                Ok(runs) => runs.iter().for_each(|run| visit(run, exchange.n)),
                Err(gap) => told.gaps.push(gap),
            }
        }
        if told.gaps.len() == before {
            told.gaps.extend(evidence.listing_gap(OPERATION, &subject));
        }
        told.count(counted.transpose(), &subject);
        Ok(None)
    }
}

/// What was told of a workflow's runs beside the runs.
#[derive(Debug)]
pub(super) struct Told {
    /// How many there are; none where GitHub did not say.
    pub(super) total: Option<u64>,
    /// Why they are not all known.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges.
    pub(super) evidence: Vec<u32>,
}

impl Told {
    fn count(&mut self, counted: Fact<Option<u64>>, subject: &str) {
        let total = counted.as_ref().ok().copied().flatten();
        match counted {
            // Without its count, a list that GitHub cut looks like a whole one.
            Err(gap) => self.gaps.push(Gap { detail: format!("{OPERATION} for {subject}: {}", gap.detail), ..gap }),
            Ok(Some(MOST..)) => {
                self.gaps.push(Gap::new(GapCause::Incomplete, format!("{OPERATION} for {subject}: GitHub shows no more than {MOST} runs of a second")))
            }
            Ok(_) => {}
        }
        self.total = self.total.zip(total).map(|(all, more)| all.saturating_add(more));
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::Span;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_span_begins_with_a_week_and_stays_the_same_until_the_next() {
        for (instant, first) in [
            ("2026-01-07T23:59:59.9Z", ">=2026-01-01T00:00:00Z"),
            ("2026-01-08T00:00:00Z", ">=2026-01-08T00:00:00Z"),
            ("2026-01-14T23:59:59.9Z", ">=2026-01-08T00:00:00Z"),
        ] {
            assert_eq!(Span::since(at(instant), at("2026-02-01T00:00:00Z")).to_string(), first, "{instant}");
        }
    }

    #[test]
    fn halves_share_no_second_and_lose_none() {
        let (mut parts, mut seconds) = (vec![Span::since(at("2026-01-08T00:00:00Z"), at("2026-01-08T00:00:12.5Z"))], Vec::new());
        while let Some(part) = parts.pop() {
            match part.halves() {
                Some(halves) => parts.extend(halves),
                None => seconds.push((part.first, part.last)),
            }
        }
        seconds.sort_unstable();
        assert!(seconds.iter().all(|(first, last)| first == last));
        seconds.dedup();
        assert_eq!(seconds.len(), 13, "{seconds:?}");
    }
}
