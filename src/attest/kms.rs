//! Google Cloud KMS as the signer: a key that signs and cannot be copied. Every signature is a line in the key's audit log, which nobody here can edit.
//!
//! Only Ed25519 over the message itself (`EC_SIGN_ED25519`): what a log's key signs. Each signature is verified here before it is returned.
//! <https://docs.cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions>

use std::fmt;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use ed25519_dalek::{Signature, VerifyingKey};
use google_cloud_auth::credentials::{Builder, CacheableResource, Credentials};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Extensions, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::attest::AttestError;
use crate::attest::exchange::{Answer, Exchange, address, is_loopback, printable};

const ALGORITHM: &str = "EC_SIGN_ED25519";
const SIGNER: &str = "roles/cloudkms.signer";
const VIEWER: &str = "roles/cloudkms.publicKeyViewer";
/// Bytes of an answer, and of a message (the service's own limit).
const LIMIT: usize = 64 << 10;

/// Which key, asked where, as whom and how patiently.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/N`. A version, since another version is another key.
    pub key: String,
    /// The service, `https://cloudkms.googleapis.com` but for tests.
    pub base: String,
    /// Who asks.
    pub credential: Credential,
    /// For one exchange.
    pub timeout: Duration,
    /// How often a question is asked before giving up.
    pub attempts: usize,
    /// Before the second attempt; doubles from there, to at most 64 times.
    pub delay: Duration,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// Application Default Credentials.
    ApplicationDefault,
    /// Nobody in particular, for an emulator.
    Anonymous,
}

impl Settings {
    /// The public service by Application Default Credentials.
    #[must_use]
    pub fn new(key: &str) -> Self {
        let base = "https://cloudkms.googleapis.com".to_owned();
        let (credential, timeout, delay) = (Credential::ApplicationDefault, Duration::from_secs(20), Duration::from_millis(500));
        Self { key: key.to_owned(), base, credential, timeout, attempts: 5, delay }
    }
}

/// A key of Cloud KMS, known to sign as it should.
pub struct Kms {
    line: Line,
    key: VerifyingKey,
}

/// The way to the service.
struct Line {
    settings: Settings,
    base: Url,
    exchange: Exchange,
    credentials: Option<Credentials>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKey {
    #[serde(default)]
    pem: String,
    #[serde(default)]
    algorithm: String,
    #[serde(default)]
    pem_crc32c: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    #[serde(default)]
    signature: String,
    #[serde(default)]
    signature_crc32c: String,
    #[serde(default)]
    verified_data_crc32c: bool,
    #[serde(default)]
    name: String,
}

/// What to do about trouble.
enum Trouble {
    /// Ask again, not before this.
    Passing(AttestError, Duration),
    Lasting(AttestError),
}

impl Kms {
    /// Reads the public key once. Fails here, at the start of a run, rather than at its end.
    ///
    /// # Errors
    /// `Setting` for a wrong key or algorithm, `Permission` where a role is missing, `Unreachable` or `Status` where the service does not answer, `Corrupt` where checksums differ.
    pub async fn connect(settings: Settings) -> Result<Self, AttestError> {
        let line = Line::new(settings)?;
        let key = line.patiently(|| line.public_key()).await?;
        Ok(Self { line, key })
    }

    /// The raw Ed25519 public key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Signs a message of up to 64 KiB. Ed25519 is deterministic: the same message has the same signature, however often it is asked for.
    ///
    /// # Errors
    /// As `connect`; `Signature` where what comes back is not a signature of this key over this message.
    pub async fn sign(&self, message: &[u8]) -> Result<[u8; 64], AttestError> {
        if message.len() > LIMIT {
            return Err(AttestError::Malformed { what: "the message", why: format!("Cloud KMS signs at most {LIMIT} bytes") });
        }
        let signature = self.line.patiently(|| self.line.signature(message)).await?;
        let parsed = Signature::from_slice(&signature).map_err(|_length| AttestError::Signature(self.line.settings.key.clone()))?;
        self.key.verify_strict(message, &parsed).map_err(|_why| AttestError::Signature(self.line.settings.key.clone()))?;
        Ok(parsed.to_bytes())
    }
}

impl Line {
    fn new(settings: Settings) -> Result<Self, AttestError> {
        let parts: Vec<&str> = settings.key.split('/').collect();
        let shape = ["projects", "locations", "keyRings", "cryptoKeys", "cryptoKeyVersions"];
        let name =
            |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')) && !part.contains("..");
        if parts.len() != 10 || !parts.iter().step_by(2).eq(shape.iter()) || !parts.iter().skip(1).step_by(2).all(name) {
            return Err(AttestError::setting(&settings.key, "a key is projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/N"));
        }
        let what = "the address of Cloud KMS";
        let base = address(what, &settings.base)?;
        let credentials = match settings.credential {
            Credential::Anonymous => None,
            Credential::ApplicationDefault if base.scheme() != "https" && !is_loopback(&base) => {
                return Err(AttestError::setting(what, "a credential is not sent without TLS"));
            }
            Credential::ApplicationDefault => Some(Builder::default().build().map_err(|_may_quote_the_file| no_credential())?),
        };
        Ok(Self { exchange: Exchange::new(&base, settings.timeout, LIMIT)?, settings, base, credentials })
    }

    /// Asks again where trouble may pass: no answer, 429, 5xx, a checksum that differs.
    async fn patiently<T, F: Future<Output = Result<T, Trouble>>>(&self, ask: impl Fn() -> F) -> Result<T, AttestError> {
        let longest = self.settings.delay.saturating_mul(64);
        let again = self.settings.attempts.saturating_sub(1);
        let mut delays = ExponentialBuilder::new().with_min_delay(self.settings.delay).with_max_delay(longest).with_max_times(again).build();
        loop {
            let (error, not_before) = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Passing(error, not_before)) => (error, not_before),
            };
            let Some(delay) = delays.next() else { return Err(error) };
            tokio::time::sleep(delay.max(not_before.min(longest))).await;
        }
    }

    async fn public_key(&self) -> Result<VerifyingKey, Trouble> {
        let mut url = self.url("/publicKey")?;
        url.set_query(Some("publicKeyFormat=PEM"));
        let key: PublicKey = self.ask(&url, None, VIEWER).await?;
        self.is_ours(&key.name)?;
        intact("the public key", key.pem.as_bytes(), &key.pem_crc32c)?;
        if key.algorithm != ALGORITHM {
            let why = format!("its algorithm is {}, and a log is signed with {ALGORITHM}", printable(key.algorithm.as_bytes()));
            return Err(Trouble::Lasting(AttestError::setting(&self.settings.key, why)));
        }
        let parsed = VerifyingKey::from_public_key_pem(&key.pem).ok().filter(|key| !key.is_weak());
        parsed.ok_or_else(|| malformed("the public key", "it is not an Ed25519 key in PEM form"))
    }

    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Trouble> {
        let question = serde_json::json!({ "data": BASE64.encode(message), "dataCrc32c": crc32c::crc32c(message).to_string() });
        let signed: Signed = self.ask(&self.url(":asymmetricSign")?, Some(question.to_string()), SIGNER).await?;
        self.is_ours(&signed.name)?;
        if !signed.verified_data_crc32c {
            return Err(corrupt("the message on its way to Cloud KMS"));
        }
        let signature = BASE64.decode(&signed.signature).map_err(|_where| malformed("the signature", "it is not base64"))?;
        intact("the signature", &signature, &signed.signature_crc32c)?;
        Ok(signature)
    }

    fn url(&self, after: &str) -> Result<Url, Trouble> {
        let text = format!("{}/v1/{}{after}", self.base.as_str().trim_end_matches('/'), self.settings.key);
        address("the address of Cloud KMS", &text).map_err(Trouble::Lasting)
    }

    /// Google's advice: a response names the key that was really used.
    fn is_ours(&self, name: &str) -> Result<(), Trouble> {
        if name == self.settings.key {
            return Ok(());
        }
        Err(malformed("the answer of Cloud KMS", &format!("it is about another key: {}", printable(name.as_bytes()))))
    }

    async fn ask<T: DeserializeOwned>(&self, url: &Url, question: Option<String>, role: &'static str) -> Result<T, Trouble> {
        let mut headers = self.headers().await?;
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        let answer = match question {
            None => self.exchange.get(url, headers).await,
            Some(question) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                self.exchange.post(url, headers, question.into_bytes()).await
            }
        };
        let answer = answer.map_err(|error| Trouble::Passing(error, Duration::ZERO))?;
        if answer.status == 200 {
            return serde_json::from_slice(&answer.body).map_err(|_may_quote| malformed("the answer of Cloud KMS", "it is not the JSON that is documented"));
        }
        Err(self.refused(answer, token.as_deref(), role))
    }

    async fn headers(&self) -> Result<HeaderMap, Trouble> {
        let Some(credentials) = &self.credentials else { return Ok(HeaderMap::new()) };
        let not_now = || Trouble::Passing(no_credential(), Duration::ZERO);
        match tokio::time::timeout(self.settings.timeout, credentials.headers(Extensions::new())).await {
            Ok(Ok(CacheableResource::New { data, .. })) => Ok(data),
            // Only said to those who name the version they have, which this does not.
            Ok(Ok(CacheableResource::NotModified)) | Err(_) => Err(not_now()),
            Ok(Err(error)) if error.is_transient() => Err(not_now()),
            Ok(Err(_may_quote_an_answer)) => Err(Trouble::Lasting(no_credential())),
        }
    }

    fn refused(&self, answer: Answer, token: Option<&str>, role: &'static str) -> Trouble {
        let key = self.settings.key.clone();
        let status = answer.status;
        let said = said(&answer.body, token);
        let seconds = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok()).unwrap_or(0);
        let error = match status {
            401 => no_credential(),
            403 if said.contains("SERVICE_DISABLED") => AttestError::setting(&key, "the API cloudkms.googleapis.com is not enabled in its project"),
            403 => AttestError::Permission { role, resource: key, why: said },
            404 => AttestError::setting(&key, format!("there is no such key version, or {role} is missing: {said}")),
            _ => AttestError::Status { who: answer.who, status, why: said },
        };
        if status == 429 || status >= 500 { Trouble::Passing(error, Duration::from_secs(seconds)) } else { Trouble::Lasting(error) }
    }
}

/// Google's words in an error answer, with its reasons; not shown where they repeat the credential.
fn said(body: &[u8], token: Option<&str>) -> String {
    #[derive(Deserialize)]
    struct Envelope {
        error: Refusal,
    }
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        message: String,
        #[serde(default)]
        details: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(default)]
        reason: String,
    }
    if token.is_some_and(|token| String::from_utf8_lossy(body).contains(token)) {
        return "the answer repeats the credential and is not shown".to_owned();
    }
    let Ok(Envelope { error }) = serde_json::from_slice::<Envelope>(body) else { return printable(body) };
    let reasons: Vec<&str> = error.details.iter().map(|detail| detail.reason.as_str()).filter(|reason| !reason.is_empty()).collect();
    printable([reasons.join(" "), error.message].join(" ").as_bytes())
}

/// CRC32C as the service writes it: a decimal number in a string. One that is missing does not match.
fn intact(what: &'static str, bytes: &[u8], crc: &str) -> Result<(), Trouble> {
    if crc.parse() == Ok(crc32c::crc32c(bytes)) { Ok(()) } else { Err(corrupt(what)) }
}

fn corrupt(what: &'static str) -> Trouble {
    Trouble::Passing(AttestError::Corrupt(what), Duration::ZERO)
}

fn malformed(what: &'static str, why: &str) -> Trouble {
    Trouble::Lasting(AttestError::Malformed { what, why: why.to_owned() })
}

fn no_credential() -> AttestError {
    AttestError::setting(
        "Google credentials",
        "there are none that Cloud KMS accepts: set Application Default Credentials, e.g. GOOGLE_APPLICATION_CREDENTIALS",
    )
}

impl fmt::Debug for Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kms({})", self.line.settings.key)
    }
}
