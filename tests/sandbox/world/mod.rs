//! The generated world: one organisation on GitHub and one on Google Cloud, whose every fact is known.
//!
//! A world is a pure function of its `Plan`. Nights differ by drift only: what drift leaves alone is byte for byte the same, so that `ETag`s change exactly where data changed.

pub(crate) mod activity;
pub(crate) mod assets;
pub(crate) mod audit;
pub(crate) mod boards;
pub(crate) mod changes;
pub(crate) mod commits;
pub(crate) mod deployments;
pub(crate) mod directory;
pub(crate) mod discussions;
pub(crate) mod fates;
pub(crate) mod google;
pub(crate) mod hostile;
pub(crate) mod milestones;
pub(crate) mod people;
pub(crate) mod protection;
pub(crate) mod releases;
pub(crate) mod repositories;
pub(crate) mod reviews;
pub(crate) mod settings;
pub(crate) mod tasks;
pub(crate) mod truth;
mod truth_access;
pub(crate) mod truth_google;
mod truth_groups;
pub(crate) mod truth_people;
mod truth_principals;
mod truth_rules;
pub(crate) mod truth_tasks;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};

use crate::sandbox::world::fates::{Departed, Fate};
use crate::sandbox::world::google::Google;
use crate::sandbox::world::people::{Member, Outsider, Person, Team};
use crate::sandbox::world::protection::Ruleset;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::settings::Leaves;
use crate::sandbox::world::tasks::Issue;

/// What to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Everything else being equal, another seed is another organisation.
    pub(crate) seed: u64,
    /// Nights since the first one; drift adds up.
    pub(crate) night: u32,
    /// The instant of night 0. All other instants derive from it, so it stays the same from night to night.
    pub(crate) start: DateTime<Utc>,
    /// Login of the organisation.
    pub(crate) organization: String,
    pub(crate) repositories: usize,
    pub(crate) members: usize,
    /// Google Cloud projects.
    pub(crate) projects: usize,
    /// How many times each of them holds what large projects hold many of.
    pub(crate) density: usize,
    /// Pull requests merged in each night.
    pub(crate) changes_per_night: usize,
    /// Nights before night 0 in which pull requests were merged.
    pub(crate) history_nights: u32,
    /// Issues with `task_label`.
    pub(crate) tasks: usize,
    pub(crate) task_label: String,
    /// Share of repositories that the viewer does not administer, in percent.
    pub(crate) not_admin_percent: usize,
    /// Share of repositories and Google resources that change in a night, in percent.
    pub(crate) drift_percent: usize,
    pub(crate) viewer: Viewer,
    /// Every so many-th repository is listed by REST and can be read by nobody: GraphQL hides it, and below its path is nothing.
    pub(crate) unreadable_every: Option<u64>,
    /// What the organisation leaves to its repositories of what GitHub Actions may do.
    pub(crate) leaves: Leaves,
    /// Whether Cloud Asset Inventory answers.
    pub(crate) inventory: google::Inventory,
    /// What becomes of repositories, in the order in which it happens.
    pub(crate) fates: Vec<Fate>,
    /// Issues beside the generated ones.
    pub(crate) added: Vec<Added>,
}

/// An issue that somebody opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Added {
    /// Position of its repository.
    pub(crate) repository: usize,
    pub(crate) issue: Issue,
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// An owner of the organisation.
    Owner,
    /// A member: no two-factor state, no member privileges, no Actions settings.
    Member,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            night: 0,
            start: Utc.with_ymd_and_hms(2026, 11, 2, 2, 0, 0).single().unwrap_or_default(),
            organization: "acme".to_owned(),
            repositories: 40,
            members: 25,
            projects: 12,
            density: 1,
            changes_per_night: 6,
            history_nights: 14,
            tasks: 36,
            task_label: "security-task".to_owned(),
            not_admin_percent: 5,
            drift_percent: 3,
            viewer: Viewer::Owner,
            unreadable_every: None,
            leaves: Leaves::Pinning,
            inventory: google::Inventory::On,
            fates: Vec::new(),
            added: Vec::new(),
        }
    }
}

impl Plan {
    /// The instant of `night`, which may lie before the first.
    pub(crate) fn instant(&self, night: i64) -> DateTime<Utc> {
        self.start + TimeDelta::days(night)
    }

    /// Whether something changes for `index` in `night`.
    pub(crate) fn drifts(&self, purpose: &str, night: u32, index: u64) -> bool {
        crate::sandbox::random::Dice::of(self.seed, purpose, &[u64::from(night), index]).chance(self.drift_percent)
    }
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) organization_id: u64,
    pub(crate) created: DateTime<Utc>,
    pub(crate) members: Vec<Member>,
    pub(crate) outsiders: Vec<Outsider>,
    pub(crate) teams: Vec<Team>,
    /// The organisation's own rulesets.
    pub(crate) rulesets: Vec<Ruleset>,
    /// In the order of their creation.
    pub(crate) repositories: Vec<Repository>,
    /// Repositories that it had.
    pub(crate) departed: Vec<Departed>,
    /// Positions in `repositories`, by name.
    pub(crate) by_name: BTreeMap<String, usize>,
    pub(crate) google: Google,
}

impl World {
    /// The labels that issues are listed by: those of tasks, and those that shipped controls ask for, most of which nothing has.
    pub(crate) fn issue_labels(&self) -> impl Iterator<Item = &str> {
        const OTHERS: [&str; 16] = [
            "access-review",
            "devops/support",
            "every-environment",
            "exercise",
            "follow-up",
            "incident",
            "mi/teardown-request",
            "pr-audit",
            "release-upgrade",
            "restore-test",
            "risk-accepted",
            "silenced-alert",
            "team/devops",
            "tracking",
            "vulnerability-extended",
            "vulnerability-report",
        ];
        std::iter::once(self.plan.task_label.as_str()).chain(OTHERS)
    }

    /// Whether the viewer may read a repository. Those with tasks always are: what is hidden of a board is another test's.
    pub(crate) fn is_readable(&self, repository: &Repository) -> bool {
        let hides = |every: u64| repository.id % every == 3 && repository.issues.is_empty();
        !self.plan.unreadable_every.is_some_and(hides) && !self.is_hidden(repository)
    }

    /// Generates.
    pub(crate) fn new(plan: Plan) -> Self {
        let members = people::members(&plan);
        let outsiders = people::outsiders(&plan);
        let teams = people::teams(&members);
        let mut repositories = repositories::generate(&plan, outsiders.len());
        tasks::generate(&plan, &mut repositories);
        changes::generate(&plan, &mut repositories);
        tasks::link(&plan, &mut repositories);
        reviews::generate(&plan, &mut repositories);
        for Added { repository, issue } in &plan.added {
            repositories.get_mut(*repository).into_iter().for_each(|repository| repository.issues.push(issue.clone()));
        }
        let departed = fates::befall(&plan, &mut repositories);
        let by_name = repositories.iter().enumerate().map(|(index, repository)| (repository.name.clone(), index)).collect();
        Self {
            organization_id: 9_000 + plan.seed,
            created: plan.instant(-2_000),
            rulesets: protection::of_organization(&plan),
            google: Google::new(&plan),
            members,
            outsiders,
            teams,
            repositories,
            departed,
            by_name,
            plan,
        }
    }

    /// The same world one night later.
    pub(crate) fn next_night(&self) -> Self {
        Self::new(Plan { night: self.plan.night + 1, ..self.plan.clone() })
    }

    /// The instant of this night.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.plan.instant(i64::from(self.plan.night))
    }

    /// A repository by its name, or by the name it had before.
    pub(crate) fn repository(&self, name: &str) -> Option<(usize, &Repository)> {
        let by_old_name = || self.repositories.iter().position(|repository| repository.former_name.as_deref() == Some(name));
        let index = self.by_name.get(name).copied().or_else(by_old_name)?;
        Some((index, self.repositories.get(index)?))
    }

    /// `acme/web`.
    pub(crate) fn full_name(&self, repository: &Repository) -> String {
        format!("{}/{}", self.plan.organization, repository.name)
    }

    /// The login that GraphQL shows; none for a deleted account.
    pub(crate) fn login(&self, person: &Person) -> Option<&str> {
        match person {
            Person::Member(index) => self.members.get(*index).map(|member| member.login.as_str()),
            Person::Outsider(index) => self.outsiders.get(*index).map(|outsider| outsider.login.as_str()),
            Person::Bot(login) => Some(login),
            Person::Ghost => None,
        }
    }

    /// The rulesets that concern a repository: the organisation's and its own, whatever their enforcement.
    pub(crate) fn rulesets_of<'a>(&'a self, repository: &'a Repository) -> impl Iterator<Item = &'a Ruleset> {
        self.rulesets.iter().filter(|ruleset| ruleset.covers(&repository.name)).chain(&repository.rulesets)
    }

    /// The rulesets that are in force on the default branch.
    pub(crate) fn in_force<'a>(&'a self, repository: &'a Repository) -> impl Iterator<Item = &'a Ruleset> {
        self.rulesets_of(repository).filter(|ruleset| ruleset.binds(&repository.default_branch))
    }
}
