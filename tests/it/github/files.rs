//! The files of public repositories, by their names.

use proofline::collect::github::repository_files::RepositoryFiles;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, unknown, world};

const TREE: &str = "GET /repos/acme/api/git/trees/HEAD?recursive=1";

/// Only acme/api is public and in use.
async fn read(tree: Option<Value>) -> (Vec<Resource>, Population) {
    let mut told = fixture("github.repository", "normal");
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        let nodes = told["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes");
        for node in nodes {
            let is_api = node["nameWithOwner"] == "acme/api";
            node["visibility"] = if is_api { json!("PUBLIC") } else { json!("PRIVATE") };
            node["isArchived"] = (!is_api).into();
            node["isEmpty"] = (!is_api).into();
        }
    }
    told["default"] = json!({ "status": 404, "body": { "message": "Not Found" } });
    if let Some(tree) = tree {
        told["answers"][TREE] = tree;
    }
    assert_contract(&RepositoryFiles, &collect(&RepositoryFiles, world(told)).await)
}

fn tree(entries: &Value, truncated: Value) -> Option<Value> {
    Some(json!({ "status": 200, "body": { "sha": "a".repeat(40), "tree": entries, "truncated": truncated } }))
}

#[tokio::test]
async fn what_was_built_is_told_from_what_was_written() {
    let blob = |path: &str| json!({ "path": path, "type": "blob", "mode": "100644", "sha": "b".repeat(40) });
    let folder = json!({ "path": "lib.so", "type": "tree", "mode": "040000", "sha": "c".repeat(40) });
    let entries = json!([blob("src/main.rs"), blob("tool/RUN.EXE"), folder, blob("lib.so/a.jar"), blob(".so"), blob("docs/so"), blob("notes.song")]);
    let (resources, population) = read(tree(&entries, json!(false))).await;
    assert!(population.completeness().is_complete(), "{:?}", population.gaps);
    assert_eq!(resources.len(), 1, "private, archived and empty ones are not asked");
    assert_eq!(known(&resources[0], "binary_artifacts"), json!(["lib.so/a.jar", "tool/RUN.EXE"]));
    assert_eq!(known(&resources[0], "file_count"), 6);
    let (resources, _) = read(tree(&json!([]), json!(false))).await;
    assert_eq!((known(&resources[0], "binary_artifacts"), known(&resources[0], "file_count")), (json!([]), json!(0)));
}

#[tokio::test]
async fn what_is_refused_cut_or_misshapen_is_no_absence_of_binaries() {
    let forbidden = Some(json!({ "status": 403, "body": { "message": "Resource not accessible" } }));
    let cases = [
        ("forbidden", forbidden, GapCause::Forbidden),
        ("not found", None, GapCause::Forbidden),
        ("cut", tree(&json!([]), json!(true)), GapCause::LeftOut),
        ("no word about a cut", tree(&json!([]), Value::Null), GapCause::LeftOut),
        ("no list", tree(&json!(7), json!(false)), GapCause::Malformed),
        ("a file without a name", tree(&json!([{ "type": "blob" }]), json!(false)), GapCause::LeftOut),
        ("a thing without a type", tree(&json!([{ "path": "a.exe" }]), json!(false)), GapCause::LeftOut),
    ];
    for (case, tree, cause) in cases {
        let (resources, _) = read(tree).await;
        assert_eq!(resources.len(), 1, "{case}");
        for name in ["binary_artifacts", "file_count"] {
            assert_eq!(unknown(&resources[0], name).cause, cause, "{case}");
        }
    }
}

#[tokio::test]
async fn a_repository_that_may_be_public_is_missed_out_loud() {
    let mut told = fixture("github.repository", "normal");
    told["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][0]["visibility"] = Value::Null;
    let (_, population) = assert_contract(&RepositoryFiles, &collect(&RepositoryFiles, world(told)).await);
    assert_eq!(population.completeness(), Completeness::Incomplete);
}
