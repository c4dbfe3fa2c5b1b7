"""A state machine of Step Functions: the pipeline, or the promotion of what it registers."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops.emit.states.emitted import machine, template
from mlops.ir import UsageError
from mlops.ir.placeholders import LOCAL_ACCOUNT
from mlops.ir.target import Choice, Further, Source, Target

_TEMPLATE = "cloudformation"


def _write(source: Source) -> str:
    if source.chosen != _TEMPLATE:
        return json.dumps(machine(source, source.further).machine, indent=2, ensure_ascii=False) + "\n"
    around = source.around()
    if LOCAL_ACCOUNT in (around.account, around.role.split(":")[4]):
        raise UsageError(
            f"a template is of an account, and the {around.environment} environment has none",
            hint="choose an environment of mlops.toml with --env",
        )
    return json.dumps(template(source, source.further), indent=2, ensure_ascii=False) + "\n"


def _notes(source: Source) -> Iterator[str]:
    yield from machine(source, source.further).notes


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
