//! What a person sees while a run is under way: a line that moves on a terminal, a plain line now and then in a log.

use std::io::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::host::{Output, Screen};
use crate::cli::summary::instant;
use crate::collect::transport::Event;
use crate::model::unseen;

/// Counts what the transport reports.
pub struct Progress {
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    lines: Output,
    answered: u64,
    not_modified: u64,
    failed: u64,
}

/// A log gets a line each time this many answers have come.
const EVERY: u64 = 250;

/// Says what a long check is at: on a terminal only, since a log has no use for it.
pub struct Steps {
    bar: Option<ProgressBar>,
}

impl Steps {
    /// Progress on `screen`.
    #[must_use]
    pub fn new(screen: Screen) -> Self {
        Self { bar: moving(screen) }
    }

    /// What is looked at now.
    pub fn step(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// Takes the moving line away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn moving(screen: Screen) -> Option<ProgressBar> {
    (screen == Screen::Terminal).then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        bar.set_style(ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}").unwrap_or_else(|_error| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(125));
        bar
    })
}

impl Progress {
    /// Progress on `screen`; plain lines go to `lines`.
    #[must_use]
    pub fn new(screen: Screen, lines: Output) -> Self {
        Self { bar: moving(screen), state: Mutex::new(State { lines, answered: 0, not_modified: 0, failed: 0 }) }
    }

    /// Takes in one event.
    pub fn observe(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Sent { .. } | Event::Shared { .. } => return,
            Event::Answered { status, .. } => {
                state.answered += 1;
                state.not_modified += u64::from(*status == Some(304));
                state.failed += u64::from(!status.is_some_and(|status| (200..300).contains(&status) || status == 304));
            }
            Event::Retrying { host, operation, subject, delay, why } => {
                let text = format!("{host}: {operation} for {subject}: {why}; trying again in {:.1} s", delay.as_secs_f32());
                self.say(&mut state, &text);
                return;
            }
            Event::Divided { host, operation, subject, why } => {
                let text = format!("{host}: {operation} for {subject}: {why}; asking for less at a time");
                self.say(&mut state, &text);
                return;
            }
            Event::Waiting { host, until, why } => {
                let text = format!("{host}: {why}; waiting until {}", instant(*until));
                self.say(&mut state, &text);
                return;
            }
        }
        let counts = format!("{} answers, {} unchanged, {} refused or failed", state.answered, state.not_modified, state.failed);
        match &self.bar {
            Some(bar) => bar.set_message(counts),
            None if state.answered.is_multiple_of(EVERY) => self.say(&mut state, &counts),
            None => {}
        }
    }

    /// Prints one line of its own.
    pub fn line(&self, text: &str) {
        self.say(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), text);
    }

    /// Takes the moving line away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, state: &mut State, text: &str) {
        let text = unseen::written_out(text, |_| true);
        match &self.bar {
            Some(bar) => bar.println(text),
            // A log that cannot be written to is no reason to stop collecting.
            None => drop(writeln!(state.lines, "{text}")),
        }
    }
}
