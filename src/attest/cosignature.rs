//! Cosignatures (C2SP tlog-cosignature, `cosignature/v1`): a witness's key, and whether a line is its word on a checkpoint. Pure.
//!
//! Of a checkpoint only the form of a signed note is known here: a text, an empty line, signature lines. Left out: ML-DSA-44 cosignatures (key type 0x06).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, VerifyingKey};

use crate::attest::AttestError;
use crate::model::Digest;

/// The type of an Ed25519 key that cosigns (tlog-cosignature, "Format").
const ED25519_COSIGNER: u8 = 0x04;
/// Lines of one answer that are looked at.
const LINES: usize = 64;

/// A witness's name and key.
#[derive(Clone, PartialEq, Eq)]
pub struct Cosigner {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// A witness's verified word that it saw a checkpoint, consistent with all that it saw before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub witness: String,
    /// When it signed, by its own clock, UTC.
    pub at: DateTime<Utc>,
    /// The signature line with its newline; put after the checkpoint it makes a cosigned one.
    pub line: String,
}

impl Cosigner {
    /// Reads a verifier key, `name+keyid+base64` (signed-note, "Verifier keys"), as a witness publishes it.
    ///
    /// # Errors
    /// `Setting`, also for a key that signs and does not cosign.
    pub fn parse(vkey: &str) -> Result<Self, AttestError> {
        let wrong = |why: &str| AttestError::setting("the key of the witness", why);
        let mut parts = vkey.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(wrong("it is not name+id+key")) };
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong("its name is empty or has spaces"));
        }
        let key = BASE64.decode(key).map_err(|_where| wrong("it is not base64"))?;
        let Some((&ED25519_COSIGNER, bytes)) = key.split_first() else { return Err(wrong("it is not an Ed25519 key that cosigns, type 4")) };
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_length| wrong("it is not as long as an Ed25519 key"))?;
        let own = identity(name, &key);
        if id != own.iter().map(|byte| format!("{byte:02x}")).collect::<String>() {
            return Err(wrong("its id is not that of its name and key"));
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_why| wrong("it is not a point on the curve"))?;
        // Anybody can sign for such a key.
        if key.is_weak() {
            return Err(wrong("it is a weak key"));
        }
        Ok(Self { name: name.to_owned(), id: own, key })
    }

    /// The witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finds this witness's line among `lines` and verifies it. Lines by other keys are passed over, as the specification has it.
    ///
    /// # Errors
    /// `NoCosignature` where there is none, `Signature` where it does not verify, `Malformed` where something else stands there.
    pub fn verify(&self, checkpoint: &[u8], lines: &[u8]) -> Result<Cosignature, AttestError> {
        let text = text(checkpoint)?;
        let malformed = |why: &str| AttestError::Malformed { what: "the cosignature", why: why.to_owned() };
        let lines = std::str::from_utf8(lines).map_err(|_where| malformed("it is not UTF-8"))?;
        let complete = lines.strip_suffix('\n').ok_or_else(|| malformed("its last line has no end"))?;
        for line in complete.split('\n').take(LINES) {
            let (name, signature) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or_else(|| malformed("a line is not a signature line"))?;
            let bytes = BASE64.decode(signature).map_err(|_where| malformed("a signature is not base64"))?;
            if let Some((id, rest)) = bytes.split_first_chunk::<4>()
                && (name, *id) == (self.name.as_str(), self.id)
            {
                return self.verified(text, line, rest);
            }
        }
        Err(AttestError::NoCosignature(self.name.clone()))
    }

    fn verified(&self, text: &str, line: &str, timestamped: &[u8]) -> Result<Cosignature, AttestError> {
        let malformed = |why: &str| AttestError::Malformed { what: "the cosignature", why: why.to_owned() };
        let (time, signature) = timestamped.split_first_chunk::<8>().ok_or_else(|| malformed("it has no time"))?;
        let time = u64::from_be_bytes(*time);
        let signature = Signature::from_slice(signature).map_err(|_length| malformed("it is not as long as an Ed25519 signature"))?;
        let at = i64::try_from(time).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or_else(|| malformed("its time is out of range"))?;
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        self.key.verify_strict(message.as_bytes(), &signature).map_err(|_why| AttestError::Signature(self.name.clone()))?;
        Ok(Cosignature { witness: self.name.clone(), at, line: format!("{line}\n") })
    }
}

/// The first four bytes of SHA-256 over name, newline and typed key (signed-note, "Signatures").
fn identity(name: &str, key: &[u8]) -> [u8; 4] {
    let digest = Digest::of(&[name.as_bytes(), b"\n", key].concat());
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

/// The signed text of a note, with its last newline and without the empty line after it.
fn text(note: &[u8]) -> Result<&str, AttestError> {
    let malformed = |why: &str| AttestError::Malformed { what: "the checkpoint", why: why.to_owned() };
    let note = std::str::from_utf8(note).map_err(|_where| malformed("it is not UTF-8"))?;
    if note.chars().any(|c| c != '\n' && c.is_ascii_control()) || !note.ends_with('\n') {
        return Err(malformed("it is not lines of text"));
    }
    let end = note.rfind("\n\n").ok_or_else(|| malformed("it has no signatures"))?;
    note.get(..=end).ok_or_else(|| malformed("it has no text"))
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.name)
    }
}
