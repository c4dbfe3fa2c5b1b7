"""Files of what became of requests, as people have them: CSV or JSON Lines by inference id."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.outcomes.ground_truth import Outcome, said
from mlops.ir import UsageError

_ID, _NAME, _VALUE = "inference_id", "name", "value"


def rows(text: str, place: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """With their lines. Raises UsageError for what is neither."""
    text = text.removeprefix("\ufeff")  # some programs begin a file so
    if not text.lstrip().startswith("{"):
        reader = csv.DictReader(io.StringIO(text))
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise UsageError(f"{place}:{reader.line_num + 1} is no CSV: {error}") from None
        return
    # Not splitlines(): U+2028 and U+0085 stand in texts of JSON, and end no line.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                read = json.loads(line)
            except ValueError as error:
                raise UsageError(f"{place}:{number} is no JSON: {error}") from None
            except RecursionError:
                raise UsageError(f"{place}:{number} is no outcome: lists or objects inside of each other") from None
            yield number, read if isinstance(read, dict) else {}


def outcomes_of(text: str, place: str) -> Iterator[Outcome]:
    """Each column beside ``inference_id`` is an outcome, where a row has something there; or ``name`` and ``value`` say
    what it is. Raises UsageError with the line."""
    for number, row in rows(text, place):
        identity = row.get(_ID)
        named = {_NAME, _VALUE} <= row.keys()
        pairs = [(row[_NAME], row[_VALUE])] if named else [(key, row[key]) for key in row if key != _ID]
        found = [(name, value) for name, value in pairs if value not in (None, "")]
        if (
            not isinstance(identity, str | int)
            or isinstance(identity, bool)
            or identity == ""
            or any(not isinstance(name, str) or isinstance(value, dict | list) for name, value in found)
        ):
            raise UsageError(
                f"{place}:{number} has no inference_id, or an outcome that is none",
                hint='give a CSV with the columns inference_id and label, or lines as {"inference_id": "order-1", '
                '"rating": 4}',
            )
        for name, value in found:
            try:
                yield Outcome(str(identity), name, said(value))
            except UsageError as error:
                raise UsageError(f"{place}:{number}: {error.message}", hint=error.hint) from None
