//! `[[control.test]]` and its examples: population, expressions, and resources written by hand.
//!
//! Left out: running the examples; that takes the expression engine.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::catalog::Vocabulary;
use crate::catalog::expression::{self, Reading, Site, Subject};
use crate::catalog::overrides::same_shape;
use crate::catalog::page::{Node, Page, Section, shown};
use crate::catalog::suggest;
use crate::catalog::value;
use crate::model::{Example, Expression, Kind, Parameters, Test, Verdict, Want};

const KEYS: &[&str] = &["population", "where", "require", "because", "may_be_empty", "listed_by", "example"];

/// The instant at which an example is judged where it names none.
const DEFAULT_NOW: DateTime<Utc> = match DateTime::from_timestamp(1_767_225_600, 0) {
    Some(new_year_2026) => new_year_2026,
    None => DateTime::UNIX_EPOCH,
};

/// The tests of a control; nothing where one of them has a mistake. One with a task needs none of its own.
pub(super) fn tests(page: &mut Page<'_>, control: &Section<'_, '_>, parameters: &Parameters, vocabulary: &Vocabulary<'_>) -> Option<Vec<Test>> {
    if control.get("task").is_some() && control.get("test").is_none() {
        return Some(Vec::new());
    }
    let node = control.required(page, "test", "add a [[control.test]] with population and require")?;
    let items: Vec<_> = value::list(page, node, "test")?.collect();
    if items.is_empty() {
        page.error(node.span(), "a control needs a test", "add a [[control.test]] with population and require".to_owned());
        return None;
    }
    let tests: Vec<_> = items.into_iter().map(|item| test(page, item, parameters, vocabulary)).collect();
    tests.into_iter().collect()
}

fn test(page: &mut Page<'_>, node: Node<'_, '_>, parameters: &Parameters, vocabulary: &Vocabulary<'_>) -> Option<Test> {
    let section = Section::of(page, node, "a test", KEYS)?;
    let kind = population(page, &section, vocabulary);
    let subject = kind.map(|kind| Subject { kind, parameters, vocabulary });
    let expressions = expressions(page, &section, subject.as_ref());
    let may_be_empty = section.get("may_be_empty").map_or(Some(false), |node| value::truth(page, node, "may_be_empty"));
    let listed_by = listed_by(page, &section, parameters);
    let examples = examples(page, &section, kind, parameters);
    if let Some(examples) = &examples {
        warn_of_one_sided(page, &section, examples);
    }
    let expressions = expressions?;
    Some(Test {
        population: kind?.name.to_owned(),
        filter: expressions.filter,
        require: expressions.require,
        because: expressions.because,
        may_be_empty: may_be_empty?,
        listed_by: listed_by?,
        examples: examples?,
    })
}

struct Expressions {
    filter: Option<Expression>,
    require: Expression,
    because: Option<Expression>,
}

/// The expressions of a test; nothing where one of them has a mistake. Without a kind only their own form is checked.
fn expressions(page: &mut Page<'_>, section: &Section<'_, '_>, subject: Option<&Subject<'_>>) -> Option<Expressions> {
    let mut read = |key: &str, want: Want, given: Option<&Expression>| match section.get(key) {
        Some(node) => expression::read(page, node, key, Site { subject, want, given }),
        None => Reading::Absent,
    };
    let filter = read("where", Want::Truth, None);
    let require = read("require", Want::Truth, filter.source());
    let because = read("because", Want::Text, filter.source());
    let require_node = section.required(page, "require", "say what must be true, e.g. require = \"branch.protected\"");
    let (filter, require, because) = (filter.optional(), require.optional(), because.optional());
    require_node?;
    Some(Expressions { filter: filter?, require: require??, because: because? })
}

fn population(page: &mut Page<'_>, section: &Section<'_, '_>, vocabulary: &Vocabulary<'_>) -> Option<&'static Kind> {
    let node = section.required(page, "population", "name the resource kind, e.g. population = \"github.branch\"")?;
    let given = value::line(page, node, "population")?;
    let kind = vocabulary.kinds.iter().copied().find(|kind| kind.name == given);
    if kind.is_none() {
        let names: Vec<&str> = vocabulary.kinds.iter().map(|kind| kind.name).collect();
        page.error(node.span(), format!("there is no resource kind `{}`", shown(&given)), suggest::did_you_mean(&given, &names));
    }
    kind
}

/// The parameters named in `listed_by`: each is there, and is a list of texts.
fn listed_by(page: &mut Page<'_>, section: &Section<'_, '_>, parameters: &Parameters) -> Option<Vec<String>> {
    let Some(node) = section.get("listed_by") else { return Some(Vec::new()) };
    let items: Vec<_> = value::list(page, node, "listed_by")?.collect();
    let names = items.into_iter().map(|item| {
        let name = value::line(page, item, "listed_by")?.into_owned();
        let texts = parameters.get(&name).is_some_and(|given| given.as_array().is_some_and(|items| items.iter().all(Value::is_string)));
        if !texts {
            let message = format!("the control has no parameter `{}` that is a list of texts", shown(&name));
            page.error(item.span(), message, "name a list of `[control.parameters]`, e.g. listed_by = [\"labels\"]".to_owned());
        }
        texts.then_some(name)
    });
    names.collect::<Vec<_>>().into_iter().collect()
}

/// A test that never fails on paper may never fail at all.
fn warn_of_one_sided(page: &mut Page<'_>, section: &Section<'_, '_>, examples: &[Example]) {
    let missing: Vec<&str> =
        [Verdict::Pass, Verdict::Fail].into_iter().filter(|verdict| !examples.iter().any(|e| e.verdict == *verdict)).map(Verdict::as_str).collect();
    if !missing.is_empty() {
        let message = format!("no example of this test gets the verdict {}", missing.join(", nor one "));
        page.warn_absent(section.at.clone(), message, "add a [[control.test.example]] that shows it".to_owned());
    }
}

fn examples(page: &mut Page<'_>, section: &Section<'_, '_>, kind: Option<&'static Kind>, parameters: &Parameters) -> Option<Vec<Example>> {
    let Some(node) = section.get("example") else { return Some(Vec::new()) };
    let items: Vec<_> = value::list(page, node, "example")?.collect();
    let examples: Vec<_> = items.into_iter().map(|item| example(page, item, kind, parameters)).collect();
    examples.into_iter().collect()
}

fn example(page: &mut Page<'_>, node: Node<'_, '_>, kind: Option<&'static Kind>, parameters: &Parameters) -> Option<Example> {
    let mut section = Section::open(page, node, "an example")?;
    // Without a kind the resource's table has no known name, and any table may be it.
    if let Some(kind) = kind {
        section.check_keys(page, &["verdict", kind.noun(), "now", "parameters"]);
    }
    let verdict = verdict(page, &section);
    let now = section.get("now").map_or(Some(DEFAULT_NOW), |node| value::instant(page, node, "now"));
    let parameters = changed(page, &section, parameters);
    let kind = kind?;
    let resource = section.required(page, kind.noun(), &format!("add {} = {{ … }} with the attributes that matter", kind.noun()))?;
    let resource = Section::open(page, resource, "the resource of an example")?;
    let resource = value::record(page, &resource, kind.attributes, kind.name)?;
    Some(Example { verdict: verdict?, resource: resource.into_iter().collect(), now: now?, parameters: parameters?, line: page.line(section.at.start) })
}

fn verdict(page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<Verdict> {
    let node = section.required(page, "verdict", "write pass, fail, not-applicable or undetermined")?;
    let verdict = value::variant::<Verdict>(page, node, "verdict", &[Verdict::Waived.as_str()])?;
    if verdict == Verdict::Waived {
        page.error(node.span(), "an example cannot be waived", "write the verdict before any waiver: fail".to_owned());
        return None;
    }
    Some(verdict)
}

/// The parameters that an example changes: only ones that the control has, and of their type.
fn changed(page: &mut Page<'_>, section: &Section<'_, '_>, parameters: &Parameters) -> Option<Parameters> {
    let Some(node) = section.get("parameters") else { return Some(Parameters::new()) };
    let mut table = Section::open(page, node, "`parameters`")?;
    let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
    table.check_keys(page, &names);
    let mut changed = Parameters::new();
    let mut sound = true;
    for (name, _, node) in table.entries() {
        let Some(default) = parameters.get(name) else {
            sound = false;
            continue;
        };
        match value::any(page, node, name).map(|given| same_shape(default, given)) {
            Some(Ok(given)) => drop(changed.insert(name.to_owned(), given)),
            Some(Err(reason)) => {
                page.error(node.span(), format!("`{name}` {reason}"), None);
                sound = false;
            }
            None => sound = false,
        }
    }
    sound.then_some(changed)
}
