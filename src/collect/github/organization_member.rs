//! `github.organization_member`: the people of an organisation, with their role and whether they have a second factor.
//!
//! Left out: outside collaborators, pending invitations and single sign-on identities.

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, set};
use crate::collect::github::members::{self, FilteredRoll, Member, SEES_MEMBERS};
use crate::collect::github::wording::some_of;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Population, Resource, Scope, Tally};

/// The collector of `github.organization_member`.
#[derive(Debug, Clone, Copy)]
pub struct OrganizationMember;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.organization_member",
    meaning: "a person who is a member or an owner of an organisation",
    permission: SEES_MEMBERS,
    attributes: &[
        AttributeDecl {
            name: "login",
            ty: AttributeType::Text,
            meaning: "the name of the account",
            vendor: "GraphQL Organization.membersWithRole.edges.node.login",
        },
        AttributeDecl {
            name: "role",
            ty: AttributeType::Text,
            meaning: "ADMIN for an owner, else MEMBER",
            vendor: "GraphQL Organization.membersWithRole.edges.role",
        },
        AttributeDecl {
            name: "has_two_factor",
            ty: AttributeType::Bool,
            meaning: "the account has a second factor",
            vendor: "GraphQL Organization.membersWithRole.edges.hasTwoFactorEnabled, held against GET /orgs/{org}/members?filter=2fa_disabled",
        },
        AttributeDecl { name: "organization", ty: AttributeType::Text, meaning: "the organisation", vendor: "the configuration" },
    ],
};

#[async_trait]
impl Collector for OrganizationMember {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            members::fetch_all(organization, api, KIND.name).await?;
            members::fetch(members::Filter::Owners, organization, api, KIND.name).await?;
            members::fetch(members::Filter::WithoutSecondFactor, organization, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(&KIND, format!("all members and owners of {}", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            read(organization, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let without = members::filtered(members::Filter::WithoutSecondFactor, organization, evidence)?;
    let owners = members::filtered(members::Filter::Owners, organization, evidence)?;
    let mut gaps = Vec::new();
    let mut count = 0;
    let roll = members::each(organization, evidence, &mut |member| match resource(organization, &member, &without) {
        Ok(resource) => {
            count += 1;
            emit(resource);
        }
        Err(gap) => gaps.push(gap),
    })?;
    gaps.extend(roll.gaps.iter().cloned());
    gaps.extend(members::owner_disagreement(&roll, &owners));
    if let (Ok(without), true) = (&without, roll.gaps.is_empty()) {
        let strangers: Vec<&String> = without.logins.keys().filter(|login| !roll.logins.contains(*login)).collect();
        if !strangers.is_empty() {
            let detail =
                format!("the REST list of members without a second factor names {} who are not in the GraphQL list: {}", strangers.len(), some_of(&strangers));
            gaps.push(Gap::new(GapCause::Incomplete, detail));
        }
    }
    let second_source = match roll.total {
        Some(_) => "GraphQL Organization.membersWithRole.totalCount".to_owned(),
        None => format!("none: GraphQL did not answer membersWithRole.totalCount for {organization}"),
    };
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count: roll.total, second_source });
    population.evidence.extend(&roll.evidence);
    population.evidence.extend(owners.iter().chain(without.iter()).flat_map(|listed| listed.evidence.iter().copied()));
    population.gaps.append(&mut gaps);
    Ok(())
}

fn resource(organization: &str, member: &Member<'_>, without: &Fact<FilteredRoll>) -> Result<Resource, Gap> {
    let id = format!("github.com/orgs/{organization}/people/{}", member.login);
    let id = id.parse().map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut cited = vec![member.exchange];
    if let Ok(without) = without {
        match without.logins.get(member.login) {
            Some(exchange) => cited.push(*exchange),
            None => cited.extend(&without.evidence),
        }
    }
    let mut resource = Resource::new(&KIND, id, member.login, cited);
    resource.know("login", member.login);
    resource.know("organization", organization);
    set(&mut resource, "role", member.edge.get("role").text().map(ToOwned::to_owned));
    set(&mut resource, "has_two_factor", second_factor(member, without));
    Ok(resource.completed(&KIND))
}

/// GraphQL's word, unless REST contradicts it; where GraphQL gives none, REST's list of who has no second factor, if it was read to its end.
fn second_factor(member: &Member<'_>, without: &Fact<FilteredRoll>) -> Fact<bool> {
    let told = member.edge.get("hasTwoFactorEnabled").needing(SEES_MEMBERS).bool();
    let without = match without {
        Ok(without) => without,
        // The list may still tell, where it can be read later.
        Err(gap) if gap.cause.is_transient() => return told.map_err(|_silent| gap.clone()),
        Err(_) => return told,
    };
    let listed_without = without.logins.contains_key(member.login);
    match told {
        Ok(has) if has == listed_without => Err(Gap::new(GapCause::Incomplete, "GraphQL and REST disagree on whether the account has a second factor")),
        Ok(has) => Ok(has),
        Err(gap) if gap.cause == GapCause::Malformed => Err(gap),
        Err(_) => Ok(!listed_without),
    }
}
