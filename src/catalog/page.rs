//! One TOML file under examination: its tables, and the mistakes found in it so far.
//!
//! Left out: which keys mean what. After a syntax error the parser goes on with what it could read; mistakes that only follow from
//! that error are dropped here, so that the reader of the messages is not sent after ghosts.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use crate::catalog::mistake::Mistake;
use crate::catalog::source::{Lines, Place, SourceFile};
use crate::catalog::suggest;

/// A value and where it stands.
pub(super) type Node<'t, 'i> = &'t Spanned<DeValue<'i>>;

/// One file and its mistakes.
#[derive(Debug)]
pub(super) struct Page<'f> {
    file: &'f SourceFile,
    lines: Lines<'f>,
    /// Where the syntax is broken: bytes, sorted, and lines.
    broken: Vec<usize>,
    broken_lines: BTreeSet<usize>,
    /// Where each top-level table begins, sorted.
    blocks: Vec<usize>,
    found: Vec<Found>,
    /// Mistakes beyond `MOST`.
    uncounted: usize,
}

/// Mistakes that are kept of one file: enough for any person, and a bound on what a file that is no control file at all can cost.
const MOST: usize = 300;

#[derive(Debug)]
struct Found {
    mistake: Mistake,
    nature: Nature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Syntax,
    /// Something is not there; it may only have been lost to a syntax error in the same block.
    Absence,
    Meaning,
}

impl<'f> Page<'f> {
    /// Parses a file; its syntax errors are the first mistakes.
    pub(super) fn open(file: &'f SourceFile) -> (Self, DeTable<'f>) {
        let (table, errors) = DeTable::parse_recoverable(&file.text);
        let mut page =
            Self { file, lines: Lines::of(file), broken: Vec::new(), broken_lines: BTreeSet::new(), blocks: Vec::new(), found: Vec::new(), uncounted: 0 };
        for error in errors {
            let range = error.span().unwrap_or(file.text.len()..file.text.len());
            page.broken.push(range.start);
            page.broken_lines.insert(page.line(range.start));
            page.add(Nature::Syntax, |page| Mistake::new(Some(page.syntax_place(range)), format!("this is not TOML: {}", error.message())));
        }
        page.broken.sort_unstable();
        let table = table.into_inner();
        page.blocks = table.values().flat_map(block_starts).collect();
        page.blocks.sort_unstable();
        (page, table)
    }

    /// The file's name.
    pub(super) fn path(&self) -> &'f str {
        &self.file.path
    }

    /// The source text of a range.
    pub(super) fn text(&self, range: Range<usize>) -> &'f str {
        self.file.text.get(range).unwrap_or("")
    }

    /// A range as a place.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        self.lines.place(range)
    }

    /// Where the syntax is broken; what is written behind a credential's name is not shown.
    fn syntax_place(&self, range: Range<usize>) -> Place {
        let before = self.file.text.get(..range.start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.file.text.get(line_start..).unwrap_or("").lines().next().unwrap_or("");
        match line.split_once('=') {
            Some((key, _)) if names_a_credential(key) => self.place(line_start..line_start + key.trim_end().len()).hiding_rest(),
            _ => self.place(range),
        }
    }

    /// The line that holds a byte, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.lines.line(byte)
    }

    /// Notes a mistake.
    pub(super) fn note(&mut self, mistake: Mistake) {
        self.add(Nature::Meaning, |_| mistake);
    }

    /// Notes an error at a range.
    pub(super) fn error(&mut self, range: Range<usize>, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.add(Nature::Meaning, |page| Mistake::new(Some(page.place(range)), message).help(help));
    }

    /// Notes, as a warning, that something which belongs to the range is missing.
    pub(super) fn warn_absent(&mut self, range: Range<usize>, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.add(Nature::Absence, |page| Mistake::new(Some(page.place(range)), message).help(help).warning());
    }

    /// Notes that something is missing from the table at a range.
    pub(super) fn absent(&mut self, range: Range<usize>, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.add(Nature::Absence, |page| Mistake::new(Some(page.place(range)), message).help(help));
    }

    fn add(&mut self, nature: Nature, mistake: impl FnOnce(&Self) -> Mistake) {
        if self.found.len() < MOST {
            let mistake = mistake(self);
            self.found.push(Found { mistake, nature });
        } else {
            self.uncounted += 1;
        }
    }

    /// The mistakes in the order of their places, without those that only follow from a syntax error.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        let found = std::mem::take(&mut self.found);
        let mut kept: Vec<Mistake> = found.into_iter().filter(|found| self.stands(found)).map(|found| found.mistake).collect();
        kept.sort_by_key(|mistake| mistake.place.as_ref().map_or(0, |place| place.range.start));
        if self.uncounted > 0 {
            let end = self.file.text.len();
            kept.push(Mistake::new(Some(self.place(end..end)), format!("this file has {} more mistakes, which are not shown", self.uncounted)));
        }
        kept
    }

    fn stands(&self, found: &Found) -> bool {
        let Some(place) = &found.mistake.place else { return true };
        match found.nature {
            Nature::Syntax => true,
            Nature::Absence => {
                let block = self.block(place.range.start);
                self.broken.get(self.broken.partition_point(|broken| *broken < block.start)).is_none_or(|broken| !block.contains(broken))
            }
            Nature::Meaning => !self.broken_lines.contains(&place.line),
        }
    }

    /// The top-level table that holds a byte, up to the next one.
    fn block(&self, byte: usize) -> Range<usize> {
        let next = self.blocks.partition_point(|start| *start <= byte);
        let start = next.checked_sub(1).and_then(|at| self.blocks.get(at)).copied().unwrap_or(0);
        start..self.blocks.get(next).copied().unwrap_or(usize::MAX)
    }
}

/// Where a top-level value begins; for an array of tables, where each of them does.
fn block_starts(value: &Spanned<DeValue<'_>>) -> Vec<usize> {
    match value.get_ref() {
        DeValue::Array(tables) => tables.iter().map(|table| table.span().start).collect(),
        DeValue::Table(_) => vec![value.span().start],
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => Vec::new(),
    }
}

/// A table whose keys are known in advance.
#[derive(Debug, Clone)]
pub(super) struct Section<'t, 'i> {
    table: &'t DeTable<'i>,
    /// The header, or the whole inline table.
    pub(super) at: Range<usize>,
    /// What it is, with its article: "a control".
    what: &'static str,
    /// Keys that are there in a wrong spelling.
    misspelt: Vec<String>,
}

impl<'t, 'i> Section<'t, 'i> {
    /// The top level of a file.
    pub(super) fn root(page: &mut Page<'_>, table: &'t DeTable<'i>, what: &'static str, keys: &[&str]) -> Self {
        let mut section = Self { table, at: 0..0, what, misspelt: Vec::new() };
        section.check_keys(page, keys);
        section
    }

    /// A table below it; a mistake where the value is something else.
    pub(super) fn of(page: &mut Page<'_>, node: Node<'t, 'i>, what: &'static str, keys: &[&str]) -> Option<Self> {
        let mut section = Self::open(page, node, what)?;
        section.check_keys(page, keys);
        Some(section)
    }

    /// A table whose keys the caller checks.
    pub(super) fn open(page: &mut Page<'_>, node: Node<'t, 'i>, what: &'static str) -> Option<Self> {
        match node.get_ref() {
            DeValue::Table(table) => Some(Self { table, at: node.span(), what, misspelt: Vec::new() }),
            other => {
                page.error(node.span(), format!("{what} is a table, not {}", type_name(other)), None);
                None
            }
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Node<'t, 'i>> {
        self.table.get(key)
    }

    /// Where a key stands, else the header.
    pub(super) fn key_at(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.at.clone(), |(key, _)| key.span())
    }

    /// The keys and values, sorted by key: each with its place.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t str, Range<usize>, Node<'t, 'i>)> + use<'t, 'i> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
    }

    /// The value of a key that has to be there.
    pub(super) fn required(&self, page: &mut Page<'_>, key: &str, help: &str) -> Option<Node<'t, 'i>> {
        let found = self.get(key);
        if found.is_none() && !self.misspelt.iter().any(|near| near == key) {
            page.absent(self.at.clone(), format!("{} needs `{key}`", self.what), help.to_owned());
        }
        found
    }

    /// Notes a mistake for each key that is not one of `keys`.
    pub(super) fn check_keys(&mut self, page: &mut Page<'_>, keys: &[&str]) {
        for (key, range, _) in self.entries().filter(|(key, _, _)| !keys.contains(key)) {
            self.misspelt.extend(suggest::nearest(key, keys.iter().copied()).map(str::to_owned));
            let message = format!("{} has no key `{}`", self.what, shown(key));
            if names_a_credential(key) {
                let help = "credentials come from the environment, never from a file; take it out, and revoke it if the file was shared";
                page.note(Mistake::new(Some(page.place(range).hiding_rest()), message).help(help.to_owned()));
            } else {
                page.error(range, message, suggest::did_you_mean(key, keys));
            }
        }
    }
}

/// True for keys that somebody may have put a credential behind; a message about them must not show it.
fn names_a_credential(key: &str) -> bool {
    let key = key.trim().to_lowercase();
    ["token", "password", "passwd", "private_key", "secret_key", "client_secret", "credential", "api_key"].iter().any(|word| key.contains(word))
        || key == "secret"
}

/// A name as messages show it: short, on one line.
pub(super) fn shown(name: &str) -> String {
    let short: String = name.chars().take(60).flat_map(char::escape_debug).collect();
    if name.chars().count() > 60 { format!("{short}…") } else { short }
}

/// A TOML value's type with its article.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
