"""What a keeper is asked to start, and the words that it and the runner say to each other.

Read by both sides, so it imports next to nothing: a dataclass would load :mod:`inspect` into every launcher.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

VERSION = 2
"""Of the form that goes through the socket: a launcher may be older than the files beside it."""

WORD = 4
"""Bytes of a number: an order's length, a process, an exit status."""

TERMINATE = b"T"
NO_SANDBOX = 125
KILLED = 128 + 9
FIRST_NAME = "algo-1"


class StaleLauncher(ValueError):
    """The order is of another version than this file."""


class Order(NamedTuple):
    """Paths are absolute. ``ml`` becomes ``/opt/ml`` and ``tmp`` its ``/tmp``; ``hide`` are folders that look empty but
    for those in ``keep``, which are seen as the host has them, as are those of its ``/tmp``. ``join`` is the keeper of
    another command whose network is shared, ``inherit`` the numbers under which the command finds the descriptors that
    come along."""

    ml: str
    tmp: str
    keep: tuple[str, ...]
    hide: tuple[str, ...]
    network: bool
    join: int | None
    hostname: str
    hosts: Mapping[str, str]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str
    inherit: tuple[int, ...]

    def encode(self) -> bytes:
        return json.dumps([VERSION, *self]).encode()

    @classmethod
    def decode(cls, text: bytes) -> Order:
        """Raises StaleLauncher."""
        version, *values = json.loads(text)
        if version != VERSION:
            raise StaleLauncher(f"an order of version {version}, and this launcher knows {VERSION}")
        order = cls(*values)
        return order._replace(
            keep=tuple(order.keep),
            hide=tuple(order.hide),
            command=tuple(order.command),
            inherit=tuple(order.inherit),
        )
