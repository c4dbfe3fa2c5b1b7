"""What a template says for one combination of what its conditions ask: functions are resolved as far as the text
tells, and what is known to the account alone is UNKNOWN. Each value keeps the pointer of where it stands."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from mlops.ir import Unknown
from mlops.ir.dataclass import dataclass
from mlops.ir.values import pointer

UNKNOWN: Final = object()
ABSENT: Final = object()
"""``AWS::NoValue``."""
MOST = 64
"""Combinations that are looked at; a template with more is judged by the first."""
LONGEST = 1_000_000
"""Characters of a text that is put together: so many no template can have."""
VARIABLE = re.compile(r"\$\{([^!${}][^${}]*)\}")
_DYNAMIC = "{{resolve:"
_FETCHED = re.compile(r"\{\{resolve:[^{}]*\}\}")
"""What a stack fetches of a parameter or a secret."""
HOLE: Final = "\ue000"
"""Stands in a draft for what is not known."""
_ASKED = frozenset(f"AWS::{name}" for name in ("AccountId", "Partition", "Region", "StackName"))
_FREE = 4
"""Questions that only an account answers, which are tried both ways."""
_PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


@dataclass(frozen=True, slots=True)
class Spot:
    """A value and its place: an object has spots by member, a list a tuple of them, and everything else itself.
    ``made``: by a function, so that what stands there is no part of it. ``draft`` is a text of which parts are not
    known, with a HOLE for each."""

    value: Any
    at: str
    made: bool = False
    draft: str | None = None

    @property
    def known(self) -> bool:
        return self.value is not UNKNOWN

    def get(self, *members: str) -> Spot | None:
        found: Spot | None = self
        for member in members:
            if found is None or not isinstance(found.value, dict):
                return None
            found = found.value.get(member)
        return found

    def text(self, *members: str) -> str | None:
        found = self.get(*members)
        return found.value if found is not None and isinstance(found.value, str) else None

    def plain(self, told: Callable[[str, Any], Any] = lambda name, value: value, name: str = "") -> Any:
        """As a declaration has it: what is not known is an Unknown, and ``told`` gives each other value of a member,
        as a template may write a switch or a number as a text; those of a list have no name."""
        if self.value is UNKNOWN:
            return Unknown()
        if isinstance(self.value, dict):
            return {member: item.plain(told, member) for member, item in self.value.items()}
        if isinstance(self.value, tuple):
            return tuple(item.plain(told) for item in self.value)
        return told(name, self.value)

    @property
    def members(self) -> Mapping[str, Spot]:
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> tuple[Spot, ...]:
        return self.value if isinstance(self.value, tuple) else ()

    def below(self, place: str) -> Spot:
        """By a pointer from here, as far as it leads."""
        spot = self
        for part in place.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            listed = spot.items
            found = listed[int(name)] if name.isdigit() and int(name) < len(listed) else spot.get(name)
            if found is None:
                break
            spot = found
        return spot

    def walk(self) -> Iterator[Spot]:
        yield self
        for below in (*self.members.values(), *self.items):
            yield from below.walk()


def called_twice(items: Iterable[Spot], member: str) -> Iterator[tuple[str, str]]:
    """The text of ``member``, and its place, in each item in which one before has the same."""
    met: set[str] = set()
    for item in items:
        text = item.text(member)
        if text is not None and text in met:
            yield text, item.members[member].at
        if text is not None:
            met.add(text)


@dataclass(frozen=True, slots=True)
class Scenario:
    """``parameters`` are values by name, of those that conditions ask or that have a default."""

    parameters: Mapping[str, Any]
    conditions: Mapping[str, bool] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    assumed: Mapping[tuple[str, ...], bool] = field(default_factory=dict)
    """What is answered to questions that the text does not answer."""

    def spot(self, value: Any, at: str) -> Spot:
        match value:
            case dict() if len(value) == 1 and is_function(next(iter(value))):
                ((function, inside),) = value.items()
                return self._function(function, inside, at)
            case dict():
                found = {}
                for member, item in value.items():
                    spot = self.spot(item, at + pointer(member))
                    if spot.value is not ABSENT:
                        found[member] = spot
                return Spot(found, at)
            case list():
                listed = (self.spot(item, at + pointer(index)) for index, item in enumerate(value))
                return Spot(tuple(spot for spot in listed if spot.value is not ABSENT), at)
            case str() if _DYNAMIC in value:
                return Spot(UNKNOWN, at, draft=_FETCHED.sub(HOLE, value))
        return Spot(value, at)

    def _function(self, function: str, inside: Any, at: str) -> Spot:
        below = at + pointer(function)
        match function, inside:
            case "Fn::If", [str(name), then, otherwise]:
                holds = self.conditions.get(name)
                if holds is None:
                    return Spot(UNKNOWN, at)
                return self.spot(then if holds else otherwise, f"{below}/{1 if holds else 2}")
            case "Ref", "AWS::NoValue":
                return Spot(ABSENT, at)
            case "Ref", str(name):
                return Spot(self.parameters.get(name, _PSEUDO.get(name, UNKNOWN)), at, made=True)
            case "Fn::Base64", _:
                text = self.spot(inside, below)
                if isinstance(text.value, str):
                    return Spot(base64.b64encode(text.value.encode()).decode(), at, made=True)
                if text.draft is not None:
                    known = text.draft.replace(HOLE, "")
                    return Spot(UNKNOWN, at, made=True, draft=base64.b64encode(known.encode()).decode())
                return Spot(UNKNOWN, at)
            case "Fn::Sub", str(text):
                return self._substituted(text, {}, at, below)
            case "Fn::Sub", [str(text), dict(given)]:
                put = {name: self.spot(value, below) for name, value in given.items()}
                return self._substituted(text, put, at, f"{below}/0")
            case "Fn::Join", [str(on), list(parts)]:
                texts = [_text(self.spot(part, below)) for part in parts]
                if sum(map(len, texts)) + len(on) * len(texts) > LONGEST:
                    return Spot(UNKNOWN, at, made=True)
                return _drafted(on.join(texts), at)
            case "Fn::ToJsonString", dict() | list():
                return _drafted(json.dumps(_open(self.spot(inside, below)), ensure_ascii=False), at)
            case "Fn::FindInMap", [str(name), first, second, *_]:
                keys = [self.spot(key, below).value for key in (first, second)]
                found = self.mappings.get(name)
                for key in keys:
                    found = found.get(key) if isinstance(found, dict) and isinstance(key, str) else None
                return Spot(UNKNOWN if found is None else _frozen(found), at, made=True)
        return Spot(UNKNOWN, at)

    def _substituted(self, text: str, given: Mapping[str, Spot], at: str, written: str) -> Spot:
        """A text that nothing was put into stands where it is written."""
        size = 0

        def put(found: re.Match[str]) -> str:
            nonlocal size
            name = found[1].strip()
            told = _text(given[name] if name in given else self._function("Ref", name, at))
            size += len(told)
            return told if size <= LONGEST else HOLE

        whole, count = VARIABLE.subn(put, text)
        whole = whole.replace("${!", "${")
        return _drafted(whole, at) if count else Spot(whole, written)


def _text(spot: Spot) -> str:
    if isinstance(spot.value, str | int | float):
        return str(spot.value)
    return spot.draft if spot.draft is not None else HOLE


def _drafted(whole: str, at: str) -> Spot:
    return Spot(UNKNOWN, at, made=True, draft=whole) if HOLE in whole else Spot(whole, at, made=True)


def _open(spot: Spot) -> Any:
    """As JSON, with a hole for what is not known."""
    if isinstance(spot.value, dict):
        return {name: _open(item) for name, item in spot.members.items()}
    if isinstance(spot.value, tuple):
        return [_open(item) for item in spot.items]
    return spot.value if spot.known else spot.draft or HOLE


def _frozen(value: Any) -> Any:
    return UNKNOWN if isinstance(value, dict | list) else value


def is_function(name: str) -> bool:
    return name == "Ref" or name.startswith("Fn::")


def scenarios(template: Mapping[str, Any]) -> Iterator[Scenario]:
    """One for each combination of values of the parameters that conditions ask; those of the template alone."""
    parameters = _section(template, "Parameters")
    conditions = _section(template, "Conditions")
    mappings = _section(template, "Mappings")
    looked_up = _looked_up(template, mappings)
    asked = _asked(conditions, parameters, looked_up)
    defaults = {
        name: item["Default"]
        for name, item in parameters.items()
        if isinstance(item, dict) and isinstance(item.get("Default"), str | int | float) and name not in asked
    }
    names = list(asked)
    combined = [
        dict(zip(names, values, strict=True)) for values in itertools.islice(itertools.product(*asked.values()), MOST)
    ]
    # What no condition asks for is tried one by one, with the rest as it is first.
    alone = [{**combined[0], name: value} for name, value in _alone(parameters, asked, looked_up)]
    yield from itertools.islice(_answered([*combined, *alone], defaults, conditions, mappings), 2 * MOST)


def _answered(
    listed: list[dict[str, Any]],
    defaults: Mapping[str, Any],
    conditions: Mapping[str, Any],
    mappings: Mapping[str, Any],
) -> Iterator[Scenario]:
    for values in listed:
        chosen = {**defaults, **values}
        for assumed in _assumptions(conditions, Scenario(chosen, {}, mappings)):
            held = _held(conditions, Scenario(chosen, {}, mappings, assumed))
            yield Scenario({name: value for name, value in chosen.items() if value is not _OTHER}, held, mappings)


def _assumptions(conditions: Mapping[str, Any], scenario: Scenario) -> Iterator[Mapping[tuple[str, ...], bool]]:
    """One thing is not equal to two texts at a time."""
    unanswered: dict[tuple[str, ...], tuple[Any, Any]] = {}
    for node in _nodes(conditions):
        match node:
            case {"Fn::Equals": [left, right]} if UNKNOWN in (_value(left, scenario), _value(right, scenario)):
                unanswered.setdefault(_question(left, right), (left, right))
    questions = list(unanswered.items())[:_FREE]
    for answers in itertools.product((True, False), repeat=len(questions)):
        true = [sides for (_, sides), answer in zip(questions, answers, strict=True) if answer]
        if not any(_contradict(one, other) for one, other in itertools.combinations(true, 2)):
            yield {question: answer for (question, _), answer in zip(questions, answers, strict=True)}


def _question(left: Any, right: Any) -> tuple[str, ...]:
    return tuple(sorted((repr(left), repr(right))))


def _contradict(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    asked = {repr(side) for side in one if isinstance(side, dict)} & {repr(side) for side in other}
    texts = {str(side) for side in (*one, *other) if not isinstance(side, dict | list)}
    return bool(asked) and len(texts) > 1


def _looked_up(template: Mapping[str, Any], mappings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Keys of mappings by what says which of them is meant."""
    found: dict[str, list[Any]] = {}
    for node in _nodes([template.get("Resources"), template.get("Conditions")]):
        match node:
            case {"Fn::FindInMap": [str(name), first, second, *_]} if isinstance(mappings.get(name), dict):
                rows = mappings[name]
                columns = [key for row in rows.values() if isinstance(row, dict) for key in row]
                for asks, keys in ((first, list(rows)), (second, columns)):
                    match asks:
                        case {"Ref": str(parameter)}:
                            found.setdefault(parameter, []).extend(keys)
    return {name: list(dict.fromkeys(keys)) for name, keys in found.items()}


def _alone(
    parameters: Mapping[str, Any], asked: Mapping[str, list[Any]], looked_up: Mapping[str, list[Any]]
) -> Iterator[tuple[str, Any]]:
    """Each value of a parameter that a mapping is read by, or that has values to choose from and none by itself."""
    for name in dict.fromkeys((*parameters, *looked_up)):
        declared = parameters.get(name)
        declared = declared if isinstance(declared, dict) else {}
        if name in asked or (name not in parameters and name not in _ASKED):
            continue
        allowed = declared.get("AllowedValues")
        values = allowed if isinstance(allowed, list) else looked_up.get(name, [])
        default = declared.get("Default")
        if name not in looked_up and default is not None:
            continue
        yield from ((name, item) for item in values if not isinstance(item, dict | list) and item != default)


def _held(conditions: Mapping[str, Any], scenario: Scenario) -> Mapping[str, bool]:
    """Of those that the text tells."""
    known: dict[str, bool | None] = {}
    for name in conditions:
        try:
            _holds({"Condition": name}, conditions, scenario, known)
        except RecursionError:
            known[name] = None  # a chain of hundreds
    return {name: holds for name, holds in known.items() if holds is not None}


_OTHER: Final = object()
"""A value of a parameter that no condition names."""


def _asked(
    conditions: Mapping[str, Any], parameters: Mapping[str, Any], looked_up: Mapping[str, list[Any]]
) -> dict[str, list[Any]]:
    """Values that are to be tried, by parameter."""
    compared: dict[str, list[Any]] = {}
    for node in _nodes(conditions):
        match node:
            case {"Fn::Equals": [left, right]}:
                for one, other in ((left, right), (right, left)):
                    match one, other:
                        case {"Ref": str(name)}, str() | int() | float() | bool() if (
                            name in parameters or name in _ASKED
                        ):
                            compared.setdefault(name, []).append(other)
            case {"Ref": str(name)} if name in parameters:
                compared.setdefault(name, [])
    found: dict[str, list[Any]] = {}
    for name, values in compared.items():
        declared = given if isinstance(given := parameters.get(name), dict) else {}
        allowed = declared.get("AllowedValues")
        choices = (
            list(allowed) if isinstance(allowed, list) and allowed else [*values, *looked_up.get(name, ()), _OTHER]
        )
        default = declared.get("Default")
        if default is not None and default in choices:
            choices.insert(0, default)
        found[name] = list(dict.fromkeys(item for item in choices if not isinstance(item, dict | list)))
    return found


def _holds(node: Any, conditions: Mapping[str, Any], scenario: Scenario, known: dict[str, bool | None]) -> bool | None:
    """None where the text does not tell. ``known`` are those that were asked before: each is asked once."""
    match node:
        case {"Condition": str(name)}:
            if name not in known:
                known[name] = None  # while it is asked: a circle tells nothing
                known[name] = _holds(conditions.get(name), conditions, scenario, known)
            return known[name]
        case {"Fn::Equals": [left, right]}:
            values = [_value(side, scenario) for side in (left, right)]
            if any(value is UNKNOWN for value in values):
                return scenario.assumed.get(_question(left, right))
            return not any(value is _OTHER for value in values) and str(values[0]) == str(values[1])
        case {"Fn::Not": [inside]}:
            held = _holds(inside, conditions, scenario, known)
            return None if held is None else not held
        case {"Fn::And": list(parts)}:
            found = [_holds(part, conditions, scenario, known) for part in parts]
            return False if False in found else None if None in found else True
        case {"Fn::Or": list(parts)}:
            found = [_holds(part, conditions, scenario, known) for part in parts]
            return True if True in found else None if None in found else False
    return None


def _value(side: Any, scenario: Scenario) -> Any:
    match side:
        case {"Ref": str(name)} if name in scenario.parameters:
            return scenario.parameters[name]
    return scenario.spot(side, "").value


def _nodes(value: Any) -> Iterator[Any]:
    yield value
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in below:
        yield from _nodes(item)


def _section(template: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = template.get(name)
    return found if isinstance(found, dict) else {}
