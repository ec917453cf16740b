//! `projects` and `due_field` under `[github]`: the boards that say where work stands.
//!
//! Left out: whether there is such a board; GitHub answers that.

use std::collections::BTreeSet;

use toml::de::DeValue;

use crate::catalog::page::{Node, Page, Section, shown};
use crate::catalog::suggest;
use crate::catalog::value;
use crate::model::{Board, Boards};

/// Reads them. Boards are numbered anew in each organisation, so that a number alone says enough only where there is one organisation.
pub(super) fn read(page: &mut Page<'_>, section: &Section<'_, '_>, organizations: &[String]) -> Boards {
    let mut boards = Boards::default();
    if let Some(items) = section.get("projects").and_then(|node| value::list(page, node, "projects")) {
        let named: BTreeSet<Board> = items.filter_map(|item| board(page, item, organizations)).collect();
        boards.projects = named.into_iter().collect();
    }
    if let Some(name) = section.get("due_field").and_then(|node| value::line(page, node, "due_field")) {
        boards.due_field = name.into_owned();
    }
    boards
}

fn board(page: &mut Page<'_>, node: Node<'_, '_>, organizations: &[String]) -> Option<Board> {
    if !matches!(node.get_ref(), DeValue::String(_)) {
        let number = value::number(page, node, "projects", 1..=2_147_483_647)?;
        if organizations.len() > 1 {
            let help = format!("write \"{}/{number}\", or whichever organisation it is", organizations.first().map_or("acme", String::as_str));
            page.error(node.span(), format!("of which organisation is board {number}? each counts its own"), help);
        }
        return Some(Board::from(number));
    }
    let given = value::line(page, node, "projects")?;
    let Ok(board) = given.parse::<Board>() else {
        let help = "write its number, as its address ends in it, or organisation and number, e.g. \"acme/220\"";
        page.error(node.span(), format!("\"{}\" is no board", shown(&given)), help.to_owned());
        return None;
    };
    let owner = board.organization.as_deref().unwrap_or_default();
    let Some(organization) = organizations.iter().find(|known| known.eq_ignore_ascii_case(owner)) else {
        let known: Vec<&str> = organizations.iter().map(String::as_str).collect();
        page.error(node.span(), format!("\"{}\" is none of the organisations under [github]", shown(owner)), suggest::did_you_mean(owner, &known));
        return None;
    };
    // Where there is one organisation, both ways to write it are the same.
    Some(if organizations.len() == 1 { Board::from(board.number) } else { Board { organization: Some(organization.clone()), ..board } })
}
