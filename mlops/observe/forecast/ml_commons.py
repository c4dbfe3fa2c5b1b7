"""The same least squares by OpenSearch's ML Commons (LINEAR_REGRESSION, Tribuo's stochastic gradient descent).

It does not standardise, has no penalty, ignores parameters that it does not know, and takes the whole table anew for
each row of it: so columns and target are standardised here, its parameters are all sent and spelled as the server reads
them, and rows are counted. What it learned is read back by asking it for predictions at the corners: the coefficients
in the metric's units, like those that are found here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlops.ir import AccountError, UsageError
from mlops.observe.forecast.series import Numbers
from mlops.observe.search.asking import Ask, understood

MOST_ROWS = 1000
"""Training takes the square of them."""
PARAMETERS: Mapping[str, Any] = {
    "objective": "SQUARED_LOSS",
    "optimiser": "LINEAR_DECAY_SGD",
    "learning_rate": 0.02,
    "momentum_type": "STANDARD",
    "momentum_factor": 0.0,
    "epochs": 200,
    "batch_size": 8,
    "seed": 42,
}
"""``optimiser`` is the server's spelling: of ``optimizer`` it would say nothing and take its own default."""
_TARGET = "y"


class MlCommons:
    """Finds coefficients there. ``ask`` is :func:`~mlops.observe.search.asking.asking`'s."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(self, columns: Numbers, values: Numbers, *, ridge: float = 0.0) -> Numbers:
        """
        Raises:
            UsageError: a ridge, or too many rows.
            AccountError: what it learned is no number, or it does not answer.
        """
        if ridge:
            raise UsageError(
                "ML Commons has no penalty: it would ignore the ridge without a word", hint="leave it out, or fit here"
            )
        if len(values) > MOST_ROWS:
            raise UsageError(
                f"{len(values)} values are too many for ML Commons, which takes the whole table anew for each",
                hint=f"take values further apart (--every), or look back for less: {MOST_ROWS} are the most",
            )
        middle, scale = columns[:, 1:].mean(axis=0), columns[:, 1:].std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        level, spread = float(values.mean()), float(values.std()) or 1.0
        standard = (columns[:, 1:] - middle) / scale
        if standard.shape[1] == 0:
            return np.array([level])
        names = [f"x{i}" for i in range(standard.shape[1])]
        table = _table([*names, _TARGET], np.column_stack([standard, (values - level) / spread]))
        parameters = {**PARAMETERS, "target": _TARGET}
        trained = self._ask(
            "POST", "/_plugins/_ml/_train/LINEAR_REGRESSION", {"parameters": parameters, "input_data": table}
        )
        model = str(trained["model_id"])
        try:
            corners = np.vstack([np.zeros(len(names)), np.eye(len(names))])
            answer = self._ask(
                "POST",
                f"/_plugins/_ml/_predict/LINEAR_REGRESSION/{model}",
                {"parameters": parameters, "input_data": _table(names, corners)},
            )
        finally:
            self._ask("DELETE", f"/_plugins/_ml/models/{model}", None)
        with understood("POST /_plugins/_ml/_predict"):
            rows = answer["prediction_result"]["rows"]
            found = np.array([float(row["values"][0]["value"]) for row in rows])
        if not np.isfinite(found).all():
            raise AccountError(
                "what ML Commons learned is no number: its descent went astray", hint="fit here, or take fewer seasons"
            )
        coefficients = np.empty(columns.shape[1])
        coefficients[1:] = (found[1:] - found[0]) * spread / scale
        coefficients[0] = level + found[0] * spread - float(coefficients[1:] @ middle)
        return coefficients


def _table(names: list[str], rows: Numbers) -> Mapping[str, Any]:
    return {
        "column_metas": [{"name": name, "column_type": "DOUBLE"} for name in names],
        "rows": [{"values": [{"column_type": "DOUBLE", "value": float(value)} for value in row]} for row in rows],
    }
