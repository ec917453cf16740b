//! A mistake in a file a person wrote, where it is, and how it is shown: framed for people, flat for machines.
//!
//! Left out: what counts as a mistake; the readers of this folder know.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::catalog::source::Place;
use crate::model::Weight;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Whether it stops the load.
    pub weight: Weight,
    /// Where it is; none where the value did not come from a file.
    pub place: Option<Place>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Another place that has to do with it, and what it is.
    pub also: Option<(Place, String)>,
}

impl Mistake {
    /// An error without a suggestion yet.
    pub(super) fn new(place: Option<Place>, message: impl Into<String>) -> Self {
        Self { weight: Weight::Error, place, message: message.into(), help: None, also: None }
    }

    /// The same mistake with a suggestion.
    pub(super) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// The same mistake as something that is only shown.
    pub(super) fn warning(mut self) -> Self {
        self.weight = Weight::Warning;
        self
    }

    /// The same mistake with another place to look at.
    pub(super) fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also = Some((place, label.into()));
        self
    }

    /// The mistake as people read it: title, frame, suggestion.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let level = match self.weight {
            Weight::Error => Level::ERROR,
            Weight::Warning => Level::WARNING,
        };
        let mut group = level.primary_title(self.message.as_str()).elements(std::iter::empty::<Origin<'_>>());
        if let Some(place) = &self.place {
            group = framed(group, place, AnnotationKind::Primary, None);
        }
        if let Some((place, label)) = &self.also {
            group = framed(group, place, AnnotationKind::Context, Some(label));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        match style {
            Style::Plain => Renderer::plain(),
            Style::Colour => Renderer::styled(),
        }
        .render(&[group])
    }
}

fn framed<'a>(group: Group<'a>, place: &'a Place, kind: AnnotationKind, label: Option<&'a String>) -> Group<'a> {
    let label = label.map(String::as_str);
    let snippet = Snippet::source(place.excerpt.as_str()).line_start(place.line).annotation(kind.span(place.marked.clone()).label(label));
    if place.whole {
        return group.element(snippet.path(place.file.as_str()));
    }
    // The renderer counts columns in the excerpt; of a line that is cut in front it has to be told the true one.
    group.element(Origin::path(place.file.as_str()).line(place.line).char_column(place.column)).element(snippet)
}

/// Flat, for `--json`: weight, file, line, column, message, help.
impl Serialize for Mistake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = self.place.as_ref();
        let mut fields = serializer.serialize_struct("Mistake", 6)?;
        fields.serialize_field(
            "weight",
            match self.weight {
                Weight::Error => "error",
                Weight::Warning => "warning",
            },
        )?;
        fields.serialize_field("file", &place.map(|place| place.file.as_str()))?;
        fields.serialize_field("line", &place.map(|place| place.line))?;
        fields.serialize_field("column", &place.map(|place| place.column))?;
        fields.serialize_field("message", &self.message)?;
        fields.serialize_field("help", &self.help)?;
        fields.end()
    }
}

/// Whether mistakes are printed in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text only, for files, logs and tests.
    Plain,
    /// With ANSI colours, for terminals.
    Colour,
}

/// Every mistake found, in the order of the files and of the places in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// True where nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of them stop the load.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|mistake| mistake.weight == Weight::Error).count()
    }

    /// How many of them are only shown.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.0.len() - self.errors()
    }

    /// All of them, framed, a blank line between, and their number at the end.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let mut parts: Vec<String> = self.0.iter().map(|mistake| mistake.render(style)).collect();
        parts.push(format!("{}, {}", counted(self.errors(), "error"), counted(self.warnings(), "warning")));
        parts.join("\n\n")
    }

    /// `Err` where something stops the load, else `Ok` with what is only shown.
    pub(super) fn split(self) -> Result<Self, Self> {
        if self.errors() > 0 { Err(self) } else { Ok(self) }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

fn counted(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
