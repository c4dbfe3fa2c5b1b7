"""Clarify's metrics of bias, by Clarify's own library: the same groups, the same values, the same reasons why not."""

from __future__ import annotations

import csv
import itertools
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops.monitor.clarify import analysed

pytestmark = pytest.mark.proof("monitor")

FACETS: list[tuple[str, list[Any] | None]] = [
    ("cat", ["a"]),
    ("cat", ["b", "c"]),
    ("cat", None),
    ("bit", [1]),
    ("bit", [0]),
    ("bit", None),
    ("num", [0.1]),
    ("age", [40]),
    ("age", [30, 60]),
]
NUMBERS = ("y", "bit", "num", "age", "f1", "f2", "said")


def drawn(seed: int) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    many = int(random.integers(60, 400))
    truth = (random.random(many) < random.uniform(0.2, 0.8)).astype(int)
    table = {
        "y": truth,
        "cat": random.choice(["a", "b", "c"], many, p=[0.5, 0.3, 0.2]),
        "bit": (random.random(many) < 0.4).astype(int),
        "num": random.normal(size=many).round(3),
        "age": random.integers(18, 90, many),
        "group": random.choice(["x", "y", "z", "w"], many),
        "f1": random.normal(size=many),
        "f2": random.normal(size=many),
        "said": np.where(random.random(many) < 0.8, truth, 1 - truth),
    }
    # The flip test is of numbers alone.
    return {name: column.tolist() for name, column in table.items() if seed % 2 == 0 or name in NUMBERS}


def theirs(table: dict[str, list[Any]], facet: str, values: list[Any] | None, label: int, after: bool) -> list[Any]:
    import pandas as pd
    from smclarify.bias import report

    logging.disable(logging.CRITICAL)
    frame = pd.DataFrame(table)
    stage = report.StageType.POST_TRAINING if after else report.StageType.PRE_TRAINING
    said = report.LabelColumn("said", frame.said, [label]) if after else None
    return list(
        report.bias_report(
            frame.drop(columns=["said"]),
            report.FacetColumn(facet, values and list(values)),
            report.LabelColumn("y", frame.y, [label]),
            stage,
            said,
            group_variable=frame.get("group"),
        )
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_same_metrics(tmp_path: Path, seed: int) -> None:
    table = drawn(seed)
    with (tmp_path / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[*table], *zip(*table.values(), strict=True)])
    for (facet, values), label, after in itertools.product(FACETS, (0, 1), (False, True)):
        if facet not in table:
            continue
        method = "post_training_bias" if after else "pre_training_bias"
        config = {
            "label": "y",
            "predicted_label": "said",
            "label_values_or_threshold": [label],
            "facet": [{"name_or_index": facet, **({"value_or_threshold": values} if values else {})}],
            "methods": {method: {"methods": "all"}},
            **({"group_variable": "group"} if "group" in table else {}),
        }
        [ours] = analysed(config, tmp_path, {})[0][f"{method}_metrics"]["facets"].values()
        expected = theirs(table, facet, values, label, after)
        assert [item["value_or_threshold"] for item in ours] == [item["value_or_threshold"] for item in expected]
        for mine, other in zip(ours, expected, strict=True):
            same(mine["metrics"], other["metrics"])


def same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    assert [(item["name"], item["description"]) for item in ours] == [
        (item["name"], item["description"]) for item in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.get("error") == other.get("error")
        if mine["value"] is not None:
            assert mine["value"] == pytest.approx(float(other["value"]), abs=1e-9), mine["name"]
