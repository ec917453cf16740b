//! Rules from active rulesets, as GraphQL (`Ref.rules`) and REST (`repos/get-branch-rules`) tell them, grouped by ruleset.
//!
//! Both lists hold what applies to the branch: GitHub has already matched `~ALL`, `~DEFAULT_BRANCH` and the exclusions, and added the rulesets of the
//! organisation. <https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch>
//! Bypass actors are shown only to who may edit the ruleset; for anybody else they are unknown, not none.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::classic_rule::actor;
use crate::collect::github::protection::{Check, Demand, Demands, RuleSource};
use crate::model::{Gap, GapCause};

/// What shows the bypass list of a ruleset.
pub(super) const SEES_BYPASS: &str = "Administration: write on the owner of the ruleset (the repository or the organisation)";

/// How one of the two APIs spells the parameters of rules.
struct Words {
    approvals: &'static str,
    stale: &'static str,
    code_owner: &'static str,
    last_push: &'static str,
    threads: &'static str,
    strict: &'static str,
    checks: &'static str,
    app: &'static str,
}

const GRAPHQL: Words = Words {
    approvals: "requiredApprovingReviewCount",
    stale: "dismissStaleReviewsOnPush",
    code_owner: "requireCodeOwnerReview",
    last_push: "requireLastPushApproval",
    threads: "requiredReviewThreadResolution",
    strict: "strictRequiredStatusChecksPolicy",
    checks: "requiredStatusChecks",
    app: "integrationId",
};

const REST: Words = Words {
    approvals: "required_approving_review_count",
    stale: "dismiss_stale_reviews_on_push",
    code_owner: "require_code_owner_review",
    last_push: "require_last_push_approval",
    threads: "required_review_thread_resolution",
    strict: "strict_required_status_checks_policy",
    checks: "required_status_checks",
    app: "integration_id",
};

/// Rule types that guard what reaches a branch. The others (patterns of names, messages and addresses; creation; sizes and paths) police something else.
const PROTECTIVE: [&str; 14] = [
    "CODE_SCANNING",
    "DELETION",
    "LOCK_BRANCH",
    "MERGE_QUEUE",
    "NON_FAST_FORWARD",
    "PULL_REQUEST",
    "REQUIRED_DEPLOYMENTS",
    "REQUIRED_LINEAR_HISTORY",
    "REQUIRED_REVIEW_THREAD_RESOLUTION",
    "REQUIRED_SIGNATURES",
    "REQUIRED_STATUS_CHECKS",
    "REQUIRED_WORKFLOW_STATUS_CHECKS",
    "UPDATE",
    "WORKFLOWS",
];

/// Who may bypass a ruleset, and whether administrators are among them.
type Bypass = (Fact<BTreeSet<String>>, Fact<bool>);

/// Reads `defaultBranchRef.rules` of a repository node, with the bypass actors from its `rulesets`. Rules that could not be seen become one more source,
/// so that they are unknown while what the visible ones demand stays known.
pub(super) fn from_graphql(repository: &Field<'_>) -> Vec<RuleSource> {
    let (rules, gap) = repository.path(&["defaultBranchRef", "rules"]).needing("Metadata: read on the repository").nodes();
    let bypass = bypass_by_ruleset(&repository.get("rulesets"));
    let mut sources = BTreeMap::new();
    for rule in &rules {
        let ruleset = rule.get("repositoryRuleset");
        // GitHub documents the list as that of active rulesets; a ruleset that is hidden from the viewer is among them.
        if matches!(ruleset.get("enforcement").text(), Ok("EVALUATE" | "DISABLED")) {
            continue;
        }
        let id = ruleset.get("databaseId").int().ok();
        let source = sources.entry(id).or_insert_with(|| {
            let name = ruleset.get("name").text().map_or_else(|_gap| id.map_or_else(|| "hidden".to_owned(), |id| id.to_string()), ToOwned::to_owned);
            started(name, bypass(id))
        });
        add_rule(source, rule, &GRAPHQL);
    }
    sources.into_values().chain(gap.map(|gap| RuleSource::unseen(&gap))).collect()
}

/// Reads one page of `repos/get-branch-rules` into `sources`, by ruleset number.
pub(super) fn add_rest_page(page: &Field<'_>, sources: &mut BTreeMap<Option<i64>, RuleSource>) -> Fact<()> {
    for rule in page.items()? {
        let id = rule.get("ruleset_id").int().ok();
        let name = id.map_or_else(|| "hidden".to_owned(), |id| id.to_string());
        let hidden = || Gap::new(GapCause::LeftOut, "GET /rules/branches does not tell who may bypass a ruleset").cured_by(SEES_BYPASS);
        let source = sources.entry(id).or_insert_with(|| started(name, (Err(hidden()), Err(hidden()))));
        add_rule(source, &rule, &REST);
    }
    Ok(())
}

fn started(name: String, (bypass, admins_bypass): Bypass) -> RuleSource {
    RuleSource {
        label: Ok(format!("ruleset:{name}")),
        protects: Ok(false),
        demands: Demands::none(),
        binds_admins: admins_bypass.map(|bypassed| !bypassed),
        bypass,
    }
}

fn add_rule(source: &mut RuleSource, rule: &Field<'_>, words: &Words) {
    let kind = match rule.get("type").text() {
        Ok(kind) => kind.to_ascii_uppercase(),
        Err(gap) => {
            source.demands = std::mem::replace(&mut source.demands, Demands::none()).and(&Demands::unseen(&gap));
            return;
        }
    };
    if PROTECTIVE.contains(&kind.as_str()) {
        source.protects = Ok(true);
    }
    let demands = demands_of(&kind, &rule.get("parameters"), words);
    source.demands = std::mem::replace(&mut source.demands, Demands::none()).and(&demands);
}

fn demands_of(kind: &str, parameters: &Field<'_>, words: &Words) -> Demands {
    let mut demands = Demands::none();
    let flag = |name: &str| parameters.get(name).bool();
    match kind {
        "PULL_REQUEST" => {
            demands.approvals = parameters.get(words.approvals).int();
            demands.add(Demand::DismissesStaleReviews, flag(words.stale));
            demands.add(Demand::CodeOwnerReview, flag(words.code_owner));
            demands.add(Demand::LastPushApproval, flag(words.last_push));
            demands.add(Demand::ConversationResolution, flag(words.threads));
        }
        "REQUIRED_STATUS_CHECKS" => {
            demands.checks = checks(&parameters.get(words.checks), words);
            demands.add(Demand::StrictChecks, flag(words.strict));
        }
        "REQUIRED_REVIEW_THREAD_RESOLUTION" => demands.add(Demand::ConversationResolution, Ok(true)),
        "REQUIRED_SIGNATURES" => demands.add(Demand::Signatures, Ok(true)),
        "REQUIRED_LINEAR_HISTORY" => demands.add(Demand::LinearHistory, Ok(true)),
        "MERGE_QUEUE" => demands.add(Demand::MergeQueue, Ok(true)),
        "NON_FAST_FORWARD" => demands.add(Demand::ForbidsForcePush, Ok(true)),
        "DELETION" => demands.add(Demand::ForbidsDeletion, Ok(true)),
        "UPDATE" | "LOCK_BRANCH" => demands.add(Demand::RestrictsPushes, Ok(true)),
        _ => {}
    }
    demands
}

fn checks(list: &Field<'_>, words: &Words) -> Fact<BTreeSet<Check>> {
    let read = |check: Field<'_>| -> Fact<Check> {
        // The App is absent or null where any may report the check.
        let app = check.get(words.app).value().map(|_number| check.get(words.app).int()).transpose()?;
        Ok(Check { context: check.get("context").text()?.to_owned(), app: app.map(|number| number.to_string()) })
    };
    list.items()?.into_iter().map(read).collect()
}

/// Looks up the bypass actors of a ruleset by its number.
fn bypass_by_ruleset(rulesets: &Field<'_>) -> impl Fn(Option<i64>) -> Bypass + use<> {
    let (seen, gap) = rulesets.clone().needing(SEES_BYPASS).nodes();
    let known: BTreeMap<i64, Bypass> = seen.iter().filter_map(|ruleset| Some((ruleset.get("databaseId").int().ok()?, bypass_of(ruleset)))).collect();
    move |id| {
        id.and_then(|id| known.get(&id)).cloned().unwrap_or_else(|| {
            let gap = gap.clone().unwrap_or_else(|| Gap::new(GapCause::LeftOut, "the ruleset of an active rule is not shown").cured_by(SEES_BYPASS));
            (Err(gap.clone()), Err(gap))
        })
    }
}

fn bypass_of(ruleset: &Field<'_>) -> Bypass {
    let actors = match ruleset.get("bypassActors").needing(SEES_BYPASS).value() {
        Some(_) => ruleset.get("bypassActors").all_nodes(),
        None => Err(ruleset.get("bypassActors").needing(SEES_BYPASS).gap()),
    };
    match actors.and_then(|actors| actors.iter().map(bypass_actor).collect::<Fact<Vec<_>>>()) {
        Ok(actors) => {
            let admins = actors.iter().any(|(_, includes_admins)| *includes_admins);
            (Ok(actors.into_iter().map(|(name, _)| name).collect()), Ok(admins))
        }
        Err(gap) => (Err(gap.clone()), Err(gap)),
    }
}

/// The name of a bypass actor, and whether administrators are among those it stands for. A repository role stands for everybody who has that role or a
/// higher one, so each of them includes administrators. The mode (always, or only through pull requests) does not matter: either way the rule can be passed by.
fn bypass_actor(bypass: &Field<'_>) -> Fact<(String, bool)> {
    if bypass.get("organizationAdmin").bool()? {
        return Ok(("role:organization-admin".to_owned(), true));
    }
    if bypass.get("enterpriseOwner").bool()? {
        return Ok(("role:enterprise-owner".to_owned(), true));
    }
    if let Ok(role) = bypass.get("repositoryRoleName").text() {
        return Ok((format!("role:{role}"), true));
    }
    if bypass.get("deployKey").bool()? {
        return Ok(("deploy-keys".to_owned(), false));
    }
    Ok((actor(&bypass.get("actor"))?, false))
}
