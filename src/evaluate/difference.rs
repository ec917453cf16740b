//! What differs between two runs: resources that entered or left a population, attributes that changed.
//!
//! What is not there in a population that was not whole is not known to have left or entered, and what is not known is no change. Left out: verdicts, whose changes are
//! the history's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::model::{Attribute, Resource, ResourceId};

/// A rule for attributes whose changes are of no interest, e.g. `github.repository.pushed_at` or `*.updated_at`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Mask(String);

impl Mask {
    /// A rule: the kind or `*`, a dot, the attribute's name.
    #[must_use]
    pub fn new(rule: &str) -> Option<Self> {
        let (kind, attribute) = rule.rsplit_once('.')?;
        (!kind.is_empty() && !attribute.is_empty()).then(|| Self(rule.to_owned()))
    }

    /// The rule as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn covers(&self, kind: &str, attribute: &str) -> bool {
        self.0.rsplit_once('.').is_some_and(|(of, name)| name == attribute && (of == "*" || of == kind))
    }
}

/// One kind as one run saw it.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// By id.
    pub resources: BTreeMap<ResourceId, Resource>,
    /// Whether its population was whole.
    pub is_whole: bool,
}

/// What differs of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The kind.
    pub kind: String,
    /// There in the second run and known not to be there in the first.
    pub entered: Vec<Item>,
    /// There in the first run and known not to be there in the second.
    pub left: Vec<Item>,
    /// There in one of them, where the other's population was not whole.
    pub unclear: Vec<Item>,
    /// There in both, with an attribute that differs.
    pub changed: Vec<Changed>,
    /// There in both, with nothing that differs but for what is masked.
    pub same: usize,
    /// Changes that a rule takes out, by rule.
    pub masked: BTreeMap<Mask, usize>,
}

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub resource: ResourceId,
    /// What a person calls it.
    pub name: String,
}

/// A resource that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// Its id.
    pub resource: ResourceId,
    /// What a person calls it.
    pub name: String,
    /// By attribute.
    pub fields: Vec<Field>,
}

/// An attribute before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its name.
    pub attribute: String,
    /// In the first run.
    pub before: Told,
    /// In the second run.
    pub after: Told,
}

/// A value, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// What the source said.
    Known(Value),
    /// Why it is not known.
    Unknown(String),
}

impl From<&Attribute> for Told {
    fn from(attribute: &Attribute) -> Self {
        match attribute {
            Attribute::Known(value) => Self::Known(value.clone()),
            Attribute::Unknown(gap) => Self::Unknown(gap.to_string()),
        }
    }
}

impl Difference {
    /// Whether nothing differs, as far as both runs tell.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.entered.is_empty() && self.left.is_empty() && self.unclear.is_empty() && self.changed.is_empty()
    }
}

/// Compares one kind in two runs.
#[must_use]
pub fn difference(kind: &str, before: &Side, after: &Side, masks: &BTreeSet<Mask>) -> Difference {
    let mut told =
        Difference { kind: kind.to_owned(), entered: Vec::new(), left: Vec::new(), unclear: Vec::new(), changed: Vec::new(), same: 0, masked: BTreeMap::new() };
    for (id, resource) in &before.resources {
        match after.resources.get(id) {
            Some(now) => told.compare(resource, now, masks),
            None if after.is_whole => told.left.push(item(resource)),
            None => told.unclear.push(item(resource)),
        }
    }
    for resource in after.resources.values().filter(|resource| !before.resources.contains_key(&resource.id)) {
        if before.is_whole { &mut told.entered } else { &mut told.unclear }.push(item(resource));
    }
    told
}

impl Difference {
    fn compare(&mut self, before: &Resource, after: &Resource, masks: &BTreeSet<Mask>) {
        let mut fields = Vec::new();
        // What the older run's version of the kind did not declare is no change of the resource.
        for (name, then) in &before.attributes {
            let Some(now) = after.attributes.get(name).filter(|now| differ(then, now)) else { continue };
            match masks.iter().find(|mask| mask.covers(&self.kind, name)) {
                Some(mask) => *self.masked.entry(mask.clone()).or_default() += 1,
                None => fields.push(Field { attribute: name.clone(), before: then.into(), after: now.into() }),
            }
        }
        if fields.is_empty() {
            self.same += 1;
        } else {
            self.changed.push(Changed { resource: after.id.clone(), name: after.name.clone(), fields });
        }
    }
}

fn differ(before: &Attribute, after: &Attribute) -> bool {
    match (before, after) {
        (Attribute::Known(before), Attribute::Known(after)) => before != after,
        // Unknown for another reason is as unknown.
        (Attribute::Unknown(_), Attribute::Unknown(_)) => false,
        (Attribute::Known(_), Attribute::Unknown(_)) | (Attribute::Unknown(_), Attribute::Known(_)) => true,
    }
}

fn item(resource: &Resource) -> Item {
    Item { resource: resource.id.clone(), name: resource.name.clone() }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::{Difference, Mask, Side, Told, difference};
    use crate::model::{Attribute, Gap, GapCause, Resource};

    fn resource(id: &str, attributes: &[(&str, Option<Value>)]) -> Resource {
        let told = |value: &Option<Value>| match value {
            Some(value) => Attribute::Known(value.clone()),
            None => Attribute::Unknown(Gap::new(GapCause::Forbidden, "403")),
        };
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), told(value))).collect();
        Resource { kind: "github.branch".into(), id: id.parse().expect("an id"), name: id.to_uppercase(), attributes, evidence: vec![1] }
    }

    fn whole(resources: &[Resource]) -> Side {
        Side { resources: resources.iter().map(|resource| (resource.id.clone(), resource.clone())).collect(), is_whole: true }
    }

    fn part(resources: &[Resource]) -> Side {
        Side { is_whole: false, ..whole(resources) }
    }

    fn ids(items: &[super::Item]) -> Vec<&str> {
        items.iter().map(|item| item.resource.as_str()).collect()
    }

    fn plain(before: &Side, after: &Side) -> Difference {
        difference("github.branch", before, after, &BTreeSet::new())
    }

    #[test]
    fn what_is_not_seen_is_not_known_to_have_gone() {
        let (a, b, c) = (resource("a", &[]), resource("b", &[]), resource("c", &[]));
        let told = plain(&whole(&[a.clone(), b.clone()]), &whole(&[b.clone(), c.clone()]));
        assert_eq!((ids(&told.entered), ids(&told.left), told.unclear.len(), told.same), (vec!["c"], vec!["a"], 0, 1));
        let told = plain(&whole(&[a.clone(), b.clone()]), &part(&[b.clone(), c.clone()]));
        assert_eq!((ids(&told.entered), ids(&told.left), ids(&told.unclear)), (vec!["c"], vec![], vec!["a"]));
        let told = plain(&part(&[a, b.clone()]), &whole(&[b, c]));
        assert_eq!((ids(&told.entered), ids(&told.left), ids(&told.unclear)), (vec![], vec!["a"], vec!["c"]));
    }

    #[test]
    fn fields_change_are_lost_and_become_known() {
        let before = resource("a", &[("same", Some(json!(1))), ("more", Some(json!(1))), ("lost", Some(json!(null))), ("found", None), ("dark", None)]);
        let after = resource(
            "a",
            &[("same", Some(json!(1))), ("more", Some(json!(2))), ("lost", None), ("found", Some(json!([]))), ("dark", None), ("new", Some(json!(1)))],
        );
        let told = plain(&whole(&[before]), &whole(&[after]));
        let fields: Vec<&str> = told.changed.iter().flat_map(|changed| &changed.fields).map(|field| field.attribute.as_str()).collect();
        assert_eq!(fields, ["found", "lost", "more"]);
        let lost = told.changed.first().and_then(|changed| changed.fields.get(1)).map(|field| (field.before.clone(), field.after.clone()));
        assert_eq!(lost, Some((Told::Known(json!(null)), Told::Unknown("403".into()))));
    }

    #[test]
    fn masks_take_changes_out_and_are_counted() {
        let masks: BTreeSet<Mask> = ["*.seen", "github.branch.head", "gcp.bucket.size"].into_iter().filter_map(Mask::new).collect();
        let of = |seen: i64, head: i64, size: i64| resource("a", &[("seen", Some(json!(seen))), ("head", Some(json!(head))), ("size", Some(json!(size)))]);
        let told = difference("github.branch", &whole(&[of(1, 1, 1)]), &whole(&[of(2, 2, 1)]), &masks);
        assert!(told.is_none() && told.same == 1);
        let counted: BTreeMap<&str, usize> = told.masked.iter().map(|(mask, count)| (mask.as_str(), *count)).collect();
        assert_eq!(counted, BTreeMap::from([("*.seen", 1), ("github.branch.head", 1)]));
        assert!(!difference("github.branch", &whole(&[of(1, 1, 1)]), &whole(&[of(1, 1, 2)]), &masks).is_none(), "another kind's rule");
        assert!([".x", "x.", "x", ""].into_iter().all(|rule| Mask::new(rule).is_none()));
    }
}
