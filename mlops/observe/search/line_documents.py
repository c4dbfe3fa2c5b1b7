"""A line of a log as a document: the fields of :mod:`mlops.ir.log_fields`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from mlops.ir.index import TIME
from mlops.observe.search.documents import LONGEST, Document, Origin, digest, moment

_LEVEL = re.compile(r"\b(CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG)\b")
_LEVELS = {"WARN": "WARNING", "FATAL": "CRITICAL"}
_RAISED = re.compile(r"Traceback \(most recent call last\)|(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)(?:: |$)")
_HEAD = 120
"""Characters in which a line says how grave it is."""


class Line(Protocol):
    """Whose secrets are hidden already, which may stand in several lines."""

    @property
    def time(self) -> datetime: ...
    @property
    def group(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def ids(self) -> Mapping[str, str]: ...


def line_document(line: Line, origin: Origin) -> Document:
    whose = (origin.environment, origin.account, origin.region)
    id = digest([*whose, line.group, line.stream, line.event, line.text])
    body = {
        TIME: moment(line.time),
        "line": line.text[:LONGEST],
        "level": level(line.text),
        "number": line.number,
        "group": line.group,
        "stream": line.stream,
        "environment": origin.environment,
        "account": origin.account,
        "region": origin.region,
        "ids": dict(line.ids),
    }
    return Document(id, body)


def level(text: str) -> str:
    """What a line says of itself, ``none`` where it says nothing.

    >>> level("2026-11-29 09:30:12 WARN no such column"), level("ValueError: no data"), level("epoch 3")
    ('WARNING', 'ERROR', 'none')
    """
    if _RAISED.match(text):
        return "ERROR"
    found = _LEVEL.search(text[:_HEAD])
    return "none" if found is None else _LEVELS.get(found[1], found[1])
