//! `init`: a commented configuration to start from.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::catalog::SourceFile;
use crate::catalog::settings::{STARTER, settings};
use crate::cli::args::Init;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;

/// Writes the starter, never over an existing file.
///
/// # Errors
/// Exit code 2 where the file exists.
pub fn run(host: &mut Host, config: &Path, arguments: &Init) -> Result<Exit> {
    let path = host.folder.join(config);
    let text = starter(arguments)?;
    let mut file = match std::fs::File::create_new(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Failure::usage(format!("{} exists already and was left as it is", config.display())).into());
        }
        Err(error) => return Err(error).with_context(|| format!("writing {}", config.display())),
    };
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", config.display()))?;
    writeln!(host.out, "Wrote {}. Fill in what it asks for, then: proofline controls check; proofline collect", config.display())?;
    Ok(Exit::Satisfied)
}

/// The starter with the given names filled in. It has to load, so that a mistyped name is told at once.
fn starter(arguments: &Init) -> Result<String> {
    let mut text = STARTER.to_owned();
    if let Some(login) = &arguments.github {
        text = filled(&text, "[github]", "organizations = []", &format!("organizations = [{}]", quoted(login)));
    }
    if let Some(id) = &arguments.google {
        let key = if id.bytes().all(|byte| byte.is_ascii_digit()) { "organizations" } else { "projects" };
        text = filled(&text, "[google]", &format!("{key} = []"), &format!("{key} = [{}]", quoted(id)));
    }
    if arguments.github.is_some() || arguments.google.is_some() {
        settings(&SourceFile::new("proofline.toml", text.as_str())).map_err(|mistakes| Failure::usage(format!("nothing was written:\n{mistakes}")))?;
    }
    Ok(text)
}

/// `text` with the first `from` after `section` replaced.
fn filled(text: &str, section: &str, from: &str, to: &str) -> String {
    match text.split_once(section) {
        Some((before, after)) => format!("{before}{section}{}", after.replacen(from, to, 1)),
        None => text.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
