"""A file of the official SDK uses the environment's bucket where it names none, and makes none."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from command_line import in_this_process

pytestmark = [pytest.mark.proof("sdk"), pytest.mark.slow]

TOML = """
[env.moto]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
endpoint_url = "URL"
"""
FILE = """\
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:4"


def get_pipeline(region=None, role=None, default_bucket=None):
    assert region == "us-east-1" and role.endswith(":role/pipelines") and default_bucket == "acme-ml"
    session = PipelineSession(default_bucket=NAMED)
    processor = ScriptProcessor(
        image_uri=IMAGE, command=["python3"], instance_type="ml.m5.large", instance_count=1, role=role,
        sagemaker_session=session,
    )
    step = ProcessingStep("Prep", step_args=processor.run(code="prep.py"))
    return Pipeline(name="prep", steps=[step], sagemaker_session=session)
"""


def boto(service: str, url: str) -> Any:
    return boto3.client(service, endpoint_url=url, region_name="us-east-1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_url: str) -> Path:
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    (tmp_path / "mlops.toml").write_text(TOML.replace("URL", moto_url))
    (tmp_path / "prep.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    boto("s3", moto_url).create_bucket(Bucket="acme-ml")
    return tmp_path


@pytest.mark.parametrize(
    ("named", "buckets"),
    [("None", {"acme-ml"}), ("default_bucket", {"acme-ml"}), ('"acme-ml-tyop"', None)],
    ids=["none", "what it is given", "one that is not there"],
)
def test_what_it_uploads_goes_to_a_bucket_that_is_there(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str, named: str, buckets: set[str] | None
) -> None:
    (project / "pipeline.py").write_text(FILE.replace("NAMED", named))
    mlops, s3 = in_this_process(capfd), boto("s3", moto_url)
    planned = mlops("plan", "pipeline.py", "--env", "moto", code=0 if buckets else 1)
    told = mlops("upsert", "pipeline.py", "--env", "moto", code=0 if buckets else 1)
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["acme-ml"]
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="acme-ml").get("Contents", ())]
    if buckets is None:
        assert "refused: the bucket acme-ml-tyop" in planned.out
        assert "acme-ml-tyop" in told.err and "nothing was written" in told.err
        assert keys == []
        return
    assert [key for key in keys if key.endswith("/prep.py")]
    assert all(f"s3://acme-ml/{key}" in planned.out for key in keys if not key.startswith("mlops/"))


LOCAL_NAMES = re.compile(r"000000000000|mlops-local")


def test_a_program_of_it_names_no_role_of_the_local_account_and_the_code_of_the_project(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "pipeline.py").write_text(FILE.replace("NAMED", "default_bucket").replace("    assert", "    0 and"))
    mlops = in_this_process(capfd)
    written = mlops("emit", "python", "pipeline.py").out
    assert '"code": "prep.py"' in written
    assert not LOCAL_NAMES.search(written)
    (project / "own.py").write_text(written)
    assert "D109" not in mlops("check", "own.py", "--env", "moto").out
    (project / "pipeline.py").write_text(
        FILE.replace("NAMED", "default_bucket")
        .replace("    assert", "    0 and")
        .replace('code="prep.py"', 'code="prep.py", arguments=[f"s3://{default_bucket}/x"]')
    )
    told = mlops("emit", "python", "pipeline.py")
    assert 'join("s3://", environment.bucket, "/x")' in told.out and not LOCAL_NAMES.search(told.out + told.err)
    (project / "own.py").write_text(told.out)
    assert "s3://acme-ml/x" in mlops("compile", "own.py", "--env", "moto", "-o", "-").out
    assert '"s3://acme-ml/x"' in mlops("emit", "python", "pipeline.py", "--env", "moto").out
