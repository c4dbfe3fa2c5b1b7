"""Two definition documents side by side: members that differ, by step, with expressions as one readable value each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import HIDDEN, hide

NESTED = ("IfSteps", "ElseSteps", "ForEachBody", "Steps")

_ASSET = re.compile(r"s3://\S+/assets/[0-9a-f]{64}(/.*)?")
_NAMES = ("Name", "InputName", "OutputName", "ChannelName")


@dataclass(frozen=True, slots=True)
class MemberChange:
    """``at`` is a pointer into the step, empty for the whole step; without a step into the document. A side without the
    member is None; ``has_old`` and ``has_new`` tell that from a null. Secrets are hidden in both."""

    step: str | None
    at: str
    old: Any
    new: Any
    has_old: bool = True
    has_new: bool = True

    @property
    def is_code(self) -> bool:
        return is_asset(self.old) or is_asset(self.new)


def steps_of(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every step by name, nested ones too; of the steps inside a step only the names are part of it."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [step for step in reversed(_list(document.get("Steps"))) if isinstance(step, dict)]
    while waiting:
        step = waiting.pop()
        arguments = step.get("Arguments")
        own = step
        if isinstance(arguments, dict):
            nested = {key: _list(arguments[key]) for key in NESTED if isinstance(arguments.get(key), list)}
            inside = {key: [_label(item) for item in steps] for key, steps in nested.items()}
            own = {**step, "Arguments": {**arguments, **inside}}
            for steps in reversed(nested.values()):
                waiting.extend(item for item in reversed(steps) if isinstance(item, dict))
        found[_label(step)] = own
    return found


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[MemberChange]:
    """Parameters and other members of the document first, then steps in the order of the new document."""
    hidden = hide(old), hide(new)
    yield from _members(None, (_rest(old), _rest(new)), (_rest(hidden[0]), _rest(hidden[1])))
    before, after = steps_of(old), steps_of(new)
    shown_before, shown_after = steps_of(hidden[0]), steps_of(hidden[1])
    for name in dict.fromkeys([*after, *before]):
        if name not in before:
            yield MemberChange(name, "", None, after[name].get("Type"), has_old=False)
        elif name not in after:
            yield MemberChange(name, "", before[name].get("Type"), None, has_new=False)
        else:
            shown = shown_before.get(name, {}), shown_after.get(name, {})
            yield from _members(name, (before[name], after[name]), shown)


def members(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[MemberChange]:
    """Of two requests that are no documents of pipelines."""
    yield from _members(None, (old, new), (hide(old), hide(new)))


def _members(step: str | None, sides: tuple[Any, Any], shown: tuple[Any, Any]) -> Iterator[MemberChange]:
    """What differs is seen by ``sides`` and told by ``shown``, the same without its secrets."""
    before, after = dict(leaves(sides[0])), dict(leaves(sides[1]))
    told = dict(leaves(shown[0])), dict(leaves(shown[1]))
    for at in dict.fromkeys([*before, *after]):
        if step is None and not at:
            continue  # there is no document on that side
        if at in before and at in after and same_json(before[at], after[at]):
            continue
        old = told[0].get(at, HIDDEN) if at in before else None
        new = told[1].get(at, HIDDEN) if at in after else None
        yield MemberChange(step, at, old, new, has_old=at in before, has_new=at in after)


def same_json(left: Any, right: Any) -> bool:
    """Equal as JSON values: 1, 1.0 and true are three."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Everything that holds nothing more, by JSON pointer; an expression is one such thing. Items of a list that have a
    name are found by it, so that one more of them does not shift all that follow."""
    if isinstance(value, dict) and value and not is_expression(value):
        for key, item in value.items():
            yield from leaves(item, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        names = [_name(item) for item in value]
        unique = len(set(names)) == len(names)
        for index, item in enumerate(value):
            name = names[index] if unique else None
            yield from leaves(item, f"{at}/{index if name is None else name}")
    else:
        yield at, value


def is_expression(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet")


def is_asset(value: Any) -> bool:
    return isinstance(value, str) and _ASSET.fullmatch(value) is not None


def readable(value: Any) -> str:
    """
    >>> readable({"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Parameters.Day"}, 5]}})
    'join("/", "s3://b", Parameters.Day, 5)'
    >>> readable({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.q"}, "Path": "accuracy"}})
    'json_get(Steps.E.PropertyFiles.q, "accuracy")'
    >>> readable("s3://b/mlops/assets/" + "0a" * 32 + "/train.py")
    's3://b/mlops/assets/0a0a0a0a…/train.py'
    """
    if isinstance(value, str):
        shown = re.sub(r"(/(?:assets|definitions)/[0-9a-f]{8})[0-9a-f]{56}", r"\1…", value)
        return shown if _plain(shown) else json.dumps(shown, ensure_ascii=False)
    return _expression(value)


def _expression(value: Any) -> str:
    match value:
        case {"Get": str(path)} if len(value) == 1:
            return path
        case {"Std:Join": {"On": str(on), "Values": list(values)}} if len(value) == 1:
            return f"join({', '.join([json.dumps(on, ensure_ascii=False), *map(_expression, values)])})"
        case {"Std:JsonGet": {"Path": path, **source}} if len(value) == 1:
            return f"json_get({', '.join([*map(_expression, source.values()), _expression(path)])})"
        case dict():
            return "{" + ", ".join(f"{key}: {_expression(item)}" for key, item in value.items()) + "}"
        case list():
            return f"[{', '.join(map(_expression, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _plain(text: str) -> bool:
    """Readable without quotes: printable, not empty, and not to be taken for another kind of value."""
    return (
        bool(text)
        and text.isprintable()
        and text == text.strip()
        and not re.fullmatch(r"true|false|null|-?[\d.]+([eE][+-]?\d+)?|[\[{\"].*", text)
    )


def _rest(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "Steps"}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _label(step: Any) -> str:
    return str(step.get("Name", "?")) if isinstance(step, dict) else "?"


def _name(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    return next((item[member] for member in _NAMES if isinstance(item.get(member), str)), None)
