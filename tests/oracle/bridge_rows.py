"""Compile, check and plan files of the official SDK through the bridge, as ``mlops plan`` does; write what came out.

    python bridge_rows.py OUT.json FILE.py…

One process of ours for all files; each is composed in one of its own, as always.
"""

import json
import sys
from pathlib import Path

from mlops.cli.deploying import plan_targets
from mlops.emit.targets.definition_json import emit

if __name__ == "__main__":
    planned = plan_targets(sys.argv[2:], "local", suffix=None, aliases=(), changed_since=None, doing="plan")
    told = {
        checked.definition.where.file: {
            "definition": json.loads(emit(checked.definition)),
            "findings": [finding.code for finding in checked.findings if finding.severity.value != "info"],
            "uploads": len(checked.definition.assets),
            "plan": plan.verb,
        }
        for checked, plan in zip(planned.pipelines, planned.plans, strict=True)
    }
    Path(sys.argv[1]).write_text(json.dumps(told))
