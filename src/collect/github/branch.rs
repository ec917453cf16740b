//! `github.branch`: the default branch of every repository, with what protects it in effect: the classic rule and all active rulesets added up.
//!
//! Left out: how the rules are found (`branch_rules`), other branches, and what an empty repository will get once it has a branch.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::{StreamExt, TryStreamExt, future};
use serde_json::json;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, set};
use crate::collect::github::branch_rules::{Sources, ask_for_rules, open_questions};
use crate::collect::github::properties::{self, Properties};
use crate::collect::github::protection::{self, Demand, RuleSource};
use crate::collect::github::repositories::{self, Listed};
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.branch`.
#[derive(Debug, Clone, Copy)]
pub struct Branch;

/// Branches that are asked about at the same time; the `Api` has its own limit.
const AT_ONCE: usize = 16;

const CHECK: AttributeType = AttributeType::Record(&[
    attribute("context", AttributeType::Text, "the name of the check", "requiredStatusChecks.context"),
    attribute(
        "app",
        AttributeType::Optional(&AttributeType::Text),
        "the slug or the number of the App that must report it; null where any may",
        "requiredStatusChecks.app.slug, integrationId",
    ),
]);

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.branch",
    meaning: "the default branch of a repository that is not empty, with its effective protection",
    permission: "Metadata, Contents and Administration: read on all repositories; Custom properties: read on the organisation; for bypass lists Administration: write on the owner of each ruleset",
    attributes: &[
        attribute("name", AttributeType::Text, "the branch", "GraphQL Repository.defaultBranchRef.name"),
        attribute("repository", AttributeType::Text, "owner/name of its repository", "GraphQL Repository.nameWithOwner"),
        attribute("repository_archived", AttributeType::Bool, "the repository is archived", "GraphQL Repository.isArchived"),
        attribute("repository_visibility", AttributeType::Text, "PUBLIC, INTERNAL or PRIVATE", "GraphQL Repository.visibility"),
        attribute(
            "repository_properties",
            AttributeType::Map(&AttributeType::Text),
            "the custom properties of the repository that are set, by name",
            "GET /orgs/{org}/properties/values properties",
        ),
        attribute(
            "is_default",
            AttributeType::Bool,
            "it is the default branch; true for every branch that is enumerated",
            "GraphQL Repository.defaultBranchRef",
        ),
        attribute(
            "protected",
            AttributeType::Bool,
            "a classic rule or an active ruleset guards what reaches it",
            "Ref.branchProtectionRule, Ref.rules, GET /repos/{owner}/{repo}/branches/{branch} protected",
        ),
        attribute("required_approvals", AttributeType::Int, "approving reviews that a change needs", "requiredApprovingReviewCount of both"),
        attribute("dismisses_stale_reviews", AttributeType::Bool, "new commits dismiss approvals", "dismissesStaleReviews, dismissStaleReviewsOnPush"),
        attribute("requires_last_push_approval", AttributeType::Bool, "the last push needs an approval by somebody else", "requireLastPushApproval of both"),
        attribute("requires_code_owner_review", AttributeType::Bool, "a code owner must approve", "requiresCodeOwnerReviews, requireCodeOwnerReview"),
        attribute(
            "requires_conversation_resolution",
            AttributeType::Bool,
            "conversations must be resolved",
            "requiresConversationResolution, requiredReviewThreadResolution",
        ),
        attribute("restricts_review_dismissals", AttributeType::Bool, "only named people may dismiss a review", "restrictsReviewDismissals"),
        attribute("required_checks", AttributeType::List(&CHECK), "status checks that must pass", "requiredStatusChecks of both"),
        attribute(
            "strict_checks",
            AttributeType::Bool,
            "the branch must be up to date before a merge",
            "requiresStrictStatusChecks, strictRequiredStatusChecksPolicy",
        ),
        attribute("requires_signatures", AttributeType::Bool, "commits must be signed", "requiresCommitSignatures, rule REQUIRED_SIGNATURES"),
        attribute("requires_linear_history", AttributeType::Bool, "no merge commits", "requiresLinearHistory, rule REQUIRED_LINEAR_HISTORY"),
        attribute("has_merge_queue", AttributeType::Bool, "changes go through a merge queue", "GraphQL Repository.mergeQueue, rule MERGE_QUEUE"),
        attribute(
            "allows_force_push",
            AttributeType::Bool,
            "history may be rewritten; true where no rule says otherwise",
            "allowsForcePushes, rule NON_FAST_FORWARD",
        ),
        attribute(
            "allows_deletion",
            AttributeType::Bool,
            "no rule forbids to delete it; GitHub's website refuses to delete a default branch, its API does once another is the default",
            "allowsDeletions, rule DELETION",
        ),
        attribute(
            "binds_admins",
            AttributeType::Bool,
            "administrators face all that others face; false where nothing protects the branch",
            "isAdminEnforced, bypassActors",
        ),
        attribute(
            "bypass_actors",
            AttributeType::List(&AttributeType::Text),
            "who may bypass a rule, sorted: user:, team:, app: or role: and a name, or deploy-keys",
            "bypassPullRequestAllowances, bypassForcePushAllowances, RepositoryRuleset.bypassActors",
        ),
        attribute("restricts_pushes", AttributeType::Bool, "only named actors may push", "restrictsPushes, lockBranch, rules UPDATE and LOCK_BRANCH"),
        attribute(
            "rule_sources",
            AttributeType::List(&AttributeType::Text),
            "the rules that apply: classic: and its pattern, ruleset: and its name",
            "BranchProtectionRule.pattern, RepositoryRuleset.name",
        ),
    ],
};

#[async_trait]
impl Collector for Branch {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            // Questions about a page's branches go out while the next page is on its way.
            let (found, questions) = mpsc::unbounded();
            let listing = repositories::fetch(organization, api, KIND.name, move |page: &Reply| {
                let answer = Answer::graphql(&page.body);
                let open = repositories::nodes(&answer).iter().flat_map(open_questions).collect::<Vec<_>>();
                // The other end lives as long as this function waits for it.
                open.into_iter().for_each(|question| drop(found.unbounded_send(question)));
            });
            let asking = questions.map(|question| question.ask(api, KIND.name)).buffer_unordered(AT_ONCE);
            let still_open = asking.try_filter_map(future::ok).try_collect::<BTreeSet<_>>();
            let ((), still_open, ()) = futures::try_join!(listing, still_open, properties::fetch(organization, api, KIND.name))?;
            ask_for_rules(&still_open, AT_ONCE, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("the default branch of every repository of {}; an empty repository has none", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            read(organization, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let mut count = 0;
    let mut empty = 0;
    let mut gaps = Vec::new();
    let properties = Properties::read(organization, evidence)?;
    let whole = repositories::each(organization, evidence, &mut |listed| {
        let branch = listed.node.get("defaultBranchRef");
        if branch.is_none() && listed.node.get("isEmpty").bool() == Ok(true) {
            empty += 1;
            return Ok(());
        }
        match branch.get("name").text() {
            Ok(name) => match resource(&listed, name, evidence)? {
                Ok(mut resource) => {
                    let (exchange, known) = properties.of(listed.node.get("databaseId").int());
                    resource.evidence.extend(exchange);
                    set(&mut resource, "repository_properties", known);
                    count += 1;
                    emit(resource.completed(&KIND));
                }
                Err(gap) => gaps.push(gap),
            },
            Err(gap) => {
                gaps.push(Gap { cause: GapCause::Incomplete, detail: format!("{} has a default branch that is not shown: {}", listed.name, gap.detail), ..gap })
            }
        }
        Ok(())
    })?;
    let second_source = match whole.second.count {
        Some(_) => format!("{}, less {empty} empty repositories", whole.second.source),
        None => whole.second.source,
    };
    let second_count = whole.second.count.map(|all| all.saturating_sub(empty));
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count, second_source });
    population.gaps.extend(whole.gaps);
    population.gaps.append(&mut gaps);
    population.evidence.extend(whole.evidence);
    Ok(())
}

fn resource(listed: &Listed<'_>, branch: &str, evidence: &dyn Evidence) -> Result<Fact<Resource>, Unreadable> {
    let id = match format!("github.com/{}/tree/{branch}", listed.name).parse() {
        Ok(id) => id,
        Err(error) => {
            let error: crate::model::ids::InvalidId = error;
            return Ok(Err(Gap::new(GapCause::Malformed, error.to_string())));
        }
    };
    let rules = Sources::find(listed, branch, evidence)?;
    let mut resource = Resource::new(&KIND, id, format!("{}@{branch}", listed.name), rules.cited);
    resource.know("name", branch);
    resource.know("repository", listed.name);
    resource.know("is_default", true);
    set(&mut resource, "repository_archived", listed.node.get("isArchived").bool());
    set(&mut resource, "repository_visibility", listed.node.get("visibility").text().map(ToOwned::to_owned));
    describe(&mut resource, &rules.list);
    Ok(Ok(resource))
}

fn describe(resource: &mut Resource, sources: &[RuleSource]) {
    let demands = protection::effective(sources);
    set(resource, "protected", protection::protected(sources));
    set(resource, "required_approvals", demands.approvals.clone());
    let checks =
        demands.effective_checks().map(|checks| checks.into_iter().map(|check| json!({"context": check.context, "app": check.app})).collect::<Vec<_>>());
    set(resource, "required_checks", checks);
    for (attribute, demand) in [
        ("dismisses_stale_reviews", Demand::DismissesStaleReviews),
        ("requires_last_push_approval", Demand::LastPushApproval),
        ("requires_code_owner_review", Demand::CodeOwnerReview),
        ("requires_conversation_resolution", Demand::ConversationResolution),
        ("restricts_review_dismissals", Demand::RestrictsDismissals),
        ("strict_checks", Demand::StrictChecks),
        ("requires_signatures", Demand::Signatures),
        ("requires_linear_history", Demand::LinearHistory),
        ("has_merge_queue", Demand::MergeQueue),
        ("restricts_pushes", Demand::RestrictsPushes),
    ] {
        set(resource, attribute, demands.flag(demand));
    }
    set(resource, "allows_force_push", protection::negated(demands.flag(Demand::ForbidsForcePush)));
    set(resource, "allows_deletion", protection::negated(demands.flag(Demand::ForbidsDeletion)));
    set(resource, "binds_admins", protection::binds_admins(sources));
    set(resource, "bypass_actors", protection::bypass_actors(sources).map(|actors| actors.into_iter().collect::<Vec<_>>()));
    set(resource, "rule_sources", protection::labels(sources));
}
