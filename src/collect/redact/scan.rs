//! Where the names and values of a JSON text stand, byte for byte.
//!
//! A lexer, not a parser: what is no JSON, is cut off or holds broken text is walked through all the same, because the e-mail address in it is no less one.
//! For the same reason it is not `serde_json`'s `RawValue`: that gives no span where a text is escaped, none in what it refuses, and ends at 128 levels.
//! Left out: what is looked for, and whether the text is valid.

use std::borrow::Cow;
use std::ops::Range;

use crate::collect::redact::text;
use crate::model::Pointer;

/// Levels that are walked into. No reader of evidence goes deeper than 128.
const DEPTH: usize = 500;

/// Something that stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A member's name, quotes included.
    Name,
    /// A text, quotes included as far as they are there.
    Text,
    /// A number, true, false, null, or what stands in such a place.
    Bare,
    /// An object or a list, from its bracket to the one that ends it or to the end of the body.
    Nest,
}

/// It goes too deep to be looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep;

/// The names and indices that lead to a value.
pub(super) struct Path<'b> {
    steps: Vec<Step<'b>>,
}

/// What is open, and where in it the walk is.
struct Step<'b> {
    start: usize,
    /// The member's name, or the index in digits.
    part: Option<Cow<'b, str>>,
    index: Option<u64>,
}

impl<'b> Path<'b> {
    /// True where the pointer leads here.
    pub(super) fn is_meant_by(&self, pointer: &Pointer) -> bool {
        // The first step stands for the whole body, and has a name in what is a mere piece of an object.
        let outer = usize::from(self.steps.first().is_some_and(|step| step.part.is_none()));
        let part = |at: usize| self.steps.get(at + outer).and_then(|step| step.part.as_deref()).unwrap_or_default();
        pointer.matches(self.steps.len().saturating_sub(outer), part)
    }

    /// The parts as they are reported: an index, and a name that is not plainly one, is `*`.
    pub(super) fn outline(&self, is_plain: impl Fn(&str) -> bool) -> String {
        let part = |step: &Step<'_>| step.part.as_deref().map(|part| if is_plain(part) { format!("/{part}") } else { "/*".to_owned() });
        self.steps.iter().filter_map(part).collect()
    }

    fn open(&mut self, start: usize, byte: u8) -> Result<(), TooDeep> {
        if self.steps.len() > DEPTH {
            return Err(TooDeep);
        }
        let is_list = byte == b'[';
        self.steps.push(Step { start, part: is_list.then_some(Cow::Borrowed("0")), index: is_list.then_some(0) });
        Ok(())
    }

    /// Where what ends here began; none where nothing is open.
    fn close(&mut self) -> Option<usize> {
        if self.steps.len() > 1 { self.steps.pop().map(|step| step.start) } else { None }
    }

    fn go_on(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.index = step.index.map(|index| index.saturating_add(1));
            step.part = step.index.map(|index| Cow::Owned(index.to_string()));
        }
    }

    fn name(&mut self, name: Option<Cow<'b, str>>) {
        if let Some(step) = self.steps.last_mut() {
            step.part = name;
        }
    }
}

/// Shows every name and value to `see`: what is inside something before the thing itself.
///
/// # Errors
/// Where it goes too deep; what came before was shown.
pub(super) fn walk<'b>(body: &'b [u8], mut see: impl FnMut(Sort, Range<usize>, &Path<'b>)) -> Result<(), TooDeep> {
    let mut path = Path { steps: vec![Step { start: 0, part: None, index: None }] };
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = text_end(body, start);
                let span = start..at;
                if is_name(body, at) {
                    path.name(None);
                    see(Sort::Name, span.clone(), &path);
                    path.name(Some(text::name(body.get(span).unwrap_or_default())));
                } else {
                    see(Sort::Text, span, &path);
                }
            }
            b'{' | b'[' => path.open(start, byte)?,
            b'}' | b']' => {
                if let Some(start) = path.close() {
                    see(Sort::Nest, start..at, &path);
                }
            }
            b',' => path.go_on(),
            b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                at = bare_end(body, at);
                see(Sort::Bare, start..at, &path);
            }
        }
    }
    // Cut off: what is open ends here.
    while let Some(start) = path.close() {
        see(Sort::Nest, start..body.len(), &path);
    }
    Ok(())
}

/// Behind the quote that ends the text, or the end of the body.
fn text_end(body: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(rest) = body.get(at..) {
        match rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(found) if rest.get(found) == Some(&b'"') => return at + found + 1,
            Some(found) => at += found + 2,
            None => break,
        }
    }
    body.len()
}

/// A text is a name where a colon follows, whatever it stands in.
fn is_name(body: &[u8], at: usize) -> bool {
    body.get(at..).unwrap_or_default().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

fn bare_end(body: &[u8], at: usize) -> usize {
    let rest = body.get(at..).unwrap_or_default();
    let ends = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n');
    rest.iter().position(ends).map_or(body.len(), |length| at + length)
}
