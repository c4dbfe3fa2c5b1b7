"""Write ``arguments.md`` from the fields of all constructors; ``--check`` fails where it is stale."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mlops.declare.argument_members import default, members, records
from mlops.declare.constructors import constructors
from mlops.ir.fields import Field

PAGE = Path(__file__).resolve().parent / "arguments.md"

HEAD = """\
# Where arguments go

Each argument of a constructor and the member of the request that it becomes, by its path. One that begins with `/` is a
member of the step itself, not of its `Arguments`. Where nothing is said of the default, the member is left out. What
has no argument goes into `arguments={…}` and `members={…}`. Made by `docs/write_arguments.py` from the fields in
`mlops/declare/steps/`; do not edit.
"""


def page() -> str:
    lines, met = [HEAD + "\n## Steps"], dict[str, list[Field]]()
    for constructor in sorted(constructors(), key=lambda item: item.name):
        lines += ["", f"### {constructor.name}", "", *_table(constructor.fields)]
        for record in records(constructor.fields):
            fields = met.setdefault(record.name, [])
            fields += [
                field for field in record.in_order if field.name and field[:4] not in [has[:4] for has in fields]
            ]
    lines += ["", "## Records", "", "Their paths begin at the object that the record stands for."]
    for name, fields in sorted(met.items()):
        lines += ["", f"### {name}", "", *_table(fields)]
    return "\n".join(lines) + "\n"


def _table(fields: Sequence[Field]) -> list[str]:
    named: dict[str, list[Field]] = {}
    for field in fields:
        if field.name:
            named.setdefault(field.name, []).append(field)
    rows = [f"| `{name}` | {', '.join(members(found))} | {default(found[-1])} |" for name, found in named.items()]
    return ["| Argument | Member | Default |", "|---|---|---|", *rows]


if __name__ == "__main__":
    from generated import written

    sys.exit(written(PAGE, page(), "write_arguments.py"))
