//! Repositories and their settings, and what drifts in them from night to night.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::changes::PullRequest;
use crate::sandbox::world::protection::{self, Classic, Ruleset};
use crate::sandbox::world::tasks::Issue;

/// A repository.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// The name it had before it was renamed; requests for it are redirected.
    pub(crate) former_name: Option<String>,
    pub(crate) visibility: Visibility,
    pub(crate) archived: bool,
    pub(crate) disabled: bool,
    pub(crate) fork: bool,
    pub(crate) template: bool,
    /// No commit, hence no default branch.
    pub(crate) empty: bool,
    pub(crate) default_branch: String,
    pub(crate) head: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) pushed: Option<DateTime<Utc>>,
    pub(crate) viewer_is_admin: bool,
    pub(crate) classic: Option<Classic>,
    pub(crate) rulesets: Vec<Ruleset>,
    pub(crate) secret_scanning: bool,
    pub(crate) push_protection: bool,
    pub(crate) security_updates: bool,
    pub(crate) vulnerability_alerts: bool,
    pub(crate) open_alerts: usize,
    pub(crate) security_policy: bool,
    /// Mistakes in CODEOWNERS; none where there is no such file.
    pub(crate) codeowners_errors: Option<usize>,
    pub(crate) delete_branch_on_merge: bool,
    pub(crate) signoff_required: bool,
    pub(crate) deploy_keys: usize,
    /// Positions of outside collaborators.
    pub(crate) outsiders: Vec<usize>,
    /// By number.
    pub(crate) pull_requests: Vec<PullRequest>,
    /// By number.
    pub(crate) issues: Vec<Issue>,
    pub(crate) next_number: u32,
}

/// Who can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Everybody.
    Public,
    /// Those with access.
    Private,
    /// The enterprise.
    Internal,
}

impl Visibility {
    /// As GraphQL writes it.
    pub(crate) fn upper(self) -> &'static str {
        match self {
            Self::Public => "PUBLIC",
            Self::Private => "PRIVATE",
            Self::Internal => "INTERNAL",
        }
    }

    /// As REST writes it.
    pub(crate) fn lower(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Internal => "internal",
        }
    }
}

impl Repository {
    /// The name of the default branch, where there is one.
    pub(crate) fn branch(&self) -> Option<&str> {
        (!self.empty).then_some(self.default_branch.as_str())
    }

    /// The next number of an issue or pull request.
    pub(crate) fn number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number
    }
}

/// Generates all, as of the plan's night.
pub(crate) fn generate(plan: &Plan, outsiders: usize) -> Vec<Repository> {
    (0_u64..).take(plan.repositories).map(|index| repository(plan, index, outsiders)).collect()
}

fn repository(plan: &Plan, index: u64, outsiders: usize) -> Repository {
    let mut dice = Dice::of(plan.seed, "repository", &[index]);
    let area = dice.pick(&["infra", "payments", "web", "data", "deploy", "docs"]);
    let name = format!("{area}-{}-{index}", dice.pick(&["api", "worker", "tools", "gateway", "charts", "site"]));
    let created = plan.instant(-1_500 + i64::try_from(index % 1_000).unwrap_or_default());
    // The first repositories hold the awkward cases in any world, however small; the second keeps the tasks.
    let empty = index == 3 || (index > 8 && dice.chance(2));
    let archived = index == 4 || (index > 8 && dice.chance(8));
    let (classic, rulesets) = protection::of_repository(plan, index, plan.members);
    let secret_scanning = dice.chance(80);
    let mut repository = Repository {
        id: 1_000_000 + index,
        former_name: (index == 5 || dice.chance(2)).then(|| format!("old-{name}")),
        name,
        visibility: *dice.pick(&[Visibility::Private, Visibility::Private, Visibility::Private, Visibility::Internal, Visibility::Public]),
        archived,
        disabled: index > 8 && dice.chance(1),
        fork: dice.chance(5),
        template: dice.chance(2),
        empty,
        default_branch: if dice.chance(8) { "master".to_owned() } else { "main".to_owned() },
        head: dice.hex(40),
        created,
        pushed: (!empty).then(|| plan.instant(-30) - TimeDelta::hours(i64::try_from(dice.below(2_000)).unwrap_or_default())),
        viewer_is_admin: !dice.chance(plan.not_admin_percent),
        classic: classic.filter(|_| !empty),
        rulesets,
        secret_scanning,
        push_protection: secret_scanning && dice.chance(80),
        security_updates: dice.chance(70),
        vulnerability_alerts: dice.chance(90),
        open_alerts: dice.below(6),
        security_policy: dice.chance(60),
        codeowners_errors: dice.chance(70).then(|| if dice.chance(15) { 1 + dice.below(3) } else { 0 }),
        delete_branch_on_merge: dice.chance(60),
        signoff_required: dice.chance(10),
        deploy_keys: if dice.chance(20) { 1 + dice.below(3) } else { 0 },
        outsiders: (0..outsiders).filter(|_| dice.chance(4)).collect(),
        pull_requests: Vec::new(),
        issues: Vec::new(),
        next_number: 0,
    };
    for night in 1..=plan.night {
        if !repository.archived && plan.drifts("repository drift", night, index) {
            drift(plan, &mut repository, night, index);
        }
    }
    repository
}

/// One thing changes, for better or worse.
fn drift(plan: &Plan, repository: &mut Repository, night: u32, index: u64) {
    let mut dice = Dice::of(plan.seed, "which drift", &[u64::from(night), index]);
    match dice.below(6) {
        0 => repository.classic = None,
        1 if !repository.empty => repository.classic = Some(Classic { approvals: Some(1), admins_too: true, ..Classic::default() }),
        2 => repository.deploy_keys += 1,
        3 => repository.secret_scanning = !repository.secret_scanning,
        4 => repository.security_policy = !repository.security_policy,
        _ => match &mut repository.classic {
            Some(classic) => classic.allows_force_pushes = !classic.allows_force_pushes,
            None => repository.delete_branch_on_merge = !repository.delete_branch_on_merge,
        },
    }
    repository.push_protection &= repository.secret_scanning;
}
