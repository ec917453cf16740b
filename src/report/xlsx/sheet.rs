//! One table as a sheet: its header line stays in sight and filters, long text wraps, and what Excel cannot take is cut where that shows.
//!
//! Excel refuses a file with a text of more than 32,767 UTF-16 units in a cell, and a sheet ends at row 1,048,576
//! (<https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3>).

use std::borrow::Cow;

use rust_xlsxwriter::{Format, FormatAlign, Worksheet, XlsxError};

use crate::report::table::Table;
use crate::report::table::cell::Cell;

/// How much a sheet takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Rows, the header line among them.
    rows: usize,
    /// UTF-16 units of one text.
    text: usize,
}

/// What Excel takes.
pub(crate) const EXCEL: Limits = Limits { rows: 1_048_576, text: 32_767 };

/// Spreadsheets show 15 digits of a number; what has more stays text.
const EXACT: i64 = 999_999_999_999_999;

/// A column is as wide as its first rows, within these many characters.
const WIDTHS: (usize, usize) = (10, 60);
const MEASURED_ROWS: usize = 100;

/// What did not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Rows that did.
    pub(crate) shown: usize,
    /// Rows that did not, the last of the table.
    pub(crate) rows: usize,
    /// Texts that end early.
    pub(crate) cells: usize,
}

/// Writes a table into an empty sheet.
///
/// # Errors
/// Where the sheet refuses something all the same.
pub(crate) fn fill(sheet: &mut Worksheet, table: &Table<'_>, limits: Limits) -> Result<Cut, XlsxError> {
    sheet.set_name(&table.name)?;
    let heading = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
    let body = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    let first: Vec<Vec<Cell>> = table.rows.iter().take(MEASURED_ROWS).collect();
    for (column, (name, _kind)) in (0..).zip(table.columns) {
        sheet.set_column_width(column, width(name, first.iter().filter_map(|row| row.get(usize::from(column)))))?;
        sheet.set_column_format(column, &body)?;
        sheet.write_string_with_format(0, column, *name, &heading)?;
    }
    let mut cut = Cut::default();
    let mut last_row = 0;
    for (row, cells) in (1..).zip(table.rows.iter()) {
        if cut.shown + 1 == limits.rows {
            cut.rows += 1;
            continue;
        }
        for (column, cell) in (0..).zip(&cells) {
            cut.cells += usize::from(write(sheet, (row, column), cell, limits)?);
        }
        cut.shown += 1;
        last_row = row;
    }
    sheet.set_freeze_panes(1, 0)?;
    if let Some(last) = table.columns.len().checked_sub(1).and_then(|last| u16::try_from(last).ok()) {
        sheet.autofilter(0, 0, last_row, last)?;
    }
    Ok(cut)
}

/// True where the text had to end early.
fn write(sheet: &mut Worksheet, (row, column): (u32, u16), cell: &Cell, limits: Limits) -> Result<bool, XlsxError> {
    if let Some(number) = cell.as_number().and_then(|number| i64::try_from(number).ok()).filter(|number| (-EXACT..=EXACT).contains(number)) {
        sheet.write(row, column, number)?;
        return Ok(false);
    }
    let shown = cell.shown();
    let fitting = fitting(&shown, limits.text);
    let is_cut = matches!(fitting, Cow::Owned(_));
    sheet.write_string(row, column, fitting)?;
    Ok(is_cut)
}

/// The text, or as much of it as fits before a remark that it is not all.
fn fitting(text: &str, limit: usize) -> Cow<'_, str> {
    // No text has more UTF-16 units than bytes.
    if text.len() <= limit || text.encode_utf16().count() <= limit {
        return Cow::Borrowed(text);
    }
    let remark = format!(" … [cut: {} characters in all, see the CSV file]", text.chars().count());
    let room = limit.saturating_sub(remark.encode_utf16().count());
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= room
    };
    let kept: String = text.chars().take_while(fits).collect();
    Cow::Owned(kept + &remark)
}

fn width<'a>(name: &str, cells: impl Iterator<Item = &'a Cell>) -> u16 {
    let (least, most) = WIDTHS;
    let longest = cells.map(|cell| cell.shown().chars().take(most).count()).max().unwrap_or(0);
    // Room for the arrow of the filter.
    u16::try_from(longest.max(name.len() + 3).clamp(least, most)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::Workbook;

    use super::{Cut, EXCEL, Limits, fill, fitting};
    use crate::report::table::Kind::{Number, Text};
    use crate::report::table::Table;
    use crate::report::table::cell::{number, text};

    fn table<'a>(rows: usize) -> Table<'a> {
        Table {
            name: "some".to_owned(),
            query: "some rows",
            columns: &[("name", Text), ("n", Number)],
            rows: (0..rows).map(|n| vec![text("x".repeat(n)), number(7)]).collect(),
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_and_counted() {
        let cases = [
            (4, 100, Cut { shown: 3, rows: 0, cells: 0 }),
            (3, 100, Cut { shown: 2, rows: 1, cells: 0 }),
            (2, 100, Cut { shown: 1, rows: 2, cells: 0 }),
            (4, 1, Cut { shown: 3, rows: 0, cells: 1 }),
        ];
        for (rows, text, cut) in cases {
            let mut workbook = Workbook::new();
            assert_eq!(fill(workbook.add_worksheet(), &table(3), Limits { rows, text }).expect("written"), cut, "{rows} {text}");
        }
    }

    #[test]
    fn a_long_text_ends_at_excels_limit_and_says_so() {
        let fits = "é".repeat(EXCEL.text);
        assert_eq!(fitting(&fits, EXCEL.text), fits);
        for long in ["é".repeat(EXCEL.text + 1), "😀".repeat(20_000), "a".repeat(1_000_000)] {
            let kept = fitting(&long, EXCEL.text);
            let units = kept.encode_utf16().count();
            assert!(units == EXCEL.text || units == EXCEL.text - 1, "{units}");
            assert!(kept.ends_with(&format!(" … [cut: {} characters in all, see the CSV file]", long.chars().count())), "{}", &kept[kept.len() - 80..]);
        }
    }
}
