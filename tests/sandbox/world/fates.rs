//! What becomes of repositories between two nights: renamed, transferred, deleted, made again under the same name, made, hidden.
//!
//! Left out: repositories that hold tasks, whose places others point to.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::truth::Truth;
use crate::sandbox::world::{Plan, World};

/// Something that happened to one repository before a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) night: u32,
    /// Its place in a world without fates.
    pub(crate) place: u64,
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// It has another name.
    Renamed(&'static str),
    /// Another owner has it, and whoever asks may look there.
    TransferredInSight(&'static str),
    /// Another owner has it, out of sight.
    TransferredAway,
    /// It is no more.
    Deleted,
    /// It is no more, and another one has its name.
    Remade,
    /// Nobody may read it any more, though REST lists it.
    Hidden,
    /// One like it was made, with this name.
    Made(&'static str),
}

/// A repository that the organisation had.
#[derive(Debug, Clone)]
pub(crate) struct Departed {
    pub(crate) id: u64,
    /// What it was called in the organisation.
    pub(crate) name: String,
    /// What it is called where it can be seen now.
    pub(crate) now: Option<String>,
    /// The one that has its name now.
    pub(crate) successor: Option<u64>,
}

/// Lets it all happen.
pub(crate) fn befall(plan: &Plan, repositories: &mut Vec<Repository>) -> Vec<Departed> {
    let mut departed = Vec::new();
    for fate in plan.fates.iter().filter(|fate| fate.night <= plan.night) {
        let Some(place) = repositories.iter().position(|repository| repository.id == 1_000_000 + fate.place) else { continue };
        let Some(repository) = repositories.get_mut(place) else { continue };
        let gone = |now: Option<String>, successor| Departed { id: repository.id, name: format!("{}/{}", plan.organization, repository.name), now, successor };
        match &fate.what {
            What::Renamed(name) => repository.former_name = Some(std::mem::replace(&mut repository.name, (*name).to_owned())),
            What::TransferredInSight(owner) => departed.push(gone(Some(format!("{owner}/{}", repository.name)), None)),
            What::TransferredAway | What::Deleted => departed.push(gone(None, None)),
            What::Remade => {
                departed.push(gone(None, Some(2_000_000 + fate.place)));
                let again = another(plan, repository, fate, repository.name.clone());
                repositories.push(again);
            }
            What::Hidden => {}
            What::Made(name) => {
                let another = another(plan, repository, fate, (*name).to_owned());
                repositories.push(another);
            }
        }
        if departed.iter().any(|departed| departed.id == 1_000_000 + fate.place) {
            repositories.remove(place);
        }
    }
    departed
}

fn another(plan: &Plan, like: &Repository, fate: &Fate, name: String) -> Repository {
    Repository {
        id: 2_000_000 + fate.place,
        name,
        former_name: None,
        created: plan.instant(i64::from(fate.night)) - TimeDelta::hours(3),
        pull_requests: Vec::new(),
        issues: Vec::new(),
        ..like.clone()
    }
}

impl World {
    /// Whether a repository was hidden.
    pub(crate) fn is_hidden(&self, repository: &Repository) -> bool {
        let hides = |fate: &Fate| fate.what == What::Hidden && fate.night <= self.plan.night && repository.id == 1_000_000 + fate.place;
        self.plan.fates.iter().any(hides)
    }

    /// A repository that left and can be seen where it is.
    pub(crate) fn departed_in_sight(&self, id: u64) -> Option<(u64, &str)> {
        self.departed.iter().find(|departed| departed.id == id).and_then(|departed| Some((departed.id, departed.now.as_deref()?)))
    }

    /// The register of tonight, where every night was looked at.
    pub(super) fn tell_register(&self, truth: &mut Truth) {
        let id = |number: u64| format!("github.com/orgs/{}/repositories/{number}", self.plan.organization);
        for repository in &self.repositories {
            let tonight = |what: &Fate| what.night == self.plan.night && what.night > 0;
            let made = |fate: &&Fate| matches!(fate.what, What::Made(_) | What::Remade) && repository.id == 2_000_000 + fate.place;
            let renamed = |fate: &&Fate| matches!(fate.what, What::Renamed(_)) && repository.id == 1_000_000 + fate.place;
            let fates = || self.plan.fates.iter().filter(|fate| tonight(fate));
            let former = repository.former_name.as_ref().filter(|_| fates().any(|fate| renamed(&fate)));
            let state = match (self.is_readable(repository), former, fates().any(|fate| made(&fate))) {
                (false, _, _) => "unreadable",
                (true, Some(_), _) => "renamed",
                (true, None, true) => "new",
                (true, None, false) => "listed",
            };
            let facts = json!({
                "number": repository.id, "name": self.full_name(repository), "organization": self.plan.organization, "state": state,
                "former_name": former.map(|name| format!("{}/{name}", self.plan.organization)), "successor": Value::Null,
            });
            truth.add("github.known_repository", id(repository.id), facts);
        }
        for departed in &self.departed {
            let facts = json!({
                "number": departed.id, "name": departed.now.as_ref().unwrap_or(&departed.name), "organization": self.plan.organization,
                "state": if departed.now.is_some() { "moved" } else { "gone" }, "former_name": departed.now.as_ref().map(|_| &departed.name),
                "successor": departed.successor,
            });
            truth.add("github.known_repository", id(departed.id), facts);
        }
    }
}
