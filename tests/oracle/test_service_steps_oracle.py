"""A second judge of the steps that call services: the official SDK's definition of the same ones, member by member."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.test_sdk_oracle import ENVIRONMENT, HERE, ROOT, differences, printed

pytestmark = [
    pytest.mark.proof("sdk"),
    pytest.mark.xdist_group("sdk"),
]

DIFFERENCES = {
    r"Configure/Arguments/ProductionVariants/0/InitialVariantWeight": (
        "production_variant() spells the service's default out (sagemaker/core/helper/session_helper.py)"
    ),
    r"Serve/Arguments/Tags": "create_endpoint() writes an empty list where there are no tags (the same file)",
    r"(Data|Model)(Quality|Bias)/Arguments/ProcessingInputs/\d/S3Input/S3(DataDistributionType|CompressionType)": (
        "SDK 3 leaves two of the service's defaults out, SDK 2 does not (workflow/_check_job_request.py)"
    ),
    r"Explain/Arguments/ProcessingInputs/\d/S3Input/S3(DataDistributionType|CompressionType)": "the same",
    r"Report/Arguments/InputDataConfig/0/DataSource/S3DataSource/S3Uri": (
        "the notebook's folder has a content address here and a time there"
    ),
    r"Report/Arguments/OutputDataConfig/S3OutputPath/Std:Join/Values/\d": (
        "the same URI, its beginning in one part there and in three here"
    ),
}
"""Step and pointer of a member that differs, and why."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """What we write, and what the SDK writes."""
    folder = tmp_path_factory.mktemp("services")
    shutil.copy(HERE / "service_steps.py", folder)
    shutil.copy(ROOT / "mlops.lock", folder)
    (folder / "mlops.toml").write_text(ENVIRONMENT)
    (folder / "report.ipynb").write_text("{}")
    (folder / "setup.sh").write_text("true\n")
    ours = [sys.executable, "-m", "mlops", "compile", "service_steps.py", "--env", "staging", "-o", "-"]
    theirs = [sys.executable, str(HERE / "offline_aws.py"), str(HERE / "sdk_service_steps.py")]
    return printed(ours, folder), printed(theirs, folder)


def test_the_sdk_says_the_same_apart_from_the_listed(written: tuple[Any, Any]) -> None:
    ours, theirs = written
    names = [step["Name"] for step in ours["Steps"]]
    found = {re.sub(r"^/Steps/(\d+)", lambda place: names[int(place[1])], at) for at, _, _ in differences(ours, theirs)}
    unlisted = {at for at in found if not any(re.fullmatch(known, at) for known in DIFFERENCES)}
    assert unlisted == set()
    assert [known for known in DIFFERENCES if not any(re.fullmatch(known, at) for at in found)] == []


def test_every_type_is_compared(written: tuple[Any, Any]) -> None:
    def types(steps: list[Any]) -> set[str]:
        inner = (
            item
            for step in steps
            for member in ("IfSteps", "ElseSteps", "ForEachBody")
            for item in step["Arguments"].get(member, ())
        )
        return {step["Type"] for step in (*steps, *inner)}

    assert types(written[0]["Steps"]) == {
        "Callback",
        "ClarifyCheck",
        "Cleanup",
        "Condition",
        "EMR",
        "EMRServerless",
        "Endpoint",
        "EndpointConfig",
        "Fail",
        "ForEach",
        "InferenceComponent",
        "Job",
        "Lambda",
        "Lineage",
        "QualityCheck",
        "Training",
    }


def test_what_is_written_is_sound() -> None:
    from mlops.check.sources import open_targets
    from mlops.ir import Severity

    opened = open_targets([str(Path(HERE / "service_steps.py"))], "local", definitions=False)
    found = [finding for finding in opened.findings if finding.code != "D052"]
    assert [finding for finding in found if finding.severity is not Severity.INFO] == []
