//! `keygen` and `rotate`: the keys that sign the log.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::cli::anchors;
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::recorder;
use crate::cli::signing;
use crate::cli::summary::Form;
use crate::ledger::identity::Identity;
use crate::ledger::log::Log;
use crate::ledger::note::{KeyKind, Vkey};
use crate::ledger::signer::{KeyFile, Signer as _, public_pem};

/// Makes a key and writes it to a new file that only its owner can read.
///
/// # Errors
/// Exit code 2 where the file exists already; where it cannot be written.
pub fn generate(host: &mut Host, arguments: &args::Keygen, form: Form) -> Result<Exit> {
    let seed: Vec<u8> = (0..8).flat_map(|_word| (host.random)().to_ne_bytes()).collect();
    let seed: [u8; 32] = seed.try_into().map_err(|_length| anyhow::anyhow!("no randomness"))?;
    let key = KeyFile::from_seed(&seed);
    let path = host.folder.join(&arguments.out);
    write_new(&path, key.to_pem()?.as_ref()).with_context(|| format!("writing {}", path.display()))?;
    let public = public_pem(&key.public_key())?;
    let vkey = arguments.origin.as_deref().map(|origin| Vkey::new(origin, KeyKind::Ed25519, key.public_key())).transpose();
    let vkey = vkey.map_err(|error| Failure::usage(error.to_string()))?;
    match form {
        Form::Json => writeln!(host.out, "{}", json!({"file": arguments.out, "public_key": public, "vkey": vkey.map(|vkey| vkey.to_string())}))?,
        Form::Text => {
            writeln!(host.out, "The private key is in {}; only you can read it. Keep a copy where the evidence is not.\n", arguments.out.display())?;
            writeln!(host.out, "{public}")?;
            if let Some(vkey) = vkey {
                writeln!(host.out, "Verifier key, for auditors and witnesses:\n{vkey}\n")?;
            }
            writeln!(host.out, "To sign with it: export {}={}", signing::KEY_FILE, arguments.out.display())?;
        }
    }
    Ok(Exit::Satisfied)
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Failure::usage(format!("{} exists already, and a key is never replaced: choose another --out", path.display())).into());
        }
        opened => opened?,
    };
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

/// Lets a new key take over.
///
/// # Errors
/// Exit code 2 where a key is missing or there is no log; as `Log::rotate`.
pub async fn rotate(host: &mut Host, project: &Project, arguments: &args::Rotate, form: Form) -> Result<Exit> {
    let store = project.store()?;
    let Some(old) = signing::configured(host, project).await? else {
        return Err(Failure::usage(format!("the key in force has to sign too: set {}, or write kms under [log]", signing::KEY_FILE)).into());
    };
    let new = signing::successor(host, project, arguments.kms.as_deref()).await?;
    if Identity::read(store.as_ref()).await?.is_none() {
        return Err(Failure::usage("there is no log in this store yet: `proofline collect` begins one with the key that is configured").into());
    }
    recorder::expected(project, store.as_ref(), old.as_ref()).await?;
    let mut log = Log::open(store.as_ref(), old.as_ref(), &signing::origin(project, old.as_ref())).await?;
    let index = log.rotate(new.as_ref()).await?;
    let published = log.integrate().await?.context("a log with entries has a checkpoint")?;
    anchors::ask(host, project, store.as_ref(), &published).await?;
    let vkey = log.vkey().to_string();
    match form {
        Form::Json => writeln!(host.out, "{}", json!({"entry": index, "vkey": vkey, "size": published.size}))?,
        Form::Text => writeln!(
            host.out,
            "Entry {index} lets this key take over, signed by both:\n{vkey}\n\nFrom now on set {} to the new key, or name it under [log]. The old key signs nothing more.",
            signing::KEY_FILE
        )?,
    }
    Ok(Exit::Satisfied)
}
