"""A workbook as openpyxl reads it, held against the CSV files of the same report as Python's csv module reads them.

Usage: workbook.py WORKBOOK FOLDER
"""

import csv
import pathlib
import sys

import openpyxl

LIMIT = 32_767


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def units(text):
    return len(text.encode("utf-16-le")) // 2


def same(cell, text, where):
    assert cell.data_type in ("s", "n", "inlineStr"), f"{where} is of type {cell.data_type}"
    assert cell.hyperlink is None and cell.comment is None, f"{where} leads away"
    if cell.data_type == "n" and cell.value is not None:
        assert isinstance(cell.value, int), f"{where}: {cell.value!r} is no whole number"
    shown = "" if cell.value is None else str(cell.value)
    if units(text) <= LIMIT:
        assert shown == text, f"{where}: {shown!r} instead of {text!r}"
        return False
    kept, remark = shown.rsplit(" … [cut: ", 1)
    assert text.startswith(kept) and units(kept) > LIMIT - 100 and units(shown) <= LIMIT, f"{where} is cut otherwise"
    assert remark == f"{len(text)} characters in all, see the CSV file]", remark
    return True


def sheet_is(sheet, rows):
    assert sheet.max_row == len(rows) and sheet.max_column == len(rows[0]), f"{sheet.title}: {sheet.dimensions} for {len(rows)} lines"
    cut = 0
    for line, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            cut += same(sheet.cell(line, column), text, f"{sheet.title}, line {line}, {rows[0][column - 1]}")
    assert all(cell.font.bold for cell in sheet[1]), f"{sheet.title}: a header is not bold"
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref.startswith("A1:"), f"{sheet.title}: the header scrolls away"
    return cut


workbook = openpyxl.load_workbook(sys.argv[1])
folder = pathlib.Path(sys.argv[2])
about, *sheets = workbook.worksheets
told = [tuple("" if cell.value is None else str(cell.value) for cell in row) for row in about.iter_rows()]
assert about.title == "About" and told[0] == ("sheet", "item", "value"), told[0]
assert len(workbook.defined_names) == 0 and not workbook.vba_archive and not workbook._external_links
cells = len(told) * 3
for sheet in sheets:
    rows = table(folder / f"{sheet.title}.csv")
    cut = sheet_is(sheet, rows)
    cells += len(rows) * len(rows[0])
    of = [(item, value) for name, item, value in told if name == sheet.title]
    head = 1 + (cut > 0)
    assert of[0][0] == "holds" and of[0][1], of[0]
    assert cut == 0 or of[1] == ("cut_cells", f"{cut} texts end early: a cell takes 32,767 characters; {sheet.title}.csv has all of them"), of[1]
    facts = table(folder / f"{sheet.title}.ipe.csv")
    assert [list(row) for row in of[head:]] == facts[1:], f"{sheet.title}: other facts than its companion"
files = {path.name.removesuffix(".csv") for path in folder.glob("*.csv") if not path.name.endswith(".ipe.csv")}
assert files == {sheet.title for sheet in sheets}, files
print(f"{len(sheets)} sheets, {cells} cells, created {workbook.properties.created:%Y-%m-%dT%H:%M:%SZ}")
for name, item, value in told[1:]:
    if name == "":
        print(f"{item}: {value}")
