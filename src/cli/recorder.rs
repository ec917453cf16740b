//! Enters what was sealed into the log, and has the log signed and observed. Without a key nothing is entered, and the reader is told.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::cli::anchors::{self, Said, Word};
use crate::cli::exit::{Exit, Failure};
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::signing;
use crate::ledger::LedgerError;
use crate::ledger::identity::Identity;
use crate::ledger::log::{Log, Published};
use crate::ledger::note::{KeyKind, Vkey};
use crate::ledger::replay::Entry;
use crate::ledger::signer::Signer;
use crate::ledger::statement::{Kind, Statement, Subject};
use crate::model::Digest;
use crate::store::Store;
use crate::store::snapshot::{self, Sealed, SealedEvaluation};

/// The subject of a statement about the configuration.
const CONFIGURATION: &str = "configuration";

/// Writes the log of one invocation.
pub struct Recorder<'a> {
    store: &'a Arc<dyn Store>,
    log: Option<Log<'a>>,
    entered: Vec<u64>,
}

/// What the log looks like when an invocation is over.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The log's name.
    pub origin: String,
    /// The entries that this invocation made, or found to be there already.
    pub entries: Vec<u64>,
    /// The newest checkpoint.
    pub published: Published,
    /// What observers said that were asked now.
    pub said: Vec<Said>,
}

impl Recorded {
    /// What an observer's alarm makes of an exit code.
    #[must_use]
    pub fn exit(&self, exit: Exit) -> Exit {
        if self.said.iter().any(|said| matches!(said.word, Word::Alarm(_))) { Exit::Broken } else { exit }
    }
}

impl<'a> Recorder<'a> {
    /// Opens the log for `signer`, before anything is collected, so that a wrong key is found now. Runs that were sealed before there was a log are entered.
    ///
    /// # Errors
    /// Exit code 2 where the store has a log and there is no key for it, or another one; 4 where the log is not what was signed.
    pub async fn open(host: &mut Host, project: &Project, store: &'a Arc<dyn Store>, signer: Option<&'a dyn Signer>) -> Result<Self> {
        let Some(signer) = signer else {
            if Identity::read(store.as_ref()).await?.is_some() {
                let help = format!("set {} to the file of the log's key, or write kms under [log]", signing::KEY_FILE);
                return Err(Failure::usage(format!("the evidence in this store is sealed in a log, and there is no key to go on with: {help}")).into());
            }
            writeln!(host.err, "warning: nothing signs this evidence, so assurance stays at L0: `proofline keygen` makes a key")?;
            return Ok(Self { store, log: None, entered: Vec::new() });
        };
        expected(project, store.as_ref(), signer).await?;
        let log = Log::open(store.as_ref(), signer, &signing::origin(project, signer)).await?;
        let mut recorder = Self { store, log: Some(log), entered: Vec::new() };
        recorder.adopt().await?;
        Ok(recorder)
    }

    /// The log's entries; none where there is no log.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        self.log.as_ref().map(Log::entries)
    }

    /// Until the first checkpoint is signed, what lies in the store is taken for the user's own; afterwards only what the log names counts.
    async fn adopt(&mut self) -> Result<()> {
        if self.log.as_ref().is_none_or(|log| log.published().is_some()) {
            return Ok(());
        }
        for run in snapshot::runs(self.store.as_ref()).await? {
            let sealed = snapshot::open(self.store.as_ref(), &run).await?;
            self.run(&sealed).await?;
            for judged in snapshot::evaluations(self.store.as_ref(), &run).await? {
                self.evaluation(&judged).await?;
            }
        }
        if let Some(log) = &mut self.log {
            log.integrate().await?;
        }
        Ok(())
    }

    /// Enters a sealed run, and before it the configuration where it is another than before.
    ///
    /// # Errors
    /// As `Log::append`.
    pub async fn run(&mut self, sealed: &Sealed) -> Result<()> {
        let manifest = &sealed.manifest;
        let configured = Subject::new(CONFIGURATION, manifest.configuration);
        if self.newest_configuration() != Some(manifest.configuration) {
            self.append(Kind::Configuration, configured, json!({"run": manifest.run})).await?;
        }
        let said = json!({
            "run": manifest.run,
            "started_at": manifest.started_at,
            "ended_at": manifest.ended_at,
            "trigger": manifest.trigger,
            "as_of": manifest.scope.as_of,
            "tool": manifest.tool,
            "program": manifest.program,
            "controls": manifest.controls.len(),
            "exchanges": manifest.exchanges,
            "failed": manifest.failed,
        });
        self.append(Kind::Run, Subject::new(&sealed.object, sealed.digest), said).await
    }

    /// Enters an evaluation.
    ///
    /// # Errors
    /// As `Log::append`.
    pub async fn evaluation(&mut self, judged: &SealedEvaluation) -> Result<()> {
        let said = json!({"run": judged.evaluation.run, "manifest": judged.evaluation.manifest, "tool": judged.evaluation.tool});
        self.append(Kind::Evaluation, Subject::new(&judged.object, judged.digest), said).await
    }

    fn newest_configuration(&self) -> Option<Digest> {
        let statements = self.entries()?.iter().rev().filter_map(|entry| entry.statement.as_ref());
        statements.filter(|statement| statement.kind() == Some(Kind::Configuration)).find_map(|statement| Some(statement.subjects().first()?.digest()))
    }

    /// Enters any other statement, and gives its index; 0 where there is no log.
    ///
    /// # Errors
    /// As `Log::append`.
    pub async fn state(&mut self, kind: Kind, subjects: Vec<Subject>, said: Value) -> Result<u64> {
        let Some(log) = &mut self.log else { return Ok(0) };
        let predicate: Map<String, Value> = said.as_object().cloned().unwrap_or_default();
        let index = log.append(&Statement::new(kind, subjects, predicate)?).await?;
        self.entered.push(index);
        Ok(index)
    }

    async fn append(&mut self, kind: Kind, subject: Subject, said: Value) -> Result<()> {
        self.state(kind, vec![subject], said).await.map(|_index| ())
    }

    /// Signs what was entered and asks the observers. None where there is no log, or nothing in it.
    ///
    /// # Errors
    /// As `Log::integrate` and `anchors::ask`. What was entered stays entered: the next invocation goes on from there.
    pub async fn finish(self, host: &mut Host, project: &Project) -> Result<Option<Recorded>> {
        let Some(mut log) = self.log else { return Ok(None) };
        let published = match log.integrate().await {
            Ok(Some(published)) => published,
            Ok(None) => return Ok(None),
            // The entries are safe; the next checkpoint covers them.
            Err(error @ LedgerError::Occupied { .. }) => {
                writeln!(host.err, "warning: {error}")?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        for object in log.spoiled() {
            writeln!(host.err, "warning: {object} holds something that this log did not write: `proofline verify` tells more")?;
        }
        let said = anchors::ask(host, project, self.store.as_ref(), &published).await?;
        for said in said.iter().filter(|said| !matches!(said.word, Word::Given(_))) {
            writeln!(host.err, "warning: {}", said.told())?;
        }
        Ok(Some(Recorded { origin: log.vkey().name().to_owned(), entries: self.entered, published, said }))
    }
}

/// Holds the log, or the one that would begin now, against the configured first key.
///
/// # Errors
/// Exit code 4 where the store has another log, 2 where another would begin.
pub async fn expected(project: &Project, store: &dyn Store, signer: &dyn Signer) -> Result<()> {
    let Some(expected) = &project.settings.log.vkey else { return Ok(()) };
    match Identity::read(store).await? {
        Some(identity) if identity.first == *expected => Ok(()),
        Some(identity) => {
            let message = format!("refusing to sign: store.json says that the log's first key is {}, and [log] vkey = \"{expected}\"", identity.first);
            Err(Failure { exit: Exit::Broken, message }.into())
        }
        None if Vkey::new(&signing::origin(project, signer), KeyKind::Ed25519, signer.public_key()).is_ok_and(|own| own == *expected) => Ok(()),
        None => Err(Failure::usage(format!("the store has no log, and this key would not begin the one that is expected: [log] vkey = \"{expected}\"")).into()),
    }
}
