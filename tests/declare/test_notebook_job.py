"""NotebookJob: a Training step as the notebook scheduler wants it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.check.sources import Opened
from mlops.ir import Severity
from mlops.ir.document import document

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:1-cpu"


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    (tmp_path / "my report.ipynb").write_text("{}")
    (tmp_path / "setup.sh").write_text("true\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.py").write_text("a = 1\n")
    return tmp_path


def test_the_job_and_its_files(declare: Callable[..., Opened], notebook: Path) -> None:
    opened = declare(
        f'n = NotebookJob("N", notebook="my report.ipynb", image="{IMAGE}", parameters={{"day": "mon", "depth": 3}}, '
        'script="setup.sh", files=["lib"], environment={"A": "b"}, tags={"team": "x"}, '
        'instance="ml.m5.large")\nFail("F", join(n.output, n.job_name))'
    )
    assert [finding for finding in opened.findings if finding.severity is not Severity.INFO] == []
    (asset,) = opened.pipelines[0].definition.assets
    assert [name for name, _ in asset.files] == ["lib/a.py", "my report.ipynb", "setup.sh"]
    step = document(opened.pipelines[0].definition)["Steps"][0]
    assert step["Type"] == "Training"
    arguments = step["Arguments"]
    assert arguments["AlgorithmSpecification"]["ContainerEntrypoint"] == ["amazon_sagemaker_scheduler"]
    (channel,) = arguments["InputDataConfig"]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == f"{asset.uri}/"
    assert arguments["HyperParameters"] == {"day": "mon", "depth": "3"}
    assert arguments["Environment"] == {
        "A": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SM_JOB_DEF_VERSION": "1.0",
        "SM_ENV_NAME": "sagemaker-default-env",
        "SM_SKIP_EFS_SIMULATION": "true",
        "SM_EXECUTION_INPUT_PATH": "/opt/ml/input/data/sagemaker_headless_execution_pipelinestep",
        "SM_KERNEL_NAME": "python3",
        "SM_INPUT_NOTEBOOK_NAME": "my report.ipynb",
        "SM_OUTPUT_NOTEBOOK_NAME": "my-report.ipynb",
        "SM_INIT_SCRIPT": "setup.sh",
    }
    assert {tag["Key"]: tag["Value"] for tag in arguments["Tags"]} == {
        "team": "x",
        "sagemaker:name": "my-report",
        "sagemaker:notebook-name": "my report.ipynb",
        "sagemaker:notebook-job-origin": "PIPELINE_STEP",
        "sagemaker:is-studio-archived": "false",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ('notebook="absent.ipynb"', "D052", "absent.ipynb"),
        ('notebook="my report.ipynb", files=["lib", "other/lib"]', "D053", "one file lib/a.py"),
        ('notebook="my report.ipynb", volume="30"', "D042", "volume"),
        ("kernel='python3'", "D041", "notebook"),
    ],
    ids=["no such notebook", "two files of one name", "a volume as text", "no notebook"],
)
def test_misuse(declare: Callable[..., Opened], notebook: Path, arguments: str, code: str, word: str) -> None:
    (notebook / "other" / "lib").mkdir(parents=True)
    (notebook / "other" / "lib" / "a.py").write_text("a = 2\n")
    opened = declare(f'NotebookJob("N", image="{IMAGE}", {arguments})')
    errors = [finding for finding in opened.findings if finding.severity is Severity.ERROR]
    assert {finding.code for finding in errors} == {code}, errors
    assert errors[0].where.line == 4
    assert word in f"{errors[0].message} {errors[0].help}"
