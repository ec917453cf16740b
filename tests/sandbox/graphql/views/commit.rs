//! `Commit`, its checks, and the history of a default branch: what was merged and what was pushed past review.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::people;
use crate::sandbox::graphql::views::pull_request::PullRequestView;
use crate::sandbox::world::World;
use crate::sandbox::world::changes::{Check, PullRequest};
use crate::sandbox::world::commits::Commit;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;

/// `Commit`.
pub(crate) struct CommitView<'w> {
    pub(crate) world: &'w World,
    pub(crate) oid: &'w str,
    /// The pull request that brought it.
    pub(crate) change: Option<&'w PullRequest>,
    /// Who pushed it.
    pub(crate) author: Option<&'w Person>,
    /// The checks on it.
    pub(crate) checks: &'w [Check],
}

impl<'w> CommitView<'w> {
    /// A commit of which only the id is known.
    pub(crate) fn bare(world: &'w World, oid: &'w str) -> Self {
        Self { world, oid, change: None, author: None, checks: &[] }
    }
}

/// The commit that a default branch leads to, with what led there.
pub(crate) struct HeadView<'w> {
    pub(crate) world: &'w World,
    pub(crate) repository: &'w Repository,
}

impl<'w> Object<'w> for HeadView<'w> {
    fn typename(&self) -> &'static str {
        "Commit"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        match name {
            "history" => Some(history(self.world, self.repository, arguments)),
            other => CommitView::bare(self.world, &self.repository.head).field(other, arguments),
        }
    }
}

/// Newest first; both ends of what is asked for are included.
fn history<'w>(world: &'w World, repository: &'w Repository, arguments: &Arguments) -> Shown<'w> {
    let limit = |name: &str| arguments.text(name).and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let (since, until) = (limit("since"), limit("until"));
    let wanted = |commit: &Commit<'_>| since.is_none_or(|since| commit.at >= since) && until.is_none_or(|until| commit.at <= until);
    let all = repository.commits(world).into_iter().filter(wanted).collect();
    Connection::over("CommitHistoryConnection", all, move |commit| Edge::to(commit_record(world, repository, commit)))
}

fn commit_record<'w>(world: &'w World, repository: &'w Repository, commit: &Commit<'w>) -> Record<'w> {
    let signed = commit.change.is_some();
    let signer = commit.author.as_ref().filter(|_| signed).map_or(Shown::NULL, |author| people::user_of(world, author));
    let signature = Record::new("GpgSignature", [("isValid", leaf(true)), ("state", leaf("VALID")), ("signer", signer)]);
    let changes =
        Connection::over("PullRequestConnection", commit.change.into_iter().collect(), move |change| Edge::to(PullRequestView { world, repository, change }));
    let fields = [
        ("oid", leaf(commit.oid.as_str())),
        ("committedDate", at(Some(commit.at))),
        ("author", git_actor(world, commit.author.as_ref())),
        ("committer", git_actor(world, commit.author.as_ref())),
        ("parents", Connection::counted("CommitConnection", 1)),
        ("signature", Shown::maybe(signed.then_some(signature))),
        ("associatedPullRequests", changes),
    ];
    Record::new("Commit", fields)
}

impl<'w> Object<'w> for CommitView<'w> {
    fn typename(&self) -> &'static str {
        "Commit"
    }

    fn field(&self, name: &str, _arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, author) = (self.world, self.author);
        let date = || at(self.change.map_or(Some(world.plan.instant(-40)), |change| Some(change.created)));
        Some(match name {
            "oid" => leaf(self.oid),
            "abbreviatedOid" => leaf(self.oid.get(..7).unwrap_or_default()),
            "id" => leaf(format!("C_{}", self.oid)),
            "url" | "commitUrl" => leaf(format!("https://github.com/{}/commit/{}", world.plan.organization, self.oid)),
            "committedDate" | "authoredDate" | "pushedDate" => date(),
            "messageHeadline" | "message" => leaf(self.change.map_or("Start", |change| change.title.as_str())),
            "author" | "committer" => git_actor(world, author),
            "authors" => Connection::over("GitActorConnection", author.into_iter().collect(), move |person| Edge::of(git_actor(world, Some(*person)))),
            "parents" => Connection::counted("CommitConnection", 1),
            "signature" => Shown::one(Record::new("GpgSignature", [("isValid", leaf(true)), ("state", leaf("VALID")), ("wasSignedByGitHub", leaf(true))])),
            "statusCheckRollup" if self.checks.is_empty() => Shown::NULL,
            "statusCheckRollup" => rollup(self.checks),
            _ => return None,
        })
    }
}

fn git_actor<'w>(world: &'w World, person: Option<&Person>) -> Shown<'w> {
    let Some(person) = person else { return Shown::NULL };
    let login = world.login(person).unwrap_or("ghost");
    let fields = [("name", leaf(login)), ("email", leaf(format!("{login}@users.noreply.example"))), ("user", people::user_of(world, person))];
    Shown::one(Record::new("GitActor", fields))
}

fn rollup<'w>(checks: &'w [Check]) -> Shown<'w> {
    let failed = checks.iter().any(|check| check.conclusion != "SUCCESS");
    let contexts = Connection::over("StatusCheckRollupContextConnection", checks.iter().collect(), |check| Edge::of(context(check)));
    Shown::one(Record::new("StatusCheckRollup", [("state", leaf(if failed { "FAILURE" } else { "SUCCESS" })), ("contexts", contexts)]))
}

/// `CheckRun` for what an app reported, `StatusContext` for a commit status of old.
fn context<'w>(check: &Check) -> Shown<'w> {
    let Some(app) = check.app else {
        let fields = [("context", leaf(check.name)), ("state", leaf(check.conclusion)), ("creator", Shown::NULL), ("isRequired", leaf(false))];
        return Shown::one(Record::new("StatusContext", fields));
    };
    let suite = Shown::one(Record::new("CheckSuite", [("app", people::app(app))]));
    let fields = [
        ("name", leaf(check.name)),
        ("conclusion", leaf(check.conclusion)),
        ("status", leaf("COMPLETED")),
        ("completedAt", leaf(Value::Null)),
        ("checkSuite", suite),
        ("isRequired", leaf(false)),
    ];
    Shown::one(Record::new("CheckRun", fields))
}
