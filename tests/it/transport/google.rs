//! Application Default Credentials. They are read from the environment, which a test may not change for its neighbours: the test runs itself again as a child.

use std::process::Command;

use proofline::collect::transport::{Credentials, GitHubCredential, GoogleCredential, Stop};

use super::loopback::{Loopback, json};
use super::{Bench, app, google, settings};

const ORIGIN: &str = "LOOPBACK_ORIGIN";

#[test]
fn application_default_credentials_let_requests_in_and_are_not_written_down() {
    let server = Loopback::start(|_, seen| json(&format!("{{\"path\":{:?}}}", seen.target)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    // Such a key signs its own tokens, so that no other server is asked.
    let key = serde_json::json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k", "private_key": app::key(),
        "client_email": "reader@p-1.iam.gserviceaccount.com", "client_id": "1", "token_uri": "http://127.0.0.1:9/token",
    });
    std::fs::write(&file, key.to_string()).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transport::google::child", "--ignored", "--nocapture"])
        .env_clear()
        .envs([("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap()), (ORIGIN, &server.origin)])
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
    let seen = server.seen();
    assert_eq!(seen.iter().map(|seen| seen.target.as_str()).collect::<Vec<_>>(), ["/container/v1/x", "/container/v1/y"]);
    let token = seen[0].headers["authorization"].strip_prefix("Bearer ").unwrap();
    assert_eq!(token.split('.').count(), 3);
}

#[tokio::test]
#[ignore = "the child of the test above"]
async fn child() {
    #[expect(clippy::disallowed_methods, reason = "the parent hands its server's address over")]
    let Ok(origin) = std::env::var(ORIGIN) else { return };
    let server = Loopback { origin, seen: std::sync::Arc::default() };
    let credentials = Credentials { github: GitHubCredential::Missing, google: GoogleCredential::ApplicationDefault };
    let bench = Bench::with(settings(&server), credentials, Stop::never());
    for target in ["/v1/x", "/v1/y"] {
        assert_eq!(bench.send(google(target)).await.gap, None);
    }
    assert!(bench.archive.records().iter().all(|record| !serde_json::to_string(record).unwrap().contains("eyJ")));
}
