"""Instances by the hour, with their storage."""

from __future__ import annotations

from mlops.check.costs.asked import Asked
from mlops.check.jobs import Machine
from mlops.check.members import entries
from mlops.knowledge.prices import HOURS_OF_A_MONTH, VOLUME


def by_the_hour(asked: Asked, machine: Machine, use: str) -> float | str:
    """All instances of ``machine`` for an hour, with their groups; why nobody knows, in words."""
    groups = [
        Machine(machine.at + at, item, machine.placed) for at, item in entries(machine.settings, "InstanceGroups")
    ]
    total, count = 0.0, 0
    for one in groups or [machine]:
        price = _instances(asked, one, use)
        if isinstance(price, str):
            return price
        total, count = total + price[0], count + price[1]
    size = machine.settings.get("VolumeSizeInGB")
    if size is not None:
        gigabytes, price_of_one = asked.number(size), asked.prices.price(asked.region, use, VOLUME)
        if gigabytes is None:
            return "the size of its volume is known at run time only"
        if price_of_one is None and gigabytes:
            return f"no price of storage of {use} in {asked.region}"
        total += count * gigabytes * (price_of_one or 0) / HOURS_OF_A_MONTH
    return total


def _instances(asked: Asked, machine: Machine, use: str) -> tuple[float, int] | str:
    kind, count = asked.text(machine.type), asked.number(machine.settings.get(machine.counted), 1)
    if kind is None:
        return (
            "its instance type is known at run time only" if machine.type is not None else "it names no instance type"
        )
    if count is None:
        return "how many instances it has is known at run time only"
    price = asked.prices.price(asked.region, use, kind)
    return f"no price of {kind} for {use} in {asked.region}" if price is None else (price * count, count)
