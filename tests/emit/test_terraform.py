"""Configurations of Terraform: goldens, and what holds of any by the provider's schema. Terraform itself is asked in
``test_terraform_judged.py``."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops.check.templates.judging import judge
from mlops.emit.terraform.configuration import Configuration, Written
from mlops.ir import Event, UsageError
from mlops.ir.surroundings import Surroundings
from mlops.use_cases.emit import emit
from mlops.use_cases.news import Said
from tests.emit.stacked import CONFIGURATIONS, ENVIRONMENT, EXAMPLES, FOUND, ROOT, emitted, project
from tests.emit.templates import read
from tests.emit.terraform_check import faults

AROUND = Surroundings(ENVIRONMENT, "us-east-1", "arn:aws:iam::111122223333:role/r", "acme", account="111122223333")
SEEDS = [
    *sorted((ROOT / "tests" / "contract" / "seeds" / "templates").glob("*_corrected.yaml")),
    ROOT / "tests" / "check" / "templates" / "sound.yaml",
]
SLOW = pytest.mark.proof("terraform")
ROWS = [pytest.param(name, marks=() if name in ("wine", "served", "beside") else SLOW, id=name) for name in EXAMPLES]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("configurations"))


def written(template: Mapping[str, Any]) -> Written:
    return Configuration(template, AROUND, "").written()


def told(file: Path) -> tuple[dict[str, Any], list[str]]:
    said: list[Event] = []
    text = emit(FOUND["terraform"], str(file), ENVIRONMENT, said.append).text
    return json.loads(text), [item.text for item in said if isinstance(item, Said)]


@pytest.mark.parametrize("name", ROWS)
def test_an_example_is_its_golden_and_sound(name: str, there: Path) -> None:
    golden = (CONFIGURATIONS / f"{name}.tf.json").read_text()
    assert emitted(there / EXAMPLES[name], "terraform") == golden
    assert faults(json.loads(golden)) == []
    assert not re.search(r"NoneType|object at 0x|<class|Traceback|/home/|/tmp/|000000000000|mlops-local", golden)


@pytest.mark.parametrize("file", SEEDS, ids=lambda file: file.stem)
def test_the_documents_own_templates_are_sound_configurations(file: Path) -> None:
    assert faults(written(read(file.read_text())).document) == []


def planted(change: Callable[[dict[str, Any]], object]) -> list[str]:
    document = json.loads((CONFIGURATIONS / "served.tf.json").read_text())
    change(document)
    return faults(document)


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an unknown argument": (
        lambda told: model(told).update(execution_role="r"),
        "aws_sagemaker_model.model_churn.execution_role is no argument",
    ),
    "another type": (
        lambda told: model(told).update(tags=["growth"]),
        "aws_sagemaker_model.model_churn.tags is no map",
    ),
    "a missing argument": (
        lambda told: model(told).pop("execution_role_arn"),
        "aws_sagemaker_model.model_churn has no execution_role_arn",
    ),
    "a reference to nothing": (
        lambda told: model(told).update(execution_role_arn="${aws_iam_role.rolle[0].arn}"),
        "refers to aws_iam_role.rolle, which is nowhere",
    ),
    "an attribute that there is not": (
        lambda told: model(told).update(execution_role_arn="${aws_iam_role.role[0].arm}"),
        "asks aws_iam_role.role for arm",
    ),
}
"""Terraform is shown the same ones."""


def model(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["resource"]["aws_sagemaker_model"]["model_churn"]
    return found


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_seen(name: str) -> None:
    change, expected = MISTAKES[name]
    assert any(expected in fault for fault in planted(change)), planted(change)


ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {"AlarmName": "a", "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1},
}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a", "DisplayName": {"Fn::Sub": "in ${AWS::Region}"}}}


def template(more: Mapping[str, Any] | None = None, **resources: Any) -> dict[str, Any]:
    return {"Resources": resources, **(more or {})}


def alarm(**properties: Any) -> dict[str, Any]:
    return {**ALARM, "Properties": {**copy.deepcopy(ALARM["Properties"]), **properties}}


SPELT: dict[str, tuple[Any, Any]] = {
    "what Terraform would read": ("${a} %{b} $${c}", "$${a} %%{b} $$${c}"),
    "quotes and lines": ('say "no"\n', 'say "no"\n'),
    "a reference in a text": (
        {"Fn::Sub": "${A.Arn} of ${AWS::Region}, not ${!B}"},
        "${aws_cloudwatch_metric_alarm.a.arn} of ${data.aws_region.current.region}, not $${B}",
    ),
    "texts that are joined": (
        {"Fn::Join": ["-", ["x", {"Ref": "A"}]]},
        '${join("-", ["x", aws_cloudwatch_metric_alarm.a.alarm_name])}',
    ),
    "one of two": (
        {"Fn::If": ["Large", 'b"', {"Fn::Sub": '${A}"'}]},
        '${(var.size == "large") ? "b\\"" : "${aws_cloudwatch_metric_alarm.a.alarm_name}\\""}',
    ),
}


@pytest.mark.parametrize("name", SPELT)
def test_a_value_is_the_same_one_there(name: str) -> None:
    value, expected = SPELT[name]
    more = {
        "Parameters": {"Size": {"Type": "String", "AllowedValues": ["small", "large"]}},
        "Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
    }
    document = written(template(more, A=ALARM, B=alarm(AlarmDescription=value))).document
    assert document["resource"]["aws_cloudwatch_metric_alarm"]["b"]["alarm_description"] == expected
    assert faults(document) == []


def test_a_type_that_the_provider_does_not_have_goes_by_cloud_control() -> None:
    found = written(template(T=TOPIC, A=alarm(AlarmActions=[{"Ref": "T"}, {"Fn::GetAtt": ["T", "TopicArn"]}])))
    assert found.document["resource"]["aws_cloudcontrolapi_resource"]["t"] == {
        "type_name": "AWS::SNS::Topic",
        "desired_state": "${jsonencode(local.t_desired_state)}",
    }
    assert found.document["locals"]["t_desired_state"]["DisplayName"] == "in ${data.aws_region.current.region}"
    assert found.document["resource"]["aws_cloudwatch_metric_alarm"]["a"]["alarm_actions"] == [
        "${aws_cloudcontrolapi_resource.t.id}",
        '${jsondecode(aws_cloudcontrolapi_resource.t.properties)["TopicArn"]}',
    ]
    assert found.notes == [
        "the AWS provider has no type that is known here for AWS::SNS::Topic: T is aws_cloudcontrolapi_resource"
    ]


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"WarmUpConfiguration": {}}, "aws_cloudwatch_metric_alarm has no argument for WarmUpConfiguration"),
        ({"AlarmName": None}, "aws_cloudwatch_metric_alarm has to be told alarm_name"),
    ],
)
def test_so_does_what_it_has_no_argument_for(properties: dict[str, Any], why: str) -> None:
    said = {member: value for member, value in alarm(**properties)["Properties"].items() if value is not None}
    found = written(template(A={**ALARM, "Properties": said}))
    assert [*found.document["resource"]] == ["aws_cloudcontrolapi_resource"]
    assert why in found.notes[0]


@pytest.mark.parametrize(("disabled", "enabled"), [(False, True), (True, False), ({"Ref": "Off"}, None)])
def test_what_is_disabled_is_not_enabled(disabled: Any, enabled: bool | None) -> None:
    payload = {"Sql": "SELECT * FROM 'a'", "AwsIotSqlVersion": "2016-03-23", "RuleDisabled": disabled, "Actions": [{}]}
    rule = {"Type": "AWS::IoT::TopicRule", "Properties": {"RuleName": "a", "TopicRulePayload": payload}}
    found = written(template({"Parameters": {"Off": {"Type": "String"}}}, R=rule))
    made = found.document["resource"].get("aws_iot_topic_rule", {"r": {}})
    assert made["r"].get("enabled") is enabled
    assert [note for note in found.notes if "no argument for TopicRulePayload.RuleDisabled" in note] == found.notes
    assert (found.notes == []) == (enabled is not None)


REFUSED = {
    "what CloudFormation resolves": ("{{resolve:ssm:x}}", "is for CloudFormation to resolve"),
    "what Terraform composes": ("cafe\u0301", "combining characters"),
    "a function that is not known": ({"Fn::ImportValue": "x"}, "Fn::ImportValue of a template has no form"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_something_else_is_refused(name: str) -> None:
    value, expected = REFUSED[name]
    with pytest.raises(UsageError, match=expected):
        written(template(A=alarm(AlarmDescription=value)))


def test_no_secret_is_written() -> None:
    properties = {
        "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {"Url": "https://a.example.org", "AccessKey": "hunter2-hunter2"},
            "S3Configuration": {"RoleARN": "r", "BucketARN": "b"},
        },
        "DeliveryStreamName": "a",
    }
    found = written(template(A={"Type": "AWS::KinesisFirehose::DeliveryStream", "Properties": properties}))
    assert "hunter2" not in json.dumps(found.document)
    assert found.document["variable"]["a_access_key"] == {
        "type": "string",
        "nullable": False,
        "sensitive": True,
        "description": "AccessKey of A, which is not written here",
    }
    body = found.document["resource"]["aws_kinesis_firehose_delivery_stream"]["a"]["http_endpoint_configuration"]
    assert (body["access_key"], body["buffering_interval"]) == ("${var.a_access_key}", 60)
    assert [note for note in found.notes if "TF_VAR_a_access_key" in note] == found.notes


def test_two_secrets_of_one_name_are_two() -> None:
    containers = [
        {"Image": "a", "Environment": {"API_KEY": text}} for text in ("hunter2-one", "hunter2-two", "hunter2-one")
    ]
    properties = {"Containers": containers, "ExecutionRoleArn": "r"}
    found = written(template(M={"Type": "AWS::SageMaker::Model", "Properties": properties})).document
    made = found["resource"]["aws_sagemaker_model"]["m"]["container"]
    keys = [container["environment"]["API_KEY"] for container in made]
    assert keys == ["${var.m_api_key}", "${var.m_api_key_2}", "${var.m_api_key}"]
    assert {*found["variable"]} == {"m_api_key", "m_api_key_2"}


@pytest.mark.parametrize(("name", "before"), [({}, True), ({"ModelName": "m"}, False)])
def test_what_has_a_fixed_name_is_not_made_before_it_goes(name: dict[str, str], before: bool) -> None:
    said = {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": "r", **name}}
    (made,) = written(template(M=said)).document["resource"]["aws_sagemaker_model"].values()
    assert ("lifecycle" in made) is before


def test_no_two_resources_share_a_name() -> None:
    document = written(template(ModelAb=ALARM, ModelAB=ALARM, Model=ALARM)).document
    names = [*document["resource"]["aws_cloudwatch_metric_alarm"]]
    assert len({*names}) == 3 and "model" in names and all(name.startswith("model") for name in names)


PIPELINE = """from mlops import Pipeline, Training

with Pipeline("odd"):
    Training(
        "Train",
        image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1",
        to="s3://acme-ml-production/models",
        hyperparameters={hyperparameters},
    )
"""


BODIES = {
    "what Terraform and CloudFormation would read": ("{{resolve:ssm:x}} ${var.a}", 1, True),
    "more than a template of CloudFormation takes": ("x" * 800, 80, True),
    "what Terraform would compose": ("cafe\u0301", 1, False),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_what_compile_writes_or_lies_in_a_bucket(name: str, there: Path) -> None:
    text, times, inline = BODIES[name]
    parameters = {f"text-{number}": text for number in range(times)}
    (there / "odd.py").write_text(PIPELINE.format(hyperparameters=parameters))
    document, notes = told(there / "odd.py")
    body = document["resource"]["aws_sagemaker_pipeline"]["pipeline"]
    assert ("pipeline_definition" in body) is inline
    assert ("pipeline_definition_s3_location" in body) is not inline
    assert [note for note in notes if "send there what `mlops compile` writes" in note] == ([] if inline else notes)
    assert faults(document) == []


def test_one_changed_step_changes_it_only_there(there: Path) -> None:
    def lines(depth: int) -> list[str]:
        (there / "odd.py").write_text(PIPELINE.format(hyperparameters={"depth": depth}))
        return emitted(there / "odd.py", "terraform").splitlines()

    changed = [(old, new) for old, new in zip(lines(3), lines(4), strict=True) if old != new]
    assert [(old.strip(), new.strip()) for old, new in changed] == [
        (r'"          \"depth\": \"3\"",', r'"          \"depth\": \"4\"",')
    ]


def test_policies_of_a_role_are_attached_by_resources_of_their_own() -> None:
    policies = [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}]
    said = {"AssumeRolePolicyDocument": {}, "Policies": policies, "ManagedPolicyArns": ["a", {"Ref": "AWS::Partition"}]}
    document = written(template(R={"Type": "AWS::IAM::Role", "Properties": said})).document
    role = "${aws_iam_role.r.name}"
    assert document["resource"]["aws_iam_role_policy"] == {
        "r": {"role": role, "name": "own", "policy": "${jsonencode(local.r_policy)}"}
    }
    assert document["resource"]["aws_iam_role_policy_attachment"] == {
        "r_1": {"role": role, "policy_arn": "a"},
        "r_2": {"role": role, "policy_arn": "${data.aws_partition.current.partition}"},
    }
    assert faults(document) == []


SCALED = """from mlops import resources
model = resources.Model("m", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1", model="s3://acme-ml-production/m.tar.gz")
config = resources.EndpointConfig("c", model=model.model_name, instance="ml.m5.large", count=4)
scaling = resources.Scaling(1, 4, invocations=100, schedule={"night": resources.At("cron(0 22 * * ? *)", 1, 2)})
resources.Endpoint("door", config=config.config_name, scaling=scaling)
"""


def test_an_endpoint_is_scaled_by_resources_that_name_each_other(there: Path) -> None:
    (there / "scaled.py").write_text(SCALED)
    document, notes = told(there / "scaled.py")
    assert faults(document) == notes == []
    made = {kind: body for kind, body in document["resource"].items() if kind.startswith("aws_appautoscaling_")}
    (name,) = made["aws_appautoscaling_target"]
    of = {
        argument: f"${{aws_appautoscaling_target.{name}.{argument}}}"
        for argument in ("resource_id", "scalable_dimension", "service_namespace")
    }
    for kind in ("aws_appautoscaling_policy", "aws_appautoscaling_scheduled_action"):
        ((_, body),) = made[kind].items()
        assert of.items() <= body.items()
    target = made["aws_appautoscaling_target"][name]
    assert (
        target["resource_id"]
        == '${join("/", ["endpoint", aws_sagemaker_endpoint.endpoint_door.name, "variant", "AllTraffic"])}'
    )


KEPT = """from mlops import resources
key = resources.Key("models", description='what "${models}" are kept with')
resources.Bucket("acme-ml-kept", kms_key=key.key_arn, expire={"tmp/": 7}, old_versions=30)
"""


def test_the_parts_of_a_bucket_are_resources_of_their_own(there: Path) -> None:
    (there / "kept.py").write_text(KEPT)
    document, notes = told(there / "kept.py")
    made = document["resource"]
    assert faults(document) == notes == [] and "aws_cloudcontrolapi_resource" not in made
    parts = {
        kind.removeprefix("aws_s3_bucket_"): body for kind, body in made.items() if kind.startswith("aws_s3_bucket_")
    }
    bucket = "${aws_s3_bucket.bucket_acme_ml_kept.bucket}"
    assert {part["bucket"] for body in parts.values() for part in body.values()} == {bucket}
    assert parts["versioning"]["bucket_acme_ml_kept"]["versioning_configuration"] == {"status": "Enabled"}
    rules = parts["lifecycle_configuration"]["bucket_acme_ml_kept"]["rule"]
    assert [(rule["filter"], rule.get("expiration")) for rule in rules] == [
        ({}, None),
        ({"prefix": "tmp/"}, {"days": 7}),
        ({}, None),
    ]
    assert made["aws_s3_bucket"]["bucket_acme_ml_kept"]["lifecycle"] == {"prevent_destroy": True}
    assert made["aws_kms_key"]["key_models"]["description"] == 'what "$${models}" are kept with'


def test_a_schedule_has_no_tags_of_its_own(there: Path) -> None:
    """Its group has them, which no template makes."""
    (there / "watched.py").write_text(
        'from mlops import resources\nresources.Monitor("watch", endpoint="door", drift=resources.Drift())\n'
    )
    assert not judge(emitted(there / "watched.py").encode(), "t.yaml")
    document, _ = told(there / "watched.py")
    assert "monitor_watch" in document["resource"]["aws_scheduler_schedule"]


def test_the_machine_of_a_pipeline_comes_with_it(there: Path) -> None:
    text = emit(FOUND["terraform"], str(there / EXAMPLES["wine"]), ENVIRONMENT, lambda _: None, None, "").text
    document = json.loads(text)
    assert faults(document) == [] and "machine" in document["resource"]["aws_sfn_state_machine"]
