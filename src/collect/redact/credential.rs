//! What looks like a credential, whoever's it is. Length and alphabet are those of real ones, so that documentation may speak of them.
//!
//! Left out: credentials that this run uses itself; the transport knows those to the letter.

use std::collections::BTreeSet;

use regex::bytes::{Match, Regex};

use crate::collect::redact::scan::{self, Sort};
use crate::collect::redact::text;

/// The alternatives, none of which may stand within a longer word. Sources: the issuers' documentation of their formats.
/// <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>
pub(super) const PATTERNS: &[&str] = &[
    "gh[pousr]_[0-9A-Za-z_]{36,255}",
    "github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}",
    "AIza[0-9A-Za-z_-]{35}",
    r"ya29\.[0-9A-Za-z_-]{30,}",
    "xox[baprs]-(?:[0-9]{1,15}-)+[0-9A-Za-z]{20,}",
    "(?:AKIA|ASIA)[A-Z2-7]{16}",
    // With something in it: the first line alone is what a manual shows.
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\+[nr])*(?:[0-9A-Za-z+/=]{24}|Proc-Type:|Version:|Comment:)",
];

/// Fewer different characters than this make no credential but a row of `x`.
const VARIETY: usize = 10;
/// How AWS ends the key ids of its manuals.
const MANUAL: &[u8] = b"EXAMPLE";

/// Looks for credentials.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    shapes: Regex,
    hidden: Regex,
}

impl Credentials {
    pub(super) fn new() -> Result<Self, regex::Error> {
        Ok(Self { shapes: Regex::new(&format!("(?-u){}", PATTERNS.join("|")))?, hidden: Regex::new(r"(?-u)\\u[0-9A-Fa-f]{4}")? })
    }

    /// True where a JSON body tells one, also one that is spelt with escapes.
    pub(super) fn are_told_by(&self, body: &[u8]) -> bool {
        if self.are_in(body) {
            return true;
        }
        // An escape can hide a character, or stand where a word begins as `n` does in `\n`.
        if !body.contains(&b'\\') || !(self.hidden.is_match(body) || self.shapes.is_match(body)) {
            return false;
        }
        let mut told = false;
        let walked = scan::walk(body, |sort, span, _path| {
            if matches!(sort, Sort::Name | Sort::Text) && !told {
                let quoted = body.get(span).unwrap_or_default();
                told = quoted.contains(&b'\\') && self.are_in(&text::said(quoted));
            }
        });
        told || walked.is_err()
    }

    /// True where the text holds one as it stands.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        let mut at = 0;
        // What is found may hide another that begins within it, so that the search goes on at the next byte.
        while let Some(found) = self.shapes.find_at(text, at) {
            if stands_alone(text, &found) && !is_manual(found.as_bytes()) {
                return true;
            }
            at = found.start() + 1;
        }
        false
    }
}

/// No part of a longer word; where the length is fixed, a word that goes on is another thing.
fn stands_alone(text: &[u8], found: &Match<'_>) -> bool {
    let is = |prefix: &[u8]| found.as_bytes().starts_with(prefix);
    let goes_on = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-' && is(b"AIza"));
    let is_fixed = is(b"AIza") || is(b"AKIA") || is(b"ASIA") || is(b"github_pat_");
    let before = found.start().checked_sub(1).and_then(|at| text.get(at));
    is(b"-----") || !(goes_on(before) || is_fixed && goes_on(text.get(found.end())))
}

fn is_manual(found: &[u8]) -> bool {
    let variety: BTreeSet<u8> = found.iter().copied().collect();
    found.ends_with(MANUAL) || !found.starts_with(b"-----") && variety.len() < VARIETY
}
