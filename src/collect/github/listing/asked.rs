//! Which repositories have a listing that is worth a request, and what in them: the bulk query tells, so that most are not asked in vain.

use crate::collect::github::answer::Field;
use crate::collect::github::wording::{path_part, repository_path};
use crate::collect::github::workflow;
use crate::model::{Gap, GapCause};

/// Which repositories are asked for their listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Those for which this connection of the bulk query counts at least one item, e.g. `deployKeys`. The counts are the second count.
    Counted(&'static str),
    /// Those that are not archived: an archived one sends nothing and runs nothing.
    InUse,
    /// Those that are not archived and have workflows on their default branch.
    WithWorkflows,
    /// Those that are not archived and have a `.github/dependabot.yml` on their default branch.
    WithDependabot,
    /// Those that are not archived, for each of their environments.
    Environments,
}

/// What has one listing.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What its exchanges are filed under.
    pub(super) subject: String,
    /// The path above the listing's own.
    pub(super) below: String,
    /// The repository; empty for an organisation.
    pub(super) repository: String,
    /// The environment; empty where it is not one.
    pub(super) environment: String,
}

impl Place {
    pub(super) fn organization(login: &str) -> Self {
        Self { subject: login.to_owned(), below: format!("/orgs/{}", path_part(login)), repository: String::new(), environment: String::new() }
    }

    fn repository(name: &str) -> Self {
        Self { subject: name.to_owned(), below: format!("/repos/{}", repository_path(name)), repository: name.to_owned(), environment: String::new() }
    }

    fn environment(repository: &str, name: &str) -> Self {
        Self {
            subject: format!("{repository}/environments/{name}"),
            below: format!("/repos/{}/environments/{}", repository_path(repository), path_part(name)),
            repository: repository.to_owned(),
            environment: name.to_owned(),
        }
    }

    /// Where the names of its items lie.
    pub(super) fn folder(&self) -> String {
        match (self.repository.as_str(), self.environment.as_str()) {
            ("", _) => format!("orgs/{}", self.subject),
            (repository, "") => repository.to_owned(),
            (repository, environment) => format!("{repository}/environments/{}", path_part(environment)),
        }
    }

    /// What a person calls an item of it.
    pub(super) fn titled(&self, title: String) -> String {
        match (self.repository.as_str(), self.environment.as_str()) {
            ("", _) => title,
            (repository, "") => format!("{repository}: {title}"),
            (repository, environment) => format!("{repository}: {environment}: {title}"),
        }
    }
}

impl Asked {
    /// Whose listing it is, as a definition of the population says it.
    pub(super) fn whose(self) -> String {
        match self {
            Self::Counted(connection) => format!("every repository that has any ({connection})"),
            Self::InUse => "every repository that is not archived".to_owned(),
            Self::WithWorkflows => "every repository that is not archived and has workflows on its default branch".to_owned(),
            Self::WithDependabot => "every repository that is not archived and has .github/dependabot.yml on its default branch".to_owned(),
            Self::Environments => "every environment of every repository that is not archived".to_owned(),
        }
    }

    /// The path above the listing's own, with places for names.
    pub(super) fn below(self) -> &'static str {
        if self == Self::Environments { "/repos/{owner}/{repo}/environments/{environment_name}" } else { "/repos/{owner}/{repo}" }
    }

    /// The places to ask in one repository of the bulk query, and why they are not all. What is not known to be in vain is asked.
    pub(super) fn places(self, name: &str, node: &Field<'_>) -> (Vec<Place>, Option<Gap>) {
        let in_use = node.get("isArchived").bool() != Ok(true);
        let is_asked = match self {
            Self::Counted(connection) => node.path(&[connection, "totalCount"]).int() != Ok(0) || node.get("viewerCanAdminister").bool() != Ok(true),
            Self::InUse => in_use,
            Self::WithWorkflows => in_use && workflow::names(node).map_or(true, |names| !names.is_empty()),
            Self::WithDependabot => in_use && !lacks_dependabot(node),
            Self::Environments if in_use => return environments(name, node),
            Self::Environments => false,
        };
        (if is_asked { vec![Place::repository(name)] } else { Vec::new() }, None)
    }
}

/// Null means "no such file" only to who can read the content, which the default branch proves.
fn lacks_dependabot(node: &Field<'_>) -> bool {
    let branch = node.get("defaultBranchRef");
    let is_readable = branch.get("name").text().is_ok() || (branch.is_none() && node.get("isEmpty").bool() == Ok(true));
    node.get("dependabot").is_none() && is_readable
}

fn environments(repository: &str, node: &Field<'_>) -> (Vec<Place>, Option<Gap>) {
    let (nodes, mut gap) = node.get("environments").nodes();
    let mut places = Vec::new();
    for environment in nodes {
        match environment.get("name").text() {
            Ok(name) => places.push(Place::environment(repository, name)),
            Err(why) => gap = Some(why),
        }
    }
    let named = |gap: Gap| Gap { detail: format!("not all environments of {repository} are known: {}", gap.detail), cause: GapCause::Incomplete, ..gap };
    (places, gap.map(named))
}
