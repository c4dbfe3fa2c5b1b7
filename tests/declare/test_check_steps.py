"""QualityCheck and ClarifyCheck: what the constructors write, what they yield, how they are misused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import Opened
from mlops.ir import Severity
from mlops.ir.document import document

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/check"

BASE = f"""
IMAGE = "{IMAGE}"
group = p.string("Group", default="churn")
quick = p.boolean("Quick", default=False)
rate = p.float("Rate", default=0.5)
m = Model("M", model="s3://bkt/model.tar.gz", image=image.sklearn("1.2-1"))
"""
FIRST = 4 + BASE.strip().count("\n") + 1

ENVELOPE = {
    "ModelPackageGroupName": None,
    "SkipCheck": False,
    "FailOnViolation": True,
    "RegisterNewBaseline": False,
    "SuppliedBaselineConstraints": None,
}

CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "the quality of data",
        'DataQualityCheck("Q", data="s3://bkt/d.csv", image=IMAGE, group=group, preprocessor="s3://bkt/code/pre.py")',
        {**ENVELOPE, "CheckType": "DATA_QUALITY", "ModelPackageGroupName": {"Get": "Parameters.Group"}}
        | {"SuppliedBaselineStatistics": None},
        {
            "output_path": "/opt/ml/processing/output",
            "publish_cloudwatch_metrics": "Disabled",
            "dataset_format": '{"csv": {"header": true, "output_columns_position": "START"}}',
            "dataset_source": "/opt/ml/processing/input/baseline_dataset_input",
            "record_preprocessor_script": "/opt/ml/processing/input/record_preprocessor_script_input/pre.py",
        },
    ),
    (
        "the quality of a model",
        'ModelQualityCheck("Q", data="s3://bkt/d.json", problem="BinaryClassification", format="json", image=IMAGE, '
        'prediction=0, probability="$.p", truth="$.y", threshold=0.5, skip=quick, register_baseline=True, '
        'fail_on_violation=False, baseline_statistics="s3://bkt/s.json", baseline_constraints="s3://bkt/c.json")',
        {
            "CheckType": "MODEL_QUALITY",
            "ModelPackageGroupName": None,
            "SkipCheck": {"Get": "Parameters.Quick"},
            "FailOnViolation": False,
            "RegisterNewBaseline": True,
            "SuppliedBaselineConstraints": "s3://bkt/c.json",
            "SuppliedBaselineStatistics": "s3://bkt/s.json",
        },
        {
            "output_path": "/opt/ml/processing/output",
            "publish_cloudwatch_metrics": "Disabled",
            "dataset_format": '{"json": {"lines": true}}',
            "dataset_source": "/opt/ml/processing/input/baseline_dataset_input",
            "analysis_type": "MODEL_QUALITY",
            "problem_type": "BinaryClassification",
            "inference_attribute": "0",
            "probability_attribute": "$.p",
            "ground_truth_attribute": "$.y",
            "probability_threshold_attribute": "0.5",
        },
    ),
    (
        "bias in data",
        'DataBiasCheck("Q", data="s3://bkt/d.csv", config="s3://bkt/analysis_config.json", image=IMAGE, '
        'register_baseline=True, environment={"A": "b"})',
        {**ENVELOPE, "CheckType": "DATA_BIAS", "RegisterNewBaseline": True},
        {"A": "b"},
    ),
    (
        "bias of a model",
        'ModelBiasCheck("Q", data="s3://bkt/d.csv", model=m.model_name, config="s3://bkt/analysis_config.json", '
        "image=IMAGE, skip=True)",
        {**ENVELOPE, "CheckType": "MODEL_BIAS", "SkipCheck": True, "ModelName": {"Get": "Steps.M.ModelName"}},
        {},
    ),
    (
        "a model explained",
        'ExplainabilityCheck("Q", data="s3://bkt/d.csv", model="named", config="s3://bkt/analysis_config.json", '
        "image=IMAGE, group=group)",
        {**ENVELOPE, "CheckType": "MODEL_EXPLAINABILITY", "ModelName": "named"}
        | {"ModelPackageGroupName": {"Get": "Parameters.Group"}},
        {},
    ),
]

QUALITY = 'q = DataQualityCheck("Q", data="s3://bkt/d.csv", image=IMAGE, skip=True, group="churn")\n'
BIAS = (
    'q = DataBiasCheck("Q", data="s3://bkt/d.csv", config="s3://bkt/c.json", image=IMAGE, skip=True, group="churn")\n'
)

REFERENCES = [
    (QUALITY, "statistics", "CalculatedBaselineStatistics"),
    (QUALITY, "constraints", "CalculatedBaselineConstraints"),
    (QUALITY, "statistics_for_drift", "BaselineUsedForDriftCheckStatistics"),
    (QUALITY, "constraints_for_drift", "BaselineUsedForDriftCheckConstraints"),
    (BIAS, "constraints", "CalculatedBaselineConstraints"),
    (BIAS, "constraints_for_drift", "BaselineUsedForDriftCheckConstraints"),
]

MISUSES = [
    ("no data", 'DataQualityCheck("Q", image=IMAGE)', "D041", "data"),
    ("a format that there is not", 'DataQualityCheck("Q", data="s3://bkt/d", format="xml")', "D042", "format"),
    ("a number for a flag", 'DataQualityCheck("Q", data="s3://bkt/d", skip=1)', "D042", "True or False"),
    ("a float parameter as a flag", 'DataQualityCheck("Q", data="s3://bkt/d", skip=rate)', "D042", "Rate"),
    ("a near miss", 'DataQualityCheck("Q", data="s3://bkt/d", preprocesor="prepare.py")', "D040", "preprocessor"),
    ("a near miss of what all checks take", 'DataQualityCheck("Q", data="s3://bkt/d", skp=True)', "D040", "skip"),
    ("statistics of a bias check", BIAS + "q.statistics", "D031", "constraints"),
    ("a problem that is none", 'ModelQualityCheck("Q", data="s3://bkt/d", problem=3)', "D042", "problem"),
    ("a model check without a model", 'ModelBiasCheck("Q", data="s3://bkt/d", config="s3://bkt/c")', "D041", "model"),
    (
        "a trained model in place of a created one",
        'ExplainabilityCheck("Q", data="s3://bkt/d", config="s3://bkt/c", model=Training("T", image=IMAGE).model)',
        "D042",
        "the trained model of T",
    ),
    (
        "a local file that is not there",
        'DataBiasCheck("Q", data="s3://bkt/d", config="c.json", group="g")',
        "D052",
        "c.json",
    ),
]


@pytest.mark.parametrize(
    ("line", "members", "variables"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_check_writes(
    declare: Callable[..., Opened], line: str, members: dict[str, Any], variables: dict[str, str]
) -> None:
    opened = declare(BASE + line)
    assert [finding for finding in opened.findings if finding.severity is not Severity.INFO] == []
    written = document(opened.pipelines[0].definition)["Steps"][-1]
    arguments = written.pop("Arguments")
    assert {key: value for key, value in written.items() if key not in ("Name", "Type")} == members
    assert arguments.get("Environment", {}) == variables


@pytest.mark.parametrize(("step", "attribute", "path"), REFERENCES)
def test_a_check_yields(declare: Callable[..., Opened], step: str, attribute: str, path: str) -> None:
    opened = declare(BASE + step + f'Fail("End", join("it was ", q.{attribute}))')
    assert [finding for finding in opened.findings if finding.severity is not Severity.INFO] == []
    message = document(opened.pipelines[0].definition)["Steps"][-1]["Arguments"]["ErrorMessage"]
    assert message["Std:Join"]["Values"][1] == {"Get": f"Steps.Q.{path}"}


@pytest.mark.parametrize(("line", "code", "word"), [case[1:] for case in MISUSES], ids=[case[0] for case in MISUSES])
def test_a_misuse_is_told_with_its_line(declare: Callable[..., Opened], line: str, code: str, word: str) -> None:
    opened = declare(BASE + line)
    errors = [finding for finding in opened.findings if finding.severity is Severity.ERROR]
    assert {finding.code for finding in errors} == {code}, errors
    assert FIRST <= (errors[0].where.line or 0) <= FIRST + line.count("\n")
    assert any(word in f"{error.message} {error.help}" for error in errors), errors


def test_local_files_are_shipped(declare: Callable[..., Opened], tmp_path: Path) -> None:
    (tmp_path / "analysis_config.json").write_text(json.dumps({"methods": {}}))
    (tmp_path / "data.csv").write_text("1,2\n")
    opened = declare(
        BASE + 'DataBiasCheck("Q", data="data.csv", config="analysis_config.json", image=IMAGE, skip=True)'
    )
    assert opened.pipelines[0].ok, opened.findings
    step = document(opened.pipelines[0].definition)["Steps"][-1]
    ends = [item["S3Input"]["S3Uri"].rpartition("/")[2] for item in step["Arguments"]["ProcessingInputs"]]
    assert ends == ["analysis_config.json", "data.csv"]
    shipped = {name for asset in opened.pipelines[0].definition.assets for name, _ in asset.files}
    assert shipped == {"analysis_config.json", "data.csv"}
