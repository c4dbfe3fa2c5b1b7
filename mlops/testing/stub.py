"""What stands for a step that is not to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Stub:
    """``outputs`` are files or folders by the names of a Processing step's outputs, ``model`` for a Training or Tuning
    step and ``output`` for a Transform; a folder as ``model`` is packed. Of a Lambda or Callback step they are the
    values that it declares. ``metrics`` are values of a Training step's metrics. ``values`` is what else other steps
    read, by the path that they read, e.g. ``{"BestTrainingJob.TrainingJobName": "best"}``, of any type of step; of a
    Condition the branch that it takes, ``{"Outcome": "True"}``.
    """

    outputs: Mapping[str, Path | str | int | float | bool] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, str | int | float | bool] = field(default_factory=dict)
