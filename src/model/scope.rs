//! What a run looks at. An argument to every collector, never ambient.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::period::Period;
use crate::model::task::{Attached, Tasks};

/// The tenants and windows of one run. Sealed into the manifest, so that a later evaluation reads the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// GitHub organisation logins, sorted.
    pub github_organizations: Vec<String>,
    /// The enterprise that they belong to, by its slug; none where the configuration names none, as in manifests from before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_enterprise: Option<String>,
    /// Issues with at least one of these labels are tasks; sorted.
    pub issue_labels: Vec<String>,
    /// The workflows whose runs release something, by their paths in a repository; sorted. Manifests from before they were read name none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release_workflows: Vec<String>,
    /// The boards that say where work stands. Manifests from before there were any name none.
    #[serde(default)]
    pub boards: Boards,
    /// Where Google Cloud projects are looked for.
    pub gcp_parents: Vec<GcpParent>,
    /// Changes merged in `[start, end)` are the population of changes.
    pub window: Period,
    /// The past instant, UTC, that everything is asked about, which only a source that remembers can tell; none where it is what there is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
    /// The recurring tasks of the controls that are judged; none where they have none, as in manifests from before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Tasks>,
}

impl Scope {
    /// What was given for its tasks from a terminal.
    pub fn attached(&self) -> impl Iterator<Item = &Attached> {
        self.tasks.iter().flat_map(|tasks| &tasks.attached)
    }

    /// What came and what went from this scope to another, a line each; windows and instants aside.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (what, before, after) in self.parts().into_iter().zip(other.parts()).map(|((what, before), (_what, after))| (what, before, after)) {
            lines.extend(after.difference(&before).map(|came| format!("{what} {came} came into scope")));
            lines.extend(before.difference(&after).map(|went| format!("{what} {went} went out of scope")));
        }
        if self.boards.due_field != other.boards.due_field {
            lines.push(format!("due dates of boards are read from {} instead of {}", other.boards.due_field, self.boards.due_field));
        }
        lines
    }

    fn parts(&self) -> [(&'static str, BTreeSet<String>); 6] {
        [
            ("organisation", self.github_organizations.iter().cloned().collect()),
            ("enterprise", self.github_enterprise.iter().cloned().collect()),
            ("label", self.issue_labels.iter().cloned().collect()),
            ("workflow", self.release_workflows.iter().cloned().collect()),
            ("board", self.boards.projects.iter().map(ToString::to_string).collect()),
            ("Google Cloud", self.gcp_parents.iter().map(ToString::to_string).collect()),
        ]
    }
}

/// Projects (version 2) of the GitHub organisations, and how they are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boards {
    /// Which, sorted.
    pub projects: Vec<Board>,
    /// The date field that says by when an item is due.
    pub due_field: String,
}

impl Default for Boards {
    fn default() -> Self {
        Self { projects: Vec::new(), due_field: "SLA".to_owned() }
    }
}

impl Boards {
    /// The numbers of those that an organisation has.
    pub fn of<'b>(&'b self, organization: &'b str) -> impl Iterator<Item = u32> + 'b {
        self.projects.iter().filter(move |board| board.organization.as_deref().is_none_or(|owner| owner == organization)).map(|board| board.number)
    }
}

/// A board, by its number and whose it is; prints as `220` or `acme/220`, and is written so in manifests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Board {
    /// The login of its organisation; none where it is that of whichever organisation is asked.
    pub organization: Option<String>,
    /// Its number, which the organisation's boards count from 1.
    pub number: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u32),
    Text(String),
}

/// No board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a board is written as a number, or as organisation/number")]
pub struct NotABoard;

impl From<u32> for Board {
    fn from(number: u32) -> Self {
        Self { organization: None, number }
    }
}

impl FromStr for Board {
    type Err = NotABoard;

    fn from_str(text: &str) -> Result<Self, NotABoard> {
        let (organization, number) = text.split_once('/').ok_or(NotABoard)?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| digits && (1..=i32::MAX.unsigned_abs()).contains(number)).ok_or(NotABoard)?;
        if organization.is_empty() { Err(NotABoard) } else { Ok(Self { organization: Some(organization.to_owned()), number }) }
    }
}

impl TryFrom<Written> for Board {
    type Error = NotABoard;

    fn try_from(written: Written) -> Result<Self, NotABoard> {
        match written {
            Written::Number(number) => Ok(Self::from(number)),
            Written::Text(text) => text.parse(),
        }
    }
}

impl From<Board> for Written {
    fn from(board: Board) -> Self {
        if board.organization.is_none() { Self::Number(board.number) } else { Self::Text(board.to_string()) }
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.organization {
            Some(organization) => write!(f, "{organization}/{}", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

/// A node of the Google Cloud resource hierarchy; prints as `organizations/123`, `folders/456`, `projects/acme-prod`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GcpParent {
    /// By number.
    Organization(String),
    /// By number.
    Folder(String),
    /// By project id.
    Project(String),
}

impl fmt::Display for GcpParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => write!(f, "organizations/{id}"),
            Self::Folder(id) => write!(f, "folders/{id}"),
            Self::Project(id) => write!(f, "projects/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Boards};

    #[test]
    fn a_board_is_a_number_or_an_organisations_number() {
        let boards: Boards = serde_json::from_str(r#"{"projects":[3,"acme/220","beta/7"],"due_field":"SLA"}"#).expect("boards");
        assert_eq!(boards.of("acme").collect::<Vec<_>>(), [3, 220]);
        assert_eq!(boards.of("beta").collect::<Vec<_>>(), [3, 7]);
        assert_eq!(boards.of("acm").collect::<Vec<_>>(), [3], "a number alone is every organisation's, as it was before boards had an owner");
        assert_eq!(serde_json::to_string(&boards).expect("JSON"), r#"{"projects":[3,"acme/220","beta/7"],"due_field":"SLA"}"#);
        for not in ["220", "acme/", "/220", "acme/0", "acme/+1", "acme/1/2", "acme/2147483648", "acme/x", ""] {
            assert!(not.parse::<Board>().is_err(), "{not}");
        }
    }
}
