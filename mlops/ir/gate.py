"""The record of a gate: what has to be so before a version may serve, and what is looked at to say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision on a version. ``by`` is an ARN or a name, None where nobody knows: it was made elsewhere."""

    status: Literal["Approved", "Rejected"]
    by: str | None
    reason: str | None
    at: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Of what lies at an S3 URI, as far as somebody told it; ``etag`` and ``sha256`` are None where nothing is there.
    ``doubt`` says, in words, why it may not be what was registered."""

    etag: str | None = None
    sha256: str | None = None
    doubt: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """What is known of an image: how many findings of each severity, and their names by severity. ``unknown`` says, in
    words, why there is no scan to be read."""

    image: str
    counts: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Shipped:
    """A Python distribution that a version brings: ``version`` is None where ``said``, what was written, pins none."""

    name: str
    version: str | None
    said: str
    file: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """Instances of one type: those that the endpoint has and keeps while the new version comes, those that come, those
    of other endpoints, and the account's quota. ``unknown`` says why there is no quota to be read."""

    instance: str
    serving: int
    coming: int
    others: int
    quota: float | None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a version answers: content types of its requests and of its answers, and whether samples came with it."""

    takes: Sequence[str]
    gives: Sequence[str]
    samples: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gate may look at; what takes a call is asked when a gate wants it.

    ``author`` is who registered the version, None where that is not known. ``metrics`` are the numbers of its reports
    by dotted name, ``serving_metrics`` those of the version that serves now; None where none does. ``details`` is
    DescribeModelPackage's reply. ``root`` is the project's folder, below which files lie that settings name.
    ``registered`` are digests by URI as they were recorded, ``stored`` what lies there now, read in full, and
    ``listed`` the same as S3 tells it without its being read: ETag and size.
    """

    environment: str
    group: str
    version: int
    approval: str
    author: str | None
    created: datetime | None
    now: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    approvals: Callable[[], Sequence[Approval]] = tuple
    metrics: Callable[[], Mapping[str, float]] = dict
    serving_metrics: Callable[[], Mapping[str, float] | None] = lambda: None
    passed: Callable[[str], str | None] = lambda environment: None
    """Why the version has not passed another environment; None where it has."""
    root: Path = Path()
    region: str = ""
    """Of the environment."""
    registered: Callable[[], Mapping[str, Digest]] = dict
    stored: Callable[[], Mapping[str, Digest]] = dict
    listed: Callable[[], Mapping[str, Digest]] = dict
    scans: Callable[[], Sequence[Scan]] = tuple
    shipped: Callable[[], Sequence[Shipped]] = tuple
    fleet: Callable[[], Fleet | None] = lambda: None
    """None where no instances come: for a serverless variant."""
    signature: Callable[[], Signature] = lambda: Signature((), (), 0)
    serving_signature: Callable[[], Signature | None] = lambda: None
    card: Callable[[], Mapping[str, Any]] = dict
    """Its model card, in SageMaker's words."""
    card_status: Callable[[], str] = lambda: "Draft"
    endpoint: Callable[[], str | None] = lambda: None
    """The endpoint that is promoted to; None where nothing serves there yet."""
    client: Callable[[str], Any] | None = None
    """For a gate of one's own: a client of boto3 by the name of its service, of the account that is promoted to."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``found`` is what was found, in words, whether it passes or not."""

    passes: bool
    found: str


class Off(Enum):
    """Settings of a gate that ``mlops.toml`` switches off."""

    OFF = "off"


OFF = Off.OFF


@dataclass(frozen=True, slots=True)
class Gate:
    """``read`` makes settings of what ``mlops.toml`` says, or ``OFF``, and raises ValueError with a sentence."""

    name: str
    summary: str
    read: Callable[[Any], Any]
    judge: Callable[[Any, Asked], Judgement]


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text, in quotes"}


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value of TOML is of a plain type, or of a union of such. Of others nothing is said: their gate
    looks."""
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, item) for item in get_args(kind))
    if kind is float:
        return type(value) in (int, float)
    if get_origin(kind) is Sequence:
        return isinstance(value, list | tuple | str)  # of a text its gate says what it wants
    return kind not in (bool, int, str, NoneType) or type(value) is kind


def table(cls: type[Any]) -> Callable[[Any], Any]:
    """A ``read`` whose settings are a dataclass: its fields are the keys."""

    def read(raw: Any) -> Any:
        known = ", ".join(cls.__dataclass_fields__)
        if not isinstance(raw, Mapping):
            raise ValueError(f"give a table, with the keys {known}")
        for key in raw:
            if key not in cls.__dataclass_fields__:
                raise ValueError(f"{key!r} is not a key of it; known: {known}")
        kinds = get_type_hints(cls)
        for key, value in raw.items():
            if not _fits(value, kinds[key]):
                listed = "a list" if get_origin(kinds[key]) is Sequence else "a value of another type"
                raise ValueError(f"{key} = {value!r}: give {_WORDS.get(kinds[key], listed)}")
        for name, item in cls.__dataclass_fields__.items():
            if name not in raw and item.default is MISSING and item.default_factory is MISSING:
                raise ValueError(f"it lacks {name!r}; known: {known}")
        return cls(**raw)

    return read
