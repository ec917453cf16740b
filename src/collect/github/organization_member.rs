//! `github.organization_member`: the people of an organisation, with their role, their second factor and the identity they sign in with.
//!
//! Left out: outside collaborators, pending invitations, and when they last did something (`member_activity`).

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, set};
use crate::collect::github::identities::{self, Identities};
use crate::collect::github::members::{self, Filter, FilteredRoll, Member, SEES_MEMBERS};
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
        AttributeDecl {
            name: "insecure_second_factor",
            ty: AttributeType::Bool,
            meaning: "a second factor of the account can be intercepted, as text messages can",
            vendor: "GET /orgs/{org}/members?filter=2fa_insecure",
        },
        AttributeDecl {
            name: "sso_identity",
            ty: AttributeType::Optional(&AttributeType::Text),
            meaning: "the identity at the organisation's SAML provider that the account is linked to, by GitHub's number for it; null where there is none",
            vendor: "GraphQL Organization.samlIdentityProvider.externalIdentities.nodes.guid",
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
            for filter in [Filter::Owners, Filter::WithoutSecondFactor, Filter::WithInsecureSecondFactor] {
                members::fetch(filter, organization, api, KIND.name).await?;
            }
            identities::fetch(organization, api, KIND.name).await?;
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

/// What is known of members beyond the listing of all.
struct Beside {
    without: Fact<FilteredRoll>,
    insecure: Fact<FilteredRoll>,
    identities: Identities,
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let owners = members::filtered(Filter::Owners, organization, evidence)?;
    let beside = Beside {
        without: members::filtered(Filter::WithoutSecondFactor, organization, evidence)?,
        insecure: members::filtered(Filter::WithInsecureSecondFactor, organization, evidence)?,
        identities: Identities::read(organization, evidence)?,
    };
    let mut gaps = Vec::new();
    let mut count = 0;
    let roll = members::each(organization, evidence, &mut |member| match resource(organization, &member, &beside) {
        Ok(resource) => {
            count += 1;
            emit(resource);
        }
        Err(gap) => gaps.push(gap),
    })?;
    gaps.extend(roll.gaps.iter().cloned());
    gaps.extend(members::owner_disagreement(&roll, &owners));
    for (listed, what) in [(&beside.without, "without a second factor"), (&beside.insecure, "with an insecure one")] {
        let (Ok(listed), true) = (listed, roll.gaps.is_empty()) else { continue };
        let strangers: Vec<&String> = listed.logins.keys().filter(|login| !roll.logins.contains(*login)).collect();
        if !strangers.is_empty() {
            let detail = format!("the REST list of members {what} names {} who are not in the GraphQL list: {}", strangers.len(), some_of(&strangers));
            gaps.push(Gap::new(GapCause::Incomplete, detail));
        }
    }
    let second_source = match roll.total {
        Some(_) => "GraphQL Organization.membersWithRole.totalCount".to_owned(),
        None => format!("none: GraphQL did not answer membersWithRole.totalCount for {organization}"),
    };
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count: roll.total, second_source });
    population.evidence.extend(&roll.evidence);
    let listed = owners.iter().chain(beside.without.iter()).chain(beside.insecure.iter());
    population.evidence.extend(listed.flat_map(|listed| listed.evidence.iter().copied()));
    population.evidence.extend(beside.identities.evidence);
    population.gaps.append(&mut gaps);
    Ok(())
}

fn resource(organization: &str, member: &Member<'_>, beside: &Beside) -> Result<Resource, Gap> {
    let id = format!("github.com/orgs/{organization}/people/{}", member.login);
    let id = id.parse().map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut cited = vec![member.exchange];
    for listed in [&beside.without, &beside.insecure].into_iter().flatten() {
        match listed.logins.get(member.login) {
            Some(exchange) => cited.push(*exchange),
            None => cited.extend(&listed.evidence),
        }
    }
    let identity = beside.identities.of(member.login);
    match &identity {
        Ok(Some((_, exchange))) => cited.push(*exchange),
        Ok(None) => cited.extend(&beside.identities.evidence),
        Err(_) => {}
    }
    let mut resource = Resource::new(&KIND, id, member.login, cited);
    resource.know("login", member.login);
    resource.know("organization", organization);
    set(&mut resource, "role", member.edge.get("role").text().map(ToOwned::to_owned));
    set(&mut resource, "has_two_factor", second_factor(member, &beside.without));
    set(&mut resource, "insecure_second_factor", beside.insecure.as_ref().map(|listed| listed.logins.contains_key(member.login)).map_err(Clone::clone));
    set(&mut resource, "sso_identity", identity.map(|identity| identity.map(|(guid, _)| guid)));
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
