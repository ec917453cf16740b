//! Which spans of one body are replaced, and by what.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;

use crate::collect::redact::scan::{Path, Sort};
use crate::collect::redact::{Clean, Key, Rule, Spared, Target, text};
use crate::model::RedactionAction;

/// What stands where something was.
const REMOVED: &str = "[removed]";
/// Places that are told apart in a record; where there are more, the rules' own pointers have to do.
const PLACES: usize = 100;

/// Replacements that one body may need, which bounds the memory that they take. No listing has as many members on a page.
const REPLACEMENTS: usize = 1_000_000;

/// The replacements in one body.
pub(super) struct Edits<'r> {
    rules: Vec<&'r Rule>,
    key: Option<&'r Key>,
    found: Vec<Edit>,
    places: BTreeSet<String>,
    /// The pointers of the rules that found something.
    rough: BTreeSet<String>,
}

struct Edit {
    span: Range<usize>,
    text: Vec<u8>,
}

impl<'r> Edits<'r> {
    pub(super) fn new(rules: Vec<&'r Rule>, key: Option<&'r Key>) -> Self {
        Self { rules, key, found: Vec::new(), places: BTreeSet::new(), rough: BTreeSet::new() }
    }

    /// True where there are more than may be kept.
    pub(super) fn are_too_many(&self) -> bool {
        self.found.len() > REPLACEMENTS
    }

    /// Looks at one name or value.
    pub(super) fn see(&mut self, body: &[u8], sort: Sort, span: Range<usize>, path: &Path<'_>) {
        let raw = body.get(span.clone()).unwrap_or_default();
        if raw == b"null" || raw == b"\"\"" || self.are_too_many() {
            return;
        }
        let meant = if sort == Sort::Name { None } else { self.rule_for(sort, raw, path) };
        let meant = meant.filter(|rule| rule.action != RedactionAction::Keep);
        let text = match meant {
            Some(rule) => {
                self.used(rule);
                Some(whole(raw, &self.substitute(rule.action, &value(sort, raw))))
            }
            None => self.parts(sort, raw),
        };
        if let Some(text) = text {
            let outline = path.outline(|name| self.is_plain(name));
            self.places.insert(if sort == Sort::Name { format!("{outline}/*") } else { outline });
            self.found.push(Edit { span, text });
        }
    }

    /// Looks for patterns in a body that is no JSON.
    pub(super) fn see_all(&mut self, body: &[u8]) {
        let rules = self.rules.clone();
        for rule in rules {
            for span in rule.target.found_in(body) {
                let text = self.substitute(rule.action, body.get(span.clone()).unwrap_or_default()).into_bytes();
                self.places.insert(String::new());
                self.used(rule);
                self.found.push(Edit { span, text });
            }
        }
    }

    /// The body with the replacements.
    pub(super) fn apply(mut self, body: &Bytes) -> Clean {
        if self.found.is_empty() {
            return Clean { body: body.clone(), redacted: Vec::new() };
        }
        self.found.sort_by(|a, b| (a.span.start, b.span.end).cmp(&(b.span.start, a.span.end)));
        let mut kept = Vec::with_capacity(body.len());
        let mut at = 0;
        for edit in joined(self.found) {
            kept.extend_from_slice(body.get(at..edit.span.start).unwrap_or_default());
            kept.extend_from_slice(&edit.text);
            at = edit.span.end;
        }
        kept.extend_from_slice(body.get(at..).unwrap_or_default());
        let places = if self.places.len() > PLACES { self.rough } else { self.places };
        Clean { body: Bytes::from(kept), redacted: places.into_iter().collect() }
    }

    fn used(&mut self, rule: &Rule) {
        match &rule.target {
            Target::Values(pointers) | Target::Texts(pointers, _) => self.rough.extend(pointers.iter().map(ToString::to_string)),
            Target::Pattern(_) | Target::Parameters(_) => self.rough.extend(["/**".to_owned()]),
        }
    }

    fn rule_for(&self, sort: Sort, raw: &[u8], path: &Path<'_>) -> Option<&'r Rule> {
        self.rules.iter().copied().find(|rule| {
            let (pointers, spared) = match &rule.target {
                Target::Values(pointers) => (pointers, None),
                Target::Texts(pointers, spared) if sort == Sort::Text => (pointers, Some(spared)),
                Target::Texts(..) | Target::Pattern(_) | Target::Parameters(_) => return false,
            };
            pointers.iter().any(|pointer| path.is_meant_by(pointer)) && !spared.is_some_and(|spared| is_spared(raw, spared))
        })
    }

    /// A text, name or number with its parts replaced that patterns find; none where they find nothing.
    fn parts(&mut self, sort: Sort, raw: &[u8]) -> Option<Vec<u8>> {
        if sort == Sort::Nest {
            return None;
        }
        let mut text = value(sort, raw);
        let mut changed = false;
        let rules = self.rules.clone();
        for rule in rules {
            let Some(without) = self.without(&text, rule) else { continue };
            text = Cow::Owned(without);
            self.used(rule);
            changed = true;
        }
        changed.then(|| if sort != Sort::Bare && !raw.contains(&b'\\') { requoted(raw, &text) } else { whole(raw, &String::from_utf8_lossy(&text)) })
    }

    /// The text with what a rule's pattern finds replaced; none where it finds nothing.
    fn without(&self, text: &[u8], rule: &Rule) -> Option<Vec<u8>> {
        let mut kept = Vec::new();
        let mut at = 0;
        for found in rule.target.found_in(text) {
            kept.extend_from_slice(text.get(at..found.start).unwrap_or_default());
            kept.extend_from_slice(self.substitute(rule.action, text.get(found.clone()).unwrap_or_default()).as_bytes());
            at = found.end;
        }
        kept.extend_from_slice(text.get(at..).unwrap_or_default());
        (at > 0).then_some(kept)
    }

    fn substitute(&self, action: RedactionAction, value: &[u8]) -> String {
        let instead = match (action, self.key) {
            (RedactionAction::Pseudonym, Some(key)) => key.pseudonym(value),
            (RedactionAction::Pseudonym, None) | (RedactionAction::Remove, _) => None,
            (RedactionAction::Keep, _) => Some(String::from_utf8_lossy(value).into_owned()),
        };
        instead.unwrap_or_else(|| REMOVED.to_owned())
    }

    /// A member's name that may stand in a record: an identifier that no pattern finds anything in.
    fn is_plain(&self, name: &str) -> bool {
        let identifier = name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        identifier && !self.rules.iter().any(|rule| rule.target.pattern().is_some_and(|pattern| pattern.is_match(name.as_bytes())))
    }
}

/// What a value says: a text without its escapes, all else as it stands.
fn value(sort: Sort, raw: &[u8]) -> Cow<'_, [u8]> {
    match sort {
        Sort::Name | Sort::Text => text::said(raw),
        Sort::Bare | Sort::Nest => Cow::Borrowed(raw),
    }
}

/// A text in place of a whole value. What was no valid JSON does not become it: a broken answer must not pass for a good one.
fn whole(raw: &[u8], text: &str) -> Vec<u8> {
    let quoted = serde_json::Value::from(text).to_string();
    if text::is_valid(raw) { quoted.into_bytes() } else { text.as_bytes().to_vec() }
}

/// The quotes of a text around another; the last may be missing.
fn requoted(raw: &[u8], text: &[u8]) -> Vec<u8> {
    let closed = raw.len() > 1 && raw.ends_with(b"\"");
    let end: &[u8] = if closed { b"\"" } else { b"" };
    [b"\"", text, end].concat()
}

/// What is spared: the whole text, or one address that ends so and nothing beside it.
fn is_spared(raw: &[u8], spared: &Spared) -> bool {
    let said = text::said(raw);
    let single = said.iter().filter(|byte| **byte == b'@').count() <= 1 && !said.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b';'));
    let is_whole = spared.whole.iter().any(|whole| said.eq_ignore_ascii_case(whole.as_bytes()));
    is_whole || single && spared.endings.iter().any(|ending| said.ends_with(ending.as_bytes()))
}

/// What overlaps is taken out together. Sorted by start, the longer first.
fn joined(edits: Vec<Edit>) -> Vec<Edit> {
    let mut joined: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match joined.last_mut() {
            Some(last) if edit.span.end <= last.span.end => {}
            Some(last) if edit.span.start < last.span.end => {
                last.span.end = edit.span.end;
                last.text = REMOVED.into();
            }
            Some(_) | None => joined.push(edit),
        }
    }
    joined
}
