//! How requests to GitHub are spelled, and how lists of names are shortened for a reader.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::collect::github::walk::Part;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The most names that a gap repeats.
const NAMES: usize = 20;

/// One segment of a path: a slash in a branch's name is encoded too.
pub(super) fn path_part(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `owner/name` as two segments of a path.
pub(super) fn repository_path(name_with_owner: &str) -> String {
    name_with_owner.split('/').map(path_part).collect::<Vec<_>>().join("/")
}

#[derive(Serialize)]
struct Body<'a> {
    query: &'a str,
    variables: Variables<'a>,
}

/// In the order of their names: the same question is the same bytes, so that a run sends it once.
#[derive(Serialize)]
struct Variables<'a> {
    after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u32>,
    organization: &'a str,
}

/// The body that asks for a page of an organisation's listing.
pub(super) fn graphql_body(query: &str, organization: &str, part: Part<'_>) -> Vec<u8> {
    // A struct of text cannot fail to serialise; an empty body would be refused by GitHub and recorded as such.
    serde_json::to_vec(&Body { query, variables: Variables { after: part.after, first: part.first, organization } }).unwrap_or_default()
}

/// The first names, and how many more there are.
pub(super) fn some_of<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{graphql_body, path_part, repository_path, some_of};
    use crate::collect::github::walk::Part;

    #[test]
    fn names_become_single_path_segments() {
        assert_eq!(path_part("test/#ü"), "test%2F%23%C3%BC");
        assert_eq!(repository_path("acme/web.site"), "acme/web.site");
    }

    #[test]
    fn the_same_question_is_the_same_bytes() {
        let body = |part: Part<'_>| String::from_utf8(graphql_body("q", "acme", part)).expect("text");
        assert_eq!(body(Part::FIRST), r#"{"query":"q","variables":{"after":null,"organization":"acme"}}"#);
        assert_eq!(body(Part { after: Some("c"), first: Some(25) }), r#"{"query":"q","variables":{"after":"c","first":25,"organization":"acme"}}"#);
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let names: Vec<String> = (0..25).map(|n| n.to_string()).collect();
        assert!(some_of(&names).ends_with("19 and 5 more"));
        assert_eq!(some_of(&["a", "b"]), "a, b");
    }
}
