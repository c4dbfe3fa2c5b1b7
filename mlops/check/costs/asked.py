"""By what something is priced, and how its values are read."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.check.costs.bounds import NOTHING, Bounds, unknown
from mlops.check.expressions import literal
from mlops.check.subject import Subject
from mlops.ir import Value
from mlops.ir.dataclass import dataclass
from mlops.project.prices import PriceFile


@dataclass(frozen=True, slots=True)
class Asked:
    """``seconds`` are how long steps took in past executions, by name."""

    subject: Subject
    prices: PriceFile
    region: str
    seconds: Mapping[str, float]

    def number(self, value: Value, default: int | None = None) -> int | None:
        """A literal or a parameter's default, ``default`` where nothing is said; None where only a run knows."""
        if value is None:
            return default
        found = literal(self.subject, value)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def text(self, value: Value) -> str | None:
        found = literal(self.subject, value)
        return found if isinstance(found, str) else None

    def priced(self, use: str, key: str, least: float, most: float | None = None) -> Bounds:
        """So many units of a price, ``least`` of them where no more is said."""
        most = least if most is None else most
        if not most:
            return NOTHING
        price = self.prices.price(self.region, use, key)
        if price is None:
            return unknown(f"no price of {key} for {use} in {self.region}")
        return Bounds(price, price, price).times(least, most)
