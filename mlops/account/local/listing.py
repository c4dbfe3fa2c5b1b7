"""Pages of a list: stable under inserts, because a token names the last row that was told and not a position."""

from __future__ import annotations

import json
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import field
from math import isfinite
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.state import moment
from mlops.account.local.store import Store
from mlops.ir.dataclass import dataclass

DEFAULT_PAGE = 100


@dataclass(slots=True)
class Query:
    """``order`` are columns that together are unique. Column names are ours, never a caller's."""

    table: str
    order: Sequence[str]
    descending: bool
    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def where(self, condition: str, *values: Any) -> Query:
        self.conditions.append(f"({condition})")
        self.values.extend(values)
        return self

    def created_between(self, request: Mapping[str, Any], after: str, before: str, column: str = "created") -> Query:
        """``after`` and ``before`` are the request's members."""
        if request.get(after) is not None:
            self.where(f"{column} > ?", moment(request[after]))
        if request.get(before) is not None:
            self.where(f"{column} < ?", moment(request[before]))
        return self

    def page(self, store: Store, request: Mapping[str, Any]) -> tuple[list[sqlite3.Row], str | None]:
        """By the request's MaxResults and NextToken; the second value is the reply's NextToken."""
        limit = request.get("MaxResults") or DEFAULT_PAGE
        conditions, values = list(self.conditions), list(self.values)
        if request.get("NextToken"):
            comparison = "<" if self.descending else ">"
            marks = ", ".join("?" for _ in self.order)
            conditions.append(f"({', '.join(self.order)}) {comparison} ({marks})")
            values.extend(last_row(request["NextToken"], len(self.order)))
        direction = "DESC" if self.descending else "ASC"
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(f"{column} {direction}" for column in self.order)
        rows = store.all(
            f"SELECT * FROM {self.table}{where} ORDER BY {order} LIMIT ?",  # noqa: S608
            *values,
            limit + 1,
        )
        if len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        return rows[:limit], token_after([last[column] for column in self.order])


def token_after(values: Sequence[Any]) -> str:
    """The NextToken behind a row with these ``values`` in the columns of its order."""
    return urlsafe_b64encode(json.dumps([*values]).encode()).decode()


def last_row(token: str, columns: int) -> list[Any]:
    """What :func:`token_after` was given. Raises Refusal for what it never made."""
    try:
        found = json.loads(urlsafe_b64decode(token.encode()))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != columns or not all(map(_is_stored, found)):
        raise invalid("NextToken was not made by this list")
    return found


def _is_stored(value: Any) -> bool:
    """What a column may hold."""
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and value.bit_length() < 64


def contains(column: str, text: str) -> tuple[str, str]:
    """A condition and its value: ``text`` anywhere in a name."""
    return f"instr(lower({column}), ?) > 0", text.lower()
