//! Characters that act without being seen, in text that a source named: on a page, in a terminal or in a cell they could hide, reorder or end what follows.

use std::borrow::Cow;

/// True for characters that reorder, hide or end text without being seen: controls, direction overrides and isolates, zero-width spaces, tags; and for the two that no
/// XML may hold.
/// The joiners U+200C and U+200D stay, because Persian and emoji are spelt with them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every invisible character for which `acts` holds written out, e.g. `\u{202e}`.
#[must_use]
pub fn written_out(text: &str, acts: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    let acts = |c: char| is_invisible(c) && acts(c);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::written_out;

    #[test]
    fn what_would_act_unseen_is_written_out() {
        assert_eq!(written_out("a\u{202e}b\u{0}c\nd", |c| c != '\n'), "a\\u{202e}b\\u{0}c\nd");
        assert_eq!(written_out("a\r\n\tb", |_| true), "a\\r\\n\\tb");
        assert_eq!(written_out("a\u{fffe}\u{ffff}\u{fffd}", |_| true), "a\\u{fffe}\\u{ffff}\u{fffd}");
        assert_eq!(written_out("Zoë 👩\u{200d}💻", |_| true), "Zoë 👩\u{200d}💻");
    }
}
