"""Endpoints by the month: variants and their counts, shadows too."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import Bounds, at_least, together, unknown
from mlops.check.costs.instances import by_the_hour
from mlops.check.jobs import Machine
from mlops.check.members import entries
from mlops.ir import Placed, Value
from mlops.ir.members import get
from mlops.knowledge.prices import HOURS_OF_A_MONTH, SERVERLESS


def month(asked: Asked, placed: Placed, config: Mapping[str, Value]) -> Bounds:
    use = "asynchronous" if isinstance(config.get("AsyncInferenceConfig"), Mapping) else "endpoint"
    machines = [
        Machine(f"{placed.pointer}/Arguments{at}", item, placed, "InitialInstanceCount")
        for member in ("ProductionVariants", "ShadowProductionVariants")
        for at, item in entries(config, member)
    ]
    return together(_variant(asked, one, use) for one in machines) if machines else unknown("it has no variants")


def _variant(asked: Asked, variant: Machine, use: str) -> Bounds:
    if (serverless := variant.settings.get("ServerlessConfig")) is not None:
        return _serverless(asked, serverless)
    scaling, number = get(variant.settings, "ManagedInstanceScaling"), variant.settings.get(variant.counted)
    if isinstance(scaling, Mapping):
        fewest, most = asked.number(scaling.get("MinInstanceCount"), 1), asked.number(scaling.get("MaxInstanceCount"))
    else:
        fewest = most = asked.number(number, 1)
    if fewest is None or most is None:
        return unknown("between how many instances it scales is known at run time only")
    one = Machine(variant.at, {**variant.settings, variant.counted: 1}, variant.placed, variant.counted)
    hourly = by_the_hour(asked, one, use)
    if isinstance(hourly, str):
        return unknown(hourly)
    cost = hourly * HOURS_OF_A_MONTH
    return Bounds(cost, cost, cost).times(fewest, most)


def _serverless(asked: Asked, config: Value) -> Bounds:
    """Requests are not known; what a second of work costs is told."""
    memory = asked.number(get(config, "MemorySizeInMB"))
    price = asked.prices.price(asked.region, "serverless", SERVERLESS)
    if price is None or memory is None:
        return unknown(f"no price of serverless inference in {asked.region}" if memory else "its memory is not known")
    if get(config, "ProvisionedConcurrency") is not None:
        return unknown("no price of provisioned concurrency")
    rate = price * memory / 1024 * 1000
    told = f"it is billed by requests: {rate:.4f} {asked.prices.currency} for each 1,000 seconds of work"
    return at_least(told)
