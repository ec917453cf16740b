//! A history as bytes. The format has no promise to keep: what cannot be read is built again.

use crate::evaluate::history::{History, NotAHistory};
use crate::model::Digest;

/// Changes whenever the bytes mean something else.
const MAGIC: &[u8] = b"proofline history 4\n";

impl History {
    /// The history, after its own SHA-256.
    ///
    /// # Errors
    /// Where it cannot be written down.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotAHistory> {
        let body = postcard::to_allocvec(self).map_err(|error| NotAHistory(error.to_string()))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(Digest::of(&body).to_string().into_bytes());
        bytes.push(b'\n');
        bytes.extend(body);
        Ok(bytes)
    }

    /// Reads one back.
    ///
    /// # Errors
    /// It is of another version, cut short or changed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAHistory> {
        let strange = || NotAHistory("it is not one of this version".to_owned());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(strange)?;
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(strange)?;
        let (digest, body) = rest.split_at_checked(end).ok_or_else(strange)?;
        let body = body.get(1..).unwrap_or_default();
        if Digest::of(body).to_string().as_bytes() != digest {
            return Err(NotAHistory("it was changed or cut short".to_owned()));
        }
        postcard::from_bytes(body).map_err(|error| NotAHistory(error.to_string()))
    }
}
