"""Write ``faults.md`` from the catalogue in ``tests/check/fault_catalogue.py``; ``--check`` fails where it is stale."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE / "faults.md"

HEAD = """\
# Known faults, and who tells them

What SageMaker refuses, or lets fail after minutes that are paid for, and the code of `mlops check` that says so before.
`mlops explain CODE` tells more. Made by `docs/write_faults.py` from `tests/check/fault_catalogue.py`, whose definitions
prove each row; do not edit.
"""


def page() -> str:
    sys.path.insert(0, str(HERE.parent / "tests" / "check"))
    from fault_catalogue import FAULTS, GROUPS

    from mlops.check.plugged import all_rules
    from mlops.declare.mistakes import MISTAKES
    from mlops.ir.reader import FAULTS as READING

    names = {rule.code: rule.name for rule in all_rules()}
    names |= {code: mistake.name for code, mistake in MISTAKES.items()} | {
        code: name for code, (name, _) in READING.items()
    }
    told = sum(fault.changes is not None for fault in FAULTS)
    lines = [HEAD, f"{len(FAULTS)} faults; {told} are told from the definition alone."]
    for letter, title in GROUPS.items():
        lines += ["", f"## {title}", "", "| | Fault | Told as |", "|---|---|---|"]
        for fault in FAULTS:
            if fault.id.startswith(letter):
                code = f"{fault.code} {names[fault.code]}" if fault.code else "not offline"
                why = f": {fault.reason}" if fault.reason else ""
                lines.append(f"| {fault.id} | {fault.what} | {code}{why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from generated import written

    sys.exit(written(PAGE, page(), "write_faults.py"))
