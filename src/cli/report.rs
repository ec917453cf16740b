//! `report`: writes the report of a period into a folder.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::cli::args;
use crate::cli::assess::{self, Brief};
use crate::cli::exit::{Exit, Failure};
use crate::cli::files::Folder;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::summary::Form;
use crate::cli::verdicts;
use crate::report::requests::{self, Request};
use crate::report::{FORMATS, Format};

/// Runs the verb. The exit code says whether the report was written, not what it says.
///
/// # Errors
/// Where stored evidence is missing or changed, or the folder cannot be written.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Report, form: Form) -> Result<Exit> {
    let formats = formats(&arguments.format)?;
    let requests = arguments.requests.as_deref().map(|path| request_list(host, path)).transpose()?;
    let store = project.store()?;
    let runs = Runs::open(&store, project.settings.log.vkey.as_ref()).await?;
    let period = runs.period(host, project, (arguments.from, arguments.to)).await?;
    let brief = Brief { entity: project.entity(), period, zone: project.settings.time_zone, now: host.now(), store: project.settings.store.clone() };
    let (assessment, history) = assess::assess(host, project, (&store, &runs), &brief).await?;
    if assessment.runs.is_empty() {
        return Err(Failure::usage("no sealed run lies in this period: run `proofline collect` first, or choose another --from and --to").into());
    }
    let mut folder = Folder::new(host.folder.join(&arguments.out));
    for format in &formats {
        format.render(&assessment, &mut folder)?;
    }
    for monthly in formats.iter().filter_map(|format| format.monthly()) {
        verdicts::write(&mut folder, &assessment, project.settings.time_zone, (monthly, &history))?;
    }
    let answers = requests.map(|requests| requests::answers(&assessment, requests)).unwrap_or_default();
    if !answers.is_empty() {
        requests::render(&assessment, &answers, &formats, &mut Folder::new(folder.path().to_owned()))?;
    }
    let written = folder.into_written();
    let empty: Vec<&str> = answers.iter().filter(|answer| answer.folder.is_none()).map(|answer| answer.request.id.as_str()).collect();
    match form {
        Form::Json => writeln!(
            host.out,
            "{}",
            serde_json::to_string_pretty(
                &json!({"period": period, "runs": assessment.runs.len(), "files": written, "requests": answers.len(), "requests_empty": empty})
            )?
        )?,
        Form::Text => writeln!(
            host.out,
            "{} files in {}: open index.html; {} controls over {} runs",
            written.len(),
            arguments.out.display(),
            assessment.controls.len(),
            assessment.runs.len()
        )?,
    }
    if form == Form::Text && !answers.is_empty() {
        writeln!(host.out, "{} requests, {} of them with nothing to show: requests.csv lists them", answers.len(), empty.len())?;
    }
    Ok(Exit::Satisfied)
}

fn request_list(host: &Host, path: &Path) -> Result<Vec<Request>> {
    let bytes = fs::read(host.folder.join(path)).map_err(|error| Failure::usage(format!("--requests {}: {error}", path.display())))?;
    Ok(requests::read(&bytes).map_err(|error| Failure::usage(format!("--requests {}: {error}", path.display())))?)
}

fn formats(names: &[String]) -> Result<Vec<&'static dyn Format>> {
    if names.is_empty() {
        return Ok(FORMATS.iter().copied().filter(|format| format.is_usual()).collect());
    }
    let known = || FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
    let find = |name: &String| FORMATS.iter().copied().find(|format| format.name() == name);
    let missing = |name: &String| match name.as_str() {
        "parquet" => Failure::usage("this build has no Parquet; install one that does, from a checkout: cargo install --locked --path . --features parquet"),
        _ => Failure::usage(format!("there is no report format {name:?}; there are: {}", known())),
    };
    names.iter().map(|name| find(name).ok_or_else(|| missing(name).into())).collect()
}
