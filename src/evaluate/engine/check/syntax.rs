//! The parser's errors in words that a person can act on, at byte ranges.
//!
//! The parser speaks of its own grammar (`mismatched input '=' expecting {<EOF>, …}`) and repeats one slip several times; the first mention at a place is kept.

use std::ops::Range;

use cel::ParseErrors;

use crate::evaluate::engine::check::spans::is_word;
use crate::model::{ExpressionMistake, Weight};

const TOO_EARLY: &str = "the expression ends too early";

/// One mistake for each place the parser complains about.
pub(super) fn mistakes(source: &str, errors: &ParseErrors) -> Vec<ExpressionMistake> {
    let mut mistakes: Vec<ExpressionMistake> = Vec::new();
    for error in &errors.errors {
        let Some((message, help)) = reword(&error.msg) else { continue };
        // What cannot be read at all is left out by the parser, which then misses it.
        if message == TOO_EARLY && !mistakes.is_empty() {
            continue;
        }
        let start = offset(source, error.pos);
        if mistakes.iter().any(|seen| seen.range.start == start) {
            continue;
        }
        mistakes.push(ExpressionMistake { weight: Weight::Error, range: token_at(source, start), message, help });
    }
    if mistakes.is_empty() {
        let message = "the expression cannot be read".to_owned();
        mistakes.push(ExpressionMistake { weight: Weight::Error, range: 0..source.len(), message, help: None });
    }
    mistakes
}

/// None for what the parser says only because of an earlier error.
fn reword(message: &str) -> Option<(String, Option<String>)> {
    let said = message.strip_prefix("Syntax error: ").unwrap_or(message);
    if let Some(rest) = said.strip_prefix("token recognition error at: ") {
        return Some(unreadable(unquoted(rest)));
    }
    if let Some(rest) = said.strip_prefix("missing ") {
        let (wanted, before) = rest.split_once(" at ").unwrap_or((rest, "'<EOF>'"));
        return Some((format!("{} is missing {}", tokens(wanted), place(unquoted(before))), None));
    }
    for start in ["extraneous input ", "mismatched input ", "no viable alternative at input "] {
        if let Some(rest) = said.strip_prefix(start) {
            let token = rest.split_once(" expecting ").map_or(rest, |(token, _)| token);
            return Some(unexpected(unquoted(token)));
        }
    }
    if said.starts_with("unsupported syntax") {
        let message = "the optional syntax (`.?`, `[?`) would turn a missing attribute into an answer".to_owned();
        return Some((message, Some("name the attribute plainly: where it is not known, the result is undetermined".to_owned())));
    }
    if let Some(name) = said.strip_prefix("reserved identifier: ") {
        return Some((format!("`{name}` is a reserved word and names nothing"), None));
    }
    if said.starts_with("invalid argument to has()") {
        return Some(("has() would turn a missing attribute into an answer".to_owned(), None));
    }
    if said.starts_with("argument must be a simple name") {
        return Some(("the first argument is the name to go by, e.g. `c` in `list.all(c, c.size() > 0)`".to_owned(), None));
    }
    if said.starts_with("invalid int literal") || said.starts_with("invalid uint literal") {
        return Some(("the number does not fit in 64 bits".to_owned(), None));
    }
    if said.starts_with("error recovery attempt limit") || said.starts_with("Recursion limit") {
        return Some(("the expression is nested too deeply, or too broken, to be read further".to_owned(), None));
    }
    said.strip_prefix("invalid ").map(|rest| (format!("this is not a valid {}", rest.split_once(':').map_or(rest, |(what, _)| what)), None))
}

fn unreadable(text: &str) -> (String, Option<String>) {
    let help = match text.chars().next() {
        Some('=') => Some("write `==` to compare"),
        Some('&') => Some("write `&&`"),
        Some('|') => Some("write `||`"),
        Some('"' | '\'') => return ("the text that starts here does not end".to_owned(), Some("close it with the same quote".to_owned())),
        Some('#') => Some("comments start with `//`"),
        _ => None,
    };
    (format!("`{text}` is not part of the language"), help.map(str::to_owned))
}

fn unexpected(token: &str) -> (String, Option<String>) {
    if token == "<EOF>" {
        return (TOO_EARLY.to_owned(), None);
    }
    let help = match token {
        "and" | "AND" => Some("write `&&`"),
        "or" | "OR" => Some("write `||`"),
        "not" | "NOT" => Some("write `!`"),
        "=" => Some("write `==` to compare"),
        _ => None,
    };
    (format!("`{token}` is not expected here"), help.map(str::to_owned))
}

fn place(before: &str) -> String {
    if before == "<EOF>" { "at the end".to_owned() } else { format!("before `{before}`") }
}

/// `')'` → `` `)` ``; a set of tokens or a grammar name is left vague.
fn tokens(wanted: &str) -> String {
    match unquoted(wanted) {
        "IDENTIFIER" => "a name".to_owned(),
        bare if bare != wanted => format!("`{bare}`"),
        _ => "something".to_owned(),
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text)
}

/// Line and column, both from 1 and the column in characters, to a byte offset.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let (Ok(line), Ok(column)) = (usize::try_from(line), usize::try_from(column)) else { return 0 };
    let Some(before) = line.checked_sub(1) else { return 0 };
    let start: usize = source.split_inclusive('\n').take(before).map(str::len).sum();
    let text = source.get(start..).unwrap_or_default();
    start + text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| at)
}

/// The word or the single character that starts at `start`; the last character where `start` is the end.
fn token_at(source: &str, start: usize) -> Range<usize> {
    let rest = source.get(start..).unwrap_or_default();
    match rest.chars().next() {
        None => source.char_indices().next_back().map_or(0, |(at, _)| at)..source.len(),
        Some(first) if is_word(first) => start..start + rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        Some(first) => start..start + first.len_utf8(),
    }
}
