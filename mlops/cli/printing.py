"""How commands talk: findings, tables and JSON, colours only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import click


def talk(text: str) -> None:
    """To the person, not to the pipe."""
    click.echo(text, err=True)


def is_animated(stream: TextIO) -> bool:
    """A terminal on which lines can be written over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_coloured(stream: TextIO) -> bool:
    """See no-color.org."""
    return is_animated(stream) and not os.environ.get("NO_COLOR")


def print_json(value: Any, *, whole_seconds: bool = False) -> None:
    """A result for programs; times become ISO-8601. ``whole_seconds``: in UTC, as records of decisions and promotions
    have them."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_in_seconds if whole_seconds else _plain))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _in_seconds(value: Any) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def moment(time: datetime | float | str | None) -> str:
    """For people, whoever tells it: an account, a clock, a record. Nothing of None and of what is no time.

    >>> moment(0.0), moment("2026-03-01T13:00:00.250000+01:00"), moment(None)
    ('1970-01-01 00:00:00Z', '2026-03-01 12:00:00Z', '')
    """
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return ""
    if time is None:
        return ""
    known = time if isinstance(time, datetime) else datetime.fromtimestamp(time, UTC)
    return f"{known.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as they need to be; an empty table says so on standard error."""
    listed = [tuple(row) for row in rows]
    if not listed:
        talk("none")
        return
    widths = [max(len(line[index]) for line in (tuple(header), *listed)) for index in range(len(header))]
    for number, line in enumerate((tuple(header), *listed)):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.secho(text, bold=True) if number == 0 and is_coloured(sys.stdout) else click.echo(text)


LINE_LENGTH = 500
"""Of a foreign line that is shown to a person; a log may hold anything."""


def printable(text: str) -> str:
    """One line of foreign text without control characters, cut where it is long."""
    begin = text[:LINE_LENGTH]
    shown = "".join(character if character.isprintable() or character == "\t" else "\ufffd" for character in begin)
    return shown if len(text) <= LINE_LENGTH else f"{shown}… ({len(text)} characters)"
