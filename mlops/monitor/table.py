"""A whole data set by column, for analyses that look at rows. Columns have the types that pandas would give them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlops.monitor.cells import Array, Cells, Chunk, aligned, as_text, of_texts, of_values
from mlops.monitor.data import Data
from mlops.monitor.fault import Fault
from mlops.monitor.files import data_files, lines_of
from mlops.monitor.formats.json import by_column
from mlops.monitor.settings import listed

CSV, JSON_LINES, PARQUET = "text/csv", "application/jsonlines", "application/x-parquet"
_STEP = re.compile(r"(\w+|\"[^\"]+\")|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` by name; ``features`` are the names of those that a model is given."""

    columns: Mapping[str, Array]
    features: tuple[str, ...]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def name(self, name_or_index: Any, what: str) -> str:
        """Raises :class:`Fault` where there is no such column."""
        names = [*self.columns]
        if isinstance(name_or_index, int) and not isinstance(name_or_index, bool):
            if 0 <= name_or_index < len(names):
                return names[name_or_index]
        elif name_or_index in self.columns:
            return str(name_or_index)
        raise Fault(f"{what} is {name_or_index!r}, and the data have the columns {', '.join(names)}")


def read_table(place: Path, config: Mapping[str, Any]) -> tuple[Table, str | None, str | None]:
    """The data set that an analysis configuration describes, with the columns of its label and its predicted label.
    Raises :class:`Fault`."""
    kind, headers = config.get("dataset_type") or CSV, list(map(str, listed(config.get("headers"), "headers")))
    files = tuple(data_files(place))
    if kind == JSON_LINES:
        table, label, predicted = _json_lines(files, config, headers)
    else:
        if kind == CSV:
            headers = headers or _placeholders(files[0])
            options = {"names": headers} if headers else {"header": True}
            columns = _columns(Data(files, "csv", options).chunks())
            if headers and all(len(column) and as_text(column[0]) == name for name, column in columns.items()):
                columns = _typed({name: [*column[1:]] for name, column in columns.items()})
        elif kind == PARQUET:
            columns = _columns(Data(files, "parquet").chunks())
        else:
            raise Fault(f"dataset_type is {kind}; {CSV}, {JSON_LINES} or {PARQUET} can be analysed")
        whole = Table(columns, ())
        label, predicted = (
            None if config.get(member) is None else whole.name(config[member], member)
            for member in ("label", "predicted_label")
        )
        left_out = {label, predicted}
        table = Table(columns, tuple(name for name in columns if name not in left_out))
    if not len(table):
        raise Fault("the data have no rows")
    given = listed(config.get("excluded_columns"), "excluded_columns")
    excluded = {table.name(item, "excluded_columns") for item in given}
    return Table(table.columns, tuple(name for name in table.features if name not in excluded)), label, predicted


def _json_lines(
    files: Sequence[Path], config: Mapping[str, Any], headers: Sequence[str]
) -> tuple[Table, str | None, str | None]:
    """Columns by the names in ``headers``: those of the features, then the label's and the predicted label's."""
    import json

    where = {member: config.get(member) for member in ("features", "label", "predicted_label")}
    if not where["features"]:
        raise Fault("the analysis of JSON Lines wants `features`, which says where they are in a line")
    names: dict[str, str | None] = {"label": None, "predicted_label": None}
    features: list[str] = []

    def records() -> Iterator[Mapping[str, Any]]:
        for file in files:
            for number, line in lines_of(file):
                try:
                    document = json.loads(line)
                except (ValueError, RecursionError) as fault:
                    raise Fault(f"line {number} of {file.name} is no JSON: {fault}") from None
                found = found_in(document, str(where["features"]))
                values = found if isinstance(found, list) else [found]
                if not features:
                    features.extend(_named(headers, len(values)))
                    rest = list(headers[len(values) :])
                    for member in names:
                        if where[member] is not None:
                            names[member] = rest.pop(0) if rest else member
                if len(values) != len(features):
                    raise Fault(f"line {number} of {file.name} has {len(values)} features, others {len(features)}")
                record = dict(zip(features, values, strict=True))
                for member, name in names.items():
                    if name is not None:
                        record[name] = found_in(document, str(where[member]))
                yield record

    columns = _columns(by_column(records(), 65536))
    return Table(columns, tuple(features)), names["label"], names["predicted_label"]


def _placeholders(file: Path) -> list[str]:
    """Names of the columns where the first line of CSV does not name them: there is a number or nothing in it."""
    for _, line in lines_of(file):
        cells = of_texts(next(csv.reader([line])))
        if cells.missing or cells.others < cells.present:
            return [f"column_{number}" for number in range(len(cells.rows))]
        break
    return []


def _named(headers: Sequence[str], many: int) -> list[str]:
    return [*headers[:many]] if len(headers) >= many else [f"column_{number}" for number in range(many)]


def found_in(document: Any, expression: str) -> Any:
    """What a JMESPath expression finds: names and numbers here, anything else by the library, where it is there.

    >>> found_in({"a": {"b": [1, 2]}}, "a.b[1]")
    2
    """
    steps, rest = [], expression.removeprefix("$.")
    while rest:
        match = _STEP.match(rest)
        if match is None:
            return _by_library(document, expression)
        steps.append(int(match[2]) if match[2] is not None else match[1].strip('"'))
        rest = rest[match.end() :].removeprefix(".")
    here = document
    for step in steps:
        if isinstance(step, int):
            here = here[step] if isinstance(here, list) and step < len(here) else None
        else:
            here = here.get(step) if isinstance(here, dict) else None
    return here


def _by_library(document: Any, expression: str) -> Any:
    try:
        import jmespath
    except ImportError:
        raise Fault(f"the expression {expression!r} wants jmespath in the Python that runs the check") from None
    try:
        return jmespath.search(expression, document)
    except jmespath.exceptions.JMESPathError as fault:
        raise Fault(f"{expression!r} is no JMESPath expression: {fault}") from None


def _columns(chunks: Iterator[Chunk]) -> dict[str, Array]:
    whole: dict[str, list[Any]] = {}
    for chunk in chunks:
        for name, cells in chunk.items():
            whole.setdefault(name, []).extend(cells.rows)
    return _typed(whole)


def _typed(columns: Mapping[str, Sequence[Any]]) -> dict[str, Array]:
    return {name: typed(values) for name, values in columns.items()}


def typed(values: Sequence[Any]) -> Array:
    """
    >>> [typed(values).dtype.kind for values in (["1", "2"], ["1", ""], ["a", "2"], ["True", "False"], [1.5, 2])]
    ['i', 'f', 'O', 'b', 'f']
    """
    cells: Cells = of_values(values)
    if cells.present and not cells.others:
        numbers = aligned(values)
        return numbers.astype(np.int64) if cells.integral == len(values) else numbers
    texts = {as_text(value).lower() for value in cells.raw}
    if texts and texts <= {"true", "false"} and not cells.missing:
        return np.array([as_text(value).lower() == "true" for value in values])
    array: Array = np.empty(len(values), dtype=object)
    array[:] = [None if value is None or value == "" or value != value else value for value in values]
    return array
