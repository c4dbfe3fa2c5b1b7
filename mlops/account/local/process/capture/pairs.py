"""Two answers to one request, held against each other."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from mlops.account.local.process.capture.seen import ATTRIBUTES, ID, Seen, text
from mlops.account.shadow_pairs import ShadowPair

FOLDER = "pairs"
_LONGEST_TEXT = 4 * 1024
_LONGEST_COMPARED = 64 * 1024
_EXACT_DIGITS = 15
_LONGEST_CELL = 64
"""Of a cell that says at the first look that there is a number."""
_DIGIT = re.compile(rb"[0-9]")
_JSON = ("{", "[", '"')
"""What JSON begins with that a cell of CSV is not read like."""
_OK = 200
_NOBODY_WAITED = 499


def paired(seen: Seen) -> ShadowPair | None:
    """None where one of the two was given up, or there was no room for its answer."""
    production = next((side for side in seen.told if not side.shadow), None)
    shadow = next((side for side in seen.told if side.shadow), None)
    if production is None or shadow is None or _NOBODY_WAITED in (production.status, shadow.status):
        return None
    if any(side.status == _OK and side.body is None for side in (production, shadow)):
        return None
    same, distance = production.status == shadow.status, None
    if production.body is not None and shadow.body is not None:
        same, distance = compared(production.body, shadow.body)
    capture = seen.capture
    keeps_answers = capture is not None and capture.output
    return ShadowPair(
        round(seen.time, 6),
        production.config,
        production.variant,
        shadow.variant,
        seen.event_id,
        _told(seen, ID),
        production.status,
        shadow.status,
        production.microseconds,
        shadow.microseconds,
        same,
        distance,
        _short(seen.body) if capture is not None and capture.input else None,
        _short(production.body) if keeps_answers else None,
        _short(shadow.body) if keeps_answers else None,
        _told(seen, ATTRIBUTES) if capture is not None and capture.input else None,
    )


def _told(seen: Seen, header: bytes) -> str | None:
    value = seen.headers.get(header)
    return None if value is None else text(value)


def compared(one: bytes, other: bytes) -> tuple[bool, float | None]:
    """Whether they say the same, and how far their numbers are from each other.

    >>> compared(b'{"score": 0.5}', b'{"score":0.75}'), compared(b"0.50,a\\n", b"0.5,a"), compared(b"yes", b"no")
    ((False, 0.25), (True, 0.0), (False, None))
    """
    if max(len(one), len(other)) > _LONGEST_COMPARED:
        return one == other, 0.0 if one == other else None
    if one == other:
        # Most are, and reading both costs more than all else that is done with a pair.
        return True, 0.0 if _has_number(one) else None
    text, text_too = _text(one), _text(other)
    cells, cells_too = _cells(text), _cells(text_too)
    if cells is not None and cells_too is not None and cells != cells_too:
        return False, None
    (built, numbers), (built_too, numbers_too) = _read(text), _read(text_too)
    try:
        alike = built == built_too
    except RecursionError:
        alike = False
    if not alike:
        return one == other, None
    if not numbers:
        return True, None
    distances = [0.0 if a == b else abs(a - b) for a, b in zip(numbers, numbers_too, strict=True)]
    distance = max(distances)
    return distance == 0, distance


def _has_number(body: bytes) -> bool:
    if _DIGIT.search(body) is None:
        return False
    text = _text(body)
    if text[:1] not in _JSON:
        numbers: list[float] = []
        first, found, _ = text[:_LONGEST_CELL].partition(",")
        if found and len(first.splitlines()) == 1:
            _cell(first.strip(), numbers)
            if numbers:
                return True
        for line in text.splitlines():
            for cell in line.split(","):
                _cell(cell.strip(), numbers)
                if numbers:
                    return True
        return False
    return bool(_read(text)[1])


def _text(body: bytes) -> str:
    return body.decode("utf-8", "surrogateescape").strip()


def _cells(text: str) -> tuple[int, int] | None:
    """How many lines and commas it has; None where it may be an object, a list or a string of JSON. A value of JSON
    that is none of these is one word, and (1, 0)."""
    return None if text[:1] in _JSON else (len(text.splitlines()), text.count(","))


def _read(text: str) -> tuple[object, list[float]]:
    """How it is built, and its finite numbers in their order."""
    numbers: list[float] = []
    if text[:1] not in _JSON and ("," in text or len(text.splitlines()) > 1):
        return [_row(line.split(","), numbers) for line in text.splitlines()], numbers
    try:
        return _built(json.loads(text, parse_int=_whole), numbers), numbers
    except (ValueError, RecursionError):
        numbers.clear()
        return [_row(line.split(","), numbers) for line in text.splitlines()], numbers


def _row(cells: list[str], numbers: list[float]) -> list[object]:
    if max(map(len, cells)) <= _EXACT_DIGITS:
        # Nearly all rows are numbers, and to look at each cell takes ten times as long.
        try:
            found = [*map(float, cells)]
        except ValueError:
            found = []
        if found and all(map(math.isfinite, found)):
            numbers += found
            return ["number"] * len(found)
    return [_cell(cell.strip(), numbers) for cell in cells]


def _built(value: Any, numbers: list[float]) -> object:
    match value:
        case dict():
            return {name: _built(value[name], numbers) for name in sorted(value)}
        case list():
            return [_built(item, numbers) for item in value]
        case bool() | None | str():
            return ("is", value)
        case _:
            return _number(value, numbers)


def _cell(text: str, numbers: list[float]) -> object:
    if text.isdigit() and len(text) > _EXACT_DIGITS:
        return ("is", text)
    try:
        return _number(float(text), numbers)
    except ValueError:
        return ("is", text)


def _whole(text: str) -> float | str:
    """An id that a float cannot hold is compared as text."""
    return float(text) if len(text) <= _EXACT_DIGITS else text


def _number(value: float, numbers: list[float]) -> object:
    if not math.isfinite(value):
        return ("is", str(value))
    numbers.append(value)
    return "number"


def _short(body: bytes | None) -> str | None:
    if body is None or len(body) > _LONGEST_TEXT:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
