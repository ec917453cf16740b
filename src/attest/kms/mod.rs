//! Google Cloud KMS as the signer: a key that signs and cannot be copied. Every signature is a line in the key's audit log, which nobody here can edit.
//!
//! Only Ed25519 over the message itself (`EC_SIGN_ED25519`): what a log's key signs. Each signature is verified here before it is returned.
//! <https://docs.cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions>

mod line;

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

use crate::attest::AttestError;
use crate::attest::exchange::printable;
use crate::attest::kms::line::{Line, Trouble, malformed};

const ALGORITHM: &str = "EC_SIGN_ED25519";
const SIGNER: &str = "roles/cloudkms.signer";
const VIEWER: &str = "roles/cloudkms.publicKeyViewer";
/// Bytes of a message (the service's own limit), and of an answer.
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

    /// Google's advice: a response names the key that was really used.
    fn is_ours(&self, name: &str) -> Result<(), Trouble> {
        if name == self.settings.key {
            return Ok(());
        }
        Err(malformed("the answer of Cloud KMS", &format!("it is about another key: {}", printable(name.as_bytes()))))
    }
}

/// CRC32C as the service writes it: a decimal number in a string. One that is missing does not match.
fn intact(what: &'static str, bytes: &[u8], crc: &str) -> Result<(), Trouble> {
    if crc.parse() == Ok(crc32c::crc32c(bytes)) { Ok(()) } else { Err(corrupt(what)) }
}

fn corrupt(what: &'static str) -> Trouble {
    Trouble::Passing(AttestError::Corrupt(what), Duration::ZERO)
}

impl fmt::Debug for Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kms({})", self.line.settings.key)
    }
}
