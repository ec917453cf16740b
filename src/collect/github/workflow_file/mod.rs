//! What one workflow file says: what starts it, what it runs, what its token may do, and what somebody from outside could make of it.
//!
//! Pure. The findings are those that can be told from one file by itself; a reusable workflow or an action that it calls is another file. Left out: data that
//! reaches a script through several steps. <https://docs.github.com/en/actions/reference/security/secure-use>

mod expression;
mod install;
mod yaml;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::collect::github::workflow_file::expression::{expressions, is_foreign, is_own, secrets};

/// What starts a workflow with secrets and a token that may write, on behalf of somebody who may have neither.
const PRIVILEGED: [&str; 3] = ["pull_request_target", "workflow_run", "issue_comment"];

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct File {
    /// The events that start it.
    pub(super) triggers: BTreeSet<String>,
    /// Every action and reusable workflow that it names.
    pub(super) uses: BTreeSet<String>,
    /// It says what its token may do, for all its jobs.
    pub(super) declares_permissions: bool,
    /// It asks for a token that may write everything.
    pub(super) writes_all: bool,
    /// It may run code of somebody from outside with secrets and a token that may write.
    pub(super) checks_out_untrusted: bool,
    /// Where text of somebody from outside becomes part of a script: the job and the expression.
    pub(super) injections: BTreeSet<String>,
    /// Commands in scripts that install or run whatever is newest: the job and the command.
    pub(super) unpinned_installs: BTreeSet<String>,
    /// Long-lived keys of clouds: names of secrets, or inputs of actions that take one.
    pub(super) static_cloud_keys: BTreeSet<String>,
}

/// What was found to be wrong with a file.
pub(super) type Wrong = String;

impl File {
    /// Reads a file's text.
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let tree = yaml::read(text).map_err(|error| error.to_string())?;
        let top = tree.as_object().ok_or("it is not a map")?;
        let jobs = top.get("jobs").and_then(Value::as_object).ok_or("it has no jobs")?;
        let mut file = Self { triggers: triggers(top.get("on"))?, ..Self::default() };
        let own = jobs.values().all(|job| declared(job.get("permissions")));
        file.declares_permissions = declared(top.get("permissions")) || (own && !jobs.is_empty());
        file.writes_all = top.get("permissions").is_some_and(is_write_all);
        for (name, job) in jobs {
            let job = job.as_object().ok_or_else(|| format!("job {name} is not a map"))?;
            file.writes_all |= job.get("permissions").is_some_and(is_write_all);
            if let Some(called) = job.get("uses") {
                file.uses.insert(text_of(called, "uses")?.to_owned());
            }
            let steps = job.get("steps").map(|steps| steps.as_array().ok_or_else(|| format!("the steps of {name} are not a list"))).transpose()?;
            for step in steps.map(Vec::as_slice).unwrap_or_default() {
                file.step(name, step.as_object().ok_or_else(|| format!("a step of {name} is not a map"))?)?;
            }
        }
        each_text(&tree, &mut |text| {
            let keys = expressions(text).into_iter().flat_map(|expression| secrets(&expression)).filter(|name| is_cloud_key(name));
            file.static_cloud_keys.extend(keys.map(|name| format!("secrets.{name}")));
        });
        Ok(file)
    }

    fn step(&mut self, job: &str, step: &Map<String, Value>) -> Result<(), Wrong> {
        let is_privileged = PRIVILEGED.iter().any(|event| self.triggers.contains(*event));
        let with = |input: &str| step.get("with").and_then(|with| with.get(input)).and_then(Value::as_str);
        let action = step.get("uses").map(|uses| text_of(uses, "uses")).transpose()?;
        let mut scripts = Vec::new();
        scripts.extend(step.get("run").map(|run| text_of(run, "run")).transpose()?);
        if let Some(action) = action {
            self.uses.insert(action.to_owned());
            let name = action.split('@').next().unwrap_or_default().to_ascii_lowercase();
            if name == "actions/github-script" {
                scripts.extend(with("script"));
            }
            let fetches = name == "actions/checkout" && ["ref", "repository"].iter().filter_map(|input| with(input)).any(names_foreign_code);
            self.checks_out_untrusted |= is_privileged && fetches;
            let key = KEY_INPUTS.iter().find(|(of, input)| name == *of && with(input).is_some_and(|text| !text.trim().is_empty()));
            self.static_cloud_keys.extend(key.map(|(of, input)| format!("{of}: {input}")));
        }
        for script in scripts {
            self.checks_out_untrusted |= is_privileged && fetches_foreign_code(script);
            self.unpinned_installs.extend(install::unpinned(script).into_iter().map(|command| format!("{job}: {command}")));
            let foreign = expressions(script).into_iter().filter(|expression| is_foreign(expression));
            self.injections.extend(foreign.map(|expression| format!("{job}: {expression}")));
        }
        Ok(())
    }
}

fn text_of<'a>(value: &'a Value, what: &str) -> Result<&'a str, Wrong> {
    value.as_str().ok_or_else(|| format!("{what} is no text"))
}

/// `on: push`, `on: [push]` or `on: {push: …}`.
fn triggers(on: Option<&Value>) -> Result<BTreeSet<String>, Wrong> {
    match on {
        Some(Value::String(event)) => Ok([event.clone()].into()),
        Some(Value::Array(events)) => events.iter().map(|event| text_of(event, "an event").map(ToOwned::to_owned)).collect(),
        Some(Value::Object(events)) => Ok(events.keys().cloned().collect()),
        _ => Err("it does not say what starts it".to_owned()),
    }
}

/// An empty map declares that the token may do nothing; nothing at all declares nothing.
fn declared(permissions: Option<&Value>) -> bool {
    permissions.is_some_and(|permissions| !permissions.is_null())
}

fn is_write_all(permissions: &Value) -> bool {
    permissions == "write-all"
}

/// True where an action, reusable workflow or image can change under the same name. What lies in the same repository changes with it.
pub(super) fn is_unpinned(uses: &str) -> bool {
    if uses.starts_with("./") {
        return false;
    }
    let is_hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match uses.strip_prefix("docker://") {
        Some(image) => !image.rsplit_once("@sha256:").is_some_and(|(_, digest)| is_hex(digest, 64)),
        None => !uses.rsplit_once('@').is_some_and(|(_, commit)| is_hex(commit, 40) || is_hex(commit, 64)),
    }
}

/// An expression that does not name code of this repository may name anybody's.
fn names_foreign_code(input: &str) -> bool {
    expressions(input).iter().any(|expression| !is_own(expression))
}

fn fetches_foreign_code(script: &str) -> bool {
    ["gh pr checkout", "hub pr checkout", "refs/pull/", "pull/${{", "pull/$"].iter().any(|sign| script.contains(sign))
        || script.lines().any(|line| line.contains("git ") && expressions(line).iter().any(|expression| expression.contains("head")))
}

/// Actions that take a long-lived key, and the input that it goes to.
const KEY_INPUTS: [(&str, &str); 5] = [
    ("aws-actions/configure-aws-credentials", "aws-secret-access-key"),
    ("azure/login", "creds"),
    ("google-github-actions/auth", "credentials_json"),
    ("google-github-actions/setup-gcloud", "service_account_key"),
    ("azure/docker-login", "password"),
];

/// The name of a secret as the clouds' own manuals call a long-lived key, with or without something before it.
fn is_cloud_key(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let ends =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_CREDENTIALS", "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET", "SERVICE_ACCOUNT_KEY", "GCP_SA_KEY"];
    let is_google = ["GCP_", "GCLOUD_", "GOOGLE_"].iter().any(|start| name.contains(start));
    let is_key = ["CREDENTIALS", "CREDENTIALS_JSON", "SA_KEY", "SERVICE_KEY", "SERVICE_ACCOUNT", "SERVICE_ACCOUNT_JSON", "KEY_JSON", "KEYFILE"];
    ends.iter().any(|end| name.ends_with(end)) || (is_google && is_key.iter().any(|end| name.ends_with(end)))
}

/// Every text in a tree, names left out.
fn each_text(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, visit)),
        Value::Object(items) => items.values().for_each(|item| each_text(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    use super::{File, is_unpinned};

    fn file(on: &str, rest: &str) -> File {
        File::read(&format!("on: {on}\njobs:\n  build:\n{rest}")).expect("a workflow")
    }

    #[test]
    fn a_commit_or_a_digest_pins_and_a_tag_does_not() {
        let (commit, digest) = ("a".repeat(40), "b".repeat(64));
        for pinned in ["./.github/actions/x".to_owned(), format!("actions/checkout@{commit}"), format!("acme/x/.github/workflows/y.yml@{commit}")] {
            assert!(!is_unpinned(&pinned), "{pinned}");
        }
        assert!(!is_unpinned(&format!("docker://alpine@sha256:{digest}")));
        for loose in ["actions/checkout@v4", "actions/checkout", "actions/checkout@abcdef1", "docker://alpine:3", "acme/x@main"] {
            assert!(is_unpinned(loose), "{loose}");
        }
    }

    #[test]
    fn permissions_are_declared_for_the_whole_or_for_each_job() {
        assert!(!file("push", "    steps: []").declares_permissions);
        assert!(file("push", "    permissions: {}\n    steps: []").declares_permissions);
        assert!(!file("push", "    permissions:\n    steps: []").declares_permissions, "nothing is written there");
        let half = "on: push\njobs:\n  a:\n    permissions: read-all\n  b:\n    steps: []\n";
        assert!(!File::read(half).expect("a workflow").declares_permissions);
        assert!(File::read(&format!("permissions: {{contents: read}}\n{half}")).expect("a workflow").declares_permissions);
        assert!(file("push", "    permissions: write-all").writes_all);
    }

    #[test]
    fn code_from_outside_is_seen_where_it_runs_with_secrets() {
        let checkout = |input: &str| format!("    steps:\n      - uses: actions/checkout@v4\n        with:\n          {input}\n");
        for (on, input, expected) in [
            ("pull_request_target", "ref: ${{ github.event.pull_request.head.sha }}", true),
            ("[push, workflow_run]", "ref: ${{ github.event.workflow_run.head_sha }}", true),
            ("pull_request_target", "ref: ${{ steps.x.outputs.sha }}", true),
            ("pull_request_target", "ref: refs/pull/${{ github.event.number }}/merge", true),
            ("pull_request_target", "repository: ${{ github['event'].pull_request.head.repo.full_name }}", true),
            ("pull_request_target", "ref: ${{ github.event.pull_request.base.sha }}", false),
            ("pull_request_target", "ref: main", false),
            ("pull_request", "ref: ${{ github.event.pull_request.head.sha }}", false),
        ] {
            assert_eq!(file(on, &checkout(input)).checks_out_untrusted, expected, "{on} {input}");
        }
        for script in ["gh pr checkout ${{ github.event.number }}", "git fetch origin pull/$N/head", "git checkout ${{ github.head_ref }}"] {
            assert!(file("pull_request_target", &format!("    steps:\n      - run: {script}\n")).checks_out_untrusted, "{script}");
        }
    }

    #[test]
    fn text_from_outside_in_a_script_is_an_injection_and_in_an_environment_is_not() {
        let found = file(
            "issues",
            "    steps:\n      - run: echo ${{ github.event.issue.title }}\n      - run: echo $T\n        env: {T: '${{ github.event.issue.title }}'}\n",
        );
        assert_eq!(found.injections.into_iter().collect::<Vec<_>>(), ["build: github.event.issue.title"]);
        let script = "    steps:\n      - uses: actions/github-script@v7\n        with: {script: 'x(`${{ github.event.comment.body }}`)'}\n";
        assert_eq!(file("issue_comment", script).injections.len(), 1);
    }

    #[test]
    fn keys_of_clouds_are_told_by_their_names_and_inputs() {
        let keys = |rest: &str| file("push", rest).static_cloud_keys.into_iter().collect::<Vec<_>>();
        assert_eq!(keys("    env: {K: '${{ secrets.PROD_AWS_SECRET_ACCESS_KEY }}'}\n"), ["secrets.PROD_AWS_SECRET_ACCESS_KEY"]);
        assert_eq!(keys("    steps:\n      - uses: google-github-actions/auth@v2\n        with: {credentials_json: '${{ secrets.X }}'}\n").len(), 1);
        assert!(keys("    env: {K: '${{ secrets.NPM_TOKEN }}', G: '${{ secrets.GOOGLE_MAPS_API_KEY }}'}\n").is_empty());
        assert!(keys("    steps:\n      - uses: google-github-actions/auth@v2\n        with: {workload_identity_provider: x}\n").is_empty());
    }

    #[test]
    fn what_is_no_workflow_is_not_read() {
        for text in
            ["", "- a", "on: push", "jobs: {a: {}}", "on: push\njobs: {a: 1}", "on: push\njobs: {a: {steps: 1}}", "on: push\njobs: {a: {steps: [{uses: [x]}]}}"]
        {
            assert!(File::read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in "[-a-z:{}\\[\\]$ '\"|>&*#\n]{0,120}") {
            let inside = format!("on: push\njobs:\n  a:\n    steps:\n      - run: {text}\n");
            for text in [&text, &inside] {
                prop_assert_eq!(File::read(text), File::read(text));
            }
        }
    }
}
