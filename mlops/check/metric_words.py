"""Which way metrics are better, by the words of their names: what several rules hold against a search or a choice."""

from __future__ import annotations

import re

_SMALL = frozenset(
    {"rmse", "mse", "mae", "mape", "rmsle", "loss", "logloss", "mlogloss", "error", "merror", "perplexity"}
)
_LARGE = frozenset({"accuracy", "acc", "auc", "aucpr", "f1", "precision", "recall", "r2", "ndcg", "bleu"})
_NEGATED = frozenset({"neg", "negative", "minus", "inverse", "one"})


def better(name: str) -> str | None:
    """smaller or larger; None where the name does not say it, or says that it is negated.

    >>> better("validation:rmse"), better("regression_metrics.mse.value"), better("neg_mse"), better("depth")
    ('smaller', 'smaller', None, None)
    """
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    small, large = bool(words & _SMALL), bool(words & _LARGE)
    if small == large or words & _NEGATED:
        return None
    return "smaller" if small else "larger"
