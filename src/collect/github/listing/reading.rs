//! What the stored pages of a listing say, item by item.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::listing::Listing;
use crate::collect::github::listing::asked::{Asked, Place};
use crate::collect::github::repositories;
use crate::model::{AttributeDecl, AttributeType, Exchange, Gap, GapCause, Resource, ResourceId};

impl Listing {
    /// The keys of what the second listing holds.
    pub(super) fn denied(&self, organization: &str, evidence: &dyn Evidence) -> Result<Fact<BTreeSet<String>>, Unreadable> {
        let Some(unlisted) = self.unlisted else { return Ok(Ok(BTreeSet::new())) };
        let subject = unlisted.subject(organization);
        let mut keys = BTreeSet::new();
        for exchange in evidence.about(self.operation, &subject) {
            if !exchange.is_answer() {
                return Ok(Err(refused(evidence, exchange, self.kind.permission)?));
            }
            let answer = Answer::stored_rest(evidence, exchange)?;
            match answer.root().items().and_then(|items| items.iter().map(|item| spoken(item, self.key)).collect::<Fact<Vec<_>>>()) {
                Ok(page) => keys.extend(page),
                Err(gap) => return Ok(Err(gap)),
            }
        }
        Ok(evidence.listing_gap(self.operation, &subject).map_or(Ok(keys), Err))
    }
}

/// What has been read of one organisation.
pub(super) struct Reading<'a, 'b> {
    listing: &'a Listing,
    /// The keys of the second listing, or why they are not known.
    denied: Fact<BTreeSet<String>>,
    pub(super) count: u64,
    pub(super) gaps: Vec<Gap>,
    pub(super) evidence: Vec<u32>,
    emit: &'b mut dyn FnMut(Resource),
}

impl<'a, 'b> Reading<'a, 'b> {
    pub(super) fn new(listing: &'a Listing, denied: Fact<BTreeSet<String>>, emit: &'b mut dyn FnMut(Resource)) -> Self {
        Self { listing, denied, count: 0, gaps: Vec::new(), evidence: Vec::new(), emit }
    }

    /// The pages of one place. Gives its `total_count`, where the listing has one.
    pub(super) fn pages(&mut self, place: &Place, evidence: &dyn Evidence) -> Result<Option<u64>, Unreadable> {
        let operation = self.listing.operation;
        let before = self.gaps.len();
        let mut seen = BTreeSet::new();
        let mut total = None;
        for exchange in evidence.about(operation, &place.subject) {
            self.evidence.push(exchange.n);
            if !exchange.is_answer() {
                self.gaps.push(refused(evidence, exchange, self.listing.kind.permission)?);
                continue;
            }
            let answer = Answer::stored_rest(evidence, exchange)?;
            let root = answer.root().needing(self.listing.kind.permission);
            let items = match self.listing.items {
                Some(member) => {
                    total = total.or(root.get("total_count").int().ok().and_then(|total| u64::try_from(total).ok()));
                    root.get(member).items()
                }
                None => root.items(),
            };
            match items {
                Ok(items) => items.iter().for_each(|item| self.item(item, exchange, place, &mut seen)),
                Err(gap) => self.gaps.push(gap),
            }
        }
        if self.gaps.len() == before {
            self.gaps.extend(evidence.listing_gap(operation, &place.subject));
        }
        Ok(total)
    }

    fn item(&mut self, item: &Field<'_>, exchange: &Exchange, place: &Place, seen: &mut BTreeSet<String>) {
        let key = match spoken(item, self.listing.key) {
            Ok(key) => key,
            Err(gap) => return self.gaps.push(Gap { cause: GapCause::Malformed, ..gap }),
        };
        // A page may repeat what moved while it was read.
        if !seen.insert(key.clone()) {
            return;
        }
        let name = place.titled(spoken(item, self.listing.title).unwrap_or_else(|_gap| key.clone()));
        match format!("github.com/{}/{}/{key}", place.folder(), self.listing.kind.noun()).parse::<ResourceId>() {
            Ok(id) => {
                let mut resource = Resource::new(self.listing.kind, id, name, vec![exchange.n]);
                self.describe(&mut resource, item, place);
                if let Some(unlisted) = self.listing.unlisted {
                    set(&mut resource, unlisted.name, self.denied.as_ref().map(|denied| !denied.contains(&key)).map_err(Clone::clone));
                }
                self.count += 1;
                (self.emit)(resource.completed(self.listing.kind));
            }
            Err(error) => self.gaps.push(Gap::new(GapCause::Malformed, error.to_string())),
        }
    }

    fn describe(&self, resource: &mut Resource, item: &Field<'_>, place: &Place) {
        let unlisted = self.listing.unlisted.map(|unlisted| unlisted.name);
        for declared in self.listing.kind.attributes.iter().filter(|declared| Some(declared.name) != unlisted) {
            match self.listing.derived.iter().find(|derived| derived.name == declared.name) {
                Some(derived) => set(resource, declared.name, (derived.read)(item)),
                None if declared.name == "repository" && !place.repository.is_empty() => resource.know(declared.name, place.repository.as_str()),
                None if declared.name == "environment" && !place.environment.is_empty() => resource.know(declared.name, place.environment.as_str()),
                None => set(resource, declared.name, attribute(item, declared)),
            }
        }
    }

    /// The listings of all repositories; gives the second count and its source.
    pub(super) fn repositories(&mut self, organization: &str, asked: Asked, evidence: &dyn Evidence) -> Result<(Option<u64>, String), Unreadable> {
        let mut total = Some(0_u64);
        let whole = repositories::each(organization, evidence, &mut |listed| {
            if let Asked::Counted(connection) = asked {
                let count = listed.node.path(&[connection, "totalCount"]).int().ok().and_then(|count| u64::try_from(count).ok());
                let believed = count.filter(|count| *count > 0 || listed.node.get("viewerCanAdminister").bool() == Ok(true));
                total = total.zip(believed).map(|(total, count)| total.saturating_add(count));
            }
            let (places, gap) = asked.places(listed.name, listed.node);
            self.gaps.extend(gap);
            let told = places.iter().map(|place| self.pages(place, evidence)).collect::<Result<Vec<_>, _>>()?;
            if !matches!(asked, Asked::Counted(_)) {
                total = told.into_iter().fold(total, |total, told| total.zip(told).map(|(total, told)| total.saturating_add(told)));
            }
            Ok(())
        })?;
        for item in &whole.rest_only {
            self.gaps.push(Gap::new(GapCause::Incomplete, format!("{} was not asked for {}: GraphQL does not show it", self.listing.operation, item.name())));
        }
        self.gaps.extend(whole.gaps);
        self.evidence.extend(whole.evidence);
        let source = match (total, asked) {
            (Some(_), Asked::Counted(connection)) => format!("GraphQL Repository.{connection}.totalCount of all repositories"),
            (None, Asked::Counted(connection)) => format!("none: GraphQL Repository.{connection} is not shown for every repository"),
            (Some(_), _) if self.listing.items.is_some() => format!("the sum of total_count of every GET {}/{}", asked.below(), self.listing.path),
            (None, _) if self.listing.items.is_some() => "none: not every listing that was asked for told its total_count".to_owned(),
            (Some(_) | None, _) => return Ok((None, "none: GitHub counts these nowhere else".to_owned())),
        };
        Ok((total, source))
    }
}

/// The number or text at each of the paths, with slashes between them.
fn spoken(item: &Field<'_>, paths: &str) -> Fact<String> {
    let parts = paths.split('/').map(|path| {
        let field = path.split('.').fold(item.clone(), |field, name| field.get(name));
        let value = field.value().ok_or_else(|| field.gap())?;
        Ok(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    });
    Ok(parts.collect::<Fact<Vec<String>>>()?.join("/"))
}

/// What an item says of an attribute, as its declaration tells.
fn attribute(item: &Field<'_>, declared: &AttributeDecl) -> Fact<Value> {
    let mut field = item.clone();
    for name in declared.vendor.rsplit(' ').next().unwrap_or_default().split('.') {
        // Nobody has no login: what a null holds is none too, where none may be.
        if field.is_none() && matches!(declared.ty, AttributeType::Optional(_)) {
            return Ok(Value::Null);
        }
        field = field.get(name);
    }
    typed(&field, declared.ty)
}

/// What a field says, read as a type.
fn typed(field: &Field<'_>, ty: AttributeType) -> Fact<Value> {
    match ty {
        AttributeType::Bool => field.bool().map(Value::from),
        AttributeType::Int => field.int().map(Value::from),
        AttributeType::Text => field.text().map(Value::from),
        AttributeType::Time => field.time().map(Value::from),
        AttributeType::List(inner) => field.items()?.iter().map(|item| typed(item, *inner)).collect::<Fact<Vec<_>>>().map(Value::from),
        AttributeType::Optional(inner) => field.or_none(|field| typed(field, *inner)).map(Option::unwrap_or_default),
        AttributeType::Record(members) => {
            members.iter().map(|member| Ok((member.name.to_owned(), attribute(field, member)?))).collect::<Fact<Map<_, _>>>().map(Value::from)
        }
        AttributeType::Map(inner) => {
            let names = field.value().and_then(Value::as_object).ok_or_else(|| field.gap())?;
            names.keys().map(|name| Ok((name.clone(), typed(&field.get(name), *inner)?))).collect::<Fact<Map<_, _>>>().map(Value::from)
        }
    }
}
