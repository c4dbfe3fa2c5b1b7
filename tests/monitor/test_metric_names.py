"""The names of metrics that the check knows are those of the program that measures them."""

from __future__ import annotations

import numpy as np
import pytest

from mlops.knowledge.monitor_metrics import BIAS, QUALITY
from mlops.monitor.bias import POST_TRAINING, PRE_TRAINING
from mlops.monitor.model_quality import _Many, _Numbers, _Two

TRUTH, SCORES = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.2])


def test_of_bias() -> None:
    assert {*PRE_TRAINING, *POST_TRAINING} == BIAS


@pytest.mark.parametrize(
    ("problem", "measured"),
    [
        ("Regression", _Numbers(TRUTH, SCORES)),
        ("BinaryClassification", _Two(("no", "yes"), TRUTH, TRUTH, SCORES)),
        ("MulticlassClassification", _Many(("no", "yes"), TRUTH, TRUTH, None)),
    ],
)
def test_of_quality(problem: str, measured: _Numbers | _Two | _Many) -> None:
    assert set(measured.metrics(None)) == QUALITY[problem]
