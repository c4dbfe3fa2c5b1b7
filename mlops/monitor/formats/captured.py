"""What an endpoint captured (``sagemakerCaptureJson``): a row for each row of a request, its answer behind it.

Options, all of them left out at will:

- ``features``: names of a request's columns in CSV; without them ``_c0``, ``_c1``, …
- ``answers``: names of an answer's; without them ``prediction``, or ``prediction_0``, … where there are several
- ``features_path``, ``answers_path``: JMESPath expressions for where they are in a body of JSON
- ``since``, ``until``: only requests from then on and before then, as 2026-11-29T09:00:00Z
- ``labels``: what became of requests, by their ids; requests without are left out then. ``label`` is their column
- ``seen``: a function that is told how many lines were read, and how many of them could not be

What cannot be read is left out: anybody may have written a request. So is a row that has more columns of other names
than there may be of all rows together, since each of them would be a column of all the others; and of an answer that
has, the answer alone.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from mlops.monitor.cells import Chunk
from mlops.monitor.fault import Fault
from mlops.monitor.files import opened
from mlops.monitor.formats.json import by_column, flat
from mlops.monitor.number_blocks import Blocks
from mlops.monitor.table import found_in

LABEL, PREDICTION = "label", "prediction"
MOST_OTHERS, MOST_UNNAMED = 1_000, 10_000
"""Columns that have no name in the options; and where those name none at all."""
_TEXT = r'[^"\\\x00-\x1f]*'
_PLAIN = re.compile(
    rf'^\{{"captureData":\{{"endpointInput":\{{"observedContentType":"{_TEXT}","mode":"INPUT","data":"({_TEXT})(?:\\n)?",'
    rf'"encoding":"CSV"\}},"endpointOutput":\{{"observedContentType":"{_TEXT}","mode":"OUTPUT","data":"({_TEXT})(?:\\n)?",'
    rf'"encoding":"CSV"\}}\}},"eventMetadata":\{{"eventId":"({_TEXT})"(?:,"customAttributes":\["{_TEXT}"\])?,'
    rf'"inferenceTime":"(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"(?:,"inferenceId":"({_TEXT})")?\}},"eventVersion":"0"\}}$',
    re.MULTILINE,
)
"""A line as capture writes it where nothing in it had to be escaped: four times faster than to read all of it."""

Cell: TypeAlias = Any
Row: TypeAlias = Sequence[Cell] | Mapping[str, Cell]


def chunks(files: Sequence[Path], options: Mapping[str, Any], size: int) -> Iterator[Chunk]:
    for block in _blocks(files, _Asked(options), size):
        yield from by_column(block.records(), size)


def quick(files: Sequence[Path], options: Mapping[str, Any], size: int, texts: Collection[str]) -> Iterator[Chunk]:
    readers: dict[tuple[str, ...], Blocks] = {}
    for block in _blocks(files, _Asked(options), size):
        found = None
        if isinstance(block, _Plain):
            found = readers.setdefault(block.names, Blocks(block.names, texts)).chunk(block.lines)
        if found is not None:
            yield found
        else:
            yield from by_column(block.records(), size)


class _Asked:
    """The options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.features: Sequence[str] = options.get("features") or ()
        self.answers: Sequence[str] = options.get("answers") or ()
        self.features_path: str | None = options.get("features_path")
        self.answers_path: str | None = options.get("answers_path")
        self.labels: Mapping[str, str] | None = options.get("labels")
        self.seen: Callable[[int, int], None] = options.get("seen") or (lambda read, lost: None)
        self._since: str | None = options.get("since")
        self._until: str | None = options.get("until")
        self._known = {*self.features, *self.answers}
        self._others = MOST_OTHERS if self.features else MOST_UNNAMED

    def is_within(self, at: str) -> bool:
        return (self._since is None or at >= self._since) and (self._until is None or at < self._until)

    def has_room(self, names: Collection[str]) -> bool:
        """Whether a row with these columns is taken, which are known from then on."""
        if self._known.issuperset(names):
            return True
        new = set(names).difference(self._known)
        if len(new) > self._others:
            return False
        self._others -= len(new)
        self._known |= new
        return True


@dataclass(frozen=True, slots=True)
class _Plain:
    """Lines of CSV, all with the same columns."""

    names: tuple[str, ...]
    lines: Sequence[str]

    def records(self) -> Iterator[Mapping[str, Cell]]:
        for cells in csv.reader(self.lines):
            yield dict(zip(self.names, cells, strict=True))


@dataclass(frozen=True, slots=True)
class _Any:
    """Rows of any form."""

    rows: Sequence[Mapping[str, Cell]]

    def records(self) -> Iterator[Mapping[str, Cell]]:
        return iter(self.rows)


def _blocks(files: Sequence[Path], asked: _Asked, size: int) -> Iterator[_Plain | _Any]:
    read = lost = 0
    for file in files:
        with opened(file) as text:
            while lines := list(islice(text, size)):
                read += len(lines)
                block: _Plain | _Any | None = None
                if max(map(len, lines)) <= csv.field_size_limit():
                    found = _PLAIN.findall("".join(lines))
                    block = _plain(found, asked) if len(found) == len(lines) else None
                if block is None:
                    rows: list[Mapping[str, Cell]] = []
                    for line in lines:
                        try:
                            rows += [*_rows_of(line, asked)]
                        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error, Fault):
                            lost += 1
                    block = _Any(rows)
                if isinstance(block, _Any) or block.lines:
                    yield block
    asked.seen(read, lost)


def _plain(found: Sequence[tuple[str, str, str, str, str]], asked: _Asked) -> _Plain | None:
    """None where they are not all alike, or a label may not stand among them as it is."""
    kept = [item for item in found if asked.is_within(item[3])]
    if asked.labels is not None:
        labels = asked.labels
        kept = [item for item in kept if (item[4] or item[2]) in labels]
    before, behind = ({item[at].count(",") + 1 for item in kept} for at in (0, 1))
    if len(before) > 1 or len(behind) > 1 or any(not item[0] or not item[1] for item in kept):
        return None
    names = (*_names(asked.features, max(before, default=0), "_c"), *_names(asked.answers, max(behind, default=0), ""))
    if not asked.has_room(names):
        return None
    if asked.labels is None:
        return _Plain(names, [f"{item[0]},{item[1]}" for item in kept])
    told = [labels[item[4] or item[2]] for item in kept]
    if any(letter in label for label in set(told) for letter in ',"\r\n'):
        return None
    return _Plain((*names, LABEL), [f"{item[0]},{item[1]},{label}" for item, label in zip(kept, told, strict=True)])


def _rows_of(line: str, asked: _Asked) -> Iterator[Mapping[str, Cell]]:
    """Of one line. Raises what a line that is none leads to."""
    if not line.strip():
        return
    told = json.loads(line)
    metadata, captured = told["eventMetadata"], told["captureData"]
    at = datetime.fromisoformat(metadata["inferenceTime"]).astimezone(UTC)
    if not asked.is_within(f"{at:%Y-%m-%dT%H:%M:%SZ}"):
        return
    requests = _rows(captured.get("endpointInput"), asked.features_path)
    answers = _rows(captured.get("endpointOutput"), asked.answers_path)
    if len(requests) > 1 and len(answers) == 1 and len(answers[0]) == len(requests):
        answers = [[value] for value in answers[0]] if isinstance(answers[0], list) else answers
    more: Mapping[str, Cell] = {}
    if asked.labels is not None:
        label = asked.labels.get(str(metadata.get("inferenceId") or metadata["eventId"]))
        if label is None or max(len(requests), len(answers)) != 1:
            return  # which of several rows it is of cannot be said
        more = {LABEL: label}
    for request, answer in zip_longest(requests, answers, fillvalue=()):
        row = flat(_named(request, asked.features, "_c"))
        if not asked.has_room(row):
            raise ValueError(f"{len(row)} columns are too many")
        said = flat(_named(answer, asked.answers, ""))
        yield {**row, **(said if asked.has_room(said) else {}), **more}


def _rows(payload: Any, path: str | None) -> Sequence[Row]:
    """Of one body. Raises ValueError for what is neither CSV nor JSON."""
    if payload is None:
        return ()
    data, encoding = payload["data"], payload.get("encoding")
    if encoding == "BASE64":
        data = base64.b64decode(data, validate=True).decode()
    kind = str(payload.get("observedContentType") or "")
    if encoding == "JSON" or (encoding != "CSV" and "json" in kind):
        if "lines" in kind:
            return [row for line in data.split("\n") if line.strip() for row in _of_json(json.loads(line), path)]
        return _of_json(data if isinstance(data, dict | list) else json.loads(data), path)
    return _of_csv(data)


def _of_csv(text: str) -> Sequence[Row]:
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def _of_json(value: Any, path: str | None) -> Sequence[Row]:
    """Rows that are objects, lists, or bare values; one member that holds a list holds the rows.

    >>> _of_json({"instances": [[1, 2], [3, 4]]}, None), _of_json({"age": 3, "plan": "free"}, None), _of_json(0.5, None)
    ([[1, 2], [3, 4]], [{'age': 3, 'plan': 'free'}], [[0.5]])
    """
    if path is not None:
        value = found_in(value, path)
    while isinstance(value, dict) and len(value) == 1 and isinstance(inside := next(iter(value.values())), list):
        value = inside
    match value:
        case dict():
            return [value]
        case list():
            if any(isinstance(item, dict | list) for item in value):
                return [item if isinstance(item, dict | list) else [item] for item in value]
            return [value]
        case None:
            return ()
    return [[value]]


def _named(row: Row, names: Sequence[str], otherwise: str) -> Mapping[str, Cell]:
    """By name. A record of one member in an answer is the prediction, whatever it is called."""
    if isinstance(row, Mapping):
        if not otherwise and len(row) == 1:
            return {(names[0] if names else PREDICTION): next(iter(row.values()))}
        return row
    return dict(zip(_names(names, len(row), otherwise), row, strict=True))


def _names(given: Sequence[str], many: int, otherwise: str) -> list[str]:
    """
    >>> _names(["a"], 2, "_c"), _names([], 1, ""), _names([], 2, "")
    (['a', '_c1'], ['prediction'], ['prediction_0', 'prediction_1'])
    """
    if not given and not otherwise and many == 1:
        return [PREDICTION]
    front = otherwise or f"{PREDICTION}_"
    return [*given[:many], *(f"{front}{number}" for number in range(len(given), many))]
