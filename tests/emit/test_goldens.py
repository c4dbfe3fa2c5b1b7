"""The examples compile to the definitions beside them, and nothing in those tells of Python."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mlops.check.sources import open_one
from mlops.emit.targets.definition_json import emit
from mlops.emit.targets.outline import emit as outline
from mlops.ir import Severity

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "pipelines").glob("*/pipeline.py"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_compiles_to_its_golden(name: str) -> None:
    folder = ROOT / "pipelines" / name
    opened = open_one(str(folder / "pipeline.py"), "local")
    assert not [finding for finding in opened.findings if finding.severity is not Severity.INFO]
    assert emit(opened.pipelines[0].definition) == (folder / "pipeline.json").read_text()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_golden_has_no_tell_tales(name: str) -> None:
    text = (ROOT / "pipelines" / name / "pipeline.json").read_text()
    assert not re.search(r"NoneType|object at 0x|<class|<function|Traceback|/home/|/tmp/", text)
    assert json.loads(text)["Version"] == "2020-12-01"


def test_the_outline_of_an_example() -> None:
    opened = open_one(str(ROOT / "pipelines" / "breast_cancer" / "pipeline.py"), "local")
    assert outline(opened.pipelines[0]) == (
        "breast-cancer\n"
        "  float MinAccuracy = 0.9\n"
        "  integer Trees = 100\n"
        "├─ Prepare [Processing]\n"
        "├─ Train [Training]  <- Prepare\n"
        "├─ Evaluate [Processing]  <- Prepare, Train\n"
        "└─ GoodEnough [Condition]  <- Evaluate\n"
        "   ├─ if true\n"
        "   │  ├─ Register [RegisterModel]  <- Train, Evaluate\n"
        "   │  ├─ Model [Model]  <- Train\n"
        "   │  └─ Score [Transform]  <- Prepare, Model\n"
        "   └─ if false\n"
        "      └─ NotGoodEnough [Fail]\n"
    )
