"""A month of the instances that come, by the project's prices. A price that nobody knows is told, not passed."""

from __future__ import annotations

import math
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Asked, Gate, Judgement, table
from mlops.knowledge.prices import HOURS_OF_A_MONTH
from mlops.project.prices import read_prices


@dataclass(frozen=True, slots=True)
class Settings:
    """``month`` is the most that the instances may cost in 730 hours."""

    month: float = 0.0


def read(raw: Any) -> Settings:
    settings: Settings = table(Settings)(raw)
    month = settings.month
    if isinstance(month, bool) or not isinstance(month, int | float) or not math.isfinite(month) or month <= 0:
        raise ValueError(f"month = {month!r}: give what a month may cost, for example {{ month = 500 }}")
    return settings


def judge(settings: Settings, asked: Asked) -> Judgement:
    fleet = asked.fleet()
    if fleet is None:
        return Judgement(True, "no instances come")
    prices = read_prices(asked.root)
    if prices.sample:
        return Judgement(False, "there is no prices.toml, and the sample of prices is none to judge by")
    price = prices.price(asked.region, "endpoint", fleet.instance)
    if price is None:
        return Judgement(False, f"no price of {fleet.instance} for endpoint in {asked.region}")
    month = price * fleet.coming * HOURS_OF_A_MONTH
    both = price * (fleet.coming + fleet.serving)
    hourly = f"with what serves {both:.2f} an hour"
    told = f"{fleet.coming} {fleet.instance} cost {month:.2f} {prices.currency} a month, {hourly}"
    passes = month <= settings.month
    return Judgement(passes, told if passes else f"{told}, and at most {settings.month:g} a month is wanted")


GATE = Gate("cost", "what a month of the instances costs", read, judge)
