//! The README of a pack: what is in it, and how to check it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::cli::TOOL;
use crate::cli::summary::instant;
use crate::model::{ControlId, Period};

const PACK: &str = include_str!("../../../reports/templates/pack.md");
const LOG: &str = include_str!("../../../reports/templates/pack-log.md");
const TIME: &str = include_str!("../../../reports/templates/pack-time.md");
const NO_LOG: &str = "The evidence store of this pack has no signed log: its bytes can be checked against each other, and whoever could write to the store could have written all of them.\n\n";
const WHOLE: &str = "All bodies of these runs are here: this prints the SHA-256 of any that is not.\n\n```sh\ncomm -13 \"${TMPDIR:-/tmp}/bodies-here\" \"${TMPDIR:-/tmp}/bodies-named\" | sed 's/^/WRONG: missing body /'\n```";
const PART: &str = "Of each run only those bodies are here that bear on the controls above. The request files are whole, so that what is left out can be seen.";

/// What a pack holds.
pub(super) struct Contents<'a> {
    /// The period.
    pub(super) period: Period,
    /// Only these controls; all where there are none.
    pub(super) controls: &'a BTreeSet<ControlId>,
    /// Runs in it.
    pub(super) runs: usize,
    /// When it was put together, UTC.
    pub(super) prepared_at: DateTime<Utc>,
    /// Whether there is a log, and whether its checkpoint carries time stamps.
    pub(super) vouched: Vouched,
}

/// How far the pack proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vouched {
    /// By digests only.
    Digests,
    /// By a signed log.
    Log,
    /// By a signed log whose checkpoint somebody else stamped.
    LogAndTime,
}

/// The text.
pub(super) fn text(contents: &Contents<'_>) -> String {
    let names: Vec<&str> = contents.controls.iter().map(ControlId::as_str).collect();
    let about = if names.is_empty() { "every control".to_owned() } else { format!("the controls {}", names.join(", ")) };
    let (from, to) = (instant(contents.period.start()), instant(contents.period.end()));
    let summary = format!("{} collect runs from {from} to {to}, for {about}. Put together at {} by {TOOL}.", contents.runs, instant(contents.prepared_at));
    let log = match contents.vouched {
        Vouched::Digests => NO_LOG.to_owned(),
        Vouched::Log => LOG.to_owned(),
        Vouched::LogAndTime => format!("{LOG}{TIME}"),
    };
    let completeness = if names.is_empty() { WHOLE } else { PART };
    PACK.replace("{summary}", &summary).replace("{completeness}", completeness).replace("{log}", &log)
}
