"""``mlops cache`` and ``mlops run --no-cache``: the command line in this process, the runner in another, as always."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Told, in_this_process

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def definition(command: str) -> str:
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/sh", "-c", command]},
        "RoleArn": "arn:aws:iam::000000000000:role/pipelines",
    }
    steps = [{"Name": "Prepare", "Type": "Processing", "Arguments": arguments}]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})


Mlops = Callable[..., Told]


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    (tmp_path / "mlops.toml").write_text("[project]\n")
    (tmp_path / "p.json").write_text(definition("true"))
    monkeypatch.chdir(tmp_path)
    return in_this_process(capfd)


def run(mlops: Mlops, *arguments: str) -> dict[str, Any]:
    """The step, as ``--format json`` tells it."""
    (step,) = mlops("run", "p.json", "--format", "json", *arguments).json["steps"]
    return dict(step)


@pytest.mark.slow
def test_a_result_serves_until_something_changes(tmp_path: Path, mlops: Mlops) -> None:
    assert run(mlops)["cached"] is None
    first = mlops("cache", "explain", "Prepare").out
    assert "there is no earlier success" in first
    source = first.split()[5].rstrip(":")
    assert run(mlops)["cached"].endswith(f"/{source}")
    assert f"the result of {source} served" in mlops("cache", "explain", "Prepare").out
    assert "Prepare: Succeeded (cached)" in mlops("run", "p.json").err
    assert run(mlops, "--no-cache")["cached"] is None
    assert "without the cache" in mlops("cache", "explain", "Prepare").out
    assert "no earlier success" in mlops("cache", "explain", "Prepare", "--execution", source).out
    (tmp_path / "p.json").write_text(definition("true; true"))
    assert run(mlops)["cached"] is None
    told = mlops("cache", "explain", "Prepare", "--format", "json").json
    assert told["reasons"] == ["AppSpecification.ContainerEntrypoint[2] changed: true -> true; true"]


def test_a_step_that_never_was_is_told_with_those_that_were(mlops: Mlops) -> None:
    run(mlops)
    told = mlops("cache", "explain", "Prepaer", code=2)
    assert "started no step 'Prepaer'; it started Prepare" in told.err
