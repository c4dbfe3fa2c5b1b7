"""A template of CloudFormation: what an upsert brings into an account, and the role that it needs there."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops.emit.policies.execution import unknown_needs
from mlops.emit.stacks.stack import INLINE_BYTES, Stack, definition_place
from mlops.emit.stacks.yaml_text import yaml_text
from mlops.ir.target import Choice, Source, Target


def _write(source: Source) -> str:
    stack = Stack(source.checked, source.around(), source.beside())
    text = _text(stack, source.chosen, inline=True)
    return text if _is_inline(text, source) else _text(stack, source.chosen, inline=False)


def _is_inline(text: str, source: Source) -> bool:
    return len(text.encode()) <= INLINE_BYTES or source.checked.definition.of_resources


def _notes(source: Source) -> Iterator[str]:
    definition, around = source.checked.definition, source.around()
    if not _is_inline(_text(Stack(source.checked, around, source.beside()), source.chosen, inline=True), source):
        bucket, key = definition_place(definition, around)
        yield f"the stack reads its body at s3://{bucket}/{key}: send there what `mlops compile` writes"
    yield from unknown_needs(source.checked)


def _text(stack: Stack, form: str | None, *, inline: bool) -> str:
    template = stack.template(inline=inline)
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n" if form == "json" else yaml_text(template)


TARGET = Target(
    "TARGET as a template of CloudFormation for one environment.",
    _write,
    Choice("--as", ("yaml", "json"), "How the template is written."),
    of_an_account=True,
    of_resources=True,
    notes=_notes,
)
