"""How likely a statistic as large as that is where nothing has changed, of the distributions that tests need."""

from __future__ import annotations

import math
from collections.abc import Callable


def of_kolmogorov(distance: float, size: float) -> float:
    """Of the greatest difference of two distribution functions; ``size`` is nm/(n+m). Stephens's correction (1970, as
    in Press et al., Numerical Recipes) makes the limit good for small samples. Ties only make it cautious.

    >>> round(of_kolmogorov(0.0608, 1000), 4)
    0.0012
    """
    root = math.sqrt(size)
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:
        return 1.0
    terms = (math.exp(-2 * (step * scaled) ** 2) * (1 if step % 2 else -1) for step in range(1, 101))
    return min(1.0, max(0.0, 2 * math.fsum(terms)))


def of_chi_squared(value: float, freedom: int) -> float:
    """
    >>> round(of_chi_squared(3.841459, 1), 4)
    0.05
    """
    return upper_gamma(freedom / 2, value / 2)


def of_f(value: float, above: float, below: float) -> float:
    """Of the F distribution, by the continued fraction of the incomplete beta function (Press et al.).

    >>> round(of_f(2.53, 5, 20), 3), round(of_f(1.0, 1, 1), 3)
    (0.063, 0.5)
    """
    if value <= 0:
        return 1.0
    place = below / (below + above * value)
    first, second = below / 2, above / 2
    front = math.exp(
        math.lgamma(first + second)
        - math.lgamma(first)
        - math.lgamma(second)
        + first * math.log(place)
        + second * math.log1p(-place)
        if place < 1
        else -math.inf
    )
    if place < (first + 1) / (first + second + 2):
        return front * _fraction(place, first, second) / first
    return 1 - front * _fraction(1 - place, second, first) / second


def _fraction(place: float, first: float, second: float) -> float:
    """Lentz's."""
    tiny = 1e-300
    ratio = 1.0
    inverse = 1 / (1 - (first + second) * place / (first + 1) or tiny)
    total = inverse
    for step in range(1, 10_000):
        twice = first + 2 * step
        for weight in (
            step * (second - step) * place / ((twice - 1) * twice),
            -(first + step) * (first + second + step) * place / (twice * (twice + 1)),
        ):
            inverse = 1 / (1 + weight * inverse or tiny)
            ratio = 1 + weight / ratio or tiny
            change = inverse * ratio
            total *= change
        if abs(change - 1) < 1e-14:
            break
    return total


def of_normal(value: float) -> float:
    """On both sides.

    >>> round(of_normal(1.959964), 4)
    0.05
    """
    return math.erfc(abs(value) / math.sqrt(2))


def of_two_shares(first: int, of_first: int, second: int, of_second: int) -> float:
    """Of two counts out of two sizes with one share: chi-squared, or where that is too rare for it Fisher's exact test,
    whose smaller side counts twice.

    >>> round(of_two_shares(30, 100, 50, 100), 4), round(of_two_shares(0, 10, 4, 10), 4)
    (0.0039, 0.0867)
    """
    hits, whole = first + second, of_first + of_second
    least = min(of_first, of_second) * min(hits, whole - hits) / whole
    if least >= 5:
        share = hits / whole
        variance = share * (1 - share) * (1 / of_first + 1 / of_second)
        return of_normal((first / of_first - second / of_second) / math.sqrt(variance))
    low, high = max(0, hits - of_second), min(hits, of_first)

    def chance(count: int) -> float:
        return math.exp(_choose(of_first, count) + _choose(of_second, hits - count) - _choose(whole, hits))

    # The rarer of hits and misses has few, so that either sum is short.
    below = math.fsum(map(chance, range(low, first + 1))) if first - low <= high - first else None
    above = math.fsum(map(chance, range(first, high + 1))) if below is None else 1 - below + chance(first)
    if below is None:
        below = 1 - above + chance(first)
    return min(1.0, 2 * max(0.0, min(below, above)))


def _choose(many: int, few: int) -> float:
    return math.lgamma(many + 1) - math.lgamma(few + 1) - math.lgamma(many - few + 1)


def upper_gamma(shape: float, value: float) -> float:
    """The regularised upper incomplete gamma function: a series where that converges fast, or a continued fraction."""
    if value <= 0:
        return 1.0
    factor = math.exp(shape * math.log(value) - value - math.lgamma(shape))
    if value < shape + 1:
        term = total = 1 / shape
        for step in range(1, 1000):
            term *= value / (shape + step)
            total += term
            if term < total * 1e-16:
                break
        return max(0.0, 1 - factor * total)
    below = value + 1 - shape
    ratio, fraction = math.inf, 1 / below
    total = fraction
    for step in range(1, 1000):
        weight = -step * (step - shape)
        below += 2
        fraction = 1 / (weight * fraction + below)
        ratio = below + weight / ratio
        total *= ratio * fraction
        if abs(ratio * fraction - 1) < 1e-16:
            break
    return factor * total


def detectable(tail: Callable[[float], float], level: float, most: float) -> float:
    """The smallest value whose tail is no more than ``level``; ``most`` where there is none below it."""
    low, high = 0.0, most
    if tail(high) > level:
        return most
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if tail(middle) <= level else (middle, high)
    return high
