"""An executed notebook as people read it: its cells with what they gave. What looks like a secret is hidden."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_lines

_PICTURES = ("image/png", "image/jpeg")
_MOST_CELLS, _MOST_OUTPUTS, _MOST_TEXT = 500, 50, 20_000


@dataclass(frozen=True, slots=True)
class Given:
    """An output of a cell: a text, or a picture by its number among the outputs."""

    kind: Literal["text", "error", "picture"]
    text: str
    number: int


@dataclass(frozen=True, slots=True)
class Cell:
    """``number`` is its place, ``count`` the number with which it was executed, None where it was not."""

    kind: Literal["code", "markdown", "raw"]
    source: str
    number: int
    count: int | None
    given: tuple[Given, ...]


def cells(text: str) -> tuple[Cell, ...] | None:
    """None of what is no notebook.

    >>> found = cells('{"cells": [{"cell_type": "code", "source": ["1 + 1"], "outputs": []}]}')
    >>> found[0].source
    '1 + 1'
    """
    known = _cells(text)
    return None if known is None else tuple(_cell(number, cell) for number, cell in enumerate(known[:_MOST_CELLS]))


def picture(text: str, cell: int, output: int) -> bytes | None:
    """One that a cell gave."""
    known = _cells(text) or []
    given = _outputs(known[cell]) if cell < len(known) else []
    found = _picture(given[output]) if output < len(given) else None
    if found is None:
        return None
    try:
        return base64.b64decode("".join(found.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _cells(text: str) -> list[Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = document.get("cells") if isinstance(document, dict) else None
    return found if isinstance(found, list) and all(isinstance(cell, dict) for cell in found) else None


def _cell(number: int, cell: Mapping[str, Any]) -> Cell:
    kind, count = cell.get("cell_type"), cell.get("execution_count")
    return Cell(
        kind=kind if kind in ("code", "markdown") else "raw",
        source=_told(cell.get("source")),
        number=number,
        count=count if isinstance(count, int) else None,
        given=tuple(_given(cell)),
    )


def _given(cell: Mapping[str, Any]) -> Iterator[Given]:
    for number, output in enumerate(_outputs(cell)[:_MOST_OUTPUTS]):
        if _picture(output) is not None:
            yield Given("picture", "", number)
        elif output.get("output_type") == "error":
            yield Given("error", _told(f"{output.get('ename')}: {output.get('evalue')}"), number)
        else:
            data = output.get("data")
            text = _told(output.get("text") or (data.get("text/plain") if isinstance(data, dict) else ""))
            if text:
                yield Given("text", text, number)


def _outputs(cell: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = cell.get("outputs")
    return [output for output in found if isinstance(output, dict)] if isinstance(found, list) else []


def _picture(output: Mapping[str, Any]) -> str | None:
    data = output.get("data")
    found = [data.get(media_type) for media_type in _PICTURES] if isinstance(data, dict) else []
    return next((text for text in found if isinstance(text, str)), None)


def _told(text: Any) -> str:
    """Notebooks keep a text as one, or line by line."""
    whole = "".join(map(str, text)) if isinstance(text, list) else text if isinstance(text, str) else ""
    shown = hide_lines(whole[:_MOST_TEXT].split("\n"))
    return shown if len(whole) <= _MOST_TEXT else f"{shown}…"
