"""A second judge of the jobs: the SDK's definition of ``sdk_jobs.py`` and ours of ``jobs.py``, member by member."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("sagemaker") is None, reason="the official SDK is not installed"),
]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

ENVIRONMENT = """
[env.staging]
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
prefix = "mlops"
instance = "ml.m5.large"
"""

BEST_MODEL = "/Steps/4/Arguments/IfSteps/0/Arguments/ErrorMessage/Std:Join/Values"

DIFFERENCES = {
    "/MlflowConfig": "SDK 3 writes null where no tracking server is named (sagemaker/mlops/workflow/pipeline.py)",
    "/Steps/0/Arguments/ProcessingInputs/1/DatasetDefinition": (
        "SDK 3 loses the query and sends an input without a source (sagemaker/core/processing.py)"
    ),
    BEST_MODEL: "SDK 3 wants bucket and prefix again; here the step itself tells where it has put its models",
}


def test_the_sdk_says_the_same_of_jobs_apart_from_the_listed(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text(ENVIRONMENT)
    (tmp_path / "jobs.py").write_bytes((HERE / "jobs.py").read_bytes())
    compile_ours = [sys.executable, "-m", "mlops", "compile", "jobs.py", "--env", "staging", "-o", "-"]
    ours = printed(compile_ours, tmp_path)
    theirs = printed([sys.executable, str(HERE / "offline_aws.py"), str(HERE / "sdk_jobs.py")], tmp_path)
    found = {BEST_MODEL if at.startswith(BEST_MODEL) else at for at in differences(ours, theirs)}
    assert found == set(DIFFERENCES)


def printed(command: list[str], folder: Path) -> Any:
    """What a program prints as JSON. It has credentials that open nothing, and no other settings of AWS."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAGEMAKER_"))}
    environment |= {
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(left: Any, right: Any, at: str = "") -> Iterator[str]:
    """Pointers where two documents differ; ``1`` is not ``1.0``, and an absent member is not null."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in {**left, **right}:
            if key in left and key in right:
                yield from differences(left[key], right[key], f"{at}/{key}")
            else:
                yield f"{at}/{key}"
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            if index < len(left) and index < len(right):
                yield from differences(left[index], right[index], f"{at}/{index}")
            else:
                yield f"{at}/{index}"
    elif json.dumps(left) != json.dumps(right):
        yield at
