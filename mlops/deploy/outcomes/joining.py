"""Requests of an endpoint's variants and what became of each, read as they come.

A request counts when the time for its outcome is over, with what was known by then: so a period says the same whoever
looks, however late, and no version is better because its outcomes come sooner. Of one user the first request counts,
with all that became of theirs in that time: a user who comes back is no new evidence.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from mlops.account import Account
from mlops.account.missing import unless_missing
from mlops.deploy.outcomes import captured, ground_truth
from mlops.deploy.outcomes.captured import Request
from mlops.deploy.pages import items
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Became, Outcomes, answers_of
from mlops.project.environments import Environment

_LATE_FILES = 3600.0
"""How long after a request the file that it was captured in is looked for."""
_GRID = 250
"""Where a period has more values than that, each is kept as one of so many steps between the bounds, by chance the one
below or above, so that the mean stays what it is, and a period has an end however many requests it has."""

Slices = Mapping[str, Sequence[str]]
"""Values of attributes of the requests that are looked at by themselves."""


class Joined(Protocol):
    """What a judge asks of outcomes."""

    def read(self, since: float, began: float, now: float, names: Sequence[str]) -> None:
        """What came of requests since ``since``; users are new at ``began``."""

    def answers(self, wanted: Outcomes, slices: Slices, variant: str, at: int, seconds: int) -> dict[str, float | None]:
        """Of the requests from ``at`` on, within so many seconds."""

    def forget(self, before: float) -> None:
        """Requests that nobody asks for any more."""


@dataclass(slots=True, eq=False)
class _Unit:
    """A request, or a user: what counts once, for the ``variant`` that the ``first`` request went to."""

    variant: str
    first: Request
    requests: list[tuple[str, Request]]


class Joining:
    """:class:`Joined` of one endpoint, whose capture goes to ``destination`` (``s3://…``)."""

    def __init__(
        self,
        account: Account,
        environment: Environment,
        endpoint: str,
        destination: str,
        variants: Sequence[str],
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._account, self._environment, self._endpoint = account, environment, endpoint
        self._bucket, _, prefix = destination.removeprefix("s3://").partition("/")
        self._prefix = prefix.strip("/")
        self._say = say
        self._units: dict[str, dict[int, list[_Unit]]] = {variant: {} for variant in variants}
        self._known: dict[str, dict[str, list[tuple[float, str]]]] = {}
        self._users: dict[tuple[str, bool], _Unit] = {}
        self._ids: dict[str, int] = {}
        self._read: set[str] = set()
        self._read_until = -math.inf
        self._unreadable = 0

    def read(self, since: float, began: float, now: float, names: Sequence[str]) -> None:
        first = max(since, self._read_until - _LATE_FILES)
        unreadable = self._unreadable
        for hour in ground_truth.hours(first, now):
            for variant in self._units:
                folder = "/".join(filter(None, (self._prefix, self._endpoint, variant, f"{hour:%Y/%m/%d/%H}", "")))
                for _, line in self._lines(self._bucket, folder):
                    self._take(variant, line, since, began)
            for name in names:
                folder = ground_truth.folder(self._environment, self._endpoint, name, hour)
                for at, line in self._lines(self._environment.bucket, f"{folder}/"):
                    self._hear(name, at, line)
        self._read_until = now
        if self._unreadable > unreadable:
            self._say(
                f"{self._unreadable - unreadable} lines of captured requests and outcomes cannot be read, and are left "
                "out"
            )

    def answers(self, wanted: Outcomes, slices: Slices, variant: str, at: int, seconds: int) -> dict[str, float | None]:
        named = [f"{name}={value}" for name, values in slices.items() for value in values]
        tallies = {name: _Tally() for name in ("", *named)}
        for unit in self._of(variant, at, seconds):
            attributes = unit.first.attributes
            inside = [f"{name}={attributes[name]}" for name in slices if name in attributes]
            score = self._score(wanted, unit)
            for name in ("", *inside):
                if name in tallies:
                    tallies[name].take(score, wanted, unit.first.id)
        found: dict[str, float | None] = {}
        for name, tally in tallies.items():
            if tally.requests:
                found |= answers_of(tally.values(wanted), tally.requests, tally.beyond, name)
        return found

    def forget(self, before: float) -> None:
        for by_second in self._units.values():
            for second in [second for second in by_second if second < before]:
                for unit in by_second.pop(second):
                    for _, request in unit.requests:
                        for known in self._known.values():
                            known.pop(request.id, None)
                    unit.requests.clear()
        # A request that is tried again is so within an hour.
        oldest = before - _LATE_FILES
        self._ids = {name: second for name, second in self._ids.items() if second >= oldest}
        # Of requests that were not captured, or are forgotten.
        for known in self._known.values():
            for name in [name for name, told in known.items() if told[-1][0] < oldest and name not in self._ids]:
                del known[name]

    def _of(self, variant: str, at: int, seconds: int) -> Iterator[_Unit]:
        by_second = self._units[variant]
        for second in range(at, at + seconds) if seconds <= len(by_second) else sorted(by_second):
            if at <= second < at + seconds:
                yield from by_second.get(second, ())

    def _score(self, wanted: Outcomes, unit: _Unit) -> float | None:
        """Of all that is known when its time is over."""
        until = unit.first.second + wanted.within
        known = self._known.get(wanted.name, {})
        scores = []
        for variant, request in unit.requests:
            told = [(at, value) for at, value in known.get(request.id, ()) if at <= until]
            if told and request.second <= until and variant == unit.variant:
                # What was published last is what holds; of one file the line that stands last.
                score = wanted.score(Became(request.answer, max(reversed(told), key=lambda item: item[0])[1]))
                if score is not None:
                    scores.append(score)
        if not scores:
            return wanted.without
        match wanted.of_user:
            case "sum":
                return math.fsum(scores)
            case "most":
                return max(scores)
            case "mean":
                return math.fsum(scores) / len(scores)

    def _take(self, variant: str, line: str, since: float, began: float) -> None:
        try:
            request = captured.parsed(line)
        except (ValueError, RecursionError):
            self._unreadable += 1
            return
        if request.chosen or request.second < math.floor(since) or request.id in self._ids:
            return
        self._ids[request.id] = request.second
        if request.user is not None:
            # Who asked before the shift as well is another one in it.
            user = request.user, request.second >= began
            known = self._users.get(user)
            if known is not None:
                self._again(known, variant, request)
                return
        unit = _Unit(variant, request, [(variant, request)])
        if request.user is not None:
            self._users[user] = unit
        self._place(unit)

    def _again(self, unit: _Unit, variant: str, request: Request) -> None:
        """Files come in any order, and the first request of a user is the first in time."""
        if not unit.requests:
            return  # forgotten: it has counted
        unit.requests.append((variant, request))
        if request.second < unit.first.second:
            at = self._units[unit.variant].get(unit.first.second, [])
            if unit in at:
                at.remove(unit)
            unit.variant, unit.first = variant, request
            self._place(unit)

    def _place(self, unit: _Unit) -> None:
        self._units[unit.variant].setdefault(unit.first.second, []).append(unit)

    def _hear(self, name: str, at: float, line: str) -> None:
        try:
            identity, value = ground_truth.parsed(line)
        except (ValueError, RecursionError):
            self._unreadable += 1
            return
        self._known.setdefault(name, {}).setdefault(identity, []).append((at, value))

    def _lines(self, bucket: str, folder: str) -> Iterator[tuple[float, str]]:
        """Of files that were not read before, with when they became known."""
        s3: Any = self._account.client("s3")
        found = unless_missing(lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=folder)))
        for item in found or ():
            key = str(item["Key"])
            if (place := f"{bucket}/{key}") in self._read or not key.endswith(".jsonl"):
                continue
            content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            self._read.add(place)
            at = ground_truth.known_at(key, item["LastModified"])
            # Not splitlines(): U+2028 and U+0085 stand in texts of JSON, and end no line.
            for line in content.decode("utf-8", "replace").split("\n"):
                if line.strip():
                    yield at, line


@dataclass(slots=True)
class _Tally:
    scores: list[tuple[float, str]] = field(default_factory=list)
    requests: int = 0
    beyond: int = 0

    def take(self, score: float | None, wanted: Outcomes, identity: str) -> None:
        self.requests += 1
        if score is not None:
            self.beyond += not wanted.low <= score <= wanted.high
            self.scores.append((min(max(score, wanted.low), wanted.high), identity))

    def values(self, wanted: Outcomes) -> Mapping[float, int]:
        found = Counter(score for score, _ in self.scores)
        if len(found) <= _GRID:
            return found
        return Counter(_kept(score, wanted, identity) for score, identity in self.scores)


def _kept(score: float, wanted: Outcomes, identity: str) -> float:
    """On the grid. The chance is that of the request's own id, so whoever looks again keeps the same."""
    whole = wanted.high - wanted.low
    part = (score - wanted.low) / whole * _GRID
    below = math.floor(part + 1e-9)
    step = below + (zlib.crc32(identity.encode()) / 2**32 < part - below)
    return wanted.low + whole * step / _GRID


def need_capture(sagemaker: Any, endpoint: str, *, answers: bool, measure: str) -> str:
    """Where it goes to. Raises Refusal where nothing is captured of what a measure needs."""
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    capture = found.get("DataCaptureConfig") or {}
    destination = str(capture.get("DestinationS3Uri") or "")
    if not destination or not capture.get("EnableCapture", True):
        raise Refusal(
            f"{measure} is measured by what {endpoint} captures, and it captures nothing; nothing was changed",
            hint="give its endpoint configuration a DataCaptureConfig: `capture=` of EndpointConfig",
        )
    if answers:
        config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        options = (config.get("DataCaptureConfig") or {}).get("CaptureOptions") or ()
        if not any(item.get("CaptureMode") in ("Output", "InputAndOutput") for item in options):
            raise Refusal(
                f"{measure} holds answers against labels, and {endpoint} does not capture its answers; nothing was "
                "changed",
                hint="its DataCaptureConfig needs the CaptureMode Output",
            )
    return destination
