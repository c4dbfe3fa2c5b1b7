"""A request that somebody wants to see the end of, and the room that all of them have together."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import getrandbits
from typing import NamedTuple

from mlops.account.local.process.capture.rule import Capture

BYTES = 32 * 1024 * 1024
"""With what waits for a shadow (``Limits.shadow_held``) at most 64 MB, also where that is dead."""
_EACH = 1024
"""What one holds beside its payloads."""


def new_event_id() -> str:
    """A UUID of version 4. No secret, so it need not be the system's randomness, which takes longer.

    >>> len(new_event_id()), new_event_id()[14]
    (36, '4')
    """
    digits = f"{getrandbits(128):032x}"
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[int(digits[16], 16) % 4]}{digits[17:20]}-{digits[20:]}"
    )


_VARIANT = "89ab"


class Side(NamedTuple):
    """How one variant answered; one is made for each request. ``body`` is None where there is no whole answer to keep,
    or no room for it."""

    time: float
    config: str
    variant: str
    shadow: bool
    status: int
    microseconds: int
    content_type: str | None = None
    attributes: str | None = None
    body: bytes | None = None


@dataclass(slots=True)
class Seen:
    """``capture`` is None where only the answers are compared. ``sides`` are how many answers are waited for: two
    where a shadow has it as well; they have one ``event_id``. ``target`` is the variant that the caller named.
    ``held`` bytes of the room are its own until it is written."""

    body: bytes
    content_type: str | None
    inference_id: str | None
    attributes: str | None
    capture: Capture | None
    sides: int
    held: int
    target: str | None = None
    time: float = field(default_factory=time.time)
    event_id: str = field(default_factory=new_event_id)
    told: list[Side] = field(default_factory=list)


class Room:
    """Bytes that may be held. One thread takes, another gives back: neither waits for the other."""

    def __init__(self, most: int = BYTES) -> None:
        self._most = most
        self._taken = self._given = 0
        self.dropped = 0  # requests that found none
        self.unshown = 0  # those of them, and copies, that no shadow was shown or is compared at

    @property
    def held(self) -> int:
        return self._taken - self._given

    def take(self, count: int) -> int:
        """What is held with that; 0 where there is no room."""
        count += _EACH
        if self.held + count > self._most:
            return 0
        self._taken += count
        return count

    def give(self, count: int) -> None:
        self._given += count
