"""The template of a source, before it is spelt: its stack, and the machine where one is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.execution import unknown_needs
from mlops.emit.stacks.stack import Stack
from mlops.ir import UsageError
from mlops.ir.target import Further, Source

_PIPELINE, _PROMOTION = "", "promotion"
MACHINE = Further(
    "--machine",
    "promotion",
    "Also the pipeline as a state machine of Step Functions with its role, or, as `promotion`, the promotion that "
    "is declared.",
)


def template(source: Source, *, inline: bool) -> Mapping[str, Any]:
    found = Stack(source.checked, source.around(), source.beside()).template(inline=inline)
    return found if source.further is None else _with_machine(found, source)


def notes(source: Source) -> Iterator[str]:
    yield from unknown_needs(source.checked)
    if source.further is not None:
        from mlops.emit.states.emitted import machine

        yield from machine(source, _group(source)).notes


def _with_machine(template: Mapping[str, Any], source: Source) -> Mapping[str, Any]:
    from mlops.emit.states.emitted import template as of_machine  # few want one

    if source.checked.definition.of_resources:
        raise UsageError("a machine is of a pipeline, and this file declares resources alone")
    more = of_machine(source, _group(source))
    return {**template, **{part: {**template[part], **more[part]} for part in ("Resources", "Outputs")}}


def _group(source: Source) -> str | None:
    match source.further:
        case str(which) if which == _PIPELINE:
            return None
        case str(which) if which == _PROMOTION:
            return ""
        case str(which) if which.startswith(f"{_PROMOTION}:"):
            return which.removeprefix(f"{_PROMOTION}:")
    raise UsageError(
        f"--machine {source.further}: there is no such machine", hint="`--machine promotion`, or `promotion:GROUP`"
    )
