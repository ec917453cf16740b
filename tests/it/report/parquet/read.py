"""Parquet files as DuckDB and pyarrow read them, each by itself.

read.py tables FOLDER: held against the CSV files of the same report, cell by cell, and against texts.json, which has some columns as they came. Prints the schemas.
read.py verdicts FOLDER: parquet/verdicts held against expected.json, row by row.
"""

import csv
import datetime
import json
import pathlib
import re
import sys

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

FOLDER = pathlib.Path(sys.argv[2])
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
ESCAPES = {"\t": "\\t", "\r": "\\r", "\n": "\\n"}
BIGQUERY_NAME = re.compile("[a-z_][a-z0-9_]{0,299}")
BIGQUERY_PREFIXES = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")
KINDS = {"string": "VARCHAR", "int64": "BIGINT", "bool": "BOOLEAN", "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE", "date32[day]": "DATE"}


def visible(text):
    return UNSEEN.sub(lambda match: ESCAPES.get(match[0], f"\\u{{{ord(match[0]):x}}}"), text)


def shown(value, kind):
    """As CSV has it."""
    if value is None:
        return ""
    if kind == "bool":
        return {True: "yes", False: "no"}[value]
    if kind.startswith("timestamp"):
        return datetime.datetime.fromtimestamp(value // 1_000_000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind.startswith("date"):
        return value.isoformat()
    if kind == "int64":
        return str(value)
    assert isinstance(value, str) and value != "", f"{value!r}: nothing is NULL"
    first = re.sub(rf"^(?:\s|{UNSEEN.pattern})+", "", value)[:1]
    acts = value[0] in "\t\r\n" or first in tuple("=+-@＝＋－＠\u2212")
    return ("'" if acts else "") + visible(value)


def by_pyarrow(path):
    table = pq.read_table(path, partitioning=None)
    columns = [column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in table.columns]
    schema = [(field.name, str(field.type)) for field in table.schema]
    return schema, [list(row) for row in zip(*(column.to_pylist() for column in columns))], pq.read_metadata(path)


def by_duckdb(path):
    relation = duckdb.sql(f"from read_parquet('{path}', hive_partitioning = false)")
    names = [name if str(kind) != "TIMESTAMP WITH TIME ZONE" else f'epoch_us("{name}")' for name, kind in zip(relation.columns, relation.types)]
    names = [name if name.startswith("epoch_us") else f'"{name}"' for name in names]
    rows = duckdb.sql(f"select {', '.join(names)} from relation").fetchall()
    return [(name, str(kind)) for name, kind in zip(relation.columns, relation.types)], [list(row) for row in rows]


def footer(path, metadata):
    arrow = {key.decode(): value.decode() for key, value in (metadata.metadata or {}).items() if key.startswith(b"ipe.")}
    duck = duckdb.sql(f"select key, value from parquet_kv_metadata('{path}')").fetchall()
    assert sorted((bytes(key).decode(), bytes(value).decode()) for key, value in duck) == sorted(arrow.items()), f"{path}: two footers"
    return arrow


def facts_are(facts, companion, where):
    """The facts of the CSV file, but for what is about its bytes."""
    told = {}
    for item, value in companion:
        told.setdefault(f"ipe.{item}", []).append(value)
    for item in ("ipe.file", "ipe.sha256", "ipe.encoding", "ipe.safety"):
        del told[item]
    assert told.keys() == facts.keys() - {"ipe.file", "ipe.encoding"}, (where, told.keys() ^ facts.keys())
    for item, values in told.items():
        expected = "\\n".join(value.removeprefix("'") for value in values)
        assert visible(facts[item]) == expected, f"{where}, {item}: {facts[item]!r} instead of {values!r}"


def table_is(path):
    name = path.stem
    schema, rows, metadata = by_pyarrow(path)
    duck_schema, duck_rows = by_duckdb(path)
    assert duck_rows == rows, f"{name}: two readings"
    assert duck_schema == [(column, KINDS[kind]) for column, kind in schema], f"{name}: {duck_schema}"
    with open(FOLDER / f"{name}.csv", encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file, strict=True)
    assert [column for column, _ in schema] == header, f"{name}: {schema}"
    assert len(rows) == len(lines), f"{name}: {len(rows)} rows instead of {len(lines)}"
    for number, (row, line) in enumerate(zip(rows, lines)):
        for (column, kind), value, text in zip(schema, row, line, strict=True):
            assert shown(value, kind) == text, f"{name}, row {number}, {column}: {value!r} instead of {text!r}"
    for column, _ in schema:
        assert BIGQUERY_NAME.fullmatch(column) and not column.startswith(BIGQUERY_PREFIXES), f"{name}: BigQuery takes no column {column}"
    facts = footer(path, metadata)
    assert facts["ipe.file"] == f"parquet/{path.name}" and facts["ipe.rows"] == str(len(rows)), facts
    with open(FOLDER / f"{name}.ipe.csv", encoding="utf-8", newline="") as file:
        facts_are(facts, list(csv.reader(file, strict=True))[1:], name)
    return schema, rows


def tables():
    texts = json.loads((FOLDER / "texts.json").read_text())
    schemas, cells = {}, 0
    for path in sorted((FOLDER / "parquet").glob("*.parquet")):
        schemas[path.stem], rows = table_is(path)
        cells += len(rows) * len(schemas[path.stem])
        for column, expected in texts.get(path.stem, {}).items():
            place = [name for name, _ in schemas[path.stem]].index(column)
            found = [row[place] for row in rows]
            assert found == [text or None for text in expected], f"{path.stem}, {column}: {found} instead of {expected}"
    files = {path.stem for path in FOLDER.glob("*.csv") if not path.name.endswith(".ipe.csv")}
    assert files == schemas.keys(), files ^ schemas.keys()
    print(json.dumps({"cells": cells, "schemas": schemas}))


def verdicts():
    expected = json.loads((FOLDER / "expected.json").read_text())
    columns = "control_id, test, resource_kind, resource_id, resource_name, run_id, epoch_us(shown_at), verdict, since_run, evaluation_sha256"
    every = duckdb.sql(f"from read_parquet('{FOLDER}/parquet/verdicts/*/*.parquet', hive_partitioning = true)")
    order = "order by month, control_id, test, resource_id, shown_at, run_id"
    duck = [list(row) for row in every.query("every", f"select month, {columns} from every {order}").fetchall()]
    assert duck == expected["rows"], [pair for pair in zip(duck, expected["rows"]) if pair[0] != pair[1]][:3] or (len(duck), len(expected["rows"]))
    paths = sorted((FOLDER / "parquet/verdicts").glob("month=*/*.parquet"))
    whole = pyarrow.dataset.dataset(paths, partitioning="hive", partition_base_dir=str(FOLDER / "parquet/verdicts"))
    assert sorted(whole.to_table(columns=["month"])["month"].to_pylist()) == [row[0] for row in duck], "other partitions"
    for month in expected["months"]:
        path = FOLDER / f"parquet/verdicts/month={month}/verdicts.parquet"
        schema, rows, metadata = by_pyarrow(path)
        duck_schema, duck_rows = by_duckdb(path)
        assert rows == duck_rows == [row[1:] for row in expected["rows"] if row[0] == month], f"{month}: not in that order"
        assert duck_schema == [(column, KINDS[kind]) for column, kind in schema]
        facts = footer(path, metadata)
        assert facts["ipe.rows"] == str(len(rows)) and facts["ipe.parameter.month"] == month, facts
        runs = {line.split(",")[0] for line in facts.get("ipe.source.run", "").split("\n") if line}
        assert runs == set(expected["runs"][month]), (month, runs)
        assert facts["ipe.file"] == str(path.relative_to(FOLDER)) and facts["ipe.query"] and facts["ipe.parameter.time_zone"], facts
        encodings = {encoding for group in range(metadata.num_row_groups) for place in range(len(schema)) for encoding in metadata.row_group(group).column(place).encodings}
        assert not rows or encodings & {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}, encodings
    found = {path.parent.name for path in paths}
    assert found == {f"month={month}" for month in expected["months"]}, found
    print(len(duck), "rows")


{"tables": tables, "verdicts": verdicts}[sys.argv[1]]()
