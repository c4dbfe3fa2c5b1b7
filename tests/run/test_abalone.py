"""Amazon's own Abalone pipeline, as SDK 2.257.7 prints it of aws/amazon-sagemaker-examples@2d519b52c3a2
``sm-pipelines_preprocess_train_evaluate_batch_transform.ipynb``, runs here unchanged.

Data of its columns are made up, and so are the two scripts: they do what the notebook says that its own do.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account

from mlops.check.here import cannot_run
from mlops.ir import Placed
from mlops.ir.reader import read

pytestmark = pytest.mark.proof("algorithms")

FILE = Path(__file__).parent / "definitions" / "abalone.json"
BUCKET = "s3://sagemaker-us-east-1-123456789012"

PREPARE = """
import pathlib
import numpy

base = pathlib.Path("/opt/ml/processing")
lines = (base / "input" / "abalone-dataset.csv").read_text().splitlines()
rows = []
for line in lines:
    sex, *numbers = line.split(",")
    *features, rings = map(float, numbers)
    rows.append([rings, *features, *(float(sex == one) for one in "MFI")])
table = numpy.array(rows)
table[:, 1:8] = (table[:, 1:8] - table[:, 1:8].mean(axis=0)) / table[:, 1:8].std(axis=0)
parts = numpy.split(table, [int(0.7 * len(table)), int(0.85 * len(table))])
for name, part in zip(("train", "validation", "test"), parts):
    (base / name).mkdir(exist_ok=True)
    numpy.savetxt(base / name / f"{name}.csv", part, delimiter=",")
"""

EVALUATE = """
import json, pathlib, pickle, tarfile
import numpy, xgboost

base = pathlib.Path("/opt/ml/processing")
with tarfile.open(base / "model" / "model.tar.gz") as archive:
    archive.extractall(path=".")
model = pickle.load(open("xgboost-model", "rb"))
table = numpy.loadtxt(base / "test" / "test.csv", delimiter=",")
mse = float(numpy.mean((table[:, 0] - model.predict(xgboost.DMatrix(table[:, 1:]))) ** 2))
report = {"regression_metrics": {"mse": {"value": mse, "standard_deviation": mse**0.5}}}
(base / "evaluation" / "evaluation.json").write_text(json.dumps(report))
"""


def abalones(count: int) -> str:
    """Sex, seven measures, rings."""
    chance = random.Random(11)
    lines = []
    for _ in range(count):
        length = chance.uniform(0.1, 0.8)
        weight = length**3 * 5
        measures = [length, length * 0.8, length * 0.3, weight, weight * 0.4, weight * 0.2, weight * 0.3]
        rings = max(1, round(3 + 12 * length + chance.gauss(0, 1)))
        lines.append(",".join([chance.choice("MFI"), *(f"{value:.4f}" for value in measures), str(rings)]))
    return "\n".join(lines) + "\n"


def placed_steps(text: str) -> list[Placed]:
    definition, findings = read(text)
    assert definition is not None and not findings
    return list(definition.placed())


def test_it_runs_to_the_end_and_registers_a_model(account: Account) -> None:
    text = FILE.read_text(encoding="utf-8")
    document = json.loads(text)
    definition, _ = read(text)
    assert definition is not None
    for item in placed_steps(text):
        request: Any = item.step.arguments
        for given in request.get("ProcessingInputs", ()):
            if given["InputName"] == "code":
                uri = given["S3Input"]["S3Uri"]
                account.objects.write(uri, PREPARE if uri.endswith("preprocessing.py") else EVALUATE)
    account.objects.write(f"{BUCKET}/abalone/abalone-dataset.csv", abalones(400))
    # The notebook gives no content type, which the container takes for libsvm.
    batch = "".join(" ".join(f"{number}:{0.1 * number * row:.2f}" for number in range(10)) + "\n" for row in range(5))
    account.objects.write(f"{BUCKET}/abalone/abalone-dataset-batch", f"0 {batch}")
    given = {item["Name"]: item["DefaultValue"] for item in document["Parameters"]}
    assert account.run(*definition.steps, parameters=given) == "Succeeded", account.journal.ended()
    ended = account.journal.ended()
    assert ended.pop("AbaloneMSEFail", "Succeeded") == "Succeeded"
    assert set(ended.values()) == {"Succeeded"}
    assert {"AbaloneTrain", "AbaloneEval", "AbaloneRegisterModel-RegisterModel", "AbaloneTransform"} <= set(ended)
    assert "\tvalidation-rmse:" in account.journal.log("AbaloneTrain")
    package = account.journal.last("AbaloneRegisterModel-RegisterModel").response
    registered = account.registry.package(package["ModelPackageArn"])
    assert registered["ModelApprovalStatus"] == "PendingManualApproval"
    assert registered["ModelPackageGroupName"] == "AbaloneModelPackageGroupName"
    answers = account.objects.read(f"{BUCKET}/AbaloneTransform/abalone-dataset-batch.out")
    assert len([float(line) for line in answers.decode().split()]) == 5
    evaluation = account.objects.read(registered["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"])
    assert json.loads(evaluation)["regression_metrics"]["mse"]["value"] < 6


def test_nothing_of_it_is_told_to_be_impossible() -> None:
    from ports_for_tests import checked

    definition, _ = read(FILE.read_text(encoding="utf-8"))
    assert definition is not None
    assert list(cannot_run(checked(*definition.steps))) == []
