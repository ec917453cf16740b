//! `Repository` and its default branch's `Ref`.

use serde_json::Value;

use crate::sandbox::graphql::arguments::{Arguments, texts};
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::commit::HeadView;
use crate::sandbox::graphql::views::discussion;
use crate::sandbox::graphql::views::issue::IssueView;
use crate::sandbox::graphql::views::milestone;
use crate::sandbox::graphql::views::organization::OrganizationView;
use crate::sandbox::graphql::views::people::{self, TeamView};
use crate::sandbox::graphql::views::protection::{ClassicView, rule_type, rules, ruleset};
use crate::sandbox::graphql::views::pull_request::{self, PullRequestView};
use crate::sandbox::rest::listings::{counted, environments};
use crate::sandbox::world::World;
use crate::sandbox::world::changes::PullRequest;
use crate::sandbox::world::deployments::Deployment;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::protection::Rule;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::tasks::Issue;

/// `Repository`.
pub(crate) struct RepositoryView<'w> {
    pub(crate) world: &'w World,
    pub(crate) repository: &'w Repository,
}

impl<'w> Object<'w> for RepositoryView<'w> {
    fn typename(&self) -> &'static str {
        "Repository"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        self.identity(name).or_else(|| self.setting(name)).or_else(|| self.content(name, arguments))
    }
}

/// `Repository.deployments`: GitHub shows the oldest first unless it is asked otherwise.
fn deployments<'w>(world: &'w World, repository: &'w Repository, arguments: &Arguments) -> Shown<'w> {
    let mut all = repository.deployments();
    if arguments.inner("orderBy", "direction").and_then(Value::as_str) != Some("DESC") {
        all.reverse();
    }
    Connection::over("DeploymentConnection", all, move |deployment| Edge::to(deployment_record(world, repository, deployment)))
}

/// `Deployment` by its place in the repository's numbers.
pub(crate) fn deployment<'w>(world: &'w World, repository: &'w Repository, place: u32) -> Option<Shown<'w>> {
    let found = repository.deployments().into_iter().find(|deployment| deployment.id == repository.id * 10_000 + u64::from(place));
    found.map(|deployment| Shown::one(deployment_record(world, repository, &deployment)))
}

fn deployment_record<'w>(world: &'w World, repository: &'w Repository, deployment: &Deployment<'w>) -> Record<'w> {
    let state = if deployment.succeeded.is_some() { "SUCCESS" } else { "FAILURE" };
    let ended = deployment.succeeded.unwrap_or(deployment.at + chrono::TimeDelta::minutes(5));
    let statuses = Connection::over("DeploymentStatusConnection", vec![("IN_PROGRESS", deployment.at), (state, ended)], |(state, when)| {
        Edge::to(Record::new("DeploymentStatus", [("state", leaf(*state)), ("createdAt", at(Some(*when)))]))
    });
    let changes = Connection::over("PullRequestConnection", vec![deployment.change], move |change| Edge::to(PullRequestView { world, repository, change }));
    let commit = [("oid", leaf(deployment.commit)), ("associatedPullRequests", changes), ("checkSuites", suites(world, deployment))];
    let fields = [
        ("id", leaf(format!("DE_{}_{}", repository.id, deployment.id % 10_000))),
        ("databaseId", leaf(deployment.id)),
        ("createdAt", at(Some(deployment.at))),
        ("environment", leaf(deployment.environment)),
        ("commitOid", leaf(deployment.commit)),
        ("creator", people::actor(world, &deployment.creator)),
        ("statuses", statuses),
        ("commit", Shown::one(Record::new("Commit", commit))),
    ];
    Record::new("Deployment", fields)
}

/// `WorkflowRun` by its place in the repository's numbers.
pub(crate) fn run<'w>(world: &'w World, repository: &'w Repository, place: u32) -> Option<Shown<'w>> {
    let found = repository.deployments().into_iter().find(|deployment| deployment.id / 2 == repository.id * 5_000 + u64::from(place));
    found.map(|deployment| Shown::one(run_record(world, &deployment)))
}

fn run_record<'w>(world: &'w World, deployment: &Deployment<'w>) -> Record<'w> {
    let reviews: Vec<Person> = deployment.approver(world.members.len()).into_iter().collect();
    let reviews = Connection::over("DeploymentReviewConnection", reviews, move |by| {
        let environments = Connection::over("EnvironmentConnection", vec!["production"], |name| Edge::to(Record::new("Environment", [("name", leaf(*name))])));
        let fields = [("state", leaf("APPROVED")), ("user", people::user_of(world, by)), ("environments", environments)];
        Edge::to(Record::new("DeploymentReview", fields))
    });
    let number = deployment.id / 2;
    let id = leaf(format!("WFR_{}_{}", number / 5_000, number % 5_000));
    Record::new("WorkflowRun", [("id", id), ("databaseId", leaf(number)), ("deploymentReviews", reviews)])
}

/// `WorkflowRun` of the release workflow, by its number.
pub(crate) fn release<'w>(world: &'w World, repository: &'w Repository, number: u32) -> Option<Shown<'w>> {
    let found = repository.releases(world).into_iter().find(|release| release.number == u64::from(number))?;
    let changes: Vec<&PullRequest> = found.change.into_iter().collect();
    let changes = Connection::over("PullRequestConnection", changes, move |change| Edge::to(PullRequestView { world, repository, change }));
    let commit = Shown::one(Record::new("Commit", [("oid", leaf(found.commit)), ("associatedPullRequests", changes)]));
    let suite = Shown::one(Record::new("CheckSuite", [("commit", commit)]));
    Some(Shown::one(Record::new("WorkflowRun", [("id", leaf(format!("REL_{}_{number}", repository.id))), ("checkSuite", suite)])))
}

/// The suites on a deployed commit: another App's, and the run that deploys.
fn suites<'w>(world: &'w World, deployment: &Deployment<'w>) -> Shown<'w> {
    let jobs = Connection::over("CheckRunConnection", deployment.jobs(), |job| {
        let made = Shown::maybe(job.deployment.map(|number| Record::new("Deployment", [("databaseId", leaf(number))])));
        let fields = [("name", leaf(job.name)), ("conclusion", leaf(job.conclusion)), ("startedAt", at(Some(job.started))), ("deployment", made)];
        Edge::to(Record::new("CheckRun", fields))
    });
    let run = Shown::one(run_record(world, deployment));
    let starter = deployment.starter().map_or(Shown::NULL, |starter| people::user_of(world, starter));
    let suites = vec![(Shown::NULL, Shown::NULL, Connection::counted("CheckRunConnection", 0)), (starter, run, jobs)];
    Connection::over("CheckSuiteConnection", suites, |(creator, run, jobs)| {
        Edge::to(Record::new("CheckSuite", [("creator", creator.clone()), ("workflowRun", run.clone()), ("checkRuns", jobs.clone())]))
    })
}

impl<'w> RepositoryView<'w> {
    fn identity(&self, name: &str) -> Option<Shown<'w>> {
        let (world, repository) = (self.world, self.repository);
        Some(match name {
            "id" => leaf(format!("R_{}", repository.id)),
            "databaseId" => leaf(repository.id),
            "name" => leaf(repository.name.as_str()),
            "nameWithOwner" => leaf(world.full_name(repository)),
            "url" => leaf(format!("https://github.com/{}", world.full_name(repository))),
            "resourcePath" => leaf(format!("/{}", world.full_name(repository))),
            "owner" => Shown::one(OrganizationView { world }),
            "createdAt" => at(Some(repository.created)),
            "updatedAt" => at(repository.pushed.or(Some(repository.created))),
            "pushedAt" => at(repository.pushed),
            "archivedAt" => at(repository.archived.then(|| world.plan.instant(-100))),
            "visibility" => leaf(repository.visibility.upper()),
            "isPrivate" => leaf(repository.visibility.upper() != "PUBLIC"),
            "isArchived" => leaf(repository.archived),
            "isDisabled" => leaf(repository.disabled),
            "isEmpty" => leaf(repository.empty),
            "isFork" => leaf(repository.fork),
            "isTemplate" => leaf(repository.template),
            "isMirror" | "isLocked" => leaf(false),
            _ => return None,
        })
    }

    fn setting(&self, name: &str) -> Option<Shown<'w>> {
        let repository = self.repository;
        let admin = repository.viewer_is_admin;
        Some(match name {
            "viewerCanAdminister" => leaf(admin),
            "viewerPermission" => leaf(if admin { "ADMIN" } else { "READ" }),
            "forkingAllowed" | "autoMergeAllowed" => leaf(false),
            "mergeCommitAllowed" | "squashMergeAllowed" | "rebaseMergeAllowed" | "hasIssuesEnabled" => leaf(true),
            "deleteBranchOnMerge" => leaf(repository.delete_branch_on_merge),
            "hasVulnerabilityAlertsEnabled" => leaf(repository.vulnerability_alerts),
            "isSecurityPolicyEnabled" => leaf(repository.security_policy),
            "webCommitSignoffRequired" => leaf(repository.signoff_required),
            "codeowners" => match repository.codeowners_errors {
                None => Shown::NULL,
                Some(count) => Shown::one(Record::new("RepositoryCodeowners", [("errors", Shown::many((1..=count).map(codeowners_error)))])),
            },
            "deployKeys" => Connection::over("DeployKeyConnection", (0..repository.deploy_keys).collect(), |index| {
                let fields = [("id", leaf(format!("DK_{index}"))), ("title", leaf(format!("key {index}"))), ("readOnly", leaf(true)), ("verified", leaf(true))];
                Edge::to(Record::new("DeployKey", fields))
            }),
            "environments" => Connection::over("EnvironmentConnection", environments(repository), |name| {
                Edge::to(Record::new("Environment", [("name", leaf(name.as_str()))]))
            }),
            "latestRelease" => Shown::maybe(repository.latest_tag().map(|tag| {
                let rules = Connection::over("RepositoryRuleConnection", repository.tag_rules().iter().collect(), |rule| {
                    let ruleset = Shown::one(Record::new("RepositoryRuleset", [("enforcement", leaf("ACTIVE"))]));
                    Edge::to(Record::new("RepositoryRule", [("type", leaf(rule_type(rule))), ("repositoryRuleset", ruleset)]))
                });
                let reference = Shown::one(Record::new("Ref", [("name", leaf(tag)), ("prefix", leaf("refs/tags/")), ("rules", rules)]));
                Record::new("Release", [("tagName", leaf(tag)), ("tag", reference)])
            })),
            "releases" => Connection::counted("ReleaseConnection", counted(repository, "releases")),
            "vulnerabilityAlerts" => Connection::counted("RepositoryVulnerabilityAlertConnection", repository.open_alerts),
            "mergeQueue" => self.merge_queue(),
            _ => return None,
        })
    }

    fn content(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, repository) = (self.world, self.repository);
        Some(match name {
            "collaborators" => self.collaborators(arguments),
            "defaultBranchRef" => Shown::maybe(repository.branch().map(|_| RefView { world, repository })),
            "ref" => {
                let wanted = arguments.text("qualifiedName").unwrap_or_default();
                let branch = repository.branch().filter(|branch| wanted.strip_prefix("refs/heads/").unwrap_or(wanted) == *branch);
                Shown::maybe(branch.map(|_| RefView { world, repository }))
            }
            "rulesets" => {
                let parents = arguments.get("includeParents").and_then(Value::as_bool).unwrap_or(true);
                let all = world.rulesets_of(repository).filter(|rules| parents || repository.rulesets.iter().any(|own| own.id == rules.id)).collect();
                Connection::over("RepositoryRulesetConnection", all, move |rules| Edge::of(ruleset(world, Some(repository), rules)))
            }
            "deployments" => deployments(world, repository, arguments),
            "pullRequests" => pull_request::of_repository(world, repository, arguments),
            "pullRequest" => {
                let number = arguments.int("number");
                let change = repository.pull_requests.iter().find(|change| Some(i64::from(change.number)) == number);
                Shown::maybe(change.map(|change| PullRequestView { world, repository, change }))
            }
            "object" => match arguments.text("expression") {
                Some("HEAD:.github/workflows") if !repository.workflows().is_empty() => folder(repository),
                Some("HEAD:.github/dependabot.yml") if repository.security_updates && repository.branch().is_some() => {
                    Shown::one(Record::new("Blob", [("byteSize", leaf(60))]))
                }
                _ => Shown::NULL,
            },
            "issues" => self.issues(arguments),
            "discussions" => discussion::of_repository(world, repository, arguments),
            "milestones" => milestone::of_repository(world, repository),
            "languages" => {
                Connection::over("LanguageConnection", repository.languages().to_vec(), |name| Edge::to(Record::new("Language", [("name", leaf(*name))])))
            }
            "issue" => {
                let number = arguments.int("number");
                let issue = repository.issues.iter().find(|issue| Some(i64::from(issue.number)) == number);
                Shown::maybe(issue.map(|issue| IssueView { world, repository, issue }))
            }
            _ => return None,
        })
    }

    fn merge_queue(&self) -> Shown<'w> {
        let queued = self.world.in_force(self.repository).any(|ruleset| ruleset.rules.contains(&Rule::MergeQueue));
        Shown::maybe(queued.then(|| Record::new("MergeQueue", [("id", leaf(format!("MQ_{}", self.repository.id)))])))
    }

    /// Null without push access, as GitHub has it.
    fn collaborators(&self, arguments: &Arguments) -> Shown<'w> {
        let (world, repository) = (self.world, self.repository);
        if !repository.viewer_is_admin {
            return Shown::NULL;
        }
        let outside = repository.outsiders.iter().map(|index| (Person::Outsider(*index), "READ", false));
        let direct = repository.assigned(world).into_iter();
        let all: Vec<_> = match arguments.text("affiliation") {
            Some("OUTSIDE") => outside.collect(),
            Some(_) | None => direct.chain(outside).collect(),
        };
        Connection::over("RepositoryCollaboratorConnection", all, move |(person, permission, through_team)| {
            let team = world.teams.first().filter(|_| *through_team).map(|team| Shown::one(TeamView { world, team }));
            let source = team.unwrap_or_else(|| Shown::one(RepositoryView { world, repository }));
            let source = Record::new("PermissionSource", [("permission", leaf(*permission)), ("source", source)]);
            Edge { node: people::actor(world, person), fields: vec![("permission", leaf(*permission)), ("permissionSources", Shown::many([source]))] }
        })
    }

    fn issues(&self, arguments: &Arguments) -> Shown<'w> {
        let (world, repository) = (self.world, self.repository);
        let filter = |name: &str| arguments.inner("filterBy", name).or_else(|| arguments.get(name));
        let labels = filter("labels").map(texts);
        let states = filter("states").map(texts);
        let since = filter("since").and_then(Value::as_str).and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        let wanted = |issue: &&Issue| {
            labels.as_ref().is_none_or(|wanted| issue.labels.iter().any(|label| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(label))))
                && states.as_ref().is_none_or(|states| states.iter().any(|state| state == issue.state()))
                && since.is_none_or(|since| issue.updated() >= since)
        };
        let mut all: Vec<&Issue> = repository.issues.iter().filter(wanted).collect();
        if arguments.inner("orderBy", "field").and_then(Value::as_str) == Some("UPDATED_AT") {
            all.sort_by_key(|issue| issue.updated());
        }
        if arguments.inner("orderBy", "direction").and_then(Value::as_str) == Some("DESC") {
            all.reverse();
        }
        Connection::over("IssueConnection", all, move |issue| Edge::to(IssueView { world, repository, issue }))
    }
}

/// The folder of the workflows, as a `Tree`.
fn folder<'w>(repository: &Repository) -> Shown<'w> {
    let entries = repository.workflows().into_iter().map(|(name, text)| {
        let blob = [("byteSize", leaf(text.len())), ("isTruncated", leaf(false)), ("isBinary", leaf(false)), ("text", leaf(text))];
        let fields = [("name", leaf(name)), ("type", leaf("blob")), ("oid", leaf("c".repeat(40))), ("object", Shown::one(Record::new("Blob", blob)))];
        Record::new("TreeEntry", fields)
    });
    Shown::one(Record::new("Tree", [("entries", Shown::many(entries))]))
}

fn codeowners_error<'w>(line: usize) -> Record<'w> {
    let fields = [
        ("kind", leaf("Unknown owner")),
        ("path", leaf(".github/CODEOWNERS")),
        ("line", leaf(line)),
        ("column", leaf(3)),
        ("source", leaf("* @nobody")),
        ("suggestion", Shown::NULL),
        ("message", leaf(format!("Unknown owner on line {line}: make sure @nobody exists and has write access to the repository"))),
    ];
    Record::new("RepositoryCodeownersError", fields)
}

/// `Ref` of the default branch.
struct RefView<'w> {
    world: &'w World,
    repository: &'w Repository,
}

impl<'w> Object<'w> for RefView<'w> {
    fn typename(&self) -> &'static str {
        "Ref"
    }

    fn field(&self, name: &str, _arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, repository) = (self.world, self.repository);
        Some(match name {
            "id" => leaf(format!("REF_{}", repository.id)),
            "name" => leaf(repository.default_branch.as_str()),
            "prefix" => leaf("refs/heads/"),
            "repository" => Shown::one(RepositoryView { world, repository }),
            "target" => Shown::one(HeadView { world, repository }),
            "branchProtectionRule" => {
                Shown::maybe(repository.classic.as_ref().filter(|_| repository.viewer_is_admin).map(|rule| ClassicView { world, repository, rule }))
            }
            "rules" => rules(world, repository),
            _ => return None,
        })
    }
}
