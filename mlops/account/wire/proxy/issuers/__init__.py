"""Who makes certificates: a file for each way, found by its place and asked in the order of their names."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.discovery import modules

SUBJECT = "mlops local, for one command"
_BEFORE, _LASTS = timedelta(hours=1), timedelta(days=7)
"""A clock may be behind, and a command may train for some days."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What certificates are made out for: times, and the names below which alone the authority counts."""

    begins: datetime
    ends: datetime
    below: Sequence[str]

    @classmethod
    def at(cls, now: datetime, below: Sequence[str]) -> Terms:
        return cls(now - _BEFORE, now + _LASTS, below)


class Issuer(Protocol):
    """``authority`` is its own certificate, ``key`` that of all whom it issues one for: in PEM."""

    @property
    def authority(self) -> bytes: ...
    @property
    def key(self) -> bytes: ...
    def issue(self, name: str) -> bytes: ...


def issuer(terms: Terms) -> Issuer:
    """The first one that this machine has. Raises UsageError where there is none."""
    from mlops.account.wire.proxy import issuers

    for found in modules(issuers).values():
        made: Issuer | None = found.load().made(terms)
        if made is not None:
            return made
    raise UsageError(
        "nothing here makes certificates, which the proxy needs",
        hint="`pip install '.[proxy]'` in a checkout, or install the program openssl",
    )


def serial() -> int:
    """As long as is allowed, so that no client sees one twice."""
    return secrets.randbits(158) | 1
