"""Compile, check and plan files of the official SDK through the bridge, as ``mlops plan`` does; write what came out.

    python bridge_rows.py OUT.json FILE.py…

One process of ours for all files; each is composed in one of its own, as always.
"""

import json
import sys
from pathlib import Path

from mlops.emit.targets.definition_json import emit
from mlops.use_cases.plan import Wanted, plan

if __name__ == "__main__":
    planned = plan(Wanted(tuple(sys.argv[2:])), lambda event: None)
    told = {
        checked.definition.where.file: {
            "definition": json.loads(emit(checked.definition)),
            "findings": [finding.code for finding in checked.findings if finding.severity.value != "info"],
            "uploads": len(checked.definition.assets),
            "plan": one.verb,
        }
        for checked, one in zip(planned.pipelines, planned.plans, strict=True)
    }
    Path(sys.argv[1]).write_text(json.dumps(told))
