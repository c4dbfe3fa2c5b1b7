"""What files declare beside pipelines: the requests that it becomes, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from mlops import resources
from mlops.check.shapes import own_shape, shape
from mlops.check.sources import open_one, open_targets
from mlops.check.target_files import pipeline_files
from mlops.declare.resources.base import DeclaredResource
from mlops.deploy.declared.wanting import want
from mlops.deploy.resources import resource_types
from mlops.ir import UsageError
from mlops.project.environments import read_project

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
ROLE = "arn:aws:iam::123456789012:role/pipelines"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/3"
TOML = f"""
[env.production]
account = "123456789012"
region = "us-east-1"
role = "{ROLE}"
bucket = "acme-ml"
tags = {{ team = "growth" }}
"""
HEAD = f'from mlops import resources\nI = "{IMAGE}"\nA = "s3://acme-ml/a/model.tar.gz"\n'
ONE = 'm = resources.Model("m", image=I, model=A)\n'


def declared(folder: Path, text: str, environment: str = "production") -> Any:
    (folder / "mlops.toml").write_text(TOML)
    (folder / "serving.py").write_text(HEAD + text)
    return open_targets([str(folder / "serving.py")], environment)


def contents(folder: Path, text: str, environment: str = "production") -> dict[str, Any]:
    """What is made, by type and name; each request is one that the service's model takes."""
    opened = declared(folder, text, environment)
    assert not opened.findings, opened.findings
    (checked,) = opened.resources
    wanted = want(read_project(folder).environment(environment), checked, folder)
    found = wanted.contents({"churn": PACKAGE})
    for content in found.values():
        kind = resource_types()[content.resource.type]
        (call,) = kind.create(content.name, content.request)
        wanted_shape = botocore.session.get_session().get_service_model(kind.service).operation_model(call.operation)
        assert wanted_shape.input_shape is not None
        report = ParamValidator().validate(call.request, wanted_shape.input_shape)
        assert not report.has_errors(), report.generate_report()
        assert len(content.name) <= 63
    return {key: content.request for key, content in found.items()}


MODELS = {
    "one container": (
        'resources.Model("x", image=I, model=A, environment={"LEVEL": 1})',
        {
            "PrimaryContainer": {
                "Image": IMAGE,
                "Environment": {"LEVEL": "1"},
                "ModelDataUrl": "s3://acme-ml/a/model.tar.gz",
            }
        },
    ),
    "a pipeline of containers": (
        'resources.Model("x", containers=[resources.Container(image=I, model=A, hostname="a"), '
        'resources.Container(image=I, hostname="b")], '
        'execution="Direct")',
        {
            "Containers": [
                {"ContainerHostname": "a", "Image": IMAGE, "ModelDataUrl": "s3://acme-ml/a/model.tar.gz"},
                {"ContainerHostname": "b", "Image": IMAGE},
            ],
            "InferenceExecutionConfig": {"Mode": "Direct"},
        },
    ),
    "many models": (
        'resources.Model("x", image=I, model="s3://acme-ml/many/", multi_model=True)',
        {"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://acme-ml/many/"}},
    ),
    "a version": (
        f'resources.Model("x", package="{PACKAGE}")',
        {"PrimaryContainer": {"ModelPackageName": PACKAGE}},
    ),
    "the newest approved version": (
        'resources.Model("x", group="churn")',
        {"PrimaryContainer": {"ModelPackageName": PACKAGE}},
    ),
    "a network, isolated": (
        'resources.Model("x", image=I, network=resources.Network(["subnet-1"], ["sg-1"], isolated=True))',
        {
            "PrimaryContainer": {"Image": IMAGE},
            "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
            "EnableNetworkIsolation": True,
        },
    ),
    "a value by environment": (
        'resources.Model("x", image=I, environment={"A": resources.by_environment({"production": "p"}, "o")})',
        {"PrimaryContainer": {"Image": IMAGE, "Environment": {"A": "p"}}},
    ),
    "nothing by environment": (
        'resources.Model("x", image=I, model=resources.by_environment({"local": A}, otherwise=None))',
        {"PrimaryContainer": {"Image": IMAGE}},
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model_is_this_request(case: str, tmp_path: Path) -> None:
    text, wanted = MODELS[case]
    assert contents(tmp_path, text)["model x"] == {"ExecutionRoleArn": ROLE, **wanted}


LONE = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
CONFIGS = {
    "one variant": ("model=m.model_name", {"ProductionVariants": [LONE]}),
    "weights": (
        'variants={"a": resources.Variant(m.model_name, weight=1), '
        '"b": resources.Variant(m.model_name, count=2, weight=3)}',
        {
            "ProductionVariants": [
                {**LONE, "VariantName": "a", "InitialVariantWeight": 1},
                {**LONE, "VariantName": "b", "InitialInstanceCount": 2, "InitialVariantWeight": 3},
            ]
        },
    ),
    "a shadow": (
        'variants={"a": resources.Variant(m.model_name, weight=1)}, '
        'shadow={"s": resources.Variant(m.model_name, weight=1)}',
        {
            "ProductionVariants": [{**LONE, "VariantName": "a", "InitialVariantWeight": 1}],
            "ShadowProductionVariants": [{**LONE, "VariantName": "s", "InitialVariantWeight": 1}],
        },
    ),
    "serverless there, machines here": (
        'model=m.model_name, serverless=resources.by_environment({"production": resources.Serverless(2048, 5)}, None), '
        'instance=resources.by_environment({"production": None}, "ml.m5.large")',
        {
            "ProductionVariants": [
                {"VariantName": "AllTraffic", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
            ]
        },
    ),
    "inside of a record": (
        'variants={"a": resources.Variant(m.model_name, weight=1, '
        'count=resources.by_environment({"production": 3}, 1))}',
        {
            "ProductionVariants": [
                {**LONE, "VariantName": "a", "InitialInstanceCount": 3, "InitialVariantWeight": 1},
            ]
        },
    ),
    "capture and key": (
        'model=m.model_name, capture=resources.Capture("s3://acme-ml/kept", 20, ["Input"]), '
        'kms_key="arn:aws:kms:us-east-1:123456789012:key/1"',
        {
            "ProductionVariants": [LONE],
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": 20,
                "DestinationS3Uri": "s3://acme-ml/kept",
                "CaptureOptions": [{"CaptureMode": "Input"}],
            },
            "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1",
        },
    ),
    "asynchronous": (
        'model=m.model_name, asynchronous=resources.Asynchronous("s3://acme-ml/out", failures="s3://acme-ml/bad", '
        'error="arn:aws:sns:us-east-1:123456789012:bad", concurrency=4)',
        {
            "ProductionVariants": [LONE],
            "AsyncInferenceConfig": {
                "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
                "OutputConfig": {
                    "S3OutputPath": "s3://acme-ml/out",
                    "NotificationConfig": {"ErrorTopic": "arn:aws:sns:us-east-1:123456789012:bad"},
                    "S3FailurePath": "s3://acme-ml/bad",
                },
            },
        },
    ),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration_is_this_request(case: str, tmp_path: Path) -> None:
    text, wanted = CONFIGS[case]
    found = contents(
        tmp_path, f'{ONE}c = resources.EndpointConfig("x", {text})\nresources.Endpoint("x", config=c.config_name)'
    )
    made = found["endpoint-config x"]
    for variant in (*made["ProductionVariants"], *made.get("ShadowProductionVariants", ())):
        assert variant.pop("ModelName").startswith("m-")
    assert made == wanted


def test_who_is_let_in_may_be_of_any_account(tmp_path: Path) -> None:
    found = contents(tmp_path, f'{ONE}resources.ModelPackageGroup("g", readers=["444455556666", "777788889999"])\n')
    assert [key.partition(" ")[0] for key in found] == ["model", "model-package-group"]


WRONG = {
    "nothing serves": ('resources.Model("m")', {"D064"}),
    "it is said twice": ('resources.Model("m", image=I, group="churn")', {"D064"}),
    "a model without its image": ('resources.Model("m", group="churn", model=A)', {"D064"}),
    "no such argument": ('resources.Model("m", imag=I)', {"D040"}),
    "a name that none can have": ('resources.Model("a b", image=I)', {"D042"}),
    "a name that is too long": ('resources.Model("a" * 53, image=I)', {"D042"}),
    "declared twice": (ONE + ONE, {"G101"}),
    "neither model nor variants": ('resources.EndpointConfig("c")', {"D064"}),
    "no value for this environment": (
        'resources.Model("m", image=resources.by_environment({"local": I}))',
        {"D042"},
    ),
    "a wrong one for this environment": (
        'resources.Model("m", image=resources.by_environment({"production": 7}, otherwise=I))',
        {"D042"},
    ),
    "by no environments": ("resources.by_environment(3)\n" + ONE, {"D042"}),
    "no machine at all": (ONE + 'resources.EndpointConfig("c", model=m.model_name, count=0)', {"S207"}),
    "no such member": (ONE + 'resources.Endpoint("e", config=m.config_name)', {"D031"}),
    "something of the local account": (
        'resources.Model("m", image=I, model="s3://mlops-local/a/model.tar.gz")',
        {"D109"},
    ),
    "a secret": ('resources.Model("m", image=I, environment={"TOKEN": "AKIAIOSFODNN7EXAMPLE"})', {"X840"}),
    "no number of periods": (
        'resources.Alarm("a", metric=resources.Metric("a", "b"), statistic="Sum", period=60, periods=0, threshold=1, '
        'comparison="GreaterThanThreshold")',
        {"S207"},
    ),
    "an expression that names nothing": (
        'resources.Alarm("a", queries=[resources.Query("e", expression="m1 + 1")], threshold=1, '
        'comparison="GreaterThanThreshold")',
        {"D064"},
    ),
    "more of M than N": (
        'resources.Alarm("a", metric=resources.Metric("a", "b"), statistic="Sum", period=60, periods=1, datapoints=2, '
        'threshold=1, comparison="GreaterThanThreshold")',
        {"D064"},
    ),
    "a rule that is none": ('resources.CompositeAlarm("a", rule="ALARM(b) OK(c)")', {"D064"}),
    "a monitor that looks for nothing": ('resources.Monitor("a", endpoint="e")', {"D064"}),
    "a monitor's window": (
        'resources.Monitor("a", endpoint="e", drift=resources.Drift(), window="1 hour")',
        {"D042"},
    ),
    "a monitor's schedule": (
        'resources.Monitor("a", endpoint="e", drift=resources.Drift(), schedule="hourly")',
        {"D042"},
    ),
    "a monitor's window in minutes": (
        'resources.Monitor("a", endpoint="e", drift=resources.Drift(), window=60)',
        {"D042"},
    ),
    "a monitor's schedule in hours": (
        'resources.Monitor("a", endpoint="e", drift=resources.Drift(), schedule=1)',
        {"D042"},
    ),
    "feedback whose rule has no name": (
        f'resources.Feedback("{"b-" * 25}b", alarm="b", pipeline="p")',
        {"D042"},
    ),
    "a monitor whose group has no name": (
        f'resources.Monitor("{"b-" * 25}b", endpoint="e", drift=resources.Drift())',
        {"D042"},
    ),
    "feedback about nothing": ('resources.Feedback("a", pipeline="p")', {"D042"}),
    "feedback that does nothing": ('resources.Feedback("a", alarm="b", notify=False)', {"D042"}),
    "feedback with a placeholder that is none": (
        'resources.Feedback("a", alarm="b", pipeline="p", parameters={"S": "{sinc}"})',
        {"D042"},
    ),
    "an NDCG beyond 1": ('resources.Monitor("a", endpoint="e", attributions=resources.Attributions(2.0))', {"D042"}),
    "JSON without a template": (
        'resources.Monitor("a", endpoint="e", '
        'attributions=resources.Attributions(content_type="application/jsonlines"))',
        {"D042"},
    ),
    "a rate of false alarms": ('resources.Monitor("a", endpoint="e", drift=resources.Drift(5.0))', {"D042"}),
    "a statistic that there is not": (
        'resources.Monitor("a", endpoint="e", drift=resources.Drift(statistic="t"))',
        {"D042"},
    ),
    "no such comparison": (
        'resources.Alarm("a", metric=resources.Metric("a", "b"), statistic="Sum", period=60, comparison="More")',
        {"D042"},
    ),
    "no such name among them": (
        'resources.Alram("a", metric=resources.Metric("a", "b"), statistic="Sum", period=60, threshold=1, '
        'comparison="GreaterThanThreshold")',
        {"D031"},
    ),
    "a name that is too long for an alarm": (
        'resources.Alarm("a" * 256, metric=resources.Metric("a", "b"), statistic="Sum", period=60, threshold=1, '
        'comparison="GreaterThanThreshold")',
        {"S206"},
    ),
    "a reader that is no account": ('resources.ModelPackageGroup("g", readers=["ann"])', {"D042"}),
    "a statement that is none": ('resources.ModelPackageGroup("g", access=[{"Action": 7}])', {"D042"}),
    "a group's name": ('resources.ModelPackageGroup("a_b")', {"S205"}),
    "a stream to no place": ('resources.Stream("s", to="acme-events")', {"D042"}),
    "a stream with expressions and no place for failures": (
        'resources.Stream("s", to="s3://acme-events/!{timestamp:yyyy}/")',
        {"D064"},
    ),
    "a stream whose partitions no prefix names": (
        'resources.Stream("s", to="s3://acme-events/a/", errors="bad/", partition_by="{k: .k}", size=64)',
        {"D064"},
    ),
    "a buffer too small for partitions": (
        'resources.Stream("s", to="s3://acme-events/!{partitionKeyFromQuery:k}/", errors="bad/", '
        'partition_by="{k: .k}", size=5)',
        {"D064"},
    ),
    "a backup of what is sent to an endpoint": (
        'resources.Stream("s", to="s3://acme-events/a/", backup="s3://acme-raw/", '
        'endpoint=resources.HttpEndpoint("https://collector.example.org/in"))',
        {"D064"},
    ),
    "a table of no database": ('resources.Stream("s", to="s3://acme-events/a/", table="events")', {"D042"}),
    "rows in a buffer too small": (
        'resources.Stream("s", to="s3://acme-events/a/", table="lake.events", size=5)',
        {"D064"},
    ),
    "rows that are compressed twice": (
        'resources.Stream("s", to="s3://acme-events/a/", table="lake.events", compression="GZIP")',
        {"D064"},
    ),
    "a format of no table": ('resources.Stream("s", to="s3://acme-events/a/", format="orc")', {"D064"}),
    "a stream that waits too long": ('resources.Stream("s", to="s3://acme-events/a/", seconds=901)', {"S207"}),
    "an endpoint without https": (
        'resources.Stream("s", to="s3://a-bucket/a/", endpoint=resources.HttpEndpoint("http://example.org"))',
        {"S205"},
    ),
    "serverless in a network": (
        'm = resources.Model("m", image=I, network=resources.Network(["subnet-1"], ["sg-1"]))\n'
        'resources.EndpointConfig("c", model=m.model_name, serverless=resources.Serverless(1024, 1))',
        None,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(case: str, tmp_path: Path) -> None:
    text, codes = WRONG[case]
    opened = declared(tmp_path, text)
    assert opened.findings
    assert codes is None or {finding.code for finding in opened.findings} == codes
    assert all(finding.where.line and finding.where.line > 3 for finding in opened.findings)


def test_many_resources_are_no_steps(tmp_path: Path) -> None:
    named = 'resources.Alarm("{}", metric=resources.Metric("shop", "errors"), statistic="Sum", period=60, periods=1, '
    each = named + 'threshold=1, comparison="GreaterThanThreshold")\n'
    assert declared(tmp_path, "".join(each.format(f"a{number}") for number in range(51))).findings == ()


BATCH = (
    'resources.Batch("{}", model="m", data="s3://acme/in/", to="s3://acme/out/", when="rate(1 day)", '
    'instance="ml.m5.large")'
)
APPROVAL = 'resources.Approval("{}", group="churn", starts="arn:aws:codepipeline:us-east-1:123456789012:churn")'


@pytest.mark.parametrize(("text", "most"), [(BATCH, 25), (APPROVAL, 40)], ids=["a batch", "an approval"])
def test_names_have_room_for_what_they_become_a_part_of(text: str, most: int, tmp_path: Path) -> None:
    name = "a-" * most
    assert not declared(tmp_path, text.format(f"{name[: most - 1]}b")).findings
    assert {item.code for item in declared(tmp_path, text.format(f"{name[:most]}b")).findings} == {"S205"}


def test_in_another_environment_it_is_judged_by_what_it_says_there(tmp_path: Path) -> None:
    text = 'resources.Model("m", image=resources.by_environment({"production": 7}, otherwise=I))'
    assert not declared(tmp_path, text, "local").findings
    assert declared(tmp_path, text).findings


def test_a_step_takes_no_value_by_environment(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(
        HEAD + "from mlops import Model, Pipeline\n"
        'with Pipeline("churn"):\n    '
        'Model("M", image=I, environment={"A": resources.by_environment({"local": "1"}, "2")})\n'
    )
    opened = open_targets([str(tmp_path / "pipeline.py")], "local")
    assert [(finding.code, finding.where.line) for finding in opened.findings] == [("D042", 6)]


def test_pipelines_and_resources_stand_beside_each_other(tmp_path: Path) -> None:
    text = ONE + 'from mlops import Fail, Pipeline\nwith Pipeline("churn"):\n    Fail("Stop", "no")\n'
    opened = declared(tmp_path, text)
    assert [checked.definition.name for checked in opened.pipelines] == ["churn"]
    assert [step.name for checked in opened.resources for step in checked.definition.steps] == ["model-m"]
    assert not open_targets([f"{tmp_path / 'serving.py'}:churn"], "local").resources


def test_what_needs_a_pipeline_says_so(tmp_path: Path) -> None:
    declared(tmp_path, ONE)
    with pytest.raises(UsageError, match="declares resources and no pipeline"):
        open_one(str(tmp_path / "serving.py"), "local")


FILES = {
    "from mlops import resources\nresources.Model('m')\n": True,
    "import mlops\nmlops.resources.Model('m')\n": True,
    "from mlops.resources import Model\nModel('m')\n": True,
    "from mlops import resources\nprint(resources)\n": False,
    "import resources\nresources.Model('m')\n": False,
}


def test_which_files_of_a_folder_declare_something(tmp_path: Path) -> None:
    for number, text in enumerate(FILES):
        (tmp_path / f"f{number}.py").write_text(text)
    assert [file.read_text() for file in pipeline_files(tmp_path)] == [text for text, does in FILES.items() if does]


CLOSED = """
import subprocess
subprocess.run(["true"], check=False)
m = resources.Model("m", image=I, model="model", inference_code="inference.py")
c = resources.EndpointConfig("c", model=m.model_name, count=resources.by_environment({"production": 3}, otherwise=1))
resources.Endpoint("e", config=c.config_name)
f = resources.Model("f", group="churn")
"""


def test_a_file_that_is_closed_in_declares_the_same(tmp_path: Path) -> None:
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "inference.py").write_text("def model_fn(d): return 0\n")
    closed = declared(tmp_path, CLOSED)
    (here,) = declared(tmp_path, CLOSED.replace("import subprocess", "").replace("subprocess.", "#")).resources
    (there,) = closed.resources
    for left, right in zip(here.definition.steps, there.definition.steps, strict=True):
        assert (left.name, left.type, left.arguments, left.members) == (
            right.name,
            right.type,
            right.arguments,
            right.members,
        )
    assert [asset.uri for asset in here.definition.assets] == [asset.uri for asset in there.definition.assets]


def test_a_mistake_is_told_for_another_account_too(tmp_path: Path) -> None:
    """It was a Python error."""
    (tmp_path / "mlops.toml").write_text(TOML)
    (tmp_path / "pipeline.py").write_text(
        'from mlops import Pipeline, Training\nwith Pipeline("churn"):\n'
        f'    Training("Train", image="{IMAGE}", code="nowhere.py")\n'
    )
    opened = open_targets([str(tmp_path / "pipeline.py")], "production")
    assert "D052" in {finding.code for finding in opened.findings}


ALARMS = {
    "a metric": (
        'metric=resources.Metric("shop", "orders", {"city": "Ulm"}), statistic="Sum", period=60, threshold=5, '
        'comparison="LessThanThreshold", periods=3, datapoints=2, missing="breaching", description="few"',
        {
            "AlarmDescription": "few",
            "Namespace": "shop",
            "MetricName": "orders",
            "Dimensions": [{"Name": "city", "Value": "Ulm"}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 2,
            "Threshold": 5,
            "ComparisonOperator": "LessThanThreshold",
            "TreatMissingData": "breaching",
        },
    ),
    "a percentile": (
        'metric=resources.Metric("shop", "orders"), statistic="p99.9", period=60, threshold=0.5, '
        'comparison="GreaterThanThreshold", low_samples="ignore"',
        {
            "Namespace": "shop",
            "MetricName": "orders",
            "ExtendedStatistic": "p99.9",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0.5,
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluateLowSampleCountPercentile": "ignore",
        },
    ),
    "metric math": (
        'queries=[resources.Query("bad", resources.Metric("shop", "bad"), "Sum", 60, returned=False), '
        'resources.Query("all", resources.Metric("shop", "all"), "Sum", 60, returned=False), '
        'resources.Query("rate", expression="100 * bad / all", label="percent")], threshold=1, '
        'comparison="GreaterThanThreshold"',
        {
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Metrics": [
                *(
                    {
                        "Id": name,
                        "MetricStat": {
                            "Metric": {"Namespace": "shop", "MetricName": name},
                            "Period": 60,
                            "Stat": "Sum",
                        },
                        "ReturnData": False,
                    }
                    for name in ("bad", "all")
                ),
                {"Id": "rate", "Expression": "100 * bad / all", "Label": "percent"},
            ],
        },
    ),
    "a band, of what is declared beside it": (
        'queries=[resources.Query("m", resources.Metric("AWS/SageMaker", "Invocations", '
        '{"EndpointName": e.endpoint_name}), "Sum", 60), '
        'resources.Query("b", expression="ANOMALY_DETECTION_BAND(m)")], '
        'threshold_query="b", comparison="GreaterThanUpperThreshold", on_ok=["arn:aws:sns:us-east-1:123456789012:a"], '
        "actions_enabled=False",
        {
            "ActionsEnabled": False,
            "OKActions": ["arn:aws:sns:us-east-1:123456789012:a"],
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanUpperThreshold",
            "ThresholdMetricId": "b",
            "Metrics": [
                {
                    "Id": "m",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SageMaker",
                            "MetricName": "Invocations",
                            "Dimensions": [{"Name": "EndpointName", "Value": "live"}],
                        },
                        "Period": 60,
                        "Stat": "Sum",
                    },
                },
                {"Id": "b", "Expression": "ANOMALY_DETECTION_BAND(m)"},
            ],
        },
    ),
}
LIVE = (
    f'{ONE}c = resources.EndpointConfig("c", model=m.model_name, instance="ml.m5.large")\n'
    'e = resources.Endpoint("live", config=c.config_name)\n'
)


@pytest.mark.parametrize("case", ALARMS)
def test_an_alarm_is_this_request(case: str, tmp_path: Path) -> None:
    text, wanted = ALARMS[case]
    made = contents(tmp_path, f'{LIVE}resources.Alarm("x/y", {text})')["alarm x/y"]
    assert {member: value for member, value in made.items() if member != "Tags"} == wanted


def test_every_field_of_a_resource_is_a_member_of_the_request() -> None:
    for name in resources.__all__:
        made = getattr(resources, name)
        if not (isinstance(made, type) and issubclass(made, DeclaredResource)):
            continue
        step_type = made.step_type
        against = (
            own_shape(step_type)
            if step_type.arguments is not None
            else shape(step_type.service, step_type.request or "")
        )
        assert against is not None, name
        for field in made.constructor.fields:
            if field.path and not field.path.startswith("/"):
                assert against.member(field.path.partition(".")[0]) is not None, (name, field.path)
        assert made.kind in resource_types(), name
        assert made.named_by is None or made.named_by in against.required, name


def test_what_is_given_as_arguments_is_judged_with_the_rest(tmp_path: Path) -> None:
    text = 'resources.Alarm("a", comparison="GreaterThanThreshold", threshold=1, arguments={%s})'
    promql = '"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}'
    assert not declared(tmp_path, text % promql).findings
    metric = '"Namespace": "a", "MetricName": "b", "Period": 60, "Statistic": "Sum"'
    assert not declared(tmp_path, text % metric).findings
    assert [item.code for item in declared(tmp_path, text % metric.replace("60", "61")).findings] == ["D064"]


def test_a_stream_writes_into_its_own_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    role = ROLE.replace("arn:aws:", "arn:aws-cn:")
    monkeypatch.setitem(globals(), "TOML", TOML.replace(ROLE, role).replace("us-east-1", "cn-north-1"))
    (made,) = contents(tmp_path, 'resources.Stream("s", to="s3://acme-events/a/")').values()
    assert made["ExtendedS3DestinationConfiguration"]["BucketARN"] == "arn:aws-cn:s3:::acme-events"
