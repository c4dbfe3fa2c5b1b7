"""Where steps read and write in S3, as patterns: what only a run knows is a star."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.ir import Definition, Join, Ref, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri

_URI = re.compile(r"(?:\"(?P<member>\w+)\"\s*:\s*\")?(?P<uri>s3://[^\s\"'\\,;]+)")
"""With the member before it, where the text is itself a document."""
_ADDRESS = re.compile(r"(/assets/)[0-9a-f]{64}(?=/|$).*")
_WRITES = ("Output", "DataCaptureConfig", "S3FailurePath")
_BOTH = "CheckpointConfig"
_ONE = frozenset({("ModelDataUrl",), ("SamplePayloadUrl",)})
STAR = "*"


@dataclass(frozen=True, slots=True)
class Place:
    """``bucket`` and ``key`` with stars; nothing is known of a place whose bucket is a star."""

    bucket: str
    key: str
    reads: bool
    writes: bool
    listed: bool = True
    """Objects below a prefix are looked for; an archive is one object."""

    @property
    def prefix(self) -> str:
        """For s3:prefix and object ARNs: all that begins so."""
        return self.key if self.key.endswith(STAR) else f"{self.key}{STAR}"


def places(definition: Definition, value: Value) -> Iterator[Place]:
    """In the Arguments of a step."""
    for around, text in _texts(definition, value, ()):
        for found in _URI.finditer(text):
            path = around if found["member"] is None else (*around, found["member"])
            bucket, key = split_uri(_ADDRESS.sub(r"\1*", found["uri"]))
            both = _BOTH in path
            writes = both or any(mark in member for member in path for mark in _WRITES)
            yield Place(bucket, key, reads=both or not writes, writes=writes, listed=path[-1:] not in _ONE)


def unknown_places(definition: Definition, value: Value) -> Iterator[str]:
    """Parameters without a default that are a place, or the beginning of one: whoever starts the pipeline says it."""
    for found in _walk(value, ()):
        path, item = found
        first = item.values[0] if isinstance(item, Join) and item.values else item
        name = _parameter(first)
        if name is None or not any("S3" in member or "Uri" in member for member in path):
            continue
        parameter = definition.parameter(name)
        if parameter is not None and not isinstance(parameter.default, str):
            yield name


def pattern(definition: Definition, value: Value) -> str | None:
    """One text with stars for what is not known; None for what is no text.

    >>> pattern(Definition("churn"), Join("/", ("s3:/", "acme", Ref("Execution.PipelineExecutionId"), "model")))
    's3://acme/*/model'
    """
    match value:
        case str():
            return value
        case Join():
            return value.on.join(pattern(definition, item) or STAR for item in value.values)
        case Ref():
            name = _parameter(value)
            parameter = definition.parameter(name) if name is not None else None
            return parameter.default if parameter is not None and isinstance(parameter.default, str) else None
    return None


def _texts(definition: Definition, value: Value, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for place, item in _walk(value, path):
        text = pattern(definition, item)
        if text is not None:
            yield place, text


def _walk(value: Value, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Texts and expressions with the names of the members around them."""
    match value:
        case Mapping():
            for member, item in value.items():
                yield from _walk(item, (*path, member))
        case tuple():
            for item in value:
                yield from _walk(item, path)
        case str() | Join() | Ref():
            yield path, value


def _parameter(value: Value) -> str | None:
    path = value.path if isinstance(value, Ref) else None
    return path.name if path is not None and path.root == "Parameters" and not path.segments else None


def members(
    value: Value, wanted: re.Pattern[str], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Value]]:
    """What members, however deep, are whose name fits, with the names of those around them and their own."""
    match value:
        case Mapping():
            for member, item in value.items():
                if wanted.fullmatch(member):
                    yield (*path, member), item
                yield from members(item, wanted, (*path, member))
        case tuple():
            for item in value:
                yield from members(item, wanted, path)
