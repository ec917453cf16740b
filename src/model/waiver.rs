//! An approved, dated and expiring acceptance of failures.
//!
//! Left out: which resources fail, and how it went over a period (`waiver_use`).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::model::ids::{ControlId, ResourceId, WaiverId};

/// One `[[waiver]]`, validated: approver and requester differ, and it expires after it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// e.g. `WVR-2026-001`.
    pub id: WaiverId,
    /// The control whose failures it covers.
    pub control: ControlId,
    /// The resources that it covers, by their id: `*` stands for any characters, none and `/` included. Names that people are shown do not count, since
    /// whoever owns a resource can often change them.
    pub resource: String,
    /// Why the failure is accepted.
    pub reason: String,
    /// What is done instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensating: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// Who approved it: somebody else.
    pub approved_by: String,
    /// The first day on which it is in force, on the audit calendar.
    pub approved_on: NaiveDate,
    /// The last day on which it is in force.
    pub expires_on: NaiveDate,
    /// Where the approval is kept.
    pub ticket: String,
    /// The waiver that it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<WaiverId>,
    /// The file that it was read from.
    pub file: String,
}

/// How a waiver stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverStanding {
    /// It covers failures.
    InForce,
    /// Its day of approval has not come.
    NotYet,
    /// Its last day is over.
    Expired,
    /// The newest run's control files do not have it any more.
    Withdrawn,
}

impl WaiverStanding {
    /// As written in CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "in-force",
            Self::NotYet => "not-yet",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Waiver {
    /// How it stands on a day of the audit calendar, as long as it is declared.
    #[must_use]
    pub fn standing_on(&self, day: NaiveDate) -> WaiverStanding {
        if day < self.approved_on {
            WaiverStanding::NotYet
        } else if day > self.expires_on {
            WaiverStanding::Expired
        } else {
            WaiverStanding::InForce
        }
    }

    /// True for a failure of this control on a resource that the pattern names.
    #[must_use]
    pub fn covers(&self, control: &ControlId, resource: &ResourceId) -> bool {
        self.control == *control && matches(&self.resource, resource.as_str())
    }

    /// True where both say the same, in whatever file.
    #[must_use]
    pub fn same_terms(&self, other: &Self) -> bool {
        let moved = Self { file: self.file.clone(), ..other.clone() };
        *self == moved
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, behind)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let (middle, last) = behind.rsplit_once('*').unwrap_or(("", behind));
    for part in middle.split('*') {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters_and_everything_else_for_itself() {
        let cases = [
            ("github.com/acme/web", "github.com/acme/web", true),
            ("github.com/acme/web", "github.com/acme/web2", false),
            ("github.com/acme/web", "github.com/ACME/web", false),
            ("github.com/acme/*", "github.com/acme/web/refs/heads/main", true),
            ("github.com/acme/*", "github.com/acme", false),
            ("*/refs/heads/main", "github.com/acme/web/refs/heads/main", true),
            ("*/refs/heads/main", "github.com/acme/web/refs/heads/main2", false),
            ("github.com/*/web/*/main", "github.com/acme/web/refs/heads/main", true),
            ("github.com/*/api/*/main", "github.com/acme/web/refs/heads/main", false),
            ("a*a", "a", false),
            ("a*b*a", "aba", true),
            ("a*b*a", "aab", false),
            ("**", "anything", true),
            ("a.c", "abc", false),
            ("?", "x", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
