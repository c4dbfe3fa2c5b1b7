"""DataProcessing of a Transform step: what of a record the model gets, and what of record and answer is kept.

A row of CSV counts as a JSON array of texts, so numbers keep their spelling. The service documents a small JSONPath:
``$``, ``.name``, ``*``, ``['a','b']``, ``[1,-1]``, ``[2:5]``. Its guide calls the end of a slice inclusive, JSONPath
calls it exclusive, and so do we.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mlops.run.outcome import StepFailed

PATH_LIMIT = 63  # botocore: JsonPath
_CSV = "text/csv"
_JSON = ("application/json", "application/jsonlines")
_TOKEN = re.compile(
    r"""\.(?P<name>[^.\[\]*'"\s]+)
    |\.?(?P<every>\*)|\[(?P<every_item>\*)\]
    |\[(?P<start>-?\d+)?:(?P<end>-?\d+)?\]
    |\[(?P<indexes>-?\d+(?:\s*,\s*-?\d+)*)\]
    |\[(?P<names>\s*'[^']*'(?:\s*,\s*'[^']*')*\s*)\]""",
    re.VERBOSE,
)
_Token: TypeAlias = str | int | slice | tuple[int, ...] | tuple[str, ...] | None
"""One name, one index, a slice, several indexes, several names; None stands for ``*``."""


@dataclass(frozen=True, slots=True)
class DataProcessing:
    """``lines``: an answer holds one line for each record that was sent."""

    input_filter: tuple[_Token, ...]
    join: bool
    output_filter: tuple[_Token, ...]
    csv: bool
    lines: bool

    def sent(self, record: bytes) -> bytes:
        """What the model gets of it. Raises :class:`StepFailed`."""
        if not self.input_filter:
            return record
        return self._written(select(self._parsed(record, "a record"), self.input_filter, "InputFilter"))

    def kept(self, records: Sequence[bytes], answer: bytes) -> bytes:
        """``records`` as they were before the filter. Raises :class:`StepFailed`."""
        if not self.lines:
            return self._kept(records[0], answer)
        answers = [line for line in answer.splitlines() if line.strip()]
        if len(answers) != len(records):
            raise StepFailed(
                f"the model gave {len(answers)} line(s) for {len(records)} record(s); they cannot be joined"
            )
        return b"".join(self._kept(*pair) + b"\n" for pair in zip(records, answers, strict=True))

    def _kept(self, record: bytes, answer: bytes) -> bytes:
        value = self._parsed(answer, "an answer")
        if self.join:
            value = self._joined(self._parsed(record, "a record"), value)
        return self._written(select(value, self.output_filter, "OutputFilter"))

    def _joined(self, record: Any, answer: Any) -> Any:
        if self.csv:
            return [*record, *answer]
        if isinstance(record, dict):
            return {**record, "SageMakerOutput": answer}
        return {"SageMakerInput": record, "SageMakerOutput": answer}

    def _parsed(self, text: bytes, what: str) -> Any:
        try:
            decoded = text.decode("utf-8")
            if not self.csv:
                return json.loads(decoded)
            rows = list(csv.reader(io.StringIO(decoded.strip("\r\n")), strict=True))
        except (ValueError, csv.Error) as fault:
            raise StepFailed(f"DataProcessing cannot read {what}: {fault}") from fault
        if len(rows) != 1:
            raise StepFailed(f"DataProcessing cannot read {what}: {len(rows)} rows of CSV where one is needed")
        return rows[0]

    def _written(self, value: Any) -> bytes:
        if not self.csv:
            return json.dumps(value).encode()
        stream = io.StringIO()
        csv.writer(stream, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return stream.getvalue().encode()


def data_processing(request: Mapping[str, Any]) -> DataProcessing | None:
    """Of a CreateTransformJob request; None where it asks for nothing. Raises :class:`StepFailed`."""
    asked = request.get("DataProcessing") or {}
    before, after = str(asked.get("InputFilter", "$")), str(asked.get("OutputFilter", "$"))
    join = asked.get("JoinSource", "None")
    if (before, join, after) == ("$", "None", "$"):
        return None
    if join not in ("None", "Input"):
        raise StepFailed(f"DataProcessing.JoinSource is {join!r}; it is None or Input")
    given, wanted = request.get("TransformInput") or {}, request.get("TransformOutput") or {}
    kind, split = str(given.get("ContentType", "")), given.get("SplitType") or "None"
    if kind != _CSV and kind not in _JSON:
        raise StepFailed(f"DataProcessing needs ContentType {_CSV}, {_JSON[0]} or {_JSON[1]}; found {kind or 'none'}")
    if wanted.get("Accept", kind) != kind:
        raise StepFailed(f"DataProcessing needs the same Accept as ContentType; found {wanted['Accept']} and {kind}")
    if (wanted.get("AssembleWith") or "None") != split:
        raise StepFailed(f"DataProcessing needs the same AssembleWith as SplitType; SplitType is {split}")
    if split != "Line" and kind != _JSON[0]:
        raise StepFailed(f"DataProcessing of {kind} needs SplitType Line")
    return DataProcessing(
        path_of(before, "InputFilter"), join == "Input", path_of(after, "OutputFilter"), kind == _CSV, split == "Line"
    )


def path_of(text: str, what: str) -> tuple[_Token, ...]:
    """Raises :class:`StepFailed`.

    >>> path_of("$.a['b'][0,-1][1:]", "InputFilter")
    ('a', 'b', (0, -1), slice(1, None, None))
    """
    fault = StepFailed(
        f"DataProcessing.{what} is {text!r}; supported are $, .name, *, ['a','b'], [1,-1] and [2:5], "
        f"in at most {PATH_LIMIT} characters"
    )
    if not text.startswith("$") or len(text) > PATH_LIMIT:
        raise fault
    tokens: list[_Token] = []
    at = 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise fault
        tokens.append(_token(match))
        at = match.end()
    return tuple(tokens)


def _token(match: re.Match[str]) -> _Token:
    if match["name"]:
        return match["name"]
    if match["indexes"]:
        indexes = tuple(int(index) for index in match["indexes"].split(","))
        return indexes if len(indexes) > 1 else indexes[0]
    if match["names"]:
        names = tuple(re.findall(r"'([^']*)'", match["names"]))
        return names if len(names) > 1 else names[0]
    if match["every"] or match["every_item"]:
        return None
    return slice(*(int(end) if end else None for end in (match["start"], match["end"])))


def select(value: Any, path: tuple[_Token, ...], what: str) -> Any:
    """The part of ``value`` that ``path`` names; several names give an object, all else that can be many a list.
    Raises :class:`StepFailed` where nothing is there."""
    if not path:
        return value
    token, rest = path[0], path[1:]
    try:
        match token:
            case str():
                return select(_member(value, token), rest, what)
            case int():
                return select(_items(value)[token], rest, what)
            case None:
                every = [*value.values()] if isinstance(value, dict) else _items(value)
            case slice():
                every = _items(value)[token]
            case (str(), *_):
                return {str(name): select(_member(value, name), rest, what) for name in token}
            case _:
                every = [_items(value)[int(index)] for index in token]
    except (LookupError, TypeError) as fault:
        raise StepFailed(f"DataProcessing.{what}: a record has nothing at {_spelled(token)}") from fault
    return [select(item, rest, what) for item in every]


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _member(value: Any, name: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError
    return value[name]


def _spelled(token: _Token) -> str:
    if isinstance(token, slice):
        return f"[{token.start if token.start is not None else ''}:{token.stop if token.stop is not None else ''}]"
    if isinstance(token, tuple):
        return str([*token]).replace(" ", "")
    return "*" if token is None else f"[{token!r}]"
