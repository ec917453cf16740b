//! `search(type: ISSUE)`, and the count of `search(type: DISCUSSION)`: the qualifiers in use, and the limit that GitHub sets to it.
//! <https://docs.github.com/en/search-github/searching-on-github/searching-issues-and-pull-requests>

use std::rc::Rc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::Shown;
use crate::sandbox::graphql::views::issue::IssueView;
use crate::sandbox::graphql::views::pull_request::PullRequestView;
use crate::sandbox::world::World;
use crate::sandbox::world::changes::PullRequest;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::tasks::Issue;

/// However many match, no page reaches further.
const REACHABLE: usize = 1_000;

/// Something that was found.
#[derive(Clone, Copy)]
enum Found<'w> {
    Change(&'w Repository, &'w PullRequest),
    Issue(&'w Repository, &'w Issue),
}

/// `search`.
pub(crate) fn answer<'w>(world: &'w World, arguments: &Arguments) -> Shown<'w> {
    let query = arguments.text("query").unwrap_or_default();
    let qualifiers = match qualifiers(query) {
        Ok(qualifiers) => qualifiers,
        Err(unknown) => return Shown::Refused("INVALID_QUERY", format!("the sandbox's search does not know {unknown}")),
    };
    if arguments.text("type") == Some("DISCUSSION") {
        return discussions(world, &qualifiers);
    }
    let mut found: Vec<Found<'w>> = Vec::new();
    for repository in world.repositories.iter().filter(|repository| world.is_readable(repository)) {
        let changes = repository.pull_requests.iter().map(|change| Found::Change(repository, change));
        let issues = repository.issues.iter().map(|issue| Found::Issue(repository, issue));
        found.extend(changes.chain(issues).filter(|found| qualifiers.iter().all(|qualifier| qualifier.meets(world, *found))));
    }
    found.sort_by_key(Found::created);
    if !qualifiers.iter().any(|qualifier| qualifier.name == "sort" && qualifier.value.ends_with("-asc")) {
        found.reverse();
    }
    let connection = Connection::list("SearchResultItemConnection", found, move |found| match *found {
        Found::Change(repository, change) => Edge::to(PullRequestView { world, repository, change }),
        Found::Issue(repository, issue) => Edge::to(IssueView { world, repository, issue }),
    });
    Shown::Connection(Rc::new(connection.reaching(REACHABLE)))
}

/// How many discussions there are; by which words or labels is never asked.
fn discussions<'w>(world: &'w World, qualifiers: &[Qualifier]) -> Shown<'w> {
    let is_meant = |created: DateTime<Utc>| {
        qualifiers.iter().all(|qualifier| match qualifier.name.as_str() {
            "org" => qualifier.value.eq_ignore_ascii_case(&world.plan.organization),
            "created" => Range::parse(&qualifier.value).contains(created),
            _ => false,
        })
    };
    let readable = world.repositories.iter().filter(|repository| world.is_readable(repository));
    let count = readable.flat_map(|repository| world.discussions(repository)).filter(|discussion| is_meant(discussion.created)).count();
    Connection::counted("SearchResultItemConnection", count)
}

/// `name:value`.
#[derive(Debug)]
struct Qualifier {
    name: String,
    value: String,
    negated: bool,
}

const KNOWN: &[&str] = &["org", "repo", "is", "type", "state", "merged", "created", "closed", "updated", "label", "base", "author", "sort", "archived"];

fn qualifiers(query: &str) -> Result<Vec<Qualifier>, String> {
    let mut all = Vec::new();
    let mut rest = query.trim();
    while !rest.is_empty() {
        let quoted = rest.split_once(":\"").filter(|(name, _)| !name.contains(' ')).and_then(|(name, after)| Some((name, after.split_once('"')?)));
        let (name, value) = match quoted {
            // What follows a comma is another value: any of them will do.
            Some((name, (first, mut after))) => {
                let mut values = first.to_owned();
                while let Some((next, others)) = after.strip_prefix(",\"").and_then(|more| more.split_once('"')) {
                    values = values + "," + next;
                    after = others;
                }
                rest = after.trim_start();
                (name, values)
            }
            None => {
                let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
                rest = after.trim_start();
                let (name, value) = word.split_once(':').ok_or_else(|| format!("free text ({word})"))?;
                (name, value.to_owned())
            }
        };
        let negated = name.starts_with('-');
        let name = name.trim_start_matches('-');
        if !KNOWN.contains(&name) {
            return Err(format!("the qualifier {name}:"));
        }
        all.push(Qualifier { name: name.to_owned(), value, negated });
    }
    Ok(all)
}

impl Qualifier {
    fn meets(&self, world: &World, found: Found<'_>) -> bool {
        self.holds(world, found) != self.negated
    }

    fn holds(&self, world: &World, found: Found<'_>) -> bool {
        let value = self.value.as_str();
        let in_range = |at: Option<DateTime<Utc>>| at.is_some_and(|at| Range::parse(value).contains(at));
        match self.name.as_str() {
            "org" => value.eq_ignore_ascii_case(&world.plan.organization),
            "repo" => value.eq_ignore_ascii_case(&world.full_name(found.repository())),
            "is" | "type" | "state" => found.is(value),
            "archived" => (value == "true") == found.repository().archived,
            "created" => in_range(Some(found.created())),
            "merged" => in_range(found.merged()),
            "closed" => in_range(found.closed()),
            "updated" => in_range(Some(found.updated())),
            "label" => value.split(',').any(|value| found.labels().iter().any(|label| label.eq_ignore_ascii_case(value.trim_matches('"')))),
            "base" => matches!(found, Found::Change(_, change) if change.base == value),
            "author" => found.author_is(world, value),
            _ => true,
        }
    }
}

impl<'w> Found<'w> {
    fn repository(self) -> &'w Repository {
        match self {
            Self::Change(repository, _) | Self::Issue(repository, _) => repository,
        }
    }

    fn is(self, what: &str) -> bool {
        match (self, what) {
            (Self::Change(..), "pr") | (Self::Issue(..), "issue") => true,
            (Self::Change(_, change), "merged") => change.merged.is_some(),
            (Self::Change(_, change), "unmerged") => change.merged.is_none(),
            (Self::Change(_, change), "open") => change.closed.is_none(),
            (Self::Change(_, change), "closed") => change.closed.is_some(),
            (Self::Issue(_, issue), "open") => issue.closed.is_none(),
            (Self::Issue(_, issue), "closed") => issue.closed.is_some(),
            (found, "public" | "private" | "internal") => found.repository().visibility.lower() == what,
            _ => false,
        }
    }

    fn created(&self) -> DateTime<Utc> {
        match self {
            Self::Change(_, change) => change.created,
            Self::Issue(_, issue) => issue.created,
        }
    }

    fn updated(self) -> DateTime<Utc> {
        match self {
            Self::Change(_, change) => change.updated(),
            Self::Issue(_, issue) => issue.updated(),
        }
    }

    fn merged(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Change(_, change) => change.merged.as_ref().map(|merge| merge.at),
            Self::Issue(..) => None,
        }
    }

    fn closed(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Change(_, change) => change.closed,
            Self::Issue(_, issue) => issue.closed.as_ref().map(|closing| closing.at),
        }
    }

    fn labels(self) -> &'w [String] {
        match self {
            Self::Change(_, change) => &change.labels,
            Self::Issue(_, issue) => &issue.labels,
        }
    }

    fn author_is(self, world: &World, login: &str) -> bool {
        let author = match self {
            Self::Change(_, change) => &change.author,
            Self::Issue(_, issue) => &issue.author,
        };
        world.login(author) == Some(login)
    }
}

/// `>=A`, `<B`, `A..B`, `A`; instants or days. Both ends of `A..B` are included.
struct Range {
    from: Option<DateTime<Utc>>,
    /// Not included.
    until: Option<DateTime<Utc>>,
}

impl Range {
    fn parse(text: &str) -> Self {
        let starts = |text: &str| instants(text).map(|(start, _)| start);
        let ends = |text: &str| instants(text).map(|(_, end)| end);
        if let Some((from, to)) = text.split_once("..") {
            return Self { from: starts(from), until: ends(to) };
        }
        for (sign, build) in [
            (">=", Self { from: text.strip_prefix(">=").and_then(starts), until: None }),
            ("<=", Self { from: None, until: text.strip_prefix("<=").and_then(ends) }),
            (">", Self { from: text.strip_prefix('>').and_then(ends), until: None }),
            ("<", Self { from: None, until: text.strip_prefix('<').and_then(starts) }),
        ] {
            if text.starts_with(sign) {
                return build;
            }
        }
        Self { from: starts(text), until: ends(text) }
    }

    fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// The first moment that a date or instant names, and the first one after it.
fn instants(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        let start = instant.with_timezone(&Utc);
        return Some((start, start + TimeDelta::seconds(1)));
    }
    let start = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc();
    Some((start, start + TimeDelta::days(1)))
}
