"""AWS's offer of SageMaker as a file of prices: ``AmazonSageMaker/…/index.json`` or ``index.csv``, or what is answered
to ``aws pricing get-products``."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from mlops.ir import UsageError
from mlops.knowledge.prices import billed
from mlops.project.prices import PriceFile

_OFFER = "AmazonSageMaker"
_HINT = (
    "take index.json or index.csv of the offer AmazonSageMaker in AWS's price list, or what "
    "`aws pricing get-products --service-code AmazonSageMaker` answers"
)


class _Row(NamedTuple):
    region: str
    usage: str
    begins: str
    currency: str
    price: str


def from_offer(file: Path) -> PriceFile:
    """Prices on demand alone, of the first tier that costs something. Raises UsageError where it is no such file."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not to be read: {error}", hint=_HINT) from None
    try:
        published, rows = _of_json(json.loads(text)) if text.lstrip().startswith("{") else _of_csv(text)
        day = date.fromisoformat(published[:10])
        found = list(rows)
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{file} is no offer file of {_OFFER}: {error}", hint=_HINT) from None
    except KeyError as error:
        raise UsageError(f"{file} is no offer file of {_OFFER}: it lacks {error}", hint=_HINT) from None
    except (TypeError, AttributeError, IndexError, StopIteration, RecursionError):
        raise UsageError(f"{file} is no offer file of {_OFFER}: its members are others", hint=_HINT) from None
    prices, currencies = _sorted(found, file)
    if not prices:
        raise UsageError(f"{file} has no prices of instances of SageMaker", hint=_HINT)
    if len(currencies) > 1:
        raise UsageError(f"{file} has prices in {' and '.join(sorted(currencies))}", hint="import one currency")
    return PriceFile(day, f"AWS's offer file {_OFFER} of {published}", currencies.pop(), prices)


def _sorted(rows: list[_Row], file: Path) -> tuple[dict[str, dict[str, dict[str, float]]], set[str]]:
    prices: dict[str, dict[str, dict[str, float]]] = {}
    currencies: set[str] = set()
    for row in rows:
        what = billed(row.usage)
        if what is None or not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d+", row.region):
            continue
        use, key, units = what
        # The first seconds of serverless endpoints are for nothing, as a tier of their own.
        if row.begins not in ("0", "") and use != "serverless":
            continue
        if not re.fullmatch(r"\d{1,8}(\.\d+)?([eE]-\d+)?", row.price):
            raise UsageError(f"{file}: the price of {row.usage} is {row.price!r}", hint=_HINT)
        price = float(row.price) / units
        if price < 1e-9:
            continue  # free tiers and what is billed by another row
        currencies.add(row.currency)
        listed = prices.setdefault(row.region, {}).setdefault(use, {})
        # Two kinds of storage of one use: the dearer one, as nothing says which is taken.
        listed[key] = max(round(price, 12), listed.get(key, 0))
    return prices, currencies


def _of_json(offer: Any) -> tuple[str, Iterator[_Row]]:
    if "PriceList" in offer:
        return _of_answer(offer["PriceList"])
    _need_ours(offer["offerCode"])
    if "products" not in offer and "regions" in offer:
        raise ValueError("it lists the offers of regions; fetch the currentVersionUrl of yours")

    def rows() -> Iterator[_Row]:
        for sku, terms in offer["terms"].get("OnDemand", {}).items():
            yield from _rows(offer["products"].get(sku, {}), terms)

    return offer["publicationDate"], rows()


def _of_answer(listed: Any) -> tuple[str, Iterator[_Row]]:
    """Each a product with its terms, as a JSON text."""
    found = [json.loads(item) if isinstance(item, str) else item for item in listed]
    if not found:
        raise ValueError("it has no product")
    for item in found:
        _need_ours(item["serviceCode"])
    rows = (row for item in found for row in _rows(item["product"], item["terms"].get("OnDemand", {})))
    return min(item["publicationDate"] for item in found), rows


def _need_ours(code: str) -> None:
    if code != _OFFER:
        raise ValueError(f"it is of {code}")


def _rows(product: Any, terms: Any) -> Iterator[_Row]:
    attributes = product.get("attributes", {})
    usage, region = attributes.get("usagetype", ""), attributes.get("regionCode", "")
    for term in terms.values():
        for dimension in term["priceDimensions"].values():
            for currency, price in dimension["pricePerUnit"].items():
                yield _Row(region, usage, str(dimension.get("beginRange", "0")), currency, str(price))


def _of_csv(text: str) -> tuple[str, Iterator[_Row]]:
    lines = csv.reader(text.splitlines())
    about: dict[str, str] = {}
    for line in lines:
        if line[:1] == ["SKU"]:
            break
        if len(line) > 1:
            about[line[0]] = line[1]
    else:
        raise ValueError("no line begins with SKU")
    _need_ours(about["OfferCode"])
    at = {name.replace(" ", "").lower(): index for index, name in enumerate(line)}
    columns = [at[name] for name in ("regioncode", "usagetype", "startingrange", "currency", "priceperunit")]
    kind = at["termtype"]
    return about["Publication Date"], (
        _Row(*(row[column] for column in columns)) for row in lines if len(row) > kind and row[kind] == "OnDemand"
    )
