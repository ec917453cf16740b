//! The people of an organisation, as four listings tell it: all with their roles (GraphQL), the owners, and whose second factor is missing or insecure (REST).
//!
//! Shared by the kinds that need people; a run sends each request once. Left out: outside collaborators, who are no members.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::walk::{Part, Walk};
use crate::collect::github::wording::{graphql_body, path_part, some_of};
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host};

/// The operation that lists all members.
pub(super) const MEMBERS: &str = "graphql/organization_members";
const SOME_MEMBERS: &str = "orgs/list-members";
const QUERY: &str = include_str!("queries/organization_members.graphql");
const PAGING: Paging = Paging::Cursor("/data/organization/membersWithRole/pageInfo");
/// What shows who the owners are and who has no second factor.
pub(super) const SEES_MEMBERS: &str = "a credential of an organisation owner (App: Members: read, installed by an owner; token: read:org)";

/// A filtered listing of members.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filter {
    /// Who owns the organisation.
    Owners,
    /// Who has not set up a second factor. GitHub refuses it to who is not an owner.
    /// <https://docs.github.com/en/rest/orgs/members#list-organization-members>
    WithoutSecondFactor,
    /// Whose second factor may be a text message, which can be intercepted. GitHub refuses it to who is not an owner, and does not name who has none.
    WithInsecureSecondFactor,
}

impl Filter {
    fn query(self) -> &'static str {
        match self {
            Self::Owners => "role=admin",
            Self::WithoutSecondFactor => "filter=2fa_disabled",
            Self::WithInsecureSecondFactor => "filter=2fa_insecure",
        }
    }

    /// What the exchanges are filed under: two filters of one operation must not be mistaken for each other.
    pub(super) fn subject(self, organization: &str) -> String {
        format!("{organization}?{}", self.query())
    }
}

/// Asks for all members with their roles.
pub(super) async fn fetch_all(organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    fetch_each(organization, api, asked_by, |_login| {}).await
}

/// Asks for all members with their roles, and tells the login of each as soon as it is known.
pub(super) async fn fetch_each(organization: &str, api: &dyn Api, asked_by: &'static str, mut found: impl FnMut(&str) + Send) -> Result<(), ApiError> {
    let ask = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", MEMBERS, organization, asked_by).post(graphql_body(QUERY, organization, part));
    let mut walk = Walk::new(QUERY, PAGING);
    while let Some(page) = walk.next(api, &ask).await? {
        let answer = Answer::graphql(&page.body);
        let edges = answer.root().path(&["data", "organization", "membersWithRole", "edges"]).items().unwrap_or_default();
        edges.iter().filter_map(|edge| edge.path(&["node", "login"]).text().ok()).for_each(&mut found);
    }
    Ok(())
}

/// Asks for some members.
pub(super) async fn fetch(filter: Filter, organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let ask = |target: &str| Request::get(Host::GitHub, target, SOME_MEMBERS, filter.subject(organization), asked_by);
    let first = format!("/orgs/{}/members?{}&per_page=100", path_part(organization), filter.query());
    all_pages(api, ask(&first), Paging::Link, ask, |_page| {}).await
}

/// One member, as the listing of all tells it.
pub(super) struct Member<'a> {
    /// The account's name.
    pub(super) login: &'a str,
    /// The edge of the connection.
    pub(super) edge: &'a Field<'a>,
    /// The exchange that brought it.
    pub(super) exchange: u32,
}

/// What the listing of all members amounts to.
#[derive(Debug, Default)]
pub(super) struct Roll {
    /// Everybody's login, each once.
    pub(super) logins: BTreeSet<String>,
    /// Logins whose role is owner.
    pub(super) owners: BTreeSet<String>,
    /// How many members GitHub counts.
    pub(super) total: Option<u64>,
    /// Why the list is not whole.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges, in page order.
    pub(super) evidence: Vec<u32>,
}

/// Reads the listing of all members page by page and shows each member once.
pub(super) fn each(organization: &str, evidence: &dyn Evidence, visit: &mut dyn FnMut(Member<'_>)) -> Result<Roll, Unreadable> {
    let mut roll = Roll::default();
    for exchange in evidence.about(MEMBERS, organization) {
        roll.evidence.push(exchange.n);
        if !exchange.is_answer() {
            roll.gaps.push(refused(evidence, exchange, SEES_MEMBERS)?);
            continue;
        }
        let answer = Answer::stored_graphql(evidence, exchange)?;
        let connection = answer.root().path(&["data", "organization", "membersWithRole"]).needing(SEES_MEMBERS);
        if roll.total.is_none() {
            roll.total = connection.get("totalCount").int().ok().and_then(|total| u64::try_from(total).ok());
        }
        read_page(&connection, exchange.n, &mut roll, visit);
    }
    if roll.gaps.is_empty() {
        roll.gaps.extend(evidence.listing_gap(MEMBERS, organization));
    }
    Ok(roll)
}

fn read_page(connection: &Field<'_>, exchange: u32, roll: &mut Roll, visit: &mut dyn FnMut(Member<'_>)) {
    let edges = match connection.get("edges").items() {
        Ok(edges) => edges,
        Err(gap) => {
            roll.gaps.push(gap);
            return;
        }
    };
    let mut hidden = 0_u32;
    for edge in &edges {
        let Ok(login) = edge.path(&["node", "login"]).text() else {
            hidden += 1;
            continue;
        };
        if edge.get("role").text() == Ok("ADMIN") {
            roll.owners.insert(login.to_owned());
        }
        if roll.logins.insert(login.to_owned()) {
            visit(Member { login, edge, exchange });
        }
    }
    if hidden > 0 {
        roll.gaps.push(Gap::new(GapCause::Incomplete, format!("{hidden} members on a page of {} are hidden", edges.len())));
    }
}

/// A filtered listing: logins with the exchange that names them, and all exchanges read.
#[derive(Debug, Default)]
pub(super) struct FilteredRoll {
    /// Login to exchange.
    pub(super) logins: BTreeMap<String, u32>,
    /// The exchanges, in page order.
    pub(super) evidence: Vec<u32>,
}

/// Reads a filtered listing.
///
/// The inner error is the reason why it is not known to its end.
pub(super) fn filtered(filter: Filter, organization: &str, evidence: &dyn Evidence) -> Result<Fact<FilteredRoll>, Unreadable> {
    let subject = filter.subject(organization);
    let mut listed = FilteredRoll::default();
    for exchange in evidence.about(SOME_MEMBERS, &subject) {
        if exchange.is_answer() {
            let answer = Answer::stored_rest(evidence, exchange)?;
            let logins = answer
                .root()
                .items()
                .and_then(|people| people.iter().map(|person| person.get("login").text().map(ToOwned::to_owned)).collect::<Fact<Vec<_>>>());
            match logins {
                Ok(logins) => listed.logins.extend(logins.into_iter().map(|login| (login, exchange.n))),
                Err(gap) => return Ok(Err(gap)),
            }
            listed.evidence.push(exchange.n);
            continue;
        }
        let gap = refused(evidence, exchange, SEES_MEMBERS)?;
        return Ok(Err(gap));
    }
    Ok(evidence.listing_gap(SOME_MEMBERS, &subject).map_or(Ok(listed), Err))
}

/// How many own the organisation: the listing of all members, unless that of the owners contradicts it.
pub(super) fn owner_count(roll: &Roll, owners: &Fact<FilteredRoll>) -> Fact<i64> {
    if let Some(gap) = roll.gaps.first() {
        return Err(gap.clone());
    }
    match owner_disagreement(roll, owners) {
        Some(gap) => Err(gap),
        // Every organisation has an owner: who is shown none may not see them.
        None if roll.owners.is_empty() => Err(Gap::new(GapCause::LeftOut, "no owner is shown, yet every organisation has one").cured_by(SEES_MEMBERS)),
        None => Ok(i64::try_from(roll.owners.len()).unwrap_or(i64::MAX)),
    }
}

/// Why the two lists of owners cannot both be true; none where they agree or one of them could not be read.
pub(super) fn owner_disagreement(roll: &Roll, owners: &Fact<FilteredRoll>) -> Option<Gap> {
    let listed: BTreeSet<&String> = owners.as_ref().ok()?.logins.keys().collect();
    let rolled: BTreeSet<&String> = roll.owners.iter().collect();
    let odd: Vec<&str> = rolled.symmetric_difference(&listed).map(|login| login.as_str()).collect();
    (!odd.is_empty() && roll.gaps.is_empty())
        .then(|| Gap::new(GapCause::Incomplete, format!("GraphQL counts {} owners, REST {}; in one list only: {}", rolled.len(), listed.len(), some_of(&odd))))
}
