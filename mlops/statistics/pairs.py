"""Of requests that both versions answered (a shadow, a replay): is the new one wrong more often than the old one?

Pairs on which both are right or both are wrong say nothing of that; of the others each is as likely the one as the
other under the hypothesis (Q. McNemar, 1947). Looked at at any time, where McNemar's test is looked at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlops.statistics.betting import Tosses, log_wealth, still_to_come


@dataclass(frozen=True, slots=True)
class Look:
    """How many pairs came since the look before, and on how many of them only the one was wrong."""

    pairs: int
    only_new_wrong: int
    only_old_wrong: int

    def __post_init__(self) -> None:
        if min(self.only_new_wrong, self.only_old_wrong) < 0 or self.only_new_wrong + self.only_old_wrong > self.pairs:
            raise ValueError(f"more wrong than pairs, or fewer than none: {self}")


def worse(looks: Sequence[Look], planned: Sequence[float] = (), *, alpha: float = 0.05) -> tuple[float, ...]:
    """The log wealth after each look of whoever bets that the new version is wrong more often. ``planned``: how many
    pairs each look of the whole is expected to have."""
    tosses: list[Tosses] = []
    seen, differed = 0, 0
    for look, ahead in zip(looks, still_to_come(planned, len(looks)), strict=True):
        different = look.only_new_wrong + look.only_old_wrong
        rate = differed / seen if seen else 0.0
        tosses.append(Tosses(look.only_new_wrong, different, 0.5, ahead * rate / 4))
        seen, differed = seen + look.pairs, differed + different
    return log_wealth(tosses, alpha)
