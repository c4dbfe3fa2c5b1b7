"""The example of the page about cards is what its pipeline, run here, gives."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_line import ROOT, in_this_process

from mlops.account import connect
from mlops.project.environments import read_project
from mlops.use_cases.running import Manner, carry_out, open_source

TRAIN = """
import os, pathlib
print("accuracy 0.75")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("a model")
"""


def customers() -> str:
    """Forty, of whom a quarter left; four have no plan."""
    plans = ["", *["basic", "plus", "none at all"] * 3]
    rows = [
        f"{7000 + at},2026-{1 + at // 31:02}-{1 + at % 31:02},{at + 1},{plans[at % 10]},{int(at % 4 == 0)}"
        for at in range(40)
    ]
    return "\n".join(["customer,since,months,plan,left", *rows]) + "\n"


def test_the_example_of_the_page_is_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "cards.md").read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    declared, gate = (text for language, text in fences if language == "toml")
    (pipeline,) = (text for language, text in fences if language == "python")
    (shown,) = (text for language, text in fences if language == "markdown")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").write_text(declared + gate)
    (tmp_path / "mlops.lock").write_bytes((ROOT / "mlops.lock").read_bytes())
    (tmp_path / "pipeline.py").write_text(pipeline)
    (tmp_path / "train.py").write_text(TRAIN)
    account = connect(read_project(tmp_path).environment("local"))
    account.client("s3").put_object(Bucket="mlops-local", Key="churn/customers.csv", Body=customers().encode())
    chosen = open_source("pipeline.py", {}, (), lambda event: None)
    assert carry_out(chosen, Manner(), lambda event: None).status == "Succeeded"
    mlops = in_this_process(capfd)
    mlops("models", "approve", "churn", "1")

    told = mlops("models", "card", "churn")
    waiting = iter(told.out.splitlines())
    for line in filter(None, shown.splitlines()):
        assert line in waiting, f"{line!r} is not in its place in\n{told.out}"  # in this order
    assert told.err == "nobody has said: evaluation_details\n"

    # What the version itself carries.
    carried = account.client("sagemaker").describe_model_package(ModelPackageName=f"{arn(account)}")["ModelCard"]
    assert carried["ModelCardStatus"] == "Draft"
    content = json.loads(carried["ModelCardContent"])
    assert content["intended_uses"]["risk_rating"] == "Low" and "model_overview" not in content

    refused = mlops("promote", "churn", "--to", "local", "--plan", code=1)
    assert "gate card refuses: its card lacks evaluation_details" in refused.out + refused.err
    # No value of a text, and no private one.
    whole = mlops("models", "card", "churn", "--format", "json").out + mlops("models", "datasheet", "churn").out
    assert not re.search(r"basic|plus|none at all|\b70[0-3][0-9]\b", whole)


def arn(account: object) -> str:
    (found,) = account.client("sagemaker").list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"]  # type: ignore[attr-defined]
    return str(found["ModelPackageArn"])
