//! One cell: text that no spreadsheet takes for a formula, or a number that we counted ourselves.
//!
//! Excel, LibreOffice and Google Sheets evaluate a cell that begins with `=`, `+`, `-` or `@`, also in its full-width form and after blanks (<https://owasp.org/www-community/attacks/CSV_Injection>).
//! Such text gets a leading apostrophe. Characters that act unseen are written out, line ends among them, so that a file has exactly one line more than it has rows.

use std::fmt::Display;

use crate::model::unseen;

/// The content of a cell, safe to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    is_number: bool,
}

impl Cell {
    fn of(text: String) -> Self {
        Self { text, is_number: false }
    }

    /// As written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The number that it is; none for text, even where that consists of digits.
    pub(crate) fn as_number(&self) -> Option<i128> {
        self.is_number.then(|| self.text.parse().ok()).flatten()
    }
}

/// Text from anywhere.
pub(crate) fn text(text: impl AsRef<str>) -> Cell {
    let text = text.as_ref();
    let visible = unseen::written_out(text, |_| true);
    Cell::of(if is_formula(text) { format!("'{visible}") } else { visible.into_owned() })
}

/// Text, or nothing.
pub(crate) fn optional(value: Option<impl AsRef<str>>) -> Cell {
    value.map_or_else(blank, text)
}

/// A number of ours; it stays a number, a negative one too.
pub(crate) fn number(number: impl Display + Into<i128>) -> Cell {
    Cell { text: number.to_string(), is_number: true }
}

impl From<bool> for Cell {
    /// `yes` or `no`.
    fn from(holds: bool) -> Self {
        Self::of(if holds { "yes" } else { "no" }.to_owned())
    }
}

/// Several texts in one cell, joined by `; `.
pub(crate) fn list(items: impl IntoIterator<Item = impl Display>) -> Cell {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    text(items.join("; "))
}

/// Nothing.
pub(crate) fn blank() -> Cell {
    Cell::of(String::new())
}

fn is_formula(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || unseen::is_invisible(c);
    let first = text.trim_start_matches(blank).chars().next();
    text.starts_with(['\t', '\r', '\n']) || matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\u{2212}'))
}

#[cfg(test)]
mod tests {
    use super::{blank, number, text};

    #[test]
    fn text_never_begins_a_formula() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-x", "'-x"),
            ("@sum", "'@sum"),
            ("  =1", "'  =1"),
            ("\t=1", "'\\t=1"),
            ("\tplain", "'\\tplain"),
            ("\rplain", "'\\rplain"),
            ("＝1", "'＝1"),
            ("\u{a0}＠x", "'\u{a0}＠x"),
            ("\u{200b}=1", "'\\u{200b}=1"),
            ("\u{feff}\u{0}=1", "'\\u{feff}\\u{0}=1"),
            ("a=1", "a=1"),
            ("two\nlines", "two\\nlines"),
            ("", ""),
        ];
        for (given, written) in cases {
            assert_eq!(text(given).as_str(), written, "{given:?}");
        }
    }

    #[test]
    fn our_own_numbers_stay_numbers() {
        assert_eq!((number(-3_i64).as_str(), number(-3_i64).as_number()), ("-3", Some(-3)));
        assert_eq!((text("12").as_str(), text("12").as_number(), blank().as_number()), ("12", None, None));
    }
}
