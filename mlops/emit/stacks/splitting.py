"""One template as several, each of a stack of its own: what a later one names of an earlier one is exported there and
imported here.

A resource stands behind what it names, so the stacks are deployed in their order. What belongs together stays together
as far as there is room, since an export is an output, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops.emit.stacks.limits import IN_A_BUCKET_BYTES, MOST
from mlops.ir import UsageError

Template = Mapping[str, Any]
_LONGEST_NAME = 255
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9:-]")
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")
_ROOM = 0.98
"""Of the bytes: exports and what is imported come to what was counted."""


def split(
    template: Template, prefix: str, spelt: Callable[[Template], str], most: Mapping[str, int] = MOST
) -> tuple[Template, ...]:
    """``prefix`` begins the names of exports, which are an account's and a region's; ``most`` of each section is taken.
    Raises UsageError for one resource that no stack has room for."""
    resources: Mapping[str, Any] = template["Resources"]
    order = list(_ordered(resources))
    sizes = {name: len(spelt({"Resources": {name: resources[name]}}).encode()) for name in order}
    parts: list[list[str]] = []
    rest = order
    while rest:
        count = _fitting(rest, sizes, most["Resources"])
        while count > 1 and len(_exported(rest[:count], resources)) + _own(template, rest[:count]) > most["Outputs"]:
            count -= 1
        if count == 0:
            raise UsageError(
                f"{rest[0]} has {sizes[rest[0]]:,} bytes, and a template takes {IN_A_BUCKET_BYTES:,}",
                hint="it needs less: nothing smaller than a resource can be divided",
            )
        parts.append(rest[:count])
        rest = rest[count:]
    return tuple(_part(template, names, prefix) for names in parts)


def _fitting(names: Sequence[str], sizes: Mapping[str, int], most: int) -> int:
    total = 0
    for count, name in enumerate(names):
        total += sizes[name]
        if count == most or total > IN_A_BUCKET_BYTES * _ROOM:
            return count
    return len(names)


def _ordered(resources: Mapping[str, Any]) -> Iterator[str]:
    """Each behind what it names, as near to it as can be."""
    met: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in met:
            return
        met.add(name)
        for other in _named(resources[name]):
            if other in resources:
                yield from visit(other)
        yield name

    for name in resources:
        yield from visit(name)


def _named(value: Any) -> Iterator[str]:
    """The resources and parameters that a value names."""
    yield from (name for name, _ in _references(value))
    match value:
        case {"DependsOn": str(name)}:
            yield name
        case {"DependsOn": list(names)}:
            yield from names


def _references(value: Any) -> Iterator[tuple[str, str | None]]:
    """With the attribute that is asked for."""
    match value:
        case {"Ref": str(name), **rest} if not rest:
            yield name, None
        case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest:
            yield name, attribute
        case {"Fn::Sub": str(text), **rest} if not rest:
            yield from ((found[1], found[2]) for found in _VARIABLE.finditer(text))
        case Mapping():
            for inside in value.values():
                yield from _references(inside)
        case list() | tuple():
            for inside in value:
                yield from _references(inside)


def _exported(names: Sequence[str], resources: Mapping[str, Any]) -> set[tuple[str, str | None]]:
    """What the others ask of these."""
    inside = set(names)
    others = (resources[name] for name in resources if name not in inside)
    return {(name, attribute) for other in others for name, attribute in _references(other) if name in inside}


def _own(template: Template, names: Sequence[str]) -> int:
    inside = set(names)
    return sum(bool(inside & set(_named(output))) for output in template.get("Outputs", {}).values())


def _part(template: Template, names: Sequence[str], prefix: str) -> Template:
    inside, resources = set(names), template["Resources"]
    kept = {name: _imported(resources[name], inside, set(resources), prefix) for name in names}
    outputs = {
        name: output
        for name, output in template.get("Outputs", {}).items()
        if set(_named(output)) & set(resources) <= inside and set(_named(output)) & inside
    }
    for name, attribute in sorted(_exported(names, resources), key=str):
        value: Any = {"Ref": name} if attribute is None else {"Fn::GetAtt": [name, attribute]}
        told: dict[str, Any] = {"Value": value, "Export": {"Name": _export(prefix, name, attribute)}}
        if "Condition" in resources[name]:
            told["Condition"] = resources[name]["Condition"]
        outputs[f"{name}{re.sub(r'[^A-Za-z0-9]', '', attribute or 'Ref')}Exported"] = told
    found: dict[str, Any] = {
        member: value
        for member, value in template.items()
        if member not in ("Parameters", "Conditions", "Resources", "Outputs")
    }
    conditions = {name: asked for name, asked in template.get("Conditions", {}).items() if _asks(name, [kept, outputs])}
    used = {name for name, _ in _references([kept, outputs, conditions])}
    parameters = {name: declared for name, declared in template.get("Parameters", {}).items() if name in used}
    for member, section in (("Parameters", parameters), ("Conditions", conditions)):
        if section:
            found[member] = section
    found["Resources"] = kept
    if outputs:
        found["Outputs"] = outputs
    return found


def _asks(condition: str, value: Any) -> bool:
    text = json.dumps(value)
    return f'"Condition": {json.dumps(condition)}' in text or f'"Fn::If": [{json.dumps(condition)}' in text


def _imported(value: Any, inside: set[str], all_: set[str], prefix: str) -> Any:
    match value:
        case {"Ref": str(name), **rest} if not rest and name in all_ - inside:
            return {"Fn::ImportValue": _export(prefix, name, None)}
        case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest and name in all_ - inside:
            return {"Fn::ImportValue": _export(prefix, name, attribute)}
        case {"Fn::Sub": str(text), **rest} if not rest and {found[1] for found in _VARIABLE.finditer(text)} & (
            all_ - inside
        ):
            return _put_together(text, inside, all_, prefix)
        case Mapping():
            told = {member: _imported(item, inside, all_, prefix) for member, item in value.items()}
            waits = told.get("DependsOn")
            if isinstance(waits, str | list) and "Type" in told:
                # An earlier stack is there before this one begins.
                left = [name for name in ([waits] if isinstance(waits, str) else waits) if name in inside]
                told = {**told, "DependsOn": left} if left else {k: v for k, v in told.items() if k != "DependsOn"}
            return told
        case list() | tuple():
            return [_imported(item, inside, all_, prefix) for item in value]
    return value


def _put_together(text: str, inside: set[str], all_: set[str], prefix: str) -> Any:
    values: dict[str, Any] = {}

    def put(found: re.Match[str]) -> str:
        name, attribute = found[1], found[2]
        if name not in all_ - inside:
            return found[0]
        variable = f"Imported{name}{re.sub(r'[^A-Za-z0-9]', '', attribute or '')}"
        values[variable] = {"Fn::ImportValue": _export(prefix, name, attribute)}
        return f"${{{variable}}}"

    return {"Fn::Sub": [_VARIABLE.sub(put, text), values]}


def _export(prefix: str, name: str, attribute: str | None) -> str:
    end = f"{name}-{attribute}" if attribute else name
    return _NOT_IN_NAMES.sub("-", f"{prefix[: _LONGEST_NAME - len(end) - 1]}-{end}")
