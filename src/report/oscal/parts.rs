//! What all parts of an OSCAL document are made of: identifiers that are the same each time, properties, and text that no reader takes for markup.
//!
//! The datatypes are those of <https://pages.nist.gov/OSCAL/resources/concepts/datatypes/>: a token begins with a letter or `_`, a string neither begins nor ends with a
//! blank, markup is CommonMark.

use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::Serialize;
use uuid::Uuid;

use crate::model::{Counts, unseen};

/// The version of OSCAL that is written: the newest for which there are libraries.
pub(crate) const VERSION: &str = "1.2.1";

/// Where our UUIDs come from, and with `urn:uuid:` before it the namespace of our properties: nobody else's, and an address of nothing.
const NAMESPACE: Uuid = Uuid::from_u128(0xdafa_2c79_833f_40f5_b855_192b_141e_92de);
const NS: &str = "urn:uuid:dafa2c79-833f-40f5-b855-192b141e92de";

/// The name of one thing: the same for the same words, in whatever document.
pub(crate) fn uuid(words: &[&str]) -> String {
    Uuid::new_v5(&NAMESPACE, words.join("\n").as_bytes()).to_string()
}

/// A control's id as a token. No id of ours begins with `_`, so that no two become one.
pub(crate) fn token(id: &str) -> String {
    if id.starts_with(|c: char| c.is_ascii_digit()) { format!("_{id}") } else { id.to_owned() }
}

/// Foreign text within markup, where it is nothing but text.
pub(crate) fn markup(text: impl AsRef<str>) -> String {
    let visible = unseen::written_out(text.as_ref(), |_c| true);
    let mut out = String::with_capacity(visible.len());
    for c in visible.chars() {
        if "\\`*_{}[]<>&!|~^$#@".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    // Renderers take bare addresses for links.
    out.replace("://", ":\\//").replace("www.", "www\\.")
}

/// Foreign text as a string, which is neither empty nor begins or ends with a blank; none where nothing is left.
pub(crate) fn string(text: &str) -> Option<String> {
    let visible = unseen::written_out(text, |_c| true);
    Some(visible.trim()).filter(|trimmed| !trimmed.is_empty()).map(ToOwned::to_owned)
}

/// Foreign text as a title, which is never empty.
pub(crate) fn title(text: impl AsRef<str>) -> String {
    let shown = markup(text);
    if shown.trim().is_empty() { "without a name".to_owned() } else { shown }
}

/// A property of ours, or one of OSCAL's own.
#[derive(Debug, Serialize)]
pub(crate) struct Prop {
    name: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ns: Option<&'static str>,
    value: String,
}

/// Properties in their order. One without a value is not there: OSCAL has no empty strings.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Props(Vec<Prop>);

impl Props {
    /// One more of ours.
    pub(crate) fn with(self, name: impl Into<Cow<'static, str>>, value: impl Display) -> Self {
        self.pushed(name, Some(NS), value)
    }

    /// The same where there is a value.
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Several of one name.
    pub(crate) fn each(self, name: &'static str, values: impl IntoIterator<Item = impl Display>) -> Self {
        values.into_iter().fold(self, |props, value| props.with(name, value))
    }

    /// One of those that OSCAL defines.
    pub(crate) fn defined(self, name: &'static str, value: &str) -> Self {
        self.pushed(name, None, value)
    }

    /// True where there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The counts of a finding, with their denominator.
    pub(crate) fn counts(self, counts: Counts) -> Self {
        self.with("in-scope", counts.in_scope())
            .with("fail", counts.fail)
            .with("undetermined", counts.undetermined)
            .with("waived", counts.waived)
            .with("pass", counts.pass)
            .with("not-applicable", counts.not_applicable)
    }

    fn pushed(mut self, name: impl Into<Cow<'static, str>>, ns: Option<&'static str>, value: impl Display) -> Self {
        self.0.extend(string(&value.to_string()).map(|value| Prop { name: name.into(), ns, value }));
        self
    }
}

/// As the CSV files say it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct YesNo(pub(crate) bool);

impl Display for YesNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "yes" } else { "no" })
    }
}

/// Points at a thing within the document.
#[derive(Debug, Serialize)]
pub(crate) struct Link {
    href: String,
    rel: &'static str,
}

impl Link {
    /// To a resource of the back matter.
    pub(crate) fn to(resource: &str) -> Self {
        Self { href: format!("#{resource}"), rel: "reference" }
    }
}

/// Who found something: the tool.
#[derive(Debug, Serialize)]
pub(crate) struct Origin {
    actors: [Actor; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Actor {
    r#type: &'static str,
    actor_uuid: String,
}

impl Origin {
    /// The tool with that name.
    pub(crate) fn tool(name: &str) -> Self {
        Self { actors: [Actor { r#type: "tool", actor_uuid: tool_uuid(name) }] }
    }
}

/// The tool as a component.
pub(crate) fn tool_uuid(name: &str) -> String {
    uuid(&["tool", name])
}

/// An observation that something rests on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Related {
    observation_uuid: String,
}

impl Related {
    /// By its name.
    pub(crate) fn to(observation: &str) -> Self {
        Self { observation_uuid: observation.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMESPACE, NS, Props, markup, title, token, uuid};

    #[test]
    fn a_name_is_the_same_each_time_and_another_for_other_words() {
        assert_eq!(NS, format!("urn:uuid:{NAMESPACE}"));
        assert_eq!(uuid(&["run", "REP-03"]), uuid(&["run", "REP-03"]));
        assert_ne!(uuid(&["run", "REP-03"]), uuid(&["run", "REP-04"]));
        assert_eq!((token("REP-03").as_str(), token("1.2").as_str()), ("REP-03", "_1.2"));
    }

    #[test]
    fn text_stays_text() {
        for (given, written) in [
            ("[a](https://evil.example) <b>", "\\[a\\](https:\\//evil.example) \\<b\\>"),
            ("two\nlines \u{202e}", "two\\\\nlines \\\\u\\{202e\\}"),
            ("`code` & **bold**", "\\`code\\` \\& \\*\\*bold\\*\\*"),
            ("plain, 1.5 - 2 (x)", "plain, 1.5 - 2 (x)"),
        ] {
            assert_eq!(markup(given), written);
        }
        assert_eq!(title(" "), "without a name");
        let props = Props::default().with("a", "  x\n ").with("b", " ").defined("c", "TEST");
        assert_eq!(serde_json::to_value(props).expect("JSON"), serde_json::json!([{"name": "a", "ns": NS, "value": "x\\n"}, {"name": "c", "value": "TEST"}]));
    }
}
