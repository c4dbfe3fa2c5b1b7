"""One template as a root and the stacks below it: what a stack names of an earlier one is an output there, and a
parameter here, and the root hands it on.

The stacks below are :func:`~mlops.emit.stacks.splitting.split`'s, whose exports and imports say what is handed on. They
are made one after the other, and their templates lie in a bucket under names of their content: another content is
another key, by which CloudFormation sees that a stack changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops.emit.stacks.limits import MOST
from mlops.emit.stacks.splitting import Template, asks, references
from mlops.ir.dataclass import dataclass

GIVEN: Mapping[str, int] = {**MOST, "Given": MOST["Parameters"]}
"""What a stack below takes: as any, and what it is given of the others are parameters, too."""
_STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Nested:
    """``below`` are texts by the names of their files."""

    root: Template
    below: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Output:
    part: int
    name: str
    condition: str | None


def nest(
    whole: Template,
    parts: Sequence[Template],
    place: Callable[[str], Any],
    spelt: Callable[[Template], str],
    ending: str,
) -> Nested:
    """``parts`` are of ``whole``; ``place`` is the URL of a file's name, as a value of a template."""
    exported = {
        told["Export"]["Name"]: _Output(number, name, told.get("Condition"))
        for number, part in enumerate(parts, 1)
        for name, told in part.get("Outputs", {}).items()
        if "Export" in told
    }
    below: dict[str, str] = {}
    resources: dict[str, Any] = {}
    for number, part in enumerate(parts, 1):
        text = spelt(_below(part, exported, f"{number} of {len(parts)}"))
        file = f"{hashlib.sha256(text.encode()).hexdigest()}.{ending}"
        below[file] = text
        given: dict[str, Any] = {name: {"Ref": name} for name in part.get("Parameters", {})}
        taken = [exported[name] for name in _imported(part["Resources"])]
        given |= {output.name: _handed(output) for output in taken}
        # Whatever it is given of the one before, it waits for that anyhow.
        waits = number > 1 and all(output.part != number - 1 for output in taken)
        resources[_called(number)] = {
            "Type": _STACK,
            **({"DependsOn": [_called(number - 1)]} if waits else {}),
            "Properties": {"TemplateURL": place(file), **({"Parameters": given} if given else {})},
        }
    return Nested(_root(whole, resources, dict(_outputs(whole, parts))), below)


def _called(number: int) -> str:
    return f"Stack{number}"


def _handed(output: _Output) -> Any:
    """What a condition does not make has no output, and whoever takes it asks the same condition."""
    value = {"Fn::GetAtt": [_called(output.part), f"Outputs.{output.name}"]}
    return value if output.condition is None else {"Fn::If": [output.condition, value, ""]}


def _below(part: Template, exported: Mapping[str, _Output], which: str) -> Template:
    taken = [exported[name] for name in _imported(part["Resources"])]
    parameters = {
        **part.get("Parameters", {}),
        **{output.name: {"Type": "String", "Description": f"Of {_called(output.part)}"} for output in taken},
    }
    found = {**part, "Description": f"{part.get('Description', 'A stack')} ({which})"}
    if parameters:
        found["Parameters"] = parameters
    found["Resources"] = _given(part["Resources"], exported)
    if "Outputs" in part:
        found["Outputs"] = {
            name: {member: value for member, value in told.items() if member != "Export"}
            for name, told in part["Outputs"].items()
        }
    order = ("AWSTemplateFormatVersion", "Description", "Parameters", "Conditions", "Resources", "Outputs")
    return {member: found[member] for member in (*order, *(found.keys() - {*order})) if member in found}


def _imported(value: Any) -> list[str]:
    return list(dict.fromkeys(_imports(value)))


def _imports(value: Any) -> Iterator[str]:
    match value:
        case {"Fn::ImportValue": str(name)}:
            yield name
        case Mapping():
            for inside in value.values():
                yield from _imports(inside)
        case list() | tuple():
            for inside in value:
                yield from _imports(inside)


def _given(value: Any, exported: Mapping[str, _Output]) -> Any:
    match value:
        case {"Fn::ImportValue": str(name)}:
            return {"Ref": exported[name].name}
        case Mapping():
            return {member: _given(inside, exported) for member, inside in value.items()}
        case list() | tuple():
            return [_given(inside, exported) for inside in value]
    return value


def _outputs(whole: Template, parts: Sequence[Template]) -> Iterator[tuple[str, Any]]:
    for name, told in whole.get("Outputs", {}).items():
        numbers = [number for number, part in enumerate(parts, 1) if name in part.get("Outputs", {})]
        if numbers:
            yield name, {**told, "Value": {"Fn::GetAtt": [_called(numbers[0]), f"Outputs.{name}"]}}
        elif not {one for one, _ in references(told)} & whole["Resources"].keys():
            yield name, told


def _root(whole: Template, resources: Mapping[str, Any], outputs: Mapping[str, Any]) -> Template:
    said = [resources, outputs]
    conditions = {name: asked for name, asked in whole.get("Conditions", {}).items() if asks(name, said)}
    used = {name for name, _ in references([*said, conditions])}
    parameters = {name: declared for name, declared in whole.get("Parameters", {}).items() if name in used}
    found: dict[str, Any] = {
        member: whole[member] for member in ("AWSTemplateFormatVersion", "Description") if member in whole
    }
    for member, section in (
        ("Parameters", parameters),
        ("Conditions", conditions),
        ("Resources", resources),
        ("Outputs", outputs),
    ):
        if section:
            found[member] = section
    return found


def url(bucket: str, folder: str) -> Callable[[str], Any]:
    """Of a file of a bucket in the stack's region."""

    def place(file: str) -> Any:
        return {"Fn::Sub": f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/{bucket}/{folder}/{file}"}

    return place
