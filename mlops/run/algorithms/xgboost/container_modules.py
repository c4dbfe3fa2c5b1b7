"""The container's own package for scripts that import it, where it is not installed:
``from sagemaker_xgboost_container import encoder``."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import xgboost

from mlops.run.algorithms.content_types import parsed
from mlops.run.algorithms.xgboost.script import DEFAULTS

_PACKAGE = "sagemaker_xgboost_container"


def provide() -> None:
    if find_spec(_PACKAGE) is not None:
        return
    package, encoder = ModuleType(_PACKAGE, __doc__), ModuleType(f"{_PACKAGE}.encoder", __doc__)
    package.__path__ = []
    for function in (csv_to_dmatrix, libsvm_to_dmatrix, recordio_protobuf_to_dmatrix, decode):
        setattr(encoder, function.__name__, function)
    package.encoder = encoder  # type: ignore[attr-defined]
    sys.modules |= {_PACKAGE: package, encoder.__name__: encoder}


def csv_to_dmatrix(input: bytes | str, dtype: Any = None) -> Any:
    return DEFAULTS.decode(input, "text/csv")


def libsvm_to_dmatrix(string_like: bytes | str) -> Any:
    """Columns keep their numbers and what is not told is missing, as the library has it: so it is in images
    up to 3.0-5, and so their models were trained. The container's source has counted from 0 since May 2026."""
    text = string_like if isinstance(string_like, str) else bytes(string_like).decode()
    rows, columns, values = [], [], []
    for number, line in enumerate(text.strip().split("\n")):
        for column, colon, value in (item.partition(":") for item in line.split()):
            if colon:
                rows.append(number)
                columns.append(int(column))
                values.append(float(value))
    sparse = importlib.import_module("scipy.sparse")
    height, width = 1 + max(rows, default=-1), 1 + max(columns, default=-1)
    return xgboost.DMatrix(sparse.csr_matrix((values, (rows, columns)), shape=(height, width)))


def recordio_protobuf_to_dmatrix(string_like: bytes) -> Any:
    return DEFAULTS.decode(string_like, "application/x-recordio-protobuf")


def decode(obj: bytes | str, content_type: str) -> Any:
    if parsed(content_type)[0] in ("text/libsvm", "text/x-libsvm"):
        return libsvm_to_dmatrix(obj)
    return DEFAULTS.decode(obj, content_type)
