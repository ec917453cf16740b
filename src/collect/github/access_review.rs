//! The decisions of an access review, as an attached table tells them: who was looked at, where, and what was decided. Pure; tables are written by anybody.
//!
//! Left out: whether everybody is in the table (`reviewed_access`).

use crate::collect::github::answer::Fact;
use crate::model::{Gap, GapCause};

/// Rows that are read of one table.
const ROWS: usize = 20_000;
/// The longest name of an account that GitHub gives, with room to spare.
const LOGIN: usize = 64;
/// Names of columns, the best one first.
const MEMBER: &[&str] = &["login", "member", "username", "user", "account"];
const DECISION: &[&str] = &["decision", "result"];
const TEAM: &[&str] = &["team", "group"];
const SYSTEM: &[&str] = &["system", "application", "service"];
const ORGANIZATION: &[&str] = &["organization", "organisation", "org"];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whose access, as it is written.
    pub member: String,
    /// What was decided, in lower case; empty where nothing was.
    pub decision: String,
    /// Access to what.
    pub access: Access,
}

/// What somebody has access to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// The organisation in whose repository the review is.
    Organization,
    /// A team of it, by its name in URLs.
    Team(String),
    /// Something else, by what the row calls it.
    Elsewhere(String),
}

/// The name of the account that a cell means, in small letters, as GitHub does not tell `Ada` from `ada`; none where no account can have such a name.
#[must_use]
pub fn login(member: &str) -> Option<String> {
    let name = unguarded(member.trim()).trim_start_matches('@');
    let is_name = (1..=LOGIN).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_name.then(|| name.to_ascii_lowercase())
}

/// A cell without the quote that programs put before what a spreadsheet would take for a formula.
fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(cell)
}

/// True for names of files that are read.
#[must_use]
pub fn is_table(name: &str) -> bool {
    name.len() > 4 && name.to_ascii_lowercase().ends_with(".csv")
}

/// The rows of a table (RFC 4180, with a header; commas, semicolons or tabs between cells) of an organisation's review that has a column for the member and one
/// for the decision; nothing where it has not.
///
/// # Errors
/// It has too many rows, or a row that cannot be read.
pub fn decisions(table: &[u8], organization: &str) -> Fact<Vec<Decision>> {
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let unreadable = |error: csv::Error| Gap::new(GapCause::Malformed, format!("the attached table cannot be read: {error}"));
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).delimiter(delimiter(table)).from_reader(table);
    let header = reader.byte_headers().map_err(unreadable)?.clone();
    let column = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|cell| cell.eq_ignore_ascii_case(name.as_bytes())));
    let (Some(member), Some(decision)) = (column(MEMBER), column(DECISION)) else { return Ok(Vec::new()) };
    let (team, system, owner) = (column(TEAM), column(SYSTEM), column(ORGANIZATION));
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(unreadable)?;
        if rows.len() >= ROWS {
            return Err(Gap::new(GapCause::Incomplete, format!("the attached table has more than {ROWS} rows")));
        }
        let cell = |at: usize| record.get(at).map(|cell| String::from_utf8_lossy(cell).into_owned()).unwrap_or_default();
        let [team, system, owner] = [team, system, owner].map(|at| at.map(cell).unwrap_or_default());
        let access = access([&team, &system, &owner], organization);
        rows.push(Decision { member: cell(member), decision: cell(decision).to_lowercase(), access });
    }
    Ok(rows)
}

/// What stands between the cells: whichever of the three the header has most of.
fn delimiter(table: &[u8]) -> u8 {
    let header = table.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// What a row is about, by its cells for the team, the system and the organisation. One that names none of them is about the organisation of the review.
fn access([team, system, owner]: [&str; 3], organization: &str) -> Access {
    if !system.is_empty() && !system.to_ascii_lowercase().starts_with("github") {
        return Access::Elsewhere(system.to_lowercase());
    }
    if !owner.is_empty() && !owner.eq_ignore_ascii_case(organization) {
        return Access::Elsewhere(owner.to_lowercase());
    }
    let team = unguarded(team).trim_start_matches('@').to_lowercase();
    let (of, name) = team.rsplit_once('/').unwrap_or((organization, &team));
    if team.is_empty() {
        Access::Organization
    } else if name.contains('@') || !of.eq_ignore_ascii_case(organization) {
        Access::Elsewhere(team)
    } else {
        Access::Team(name.split_whitespace().collect::<Vec<_>>().join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, decisions, is_table, login};

    fn read(table: &[u8]) -> Vec<(String, String)> {
        decisions(table, "acme").expect("a table").into_iter().map(|row| (row.member, row.decision)).collect()
    }

    #[test]
    fn a_table_tells_who_was_decided_on() {
        let rows = read(b"\xef\xbb\xbfLogin,Role,Decision\r\nada,\"a, b\",Keep\r\nbo,x, remove \r\ngrace,x,\r\nkofi\r\n");
        let expected = [("ada", "keep"), ("bo", "remove"), ("grace", ""), ("kofi", "")];
        assert_eq!(rows, expected.map(|(member, decision)| (member.to_owned(), decision.to_owned())));
    }

    #[test]
    fn spreadsheets_write_tables_in_other_ways() {
        let expected = [("ada".to_owned(), "keep".to_owned())];
        assert_eq!(read(b"user;login;decision\nAda Lovelace, Countess;ada;keep\n"), expected, "the account is meant, not how it is called");
        assert_eq!(read(b"login\tresult\nada\tKEEP\n"), expected);
        assert_eq!(read(b"\"login\",\"decision\"\n\"a\"\"d\na\",keep\n"), [("a\"d\na".to_owned(), "keep".to_owned())], "a quote and a new line in a cell");
    }

    #[test]
    fn a_row_says_what_it_is_about() {
        let table = b"org,system,team,member,result\n,,,a,keep\nACME,GitHub,,a,keep\n,,@acme/Cloud DevOps,a,keep\n,,cloud-devops,a,keep\n,Grafana,x,a,keep\n\
            beta,,ops,a,keep\n,,beta/ops,a,keep\n,,devops@acme.example,a,keep\n,,'@acme/ops,a,keep\n";
        let rows: Vec<Access> = decisions(table, "acme").expect("a table").into_iter().map(|row| row.access).collect();
        let (team, elsewhere) = (|name: &str| Access::Team(name.to_owned()), |name: &str| Access::Elsewhere(name.to_owned()));
        let (devops, mail) = (team("cloud-devops"), elsewhere("devops@acme.example"));
        let of_us = [Access::Organization, Access::Organization, devops.clone(), devops];
        let others = [elsewhere("grafana"), elsewhere("beta"), elsewhere("beta/ops"), mail, team("ops")];
        assert_eq!(rows, of_us.into_iter().chain(others).collect::<Vec<_>>());
    }

    #[test]
    fn names_of_accounts_are_told_from_other_texts() {
        for (cell, name) in [("Ada", "ada"), ("@bo-1", "bo-1"), ("'@bo-1", "bo-1"), ("ada_acme", "ada_acme")] {
            assert_eq!(login(cell).as_deref(), Some(name), "{cell}");
        }
        for cell in ["", "@", "=cmd|' /C calc'!A0", "ada@acme.example", "Ada Lovelace", "\u{430}da", &"a".repeat(65), "../x"] {
            assert_eq!(login(cell), None, "{cell}");
        }
    }

    #[test]
    fn another_file_has_no_decisions() {
        for other in [b"".as_slice(), b"\x89PNG\xff", b"login,team\nada,x", b"only text"] {
            assert_eq!(read(other), [], "{other:?}");
        }
        let long = format!("login,decision\n{}", "a,keep\n".repeat(20_001));
        assert!(decisions(long.as_bytes(), "acme").is_err());
        assert!(is_table("Members.CSV") && !is_table(".csv") && !is_table("members.csv.gz"));
    }
}
