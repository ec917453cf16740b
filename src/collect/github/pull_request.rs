//! `github.pull_request`: every change merged to a default branch in the window, with who looked at it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, set};
use crate::collect::github::batch::Batch;
use crate::collect::github::items::{Details, Found, Listed, Listing, Place};
use crate::collect::github::review::{Change, Review, claims_no_review, independent_approvers, test_plan_length};
use crate::collect::github::share;
use crate::collect::github::told::{self, Told};
use crate::collect::paging::Paging;
use crate::model::ids::InvalidId;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Period, Population, Resource, Scope, Tally, attribute};

/// The kind.
pub struct PullRequest;

const CURE: &str = "Pull requests: read, Contents: read and Checks: read on all repositories, Members: read on the organisation (token: repo, read:org)";

const LISTING: Listing = Listing {
    kind: KIND.name,
    field: "pullRequests",
    bulk: ("graphql/pull-requests", include_str!("queries/pull_requests.graphql")),
    single: (
        "graphql/repository-pull-requests",
        include_str!("queries/repository_pull_requests.graphql"),
        Paging::Cursor("/data/repository/pullRequests/pageInfo"),
    ),
    details: ("graphql/pull-request-details", include_str!("queries/pull_request_details.graphql")),
    batch: share::FULL,
    search: "graphql/search-merged",
    cure: CURE,
};

const TEAMS: &str = "graphql/review-teams";
/// Reviews in one question, each of which opens one connection.
const REVIEWS: usize = 100;
const TEAM_BATCHES: Batch = Batch { kind: KIND.name, operation: TEAMS, query: include_str!("queries/review_teams.graphql"), size: REVIEWS, abreast: 8 };

/// The teams that each review was given for.
type Teams = Told<Fact<Vec<String>>>;

const APPROVAL: &[AttributeDecl] = &[
    attribute("by", AttributeType::Text, "The account", "reviews.author.login"),
    attribute("by_type", AttributeType::Text, "User, Bot, …", "reviews.author.__typename"),
    attribute("at", AttributeType::Time, "When", "reviews.submittedAt"),
    attribute(
        "commit",
        AttributeType::Optional(&AttributeType::Text),
        "The commit that was looked at; null where GitHub no longer knows",
        "reviews.commit.oid",
    ),
];

const CHECK: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "The check's name", "CheckRun.name, StatusContext.context"),
    attribute("conclusion", AttributeType::Text, "SUCCESS, FAILURE, …; PENDING where it had not ended", "CheckRun.conclusion, StatusContext.state"),
    attribute("app", AttributeType::Optional(&AttributeType::Text), "The app that reported it; null for commit statuses", "CheckRun.checkSuite.app.slug"),
];

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.pull_request",
    meaning: "A pull request that was merged to its repository's default branch in the run's window",
    permission: CURE,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "repository.nameWithOwner"),
        attribute("number", AttributeType::Int, "Its number in the repository", "number"),
        attribute("url", AttributeType::Text, "Its page", "url"),
        attribute("title", AttributeType::Text, "Its title", "title"),
        attribute("author", AttributeType::Text, "Who opened it; ghost where the account is gone", "author.login"),
        attribute("author_type", AttributeType::Text, "User, Bot, …", "author.__typename"),
        attribute("merged_by", AttributeType::Optional(&AttributeType::Text), "Who merged it; null where the account is gone", "mergedBy.login"),
        attribute("merged_at", AttributeType::Time, "When it was merged", "mergedAt"),
        attribute("created_at", AttributeType::Time, "When it was opened", "createdAt"),
        attribute("base", AttributeType::Text, "The branch it was merged to", "baseRefName"),
        attribute("head_oid", AttributeType::Text, "The last commit of the change", "headRefOid"),
        attribute("merge_commit", AttributeType::Optional(&AttributeType::Text), "The commit it became", "mergeCommit.oid"),
        attribute("approvals", AttributeType::List(&AttributeType::Record(APPROVAL)), "Reviews in state APPROVED, oldest first", "reviews"),
        attribute(
            "independent_approvals",
            AttributeType::Int,
            "People, neither author nor pusher of a commit, whose last word before the merge approved the merged commit",
            "reviews, commits, timelineItems HEAD_REF_FORCE_PUSHED_EVENT",
        ),
        attribute(
            "independent_approvers",
            AttributeType::List(&AttributeType::Text),
            "Those people, sorted, and as team:slug the teams on whose behalf GitHub says they approved",
            "as independent_approvals, reviews.onBehalfOf.slug",
        ),
        attribute("files", AttributeType::List(&AttributeType::Text), "Paths of the files it changed; where one was moved, its new path", "files.path"),
        attribute("changes_requested", AttributeType::Int, "Reviews in state CHANGES_REQUESTED", "reviews"),
        attribute("checks", AttributeType::List(&AttributeType::Record(CHECK)), "Checks of the last commit", "commits(last: 1).statusCheckRollup.contexts"),
        attribute(
            "failed_checks",
            AttributeType::List(&AttributeType::Text),
            "Names of checks that neither succeeded nor were neutral or skipped",
            "as checks",
        ),
        attribute("labels", AttributeType::List(&AttributeType::Text), "Names of its labels", "labels"),
        attribute("linked_issues", AttributeType::List(&AttributeType::Text), "Pages of issues it closes", "closingIssuesReferences"),
        attribute("body", AttributeType::Text, "Its description", "body"),
        attribute("test_plan_length", AttributeType::Int, "Characters under a \"test plan\" heading or line; 0 where there is none", "body"),
        attribute("claims_no_review", AttributeType::Bool, "True where its text or a label says that no review is required", "body, labels"),
    ],
};

#[async_trait]
impl Collector for PullRequest {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let placing = placing(scope.window);
        for organization in &scope.github_organizations {
            let ids = LISTING.list(organization, &json!({}), &placing, api).await?;
            let reviews: Vec<String> = LISTING.read(organization, &ids, &approving_reviews, api).await?.into_iter().collect();
            TEAM_BATCHES.ask(organization, &reviews, api, |_reply| {}).await?;
            LISTING.fetch_count(organization, &search(organization, scope.window), api).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let window = scope.window;
        let mut population = Population::of(
            &KIND,
            format!(
                "pull requests merged to the default branch of a repository of {} from {} up to, not including, {}",
                scope.github_organizations.join(", "),
                instant(window.start()),
                instant(window.end())
            ),
        );
        for organization in &scope.github_organizations {
            read(organization, window, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Search's qualifier for the window. Its ends are whole seconds, both included.
/// <https://docs.github.com/en/search-github/searching-on-github/searching-issues-and-pull-requests>
fn search(organization: &str, window: Period) -> String {
    format!("org:{organization} is:pr is:merged merged:{}..{}", instant(window.start()), instant(window.end() - TimeDelta::seconds(1)))
}

/// Listings come by the last update, newest first; nothing was merged after it was last updated, so what was updated before the window ends the listing.
fn placing(window: Period) -> impl Fn(&Field<'_>, &Field<'_>) -> Place + Send + Sync {
    let time = |field: &Field<'_>| field.time().ok().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    move |node, repository| {
        if time(&node.get("updatedAt")).is_some_and(|updated| updated < window.start()) {
            return Place::PastTheEnd;
        }
        if !time(&node.get("mergedAt")).is_some_and(|merged| window.contains(merged)) {
            return Place::Outside;
        }
        let default = repository.path(&["defaultBranchRef", "name"]).text();
        if default.is_ok() && default == node.get("baseRefName").text() { Place::Member } else { Place::Elsewhere }
    }
}

fn read(organization: &str, window: Period, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let found = LISTING.found(organization, &placing(window), evidence)?;
    let teams = Told::read(organization, TEAMS, CURE, evidence, |node| names(&node.get("onBehalfOf"), "slug"))?;
    let mut count = 0;
    let mut broken = Vec::new();
    LISTING.each_detail(organization, &found, evidence, &mut |listed, details| match resource(listed, details, &teams) {
        Ok(resource) => {
            count += 1;
            emit(resource);
        }
        Err(error) => broken.push(Gap::new(GapCause::Malformed, error.to_string())),
    })?;
    population.tallies.push(tally(organization, count, &found, LISTING.second_count(organization, evidence)?));
    population.gaps.extend(found.gaps);
    population.gaps.extend(broken);
    population.evidence.extend(found.evidence);
    Ok(())
}

/// Search counts every base branch, so what was listed as merged to another branch is taken off.
fn tally(organization: &str, count: u64, found: &Found, searched: Option<u64>) -> Tally {
    let elsewhere = u64::try_from(found.elsewhere.len()).unwrap_or(u64::MAX);
    let second_source = match searched {
        Some(total) => format!("GraphQL search issueCount {total}, less {elsewhere} merged to other branches"),
        None => "none: search did not answer".to_owned(),
    };
    let second_count = searched.map(|total| total.saturating_sub(elsewhere));
    Tally { tenant: format!("github.com/{organization}"), count, second_count, second_source }
}

fn resource(listed: &Listed, details: Details<'_>, teams: &Teams) -> Result<Resource, InvalidId> {
    let name = format!("{}#{}", listed.repository, listed.number);
    listed.resource(&KIND, ("pull", name), details, |resource, node| describe(resource, node, teams))
}

fn describe(resource: &mut Resource, node: &Field<'_>, teams: &Teams) {
    let author = account(&node.get("author"));
    set(resource, "author", author.clone().map(|(login, _)| login));
    set(resource, "author_type", author.clone().map(|(_, kind)| kind));
    set(resource, "merged_by", node.get("mergedBy").or_none(|by| by.get("login").text().map(str::to_owned)));
    set(resource, "merged_at", node.get("mergedAt").time());
    set(resource, "created_at", node.get("createdAt").time());
    set(resource, "head_oid", node.get("headRefOid").text().map(str::to_owned));
    set(resource, "merge_commit", node.get("mergeCommit").or_none(|commit| commit.get("oid").text().map(str::to_owned)));
    let labels = names(&node.get("labels"), "name");
    set(resource, "files", names(&node.get("files"), "path"));
    set(resource, "linked_issues", names(&node.get("closingIssuesReferences"), "url"));
    describe_reviews(resource, node, author, teams);
    describe_checks(resource, node);
    let body = node.get("body").text();
    set(resource, "test_plan_length", body.clone().map(|body| i64::try_from(test_plan_length(body)).unwrap_or(i64::MAX)));
    set(resource, "claims_no_review", body.clone().and_then(|body| Ok(claims_no_review(body, labels.as_ref().map_err(Clone::clone)?))));
    set(resource, "body", body.map(str::to_owned));
    set(resource, "labels", labels);
}

/// Login and type; GitHub shows a deleted account as nobody, and its own pages as `ghost`.
fn account(field: &Field<'_>) -> Fact<(String, String)> {
    if field.is_none() {
        return Ok(("ghost".to_owned(), "User".to_owned()));
    }
    Ok((field.get("login").text()?.to_owned(), field.get("__typename").text()?.to_owned()))
}

fn names(connection: &Field<'_>, field: &str) -> Fact<Vec<String>> {
    connection.all_nodes()?.iter().map(|node| node.get(field).text().map(str::to_owned)).collect()
}

fn describe_reviews(resource: &mut Resource, node: &Field<'_>, author: Fact<(String, String)>, teams: &Teams) {
    let reviews = reviews(&node.get("reviews"));
    let of = |state: &str| reviews.clone().map(|all| all.into_iter().filter(|review| review.state == state).collect::<Vec<_>>());
    let approvals = of("APPROVED").map(|approvals| {
        let shown = |review: &Review| json!({"by": review.by, "by_type": review.by_type, "at": review.at, "commit": review.commit});
        approvals.iter().map(shown).collect::<Vec<Value>>()
    });
    set(resource, "approvals", approvals);
    set(resource, "changes_requested", of("CHANGES_REQUESTED").map(|asked| i64::try_from(asked.len()).unwrap_or(i64::MAX)));
    let approvers = independent(node, author, &reviews);
    set(resource, "independent_approvals", approvers.as_ref().map(|people| i64::try_from(people.len()).unwrap_or(i64::MAX)).map_err(Clone::clone));
    let approvers = approvers.and_then(|people| with_teams(people, &node.get("reviews"), teams, &mut resource.evidence));
    set(resource, "independent_approvers", approvers);
}

fn independent(node: &Field<'_>, author: Fact<(String, String)>, reviews: &Fact<Vec<Review>>) -> Fact<BTreeSet<String>> {
    let (pushers, merged_at) = (pushers(node)?, node.get("mergedAt").time()?);
    let (author, head) = (author?.0, node.get("headRefOid").text()?);
    let change = Change { author: &author, pushers: &pushers, head, merged_at: &merged_at };
    Ok(independent_approvers(&change, reviews.as_ref().map_err(Clone::clone)?).into_iter().map(str::to_owned).collect())
}

/// Approvers, and the teams that they approved for: those whose review was asked for, as `CODEOWNERS` does.
fn with_teams(people: BTreeSet<String>, reviews: &Field<'_>, teams: &Teams, evidence: &mut Vec<u32>) -> Fact<Vec<String>> {
    let mut represented = BTreeSet::new();
    for id in approving(&people, reviews)? {
        let (exchange, told) = teams.of(&id)?;
        evidence.push(exchange);
        represented.extend(told.clone()?.into_iter().map(|slug| format!("team:{slug}")));
    }
    Ok(people.into_iter().chain(represented).collect())
}

/// The node ids of the approvals by these people.
fn approving(people: &BTreeSet<String>, reviews: &Field<'_>) -> Fact<Vec<String>> {
    let mut ids = Vec::new();
    for node in reviews.all_nodes()? {
        let by = node.path(&["author", "login"]).text();
        if node.get("state").text()? == "APPROVED" && by.is_ok_and(|by| people.contains(by)) {
            ids.push(node.get("id").text()?.to_owned());
        }
    }
    Ok(ids)
}

/// The approvals of one answer that count: no other review can make a team an approver.
fn approving_reviews(page: &Reply) -> BTreeSet<String> {
    let answer = Answer::graphql(&page.body);
    let of = |node: &Field<'_>| {
        let connection = node.get("reviews");
        let people = independent(node, account(&node.get("author")), &reviews(&connection))?;
        approving(&people, &connection)
    };
    told::nodes(&answer).iter().filter_map(|node| of(node).ok()).flatten().collect()
}

fn reviews(connection: &Field<'_>) -> Fact<Vec<Review>> {
    let mut reviews = Vec::new();
    for node in connection.all_nodes()? {
        let state = node.get("state").text()?;
        // A review that was begun and never sent is its writer's own.
        if state == "PENDING" {
            continue;
        }
        let (by, by_type) = account(&node.get("author"))?;
        let commit = node.get("commit").or_none(|commit| commit.get("oid").text().map(str::to_owned))?;
        reviews.push(Review { by, by_type, at: node.get("submittedAt").time()?, state: state.to_owned(), commit });
    }
    reviews.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.by.cmp(&b.by)));
    Ok(reviews)
}

/// Accounts that wrote, committed or force-pushed. A commit by an address without an account has none.
fn pushers(node: &Field<'_>) -> Fact<BTreeSet<String>> {
    let mut pushers = BTreeSet::new();
    let login = |field: Field<'_>| field.or_none(|account| account.get("login").text().map(str::to_owned));
    for commit in node.get("commits").all_nodes()? {
        for role in ["author", "committer"] {
            pushers.extend(commit.path(&["commit", role]).or_none(|person| login(person.get("user")))?.flatten());
        }
    }
    for event in node.get("forcePushes").all_nodes()? {
        pushers.extend(login(event.get("actor"))?);
    }
    Ok(pushers)
}

fn describe_checks(resource: &mut Resource, node: &Field<'_>) {
    let checks = checks(node);
    let failed = checks.as_ref().map_err(Clone::clone).map(|checks| {
        let harmless = |check: &&Value| !matches!(check.get("conclusion").and_then(Value::as_str), Some("SUCCESS" | "NEUTRAL" | "SKIPPED"));
        checks.iter().filter(harmless).filter_map(|check| check.get("name").cloned()).collect::<Vec<Value>>()
    });
    set(resource, "failed_checks", failed);
    set(resource, "checks", checks);
}

fn checks(node: &Field<'_>) -> Fact<Vec<Value>> {
    let heads = node.path(&["headCommit", "nodes"]).items()?;
    let Some(head) = heads.first() else { return Ok(Vec::new()) };
    let rollup = head.path(&["commit", "statusCheckRollup"]);
    // Null: nothing ever reported on this commit.
    if rollup.is_none() {
        return Ok(Vec::new());
    }
    rollup.get("contexts").all_nodes()?.iter().map(check).collect()
}

fn check(node: &Field<'_>) -> Fact<Value> {
    if node.get("__typename").text()? == "StatusContext" {
        return Ok(json!({"name": node.get("context").text()?, "conclusion": node.get("state").text()?, "app": null}));
    }
    let conclusion = node.get("conclusion").or_none(Field::text)?.unwrap_or("PENDING");
    let app = node.path(&["checkSuite", "app"]).or_none(|app| app.get("slug").text())?;
    Ok(json!({"name": node.get("name").text()?, "conclusion": conclusion, "app": app}))
}
