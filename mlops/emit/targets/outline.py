"""The graph as an outline for a terminal: steps in their order, branches indented, with what each waits for."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.emit.drawing.graph import BRANCHES
from mlops.ir import Checked, Step
from mlops.ir.hiding import hide_value
from mlops.ir.target import Target


def emit(checked: Checked) -> str:
    definition = checked.definition
    lines = [definition.name or "pipeline"]
    for parameter in definition.parameters:
        default = f" = {hide_value(parameter.name, parameter.default)}" if parameter.has_default else " (required)"
        lines.append(f"  {parameter.type.lower()} {parameter.name}{default}")
    lines.extend(_steps(definition.steps, "", checked))
    return "\n".join(lines) + "\n"


def _steps(steps: Iterable[Step], indent: str, checked: Checked, around: str | None = None) -> Iterable[str]:
    listed = list(steps)
    for index, step in enumerate(listed):
        last = index == len(listed) - 1
        waits = sorted(checked.edges.get(step.name, frozenset()) - {around or ""}, key=checked.order.index)
        after = f"  <- {', '.join(waits)}" if waits else ""
        yield f"{indent}{'└─' if last else '├─'} {step.name} [{step.type}]{after}"
        deeper = indent + ("   " if last else "│  ")
        filled = [block for block in step.blocks if block.steps]
        for number, block in enumerate(filled):
            ends = number == len(filled) - 1
            yield f"{deeper}{'└─' if ends else '├─'} {BRANCHES.get(block.member, block.member)}"
            yield from _steps(block.steps, deeper + ("   " if ends else "│  "), checked, step.name)


TARGET = Target("TARGET as `mlops show` draws it: what each step waits for.", lambda source: emit(source.checked))
