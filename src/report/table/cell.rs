//! One cell: what it holds, typed, and how that is shown where a spreadsheet may read it.
//!
//! Excel, LibreOffice and Google Sheets evaluate a cell that begins with `=`, `+`, `-` or `@`, also in its full-width form and after blanks (<https://owasp.org/www-community/attacks/CSV_Injection>).
//! Such text is shown after an apostrophe. Characters that act unseen are written out, line ends among them, so that a file has exactly one line more than it has rows.

use std::borrow::Cow;
use std::fmt::Display;

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::unseen;
use crate::report::words;

/// The content of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell(Value);

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing; an empty text is nothing too.
    Blank,
    /// Text as a source or a person wrote it.
    Text(String),
    /// A number that was counted here.
    Number(i128),
    /// Yes or no.
    Flag(bool),
    /// An instant, UTC.
    Instant(DateTime<Utc>),
    /// A day of the audit calendar.
    Date(NaiveDate),
}

impl Cell {
    /// As written where a spreadsheet may read it: no text begins a formula, nothing acts unseen.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match &self.0 {
            Value::Blank => Cow::Borrowed(""),
            Value::Text(text) => guarded(text),
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::Flag(holds) => Cow::Borrowed(if *holds { "yes" } else { "no" }),
            Value::Instant(at) => Cow::Owned(words::instant(*at)),
            Value::Date(day) => Cow::Owned(day.to_string()),
        }
    }

    /// The number that it is; none for text, even where that consists of digits.
    pub(crate) fn as_number(&self) -> Option<i128> {
        match self.0 {
            Value::Number(number) => Some(number),
            Value::Blank | Value::Text(_) | Value::Flag(_) | Value::Instant(_) | Value::Date(_) => None,
        }
    }

    /// What it holds, text as it came: only for what no spreadsheet opens.
    #[cfg(feature = "parquet")]
    pub(crate) fn unguarded(&self) -> &Value {
        &self.0
    }
}

/// Text from anywhere.
pub(crate) fn text(text: impl AsRef<str>) -> Cell {
    let text = text.as_ref();
    if text.is_empty() { blank() } else { Cell(Value::Text(text.to_owned())) }
}

/// Text, or nothing.
pub(crate) fn optional(value: Option<impl AsRef<str>>) -> Cell {
    value.map_or_else(blank, text)
}

/// A number of ours; it stays a number, a negative one too.
pub(crate) fn number(number: impl Into<i128>) -> Cell {
    Cell(Value::Number(number.into()))
}

/// An instant, UTC.
pub(crate) fn instant(at: DateTime<Utc>) -> Cell {
    Cell(Value::Instant(at))
}

/// A day of the audit calendar.
pub(crate) fn date(day: NaiveDate) -> Cell {
    Cell(Value::Date(day))
}

impl From<bool> for Cell {
    /// `yes` or `no`.
    fn from(holds: bool) -> Self {
        Self(Value::Flag(holds))
    }
}

/// Several texts in one cell, joined by `; `.
pub(crate) fn list(items: impl IntoIterator<Item = impl Display>) -> Cell {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    text(items.join("; "))
}

/// Nothing.
pub(crate) fn blank() -> Cell {
    Cell(Value::Blank)
}

fn guarded(text: &str) -> Cow<'_, str> {
    let visible = unseen::written_out(text, |_| true);
    if is_formula(text) { Cow::Owned(format!("'{visible}")) } else { visible }
}

fn is_formula(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || unseen::is_invisible(c);
    let first = text.trim_start_matches(blank).chars().next();
    text.starts_with(['\t', '\r', '\n']) || matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\u{2212}'))
}

#[cfg(test)]
mod tests {
    use super::{blank, date, instant, number, text};

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
            assert_eq!(text(given).shown(), written, "{given:?}");
        }
    }

    #[test]
    fn our_own_numbers_stay_numbers() {
        assert_eq!((&*number(-3_i64).shown(), number(-3_i64).as_number()), ("-3", Some(-3)));
        assert_eq!((&*text("12").shown(), text("12").as_number(), blank().as_number()), ("12", None, None));
    }

    #[test]
    fn instants_days_and_flags_read_as_they_do_everywhere() {
        assert_eq!(instant("2026-11-09T23:00:00.9Z".parse().expect("an instant")).shown(), "2026-11-09T23:00:00Z");
        assert_eq!(date("2026-11-09".parse().expect("a day")).shown(), "2026-11-09");
        assert_eq!([true, false].map(|holds| super::Cell::from(holds).shown().into_owned()), ["yes", "no"]);
    }
}
