"""Clarify's metrics of bias, before and after training.

Each is a function of who is in the sensitive facet, whose label is positive and, after training, whose prediction is.
``d`` is the facet, ``a`` are all others, as in the developer guide (clarify-measure-data-bias,
clarify-measure-post-training-bias). A share of nothing is 0, a number over nothing infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mlops.monitor.cells import Array

_NEIGHBOURS, _FEW = 5, 9
_BLOCK = 256


class Undefined(ValueError):
    """The metric cannot be computed of these data; Clarify writes the reason in its place."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Truth values by row. ``features`` are columns of a matrix, None where one of them is no number; ``group`` is the
    column of the conditional metrics."""

    facet: Array
    positive: Array
    predicted: Array | None = None
    group: Array | None = None
    features: Array | None = None


Metric: TypeAlias = Callable[[Rows], float]


def _both(rows: Rows) -> tuple[Array, Array]:
    """Who is not in the facet, and who is; both are somebody."""
    if not rows.facet.any():
        raise Undefined("Facet set is empty")
    if rows.facet.all():
        raise Undefined("Negated Facet set is empty")
    return ~rows.facet, rows.facet


def _ratio(above: float, below: float) -> float:
    if below == 0:
        return 0.0 if above == 0 else math.copysign(math.inf, above)
    return above / below


def _less(first: float, second: float) -> float:
    """Two infinities are equal."""
    return 0.0 if first == second else first - second


def _share(members: Array, group: Array) -> float:
    return float((members & group).sum()) / float(group.sum())


def _ci(rows: Rows) -> float:
    others, facet = _both(rows)
    return float((int(others.sum()) - int(facet.sum())) / len(facet))


def _difference(rows: Rows, chosen: Array) -> float:
    others, facet = _both(rows)
    return _share(chosen, others) - _share(chosen, facet)


def _distributions(rows: Rows) -> tuple[Array, Array]:
    """Shares of the labels, of those that both groups have."""
    others, facet = _both(rows)
    first, second = (
        np.array([_share(~rows.positive, group), _share(rows.positive, group)]) for group in (others, facet)
    )
    common = (first > 0) & (second > 0)
    if not common.any():
        raise Undefined("No instance of common facet found, dataset may be too small")
    return first[common], second[common]


def _kl(rows: Rows) -> float:
    others, facet = _distributions(rows)
    return float((others * np.log(others / facet)).sum())


def _js(rows: Rows) -> float:
    others, facet = _distributions(rows)
    mean = (others + facet) / 2
    return float((others * np.log(others / mean)).sum() + (facet * np.log(facet / mean)).sum()) / 2


def _norm(order: float) -> Metric:
    def norm(rows: Rows) -> float:
        others, facet = _distributions(rows)
        return float(np.linalg.norm(others - facet, order))

    return norm


def _conditional(rows: Rows, chosen: Array) -> float:
    """The disparity within each group, by its size."""
    if rows.group is None or not len(rows.group):
        raise Undefined("Group variable is empty or not provided")
    if not chosen.any():
        raise Undefined("No positive labels in set")
    if chosen.all():
        raise Undefined("No negative labels in set")
    names, position = np.unique(rows.group.astype(str), return_inverse=True)
    many = len(names)

    def counted(members: Array) -> Array:
        return np.bincount(position[members], minlength=many).astype(float)

    def share(members: Array) -> Array:
        below = counted(members)
        return np.divide(counted(members & rows.facet), below, out=np.zeros(many), where=below != 0)

    sizes = np.bincount(position, minlength=many)
    return float((sizes * (share(~chosen) - share(chosen))).sum() / sizes.sum())


def _said(rows: Rows) -> Array:
    if rows.predicted is None:
        raise Undefined("there are no predicted labels")
    return rows.predicted


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of one group: right and wrong positives, right and wrong negatives."""

    tp: float
    fp: float
    tn: float
    fn: float


def _counts(rows: Rows) -> tuple[_Counts, _Counts]:
    """Of the others, and of the facet."""
    said, true = _said(rows), rows.positive

    def of(group: Array) -> _Counts:
        chosen = (true & said, ~true & said, ~true & ~said, true & ~said)
        return _Counts(*(float((members & group).sum()) for members in chosen))

    others, facet = _both(rows)
    return of(others), of(facet)


def _compared(rate: Callable[[_Counts], float], *, facet_first: bool) -> Metric:
    """How much more it is of the others, or with ``facet_first`` of the facet."""

    def metric(rows: Rows) -> float:
        others, facet = map(rate, _counts(rows))
        return _less(facet, others) if facet_first else _less(others, facet)

    return metric


def _di(rows: Rows) -> float:
    others, facet = _both(rows)
    return _ratio(_share(_said(rows), facet), _share(_said(rows), others))


def _flip_test(rows: Rows) -> float:
    """What the nearest others are told, in place of what somebody of the facet is told."""
    others, facet = _both(rows)
    if rows.features is None:
        raise Undefined("FlipTest does not support non-numeric columns")
    known, told, asked = rows.features[others], _said(rows)[others], rows.features[facet]
    neighbours = _NEIGHBOURS if len(known) > _FEW else 1
    if np.isnan(known).any() or np.isnan(asked).any():
        raise Undefined("FlipTest does not support missing values")
    squares = (known**2).sum(axis=1)
    expected: Array = np.empty(len(asked), dtype=bool)
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK]
        distances = squares - 2 * block @ known.T
        nearest = np.argpartition(distances, neighbours - 1, axis=1)[:, :neighbours]
        expected[start : start + _BLOCK] = told[nearest].mean(axis=1) > 0.5
    said = _said(rows)[facet]
    return float((said & ~expected).sum() - (~said & expected).sum()) / len(said)


def _entropy(rows: Rows) -> float:
    """Generalised entropy of the benefits, with alpha 2."""
    benefits = _said(rows).astype(float) - rows.positive.astype(float) + 1
    if benefits.mean() == 0:
        raise Undefined(
            "All predicted labels are false negatives. There should be at least one prediction that is not false "
            "negative."
        )
    return float((((benefits / benefits.mean()) ** 2 - 1).sum()) / (2 * len(benefits)))


PRE_TRAINING: Mapping[str, tuple[str, Metric]] = {
    "CDDL": ("Conditional Demographic Disparity in Labels (CDDL)", lambda rows: _conditional(rows, rows.positive)),
    "CI": ("Class Imbalance (CI)", _ci),
    "DPL": ("Difference in Positive Proportions in Labels (DPL)", lambda rows: _difference(rows, rows.positive)),
    "JS": ("Jensen-Shannon Divergence (JS)", _js),
    "KL": ("Kullback-Liebler Divergence (KL)", _kl),
    "KS": ("Kolmogorov-Smirnov Distance (KS)", _norm(math.inf)),
    "LP": ("L-p Norm (LP)", _norm(2)),
    "TVD": ("Total Variation Distance (TVD)", lambda rows: _norm(1)(rows) / 2),
}
"""By name: Clarify's description, and the metric."""

POST_TRAINING: Mapping[str, tuple[str, Metric]] = {
    "AD": (
        "Accuracy Difference (AD)",
        _compared(lambda of: _ratio(of.tp + of.tn, of.tp + of.fp + of.tn + of.fn), facet_first=False),
    ),
    "CDDPL": (
        "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
        lambda rows: _conditional(rows, _said(rows)),
    ),
    "DAR": (
        "Difference in Acceptance Rates (DAR)",
        _compared(lambda of: _ratio(of.tp, of.tp + of.fp), facet_first=False),
    ),
    "DCA": (
        "Difference in Conditional Acceptance (DCA)",
        _compared(lambda of: _ratio(of.tp + of.fn, of.tp + of.fp), facet_first=False),
    ),
    "DCR": (
        "Difference in Conditional Rejection (DCR)",
        _compared(lambda of: _ratio(of.tn + of.fp, of.tn + of.fn), facet_first=True),
    ),
    "DI": ("Disparate Impact (DI)", _di),
    "DPPL": (
        "Difference in Positive Proportions in Predicted Labels (DPPL)",
        lambda rows: _difference(rows, _said(rows)),
    ),
    "DRR": (
        "Difference in Rejection Rates (DRR)",
        _compared(lambda of: _ratio(of.tn, of.tn + of.fn), facet_first=True),
    ),
    "FT": ("Flip Test (FT)", _flip_test),
    "GE": ("Generalized Entropy (GE)", _entropy),
    "RD": ("Recall Difference (RD)", _compared(lambda of: _ratio(of.tp, of.tp + of.fn), facet_first=False)),
    "SD": ("Specificity Difference (SD)", _compared(lambda of: _ratio(of.tn, of.tn + of.fp), facet_first=True)),
    "TE": ("Treatment Equality (TE)", _compared(lambda of: _ratio(of.fn, of.fp), facet_first=True)),
}


def measured(metrics: Mapping[str, tuple[str, Metric]], names: Any, rows: Rows) -> list[dict[str, Any]]:
    """``names`` is "all" or a list of some. Names that there are not are left to whoever reads the configuration."""
    told: list[dict[str, Any]] = []
    for name, (description, metric) in metrics.items():
        if names != "all" and name not in names:
            continue
        try:
            told.append({"name": name, "description": description, "value": metric(rows)})
        except Undefined as reason:
            told.append({"name": name, "description": description, "value": None, "error": str(reason)})
    return told
