"""Three questions to the verdicts of a report, asked of DuckDB: python duckdb_questions.py FOLDER, which holds month=*/verdicts.parquet.

Prints one JSON document: answers, seconds of each, and the peak memory of this process.
"""

import hashlib
import json
import resource
import sys
import time

import duckdb

VERDICTS = f"read_parquet('{sys.argv[1]}/*/*.parquet', hive_partitioning = true)"

# The status of each control on each day.
STANDINGS = f"""
select control_id, epoch_us(shown_at) // 86400000000 as day,
    case when bool_or(verdict = 'fail') then 'fail' when bool_or(verdict = 'undetermined') then 'undetermined' else 'pass' end as status
from {VERDICTS} group by all order by all
"""

# What failed when it was last told.
OPEN = f"""
select count(*) from (
    select arg_max(verdict, shown_at) as last from {VERDICTS} where verdict <> 'undetermined' group by control_id, test, resource_id
) where last in ('fail', 'waived')
"""

# From the first run that saw a failure to the first that saw it good; a run that could not tell neither begins nor ends it.
CURED = """
with told as (
    select shown_at, verdict in ('fail', 'waived') as fails,
        lag(verdict in ('fail', 'waived'), 1, false) over track as failed, control_id, test, resource_id
    from {rows} where verdict <> 'undetermined' window track as (partition by control_id, test, resource_id order by shown_at)
), turns as (
    select *, lag(shown_at) over (partition by control_id, test, resource_id order by shown_at) as first_seen from told where fails <> failed
)
select count(*), coalesce(sum(epoch_us(shown_at) - epoch_us(first_seen)), 0) // 1000000 from turns where not fails
"""


def timed(answers, name, ask):
    started = time.perf_counter()
    answer = ask()
    answers[name] = answer
    answers["seconds"][name] = round(time.perf_counter() - started, 3)


def standings():
    lines = "".join(f"{control} {day} {status}\n" for control, day, status in duckdb.sql(STANDINGS).fetchall())
    return hashlib.sha256(lines.encode()).hexdigest()


answers = {"seconds": {}}
timed(answers, "standings", standings)
timed(answers, "open", lambda: duckdb.sql(OPEN).fetchall()[0][0])
# A row whose run is the one from which on its verdict is said is where something changed: no others need to be put in order.
timed(answers, "cured", lambda: [int(number) for number in duckdb.sql(CURED.format(rows=f"(from {VERDICTS} where run_id = since_run)")).fetchall()[0]])
timed(answers, "cured_of_all_rows", lambda: [int(number) for number in duckdb.sql(CURED.format(rows=VERDICTS)).fetchall()[0]])
answers["rows"] = duckdb.sql(f"select count(*) from {VERDICTS}").fetchall()[0][0]
answers["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
print(json.dumps(answers))
