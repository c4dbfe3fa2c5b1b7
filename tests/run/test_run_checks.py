"""QualityCheck and ClarifyCheck steps: the lifecycle of their baselines as a table, and whole executions with real jobs
and a served model."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from ports_for_tests import ROLE, SPECIFICATION, Account, Registry, checked, step, tar_gz

from mlops.check.here import cannot_run
from mlops.ir import Ref, Step
from mlops.knowledge.baselines import NoGroup
from mlops.run.baselines import check_of
from mlops.run.outcome import StepFailed
from mlops.run.ports import RequestRefused

CSV = '{"csv": {"header": true}}'
INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
RESULTS = "s3://bucket/results"
JOB = "arn:aws:sagemaker:eu-west-1:000000000000:processing-job/j"
SUPPLIED = {f"SuppliedBaseline{part}": f"s3://bucket/old/{part.lower()}.json" for part in ("Statistics", "Constraints")}
NEW = {"Statistics": f"{RESULTS}/statistics.json", "Constraints": f"{RESULTS}/constraints.json"}
OLD = {part: f"s3://bucket/old/{part.lower()}.json" for part in NEW}


def get(expression: str) -> dict[str, str]:
    return {"Get": expression}


def used(files: dict[str, str], prefix: str = "BaselineUsedForDriftCheck") -> dict[str, str]:
    return {f"{prefix}{part}": uri for part, uri in files.items()}


def test_the_lifecycle_of_a_baseline(account: Account) -> None:
    """Each row of the developer guide's table, with what becomes of a violation."""
    for row in product((False, True), (False, True), (None, False, True), (False, True)):
        one_life(account, *row)


def one_life(account: Account, skip: bool, register: bool, fail: bool | None, violated: bool) -> None:
    members = {"CheckType": "DATA_QUALITY", "SkipCheck": skip, "RegisterNewBaseline": register, "FailOnViolation": fail}
    check = check_of("QualityCheck", {**members, **SUPPLIED}, RESULTS, account.registry)
    assert check.compared == ({} if skip else OLD)
    assert check.response == used(NEW, "CalculatedBaseline") | used(NEW if register else OLD)
    found = ["age: data_type_check: No."] if violated and not skip else []
    outcome = check.ended(JOB, found)
    told = {"CheckType": "DATA_QUALITY", "CheckJobArn": JOB, "SkipCheck": skip, "RegisterNewBaseline": register}
    report = {"ViolationReport": f"{RESULTS}/constraint_violations.json"} if found else {}
    assert outcome.metadata == {"QualityCheck": told | check.response | report}
    if found and fail is not False:
        assert outcome.status == "Failed"
        assert outcome.failure == (
            f"ClientError: Quality check failed. See violation report: {RESULTS}/constraint_violations.json "
            "(age: data_type_check: No.)"
        )
    else:
        assert (outcome.status, outcome.failure, outcome.response) == ("Succeeded", None, check.response)


def registered(registry: Registry, approval: str, **baselines: Any) -> None:
    registry.create(
        "CreateModelPackage",
        {
            "ModelPackageGroupName": "churn",
            "InferenceSpecification": SPECIFICATION,
            "ModelApprovalStatus": approval,
            **({"DriftCheckBaselines": baselines} if baselines else {}),
        },
    )


def leaf(uri: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": uri}


GROUP = {"ModelPackageGroupName": "churn"}


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "there is neither SuppliedBaselineConstraints nor"),
        ({"SkipCheck": True}, "there is neither"),
        ({"SkipCheck": True, "RegisterNewBaseline": True}, None),
        ({"SkipCheck": True, "RegisterNewBaseline": True, "SuppliedBaselineConstraints": ""}, None),
        ({"SuppliedBaselineConstraints": ""}, "there is neither"),
        (SUPPLIED, None),
        ({"SuppliedBaselineConstraints": "base.json"}, "SuppliedBaselineConstraints is 'base.json', not an s3:// URI"),
        (GROUP, "does not exist"),
        ({**GROUP, "SkipCheck": Ref("Parameters.Skip")}, None),
        ({"ModelPackageGroupName": Ref("Parameters.Group")}, None),
    ],
)
def test_a_baseline_that_is_missing_is_told_before_in_the_words_of_the_run(
    account: Account, members: dict[str, Any], told: str | None
) -> None:
    given = {"CheckType": "DATA_QUALITY", **members}
    check = Step("Check", "QualityCheck", {}, members=given)

    def latest(group: str) -> Any:
        try:
            return account.registry.latest_approved(group)
        except RequestRefused as refused:
            raise NoGroup(str(refused)) from None

    found = [item.message for item in cannot_run(checked(check), latest=latest)]
    assert (told is None and found == []) or (told is not None and told in found[0]), found
    if found and "base.json" not in found[0]:
        with pytest.raises(StepFailed) as refused:
            check_of("QualityCheck", given, RESULTS, account.registry)
        assert str(refused.value) == found[0]


def test_a_version_that_a_step_before_may_register_brings_a_baseline() -> None:
    members = {"CheckType": "DATA_QUALITY", **GROUP, "DependsOn": ("Before",)}
    for before, count in (("RegisterModel", 0), ("Lambda", 0), ("Processing", 1)):
        steps = Step("Before", before, {}), Step("Check", "QualityCheck", {}, members=members)
        found = [item for item in cannot_run(checked(*steps), latest=lambda group: None) if item.step == "Check"]
        assert len(found) == count, before


def test_where_the_previous_baseline_comes_from(account: Account) -> None:
    quality = {"ModelDataQuality": {part: leaf(f"s3://v1/{part.lower()}.json") for part in NEW}}
    bias = {
        "Bias": {"PreTrainingConstraints": leaf("s3://v1/pre.json"), "PostTrainingConstraints": leaf("s3://v1/post")}
    }
    group: dict[str, Any] = {"ModelPackageGroupName": "churn"}

    def found(check: str, **members: Any) -> Any:
        kind = "QualityCheck" if check.endswith("QUALITY") else "ClarifyCheck"
        return check_of(kind, {"CheckType": check, **members}, RESULTS, account.registry).before

    with pytest.raises(StepFailed, match="there is neither SuppliedBaselineConstraints nor ModelPackageGroupName"):
        found("DATA_QUALITY", SuppliedBaselineConstraints="")
    with pytest.raises(
        StepFailed, match=r"no previous baseline: ModelPackageGroup .* does not exist\. A first execution"
    ):
        found("DATA_QUALITY", **group)
    registered(account.registry, "PendingManualApproval", **quality)
    with pytest.raises(
        StepFailed, match=r"no version of churn is approved, or .* DriftCheckBaselines\.ModelDataQuality"
    ):
        found("DATA_QUALITY", **group)
    registered(account.registry, "Approved", **quality, **bias)
    registered(account.registry, "Rejected", Explainability={"Constraints": leaf("s3://v3/analysis.json")})
    here = {part: f"s3://v1/{part.lower()}.json" for part in NEW}
    arn = "arn:aws:sagemaker:eu-west-1:000000000000:model-package-group/churn"
    assert found("DATA_QUALITY", **group) == found("DATA_QUALITY", ModelPackageGroupName=arn) == here
    assert found("DATA_QUALITY", **group, **SUPPLIED) == OLD
    supplied = {"SuppliedBaselineConstraints": "s3://b/c.json"}
    assert found("DATA_QUALITY", **group, **supplied) == {**here, "Constraints": "s3://b/c.json"}
    assert found("DATA_BIAS", **group) == {"Constraints": "s3://v1/pre.json"}
    assert found("MODEL_BIAS", **group) == {"Constraints": "s3://v1/post"}
    with pytest.raises(StepFailed, match=r"DriftCheckBaselines\.Explainability\.Constraints"):
        found("MODEL_EXPLAINABILITY", **group, SkipCheck=True)
    assert found("MODEL_EXPLAINABILITY", **group, SkipCheck=True, RegisterNewBaseline=True) == {}
    registered(account.registry, "Approved")
    with pytest.raises(StepFailed, match="the latest approved one has no DriftCheckBaselines"):
        found("DATA_QUALITY", **group)


def job(output: str, results: str, inputs: dict[str, str], **environment: str) -> dict[str, Any]:
    return {
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingInputs": [
            {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": f"{INPUT}/{name}"}}
            for name, uri in inputs.items()
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": output, "S3Output": {"S3Uri": results, "LocalPath": OUTPUT}}]
        },
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"}},
        "Environment": environment,
        "RoleArn": ROLE,
    }


def quality(account: Account, name: str, rows: str, **members: Any) -> Step:
    data = account.objects.write(f"s3://bucket/{name}/rows.csv", rows)
    place = "baseline_dataset_input"
    variables = {"dataset_format": CSV, "dataset_source": f"{INPUT}/{place}", "output_path": OUTPUT}
    request = job("quality_check_output", f"s3://bucket/{name}/results/", {place: data}, **variables)
    return step("QualityCheck", name, request, CheckType="DATA_QUALITY", **members)


def test_data_that_drifted_fail_the_step_and_say_why(account: Account) -> None:
    first = "age,plan\n" + "".join(f"{20 + number % 50},{'ab'[number % 2]}\n" for number in range(200))
    then = "age,plan\n" + "".join(f"{60 + number % 50},{'ac'[number % 2]}\n" for number in range(200))
    baseline = quality(account, "Before", first, SkipCheck=True, RegisterNewBaseline=True)
    supplied = {f"SuppliedBaseline{part}": get(f"Steps.Before.BaselineUsedForDriftCheck{part}") for part in NEW}
    now = quality(account, "Now", then, DependsOn=["Before"], **supplied)
    assert account.run(baseline, now) == "Failed"
    assert account.journal.last("Before").status == "Succeeded", account.journal.last("Before").failure
    ended = account.journal.last("Now")
    report = "s3://bucket/Now/results/constraint_violations.json"
    assert ended.failure is not None
    assert ended.failure.startswith(f"ClientError: Quality check failed. See violation report: {report} (")
    told = [(item["feature_name"], item["constraint_check_type"]) for item in document(account, report)["violations"]]
    drift, new = "baseline_drift_check", "categorical_values_check"
    assert told == [("age", drift), ("plan", new), ("plan", drift)]
    assert "\nplan: categorical_values_check: " in account.journal.log("Now")
    assert ended.metadata["QualityCheck"]["ViolationReport"] == report
    [described] = [found for name, found in account.registry.jobs.items() if "-Now-" in name]
    assert described["ProcessingJobStatus"] == "Completed"
    assert described["ExitMessage"] == "CompletedWithViolations: Job completed successfully with 3 violations."
    assert ended.metadata["QualityCheck"]["CheckJobArn"] == described["ProcessingJobArn"]


def test_a_job_with_the_monitors_image_runs_without_a_command(account: Account) -> None:
    image = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
    check = quality(account, "Suggest", "age\n1\n2\n")
    arguments: Any = check.arguments
    request = {**arguments, "AppSpecification": {"ImageUri": image}}
    assert account.run(Step("Suggest", "Processing", request, {})) == "Succeeded", account.journal.last(
        "Suggest"
    ).failure
    [feature] = document(account, "s3://bucket/Suggest/results/constraints.json")["features"]
    assert (feature["name"], feature["inferred_type"]) == ("age", "Integral")


def document(account: Account, uri: str) -> Any:
    return json.loads(account.objects.read(uri))


HANDLER = """
def model_fn(model_dir):
    return None

def predict_fn(data, model):
    return [[float(row[0] > 40)] for row in data]
"""


def model_bias(account: Account, name: str, config: dict[str, Any], **members: Any) -> Step:
    rows = "label,age,sex\n" + "".join(f"{number % 2},{20 + number % 50},{number % 3 // 2}\n" for number in range(120))
    inputs = {
        "analysis_config": account.objects.write(f"s3://bucket/{name}/config/analysis_config.json", json.dumps(config)),
        "dataset": account.objects.write(f"s3://bucket/{name}/data/rows.csv", rows),
    }
    request = job("analysis_result", f"s3://bucket/{name}/results", inputs)
    return step("ClarifyCheck", name, request, CheckType="MODEL_BIAS", **members)


CONFIG = {
    "dataset_type": "text/csv",
    "label": "label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": [1]}],
    "methods": {"post_training_bias": {"methods": ["DPPL", "AD"]}, "report": {"name": "report"}},
    "predictor": {"model_name": "set-by-the-service"},
}


def test_a_model_served_here_is_asked(account: Account) -> None:
    account.objects.write("s3://bucket/model.tar.gz", tar_gz({"code/inference.py": HANDLER}))
    account.registry.model("m", PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://bucket/model.tar.gz"})
    members = {"ModelName": "m", "SkipCheck": True, "RegisterNewBaseline": True}
    assert account.run(model_bias(account, "Bias", CONFIG, **members)) == "Succeeded", account.journal.log("Bias")
    told = document(account, account.journal.last("Bias").response["CalculatedBaselineConstraints"])
    [facet] = told["post_training_bias_metrics"]["facets"]["sex"]
    assert facet["value_or_threshold"] == "1"
    rows = [(number % 3 == 2, number % 2 == 1, 20 + number % 50 > 40) for number in range(120)]
    groups = [[(truth, said) for facet, truth, said in rows if facet is wanted] for wanted in (False, True)]
    others, facet_said = ([said for _, said in group] for group in groups)
    right_others, right_facet = ([truth == said for truth, said in group] for group in groups)
    assert {metric["name"]: metric["value"] for metric in facet["metrics"]} == {
        "AD": pytest.approx(sum(right_others) / 80 - sum(right_facet) / 40),
        "DPPL": pytest.approx(sum(others) / 80 - sum(facet_said) / 40),
    }
    assert account.journal.ended() == {"Bias": "Succeeded"}


def test_a_job_with_clarifys_image_asks_the_model_that_its_configuration_names(account: Account) -> None:
    account.objects.write("s3://bucket/model.tar.gz", tar_gz({"code/inference.py": HANDLER}))
    account.registry.model("m", PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://bucket/model.tar.gz"})
    image = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"

    def clarify(name: str, **predictor: str) -> Step:
        arguments: Any = model_bias(account, name, {**CONFIG, "predictor": predictor}).arguments
        return Step(name, "Processing", {**arguments, "AppSpecification": {"ImageUri": image}}, {})

    assert account.run(clarify("Asks", model_name="m"), clarify("Errs", model_name="n")) == "Failed"
    assert account.journal.ended() == {"Asks": "Succeeded", "Errs": "Failed"}, account.journal.log("Asks")
    told = document(account, "s3://bucket/Asks/results/analysis.json")["post_training_bias_metrics"]
    assert {metric["name"]: metric["value"] is not None for metric in told["facets"]["sex"][0]["metrics"]} == {
        "AD": True,
        "DPPL": True,
    }
    assert "Could not find model" in str(account.journal.last("Errs").failure)


def test_a_model_that_cannot_be_loaded_is_not_tried_again(account: Account) -> None:
    handler = "def model_fn(model_dir):\n    raise ValueError('no such model')\n"
    account.objects.write("s3://bucket/model.tar.gz", tar_gz({"code/inference.py": handler}))
    account.registry.model("m", PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://bucket/model.tar.gz"})
    again = {"BackoffRate": 1, "IntervalSeconds": 1, "MaxAttempts": 1}
    retries = [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], **again}]
    members = {"ModelName": "m", "SkipCheck": True, "RegisterNewBaseline": True, "RetryPolicies": retries}
    assert account.run(model_bias(account, "Bias", CONFIG, **members)) == "Failed"
    record = account.journal.last("Bias")
    assert record.attempt == 1 and (record.failure or "").startswith("the model server ended, exit code 1")


WRONG = [
    ({"facet": [{"name_or_index": "gender"}]}, "facet is 'gender', and the data have the columns label, age, sex"),
    ({"methods": {"report": {}}}, "has none of pre_training_bias"),
]


def test_a_check_that_cannot_be_made_says_why(account: Account) -> None:
    members = {"SkipCheck": True, "RegisterNewBaseline": True}
    steps = [model_bias(account, f"Bias{at}", CONFIG | change, **members) for at, (change, _) in enumerate(WRONG)]
    assert account.run(*steps) == "Failed"
    for at, (_, reason) in enumerate(WRONG):
        assert reason in str(account.journal.last(f"Bias{at}").failure)
