"""A state machine of Step Functions: the pipeline, or the promotion of what it registers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlops.emit.states.machine import LARGEST_BYTES, Written, written
from mlops.emit.states.needs import machine_needs, promotion_needs
from mlops.emit.states.promotion import promotion_machine
from mlops.emit.states.stack import machine_template
from mlops.ir import UsageError
from mlops.ir.target import Choice, Further, Source, Target

_TEMPLATE = "cloudformation"


def _machine(source: Source) -> Written:
    partition = source.around().partition
    if source.further is None:
        return written(source.checked, partition)
    promoted = source.beside().promoted(source.further or None)
    return Written(promotion_machine(promoted, partition), promoted.notes)


def _write(source: Source) -> str:
    machine = _machine(source).machine
    text = json.dumps(machine, indent=2, ensure_ascii=False)
    if len(text.encode()) > LARGEST_BYTES:
        raise UsageError(
            f"the machine has {len(text.encode()):,} bytes, and Step Functions takes {LARGEST_BYTES:,}",
            hint="divide the pipeline",
        )
    return f"{text}\n" if source.chosen != _TEMPLATE else f"{json.dumps(_template(source, machine), indent=2)}\n"


def _template(source: Source, machine: Any) -> Any:
    around = source.around()
    name = source.checked.definition.name or "pipeline"
    if source.further is None:
        return machine_template(machine, name, machine_needs(source.checked, around), around)
    promoted = source.beside().promoted(source.further or None)
    return machine_template(machine, f"{promoted.group}-promotion", promotion_needs(promoted, around), around)


def _notes(source: Source) -> Iterator[str]:
    yield from _machine(source).notes


TARGET = Target(
    "TARGET as a state machine of Step Functions.",
    _write,
    Choice("--as", ("json", _TEMPLATE), "The machine's definition, or a template with it and its role."),
    notes=_notes,
    further=Further(
        "--promotion",
        "GROUP",
        "The promotion that is declared for the environment instead, of the GROUP in which the pipeline registers; it "
        "may be left out behind TARGET where that is one.",
    ),
)
