"""A template of CloudFormation: what an upsert brings into an account, and the role that it needs there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.execution import unknown_needs
from mlops.emit.stacks.stack import INLINE_BYTES, Stack, definition_place
from mlops.emit.stacks.yaml_text import yaml_text
from mlops.ir import UsageError
from mlops.ir.target import Choice, Further, Source, Target

_PIPELINE, _PROMOTION = "", "promotion"


def _write(source: Source) -> str:
    text = _text(source, inline=True)
    return text if _is_inline(text, source) else _text(source, inline=False)


def _is_inline(text: str, source: Source) -> bool:
    return len(text.encode()) <= INLINE_BYTES or source.checked.definition.of_resources


def _notes(source: Source) -> Iterator[str]:
    definition, around = source.checked.definition, source.around()
    if not _is_inline(_text(source, inline=True), source):
        bucket, key = definition_place(definition, around)
        yield f"the stack reads its body at s3://{bucket}/{key}: send there what `mlops compile` writes"
    yield from unknown_needs(source.checked)
    if source.further is not None:
        from mlops.emit.states.emitted import machine

        yield from machine(source, _group(source)).notes


def _text(source: Source, *, inline: bool) -> str:
    template = Stack(source.checked, source.around(), source.beside()).template(inline=inline)
    if source.further is not None:
        template = _with_machine(template, source)
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n" if source.chosen == "json" else yaml_text(template)


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


TARGET = Target(
    "TARGET as a template of CloudFormation for one environment.",
    _write,
    Choice("--as", ("yaml", "json"), "How the template is written."),
    of_an_account=True,
    of_resources=True,
    notes=_notes,
    further=Further(
        "--machine",
        "promotion",
        "Also the pipeline as a state machine of Step Functions with its role, or, as `promotion`, the promotion that "
        "is declared.",
    ),
)
