//! What deny rules deny to somebody whatever roles they hold, as far as they deny it always: what is denied under a condition is left out.
//!
//! Rules name people in another way than policies that give roles. <https://cloud.google.com/iam/docs/principal-identifiers#v2>
//! Whom a name means that stands for everybody of a customer, of a folder or with an attribute, no answer here tells: it is unknown. That something is denied may excuse
//! a role, so that all else is left out that is not denied for certain: a permission by a wildcard of which something is excepted, and for somebody who stands for
//! several (a group, a domain) whatever a rule with exceptions denies.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::belonging::Belonging;
use crate::collect::gcp::deny_rule::{self, group_of};
use crate::collect::gcp::fields::short;
use crate::collect::gcp::hierarchy::Hierarchy;
use crate::model::{Attribute, Gap, GapCause, Resource, Scope};

/// Everybody, signed in or not.
const EVERYBODY: &str = "principalSet://goog/public:all";

/// Deny rules by where they are set.
#[derive(Debug, Default)]
pub(super) struct Denials {
    places: BTreeMap<String, (Vec<Rule>, Option<Gap>)>,
}

#[derive(Debug)]
struct Rule {
    denied: Result<Vec<String>, Gap>,
    excepted: Result<Vec<String>, Gap>,
    permissions: Result<Vec<String>, Gap>,
    evidence: Vec<u32>,
    is_conditional: Result<bool, Gap>,
}

/// What is denied, and the exchanges that tell it.
pub(super) type Denied = (BTreeSet<String>, Vec<u32>);

impl Denials {
    /// Reads the rules of all places that were asked.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(scope: &Scope, hierarchy: &Hierarchy, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut this = Self::default();
        for place in deny_rule::places(scope, hierarchy.nodes.keys().map(String::as_str)) {
            let (rules, read) = deny_rule::rules_of(&place, evidence)?;
            this.places.insert(place, (rules.iter().map(Rule::of).collect(), read.gaps.into_iter().next()));
        }
        Ok(this)
    }

    /// The addresses of the groups that rules name.
    pub(super) fn groups(&self) -> impl Iterator<Item = String> {
        let rules = self.places.values().flat_map(|(rules, _gap)| rules);
        rules.flat_map(|rule| rule.denied.iter().chain(&rule.excepted).flatten()).filter_map(|principal| group_of(principal))
    }

    /// What is denied at a place to somebody who is named as `belonging::comparable` does.
    ///
    /// # Errors
    /// More may be, as far as is known.
    pub(super) fn of(&self, member: &str, place: &str, hierarchy: &Hierarchy, belonging: &Belonging) -> Result<Denied, Gap> {
        let (mut denied, mut evidence) = (BTreeSet::new(), Vec::new());
        for place in std::iter::once(place).chain(hierarchy.above(place)?) {
            for rule in self.set_on(place)? {
                let told = rule.told(member, belonging)?;
                denied.extend(told.iter().flat_map(|told| told.0.iter().cloned()));
                evidence.extend(told.iter().flat_map(|told| told.1));
            }
        }
        Ok((denied, evidence))
    }

    /// The rules of a place. Projects are asked where they are configured by themselves.
    fn set_on(&self, place: &str) -> Result<&[Rule], Gap> {
        match self.places.get(place) {
            Some((rules, None)) => Ok(rules),
            Some((_rules, Some(gap))) => Err(gap.clone()),
            None if place.starts_with("projects/") => Ok(&[]),
            None => Err(Gap::new(GapCause::Incomplete, format!("the deny policies of {} were not asked for", short(place)))),
        }
    }
}

/// Permissions, and the exchanges that tell of them.
type Told<'r> = (&'r [String], &'r [u32]);

impl Rule {
    fn of(rule: &Resource) -> Self {
        let texts = |name: &str| match rule.attributes.get(name) {
            Some(Attribute::Known(value)) => Ok(value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(ToOwned::to_owned)).collect()),
            Some(Attribute::Unknown(gap)) => Err(gap.clone()),
            None => Err(Gap::new(GapCause::LeftOut, format!("a rule that denies shows no {name}"))),
        };
        let is_conditional = match rule.attributes.get("condition") {
            Some(Attribute::Known(condition)) => Ok(!condition.is_null()),
            Some(Attribute::Unknown(gap)) => Err(gap.clone()),
            None => Err(Gap::new(GapCause::LeftOut, "a rule that denies shows no condition")),
        };
        let permissions = texts("denied_permissions").and_then(|denied: Vec<String>| {
            let excepted: Vec<String> = texts("exception_permissions")?;
            Ok(denied.into_iter().filter(|permission| !excepted.iter().any(|excepted| overlap(permission, excepted))).collect())
        });
        Self { denied: texts("denied_principals"), excepted: texts("exception_principals"), permissions, evidence: rule.evidence.clone(), is_conditional }
    }

    /// What it denies to somebody, and its exchanges; none where it does not.
    fn told(&self, member: &str, belonging: &Belonging) -> Result<Option<Told<'_>>, Gap> {
        if !self.denies(member, belonging)? {
            return Ok(None);
        }
        self.permissions.as_ref().map(|permissions| Some((permissions.as_slice(), self.evidence.as_slice()))).map_err(Clone::clone)
    }

    fn denies(&self, member: &str, belonging: &Belonging) -> Result<bool, Gap> {
        let any = |names: &Result<Vec<String>, Gap>| any(names.as_ref().map_err(Clone::clone)?.iter().map(|name| means(name, member, belonging)));
        if self.is_conditional == Ok(true) {
            return Ok(false);
        }
        let denied = any(&self.denied);
        if denied == Ok(false) {
            return Ok(false);
        }
        let excepted = match &self.excepted {
            Ok(excepted) if stands_for_several(member) => Ok(!excepted.is_empty()),
            excepted => any(excepted),
        };
        if excepted == Ok(true) {
            return Ok(false);
        }
        self.is_conditional.clone().and(excepted).and(denied)
    }
}

/// One that holds is enough, whatever else is not known.
fn any(names: impl Iterator<Item = Result<bool, Gap>>) -> Result<bool, Gap> {
    let mut unknown = None;
    for name in names {
        match name {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(gap) => unknown = unknown.or(Some(gap)),
        }
    }
    unknown.map_or(Ok(false), Err)
}

fn stands_for_several(member: &str) -> bool {
    !["user:", "serviceAccount:", "deleted:", "principal://"].iter().any(|single| member.starts_with(single))
}

/// Whether a principal of a rule means all of this member.
fn means(principal: &str, member: &str, belonging: &Belonging) -> Result<bool, Gap> {
    if principal == EVERYBODY || principal == member {
        return Ok(true);
    }
    if let Some(group) = group_of(principal) {
        return if member.strip_prefix("group:") == Some(group.as_str()) { Ok(true) } else { belonging.holds(&group, member) };
    }
    if let Some(address) = principal.strip_prefix("principal://goog/subject/") {
        return Ok(member.strip_prefix("user:").is_some_and(|user| user == address.to_lowercase()));
    }
    let path = principal.split_once("://iam.googleapis.com/").map(|(_set, path)| path);
    if let Some((_project, address)) = path.and_then(|path| path.split_once("/serviceAccounts/")) {
        return Ok(member.strip_prefix("serviceAccount:").is_some_and(|account| account == address.to_lowercase()));
    }
    // Accounts of Google are in no pool; a Kubernetes account is.
    let is_of_a_pool = path.is_some_and(|path| path.contains("/workforcePools/") || path.contains("/workloadIdentityPools/"));
    let is_of_google = ["user:", "group:", "serviceAccount:"].iter().any(|kind| member.starts_with(kind)) && member.contains('@');
    if principal.starts_with("deleted:") || member.starts_with("deleted:") || (is_of_a_pool && is_of_google) {
        return Ok(false);
    }
    Err(Gap::new(GapCause::LeftOut, format!("whom {} means in a rule that denies is not told by what is read here", short(principal))))
}

/// Whether two names of permissions, e.g. `iam.googleapis.com/roles.*`, have one in common.
fn overlap(one: &str, other: &str) -> bool {
    let parts = |name: &'_ str| {
        let (service, rest) = name.split_once('/').unwrap_or(("", name));
        let (resource, verb) = rest.rsplit_once('.').unwrap_or((rest, ""));
        [service, resource, verb].map(ToOwned::to_owned)
    };
    parts(one).iter().zip(&parts(other)).all(|(one, other)| one == other || one == "*" || other == "*")
}
