"""Which operation of a REST service a method and a path ask for, by the paths of its model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel

from mlops.account.local.refusal import Refusal
from mlops.account.wire.messages import Request, pairs
from mlops.ir.dataclass import dataclass

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class _Place:
    """``literal`` are what the model's path has behind its question mark, ``needed`` the members of query and headers
    that a request must have."""

    operation: OperationModel
    pattern: re.Pattern[str]
    literal: tuple[tuple[str, str], ...]
    needed_query: tuple[str, ...]
    needed_headers: tuple[str, ...]

    def fits(self, asked: Mapping[str, str]) -> bool:
        return not self.literal or all(
            name in asked and (not value or asked[name] == value) for name, value in self.literal
        )

    def is_whole(self, asked: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        return all(name in asked for name in self.needed_query) and all(name in headers for name in self.needed_headers)

    @property
    def weight(self) -> tuple[int, int, int, int, str]:
        """The least of what fits is meant: what says most, then what is not old, then what has the plainest name."""
        name = self.operation.name
        needed = len(self.needed_query) + len(self.needed_headers)
        words = len(_LABEL.sub("", self.pattern.pattern))
        return (-len(self.literal), -needed, -words, int(self.operation.deprecated) * 1000 + len(name), name)


def operation_of(model: ServiceModel, request: Request) -> OperationModel:
    """Raises Refusal where there is none."""
    asked = dict(request.query)
    fitting = [
        place
        for place in _places(model).get(request.method, ())
        if place.pattern.fullmatch(request.path) and place.fits(asked)
    ]
    # What all that fit need and the request has not is told by whoever obeys the model.
    chosen = [place for place in fitting if place.is_whole(asked, request.headers)] or fitting
    if not chosen:
        raise Refusal(
            "UnknownOperationException",
            f"No operation of {model.service_name} is {request.method} {request.path}.",
            404,
        )
    return min(chosen, key=lambda place: place.weight).operation


def know(model: ServiceModel) -> None:
    """Works out its paths, so that no request waits for that."""
    _places(model)


def named_in_path(operation: OperationModel, path: str) -> Mapping[str, str]:
    """What stands in the path, by the names in the model's."""
    found = _pattern(_uri(operation)).fullmatch(path)
    if found is None:
        return {}
    try:
        return {name: unquote(text, errors="strict") for name, text in found.groupdict().items() if text is not None}
    except UnicodeDecodeError:
        raise Refusal("InvalidURI", "Couldn't parse the specified URI.") from None


@cache
def _places(model: ServiceModel) -> Mapping[str, Sequence[_Place]]:
    """By their methods."""
    found: dict[str, list[_Place]] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        found.setdefault(operation.http["method"], []).append(_place(operation))
    return found


def _place(operation: OperationModel) -> _Place:
    uri = _uri(operation)
    shape = operation.input_shape
    needed: dict[str, list[str]] = {"querystring": [], "header": []}
    for name in shape.required_members if shape is not None else ():
        member = shape.members[name]
        needed.get(member.serialization.get("location", ""), []).append(member.serialization.get("name", name))
    return _Place(
        operation,
        _pattern(uri),
        tuple(pairs(uri.partition("?")[2])),
        tuple(needed["querystring"]),
        tuple(name.lower() for name in needed["header"]),
    )


def _uri(operation: OperationModel) -> str:
    """The first client for S3 of a process takes the bucket out of the paths of the model that it shares with us, and
    leaves ``authPath`` where it did."""
    uri: str = operation.http["requestUri"]
    return f"/{{Bucket}}{uri}" if "authPath" in operation.http else uri


@cache
def _pattern(uri: str) -> re.Pattern[str]:
    """
    >>> [bool(_pattern("/{Bucket}/{Key+}?uploads").fullmatch(path)) for path in ("/b/k/l", "/b/", "/b//k")]
    [True, False, True]
    """
    path = uri.partition("?")[0]
    parts, end = [], 0
    for label in _LABEL.finditer(path):
        parts.append(re.escape(path[end : label.start()]))
        parts.append(f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})")
        end = label.end()
    parts.append(re.escape(path[end:]))
    # A slash at the end is no other place, where it is not the key's own.
    return re.compile("".join(parts).rstrip("/") + ("" if path.endswith("+}") else "/?"), re.DOTALL)
