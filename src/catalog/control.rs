//! `[[control]]`: from its table to a validated `Control`, with the parameters in force and the digest of what it says.
//!
//! Left out: its tests (`control_test.rs`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use toml::de::DeTable;

use crate::catalog::Vocabulary;
use crate::catalog::control_test;
use crate::catalog::overrides::Overrides;
use crate::catalog::page::{Node, Page, Section, shown};
use crate::catalog::source::Place;
use crate::catalog::suggest;
use crate::catalog::task;
use crate::catalog::value;
use crate::model::{Control, ControlId, CriterionId, Digest, Frequency, Parameters, Schedule, Severity, Task, Test, Weekday};

pub(super) const KEYS: &[&str] = &[
    "id",
    "title",
    "owner",
    "severity",
    "satisfies",
    "frequency",
    "weekday",
    "schedule",
    "starts",
    "why",
    "fix",
    "retention_days",
    "parameters",
    "task",
    "test",
];

/// What a control is checked against, and which ids were met.
#[derive(Debug)]
pub(super) struct Register<'r> {
    pub(super) vocabulary: &'r Vocabulary<'r>,
    pub(super) overrides: &'r Overrides,
    pub(super) criteria: &'r BTreeMap<CriterionId, Place>,
    /// Every control id met, also of controls with mistakes.
    pub(super) ids: BTreeMap<ControlId, Place>,
    /// What is wrong with the overrides themselves.
    pub(super) override_mistakes: Vec<crate::catalog::Mistake>,
}

/// The sound controls of a file.
pub(super) fn controls(page: &mut Page<'_>, table: &DeTable<'_>, register: &mut Register<'_>) -> Vec<Control> {
    let root = Section::root(page, table, "a control file", &["control", "waiver"]);
    let Some(list) = root.get("control") else { return Vec::new() };
    let Some(items) = value::list(page, list, "control") else { return Vec::new() };
    items.filter_map(|item| control(page, item, register)).collect()
}

fn control(page: &mut Page<'_>, node: Node<'_, '_>, register: &mut Register<'_>) -> Option<Control> {
    let section = Section::of(page, node, "a control", KEYS)?;
    let id = id(page, &section, register);
    let title = required_text(page, &section, "title", Shape::Line);
    let owner = required_text(page, &section, "owner", Shape::Line);
    let why = required_text(page, &section, "why", Shape::Lines);
    let fix = required_text(page, &section, "fix", Shape::Lines);
    let severity = section.required(page, "severity", "write critical, high, medium, low or info");
    let severity = severity.and_then(|node| value::variant::<Severity>(page, node, "severity", &[]));
    let frequency = section.required(page, "frequency", "write hourly, daily, weekly, monthly, quarterly or yearly");
    let frequency = frequency.and_then(|node| value::variant::<Frequency>(page, node, "frequency", &[]));
    let weekday = section.get("weekday").and_then(|node| weekday(page, node, frequency));
    let schedule = section.get("schedule").and_then(|node| schedule(page, node, weekday));
    let satisfies = satisfies(page, &section, register.criteria);
    let own = parameters(page, &section);
    let in_force = id.as_ref().map(|id| register.overrides.apply(id, &own.values, &mut register.override_mistakes));
    let task = task::task(page, &section);
    let own_tests = control_test::tests(page, &section, in_force.as_ref().unwrap_or(&own.values), register.vocabulary);
    let of_task = || id.as_ref().zip(task.as_ref()).and_then(|(id, task)| Some(task::tests(id, task.as_ref()?)));
    let tests = own_tests.map(|own| of_task().into_iter().flatten().chain(own).collect::<Vec<_>>());
    if let Some(tests) = &tests {
        warn_of_unused(page, &section, tests);
    }
    let mut control = Control {
        id: id?,
        title: title?,
        owner: owner?,
        severity: severity?,
        satisfies: satisfies?,
        frequency: frequency?,
        weekday,
        schedule,
        starts: section.get("starts").and_then(|node| value::day(page, node, "starts")),
        why: why?,
        fix: fix?,
        retention_days: section.get("retention_days").and_then(|node| value::number(page, node, "retention_days", value::RETENTION_DAYS)),
        parameters: own.sound.then_some(in_force)??,
        tests: tests?,
        task: task?,
        file: page.path().to_owned(),
        digest: Digest::of(b""),
    };
    control.digest = digest(&control);
    Some(control)
}

fn weekday(page: &mut Page<'_>, node: Node<'_, '_>, frequency: Option<Frequency>) -> Option<Weekday> {
    if frequency.is_some_and(|frequency| frequency != Frequency::Weekly) {
        page.error(node.span(), "`weekday` is for weekly controls", "leave it out, or write frequency = \"weekly\"".to_owned());
        return None;
    }
    value::variant(page, node, "weekday", &[])
}

fn schedule(page: &mut Page<'_>, node: Node<'_, '_>, weekday: Option<Weekday>) -> Option<Schedule> {
    let given = value::line(page, node, "schedule")?;
    if weekday.is_some() {
        page.error(node.span(), "`schedule` and `weekday` both say when it is owed", "leave one out".to_owned());
        return None;
    }
    match given.parse::<Schedule>() {
        Ok(schedule) => Some(schedule),
        Err(error) => {
            let help = "write five fields: minute, hour, day of the month, month, day of the week, e.g. \"17 2 * * MON-FRI\"";
            page.error(node.span(), format!("\"{}\" is not a cron pattern: {error}", shown(&given)), help.to_owned());
            None
        }
    }
}

enum Shape {
    Line,
    Lines,
}

fn required_text(page: &mut Page<'_>, section: &Section<'_, '_>, key: &str, shape: Shape) -> Option<String> {
    let help = match key {
        "title" => "say in one sentence what is true when the control operates",
        "owner" => "name the team or person who answers for it",
        "why" => "say what the risk is, for the auditor",
        _ => "say what to do about a failure, for the engineer",
    };
    let node = section.required(page, key, help)?;
    let text = match shape {
        Shape::Line => value::line(page, node, key),
        Shape::Lines => value::text(page, node, key),
    };
    text.map(|text| text.trim().to_owned())
}

fn id(page: &mut Page<'_>, section: &Section<'_, '_>, register: &mut Register<'_>) -> Option<ControlId> {
    let node = section.required(page, "id", "e.g. id = \"CHG-01\"")?;
    let given = value::line(page, node, "id")?;
    let id = match given.parse::<ControlId>() {
        Ok(id) => id,
        Err(invalid) => {
            page.error(node.span(), format!("\"{}\" is not {}", shown(&given), invalid.what), invalid.rule.to_owned());
            return None;
        }
    };
    let place = page.place(node.span());
    if let Some(first) = register.ids.get(&id) {
        let mistake = crate::catalog::Mistake::new(Some(place), format!("the control id {id} is taken"));
        page.note(mistake.also(first.clone(), "it was given first here").help("a control keeps its id for good, so give this one another".to_owned()));
        return None;
    }
    register.ids.insert(id.clone(), place);
    Some(id)
}

fn satisfies(page: &mut Page<'_>, section: &Section<'_, '_>, known: &BTreeMap<CriterionId, Place>) -> Option<Vec<CriterionId>> {
    let node = section.required(page, "satisfies", "e.g. satisfies = [\"soc2:CC8.1\"]")?;
    let items: Vec<_> = value::list(page, node, "satisfies")?.collect();
    if items.is_empty() {
        let help = "name a criterion that it helps to meet; your own ones go into a file in a criteria/ directory";
        page.error(node.span(), "`satisfies` is empty", help.to_owned());
        return None;
    }
    let mut seen = BTreeSet::new();
    let criteria: Vec<_> = items.into_iter().map(|item| criterion(page, item, known, &mut seen)).collect();
    criteria.into_iter().collect()
}

fn criterion(page: &mut Page<'_>, node: Node<'_, '_>, known: &BTreeMap<CriterionId, Place>, seen: &mut BTreeSet<CriterionId>) -> Option<CriterionId> {
    let given = value::line(page, node, "satisfies")?;
    let id = match given.parse::<CriterionId>() {
        Ok(id) => id,
        Err(invalid) => {
            page.error(node.span(), format!("\"{}\" is not {}", shown(&given), invalid.what), invalid.rule.to_owned());
            return None;
        }
    };
    if !known.contains_key(&id) {
        page.error(node.span(), format!("no criteria file has {id}"), unknown_criterion(&id, known));
        return None;
    }
    if !seen.insert(id.clone()) {
        page.error(node.span(), format!("{id} is named twice"), "leave one out".to_owned());
        return None;
    }
    Some(id)
}

fn unknown_criterion(id: &CriterionId, known: &BTreeMap<CriterionId, Place>) -> Option<String> {
    let (framework, number) = id.as_str().split_once(':')?;
    let frameworks: BTreeSet<&str> = known.keys().filter_map(|known| known.as_str().split_once(':')).map(|(framework, _)| framework).collect();
    if !frameworks.contains(framework) {
        return suggest::did_you_mean(framework, &frameworks.into_iter().collect::<Vec<_>>()).map(|help| format!("framework: {help}"));
    }
    let numbers = known.keys().filter_map(|known| known.as_str().split_once(':')).filter(|(f, _)| *f == framework).map(|(_, number)| number);
    suggest::nearest(number, numbers).map(|near| format!("did you mean `{framework}:{near}`?"))
}

/// A control's own parameters, before overrides.
struct Own {
    /// With null for those that have a mistake, so that expressions which use them get no complaint on top.
    values: Parameters,
    sound: bool,
}

fn parameters(page: &mut Page<'_>, section: &Section<'_, '_>) -> Own {
    let mut own = Own { values: Parameters::new(), sound: true };
    let Some(node) = section.get("parameters") else { return own };
    let Some(table) = Section::open(page, node, "`parameters`") else { return Own { sound: false, ..own } };
    for (name, range, node) in table.entries() {
        if !is_identifier(name) {
            let help = "use lower-case letters, digits and '_', so that expressions can say params.name".to_owned();
            page.error(range, format!("`{}` is not a parameter name", shown(name)), help);
            own.sound = false;
        }
        let value = value::any(page, node, name);
        own.sound &= value.is_some();
        own.values.insert(name.to_owned(), value.unwrap_or_default());
    }
    own
}

fn is_identifier(name: &str) -> bool {
    (1..=60).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A parameter that nothing reads looks tunable and is not.
fn warn_of_unused(page: &mut Page<'_>, section: &Section<'_, '_>, tests: &[Test]) {
    let Some(table) = section.get("parameters").and_then(|node| Section::open(page, node, "`parameters`")) else { return };
    let sources: Vec<&str> =
        tests.iter().flat_map(|test| [test.filter.as_ref(), Some(&test.require), test.because.as_ref()]).flatten().map(|e| e.0.as_str()).collect();
    for (name, range, _) in table.entries() {
        if !sources.iter().any(|source| source.contains("params") && source.contains(name)) {
            page.warn_absent(range, format!("no expression reads `params.{}`", shown(name)), "leave it out, or use it".to_owned());
        }
    }
}

/// What is judged or said; examples, the day of the week, how long evidence is kept, the file's name and where in it the control stands are not.
#[derive(Serialize)]
struct Definition<'a> {
    id: &'a ControlId,
    title: &'a str,
    owner: &'a str,
    severity: Severity,
    satisfies: &'a [CriterionId],
    frequency: Frequency,
    why: &'a str,
    fix: &'a str,
    parameters: &'a Parameters,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a Task>,
    tests: Vec<TestDefinition<'a>>,
}

#[derive(Serialize)]
struct TestDefinition<'a> {
    population: &'a str,
    #[serde(rename = "where")]
    filter: Option<&'a str>,
    require: &'a str,
    because: Option<&'a str>,
    may_be_empty: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    listed_by: &'a [String],
}

/// SHA-256 of the definition as compact JSON with sorted keys.
fn digest(control: &Control) -> Digest {
    let tests = control.tests.iter().map(|test| TestDefinition {
        population: &test.population,
        filter: test.filter.as_ref().map(|e| e.0.as_str()),
        require: &test.require.0,
        because: test.because.as_ref().map(|e| e.0.as_str()),
        may_be_empty: test.may_be_empty,
        listed_by: &test.listed_by,
    });
    let definition = Definition {
        id: &control.id,
        title: &control.title,
        owner: &control.owner,
        severity: control.severity,
        satisfies: &control.satisfies,
        frequency: control.frequency,
        why: &control.why,
        fix: &control.fix,
        parameters: &control.parameters,
        task: control.task.as_ref(),
        tests: tests.collect(),
    };
    // Strings, integers, finite floats, lists and text-keyed maps: serde_json cannot refuse any of them.
    let mut json = serde_json::to_value(definition).unwrap_or_default();
    // A dependency may switch serde_json's `preserve_order` on; the digest must not depend on that.
    json.sort_all_objects();
    Digest::of(json.to_string().as_bytes())
}
