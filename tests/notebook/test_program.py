"""A pipeline driven by a program: what the official SDK's users expect of the object."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from mlops.declare.pipeline import Pipeline
from mlops.ir import Refusal, UsageError

FILE = """
import sys
from mlops import Pipeline, Processing

def get_pipeline(name="small", command=sys.executable):
    with Pipeline(name) as pipeline:
        days = pipeline.integer("Days", default=30)
        image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:1"
        first = Processing("First", code="first.py", image=image, command=[command], outputs=["made"],
            environment={"DAYS": days})
        Processing("Second", code="second.py", image=image, command=[command], inputs={"made": first.outputs["made"]})
    return pipeline
"""
FIRST = """
import os, pathlib
pathlib.Path("/opt/ml/processing/output/made/days.txt").write_text(os.environ["DAYS"])
print("made of", os.environ["DAYS"])
"""
SECOND = "raise SystemExit('not ready')"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").write_text("")
    for name, text in (("small_pipeline.py", FILE), ("first.py", FIRST), ("second.py", SECOND)):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipeline_of(folder: Path) -> Pipeline:
    """As a program gets it: the module is imported, and its function called."""
    spec = importlib.util.spec_from_file_location("small_pipeline", folder / "small_pipeline.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Pipeline = module.get_pipeline()
    return found


def test_what_a_pipeline_is_and_would_change(here: Path) -> None:
    pipeline = pipeline_of(here)
    assert [step["Name"] for step in json.loads(pipeline.definition())["Steps"]] == ["First", "Second"]
    assert [finding.code for finding in pipeline.check() if finding.severity.value == "error"] == []
    planned = pipeline.plan()
    assert planned.changes and "create the pipeline" in " ".join(planned.actions) and not planned.refused
    assert "small" in str(planned)
    assert pipeline.upsert().action == "created"
    assert pipeline.upsert().action == "unchanged"
    assert not pipeline.plan().changes
    with pytest.raises(Exception, match="dev"):
        pipeline.plan("dev")


def test_it_is_started_waited_for_and_gone_on_with(here: Path) -> None:
    execution = pipeline_of(here).start("local", Days=7)
    with pytest.raises(Refusal, match=r"(?s)is Failed.*Second: .*not ready"):
        execution.wait(timeout=60)
    assert execution.status == "Failed" and execution.id in execution.arn
    assert {name: step.status for name, step in execution.steps.items()} == {"First": "Succeeded", "Second": "Failed"}
    assert "made of 7" in execution.logs("First") and "First | made of 7" in execution.logs()
    assert execution.outputs["First"]["made"].startswith("s3://")
    with pytest.raises(Refusal, match=r"(?s)Failed.*not ready"):
        execution.retry().wait(60)
    assert repr(execution).endswith("First: Succeeded, Second: Failed>")
    with pytest.raises(Refusal, match="is Failed"):
        execution.stop()


def test_mistakes_and_values_are_refused_before_anything_starts(here: Path) -> None:
    pipeline = pipeline_of(here)
    with pytest.raises(UsageError, match="Dais"):
        pipeline.start("local", Dais=7)
    (here / "first.py").unlink()
    with pytest.raises(Refusal, match=r"so it is not started"):
        pipeline_of(here).start()
    assert any(finding.severity.value == "error" for finding in pipeline.check())
