//! The classic branch protection rule, as GraphQL (`BranchProtectionRule`) and REST (`repos/get-branch-protection`) tell it.
//!
//! REST tells less: not who may bypass the ban of force pushes, and in older answers neither signatures nor the Apps of checks.
//! <https://docs.github.com/en/rest/branches/branch-protection#get-branch-protection>

use std::collections::BTreeSet;

use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::protection::{Check, Demand, Demands, RuleSource, both, either, negated};
use crate::model::{Gap, GapCause};

/// What shows the rule whole.
pub(super) const SEES_CLASSIC: &str = "Administration: read on the repository";

/// Reads `branchProtectionRule`.
pub(super) fn from_graphql(rule: &Field<'_>) -> RuleSource {
    let flag = |name: &str| rule.get(name).bool();
    let reviewed = flag("requiresApprovingReviews");
    let checked = flag("requiresStatusChecks");
    let mut demands = Demands::none();
    // requiredApprovingReviewCount is null where reviews are not required.
    demands.approvals = where_required(reviewed.clone(), 0, || rule.get("requiredApprovingReviewCount").int());
    demands.checks = where_required(checked.clone(), BTreeSet::new(), || checks(&rule.get("requiredStatusChecks"), |check| check.path(&["app", "slug"])));
    for (demand, name) in [
        (Demand::DismissesStaleReviews, "dismissesStaleReviews"),
        (Demand::LastPushApproval, "requireLastPushApproval"),
        (Demand::CodeOwnerReview, "requiresCodeOwnerReviews"),
        (Demand::RestrictsDismissals, "restrictsReviewDismissals"),
    ] {
        demands.add(demand, both(reviewed.clone(), flag(name)));
    }
    demands.add(Demand::StrictChecks, both(checked, flag("requiresStrictStatusChecks")));
    demands.add(Demand::ConversationResolution, flag("requiresConversationResolution"));
    demands.add(Demand::Signatures, flag("requiresCommitSignatures"));
    demands.add(Demand::LinearHistory, flag("requiresLinearHistory"));
    demands.add(Demand::ForbidsForcePush, negated(flag("allowsForcePushes")));
    demands.add(Demand::ForbidsDeletion, negated(flag("allowsDeletions")));
    demands.add(Demand::RestrictsPushes, either(flag("restrictsPushes"), flag("lockBranch")));
    RuleSource {
        label: rule.get("pattern").text().map(|pattern| format!("classic:{pattern}")),
        protects: Ok(true),
        demands,
        binds_admins: flag("isAdminEnforced"),
        bypass: allowances(rule),
    }
}

fn where_required<T>(required: Fact<bool>, otherwise: T, read: impl FnOnce() -> Fact<T>) -> Fact<T> {
    if required? { read() } else { Ok(otherwise) }
}

/// Reads a list of `{context, app}`; `app` finds what names the App in one of them.
fn checks<'a>(list: &Field<'a>, app: impl Fn(&Field<'a>) -> Field<'a>) -> Fact<BTreeSet<Check>> {
    let read = |check: Field<'a>| -> Fact<Check> {
        let context = check.get("context").text()?.to_owned();
        let parent_is_none = check.get("app").is_none();
        let app = if parent_is_none { None } else { app(&check).or_none(Field::text)?.map(ToOwned::to_owned) };
        Ok(Check { context, app })
    };
    list.items()?.into_iter().map(read).collect()
}

fn allowances(rule: &Field<'_>) -> Fact<BTreeSet<String>> {
    let mut actors = BTreeSet::new();
    for name in ["bypassPullRequestAllowances", "bypassForcePushAllowances"] {
        for allowance in rule.get(name).all_nodes()? {
            actors.insert(actor(&allowance.get("actor"))?);
        }
    }
    Ok(actors)
}

/// An actor as `user:login`, `team:slug` or `app:slug`.
pub(super) fn actor(actor: &Field<'_>) -> Fact<String> {
    match actor.get("__typename").text()? {
        "User" => Ok(format!("user:{}", actor.get("login").text()?)),
        "Team" => Ok(format!("team:{}", actor.get("slug").text()?)),
        "App" => Ok(format!("app:{}", actor.get("slug").text()?)),
        other => Err(Gap::new(GapCause::Malformed, format!("{other} is not a known kind of actor"))),
    }
}

/// Reads the answer of `repos/get-branch-protection` for the branch `branch`.
pub(super) fn from_rest(rule: &Field<'_>, branch: &str) -> RuleSource {
    let enabled = |name: &str| rule.path(&[name, "enabled"]).bool();
    let mut demands = Demands::none();
    let reviews = rule.get("required_pull_request_reviews");
    // The three parts below are absent, not null, where the rule does not have them.
    if reviews.value().is_some() {
        demands.approvals = reviews.get("required_approving_review_count").int();
        demands.add(Demand::DismissesStaleReviews, reviews.get("dismiss_stale_reviews").bool());
        demands.add(Demand::LastPushApproval, reviews.get("require_last_push_approval").bool());
        demands.add(Demand::CodeOwnerReview, reviews.get("require_code_owner_reviews").bool());
        demands.add(Demand::RestrictsDismissals, Ok(reviews.get("dismissal_restrictions").value().is_some()));
    }
    let required = rule.get("required_status_checks");
    if required.value().is_some() {
        demands.checks = rest_checks(&required);
        demands.add(Demand::StrictChecks, required.get("strict").bool());
    }
    demands.add(Demand::RestrictsPushes, Ok(rule.get("restrictions").value().is_some()));
    if rule.get("lock_branch").value().is_some() {
        demands.add(Demand::RestrictsPushes, enabled("lock_branch"));
    }
    demands.add(Demand::ConversationResolution, enabled("required_conversation_resolution"));
    demands.add(Demand::Signatures, enabled("required_signatures"));
    demands.add(Demand::LinearHistory, enabled("required_linear_history"));
    demands.add(Demand::ForbidsForcePush, negated(enabled("allow_force_pushes")));
    demands.add(Demand::ForbidsDeletion, negated(enabled("allow_deletions")));
    demands.add(Demand::MergeQueue, Err(Gap::new(GapCause::LeftOut, "REST does not tell whether a classic rule demands a merge queue")));
    RuleSource {
        label: Ok(format!("classic:{branch}")),
        protects: Ok(true),
        demands,
        binds_admins: enabled("enforce_admins"),
        bypass: Err(
            Gap::new(GapCause::LeftOut, "REST does not tell who may bypass the ban of force pushes").cured_by("a credential that administers the repository")
        ),
    }
}

fn rest_checks(required: &Field<'_>) -> Fact<BTreeSet<Check>> {
    let list = required.get("checks");
    if list.value().is_none() && required.get("contexts").items()?.is_empty() {
        return Ok(BTreeSet::new());
    }
    let read = |check: Field<'_>| -> Fact<Check> {
        let app = check.get("app_id").or_none(Field::int)?;
        // -1 stands for "any App".
        Ok(Check { context: check.get("context").text()?.to_owned(), app: app.filter(|number| *number >= 0).map(|number| number.to_string()) })
    };
    list.items()?.into_iter().map(read).collect()
}
