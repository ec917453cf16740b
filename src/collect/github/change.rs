//! `github.change`: every commit of a default branch that was committed in the run's window, with the pull request that brought it, or none.
//!
//! Left out: commits that carry a date outside the window but were pushed in it (`branch_activity` has the push), and what a pull request says (`pull_request`).

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::batch::Batch;
use crate::collect::github::items::{joined, page_body};
use crate::collect::github::share;
use crate::collect::github::told;
use crate::collect::github::walk::{self, Part, Walk};
use crate::collect::paging::Paging;
use crate::model::{AttributeType, Exchange, Gap, GapCause, Host, Kind, Period, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.change`.
#[derive(Debug, Clone, Copy)]
pub struct Change;

const BULK: &str = "graphql/changes";
const BULK_QUERY: &str = include_str!("queries/changes.graphql");
const BULK_PAGING: Paging = Paging::Cursor("/data/organization/repositories/pageInfo");
const BATCH: &str = "graphql/changes-batch";
const BATCHES: Batch = Batch { kind: KIND.name, operation: BATCH, query: include_str!("queries/changes_batch.graphql"), size: share::FULL, abreast: AT_ONCE };
/// Two connections are opened by each commit.
const NESTED: u64 = 2;
/// More commits than this are read of one repository at a time: they are worth a point by themselves.
const MOST_IN_A_BATCH: u64 = 24;
const SINGLE: &str = "graphql/repository-changes";
const SINGLE_QUERY: &str = include_str!("queries/repository_changes.graphql");
const SINGLE_PAGING: Paging = Paging::Cursor("/data/repository/defaultBranchRef/target/history/pageInfo");
const SEES_CHANGES: &str = "Contents and Pull requests: read on all repositories (token: repo)";
/// Histories that are read at the same time.
const AT_ONCE: usize = 8;
const TEXT: AttributeType = AttributeType::Text;
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&TEXT);

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.change",
    meaning: "a commit of a repository's default branch that was committed in the run's window",
    permission: SEES_CHANGES,
    attributes: &[
        attribute("repository", TEXT, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("branch", TEXT, "the default branch", "GraphQL Repository.defaultBranchRef.name"),
        attribute("oid", TEXT, "the commit", "GraphQL Commit.oid"),
        attribute("committed_at", AttributeType::Time, "when it was committed, as the commit says", "GraphQL Commit.committedDate"),
        attribute(
            "author",
            OPTIONAL_TEXT,
            "the account of the author's address; null where there is none; anybody can write it",
            "GraphQL Commit.author.user.login",
        ),
        attribute(
            "committer",
            OPTIONAL_TEXT,
            "the account of the committer's address; null where there is none; anybody can write it",
            "GraphQL Commit.committer.user.login",
        ),
        attribute("signature_valid", AttributeType::Bool, "GitHub has verified its signature; false where it has none", "GraphQL Commit.signature.isValid"),
        attribute(
            "signed_by",
            OPTIONAL_TEXT,
            "the account whose signature was verified; null where none was, or it belongs to no account",
            "GraphQL Commit.signature.signer.login",
        ),
        attribute("is_first", AttributeType::Bool, "it has no parent: a history begins with it", "GraphQL Commit.parents.totalCount"),
        attribute(
            "pull_request",
            AttributeType::Optional(&AttributeType::Int),
            "the number of the merged pull request that brought it, to the default branch where there is one; null where none did: it was pushed",
            "GraphQL Commit.associatedPullRequests",
        ),
        attribute("pull_request_base", OPTIONAL_TEXT, "the branch that this pull request was merged to", "GraphQL PullRequest.baseRefName"),
    ],
};

#[async_trait]
impl Collector for Change {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let dates = dates(scope.window);
        for organization in &scope.github_organizations {
            let mut active = Vec::new();
            let variables = joined(&dates, &json!({ "organization": organization }));
            let bulk = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", BULK, organization, KIND.name).post(page_body(BULK_QUERY, &variables, part));
            let mut walk = Walk::new(BULK_QUERY, BULK_PAGING);
            while let Some(page) = walk.next(api, &bulk).await? {
                active.extend(with_commits(&page));
            }
            let alone = ask_together(organization, active, &dates, api).await?;
            let asking = futures::stream::iter(alone).map(|repository| ask(repository, &dates, api)).buffer_unordered(AT_ONCE);
            asking.try_collect::<()>().await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(
            &KIND,
            format!(
                "commits of the default branch of every repository of {} whose committer's date is from {} up to, not including, {}",
                scope.github_organizations.join(", "),
                instant(scope.window.start()),
                instant(scope.window.end())
            ),
        );
        for organization in &scope.github_organizations {
            let mut reading = Reading::new(scope.window, evidence, emit);
            reading.organization(organization)?;
            population.tallies.push(reading.tally(organization));
            population.gaps.append(&mut reading.gaps);
            population.evidence.append(&mut reading.cited);
        }
        Ok(population)
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Commits have whole seconds, and both ends are included.
fn dates(window: Period) -> Value {
    json!({"since": instant(window.start()), "until": instant(window.end() - TimeDelta::seconds(1))})
}

fn history<'a>(repository: &Field<'a>) -> Field<'a> {
    repository.path(&["defaultBranchRef", "target", "history"])
}

/// A repository that has commits in the window.
struct Active {
    name: String,
    id: Option<String>,
    commits: u64,
}

/// The repositories of a page that have commits in the window. Most have none on most nights, and what a commit says costs twice what their number does.
fn with_commits(page: &Reply) -> Vec<Active> {
    let answer = Answer::graphql(&page.body);
    let repositories = answer.root().path(&["data", "organization", "repositories", "nodes"]).items().unwrap_or_default();
    let active = repositories.iter().filter_map(|node| {
        let commits = history(node).get("totalCount").int().ok().and_then(|count| u64::try_from(count).ok()).filter(|count| *count > 0)?;
        Some(Active { name: node.get("nameWithOwner").text().ok()?.to_owned(), id: node.get("id").text().ok().map(ToOwned::to_owned), commits })
    });
    active.collect()
}

/// Asks about short histories in batches; gives the repositories that must be asked about alone, because their history is long or was not told whole.
async fn ask_together(organization: &str, active: Vec<Active>, dates: &Value, api: &dyn Api) -> Result<BTreeSet<String>, ApiError> {
    let mut alone: BTreeSet<String> = active.iter().map(|repository| repository.name.clone()).collect();
    let short = active.into_iter().filter(|repository| repository.commits <= MOST_IN_A_BATCH);
    let sized = short.filter_map(|repository| Some((repository.commits, repository.id?))).collect();
    let note = |reply: &Reply| {
        let answer = Answer::graphql(&reply.body);
        for told in told::nodes(&answer).iter().filter(|node| is_whole(node)) {
            alone.remove(told.get("nameWithOwner").text().unwrap_or_default());
        }
    };
    BATCHES.ask_shares(organization, share::by_size(sized, NESTED, dates), api, note).await?;
    Ok(alone)
}

/// True where a history is told to its end.
fn is_whole(repository: &Field<'_>) -> bool {
    let history = history(repository);
    history.path(&["pageInfo", "hasNextPage"]).bool() == Ok(false) && history.get("nodes").items().is_ok()
}

async fn ask(repository: String, dates: &Value, api: &dyn Api) -> Result<(), ApiError> {
    let (owner, name) = repository.split_once('/').unwrap_or_default();
    let variables = joined(dates, &json!({"owner": owner, "name": name}));
    let page = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", SINGLE, repository.as_str(), KIND.name).post(page_body(SINGLE_QUERY, &variables, part));
    walk::all(SINGLE_QUERY, SINGLE_PAGING, api, &page).await
}

struct Reading<'a> {
    window: Period,
    evidence: &'a dyn Evidence,
    emit: &'a mut dyn FnMut(Resource),
    count: u64,
    /// What the histories count themselves, less what lies outside the window; none where one of them does not say.
    total: Option<u64>,
    repositories: BTreeSet<String>,
    /// Repositories that have commits in the window and whose commits were not read yet.
    waiting: BTreeSet<String>,
    commits: BTreeSet<String>,
    gaps: Vec<Gap>,
    cited: Vec<u32>,
}

impl<'a> Reading<'a> {
    fn new(window: Period, evidence: &'a dyn Evidence, emit: &'a mut dyn FnMut(Resource)) -> Self {
        let (repositories, waiting, commits) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { window, evidence, emit, count: 0, total: Some(0), repositories, waiting, commits, gaps: Vec::new(), cited: Vec::new() }
    }

    fn organization(&mut self, organization: &str) -> Result<(), Unreadable> {
        let mut total = None;
        for exchange in self.evidence.about(BULK, organization) {
            let Some(answer) = self.answer(exchange)? else { continue };
            let repositories = answer.root().path(&["data", "organization", "repositories"]).needing(SEES_CHANGES);
            total = total.or(repositories.get("totalCount").int().ok().and_then(|total| usize::try_from(total).ok()));
            match repositories.get("nodes").items() {
                Ok(nodes) => nodes.iter().for_each(|node| self.repository(node)),
                Err(gap) => self.gaps.push(gap),
            }
        }
        if self.gaps.is_empty() {
            self.gaps.extend(self.evidence.listing_gap(BULK, organization));
        }
        if let Some(total) = total.filter(|total| *total != self.repositories.len() && self.gaps.is_empty()) {
            let detail = format!("GraphQL counts {total} repositories of {organization}, {} told of their commits", self.repositories.len());
            self.gaps.push(Gap::new(GapCause::Incomplete, detail));
        }
        self.batches(organization)?;
        std::mem::take(&mut self.waiting).iter().try_for_each(|repository| self.commits_of(repository))
    }

    /// Reads the histories that batches told whole; a batch that was refused leaves its repositories waiting.
    fn batches(&mut self, organization: &str) -> Result<(), Unreadable> {
        let mut cited = BTreeSet::new();
        told::each(organization, BATCH, SEES_CHANGES, self.evidence, &mut |node, exchange| {
            let name = node.get("nameWithOwner").text().unwrap_or_default();
            if is_whole(node) && self.waiting.remove(name) {
                cited.insert(exchange);
                self.page(node, name, exchange).unwrap_or_else(|gap| self.lack(name, gap));
            }
        })?;
        self.cited.extend(cited);
        Ok(())
    }

    fn answer(&mut self, exchange: &Exchange) -> Result<Option<Answer>, Unreadable> {
        self.cited.push(exchange.n);
        if exchange.is_answer() {
            return Answer::stored_graphql(self.evidence, exchange).map(Some);
        }
        self.gaps.push(refused(self.evidence, exchange, SEES_CHANGES)?);
        self.total = None;
        Ok(None)
    }

    fn repository(&mut self, node: &Field<'_>) {
        let name = match node.get("nameWithOwner").text() {
            Ok(name) => name,
            Err(gap) => return self.lack("a repository", gap),
        };
        // A repository without commits has no default branch; whatever else hides the branch hides commits.
        let is_empty = node.get("defaultBranchRef").is_none() && node.get("isEmpty").bool() == Ok(true);
        if !self.repositories.insert(name.to_owned()) || is_empty {
            return;
        }
        match history(node).get("totalCount").int().map(u64::try_from) {
            Ok(Ok(0)) => {}
            Ok(count) => {
                self.total = self.total.zip(count.ok()).map(|(total, count)| total.saturating_add(count));
                self.waiting.insert(name.to_owned());
            }
            Err(gap) => self.lack(name, gap),
        }
    }

    fn commits_of(&mut self, repository: &str) -> Result<(), Unreadable> {
        let before = self.gaps.len();
        for exchange in self.evidence.about(SINGLE, repository) {
            let Some(answer) = self.answer(exchange)? else { continue };
            let node = answer.root().path(&["data", "repository"]).needing(SEES_CHANGES);
            if let Err(gap) = self.page(&node, repository, exchange.n) {
                self.lack(repository, gap);
            }
        }
        if self.gaps.len() == before {
            self.gaps.extend(self.evidence.listing_gap(SINGLE, repository));
        }
        Ok(())
    }

    fn lack(&mut self, of: &str, gap: Gap) {
        self.total = None;
        self.gaps.push(Gap { detail: format!("commits of {of}: {}", gap.detail), ..gap });
    }

    /// Reads one page of a history.
    fn page(&mut self, repository: &Field<'_>, name: &str, exchange: u32) -> Fact<()> {
        let branch = repository.path(&["defaultBranchRef", "name"]).text()?;
        for commit in history(repository).get("nodes").items()? {
            if let Err(gap) = self.commit(&commit, (name, branch), exchange) {
                self.lack(name, gap);
            }
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Field<'_>, (repository, branch): (&str, &str), exchange: u32) -> Fact<()> {
        let at = commit.get("committedDate").time()?;
        let oid = commit.get("oid").text()?;
        if !at.parse::<DateTime<Utc>>().is_ok_and(|at| self.window.contains(at)) {
            self.total = self.total.map(|total| total.saturating_sub(1));
        } else if self.commits.insert(format!("{repository}/{oid}")) {
            let resource = resource(commit, (repository, branch, oid), exchange)?;
            self.count += 1;
            (self.emit)(resource);
        }
        Ok(())
    }

    fn tally(&self, organization: &str) -> Tally {
        let second_source = match self.total {
            Some(_) => "GraphQL history.totalCount of every default branch".to_owned(),
            None => "none: GraphQL history.totalCount is not shown for every default branch".to_owned(),
        };
        Tally { tenant: format!("github.com/{organization}"), count: self.count, second_count: self.total, second_source }
    }
}

fn resource(commit: &Field<'_>, (repository, branch, oid): (&str, &str, &str), exchange: u32) -> Fact<Resource> {
    let id = format!("github.com/{repository}/commit/{oid}").parse::<ResourceId>();
    let id = id.map_err(|error| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, format!("{repository}@{}", oid.get(..8).unwrap_or(oid)), vec![exchange]);
    resource.know("repository", repository);
    resource.know("branch", branch);
    resource.know("oid", oid);
    set(&mut resource, "committed_at", commit.get("committedDate").time());
    for role in ["author", "committer"] {
        set(&mut resource, role, commit.get(role).or_none(|person| login(&person.get("user"))).map(Option::flatten));
    }
    let signature = commit.get("signature");
    set(&mut resource, "signature_valid", signature.or_none(|signature| signature.get("isValid").bool()).map(|valid| valid == Some(true)));
    set(&mut resource, "signed_by", signed_by(&signature));
    set(&mut resource, "is_first", commit.path(&["parents", "totalCount"]).int().map(|parents| parents == 0));
    let merged = merged(&commit.get("associatedPullRequests"), branch);
    set(&mut resource, "pull_request", merged.clone().map(|merged| merged.map(|(number, _)| number)));
    set(&mut resource, "pull_request_base", merged.map(|merged| merged.map(|(_, base)| base)));
    Ok(resource.completed(&KIND))
}

/// Null where an address belongs to no account, as those of Apps.
fn login(user: &Field<'_>) -> Fact<Option<String>> {
    user.or_none(|user| user.get("login").text().map(ToOwned::to_owned))
}

fn signed_by(signature: &Field<'_>) -> Fact<Option<String>> {
    if signature.is_none() || !signature.get("isValid").bool()? {
        return Ok(None);
    }
    login(&signature.get("signer"))
}

/// Number and base of the merged pull request that brought a commit. Where not all were shown, none that was found is not none.
fn merged(changes: &Field<'_>, branch: &str) -> Fact<Option<(i64, String)>> {
    let (seen, cut) = changes.nodes();
    let mut found = None;
    for change in seen {
        if !change.get("merged").bool()? {
            continue;
        }
        let (number, base) = (change.get("number").int()?, change.get("baseRefName").text()?);
        if base == branch || found.is_none() {
            found = Some((number, base.to_owned()));
        }
        if base == branch {
            break;
        }
    }
    match (found, cut) {
        (None, Some(gap)) => Err(gap),
        (found, _) => Ok(found),
    }
}
