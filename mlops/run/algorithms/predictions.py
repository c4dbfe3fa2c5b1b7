"""Requests and answers of the numeric algorithms, in the formats that the developer guide has for all of them
(``cdf-inference``, ``LL-in-formats`` and its siblings)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from mlops.run.algorithms import execution_parameters
from mlops.run.algorithms.content_types import parsed
from mlops.run.algorithms.recordio import Tensor, written
from mlops.run.algorithms.tabular import Rows, csv_rows, dense, record_rows
from mlops.run.serving.handlers import Answer, RequestFault

Prediction: TypeAlias = Mapping[str, Any]
Predict: TypeAlias = Callable[[Any, bool], Sequence[Prediction]]
"""Of rows; the second says whether the verbose form is asked for."""

_JSON, _LINES, _CSV, _RECORDIO = (
    "application/json",
    "application/jsonlines",
    "text/csv",
    "application/x-recordio-protobuf",
)


class Predicting:
    """``width`` is how many features a row is to have, ``top`` what the list in JSON is called."""

    most = execution_parameters.MOST

    def __init__(self, predict: Predict, width: int, top: str = "predictions") -> None:
        self._predict = predict
        self._width = width
        self._top = top
        self._default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or _JSON

    def told(self, path: str) -> Answer | None:
        return execution_parameters.told(path, self.most)

    def answer(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """Raises :class:`RequestFault`."""
        kind, parameters = parsed(content_type or _JSON)
        try:
            features = _rows(body, kind.lower(), int(parameters.get("label_size", 0)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
            raise _unable(f"the body is no {kind}: {fault}") from fault
        if not len(features):
            raise _unable("there are no rows")
        if features.shape[1] != self._width:
            raise _unable(f"rows have {features.shape[1]} features, the model has {self._width}")
        if (row := Rows(features).without_number) is not None:
            raise _unable(f"row {row} has a value that is no finite number")
        wanted, options = parsed(self._default_accept if accept in ("", "*/*") else accept)
        found = self._predict(features, options.get("verbose", "").lower() == "true")
        return Answer(self._encoded(found, wanted.lower()), wanted)

    def _encoded(self, found: Sequence[Prediction], kind: str) -> bytes:
        match kind:
            case "application/json":
                return json.dumps({self._top: [dict(item) for item in found]}).encode()
            case "application/jsonlines":
                return "".join(f"{json.dumps(dict(item))}\n" for item in found).encode()
            case "text/csv":
                return "".join(",".join(map(str, _flat(item))) + "\n" for item in found).encode()
            case "application/x-recordio-protobuf":
                return written([{name: _listed(value) for name, value in item.items()} for item in found])
        sys.stderr.write(f"accept {kind} is none of {_JSON}, {_LINES}, {_CSV}, {_RECORDIO}\n")
        raise RequestFault(406, f"{kind} is not supported; accept {_JSON}, {_LINES}, {_CSV} or {_RECORDIO}")


def _unable(told: str) -> RequestFault:
    return RequestFault(400, f"unable to evaluate payload provided: {told}")


def _rows(body: bytes, kind: str, labels: int) -> Any:
    match kind:
        case "text/csv":
            return csv_rows(body.decode("utf-8"), labels).features
        case "application/json":
            return _of_instances(json.loads(body)["instances"])
        case "application/jsonlines":
            return _of_instances([json.loads(line) for line in body.decode("utf-8").split("\n") if line.strip()])
        case "application/x-recordio-protobuf":
            return record_rows(body).features
    raise RequestFault(415, f"content type {kind} is not supported; use {_CSV}, {_JSON}, {_LINES} or {_RECORDIO}")


def _of_instances(instances: Sequence[Any]) -> Any:
    return dense([_tensor(item) for item in instances])


def _tensor(item: Any) -> Tensor:
    """A list of numbers, or an object around one: features, data, values, with keys and shape where it is sparse."""
    if isinstance(item, Mapping):
        if "values" in item:
            keys = item.get("keys")
            shape = item.get("shape") or ()
            values = np.array(item["values"], dtype=float)
            return Tensor(values, np.array(keys, dtype=int) if keys else None, tuple(shape))
        return _tensor(item["features"] if "features" in item else item["data"])
    values = np.array(item, dtype=float)
    if values.ndim != 1:
        raise ValueError("features are no list of numbers")
    return Tensor(values)


def _flat(item: Prediction) -> list[Any]:
    return [number for value in item.values() for number in _listed(value)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
