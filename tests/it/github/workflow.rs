//! Workflows: which files there are, what their texts say, and what is left open where no text can be had.

use proofline::collect::github::workflow::Workflow;
use proofline::model::{Completeness, GapCause};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, named, unknown, world};

const GOOD: &str = "on: push\npermissions: {contents: read}\njobs: {a: {steps: [{uses: ./.github/actions/x}]}}\n";
const BAD: &str = "on: pull_request_target\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n        with: {ref: '${{ github.head_ref }}'}\n      - run: echo ${{ github.event.issue.title }}\n";

fn entry(name: &str, text: &Value) -> Value {
    let blob = json!({"__typename": "Blob", "byteSize": 10, "isTruncated": false, "isBinary": false, "text": text});
    json!({"name": name, "type": "blob", "oid": "c", "object": blob})
}

/// acme/web has these files; the others have none.
fn with(entries: &[Value], answer: Option<Value>) -> Value {
    let mut all = fixture("github.repository", "normal");
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        for node in all["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes") {
            let is_web = node["nameWithOwner"] == "acme/web";
            node["workflows"] = if is_web { json!({"__typename": "Tree", "entries": entries}) } else { Value::Null };
        }
    }
    let whole = json!({"status": 200, "body": {"data": {"repository": {"workflows": {"__typename": "Tree", "entries": entries}}}}});
    all["answers"]["graphql/workflows"] = answer.unwrap_or(whole);
    all
}

#[tokio::test]
async fn each_file_is_read_as_it_is_written() {
    let readme = json!({"name": "README.md", "type": "blob", "oid": "c", "object": {}});
    let folder = json!({"name": "old.yml", "type": "tree", "oid": "c", "object": {}});
    let all = with(&[entry("good.yml", &json!(GOOD)), entry("bad.yaml", &json!(BAD)), readme, folder], None);
    let (resources, population) = assert_contract(&Workflow, &collect(&Workflow, world(all)).await);
    assert_eq!((resources.len(), population.completeness()), (2, Completeness::Enumerated), "{:?}", population.gaps);
    let (good, bad) = (named(&resources, "acme/web: good.yml"), named(&resources, "acme/web: bad.yaml"));
    assert_eq!(good.id.as_str(), "github.com/acme/web/blob/HEAD/.github/workflows/good.yml");
    assert_eq!(
        (known(good, "declares_permissions"), known(good, "unpinned_uses"), known(good, "checks_out_untrusted")),
        (json!(true), json!([]), json!(false))
    );
    assert_eq!((known(bad, "declares_permissions"), known(bad, "unpinned_uses")), (json!(false), json!(["actions/checkout@v4"])));
    assert_eq!((known(bad, "checks_out_untrusted"), known(bad, "injections")), (json!(true), json!(["a: github.event.issue.title"])));
}

#[tokio::test]
async fn a_text_that_cannot_be_had_whole_leaves_all_it_says_unknown() {
    let cut = |change: Value| {
        let mut entry = entry("a.yml", &json!(GOOD));
        entry["object"].as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        entry
    };
    let cases = [
        (with(&[cut(json!({"isTruncated": true}))], None), GapCause::LeftOut),
        (with(&[cut(json!({"isBinary": true, "text": null}))], None), GapCause::LeftOut),
        (with(&[cut(json!({"isBinary": null}))], None), GapCause::LeftOut),
        (with(&[cut(json!({"text": "a: [1"}))], None), GapCause::Malformed),
        (with(&[cut(json!({"text": "on: push\non: issues\njobs: {}"}))], None), GapCause::Malformed),
        (with(&[cut(json!({}))], Some(json!({"status": 403, "body": {"message": "no"}}))), GapCause::Forbidden),
        (with(&[cut(json!({}))], Some(json!({"status": 502, "body": ""}))), GapCause::Unanswered),
        (with(&[cut(json!({}))], Some(json!({"status": 200, "body": {"data": {"repository": {"workflows": {"entries": []}}}}}))), GapCause::Incomplete),
    ];
    for (all, cause) in cases {
        let (resources, population) = assert_contract(&Workflow, &collect(&Workflow, world(all)).await);
        assert!(population.completeness().is_complete(), "the file is known to be there: {:?}", population.gaps);
        for name in ["triggers", "uses", "unpinned_uses", "declares_permissions", "writes_all", "checks_out_untrusted", "injections", "static_cloud_keys"] {
            assert_eq!(unknown(&resources[0], name).cause, cause, "{name}");
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_hidden_is_not_one_that_is_empty() {
    let mut hidden = with(&[], None);
    let page = &mut hidden["answers"]["graphql/repositories"]["body"];
    page["data"]["organization"]["repositories"]["nodes"][0]["workflows"] = Value::Null;
    page["errors"] = json!([{"type": "FORBIDDEN", "path": ["organization", "repositories", "nodes", 0, "workflows"], "message": "no"}]);
    let (_, population) = assert_contract(&Workflow, &collect(&Workflow, world(hidden)).await);
    assert!(!population.completeness().is_complete());

    let mut silent = with(&[], None);
    silent["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][0].as_object_mut().expect("a node").remove("workflows");
    let (_, population) = assert_contract(&Workflow, &collect(&Workflow, world(silent)).await);
    assert!(!population.completeness().is_complete());
}

/// The same world, whose repositories have node ids, so that texts are asked for in batches.
fn in_batches(entries: &[Value], batch: Value) -> Value {
    let mut all = with(entries, None);
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        for node in all["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes") {
            node["id"] = json!(format!("R_{}", node["databaseId"]));
        }
    }
    all["answers"]["graphql/workflows-batch"] = batch;
    all
}

/// The node id of acme/web in the fixture.
fn id_of_web(all: &Value) -> Value {
    let pages = ["graphql/repositories", "graphql/repositories after cGFnZQ=="];
    let nodes = pages.iter().flat_map(|page| all["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array().expect("nodes"));
    nodes.into_iter().find(|node| node["nameWithOwner"] == "acme/web").map(|node| json!(format!("R_{}", node["databaseId"]))).expect("acme/web")
}

#[tokio::test]
async fn a_batch_tells_of_each_repository_and_one_alone_without_an_answer_says_why() {
    let entries = [entry("good.yml", &json!(GOOD))];
    let id = id_of_web(&with(&entries, None));
    let node = json!({"id": id, "workflows": {"__typename": "Tree", "entries": entries}});
    let batch = |nodes: Value| json!({"status": 200, "body": {"data": {"nodes": nodes}}});
    // Not asked for alone: nothing answers that.
    let alone = "graphql/workflows";
    let mut whole = in_batches(&entries, batch(json!([node])));
    whole["answers"].as_object_mut().expect("answers").remove(alone);
    let (resources, _) = assert_contract(&Workflow, &collect(&Workflow, world(whole)).await);
    assert_eq!(known(&resources[0], "uses"), json!(["./.github/actions/x"]));
    for (status, cause) in [(502, GapCause::Unanswered), (403, GapCause::Forbidden)] {
        let refused = in_batches(&entries, json!({"status": status, "body": {"message": "no"}}));
        let (resources, _) = assert_contract(&Workflow, &collect(&Workflow, world(refused)).await);
        assert_eq!(unknown(&resources[0], "uses").cause, cause);
    }
    // One that tells of others only.
    let mut silent = in_batches(&entries, batch(json!([null])));
    silent["answers"].as_object_mut().expect("answers").remove(alone);
    let (resources, _) = assert_contract(&Workflow, &collect(&Workflow, world(silent)).await);
    assert_eq!(unknown(&resources[0], "uses").cause, GapCause::Incomplete);
}
