//! `[redaction]`: what is taken out of answers before they are kept.
//!
//! Left out: the pseudonyms' key, which never comes from a file, and doing it.

use std::collections::BTreeSet;

use regex::bytes::Regex;
use toml::de::DeValue;

use crate::catalog::page::{Node, Page, Section, shown};
use crate::catalog::suggest;
use crate::catalog::value;
use crate::model::redaction;
use crate::model::{Pointer, RedactionAction, RedactionRule, RedactionTarget};

/// `[redaction]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactionSettings {
    /// What the pseudonyms' key is called; none where there are no pseudonyms.
    pub key_epoch: Option<String>,
    /// The rules, one's own before the shipped ones.
    pub rules: Vec<RedactionRule>,
}

impl Default for RedactionSettings {
    fn default() -> Self {
        Self { key_epoch: None, rules: redaction::shipped() }
    }
}

/// Reads the section.
pub(super) fn read(page: &mut Page<'_>, root: &Section<'_, '_>) -> RedactionSettings {
    let Some(section) = root.get("redaction").and_then(|node| Section::of(page, node, "[redaction]", &["key_epoch", "keep", "rule"])) else {
        return RedactionSettings::default();
    };
    let key_epoch = section.get("key_epoch").and_then(|node| epoch(page, node));
    let kept = section.get("keep").map(|node| kept(page, node)).unwrap_or_default();
    let own = section.get("rule").map(|node| own(page, node)).unwrap_or_default();
    if section.get("key_epoch").is_none() && own.iter().any(|rule| rule.action == RedactionAction::Pseudonym) {
        let help = "write key_epoch = \"2026\", a new name whenever the key is a new one, and set PROOFLINE_PSEUDONYM_KEY_FILE";
        page.absent(root.key_at("redaction"), "pseudonyms need a `key_epoch`, the name of their key", help.to_owned());
    }
    let shipped = redaction::shipped().into_iter().filter(|rule| !kept.contains(&rule.name));
    RedactionSettings { key_epoch, rules: own.into_iter().chain(shipped).collect() }
}

fn epoch(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<String> {
    let given = value::line(page, node, "key_epoch")?;
    if given.len() > 40 || !given.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        let help = "write its name, not the key itself: up to 40 letters, digits, dots and hyphens, e.g. \"2026\"";
        page.error(node.span(), "`key_epoch` is no name of a key", help.to_owned());
        return None;
    }
    Some(given.into_owned())
}

/// The shipped rules that are switched off.
fn kept(page: &mut Page<'_>, node: Node<'_, '_>) -> BTreeSet<String> {
    let shipped = redaction::shipped();
    let names: Vec<&str> = shipped.iter().map(|rule| rule.name.as_str()).collect();
    let mut kept = BTreeSet::new();
    for item in value::list(page, node, "keep").into_iter().flatten() {
        let Some(given) = value::line(page, item, "keep") else { continue };
        if names.contains(&given.as_ref()) {
            kept.insert(given.into_owned());
        } else {
            page.error(item.span(), format!("there is no shipped rule \"{}\"", shown(&given)), suggest::did_you_mean(&given, &names));
        }
    }
    kept
}

fn own(page: &mut Page<'_>, node: Node<'_, '_>) -> Vec<RedactionRule> {
    let DeValue::Array(items) = node.get_ref() else {
        page.error(node.span(), "`rule` is a list of tables", "write [[redaction.rule]]".to_owned());
        return Vec::new();
    };
    let mut names: BTreeSet<String> = redaction::shipped().into_iter().map(|rule| rule.name).collect();
    let mut rules = Vec::new();
    for item in items.iter() {
        let Some(section) = Section::of(page, item, "[[redaction.rule]]", &["name", "operation", "pointers", "pattern", "action"]) else { continue };
        let Some(rule) = rule(page, &section) else { continue };
        if names.insert(rule.name.clone()) {
            rules.push(rule);
        } else {
            page.error(section.key_at("name"), format!("there is already a rule \"{}\"", shown(&rule.name)), "give it another name".to_owned());
        }
    }
    rules
}

/// Every mistake of a rule is noted before it is given up.
fn rule(page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<RedactionRule> {
    let name = section.required(page, "name", "e.g. name = \"phone\"").and_then(|node| value::line(page, node, "name"));
    let operation = section.get("operation").map(|node| value::line(page, node, "operation"));
    let target = target(page, section);
    let help = "write action = \"remove\" or action = \"pseudonym\"";
    let action = section.required(page, "action", help).and_then(|node| value::variant::<RedactionAction>(page, node, "action", &[]));
    let operation = operation.map_or_else(|| Some("*".to_owned()), |given| given.map(std::borrow::Cow::into_owned))?;
    Some(RedactionRule { name: name?.into_owned(), operation, target: target?, action: action? })
}

fn target(page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<RedactionTarget> {
    match (section.get("pointers"), section.get("pattern")) {
        (Some(node), None) => pointers(page, node).map(RedactionTarget::Pointers),
        (None, Some(node)) => pattern(page, node).map(RedactionTarget::Pattern),
        (Some(_), Some(node)) => {
            page.error(node.span(), "a rule has `pointers` or a `pattern`, not both", "make two rules of it".to_owned());
            None
        }
        (None, None) => {
            let help = "write pointers = [\"/**/phone\"], or pattern = \"a regular expression\"";
            section.required(page, "pointers", help);
            None
        }
    }
}

fn pointers(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<Vec<Pointer>> {
    let mut pointers = Vec::new();
    let mut sound = true;
    for item in value::list(page, node, "pointers")? {
        let Some(given) = value::line(page, item, "pointers") else {
            sound = false;
            continue;
        };
        match given.parse() {
            Ok(pointer) => pointers.push(pointer),
            Err(wrong) => {
                let help = "write e.g. \"/*/email\", or \"/**/email\" for any depth";
                page.error(item.span(), format!("\"{}\" is no JSON pointer: {wrong}", shown(&given)), help.to_owned());
                sound = false;
            }
        }
    }
    if sound && pointers.is_empty() {
        page.error(node.span(), "`pointers` is empty", "name a member, e.g. \"/**/phone\"".to_owned());
        return None;
    }
    sound.then_some(pointers)
}

fn pattern(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<String> {
    let given = value::line(page, node, "pattern")?;
    match Regex::new(&given) {
        Ok(regex) if regex.is_match(b"") => {
            page.error(node.span(), "this pattern finds nothing at all everywhere", "make it find at least one character".to_owned())
        }
        Ok(_) => return Some(given.into_owned()),
        Err(error) => {
            // The library's text draws its own frame; the last line says what is wrong.
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            page.error(node.span(), format!("this is no regular expression: {}", shown(&why)), "see https://docs.rs/regex/latest/regex/#syntax".to_owned());
        }
    }
    None
}
