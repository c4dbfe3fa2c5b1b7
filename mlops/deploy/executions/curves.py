"""Metrics of an execution's training jobs, value by value, while they print them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.executions.following import StepState
from mlops.deploy.executions.log_following import Printed
from mlops.ir.dataclass import dataclass
from mlops.run.log import compiled_metrics, numbers_in
from mlops.run.outcome import StepFailed

_TRAINING = "TrainingJob"


@dataclass(frozen=True, slots=True)
class Measured:
    """``number`` counts the values of a step's metric from 1. The value may be nan or infinite."""

    step: str
    metric: str
    number: int
    value: float


class Curves:
    """Reads on where it was. Of several hosts the first one's log counts, as the service counts."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._printed = Printed(account)
        self._patterns: dict[str, Mapping[str, re.Pattern[str]]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def since(self, step: StepState) -> Iterator[Measured]:
        """Values that were not given before; none of a step that is no training."""
        patterns = self._patterns_of(step)
        for line in self._printed.since(step, first_host=True) if patterns else ():
            for metric, pattern in patterns.items():
                for value in numbers_in(pattern, line, finite=False):
                    number = self._counts[step.name, metric] = self._counts.get((step.name, metric), 0) + 1
                    yield Measured(step.name, metric, number, value)

    def _patterns_of(self, step: StepState) -> Mapping[str, re.Pattern[str]]:
        job = step.job
        if job is None or step.job_kind is None or step.job_kind.name != _TRAINING:
            return {}
        if job not in self._patterns:
            client = self._account.client("sagemaker")
            with answers():
                told = unless_missing(lambda: client.describe_training_job(TrainingJobName=job))
            if told is None:
                return {}
            try:
                self._patterns[job] = compiled_metrics(told["AlgorithmSpecification"].get("MetricDefinitions"))
            except StepFailed:  # the job has told of it
                self._patterns[job] = {}
        return self._patterns[job]
