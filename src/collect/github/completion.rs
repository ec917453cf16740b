//! What an issue's text says of its completion: boxes, links, a due date in prose. Pure; texts are written by anybody and trusted in nothing.

use chrono::NaiveDate;

/// Boxes of a Markdown task list: open and all. Boxes inside code fences are examples, not tasks.
#[must_use]
pub fn boxes(body: &str) -> (usize, usize) {
    let (mut open, mut total, mut fenced) = (0, 0, false);
    for line in body.lines() {
        let line = line.trim_start();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        }
        let Some(mark) = mark(line).filter(|_mark| !fenced) else { continue };
        total += 1;
        open += usize::from(mark == ' ');
    }
    (open, total)
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
        if !found.iter().any(|known| known == link) {
            found.push(link.to_owned());
        }
        rest = tail.get(end..).unwrap_or_default();
    }
    found
}

/// True for files uploaded to GitHub with an issue or a comment, whose bytes cannot be changed afterwards.
/// <https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/attaching-files>
#[must_use]
pub fn is_attachment(link: &str) -> bool {
    let Some((host, path)) = link.split_once("://").and_then(|(_scheme, rest)| rest.split_once('/')) else { return false };
    let segments: Vec<&str> = path.split('/').collect();
    match host {
        "github.com" => matches!(segments.as_slice(), ["user-attachments", "files" | "assets", _, ..] | [_, _, "files" | "assets", _, ..]),
        "user-images.githubusercontent.com" | "private-user-images.githubusercontent.com" => true,
        _ => false,
    }
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
    use super::{boxes, due_in, is_attachment, links};

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
            assert_eq!(boxes(body), expected, "{body:?}");
        }
    }

    #[test]
    fn links_are_found_and_told_apart() {
        let text = "See [log](https://github.com/user-attachments/files/1/restore.log), https://docs.example.com/d/1. And <https://docs.example.com/d/1>!";
        let found = links(text);
        assert_eq!(found, ["https://github.com/user-attachments/files/1/restore.log", "https://docs.example.com/d/1"]);
        assert!(is_attachment(&found[0]));
        assert!(!is_attachment(&found[1]));
        assert!(is_attachment("https://github.com/acme/web/files/123/log.txt"));
        for claimed in [
            "https://github.com.evil.example/user-attachments/files/1",
            "https://evil.example/github.com/user-attachments/files/1",
            "https://github.com/acme/web/issues/1",
        ] {
            assert!(!is_attachment(claimed), "{claimed}");
        }
    }

    #[test]
    fn a_due_date_in_prose_is_read_only_where_it_is_one() {
        assert_eq!(due_in("Restore\n**Due:** 2026-02-28").map(|day| day.to_string()).as_deref(), Some("2026-02-28"));
        assert_eq!(due_in("due: 2026-02-28 (Saturday)").map(|day| day.to_string()).as_deref(), Some("2026-02-28"));
        assert_eq!(due_in("Due: end of February"), None);
        assert_eq!(due_in("Not due: 2026-02-28"), None);
    }
}
