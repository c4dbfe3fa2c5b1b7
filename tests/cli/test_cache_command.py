"""``mlops cache`` and ``mlops run --no-cache`` as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


def mlops(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parent.parent.parent)
    code = f"import sys; sys.path.insert(0, {root!r}); from mlops.cli import run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )


def run(folder: Path, *arguments: str) -> dict[str, Any]:
    """The step, as ``--format json`` tells it."""
    told = mlops(folder, "run", "p.json", "--format", "json", *arguments)
    assert told.returncode == 0, told.stderr
    (step,) = json.loads(told.stdout)["steps"]
    return dict(step)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mlops.toml").write_text("[project]\n")
    (tmp_path / "p.json").write_text(definition("true"))
    return tmp_path


def test_a_result_serves_until_something_changes(project: Path) -> None:
    assert run(project)["cached"] is None
    first = mlops(project, "cache", "explain", "Prepare").stdout
    assert "there is no earlier success" in first
    source = first.split()[5].rstrip(":")
    assert run(project)["cached"].endswith(f"/{source}")
    assert f"the result of {source} served" in mlops(project, "cache", "explain", "Prepare").stdout
    assert "Prepare: Succeeded (cached)" in mlops(project, "run", "p.json").stderr
    assert run(project, "--no-cache")["cached"] is None
    assert "without the cache" in mlops(project, "cache", "explain", "Prepare").stdout
    assert "no earlier success" in mlops(project, "cache", "explain", "Prepare", "--execution", source).stdout
    (project / "p.json").write_text(definition("true; true"))
    assert run(project)["cached"] is None
    told = json.loads(mlops(project, "cache", "explain", "Prepare", "--format", "json").stdout)
    assert told["reasons"] == ["AppSpecification.ContainerEntrypoint[2] changed: true -> true; true"]


def test_a_step_that_never_was_is_told_with_those_that_were(project: Path) -> None:
    run(project)
    told = mlops(project, "cache", "explain", "Prepaer")
    assert told.returncode == 2
    assert "started no step 'Prepaer'; it started Prepare" in told.stderr
