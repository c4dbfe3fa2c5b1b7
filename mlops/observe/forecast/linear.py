"""Least squares, by which a model's numbers are in the metric's own units and have standard errors."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from mlops.ir.dataclass import dataclass
from mlops.observe.forecast.series import Numbers


@dataclass(frozen=True, slots=True)
class Line:
    """``coefficients`` with their ``errors`` (standard errors that allow for residuals which follow each other), the
    ``spread`` of residuals, and ``following``: their correlation with the residual before."""

    coefficients: Numbers
    errors: Numbers
    covariance: Numbers
    spread: float
    following: float
    left: int
    """Degrees of freedom that residuals have."""


def solve(columns: Numbers, values: Numbers, *, ridge: float = 0.0, weights: Numbers | None = None) -> Numbers:
    """``ridge`` holds coefficients of columns of spread 1 towards 0, but for the first column, the level.

    A direction that the data do not tell apart gets the shortest answer, as by a pseudo-inverse.
    """
    scale = columns.std(axis=0)
    middle = np.where(scale > 0, columns.mean(axis=0), 0.0)
    scale = np.where(scale > 0, scale, 1.0)
    made = (columns - middle) / scale
    weighed = made.T if weights is None else made.T * weights
    normal = weighed @ made
    normal[np.arange(1, len(normal)), np.arange(1, len(normal))] += ridge
    answer: Numbers = np.linalg.lstsq(normal, weighed @ values, rcond=None)[0]
    unscaled: Numbers = answer / scale
    unscaled[0] -= float((unscaled * middle)[1:].sum())
    return unscaled


def robustly(columns: Numbers, values: Numbers, *, ridge: float = 0.0, rounds: int = 20) -> Numbers:
    """As :func:`solve`, whatever a few values do: Huber's weights, found by repetition (Huber, Robust Estimation of a
    Location Parameter, 1964; the constant 1.345 keeps 95 % of the precision on normal residuals)."""
    weights = np.ones(len(values))
    coefficients = solve(columns, values, ridge=ridge)
    for _ in range(rounds):
        residuals = np.abs(values - columns @ coefficients)
        spread = 1.4826 * float(np.median(residuals))
        if spread <= 1e-12 * (1.0 + float(np.abs(values).max())):
            break
        weights = np.minimum(1.0, 1.345 * spread / np.maximum(residuals, 1e-300))
        before, coefficients = coefficients, solve(columns, values, ridge=ridge, weights=weights)
        if np.allclose(before, coefficients, rtol=1e-8, atol=1e-12):
            break
    return coefficients


def measured(columns: Numbers, values: Numbers, coefficients: Numbers, positions: Numbers) -> Line:
    """What is known of coefficients that were found: their errors by Newey and West (1987), with their lag of
    4 (n/100)^(2/9)."""
    residuals = values - columns @ coefficients
    count, width = columns.shape
    left = max(1, count - width)
    bread = np.linalg.pinv(columns.T @ columns)
    scores = columns * residuals[:, None]
    meat = scores.T @ scores
    longest = int(4 * (count / 100) ** (2 / 9))
    gaps = np.diff(positions)
    for lag in range(1, min(longest, count - 1) + 1):
        share = 1 - lag / (longest + 1)
        product = scores[lag:].T @ scores[:-lag]
        meat += share * (product + product.T)
    covariance: Numbers = bread @ meat @ bread * (count / left)
    neighbours = gaps == 1
    total = float(residuals @ residuals)
    product = float((residuals[1:] * residuals[:-1])[neighbours].sum())
    following = product / total if total > 0 else 0.0
    return Line(
        coefficients,
        np.sqrt(np.maximum(np.diag(covariance), 0.0)),
        covariance,
        float(np.sqrt(total / left)),
        float(np.clip(following, -0.99, 0.99)),
        left,
    )


def quantile(share: float, left: int) -> float:
    """Of Student's t: Hill's expansion of the normal quantile (Algorithm 396, 1970, first terms).

    >>> round(quantile(0.975, 10), 2), round(quantile(0.975, 1000), 3)
    (2.23, 1.962)
    """
    z = NormalDist().inv_cdf(share)
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + g1 / left + g2 / left**2 + g3 / left**3
