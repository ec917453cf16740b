//! The log's own signatures under notes: Ed25519 (type 0x01 of C2SP signed-note v1). How a note is written is `model::note`'s; cosignatures are `attest`'s.
//!
//! Signatures by keys that were not asked for are ignored, as the specification demands; a bad one by a key that was asked for refuses the note.

pub use crate::model::note::{KeyKind, Note, Vkey};

use crate::ledger::LedgerError;
use crate::ledger::signer::{self, Signer};
use crate::model::note::SignatureLine;

/// True where `vkey` signed this note.
///
/// # Errors
/// `LedgerError::Unverified` where a line claims to be `vkey`'s and is not.
pub fn is_signed(note: &Note, vkey: &Vkey) -> Result<bool, LedgerError> {
    if vkey.kind() != KeyKind::Ed25519 {
        return Ok(false);
    }
    let mut found = false;
    for bytes in note.lines().iter().filter_map(|line| line.by(vkey)) {
        found = bytes.try_into().is_ok_and(|bytes| signer::verifies(vkey.public(), note.text().as_bytes(), bytes));
        if !found {
            return Err(LedgerError::unverified("signed note", "a signature of this key is not over this text"));
        }
    }
    Ok(found)
}

/// Adds a log's signature.
///
/// # Errors
/// The signer's.
pub async fn sign(note: &mut Note, name: &str, signer: &dyn Signer) -> Result<(), LedgerError> {
    let vkey = Vkey::new(name, KeyKind::Ed25519, signer.public_key())?;
    let bytes = signer::sign_checked(signer, note.text().as_bytes()).await?.to_vec();
    note.push(SignatureLine::new(&vkey, bytes));
    Ok(())
}
