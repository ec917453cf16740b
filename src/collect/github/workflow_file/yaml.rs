//! YAML as GitHub Actions reads it, as a tree of texts: no types are guessed, and no document may cost more than it is worth.
//!
//! Left out: merge keys, which GitHub does not know either, and tags. What cannot be read whole is not read at all.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// A longer file is not read.
const BYTES: usize = 1 << 20;
/// More values than this, those that aliases repeat included, are not read.
const VALUES: usize = 50_000;
/// Deeper nesting than this is not read.
const DEPTH: usize = 50;

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotRead {
    /// It is not YAML.
    #[error("it is not YAML: {0}")]
    Syntax(String),
    /// It is YAML that would be read in more than one way, or not at all.
    #[error("it holds {0}")]
    Odd(&'static str),
    /// It is too large, too deep or repeats too much.
    #[error("it is too large to be read")]
    TooLarge,
}

/// Reads the one document of a text: lists, maps by name, and texts; null where nothing is written.
pub(super) fn read(text: &str) -> Result<Value, NotRead> {
    if text.len() > BYTES {
        return Err(NotRead::TooLarge);
    }
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, _span) = event.map_err(|error| NotRead::Syntax(error.to_string()))?;
        tree.take(event)?;
    }
    tree.root.ok_or(NotRead::Odd("no document"))
}

/// A list or map that is not closed yet.
struct Open {
    anchor: usize,
    /// The values before it, itself left out.
    before: usize,
    shape: Shape,
}

enum Shape {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    /// What anchors name, with the number of values in it.
    anchors: BTreeMap<usize, (Value, usize)>,
    values: usize,
    root: Option<Value>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>) -> Result<(), NotRead> {
        match event {
            Event::Scalar(text, style, anchor, _tag) => {
                let value = if style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null") { Value::Null } else { Value::String(text.into_owned()) };
                self.add(value, anchor, 1)
            }
            Event::Alias(anchor) => {
                let (value, count) = self.anchors.get(&anchor).cloned().ok_or(NotRead::Odd("an alias of what is not complete"))?;
                self.add(value, 0, count)
            }
            Event::SequenceStart(anchor, _tag) => self.begin(anchor, Shape::List(Vec::new())),
            Event::MappingStart(anchor, _tag) => self.begin(anchor, Shape::Map(Map::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::DocumentStart(_) if self.root.is_some() => Err(NotRead::Odd("more than one document")),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, shape: Shape) -> Result<(), NotRead> {
        if self.open.len() >= DEPTH {
            return Err(NotRead::TooLarge);
        }
        self.open.push(Open { anchor, before: self.values, shape });
        Ok(())
    }

    fn end(&mut self) -> Result<(), NotRead> {
        let Some(open) = self.open.pop() else { return Err(NotRead::Odd("an end without a beginning")) };
        let count = self.values.saturating_sub(open.before);
        // Its members were counted when they were added.
        self.values = open.before;
        let value = match open.shape {
            Shape::List(items) => Value::Array(items),
            Shape::Map(map, None) => Value::Object(map),
            Shape::Map(_, Some(_)) => return Err(NotRead::Odd("a name without a value")),
        };
        self.add(value, open.anchor, count + 1)
    }

    /// Puts a value where it belongs; `count` is how many it is made of.
    fn add(&mut self, value: Value, anchor: usize, count: usize) -> Result<(), NotRead> {
        self.values = self.values.saturating_add(count);
        if self.values > VALUES {
            return Err(NotRead::TooLarge);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), count));
        }
        match self.open.last_mut().map(|open| &mut open.shape) {
            None => self.root = Some(value),
            Some(Shape::List(items)) => items.push(value),
            Some(Shape::Map(map, name)) => match (name.take(), value) {
                (Some(name), value) => {
                    if map.insert(name, value).is_some() {
                        return Err(NotRead::Odd("a name twice"));
                    }
                }
                (None, Value::String(text)) if text == "<<" => return Err(NotRead::Odd("a merge key")),
                (None, Value::String(text)) => *name = Some(text),
                (None, _) => return Err(NotRead::Odd("a name that is no text")),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::{NotRead, read};

    #[test]
    fn texts_stay_texts_and_nothing_is_null() {
        let text = "on: push\nversion: 3.10\nflag: no\nnothing:\nquoted: ''\nlist: [1, 'a']\nagain: &x {a: b}\nsame: *x\nrun: |\n  one\n  two\n";
        let expected = json!({"on": "push", "version": "3.10", "flag": "no", "nothing": null, "quoted": "", "list": ["1", "a"], "again": {"a": "b"},
            "same": {"a": "b"}, "run": "one\ntwo\n"});
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_not_read() {
        for (text, why) in [
            ("a: 1\na: 2", "a name twice"),
            ("a: 1\n---\nb: 2", "more than one document"),
            ("a: &x {b: 1}\nc:\n  <<: *x", "a merge key"),
            ("? [a]\n: b", "a name that is no text"),
            ("", "no document"),
        ] {
            assert_eq!(read(text), Err(NotRead::Odd(why)), "{text}");
        }
        assert!(matches!(read("a: [1, 2"), Err(NotRead::Syntax(_))));
        assert!(read("a: *unknown").is_err());
        assert!(read("a: &a [*a]").is_err(), "what holds itself");
    }

    #[test]
    fn a_small_text_cannot_become_a_large_tree() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            let aliases = [alias.as_str(); 10].join(", ");
            writeln!(laughs, "a{level}: &a{level} [{aliases}]").expect("text");
        }
        assert_eq!(read(&laughs), Err(NotRead::TooLarge));
        assert_eq!(read(&"[".repeat(100)), Err(NotRead::TooLarge));
        assert_eq!(read(&"a".repeat((1 << 20) + 1)), Err(NotRead::TooLarge));
    }
}
