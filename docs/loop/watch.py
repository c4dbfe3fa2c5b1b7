"""The monitor: what was captured of late, against what the model was trained on, as a metric that an alarm looks at.

The population stability index of each feature, over tenths of the training data: above 0.25 a feature is another one.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from mlops.account import Account

PLACE = ("mlops-local", "captured/tumours/")
_LEAST = 150
"""Captured requests, of which the index says something."""


def captured(account: Account, since: float) -> Iterator[list[float]]:
    """Features of requests from ``since`` on, in seconds since 1970."""
    s3 = account.client("s3")
    bucket, prefix = PLACE
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents") or ():
        if item["LastModified"].timestamp() < since:
            continue
        for text in s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode().splitlines():
            told = json.loads(text)
            if datetime.fromisoformat(told["eventMetadata"]["inferenceTime"]).timestamp() >= since:
                given = told["captureData"]["endpointInput"]
                data = b64decode(given["data"]).decode() if given["encoding"] == "BASE64" else given["data"]
                yield [float(cell) for cell in data.split(",")]


def largest(base: Sequence[Sequence[float]], seen: Sequence[Sequence[float]]) -> float | None:
    """None of too few."""
    if len(seen) < _LEAST:
        return None
    before, now = np.array(base), np.array(seen)
    found = []
    for place in range(before.shape[1]):
        edges = np.quantile(before[:, place], np.linspace(0.1, 0.9, 9))
        old, new = (
            (np.bincount(np.searchsorted(edges, rows[:, place]), minlength=10) + 0.5) / (len(rows) + 5)
            for rows in (before, now)
        )
        found.append(float(np.sum((new - old) * np.log(new / old))))
    return max(found)


def publish(account: Account, value: float) -> None:
    dimensions = [{"Name": "Endpoint", "Value": "tumours"}]
    account.client("cloudwatch").put_metric_data(
        Namespace="Tumours", MetricData=[{"MetricName": "Drift", "Dimensions": dimensions, "Value": value}]
    )


def rows(file: Path) -> list[list[float]]:
    """Without the label."""
    return [[float(cell) for cell in line.split(",")[:-1]] for line in file.read_text().splitlines()]
