"""A second judge of the jobs: the SDK's definition of ``sdk_jobs.py`` and ours of ``jobs.py``, member by member."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.oracle.test_sdk_oracle import HERE, differences, printed

pytestmark = [
    pytest.mark.proof("sdk"),
    pytest.mark.slow,
]

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
    found = {BEST_MODEL if at.startswith(BEST_MODEL) else at for at, _, _ in differences(ours, theirs)}
    assert found == set(DIFFERENCES)
