//! What an issue's text says of its completion: boxes, links, a due date in prose. Pure; texts are written by anybody and trusted in nothing.

use chrono::NaiveDate;

use crate::collect::attachment::SIGNED;

/// One box of a Markdown task list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskBox {
    /// What stands behind it.
    pub text: String,
    /// True where it is checked.
    pub done: bool,
}

/// The boxes of a Markdown task list, in order. Boxes inside code fences are examples, not tasks.
#[must_use]
pub fn boxes(body: &str) -> Vec<TaskBox> {
    let (mut boxes, mut fenced) = (Vec::new(), false);
    for line in body.lines() {
        let line = line.trim_start();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        }
        let Some(mark) = mark(line).filter(|_mark| !fenced) else { continue };
        let text = line.split_once(']').map_or("", |(_box, text)| text).trim();
        boxes.push(TaskBox { text: text.to_owned(), done: mark != ' ' });
    }
    boxes
}

/// The pages of the pull requests and issues that a text names: by address, as `owner/name#1`, or as `#1` in `repository`. `web` is the host of the pages.
#[must_use]
pub fn named_changes(text: &str, web: &str, repository: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '<' | '>' | ',' | ';' | '"')) {
        let word = word.trim_end_matches(['.', ':', '!', '?']);
        let of = |repository: &str, number: &str| {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| format!("https://{web}/{repository}/pull/{number}"))
        };
        let change = match word.strip_prefix("https://").and_then(|rest| rest.split_once('/')).filter(|(host, _path)| *host == web) {
            Some((_host, path)) => match path.split(['/', '?', '#']).collect::<Vec<_>>().as_slice() {
                [owner, name, "pull", number, ..] => of(&format!("{owner}/{name}"), number),
                _ => None,
            },
            None => word.split_once('#').and_then(|(before, number)| match before {
                "" => of(repository, number),
                named if named.split('/').count() == 2 && !named.contains(':') => of(named, number),
                _ => None,
            }),
        };
        found.extend(change.filter(|change| !found.contains(change)));
    }
    found
}

/// What stands between the brackets of `- [ ]`, `* [x]`, `1. [X]`.
fn mark(line: &str) -> Option<char> {
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = if numbered.len() < line.len() { numbered.strip_prefix(['.', ')']) } else { line.strip_prefix(['-', '*', '+']) };
    let mut inside = rest?.trim_start().strip_prefix('[')?.chars();
    let mark = inside.next().filter(|mark| matches!(mark, ' ' | 'x' | 'X'))?;
    (inside.next() == Some(']') && inside.next().is_none_or(char::is_whitespace)).then_some(mark)
}

/// Web addresses in a text, in order, each once.
#[must_use]
pub fn links(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let tail = rest.get(start..).unwrap_or_default();
        let end = tail.find(|c: char| c.is_whitespace() || matches!(c, ')' | ']' | '>' | '<' | '"' | '\'' | '`' | '|')).unwrap_or(tail.len());
        let link = tail.get(..end).unwrap_or_default().trim_end_matches(['.', ',', ';', ':', '!', '?']);
        // Who copied it from a page copied what lets in to it.
        let link = if link.contains(SIGNED) { link.split('?').next().unwrap_or_default() } else { link };
        if !found.iter().any(|known| known == link) {
            found.push(link.to_owned());
        }
        rest = tail.get(end..).unwrap_or_default();
    }
    found
}

/// The day behind `Due:` at the start of a line, e.g. `Due: 2026-02-28`.
#[must_use]
pub fn due_in(body: &str) -> Option<NaiveDate> {
    body.lines().find_map(|line| {
        let line = line.trim().trim_matches(['*', '_']);
        let rest = line.get(..4).filter(|start| start.eq_ignore_ascii_case("due:")).and_then(|_| line.get(4..))?;
        rest.trim_start_matches(['*', '_', ' ']).split_whitespace().next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{boxes, due_in, links, named_changes};

    #[test]
    fn boxes_are_counted_where_they_are_tasks() {
        for (body, expected) in [
            ("", (0, 0)),
            ("- [ ] a\n- [x] b\n* [X] c\n1. [ ] d", (2, 4)),
            ("```\n- [ ] example\n```\n- [x] real", (0, 1)),
            ("text [ ] no box\n-[ ] tight", (1, 1)),
            ("- [y] no mark\n- [ ]tight", (0, 0)),
            ("  - [ ] nested", (1, 1)),
        ] {
            let found = boxes(body);
            assert_eq!((found.iter().filter(|found| !found.done).count(), found.len()), expected, "{body:?}");
        }
    }

    #[test]
    fn a_box_names_its_changes() {
        let found = &boxes("- [x] tenant-a: acme/deploy#12, #3 and https://github.com/acme/deploy/pull/12/files.")[0];
        assert_eq!((found.text.as_str(), found.done), ("tenant-a: acme/deploy#12, #3 and https://github.com/acme/deploy/pull/12/files.", true));
        let named = named_changes(&found.text, "github.com", "acme/ops");
        assert_eq!(named, ["https://github.com/acme/deploy/pull/12", "https://github.com/acme/ops/pull/3"]);
        for other in ["https://evil.example/acme/deploy/pull/1", "https://github.com/acme/deploy/issues/1", "a#b", "#", "c#1", "https://x/y#1", "x/y/z#1"] {
            assert_eq!(named_changes(other, "github.com", "acme/ops"), Vec::<String>::new(), "{other}");
        }
    }

    #[test]
    fn links_are_found_without_what_lets_in() {
        let text = "See [log](https://github.com/user-attachments/files/1/restore.log), https://docs.example.com/d/1. And <https://docs.example.com/d/1>!";
        let found = links(text);
        assert_eq!(found, ["https://github.com/user-attachments/files/1/restore.log", "https://docs.example.com/d/1"]);
        assert_eq!(
            links("![x](https://private-user-images.githubusercontent.com/1/2.png?jwt=abc)"),
            ["https://private-user-images.githubusercontent.com/1/2.png"]
        );
    }

    #[test]
    fn a_due_date_in_prose_is_read_only_where_it_is_one() {
        assert_eq!(due_in("Restore\n**Due:** 2026-02-28").map(|day| day.to_string()).as_deref(), Some("2026-02-28"));
        assert_eq!(due_in("due: 2026-02-28 (Saturday)").map(|day| day.to_string()).as_deref(), Some("2026-02-28"));
        assert_eq!(due_in("Due: end of February"), None);
        assert_eq!(due_in("Not due: 2026-02-28"), None);
    }
}
