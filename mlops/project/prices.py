"""``prices.toml``: what a team pays, with its date. What is not in it is not known, and never free."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.knowledge.prices import KEYS, USES, sample
from mlops.project.traffic import Traffic, parse_traffic

FILE = "prices.toml"
_KEYS = ("date", "source", "currency", "sample", "minimum_seconds", "spot", "traffic", "prices")

Prices = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By region, use, and instance type or another key."""


@dataclass(frozen=True, slots=True)
class PriceFile:
    """``minimum_seconds`` is what an instance is billed at least, ``spot`` the part of the price on demand that spot
    training costs as a rule, None where nobody says; ``traffic`` what streams are assumed to be sent, by name."""

    date: date
    source: str
    currency: str
    prices: Prices
    sample: bool = False
    minimum_seconds: int = 1
    spot: float | None = None
    traffic: Mapping[str, Traffic] = field(default_factory=dict)

    def price(self, region: str, use: str, key: str) -> float | None:
        return self.prices.get(region, {}).get(use, {}).get(key)


def read_prices(root: Path, named: Path | None = None) -> PriceFile:
    """The file ``named``, else the project's, else the sample. Raises ConfigurationError with every mistake."""
    file = named or root / FILE
    if named is None and not file.is_file():
        return parse_prices(sample(), "the sample")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not to be read: {error}", hint="`mlops cost import` writes one") from None
    return parse_prices(text, str(file))


def parse_prices(text: str, file: str) -> PriceFile:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}") from None
    mistakes = [f"{key!r} is not known here{instead(key, _KEYS)}" for key in raw if key not in _KEYS]
    if type(raw.get("date")) is not date:
        mistakes.append("date has to be the day of the prices, e.g. date = 2026-11-29")
    for key in ("source", "currency"):
        if not isinstance(raw.get(key), str) or not raw[key]:
            mistakes.append(f"{key} has to be a text")
    if not isinstance(raw.get("sample", False), bool):
        mistakes.append("sample has to be true or false")
    least, spot = raw.get("minimum_seconds", 1), raw.get("spot")
    if type(least) is not int or least < 1:
        mistakes.append(f"minimum_seconds has to be an integer above 0; it is {least!r}")
    if spot is not None and not (_is_number(spot) and 0 < spot <= 1):
        mistakes.append(f"spot has to be above 0 and at most 1, a part of the price on demand; it is {spot!r}")
    traffic, wrong = parse_traffic(raw.get("traffic", {}))
    mistakes += [*wrong, *_wrong(raw.get("prices"))]
    if mistakes:
        raise ConfigurationError("\n".join(f"{file}: {mistake}" for mistake in mistakes))
    sampled = raw.get("sample", False)
    return PriceFile(raw["date"], raw["source"], raw["currency"], raw["prices"], sampled, least, spot, traffic)


def _wrong(prices: Any) -> list[str]:
    if not isinstance(prices, dict):
        return ["prices has to be tables, e.g. [prices.us-east-1.training]"]
    found: list[str] = []
    for region, uses in prices.items():
        if not isinstance(uses, dict):
            found.append(f"prices.{region} has to be a table of uses: {', '.join(USES)}")
            continue
        for use, listed in uses.items():
            at = f"prices.{region}.{use}"
            if use not in USES:
                found.append(f"{at}: there is no use {use!r}{instead(use, USES)}")
            elif not isinstance(listed, dict):
                found.append(f"{at} has to be a table of prices by instance type")
            else:
                known = KEYS.get(use, listed)
                found += [f"{at}.{key} is not known here{instead(key, known)}" for key in listed if key not in known]
                found += [
                    f"{at}.{key} has to be a number above 0; it is {price!r}: leave out what is not known"
                    for key, price in listed.items()
                    if not _is_number(price) or not 0 < price < 1e9
                ]
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def written(found: PriceFile) -> str:
    """As :func:`parse_prices` reads it."""
    import json  # a text of JSON is one of TOML

    lines = [
        f"date = {found.date.isoformat()}",
        f"source = {json.dumps(found.source)}",
        f"currency = {json.dumps(found.currency)}",
    ]
    for region, uses in sorted(found.prices.items()):
        for use, listed in sorted(uses.items()):
            lines += ["", f"[prices.{region}.{use}]"]
            lines += [f"{json.dumps(key)} = {price:.10f}".rstrip("0") for key, price in sorted(listed.items())]
    return "\n".join(lines) + "\n"
