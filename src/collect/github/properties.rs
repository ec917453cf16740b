//! The custom properties of repositories, e.g. how each is classified. One listing of the organisation, shared by the kinds that need it.
//!
//! <https://docs.github.com/en/rest/orgs/custom-properties#list-custom-property-values-for-organization-repositories>

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::wording::path_part;
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host};

const OPERATION: &str = "orgs/custom-properties-for-repos-get-organization-values";
const SEES_PROPERTIES: &str = "Custom properties: read on the organisation (token: admin:org of an owner)";

/// Asks for the properties of all repositories.
pub(super) async fn fetch(organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let ask = |target: &str| Request::get(Host::GitHub, target, OPERATION, organization, asked_by);
    all_pages(api, ask(&format!("/orgs/{}/properties/values?per_page=100", path_part(organization))), Paging::Link, ask, |_page| {}).await
}

/// What is known of the properties of an organisation's repositories.
pub(super) struct Properties {
    by_number: BTreeMap<i64, (u32, Fact<Map<String, Value>>)>,
    gap: Option<Gap>,
}

impl Properties {
    /// Reads the listing.
    pub(super) fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut all = Self { by_number: BTreeMap::new(), gap: None };
        for exchange in evidence.about(OPERATION, organization) {
            if !exchange.is_answer() {
                all.gap = Some(refused(evidence, exchange, SEES_PROPERTIES)?);
                continue;
            }
            let answer = Answer::stored_rest(evidence, exchange)?;
            match answer.root().needing(SEES_PROPERTIES).items() {
                Ok(items) => items.iter().for_each(|item| match item.get("repository_id").int() {
                    Ok(number) => drop(all.by_number.insert(number, (exchange.n, values(item)))),
                    Err(gap) => all.gap = Some(gap),
                }),
                Err(gap) => all.gap = Some(gap),
            }
        }
        all.gap = all.gap.or_else(|| evidence.listing_gap(OPERATION, organization));
        Ok(all)
    }

    /// The properties of the repository with this number, and the exchange that tells of them.
    pub(super) fn of(&self, repository: Fact<i64>) -> (Option<u32>, Fact<Map<String, Value>>) {
        match repository.map(|number| self.by_number.get(&number)) {
            Ok(Some((exchange, values))) => (Some(*exchange), values.clone()),
            Ok(None) => {
                let missing = || Gap::new(GapCause::Incomplete, "the repository is not in the list of custom properties");
                (None, Err(self.gap.clone().unwrap_or_else(missing)))
            }
            Err(gap) => (None, Err(gap)),
        }
    }
}

/// The properties that are set, by name; several values of one stand in one text, with commas between them.
fn values(item: &Field<'_>) -> Fact<Map<String, Value>> {
    let mut values = Map::new();
    for property in item.get("properties").items()? {
        let (name, value) = (property.get("property_name").text()?, property.get("value"));
        if value.is_none() {
            continue;
        }
        let text = match value.items() {
            Ok(several) => several.iter().map(Field::text).collect::<Fact<Vec<_>>>()?.join(", "),
            Err(_) => value.text()?.to_owned(),
        };
        values.insert(name.to_owned(), text.into());
    }
    Ok(values)
}
