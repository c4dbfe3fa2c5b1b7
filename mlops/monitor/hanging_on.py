"""What a model's answers hang on, in a window and in the training data: attributions by kernel SHAP, as Clarify's
monitor measures them, held against each other by the order that they give the features (NDCG).

The model is asked, never the endpoint: what is made up for it is in no capture, and keeps no caller waiting. Features
that a coalition leaves out have the baseline's means, and its most frequent categories.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlops.monitor import clarify
from mlops.monitor.cells import as_text
from mlops.monitor.data import Source
from mlops.monitor.fault import Fault
from mlops.monitor.settings import count, listed

LEAST, ROWS = 0.9, 100
_MEMBERS = {
    "content_type": "content_type",
    "accept": "accept_type",
    "template": "content_template",
    "probability": "probability",
    "labels": "label_headers",
}
"""Of Clarify's predictor, by what a monitor calls them."""
_SEED = 0


def least(told: Mapping[str, Any]) -> float:
    """Below which NDCG it is a drift. Raises :class:`Fault`."""
    found = told.get("least", LEAST)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= 1:
        raise Fault(f"attributions.least is {found!r}, a number from 0 to 1 is wanted")
    return float(found)


def measured(
    rows: Sequence[Sequence[Any]],
    names: Sequence[str],
    statistics: Mapping[str, Any] | None,
    told: Mapping[str, Any],
    environment: Mapping[str, str],
    scratch: Path,
) -> dict[str, Any]:
    """Clarify's analysis of ``rows``. Raises :class:`Fault`."""
    place = scratch / "data.csv"
    with place.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            ["" if cell is None else as_text(cell) for cell in row] for row in rows
        )
    shap: dict[str, Any] = {
        "baseline": listed(told.get("reference"), "attributions.reference") or [_ordinary(names, statistics)],
        "num_samples": told.get("samples"),
        "agg_method": told.get("aggregate") or "mean_abs",
        "use_logit": bool(told.get("logit")),
        "seed": _SEED,
        "save_local_shap_values": False,
    }
    asked = {theirs: told[own] for own, theirs in _MEMBERS.items() if told.get(own) is not None}
    config = {
        "dataset_type": "text/csv",
        "headers": [*names],
        "methods": {"shap": shap},
        "predictor": {"content_type": "text/csv", **asked, "endpoint_name": told.get("asked")},
    }
    analysis, _ = clarify.analysed(config, place, environment)
    return analysis


def _ordinary(names: Sequence[str], statistics: Mapping[str, Any] | None) -> list[Any]:
    """The row that all others are held against."""
    known = {item.get("name"): item for item in (statistics or {}).get("features") or ()}
    return [_middle(name, known.get(name)) for name in names]


def _middle(name: str, found: Mapping[str, Any] | None) -> Any:
    try:
        if found is not None and "numerical_statistics" in found:
            return float(found["numerical_statistics"]["mean"])
        if found is not None:
            buckets = found["string_statistics"]["distribution"]["categorical"]["buckets"]
            return max(buckets, key=lambda item: item["count"])["value"]
    except (KeyError, TypeError, ValueError):
        pass
    raise Fault(f"the baseline's statistics tell no mean and no most frequent value of {name}: give `reference`")


def sampled(data: Source, names: Sequence[str], told: Mapping[str, Any]) -> list[list[Any]]:
    """So many rows, each as likely as another; the same ones of the same data."""
    most = count(told.get("rows"), "attributions.rows", ROWS)
    random = np.random.default_rng(_SEED)
    kept: list[tuple[float, list[Any]]] = []
    for chunk in data.chunks():
        many = max((len(cells.rows) for cells in chunk.values()), default=0)
        drawn = random.random(many)
        best = np.argsort(drawn, kind="stable")[:most]
        kept += [(float(drawn[at]), [_cell(chunk, name, int(at)) for name in names]) for at in best]
        kept = sorted(kept, key=lambda item: item[0])[:most]
    return [row for _, row in kept]


def _cell(chunk: Mapping[str, Any], name: str, at: int) -> Any:
    return chunk[name].rows[at] if name in chunk else None


def names_of(features: Sequence[str], columns: Collection[str]) -> list[str]:
    """The model's features, in their order. Raises :class:`Fault`."""
    names = [*(features or columns)]
    if not names:
        raise Fault("nobody says what the features are called: give `features`, or a baseline")
    return names
