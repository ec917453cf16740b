//! A Cloud KMS on loopback, held to Google's Discovery document, and what is not taken from one.
#![cfg(test)]

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use proofline::attest::AttestError;
use proofline::attest::kms::{Credential, Kms, Settings};
use serde_json::{Map, Value, json};

pub(crate) use super::log::secret;
use super::tsa::listen;
use crate::sandbox::contracts::{Contracts, folder};
use crate::sandbox::rest::Ask;
use crate::tools::{must, openssl};

const ADDRESS: &str = "LOOPBACK_KMS";
pub(crate) const KEY: &str = "projects/acme-seal/locations/europe-west4/keyRings/log/cryptoKeys/signer/cryptoKeyVersions/1";

/// Changes a good answer into a bad one.
type Twist = Arc<dyn Fn(&mut Map<String, Value>) + Send + Sync>;

/// After so many good answers, this one.
type Trouble = Option<(usize, (u16, Value))>;

/// A Cloud KMS with one key.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) secret: SigningKey,
    public: Twist,
    signed: Twist,
    /// Answered before anything else.
    first: Arc<Mutex<VecDeque<(u16, Value)>>>,
    /// Answered to everything once so many answers were good.
    trouble: Arc<Mutex<Trouble>>,
    asked: Arc<Mutex<Vec<Ask>>>,
}

impl Service {
    pub(crate) fn new() -> Self {
        let nothing: Twist = Arc::new(|_| {});
        Self { secret: secret(), public: Arc::clone(&nothing), signed: nothing, first: Arc::default(), trouble: Arc::default(), asked: Arc::default() }
    }

    fn public(self, twist: impl Fn(&mut Map<String, Value>) + Send + Sync + 'static) -> Self {
        Self { public: Arc::new(twist), ..self }
    }

    fn signed(self, twist: impl Fn(&mut Map<String, Value>) + Send + Sync + 'static) -> Self {
        Self { signed: Arc::new(twist), ..self }
    }

    fn first(self, answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        self.then(answers);
        self
    }

    /// The same of a service that runs already.
    fn then(&self, answers: impl IntoIterator<Item = (u16, Value)>) {
        self.first.lock().unwrap().extend(answers);
    }

    /// From now on: `good` answers, then `answer` to everything; none to be well again.
    pub(crate) fn ails(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap() = trouble;
    }

    /// Listens, and gives the base of its addresses.
    pub(crate) async fn serve(&self) -> String {
        format!("{}/cloudkms", listen(Router::new().fallback(handle).with_state(self.clone())).await)
    }

    async fn start(&self) -> Settings {
        Settings {
            base: self.serve().await,
            credential: Credential::Anonymous,
            timeout: Duration::from_mins(1),
            delay: Duration::from_micros(1),
            ..Settings::new(KEY)
        }
    }

    /// What was asked, by the last part of its address.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|ask| ask.path.rsplit('/').next().unwrap().to_owned()).collect()
    }

    fn answer(&self, ask: &Ask) -> (u16, Value) {
        if let Some(answer) = self.first.lock().unwrap().pop_front() {
            return answer;
        }
        match self.trouble.lock().unwrap().as_mut() {
            Some((0, answer)) => return answer.clone(),
            Some((good, _)) => *good -= 1,
            None => {}
        }
        if ask.method == "GET" && ask.path == format!("/v1/{KEY}/publicKey") {
            let pem = self.secret.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
            let mut answer = fields(
                json!({"pem": pem, "pemCrc32c": crc(pem.as_bytes()), "algorithm": "EC_SIGN_ED25519", "name": KEY, "protectionLevel": "SOFTWARE", "publicKeyFormat": "PEM"}),
                "PublicKey",
            );
            (self.public)(&mut answer);
            return (200, answer.into());
        }
        assert_eq!(ask.path, format!("/v1/{KEY}:asymmetricSign"));
        let question = fields(serde_json::from_slice(&ask.body).unwrap(), "AsymmetricSignRequest");
        let message = BASE64.decode(question["data"].as_str().unwrap()).unwrap();
        assert_eq!(question["dataCrc32c"], crc(&message));
        let mut answer = fields(signature(&self.secret, &message), "AsymmetricSignResponse");
        (self.signed)(&mut answer);
        (200, answer.into())
    }
}

fn signature(secret: &SigningKey, message: &[u8]) -> Value {
    let signature = secret.sign(message).to_bytes();
    json!({"signature": BASE64.encode(signature), "signatureCrc32c": crc(&signature), "verifiedDataCrc32c": true, "name": KEY, "protectionLevel": "SOFTWARE"})
}

/// CRC32C bit by bit (RFC 3720, 12.1), so that the program's is held to another.
fn crc(bytes: &[u8]) -> String {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(crc & 1));
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)));
    (!crc).to_string()
}

/// An object whose fields the Discovery document has, with their types.
fn fields(value: Value, schema: &str) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("not an object") };
    if Contracts::shared().is_some() {
        let document: Value = serde_json::from_slice(&std::fs::read(folder().join("google/cloudkms.v1.json")).unwrap()).unwrap();
        for (name, value) in &object {
            let declared = &document["schemas"][schema]["properties"][name];
            let fits = match declared["type"].as_str() {
                Some("boolean") => value.is_boolean(),
                Some("string") => value.is_string(),
                _ => false,
            };
            assert!(fits, "{schema} has no {name} like {value}");
            assert!(declared["enum"].as_array().is_none_or(|values| values.contains(value)), "{name} may not be {value}");
        }
    }
    object
}

/// Repeats the credential in its refusal, as no server should.
async fn echo(parts: Parts) -> Response {
    let credential = parts.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("none").to_owned();
    (StatusCode::FORBIDDEN, refusal(403, "DENIED", &credential).1.to_string()).into_response()
}

async fn handle(State(service): State<Service>, parts: Parts, body: Bytes) -> Response {
    let ask = Ask::new(&parts, body, "");
    if let Some(violation) = Contracts::shared().and_then(|contracts| contracts.violation(&ask)) {
        return (StatusCode::BAD_REQUEST, violation).into_response();
    }
    service.asked.lock().unwrap().push(ask.clone());
    let (status, answer) = service.answer(&ask);
    // A text is no JSON, but what a proxy may say.
    let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
    (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body).into_response()
}

pub(crate) fn refusal(status: u16, reason: &str, message: &str) -> (u16, Value) {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]);
    (status, json!({"error": {"code": status, "message": message, "status": "REFUSED", "details": details}}))
}

async fn connect(service: &Service) -> Result<Kms, AttestError> {
    Kms::connect(service.start().await).await
}

async fn sign(service: &Service) -> Result<[u8; 64], AttestError> {
    connect(service).await.unwrap().sign(b"a checkpoint\n").await
}

#[tokio::test]
async fn a_key_signs_and_the_signature_is_its_own() {
    let service = Service::new();
    let kms = connect(&service).await.unwrap();
    assert_eq!(kms.public_key(), service.secret.verifying_key().to_bytes());
    for message in [&b""[..], b"a checkpoint\n", &[0xff; 64 << 10]] {
        let signature = Signature::from_bytes(&kms.sign(message).await.unwrap());
        VerifyingKey::from_bytes(&kms.public_key()).unwrap().verify_strict(message, &signature).unwrap();
    }
    assert!(matches!(kms.sign(&[0; (64 << 10) + 1]).await, Err(AttestError::Malformed { .. })));
    assert_eq!(service.asked(), ["publicKey", "1:asymmetricSign", "1:asymmetricSign", "1:asymmetricSign"]);
    assert_eq!(format!("{kms:?}"), format!("Kms({KEY})"));
}

#[tokio::test]
async fn trouble_that_passes_is_waited_out_and_no_longer_than_that() {
    let busy = || refusal(429, "RATE_LIMIT_EXCEEDED", "Quota exceeded");
    let service = Service::new().first([busy(), refusal(503, "", "try again"), busy()]);
    sign(&service).await.unwrap();
    assert_eq!(service.asked().len(), 5);
    let service = Service::new().first(std::iter::repeat_with(busy).take(9));
    let error = connect(&service).await.unwrap_err();
    assert!(matches!(&error, AttestError::Status { status: 429, .. }) && error.to_string().contains("Quota exceeded"), "{error}");
    assert_eq!(service.asked().len(), 5, "five attempts");
}

#[tokio::test]
async fn a_missing_permission_is_named_and_not_asked_for_twice() {
    let service = Service::new().first([refusal(403, "IAM_PERMISSION_DENIED", "Permission 'cloudkms.cryptoKeyVersions.viewPublicKey' denied")]);
    let error = connect(&service).await.unwrap_err();
    assert!(matches!(&error, AttestError::Permission { role: "roles/cloudkms.publicKeyViewer", resource, .. } if resource == KEY), "{error}");
    assert_eq!(service.asked().len(), 1);
    let service = Service::new();
    let kms = connect(&service).await.unwrap();
    service.then([refusal(403, "IAM_PERMISSION_DENIED", "denied")]);
    let error = kms.sign(b"x").await.unwrap_err();
    assert!(matches!(error, AttestError::Permission { role: "roles/cloudkms.signer", .. }), "{error}");
    let service = Service::new().first([refusal(403, "SERVICE_DISABLED", "Cloud KMS API has not been used")]);
    assert!(connect(&service).await.unwrap_err().to_string().contains("cloudkms.googleapis.com is not enabled"));
    let service = Service::new().first([refusal(404, "", "CryptoKeyVersion not found")]);
    assert!(matches!(connect(&service).await, Err(AttestError::Setting { why, .. }) if why.contains("no such key version")));
    let service = Service::new().first([refusal(401, "", "no")]);
    assert!(matches!(connect(&service).await, Err(AttestError::Setting { what, .. }) if what == "Google credentials"));
}

#[tokio::test]
async fn a_public_key_that_is_not_what_it_should_be_is_refused() {
    let other = "projects/acme-seal/locations/europe-west4/keyRings/log/cryptoKeys/signer/cryptoKeyVersions/2";
    let cases: [(&str, Value, &str); 7] = [
        ("algorithm", json!("EC_SIGN_P256_SHA256"), "its algorithm is EC_SIGN_P256_SHA256, and a log is signed with EC_SIGN_ED25519"),
        ("algorithm", Value::Null, "it is not the JSON that is documented"),
        ("name", json!(other), "it is about another key"),
        ("pemCrc32c", json!("1"), "the public key was damaged"),
        ("pemCrc32c", json!(""), "the public key was damaged"),
        ("pem", json!("-----BEGIN PUBLIC KEY-----\n"), "the public key was damaged"),
        ("pem", json!(7), "it is not the JSON that is documented"),
    ];
    for (field, value, why) in cases {
        let service = Service::new().public(move |answer| drop(answer.insert(field.to_owned(), value.clone())));
        let error = connect(&service).await.unwrap_err().to_string();
        assert!(error.contains(why), "{field}: {error}");
    }
    for field in ["algorithm", "name", "pem", "pemCrc32c"] {
        connect(&Service::new().public(move |answer| drop(answer.remove(field)))).await.unwrap_err();
    }
    // Whole, and not of the kind.
    let service = Service::new().public(|answer| {
        answer.insert("pem".to_owned(), json!("no key"));
        answer.insert("pemCrc32c".to_owned(), json!(crc(b"no key")));
    });
    assert!(connect(&service).await.unwrap_err().to_string().contains("not an Ed25519 key in PEM form"));
}

#[tokio::test]
async fn a_signature_that_is_not_what_it_should_be_is_refused() {
    let cases: [(&str, Value, &str); 5] = [
        ("signatureCrc32c", json!("1"), "the signature was damaged"),
        ("verifiedDataCrc32c", json!(false), "the message on its way to Cloud KMS was damaged"),
        ("name", json!("projects/x"), "it is about another key: projects/x"),
        ("signature", json!("!"), "it is not base64"),
        ("signature", json!(""), "the signature was damaged"),
    ];
    for (field, value, why) in cases {
        let service = Service::new().signed(move |answer| drop(answer.insert(field.to_owned(), value.clone())));
        let error = sign(&service).await.unwrap_err().to_string();
        assert!(error.contains(why), "{field}: {error}");
    }
    for field in ["signature", "signatureCrc32c", "verifiedDataCrc32c", "name"] {
        sign(&Service::new().signed(move |answer| drop(answer.remove(field)))).await.unwrap_err();
    }
    // All checksums right: of another key, and over another message.
    for (key, message) in [(Some(secret()), &b"a checkpoint\n"[..]), (None, b"another checkpoint\n")] {
        let service = Service::new();
        let key = key.unwrap_or_else(|| service.secret.clone());
        let service = service.signed(move |answer| answer.extend(fields(signature(&key, message), "AsymmetricSignResponse")));
        let error = sign(&service).await.unwrap_err();
        assert!(matches!(error, AttestError::Signature(_)), "{error}");
    }
}

#[tokio::test]
async fn damage_that_happens_once_is_repaired_by_asking_again() {
    let damaged = json!({"signature": "AAAA", "signatureCrc32c": "1", "verifiedDataCrc32c": true, "name": KEY});
    let service = Service::new();
    let kms = connect(&service).await.unwrap();
    service.then([(200, damaged)]);
    kms.sign(b"x").await.unwrap();
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn keys_and_addresses_are_checked_before_anything_is_sent() {
    let no_version = KEY.rsplit_once("/cryptoKeyVersions").unwrap().0;
    for key in [
        "",
        "projects/p",
        no_version,
        &format!("/{KEY}"),
        &format!("{KEY}/x"),
        &KEY.replace("acme-seal", "a/../b"),
        &KEY.replace("log", ".."),
        &KEY.replace("log", "."),
        &KEY.replace("log", "a%2fb"),
    ] {
        let settings = Settings { base: "http://127.0.0.1:1".to_owned(), credential: Credential::Anonymous, attempts: 1, ..Settings::new(key) };
        assert!(matches!(Kms::connect(settings).await, Err(AttestError::Setting { why, .. }) if why.starts_with("a key is projects/")), "{key}");
    }
    let plain = Settings { base: "http://kms.example".to_owned(), ..Settings::new(KEY) };
    assert!(Kms::connect(plain).await.unwrap_err().to_string().contains("not sent without TLS"));
}

/// Application Default Credentials are read from the environment, which a test may not change for its neighbours: the test runs itself again as a child.
#[tokio::test]
async fn application_default_credentials_are_sent_and_never_shown() {
    if !openssl() {
        return;
    }
    let address = listen(Router::new().fallback(echo)).await;
    let folder = tempfile::tempdir().unwrap();
    let pem = String::from_utf8(must(folder.path(), "openssl", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])).unwrap();
    let file = folder.path().join("key.json");
    // Such a key signs its own tokens, so that no other server is asked.
    let key = json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k", "private_key": pem,
        "client_email": "signer@p-1.iam.gserviceaccount.com", "client_id": "1", "token_uri": "http://127.0.0.1:9/token",
    });
    std::fs::write(&file, key.to_string()).unwrap();
    let environment = [("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap().to_owned()), (ADDRESS, address)];
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "attest::kms::child", "--ignored", "--nocapture"];
    let child = tokio::task::spawn_blocking(move || Command::new(program).args(arguments).env_clear().envs(environment).output().unwrap()).await.unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
}

#[tokio::test]
#[ignore = "the child of the test above"]
async fn child() {
    #[expect(clippy::disallowed_methods, reason = "the parent hands its server's address over")]
    let Ok(base) = std::env::var(ADDRESS) else { return };
    let error = Kms::connect(Settings { base, ..Settings::new(KEY) }).await.unwrap_err();
    assert!(matches!(&error, AttestError::Permission { why, .. } if why == "the answer repeats the credential and is not shown"), "{error}");
}
