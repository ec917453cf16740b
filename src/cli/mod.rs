//! The composition: command line in, exit code out. The only place with clock, environment and output, one file a verb.

pub mod anchors;
pub mod archive;
pub mod args;
pub mod assess;
pub mod attach;
pub mod collect;
pub mod controls;
pub mod diff;
pub mod doctor;
pub mod due;
pub mod evidence;
pub mod exit;
pub mod export;
pub mod files;
pub mod google;
pub mod hold;
pub mod host;
pub mod index;
pub mod init;
pub mod judge;
pub mod keys;
pub mod memory;
pub mod network;
pub mod progress;
pub mod project;
pub mod reconstruct;
pub mod recorder;
pub mod redaction;
pub mod report;
pub mod retention;
pub mod runs;
pub mod sample;
pub mod signing;
pub mod slots;
pub mod status;
pub mod summary;
pub mod tasks;
pub mod verdicts;
pub mod verify;
pub mod waivers;
pub mod what_if;

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
use crate::ledger::LedgerError;
use crate::store::bodies::BodyError;
use crate::store::gcs::hold::Hold;
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
    // Only what comes before a project was read, or does without.
    match &arguments.verb {
        Verb::Init(init) => init::run(host, &arguments.config, init),
        Verb::Kinds(kinds) => controls::show_kinds(host, kinds, form),
        Verb::Controls(args::Controls::Schema) => controls::schema(host),
        Verb::Keygen(keygen) => keys::generate(host, keygen, form),
        Verb::Verify(verify) if verify.pack.is_some() => waiting()?.block_on(verify::run_on_pack(host, verify, form)),
        verb => {
            let project = Project::read(host, &arguments.config)?;
            waiting()?.block_on(of_project(host, &project, verb, form))
        }
    }
}

fn waiting() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

async fn of_project(host: &mut Host, project: &Project, verb: &Verb, form: Form) -> Result<Exit> {
    match verb {
        Verb::Collect(collect) => collect::run(host, project, collect, form).await,
        Verb::Evaluate(evaluate) if evaluate.todays_controls => what_if::run(host, project, &evaluate.run, form).await,
        Verb::Evaluate(evaluate) => collect::again(host, project, evaluate, form).await,
        Verb::Diff(arguments) => diff::run(host, project, arguments, form).await,
        Verb::Report(report) => report::run(host, project, report, form).await,
        Verb::Sample(arguments) => sample::run(host, project, arguments, form).await,
        Verb::Export(export) => export::run(host, project, export, form).await,
        Verb::Verify(verify) => verify::run(host, project, verify, form).await,
        Verb::Waivers => waivers::run(host, project, form).await,
        Verb::Tasks(tasks) => tasks::run(host, project, tasks, form).await,
        Verb::Attach(attach) => attach::run(host, project, attach, form).await,
        Verb::Status => status::run(host, project, form).await,
        Verb::Doctor(doctor) => doctor::run(host, project, doctor, form).await,
        Verb::Hold(runs) => hold::run(host, project, runs, form, Hold::Placed).await,
        Verb::Release(runs) => hold::run(host, project, runs, form, Hold::Lifted).await,
        Verb::Erase(erase) => hold::erase(host, project, erase, form).await,
        Verb::Rotate(rotate) => keys::rotate(host, project, rotate, form).await,
        Verb::Controls(verb) => controls::run(host, project, verb, form),
        Verb::Init(_) | Verb::Kinds(_) | Verb::Keygen(_) => Ok(Exit::Satisfied),
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
            || cause.downcast_ref::<LedgerError>().is_some_and(|e| matches!(e, LedgerError::Contradiction { .. } | LedgerError::Identity { .. }))
    });
    if broken {
        return Exit::Broken;
    }
    match error.downcast_ref::<Failure>() {
        Some(failure) => failure.exit,
        None if error.downcast_ref::<LedgerError>().is_some_and(|e| matches!(e, LedgerError::NotInForce { .. })) => Exit::Usage,
        None if error.downcast_ref::<SnapshotError>().is_some_and(|e| matches!(e, SnapshotError::NoSuchRun { .. })) => Exit::Usage,
        None => Exit::Undetermined,
    }
}
