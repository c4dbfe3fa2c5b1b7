"""What a file fetches is not fetched while it is composed: a line stands for it, and never travels any further.

Most that is fetched is data that the file hands on to a bucket, so a stand-in lets it be composed; it is no upload of
the pipeline, and who reads it finds that out.
"""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

_MARK = b"mlops: not fetched while composing: "


def stand_in(place: str) -> bytes:
    return _MARK + place.encode() + b"\n"


def is_stand_in(content: bytes) -> bool:
    return content.startswith(_MARK)


def write_stand_in(file: Path, place: str) -> None:
    """Where the file would have been written; not over one that is there."""
    if not file.exists() and file.parent.is_dir():
        file.write_bytes(stand_in(place))


def fetched(command: str) -> tuple[Path, str] | None:
    """Which file a command would write, and what it would fetch. None where that is not one file.

    >>> fetched("aws s3 cp s3://acme/a.csv data/b.csv")
    (PosixPath('data/b.csv'), 's3://acme/a.csv')
    >>> fetched("curl -sSL https://acme.example/a.csv -o b.csv")
    (PosixPath('b.csv'), 'https://acme.example/a.csv')
    >>> fetched("wget -q https://acme.example/a.csv")
    (PosixPath('a.csv'), 'https://acme.example/a.csv')
    >>> fetched("aws s3 cp b.csv s3://acme/a.csv")
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    plain = [word for word in words if not word.startswith("-")]
    if words[:3] == ["aws", "s3", "cp"] and "--recursive" not in words:
        places = plain[3:5]
        if len(places) == 2 and places[0].startswith("s3://") and not places[1].startswith("s3://"):
            return _inside(Path(places[1]), places[0]), places[0]
    if words and words[0] in ("curl", "wget"):
        source = next((word for word in plain if "://" in word), None)
        if source is None:
            return None
        named = ("-o", "--output") if words[0] == "curl" else ("-O", "--output-document")
        for flag, word in pairwise(words):
            if flag in named:
                return Path(word), source
            if words[0] == "wget" and flag in ("-P", "--directory-prefix"):
                return Path(word) / _name(source), source
        if words[0] == "wget" or "-O" in words:
            return Path(_name(source)), source
    return None


def _inside(place: Path, source: str) -> Path:
    return place / _name(source) if place.is_dir() or str(place) == "." else place


def _name(source: str) -> str:
    return source.partition("?")[0].rstrip("/").rpartition("/")[2]
