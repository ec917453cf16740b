//! The resources in scope and the proof that they are all of them.

use serde::{Deserialize, Serialize};

use crate::model::gap::Gap;
use crate::model::kind::Kind;

/// What was enumerated for one kind in one run, with its completeness. The members themselves are streamed, not kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// The kind's name.
    pub kind: String,
    /// The query in words, e.g. "all repositories of the organisation acme".
    pub definition: String,
    /// How many were enumerated in each tenant, beside a second, independent count.
    pub tallies: Vec<Tally>,
    /// Why the enumeration is not complete; empty when every page was read.
    pub gaps: Vec<Gap>,
    /// Numbers of the exchanges that list the members, in page order.
    pub evidence: Vec<u32>,
    /// The labels (or other texts) one of which a member has; empty where nothing but the tenants limits the query. A thing with none of them was never looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed_by: Vec<String>,
}

/// One tenant's count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// e.g. `github.com/acme` or `projects/acme-prod`.
    pub tenant: String,
    /// Members read from the last page down to the first.
    pub count: u64,
    /// What an independent source says the number is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_count: Option<u64>,
    /// Which source that is, e.g. `GET /orgs/acme public_repos + total_private_repos`; says why there is none otherwise.
    pub second_source: String,
}

/// How far a population can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// Every page read, and every second count agrees.
    Reconciled,
    /// Every page read; the source offers no second count for at least one tenant.
    Enumerated,
    /// Every page read, but a second count disagrees.
    Mismatched,
    /// Something was not read.
    Incomplete,
}

impl Population {
    /// Nothing enumerated yet: as it stands, incomplete.
    #[must_use]
    pub fn of(kind: &Kind, definition: String) -> Self {
        Self { kind: kind.name.to_owned(), definition, tallies: Vec::new(), gaps: Vec::new(), evidence: Vec::new(), listed_by: Vec::new() }
    }

    /// How many members were enumerated in all tenants.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.count).sum()
    }

    /// True where some of `populations` are of a kind, and each of these is complete.
    #[must_use]
    pub fn is_whole(populations: &[Self], kind: &str) -> bool {
        let mut of_kind = populations.iter().filter(|population| population.kind == kind).peekable();
        of_kind.peek().is_some() && of_kind.all(|population| population.completeness().is_complete())
    }

    /// Derived from the gaps and the counts, never set.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        if !self.gaps.is_empty() || self.tallies.is_empty() {
            Completeness::Incomplete
        } else if self.tallies.iter().any(|t| t.second_count.is_some_and(|second| second != t.count)) {
            Completeness::Mismatched
        } else if self.tallies.iter().all(|t| t.second_count.is_some()) {
            Completeness::Reconciled
        } else {
            Completeness::Enumerated
        }
    }
}

impl Completeness {
    /// True where every member is known to have been read and nothing contradicts it.
    #[must_use]
    pub fn is_complete(self) -> bool {
        match self {
            Self::Reconciled | Self::Enumerated => true,
            Self::Mismatched | Self::Incomplete => false,
        }
    }
}
