//! Branch protection as GitHub keeps it: the classic rule and the rulesets. What they add up to is `truth`'s business.

use chrono::{DateTime, Utc};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;

/// A classic branch protection rule on the default branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Classic {
    /// None: reviews are not required.
    pub(crate) approvals: Option<u32>,
    pub(crate) dismisses_stale: bool,
    pub(crate) last_push_approval: bool,
    pub(crate) code_owner_review: bool,
    pub(crate) conversation_resolution: bool,
    pub(crate) restricts_dismissals: bool,
    /// None: status checks are not required.
    pub(crate) checks: Option<Checks>,
    pub(crate) signatures: bool,
    pub(crate) linear_history: bool,
    pub(crate) allows_force_pushes: bool,
    pub(crate) allows_deletions: bool,
    pub(crate) restricts_pushes: bool,
    pub(crate) admins_too: bool,
    /// Who may merge without the required reviews.
    pub(crate) bypass: Vec<Actor>,
}

/// Required status checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    pub(crate) strict: bool,
    /// Context, and the slug of the app that must report it.
    pub(crate) contexts: Vec<(&'static str, Option<&'static str>)>,
}

/// Who is named in an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Position of a member.
    User(usize),
    /// Slug.
    Team(&'static str),
    /// Slug.
    App(&'static str),
}

/// A ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruleset {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) level: Level,
    pub(crate) enforcement: Enforcement,
    /// Ref patterns: `~ALL`, `~DEFAULT_BRANCH` or `refs/heads/…`.
    pub(crate) include: Vec<&'static str>,
    pub(crate) exclude: Vec<&'static str>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) bypass: Vec<Bypass>,
    pub(crate) updated: DateTime<Utc>,
}

/// Where a ruleset is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Level {
    /// For the repositories whose names start so; empty for all.
    Organization(&'static str),
    /// The repository's own.
    Repository,
}

/// Whether a ruleset counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enforcement {
    /// It does.
    Active,
    /// A dry run.
    Evaluate,
    /// Switched off.
    Disabled,
}

/// A rule of a ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Changes come by pull request only.
    PullRequest { approvals: u32, dismisses_stale: bool, last_push_approval: bool, code_owner_review: bool, conversation_resolution: bool },
    /// Context, and the number of the app that must report it.
    StatusChecks { strict: bool, contexts: Vec<(&'static str, Option<u64>)> },
    /// Commits are signed.
    Signatures,
    /// No merge commits.
    LinearHistory,
    /// No force pushes.
    NonFastForward,
    /// No deletion.
    Deletion,
    /// Only bypass actors push.
    Update,
    /// Merges go through a queue.
    MergeQueue,
}

/// Who is not bound by a ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bypass {
    pub(crate) who: Exempt,
    pub(crate) mode: BypassMode,
}

/// A bypass actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exempt {
    /// Every owner of the organisation.
    OrganizationAdmin,
    /// Slug.
    Team(&'static str),
    /// Slug.
    App(&'static str),
    /// `admin` and other roles.
    Role(&'static str),
    /// Every deploy key.
    DeployKey,
}

/// When a bypass holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BypassMode {
    /// For pushes too.
    Always,
    /// For pull requests only.
    PullRequest,
}

impl Ruleset {
    /// Whether it is about the repository of this name.
    pub(crate) fn covers(&self, repository: &str) -> bool {
        match self.level {
            Level::Organization(prefix) => repository.starts_with(prefix),
            Level::Repository => true,
        }
    }

    /// Whether it is in force on the repository's default branch.
    pub(crate) fn binds(&self, default_branch: &str) -> bool {
        let meets = |pattern: &&str| match *pattern {
            "~ALL" | "~DEFAULT_BRANCH" => true,
            pattern => pattern.strip_prefix("refs/heads/").is_some_and(|glob| match glob.split_once('*') {
                Some((prefix, _)) => default_branch.starts_with(prefix),
                None => glob == default_branch,
            }),
        };
        self.enforcement == Enforcement::Active && self.include.iter().any(meets) && !self.exclude.iter().any(meets)
    }
}

/// The organisation's rulesets: one in force on some repositories, one on release branches, a dry run and a disabled one on all.
pub(crate) fn of_organization(plan: &Plan) -> Vec<Ruleset> {
    let reviewed = |approvals| Rule::PullRequest {
        approvals,
        dismisses_stale: true,
        last_push_approval: false,
        code_owner_review: false,
        conversation_resolution: approvals > 1,
    };
    let ruleset = |id: u64, name: &str, prefix, enforcement, include, rules| Ruleset {
        id,
        name: name.to_owned(),
        level: Level::Organization(prefix),
        enforcement,
        include,
        exclude: Vec::new(),
        rules,
        bypass: vec![Bypass { who: Exempt::OrganizationAdmin, mode: BypassMode::PullRequest }],
        updated: plan.instant(-200),
    };
    vec![
        ruleset(101, "baseline", "payments-", Enforcement::Active, vec!["~DEFAULT_BRANCH"], vec![Rule::Deletion, Rule::NonFastForward, reviewed(1)]),
        ruleset(102, "baseline, next year", "", Enforcement::Evaluate, vec!["~ALL"], vec![reviewed(2), Rule::Signatures, Rule::LinearHistory]),
        ruleset(103, "old baseline", "", Enforcement::Disabled, vec!["~DEFAULT_BRANCH"], vec![reviewed(1), Rule::NonFastForward]),
        ruleset(104, "release branches", "", Enforcement::Active, vec!["refs/heads/release/*"], vec![reviewed(2), Rule::Deletion]),
    ]
}

/// The protection of one repository in the first night.
pub(crate) fn of_repository(plan: &Plan, index: u64, members: usize) -> (Option<Classic>, Vec<Ruleset>) {
    let mut dice = Dice::of(plan.seed, "protection", &[index]);
    match dice.below(100) {
        0..45 => (Some(strong(&mut dice, members)), Vec::new()),
        45..60 => (Some(weak(&mut dice)), Vec::new()),
        60..75 => (None, vec![own_ruleset(plan, index, &mut dice)]),
        75..85 => (Some(strong(&mut dice, members)), vec![own_ruleset(plan, index, &mut dice)]),
        _ => (None, Vec::new()),
    }
}

fn strong(dice: &mut Dice, members: usize) -> Classic {
    let contexts: &[&[(&str, Option<&str>)]] =
        &[&[("build", Some("github-actions"))], &[("build", None), ("test", Some("github-actions"))], &[("ci/legacy", None)]];
    let bypass: &[&[Actor]] = &[&[], &[], &[Actor::Team("release")], &[Actor::App("renovate"), Actor::User(0)]];
    let mut bypass = dice.pick(bypass).to_vec();
    bypass.retain(|actor| !matches!(actor, Actor::User(index) if *index >= members));
    Classic {
        approvals: Some(if dice.chance(30) { 2 } else { 1 }),
        dismisses_stale: dice.chance(70),
        last_push_approval: dice.chance(30),
        code_owner_review: dice.chance(30),
        conversation_resolution: dice.chance(40),
        restricts_dismissals: dice.chance(20),
        checks: dice.chance(85).then(|| Checks { strict: dice.chance(40), contexts: dice.pick(contexts).to_vec() }),
        signatures: dice.chance(15),
        linear_history: dice.chance(25),
        allows_force_pushes: false,
        allows_deletions: false,
        restricts_pushes: dice.chance(20),
        admins_too: dice.chance(75),
        bypass,
    }
}

/// Protected in name: no review, or force pushes allowed, or required checks without a check.
fn weak(dice: &mut Dice) -> Classic {
    let kind = dice.below(3);
    Classic {
        approvals: (kind == 1).then_some(1),
        allows_force_pushes: kind == 1,
        allows_deletions: dice.chance(30),
        checks: (kind == 2).then(Checks::default),
        ..Classic::default()
    }
}

fn own_ruleset(plan: &Plan, index: u64, dice: &mut Dice) -> Ruleset {
    let mut rules = vec![Rule::PullRequest {
        approvals: u32::try_from(dice.below(3)).unwrap_or_default(),
        dismisses_stale: dice.chance(50),
        last_push_approval: dice.chance(40),
        code_owner_review: dice.chance(30),
        conversation_resolution: dice.chance(50),
    }];
    let checks = || Rule::StatusChecks { strict: true, contexts: vec![("build", Some(15_368)), ("lint", None)] };
    let others: [(usize, fn() -> Rule); 6] = [
        (80, || Rule::NonFastForward),
        (80, || Rule::Deletion),
        (20, || Rule::Signatures),
        (20, || Rule::LinearHistory),
        (10, || Rule::Update),
        (10, || Rule::MergeQueue),
    ];
    rules.extend(others.into_iter().filter(|(percent, _)| dice.chance(*percent)).map(|(_, rule)| rule()));
    if dice.chance(60) {
        rules.push(checks());
    }
    let exempt: &[&[Exempt]] =
        &[&[], &[], &[Exempt::OrganizationAdmin], &[Exempt::Team("release"), Exempt::App("renovate")], &[Exempt::Role("admin")], &[Exempt::DeployKey]];
    let enforcement = *dice.pick(&[Enforcement::Active, Enforcement::Active, Enforcement::Active, Enforcement::Evaluate, Enforcement::Disabled]);
    let excluded: &[&[&str]] = &[&[], &[], &[], &[], &["~DEFAULT_BRANCH"], &["refs/heads/gh-pages"]];
    let who = dice.pick(exempt).to_vec();
    Ruleset {
        id: 10_000 + index,
        name: "protect".to_owned(),
        level: Level::Repository,
        enforcement,
        include: dice.pick(&[vec!["~DEFAULT_BRANCH"], vec!["~ALL"], vec!["refs/heads/main"], vec!["refs/heads/ma*"]]).clone(),
        exclude: dice.pick(excluded).to_vec(),
        rules,
        bypass: who.into_iter().map(|who| Bypass { who, mode: if dice.chance(50) { BypassMode::Always } else { BypassMode::PullRequest } }).collect(),
        updated: plan.instant(-120),
    }
}
