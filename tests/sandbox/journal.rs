//! What was asked and answered.

use std::collections::BTreeMap;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `github`, `cloudresourcemanager`, …
    pub(crate) service: String,
    pub(crate) method: String,
    /// Below the service.
    pub(crate) path: String,
    /// As sent, without `?`.
    pub(crate) query: String,
    /// None where the connection was closed instead.
    pub(crate) status: Option<u16>,
}

/// All requests so far.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<Entry>,
    /// Requests that broke a contract, with the reason.
    pub(crate) violations: Vec<String>,
    /// GraphQL points by the name of the query.
    pub(crate) points: BTreeMap<String, u64>,
    /// The most requests that were under way at once.
    pub(crate) most_at_once: usize,
}

/// Counts over a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) total: usize,
    /// GET requests to GitHub.
    pub(crate) rest: usize,
    /// Answered by 304.
    pub(crate) not_modified: usize,
    /// By service and kind of path, e.g. `github GET /repos/{owner}/{repo}/branches/{branch}`.
    pub(crate) by_class: BTreeMap<String, usize>,
}

impl Journal {
    /// Counts.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = Counters { total: self.entries.len(), ..Counters::default() };
        for entry in &self.entries {
            counters.rest += usize::from(entry.service == "github" && entry.method == "GET");
            counters.not_modified += usize::from(entry.status == Some(304));
            *counters.by_class.entry(entry.class()).or_default() += 1;
        }
        counters
    }
}

impl Entry {
    /// The request without the names in it.
    pub(crate) fn class(&self) -> String {
        let mut class = format!("{} {} ", self.service, self.method);
        let mut above = "";
        for segment in self.path.trim_start_matches('/').split('/') {
            let shown = match above {
                "orgs" | "organizations" | "repositories" | "users" | "folders" | "projects" | "serviceAccounts" | "b" => "{}",
                "branches" => "{branch}",
                "repos" => "{owner}",
                "{owner}" => "{repo}",
                _ if segment.bytes().all(|byte| byte.is_ascii_digit()) => "{n}",
                _ => segment,
            };
            class.push('/');
            class.push_str(shown);
            if shown == "{}" {
                class.extend(segment.split_once(':').into_iter().flat_map(|(_, verb)| [":", verb]));
            }
            above = if shown == "{owner}" {
                "{owner}"
            } else if shown.starts_with('{') {
                ""
            } else {
                segment
            };
        }
        class
    }
}
