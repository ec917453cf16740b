//! `controls …` and `kinds`: for the people who write controls.

use std::io::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use crate::catalog::{self, Catalog, SourceFile};
use crate::cli::args::{Controls, Kinds};
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::{Project, style};
use crate::cli::summary::{Form, table};
use crate::cli::vocabulary;
use crate::collect::registry;
use crate::evaluate;
use crate::model::{Control, ControlId, Waiver};

/// Runs a `controls` verb.
///
/// # Errors
/// Exit code 2 where the control files are wrong.
pub fn run(host: &mut Host, project: &Project, verb: &Controls, form: Form) -> Result<Exit> {
    let files = project.control_files()?;
    match verb {
        Controls::Check => check(host, project, &files, form),
        Controls::List => list(host, &project.catalog(host, &files)?, form),
        Controls::Show { id } => show(host, &project.catalog(host, &files)?, id, form),
        Controls::Test { ids } => test(host, &project.catalog(host, &files)?, ids, form),
        Controls::Schema => schema(host),
    }
}

/// Prints the JSON Schema; needs no configuration.
///
/// # Errors
/// Where the output cannot be written.
pub fn schema(host: &mut Host) -> Result<Exit> {
    writeln!(host.out, "{}", serde_json::to_string_pretty(&catalog::schema::schema(registry::kinds()))?)?;
    Ok(Exit::Satisfied)
}

fn check(host: &mut Host, project: &Project, files: &[SourceFile], form: Form) -> Result<Exit> {
    let loaded = catalog::load(files, &vocabulary(), &project.settings.parameters);
    if form == Form::Json {
        let (valid, mistakes) = match &loaded {
            Ok(catalog) => (true, json!(catalog.warnings)),
            Err(mistakes) => (false, json!(mistakes)),
        };
        writeln!(host.out, "{}", serde_json::to_string_pretty(&json!({"valid": valid, "files": files.len(), "mistakes": mistakes}))?)?;
        return Ok(if valid { Exit::Satisfied } else { Exit::Usage });
    }
    drop(loaded);
    let catalog = project.catalog(host, files)?;
    if !catalog.warnings.is_empty() {
        writeln!(host.err, "{}", catalog.warnings.render(style(host)))?;
    }
    let tests: usize = catalog.controls.iter().map(|control| control.tests.len()).sum();
    writeln!(host.out, "{} controls with {tests} tests in {} files are valid", catalog.controls.len(), files.len())?;
    if !catalog.waivers.is_empty() {
        writeln!(host.out, "{} waivers are valid", catalog.waivers.len())?;
    }
    let uncovered = catalog.uncovered().len();
    writeln!(host.out, "{} criteria, {uncovered} of them not covered by any control", catalog.criteria.len())?;
    Ok(Exit::Satisfied)
}

fn list(host: &mut Host, catalog: &Catalog, form: Form) -> Result<Exit> {
    if form == Form::Json {
        writeln!(host.out, "{}", serde_json::to_string_pretty(&catalog.controls.iter().map(|control| with_waivers(catalog, control)).collect::<Vec<_>>())?)?;
        return Ok(Exit::Satisfied);
    }
    let mut table = table(&["CONTROL", "SEVERITY", "FREQUENCY", "OWNER", "WAIVERS", "TITLE"]);
    for control in &catalog.controls {
        let waivers = catalog.waivers_of(&control.id).map(|waiver| waiver.id.as_str()).collect::<Vec<_>>().join(", ");
        table.add_row([control.id.as_str(), control.severity.as_str(), control.frequency.as_str(), &control.owner, &waivers, &control.title]);
    }
    writeln!(host.out, "{table}")?;
    Ok(Exit::Satisfied)
}

/// A control as JSON, with its waivers.
fn with_waivers(catalog: &Catalog, control: &Control) -> Value {
    let mut document = json!(control);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("waivers".to_owned(), json!(catalog.waivers_of(&control.id).collect::<Vec<_>>()));
    }
    document
}

fn find<'a>(catalog: &'a Catalog, id: &ControlId) -> Result<&'a Control> {
    catalog.control(id).ok_or_else(|| Failure::usage(format!("there is no control {id}: `proofline controls list` shows them all")).into())
}

fn show(host: &mut Host, catalog: &Catalog, id: &ControlId, form: Form) -> Result<Exit> {
    let control = find(catalog, id)?;
    let out = &mut host.out;
    if form == Form::Json {
        writeln!(out, "{}", serde_json::to_string_pretty(&with_waivers(catalog, control))?)?;
        return Ok(Exit::Satisfied);
    }
    writeln!(out, "{}  {}\n", control.id, control.title)?;
    writeln!(
        out,
        "owner {}, severity {}, {}\nfile {}\ndefinition sha256 {}",
        control.owner,
        control.severity.as_str(),
        control.frequency,
        control.file,
        control.digest
    )?;
    writeln!(out, "\nWhy  {}\nFix  {}", control.why, control.fix)?;
    for criterion in &control.satisfies {
        let title = catalog.criteria.iter().find(|known| known.id == *criterion).map_or("", |known| known.title.as_str());
        writeln!(out, "  {criterion}  {title}")?;
    }
    for (name, value) in &control.parameters {
        writeln!(out, "  params.{name} = {value}")?;
    }
    for waiver in catalog.waivers_of(id) {
        let Waiver { id, resource, approved_on, expires_on, reason, .. } = waiver;
        writeln!(out, "  waiver {id} of {resource}, {approved_on} to {expires_on}: {reason}")?;
    }
    for test in &control.tests {
        writeln!(out, "\npopulation  {}", test.population)?;
        if let Some(filter) = &test.filter {
            writeln!(out, "where       {}", filter.0)?;
        }
        writeln!(out, "require     {}", test.require.0)?;
        if let Some(because) = &test.because {
            writeln!(out, "because     {}", because.0)?;
        }
        if !test.listed_by.is_empty() {
            writeln!(out, "listed by   params.{}", test.listed_by.join(", params."))?;
        }
        writeln!(out, "{} examples{}", test.examples.len(), if test.may_be_empty { "; may be empty" } else { "" })?;
    }
    Ok(Exit::Satisfied)
}

fn test(host: &mut Host, catalog: &Catalog, ids: &[ControlId], form: Form) -> Result<Exit> {
    let chosen: Vec<&Control> =
        if ids.is_empty() { catalog.controls.iter().collect() } else { ids.iter().map(|id| find(catalog, id)).collect::<Result<_>>()? };
    let mut cases = Vec::new();
    for control in chosen {
        examples_of(control, &mut cases)?;
    }
    let (held, failed): (Vec<_>, Vec<_>) = cases.into_iter().partition(|(holds, _case)| *holds);
    let (passed, failed) = (held.len(), failed.into_iter().map(|(_holds, case)| case).collect::<Vec<_>>());
    if form == Form::Json {
        writeln!(host.out, "{}", serde_json::to_string_pretty(&json!({"passed": passed, "failed": failed}))?)?;
    } else {
        for case in &failed {
            let text = |key: &str| case.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
            writeln!(
                host.out,
                "{}:{}: {}: expected {}, got {}: {}",
                text("file"),
                text("line"),
                text("control"),
                text("expected"),
                text("actual"),
                text("because")
            )?;
        }
        writeln!(host.out, "{passed} examples as expected, {} not", failed.len())?;
    }
    Ok(if failed.is_empty() { Exit::Satisfied } else { Exit::Usage })
}

/// Runs a control's examples; each with whether it came out as it says.
fn examples_of(control: &Control, cases: &mut Vec<(bool, Value)>) -> Result<()> {
    for (number, test) in (1_usize..).zip(&control.tests) {
        let kind = registry::find(&test.population).map(|collector| collector.kind());
        let kind = kind.ok_or_else(|| Failure::usage(format!("{}: there is no kind {}", control.id, test.population)))?;
        for example in &test.examples {
            let outcome = evaluate::run_example(control, number, example, kind)?;
            let case = json!({
                "control": control.id, "file": control.file, "line": example.line,
                "expected": outcome.expected, "actual": outcome.actual, "because": outcome.because,
            });
            cases.push((outcome.holds(), case));
        }
    }
    Ok(())
}

/// `kinds`: what populations there are and what one may ask of their members.
///
/// # Errors
/// Exit code 2 where the kind does not exist.
pub fn show_kinds(host: &mut Host, arguments: &Kinds, form: Form) -> Result<Exit> {
    let all = registry::kinds();
    let chosen: Vec<_> = all.iter().filter(|kind| arguments.kind.as_deref().is_none_or(|name| name == kind.name)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = all.iter().map(|kind| kind.name).collect();
        return Err(Failure::usage(format!("there is no such kind; there are: {}", names.join(", "))).into());
    }
    if form == Form::Json {
        let attribute = |a: &crate::model::AttributeDecl| json!({"name": a.name, "type": a.ty.to_string(), "meaning": a.meaning, "vendor": a.vendor});
        let document: Vec<_> = chosen
            .iter()
            .map(|kind| json!({"kind": kind.name, "meaning": kind.meaning, "permission": kind.permission, "attributes": kind.attributes.iter().map(attribute).collect::<Vec<_>>()}))
            .collect();
        writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?;
        return Ok(Exit::Satisfied);
    }
    for kind in chosen {
        writeln!(host.out, "{}: {}\n  needs {}", kind.name, kind.meaning, kind.permission)?;
        for attribute in kind.attributes.iter().filter(|_attribute| arguments.kind.is_some()) {
            writeln!(host.out, "  {}.{}: {}\n      {} [{}]", kind.noun(), attribute.name, attribute.ty, attribute.meaning, attribute.vendor)?;
        }
    }
    if arguments.kind.is_none() {
        writeln!(host.out, "\n`proofline kinds KIND` lists a kind's attributes.")?;
    }
    Ok(Exit::Satisfied)
}
