"""A request as it came in, and a reply as it goes out: HTTP with nothing of AWS in it yet, or any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Protocol
from urllib.parse import parse_qsl

from mlops.account.local.refusal import Refusal
from mlops.ir.dataclass import dataclass

BIGGEST_WHOLE_BODY = 32 * 1024 * 1024
"""Of a body that is read whole; what S3 stores is read piece by piece."""
_MOST_FIELDS = 10_000


class Unread(Exception):
    """The body cannot be read to its end: whoever sends it is too slow, sends too much, or has gone."""


class Stream(Protocol):
    """Reading raises Unread."""

    def read(self, amt: int | None = None, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is as it was sent, quoted. Names of headers are in lower case. ``body`` may be read once."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: Stream

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def asked(self, name: str) -> str | None:
        """The first value of that name in the query."""
        return next((value for key, value in self.query if key == name), None)

    def whole_body(self) -> bytes:
        """Raises Refusal where it is too long."""
        body = self.body.read(BIGGEST_WHOLE_BODY + 1)
        if len(body) > BIGGEST_WHOLE_BODY:
            raise Refusal("RequestEntityTooLargeException", f"The body exceeds {BIGGEST_WHOLE_BODY} bytes.", 413)
        return body

    def at(self, path: str) -> Request:
        return replace(self, path=path)

    def with_body(self, body: Stream, headers: Mapping[str, str]) -> Request:
        return replace(self, body=body, headers=headers)


@dataclass(frozen=True, slots=True)
class Reply:
    """``body`` in pieces has the length that its header Content-Length tells, or goes out in chunks."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""

    def also(self, headers: Mapping[str, str]) -> Reply:
        return replace(self, headers={**self.headers, **headers})


def pairs(query: str) -> list[tuple[str, str]]:
    """Raises ValueError.

    >>> pairs("uploads&prefix=a%2Fb&x=1+2")
    [('uploads', ''), ('prefix', 'a/b'), ('x', '1 2')]
    """
    return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
