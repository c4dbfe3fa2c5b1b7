"""The record of a kind of hook: something of the user's own that is called at a moment of a promotion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mlops.ir.dataclass import dataclass

Moment: TypeAlias = Literal["before", "stage", "before-last", "after", "rollback"]
Failing: TypeAlias = Literal["abort", "go-on"]
MOMENTS: tuple[Moment, ...] = ("before", "stage", "before-last", "after", "rollback")
TOO_LATE: frozenset[Moment] = frozenset({"after", "rollback"})
"""Nothing can be aborted any more."""


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes to an endpoint. ``config`` serves in the end, ``before`` served before; of an inference component both
    are models."""

    endpoint: str
    group: str
    version: int
    config: str
    before: str | None
    engine: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Coming):
    """What a hook is told. ``key`` is the same where a call is repeated, since whoever called it may have been killed
    before it heard the answer. ``stage`` counts from 1, ``share`` is in percent."""

    key: str
    moment: Moment
    environment: str
    stage: int | None = None
    share: float | None = None
    reason: str | None = None

    def as_dictionary(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Around:
    """What a kind may need: ``client`` makes boto3 clients of the environment's account, ``root`` is the project's
    folder, ``variables`` are the process's own."""

    client: Callable[[str], Any]
    root: Path
    variables: Mapping[str, str]
    sleep: Callable[[float], None]
    now: Callable[[], float]


class HookFailed(Exception):
    """The text is a clause that says why, without a secret or an address."""


@dataclass(frozen=True, slots=True)
class HookKind:
    """``read`` makes settings of its table, without ``failing``, and raises ValueError with a sentence. ``call`` raises
    HookFailed."""

    name: str
    summary: str
    read: Callable[[Mapping[str, Any]], Any]
    call: Callable[[Any, Facts, Around], None]


@dataclass(frozen=True, slots=True)
class Hook:
    """``settings`` are of its kind; ``failing`` says what becomes of the promotion where it fails."""

    moment: Moment
    kind: HookKind
    settings: Any
    failing: Failing
