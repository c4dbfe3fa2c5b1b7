"""The body of a request, as rows to predict."""

from __future__ import annotations

import csv
import importlib
from typing import Any

import numpy as np
import xgboost

from mlops.run.algorithms.xgboost.channels import CSV, LIBSVM, RECORDIO, data_format
from mlops.run.algorithms.xgboost.data import recordio_features


def parsed(body: bytes, content_type: str | None) -> tuple[Any, str]:
    """A DMatrix and the format that it came in. Raises UserFault and RuntimeError."""
    kind = data_format(content_type)
    try:
        match kind:
            case "csv":
                return csv_matrix(body.strip().decode("utf-8")), CSV
            case "libsvm":
                return xgboost.DMatrix(_sparse(body.strip().decode("utf-8"))), LIBSVM
            case "recordio-protobuf":
                return recordio_matrix(body), RECORDIO
    except Exception as fault:
        told = f"{type(fault)} {fault}" if kind == RECORDIO else f"\n {type(fault)}\n {fault}"
        space = " " if kind == RECORDIO else ""
        raise RuntimeError(
            f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:{space}{told}"
        ) from fault
    raise RuntimeError(f"Content-type {content_type} is not supported.")


def csv_matrix(text: str) -> Any:
    """Raises ValueError and csv.Error."""
    lines = text.split("\n")
    delimiter = csv.Sniffer().sniff(lines[0][:512]).delimiter
    delimiter = "," if delimiter.isalnum() else delimiter
    rows = [["nan" if cell == "" else cell for cell in line.split(delimiter)] for line in lines]
    return xgboost.DMatrix(np.array(rows).astype(float))


def recordio_matrix(body: bytes) -> Any:
    features, labels = recordio_features(body)
    return xgboost.DMatrix(features, label=labels)


def _sparse(text: str) -> Any:
    """Columns that are counted from 1 begin at 0."""
    rows, columns, values = [], [], []
    for number, line in enumerate(text.split("\n")):
        for item in line.split(" "):
            if ":" in item:
                column, value = item.split(":")[:2]
                rows.append(number)
                columns.append(int(column))
                values.append(value)
    at = np.array(columns).astype(int)
    if len(at) > 0 and at.min() >= 1:
        at = at - 1
    sparse = importlib.import_module("scipy.sparse")
    return sparse.csr_matrix((np.array(values).astype(float), (np.array(rows), at)))
