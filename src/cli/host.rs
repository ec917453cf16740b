//! Everything ambient, handed in once: clock, environment, randomness, folder, output. Nothing else in the program reads them.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::model::{Digest, Hasher};

/// A clock, UTC.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The world around one invocation.
pub struct Host {
    /// The clock.
    pub clock: Clock,
    /// The environment.
    pub variables: BTreeMap<String, String>,
    /// The folder that relative paths on the command line start from.
    pub folder: PathBuf,
    /// 32 random bits for the next run's name.
    pub random: Box<dyn Fn() -> u32 + Send + Sync>,
    /// SHA-256 of this program's file; none where it cannot be read.
    pub program: Option<Digest>,
    /// Results.
    pub out: Output,
    /// Progress, warnings and errors.
    pub err: Output,
    /// What `err` is shown on.
    pub screen: Screen,
}

/// What progress is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// A terminal: bars, colour.
    Terminal,
    /// A log: plain lines, no colour.
    Log,
}

/// Somewhere to write, shared by all who write there.
#[derive(Clone)]
pub struct Output(Arc<Mutex<Box<dyn Write + Send>>>);

impl Output {
    /// Writes to `inner`.
    pub fn new(inner: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(inner))))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl Host {
    /// The real world.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn real() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let screen = if std::io::stderr().is_terminal() && !plain { Screen::Terminal } else { Screen::Log };
        Self {
            clock: Arc::new(Utc::now),
            variables: std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect(),
            folder: PathBuf::from("."),
            random: Box::new(rand::random),
            program: std::env::current_exe().and_then(|path| digest_of(&path)).ok(),
            out: Output::new(std::io::stdout()),
            err: Output::new(std::io::stderr()),
            screen,
        }
    }

    /// The time, UTC.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn digest_of(path: &std::path::Path) -> std::io::Result<Digest> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Hasher::default();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(piece.get(..length).unwrap_or_default()),
        }
    }
}
