//! The parts of an issue: its sub-issues, and the sections of its texts with what is linked below each heading.
//!
//! Texts are written by anybody and trusted in nothing. Left out: sub-issues of sub-issues.

use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, set};
use crate::collect::github::batch::Batch;
use crate::collect::github::completion::links;
use crate::collect::github::issue::KIND;
use crate::collect::github::share;
use crate::collect::github::told::{self, Told};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Resource, attribute};

/// What is told of a sub-issue.
pub(super) const SUB_ISSUE: &[AttributeDecl] = &[
    attribute("repository", AttributeType::Text, "owner/name", "subIssues.repository.nameWithOwner"),
    attribute("number", AttributeType::Int, "Its number in the repository", "subIssues.number"),
    attribute("title", AttributeType::Text, "Its title", "subIssues.title"),
    attribute("state", AttributeType::Text, "OPEN or CLOSED", "subIssues.state"),
    attribute("state_reason", AttributeType::Optional(&AttributeType::Text), "COMPLETED, NOT_PLANNED, …; null where none was given", "subIssues.stateReason"),
    attribute("labels", AttributeType::List(&AttributeType::Text), "Names of its labels", "subIssues.labels"),
];

/// What is told of a section.
pub(super) const SECTION: &[AttributeDecl] = &[
    attribute("heading", AttributeType::Text, "The heading, a line with # or all in bold, in small letters", "body, comments.body"),
    attribute("by", AttributeType::Text, "Who wrote the text that it is in", "author.login"),
    attribute("at", AttributeType::Time, "When that text was written or last changed", "createdAt, lastEditedAt"),
    attribute("links", AttributeType::List(&AttributeType::Text), "Web addresses below it, down to the next heading of its level", "body, comments.body"),
];

const OPERATION: &str = "graphql/sub-issues";
const CURE: &str = "Issues: read on all repositories, those of sub-issues too (token: repo)";
const BATCHES: Batch = Batch { kind: KIND.name, operation: OPERATION, query: include_str!("queries/sub_issues.graphql"), size: share::FULL, abreast: 8 };

/// The labels of each sub-issue are a connection.
const NESTED: u64 = 1;

/// An issue that has sub-issues: how many, and its node id.
pub(super) type Parent = (u64, String);

/// The issues of one answer that have sub-issues. Few have, and what each sub-issue says costs as much as what the issue says of itself.
pub(super) fn parents(page: &Reply) -> Vec<Parent> {
    let answer = Answer::graphql(&page.body);
    let parent = |node: &Field<'_>| Some((count(node).ok().filter(|count| *count > 0)?, node.get("id").text().ok()?.to_owned()));
    told::nodes(&answer).iter().filter_map(parent).collect()
}

fn count(node: &Field<'_>) -> Fact<u64> {
    let total = node.path(&["subIssuesSummary", "total"]).int()?;
    u64::try_from(total).map_err(|error| Gap::new(GapCause::Malformed, format!("subIssuesSummary.total: {error}")))
}

/// Asks what the sub-issues are.
pub(super) async fn fetch(organization: &str, parents: Vec<Parent>, api: &dyn Api) -> Result<(), ApiError> {
    BATCHES.ask_shares(organization, share::by_size(parents, NESTED, &json!({})), api, |_reply| {}).await
}

/// The sub-issues of each issue that has any.
pub(super) type SubIssues = Told<Fact<Vec<Value>>>;

/// Reads the stored answers.
pub(super) fn read(organization: &str, evidence: &dyn Evidence) -> Result<SubIssues, Unreadable> {
    Told::read(organization, OPERATION, CURE, evidence, |node| node.get("subIssues").all_nodes()?.iter().map(sub_issue).collect())
}

/// Sets `sub_issues` and `sections`.
pub(super) fn describe(resource: &mut Resource, node: &Field<'_>, sub_issues: &SubIssues) {
    let told = match count(node) {
        Ok(0) => Ok(Vec::new()),
        Ok(_some) => node.get("id").text().and_then(|id| sub_issues.of(id)).and_then(|(exchange, told)| {
            resource.evidence.push(exchange);
            told.clone()
        }),
        Err(gap) => Err(gap),
    };
    set(resource, "sub_issues", told);
    set(resource, "sections", sections_of(node));
}

fn sub_issue(node: &Field<'_>) -> Fact<Value> {
    let labels = node.get("labels").all_nodes()?.iter().map(|label| label.get("name").text()).collect::<Fact<Vec<_>>>()?;
    Ok(json!({
        "repository": node.path(&["repository", "nameWithOwner"]).text()?, "number": node.get("number").int()?, "title": node.get("title").text()?,
        "state": node.get("state").text()?, "state_reason": node.get("stateReason").or_none(|reason| reason.text().map(ToOwned::to_owned))?, "labels": labels,
    }))
}

/// The sections of the body, then of each comment.
fn sections_of(node: &Field<'_>) -> Fact<Vec<Value>> {
    let mut told = Vec::new();
    let comments = node.get("comments").all_nodes()?;
    for text in std::iter::once(node).chain(&comments) {
        let at = match text.get("lastEditedAt").or_none(Field::time)? {
            Some(edited) => edited,
            None => text.get("createdAt").time()?,
        };
        let by = text.get("author").or_none(|author| author.get("login").text())?.unwrap_or("ghost");
        for (heading, below) in sections(text.get("body").text()?) {
            told.push(json!({ "heading": heading, "by": by, "at": at, "links": links(&below) }));
        }
    }
    Ok(told)
}

/// Each heading of a Markdown text in small letters, with the text below it down to the next heading of the same level or a higher one.
/// Lines in code fences are no headings.
fn sections(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(usize, String, String)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        }
        if let Some((level, title)) = heading(trimmed).filter(|_heading| !fenced) {
            open.retain(|index| found.get(*index).is_some_and(|(above, _, _)| *above < level));
            open.push(found.len());
            found.push((level, title, String::new()));
            continue;
        }
        for index in &open {
            if let Some((_, _, below)) = found.get_mut(*index) {
                below.push_str(line);
                below.push('\n');
            }
        }
    }
    found.into_iter().map(|(_, title, below)| (title, below)).collect()
}

/// `## Title` with its level, or `**Title**` and `**Title:**` alone on a line, below all of those.
fn heading(line: &str) -> Option<(usize, String)> {
    let title = line.trim_start_matches('#');
    let level = line.len().saturating_sub(title.len());
    if (1..=6).contains(&level) && title.starts_with([' ', '\t']) {
        return Some((level, title.trim().trim_end_matches('#').trim().to_lowercase()));
    }
    let bold = line.trim_end_matches(':').strip_prefix("**")?.strip_suffix("**")?;
    (!bold.is_empty() && !bold.contains("**")).then(|| (7, bold.trim().trim_end_matches(':').to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn a_section_reaches_to_the_next_heading_of_its_level() {
        let text = "intro\n## Cloud\na\n### Logs\nb\n**Steps:**\nc\n## Managed instances ##\nd\n```\n# comment\n```\n#hashtag\n";
        let found = sections(text);
        let told: Vec<(&str, Vec<&str>)> = found.iter().map(|(heading, below)| (heading.as_str(), below.lines().collect())).collect();
        assert_eq!(told[0], ("cloud", vec!["a", "b", "c"]));
        assert_eq!(told[1], ("logs", vec!["b", "c"]));
        assert_eq!(told[2], ("steps", vec!["c"]));
        assert_eq!(told[3], ("managed instances", vec!["d", "```", "# comment", "```", "#hashtag"]));
        assert_eq!(told.len(), 4);
        assert!(sections("**a** and **b**\n****\nplain").is_empty());
    }
}
