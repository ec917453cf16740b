//! What a run looks at. An argument to every collector, never ambient.

use serde::{Deserialize, Serialize};

use crate::model::period::Period;

/// The tenants and windows of one run. Sealed into the manifest, so that a later evaluation reads the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// GitHub organisation logins, sorted.
    pub github_organizations: Vec<String>,
    /// Issues with at least one of these labels are tasks; sorted.
    pub issue_labels: Vec<String>,
    /// The boards that say where work stands. Manifests from before there were any name none.
    #[serde(default)]
    pub boards: Boards,
    /// Where Google Cloud projects are looked for.
    pub gcp_parents: Vec<GcpParent>,
    /// Changes merged in `[start, end)` are the population of changes.
    pub window: Period,
}

/// Projects (version 2) of the GitHub organisations, and how they are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boards {
    /// Their numbers, sorted; each organisation is asked for each.
    pub projects: Vec<u32>,
    /// The date field that says by when an item is due.
    pub due_field: String,
}

impl Default for Boards {
    fn default() -> Self {
        Self { projects: Vec::new(), due_field: "SLA".to_owned() }
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

impl std::fmt::Display for GcpParent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Organization(id) => write!(f, "organizations/{id}"),
            Self::Folder(id) => write!(f, "folders/{id}"),
            Self::Project(id) => write!(f, "projects/{id}"),
        }
    }
}
