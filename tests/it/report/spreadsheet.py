"""What LibreOffice Calc makes of CSV files when it opens them, held against what Python's csv module reads.

Usage: spreadsheet.py FOLDER CONVERTED, where CONVERTED holds a workbook for each CSV file, as `soffice --convert-to xlsx` writes it.
"""

import csv
import datetime
import pathlib
import sys

import openpyxl

LIMIT = 32_767


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def is_number(value, text):
    try:
        return float(text) == value
    except ValueError:
        return False


def same(cell, text, where):
    assert cell.data_type not in ("f", "e"), f"{where} acts: {cell.value!r} of {text!r}"
    assert cell.hyperlink is None, f"{where} leads away"
    value = cell.value
    if isinstance(value, bool):
        return str(value).lower() == text.lower()
    # Calc takes a name like 1e5 for the number that it is.
    if isinstance(value, (int, float)):
        return is_number(value, text)
    if isinstance(value, datetime.datetime):
        # Instants are UTC and end in Z, which makes them text; days are days.
        return value.isoformat() == f"{text}T00:00:00"
    shown, text = (value or "").replace("\r\n", "\n"), text.replace("\r\n", "\n").replace("\r", "\n")
    return shown == text or (len(text.encode("utf-16-le")) // 2 > LIMIT and shown and text.startswith(shown))


folder, converted = map(pathlib.Path, sys.argv[1:])
files = sorted(folder.glob("*.csv"))
cells = 0
for path in files:
    rows = table(path)
    workbook = openpyxl.load_workbook(converted / f"{path.stem}.xlsx")
    assert not workbook._external_links and len(workbook.worksheets) == 1, path.name
    sheet = workbook.worksheets[0]
    assert sheet.max_row == len(rows) and sheet.max_column <= len(rows[0]), f"{path.name}: {sheet.dimensions} for {len(rows)} lines"
    for line, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            where = f"{path.name}, line {line}, {rows[0][column - 1]}"
            cell = sheet.cell(line, column)
            assert same(cell, text, where), f"{where}: {cell.value!r} instead of {text!r}"
            cells += 1
print(f"{len(files)} files, {cells} cells")
