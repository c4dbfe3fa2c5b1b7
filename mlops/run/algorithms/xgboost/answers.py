"""What is answered: predictions in the form that was asked for, or what of them was selected."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlops.run.algorithms.encoding import as_csv
from mlops.run.algorithms.recordio import written

LOGISTIC, LOGITRAW, HINGE = "binary:logistic", "binary:logitraw", "binary:hinge"
SOFTMAX, SOFTPROB = "multi:softmax", "multi:softprob"
_SCORE = ("predicted_score",)
_CLASS = ("predicted_label", "labels", "raw_score", "raw_scores")
_PROBABLE = ("predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores")
_SELECTABLE: Mapping[str, Sequence[str]] = {
    "reg:squarederror": _SCORE,
    "reg:logistic": _SCORE,
    "reg:gamma": _SCORE,
    "reg:absoluteerror": _SCORE,
    "reg:tweedie": _SCORE,
    LOGISTIC: _PROBABLE,
    LOGITRAW: _CLASS,
    HINGE: _CLASS,
    SOFTMAX: _CLASS,
    SOFTPROB: _PROBABLE,
}
_NONE = math.nan


class NoEncoder(Exception):
    """There is none for what is asked for."""


def encoded(predictions: Any, accept: str, *, batch: bool) -> bytes:
    """All of a plain answer. Raises :class:`NoEncoder`."""
    values = predictions.tolist()
    if batch:
        return ("\n".join(map(str, values)) + "\n").encode()
    match accept:
        case "application/json":
            return json.dumps({"predictions": [{"score": value} for value in values]}).encode()
        case "text/csv":
            return as_csv(values).encode()
        case "application/x-npy":  # which only the variable for what is accepted by default can ask for
            stream = io.BytesIO()
            np.save(stream, values)
            return stream.getvalue()
    raise NoEncoder(accept)


def selected(predictions: Any, keys: Sequence[str], objective: str, classes: str, accept: str, *, batch: bool) -> bytes:
    """By SAGEMAKER_INFERENCE_OUTPUT. Raises ValueError for an objective of which nothing can be selected."""
    if objective not in _SELECTABLE:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    known, unknown = _SELECTABLE[objective], [key for key in keys if key not in _SELECTABLE[objective]]
    if unknown:
        sys.stderr.write(f"Selected key(s) {unknown} incompatible for objective '{objective}'.\n")
    rows = [
        {key: _of(key, row, objective, classes) for key in known if key in keys} | dict.fromkeys(unknown, _NONE)
        for row in predictions
    ]
    match accept:
        case "application/json":
            return json.dumps({"predictions": rows}).encode()
        case "application/jsonlines":
            return "".join(f"{json.dumps(row)}\n" for row in rows).encode()
        case "application/x-recordio-protobuf":
            return written([{key: _listed(value) for key, value in row.items()} for row in rows])
        case "text/csv":
            lines = [",".join(_cell(row[key]) for key in keys) for row in rows]
            return ("\n".join(lines) + ("\n" if batch else "")).encode()
    raise RuntimeError(f"Cannot encode selected predictions into accept type '{accept}'.")


def _listed(value: Any) -> list[float]:
    return value if isinstance(value, list) else [value]


def _cell(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)


def _of(key: str, row: Any, objective: str, classes: str) -> Any:
    match key:
        case "predicted_score":
            return row.item()
        case "predicted_label":
            return _label(row, objective)
        case "labels":
            return _labels(objective, classes)
        case "probability":
            return max(row).item() if objective == SOFTPROB else row.item()
        case "raw_score":
            return max(row).item() if objective == SOFTPROB else row.item()
    # Of one score the other one is what is missing to 1, also where that is no probability.
    return row.tolist() if objective == SOFTPROB else [1.0 - row.item(), row.item()]


def _label(row: Any, objective: str) -> Any:
    match objective:
        case "binary:logistic":
            return int(row > 0.5)
        case "binary:logitraw":
            return int(row > 0)
        case "multi:softprob":
            return row.argmax().item()
    return row.item()


def _labels(objective: str, classes: str) -> Any:
    if objective.startswith("binary:"):
        return [0, 1]
    return list(range(int(classes))) if classes else _NONE
