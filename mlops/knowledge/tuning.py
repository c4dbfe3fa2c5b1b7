"""What tuning jobs are known by, to checking and to running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""From which of the static hyperparameters the service takes MaxResource (HyperbandStrategyConfig API)."""

MOST_JOBS: Mapping[str, int] = {"Bayesian": 750, "Hyperband": 750, "Grid": 750, "Random": 10_000}
"""By strategy (AWS docs: automatic-model-tuning-limits)."""


def max_resource(config: Mapping[str, Any], static: Mapping[str, Any]) -> int | None:
    """``config`` is HyperbandStrategyConfig, ``static`` StaticHyperParameters, both evaluated; None where neither
    tells.

    >>> max_resource({"MaxResource": 27}, {}), max_resource({}, {"n_epochs": '"9"'}), max_resource({}, {"rounds": "9"})
    (27, 9, None)
    """
    given = [config.get("MaxResource"), *(static.get(name) for name in EPOCHS)]
    for value in given:
        text = str(value if value is not None else "").strip('"')
        if text.isdigit() and int(text) > 0:
            return int(text)
    return None
