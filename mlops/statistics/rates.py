"""Is the new version worse by more than a factor, in something that a request does or does not: fail, be slow, be
declined?

Of all requests of a look that did it, the share that the new version answered is compared with the share that it would
have were it as good as the old one. How often both do it drops out, so a rate that drifts, a burst that hits both and a
service that is bad for everybody are no evidence. That holds as requests are assigned without regard to what they are;
where callers choose the variant themselves (``TargetVariant``) their requests are to be left out.

Why the share of a look may be taken from the requests that were counted: the wealth is a convex function of the number
of ones, so tosses without replacement favour the hypothesis (W. Hoeffding, 1963, theorem 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mlops.statistics.betting import Tosses, log_wealth, still_to_come

_USUAL_REQUESTS = 1000.0
"""As how many requests of the shift itself the rate before it counts."""


@dataclass(frozen=True, slots=True)
class Look:
    """What came since the look before: ``hits`` of ``requests`` did it. All of one look were shared in the same way:
    where weights change another look begins."""

    new_requests: int
    new_hits: int
    old_requests: int
    old_hits: int

    def __post_init__(self) -> None:
        if not (0 <= self.new_hits <= self.new_requests and 0 <= self.old_hits <= self.old_requests):
            raise ValueError(f"more hits than requests, or fewer than none: {self}")


@dataclass(frozen=True, slots=True)
class Planned:
    """A look to come: how many requests it is expected to have, and which share of them goes to the new version."""

    requests: float
    share: float


def worse(
    looks: Sequence[Look],
    planned: Sequence[Planned] = (),
    *,
    times: float = 1.0,
    alpha: float = 0.05,
    usual: float | None = None,
) -> tuple[float, ...]:
    """The log wealth after each look of whoever bets that the new version does it more than ``times`` as often as the
    old one. ``planned`` are all looks of the shift, those that were had included; beyond them there is no plan.
    ``usual`` is how often it was done before the shift; a wrong one costs power and no validity."""
    return log_wealth(tosses(looks, planned, times=times, usual=usual), alpha)


def better(
    looks: Sequence[Look],
    planned: Sequence[Planned] = (),
    *,
    times: float = 1.0,
    alpha: float = 0.05,
    usual: float | None = None,
) -> tuple[float, ...]:
    """The same of whoever bets that it does it less than ``times`` as often: where this reaches the goal the new
    version is proven to be no worse than that."""
    return log_wealth(tosses(looks, planned, times=times, usual=usual, better=True), alpha)


def chance(share: float, times: float) -> float:
    """That a request which did it was the new version's, were that ``times`` as bad as the old one.

    >>> chance(0.5, 1.0), chance(0.5, 3.0)
    (0.5, 0.75)
    """
    # Exactly so at the ends, where one of the two has no requests.
    return share if share in (0, 1) else times * share / (times * share + 1 - share)


def tosses(
    looks: Sequence[Look],
    planned: Sequence[Planned] = (),
    *,
    times: float = 1.0,
    usual: float | None = None,
    better: bool = False,
) -> Sequence[Tosses]:
    """What :func:`worse` bets on, or :func:`better`: then a one is a hit of the old version."""
    found: list[Tosses] = []
    times = 1 / times if better else times
    seen_hits, seen_requests = (0.0, 0.0) if usual is None else (usual * _USUAL_REQUESTS, _USUAL_REQUESTS)
    # As if every request did it.
    informed = cache(lambda share: _information(chance(1 - share if better else share, times)))
    most = still_to_come([item.requests * informed(item.share) for item in planned], len(looks))
    for look, ahead in zip(looks, most, strict=True):
        requests, hits = look.new_requests + look.old_requests, look.new_hits + look.old_hits
        mine, ones = (look.old_requests, look.old_hits) if better else (look.new_requests, look.new_hits)
        at = chance(mine / requests, times) if requests else 0.0
        rate = seen_hits / seen_requests if seen_requests else 0.0
        found.append(Tosses(ones, hits, at, rate * ahead))
        seen_hits, seen_requests = seen_hits + hits, seen_requests + requests
    return found


def _information(chance: float) -> float:
    return chance * (1 - chance)
