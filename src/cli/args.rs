//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};

use crate::model::sample::Division;
use crate::model::{ControlId, RunId};

/// Collects evidence that security controls operate, and reports on it.
///
/// A nightly `proofline collect --due` checks the controls declared in TOML against GitHub and Google Cloud, keeps every answer
/// under its SHA-256, without e-mail addresses and secrets, and judges what was stored. `proofline report` turns an audit period into HTML, CSV, XLSX and OSCAL.
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
  Application Default Credentials     for Google Cloud: GOOGLE_APPLICATION_CREDENTIALS names a credential file (a login, a key, workload
                                      identity federation, impersonation); else what `gcloud auth application-default login` wrote, else
                                      the machine's service account. GOOGLE_CLOUD_QUOTA_PROJECT names the project whose quota is used
  PROOFLINE_LOG_KEY_FILE              the key that signs the log of evidence, as `proofline keygen` makes it

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
    /// Show what differs between two nights: what entered or left, and which attributes changed
    Diff(Diff),
    /// Write the report of a period
    Report(Report),
    /// Write an auditor's pack: evidence, verdicts and proofs that verify with sha256sum, openssl and zstd alone
    Export(Export),
    /// Draw a sample that an auditor can draw again, with a worksheet and the evidence of just what was drawn
    Sample(Sample),
    /// Hold everything in the store against everything that names it, and say which object is wrong
    Verify(Verify),
    /// Show what is due and what the newest runs found
    Status,
    /// Say whether the store keeps evidence from those who would delete it, and try it; say what was not seen, and what to grant
    Doctor(Doctor),
    /// Say in the log that runs must be kept, and hold their objects in the bucket
    Hold(Hold),
    /// End a hold
    Release(Hold),
    /// Say in the log that the key behind the pseudonyms of an epoch was destroyed
    Erase(Erase),
    /// Make a key that signs the log of evidence
    Keygen(Keygen),
    /// Let a new key take over from the one that signs the log
    Rotate(Rotate),
    /// Check, list, show and test control files
    #[command(subcommand)]
    Controls(Controls),
    /// List the waivers: whether each is in force, until when, and whether the newest run used it
    Waivers,
    /// List the slots of recurring tasks that are due, late or lack evidence, and open their issues
    Tasks(Tasks),
    /// Give evidence that a task was done: a file, a note or an address, entered into the log with who gave it and when
    Attach(Attach),
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

/// `diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier run, or a day (audit calendar) for the newest run that shows it
    #[arg(value_name = "RUN|YYYY-MM-DD")]
    pub before: String,
    /// The later one
    #[arg(value_name = "RUN|YYYY-MM-DD")]
    pub after: String,
    /// Only these kinds, e.g. github.branch; may be repeated
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
}

/// `collect`
#[derive(Debug, Args)]
pub struct Collect {
    /// Only what the declared frequencies owe now; safe to start twice, safe to be late. Where the run before could not finish
    /// (a rate limit, an outage), it is continued: what it was answered in the same slot, at most 6 hours ago, is not asked again
    #[arg(long, conflicts_with = "control")]
    pub due: bool,
    /// Only these controls; may be repeated
    #[arg(long, value_name = "ID")]
    pub control: Vec<ControlId>,
    /// Only the K-th of N parts; start all N side by side, each seals a run of its own
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Judge changes merged from this day on (audit calendar) instead of from where the last run stopped
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub since: Option<NaiveDate>,
    /// Tell what a past day (audit calendar) would have shown that nothing ran on, as far as sources remember it: Cloud Asset Inventory for 35 days, GitHub's audit log
    /// for 178, the rest not at all. It is sealed as a reconstruction made now, and `status` says which days are open
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["due", "since", "shard"])]
    pub reconstruct: Option<NaiveDate>,
}

/// One of several parts of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) && of <= 1000 => Ok(Self { number, of }),
            _ => Err("write K/N with K from 1 to N, e.g. 2/3"),
        }
    }
}

/// `evaluate`
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The run, as `collect` and `status` print it
    #[arg(long, value_name = "RUN")]
    pub run: RunId,
    /// What the controls of today would have said of it, beside what was sealed: a what-if, which is stored nowhere and is no evidence
    #[arg(long)]
    pub todays_controls: bool,
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
    /// Only these formats, of html, csv, markdown, xlsx (a workbook), oscal (assessment results) and, where it was built in, parquet (tables and every verdict, for BigQuery and DuckDB); html, csv and markdown when absent
    #[arg(long, value_name = "FORMAT")]
    pub format: Vec<String>,
    /// The auditor's request list: a CSV file with the columns id, request and controls (control or criterion ids). Each line is answered by a folder below
    /// requests/, and requests.csv lists all of them, those with nothing to show too
    #[arg(long, value_name = "FILE.csv")]
    pub requests: Option<PathBuf>,
}

/// `export`
#[derive(Debug, Args)]
pub struct Export {
    /// A new or empty folder, or a new .zip file
    #[arg(long, value_name = "DIR|FILE.zip")]
    pub out: PathBuf,
    /// First day of the period (audit calendar); the day of the first run when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<NaiveDate>,
    /// Last day of the period, included; today when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<NaiveDate>,
    /// Only the evidence that bears on this control; may be repeated
    #[arg(long, value_name = "ID")]
    pub control: Vec<ControlId>,
}

/// `sample`
#[derive(Debug, Args)]
pub struct Sample {
    /// The control to sample
    #[arg(long, value_name = "ID")]
    pub control: ControlId,
    /// What the auditor chose, so that nobody who wrote evidence could choose what is drawn: 8 to 100 letters, digits, '.', '_' and '-'
    #[arg(long, value_name = "TEXT")]
    pub nonce: String,
    /// How many to draw at random; what is usual for the control's frequency when absent: hourly 40, daily 25, weekly 5, monthly and quarterly 2, yearly 1
    #[arg(long, value_name = "N")]
    pub size: Option<usize>,
    /// Draw from each part of the population by itself, at least one of each, in proportion: 'month' (of the newest run that saw an item), 'test', or 'parts:N' (the first N
    /// parts of the resource's id between slashes; parts:3 is a repository of GitHub)
    #[arg(long, value_name = "WHAT", value_parser = division)]
    pub stratify: Option<Division>,
    /// First day of the period (audit calendar); the day of the first run when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<NaiveDate>,
    /// Last day of the period, included; today when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<NaiveDate>,
    /// A new or empty folder, or a new .zip file
    #[arg(long, value_name = "DIR|FILE.zip")]
    pub out: PathBuf,
}

fn division(text: &str) -> Result<Division, String> {
    let parts = || text.strip_prefix("parts:")?.parse().ok().filter(|count| *count > 0).map(Division::Parts);
    match text {
        "month" => Ok(Division::Month),
        "test" => Ok(Division::Test),
        _ => parts().ok_or_else(|| "it is 'month', 'test', or 'parts:' and a number from 1".to_owned()),
    }
}

/// `tasks`
#[derive(Debug, Args)]
pub struct Tasks {
    /// What to do; the list when absent
    #[command(subcommand)]
    pub verb: Option<TasksVerb>,
    /// Every slot, also those that are done or far off
    #[arg(long)]
    pub all: bool,
}

/// `tasks …`
#[derive(Debug, Subcommand)]
pub enum TasksVerb {
    /// Open the issue of each slot that is under way and has none, and put it on the boards of [github] projects. Writes to GitHub, with the token in
    /// PROOFLINE_TASKS_TOKEN (Issues: write, for boards Projects: write), and only for tasks with [control.task.open]; doing it again opens nothing twice
    Open(TasksOpen),
}

/// `tasks open`
#[derive(Debug, Args)]
pub struct TasksOpen {
    /// Only this task; may be repeated
    #[arg(long, value_name = "ID")]
    pub task: Vec<ControlId>,
    /// Also slots that begin within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=92))]
    pub ahead: u32,
    /// Show what would be opened, and ask nothing of GitHub
    #[arg(long)]
    pub dry_run: bool,
}

/// `attach`
#[derive(Debug, Args)]
#[command(after_help = "\
What is given is kept to the byte and never changes; the next run counts it. It is entered as given now: evidence that came after the task was due, or \
closed, stays late. What looks like a credential, or what a redaction rule takes out, is refused.")]
pub struct Attach {
    /// The task's control
    #[arg(long, value_name = "ID")]
    pub task: ControlId,
    /// The slot, as `tasks` names it, e.g. 2026-Q1
    #[arg(long, value_name = "SLOT")]
    pub slot: String,
    /// Who gives it: the login on GitHub, so that whoever did the task is not its reviewer
    #[arg(long, value_name = "LOGIN")]
    pub by: String,
    /// A file
    #[arg(long, value_name = "FILE", group = "given")]
    pub file: Option<PathBuf>,
    /// Only the SHA-256 of the file, which stays where it is
    #[arg(long, requires = "file")]
    pub hash_only: bool,
    /// A text
    #[arg(long, value_name = "TEXT", group = "given")]
    pub note: Option<String>,
    /// A web address; what lies there may change, so that it never counts by itself
    #[arg(long, value_name = "URL", group = "given")]
    pub link: Option<String>,
}

/// `verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Needs no key and writes nothing. Whoever may delete could also take away the newest nights together with their checkpoints: only a checkpoint or a key \
that you noted down before, or an observer's word, tells that. Exit code 4 when anything does not verify.")]
pub struct Verify {
    /// Only the log and this run
    #[arg(long, value_name = "RUN")]
    pub run: Option<RunId>,
    /// An exported pack, a folder or a .zip file, instead of the store
    #[arg(long, value_name = "PATH", conflicts_with_all = ["run", "checkpoint", "reevaluate"])]
    pub pack: Option<PathBuf>,
    /// A checkpoint seen before: the log may only have grown since
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The log's first verifier key, from another place than the store; that of [log] vkey when absent
    #[arg(long, value_name = "KEY")]
    pub vkey: Option<String>,
    /// Judge the evidence again too, and compare
    #[arg(long)]
    pub reevaluate: bool,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// First day of the audit period (audit calendar); the day of the first run when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<NaiveDate>,
    /// Only write the custom role that the enabled controls need in Google Cloud, for `gcloud iam roles create --file`; - is stdout
    #[arg(long, value_name = "FILE")]
    pub role_yaml: Option<PathBuf>,
    /// With what each service asks for where Cloud Asset Inventory cannot be asked
    #[arg(long, requires = "role_yaml")]
    pub without_inventory: bool,
}

/// `hold` and `release`
#[derive(Debug, Args)]
pub struct Hold {
    /// The run; may be repeated
    #[arg(long, value_name = "RUN", required = true)]
    pub run: Vec<RunId>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `erase`
#[derive(Debug, Args)]
#[command(after_help = "\
Personal data is pseudonymised before it is stored (see [redaction]); whoever destroys the key of an epoch anonymises what was stored in it, without \
deleting evidence. This verb keeps no key and deletes none: it enters the fact in the log.")]
pub struct Erase {
    /// The epoch, as in [redaction] key_epoch
    #[arg(long, value_name = "NAME")]
    pub epoch: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `keygen`
#[derive(Debug, Args)]
pub struct Keygen {
    /// The file to write the private key to (PKCS#8 PEM); it must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The log's name, as in [log] origin, to print the verifier key for
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
}

/// `rotate`
#[derive(Debug, Args)]
#[command(
    after_help = "The key in force is configured as for collect. The new one comes from PROOFLINE_LOG_NEW_KEY_FILE, PROOFLINE_LOG_NEW_KEY or --kms.\nA key that signed before is never taken again."
)]
pub struct Rotate {
    /// The new key, a version of a key in Cloud KMS
    #[arg(long, value_name = "NAME")]
    pub kms: Option<String>,
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
