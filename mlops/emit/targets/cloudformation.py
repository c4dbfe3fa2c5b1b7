"""A template of CloudFormation: the pipeline, its role and all that is declared around it, for one environment."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops.emit.stacks.emitted import MACHINE, notes, template
from mlops.emit.stacks.stack import INLINE_BYTES, body_text, definition_place
from mlops.emit.stacks.yaml_text import yaml_text
from mlops.ir import UsageError
from mlops.ir.target import Choice, Source, Target

_DYNAMIC = "{{resolve:"


def _write(source: Source) -> str:
    text = _text(source, inline=True)
    if not _is_inline(text, source):
        return _text(source, inline=False)
    definition = source.checked.definition
    if not definition.of_resources and _DYNAMIC in body_text(definition):
        raise UsageError(
            f"the definition of {definition.name} has {_DYNAMIC!r} in it, which CloudFormation would replace",
            hint="let a step resolve it, or give it as a parameter of the execution",
        )
    return text


def _is_inline(text: str, source: Source) -> bool:
    return len(text.encode()) <= INLINE_BYTES or source.checked.definition.of_resources


def _notes(source: Source) -> Iterator[str]:
    definition, around = source.checked.definition, source.around()
    if not _is_inline(_text(source, inline=True), source):
        bucket, key = definition_place(definition, around)
        yield f"the stack reads its body at s3://{bucket}/{key}: send there what `mlops compile` writes"
    yield from notes(source)


def _text(source: Source, *, inline: bool) -> str:
    found = template(source, inline=inline)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n" if source.chosen == "json" else yaml_text(found)


TARGET = Target(
    "TARGET as a template of CloudFormation for one environment.",
    _write,
    Choice("--as", ("yaml", "json"), "How the template is written."),
    of_an_account=True,
    of_resources=True,
    notes=_notes,
    further=MACHINE,
)
