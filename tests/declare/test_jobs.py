"""What the constructors of jobs and models write beyond the common case: one row, one member of the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops.check.sources import Opened
from mlops.ir import Severity
from mlops.ir.document import document

BASE = """
sk = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1"
net = Network(["subnet-0a1b2c3d"], ["sg-0a1b2c3d"])
n = p.integer("N", default=2)
share = p.float("Share", default=0.5)
flag = p.boolean("Flag", default=False)
uri = p.string("Uri", default="s3://acme-data/x/")
a = Processing("A", code="prepare.py", image=sk, outputs=["x", "report"], reports={"q": "report/q.json"})
t = Training("T", code="train.py", image=sk, metrics={"loss": "loss=(.*)"})
job = TrainingJob(image=sk, code="train.py", metrics={"auc": "auc=(.*)"})
"""

JOIN = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.N"}]}}

CASES: list[tuple[str, str, str, Any]] = [
    ("a number of attempts", 'Training("B", image=sk, retries=3)', "/Steps/2/RetryPolicies/0/MaxAttempts", 3),
    (
        "a number of attempts is for all that a job may try again",
        'Training("B", image=sk, retries=3)',
        "/Steps/2/RetryPolicies/0/ExceptionType",
        [
            "Step.SERVICE_FAULT",
            "Step.THROTTLING",
            "SageMaker.JOB_INTERNAL_ERROR",
            "SageMaker.CAPACITY_ERROR",
            "SageMaker.RESOURCE_LIMIT",
        ],
    ),
    (
        "a model may try again less",
        'Model("B", image=sk, model="s3://acme-ml/model.tar.gz", retries=2)',
        "/Steps/2/RetryPolicies",
        [{"ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"], "MaxAttempts": 2}],
    ),
    (
        "every member of a retry",
        'Training("B", image=sk, retries=Retry("SageMaker.CAPACITY_ERROR", expire_after=60, interval=5, backoff=1.5))',
        "/Steps/2/RetryPolicies",
        [
            {
                "ExceptionType": ["SageMaker.CAPACITY_ERROR"],
                "IntervalSeconds": 5,
                "BackoffRate": 1.5,
                "ExpireAfterMin": 60,
            }
        ],
    ),
    (
        "several retries",
        'Training("B", image=sk, retries=[Retry("Step.THROTTLING", 2), Retry("Step.SERVICE_FAULT", 3)])',
        "/Steps/2/RetryPolicies/1",
        {"ExceptionType": ["Step.SERVICE_FAULT"], "MaxAttempts": 3},
    ),
    (
        "after a failure",
        'Training("B", image=sk, after=[After(a, "Failed"), After("T", "Completed")])',
        "/Steps/2/DependsOn",
        [{"Step": "A", "Trigger": "Failed"}, "T"],
    ),
    ("a cache without an end", 'Training("B", image=sk, cache=True)', "/Steps/2/CacheConfig", {"Enabled": True}),
    (
        "members of the step itself",
        'Training("B", image=sk, members={"CacheConfig": {"Enabled": False, "ExpireAfter": "P1D"}})',
        "/Steps/2/CacheConfig",
        {"Enabled": False, "ExpireAfter": "P1D"},
    ),
    (
        "a member is left out",
        'Training("B", image=sk, arguments={"OutputDataConfig": {"CompressionType": omit}})',
        "/Steps/2/Arguments/OutputDataConfig",
        {"S3OutputPath": "s3://mlops-local/mlops/test/B"},
    ),
    (
        "a report's value by a path as written",
        'Fail("F", a.reports["q"].at("regression_metrics.mse.value"))',
        "/Steps/2/Arguments/ErrorMessage/Std:JsonGet/Path",
        "regression_metrics.mse.value",
    ),
    (
        "a value of a JSON file",
        'Fail("F", json_file(join(uri, "q.json"))["a"][0])',
        "/Steps/2/Arguments/ErrorMessage/Std:JsonGet",
        {"S3Uri": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Uri"}, "q.json"]}}, "Path": "a[0]"},
    ),
    (
        "a role, tags and keys of a step's own",
        'Processing("B", code="prepare.py", image=sk, outputs=["y"], tags={"b": "2", "a": uri}, kms_key="k", '
        'volume_kms_key="v", role="arn:aws:iam::111122223333:role/own")',
        "/Steps/2/Arguments/Tags",
        [{"Key": "a", "Value": {"Get": "Parameters.Uri"}}, {"Key": "b", "Value": "2"}],
    ),
    (
        "the network of processing",
        'Processing("B", code="prepare.py", image=sk, network=Network(["subnet-0a1b2c3d"], ["sg-0a1b2c3d"], '
        "isolated=flag, encrypted=True))",
        "/Steps/2/Arguments/NetworkConfig",
        {
            "VpcConfig": {"SecurityGroupIds": ["sg-0a1b2c3d"], "Subnets": ["subnet-0a1b2c3d"]},
            "EnableNetworkIsolation": {"Get": "Parameters.Flag"},
            "EnableInterContainerTrafficEncryption": True,
        },
    ),
    (
        "an Athena query",
        'Processing("B", code="prepare.py", image=sk, inputs={"q": Athena("SELECT 1", "web", to="s3://acme-data/q/")})',
        "/Steps/2/Arguments/ProcessingInputs/0",
        {
            "InputName": "q",
            "DatasetDefinition": {
                "AthenaDatasetDefinition": {
                    "Catalog": "AwsDataCatalog",
                    "Database": "web",
                    "QueryString": "SELECT 1",
                    "OutputS3Uri": "s3://acme-data/q/",
                    "OutputFormat": "PARQUET",
                },
                "LocalPath": "/opt/ml/processing/input/q",
                "DataDistributionType": "FullyReplicated",
                "InputMode": "File",
            },
        },
    ),
    (
        "a Redshift query, sharded",
        'Processing("B", code="prepare.py", image=sk, inputs={"q": Input(Redshift("SELECT 1", "c", "d", "u", '
        'format="CSV"), distribution="ShardedByS3Key", mode=None)})',
        "/Steps/2/Arguments/ProcessingInputs/0/DatasetDefinition",
        {
            "RedshiftDatasetDefinition": {
                "ClusterId": "c",
                "Database": "d",
                "DbUser": "u",
                "ClusterRoleArn": "arn:aws:iam::000000000000:role/mlops-local",
                "QueryString": "SELECT 1",
                "OutputS3Uri": {
                    "Std:Join": {
                        "On": "/",
                        "Values": [
                            "s3:/",
                            "mlops-local",
                            "mlops",
                            "test",
                            {"Get": "Execution.PipelineExecutionId"},
                            "B",
                            "input",
                            "q",
                        ],
                    }
                },
                "OutputFormat": "CSV",
            },
            "LocalPath": "/opt/ml/processing/input/q",
            "DataDistributionType": "ShardedByS3Key",
        },
    ),
    (
        "a manifest that the container fetches by itself",
        'Processing("B", code="prepare.py", image=sk, inputs={"m": Input(uri, kind="ManifestFile", app_managed=True)})',
        "/Steps/2/Arguments/ProcessingInputs/0/S3Input/S3DataType",
        "ManifestFile",
    ),
    (
        "records for the feature store",
        'Processing("B", code="prepare.py", image=sk, outputs={"f": Output(feature_group="g", app_managed=True)})',
        "/Steps/2/Arguments/ProcessingOutputConfig/Outputs",
        [{"OutputName": "f", "FeatureStoreOutput": {"FeatureGroupName": "g"}, "AppManaged": True}],
    ),
    (
        "a container's own entry point",
        'Processing("B", image=sk, command=["run", uri])',
        "/Steps/2/Arguments/AppSpecification/ContainerEntrypoint",
        ["run", {"Get": "Parameters.Uri"}],
    ),
    (
        "every member of a channel",
        'Training("B", image=sk, channels={"c": Channel(uri, content_type="text/csv", kind="AugmentedManifestFile", '
        'mode="Pipe", compression="Gzip", record_wrapper="RecordIO", shuffle_seed=n, attributes=["a"])})',
        "/Steps/2/Arguments/InputDataConfig/0",
        {
            "ChannelName": "c",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "AugmentedManifestFile",
                    "S3Uri": {"Get": "Parameters.Uri"},
                    "S3DataDistributionType": "FullyReplicated",
                    "AttributeNames": ["a"],
                }
            },
            "ContentType": "text/csv",
            "CompressionType": "Gzip",
            "RecordWrapperType": "RecordIO",
            "InputMode": "Pipe",
            "ShuffleConfig": {"Seed": {"Get": "Parameters.N"}},
        },
    ),
    (
        "a file system",
        'Training("B", image=sk, network=net, channels={"c": FileSystem("fs-0123456789abcdef0", "/d", access="rw")})',
        "/Steps/2/Arguments/InputDataConfig/0/DataSource/FileSystemDataSource",
        {
            "FileSystemId": "fs-0123456789abcdef0",
            "FileSystemAccessMode": "rw",
            "FileSystemType": "EFS",
            "DirectoryPath": "/d",
        },
    ),
    (
        "a registered data set",
        'Training("B", image=sk, channels={"c": RegisteredDataset("arn:aws:sagemaker:us-east-1:aws:hub-content/'
        'hub/DataSet/d/1.0.0")})',
        "/Steps/2/Arguments/InputDataConfig/0/DataSource/DatasetSource/DatasetArn",
        "arn:aws:sagemaker:us-east-1:aws:hub-content/hub/DataSet/d/1.0.0",
    ),
    (
        "instance groups stand for type and count",
        'Training("B", image=sk, groups={"g": InstanceGroup("ml.c5.xlarge", n)})',
        "/Steps/2/Arguments/ResourceConfig",
        {
            "InstanceGroups": [
                {"InstanceGroupName": "g", "InstanceType": "ml.c5.xlarge", "InstanceCount": {"Get": "Parameters.N"}}
            ],
            "VolumeSizeInGB": 30,
        },
    ),
    (
        "spot machines are waited for",
        'Training("B", image=sk, spot=True, max_runtime=100)',
        "/Steps/2/Arguments/StoppingCondition",
        {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 100},
    ),
    (
        "spot machines are waited for as long as is said",
        'Training("B", image=sk, spot=True, max_runtime=100, max_wait=n)',
        "/Steps/2/Arguments/StoppingCondition/MaxWaitTimeInSeconds",
        {"Get": "Parameters.N"},
    ),
    (
        "without spot nothing is waited for",
        'Training("B", image=sk, spot=False)',
        "/Steps/2/Arguments/StoppingCondition",
        {"MaxRuntimeInSeconds": 3600},
    ),
    (
        "checkpoints",
        'Training("B", image=sk, checkpoints=Checkpoint(uri, "/opt/ml/checkpoints"))',
        "/Steps/2/Arguments/CheckpointConfig",
        {"S3Uri": {"Get": "Parameters.Uri"}, "LocalPath": "/opt/ml/checkpoints"},
    ),
    (
        "a debugger's hook",
        'Training("B", image=sk, debug_hook=DebugHook("s3://acme-ml/d/", {"losses": {"save_interval": "5"}, "w": {}}))',
        "/Steps/2/Arguments/DebugHookConfig",
        {
            "S3OutputPath": "s3://acme-ml/d/",
            "CollectionConfigurations": [
                {"CollectionName": "losses", "CollectionParameters": {"save_interval": "5"}},
                {"CollectionName": "w"},
            ],
        },
    ),
    (
        "a profiler",
        'Training("B", image=sk, profiler=Profiler("s3://acme-ml/p/", 500, disabled=flag))',
        "/Steps/2/Arguments/ProfilerConfig",
        {
            "S3OutputPath": "s3://acme-ml/p/",
            "ProfilingIntervalInMilliseconds": 500,
            "DisableProfiler": {"Get": "Parameters.Flag"},
        },
    ),
    (
        "TensorBoard",
        'Training("B", image=sk, tensorboard=TensorBoard("s3://acme-ml/t/", "/opt/ml/output/tensorboard"))',
        "/Steps/2/Arguments/TensorBoardOutputConfig",
        {"S3OutputPath": "s3://acme-ml/t/", "LocalPath": "/opt/ml/output/tensorboard"},
    ),
    (
        "a job's attempts",
        'Training("B", image=sk, job_attempts=3)',
        "/Steps/2/Arguments/RetryStrategy",
        {"MaximumRetryAttempts": 3},
    ),
    (
        "switches",
        'Training("B", image=sk, infra_check=True, session_tag_chaining=True, remote_debug=False)',
        "/Steps/2/Arguments/RemoteDebugConfig",
        {"EnableRemoteDebug": False},
    ),
    (
        "an algorithm by its name",
        'Training("B", algorithm="my-algorithm")',
        "/Steps/2/Arguments/AlgorithmSpecification",
        {"AlgorithmName": "my-algorithm", "TrainingInputMode": "File"},
    ),
    (
        "ranges are texts",
        'Tuning("B", job=job, ranges={"i": IntegerRange(1, n), "c": ContinuousRange(0.1, 1, scale=None), '
        '"k": CategoricalRange(["a", 2]), "o": AutoRange(3)}, objective=Maximize("auc"), max_jobs=4)',
        "/Steps/2/Arguments/HyperParameterTuningJobConfig/ParameterRanges",
        {
            "IntegerParameterRanges": [{"Name": "i", "MinValue": "1", "MaxValue": JOIN, "ScalingType": "Auto"}],
            "ContinuousParameterRanges": [{"Name": "c", "MinValue": "0.1", "MaxValue": "1"}],
            "CategoricalParameterRanges": [{"Name": "k", "Values": ["a", "2"]}],
            "AutoParameters": [{"Name": "o", "ValueHint": "3"}],
        },
    ),
    (
        "several jobs have ranges and objectives of their own",
        'Tuning("B", job={"one": TrainingJob(image=sk, code="train.py", metrics={"auc": "auc=(.*)"}, '
        'ranges={"i": IntegerRange(1, 2)}, objective=Minimize("auc"))}, max_jobs=4)',
        "/Steps/2/Arguments/TrainingJobDefinitions/0/TuningObjective",
        {"Type": "Minimize", "MetricName": "auc"},
    ),
    (
        "limits and ends of a search",
        'Tuning("B", job=job, ranges={"i": IntegerRange(1, 2)}, objective=Maximize("auc"), max_jobs=4, target=share, '
        'patience=3, convergence=True, early_stopping="Auto", seed=7)',
        "/Steps/2/Arguments/HyperParameterTuningJobConfig/TuningJobCompletionCriteria",
        {
            "TargetObjectiveMetricValue": {"Get": "Parameters.Share"},
            "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3},
            "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"},
        },
    ),
    (
        "a warm start",
        'Tuning("B", job=job, ranges={"i": IntegerRange(1, 2)}, objective=Maximize("auc"), max_jobs=4, '
        'parents=["earlier"], warm_start="TransferLearning")',
        "/Steps/2/Arguments/WarmStartConfig",
        {
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "earlier"}],
            "WarmStartType": "TransferLearning",
        },
    ),
    (
        "the second best model",
        'b = Tuning("B", job=job, ranges={"i": IntegerRange(1, 2)}, objective=Maximize("auc"), max_jobs=4)\n'
        'Model("M", image=sk, model=b.top(1).model)',
        "/Steps/3/Arguments/PrimaryContainer/ModelDataUrl/Std:Join/Values",
        [
            {"Get": "Steps.B.TrainingJobDefinition.OutputDataConfig.S3OutputPath"},
            {"Get": "Steps.B.TrainingJobSummaries[1].TrainingJobName"},
            "output/model.tar.gz",
        ],
    ),
    (
        "what the best job has reached",
        'b = Tuning("B", job=job, ranges={"i": IntegerRange(1, 2)}, objective=Maximize("auc"), max_jobs=4)\n'
        'with when(b.top(0).objective > 0.5):\n    Fail("F", b.top(0).hyperparameter("i"))',
        "/Steps/3/Arguments/Conditions/0/LeftValue",
        {"Get": "Steps.B.TrainingJobSummaries[0].FinalHyperParameterTuningJobObjectiveMetric.Value"},
    ),
    (
        "AutoML with data to judge by",
        'AutoML("B", train=uri, target="y", '
        'validation=Table("s3://acme-data/v/", content_type="text/csv;header=present"))',
        "/Steps/2/Arguments/InputDataConfig/1",
        {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://acme-data/v/"}},
            "TargetAttributeName": "y",
            "ContentType": "text/csv;header=present",
            "ChannelType": "validation",
        },
    ),
    (
        "the best candidate",
        'b = AutoML("B", train=uri, target="y")\nModel("M", containers=[Container(b.best_image, b.best_model)])',
        "/Steps/3/Arguments/Containers/0",
        {
            "Image": {"Get": "Steps.B.BestCandidate.InferenceContainers[0].Image"},
            "ModelDataUrl": {"Get": "Steps.B.BestCandidate.InferenceContainers[0].ModelDataUrl"},
        },
    ),
    (
        "a model that is no archive",
        'Model("B", containers=[Container(sk, ModelData("s3://acme-ml/m/"), hostname="h"), Container(sk, t.model)])',
        "/Steps/2/Arguments/Containers/0/ModelDataSource",
        {"S3DataSource": {"S3Uri": "s3://acme-ml/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}},
    ),
    (
        "many models in one container",
        'Model("B", containers=[Container(sk, "s3://acme-ml/m/", multi_model=True)])',
        "/Steps/2/Arguments/Containers/0/Mode",
        "MultiModel",
    ),
    (
        "metrics of a version",
        'RegisterModel("B", image=sk, model=t.model, group="g", metrics=Metrics(quality=a.reports["q"], bias=uri))',
        "/Steps/2/Arguments/ModelMetrics/Bias/Report",
        {"ContentType": "application/json", "S3Uri": {"Get": "Parameters.Uri"}},
    ),
    (
        "drift baselines",
        'RegisterModel("B", image=sk, model=t.model, group="g", '
        "drift_baselines=DriftBaselines(explainability_config=uri))",
        "/Steps/2/Arguments/DriftCheckBaselines",
        {"Explainability": {"ConfigFile": {"ContentType": "application/json", "S3Uri": {"Get": "Parameters.Uri"}}}},
    ),
    (
        "a model card is JSON text",
        'RegisterModel("B", image=sk, model=t.model, group="g", card=ModelCard({"b": 1, "a": [2]}, "Approved"))',
        "/Steps/2/Arguments/ModelCard",
        {"ModelCardContent": '{"a": [2], "b": 1}', "ModelCardStatus": "Approved"},
    ),
    (
        "a validation",
        'RegisterModel("B", image=sk, model=t.model, group="g", validation={"v": Validation("s3://acme-data/v/", '
        '"s3://acme-ml/v/", "ml.m5.large")})',
        "/Steps/2/Arguments/ValidationSpecification/ValidationProfiles/0/TransformJobDefinition",
        {
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://acme-data/v/"}}
            },
            "TransformOutput": {"S3OutputPath": "s3://acme-ml/v/"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    ),
    (
        "a further way to serve",
        'RegisterModel("B", image=sk, model=t.model, group="g", further={"small": Inference([Container(sk, t.model)], '
        'instances=["ml.t2.medium"])})',
        "/Steps/2/Arguments/AdditionalInferenceSpecifications/0/SupportedRealtimeInferenceInstanceTypes",
        ["ml.t2.medium"],
    ),
    (
        "a version's life",
        'RegisterModel("B", image=sk, model=t.model, group="g", life_cycle=LifeCycle("Development", "Pending"), '
        'origin=Origin(commit="1"), skip_validation="All", kms_key="k", version_description="d")',
        "/Steps/2/Arguments/ModelLifeCycle",
        {"Stage": "Development", "StageStatus": "Pending"},
    ),
    (
        "captured data of a transform",
        'Transform("B", model="m", data=uri, timeout=60, attempts=1, kind="ManifestFile", '
        'data_capture=DataCapture("s3://acme-ml/c/", inference_ids=True))',
        "/Steps/2/Arguments/DataCaptureConfig",
        {"DestinationS3Uri": "s3://acme-ml/c/", "GenerateInferenceId": True},
    ),
    (
        "requests of a transform",
        'Transform("B", model="m", data=uri, timeout=60, attempts=1)',
        "/Steps/2/Arguments/ModelClientConfig",
        {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 1},
    ),
    (
        "a packed model",
        'b = PackModel("B", model=t.model, inference_code="prepare.py", image=sk)\nModel("M", image=sk, model=b.model)',
        "/Steps/3/Arguments/PrimaryContainer/ModelDataUrl/Std:Join/Values",
        [{"Get": "Steps.B.ProcessingOutputConfig.Outputs['packed'].S3Output.S3Uri"}, "model.tar.gz"],
    ),
]

RATHER_ODD = {"E530", "X742", "X750", "X811", "X935", "X980", "X986"}
"""Said of rows that show a member of its own: a cache without an end, a role elsewhere, a short wait, a name less, a
search of few combinations, members that exclude each other."""

SLIPS = [
    ("a misspelt member of a record", 'Channel(uri, moed="Pipe")', "D040", "did you mean mode?"),
    ("a record without what it needs", "Athena('SELECT 1')", "D041", "database"),
    ("a wrong word in a record", "Channel(uri, mode='Pip')", "D042", "'Pipe'"),
    ("a float as an instance count", "InstanceGroup('ml.m5.large', share)", "D042", "the Float parameter Share"),
    ("an unknown trigger", 'After(t, "Finished")', "D042", "'Stopped'"),
    ("an unknown exception", 'Retry("Step.TIMEOUT")', "D042", "'Step.THROTTLING'"),
    ("a policy that is none", 'Training("B", image=sk, retries="3")', "D042", "an integer"),
    ("data as a model", 'Model("B", image=sk, model=a.outputs["x"])', "D042", "a trained model"),
    ("a model as data of a transform", 'Transform("B", model="m", data=t.model)', "D042", "the trained model of T"),
    ("no image and no algorithm", 'Training("B", code="train.py")', "D041", "algorithm="),
    ("containers and an image", 'Model("B", image=sk, containers=[Container(sk)])', "D064", "stands for"),
    ("neither image nor containers", 'RegisterModel("B", group="g", model=t.model)', "D041", "containers="),
    ("a group is needed", 'RegisterModel("B", image=sk, model=t.model)', "D041", "group"),
    ("a tuning without a job", 'Tuning("B", max_jobs=3)', "D041", "job"),
    (
        "ranges beside several jobs",
        'Tuning("B", job={"one": job}, ranges={"i": IntegerRange(1, 2)})',
        "D064",
        "TrainingJob(…)",
    ),
    (
        "a job that is not kept",
        'Tuning("B", job=job, ranges={"i": IntegerRange(1, 9)}, objective=Maximize("auc"), max_jobs=4).top(50)',
        "D032",
        "0 to 49",
    ),
    ("AutoML without a target", 'AutoML("B", train=uri)', "D041", "target"),
    ("a missing file to pack", 'PackModel("B", model=t.model, inference_code="no.py", image=sk)', "D052", "no.py"),
    ("a reference in a model card",
     'RegisterModel("B", image=sk, model=t.model, group="g", card=ModelCard({"a": uri}))', "D004", "one JSON text"),
    ("a JSON file that is none", "json_file(3)", "D003", "S3 URI"),
    ("metadata that are no texts", 'Pipeline("x", metadata={"a": 1})', "D005", "metadata"),
    ("the network is a record", 'Training("B", image=sk, network={"subnets": []})', "D042", "Network(…)"),
]  # fmt: skip


def at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


@pytest.mark.parametrize(("line", "pointer", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_step_writes(declare: Callable[..., Opened], line: str, pointer: str, wanted: Any) -> None:
    opened = declare(BASE + line)
    errors = {finding.code for finding in opened.findings if finding.severity is Severity.ERROR}
    assert errors <= RATHER_ODD
    assert at(document(opened.pipelines[0].definition), pointer) == wanted


@pytest.mark.parametrize(("line", "code", "word"), [case[1:] for case in SLIPS], ids=[case[0] for case in SLIPS])
def test_a_slip_is_told_with_its_line(declare: Callable[..., Opened], line: str, code: str, word: str) -> None:
    opened = declare(BASE + line)
    errors = [finding for finding in opened.findings if finding.severity is Severity.ERROR and finding.code != "E503"]
    assert {finding.code for finding in errors} == {code}, errors
    assert errors[0].where.line == 4 + BASE.strip().count("\n") + 1
    assert any(word in f"{error.message} {error.help}" for error in errors), errors


def test_a_partial_is_a_component(declare: Callable[..., Opened]) -> None:
    body = (
        'import functools\nsmall = functools.partial(Training, image=image.sklearn("1.2-1"), instance="ml.m5.large")\n'
    )
    opened = declare(body + 'small("A")\nsmall("B", instance="ml.m5.xlarge")')
    steps = document(opened.pipelines[0].definition)["Steps"]
    instances = [step["Arguments"]["ResourceConfig"]["InstanceType"] for step in steps]
    assert instances == ["ml.m5.large", "ml.m5.xlarge"]


def test_a_subclass_names_what_it_hands_on(declare: Callable[..., Opened]) -> None:
    body = """
class House(Training):
    def __init__(self, name: str, **more: object) -> None:
        super().__init__(name, image=image.sklearn("1.2-1"), **more)

House("A", instnce="ml.m5.large")
"""
    (finding,) = declare(body).findings
    assert (finding.code, finding.help) == ("D040", "did you mean instance?")
