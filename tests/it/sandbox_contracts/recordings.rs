//! Replay: recorded exchanges come back as they were.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::client::Asking;
use crate::sandbox::{Behaviour, Sandbox};

#[tokio::test]
async fn recorded_exchanges_come_back_and_others_are_404() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.jsonl.gz");
    let mut file = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
    let link = "<https://api.github.com/organizations/7/repos?page=2>; rel=\"next\"";
    let lines = [
        json!({ "method": "GET", "host": "api.github.com", "path": "/orgs/other/repos?per_page=1", "status": 200, "headers": { "link": link, "etag": "W/\"1\"" }, "body": [1] }),
        json!({ "method": "GET", "host": "api.github.com", "path": "/orgs/other", "status": 404, "headers": {}, "body": { "message": "Not Found" } }),
        json!({ "method": "GET", "host": "", "path": "~v1", "url": "https://iam.googleapis.com/v1/roles?alt=json&pageSize=2", "status": 200, "headers": {}, "body": { "roles": [] } }),
    ];
    for line in &lines {
        writeln!(file, "{line}").unwrap();
    }
    file.finish().unwrap();
    for source in [folder.path(), path.as_path()] {
        let sandbox = Sandbox::replay(source, Behaviour::default());
        let asking = Asking::new(&sandbox);
        let reply = asking.get("/orgs/other/repos?per_page=1").await;
        assert_eq!(reply.headers()["link"].to_str().unwrap(), format!("<{}/organizations/7/repos?page=2>; rel=\"next\"", sandbox.github()));
        assert_eq!(reply.text().await.unwrap(), "[1]");
        assert_eq!(asking.get("/orgs/other").await.json::<serde_json::Value>().await.unwrap()["message"], "Not Found");
        assert_eq!(asking.get("/orgs/third").await.json::<serde_json::Value>().await.unwrap()["message"], "Not recorded");
        assert_eq!(asking.google("iam", "/v1/roles?pageSize=2").await.status(), 200);
    }
}
