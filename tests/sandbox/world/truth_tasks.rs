//! What is true of a task's history and of the evidence that was given for it.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::sandbox::attachments;
use crate::sandbox::world::World;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::tasks::Issue;
use crate::sandbox::world::truth::{instant, kind_of, links};

impl World {
    /// The attributes that its timeline and its comments tell.
    pub(crate) fn history_of_task(&self, issue: &Issue) -> Value {
        let who = |person: &Person| self.login(person).unwrap_or("ghost");
        let created = instant(issue.created);
        let names: Vec<&str> = issue.assignees.iter().filter_map(|index| self.login(&Person::Member(*index))).collect();
        let assigned: Vec<Value> = names.iter().map(|name| json!({ "to": name, "to_type": "User", "by": who(&issue.author), "at": created })).collect();
        let labelled: Vec<Value> =
            issue.labels.iter().map(|label| json!({ "label": label, "by": who(&issue.author), "by_type": "User", "at": created })).collect();
        let doer = issue.assignees.first().map_or(Person::Ghost, |index| Person::Member(*index));
        let undone = issue.reopened.iter().map(|(at, _)| json!({ "at": instant(*at), "by": who(&doer), "by_type": "User", "reason": "COMPLETED" }));
        let last = issue.closed.iter().map(
            |closing| json!({ "at": instant(closing.at), "by": who(&closing.by), "by_type": kind_of(&closing.by).unwrap_or("User"), "reason": closing.reason }),
        );
        let closings: Vec<Value> = undone.chain(last).collect();
        let answer = issue.comments.iter().find(|comment| comment.by != issue.author && !matches!(comment.by, Person::Bot(_)));
        let evidence = self.evidence_of_task(issue);
        let captured: Vec<&Value> = evidence.iter().filter(|item| item["captured"] == true).collect();
        let mut doers: Vec<&str> = names.iter().copied().chain(captured.iter().filter_map(|item| item["by"].as_str())).collect();
        doers.sort_unstable();
        doers.dedup();
        let first = captured.iter().filter_map(|item| item["at"].as_str()).min().unwrap_or("never");
        let mut reviewers: Vec<&str> = issue
            .comments
            .iter()
            .filter(|comment| first != "never" && instant(comment.at).as_str() > first && issue.closed.as_ref().is_none_or(|closing| comment.at <= closing.at))
            .map(|comment| who(&comment.by))
            .filter(|name| !doers.contains(name))
            .collect();
        reviewers.sort_unstable();
        reviewers.dedup();
        json!({
            "assigned": assigned, "first_assigned_at": if names.is_empty() { None } else { Some(&created) }, "labelled": labelled, "closings": closings,
            "first_response_at": answer.map(|comment| instant(comment.at)), "doers": doers, "reviewed_by": reviewers, "evidence": evidence,
        })
    }

    fn evidence_of_task(&self, issue: &Issue) -> Vec<Value> {
        let mut all = Vec::new();
        for comment in &issue.comments {
            let (at, by) = (instant(comment.edited.unwrap_or(comment.at)), self.login(&comment.by).unwrap_or("ghost"));
            for link in links(&comment.body) {
                let item = match link.strip_prefix("https://github.com").filter(|path| attachments::is_file(path)) {
                    None => of_the_api(link).unwrap_or_else(|| withheld("link_only", "link only")),
                    Some(path) if path.ends_with(attachments::GONE) => withheld("attachment", "link only: GitHub answered 404"),
                    Some(path) if path.ends_with(attachments::LARGE) => withheld("attachment", "the body is larger than 16777216 bytes"),
                    Some(path) => file(path, &attachments::contents(self, path)),
                };
                all.push(given(item, &at, by, link));
            }
        }
        for (place, number) in &issue.closed_by {
            let Some(repository) = self.repositories.get(*place) else { continue };
            let Some(change) = repository.pull_requests.iter().find(|change| change.number == *number) else { continue };
            let Some(merge) = &change.merged else { continue };
            let url = format!("https://github.com/{}/pull/{number}", self.full_name(repository));
            let item = json!({ "kind": "pull_request", "captured": true, "reason": null, "name": null, "media_type": null, "bytes": null, "sha256": null, "conclusion": null });
            all.push(given(item, &instant(merge.at), self.login(&change.author).unwrap_or("ghost"), &url));
        }
        all
    }
}

fn given(mut item: Value, at: &str, by: &str, url: &str) -> Value {
    if let Some(fields) = item.as_object_mut() {
        fields.extend([("at", at), ("by", by), ("url", url)].map(|(name, value)| (name.to_owned(), value.into())));
    }
    item
}

fn withheld(kind: &str, why: &str) -> Value {
    json!({ "kind": kind, "captured": false, "reason": why, "name": null, "media_type": null, "bytes": null, "sha256": null, "conclusion": null })
}

/// A run or a commit. The stored commit has no address in it.
fn of_the_api(link: &str) -> Option<Value> {
    let (kind, body, name, conclusion) = match (link.split_once("/actions/runs/"), link.split_once("/commit/")) {
        (Some((_, number)), _) => ("workflow_run", attachments::run(number), Some("restore"), Some("success")),
        (_, Some((_, sha))) => ("commit", attachments::commit(sha), None, None),
        _ => return None,
    };
    let body = body.to_string().replace("member@acme.example", "[removed]");
    Some(json!({
        "kind": kind, "captured": true, "reason": null, "name": name, "media_type": "application/json; charset=utf-8", "bytes": body.len(),
        "sha256": hex(body.as_bytes()), "conclusion": conclusion,
    }))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file(path: &str, bytes: &[u8]) -> Value {
    let sha256 = hex(bytes);
    json!({
        "kind": "attachment", "captured": true, "reason": null, "name": path.rsplit('/').next(), "media_type": "text/plain", "bytes": bytes.len(),
        "sha256": sha256, "conclusion": null,
    })
}
