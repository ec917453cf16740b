//! Signed notes and verifier keys, C2SP signed-note v1: Ed25519 (type 0x01) and timestamped cosignatures (type 0x04, C2SP tlog-cosignature).
//!
//! Signatures by keys that were not asked for are ignored, as the specification demands; a bad one by a key that was asked for refuses the note.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::ledger::LedgerError;
use crate::ledger::signer::{self, SignError, Signer};
use crate::model::Digest;

const NOTE: &str = "signed note";
const VKEY: &str = "verifier key";
/// Limits, so that junk costs little; the specification asks for at least 16 signatures.
const MAX_NOTE: usize = 128 * 1024;
const MAX_SIGNATURES: usize = 64;
const MAX_NAME: usize = 255;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// 0x01: the note's text as it is.
    Ed25519,
    /// 0x04: the text with a header and a time before it.
    Cosignature,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A verifier key: name, key id, kind and public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vkey {
    name: String,
    kind: KeyKind,
    public: [u8; 32],
}

impl Vkey {
    /// Names a public key.
    ///
    /// # Errors
    /// `LedgerError::Malformed` where the name is not one.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, LedgerError> {
        if is_name(name) {
            Ok(Self { name: name.to_owned(), kind, public })
        } else {
            Err(LedgerError::malformed(VKEY, "the name is empty, too long or has a space or plus sign"))
        }
    }

    /// The key's name; for a log its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The 32-byte Ed25519 public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// SHA-256(name ‖ 0x0A ‖ type ‖ public key)[..4].
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = *Digest::of(&[self.name.as_bytes(), b"\n", &[self.kind.byte()], &self.public].concat()).as_bytes();
        [a, b, c, d]
    }

    /// The key id as 8 hexadecimal digits.
    #[must_use]
    pub fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id()))
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&[self.kind.byte()], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id_text(), BASE64.encode(material))
    }
}

impl FromStr for Vkey {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let refuse = |why| LedgerError::malformed(VKEY, why);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refuse("it is not name+id+key"));
        };
        let material = BASE64.decode(material).map_err(|_source| refuse("the key is not base64"))?;
        let (kind, public) = match material.split_first() {
            Some((0x01, public)) => (KeyKind::Ed25519, public),
            Some((0x04, public)) => (KeyKind::Cosignature, public),
            _ => return Err(refuse("only Ed25519 keys (types 1 and 4) are supported")),
        };
        let public = public.try_into().map_err(|_source| refuse("the key is not 32 bytes"))?;
        let vkey = Self::new(name, kind, public)?;
        if vkey.id_text() == id { Ok(vkey) } else { Err(refuse("the key id is not the key's")) }
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A text and the signatures under it. Nothing in it is to be believed before `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// A signature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// By a key of kind Ed25519.
    Plain,
    /// By a cosigner, who states this POSIX time.
    At(u64),
}

impl Note {
    /// An unsigned note. `text` ends in a newline and holds no control characters besides.
    ///
    /// # Errors
    /// `LedgerError::Malformed`.
    pub fn new(text: String) -> Result<Self, LedgerError> {
        if !text.ends_with('\n') || text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(LedgerError::malformed(NOTE, "the text has control characters or does not end in a newline"));
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note with at least one signature.
    ///
    /// # Errors
    /// `LedgerError::Malformed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let refuse = |why| LedgerError::malformed(NOTE, why);
        if bytes.len() > MAX_NOTE {
            return Err(refuse("it is too large"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_source| refuse("it is not UTF-8"))?;
        let split = whole.rfind("\n\n").ok_or_else(|| refuse("it has no signatures"))?;
        let (text, lines) = whole.split_at(split.saturating_add(1));
        let lines = lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or_else(|| refuse("it does not end in a newline"))?;
        let mut note = Self::new(text.to_owned())?;
        if lines.split('\n').count() > MAX_SIGNATURES {
            return Err(refuse("it has too many signatures"));
        }
        note.signatures = lines.split('\n').map(signature).collect::<Result<_, _>>()?;
        Ok(note)
    }

    /// What was signed, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines' key names, in their order.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|signature| signature.name.as_str())
    }

    /// The note as text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines = self.signatures.iter().map(|s| format!("— {} {}\n", s.name, BASE64.encode([s.id.as_slice(), &s.bytes].concat())));
        format!("{}\n{}", self.text, lines.collect::<String>()).into_bytes()
    }

    /// What `vkey` says of this note: a signature that holds, or none.
    ///
    /// # Errors
    /// `LedgerError::Unverified` where a line claims to be `vkey`'s and is not.
    pub fn verify(&self, vkey: &Vkey) -> Result<Option<Signed>, LedgerError> {
        let id = vkey.id();
        let mut found = None;
        for signature in self.signatures.iter().filter(|s| s.name == vkey.name && s.id == id) {
            let signed = self.signed(vkey, &signature.bytes).ok_or(LedgerError::unverified(NOTE, "a signature of this key is not over this text"))?;
            found = found.or(Some(signed));
        }
        Ok(found)
    }

    fn signed(&self, vkey: &Vkey, bytes: &[u8]) -> Option<Signed> {
        match vkey.kind {
            KeyKind::Ed25519 => signer::verifies(&vkey.public, self.text.as_bytes(), bytes.try_into().ok()?).then_some(Signed::Plain),
            KeyKind::Cosignature => {
                let (time, signature) = bytes.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                let holds = i64::try_from(time).is_ok() && signer::verifies(&vkey.public, &cosigned(&self.text, time), signature.try_into().ok()?);
                holds.then_some(Signed::At(time))
            }
        }
    }

    /// Adds a log's signature, type 0x01.
    ///
    /// # Errors
    /// The signer's.
    pub async fn sign(&mut self, name: &str, signer: &dyn Signer) -> Result<(), LedgerError> {
        let vkey = Vkey::new(name, KeyKind::Ed25519, signer.public_key())?;
        let bytes = signer::sign_checked(signer, self.text.as_bytes()).await?.to_vec();
        self.signatures.push(Signature { name: name.to_owned(), id: vkey.id(), bytes });
        Ok(())
    }

    /// Adds a cosignature made at the POSIX time `time`, type 0x04.
    ///
    /// # Errors
    /// The signer's.
    pub async fn cosign(&mut self, name: &str, signer: &dyn Signer, time: u64) -> Result<(), LedgerError> {
        let vkey = Vkey::new(name, KeyKind::Cosignature, signer.public_key())?;
        let signature: [u8; 64] = signer::sign_checked(signer, &cosigned(&self.text, time)).await.map_err(|error: SignError| LedgerError::Sign(error))?;
        self.signatures.push(Signature { name: name.to_owned(), id: vkey.id(), bytes: [time.to_be_bytes().as_slice(), &signature].concat() });
        Ok(())
    }

    /// The same text with the signature lines of both; others' cosignatures come as notes of their own.
    ///
    /// # Errors
    /// `LedgerError::Malformed` where the texts differ.
    pub fn merge(mut self, other: &Self) -> Result<Self, LedgerError> {
        if self.text != other.text {
            return Err(LedgerError::malformed(NOTE, "the signatures are of another text"));
        }
        let new: Vec<_> = other.signatures.iter().filter(|signature| !self.signatures.contains(signature)).cloned().collect();
        self.signatures.extend(new);
        Ok(self)
    }
}

/// C2SP tlog-cosignature, "Ed25519 signed message".
fn cosigned(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

fn signature(line: &str) -> Result<Signature, LedgerError> {
    let refuse = || LedgerError::malformed(NOTE, "a signature line is not — name base64");
    let (name, encoded) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or_else(refuse)?;
    let decoded = BASE64.decode(encoded).map_err(|_source| refuse())?;
    match decoded.split_first_chunk::<4>() {
        Some((id, bytes)) if is_name(name) && !bytes.is_empty() => Ok(Signature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() }),
        _ => Err(refuse()),
    }
}

/// Not empty, without Unicode spaces, plus signs and control characters.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}
