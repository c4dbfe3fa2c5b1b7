"""botocore's service models, read as files without importing botocore, and values compared with their shapes.

The models ship with boto3 and are the law for every request and response; nothing of them is copied here.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from mlops.check.nearest import did_you_mean
from mlops.ir import ConfigurationError, Join, JsonGet, Ref, StepType, Unknown, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.seed import SEED
from mlops.ir.values import Expression, pointer


class Mismatch(Enum):
    """How a value can differ from its shape."""

    UNKNOWN_MEMBER = "unknown member"
    MISSING_MEMBER = "missing member"
    TYPE = "type"
    ENUM = "enum"
    PATTERN = "pattern"
    LENGTH = "length"
    RANGE = "range"
    COUNT = "count"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Misfit:
    """``at`` points to the value, for a missing member to where it would be."""

    kind: Mismatch
    at: str
    message: str
    help: str | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of one service. ``raw`` is the model's own record of it."""

    service: str
    name: str
    raw: Mapping[str, Any]
    _met: dict[str, Shape] = field(default_factory=dict, compare=False, repr=False)
    """Shapes of members that were asked for: every definition asks for the same ones."""

    @property
    def kind(self) -> str:
        """``structure``, ``list``, ``map``, ``string``, ``integer``, ``long``, ``float``, ``double``, ``boolean``, …"""
        return str(self.raw["type"])

    @property
    def members(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.raw.get("members", {})
        return found

    @property
    def required(self) -> Sequence[str]:
        found: Sequence[str] = self.raw.get("required", ())
        return found

    def member(self, name: str) -> Shape | None:
        met = self._met.get(name)
        if met is None and (reference := self.members.get(name)) is not None:
            met = self._met[name] = self._resolve(reference)
        return met

    def item(self) -> Shape:
        return self._resolve(self.raw["member"])

    def key(self) -> Shape:
        return self._resolve(self.raw["key"])

    def value(self) -> Shape:
        return self._resolve(self.raw["value"])

    def _resolve(self, reference: Mapping[str, Any]) -> Shape:
        """A member is a reference into a service model, or (in shapes of ours) a record in place."""
        if "shape" not in reference:
            return Shape(self.service, "", reference)
        service = str(reference.get("service", self.service))
        found = shape(service, reference["shape"], reference.get("omits", ()), reference.get("optional", ()))
        return found or Shape(service, "", {"type": "any"})


@cache
def shape(service: str, name: str, omits: Sequence[str] = (), optional: Sequence[str] = ()) -> Shape | None:
    """None where the installed botocore does not know the service or the shape; raises :class:`ConfigurationError`
    where there is no botocore. ``omits`` are members that the shape shall not have, ``optional`` such that it shall
    not require.
    """
    raw = _model(service).get(name)
    if raw is None:
        return None
    if omits or optional:
        dropped = {*omits, *optional}
        raw = {
            **raw,
            "required": [member for member in raw.get("required", ()) if member not in dropped],
            "members": {key: member for key, member in raw["members"].items() if key not in omits},
        }
    return Shape(service, name, raw)


_own: dict[str, Shape] = {}


def own_shape(step_type: StepType) -> Shape | None:
    """Of Arguments that mirror no single request, as the step type states it."""
    raw = step_type.arguments
    if raw is None:
        return None
    found = _own.get(step_type.type)
    if found is None or found.raw is not raw:
        found = _own[step_type.type] = Shape("sagemaker", f"{step_type.type} arguments", raw)
    return found


def calls(service: str) -> frozenset[str]:
    """Names of the service's operations; none where the installed botocore does not know the service."""
    return frozenset(_file(service).get("operations", ()))


def _model(service: str) -> Mapping[str, Mapping[str, Any]]:
    shapes: Mapping[str, Mapping[str, Any]] = _file(service).get("shapes", {})
    return shapes


@cache
def _file(service: str) -> Mapping[str, Any]:
    path = _model_file(service)
    if path is None:
        return {}
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    whole: Mapping[str, Any] = json.loads(content)
    return {name: whole[name] for name in ("operations", "shapes")}


def _model_file(service: str) -> Path | None:
    spec = importlib.util.find_spec("botocore")
    if spec is None:
        raise ConfigurationError("botocore is not installed", hint="it carries the service model: pip install boto3")
    for root in spec.submodule_search_locations or ():
        for dated in sorted((Path(root) / "data" / service).glob("[0-9]*"), reverse=True):
            for name in ("service-2.json.gz", "service-2.json"):
                if (dated / name).is_file():
                    return dated / name
    return None


@dataclass(frozen=True, slots=True)
class Feed:
    """An expression and the shape of the place that it fills. ``in_map`` says that it is a value of a map of strings,
    as HyperParameters and Environment are, which the service fills with the text of any scalar."""

    at: str
    expression: Expression
    shape: Shape
    in_map: bool = False


_LEAVES = frozenset({str, int, float, bool})
_EXPRESSIONS = (Ref, Join, JsonGet)


def walk(value: Value, against: Shape, at: str, omits: frozenset[str] = frozenset()) -> Iterator[Misfit | Feed]:
    """Compare ``value`` with a shape; expressions come out as feeds. ``omits`` need not be there, but may."""
    if type(value) in _LEAVES:  # most values, spared what follows
        pass
    elif isinstance(value, Unknown):
        return
    elif isinstance(value, _EXPRESSIONS):
        yield Feed(at, value, against)
        return
    elif isinstance(value, Mapping) and is_expression_attempt(value):
        return
    match against.kind:
        case "structure":
            yield from _walk_structure(value, against, at, omits)
        case "list":
            if not isinstance(value, tuple):
                yield _wrong_type(value, at, "a list")
                return
            yield from _count(len(value), against, at, "items")
            item = against.item()
            for index, entry in enumerate(value):
                yield from walk(entry, item, f"{at}/{index}")
        case "map":
            yield from _walk_map(value, against, at)
        case "any":
            return
        case _:
            yield from scalar(value, against, at)


def _walk_structure(value: Value, against: Shape, at: str, omits: frozenset[str]) -> Iterator[Misfit | Feed]:
    if not isinstance(value, Mapping):
        yield _wrong_type(value, at, "an object")
        return
    for name in against.required:
        if name not in omits and value.get(name) is None:
            message = f"{name} is required" + (", it is null" if name in value else "")
            yield Misfit(Mismatch.MISSING_MEMBER, at + pointer(name), message, f"add {name}")
    if against.raw.get("union"):
        given = [name for name in value if name in against.members]
        if len(given) != 1:
            message = f"exactly one of {', '.join(against.members)} is wanted, found {len(given)}"
            yield Misfit(Mismatch.COUNT, at, message)
    for name, entry in value.items():
        here = at + pointer(name)
        member = against.member(name)
        if member is None:
            message = f"{name} is no member of {against.name or 'this object'}"
            yield Misfit(Mismatch.UNKNOWN_MEMBER, here, message, did_you_mean(name, against.members))
        elif entry is None:
            if name not in against.required:
                yield Misfit(Mismatch.NULL, here, f"{name} is null", "leave it out")
        elif type(entry) in _LEAVES and member.kind not in ("structure", "list", "map", "any"):
            yield from scalar(entry, member, here)
        else:
            yield from walk(entry, member, here)


def _walk_map(value: Value, against: Shape, at: str) -> Iterator[Misfit | Feed]:
    if not isinstance(value, Mapping):
        yield _wrong_type(value, at, "an object")
        return
    for misfit in _count(len(value), against, at, "entries"):
        seeded = f"one of them is {SEED}, the pipeline's seed: give one fewer of yours" if SEED in value else None
        yield replace(misfit, help=seeded)
    key_shape, value_shape = against.key(), against.value()
    for key, entry in value.items():
        here = at + pointer(key)
        for misfit in scalar(key, key_shape, here):
            yield Misfit(misfit.kind, here, f"key {misfit.message}", misfit.help, misfit.doubtful)
        if isinstance(entry, _EXPRESSIONS):
            yield Feed(here, entry, value_shape, in_map=True)
        elif isinstance(entry, tuple) and value_shape.kind == "string":
            # The official SDK's evaluator templates write lists there.
            yield replace(_wrong_type(entry, here, "a string"), doubtful=True)
        else:
            yield from walk(entry, value_shape, here)


def is_expression_attempt(value: Mapping[str, Value]) -> bool:
    """An object that can only be meant as an expression, but is none: the rules on expressions speak about it."""
    if len(value) != 1:
        return False
    (key,) = value
    return key == "Get" or key.startswith("Std:")


_NUMBERS = {"integer": "an integer", "long": "an integer", "float": "a number", "double": "a number"}

_DOUBTED = frozenset(
    {"CustomerMetadataKey", "CustomerMetadataValue", "ServerlessJobBaseModelArn", "ResponseMIMEType", "ContentType"}
)
"""Shapes whose pattern public pipelines break without any sign that the service minds."""


def scalar(value: Value, against: Shape, at: str) -> Iterator[Misfit]:
    """A literal against a scalar shape: type, enum, length, range, pattern."""
    kind = against.kind
    if kind in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong_type(value, at, _NUMBERS[kind])
        elif kind in ("integer", "long") and isinstance(value, float):
            yield _wrong_type(value, at, "an integer")
        else:
            yield from _range(value, against, at)
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield _wrong_type(value, at, "true or false")
    elif kind == "string":
        if not isinstance(value, str):
            yield _wrong_type(value, at, "a string")
        else:
            yield from _string(value, against, at)
    elif kind in ("timestamp", "blob"):
        if isinstance(value, tuple | Mapping):
            yield _wrong_type(value, at, f"a {kind}")
    elif isinstance(value, Mapping | tuple):
        yield _wrong_type(value, at, f"a {kind}")


def _string(value: str, against: Shape, at: str) -> Iterator[Misfit]:
    choices = against.raw.get("enum")
    if choices is not None:
        if value not in choices:
            help_text = did_you_mean(value, choices) or f"e.g. {', '.join(choices[:3])}"
            yield Misfit(Mismatch.ENUM, at, f"{shown(value)} is not an allowed {against.name or 'value'}", help_text)
        return
    length = len(value)
    low, high = against.raw.get("min", 0), against.raw.get("max")
    if length < low:
        yield Misfit(Mismatch.LENGTH, at, f"{shown(value)} has {length} characters, at least {low} are wanted")
    elif high is not None and length > high:
        yield Misfit(Mismatch.LENGTH, at, f"{shown(value)} has {length} characters, at most {high} are allowed")
    else:
        pattern = against.raw.get("pattern")
        compiled = compiled_pattern(pattern) if pattern else None
        if compiled is not None and not compiled.fullmatch(value):
            message = f"{shown(value)} does not have the form of {against.name or 'this member'}: {pattern}"
            yield Misfit(Mismatch.PATTERN, at, message, form_of(against), doubtful=against.name in _DOUBTED)


_FORMS = {
    "RoleArn": "give the whole ARN: arn:aws:iam::<twelve digits>:role/<name>",
    "S3Uri": "write s3://<bucket>/<key>",
    "Url": "write s3://<bucket>/<key>",
    "KmsKeyId": "give a key's id or ARN, or alias/<name>",
    "SubnetId": "subnets look like subnet-0a1b2c3d",
    "SecurityGroupId": "security groups look like sg-0a1b2c3d",
    "ContainerImage": "<account>.dkr.ecr.<region>.amazonaws.com/<name>:<tag>, without blanks",
    "ContainerEntrypointString": "give it in one line",
    "TagKey": "use letters, digits, blanks and _ . : / = + - @",
    "ResponseMIMEType": 'e.g. "text/csv"',
    "ContentType": 'e.g. "text/csv"',
    "ImageDigest": "sha256: and 64 hexadecimal digits",
    "ChannelName": "use letters, digits, . - and _",
}


def form_of(against: Shape) -> str | None:
    """How to write what a shape wants, in words."""
    known = _FORMS.get(against.name)
    if known is None and against.name.endswith("Name") and "_" not in str(against.raw.get("pattern", "_")):
        return "use letters, digits and -, a letter or a digit first"
    if known is None and "Environment" in against.name and against.name.endswith("Key"):
        return "use letters, digits and _, a letter or _ first"
    return known


_CLASSES = {
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
    "${1,": "{1,",  # of customer metadata: a slip of the model
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{M}": r"\w",
    r"\p{S}": r"$+<=>^`|~",
    r"\p{P}": "!-/:-@",
}


@cache
def compiled_pattern(pattern: str) -> re.Pattern[str] | None:
    """The models are written for Java; what Python's ``re`` cannot say is not checked."""
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def _range(value: int | float, against: Shape, at: str) -> Iterator[Misfit]:
    low, high = against.raw.get("min"), against.raw.get("max")
    if low is not None and value < low:
        yield Misfit(Mismatch.RANGE, at, f"{_named(at)}{shown(value)} is below the minimum {low}")
    elif high is not None and value > high:
        yield Misfit(Mismatch.RANGE, at, f"{_named(at)}{shown(value)} is above the maximum {high}")


def _count(count: int, against: Shape, at: str, noun: str) -> Iterator[Misfit]:
    low, high = against.raw.get("min", 0), against.raw.get("max")
    if count < low:
        yield Misfit(Mismatch.COUNT, at, f"{_named(at)}{count} {noun}, at least {low} wanted")
    elif high is not None and count > high:
        yield Misfit(Mismatch.COUNT, at, f"{_named(at)}{count} {noun}, at most {high} allowed")


def _wrong_type(value: Value, at: str, wanted: str) -> Misfit:
    return Misfit(Mismatch.TYPE, at, f"{_named(at)}{shown(value)} where {wanted} is wanted")


def _named(at: str) -> str:
    """The member that a pointer ends with, to begin a message with; nothing for an item of a list."""
    last = at.rpartition("/")[2]
    return f"{last}: " if last and not last.isdigit() else ""


def shown(value: Value) -> str:
    """A value for a message: short, and never a whole object."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= 60 else f"{value[:57]}...")
        case int() | float():
            return str(value) if abs(value) < 10**30 else "a huge number"
        case tuple():
            return "a list" if value else "an empty list"
        case Mapping():
            return "an object"
    return "an expression"
