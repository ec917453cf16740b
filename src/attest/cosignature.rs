//! Cosignatures (C2SP tlog-cosignature, `cosignature/v1`): a witness's key, and whether a line is its word on a checkpoint. Pure.
//!
//! Of a checkpoint only the form of a signed note (`model::note`) is known here. Left out: ML-DSA-44 cosignatures (key type 0x06).

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, VerifyingKey};

use crate::attest::AttestError;
use crate::model::note::{self, KeyKind, Note, SignatureLine, Vkey};

/// A witness's name and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner {
    vkey: Vkey,
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
        let vkey: Vkey = vkey.trim().parse().map_err(|error: note::NotANote| wrong(error.why))?;
        if vkey.kind() != KeyKind::Cosignature {
            return Err(wrong("it is not an Ed25519 key that cosigns, type 4"));
        }
        let key = VerifyingKey::from_bytes(vkey.public()).map_err(|_why| wrong("it is not a point on the curve"))?;
        // Anybody can sign for such a key.
        if key.is_weak() {
            return Err(wrong("it is a weak key"));
        }
        Ok(Self { vkey, key })
    }

    /// The witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.vkey.name()
    }

    /// Finds this witness's line among `lines` and verifies it. Lines by other keys are passed over, as the specification has it.
    ///
    /// # Errors
    /// `NoCosignature` where there is none, `Signature` where it does not verify, `Malformed` where something else stands there.
    pub fn verify(&self, checkpoint: &[u8], lines: &[u8]) -> Result<Cosignature, AttestError> {
        let checkpoint = Note::parse(checkpoint).map_err(|error| AttestError::Malformed { what: "the checkpoint", why: error.why.to_owned() })?;
        let lines = std::str::from_utf8(lines).map_err(|_where| malformed("it is not UTF-8"))?;
        let lines = note::lines(lines).map_err(|error| malformed(error.why))?;
        let own = lines.iter().find_map(|line| Some((line, line.by(&self.vkey)?)));
        let (line, bytes) = own.ok_or_else(|| AttestError::NoCosignature(self.name().to_owned()))?;
        self.verified(checkpoint.text(), line, bytes)
    }

    fn verified(&self, text: &str, line: &SignatureLine, timestamped: &[u8]) -> Result<Cosignature, AttestError> {
        let (time, signature) = timestamped.split_first_chunk::<8>().ok_or_else(|| malformed("it has no time"))?;
        let time = u64::from_be_bytes(*time);
        let signature = Signature::from_slice(signature).map_err(|_length| malformed("it is not as long as an Ed25519 signature"))?;
        let at = i64::try_from(time).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or_else(|| malformed("its time is out of range"))?;
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        self.key.verify_strict(message.as_bytes(), &signature).map_err(|_why| AttestError::Signature(self.name().to_owned()))?;
        Ok(Cosignature { witness: self.name().to_owned(), at, line: format!("{line}\n") })
    }
}

fn malformed(why: &str) -> AttestError {
    AttestError::Malformed { what: "the cosignature", why: why.to_owned() }
}
