"""``mlops executions metrics``: what trainings measured, as a table and as values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Told, in_this_process

PIPELINE = """\
from mlops import Pipeline, Training, rules
with Pipeline("curves") as pipeline:
    Training(
        "Train",
        code="train.py",
        image="123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1",
        metrics={"loss": r"loss=(\\S+)"},
        rules=[rules.NotFinite("loss", then="keep"), rules.Vanishing("loss")],
    )
"""


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "train.py").write_text("for loss in (4, 2, 1, 'nan'):\n    print(f'loss={loss}')\n")
    monkeypatch.chdir(tmp_path)
    return in_this_process(capfd)


def test_what_a_training_measured(mlops: Callable[..., Told]) -> None:
    assert "Train: Succeeded" in mlops("run", "pipeline.py").err
    rows = mlops("executions", "metrics", "last").out.splitlines()
    assert [row.split() for row in rows[1:]] == [["Train", "loss", "4", "4", "nan", "1", "4", "█▃▁!"]]
    told = mlops("executions", "metrics", "last", "Train", "--follow", "--format", "json").out
    assert [json.loads(line)["value"] for line in told.splitlines()] == [4, 2, 1, "nan"]
    assert mlops("executions", "metrics", "last", "--follow").out.splitlines()[0] == "Train loss 1 4"
    assert "no step 'Trian'; it has Train" in mlops("executions", "metrics", "last", "Trian", code=2).err
    described = json.loads(mlops("executions", "show", "--format", "json").out)
    assert described["steps"][0]["failure"] is None
