"""Channels read into what the library trains on.

The container leaves CSV and libsvm to the library's own readers, which later versions of it no longer have. Here they
are read as those do: a cell without a number is missing, a header is a row of them.
"""

from __future__ import annotations

import csv
import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from mlops.run.algorithms.job import UserFault
from mlops.run.algorithms.recordio import Tensor, records
from mlops.run.algorithms.xgboost.channels import CSV, LIBSVM, PARQUET, RECORDIO

_MOST_DEPTH = 3
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)", re.IGNORECASE)
_NO_LABELS = (
    "Got input data without labels. Please check the input data set. If training job is running on multiple instances, "
    "please switch to using single instance if number of records in the data set is less than number of workers (16 * "
    "number of instance) in the cluster."
)
_HEADER = (
    "Non-numeric value '{}' found in the header line '{}...' of file '{}'. CSV format require no header line in it. If "
    "header line is already removed, XGBoost does not accept non-numeric value in the data."
)
_PIPE = (
    "Pipe mode for {} is no longer supported. Please use Fast File mode (default) instead. Set input_mode='File' in "
    "your SageMaker Estimator or TrainingInput."
)
_PIPED = {CSV: "CSV", PARQUET: "Parquet", RECORDIO: "RecordIO-Protobuf"}


def size_of(folder: Path) -> int:
    """In bytes; 0 where it is not there. Raises :class:`UserFault`."""
    total = 0
    for _, _, names in (found := list(os.walk(folder))):
        if any(name.startswith(".") for name in names):
            raise UserFault("Hidden file found in the data path! Remove that before training.")
    for place, _, names in found:
        total += sum(os.path.getsize(f"{place}/{name}") for name in names)  # noqa: PTH202
    return total


def matrix(folders: Sequence[Path], kind: str, *, weights: bool) -> Any:
    """A DMatrix of all files; None where there are none. Raises :class:`UserFault`."""
    files = [file for folder in folders for file in _files(folder)]
    if not files:
        return None
    made = _READERS[kind](files, weights)
    if made is not None and made.get_label().size == 0:
        raise UserFault(_NO_LABELS)
    return made


def refuse_pipe(kind: str) -> UserFault:
    return UserFault("Pipe mode not supported for LibSVM." if kind == LIBSVM else _PIPE.format(_PIPED[kind]))


def validate(folder: Path, kind: str, *, words_refused: bool) -> None:
    """By first lines. Raises :class:`UserFault`. The image of the library's 0.72 refuses words in one (its message is
    in aws-samples/amazon-sagemaker-immersion-day#81); later ones take a header for a row, whose label is 0 and whose
    features are missing (aws/sagemaker-xgboost-container#129): that is told."""
    if kind not in (CSV, LIBSVM):
        return
    for place, folders, names in os.walk(folder):
        if folders:
            continue
        for name in sorted(names):
            if name.startswith("_") or (".cache" in name and ("dtrain" in name or "dval" in name)):
                continue
            with open(f"{place}/{name}", errors="ignore", encoding="utf-8") as file:  # noqa: PTH123
                if kind == CSV:
                    _validate_csv(file.readline(), name, words_refused=words_refused)
                else:
                    _validate_libsvm(file, name)
        return


def _validate_csv(line: str, name: str, *, words_refused: bool) -> None:
    delimiter = delimiter_of(line)
    cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
    words = [cell for cell in cells if cell and not _NUMBER.fullmatch(cell)]
    if words and words_refused:
        raise UserFault(_HEADER.format(words[0][0], line[:50], name))
    if words and len(words) == len([cell for cell in cells if cell]):
        sys.stderr.write(
            f"WARNING: the first line of {name} is a header, {line[:50].strip()!r}: it is taken for a row whose label "
            "is 0 and whose features are missing, as in the service; write the file without one\n"
        )


def delimiter_of(line: str) -> str:
    """Raises :class:`UserFault`."""
    try:
        return csv.Sniffer().sniff(line).delimiter
    except Exception as fault:
        raise UserFault(f"Could not determine delimiter on line {line[:50]}:\n{fault}") from fault


def _validate_libsvm(lines: Iterable[str], name: str) -> None:
    for line in lines:
        features = _libsvm_features(line)
        if features is None:
            raise UserFault(
                f"First line '{line[:50]}...' of file '{name}' is not 'LIBSVM' format. Please ensure the file is in "
                "'LIBSVM' format."
            )
        if features > 1:
            return
    sys.stderr.write(f"File {name} is not an invalid LIBSVM file but has no features. Accepting simple validation.\n")


def _libsvm_features(line: str) -> int | None:
    label, *rest = line.split(" ")
    parts = label.split(":")
    try:
        [float(part) for part in parts]
    except ValueError:
        return None
    if len(parts) > 2 or any(":" not in item for item in rest) or (rest and len(rest[0].split(":")) != 2):
        return None
    return len(rest)


def _files(folder: Path, depth: int = 1) -> Iterator[Path]:
    if depth > _MOST_DEPTH:
        sys.stderr.write(
            f"The depth of folder {folder} exceed the limit {_MOST_DEPTH}. Files in deeper sub dirs won't be loaded. "
            "Please adjust the folder structure accordingly.\n"
        )
        return
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from _files(path, depth + 1)


def _read_csv(files: Sequence[Path], weights: bool) -> Any:
    with files[0].open(encoding="utf-8", errors="ignore") as file:
        delimiter = delimiter_of(file.readline())
    try:
        tables = [table for file in files if (table := _table(file, delimiter)).size]
        width = max((table.shape[1] for table in tables), default=0)
        first = 2 if weights else 1
        if width <= first:
            raise ValueError(
                f"Delimiter '{delimiter}' is not found in the line. Expected '{delimiter}' as the delimiter to "
                "separate fields."
            )
        whole = np.vstack([_widened(table, width) for table in tables])
        label = np.nan_to_num(whole[:, 0], nan=0.0)
        return xgboost.DMatrix(whole[:, first:], label=label, weight=whole[:, 1] if weights else None)
    except (ValueError, OSError, xgboost.core.XGBoostError) as fault:
        raise UserFault(f"Failed to load csv data with exception:\n{fault}") from fault


def _table(file: Path, delimiter: str) -> Any:
    try:
        return np.loadtxt(file, dtype=np.float32, delimiter=delimiter, comments=None, ndmin=2, encoding="utf-8")
    except ValueError:
        with file.open(encoding="utf-8", errors="replace") as lines:
            rows = [[_cell(cell) for cell in line.rstrip("\r\n").split(delimiter)] for line in lines if line.strip()]
        width = max(map(len, rows))
        return np.array([row + [np.nan] * (width - len(row)) for row in rows], dtype=np.float32)


def _cell(text: str) -> float:
    """A number at its beginning, as 1.5 of "1.5 kg", else nothing."""
    match = _NUMBER.match(text)
    return float(match.group()) if match else float("nan")


def _widened(table: Any, width: int) -> Any:
    missing = width - table.shape[1]
    return np.pad(table, ((0, 0), (0, missing)), constant_values=np.nan) if missing else table


def _read_libsvm(files: Sequence[Path], weights: bool) -> Any:
    try:
        labels, weighted, queries, indices, values, starts = [], [], [], [], [], [0]
        for file in files:
            with file.open(encoding="utf-8") as lines:
                for line in lines:
                    head, *rest = line.partition("#")[0].split() or [""]
                    if not head:
                        continue
                    label, _, weight = head.partition(":")
                    labels.append(float(label))
                    if weight:
                        weighted.append(float(weight))
                    for item in rest:
                        index, _, value = item.partition(":")
                        if index == "qid":
                            queries.append(int(value))
                            continue
                        indices.append(int(index))
                        values.append(float(value or 1.0))
                    starts.append(len(indices))
        sparse = importlib.import_module("scipy.sparse")
        width = max(indices, default=-1) + 1
        features = sparse.csr_matrix((values, indices, starts), shape=(len(labels), width), dtype=np.float32)
        return xgboost.DMatrix(features, label=labels, weight=weighted or None, qid=queries or None)
    except (ValueError, OSError, xgboost.core.XGBoostError) as fault:
        raise UserFault(f"Failed to load libsvm data with exception:\n{fault}") from fault


def _read_parquet(files: Sequence[Path], weights: bool) -> Any:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
        whole = np.vstack([_columns(parquet.read_table(file)) for file in files])
        return xgboost.DMatrix(whole[:, 1:], label=whole[:, 0])
    except ImportError as fault:
        raise UserFault(
            f"Failed to load parquet data with exception:\n{fault}\n(here Parquet needs pyarrow: python -m pip install "
            "pyarrow)"
        ) from fault
    except Exception as fault:
        raise UserFault(f"Failed to load parquet data with exception:\n{fault}") from fault


def _columns(table: Any) -> Any:
    return np.column_stack([column.to_numpy() for column in table.columns])


def _read_recordio(files: Sequence[Path], weights: bool) -> Any:
    shown = [file for file in files if not file.name.startswith("_")]
    try:
        features, labels = recordio_features(b"".join(file.read_bytes() for file in shown))
        return xgboost.DMatrix(features, label=labels)
    except Exception as fault:
        raise UserFault(f"Failed to load recordio-protobuf data with exception:\n{fault}") from fault


_READERS = {CSV: _read_csv, LIBSVM: _read_libsvm, PARQUET: _read_parquet, RECORDIO: _read_recordio}


def recordio_features(data: bytes) -> tuple[Any, Any]:
    """Features, sparse where a record is, and labels or None. Raises ValueError."""
    rows, labels, is_sparse = [], [], False
    for record in records(data):
        if "values" not in record.features:
            continue
        row = record.features["values"]
        if row is None:
            continue
        rows.append(row)
        is_sparse = is_sparse or row.keys is not None
        label = record.label.get("values")
        if label is not None:
            labels.append(label.values)
    if not rows:
        raise ValueError("No records found in RecordIO-Protobuf data")
    features = _sparse(rows) if is_sparse else np.vstack([row.values.reshape(1, -1) for row in rows])
    return features, np.concatenate(labels, axis=None) if labels else None


def _sparse(rows: Sequence[Tensor]) -> Any:
    sparse = importlib.import_module("scipy.sparse")
    made = []
    for row in rows:
        if row.keys is None:
            made.append(sparse.csr_matrix(row.values.reshape(1, -1)))
            continue
        width = int(row.shape[0]) if row.shape else int(row.keys.max()) + 1
        made.append(sparse.csr_matrix((row.values, row.keys, [0, len(row.keys)]), shape=(1, width)))
    return sparse.vstack(made).tocsr()
