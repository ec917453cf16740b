//! One request from the first attempt to its record: waiting its turn, asking again, re-validating, following a redirect.

use std::collections::BTreeMap;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{ACCEPT, CONTENT_TYPE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::SemaphorePermit;
use url::Url;

use crate::collect::answer::{Answer, Lifts, Limit, Reach, Reading};
use crate::collect::api::{ApiError, Request};
use crate::collect::archive::Previous;
use crate::collect::paging::Paging;
use crate::collect::redact::Clean;
use crate::collect::transport::Core;
use crate::collect::transport::address::Travels;
use crate::collect::transport::earlier::earlier;
use crate::collect::transport::file::{is_file, unsigned};
use crate::collect::transport::keyring::{NoPass, Pass, Renewal};
use crate::collect::transport::pace::{self, Met, Pause};
use crate::collect::transport::record::Landing;
use crate::collect::transport::surroundings::Event;
use crate::collect::transport::wire::{Broken, Fault, Head, Received};
use crate::model::{Gap, GapCause, Host, Method};

/// <https://docs.github.com/en/rest/about-the-rest-api/api-versions>
pub(super) const GITHUB_VERSION: &str = "2022-11-28";
/// A renamed repository costs one hop; more than two is a loop.
pub(super) const HOPS: u32 = 2;

/// How often one request has a new installation token made. One may be withdrawn before its hour is over, and what takes its time meets the next one's end too.
const RENEWALS: u32 = 3;

/// How often a request is sent that meets trouble and can be made smaller: GitHub gives each ten seconds, and what took longer takes longer again.
/// <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#timeouts>
const OF_DIVISIBLE: usize = 2;

/// A request under way.
pub(super) struct Journey<'a> {
    pub(super) core: &'a Core,
    pub(super) request: &'a Request,
    pub(super) url: Url,
    pub(super) sent_at: DateTime<Utc>,
    pub(super) took: TimeDelta,
    pub(super) attempts: u32,
    pub(super) waited: Duration,
    pub(super) previous: Option<Previous>,
    delays: ExponentialBackoff,
    pub(super) hops: u32,
    renewed: u32,
    pub(super) credential: Travels,
}

/// What one attempt led to.
pub(super) enum Step<'a> {
    /// The end.
    Landed(Box<Landing<'a>>),
    /// Another attempt.
    Onward,
}

impl<'a> Step<'a> {
    pub(super) fn landed(landing: Landing<'a>) -> Self {
        Self::Landed(Box::new(landing))
    }
}

impl<'a> Journey<'a> {
    pub(super) fn new(core: &'a Core, request: &'a Request, url: Url) -> Self {
        let attempts = if request.divisible { core.settings.attempts.min(OF_DIVISIBLE) } else { core.settings.attempts };
        let delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_secs(30))
            .with_max_times(attempts.saturating_sub(1));
        Self {
            core,
            request,
            sent_at: core.around.clock.now(),
            took: TimeDelta::zero(),
            attempts: 0,
            waited: Duration::ZERO,
            previous: earlier(core, request, &url),
            url,
            delays: delays.build(),
            hops: 0,
            renewed: 0,
            credential: Travels::Secret,
        }
    }

    /// Travels to the end; what comes back is not recorded yet.
    pub(super) async fn travel(&mut self) -> Result<Landing<'a>, ApiError> {
        if let Some(landing) = self.taken_over().await {
            return Ok(landing);
        }
        loop {
            if let Step::Landed(landing) = self.step().await? {
                return Ok(*landing);
            }
        }
    }

    async fn step(&mut self) -> Result<Step<'a>, ApiError> {
        let permit = match self.turn().await {
            Ok(permit) => permit,
            Err(gap) => return Ok(Step::landed(Landing::unsent(gap))),
        };
        let pass = match self.pass().await {
            Ok(pass) => pass,
            Err(NoPass::Never(gap)) => return Ok(Step::landed(Landing::unsent(gap))),
            Err(NoPass::NotNow(why)) => {
                drop(permit);
                return Ok(self.again(Landing::unsent(Gap::new(GapCause::Unanswered, why)), Duration::ZERO).await);
            }
        };
        match self.send(&pass).await {
            Ok(received) => self.judge(received, &pass, permit).await,
            Err(broken) => {
                drop(permit);
                Ok(self.broken(broken).await)
            }
        }
    }

    /// Waits until the host may be asked and there is room.
    async fn turn(&mut self) -> Result<Option<SemaphorePermit<'a>>, Gap> {
        loop {
            let permit = self.core.pace.permit().await;
            let now = self.core.around.clock.now();
            let Some(until) = self.not_before(now) else { return Ok(permit) };
            drop(permit);
            let span = (until - now).to_std().unwrap_or_default();
            if self.waited.saturating_add(span) > self.core.settings.max_wait {
                return Err(too_long(&self.asked(), until));
            }
            // Spread out, so that what waited together does not arrive together.
            self.sleep(span + Duration::from_secs(1).mul_f64(self.fraction())).await;
        }
    }

    fn not_before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if let Some(until) = self.core.pace.held_until(self.request, now) {
            return Some(until);
        }
        let (until, pause) = self.core.pace.full_until(self.request, now)?;
        let whose = if matches!(self.request.host, Host::Google(_)) { "the service" } else { "GitHub" };
        self.tell_of(pause, until, &format!("{whose} allows so many requests a minute"));
        Some(until)
    }

    fn tell_of(&self, pause: Pause, until: DateTime<Utc>, why: &str) {
        if pause == Pause::New {
            self.core.tell(Event::Waiting { host: pace::name(self.request.host), until, why: why.to_owned() });
        }
    }

    /// Where an attached file is stored, a signed address lets the request in, and a credential of ours would be a stranger's.
    async fn pass(&self) -> Result<Pass, NoPass> {
        match self.credential {
            Travels::Secret => self.core.keyring.pass(self.request.host, self.organization()).await,
            Travels::Nothing => Ok(Pass::nothing()),
        }
    }

    async fn send(&mut self, pass: &Pass) -> Result<Received, Broken> {
        let unsendable = |_not_http| Broken { fault: Fault::Unsendable, head: None };
        let body = self.request.body.clone().unwrap_or_default();
        let method = match self.request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
        };
        let mut request = http::Request::builder().method(method).uri(self.url.as_str()).body(body).map_err(unsendable)?;
        *request.headers_mut() = self.headers(pass);
        self.attempts = self.attempts.saturating_add(1);
        self.sent_at = self.core.around.clock.now();
        self.core.tell(Event::Sent {
            host: pace::name(self.request.host),
            operation: self.request.operation,
            subject: self.request.subject.clone(),
            attempt: self.attempts,
        });
        let outcome = self.core.wire.send(self.request.host, request).await;
        self.took = self.core.around.clock.now() - self.sent_at;
        outcome
    }

    fn headers(&self, pass: &Pass) -> HeaderMap {
        let mut headers = pass.headers.clone();
        match self.request.host {
            Host::GitHub => {
                headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
                headers.insert(HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(GITHUB_VERSION));
            }
            Host::GitHubFiles | Host::GitHubImages => drop(headers.insert(ACCEPT, HeaderValue::from_static("*/*"))),
            Host::Google(_) => {
                headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            }
        }
        if self.request.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(etag) = self.previous.as_ref().and_then(|previous| HeaderValue::from_str(previous.headers.get("etag")?).ok()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        headers
    }

    async fn broken(&mut self, broken: Broken) -> Step<'a> {
        let cause = match broken.fault {
            Fault::NoConnection | Fault::TimedOut(_) | Fault::Closed => GapCause::Unanswered,
            Fault::CutOff | Fault::TooLarge(_) | Fault::Unsendable => GapCause::Malformed,
        };
        let landing = Landing::broken(broken.head.map(|head| self.without_credential(head)), Gap::new(cause, broken.fault.to_string()));
        let landing = if broken.fault.may_be_for_its_size() { landing.too_much() } else { landing };
        if broken.fault.may_pass() { self.again(landing, Duration::ZERO).await } else { Step::landed(landing) }
    }

    /// Headers that repeat the credential are dropped; the status can stay.
    fn without_credential(&self, head: Head) -> Head {
        // Where an answer broke off, nothing has looked at where it leads.
        if is_file(self.request) || self.core.tells(&head.headers) { Head { headers: BTreeMap::new(), ..head } } else { head }
    }

    /// What may be kept of an answer; what follows reads nothing else of it.
    fn admit(&self, received: Received) -> Result<Received, Box<Landing<'a>>> {
        let refuse = |head: Head, why: String| Err(Box::new(Landing::broken(Some(head), Gap::new(GapCause::Malformed, why)).too_much()));
        let Received { head, body, .. } = received;
        let status_only = |head: Head| Head { headers: BTreeMap::new(), ..head };
        if self.core.repeats(&head.headers) || self.core.keyring.is_told_by(&body) {
            return refuse(status_only(head), "the answer repeats the credential; it was not kept".to_owned());
        }
        if self.core.tells(&head.headers) {
            return refuse(status_only(head), "a header holds what looks like a credential; the answer was not stored".to_owned());
        }
        let whole = body.clone();
        let clean = if is_file(self.request) {
            self.core.redactor.clean_file(self.request.operation, body)
        } else {
            self.core.redactor.clean(self.request.operation, body)
        };
        match clean {
            Ok(Clean { body, redacted }) => Ok(Received { head, body, redacted }),
            Err(refusal) => {
                let leads_on = self.leads_on(&head, &whole);
                refuse(head, refusal.to_string()).map_err(|landing| Box::new(Landing { leads_on, ..*landing }))
            }
        }
    }

    /// The cursor of the next page in an answer that may not be kept: one text that nobody should have written ends no listing.
    fn leads_on(&self, head: &Head, body: &[u8]) -> Option<String> {
        let (paging, _number) = self.request.page.filter(|(paging, _number)| matches!(paging, Paging::Cursor(_)))?;
        let cursor = paging.next(&head.headers, body).ok()??;
        (!self.core.redactor.is_told_by(&cursor)).then_some(cursor)
    }

    async fn judge(&mut self, received: Received, pass: &Pass, permit: Option<SemaphorePermit<'a>>) -> Result<Step<'a>, ApiError> {
        let leads_to = received.head.headers.get("location").cloned();
        let received = match self.admit(if is_file(self.request) { unsigned(received) } else { received }) {
            Ok(received) => received,
            Err(landing) => return Ok(Step::Landed(landing)),
        };
        // No limit answers so.
        if matches!(received.head.status, 300..=399) {
            self.core.pace.passed(self.request, self.sent_at);
        }
        match received.head.status {
            304 if self.previous.is_some() => {
                return Ok(self.revalidated(received).await.map_or(Step::Onward, |landing| Step::landed(landing.holding(permit))));
            }
            301 | 302 | 303 | 307 | 308 if is_file(self.request) => return self.file_redirected(received, leads_to).await,
            301 | 302 | 307 | 308 => return self.redirected(received).await,
            _ => {}
        }
        if received.head.status == 401 && self.renewed < RENEWALS && self.renew(pass).await != Renewal::Impossible {
            return Ok(Step::Onward);
        }
        let asked = self.asked();
        let answer =
            Answer { asked: &asked, target: &self.request.target, status: received.head.status, headers: &received.head.headers, body: &received.body };
        if let Some(lifts) = answer.used_up() {
            self.hold_back(lifts, Reach::Allowance, "the hourly allowance is used up");
        }
        let reading = if is_file(self.request) { self.read_file(&answer) } else { answer.read() };
        if !matches!(reading, Reading::Limited(_)) {
            self.core.pace.passed(self.request, self.sent_at);
        }
        Ok(match reading {
            Reading::Usable => match answer.cut_short().filter(|_gap| self.request.divisible) {
                Some(gap) => Step::landed(Landing::fresh(received, Some(gap)).too_much().holding(permit)),
                None => Step::landed(Landing::fresh(received, None).holding(permit)),
            },
            Reading::Refused(gap) => Step::landed(self.refused(received, gap).holding(permit)),
            Reading::Busy(gap, not_before) => {
                drop(permit);
                self.again(Landing::fresh(received, Some(gap)).too_much(), not_before).await
            }
            Reading::Limited(limit) => {
                drop(permit);
                self.limited(received, limit)
            }
        })
    }

    /// Has the installation token replaced that was refused.
    async fn renew(&mut self, pass: &Pass) -> Renewal {
        let renewal = self.core.keyring.renew(pass, self.organization()).await;
        self.renewed = self.renewed.saturating_add(u32::from(renewal == Renewal::Begun));
        renewal
    }

    fn refused(&self, received: Received, gap: Gap) -> Landing<'a> {
        // A page in place of a file is nobody's evidence, and may hold what lets a browser in.
        let received = if is_file(self.request) { received.emptied() } else { received };
        let gap = if received.head.status == 401 { gap.cured_by(self.core.keyring.cure(self.request.host)) } else { gap };
        let is_misshapen = gap.cause == GapCause::Malformed && received.head.status == 200;
        let landing = Landing::fresh(received, Some(gap));
        if is_misshapen { landing.too_much() } else { landing }
    }

    /// The pause is set here and waited for at the next `turn`, together with everybody else.
    fn limited(&self, received: Received, limit: Limit) -> Step<'a> {
        let until = self.hold_back(limit.lifts, limit.reach, "a rate limit was met");
        let span = (until - self.core.around.clock.now()).to_std().unwrap_or_default();
        if self.waited.saturating_add(span) > self.core.settings.max_wait {
            return Step::landed(Landing::fresh(received, Some(too_long(&self.asked(), until))));
        }
        Step::Onward
    }

    fn hold_back(&self, lifts: Lifts, reach: Reach, why: &str) -> DateTime<Utc> {
        let met = Met { reach, lifts, sent_at: self.sent_at };
        let (until, pause) = self.core.pace.hold(self.request, met, self.core.around.clock.now());
        self.tell_of(pause, until, why);
        until
    }

    async fn again(&mut self, landing: Landing<'a>, not_before: Duration) -> Step<'a> {
        let Some(longest) = self.delays.next() else { return Step::landed(landing) };
        // Full jitter: anything from nothing to the whole delay spreads best.
        let delay = longest.mul_f64(self.fraction()).max(not_before);
        if self.waited.saturating_add(delay) > self.core.settings.max_wait {
            return Step::landed(landing);
        }
        self.core.tell(Event::Retrying {
            host: pace::name(self.request.host),
            operation: self.request.operation,
            subject: self.request.subject.clone(),
            delay,
            why: landing.gap.as_ref().map(|gap| gap.detail.clone()).unwrap_or_default(),
        });
        self.sleep(delay).await;
        Step::Onward
    }

    async fn redirected(&mut self, received: Received) -> Result<Step<'a>, ApiError> {
        let refuse = |received: Received, why: &str| {
            let gap = Gap::new(GapCause::Malformed, format!("a redirect was refused: {why}"));
            Ok(Step::landed(Landing::fresh(received, Some(gap))))
        };
        if self.hops >= HOPS {
            return refuse(received, "too many");
        }
        if self.request.method == Method::Post && matches!(received.head.status, 301 | 302) {
            return refuse(received, "it would turn a POST into a GET");
        }
        let Some(location) = received.head.headers.get("location") else { return refuse(received, "it leads nowhere") };
        let next = match self.core.addresses.redirect(self.request.host, &self.url, location) {
            Ok(next) => next,
            Err(misdirected) => return refuse(received, &misdirected.to_string()),
        };
        self.hops = self.hops.saturating_add(1);
        self.record_hop(received).await?;
        self.previous = earlier(self.core, self.request, &next);
        self.url = next;
        Ok(Step::Onward)
    }

    async fn sleep(&mut self, span: Duration) {
        self.core.around.clock.sleep(span).await;
        self.waited = self.waited.saturating_add(span);
    }

    fn fraction(&self) -> f64 {
        self.core.around.clock.fraction().clamp(0.0, 1.0)
    }

    pub(super) fn asked(&self) -> String {
        format!("{} for {}", self.request.operation, self.request.subject)
    }

    /// Whose GitHub App installation answers: the owner in the path; else, as in GraphQL and in `Link` targets that go by number, the subject's owner.
    fn organization(&self) -> &str {
        if is_file(self.request) {
            return self.request.subject.split('/').next().unwrap_or_default();
        }
        let mut path = self.request.target.split(['/', '?']).skip(1);
        match (path.next(), path.next()) {
            (Some("orgs" | "repos"), Some(owner)) => owner,
            _ => self.request.subject.split('/').next().unwrap_or_default(),
        }
    }
}

fn too_long(asked: &str, until: DateTime<Utc>) -> Gap {
    Gap::new(GapCause::Unanswered, format!("{asked}: the rate limit lifts at {}, which is too long to wait", until.format("%Y-%m-%dT%H:%M:%SZ")))
}
