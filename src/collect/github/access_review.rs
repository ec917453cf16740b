//! The decisions of an access review, as an attached table tells them: who was looked at, and what was decided. Pure; tables are written by anybody.
//!
//! Left out: whether everybody is in the table; that takes the members of that day.

use crate::collect::github::answer::Fact;
use crate::model::{Gap, GapCause};

/// Rows that are read of one table.
const ROWS: usize = 20_000;
const MEMBER: &[&str] = &["member", "login", "user", "username", "account"];
const DECISION: &[&str] = &["decision", "result"];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whose access.
    pub member: String,
    /// What was decided, in lower case; empty where nothing was.
    pub decision: String,
}

/// True for names of files that are read.
#[must_use]
pub fn is_table(name: &str) -> bool {
    name.len() > 4 && name.to_ascii_lowercase().ends_with(".csv")
}

/// The rows of a table (RFC 4180, with a header) that has a column for the member and one for the decision; nothing where it has not.
///
/// # Errors
/// It has too many rows, or a row that cannot be read.
pub fn decisions(table: &[u8]) -> Fact<Vec<Decision>> {
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let unreadable = |error: csv::Error| Gap::new(GapCause::Malformed, format!("the attached table cannot be read: {error}"));
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(table);
    let header = reader.byte_headers().map_err(unreadable)?.clone();
    let column = |names: &[&str]| header.iter().position(|cell| names.iter().any(|name| cell.eq_ignore_ascii_case(name.as_bytes())));
    let (Some(member), Some(decision)) = (column(MEMBER), column(DECISION)) else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(unreadable)?;
        if rows.len() >= ROWS {
            return Err(Gap::new(GapCause::Incomplete, format!("the attached table has more than {ROWS} rows")));
        }
        let cell = |at: usize| record.get(at).map(|cell| String::from_utf8_lossy(cell).into_owned()).unwrap_or_default();
        rows.push(Decision { member: cell(member), decision: cell(decision).to_lowercase() });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::{decisions, is_table};

    fn read(table: &[u8]) -> Vec<(String, String)> {
        decisions(table).expect("a table").into_iter().map(|row| (row.member, row.decision)).collect()
    }

    #[test]
    fn a_table_tells_who_was_decided_on() {
        let rows = read(b"\xef\xbb\xbfLogin,Team,Decision\r\nada,\"a, b\",Keep\r\nbo,x, remove \r\ngrace,x,\r\nkofi\r\n");
        let expected = [("ada", "keep"), ("bo", "remove"), ("grace", ""), ("kofi", "")];
        assert_eq!(rows, expected.map(|(member, decision)| (member.to_owned(), decision.to_owned())));
    }

    #[test]
    fn another_file_has_no_decisions() {
        for other in [b"".as_slice(), b"\x89PNG\xff", b"login,team\nada,x", b"only text"] {
            assert_eq!(read(other), [], "{other:?}");
        }
        let long = format!("login,decision\n{}", "a,keep\n".repeat(20_001));
        assert!(decisions(long.as_bytes()).is_err());
        assert!(is_table("Members.CSV") && !is_table(".csv") && !is_table("members.csv.gz"));
    }
}
