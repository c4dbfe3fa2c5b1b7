"""A step that registers carries the card that mlops.toml declares of its group, where that is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_one
from mlops.emit.targets.definition_json import emit
from mlops.ir import Severity

TEXTS = '[cards.churn]\nmodel_owner = "growth"\npurpose_of_model = "Wem? Ümit"\n'
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"
STEP = 'RegisterModel("Register", group="{group}", model="s3://b/m.tar.gz", image="{image}"{more})'
SOURCE = "from mlops import ModelCard, Pipeline, RegisterModel\nwith Pipeline('p'):\n    "


def carried(folder: Path, toml: str, group: str = "churn", more: str = "") -> Any:
    (folder / "mlops.toml").write_text(toml)
    (folder / "pipeline.py").write_text(SOURCE + STEP.format(group=group, more=more, image=IMAGE) + "\n")
    opened = open_one(str(folder / "pipeline.py"), "local")
    (checked,) = opened.pipelines
    errors = [item for item in opened.findings if item.severity is Severity.ERROR]
    assert errors == []
    return json.loads(emit(checked.definition))["Steps"][0]["Arguments"].get("ModelCard")


@pytest.mark.parametrize(
    ("toml", "group", "more", "found"),
    [
        ("", "churn", "", None),
        (TEXTS, "churn", "", None),
        (f"{TEXTS}register = false\n", "churn", "", None),
        (f"{TEXTS}register = true\n", "other", "", None),
        (
            f"{TEXTS}register = true\nstatus = 'Approved'\n",
            "churn",
            "",
            ({"intended_uses": {"purpose_of_model": "Wem? Ümit"}}, "Approved"),
        ),
        # A version's card has no owner.
        ('[cards.churn]\nmodel_owner = "growth"\nregister = true\n', "churn", "", None),
        (f"{TEXTS}register = true\n", "churn", ", card=ModelCard({'a': 1})", ({"a": 1}, "Draft")),
    ],
)
def test_a_declared_card(tmp_path: Path, toml: str, group: str, more: str, found: Any) -> None:
    told = carried(tmp_path, toml, group, more)
    assert (told and (json.loads(told["ModelCardContent"]), told["ModelCardStatus"])) == found
