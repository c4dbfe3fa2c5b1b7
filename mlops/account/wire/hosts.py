"""Who may be meant by a Host header, and who may have sent it: this machine alone, or who asked the
proxy for a host of AWS's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops.account.wire.aws_names import below_aws

_HERE = frozenset(("127.0.0.1", "localhost", "[::1]"))
_BELOW = ".localhost"
# s3.localhost, s3.eu-west-1.localhost, bucket.s3.eu-west-1.localhost, bucket.localhost
_OF_S3 = re.compile(r"(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)?")
# The same below amazonaws.com: s3-fips.dualstack.eu-west-1, bucket.s3-accelerate
_OF_AWS_S3 = re.compile(
    r"(?:(.+)\.)?s3(?:-fips|-accelerate)?(?:\.dualstack)?(?:[.-]([a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]))?"
)


def is_for_us(headers: Mapping[str, str]) -> bool:
    """A name below ``localhost`` leads nowhere else, whoever asks; any other could be made to lead here. A page that a
    browser shows says where it comes from.

    >>> is_for_us({"host": "bucket.localhost:4577"}), is_for_us({"host": "rebound.example"}), is_for_us({})
    (True, False, False)
    >>> is_for_us({"host": "localhost", "origin": "https://page.example"})
    False
    """
    if not is_here(headers.get("host", "")):
        return False
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = headers.get("origin")
    return origin is None or is_here(origin.partition("://")[2])


def bucket_of(host: str) -> str | None:
    """The bucket whose own host it is.

    >>> [bucket_of(host) for host in ("data.localhost:80", "a.b.s3.localhost", "s3.us-east-1.localhost", "127.0.0.1")]
    ['data', 'a.b', None, None]
    >>> [bucket_of(f"{host}.amazonaws.com") for host in ("a.b.s3.eu-west-1", "data.s3", "s3-us-west-2", "sts")]
    ['a.b', 'data', None, None]
    """
    name = _name_of(host)
    if not name.endswith(_BELOW):
        found = _OF_AWS_S3.fullmatch(below_aws(name) or "")
        return None if found is None else found[1]
    below = name.removesuffix(_BELOW)
    found = _OF_S3.fullmatch(below)
    return found[1] if found is not None else below


def is_of_s3(host: str) -> bool:
    """Whether S3 is at a name of AWS's.

    >>> is_of_s3("data.s3.eu-west-1.amazonaws.com"), is_of_s3("sts.amazonaws.com"), is_of_s3("localhost")
    (True, False, False)
    """
    return _OF_AWS_S3.fullmatch(below_aws(_name_of(host)) or "") is not None


def is_here(host: str) -> bool:
    """Whether a host, with its port or without, is this machine by its name."""
    name = _name_of(host)
    return name in _HERE or name.endswith(_BELOW)


def _name_of(host: str) -> str:
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()
