//! Application Default Credentials of every sort, over the real library: what is exchanged for what, with whom, and that nothing of it is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofline::collect::Reply;
use proofline::collect::transport::{Credentials, GitHubCredential, GoogleAccount, GoogleCredential, Stop, Surroundings, Transport, TransportError};
use proofline::model::GapCause;
use serde_json::{Value, json};

use super::loopback::{Answer, Loopback, MemoryArchive, Seen, json as answer, status};
use super::{Bench, app, gap, google, settings};

/// Not secrets of anybody, but long enough to be searched for.
const REFRESH: &str = "not-a-real-refresh-token-at-all";
const CLIENT: &str = "not-a-real-client-secret-at-all";
const SUBJECT: &str = "not-a-real-token-of-a-workload";
const READER: &str = "reader@acme-audit.iam.gserviceaccount.com";

/// A token server, the service that acts as accounts, and a service to be asked. Tokens are numbered, and say who gave them.
fn cloud(minted: Arc<AtomicUsize>) -> Loopback {
    Loopback::start(move |_, seen| match seen.target.as_str() {
        "/token" => given(&minted, "login"),
        "/sts" => given(&minted, "federated"),
        acting if acting.starts_with("/iamcredentials/") => {
            let number = minted.fetch_add(1, Ordering::SeqCst);
            answer(&json!({ "accessToken": format!("an-acting-token-{number}-of-a-test"), "expireTime": "2099-01-01T00:00:00Z" }).to_string())
        }
        _ => answer("{}"),
    })
}

fn given(minted: &AtomicUsize, by: &str) -> Answer {
    let number = minted.fetch_add(1, Ordering::SeqCst);
    let token = json!({ "access_token": format!("a-{by}-token-{number}-of-a-test"), "token_type": "Bearer", "expires_in": 3600,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token" });
    answer(&token.to_string())
}

fn login(server: &Loopback) -> Value {
    json!({ "type": "authorized_user", "client_id": "7", "client_secret": CLIENT, "refresh_token": REFRESH, "token_uri": format!("{}/token", server.origin) })
}

fn key() -> Value {
    json!({ "type": "service_account", "project_id": "p-1", "private_key_id": "k", "private_key": app::key(),
        "client_email": READER, "client_id": "1", "token_uri": "http://127.0.0.1:9/token" })
}

fn federated(server: &Loopback, subject: &std::path::Path) -> Value {
    json!({ "type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": format!("{}/sts", server.origin), "credential_source": { "file": subject } })
}

fn acting_url(server: &Loopback) -> String {
    format!("{}/iamcredentials/v1/projects/-/serviceAccounts/{READER}:generateAccessToken", server.origin)
}

fn with(mut file: Value, more: Value) -> Value {
    file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    file
}

fn account(file: &Value) -> GoogleAccount {
    GoogleAccount { file: Some(file.to_string().into()), ..GoogleAccount::default() }
}

fn bench(server: &Loopback, account: GoogleAccount) -> Bench {
    Bench::with(settings(server), Credentials { github: GitHubCredential::Missing, google: GoogleCredential::Account(account) }, Stop::never())
}

/// Asks twice; tells the requests for tokens, and those for data, which all have the same token and the same quota project.
async fn asked(server: &Loopback, account: GoogleAccount) -> (Vec<Seen>, String, Option<String>) {
    let bench = bench(server, account);
    for target in ["/v1/x", "/v1/y"] {
        assert_eq!(bench.send(google(target)).await.gap, None);
    }
    let (data, tokens): (Vec<Seen>, Vec<Seen>) = server.seen().into_iter().partition(|seen| seen.target.starts_with("/container/"));
    assert_eq!(data.len(), 2);
    let told = |name: &str| data.iter().map(|seen| seen.headers.get(name).cloned()).collect::<Vec<_>>();
    let (bearers, quotas) = (told("authorization"), told("x-goog-user-project"));
    assert!(bearers[0] == bearers[1] && quotas[0] == quotas[1]);
    let bearer = bearers[0].as_deref().and_then(|bearer| bearer.strip_prefix("Bearer ")).unwrap().to_owned();
    let recorded = format!("{:?}{:?}", bench.archive.records(), bench.archive.bodies.lock().unwrap());
    for secret in [&bearer, REFRESH, CLIENT, SUBJECT] {
        assert!(!recorded.contains(secret), "{recorded}");
    }
    (tokens, bearer, quotas[0].clone())
}

#[tokio::test]
async fn a_login_is_exchanged_once_and_its_quota_project_is_sent() {
    let server = cloud(Arc::default());
    let (tokens, bearer, quota) = asked(&server, account(&with(login(&server), json!({ "quota_project_id": "of-the-file" })))).await;
    assert_eq!((tokens.len(), bearer.as_str(), quota.as_deref()), (1, "a-login-token-0-of-a-test", Some("of-the-file")));
    assert!(tokens[0].target == "/token" && tokens[0].body.contains(REFRESH) && !tokens[0].headers.contains_key("authorization"));

    let server = cloud(Arc::default());
    let configured = GoogleAccount { quota_project: Some("configured".into()), ..account(&with(login(&server), json!({ "quota_project_id": "of-the-file" }))) };
    assert_eq!(asked(&server, configured).await.2.as_deref(), Some("configured"));
    let server = cloud(Arc::default());
    assert_eq!(asked(&server, account(&login(&server))).await.2, None);
}

#[tokio::test]
async fn a_key_signs_its_own_tokens() {
    let server = cloud(Arc::default());
    let (tokens, bearer, quota) = asked(&server, GoogleAccount { quota_project: Some("p-2".into()), ..account(&key()) }).await;
    assert!(tokens.is_empty(), "no other server is asked: {tokens:?}");
    assert_eq!((bearer.split('.').count(), quota.as_deref()), (3, Some("p-2")), "a JWT");
}

#[tokio::test]
async fn whoever_may_act_as_an_account_asks_with_its_token_alone() {
    // As `gcloud auth application-default login --impersonate-service-account` writes it.
    let of_gcloud = |server: &Loopback| {
        let file =
            json!({ "type": "impersonated_service_account", "service_account_impersonation_url": acting_url(server), "source_credentials": login(server) });
        account(&with(file, json!({ "quota_project_id": "of-the-file" })))
    };
    let configured =
        |server: &Loopback| GoogleAccount { impersonate: Some(READER.into()), ..account(&with(login(server), json!({ "quota_project_id": "of-the-file" }))) };
    let cases: [&dyn Fn(&Loopback) -> GoogleAccount; 2] = [&of_gcloud, &configured];
    for of in cases {
        let server = cloud(Arc::default());
        let (tokens, bearer, quota) = asked(&server, of(&server)).await;
        assert_eq!((bearer.as_str(), quota.as_deref()), ("an-acting-token-1-of-a-test", Some("of-the-file")));
        assert_eq!(tokens.iter().map(|seen| seen.target.as_str()).collect::<Vec<_>>(), ["/token", acting_url(&server).strip_prefix(&server.origin).unwrap()]);
        assert_eq!(tokens[1].headers["authorization"], "Bearer a-login-token-0-of-a-test");
    }
    let server = cloud(Arc::default());
    let (tokens, bearer, _quota) = asked(&server, GoogleAccount { impersonate: Some(READER.into()), ..account(&key()) }).await;
    assert_eq!((tokens.len(), bearer.as_str()), (1, "an-acting-token-0-of-a-test"));
    assert_eq!(tokens[0].headers["authorization"].split('.').count(), 3, "the key's own token");
}

#[tokio::test]
async fn a_workload_exchanges_its_token_and_may_then_act_as_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let subject = folder.path().join("token");
    std::fs::write(&subject, SUBJECT).unwrap();
    let server = cloud(Arc::default());
    let (tokens, bearer, quota) = asked(&server, account(&with(federated(&server, &subject), json!({ "quota_project_id": "of-the-file" })))).await;
    assert_eq!((tokens.len(), bearer.as_str(), quota.as_deref()), (1, "a-federated-token-0-of-a-test", Some("of-the-file")));
    assert!(tokens[0].target == "/sts" && tokens[0].body.contains(SUBJECT) && tokens[0].body.contains("workloadIdentityPools"), "{tokens:?}");

    let in_file = |server: &Loopback| account(&with(federated(server, &subject), json!({ "service_account_impersonation_url": acting_url(server) })));
    let configured = |server: &Loopback| GoogleAccount { impersonate: Some(READER.into()), ..account(&federated(server, &subject)) };
    let cases: [&dyn Fn(&Loopback) -> GoogleAccount; 2] = [&in_file, &configured];
    for of in cases {
        let server = cloud(Arc::default());
        let (tokens, bearer, _quota) = asked(&server, of(&server)).await;
        assert_eq!((tokens.len(), bearer.as_str()), (2, "an-acting-token-1-of-a-test"));
        assert_eq!(tokens[1].headers["authorization"], "Bearer a-federated-token-0-of-a-test");
    }
}

/// The library waits ten seconds before it renews a token that ended as it came; those are the ten that this test takes.
#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_run_is_renewed() {
    let minted = AtomicUsize::new(0);
    let server = Loopback::start(move |_, seen| match seen.target.as_str() {
        "/token" => {
            let number = minted.fetch_add(1, Ordering::SeqCst);
            answer(&json!({ "access_token": format!("a-login-token-{number}-of-a-test"), "token_type": "Bearer", "expires_in": number * 3600 }).to_string())
        }
        _ => answer("{}"),
    });
    let bench = bench(&server, account(&login(&server)));
    for target in ["/v1/x", "/v1/y"] {
        assert_eq!(bench.send(google(target)).await.gap, None);
    }
    let bearers: Vec<String> = server.seen().iter().filter_map(|seen| seen.headers.get("authorization").cloned()).collect();
    assert_eq!(bearers, ["Bearer a-login-token-0-of-a-test", "Bearer a-login-token-1-of-a-test"]);
}

/// What one request finds where no token is given.
async fn refused(file: &Value, server: &Loopback, impersonate: Option<&str>) -> (GapCause, String) {
    let bench = bench(server, GoogleAccount { impersonate: impersonate.map(str::to_owned), ..account(file) });
    let reply: Reply = bench.send(google("/v1/x")).await;
    assert!(server.targets().iter().all(|target| !target.starts_with("/container/")), "nothing is asked without a token");
    let (cause, said) = gap(&reply);
    let recorded = format!("{said} {:?}", bench.archive.records());
    assert!([REFRESH, CLIENT, SUBJECT, "repeated by the server"].iter().all(|secret| !recorded.contains(secret)), "{recorded}");
    (cause, said)
}

#[tokio::test]
async fn who_is_refused_a_token_is_told_what_to_do() {
    let oauth = |reason: &'static str| {
        let body = json!({ "error": reason, "error_description": format!("{REFRESH} and {SUBJECT} are repeated by the server") });
        Loopback::start(move |_, _| status(400, &[], &body.to_string()))
    };
    let server = oauth("invalid_grant");
    let (cause, said) = refused(&login(&server), &server, None).await;
    assert_eq!(cause, GapCause::NotConfigured);
    assert!(said.contains("the login was refused (invalid_grant)") && said.contains("gcloud auth application-default login"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let subject = folder.path().join("token");
    let server = oauth("invalid_grant");
    let (_cause, said) = refused(&federated(&server, &subject), &server, None).await;
    assert!(said.contains("the token of the workload could not be read") && said.contains("credential_source"), "{said}");
    std::fs::write(&subject, SUBJECT).unwrap();
    let (_cause, said) = refused(&federated(&server, &subject), &server, None).await;
    assert!(said.contains("the token of the workload was refused (invalid_grant)") && said.contains("audience"), "{said}");

    let server = Loopback::start(|_, seen| match seen.target.as_str() {
        "/token" => given(&AtomicUsize::new(0), "login"),
        _ => status(403, &[], r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"repeated by the server"}}"#),
    });
    let (_cause, said) = refused(&login(&server), &server, Some(READER)).await;
    assert!(said.contains("acting as the service account was refused (PERMISSION_DENIED)"), "{said}");
    assert!(said.contains(&format!("roles/iam.serviceAccountTokenCreator on {READER}")), "{said}");
}

#[tokio::test]
async fn a_file_that_is_no_credential_is_named_and_not_repeated() {
    let server = cloud(Arc::default());
    let acting =
        json!({ "type": "impersonated_service_account", "service_account_impersonation_url": acting_url(&server), "source_credentials": login(&server) });
    let cases = [
        (format!("not JSON {REFRESH}"), None, "not JSON"),
        (json!({ "type": "gdch_service_account", "key": REFRESH }).to_string(), None, "of a type that is not known here"),
        (json!({ "type": "service_account", "private_key": REFRESH }).to_string(), None, "lacks something"),
        (acting.to_string(), Some(READER), "acts as a service account already"),
    ];
    for (file, impersonate, why) in cases {
        let account = GoogleAccount { file: Some(file.into()), impersonate: impersonate.map(str::to_owned), quota_project: None };
        let credentials = Credentials { github: GitHubCredential::Missing, google: GoogleCredential::Account(account) };
        let clock = Arc::clone(&Bench::over(&server).clock);
        let around = Surroundings { clock, observer: Arc::new(|_event| ()), stop: Stop::never() };
        let error = Transport::new(settings(&server), credentials, Arc::new(MemoryArchive::default()), around).err();
        let Some(TransportError::GoogleCredentials { why: said, .. }) = error else { panic!("{error:?}") };
        assert!(said.contains(why) && !said.contains(REFRESH), "{said}");
    }
}

/// Addresses of accounts are told, people and secrets are not; and nobody before a credential was sent.
#[tokio::test]
async fn who_asks_is_told_as_far_as_the_credential_says_it() {
    let folder = tempfile::tempdir().unwrap();
    let subject = folder.path().join("subject");
    std::fs::write(&subject, SUBJECT).unwrap();
    let server = cloud(Arc::default());
    let acting = json!({ "service_account_impersonation_url": acting_url(&server) });
    let of_gcloud = json!({ "type": "impersonated_service_account", "source_credentials": login(&server) });
    let with_name = json!({ "account": "ada@acme.example" });
    for (account, who) in [
        (account(&key()), READER),
        (account(&with(login(&server), with_name)), "a person's login"),
        (GoogleAccount { impersonate: Some(READER.into()), ..account(&login(&server)) }, READER),
        (account(&with(of_gcloud, acting.clone())), READER),
        (account(&federated(&server, &subject)), "a workload of //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"),
        (account(&with(federated(&server, &subject), acting)), READER),
    ] {
        let bench = bench(&server, account);
        assert!(bench.transport.identities().is_empty(), "nothing was sent");
        assert_eq!(bench.send(google("/v1/x")).await.gap, None, "{who}");
        assert_eq!(bench.transport.identities().into_iter().collect::<Vec<_>>(), [("Google Cloud".to_owned(), who.to_owned())]);
    }
    for (token, sort) in [
        (format!("ghp{}", "_not-a-real-token-at-all"), "a personal access token (classic)"),
        (format!("github{}", "_pat_not-a-real-token"), "a fine-grained personal access token"),
        (format!("ghs{}", "_not-a-real-token-at-all"), "a GitHub App's installation token"),
        ("not-a-real-token-at-all".to_owned(), "a token"),
    ] {
        let credentials = Credentials { github: GitHubCredential::Token(token.into()), google: GoogleCredential::Anonymous };
        let bench = Bench::with(settings(&server), credentials, Stop::never());
        assert!(bench.transport.identities().is_empty(), "nothing was sent");
        bench.send(google("/v1/x")).await;
        assert!(bench.transport.identities().is_empty(), "and nobody asked an emulator");
        bench.send(super::github("/orgs/acme")).await;
        assert_eq!(bench.transport.identities().into_iter().collect::<Vec<_>>(), [("GitHub".to_owned(), sort.to_owned())]);
    }
}
