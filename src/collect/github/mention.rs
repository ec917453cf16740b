//! Security tasks as kinds of other sources look for them: what each says, so that one that names something can be found.
//!
//! They are the issues of `issue`, asked for by the same requests. Left out: their evidence and boards, and what whoever looks for them makes of them.

use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::issue;
use crate::collect::github::items::Listed;
use crate::model::{Gap, GapCause, Scope};

/// A security task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect) struct Task {
    /// Its page.
    pub(in crate::collect) url: String,
    /// `owner/name#7`.
    pub(in crate::collect) name: String,
    /// Names of its labels.
    pub(in crate::collect) labels: Vec<String>,
    /// When it was opened.
    pub(in crate::collect) created_at: String,
    /// Its title, its text and its comments, a line between each.
    pub(in crate::collect) text: String,
    /// The exchanges that tell it.
    pub(in crate::collect) evidence: [u32; 2],
}

/// All of them, as far as they were told, and what of them was not.
#[derive(Debug, Default)]
pub(in crate::collect) struct Tasks {
    /// Those that were read whole.
    pub(in crate::collect) known: Vec<Task>,
    /// Why there may be others.
    pub(in crate::collect) gaps: Vec<Gap>,
    /// The exchanges that list them.
    pub(in crate::collect) evidence: Vec<u32>,
}

/// Asks for every security task of every organisation.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(in crate::collect) async fn fetch(scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
    for organization in &scope.github_organizations {
        issue::fetch_all(organization, &scope.issue_labels, api).await?;
    }
    Ok(())
}

/// Reads them.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(in crate::collect) fn read(scope: &Scope, evidence: &dyn Evidence) -> Result<Tasks, Unreadable> {
    let mut tasks = Tasks::default();
    if scope.github_organizations.is_empty() || scope.issue_labels.is_empty() {
        let gap = Gap::new(GapCause::NotConfigured, "no organisation on GitHub, or no label, says which issues are security tasks");
        tasks.gaps.push(gap.cured_by("organization and issue_labels under [github] in proofline.toml"));
        return Ok(tasks);
    }
    for organization in &scope.github_organizations {
        let found =
            issue::each_answer(organization, evidence, &mut |listed, details| match details.and_then(|(node, exchange)| task(listed, node, exchange)) {
                Ok(task) => tasks.known.push(task),
                Err(gap) => tasks.gaps.push(gap),
            })?;
        tasks.gaps.extend(found.gaps);
        tasks.evidence.extend(found.evidence);
    }
    Ok(tasks)
}

fn task(listed: &Listed, node: &Field<'_>, exchange: u32) -> Fact<Task> {
    let mut text = format!("{}\n{}", listed.title, node.get("body").text()?);
    for comment in node.get("comments").all_nodes()? {
        text.push('\n');
        text.push_str(comment.get("body").text()?);
    }
    Ok(Task {
        url: listed.url.clone(),
        name: format!("{}#{}", listed.repository, listed.number),
        labels: issue::names(&node.get("labels"), "name")?,
        created_at: node.get("createdAt").time()?,
        text,
        evidence: [listed.exchange, exchange],
    })
}

impl Task {
    /// Whether it names something: what stands before and after it is no part of a longer name.
    pub(in crate::collect) fn names(&self, what: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let stands_alone = |(at, found): (usize, &str)| {
            let before = self.text.get(..at).and_then(|before| before.chars().next_back());
            let after = self.text.get(at + found.len()..).and_then(|after| after.chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        };
        !what.is_empty() && self.text.match_indices(what).any(stands_alone)
    }
}

#[cfg(test)]
mod tests {
    use super::Task;

    #[test]
    fn a_name_is_found_whole_or_not_at_all() {
        let task = |text: &str| Task {
            url: String::new(),
            name: String::new(),
            labels: Vec::new(),
            created_at: String::new(),
            text: text.to_owned(),
            evidence: [1, 2],
        };
        for named in ["acme-prod", "Delete `acme-prod`.", "projects/acme-prod: gone", "é acme-prod"] {
            assert!(task(named).names("acme-prod"), "{named}");
        }
        for other in ["acme-prod-2", "old-acme-prod", "acme_prod", "", "xacme-prod"] {
            assert!(!task(other).names("acme-prod"), "{other}");
        }
        assert!(!task("anything").names(""));
        assert!(task("old-acme-prod and acme-prod").names("acme-prod"));
    }
}
