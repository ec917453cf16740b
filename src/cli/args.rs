//! The command line.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};

use crate::model::{ControlId, RunId};

/// Collects evidence that security controls operate, and reports on it.
///
/// A nightly `proofline collect --due` checks the controls declared in TOML against GitHub and Google Cloud, keeps every answer
/// under its SHA-256, without e-mail addresses and secrets, and judges what was stored. `proofline report` turns an audit period into HTML and CSV.
#[derive(Debug, Parser)]
#[command(name = "proofline", version, max_term_width = 120, after_help = AFTER)]
pub struct Arguments {
    /// The configuration file
    #[arg(short, long, global = true, value_name = "FILE", default_value = "proofline.toml")]
    pub config: PathBuf,
    /// Print one JSON document to stdout instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

const AFTER: &str = "\
Exit codes:
  0  done, and everything that was judged is satisfied
  1  a control is not satisfied
  2  the command line, the configuration or a control file is wrong
  3  something could not be told, or the run could not be finished
  4  stored evidence is missing or was changed

Credentials come from the environment only:
  GITHUB_TOKEN                        a token with read access
  PROOFLINE_GITHUB_APP_ID and
  PROOFLINE_GITHUB_APP_KEY_FILE       a GitHub App and its private key (PEM)
  Application Default Credentials     for Google Cloud, e.g. `gcloud auth application-default login`

Start here: proofline init, then proofline controls check, then proofline collect.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented proofline.toml to start from
    Init(Init),
    /// Fetch, seal and judge: the nightly job
    Collect(Collect),
    /// Judge a sealed run again, offline, with its own controls
    Evaluate(Evaluate),
    /// Write the report of a period
    Report(Report),
    /// Show what is due and what the newest runs found
    Status,
    /// Say whether the store keeps evidence from those who would delete it, and try it
    Doctor(Doctor),
    /// Check, list, show and test control files
    #[command(subcommand)]
    Controls(Controls),
    /// List the resource kinds and their attributes, for writing controls
    Kinds(Kinds),
}

/// `init`
#[derive(Debug, Args)]
pub struct Init {
    /// The GitHub organisation to put into it
    #[arg(long, value_name = "LOGIN")]
    pub github: Option<String>,
    /// The Google Cloud organisation number, or a project id, to put into it
    #[arg(long, value_name = "ID")]
    pub google: Option<String>,
}

/// `collect`
#[derive(Debug, Args)]
pub struct Collect {
    /// Only what the declared frequencies owe now; safe to start twice, safe to be late
    #[arg(long, conflicts_with = "control")]
    pub due: bool,
    /// Only these controls; may be repeated
    #[arg(long, value_name = "ID")]
    pub control: Vec<ControlId>,
    /// Judge changes merged from this day on (audit calendar) instead of from where the last run stopped
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub since: Option<NaiveDate>,
}

/// `evaluate`
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The run, as `collect` and `status` print it
    #[arg(long, value_name = "RUN")]
    pub run: RunId,
}

/// `report`
#[derive(Debug, Args)]
pub struct Report {
    /// The folder to write to; existing files of the same names are replaced
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// First day of the period (audit calendar); the day of the first run when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<NaiveDate>,
    /// Last day of the period, included; today when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<NaiveDate>,
    /// Only these formats; all when absent
    #[arg(long, value_name = "FORMAT")]
    pub format: Vec<String>,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// First day of the audit period (audit calendar); the day of the first run when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<NaiveDate>,
}

/// `controls …`
#[derive(Debug, Subcommand)]
pub enum Controls {
    /// Check every control file and report every mistake
    Check,
    /// List the controls
    List,
    /// Show one control with its tests, parameters and criteria
    Show {
        /// The control, e.g. CHG-03
        id: ControlId,
    },
    /// Run each control's own examples
    Test {
        /// Only these controls
        #[arg(value_name = "ID")]
        ids: Vec<ControlId>,
    },
    /// Print the JSON Schema of control files, for editors
    Schema,
}

/// `kinds`
#[derive(Debug, Args)]
pub struct Kinds {
    /// Only this kind, e.g. github.branch
    pub kind: Option<String>,
}
