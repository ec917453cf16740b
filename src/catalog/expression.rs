//! `where`, `require` and `because`: their text, and the engine's complaints moved to where they stand in the file.
//!
//! Left out: the engine; `cli` hands its check in.

use std::ops::Range;

use crate::catalog::Vocabulary;
use crate::catalog::mistake::Mistake;
use crate::catalog::page::{Node, Page};
use crate::catalog::value;
use crate::model::{Expression, ExpressionSite, Kind, Parameters, Want, Weight};

/// The longest source that the engine takes, in bytes.
pub(super) const LONGEST: usize = 4096;

/// What an expression may speak of, and who checks it.
#[derive(Debug)]
pub(super) struct Subject<'s> {
    pub(super) kind: &'static Kind,
    pub(super) parameters: &'s Parameters,
    pub(super) vocabulary: &'s Vocabulary<'s>,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'s> {
    /// None where the population does not exist.
    pub(super) subject: Option<&'s Subject<'s>>,
    pub(super) want: Want,
    /// What is true wherever it is evaluated.
    pub(super) given: Option<&'s Expression>,
}

/// What was read where an expression may stand.
#[derive(Debug)]
pub(super) enum Reading {
    Absent,
    /// Not even a text.
    Wrong,
    /// A text that has a mistake in it.
    Faulty(Expression),
    Sound(Expression),
}

impl Reading {
    /// The source, right or wrong.
    pub(super) fn source(&self) -> Option<&Expression> {
        match self {
            Self::Absent | Self::Wrong => None,
            Self::Faulty(expression) | Self::Sound(expression) => Some(expression),
        }
    }

    /// The expression, if there is one; nothing where there is one with a mistake.
    #[allow(clippy::option_option, reason = "absent, wrong and right are three things here")]
    pub(super) fn optional(self) -> Option<Option<Expression>> {
        match self {
            Self::Absent => Some(None),
            Self::Wrong | Self::Faulty(_) => None,
            Self::Sound(expression) => Some(Some(expression)),
        }
    }
}

/// Reads and checks an expression.
pub(super) fn read(page: &mut Page<'_>, node: Node<'_, '_>, key: &str, site: Site<'_>) -> Reading {
    let Some(text) = value::text(page, node, key) else { return Reading::Wrong };
    if text.len() > LONGEST {
        let message = format!("`{key}` is {} bytes long, at most {LONGEST} are allowed", text.len());
        page.error(node.span(), message, "split it into several tests".to_owned());
        return Reading::Wrong;
    }
    let expression = Expression(text.into_owned());
    let Some(subject) = site.subject else { return Reading::Sound(expression) };
    let complaints = (subject.vocabulary.check)(&ExpressionSite {
        kind: subject.kind,
        parameters: subject.parameters,
        expression: &expression,
        want: site.want,
        given: site.given,
    });
    let mut sound = true;
    for complaint in complaints {
        let range = in_file(page.text(node.span()), node.span(), &expression.0, &complaint.range);
        sound &= complaint.weight == Weight::Warning;
        page.note(Mistake { weight: complaint.weight, ..Mistake::new(Some(page.place(range)), complaint.message).help(complaint.help) });
    }
    if sound { Reading::Sound(expression) } else { Reading::Faulty(expression) }
}

/// A range of a string's value as a range of the file: exact where the value can be followed in its source, else the whole string.
fn in_file(raw: &str, span: Range<usize>, value: &str, range: &Range<usize>) -> Range<usize> {
    let start = body_start(raw);
    let escape = raw.starts_with('"').then_some('\\');
    match followed(raw.get(start..).unwrap_or(""), value, escape, range) {
        Some(inner) => {
            let from = span.start + start + inner.start;
            from..(span.start + start + inner.end).max(from)
        }
        None => span,
    }
}

/// Behind the opening quotes, and behind the newline that may follow triple ones.
fn body_start(raw: &str) -> usize {
    let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
    let body = raw.get(quotes..).unwrap_or("");
    match quotes {
        3 if body.starts_with("\r\n") => 5,
        3 if body.starts_with('\n') => 4,
        _ => quotes,
    }
}

/// Walks a string's source and its value in step, over CRLF and the escapes of one character (`\"`, `\\`, `\n`, `\t`); gives up at any other.
fn followed(body: &str, value: &str, escape: Option<char>, range: &Range<usize>) -> Option<Range<usize>> {
    let mut raw = body.char_indices();
    let (mut from, mut to) = (None, None);
    for (at, expected) in value.char_indices() {
        let (mut raw_at, mut shown) = raw.next()?;
        if shown == '\r' && expected == '\n' {
            (raw_at, shown) = raw.next()?;
        }
        from = from.or((at >= range.start).then_some(raw_at));
        to = to.or((at >= range.end).then_some(raw_at));
        let meant = if Some(shown) == escape { one_character(raw.next()?.1)? } else { shown };
        if meant != expected {
            return None;
        }
    }
    let end = raw.next().map_or(body.len(), |(at, _)| at);
    Some(from.unwrap_or(end)..to.unwrap_or(end))
}

fn one_character(escape: char) -> Option<char> {
    match escape {
        '"' | '\\' => Some(escape),
        'n' => Some('\n'),
        't' => Some('\t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::in_file;

    /// What is marked in the file where `word` is marked in the value.
    fn marked<'r>(raw: &'r str, value: &str, word: &str) -> &'r str {
        let at = value.find(word).expect("the word is in the value");
        &raw[in_file(raw, 0..raw.len(), value, &(at..at + word.len()))]
    }

    #[test]
    fn ranges_are_exact_where_the_value_can_be_followed() {
        assert_eq!(marked("\"a == bad\"", "a == bad", "bad"), "bad");
        assert_eq!(marked("'a == bad'", "a == bad", "bad"), "bad");
        assert_eq!(marked("'''\na ==\n bad'''", "a ==\n bad", "bad"), "bad");
        assert_eq!(marked("\'\'\'\r\na ==\r\n bad\'\'\'", "a ==\n bad", "bad"), "bad");
        assert_eq!(marked("\"\"\"\r\na bad\"\"\"", "a bad", "bad"), "bad");
        assert_eq!(marked(r#""a == \"é\" && bad""#, "a == \"é\" && bad", "bad"), "bad");
        assert_eq!(marked(r#""a.matches('\\d') && bad""#, r"a.matches('\d') && bad", "bad"), "bad");
    }

    #[test]
    fn elsewhere_the_whole_string_is_marked() {
        for (raw, value) in [(r#""\u0061 bad""#, "a bad"), ("\"\"\"a \\\n   bad\"\"\"", "a bad")] {
            assert_eq!(marked(raw, value, "bad"), raw);
        }
        assert_eq!(in_file("'x'", 10..13, "x", &(0..900)), 11..12);
    }
}
