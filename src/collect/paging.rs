//! How an answer names its next page. Pure: the transport uses it to mark the record, the kinds to go on.

use std::collections::BTreeMap;

use serde_json::Value;

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
        if self == Self::Link {
            return headers.get("link").map_or(Ok(None), |link| next_link(link));
        }
        let json: Value = serde_json::from_slice(body).map_err(|error| NoTelling(error.to_string()))?;
        match self {
            Self::Link => Ok(None),
            Self::Token => match json.get("nextPageToken") {
                None => json.is_object().then_some(None).ok_or_else(|| NoTelling("the body is not an object".into())),
                Some(Value::String(token)) => Ok((!token.is_empty()).then(|| token.clone())),
                Some(_) => Err(NoTelling("nextPageToken is not text".into())),
            },
            Self::Cursor(pointer) => next_cursor(json.pointer(pointer)),
        }
    }
}

fn next_cursor(page_info: Option<&Value>) -> Result<Option<String>, NoTelling> {
    let page_info = page_info.ok_or_else(|| NoTelling("pageInfo is missing".into()))?;
    match page_info.get("hasNextPage").and_then(Value::as_bool) {
        Some(false) => Ok(None),
        Some(true) => match page_info.get("endCursor").and_then(Value::as_str) {
            Some(cursor) if !cursor.is_empty() => Ok(Some(cursor.to_owned())),
            _ => Err(NoTelling("hasNextPage is true but endCursor is missing".into())),
        },
        None => Err(NoTelling("hasNextPage is missing".into())),
    }
}

fn next_link(link: &str) -> Result<Option<String>, NoTelling> {
    for part in link.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let target = pieces.next().unwrap_or_default();
        if pieces.any(|piece| piece == "rel=\"next\"" || piece == "rel=next") {
            let url = target.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
            return url.map(|url| Some(url.to_owned())).ok_or_else(|| NoTelling(format!("Link is malformed: {part}")));
        }
    }
    Ok(None)
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
