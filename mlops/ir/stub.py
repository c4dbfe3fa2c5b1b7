"""What stands for a step that is not to run: what others read of it, in place of what it would have answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import zip_longest
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.job_kind import S3Place
from mlops.ir.step_type import StepType
from mlops.ir.values import Join, JsonGet, Key, Ref, RefPath, Unknown

COMPLETED = "Completed"


@dataclass(frozen=True, slots=True)
class Stub:
    """``members`` are of the step's response. ``outputs`` are S3 URIs of what stands for the files that it writes, by
    the name of the output. ``source`` is what the user gave, to be told."""

    members: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    def as_dictionary(self) -> dict[str, Any]:
        return {"Members": dict(self.members), "Outputs": dict(self.outputs), "Source": self.source}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Stub:
        return cls(body["Members"], body["Outputs"], body["Source"])


@dataclass(frozen=True, slots=True)
class Copy:
    """What lies at ``source`` is to lie at ``target``, too: one object where ``is_file``, else all below."""

    source: str
    target: str
    is_file: bool


def response_of(
    stub: Stub, step_type: StepType | None, request: Mapping[str, Any], job: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Copy, ...]]:
    """What is read of the step, and what is to be copied for it. A job repeats its ``request``, and ``job`` has what
    the service says of it itself. Files lie where the request wants them; where it says nothing, where they are."""
    keyed = step_type.keyed if step_type is not None else {}
    kind = step_type.job if step_type is not None else None
    echoed = request if step_type is not None and step_type.response is not None else {}
    found = merged({**echoed, **job}, stub.members, keyed)
    copies: list[Copy] = []
    for place in kind.outputs if kind is not None else ():
        there = dict(place.uris(found))
        for name in place.names(request):
            if name not in stub.outputs:
                continue
            if name in there:
                copies.append(Copy(stub.outputs[name], there[name], place.is_file))
            else:
                found = merged(found, _at(place, name, stub.outputs[name]), keyed)
    return found, tuple(copies)


def merged(
    below: Mapping[str, Any],
    above: Mapping[str, Any],
    keyed: Mapping[str, str],
    at: str = "",
    *,
    by_place: bool = False,
) -> dict[str, Any]:
    """``above`` wins, member by member; items of a list that have names (``keyed``) by these, with ``by_place`` others
    by their number.

    >>> merged({"A": {"b": 1, "c": 2}}, {"A": {"c": 3}}, {})
    {'A': {'b': 1, 'c': 3}}
    >>> merged({"L": [{"Name": "x", "v": 1}]}, {"L": [{"Name": "x", "v": 2}, {"Name": "y"}]}, {"L": "Name"})
    {'L': [{'Name': 'x', 'v': 2}, {'Name': 'y'}]}
    >>> merged({"L": [{"a": 1}]}, {"L": [{}, {"a": 2}]}, {}, by_place=True)
    {'L': [{'a': 1}, {'a': 2}]}
    """
    found = dict(below)
    for member, value in above.items():
        here = f"{at}.{member}" if at else member
        there = found.get(member)
        if isinstance(value, Mapping) and isinstance(there, Mapping):
            found[member] = merged(there, value, keyed, here, by_place=by_place)
        elif here in keyed and isinstance(value, Sequence) and isinstance(there, Sequence):
            found[member] = _items(there, value, keyed[here], keyed, here)
        elif by_place and isinstance(value, list) and isinstance(there, list):
            found[member] = _by_number(there, value, keyed, here)
        else:
            found[member] = value
    return found


def _items(
    below: Sequence[Any], above: Sequence[Any], name: str, keyed: Mapping[str, str], at: str
) -> Sequence[Mapping[str, Any]]:
    if any(not isinstance(item, Mapping) or item.get(name) is None for item in (*below, *above)):
        return above
    found = {item[name]: item for item in below}
    for item in above:
        found[item[name]] = merged(found.get(item[name], {}), item, keyed, at)
    return [*found.values()]


def _by_number(below: Sequence[Any], above: Sequence[Any], keyed: Mapping[str, str], at: str) -> list[Any]:
    """An empty object is an item of which nothing is said."""
    found: list[Any] = []
    one: Any
    other: Any
    for one, other in zip_longest(below, above, fillvalue={}):
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found.append(merged(one, other, keyed, at, by_place=True))
        else:
            found.append(one if other == {} else other)
    return found


def _at(place: S3Place, name: str, uri: str) -> dict[str, Any]:
    """The members that lead to the URI of one output."""
    inner: Any = uri
    path = place.path if place.label is None else place.inside
    for member in reversed(path):
        inner = {member: inner}
    if place.label is None:
        return dict(inner)
    inner = [{place.label: name, **inner}]
    for member in reversed(place.path):
        inner = {member: inner}
    return dict(inner)


_MOST_ITEMS = 1000
_SEGMENT = re.compile(r"\.?(?P<member>[A-Za-z_][\w-]*)|\[(?P<number>\d+)\]|\['(?P<key>[^']*)'\]")


def members_at(path: str, value: Any, keyed: Mapping[str, str]) -> dict[str, Any] | None:
    """The members that lead to ``value`` by the path that others read it by; None where that is no path, or
    ``value`` cannot stand there: an item that has a name is an object.

    >>> members_at("TrainingJobSummaries[1].TrainingJobName", "b", {})
    {'TrainingJobSummaries': [{}, {'TrainingJobName': 'b'}]}
    >>> members_at("Outputs['a'].Uri", "u", {"Outputs": "Name"})
    {'Outputs': [{'Name': 'a', 'Uri': 'u'}]}
    """
    segments: list[str | int | Key] = []
    end = 0
    for found in _SEGMENT.finditer(path):
        if found.start() != end:
            return None
        end = found.end()
        if found["member"] is not None:
            segments.append(found["member"])
        elif found["number"] is not None:
            if len(found["number"]) > len(str(_MOST_ITEMS)) or int(found["number"]) >= _MOST_ITEMS:
                return None
            segments.append(int(found["number"]))
        else:
            segments.append(Key(found["key"]))
    if end != len(path) or not segments or not isinstance(segments[0], str):
        return None
    try:
        made = _nested(segments, value, keyed, "")
    except _NoItem:
        return None
    return made if isinstance(made, dict) else None


class _NoItem(Exception):
    """An item of a list that has names is no object."""


def _nested(segments: Sequence[str | int | Key], value: Any, keyed: Mapping[str, str], at: str) -> Any:
    if not segments:
        return value
    first, rest = segments[0], segments[1:]
    match first:
        case str():
            return {first: _nested(rest, value, keyed, f"{at}.{first}" if at else first)}
        case int():
            return [*({} for _ in range(first)), _nested(rest, value, keyed, at)]
        case Key(text=text) if at in keyed:
            item = _nested(rest, value, keyed, at)
            if not isinstance(item, Mapping):
                raise _NoItem
            return [{keyed[at]: text, **item}]
        case Key(text=text):
            return {text: _nested(rest, value, keyed, at)}


def holds(response: Mapping[str, Any], path: RefPath, keyed: Mapping[str, str]) -> bool:
    """Whether what ``path`` reads is there."""
    here: Any = response
    at = ""
    for segment in path.segments:
        match segment:
            case int() if isinstance(here, Sequence) and not isinstance(here, str):
                here = here[segment] if segment < len(here) else None
            case Key(text=text) if at in keyed and isinstance(here, Sequence):
                name = keyed[at]
                here = next((item for item in here if isinstance(item, Mapping) and item.get(name) == text), None)
            case Key(text=str(member)) | str(member) if isinstance(here, Mapping):
                here = here.get(member)
                at = f"{at}.{member}" if at else member
            case _:
                return isinstance(here, Ref | Join | JsonGet | Unknown)  # known when the pipeline runs
        if here is None:
            return False
    return True
