"""What the numeric algorithms are given: hyperparameters by what is known of them, channels as rows of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.knowledge.algorithms import algorithm
from mlops.run.algorithms.content_types import parsed
from mlops.run.algorithms.job import TrainingJob, UserFault
from mlops.run.algorithms.recordio import Tensor, records

CSV, RECORDIO = "text/csv", "application/x-recordio-protobuf"


@dataclass(frozen=True, slots=True)
class Rows:
    """``labels`` is None where there are none."""

    features: Any
    labels: Any = None

    @property
    def without_number(self) -> int | None:
        """The first row, counted from 1, that holds nan or something infinite."""
        wrong = ~np.isfinite(self.features).all(axis=1)
        if self.labels is not None:
            wrong |= ~np.isfinite(self.labels)
        return int(wrong.argmax()) + 1 if wrong.any() else None


def hyperparameters(job: TrainingJob, name: str) -> dict[str, Any]:
    """Numbers where they are numbers; words such as ``auto`` stay. Raises :class:`UserFault`."""
    known = algorithm(name)
    if known is None:
        raise RuntimeError(f"what is known of {name} is missing")
    given = {key: text.strip().strip('"') for key, text in job.hyperparameters.items() if not key.startswith("_")}
    values: dict[str, Any] = {}
    for one in known.hyperparameters.values():
        text = given.get(one.name)
        if text is None:
            if one.required:
                raise UserFault(f"No value(s) were specified for '{one.name}' which are required hyperparameter(s)")
            continue
        if not one.takes(job.hyperparameters[one.name]):
            raise UserFault(f"{one.name} is {text}, {one.wanted} is wanted")
        is_number = one.kind in ("integer", "number") and text not in one.alternatives
        values[one.name] = (int(float(text)) if one.kind == "integer" else float(text)) if is_number else text
    for condition in known.required_if:
        missing = [key for key in condition.names if key not in values]
        if missing and condition.holds(given):
            raise UserFault(f"{' and '.join(condition.when)} needs {' and '.join(missing)}")
    for narrowing in known.narrowed:
        for key in narrowing.condition.names:
            word = narrowing.refused(given[key]) if key in given and narrowing.condition.holds(given) else None
            if word is not None:
                told = " and ".join(f"{name} {given[name]}" for name in narrowing.condition.when)
                raise UserFault(f"{key} {word} is not allowed with {told}")
    if unknown := sorted(given.keys() - known.hyperparameters.keys()):
        raise UserFault(f"Additional hyperparameters are not allowed: {', '.join(unknown)}")
    return values


def is_true(value: Any) -> bool:
    return str(value).lower() in ("true", "1")


def training_rows(job: TrainingJob, width: Any = None, *, labelled: bool = False) -> Rows:
    """Raises :class:`UserFault`."""
    found = rows(job, "train", width, labelled=labelled)
    if found is None:
        raise UserFault("channel train is missing")
    return found


def rows(job: TrainingJob, channel: str, width: Any = None, *, labelled: bool = False) -> Rows | None:
    """None where there is no such channel. ``width`` is how many features there are to be; ``labelled``: each row is to
    have a label. Raises :class:`UserFault`."""
    if channel not in job.channels:
        return None
    kind, parameters = parsed(job.channels[channel].get("ContentType") or RECORDIO)
    try:
        size = int(parameters.get("label_size", 1))
        match kind:
            case "text/csv":
                parts = [csv_rows(content.decode("utf-8"), size) for content in _contents(job, channel)]
            case "application/x-recordio-protobuf":
                parts = [record_rows(content) for content in _contents(job, channel)]
            case _:
                raise UserFault(f"channel {channel}: {kind} is not read; use {RECORDIO} or {CSV}")
    except ValueError as fault:
        raise UserFault(f"channel {channel} is no {kind}: {fault}") from fault
    parts = [part for part in parts if len(part.features)]
    if not parts:
        raise UserFault(f"channel {channel} holds no rows")
    found = _joined(parts, channel)
    if isinstance(width, int) and found.features.shape[1] != width:
        hint = "; in CSV the content type says how many columns are labels, e.g. text/csv;label_size=0"
        told = f"feature_dim is {width}, but rows of channel {channel} have {found.features.shape[1]} features"
        raise UserFault(told + (hint if kind == CSV else ""))
    if labelled and found.labels is None:
        raise UserFault(f"rows of channel {channel} have no labels")
    if (row := found.without_number) is not None:
        raise UserFault(f"row {row} of channel {channel} has a value that is no finite number")
    return found


def csv_rows(text: str, labels: int) -> Rows:
    """The first columns are labels. Raises ValueError."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return Rows(np.empty((0, 0)))
    table = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    return Rows(table[:, labels:], table[:, 0] if labels else None)


def record_rows(data: bytes) -> Rows:
    """Raises ValueError."""
    tensors: list[Tensor] = []
    labels: list[float] = []
    for record in records(data):
        features = record.features.get("values")
        if features is None:
            raise ValueError("a record has no features called values")
        tensors.append(features)
        label = record.label.get("values")
        if label is not None and len(label.values):
            labels.append(float(label.values[0]))
    return Rows(dense(tensors), np.array(labels) if labels and len(labels) == len(tensors) else None)


def dense(tensors: list[Tensor]) -> Any:
    """Raises ValueError where they are not equally long, or a key lies outside."""
    if all(tensor.keys is None for tensor in tensors):
        return np.array([tensor.values for tensor in tensors], dtype=float) if tensors else np.empty((0, 0))
    width = max(int(tensor.shape[0]) if tensor.shape else int(max(tensor.keys, default=-1)) + 1 for tensor in tensors)
    table = np.zeros((len(tensors), width))
    for row, tensor in zip(table, tensors, strict=True):
        if tensor.keys is not None and len(tensor.keys) and not 0 <= tensor.keys.min() <= tensor.keys.max() < width:
            raise ValueError(f"a key is outside of a row's {width} values")
        row[tensor.keys if tensor.keys is not None else slice(None)] = tensor.values
    return table


def _joined(parts: list[Rows], channel: str) -> Rows:
    widths = {part.features.shape[1] for part in parts}
    if len(widths) > 1:
        raise UserFault(f"files of channel {channel} have rows of {', '.join(map(str, sorted(widths)))} features")
    has_labels = all(part.labels is not None for part in parts)
    labels = np.concatenate([part.labels for part in parts]) if has_labels else None
    return Rows(np.vstack([part.features for part in parts]), labels)


def _contents(job: TrainingJob, channel: str) -> Iterator[bytes]:
    folder = job.base / "input" / "data" / channel
    if job.channels[channel]["TrainingInputMode"] == "Pipe":
        yield folder.with_name(f"{channel}_0").read_bytes()
        return
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.read_bytes()
