"""A request that somebody wants to see the end of, and the room that all of them have together."""

from __future__ import annotations

from collections.abc import Mapping
from random import randbytes
from typing import NamedTuple

from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.router.wire import CUSTOM_ATTRIBUTES, INFERENCE_ID, TARGET_VARIANT
from mlops.ir.dataclass import dataclass

BYTES = 32 * 1024 * 1024
"""With what waits for a shadow (``Limits.shadow_held``) at most 64 MB, also where that is dead."""
_EACH = 1024
"""What one holds beside its payloads."""
KIND, ATTRIBUTES = b"content-type", CUSTOM_ATTRIBUTES.lower().encode()
ID, TARGET = INFERENCE_ID.lower().encode(), TARGET_VARIANT.lower().encode()


def new_event_id() -> str:
    """A UUID of version 4. No secret, so it need not be the system's randomness, which takes longer.

    >>> len(new_event_id()), new_event_id()[14], new_event_id()[19]
    (36, '4', 'a')
    """
    digits = randbytes(16).hex()  # noqa: S311 - no secret
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class Side(NamedTuple):
    """How one variant answered; one is made for each request. ``headers`` are those of the answer, as they came;
    ``body`` is None where there is no whole answer to keep, or no room for it."""

    config: str
    variant: str
    shadow: bool
    status: int
    microseconds: int
    headers: Mapping[bytes, bytes] = {}
    body: bytes | None = None


@dataclass(slots=True, eq=False)
class Seen:
    """A request, with its ``headers`` as they came: they are read by whoever writes it, and not while it is answered.
    ``capture`` is None where only the answers are compared. ``sides`` are how many answers are waited for: two where a
    shadow has it as well; they have one ``event_id``, made when the first of them is written. ``held`` bytes of the
    room are its own until it is written."""

    body: bytes
    headers: Mapping[bytes, bytes]
    capture: Capture | None
    sides: int
    held: int
    time: float
    event_id: str = ""
    told: tuple[Side, ...] = ()


def text(header: bytes) -> str:
    return header.decode("latin-1")


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
