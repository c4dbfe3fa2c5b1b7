"""One knowledge of what this machine can run: checking tells beforehand just what the run refuses, and both in the same
words. Each row is asked of both."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest
from ports_for_tests import STEP_TYPES, Account, checked, condition, step

from mlops.check.here import cannot_run, unavoidable
from mlops.ir import Block, Parameter, Step
from mlops.knowledge import elsewhere, notebook_jobs
from mlops.use_cases.runnable import obstacles

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TEXT = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
KNN = "382416733822.dkr.ecr.us-east-1.amazonaws.com/knn:1"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LLM = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.3.0-tgi2.2.0-gpu-py310"
IN, OUT = "/opt/ml/processing/in", "/opt/ml/processing/out"
CODE_ELSEWHERE = {"sagemaker_submit_directory": "./src"}
SCRIPT = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://bucket/sourcedir.tar.gz"}


def get(expression: str) -> Any:
    return {"Get": expression}


def processing(source: Any = None, target: Any = None, **changes: Any) -> Step:
    request = {"AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": ["true"]}, **changes}
    if source is not None:
        request["ProcessingInputs"] = [{"InputName": "in", **source}]
    if target is not None:
        request["ProcessingOutputConfig"] = {"Outputs": [{"OutputName": "out", **target}]}
    return step("Processing", "S", request)


def s3(**changes: Any) -> dict[str, Any]:
    return {"S3Input": {"S3Uri": "s3://bucket/none", "LocalPath": IN, **changes}}


def training(**changes: Any) -> Step:
    request = {
        "AlgorithmSpecification": {"TrainingImage": SKLEARN},
        "HyperParameters": SCRIPT,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        **changes,
    }
    return step("Training", "S", request)


def channel(**source: Any) -> dict[str, Any]:
    return {"InputDataConfig": [{"ChannelName": "train", "DataSource": source}]}


def transform(source: Any = None, **changes: Any) -> Step:
    given = {"DataSource": {"S3DataSource": {"S3Uri": "s3://bucket/in", **(source or {})}}}
    request = {"ModelName": "m", "TransformInput": given, "TransformOutput": {"S3OutputPath": "s3://bucket/out"}}
    for name, value in changes.items():
        request[name] = {**request.get(name, {}), **value}  # type: ignore[dict-item]
    return step("Transform", "S", request)


def command(*words: str) -> dict[str, Any]:
    return {"AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": [*words]}}


def component(**specification: Any) -> Step:
    given = {"EndpointName": "e", "VariantName": "All", "Specification": specification}
    return step("InferenceComponent", "S", given)


def queried(**settings: Any) -> dict[str, Any]:
    given = {"Database": "web", "QueryString": "SELECT 1", "OutputFormat": "JSON", "OutputS3Uri": "s3://bucket/q"}
    return {"DatasetDefinition": {"LocalPath": IN, "AthenaDatasetDefinition": {**given, **settings}}}


REFUSED = [
    (processing(**command("smspark-submit", "a.py")), "/AppSpecification/ContainerEntrypoint"),
    (processing(**command("/usr/bin/of-the-image")), "/AppSpecification/ContainerEntrypoint"),
    (
        training(HyperParameters={}, AlgorithmSpecification={"TrainingImage": "i", "ContainerEntrypoint": ["of-it"]}),
        "/AlgorithmSpecification/ContainerEntrypoint",
    ),
    (training(HyperParameters={}, AlgorithmSpecification={}, ServerlessJobConfig={"JobType": "A"}), None),
    (component(BaseInferenceComponentName="b"), "/Specification/BaseInferenceComponentName"),
    (component(Container={"Image": TEXT}), "/Specification/Container/Image"),
    (step("InferenceComponent", "S", {"Specifications": []}), "/Specifications"),
    (processing(AppSpecification={"ImageUri": "i"}), "/AppSpecification/ContainerEntrypoint"),
    (processing(s3(S3InputMode="Pipe")), "/ProcessingInputs/0/S3Input/S3InputMode"),
    (processing(s3(S3DataType="AugmentedManifestFile")), "/ProcessingInputs/0/S3Input/S3DataType"),
    (processing(s3(S3Uri="/data")), "/ProcessingInputs/0/S3Input/S3Uri"),
    (processing(s3(LocalPath="/data")), "/ProcessingInputs/0/S3Input/LocalPath"),
    (processing({"DatasetDefinition": {"LocalPath": IN}}), "/ProcessingInputs/0/DatasetDefinition"),
    (processing(queried(OutputFormat="AVRO")), "/ProcessingInputs/0/DatasetDefinition/AthenaDatasetDefinition"),
    (processing(queried(OutputS3Uri="/o")), "/ProcessingInputs/0/DatasetDefinition/AthenaDatasetDefinition"),
    (processing({}), "/ProcessingInputs/0"),
    (processing(target={"S3Output": {"S3Uri": "/out", "LocalPath": OUT}}), None),
    (processing(target={"S3Output": {"S3Uri": "s3://bucket/o", "LocalPath": "/out"}}), None),
    (processing(target={"FeatureStoreOutput": {"FeatureGroupName": "g"}}), "/ProcessingOutputConfig/Outputs/0"),
    (training(HyperParameters={}), "/AlgorithmSpecification"),
    (training(HyperParameters={}, AlgorithmSpecification={"TrainingImage": TEXT}), "/AlgorithmSpecification"),
    (
        training(
            HyperParameters={}, AlgorithmSpecification={"TrainingImage": KNN}, ResourceConfig={"InstanceCount": 2}
        ),
        "/ResourceConfig",
    ),
    (training(HyperParameters={}, AlgorithmSpecification={"AlgorithmName": "mine"}), "/AlgorithmSpecification"),
    (training(HyperParameters={**SCRIPT, "sagemaker_program": "../t.py"}), "/HyperParameters/sagemaker_program"),
    (training(HyperParameters={**SCRIPT, "sagemaker_mpi_enabled": "true"}), "/HyperParameters/sagemaker_mpi_enabled"),
    (training(HyperParameters={**SCRIPT, **CODE_ELSEWHERE}), "/HyperParameters/sagemaker_submit_directory"),
    (training(ResourceConfig={"InstanceCount": 251}), "/ResourceConfig/InstanceCount"),
    (
        processing(ProcessingResources={"ClusterConfig": {"InstanceCount": 251}}),
        "/ProcessingResources/ClusterConfig/InstanceCount",
    ),
    (training(**channel(FileSystemDataSource={"FileSystemId": "fs-1"})), "/InputDataConfig/0/DataSource"),
    (training(**channel(DatasetSource={"DatasetArn": "a"})), "/InputDataConfig/0/DataSource"),
    (training(**channel(S3DataSource={"S3Uri": "s3://b/x", "S3DataType": "AugmentedManifestFile"})), None),
    (training(CheckpointConfig={"S3Uri": "/ckpt"}), "/CheckpointConfig/S3Uri"),
    (training(OutputDataConfig={"S3OutputPath": "/models"}), "/OutputDataConfig/S3OutputPath"),
    (transform(TransformInput={"SplitType": "RecordIO"}), "/TransformInput/SplitType"),
    (transform({"S3DataType": "ManifestFile"}), "/TransformInput/DataSource/S3DataSource/S3DataType"),
    (transform(TransformOutput={"S3OutputPath": "/out"}), "/TransformOutput/S3OutputPath"),
]
TAKEN = [
    processing(**command("python3", "-c", "pass")),
    processing(**command("of-the-image"), Environment={"PATH": "/opt/tools"}),
    component(ModelName="m"),
    processing(),
    processing(s3(), {"S3Output": {"S3Uri": "s3://bucket/o", "LocalPath": OUT}}),
    processing(s3(S3DataType="ManifestFile")),
    processing({**s3(S3InputMode="Pipe"), "AppManaged": True}),
    processing(target={"FeatureStoreOutput": {"FeatureGroupName": "g"}, "AppManaged": True}),
    training(),
    training(HyperParameters={}, Environment={"SAGEMAKER_PROGRAM": "train.py"}),
    training(HyperParameters={}, AlgorithmSpecification={"TrainingImage": TEXT, "ContainerEntrypoint": ["true"]}),
    training(
        HyperParameters={}, AlgorithmSpecification={"TrainingImage": XGBOOST}, ResourceConfig={"InstanceCount": 1}
    ),
    training(**channel(S3DataSource={"S3Uri": "s3://bucket/x"})),
    transform(),
    transform(TransformInput={"SplitType": "Line"}),
]


def told(*steps: Step) -> list[tuple[str | None, str | None, str]]:
    return [(item.step, item.path, item.message) for item in cannot_run(checked(*steps))]


@pytest.mark.parametrize(("one", "at"), REFUSED)
def test_what_the_run_refuses_is_told_before_in_its_words(account: Account, one: Step, at: str | None) -> None:
    ((name, path, message),) = told(one)
    assert name == "S" and path is not None and path.startswith(f"/Steps/0/Arguments{at or ''}")
    if one.type == "Transform":
        account.registry.model("m", PrimaryContainer={"Image": "i"})
    assert account.run(one) == "Failed"
    assert account.journal.last("S").failure == message


@pytest.mark.parametrize("one", TAKEN)
def test_what_the_run_takes_is_not_told(account: Account, one: Step) -> None:
    """Where no data lie there it fails, but never by what it is."""
    assert told(one) == []
    if one.type == "Transform":
        account.registry.model("m", PrimaryContainer={"Image": "i"})
    account.run(one)
    failure = account.journal.last("S").failure or ""
    assert "on this machine" not in failure and "cannot run here" not in failure


def test_a_database_that_nothing_stands_for_is_told_before_in_the_words_of_the_run(account: Account) -> None:
    one = processing(queried())
    assert [*cannot_run(checked(one), stands=lambda name: name == "web")] == []
    (found,) = cannot_run(checked(one), stands=lambda name: False)
    assert found.path == "/Steps/0/Arguments/ProcessingInputs/0/DatasetDefinition"
    assert '[env.local.datasets] web = "data/web"' in found.message
    assert account.run(one) == "Failed"
    assert account.journal.last("S").failure == found.message


@pytest.mark.parametrize("type_", sorted(STEP_TYPES))
def test_every_step_type_runs_or_is_told(account: Account, type_: str) -> None:
    action = STEP_TYPES[type_].action
    if action is not None:
        assert find_spec(f"mlops.run.actions.{action}") is not None
        return
    message = elsewhere.cannot_run(type_)
    assert told(step(type_, "S", {})) == [("S", "/Steps/0/Arguments", message)]
    assert account.run(step(type_, "S", {})) == "Failed"
    assert account.journal.last("S").failure == message


def test_a_notebook_job_is_refused_where_its_programs_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    one = training(
        HyperParameters={},
        AlgorithmSpecification={"TrainingImage": "i", "ContainerEntrypoint": [notebook_jobs.SCHEDULER]},
    )
    assert told(one) == []
    monkeypatch.setattr(notebook_jobs, "find_spec", lambda name: None)
    ((_, _, message),) = told(one)
    assert message == "a notebook job needs nbclient and ipykernel here: `pip install nbclient ipykernel`"


MULTI, PLAIN = {"Image": "i", "Mode": "MultiModel", "ModelDataUrl": "s3://acme/many/"}, {"Image": "i"}
NAMED = [{"Image": "i", "ContainerHostname": name} for name in ("one", "two")]


@pytest.mark.parametrize(
    ("model", "at"),
    [
        ({"PrimaryContainer": MULTI}, "/Steps/0/Arguments/PrimaryContainer/Mode"),
        ({"Containers": NAMED, "InferenceExecutionConfig": {"Mode": "Direct"}}, None),
        ({"Containers": [PLAIN, PLAIN], "InferenceExecutionConfig": {"Mode": "Serial"}}, ""),
        ({"PrimaryContainer": PLAIN}, ""),
        ({"PrimaryContainer": {"Image": TEXT}}, "/Steps/0/Arguments/PrimaryContainer/Image"),
        ({"PrimaryContainer": {"Image": LLM}}, "/Steps/0/Arguments/PrimaryContainer/Image"),
    ],
)
def test_a_model_that_cannot_be_served_here(account: Account, model: dict[str, Any], at: str | None) -> None:
    made = step("Model", "M", {"ExecutionRoleArn": "arn:aws:iam::000000000000:role/r", **model})
    given = transform()
    asked = step("Transform", "S", {**dict(given.arguments), "ModelName": get("Steps.M.ModelName")})  # type: ignore[arg-type]
    found = told(made, asked)
    account.run(made, asked)
    failure = account.journal.last("S").failure or ""
    if at == "":
        assert found == [] and "cannot be served" not in failure
        return
    ((name, path, message),) = found
    assert (name, message) == ("S", failure)
    assert at is None or path == at


def test_an_algorithm_without_its_library(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    one = training(HyperParameters={}, AlgorithmSpecification={"TrainingImage": XGBOOST})
    monkeypatch.setitem(sys.modules, "xgboost", None)
    ((_, path, message),) = told(one)
    assert path == "/Steps/0/Arguments/AlgorithmSpecification/TrainingImage"
    assert message.startswith(
        "XGBoost runs here with xgboost-cpu, which is not installed: python -m pip install xgboost"
    )
    assert account.run(one) == "Failed"
    assert account.journal.last("S").failure == message


def test_what_is_amazons_own_is_told_by_its_name() -> None:
    """Neither a script nor an engine helps there."""
    registry = "382416733822.dkr.ecr.us-east-1.amazonaws.com"
    image = {"TrainingImage": f"{registry}/factorization-machines:1"}
    wrangler = "663277389841.dkr.ecr.us-east-1.amazonaws.com/sagemaker-data-wrangler-container:3.x"
    ours = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-data-wrangler-container:3.x"
    steps = [
        training(HyperParameters={}, AlgorithmSpecification=image),
        processing(AppSpecification={"ImageUri": wrangler}),
        processing(AppSpecification={"ImageUri": ours}),
    ]
    algorithm, container, own = (told(one)[0][2] for one in steps)
    assert algorithm.startswith("Factorization machines is an algorithm of Amazon's image")
    assert container == "Data Wrangler works by a program of its image, which is Amazon's and not here"
    assert own.startswith("the image's own entrypoint cannot run here") and "MLOPS_CONTAINER_ENGINE" in own


def test_what_is_not_known_yet_is_not_judged() -> None:
    later = get("Parameters.Later")
    assert told(processing(s3(S3Uri=later, S3InputMode=later, LocalPath=later, S3DataType=later))) == []
    assert told(training(HyperParameters=later), transform(TransformInput={"SplitType": later})) == []
    assert told(training(AlgorithmSpecification={"TrainingImage": later}, HyperParameters={})) == []


def test_what_is_surely_reached() -> None:
    """Neither what a branch holds, nor what waits for a failure, nor what comes behind those; of a loop's body all."""
    gate = condition("Gate", [], then=(step("EMR", "InBranch", {}),))
    handler = step("EMR", "Handler", {}, DependsOn=[{"Step": "S", "Trigger": "Failed"}])
    behind = step("EMR", "Behind", {}, DependsOn=["Handler"])
    last = step("EMR", "Last", {}, DependsOn=["S"])
    inner = condition("Inner", [], then=(step("EMR", "InInner", {}),))
    loop = replace(step("ForEach", "Loop", {}), blocks=(Block("ForEachBody", (step("EMR", "Each", {}), inner)),))
    whole = checked(processing(), gate, handler, behind, last, loop)
    assert unavoidable(whole) == {"S", "Gate", "Last", "Loop", "Each", "Inner"}
    assert [item.step for item in cannot_run(whole)] == ["InBranch", "Handler", "Behind", "Last", "Each", "InInner"]


def test_what_a_parameter_decides_is_judged_by_the_value_that_it_gets() -> None:
    """Before anything starts; without values nobody knows."""
    one = training(HyperParameters={}, AlgorithmSpecification={"TrainingImage": get("Parameters.Image")})
    two = processing(s3(S3Uri={"Std:Join": {"On": "/", "Values": [get("Parameters.Base"), "raw"]}}))
    two = replace(two, name="T")
    parameters = (
        Parameter("Image", "String", {"DefaultValue": f"{SKLEARN}"}),
        Parameter("Base", "String", {"DefaultValue": "s3://bucket"}),
    )
    both = checked(one, two)
    both = replace(both, definition=replace(both.definition, parameters=parameters))
    assert obstacles(both) == ()
    assert [item.step for item in obstacles(both, values={})] == ["S"]
    assert [item.step for item in obstacles(both, values={"Base": "/data"})] == ["S"]  # a file, whose place is to come
    plain = replace(both, definition=replace(both.definition, parameters=(parameters[0], Parameter("Base", "String"))))
    assert [item.step for item in obstacles(plain, values={"Base": "/data"})] == ["S", "T"]
