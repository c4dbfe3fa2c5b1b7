"""How a file begins, as people look at it: a table, JSON, text, a picture. What looks like a secret is hidden."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Sequence
from typing import Literal

from mlops.deploy.executions.files import Begin, Placed, begin
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_lines, hide_text
from mlops.use_cases import notebooks
from mlops.use_cases.connecting import Connected
from mlops.use_cases.notebooks import Cell, cells

_MOST_BYTES, _LARGEST_PICTURE = 128 * 1024, 8 * 1024 * 1024
_MOST_ROWS, _MOST_COLUMNS = 50, 60
_PICTURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


@dataclass(frozen=True, slots=True)
class Preview:
    """``rows`` are of a table, the first its header. ``whole``: nothing is left out."""

    kind: Literal["table", "text", "picture", "notebook", "bytes"]
    size: int
    whole: bool
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    cells: Sequence[Cell] = ()


def preview(connected: Connected, place: Placed, path: str) -> Preview:
    """Raises UsageError for a file that does not lie there."""
    name = (path or place.uri).lower()
    is_notebook = name.endswith(".ipynb")
    found = begin(connected.account, place, path, _LARGEST_PICTURE if is_notebook else _MOST_BYTES)
    whole = len(found.content) == found.size
    if _picture_type(found.content) is not None:
        return Preview("picture", found.size, found.size <= _LARGEST_PICTURE)
    text = _text(found)
    if text is None:
        return Preview("bytes", found.size, whole=False)
    if is_notebook and (read := cells(text)) is not None:
        return Preview("notebook", found.size, whole, cells=read)
    if name.endswith((".csv", ".tsv")):
        rows, all_rows = _table(text, "\t" if name.endswith(".tsv") else ",")
        if rows:
            return Preview("table", found.size, whole and all_rows, rows=rows)
    if name.endswith(".json") and whole and (pretty := _pretty(text)) is not None:
        return Preview("text", found.size, whole, pretty)
    return Preview("text", found.size, whole, hide_lines(text.split("\n")))


def picture(
    connected: Connected, place: Placed, path: str, output: tuple[int, int] | None = None
) -> tuple[str, bytes] | None:
    """Its media type and its bytes; None of what is none, or is too large. ``output`` is one of a notebook: the numbers
    of its cell and among what that gave."""
    found = begin(connected.account, place, path, _LARGEST_PICTURE)
    content: bytes | None = found.content if len(found.content) == found.size else None
    if content is not None and output is not None:
        content = notebooks.picture(content.decode("utf-8", "replace"), *output)
    media_type = _picture_type(content) if content is not None else None
    return (media_type, content) if media_type and content is not None else None


def _picture_type(content: bytes) -> str | None:
    """By how it begins, never by its name."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for mark, media_type in _PICTURES if content.startswith(mark)), None)


def _text(found: Begin) -> str | None:
    """The whole lines of what was read."""
    content = found.content
    if b"\0" in content:
        return None
    if len(content) < found.size:
        content = content[: content.rfind(b"\n") + 1] or content
    try:
        # Of a long line without an end the last letter may be cut.
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=len(found.content) == found.size)
    except UnicodeDecodeError:
        return None


def _table(text: str, delimiter: str) -> tuple[list[list[str]], bool]:
    rows: list[list[str]] = []
    whole = True
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            if len(rows) > _MOST_ROWS:
                return rows, False
            whole = whole and len(row) <= _MOST_COLUMNS
            rows.append([hide_text(cell) for cell in row[:_MOST_COLUMNS]])
    except csv.Error:
        return [], False
    return rows, whole


def _pretty(text: str) -> str | None:
    try:
        return json.dumps(hide(json.loads(text)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
