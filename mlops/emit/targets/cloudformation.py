"""A template of CloudFormation: the pipeline, its role and all that is declared around it, for one environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.stacks.emitted import MACHINE, notes, template
from mlops.emit.stacks.limits import INLINE_BYTES, need_room
from mlops.emit.stacks.stack import body_text, definition_place
from mlops.emit.stacks.yaml_text import yaml_text
from mlops.ir import UsageError
from mlops.ir.target import Choice, Source, Target

_DYNAMIC = "{{resolve:"


def _write(source: Source) -> str:
    definition = source.checked.definition
    found = _taken(source, inline=True)
    text = _spelt(found, source)
    if not _is_inline(text, source):
        found = _taken(source, inline=False)
        text = _spelt(found, source)
        need_room(definition.name or "the file", found, text)
        return text
    need_room(definition.name or "the file", found, text)
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
    text = _spelt(_taken(source, inline=True), source)
    if not _is_inline(text, source):
        bucket, key = definition_place(definition, around)
        yield f"the stack reads its body at s3://{bucket}/{key}: send there what `mlops compile` writes"
        text = _spelt(_taken(source, inline=False), source)
    size = len(text.encode())
    if size > INLINE_BYTES:
        told = f"the template has {size:,} bytes, and more than {INLINE_BYTES:,} are taken from a bucket alone"
        yield f"{told}: `aws cloudformation deploy --s3-bucket` sends it there"
    beside = source.beside()
    for resource in beside.declared:
        for member in sorted(beside.types[resource.type].lacking & resource.properties.keys()):
            what = f"the {resource.type} {resource.name}"
            yield f"{what} is made without {member}, which CloudFormation has no form for: `mlops upsert` sets it"
    yield from notes(source)


def _taken(source: Source, *, inline: bool) -> Mapping[str, Any]:
    """Without what CloudFormation has no form for; Terraform may have one."""
    found = template(source, inline=inline)
    lacking = {kind.cloudformation: kind.lacking for kind in source.beside().types.values() if kind.lacking}
    resources = {
        id_: {
            **its,
            "Properties": {name: told for name, told in its["Properties"].items() if name not in lacking[its["Type"]]},
        }
        if its["Type"] in lacking
        else its
        for id_, its in found["Resources"].items()
    }
    return {**found, "Resources": resources}


def _spelt(found: Mapping[str, Any], source: Source) -> str:
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
