//! What was given to show that a task is done, and whether it is kept: attached files, merged pull requests, runs of workflows, commits by their SHA, and bare links.
//!
//! `captured` is true only where the bytes of this run are in the store. What was refused is a link like any other; what broke off leaves the evidence undetermined.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::attachment::{self, Attached, Outcome, Place};
use crate::collect::evidence::{Evidence, Unreadable, refusal};
use crate::collect::github::access_review::{Decision, decisions, is_table};
use crate::collect::github::answer::{Answer, Fact, Field};
use crate::collect::github::completion::links;
use crate::collect::github::issue::login;
use crate::collect::github::wording::repository_path;
use crate::model::{Exchange, Gap, GapCause, Host};

const RUN: &str = "actions/get-workflow-run";
const COMMIT: &str = "git/get-commit";
/// Things asked for at the same time; the `Api` has its own limit.
const ABREAST: usize = 8;
/// Things that are asked for of one issue.
const MOST: usize = 100;
/// The host of GitHub's pages where an issue does not say.
const WEB: &str = "github.com";

/// Something that a text names and that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// An attached file.
    File(Place),
    /// A run of a workflow: repository, number.
    Run(String, String),
    /// A commit: repository, SHA.
    Commit(String, String),
}

/// What a link in a text is.
enum Link {
    Named(Named),
    Expired,
    Other,
}

/// Reads a link. A commit counts by its whole SHA only: shorter ones and branches move.
fn read(link: &str, web: &str) -> Link {
    match attachment::attached(link, web) {
        Some(Attached::File(place)) => return Link::Named(Named::File(place)),
        Some(Attached::Expired) => return Link::Expired,
        None => {}
    }
    let Some((host, path)) = link.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else { return Link::Other };
    if !host.eq_ignore_ascii_case(web) {
        return Link::Other;
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        [owner, name, "actions", "runs", number, ..] if number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() => {
            repository(owner, name).map_or(Link::Other, |repository| Link::Named(Named::Run(repository, (*number).to_owned())))
        }
        [owner, name, "commit", sha] if sha.len() == 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            repository(owner, name).map_or(Link::Other, |repository| Link::Named(Named::Commit(repository, sha.to_ascii_lowercase())))
        }
        _ => Link::Other,
    }
}

fn repository(owner: &str, name: &str) -> Option<String> {
    let is_name = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (is_name(owner) && is_name(name)).then(|| format!("{owner}/{name}"))
}

impl Named {
    /// True where it may be asked for: files wherever they lie at GitHub, everything else in the organisation only.
    fn is_of(&self, organization: &str) -> bool {
        match self {
            Self::File(_) => true,
            Self::Run(repository, _) | Self::Commit(repository, _) => {
                repository.split('/').next().is_some_and(|owner| owner.eq_ignore_ascii_case(organization))
            }
        }
    }

    fn request(&self, organization: &str, asked_by: &'static str) -> Request {
        let (operation, subject) = self.place(organization);
        match self {
            Self::File(place) => Request::get(place.host, place.target.as_str(), operation, subject, asked_by),
            Self::Run(repository, number) => {
                Request::get(Host::GitHub, format!("/repos/{}/actions/runs/{number}", repository_path(repository)), operation, subject, asked_by)
            }
            Self::Commit(repository, sha) => {
                Request::get(Host::GitHub, format!("/repos/{}/git/commits/{sha}", repository_path(repository)), operation, subject, asked_by)
            }
        }
    }

    /// Operation and subject. A file's subject begins with the organisation, whose credential asks for it.
    fn place(&self, organization: &str) -> (&'static str, String) {
        match self {
            Self::File(Place { host: Host::GitHubImages, target }) => (attachment::OPERATION, format!("{organization}/user-images{target}")),
            Self::File(place) => (attachment::OPERATION, format!("{organization}{}", place.target)),
            Self::Run(repository, number) => (RUN, format!("{repository}/{number}")),
            Self::Commit(repository, sha) => (COMMIT, format!("{repository}/{sha}")),
        }
    }

    /// True for an attached file that may tell the decisions of an access review.
    fn is_table(&self) -> bool {
        matches!(self, Self::File(place) if is_table(&place.target))
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "attachment",
            Self::Run(..) => "workflow_run",
            Self::Commit(..) => "commit",
        }
    }
}

/// Everything that the issues of one answer name.
pub(super) fn named(page: &Reply) -> BTreeSet<Named> {
    let answer = Answer::graphql(&page.body);
    let mut found = BTreeSet::new();
    for node in answer.root().path(&["data", "nodes"]).items().unwrap_or_default() {
        let web = web(node.get("url").text().unwrap_or_default()).to_owned();
        let (comments, _why_not_all) = node.get("comments").nodes();
        found.extend(first_named(&node, &comments, &web));
    }
    found
}

/// What an issue names, as far as it is asked for: whoever may comment could name more than there is room for, and cannot push out what was there before.
fn first_named(issue: &Field<'_>, comments: &[Field<'_>], web: &str) -> BTreeSet<Named> {
    let mut found = BTreeSet::new();
    for source in std::iter::once(issue).chain(comments) {
        for link in links(source.get("body").text().unwrap_or_default()) {
            if let Link::Named(named) = read(&link, web)
                && found.len() < MOST
            {
                found.insert(named);
            }
        }
    }
    found
}

/// The host of the page at this address, which is where files of its issues are attached.
pub(super) fn web(url: &str) -> &str {
    url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).filter(|host| !host.is_empty()).unwrap_or(WEB)
}

/// Asks for each.
pub(super) async fn fetch(organization: &str, named: &BTreeSet<Named>, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let requests: Vec<Request> = named.iter().filter(|named| named.is_of(organization)).map(|named| named.request(organization, asked_by)).collect();
    stream::iter(requests).map(|request| api.send(request)).buffer_unordered(ABREAST).try_for_each(|_reply| future::ok(())).await
}

/// Asks for the attached tables only; what is decided in them, as far as it can be read.
pub(super) async fn fetch_tables(organization: &str, named: &BTreeSet<Named>, api: &dyn Api, asked_by: &'static str) -> Result<Vec<Decision>, ApiError> {
    let requests: Vec<Request> = named.iter().filter(|named| named.is_table()).map(|named| named.request(organization, asked_by)).collect();
    let replies: Vec<Reply> = stream::iter(requests).map(|request| api.send(request)).buffer_unordered(ABREAST).try_collect().await?;
    let answers = replies.iter().filter(|reply| reply.gap.is_none());
    Ok(answers.flat_map(|reply| decisions(&reply.body, organization).unwrap_or_default()).collect())
}

/// What came of asking for everything that the issues of an organisation name.
#[derive(Debug, Default)]
pub(super) struct Library {
    organization: String,
    found: BTreeMap<(&'static str, String), (u32, Fact<Capture>)>,
}

/// What came of asking for one thing.
#[derive(Debug, Clone, Default)]
struct Capture {
    /// Why it is not kept; none where it is.
    reason: Option<String>,
    name: Option<String>,
    media_type: Option<String>,
    bytes: Option<i64>,
    sha256: Option<String>,
    conclusion: Option<String>,
    /// Why it may be there all the same, unless it was attached where everybody may open it.
    closed: Option<Gap>,
    /// Of a table that tells any.
    decisions: Option<Fact<Vec<Decision>>>,
}

/// A captured table that decides something.
#[derive(Debug, Clone)]
pub(super) struct Table {
    sha256: String,
    pub(super) rows: Vec<Decision>,
    /// When it was given.
    pub(super) at: String,
    /// Who gave it.
    pub(super) by: String,
    /// The exchange that brought it.
    pub(super) exchange: u32,
}

/// What was given for one issue.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) items: Vec<Value>,
    /// The rows of captured tables.
    pub(super) decisions: Vec<Value>,
    /// Why those are not all.
    pub(super) undecided: Option<Gap>,
    /// The exchanges that brought what is kept.
    pub(super) exchanges: Vec<u32>,
}

impl Library {
    /// Reads what is stored.
    pub(super) fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut found = BTreeMap::new();
        for exchange in evidence.operation(attachment::OPERATION) {
            found.insert((attachment::OPERATION, exchange.subject.clone()), (exchange.n, file(organization, exchange, evidence)?));
        }
        for operation in [RUN, COMMIT] {
            for exchange in evidence.operation(operation) {
                found.insert((operation, exchange.subject.clone()), (exchange.n, record(exchange, evidence)?));
            }
        }
        Ok(Self { organization: organization.to_owned(), found })
    }

    /// What was given for the issue at `url`.
    pub(super) fn given(&self, node: &Field<'_>, url: &str) -> Fact<Given> {
        let mut given = Given::default();
        let comments = node.get("comments").all_nodes()?;
        let (web, asked) = (web(url), first_named(node, &comments, web(url)));
        for source in std::iter::once(node).chain(&comments) {
            let (at, by) = (given_at(source)?, login(&source.get("author"))?);
            for link in links(source.get("body").text()?) {
                let (kind, seen) = self.look_up(&link, web, &asked, &mut given.exchanges);
                given.add(kind, (&at, &by, shown(kind, &link)), seen?.settled(node, web)?);
            }
        }
        for change in node.get("closedByPullRequestsReferences").all_nodes()? {
            if change.get("merged").bool()? {
                let (at, url, by) = (change.get("mergedAt").time()?, change.get("url").text()?, login(&change.get("author"))?);
                // It is kept in the answer that tells of the issue, and has no body of its own.
                given.add("pull_request", (&at, &by, url), Capture::default());
            }
        }
        Ok(given)
    }

    /// The tables that were given for the issue at `url` and that decide something. One that was given twice counts once, from when it was first given.
    pub(super) fn tables(&self, node: &Field<'_>, url: &str) -> Fact<Vec<Table>> {
        let comments = node.get("comments").all_nodes()?;
        let (web, asked) = (web(url), first_named(node, &comments, web(url)));
        let mut tables: Vec<Table> = Vec::new();
        for source in std::iter::once(node).chain(&comments) {
            let found = links(source.get("body").text()?);
            for link in found.iter().filter(|link| matches!(read(link, web), Link::Named(named) if named.is_table())) {
                let mut exchanges = Vec::new();
                let capture = self.look_up(link, web, &asked, &mut exchanges).1?.settled(node, web)?;
                tables.extend(table(capture, source, &exchanges)?);
            }
        }
        tables.sort_by(|one, other| one.at.cmp(&other.at));
        let mut seen = BTreeSet::new();
        tables.retain(|table| !table.rows.is_empty() && seen.insert(table.sha256.clone()));
        Ok(tables)
    }

    fn look_up(&self, link: &str, web: &str, asked: &BTreeSet<Named>, exchanges: &mut Vec<u32>) -> (&'static str, Fact<Capture>) {
        let named = match read(link, web) {
            Link::Named(named) => named,
            Link::Expired => return ("attachment", Ok(Capture::refused("link only: the address was good for some minutes"))),
            Link::Other => return ("link_only", Ok(Capture::refused("link only"))),
        };
        if !named.is_of(&self.organization) {
            return (named.kind(), Ok(Capture::refused("link only: it is outside the organisation")));
        }
        if !asked.contains(&named) {
            return (named.kind(), Ok(Capture::refused(format!("link only: the issue names {MOST} others before it"))));
        }
        let (operation, subject) = named.place(&self.organization);
        match self.found.get(&(operation, subject)) {
            Some((exchange, capture)) => {
                exchanges.push(*exchange);
                (named.kind(), capture.clone())
            }
            None => (named.kind(), Err(Gap::new(GapCause::Unanswered, format!("what {link} leads to was not asked for")))),
        }
    }
}

/// What a captured table decides.
fn table(capture: Capture, source: &Field<'_>, exchanges: &[u32]) -> Fact<Option<Table>> {
    let (Some(sha256), Some(rows), [exchange]) = (capture.sha256, capture.decisions, exchanges) else { return Ok(None) };
    Ok(Some(Table { sha256, rows: rows?, at: given_at(source)?, by: login(&source.get("author"))?, exchange: *exchange }))
}

/// When a text gave its links. One that was edited gave them when it was last edited: whether they were there before cannot be told.
fn given_at(source: &Field<'_>) -> Fact<String> {
    match source.get("lastEditedAt").or_none(Field::time)? {
        Some(edited) => Ok(edited),
        None => source.get("createdAt").time(),
    }
}

/// True where the files of an issue are open to everybody, so that what is not found there is gone. Enterprise Servers may ask everybody to sign in.
fn is_open_to_all(issue: &Field<'_>, web: &str) -> bool {
    web.eq_ignore_ascii_case(WEB) && issue.path(&["repository", "visibility"]).text() == Ok("PUBLIC")
}

/// What the query of a file's address lets in to is nobody else's business.
fn shown<'a>(kind: &str, link: &'a str) -> &'a str {
    if kind == "attachment" { link.split('?').next().unwrap_or_default() } else { link }
}

fn file(organization: &str, exchange: &Exchange, evidence: &dyn Evidence) -> Result<Fact<Capture>, Unreadable> {
    Ok(match attachment::outcome(exchange) {
        Err(gap) => Err(gap),
        Ok(Outcome::Refused(why)) => Ok(Capture::refused(why)),
        Ok(Outcome::Closed(gap)) => {
            let answer = exchange.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
            Ok(Capture { closed: Some(gap), ..Capture::refused(format!("link only: GitHub answered {answer}")) })
        }
        Ok(Outcome::Captured) => {
            let last = exchange.subject.rsplit('/').next().unwrap_or_default();
            let name = percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned();
            let table = if is_table(&name) { Some(decisions(&evidence.body(exchange)?, organization)) } else { None };
            Ok(Capture { name: Some(name), decisions: table, ..Capture::kept(exchange) })
        }
    })
}

/// A run or a commit as GitHub's API tells it.
fn record(exchange: &Exchange, evidence: &dyn Evidence) -> Result<Fact<Capture>, Unreadable> {
    if !exchange.is_answer() {
        let gap = refusal(exchange);
        return Ok(match exchange.status {
            Some(status @ (401 | 403 | 404 | 409 | 410 | 422)) if gap.cause != GapCause::Unanswered => {
                Ok(Capture::refused(format!("link only: GitHub answered {status} (needs Actions: read and Contents: read on the repository)")))
            }
            _ => Err(gap),
        });
    }
    let answer = Answer::stored_rest(evidence, exchange)?;
    let run = answer.root();
    if exchange.operation == COMMIT {
        return Ok(run.get("sha").text().map(|_sha| Capture::kept(exchange)));
    }
    let told = || -> Fact<Capture> {
        let name = run.get("name").or_none(|name| name.text().map(str::to_owned))?;
        let conclusion = run.get("conclusion").or_none(|conclusion| conclusion.text().map(str::to_owned))?;
        Ok(Capture { name, conclusion, ..Capture::kept(exchange) })
    };
    Ok(told())
}

impl Capture {
    /// The same, unless it may be evidence that this credential cannot open: that there is none must not be said then.
    fn settled(self, issue: &Field<'_>, web: &str) -> Fact<Self> {
        match &self.closed {
            Some(gap) if !is_open_to_all(issue, web) => Err(gap.clone()),
            Some(_) | None => Ok(self),
        }
    }

    fn refused(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }

    fn kept(exchange: &Exchange) -> Self {
        let media_type = exchange.headers.get("content-type").map(ToOwned::to_owned);
        let (bytes, sha256) = (i64::try_from(exchange.bytes).unwrap_or(i64::MAX), exchange.sha256.to_string());
        Self { media_type, bytes: Some(bytes), sha256: Some(sha256), ..Self::default() }
    }
}

impl Given {
    fn add(&mut self, kind: &str, (at, by, url): (&str, &str, &str), capture: Capture) {
        let Capture { reason, name, media_type, bytes, sha256, conclusion, decisions, closed: _ } = capture;
        match decisions {
            Some(Ok(rows)) => self.decisions.extend(rows.into_iter().map(|row| json!({"member": row.member, "decision": row.decision, "at": at, "by": by}))),
            Some(Err(gap)) => self.undecided = Some(gap),
            None => {}
        }
        self.items.push(json!({
            "kind": kind, "at": at, "by": by, "url": url, "captured": reason.is_none(), "reason": reason, "name": name, "media_type": media_type,
            "bytes": bytes, "sha256": sha256, "conclusion": conclusion,
        }));
    }

    /// The rows of the captured tables, where they are all.
    pub(super) fn decided(&self) -> Fact<Vec<Value>> {
        self.undecided.clone().map_or_else(|| Ok(self.decisions.clone()), Err)
    }
}
