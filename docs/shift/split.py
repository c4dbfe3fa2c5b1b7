"""Whether a share of requests is what chance makes of a share that was wanted."""

from __future__ import annotations

import math

CONFIDENCE = 0.999


def interval(count: int, share: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Of ``count`` independent draws with the chance ``share``: the successes that lie between, both tails left out.

    >>> interval(1000, 0.05), interval(1000, 1.0)
    ((29, 74), (1000, 1000))
    """
    if share in (0.0, 1.0):
        return round(count * share), round(count * share)
    tail, low, below = (1 - confidence) / 2, 0, 0.0
    for successes in range(count + 1):
        chance = _chance(count, successes, share)
        if below <= tail:
            low = successes
        below += chance
        if below >= 1 - tail:
            return low, successes
    return low, count


def _chance(count: int, successes: int, share: float) -> float:
    ways = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
    return math.exp(ways + successes * math.log(share) + (count - successes) * math.log1p(-share))
