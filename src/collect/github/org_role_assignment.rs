//! `github.org_role_assignment`: who holds a role of the organisation beyond owner and member, such as security manager, and through which team.
//!
//! Left out: owners (`organization_member`), roles in single repositories, and the older listing of security managers, which these roles replace.
//! <https://docs.github.com/en/rest/orgs/organization-roles>

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::wording::path_part;
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::ids::InvalidId;
use crate::model::{AttributeType, Gap, GapCause, Host, Kind, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.org_role_assignment`.
#[derive(Debug, Clone, Copy)]
pub struct OrgRoleAssignment;

const ROLES: &str = "orgs/list-org-roles";
const SEES_ROLES: &str = "Custom organization roles: read and Members: read on the organisation (token: admin:org of an owner)";

/// Who may hold a role: the operation, the end of its path, the field that names them, and what goes before the name.
const HOLDERS: [(&str, &str, &str, &str); 2] = [("orgs/list-org-role-teams", "teams", "slug", "team:"), ("orgs/list-org-role-users", "users", "login", "")];

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.org_role_assignment",
    meaning: "a role of an organisation, and a team or a person who holds it",
    permission: SEES_ROLES,
    attributes: &[
        attribute("organization", AttributeType::Text, "the organisation", "the configuration"),
        attribute("role", AttributeType::Text, "the role's name, e.g. security_manager", "GET /orgs/{org}/organization-roles roles.name"),
        attribute(
            "source",
            AttributeType::Optional(&AttributeType::Text),
            "where the role comes from: Organization, Enterprise or Predefined",
            "GET /orgs/{org}/organization-roles roles.source",
        ),
        attribute(
            "holder",
            AttributeType::Text,
            "the login of a person, or team: and the slug of a team",
            "GET /orgs/{org}/organization-roles/{role_id}/users login, …/teams slug",
        ),
        attribute(
            "assignment",
            AttributeType::Text,
            "direct; indirect through a team, which is listed itself; or mixed",
            "GET /orgs/{org}/organization-roles/{role_id}/users assignment, …/teams assignment",
        ),
    ],
};

/// A role, as the list of roles tells it.
struct Role {
    id: i64,
    name: String,
    source: Fact<Option<String>>,
    exchange: u32,
}

#[async_trait]
impl Collector for OrgRoleAssignment {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let below = format!("/orgs/{}/organization-roles", path_part(organization));
            let reply = api.send(Request::get(Host::GitHub, below.as_str(), ROLES, organization, KIND.name)).await?;
            let answer = Answer::rest(&reply.body);
            let roles = answer.root().get("roles").items().unwrap_or_default();
            let ids: Vec<i64> = roles.iter().filter_map(|role| role.get("id").int().ok()).collect();
            for id in ids {
                for (operation, path, _, _) in HOLDERS {
                    let ask = |target: &str| Request::get(Host::GitHub, target, operation, subject(organization, id), KIND.name);
                    all_pages(api, ask(&format!("{below}/{id}/{path}?per_page=100")), Paging::Link, ask, |_page| {}).await?;
                }
            }
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(
            &KIND,
            format!("teams and people who hold a role of {}, by every item of GET /orgs/{{org}}/organization-roles", scope.github_organizations.join(", ")),
        );
        for organization in &scope.github_organizations {
            let mut count = 0;
            let roles = roles(organization, evidence, &mut population)?;
            for (role, holders) in roles.iter().flat_map(|role| HOLDERS.map(|holders| (role, holders))) {
                count += read(organization, role, holders, evidence, (&mut population, &mut *emit))?;
            }
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count,
                second_count: None,
                second_source: "none: GitHub counts these nowhere else".to_owned(),
            });
        }
        Ok(population)
    }
}

/// What the exchanges about a role are filed under; whose they are stands before the slash.
fn subject(organization: &str, role: i64) -> String {
    format!("{organization}/organization-roles/{role}")
}

/// The roles, held against their own count: there is one page of them.
fn roles(organization: &str, evidence: &dyn Evidence, population: &mut Population) -> Result<Vec<Role>, Unreadable> {
    let Some(exchange) = evidence.about(ROLES, organization).first() else {
        population.gaps.push(Gap::new(GapCause::Incomplete, format!("{ROLES} was not asked for {organization}")));
        return Ok(Vec::new());
    };
    population.evidence.push(exchange.n);
    if !exchange.is_answer() {
        population.gaps.push(refused(evidence, exchange, SEES_ROLES)?);
        return Ok(Vec::new());
    }
    let answer = Answer::stored_rest(evidence, exchange)?;
    let root = answer.root().needing(SEES_ROLES);
    let items = match root.get("roles").items() {
        Ok(items) => items,
        Err(gap) => {
            population.gaps.push(gap);
            return Ok(Vec::new());
        }
    };
    match root.get("total_count").int() {
        Ok(total) if usize::try_from(total).is_ok_and(|total| total == items.len()) => {}
        Ok(total) => population.gaps.push(Gap::new(GapCause::Incomplete, format!("{} of {total} roles of {organization} are listed", items.len()))),
        Err(gap) => population.gaps.push(gap),
    }
    let role = |item: &Field<'_>| {
        let source = item.get("source").or_none(|source| source.text().map(ToOwned::to_owned));
        Ok(Role { id: item.get("id").int()?, name: item.get("name").text()?.to_owned(), source, exchange: exchange.n })
    };
    let (read, broken): (Vec<Fact<Role>>, Vec<Fact<Role>>) = items.iter().map(role).partition(Result::is_ok);
    population.gaps.extend(broken.into_iter().filter_map(Result::err));
    Ok(read.into_iter().flatten().collect())
}

/// The teams, or the people, who hold a role; gives how many.
fn read(
    organization: &str,
    role: &Role,
    (operation, path, named, prefix): (&str, &str, &str, &str),
    evidence: &dyn Evidence,
    (population, emit): (&mut Population, &mut dyn FnMut(Resource)),
) -> Result<u64, Unreadable> {
    let subject = subject(organization, role.id);
    let before = population.gaps.len();
    let mut holders = BTreeSet::new();
    for exchange in evidence.about(operation, &subject) {
        population.evidence.push(exchange.n);
        if !exchange.is_answer() {
            population.gaps.push(refused(evidence, exchange, SEES_ROLES)?);
            continue;
        }
        let answer = Answer::stored_rest(evidence, exchange)?;
        let items = match answer.root().needing(SEES_ROLES).items() {
            Ok(items) => items,
            Err(gap) => {
                population.gaps.push(gap);
                continue;
            }
        };
        for item in &items {
            match resource(organization, role, (item, exchange.n), (path, named, prefix)) {
                Ok(resource) if holders.insert(resource.id.clone()) => emit(resource),
                Ok(_) => {}
                Err(gap) => population.gaps.push(Gap { cause: GapCause::Malformed, ..gap }),
            }
        }
    }
    if population.gaps.len() == before {
        population.gaps.extend(evidence.listing_gap(operation, &subject));
    }
    Ok(u64::try_from(holders.len()).unwrap_or(u64::MAX))
}

fn resource(organization: &str, role: &Role, (item, exchange): (&Field<'_>, u32), (path, named, prefix): (&str, &str, &str)) -> Fact<Resource> {
    let name = item.get(named).text()?;
    let id = format!("github.com/orgs/{organization}/organization-roles/{}/{path}/{name}", role.id);
    let id = id.parse().map_err(|error: InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let holder = format!("{prefix}{name}");
    let mut resource = Resource::new(&KIND, id, format!("{}: {holder}", role.name), vec![role.exchange, exchange]);
    resource.know("organization", organization);
    resource.know("role", role.name.as_str());
    resource.know("holder", holder);
    set(&mut resource, "source", role.source.clone());
    set(&mut resource, "assignment", item.get("assignment").text().map(ToOwned::to_owned));
    Ok(resource.completed(&KIND))
}
