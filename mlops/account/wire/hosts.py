"""Who may be meant by a Host header, and who may have sent it: this machine alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HERE = frozenset(("127.0.0.1", "localhost", "[::1]"))
_BELOW = ".localhost"
# s3.localhost, s3.eu-west-1.localhost, bucket.s3.eu-west-1.localhost, bucket.localhost
_OF_S3 = re.compile(r"(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)?")


def is_for_us(headers: Mapping[str, str]) -> bool:
    """A name below ``localhost`` leads nowhere else, whoever asks; any other could be made to lead here. A page that a
    browser shows says where it comes from.

    >>> is_for_us({"host": "bucket.localhost:4577"}), is_for_us({"host": "rebound.example"}), is_for_us({})
    (True, False, False)
    >>> is_for_us({"host": "localhost", "origin": "https://page.example"})
    False
    """
    if not _is_here(_name_of(headers.get("host", ""))):
        return False
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = headers.get("origin")
    return origin is None or _is_here(_name_of(origin.partition("://")[2]))


def bucket_of(host: str) -> str | None:
    """The bucket whose own host it is.

    >>> [bucket_of(host) for host in ("data.localhost:80", "a.b.s3.localhost", "s3.us-east-1.localhost", "127.0.0.1")]
    ['data', 'a.b', None, None]
    """
    name = _name_of(host)
    if not name.endswith(_BELOW):
        return None
    below = name.removesuffix(_BELOW)
    found = _OF_S3.fullmatch(below)
    return found[1] if found is not None else below


def _is_here(name: str) -> bool:
    return name in _HERE or name.endswith(_BELOW)


def _name_of(host: str) -> str:
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()
