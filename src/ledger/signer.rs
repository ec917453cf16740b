//! Who signs: one seam for key files and key services, Ed25519 (RFC 8032) only, so that a retry gives the same bytes.
//!
//! Left out: where the key comes from and who may read its file; `cli` looks after that.

use async_trait::async_trait;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::spki::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{SigningKey, VerifyingKey};

/// Holds an Ed25519 key and signs with it.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The public half, RFC 8032 encoding.
    fn public_key(&self) -> [u8; 32];

    /// A PureEdDSA signature over `message`.
    ///
    /// # Errors
    /// `SignError` where the key cannot be used now.
    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// The key could not be read or used. Never carries key material.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The text holds no usable private key.
    #[error("this is not an Ed25519 private key in PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` writes it")]
    NotAKey,
    /// A key service refused or did not answer.
    #[error("the key service did not sign: {0}")]
    Service(String),
    /// A signer's answer does not verify with its own public key.
    #[error("the signer's answer does not verify with its own public key")]
    BadAnswer,
}

/// A private key that was read from a file. It is wiped from memory on drop and never printed.
pub struct KeyFile {
    key: SigningKey,
}

impl KeyFile {
    /// Reads PKCS#8 PEM (RFC 8410), version 1 as OpenSSL writes it or version 2.
    ///
    /// # Errors
    /// `SignError::NotAKey`; the text is not quoted.
    pub fn from_pem(pem: &str) -> Result<Self, SignError> {
        SigningKey::from_pkcs8_pem(pem.trim()).map(|key| Self { key }).map_err(|_source| SignError::NotAKey)
    }

    /// The key of a 32-byte seed; the caller is responsible for its randomness.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// The private key as PKCS#8 PEM version 1, which OpenSSL reads; the public half is left out because OpenSSL before 3.2 refuses version 2.
    ///
    /// # Errors
    /// `SignError::NotAKey` where it cannot be encoded.
    pub fn to_pem(&self) -> Result<impl AsRef<str> + use<>, SignError> {
        let bytes = KeypairBytes { secret_key: self.key.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(LineEnding::LF).map_err(|_source| SignError::NotAKey)
    }
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyFile").finish_non_exhaustive()
    }
}

#[async_trait]
impl Signer for KeyFile {
    fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.key.try_sign(message).map(|signature| signature.to_bytes()).map_err(|_source| SignError::BadAnswer)
    }
}

/// A public key as SubjectPublicKeyInfo PEM, what `openssl pkeyutl -verify -pubin` takes.
///
/// # Errors
/// `SignError::NotAKey` where the bytes are no point of the curve.
pub fn public_pem(public: &[u8; 32]) -> Result<String, SignError> {
    let key = VerifyingKey::from_bytes(public).map_err(|_source| SignError::NotAKey)?;
    key.to_public_key_pem(LineEnding::LF).map_err(|_source| SignError::NotAKey)
}

/// Whether `signature` is `public`'s over `message`; weak keys and malleable signatures are not accepted.
#[must_use]
pub fn verifies(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    VerifyingKey::from_bytes(public).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// Signs and checks the answer: a key service that answers for another key must not reach the log.
///
/// # Errors
/// What the signer says, or `SignError::BadAnswer`.
pub async fn sign_checked(signer: &dyn Signer, message: &[u8]) -> Result<[u8; 64], SignError> {
    let signature = signer.sign(message).await?;
    if verifies(&signer.public_key(), message, &signature) { Ok(signature) } else { Err(SignError::BadAnswer) }
}
