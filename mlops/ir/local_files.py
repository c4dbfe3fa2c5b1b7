"""Files of this machine: as values of parameters, and as what lies in S3 for the local account."""

from __future__ import annotations

from pathlib import Path

from mlops.ir.errors import UsageError

_FILE, _S3 = "file://", "s3://"


def names_a_file(value: object, default: object) -> bool:
    """Whether ``value`` is a file or folder of this machine: written with ``file://``, or as a path where the
    parameter's ``default`` is a place in S3.

    >>> names_a_file("raw.csv", "s3://acme/raw.csv"), names_a_file("file:///raw.csv", None)
    (True, True)
    >>> names_a_file("raw.csv", "latest"), names_a_file("s3://acme/new.csv", "s3://acme/raw.csv")
    (False, False)
    """
    if not isinstance(value, str) or value.startswith(_S3):
        return False
    return value.startswith(_FILE) or (isinstance(default, str) and default.startswith(_S3))


def path_of(text: str) -> Path:
    """As a shell reads it. Raises UsageError for the home of a user whom this machine does not know."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{text}: this machine knows no such user", hint="write the whole path") from None


def how_to_put(uri: str) -> str:
    """A way on for who has data on this machine only."""
    return f"`mlops local put FILE {uri}` puts a file or a folder of yours there"


def how_it_comes(uri: str) -> str:
    """The same for a job that lacks it: a step may have left a folder empty that others read."""
    return f"the step that was to write there has written nothing, or it is yours to bring: {how_to_put(uri)}"
