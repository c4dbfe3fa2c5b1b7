"""What the container adds to a script that serves: requests become matrices, which the script's model predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import xgboost

from mlops.run.algorithms.content_types import parsed
from mlops.run.algorithms.encoding import as_csv
from mlops.run.algorithms.xgboost.requests import csv_matrix, recordio_matrix
from mlops.run.serving.handlers import RequestFault, encode


class Defaults:
    """In place of those of the inference toolkit."""

    def decode(self, data: bytes | str, content_type: str) -> Any:
        """Raises :class:`RequestFault`."""
        kind, _ = parsed(content_type)
        try:
            match kind:
                case "text/csv":
                    return csv_matrix(data if isinstance(data, str) else data.decode("utf-8"))
                case "text/libsvm" | "text/x-libsvm":
                    return _libsvm(data if isinstance(data, str) else data.decode("utf-8"))
                case "application/x-recordio-protobuf":
                    return recordio_matrix(data if isinstance(data, bytes) else data.encode())
        except RequestFault:
            raise
        except Exception as fault:
            raise RequestFault(500, f"the body is no {kind}: {fault}") from fault
        raise RequestFault(415, _unsupported(kind))

    def predict(self, model: Any, data: Any) -> Any:
        return model.predict(data, validate_features=False)

    def encode(self, prediction: Any, accept: str) -> bytes:
        """Raises :class:`RequestFault`."""
        match accept:
            case "text/csv":
                return as_csv(prediction).encode()
            case "application/json" | "application/x-npy":
                return encode(prediction, accept)
        raise RequestFault(406, _unsupported(accept))


DEFAULTS = Defaults()


def _libsvm(text: str) -> Any:
    """Dense, and counted from 0 where no column is below 1."""
    rows = [
        {int(index): float(value) for index, _, value in (item.partition(":") for item in line.split() if ":" in item)}
        for line in text.strip().split("\n")
    ]
    if not any(rows):
        return xgboost.DMatrix(np.empty((0, 0)))
    offset = 1 if min(index for row in rows for index in row) >= 1 else 0
    data = np.zeros((len(rows), max(index for row in rows for index in row) - offset + 1))
    for number, row in enumerate(rows):
        for index, value in row.items():
            data[number, index - offset] = value
    return xgboost.DMatrix(data)


def _unsupported(kind: str) -> str:
    return f"Content type {kind} is not supported by this framework."
