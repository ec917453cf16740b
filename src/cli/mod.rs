//! The composition: command line in, exit code out. The only place with clock, environment and output, one file a verb.

pub mod archive;
pub mod args;
pub mod assess;
pub mod collect;
pub mod controls;
pub mod doctor;
pub mod due;
pub mod evidence;
pub mod exit;
pub mod host;
pub mod init;
pub mod judge;
pub mod network;
pub mod progress;
pub mod project;
pub mod redaction;
pub mod report;
pub mod retention;
pub mod status;
pub mod summary;

use std::ffi::OsString;
use std::io::Write as _;

use anyhow::Result;
use clap::Parser as _;

use crate::catalog::Vocabulary;
use crate::cli::args::{Arguments, Verb};
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::summary::Form;
use crate::collect::registry;
use crate::evaluate;
use crate::store::bodies::BodyError;
use crate::store::snapshot::SnapshotError;

/// The name that every record carries.
pub const TOOL: &str = concat!("proofline ", env!("CARGO_PKG_VERSION"));

/// Runs one invocation. `arguments` include the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, mut host: Host) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let text = error.render();
            // A closed output leaves nobody to tell.
            drop(if error.use_stderr() { write!(host.err, "{text}") } else { write!(host.out, "{text}") });
            return if error.use_stderr() { Exit::Usage } else { Exit::Satisfied };
        }
    };
    match dispatch(&mut host, &arguments) {
        Ok(exit) => exit,
        // Who closed the output does not want to read that it is closed.
        Err(error) if is_closed_output(&error) => Exit::Undetermined,
        Err(error) => {
            drop(writeln!(host.err, "proofline: {}", told(&error)));
            exit_of(&error)
        }
    }
}

fn dispatch(host: &mut Host, arguments: &Arguments) -> Result<Exit> {
    let form = if arguments.json { Form::Json } else { Form::Text };
    match &arguments.verb {
        Verb::Init(init) => return init::run(host, &arguments.config, init),
        Verb::Kinds(kinds) => return controls::show_kinds(host, kinds, form),
        Verb::Controls(args::Controls::Schema) => return controls::schema(host),
        Verb::Collect(_) | Verb::Evaluate(_) | Verb::Report(_) | Verb::Status | Verb::Doctor(_) | Verb::Controls(_) => {}
    }
    let project = Project::read(host, &arguments.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match &arguments.verb {
        Verb::Collect(collect) => runtime.block_on(collect::run(host, &project, collect, form)),
        Verb::Evaluate(evaluate) => runtime.block_on(collect::again(host, &project, evaluate, form)),
        Verb::Report(report) => runtime.block_on(report::run(host, &project, report, form)),
        Verb::Status => runtime.block_on(status::run(host, &project, form)),
        Verb::Doctor(doctor) => runtime.block_on(doctor::run(host, &project, doctor, form)),
        Verb::Controls(verb) => controls::run(host, &project, verb, form),
        Verb::Init(_) | Verb::Kinds(_) => Ok(Exit::Satisfied),
    }
}

/// What control files may refer to.
#[must_use]
pub fn vocabulary() -> Vocabulary<'static> {
    Vocabulary { kinds: registry::kinds(), check: &evaluate::check }
}

fn is_closed_output(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe))
}

/// The chain of causes in one line, each said once: many of our errors quote their cause themselves.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Stored evidence that is missing or changed is the gravest; a known failure says its own code; everything else could not be told.
fn exit_of(error: &anyhow::Error) -> Exit {
    let broken_body = |body: &BodyError| matches!(body, BodyError::Missing { .. } | BodyError::Tampered { .. });
    let broken = error.chain().any(|cause| {
        cause.downcast_ref::<BodyError>().is_some_and(broken_body)
            || match cause.downcast_ref::<SnapshotError>() {
                Some(SnapshotError::Body(body)) => broken_body(body),
                Some(SnapshotError::Malformed { .. } | SnapshotError::Format { .. }) => true,
                Some(SnapshotError::Store(_) | SnapshotError::NoSuchRun { .. }) | None => false,
            }
    });
    if broken {
        return Exit::Broken;
    }
    match error.downcast_ref::<Failure>() {
        Some(failure) => failure.exit,
        None if error.downcast_ref::<SnapshotError>().is_some_and(|e| matches!(e, SnapshotError::NoSuchRun { .. })) => Exit::Usage,
        None => Exit::Undetermined,
    }
}
