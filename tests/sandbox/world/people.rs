//! Members, outside collaborators, teams, and who acts.

use chrono::{DateTime, Utc};

use crate::sandbox::random::Dice;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::{Plan, World};

/// A member of the organisation.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) login: String,
    pub(crate) owner: bool,
    pub(crate) two_factor: bool,
    /// GraphQL leaves the two-factor state of some members out even for owners.
    pub(crate) two_factor_shown: bool,
    pub(crate) created: DateTime<Utc>,
}

/// Roles of the organisation beyond owner and member: number and name.
pub(crate) const ROLES: [(u64, &str); 2] = [(8_132, "all_repo_read"), (8_136, "security_manager")];

impl Member {
    /// Whether the second factor may be a text message.
    pub(crate) fn insecure(&self) -> bool {
        self.two_factor && self.id % 9 == 4
    }

    /// The number of the identity that the account is linked to; none where it never was.
    pub(crate) fn identity(&self) -> Option<String> {
        (self.id % 6 != 5).then(|| format!("00000000-0000-0000-0000-{:012}", self.id))
    }
}

/// Somebody with access to single repositories only.
#[derive(Debug, Clone)]
pub(crate) struct Outsider {
    pub(crate) id: u64,
    pub(crate) login: String,
}

/// A team: positions of its members.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) id: u64,
    pub(crate) slug: &'static str,
    pub(crate) members: Vec<usize>,
    /// Who looks after it; nobody after the last one.
    pub(crate) maintainer: Option<usize>,
}

impl Team {
    /// The repositories that it has access to.
    pub(crate) fn repositories<'w>(&self, world: &'w World) -> Vec<&'w Repository> {
        world.repositories.iter().filter(|repository| repository.id % 7 == self.id % 7).collect()
    }

    /// What it may do there.
    pub(crate) fn permission(&self) -> &'static str {
        if self.slug == "release" { "ADMIN" } else { "WRITE" }
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Person {
    /// By position.
    Member(usize),
    /// By position.
    Outsider(usize),
    /// An app's login, without `[bot]`, as GraphQL shows it.
    Bot(&'static str),
    /// A deleted account.
    Ghost,
}

const NAMES: &[&str] = &["ada", "bo", "chidi", "dana", "eiko", "farid", "grete", "hugo", "ines", "jun", "kofi", "lena", "mira", "noor", "olu", "pia"];

/// Those who are members in this night: each night one more joins, every second of them without a second factor.
pub(crate) fn members(plan: &Plan) -> Vec<Member> {
    let joined = usize::try_from(plan.night).unwrap_or_default();
    (0..plan.members + joined).map(|index| member(plan, index)).collect()
}

fn member(plan: &Plan, index: usize) -> Member {
    let number = u64::try_from(index).unwrap_or_default();
    let mut dice = Dice::of(plan.seed, "member", &[number]);
    let newcomer = index.checked_sub(plan.members);
    let two_factor = match newcomer {
        Some(later) => later % 2 == 1,
        None => !dice.chance(8),
    };
    Member {
        id: 50_000 + number,
        login: format!("{}-{number}", dice.pick(NAMES)),
        owner: index < 2 || (newcomer.is_none() && dice.chance(4)),
        two_factor,
        two_factor_shown: newcomer.is_some() || index < 2 || !dice.chance(6),
        created: plan.instant(-900 - i64::try_from(dice.below(900)).unwrap_or_default()),
    }
}

/// The outside collaborators.
pub(crate) fn outsiders(plan: &Plan) -> Vec<Outsider> {
    let count = u64::try_from(1 + plan.members / 8).unwrap_or(1);
    (0..count).map(|index| Outsider { id: 70_000 + index, login: format!("contractor-{index}") }).collect()
}

impl World {
    /// The teams that hold a role, and the people with how they hold it.
    pub(crate) fn holders(&self, role: &str) -> (Vec<&'static str>, Vec<(&str, &'static str)>) {
        let login = |index: &usize| self.members.get(*index).map(|member| member.login.as_str());
        match role {
            "security_manager" => {
                let team = self.teams.iter().find(|team| team.slug == "security");
                let members = team.iter().flat_map(|team| &team.members).filter_map(login).map(|login| (login, "indirect"));
                (vec!["security"], members.collect())
            }
            _ => (Vec::new(), login(&0).map(|login| (login, "direct")).into_iter().collect()),
        }
    }
}

/// Three teams over the members of the first night.
pub(crate) fn teams(members: &[Member]) -> Vec<Team> {
    let slugs = ["cloud-devops", "security", "release"];
    let every = |step: usize| (0..members.len()).filter(|index| index % step == 0).collect();
    let team = |(index, slug): (u64, &'static str)| {
        let members: Vec<usize> = every(usize::try_from(index).unwrap_or_default() + 1);
        Team { id: 300 + index, slug, maintainer: members.first().copied().filter(|_first| index < 2), members }
    };
    (0_u64..).zip(slugs).map(team).collect()
}
