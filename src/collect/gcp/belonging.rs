//! Who is in which group, groups within groups included, by the names under which policies give roles.
//!
//! A membership ends when it says, so that until then it counts. A group may have everybody of a customer in it: that is one member more, which stands for accounts that no
//! answer here names, so that of a person it is unknown whether they are among them. Left out: shared drives and browsers, which do nothing themselves.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{part, short, text};
use crate::collect::gcp::groups::{Roster, group_within, member_of};
use crate::collect::gcp::hierarchy::sorted;
use crate::model::{Gap, GapCause};

/// How everybody of a customer is named. <https://cloud.google.com/iam/docs/principal-identifiers#v2>
const CUSTOMER: &str = "principalSet://goog/cloudIdentityCustomerId/";

/// Members of groups.
#[derive(Debug, Default)]
pub(super) struct Belonging {
    groups: BTreeMap<String, Whole>,
}

/// A group with all that is within it.
#[derive(Debug, Default)]
struct Whole {
    members: BTreeSet<String>,
    gaps: BTreeSet<Gap>,
    evidence: Vec<u32>,
}

/// What one group shows itself.
#[derive(Debug, Default)]
struct Own {
    members: BTreeSet<String>,
    gaps: Vec<Gap>,
    evidence: Vec<u32>,
}

impl Belonging {
    /// Reads who is in the groups with these addresses.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(addresses: BTreeSet<String>, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut all: BTreeMap<String, Own> = BTreeMap::new();
        let mut waiting: Vec<String> = addresses.iter().cloned().collect();
        while let Some(address) = waiting.pop() {
            if let Entry::Vacant(unread) = all.entry(address) {
                let own = Own::of(unread.key(), evidence)?;
                waiting.extend(unread.insert(own).within().map(ToOwned::to_owned));
            }
        }
        let groups = addresses.into_iter().map(|address| (Whole::of(&address, &all), address)).map(|(whole, address)| (address, whole)).collect();
        Ok(Self { groups })
    }

    /// Whether somebody, named as `comparable` does, is in a group, directly or by groups within it. No group is in itself.
    ///
    /// # Errors
    /// They may be, as far as is known.
    pub(super) fn holds(&self, group: &str, member: &str) -> Result<bool, Gap> {
        let not_asked = || Gap::new(GapCause::Incomplete, format!("who is in the group {} was not asked", short(group)));
        let whole = self.groups.get(group).ok_or_else(not_asked)?;
        if whole.members.contains(member) {
            return Ok(true);
        }
        let may_be_within = ["user:", "serviceAccount:", "group:", "domain:", CUSTOMER].iter().any(|of| member.starts_with(of));
        if let Some(gap) = whole.gaps.first().filter(|_gap| may_be_within) {
            return Err(gap.clone());
        }
        let is_of_a_customer = member.starts_with("user:") || member.starts_with("domain:");
        match whole.members.iter().find(|within| within.starts_with(CUSTOMER)) {
            Some(_) if is_of_a_customer => Err(Gap::new(
                GapCause::LeftOut,
                format!("the group {} has everybody of a customer in it, and whose account is one of those is not told", short(group)),
            )),
            _ => Ok(false),
        }
    }

    /// Who is known to be in a group.
    pub(super) fn members(&self, group: &str) -> impl Iterator<Item = &str> {
        self.groups.get(group).into_iter().flat_map(|whole| &whole.members).map(String::as_str)
    }

    /// What is missing of who is in a group.
    pub(super) fn gaps(&self, group: &str) -> impl Iterator<Item = &Gap> {
        self.groups.get(group).into_iter().flat_map(|whole| &whole.gaps)
    }

    /// The exchanges that tell who is in a group.
    pub(super) fn evidence(&self, group: &str) -> &[u32] {
        self.groups.get(group).map(|whole| whole.evidence.as_slice()).unwrap_or_default()
    }
}

impl Whole {
    fn of(address: &str, all: &BTreeMap<String, Own>) -> Self {
        let mut this = Self::default();
        let mut reached = BTreeSet::from([address]);
        let mut waiting = vec![address];
        while let Some(own) = waiting.pop().and_then(|address| all.get(address)) {
            this.members.extend(own.members.iter().cloned());
            this.gaps.extend(own.gaps.iter().cloned());
            this.evidence.extend(&own.evidence);
            waiting.extend(own.within().filter(|within| reached.insert(within)));
        }
        this.members.remove(&format!("group:{address}"));
        this.evidence = sorted(this.evidence);
        this
    }
}

impl Own {
    fn of(address: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let roster = Roster::of(address, evidence)?;
        let mut this = Self { gaps: roster.gaps, evidence: roster.evidence, members: BTreeSet::new() };
        for (membership, _n) in &roster.members {
            match principal(membership) {
                Ok(member) => this.members.extend(member),
                Err(gap) => this.gaps.push(Gap::new(gap.cause, format!("{} ({})", gap.detail, short(address)))),
            }
        }
        Ok(this)
    }

    fn within(&self) -> impl Iterator<Item = &str> {
        self.members.iter().filter_map(|member| member.strip_prefix("group:"))
    }
}

/// A member of a policy, so that two spellings of one address are the same: policies and directories do not agree on capital letters.
pub(super) fn comparable(member: &str) -> String {
    match member.split_once(':') {
        Some((kind @ ("user" | "serviceAccount" | "group"), address)) => format!("{kind}:{}", address.to_lowercase()),
        _ => member.to_owned(),
    }
}

/// A member of a group as a policy would name it; none for what can do nothing.
fn principal(membership: &Value) -> Result<Option<String>, Gap> {
    let left_out = || Gap::new(GapCause::LeftOut, "a membership does not say what its member is");
    let of_type = text(membership, "type")?.ok_or_else(left_out)?;
    if of_type == "GROUP" {
        return Ok(group_within(membership)?.map(|address| format!("group:{address}")));
    }
    let strange = || Gap::new(GapCause::Malformed, "a member of a group is of no kind that is known here");
    let is_foreign = part(membership, "preferredMemberKey/namespace")?.is_some();
    let key = member_of(membership)?;
    match of_type {
        "SHARED_DRIVE" | "CBCM_BROWSER" => Ok(None),
        _ if is_foreign => Err(strange()),
        "USER" if key.contains('@') => Ok(Some(comparable(&format!("user:{key}")))),
        "SERVICE_ACCOUNT" if key.contains('@') => Ok(Some(comparable(&format!("serviceAccount:{key}")))),
        "OTHER" if key.starts_with('C') && key.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Ok(Some(format!("{CUSTOMER}{key}"))),
        _ => Err(strange()),
    }
}
