//! `BranchProtectionRule`, `RepositoryRuleset` and `RepositoryRule`.

use serde_json::{Value, json};

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::organization::OrganizationView;
use crate::sandbox::graphql::views::people;
use crate::sandbox::graphql::views::repository::RepositoryView;
use crate::sandbox::world::World;
use crate::sandbox::world::protection::{Actor, Bypass, BypassMode, Classic, Enforcement, Exempt, Level, Rule, Ruleset};
use crate::sandbox::world::repositories::Repository;

/// `BranchProtectionRule`.
pub(crate) struct ClassicView<'w> {
    pub(crate) world: &'w World,
    pub(crate) repository: &'w Repository,
    pub(crate) rule: &'w Classic,
}

impl<'w> Object<'w> for ClassicView<'w> {
    fn typename(&self) -> &'static str {
        "BranchProtectionRule"
    }

    fn field(&self, name: &str, _arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, rule) = (self.world, self.rule);
        Some(match name {
            "pattern" => leaf(self.repository.default_branch.as_str()),
            "id" => leaf(format!("BPR_{}", self.repository.id)),
            "databaseId" => leaf(self.repository.id),
            "isAdminEnforced" => leaf(rule.admins_too),
            "requiresApprovingReviews" => leaf(rule.approvals.is_some()),
            "requiredApprovingReviewCount" => leaf(rule.approvals),
            "dismissesStaleReviews" => leaf(rule.dismisses_stale),
            "requireLastPushApproval" => leaf(rule.last_push_approval),
            "requiresCodeOwnerReviews" => leaf(rule.code_owner_review),
            "requiresConversationResolution" => leaf(rule.conversation_resolution),
            "restrictsReviewDismissals" => leaf(rule.restricts_dismissals),
            "requiresStatusChecks" => leaf(rule.checks.is_some()),
            "requiresStrictStatusChecks" => leaf(rule.checks.as_ref().is_some_and(|checks| checks.strict)),
            "requiredStatusChecks" => checks(rule),
            "requiredStatusCheckContexts" => leaf(rule.checks.iter().flat_map(|checks| &checks.contexts).map(|(context, _)| *context).collect::<Value>()),
            "requiresCommitSignatures" => leaf(rule.signatures),
            "requiresLinearHistory" => leaf(rule.linear_history),
            "allowsForcePushes" => leaf(rule.allows_force_pushes),
            "allowsDeletions" => leaf(rule.allows_deletions),
            "restrictsPushes" => leaf(rule.restricts_pushes),
            "blocksCreations" | "lockBranch" | "lockAllowsFetchAndMerge" | "requiresDeployments" => leaf(false),
            "requiredDeploymentEnvironments" => leaf(json!([])),
            "bypassPullRequestAllowances" => allowances(world, "BypassPullRequestAllowanceConnection", rule.bypass.clone()),
            "bypassForcePushAllowances" => allowances(world, "BypassForcePushAllowanceConnection", Vec::new()),
            "pushAllowances" => {
                let release = rule.restricts_pushes.then_some(Actor::Team("release"));
                allowances(world, "PushAllowanceConnection", release.into_iter().collect())
            }
            "reviewDismissalAllowances" => allowances(world, "ReviewDismissalAllowanceConnection", Vec::new()),
            _ => return None,
        })
    }
}

fn checks<'w>(rule: &Classic) -> Shown<'w> {
    let contexts = rule.checks.iter().flat_map(|checks| &checks.contexts);
    let records = contexts
        .map(|(context, app)| Record::new("RequiredStatusCheckDescription", [("context", leaf(*context)), ("app", app.map_or(Shown::NULL, people::app))]));
    Shown::many(records)
}

fn allowances<'w>(world: &'w World, typename: &'static str, actors: Vec<Actor>) -> Shown<'w> {
    Connection::over(typename, actors, move |actor| Edge::to(Record::new("Allowance", [("actor", people::named(world, *actor))])))
}

/// `RepositoryRuleset`. `repository` is the one it is seen from; who does not administer it does not see the bypass actors.
pub(crate) fn ruleset<'w>(world: &'w World, repository: Option<&'w Repository>, ruleset: &'w Ruleset) -> Shown<'w> {
    Shown::one(RulesetView { world, repository, ruleset })
}

struct RulesetView<'w> {
    world: &'w World,
    repository: Option<&'w Repository>,
    ruleset: &'w Ruleset,
}

impl<'w> Object<'w> for RulesetView<'w> {
    fn typename(&self) -> &'static str {
        "RepositoryRuleset"
    }

    fn field(&self, name: &str, _arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, ruleset) = (self.world, self.ruleset);
        Some(match name {
            "id" => leaf(format!("RRS_{}", ruleset.id)),
            "databaseId" => leaf(ruleset.id),
            "name" => leaf(ruleset.name.as_str()),
            "target" => leaf("BRANCH"),
            "enforcement" => leaf(match ruleset.enforcement {
                Enforcement::Active => "ACTIVE",
                Enforcement::Evaluate => "EVALUATE",
                Enforcement::Disabled => "DISABLED",
            }),
            "createdAt" | "updatedAt" => at(Some(ruleset.updated)),
            "source" => match (&ruleset.level, self.repository) {
                (Level::Repository, Some(repository)) => Shown::one(RepositoryView { world, repository }),
                (Level::Organization(_) | Level::Repository, _) => Shown::one(OrganizationView { world }),
            },
            "conditions" => conditions(ruleset),
            "rules" => Connection::over("RepositoryRuleConnection", ruleset.rules.iter().collect(), move |rule| {
                Edge::of(rule_view(world, self_of(world, ruleset), ruleset, rule))
            }),
            "bypassActors" if self.repository.is_some_and(|repository| !repository.viewer_is_admin) => Shown::NULL,
            "bypassActors" => {
                Connection::over("RepositoryRulesetBypassActorConnection", ruleset.bypass.clone(), move |bypass| Edge::to(bypass_actor(world, bypass)))
            }
            _ => return None,
        })
    }
}

/// The repository whose own ruleset it is.
fn self_of<'w>(world: &'w World, ruleset: &Ruleset) -> Option<&'w Repository> {
    world.repositories.iter().find(|repository| repository.rulesets.iter().any(|own| own.id == ruleset.id))
}

fn conditions<'w>(ruleset: &Ruleset) -> Shown<'w> {
    let reference = Record::new("RefNameConditionTarget", [("include", leaf(ruleset.include.clone())), ("exclude", leaf(ruleset.exclude.clone()))]);
    let names = match ruleset.level {
        Level::Organization(prefix) => {
            let include = if prefix.is_empty() { "~ALL".to_owned() } else { format!("{prefix}*") };
            let fields = [("include", leaf(vec![include])), ("exclude", leaf(json!([]))), ("protected", leaf(false))];
            Shown::one(Record::new("RepositoryNameConditionTarget", fields))
        }
        Level::Repository => Shown::NULL,
    };
    let fields = [("refName", Shown::one(reference)), ("repositoryName", names), ("repositoryId", Shown::NULL), ("repositoryProperty", Shown::NULL)];
    Shown::one(Record::new("RepositoryRuleConditions", fields))
}

fn bypass_actor<'w>(world: &'w World, bypass: &Bypass) -> Record<'w> {
    let actor = match bypass.who {
        Exempt::Team(slug) => people::team_by_slug(world, slug),
        Exempt::App(slug) => people::app(slug),
        Exempt::OrganizationAdmin | Exempt::Role(_) | Exempt::DeployKey => Shown::NULL,
    };
    let role = if let Exempt::Role(role) = bypass.who { Some(role) } else { None };
    let fields = [
        ("bypassMode", leaf(if bypass.mode == BypassMode::Always { "ALWAYS" } else { "PULL_REQUEST" })),
        ("organizationAdmin", leaf(bypass.who == Exempt::OrganizationAdmin)),
        ("enterpriseOwner", leaf(false)),
        ("deployKey", leaf(bypass.who == Exempt::DeployKey)),
        ("repositoryRoleName", leaf(role)),
        ("repositoryRoleDatabaseId", leaf(role.map(|_| 5))),
        ("actor", actor),
    ];
    Record::new("RepositoryRulesetBypassActor", fields)
}

/// `Ref.rules`: the rules of all rulesets in force.
pub(crate) fn rules<'w>(world: &'w World, repository: &'w Repository) -> Shown<'w> {
    let all = world.in_force(repository).flat_map(|ruleset| ruleset.rules.iter().map(move |rule| (ruleset, rule))).collect();
    Connection::over("RepositoryRuleConnection", all, move |(ruleset, rule)| Edge::of(rule_view(world, Some(repository), ruleset, rule)))
}

fn rule_view<'w>(world: &'w World, repository: Option<&'w Repository>, of: &'w Ruleset, rule: &Rule) -> Shown<'w> {
    let fields = [
        ("type", leaf(rule_type(rule))),
        ("id", leaf(format!("RR_{}_{}", of.id, rule_type(rule)))),
        ("parameters", parameters(rule)),
        ("repositoryRuleset", ruleset(world, repository, of)),
    ];
    Shown::one(Record::new("RepositoryRule", fields))
}

/// GraphQL's `RepositoryRuleType`; REST writes it in lower case.
pub(crate) fn rule_type(rule: &Rule) -> &'static str {
    match rule {
        Rule::PullRequest { .. } => "PULL_REQUEST",
        Rule::StatusChecks { .. } => "REQUIRED_STATUS_CHECKS",
        Rule::Signatures => "REQUIRED_SIGNATURES",
        Rule::LinearHistory => "REQUIRED_LINEAR_HISTORY",
        Rule::NonFastForward => "NON_FAST_FORWARD",
        Rule::Deletion => "DELETION",
        Rule::Update => "UPDATE",
        Rule::MergeQueue => "MERGE_QUEUE",
    }
}

fn parameters<'w>(rule: &Rule) -> Shown<'w> {
    match rule {
        Rule::PullRequest { approvals, dismisses_stale, last_push_approval, code_owner_review, conversation_resolution } => Shown::one(Record::new(
            "PullRequestParameters",
            [
                ("requiredApprovingReviewCount", leaf(*approvals)),
                ("dismissStaleReviewsOnPush", leaf(*dismisses_stale)),
                ("requireCodeOwnerReview", leaf(*code_owner_review)),
                ("requireLastPushApproval", leaf(*last_push_approval)),
                ("requiredReviewThreadResolution", leaf(*conversation_resolution)),
                ("allowedMergeMethods", leaf(json!(["MERGE", "SQUASH", "REBASE"]))),
            ],
        )),
        Rule::StatusChecks { strict, contexts } => {
            let record = |(context, app): &(&'static str, Option<u64>)| {
                Record::new("StatusCheckConfiguration", [("context", leaf(*context)), ("integrationId", leaf(*app))])
            };
            let checks = Shown::many(contexts.iter().map(record));
            let fields = [("strictRequiredStatusChecksPolicy", leaf(*strict)), ("doNotEnforceOnCreate", leaf(false)), ("requiredStatusChecks", checks)];
            Shown::one(Record::new("RequiredStatusChecksParameters", fields))
        }
        Rule::Update => Shown::one(Record::new("UpdateParameters", [("updateAllowsFetchAndMerge", leaf(false))])),
        Rule::MergeQueue => Shown::one(Record::new("MergeQueueParameters", [("mergeMethod", leaf("SQUASH"))])),
        Rule::Signatures | Rule::LinearHistory | Rule::NonFastForward | Rule::Deletion => Shown::NULL,
    }
}
