//! The envelope around an entry, DSSE v1: pre-authentication encoding, signing, and a verification that accepts exactly the bytes we would write.
//!
//! Left out: what the payload says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::ledger::LedgerError;
use crate::ledger::note::Vkey;
use crate::ledger::signer;
use crate::ledger::signer::Signer;

/// The payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// An entry's largest size; a tile bundle holds 65,535 bytes.
pub const MAX_ENTRY: usize = 60_000;

const ENVELOPE: &str = "envelope";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    keyid: String,
    sig: String,
}

/// A signed payload. Nothing in it is to be believed before `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    signatures: Vec<(String, [u8; 64])>,
}

/// What is signed: `DSSEv1 <length> <type> <length> <payload>`.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend(payload);
    bytes
}

impl Envelope {
    /// Signs `payload` with each signer in turn, as keys of the name `name`.
    ///
    /// # Errors
    /// A signer's, or `LedgerError::TooLarge`.
    pub async fn sign(name: &str, payload: Vec<u8>, signers: &[&dyn Signer]) -> Result<Self, LedgerError> {
        let message = pae(PAYLOAD_TYPE, &payload);
        let mut signatures = Vec::new();
        for &signer in signers {
            let vkey = Vkey::new(name, crate::ledger::note::KeyKind::Ed25519, signer.public_key())?;
            signatures.push((vkey.id_text(), signer::sign_checked(signer, &message).await?));
        }
        let envelope = Self { payload, signatures };
        let bytes = envelope.to_bytes().len();
        if bytes > MAX_ENTRY { Err(LedgerError::TooLarge { bytes, limit: MAX_ENTRY }) } else { Ok(envelope) }
    }

    /// The payload's bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signatures, in the order of their keys.
    pub fn signatures(&self) -> impl Iterator<Item = &[u8; 64]> {
        self.signatures.iter().map(|(_id, signature)| signature)
    }

    /// The envelope as JSON, compact.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let signature = |(keyid, sig): &(String, [u8; 64])| WireSignature { keyid: keyid.clone(), sig: BASE64.encode(sig) };
        let wire =
            Wire { payload_type: PAYLOAD_TYPE.to_owned(), payload: BASE64.encode(&self.payload), signatures: self.signatures.iter().map(signature).collect() };
        // Strings only: this cannot fail, and were it to, nothing would verify.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Reads an envelope. Other spellings of the same JSON are refused, so that no bit of an entry is without meaning.
    ///
    /// # Errors
    /// `LedgerError::Malformed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let refuse = |why| LedgerError::malformed(ENVELOPE, why);
        if bytes.len() > MAX_ENTRY {
            return Err(refuse("it is too large"));
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(|_source| refuse("it is not a DSSE envelope"))?;
        if wire.payload_type != PAYLOAD_TYPE {
            return Err(refuse("its payload is of another type"));
        }
        let payload = BASE64.decode(&wire.payload).map_err(|_source| refuse("the payload is not base64"))?;
        let signature = |s: WireSignature| Some((s.keyid, BASE64.decode(s.sig).ok()?.try_into().ok()?));
        let signatures: Option<Vec<_>> = wire.signatures.into_iter().map(signature).collect();
        let envelope = Self { payload, signatures: signatures.ok_or_else(|| refuse("a signature is not 64 bytes in base64"))? };
        if envelope.to_bytes() == bytes { Ok(envelope) } else { Err(refuse("it is spelled in another way than it was signed")) }
    }

    /// Checks that exactly these keys signed, in this order.
    ///
    /// # Errors
    /// `LedgerError::Unverified`.
    pub fn verify(&self, keys: &[&Vkey]) -> Result<(), LedgerError> {
        let message = pae(PAYLOAD_TYPE, &self.payload);
        let holds = |((id, signature), key): (&(String, [u8; 64]), &&Vkey)| *id == key.id_text() && signer::verifies(key.public(), &message, signature);
        let all = self.signatures.len() == keys.len() && !keys.is_empty() && self.signatures.iter().zip(keys).all(holds);
        if all { Ok(()) } else { Err(LedgerError::unverified(ENVELOPE, "it is not signed by the key in force")) }
    }
}
