//! How what was built gets out: environments and who guards them, releases.

use serde_json::{Value, json};

use crate::collect::github::answer::{Fact, Field};
use crate::collect::github::listing::{Asked, Derived, Listing, Of, fields};
use crate::model::{AttributeType, Gap, GapCause, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const TEXT: AttributeType = AttributeType::Text;
const TIME: AttributeType = AttributeType::Time;
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&TEXT);
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&TIME);

/// `github.environment`. <https://docs.github.com/en/rest/deployments/environments#list-environments>
pub static ENVIRONMENT: Listing = Listing {
    kind: &Kind {
        name: "github.environment",
        meaning: "a place that workflows of a repository deploy to, with what guards it",
        permission: "Actions and Environments: read on all repositories (token: repo)",
        attributes: fields! { "GET /repos/{owner}/{repo}/environments";
            "repository": TEXT, "owner/name", "owner/name";
            "name": TEXT, "what it is called", "name";
            "reviewers": AttributeType::List(&TEXT), "who may approve a deployment: user: or team: and a name", "protection_rules.reviewers";
            "prevents_self_review": BOOL, "who started a deployment may not approve it; false where nobody needs to", "protection_rules.prevent_self_review";
            "wait_minutes": AttributeType::Int, "how long a deployment waits", "protection_rules.wait_timer";
            "rules": AttributeType::List(&TEXT), "the types of its rules, e.g. required_reviewers; custom ones are Apps", "protection_rules.type";
            "branch_policy": OPTIONAL_TEXT, "protected_branches or custom_branch_policies; null where every branch may deploy", "deployment_branch_policy";
            "admins_can_bypass": BOOL, "administrators may deploy past its rules", "can_admins_bypass";
            "created_at": TIME, "when it was created", "created_at";
            "updated_at": TIME, "when it was last changed", "updated_at";
        },
    },
    operation: "repos/get-all-environments",
    of: Of::Repository(Asked::Counted("environments")),
    path: "environments?per_page=100",
    items: Some("environments"),
    key: "id",
    title: "name",
    derived: &[
        Derived { name: "reviewers", read: reviewers },
        Derived { name: "prevents_self_review", read: prevents_self_review },
        Derived { name: "wait_minutes", read: wait_minutes },
        Derived { name: "rules", read: rule_types },
        Derived { name: "branch_policy", read: branch_policy },
    ],
    unlisted: None,
};

/// The rules of one type; GitHub lists an environment's rules whole.
fn rules<'a>(environment: &Field<'a>, wanted: &str) -> Fact<Vec<Field<'a>>> {
    let mut found = Vec::new();
    for rule in environment.get("protection_rules").items()? {
        if rule.get("type").text()? == wanted {
            found.push(rule);
        }
    }
    Ok(found)
}

fn rule_types(environment: &Field<'_>) -> Fact<Value> {
    let mut types = environment.get("protection_rules").items()?.iter().map(|rule| rule.get("type").text()).collect::<Fact<Vec<_>>>()?;
    types.sort_unstable();
    Ok(json!(types))
}

fn reviewers(environment: &Field<'_>) -> Fact<Value> {
    let mut names = Vec::new();
    for rule in rules(environment, "required_reviewers")? {
        for entry in rule.get("reviewers").items()? {
            let who = entry.get("reviewer");
            names.push(match entry.get("type").text()? {
                "User" => format!("user:{}", who.get("login").text()?),
                "Team" => format!("team:{}", who.get("slug").text()?),
                other => return Err(Gap::new(GapCause::Malformed, format!("a reviewer is neither User nor Team but {other:?}"))),
            });
        }
    }
    names.sort_unstable();
    Ok(json!(names))
}

fn prevents_self_review(environment: &Field<'_>) -> Fact<Value> {
    let told = rules(environment, "required_reviewers")?.iter().map(|rule| rule.get("prevent_self_review").bool()).collect::<Fact<Vec<_>>>()?;
    Ok(told.contains(&true).into())
}

fn wait_minutes(environment: &Field<'_>) -> Fact<Value> {
    let told = rules(environment, "wait_timer")?.iter().map(|rule| rule.get("wait_timer").int()).collect::<Fact<Vec<_>>>()?;
    Ok(told.into_iter().max().unwrap_or(0).into())
}

/// Null is documented to allow all branches.
fn branch_policy(environment: &Field<'_>) -> Fact<Value> {
    let policy = environment.get("deployment_branch_policy");
    if policy.is_none() {
        return Ok(Value::Null);
    }
    match (policy.get("protected_branches").bool()?, policy.get("custom_branch_policies").bool()?) {
        (true, false) => Ok("protected_branches".into()),
        (false, true) => Ok("custom_branch_policies".into()),
        _ => Err(Gap::new(GapCause::Malformed, "deployment_branch_policy is neither of its two kinds")),
    }
}

/// `github.release`. <https://docs.github.com/en/rest/releases/releases#list-releases>
pub static RELEASE: Listing = Listing {
    kind: &Kind {
        name: "github.release",
        meaning: "a release of a repository; drafts only where the credential may push",
        permission: "Contents: read on all repositories (token: repo)",
        attributes: fields! { "GET /repos/{owner}/{repo}/releases";
            "repository": TEXT, "owner/name", "owner/name";
            "tag": TEXT, "its tag", "tag_name";
            "name": OPTIONAL_TEXT, "what it is called", "name";
            "url": TEXT, "its page", "html_url";
            "draft": BOOL, "it is not published", "draft";
            "prerelease": BOOL, "it is marked as not ready for production", "prerelease";
            "immutable": BOOL, "neither its tag nor its files can be changed any more", "immutable";
            "author": TEXT, "who made it", "author.login";
            "assets": AttributeType::List(&TEXT), "the names of its files", "assets.name";
            "created_at": TIME, "the time of the commit that it is made of", "created_at";
            "published_at": OPTIONAL_TIME, "when it was published; null where it is a draft", "published_at";
        },
    },
    operation: "repos/list-releases",
    of: Of::Repository(Asked::Counted("releases")),
    path: "releases?per_page=100",
    items: None,
    key: "id",
    title: "tag_name",
    derived: &[Derived { name: "assets", read: assets }],
    unlisted: None,
};

fn assets(release: &Field<'_>) -> Fact<Value> {
    let names = release.get("assets").items()?.iter().map(|asset| asset.get("name").text()).collect::<Fact<Vec<_>>>()?;
    Ok(json!(names))
}
