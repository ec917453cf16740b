//! The expressions of GitHub Actions, `${{ … }}`, as far as it takes to tell whose text they stand for.
//!
//! Left out: what they evaluate to. <https://docs.github.com/en/actions/reference/security/secure-use#understanding-the-risk-of-script-injections>

/// The inside of every expression in a text, without blanks and with `a['b']` written `a.b`, in lower case.
pub(super) fn expressions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once("${{") {
        let (inside, after) = tail.split_once("}}").unwrap_or((tail, ""));
        found.push(plain(inside));
        rest = after;
    }
    found
}

fn plain(inside: &str) -> String {
    let tight: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    tight.replace("['", ".").replace("[\"", ".").replace("']", "").replace("\"]", "").replace("[*]", ".*").to_ascii_lowercase()
}

/// The paths that an expression reads, e.g. `github.event.issue.title`.
fn paths(expression: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '*' | '[' | ']');
    expression.split(move |c: char| !is_part(c)).filter(|path| path.contains('.') || *path == "github")
}

/// The names of the secrets that an expression reads.
pub(super) fn secrets(expression: &str) -> Vec<String> {
    paths(expression).filter_map(|path| path.strip_prefix("secrets.")).map(str::to_ascii_uppercase).collect()
}

/// Endings of what somebody from outside writes, below `github.event`.
const WRITTEN: [&str; 13] = [
    ".title",
    ".body",
    ".message",
    ".email",
    ".author.name",
    ".committer.name",
    ".label",
    ".page_name",
    ".head.ref",
    ".head_branch",
    ".display_title",
    ".default_branch",
    ".description",
];
/// What starts like that and is the organisation's own all the same.
const OWN_EVENT: [&str; 6] = [
    "github.event.repository.",
    "github.event.organization.",
    "github.event.pull_request.base.",
    "github.event.inputs.",
    "github.event.release.",
    "github.event.workflow.",
];

/// True where the text that an expression stands for may be written by anybody who can open an issue or a pull request.
pub(super) fn is_foreign(expression: &str) -> bool {
    paths(expression).any(|path| {
        let is_event = path.starts_with("github.event.") && !OWN_EVENT.iter().any(|own| path.starts_with(own));
        let is_everything = path == "github.event" || (path == "github" && expression.contains("tojson"));
        path == "github.head_ref" || is_everything || (is_event && WRITTEN.iter().any(|end| path.ends_with(end)))
    })
}

/// True where an expression names code of the repository itself, by what starts it and not by who asked.
pub(super) fn is_own(expression: &str) -> bool {
    let own = ["github.base_ref", "github.ref", "github.ref_name", "github.sha", "github.repository", "github.event.repository.default_branch"];
    own.contains(&expression) || expression.starts_with("github.event.pull_request.base.")
}

#[cfg(test)]
mod tests {
    use super::{expressions, is_foreign, is_own, secrets};

    #[test]
    fn expressions_are_found_and_written_one_way() {
        assert_eq!(expressions("a ${{ github['event'].issue[\"title\"] }} b ${{secrets.X}} ${{ open"), ["github.event.issue.title", "secrets.x", "open"]);
        assert!(expressions("no ${ } here").is_empty());
        assert_eq!(secrets("format('{0}',secrets.a_key)||secrets.b"), ["A_KEY", "B"]);
    }

    #[test]
    fn what_anybody_writes_is_foreign() {
        for foreign in [
            "github.event.issue.title",
            "github.event.pull_request.body",
            "github.event.pull_request.head.ref",
            "github.head_ref",
            "github.event.commits.*.message",
            "github.event.head_commit.author.email",
            "github.event.workflow_run.head_branch",
            "contains(github.event.comment.body,'x')",
            "tojson(github.event)",
            "tojson(github)",
        ] {
            assert!(is_foreign(foreign), "{foreign}");
        }
        for own in
            ["github.event.issue.number", "github.event.pull_request.base.ref", "github.sha", "inputs.title", "github.event.repository.name", "matrix.name"]
        {
            assert!(!is_foreign(own), "{own}");
        }
        assert!(is_own("github.event.pull_request.base.sha") && !is_own("github.event.pull_request.head.sha") && !is_own("inputs.ref"));
    }
}
