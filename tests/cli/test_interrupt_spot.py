"""``mlops run --interrupt-spot`` as a process of its own, over a definition in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import in_this_process

SCRIPT = """
base=${SAGEMAKER_BASE_DIR:-/opt/ml}
if [ -e $base/checkpoints/epoch ]; then echo goes on; exit 0; fi
echo 1 > $base/checkpoints/epoch
exec sleep 30
"""
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def definition(spot: bool) -> str:
    arguments: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", SCRIPT],
        },
        "OutputDataConfig": {"S3OutputPath": "s3://mlops-local/models"},
        "CheckpointConfig": {"S3Uri": "s3://mlops-local/checkpoints"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5},
        "RoleArn": "arn:aws:iam::000000000000:role/pipelines",
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, **({"MaxWaitTimeInSeconds": 90} if spot else {})},
        "EnableManagedSpotTraining": spot,
    }
    steps = [{"Name": "Train", "Type": "Training", "Arguments": arguments}]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})


def mlops(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parent.parent.parent)
    code = f"import sys; sys.path.insert(0, {root!r}); from mlops.cli import run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mlops.toml").write_text("[project]\n")
    (tmp_path / "spot.json").write_text(definition(True))
    (tmp_path / "plain.json").write_text(definition(False))
    return tmp_path


@pytest.mark.proof("deep")
def test_a_run_that_is_interrupted(project: Path) -> None:
    told = mlops(project, "run", "spot.json", "--interrupt-spot", "Train=0.1", "--format", "json")
    assert told.returncode == 0, told.stderr
    log = mlops(project, "executions", "logs", json.loads(told.stdout)["id"], "Train").stdout
    # Of both hosts.
    assert log.count("goes on") == 2 and log.count("the instances are taken away") == 2


@pytest.mark.parametrize(
    ("target", "wish", "message"),
    [
        ("spot.json", "Trian", "there is no step 'Trian' to interrupt; the steps are Train"),
        ("spot.json", "Train=soon", "'Train=soon' is no STEP or STEP=SECONDS"),
        ("spot.json", "Train=-1", "Train cannot be without instances for -1 seconds"),
        ("spot.json", "Train=inf", "Train cannot be without instances for inf seconds"),
        ("plain.json", "Train", "Train has no spot instances that could be taken away"),
    ],
)
def test_wishes_that_make_no_sense(
    project: Path,
    target: str,
    wish: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "200")
    assert message in in_this_process(capfd)("run", target, "--interrupt-spot", wish, code=2).err
