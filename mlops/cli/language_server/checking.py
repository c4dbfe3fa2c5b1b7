"""The process that checks one file for an editor: findings as JSON on standard output, with their mends.

python -m mlops.cli.language_server.checking FILE ENVIRONMENT
"""

from __future__ import annotations

import json
import sys

from mlops.check.reports.json import record
from mlops.declare.time_limit import owns_process
from mlops.ir import MlopsError, unheard
from mlops.use_cases.check import Check, look


def main() -> int:
    file, environment = sys.argv[1:]
    owns_process()
    try:
        found = look(Check((file,), environment), unheard).findings
    except MlopsError as error:
        print(f"{error.message}\n{error.hint or ''}".strip(), file=sys.stderr)
        return error.exit_code
    told = [
        {**record(finding), "edit": finding.edit and {"old": finding.edit.old, "new": finding.edit.new}}
        for finding in found
    ]
    print(json.dumps({"findings": told}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
