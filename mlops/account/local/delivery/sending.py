"""What is sent instead of written: a request of some records, what became of it, and whoever speaks so to a kind of
destination."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from mlops.account.local.delivery.record import Failed, Record
from mlops.ir.dataclass import dataclass

_FIRST_SECONDS, _LONGEST_SECONDS, _JITTER = 1.0, 120.0, 0.15


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Post: TypeAlias = Callable[[str, Mapping[str, str], bytes], Answer]
"""To an address. Raises OSError where there is no answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """``again`` is what is to be sent once more, and ``reason`` why; ``smaller``: in two requests, at once. ``failed``
    goes to the error prefix, and what was ``dropped`` nowhere. ``said`` is the reason without what records may hold,
    where that is another."""

    delivered: int
    again: Sequence[Record] = ()
    failed: Sequence[Failed] = ()
    dropped: int = 0
    reason: str = ""
    smaller: bool = False
    said: str = ""


class Sender(Protocol):
    """Speaks to one kind of destination."""

    @property
    def retry_seconds(self) -> int:
        """So long a request is tried."""

    def parts(self, records: Iterable[Record]) -> Iterator[list[Record]]:
        """What goes in one request."""

    def attempt(self, records: Sequence[Record], request_id: str, attempts: int, now: int) -> Attempt:
        """Sends once; ``attempts`` counts this one, ``now`` is in milliseconds. The id is the same however often it is
        sent."""

    def given_up(self, record: Record, reason: str, attempts: int, now: int) -> Failed:
        """Of what was tried long enough."""


def place(address: str) -> str:
    """For people: what comes behind may be a key.

    >>> place("http://127.0.0.1:8080/in?key=k")
    'http://127.0.0.1:8080/in'
    """
    return address.partition("?")[0]


def pause(attempts: int, chance: random.Random) -> float:
    """Seconds until the next attempt.

    >>> [round(pause(n, random.Random(1))) for n in (1, 2, 3, 20)]
    [1, 2, 4, 107]
    """
    grown = min(_FIRST_SECONDS * 2.0 ** min(attempts - 1, 30), _LONGEST_SECONDS)
    return grown * (1 + chance.uniform(-_JITTER, _JITTER))
