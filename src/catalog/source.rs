//! A file's text, and places in it: line, column and an excerpt small enough to print.
//!
//! Left out: reading files; `cli` hands texts in.

use std::ops::Range;

/// The text of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As messages name it, e.g. `controls/change.toml`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// A file from its name and its text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// A range of a file, with what is needed to show it: it outlives the file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// Bytes in the file.
    pub range: Range<usize>,
    /// Line of the first character, from 1.
    pub line: usize,
    /// Column of the first character in characters, from 1.
    pub column: usize,
    /// The line or lines around the range, long lines cut.
    pub(super) excerpt: String,
    /// The range's bytes in the excerpt.
    pub(super) marked: Range<usize>,
    /// Whether the excerpt begins where the line does.
    pub(super) whole: bool,
}

impl Place {
    /// The same place with what it marks left out of the excerpt: it may be a credential.
    pub(super) fn hiding_mark(mut self) -> Self {
        self.excerpt.replace_range(self.marked.clone(), HIDDEN);
        self.marked.end = self.marked.start + HIDDEN.len();
        self
    }

    /// The same place with everything behind the mark left out of the excerpt.
    pub(super) fn hiding_rest(mut self) -> Self {
        self.excerpt.truncate(self.marked.end);
        self.excerpt.push_str(" = ");
        self.excerpt.push_str(HIDDEN);
        self
    }
}

/// Stands where something is not shown.
const HIDDEN: &str = "…";

/// Lines of an excerpt.
const EXCERPT_LINES: usize = 4;
/// Bytes of context on either side of a mark, and of a mark itself, in a long line.
const EXCERPT_BYTES: usize = 160;

/// Where each line of a text begins.
#[derive(Debug)]
pub(super) struct Lines<'f> {
    file: &'f SourceFile,
    starts: Vec<usize>,
}

impl<'f> Lines<'f> {
    pub(super) fn of(file: &'f SourceFile) -> Self {
        let starts = std::iter::once(0).chain(file.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file, starts }
    }

    /// The line that holds a byte, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).max(1)
    }

    /// The place of a range; a range that ends in the middle of a character or behind the text is cut to fit.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        let text = self.file.text.as_str();
        let start = floor(text, range.start);
        let end = floor(text, range.end.max(start));
        let line = self.line(start);
        let line_start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = text.get(line_start..start).unwrap_or("");
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        let (from, excerpt, marked) = self.excerpt(line_start, start..end);
        Place { file: self.file.path.clone(), range: start..end, line, column, excerpt, marked, whole: from <= skip_mark(text, line_start) }
    }

    /// The lines of a range, whole where they are short, else a window around the mark: where it begins, its text, the mark in it.
    fn excerpt(&self, line_start: usize, range: Range<usize>) -> (usize, String, Range<usize>) {
        let text = self.file.text.as_str();
        let last_line = (self.line(range.end.saturating_sub(1).max(range.start))).min(self.line(range.start) + EXCERPT_LINES - 1);
        let lines_end = self.starts.get(last_line).map_or(text.len(), |next| next - 1);
        let from = if range.start - line_start > EXCERPT_BYTES { floor(text, range.start - EXCERPT_BYTES / 2) } else { skip_mark(text, line_start) };
        let mark_end = floor(text, range.end.min(range.start + EXCERPT_BYTES).min(lines_end).max(range.start));
        let to = floor(text, lines_end.min(mark_end + EXCERPT_BYTES)).max(mark_end);
        let cut = text.get(from..to).unwrap_or("");
        (from, cut.trim_end_matches('\r').to_owned(), range.start.saturating_sub(from)..mark_end.saturating_sub(from))
    }
}

/// Behind the byte order mark that some editors put before the first line.
fn skip_mark(text: &str, line_start: usize) -> usize {
    if line_start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { line_start }
}

/// The nearest character boundary at or before `at`, inside the text.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{Lines, SourceFile};

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let file = SourceFile::new("a.toml", "\u{feff}x = 1\r\ny = \"é\" # z\r\n");
        let lines = Lines::of(&file);
        let first = lines.place(3..4);
        assert_eq!((first.line, first.column, first.excerpt.as_str()), (1, 1, "x = 1"));
        let z = file.text.find('z').expect("z");
        let second = lines.place(z..z + 1);
        assert_eq!((second.line, second.column), (2, 11));
        assert_eq!(&second.excerpt[second.marked.clone()], "z");
    }

    #[test]
    fn long_lines_are_cut_around_the_mark_and_wild_ranges_fit() {
        let file = SourceFile::new("a.toml", format!("x = \"{}?{}\"", "é".repeat(1_000_000), "é".repeat(1_000_000)));
        let lines = Lines::of(&file);
        let at = file.text.find('?').expect("mark");
        let place = lines.place(at..at + 1);
        assert!(place.excerpt.len() < 500);
        assert_eq!(&place.excerpt[place.marked.clone()], "?");
        assert_eq!(place.column, 1_000_006);
        for range in [0..usize::MAX, usize::MAX..usize::MAX, 6..7, std::ops::Range { start: 7, end: 6 }, at..at] {
            let place = lines.place(range);
            assert!(place.excerpt.get(place.marked.clone()).is_some(), "{place:?}");
        }
    }

    #[test]
    fn an_empty_file_has_a_first_line() {
        let file = SourceFile::new("a.toml", "");
        let place = Lines::of(&file).place(0..0);
        assert_eq!((place.line, place.column), (1, 1));
    }
}
