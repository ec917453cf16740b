//! The style and the script of every page, and the policy that lets nothing but these two act: each is named by its digest (CSP level 3, hash sources).
//!
//! Left out on purpose: whatever else a page could load or run.

use maud::{Markup, PreEscaped, html};

use crate::model::Digest;

/// The only style.
const STYLE: &str = include_str!("../../../reports/templates/report.css");

/// The only script: it hides and shows what is on the page; without it the page is whole.
const SCRIPT: &str = include_str!("../../../reports/templates/report.js");

/// What belongs into the head of a page: nothing is loaded, nothing is sent, and no other script or style runs, whatever a source called itself.
pub(crate) fn head() -> Markup {
    let policy = format!("default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'", named(SCRIPT), named(STYLE));
    html! {
        meta charset="utf-8";
        meta http-equiv="Content-Security-Policy" content=(policy);
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        meta name="referrer" content="no-referrer";
        style { (PreEscaped(STYLE)) }
    }
}

/// The script, for the end of the body.
pub(crate) fn script() -> Markup {
    html! { script { (PreEscaped(SCRIPT)) } }
}

/// A hash source: these very bytes and no others.
fn named(text: &str) -> String {
    format!("'sha256-{}'", base64(Digest::of(text.as_bytes()).as_bytes()))
}

/// RFC 4648 base64 with padding, which is how browsers want a digest.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = DIGITS.chars().nth(word >> shift & 63).filter(|_| place <= chunk.len());
            text.push(digit.unwrap_or('='));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE, base64};

    #[test]
    fn is_base64_as_rfc_4648_has_it() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    /// A browser hashes what stands between the tags: nothing may end it early or be written out, and nothing in the script may turn text into code or ask anybody.
    #[test]
    fn the_script_and_the_style_stay_as_they_are_and_do_little() {
        for text in [SCRIPT, STYLE] {
            assert!(!text.contains('<') && text.chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic()), "plain ASCII without a tag");
        }
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function(", "import", "fetch", "XMLHttp", "src", "localStorage"] {
            assert!(!SCRIPT.contains(word), "the script names {word}");
        }
        assert!(SCRIPT.lines().count() <= 150);
    }
}
