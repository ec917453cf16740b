//! How an answer names its next page. Pure: the transport uses it to mark the record, the kinds to go on.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

/// How a listing goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// `Link: <…>; rel="next"` (RFC 8288), GitHub REST.
    /// <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>
    Link,
    /// `nextPageToken` in the body, Google. <https://google.aip.dev/158>
    Token,
    /// A GraphQL connection's `pageInfo` at this JSON pointer, e.g. `/data/organization/repositories/pageInfo`.
    Cursor(&'static str),
}

#[derive(Deserialize)]
struct TokenPage {
    #[serde(default, rename = "nextPageToken")]
    next_page_token: Option<String>,
}

/// The answer does not say whether there is a next page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer does not tell whether another page follows: {0}")]
pub struct NoTelling(pub String);

impl Paging {
    /// What names the next page: the URL verbatim for `Link`, the token or cursor otherwise; none on the last page.
    ///
    /// # Errors
    /// `NoTelling` where the body is not the documented shape; such a page is never taken for the last one.
    pub fn next(self, headers: &BTreeMap<String, String>, body: &[u8]) -> Result<Option<String>, NoTelling> {
        match self {
            Self::Link => headers.get("link").map_or(Ok(None), |link| next_link(link)),
            Self::Token => {
                // Only an object has fields; serde would take a list for one too.
                let object = body.trim_ascii_start().starts_with(b"{").then_some(body).ok_or_else(|| NoTelling("the body is not an object".into()))?;
                let page: TokenPage = serde_json::from_slice(object).map_err(|error| NoTelling(error.to_string()))?;
                Ok(page.next_page_token.filter(|token| !token.is_empty()))
            }
            Self::Cursor(pointer) => {
                let mut reader = serde_json::Deserializer::from_slice(body);
                let told = At { pointer }.deserialize(&mut reader).and_then(|told| reader.end().map(|()| told));
                next_cursor(told.map_err(|error| NoTelling(error.to_string()))?)
            }
        }
    }
}

fn next_cursor(page_info: PageInfo) -> Result<Option<String>, NoTelling> {
    match (page_info.has_next_page, page_info.end_cursor) {
        (Some(false), _) => Ok(None),
        (Some(true), Some(cursor)) if !cursor.is_empty() => Ok(Some(cursor)),
        (Some(true), _) => Err(NoTelling("hasNextPage is true but endCursor is missing".into())),
        (None, _) => Err(NoTelling("hasNextPage is missing".into())),
    }
}

#[derive(Deserialize)]
struct PageInfo {
    #[serde(default, rename = "hasNextPage")]
    has_next_page: Option<bool>,
    #[serde(default, rename = "endCursor")]
    end_cursor: Option<String>,
}

/// Reads what stands at a JSON pointer (plain member names only) and skips the rest, since a page is large and its `pageInfo` small.
#[derive(Clone, Copy)]
struct At {
    pointer: &'static str,
}

impl<'de> DeserializeSeed<'de> for At {
    type Value = PageInfo;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PageInfo, D::Error> {
        if self.pointer.is_empty() { PageInfo::deserialize(deserializer) } else { deserializer.deserialize_map(self) }
    }
}

impl<'de> Visitor<'de> for At {
    type Value = PageInfo;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object that leads to {}", self.pointer)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PageInfo, A::Error> {
        let steps = self.pointer.strip_prefix('/').unwrap_or(self.pointer);
        let (name, rest) = steps.find('/').map_or((steps, ""), |slash| steps.split_at(slash));
        let mut found = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == name {
                found = Some(map.next_value_seed(Self { pointer: rest })?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom("pageInfo is missing"))
    }
}

/// Reads a `Link` header (RFC 8288, 3): `<target>; parameter; parameter, <target>; …`. A comma or semicolon may stand inside `<…>` and inside quotes.
fn next_link(link: &str) -> Result<Option<String>, NoTelling> {
    let malformed = || NoTelling(format!("Link is malformed: {}", link.chars().take(200).collect::<String>()));
    let mut rest = link.trim();
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<').and_then(|text| text.split_once('>')).ok_or_else(malformed)?;
        let (parameters, following) = split_unquoted(after, ',');
        if names_next(parameters) {
            return Ok(Some(target.to_owned()));
        }
        rest = following.trim_start();
    }
    Ok(None)
}

/// `rel` may hold several names, in any case: `rel="prev Next"`.
fn names_next(parameters: &str) -> bool {
    let mut rest = parameters;
    while !rest.is_empty() {
        let (parameter, following) = split_unquoted(rest, ';');
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("rel") {
            return value.trim().trim_matches('"').split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"));
        }
        rest = following;
    }
    false
}

/// What stands before and after the first `separator` that is not quoted.
fn split_unquoted(text: &str, separator: char) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            let (before, after) = text.split_at(at);
            return (before, after.trim_start_matches(separator));
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Paging;

    fn link(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("link".to_owned(), text.to_owned())])
    }

    #[test]
    fn the_next_page_is_named_verbatim() {
        let headers = link(
            r#"<https://api.github.com/organizations/9919/repos?page=2&x=%2C>; rel="next", <https://api.github.com/organizations/9919/repos?page=9>; rel="last""#,
        );
        assert_eq!(Paging::Link.next(&headers, b""), Ok(Some("https://api.github.com/organizations/9919/repos?page=2&x=%2C".into())));
        assert_eq!(Paging::Token.next(&BTreeMap::new(), br#"{"nextPageToken":"a b"}"#), Ok(Some("a b".into())));
        let body = br#"{"data":{"o":{"pageInfo":{"hasNextPage":true,"endCursor":"Y3="}}}}"#;
        assert_eq!(Paging::Cursor("/data/o/pageInfo").next(&BTreeMap::new(), body), Ok(Some("Y3=".into())));
    }

    #[test]
    fn the_last_page_names_none() {
        assert_eq!(Paging::Link.next(&BTreeMap::new(), b"[]"), Ok(None));
        assert_eq!(Paging::Link.next(&link(r#"<https://x/?page=1>; rel="first""#), b"[]"), Ok(None));
        assert_eq!(Paging::Token.next(&BTreeMap::new(), b"{}"), Ok(None));
        assert_eq!(Paging::Token.next(&BTreeMap::new(), br#"{"nextPageToken":""}"#), Ok(None));
    }

    #[test]
    fn a_link_may_hold_commas_and_many_parameters() {
        for (text, next) in [
            (r#"<https://x/?a=1,2;b>; title="a, b; c"; rel="prev", <https://x/?a=3,4>; type=x; rel="last next""#, Some("https://x/?a=3,4")),
            (r#"<https://x/2>;REL=NEXT"#, Some("https://x/2")),
            (r#"<https://x/2>; title="rel=next""#, None),
            (r#"<https://x/1>; rel=prev,, <https://x/3>; rel=next"#, Some("https://x/3")),
            ("", None),
        ] {
            assert_eq!(Paging::Link.next(&link(text), b""), Ok(next.map(str::to_owned)), "{text}");
        }
        for text in ["<https://x/2", "<https://x/1>; rel=prev, https://x/2; rel=next", "garbage"] {
            assert!(Paging::Link.next(&link(text), b"").is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_the_last_page() {
        assert!(Paging::Link.next(&link(r#"https://x; rel="next""#), b"[]").is_err());
        for body in [&b"{\"a\":"[..], b"[]", br#"{"nextPageToken":7}"#] {
            assert!(Paging::Token.next(&BTreeMap::new(), body).is_err());
        }
        for body in [
            &b"{}"[..],
            br#"{"data":{"o":null}}"#,
            br#"{"data":{"o":{"pageInfo":{"hasNextPage":true,"endCursor":null}}}}"#,
            br#"{"data":{"o":{"pageInfo":{}}}}"#,
        ] {
            assert!(Paging::Cursor("/data/o/pageInfo").next(&BTreeMap::new(), body).is_err());
        }
    }
}
