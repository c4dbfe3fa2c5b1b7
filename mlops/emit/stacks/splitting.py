"""One template as several, each of a stack of its own: what a later one names of an earlier one is exported there and
imported here.

A resource stands behind what it names, so the stacks are deployed in their order. What belongs together stays together
as far as there is room, since an export is an output, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

from mlops.emit.stacks.limits import IN_A_BUCKET_BYTES, MOST
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass

Template = Mapping[str, Any]
_LONGEST_NAME = 255
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9:-]")
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")
_ROOM = 0.98
"""Of the bytes: exports and what is imported come to what was counted."""


def split(
    template: Template, prefix: str, spelt: Callable[[Template], str], most: Mapping[str, int] = MOST
) -> tuple[Template, ...]:
    """``prefix`` begins the names of exports, which are an account's and a region's; ``most`` of each section is taken,
    and, where that counts, of what a part is given of earlier ones together with its parameters. Raises UsageError for
    one resource that no stack has room for."""
    resources: Mapping[str, Any] = template["Resources"]
    order = list(_ordered(resources))
    sizes = {name: len(spelt({"Resources": {name: resources[name]}}).encode()) for name in order}
    asked = _asked(resources, order)
    owned = [set(_named(output)) for output in template.get("Outputs", {}).values()]
    parts: list[Template] = []
    begin = 0
    while begin < len(order):
        end = begin + _fitting(order[begin:], sizes, most["Resources"])
        if end == begin:
            raise UsageError(
                f"{order[begin]} has {sizes[order[begin]]:,} bytes, and a template takes {IN_A_BUCKET_BYTES:,}",
                hint="it needs less: nothing smaller than a resource can be divided",
            )
        while end > begin + 1 and (
            _outputs(asked, owned, order, begin, end) > most["Outputs"]
            or ("Given" in most and _given(template, order, begin, end) > most["Given"])
        ):
            end -= 1
        parts.append(_part(template, order[begin:end], _exported(asked, begin, end), prefix))
        begin = end
    return tuple(parts)


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
    yield from (name for name, _ in references(value))
    match value:
        case {"DependsOn": str(name)}:
            yield name
        case {"DependsOn": list(names)}:
            yield from names


def references(value: Any) -> Iterator[tuple[str, str | None]]:
    """What a value of a template names, with the attribute that is asked for."""
    match value:
        case {"Ref": str(name), **rest} if not rest:
            yield name, None
        case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest:
            yield name, attribute
        case {"Fn::Sub": str(text), **rest} if not rest:
            yield from ((found[1], found[2]) for found in _VARIABLE.finditer(text))
        case {"Fn::Sub": [str(text), Mapping() as values], **rest} if not rest:
            yield from ((found[1], found[2]) for found in _VARIABLE.finditer(text) if found[1] not in values)
            yield from references(values)
        case Mapping():
            for inside in value.values():
                yield from references(inside)
        case list() | tuple():
            for inside in value:
                yield from references(inside)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An attribute of a resource, or what a Ref gives, that others ask for: the place of the resource and of the last
    of them."""

    name: str
    attribute: str | None
    at: int
    last: int


def _asked(resources: Mapping[str, Any], order: Sequence[str]) -> Sequence[_Asked]:
    at = {name: number for number, name in enumerate(order)}
    last: dict[tuple[str, str | None], int] = {}
    for number, name in enumerate(order):
        last |= dict.fromkeys(references(resources[name]), number)
    return [_Asked(name, attribute, at[name], last[name, attribute]) for name, attribute in last if name in at]


def _exported(asked: Sequence[_Asked], begin: int, end: int) -> list[_Asked]:
    """What those behind them ask of the resources from ``begin`` to ``end``."""
    return [item for item in asked if begin <= item.at < end <= item.last]


def _outputs(asked: Sequence[_Asked], owned: Sequence[set[str]], order: Sequence[str], begin: int, end: int) -> int:
    """How many a part has at most; ``owned`` are what the outputs of the whole name."""
    inside = set(order[begin:end])
    return len(_exported(asked, begin, end)) + sum(bool(inside & names) for names in owned)


def _given(template: Template, order: Sequence[str], begin: int, end: int) -> int:
    """What a part names of earlier ones, and its parameters, at most."""
    before = set(order[:begin])
    named = {item for name in order[begin:end] for item in references(template["Resources"][name])}
    return sum(name in before for name, _ in named) + len(template.get("Parameters", {}))


def _part(template: Template, names: Sequence[str], exported: Sequence[_Asked], prefix: str) -> Template:
    inside, resources = set(names), template["Resources"]
    elsewhere = resources.keys() - inside
    kept = {name: _imported(resources[name], elsewhere, prefix) for name in names}
    outputs = {
        name: output
        for name, output in template.get("Outputs", {}).items()
        if set(_named(output)) & set(resources) <= inside and set(_named(output)) & inside
    }
    for name, attribute in sorted(((item.name, item.attribute) for item in exported), key=str):
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
    conditions = {name: asked for name, asked in template.get("Conditions", {}).items() if asks(name, [kept, outputs])}
    used = {name for name, _ in references([kept, outputs, conditions])}
    parameters = {name: declared for name, declared in template.get("Parameters", {}).items() if name in used}
    for member, section in (("Parameters", parameters), ("Conditions", conditions)):
        if section:
            found[member] = section
    found["Resources"] = kept
    if outputs:
        found["Outputs"] = outputs
    return found


def asks(condition: str, value: Any) -> bool:
    """Whether something in a value of a template is made by this condition."""
    text = json.dumps(value)
    return f'"Condition": {json.dumps(condition)}' in text or f'"Fn::If": [{json.dumps(condition)}' in text


def _imported(value: Any, elsewhere: Set[str], prefix: str) -> Any:
    """``elsewhere`` are the resources of other parts."""
    match value:
        case {"Ref": str(name), **rest} if not rest and name in elsewhere:
            return {"Fn::ImportValue": _export(prefix, name, None)}
        case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest and name in elsewhere:
            return {"Fn::ImportValue": _export(prefix, name, attribute)}
        case {"Fn::Sub": str(text), **rest} if not rest and not elsewhere.isdisjoint(
            name for name, _ in references(value)
        ):
            return _put_together(text, elsewhere, prefix)
        case Mapping():
            told = {member: _imported(item, elsewhere, prefix) for member, item in value.items()}
            waits = told.get("DependsOn")
            if isinstance(waits, str | list) and "Type" in told:
                # An earlier stack is there before this one begins.
                left = [name for name in ([waits] if isinstance(waits, str) else waits) if name not in elsewhere]
                told = {**told, "DependsOn": left} if left else {k: v for k, v in told.items() if k != "DependsOn"}
            return told
        case list() | tuple():
            return [_imported(item, elsewhere, prefix) for item in value]
    return value


def _put_together(text: str, elsewhere: Set[str], prefix: str) -> Any:
    values: dict[str, Any] = {}

    def put(found: re.Match[str]) -> str:
        name, attribute = found[1], found[2]
        if name not in elsewhere:
            return found[0]
        variable = f"Imported{name}{re.sub(r'[^A-Za-z0-9]', '', attribute or '')}"
        values[variable] = {"Fn::ImportValue": _export(prefix, name, attribute)}
        return f"${{{variable}}}"

    return {"Fn::Sub": [_VARIABLE.sub(put, text), values]}


def _export(prefix: str, name: str, attribute: str | None) -> str:
    end = f"{name}-{attribute}" if attribute else name
    return _NOT_IN_NAMES.sub("-", f"{prefix[: _LONGEST_NAME - len(end) - 1]}-{end}")
