"""A template of CloudFormation: the pipeline, its role and all that is declared around it, for one environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.stacks.body import body_text, definition_place
from mlops.emit.stacks.emitted import MACHINE, notes, template
from mlops.emit.stacks.limits import INLINE_BYTES, MOST, need_room
from mlops.emit.stacks.nesting import GIVEN, Nested, nest, url
from mlops.emit.stacks.role_policies import MANAGED_POLICIES, ROLE_CHARACTERS
from mlops.emit.stacks.splitting import split
from mlops.emit.stacks.yaml_text import yaml_text
from mlops.ir import UsageError
from mlops.ir.counted import counted
from mlops.ir.target import Apart, Choice, Parts, Source, Target
from mlops.knowledge.policies.grammar import length

_DYNAMIC = "{{resolve:"
_SHARED = 4
"""So many policies of one size share a role at least, before anybody is told."""


def _write(source: Source) -> str:
    if source.part is not None:
        return _spelt(_parts(source)[source.part - 1], source)
    if source.apart:
        return _spelt(_nested(source).root, source)
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


def _parts(source: Source, most: Mapping[str, int] = MOST) -> tuple[Mapping[str, Any], ...]:
    """Of a body that stands in the template, as of one that does not. Raises UsageError for a part that is none."""
    whole = _whole(source)
    name = _name(source)
    found = split(whole, f"mlops-{name}-{source.around().environment}", lambda template: _spelt(template, source), most)
    if source.part is not None and source.part > len(found):
        raise UsageError(
            f"{name} has {counted(len(found), 'stack')}, and no number {source.part}",
            hint=f"--split 1{f' to --split {len(found)}' if len(found) > 1 else ''}",
        )
    for part in found:
        need_room(name, part, _spelt(part, source))
    return found


def _nested(source: Source) -> Nested:
    place = url(source.around().bucket, _folder(source))
    parts = _parts(source, GIVEN)
    nested = nest(_whole(source), parts, place, lambda template: _spelt(template, source), source.chosen or "yaml")
    need_room(f"the root of {_name(source)}", nested.root, _spelt(nested.root, source))
    return nested


def _folder(source: Source) -> str:
    return "/".join(filter(None, (source.around().prefix, "stacks")))


def _name(source: Source) -> str:
    return source.checked.definition.name or "file"


def _whole(source: Source) -> Mapping[str, Any]:
    found = _taken(source, inline=True)
    return found if _is_inline(_spelt(found, source), source) else _taken(source, inline=False)


def _is_inline(text: str, source: Source) -> bool:
    return len(text.encode()) <= INLINE_BYTES or source.checked.definition.of_resources


def _notes(source: Source) -> Iterator[str]:
    definition, around = source.checked.definition, source.around()
    text = _spelt(_taken(source, inline=True), source)
    if not _is_inline(text, source):
        bucket, key = definition_place(definition, around)
        yield f"the stack reads its body at s3://{bucket}/{key}: send there what `mlops compile` writes"
        text = _spelt(_taken(source, inline=False), source)
    if source.apart:
        nested = _nested(source)
        text = _spelt(nested.root, source)
        where = f"s3://{source.around().bucket}/{_folder(source)}"
        told = f"{counted(len(nested.below), 'stack')} below the root, whose templates are read at {where}/"
        yield f"{told}: `aws s3 sync FOLDER {where}` sends them there, before the root is deployed"
    if source.part is not None:
        parts = _parts(source)
        text = _spelt(parts[source.part - 1], source)
        of = f"stack {source.part} of {len(parts)}"
        yield f"{of}: they are deployed in their order, and removed in the other; exports hold them together"
    size = len(text.encode())
    if size > INLINE_BYTES:
        told = f"the template has {size:,} bytes, and more than {INLINE_BYTES:,} are taken from a bucket alone"
        yield f"{told}: `aws cloudformation deploy --s3-bucket` sends it there"
    yield from _room_of_roles(source)
    beside = source.beside()
    for resource in beside.declared:
        for member in sorted(beside.types[resource.type].lacking & resource.properties.keys()):
            what = f"the {resource.type} {resource.name}"
            yield f"{what} is made without {member}, which CloudFormation has no form for: `mlops upsert` sets it"
    yield from notes(source)


def _room_of_roles(source: Source) -> Iterator[str]:
    """Where stacks of a few more like it would find no room."""
    resources = _taken(source, inline=True)["Resources"]
    managed: dict[str, int] = {}
    for id_, its in resources.items():
        if its["Type"] == "AWS::IAM::ManagedPolicy":
            policies = id_.partition("Part")[0]
            managed[policies] = managed.get(policies, 0) + 1
        if its["Type"] != "AWS::IAM::Policy":
            continue
        size = length(its["Properties"]["PolicyDocument"])
        if size > ROLE_CHARACTERS // _SHARED:
            told = f"{its['Properties']['PolicyName']} has {size:,} of the {ROLE_CHARACTERS:,} characters that all"
            room = f"{ROLE_CHARACTERS // size} stacks like it have room there, and more need several roles"
            yield f"{told} policies of the role's own have together: {room}"
    for policies, count in managed.items():
        if MANAGED_POLICIES // count >= _SHARED:
            continue
        told = f"{policies} is {counted(count, 'managed policy')} of the {MANAGED_POLICIES} that a role takes"
        yield f"{told}: {MANAGED_POLICIES // count} stacks like it have room there, and more need several roles"


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
    parts=Parts("--split", "The N-th of the stacks that TARGET takes where it is too large for one."),
    apart=Apart(
        "--nested",
        "Write a root, and the templates of the stacks below it as files of this folder, named by their content.",
        lambda source: _nested(source).below,
    ),
)
