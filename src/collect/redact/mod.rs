//! What never reaches the store: personal data and secrets are taken out of an answer before it is hashed, and an answer that still tells a credential is refused.
//!
//! Only spans are replaced; every other byte stays as it was received, so that numbers, order and spacing are the source's. The hash of what was
//! received is kept nowhere: with the rest known, an address could be guessed from it.
//! Left out: where rules and keys come from (`catalog`, `cli`). Not looked into: what is encoded once more within a text, such as base64.

mod credential;
mod edit;
mod scan;
mod text;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use regex::bytes::Regex;
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use crate::collect::redact::credential::Credentials;
use crate::collect::redact::edit::Edits;
use crate::model::redaction::{self, matches_glob};
use crate::model::{Pointer, RedactionAction, RedactionRule, RedactionTarget};

/// The least length of a pseudonym key, in bytes: that of the hash.
pub const KEY_LENGTH: usize = 32;

/// What a key is checked with. No value of an answer begins so.
const CHECK: &[u8] = b"\0proofline pseudonym key check 1\0";

/// Rules, ready to be applied.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Vec<Rule>,
    /// Finds nothing in a body into which no pointer leads.
    traces: Option<Regex>,
    credentials: Credentials,
    text: String,
}

#[derive(Debug, Clone)]
struct Rule {
    operation: String,
    target: Target,
    action: RedactionAction,
}

#[derive(Debug, Clone)]
enum Target {
    Values(Vec<Pointer>),
    Texts(Vec<Pointer>, Spared),
    Pattern(Regex),
    /// What the second group finds is the value; the first is what stands before it.
    Parameters(Regex),
}

/// Texts that are left alone: by how they end, or whole.
#[derive(Debug, Clone)]
struct Spared {
    endings: Vec<String>,
    whole: Vec<String>,
}

/// A rule that cannot be applied.
#[derive(Debug, thiserror::Error)]
#[error("the redaction rule {rule:?} cannot be used: {source}")]
pub struct PolicyError {
    /// Its name.
    pub rule: String,
    /// What is wrong with its pattern.
    pub source: regex::Error,
}

/// The key of the pseudonyms of an epoch.
#[derive(Debug)]
pub struct Key {
    epoch: String,
    octets: SecretSlice<u8>,
}

/// The key is too short to keep anything secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key has {0} bytes, and at least 32 are needed")]
pub struct ShortKey(pub usize);

/// A policy with its key.
#[derive(Debug)]
pub struct Redactor {
    policy: Policy,
    key: Option<Key>,
}

/// What may be kept of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean {
    /// The bytes: those received, where nothing was taken out.
    pub body: Bytes,
    /// Where something was taken out, sorted.
    pub redacted: Vec<String>,
}

/// Why nothing of an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It tells a credential.
    #[error("the body holds what looks like a credential; it was not stored")]
    Credential,
    /// It cannot be looked through.
    #[error("the body is nested too deep to be redacted; it was not stored")]
    TooDeep,
    /// It holds what a rule takes out, and is nothing that anything can be taken out of.
    #[error("the file holds what a redaction rule takes out; it was not stored")]
    Private,
    /// It would be more gaps than text.
    #[error("the body needs more than a million redactions; it was not stored")]
    TooMany,
}

impl Policy {
    /// Makes the rules ready; of several that fit, the first is applied.
    ///
    /// # Errors
    /// A pattern is no regular expression.
    pub fn new(rules: &[RedactionRule]) -> Result<Self, PolicyError> {
        let named = |rule: &str, source| PolicyError { rule: rule.to_owned(), source };
        let ready: Vec<Rule> = rules.iter().map(|rule| Rule::new(rule).map_err(|source| named(&rule.name, source))).collect::<Result<_, _>>()?;
        let traces = traces(&ready).transpose().map_err(|source| named("*", source))?;
        let credentials = Credentials::new().map_err(|source| named("credentials", source))?;
        let text = serde_json::json!({ "format": 1, "rules": rules, "refused": credential::PATTERNS });
        Ok(Self { rules: ready, traces, credentials, text: format!("{text:#}\n") })
    }

    /// The rules that apply where nobody says otherwise.
    ///
    /// # Errors
    /// Never with the rules as they are shipped.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::new(&redaction::shipped())
    }

    /// The policy as it is kept beside the evidence: everything that decides what is taken out, but for the key.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Rule {
    fn new(rule: &RedactionRule) -> Result<Self, regex::Error> {
        let target = match &rule.target {
            RedactionTarget::Pointers(pointers) => Target::Values(pointers.clone()),
            RedactionTarget::Texts { at, unless, except } => Target::Texts(at.clone(), Spared { endings: unless.clone(), whole: except.clone() }),
            RedactionTarget::Pattern(pattern) => Target::Pattern(Regex::new(pattern)?),
            RedactionTarget::Parameters(names) => Target::Parameters(Regex::new(&parameters(names))?),
        };
        Ok(Self { operation: rule.operation.clone(), target, action: rule.action })
    }

    /// Regular expressions of which one finds something, or an escape that may hide it, wherever the rule does; none where there are no such expressions.
    fn traces(&self) -> Option<Vec<String>> {
        match &self.target {
            Target::Values(pointers) | Target::Texts(pointers, _) => {
                pointers.iter().map(|pointer| pointer.trace().map(|trace| regex::escape(&trace))).collect()
            }
            Target::Parameters(pattern) => Some(vec![pattern.as_str().to_owned()]),
            // Looked for in every body anyway.
            Target::Pattern(_) => Some(Vec::new()),
        }
    }
}

impl Target {
    /// What is looked for within texts.
    fn pattern(&self) -> Option<&Regex> {
        match self {
            Self::Pattern(pattern) | Self::Parameters(pattern) => Some(pattern),
            Self::Values(_) | Self::Texts(..) => None,
        }
    }

    /// The parts of a text that are taken out.
    fn found_in(&self, text: &[u8]) -> Vec<Range<usize>> {
        if matches!(self, Self::Parameters(_)) && !text.contains(&b'=') {
            return Vec::new();
        }
        let found = self.pattern().into_iter().flat_map(|pattern| pattern.captures_iter(text));
        // Of an address's parameter only the value goes, so that one can still tell what was there.
        let which = if matches!(self, Self::Parameters(_)) { 2 } else { 0 };
        found.filter_map(|found| found.get(which).map(|found| found.range())).filter(|range| !range.is_empty()).collect()
    }
}

/// Finds parameters of an address's query: what stands before the value, and the value. An address within a web page has `&amp;` between them.
fn parameters(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
    format!(r#"(?i-u:([?&;](?:{})=)([^\s&;#"'<>()\[\]{{}}$\\`|]{{8,}}))"#, names.join("|"))
}

/// Finds a trace of what a rule takes out, or an escape, which may hide one; none where a rule leaves no trace.
fn traces(rules: &[Rule]) -> Option<Result<Regex, regex::Error>> {
    let traces: Option<Vec<Vec<String>>> = rules.iter().map(Rule::traces).collect();
    let pieces: BTreeSet<String> = traces?.into_iter().flatten().collect();
    Some(Regex::new(&std::iter::once(r"\\u".to_owned()).chain(pieces).collect::<Vec<_>>().join("|")))
}

impl Key {
    /// A key and what the pseudonyms made with it are called.
    ///
    /// # Errors
    /// It is too short.
    pub fn new(epoch: impl Into<String>, octets: SecretSlice<u8>) -> Result<Self, ShortKey> {
        let length = octets.expose_secret().len();
        if length < KEY_LENGTH { Err(ShortKey(length)) } else { Ok(Self { epoch: epoch.into(), octets }) }
    }

    /// HMAC-SHA-256 (RFC 2104), its first 16 bytes in hexadecimal.
    fn pseudonym(&self, value: &[u8]) -> Option<String> {
        self.code(value, 16).map(|code| format!("p_{code}"))
    }

    /// The same of no value, its first 8 bytes.
    fn check(&self) -> Option<String> {
        self.code(CHECK, 8)
    }

    fn code(&self, message: &[u8], length: usize) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.octets.expose_secret()).ok()?;
        mac.update(message);
        Some(mac.finalize().into_bytes().iter().take(length).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Redactor {
    /// A policy with its key; without one, nothing is given a pseudonym and all of it is removed.
    #[must_use]
    pub fn new(policy: Policy, key: Option<Key>) -> Self {
        Self { policy, key }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the pseudonyms' key is called; none without a key.
    #[must_use]
    pub fn key_epoch(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.epoch.as_str())
    }

    /// What tells the pseudonyms' key from another, and nothing more about it; none without a key.
    #[must_use]
    pub fn key_check(&self) -> Option<String> {
        self.key.as_ref().and_then(Key::check)
    }

    /// Takes out of an answer what may not be kept.
    ///
    /// # Errors
    /// Where nothing of it may be kept.
    pub fn clean(&self, operation: &str, body: Bytes) -> Result<Clean, Refusal> {
        let clean = match self.edits(operation, &body)? {
            Some(edits) => edits.apply(&body),
            None => Clean { body, redacted: Vec::new() },
        };
        if self.policy.credentials.are_told_by(&clean.body) { Err(Refusal::Credential) } else { Ok(clean) }
    }

    /// Looks through a file that is no answer. What is JSON is cleaned like one; everything else is kept to the byte or not at all.
    ///
    /// # Errors
    /// Where nothing of it may be kept.
    pub fn clean_file(&self, operation: &str, body: Bytes) -> Result<Clean, Refusal> {
        if text::is_valid(&body) {
            return self.clean(operation, body);
        }
        let concerned = self.policy.rules.iter().filter(|rule| matches_glob(&rule.operation, operation));
        if concerned.filter_map(|rule| rule.target.pattern()).any(|pattern| pattern.is_match(&body)) {
            return Err(Refusal::Private);
        }
        if self.policy.credentials.are_in(&body) { Err(Refusal::Credential) } else { Ok(Clean { body, redacted: Vec::new() }) }
    }

    /// True where a header, an address or a request tells a credential, as it stands or percent-encoded.
    #[must_use]
    pub fn is_told_by(&self, text: &str) -> bool {
        let decoded: Cow<'_, [u8]> = percent_encoding::percent_decode_str(text).into();
        self.policy.credentials.are_in(text.as_bytes()) || self.policy.credentials.are_in(&decoded)
    }

    /// None where there is nothing to look for.
    fn edits(&self, operation: &str, body: &[u8]) -> Result<Option<Edits<'_>>, Refusal> {
        let rules: Vec<&Rule> = self.policy.rules.iter().filter(|rule| matches_glob(&rule.operation, operation)).collect();
        let has_patterns = rules.iter().any(|rule| matches!(rule.target, Target::Pattern(_)));
        let has_traces = !rules.is_empty() && self.policy.traces.as_ref().is_none_or(|traces| traces.is_match(body));
        if !has_patterns && !has_traces {
            return Ok(None);
        }
        let mut edits = Edits::new(rules, self.key.as_ref());
        scan::walk(body, |sort, span, path| edits.see(body, sort, span, path)).map_err(|scan::TooDeep| Refusal::TooDeep)?;
        if !text::is_valid(body) {
            edits.see_all(body);
        }
        if edits.are_too_many() { Err(Refusal::TooMany) } else { Ok(Some(edits)) }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
