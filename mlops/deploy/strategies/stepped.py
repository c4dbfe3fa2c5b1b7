"""Shares of the traffic as they are listed, with a look at the new version after each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.shift import Course, Stage
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    """``bake`` is one duration for all stages, or one for each."""

    shares: Sequence[float] = (5.0, 25.0, 50.0, 100.0)
    bake: str | float | Sequence[str | float] = "10m"


def course(settings: Settings, count: int | None) -> Course:
    shares = [float(share) for share in settings.shares]
    if not shares:
        raise ValueError("shares = []: give one at least, for example [5, 25, 50, 100]")
    if shares[-1] != 100.0:
        shares.append(100.0)
    if any(not 0 < share <= 100 for share in shares) or any(b <= a for a, b in pairwise(shares)):
        listed = ", ".join(f"{share:g}" for share in settings.shares)
        raise ValueError(f"shares = [{listed}]: they have to rise, from above 0 to 100 percent")
    given = settings.bake
    bakes = [given] * len(shares) if isinstance(given, str | int | float) else list(given)
    if len(bakes) != len(shares):
        raise ValueError(f"bake has {len(bakes)} durations for {len(shares)} stages; give one for each, or one for all")
    return Course(tuple(Stage(share, seconds_of(bake)) for share, bake in zip(shares, bakes, strict=True)))


STRATEGY = Strategy("stepped", "shares of the traffic as they are listed", Settings, course)
