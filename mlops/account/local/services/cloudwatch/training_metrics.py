"""Metrics of training jobs: what their logs have of them, as the service reads it from there.

A log knows no time per line, so the values lie evenly between the job's start and its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State
from mlops.run.log import all_values, compiled_metrics
from mlops.run.outcome import StepFailed

NAMESPACE = "/aws/sagemaker/TrainingJobs"
_KIND, _DIMENSION = "TrainingJob", "TrainingJobName"


def values(
    state: State, name: str, dimensions: Mapping[str, str], start: float, end: float
) -> Iterator[tuple[float, float]]:
    """Times in seconds since 1970 and values, from ``start`` to before ``end``."""
    if set(dimensions) != {_DIMENSION}:
        return
    job = dimensions[_DIMENSION]
    body = resources.find(state, _KIND, job)
    log = _log(state, job)
    if body is None or log is None:
        return
    try:
        pattern = compiled_metrics((body.get("AlgorithmSpecification") or {}).get("MetricDefinitions")).get(name)
    except StepFailed:
        return
    found = [*all_values(pattern, log)] if pattern is not None else []
    began, ended = _time(body.get("TrainingStartTime")), _time(body.get("TrainingEndTime"))
    for number, value in enumerate(found):
        at = began + (ended - began) * number / len(found)
        if start <= at < end:
            yield at, value


def _log(state: State, job: str) -> Path | None:
    row = state.store.one("SELECT log FROM job WHERE kind = ? AND name = ? AND log IS NOT NULL", _KIND, job)
    row = row or state.store.one("SELECT log FROM step WHERE job = ? AND log IS NOT NULL", f"{_KIND}/{job}")
    return None if row is None else Path(row["log"])


def _time(text: Any) -> float:
    moment = datetime.fromisoformat(text) if text else datetime.now(UTC)
    return moment.timestamp()
