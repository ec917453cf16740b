//! Signed notes and verifier keys as text, C2SP signed-note v1: what the log signs (`ledger`) and what witnesses answer (`attest`) have this form.
//!
//! Left out: signing and verifying, so that nothing here is to be believed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::model::digest::Digest;

const NOTE: &str = "signed note";
const VKEY: &str = "verifier key";
/// Limits, so that junk costs little; the specification asks for at least 16 signatures.
const MAX_NOTE: usize = 128 * 1024;
const MAX_SIGNATURES: usize = 64;
const MAX_NAME: usize = 255;

/// A text is not in this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct NotANote {
    /// What it should be.
    pub what: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// 0x01: the note's text as it is.
    Ed25519,
    /// 0x04: the text with a header and a time before it (C2SP tlog-cosignature).
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
    /// Where the name is not one.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, NotANote> {
        if is_name(name) {
            Ok(Self { name: name.to_owned(), kind, public })
        } else {
            Err(NotANote { what: VKEY, why: "the name is empty, too long or has a space or plus sign" })
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
    type Err = NotANote;

    fn from_str(text: &str) -> Result<Self, NotANote> {
        let refuse = |why| NotANote { what: VKEY, why };
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
pub struct SignatureLine {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl SignatureLine {
    /// A line by `vkey`; `bytes` are what its kind of key puts there.
    #[must_use]
    pub fn new(vkey: &Vkey, bytes: Vec<u8>) -> Self {
        Self { name: vkey.name.clone(), id: vkey.id(), bytes }
    }

    /// The bytes, where the line claims to be `vkey`'s.
    #[must_use]
    pub fn by(&self, vkey: &Vkey) -> Option<&[u8]> {
        (self.name == vkey.name && self.id == vkey.id()).then_some(self.bytes.as_slice())
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "— {} {}", self.name, BASE64.encode([self.id.as_slice(), &self.bytes].concat()))
    }
}

impl FromStr for SignatureLine {
    type Err = NotANote;

    fn from_str(line: &str) -> Result<Self, NotANote> {
        let refuse = || NotANote { what: NOTE, why: "a signature line is not — name base64" };
        let (name, encoded) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or_else(refuse)?;
        let decoded = BASE64.decode(encoded).map_err(|_source| refuse())?;
        match decoded.split_first_chunk::<4>() {
            Some((id, bytes)) if is_name(name) && !bytes.is_empty() => Ok(Self { name: name.to_owned(), id: *id, bytes: bytes.to_vec() }),
            _ => Err(refuse()),
        }
    }
}

/// Reads signature lines, one at least, each with its newline.
///
/// # Errors
/// Where something else stands there.
pub fn lines(text: &str) -> Result<Vec<SignatureLine>, NotANote> {
    let refuse = |why| NotANote { what: NOTE, why };
    let lines = text.strip_suffix('\n').ok_or_else(|| refuse("it does not end in a newline"))?;
    if lines.split('\n').count() > MAX_SIGNATURES {
        return Err(refuse("it has too many signatures"));
    }
    lines.split('\n').map(str::parse).collect()
}

/// A text and the signatures under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<SignatureLine>,
}

impl Note {
    /// An unsigned note. `text` ends in a newline and holds no control characters besides.
    ///
    /// # Errors
    /// Where it does not.
    pub fn new(text: String) -> Result<Self, NotANote> {
        if !text.ends_with('\n') || text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NotANote { what: NOTE, why: "the text has control characters or does not end in a newline" });
        }
        Ok(Self { text, lines: Vec::new() })
    }

    /// Reads a note with at least one signature.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotANote> {
        let refuse = |why| NotANote { what: NOTE, why };
        if bytes.len() > MAX_NOTE {
            return Err(refuse("it is too large"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_source| refuse("it is not UTF-8"))?;
        let split = whole.rfind("\n\n").ok_or_else(|| refuse("it has no signatures"))?;
        let (text, below) = whole.split_at(split.saturating_add(1));
        let note = Self::new(text.to_owned())?;
        Ok(Self { lines: lines(below.strip_prefix('\n').unwrap_or(below))?, ..note })
    }

    /// What was signed, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in their order.
    #[must_use]
    pub fn lines(&self) -> &[SignatureLine] {
        &self.lines
    }

    /// The signature lines' key names, in their order.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.name.as_str())
    }

    /// Puts a line under it.
    pub fn push(&mut self, line: SignatureLine) {
        self.lines.push(line);
    }

    /// The note as text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        format!("{}\n{lines}", self.text).into_bytes()
    }

    /// The same text with the signature lines of both; others' cosignatures come as notes of their own.
    ///
    /// # Errors
    /// Where the texts differ.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotANote> {
        if self.text != other.text {
            return Err(NotANote { what: NOTE, why: "the signatures are of another text" });
        }
        let new: Vec<_> = other.lines.iter().filter(|line| !self.lines.contains(line)).cloned().collect();
        self.lines.extend(new);
        Ok(self)
    }
}

/// Not empty, without Unicode spaces, plus signs and control characters.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}
