//! Who was given access to each repository, and by what: by the repository itself or through a team. A bulk query of its own, since it is slow to answer.
//!
//! Shared by the kinds that need it. Left out: what owners may do as owners, and what the organisation's base permission gives to every member.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::walk::{self, Part};
use crate::collect::github::wording::graphql_body;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host};

const OPERATION: &str = "graphql/repository_access";
const QUERY: &str = include_str!("queries/repository_access.graphql");
const PAGING: Paging = Paging::Cursor("/data/organization/repositories/pageInfo");
/// What shows it.
pub(super) const SEES_ACCESS: &str = "Administration: read on the repository (token: repo of somebody who may push to it)";

/// Asks who has access to each repository.
pub(super) async fn fetch(organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let ask = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", OPERATION, organization, asked_by).post(graphql_body(QUERY, organization, part));
    walk::all(QUERY, PAGING, api, &ask).await
}

/// What the listing amounts to.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Why not every repository was shown.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges, in page order.
    pub(super) evidence: Vec<u32>,
}

/// Shows every repository, with the exchange that tells of it.
pub(super) fn each(organization: &str, evidence: &dyn Evidence, visit: &mut dyn FnMut(&Field<'_>, u32)) -> Result<Listed, Unreadable> {
    let mut listed = Listed::default();
    let (mut seen, mut total) = (BTreeSet::new(), None);
    for exchange in evidence.about(OPERATION, organization) {
        listed.evidence.push(exchange.n);
        if !exchange.is_answer() {
            listed.gaps.push(refused(evidence, exchange, SEES_ACCESS)?);
            continue;
        }
        let answer = Answer::stored_graphql(evidence, exchange)?;
        let repositories = answer.root().path(&["data", "organization", "repositories"]).needing(SEES_ACCESS);
        total = total.or(repositories.get("totalCount").int().ok());
        let nodes = repositories.get("nodes").items().unwrap_or_else(|gap| {
            listed.gaps.push(gap);
            Vec::new()
        });
        let fresh = nodes.iter().filter(|node| node.value().is_some()).filter(|node| node.get("databaseId").int().map_or(true, |number| seen.insert(number)));
        fresh.for_each(|node| visit(node, exchange.n));
    }
    if listed.gaps.is_empty() {
        listed.gaps.extend(evidence.listing_gap(OPERATION, organization));
    }
    if let Some(total) = total.filter(|total| usize::try_from(*total) != Ok(seen.len()) && listed.gaps.is_empty()) {
        let detail = format!("of {total} repositories of {organization} {} were shown with who has access", seen.len());
        listed.gaps.push(Gap::new(GapCause::Incomplete, detail).cured_by(SEES_ACCESS));
    }
    Ok(listed)
}

/// Who has access to one repository.
#[derive(Debug, Clone)]
pub(super) struct Access {
    /// At least two people administer it who were made administrators of it, themselves or through a team.
    pub(super) has_two_admins: Fact<bool>,
    /// Who may push because the repository itself says so, sorted.
    pub(super) direct_writers: Fact<Vec<String>>,
    /// The exchange that tells.
    pub(super) exchange: Option<u32>,
}

/// What is known of all repositories of an organisation.
pub(super) struct AllAccess {
    by_number: BTreeMap<i64, Access>,
    gap: Option<Gap>,
}

impl AllAccess {
    /// Reads the pages.
    pub(super) fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut by_number = BTreeMap::new();
        let listed = each(organization, evidence, &mut |node, exchange| {
            by_number.extend(node.get("databaseId").int().ok().map(|number| (number, access(node, exchange))));
        })?;
        Ok(Self { by_number, gap: listed.gaps.into_iter().next() })
    }

    /// Who has access to the repository with this number.
    pub(super) fn of(&self, repository: Fact<i64>) -> Access {
        let unknown = |gap: Gap| Access { has_two_admins: Err(gap.clone()), direct_writers: Err(gap), exchange: None };
        match repository.map(|number| self.by_number.get(&number).cloned()) {
            Ok(Some(access)) => access,
            Ok(None) => unknown(self.gap.clone().unwrap_or_else(|| Gap::new(GapCause::Incomplete, "the repository was not asked about who has access to it"))),
            Err(gap) => unknown(gap),
        }
    }
}

fn access(node: &Field<'_>, exchange: u32) -> Access {
    let (direct, direct_gap) = grants(&node.get("direct"));
    let (everybody, everybody_gap) = grants(&node.get("everybody"));
    let admins: BTreeSet<&str> =
        direct.iter().chain(&everybody).filter(|grant| grant.permission == "ADMIN" && grant.source != "Organization").map(|grant| grant.login).collect();
    let has_two_admins = match everybody_gap {
        // Two are two, whoever was not seen.
        _ if admins.len() >= 2 => Ok(true),
        None => Ok(false),
        Some(gap) => Err(gap),
    };
    let writes = |grant: &&Grant<'_>| grant.source == "Repository" && !matches!(grant.permission, "READ" | "NONE");
    let writers: BTreeSet<String> = direct.iter().filter(writes).map(|grant| grant.login.to_owned()).collect();
    let direct_writers = direct_gap.map_or_else(|| Ok(writers.into_iter().collect()), Err);
    Access { has_two_admins, direct_writers, exchange: Some(exchange) }
}

/// One reason why somebody has access.
struct Grant<'a> {
    login: &'a str,
    permission: &'a str,
    /// `Repository`, `Team` or `Organization`.
    source: &'a str,
}

/// The grants of a connection that can be seen, and why they are not all. Null where the viewer may not push.
fn grants<'a>(connection: &Field<'a>) -> (Vec<Grant<'a>>, Option<Gap>) {
    let (edges, mut gap) = edges(connection);
    let mut seen = Vec::new();
    for edge in &edges {
        match of_person(edge) {
            Ok(grants) => seen.extend(grants),
            Err(why) => gap = Some(why),
        }
    }
    (seen, gap)
}

/// The edges of such a connection, and why they are not all.
pub(super) fn edges<'a>(connection: &Field<'a>) -> (Vec<Field<'a>>, Option<Gap>) {
    let connection = connection.clone().needing(SEES_ACCESS);
    match connection.get("edges").items().and_then(|edges| Ok((edges, connection.get("totalCount").int()?))) {
        Ok((edges, total)) => {
            let gap = (usize::try_from(total) != Ok(edges.len()))
                .then(|| Gap::new(GapCause::Incomplete, format!("only {} of {total} people with access were read", edges.len())));
            (edges, gap)
        }
        Err(gap) => (Vec::new(), Some(gap)),
    }
}

fn of_person<'a>(edge: &Field<'a>) -> Fact<Vec<Grant<'a>>> {
    let login = edge.path(&["node", "login"]).text()?;
    let sources = edge.get("permissionSources").items()?;
    let grant = |source: &Field<'a>| Ok(Grant { login, permission: source.get("permission").text()?, source: source.path(&["source", "__typename"]).text()? });
    sources.iter().map(grant).collect()
}
