"""The board asks for what the exposition has, and its panels lie beside each other."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_one
from mlops.emit.targets.grafana import emit
from mlops.knowledge.cloudwatch.exported_names import series


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("board")
    text = 'from mlops import Fail, Pipeline\nwith Pipeline("churn"):\n    Fail("Stop", "no")\n'
    (folder / "pipeline.py").write_text(text)
    checked = open_one(str(folder / "pipeline.py"), "local").pipelines[0]
    assert emit(checked) == emit(checked)
    return json.loads(emit(checked))


def test_panels_have_places_and_numbers_of_their_own(board: Any) -> None:
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_it_asks_for_names_that_are_exposed(board: Any) -> None:
    """Of SageMaker's metrics those that exporters give; of ours those that the account's source spells."""
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    names = {name for query in queries for name in re.findall(r"\b(?:mlops|_?aws)_\w+", query)}
    known = {
        series(namespace, metric, statistic)
        for namespace, metric, statistic in (
            ("AWS/SageMaker", "Invocations", "Sum"),
            ("AWS/SageMaker", "Invocation4XXErrors", "Sum"),
            ("AWS/SageMaker", "Invocation5XXErrors", "Sum"),
            ("AWS/SageMaker", "ModelLatency", "Average"),
            ("AWS/SageMaker", "ModelLatency", "Maximum"),
            ("/aws/sagemaker/Endpoints", "CPUUtilization", "Average"),
            ("/aws/sagemaker/Endpoints", "MemoryUtilization", "Average"),
        )
    }
    source = Path("mlops/account/local/upkeep/exposition.py")
    ours = {name for name in names if name.startswith("mlops_")}
    text = (Path(__file__).parents[2] / source).read_text(encoding="utf-8")
    assert ours and all(f'"{name}"' in text for name in ours)
    assert names - ours == known
