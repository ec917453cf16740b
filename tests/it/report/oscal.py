"""Assessment results as compliance-trestle's models of OSCAL read them, which refuse what they do not know; and what they write of it is what was read.

Usage: oscal.py FILE
"""

import datetime
import json
import pathlib
import sys

from trestle.oscal.assessment_results import AssessmentResults


def plain(value):
    """The same with instants as such, since they may be spelt in several ways."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, str) and len(value) >= 20 and value[4] == "-" and "T" in value:
        try:
            return datetime.datetime.fromisoformat(value).astimezone(datetime.UTC)
        except ValueError:
            return value
    return value


path = pathlib.Path(sys.argv[1])
results = AssessmentResults.oscal_read(path)
assert results is not None, "it cannot be read"
assert plain(json.loads(results.oscal_serialize_json())) == plain(json.loads(path.read_text(encoding="utf-8"))), "something was lost"
(result,) = results.results
print(f"{len(result.observations or [])} observations, {len(result.risks or [])} risks, {len(result.findings or [])} findings")
