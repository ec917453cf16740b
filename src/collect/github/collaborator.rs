//! `github.collaborator`: who was given access to a repository by the repository itself, members and outside collaborators, and what they may do there.
//!
//! Left out: who has access only through a team (`repository_team`), as an owner, or by the organisation's base permission.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::repository_access::{self, SEES_ACCESS};
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.collaborator`.
#[derive(Debug, Clone, Copy)]
pub struct Collaborator;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.collaborator",
    meaning: "a person who was given access to a repository by the repository itself and not through a team",
    permission: SEES_ACCESS,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("repository_archived", AttributeType::Bool, "the repository is archived, so that nothing in it changes", "GraphQL Repository.isArchived"),
        attribute("login", AttributeType::Text, "the name of the account", "GraphQL Repository.collaborators.edges.node.login"),
        attribute("outside", AttributeType::Bool, "they are no member of the organisation", "GraphQL Repository.collaborators(affiliation: OUTSIDE)"),
        attribute(
            "permission",
            AttributeType::Text,
            "what they may do there, for whatever reason: READ, TRIAGE, WRITE, MAINTAIN or ADMIN",
            "GraphQL Repository.collaborators.edges.permission",
        ),
    ],
};

#[async_trait]
impl Collector for Collaborator {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            repository_access::fetch(organization, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(
            &KIND,
            format!(
                "everybody whom a repository of {} itself gives access, and all its outside collaborators, once for each repository",
                scope.github_organizations.join(", ")
            ),
        );
        for organization in &scope.github_organizations {
            let mut seen = BTreeSet::new();
            let mut unread = Vec::new();
            let mut all = repository_access::each(organization, evidence, &mut |node, exchange| {
                let found = people(node, exchange);
                unread.extend(found.gaps);
                found.people.into_iter().filter(|person| seen.insert(person.id.clone())).for_each(&mut *emit);
            })?;
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count: u64::try_from(seen.len()).unwrap_or(u64::MAX),
                second_count: None,
                second_source: "none: GitHub counts everybody who has direct access to a repository, those of its teams included".to_owned(),
            });
            population.gaps.append(&mut all.gaps);
            population.gaps.append(&mut unread);
            population.evidence.append(&mut all.evidence);
        }
        Ok(population)
    }
}

/// Who has access to one repository by itself, and why they may not be all.
#[derive(Default)]
struct Found {
    people: Vec<Resource>,
    gaps: Vec<Gap>,
}

fn people(node: &Field<'_>, exchange: u32) -> Found {
    let mut found = Found::default();
    let name = match node.get("nameWithOwner").text() {
        Ok(name) => name,
        Err(gap) => return Found { gaps: vec![gap], ..found },
    };
    let about = |gap: Gap| Gap { detail: format!("collaborators of {name}: {}", gap.detail), ..gap };
    let (direct, direct_gap) = repository_access::edges(&node.get("direct"));
    let (outside, outside_gap) = repository_access::edges(&node.get("outside"));
    let mut edges = BTreeMap::new();
    for edge in direct {
        match (login(&edge), is_given(&edge)) {
            (Ok(login), Ok(true)) => drop(edges.insert(login, edge)),
            (Ok(_), Ok(false)) => {}
            (Err(gap), _) | (_, Err(gap)) => found.gaps.push(about(gap)),
        }
    }
    let mut outsiders = BTreeSet::new();
    for edge in outside {
        match login(&edge) {
            Ok(login) => {
                outsiders.insert(login);
                edges.entry(login).or_insert(edge);
            }
            Err(gap) => found.gaps.push(about(gap)),
        }
    }
    for (login, edge) in edges {
        let is_outside = match &outside_gap {
            _ if outsiders.contains(login) => Ok(true),
            None => Ok(false),
            Some(gap) => Err(gap.clone()),
        };
        match resource(name, login, exchange) {
            Ok(mut resource) => {
                set(&mut resource, "repository_archived", node.get("isArchived").bool());
                set(&mut resource, "outside", is_outside);
                set(&mut resource, "permission", edge.get("permission").text().map(ToOwned::to_owned));
                found.people.push(resource.completed(&KIND));
            }
            Err(gap) => found.gaps.push(about(gap)),
        }
    }
    // Both are null where the viewer may not push: once is enough.
    found.gaps.extend(direct_gap.or(outside_gap).map(about));
    found
}

fn login<'a>(edge: &Field<'a>) -> Fact<&'a str> {
    edge.path(&["node", "login"]).text()
}

/// True where the repository itself is one of the reasons for the access.
fn is_given(edge: &Field<'_>) -> Fact<bool> {
    let sources = edge.get("permissionSources").items()?;
    let types = sources.iter().map(|source| source.path(&["source", "__typename"]).text()).collect::<Fact<Vec<_>>>()?;
    Ok(types.contains(&"Repository"))
}

fn resource(repository: &str, login: &str, exchange: u32) -> Fact<Resource> {
    let id: ResourceId = format!("github.com/{repository}/collaborators/{login}")
        .parse()
        .map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, format!("{repository}: {login}"), vec![exchange]);
    resource.know("repository", repository);
    resource.know("login", login);
    Ok(resource)
}
