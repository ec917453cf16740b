//! Who is linked to an identity of the organisation's SAML provider, and the query that tells whether there is one.
//!
//! Left out: what the provider calls people, which is mostly their e-mail address, and providers that an enterprise sets up for all of its organisations.

use std::collections::BTreeMap;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::walk::{self, Part};
use crate::collect::github::wording::graphql_body;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host};

/// What only GraphQL tells of an organisation's security.
pub(super) const SECURITY: &str = "graphql/organization_security";
const SECURITY_QUERY: &str = include_str!("queries/organization_security.graphql");
const IDENTITIES: &str = "graphql/organization_identities";
const QUERY: &str = include_str!("queries/organization_identities.graphql");
const PAGING: Paging = Paging::Cursor("/data/organization/samlIdentityProvider/externalIdentities/pageInfo");
const SEES_IDENTITIES: &str = "Administration: read and Members: read on the organisation (token: admin:org of an owner)";

/// Asks for the security settings.
pub(super) async fn fetch_security(organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<Reply, ApiError> {
    let request = Request::get(Host::GitHub, "/graphql", SECURITY, organization, asked_by);
    api.send(request.post(graphql_body(SECURITY_QUERY, organization, Part::FIRST))).await
}

/// Asks for every identity, where there is a provider.
pub(super) async fn fetch(organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let security = fetch_security(organization, api, asked_by).await?;
    if has_provider(&of_graphql(&Answer::graphql(&security.body))) != Ok(true) {
        return Ok(());
    }
    let ask = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", IDENTITIES, organization, asked_by).post(graphql_body(QUERY, organization, part));
    walk::all(QUERY, PAGING, api, &ask).await
}

/// An organisation that is not shown has no field that is none.
fn of_graphql(answer: &Answer) -> Field<'_> {
    answer.root().path(&["data", "organization"]).needing(SEES_IDENTITIES)
}

/// GitHub answers null to who may not see the provider as it does where there is none, so that null counts only from who administers the organisation.
/// <https://docs.github.com/en/graphql/reference/objects#organization>
pub(super) fn has_provider(organization: &Field<'_>) -> Fact<bool> {
    let provider = organization.get("samlIdentityProvider");
    if provider.is_none() && organization.get("viewerCanAdminister").bool() == Ok(true) {
        return Ok(false);
    }
    provider.get("id").text().map(|_id| true)
}

/// Identities by the login of who is linked to them.
#[derive(Debug, Default)]
pub(super) struct Identities {
    by_login: BTreeMap<String, (String, u32)>,
    /// Why they are not all known.
    gap: Option<Gap>,
    /// The exchanges, in page order.
    pub(super) evidence: Vec<u32>,
}

impl Identities {
    /// Reads them.
    pub(super) fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut identities = Self::default();
        match identities.provider(organization, evidence)? {
            Ok(true) => identities.pages(organization, evidence)?,
            Ok(false) => {}
            Err(gap) => identities.gap = Some(gap),
        }
        Ok(identities)
    }

    fn provider(&mut self, organization: &str, evidence: &dyn Evidence) -> Result<Fact<bool>, Unreadable> {
        let Some(exchange) = evidence.about(SECURITY, organization).first() else {
            return Ok(Err(Gap::new(GapCause::Incomplete, format!("{SECURITY} was not asked for {organization}"))));
        };
        self.evidence.push(exchange.n);
        if !exchange.is_answer() {
            return Ok(Err(refused(evidence, exchange, SEES_IDENTITIES)?));
        }
        Ok(has_provider(&of_graphql(&Answer::stored_graphql(evidence, exchange)?)))
    }

    /// Held against GitHub's own count: who is missing from the list is linked to nothing only where it is whole.
    fn pages(&mut self, organization: &str, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let (mut listed, mut total) = (0, Ok(0));
        for exchange in evidence.about(IDENTITIES, organization) {
            self.evidence.push(exchange.n);
            if !exchange.is_answer() {
                self.gap = Some(refused(evidence, exchange, SEES_IDENTITIES)?);
                continue;
            }
            let answer = Answer::stored_graphql(evidence, exchange)?;
            let connection = of_graphql(&answer).path(&["samlIdentityProvider", "externalIdentities"]);
            let linked = connection.get("nodes").items().and_then(|nodes| nodes.iter().map(linked).collect::<Fact<Vec<_>>>());
            total = connection.get("totalCount").int();
            listed += linked.as_ref().map_or(0, Vec::len);
            match linked {
                Ok(linked) => self.by_login.extend(linked.into_iter().flatten().map(|(login, guid)| (login, (guid, exchange.n)))),
                Err(gap) => self.gap = Some(gap),
            }
        }
        if self.gap.is_none() {
            self.gap = evidence.listing_gap(IDENTITIES, organization);
        }
        if self.gap.is_none() {
            self.gap = match total {
                Ok(total) if i64::try_from(listed) == Ok(total) => None,
                Ok(total) => Some(Gap::new(GapCause::Incomplete, format!("{listed} of {total} identities of {organization} were read"))),
                Err(gap) => Some(gap),
            };
        }
        Ok(())
    }

    /// The identity of a member, with the exchange that names it where one does; none where nobody linked one, which takes the whole list to know.
    pub(super) fn of(&self, login: &str) -> Fact<Option<(&str, u32)>> {
        match (self.by_login.get(login), &self.gap) {
            (Some((guid, exchange)), _) => Ok(Some((guid, *exchange))),
            (None, Some(gap)) => Err(gap.clone()),
            (None, None) => Ok(None),
        }
    }
}

/// Login and identity; none where nobody has claimed it yet.
fn linked(node: &Field<'_>) -> Fact<Option<(String, String)>> {
    let guid = node.get("guid").text()?;
    node.get("user").or_none(|user| Ok((user.get("login").text()?.to_owned(), guid.to_owned())))
}
