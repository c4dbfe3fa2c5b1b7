"""Were the requests shared as was asked? A mismatch means that somebody else chooses, that one side loses requests, or
that the counts are wrong; no comparison is worth anything then.

The marginal likelihood of the counts under a Dirichlet prior around the asked shares, over their likelihood at the
asked shares themselves (M. Lindon, A. Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

CONCENTRATION = 100.0
"""Of the prior: shares that are off by some hundredths are found soonest."""


def log_mismatch(counts: Mapping[str, int], asked: Mapping[str, float]) -> float:
    """The log wealth of whoever bets that requests are not shared as ``asked``; ``counts`` are of all requests since
    these shares hold. Infinite where somebody answered who was to have nothing.

    >>> log_mismatch({"new": 100, "old": 900}, {"new": 10, "old": 90}) < 0
    True
    >>> log_mismatch({"new": 200, "old": 800}, {"new": 10, "old": 90}) > math.log(1e6)
    True
    """
    whole = sum(asked.values())
    shares = {name: share / whole for name, share in asked.items()}
    if any(count and not shares.get(name) for name, count in counts.items()):
        return math.inf
    served = {name: counts.get(name, 0) for name, share in shares.items() if share > 0}
    prior = {name: CONCENTRATION * shares[name] for name in served}
    log = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + sum(served.values()))
    for name, count in served.items():
        log += math.lgamma(prior[name] + count) - math.lgamma(prior[name]) - count * math.log(shares[name])
    return log


def log_mismatch_of(stages: Sequence[tuple[Mapping[str, int], Mapping[str, float]]]) -> float:
    """Over stages with shares of their own: bets after one another multiply."""
    return sum(log_mismatch(counts, asked) for counts, asked in stages)
