//! The auditor's request list: what was asked for, each answered by a folder of its own, those with nothing to show listed as such.
//!
//! The list is a CSV file with a header line and the columns `id`, `request` and `controls`; the last names controls or criteria, separated by blanks, `,` or `;`. Other
//! columns are passed over. Left out: the stored bodies behind the answers, which an exported pack holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Assessment, Control, ControlId, Digest};
use crate::report::csv::request_list;
use crate::report::{Files, Fill, Format, ReportError};

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// As the auditor numbers it.
    pub id: String,
    /// What is asked for.
    pub text: String,
    /// Controls and criteria, as written.
    pub wanted: Vec<String>,
}

/// A line with what answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The line.
    pub request: Request,
    /// The folder, below that of the report; none where there is nothing to show.
    pub folder: Option<String>,
    /// The controls that answer it.
    pub controls: BTreeSet<ControlId>,
    /// What it names that no control of the assessment is, and no control satisfies.
    pub unknown: Vec<String>,
}

/// The list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RequestListError {
    /// It is no CSV.
    #[error("it is no CSV file: {0}")]
    Csv(#[from] ::csv::Error),
    /// A column is missing.
    #[error("it has no column `{0}`: the header line must name id, request and controls")]
    NoColumn(&'static str),
    /// A line has no id.
    #[error("line {0} has no id")]
    NoId(u64),
    /// Two lines have ids that make one folder.
    #[error("{0} and {1} would have one folder: give one of them another id")]
    Twice(String, String),
}

/// Reads a list.
///
/// # Errors
/// `RequestListError`.
pub fn read(bytes: &[u8]) -> Result<Vec<Request>, RequestListError> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).trim(::csv::Trim::All).from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let headers = reader.headers()?.clone();
    let column = |name: &'static str| headers.iter().position(|header| header.eq_ignore_ascii_case(name)).ok_or(RequestListError::NoColumn(name));
    let (id, text, controls) = (column("id")?, column("request")?, column("controls")?);
    let mut requests: Vec<Request> = Vec::new();
    let mut folders: BTreeMap<String, String> = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let cell = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
        let wanted = cell(controls).split(separators).filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
        let request = Request { id: cell(id), text: cell(text), wanted };
        if request.id.is_empty() {
            return Err(RequestListError::NoId(record.position().map_or(0, ::csv::Position::line)));
        }
        if let Some(other) = folders.insert(folder(&request.id), request.id.clone()) {
            return Err(RequestListError::Twice(other, request.id));
        }
        requests.push(request);
    }
    Ok(requests)
}

/// Only what is safe in the name of a folder on every system.
fn folder(id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c.to_ascii_lowercase() } else { '-' };
    let name: String = id.chars().take(80).map(safe).collect();
    format!("requests/{name}")
}

/// What answers each line.
#[must_use]
pub fn answers(assessment: &Assessment, requests: Vec<Request>) -> Vec<Answer> {
    let answer = |request: Request| {
        let mut controls = BTreeSet::new();
        let mut unknown = Vec::new();
        for wanted in &request.wanted {
            let is_meant = |control: &Control| control.id.as_str() == wanted || control.satisfies.iter().any(|criterion| criterion.as_str() == wanted);
            let found: Vec<ControlId> = assessment.controls.iter().filter(|of| is_meant(&of.control)).map(|of| of.control.id.clone()).collect();
            if found.is_empty() {
                unknown.push(wanted.clone());
            }
            controls.extend(found);
        }
        let folder = (!controls.is_empty()).then(|| folder(&request.id));
        Answer { request, folder, controls, unknown }
    };
    requests.into_iter().map(answer).collect()
}

/// The files of the answers: each folder is a report of its own, in these formats, about the controls that answer it; `requests.csv` lists all, empty ones too.
///
/// # Errors
/// `ReportError` where a format cannot be written.
pub fn render(assessment: &Assessment, answers: &[Answer], formats: &[&dyn Format], into: &mut dyn Files) -> Result<(), ReportError> {
    request_list(assessment, answers, into)?;
    for answer in answers {
        let Some(folder) = &answer.folder else { continue };
        let about = assessment.about(&answer.controls);
        for format in formats {
            format.render(&about, &mut Below { folder, into: &mut *into })?;
        }
    }
    Ok(())
}

/// The files of a folder.
struct Below<'b> {
    folder: &'b str,
    into: &'b mut dyn Files,
}

impl Files for Below<'_> {
    fn file(&mut self, path: &str, fill: &mut Fill<'_>) -> Result<Digest, ReportError> {
        self.into.file(&format!("{}/{path}", self.folder), fill)
    }
}

#[cfg(test)]
mod tests {
    use super::{folder, read};

    #[test]
    fn a_list_is_read_as_spreadsheets_write_it() {
        let list = "\u{feff}ID,Owner,Request,Controls\r\nPBC-1,x,\"Access, reviewed\",\"REP-03; soc2:CC6.1\"\r\n=2+3,x,Backups,\r\n";
        let requests = read(list.as_bytes()).expect("a list");
        let told: Vec<_> = requests.iter().map(|request| (request.id.as_str(), request.text.as_str(), request.wanted.join("|"))).collect();
        assert_eq!(told, [("PBC-1", "Access, reviewed", "REP-03|soc2:CC6.1".to_owned()), ("=2+3", "Backups", String::new())]);
    }

    #[test]
    fn what_is_no_list_is_told() {
        for (list, said) in [
            ("id,request\n1,x\n", "no column `controls`"),
            ("id,request,controls\n,x,REP-03\n", "line 2 has no id"),
            ("id,request,controls\nA 1,x,\na-1,y,\n", "A 1 and a-1 would have one folder"),
            ("", "no column `id`"),
        ] {
            let error = read(list.as_bytes()).expect_err("no list").to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_folder_stays_within_the_report() {
        for (id, name) in [("../../etc", "requests/------etc"), ("PBC 1.2/a", "requests/pbc-1-2-a"), ("é\u{202e}x", "requests/--x")] {
            assert_eq!(folder(id), name);
        }
    }
}
