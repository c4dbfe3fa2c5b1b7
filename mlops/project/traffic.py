"""How much a stream is sent in a month: what no declaration says, and a team assumes in ``prices.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass

_KEYS = ("records", "bytes")


@dataclass(frozen=True, slots=True)
class Traffic:
    """``records`` of a month, with so many ``bytes`` on average."""

    records: int
    bytes: int


def parse_traffic(raw: Any) -> tuple[Mapping[str, Traffic], list[str]]:
    """``[traffic.NAME]`` by the stream's name in the account, and the mistakes in it."""
    if not isinstance(raw, dict):
        return {}, ["traffic has to be tables by the names of streams, e.g. [traffic.clicks]"]
    found: dict[str, Traffic] = {}
    mistakes: list[str] = []
    for name, told in raw.items():
        at = f"traffic.{name}"
        if not isinstance(told, dict):
            mistakes.append(f"{at} has to be a table with {' and '.join(_KEYS)}")
            continue
        wrong = [f"{at}.{key} is not known here{instead(key, _KEYS)}" for key in told if key not in _KEYS]
        wrong += [
            f"{at}.{key} has to be an integer above 0; it is {told.get(key)!r}"
            for key in _KEYS
            if type(told.get(key)) is not int or told[key] < 1
        ]
        mistakes += wrong
        if not wrong:
            found[name] = Traffic(told["records"], told["bytes"])
    return found, mistakes
