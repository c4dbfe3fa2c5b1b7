"""Policies of IAM: each kind of step allows what it names and nothing else, and a role that is there is compared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from mlops.check import step_types
from mlops.check.templates.judging import judge
from mlops.emit.policies.comparing import compare
from mlops.emit.policies.execution import execution_needs, unknown_needs
from mlops.emit.policies.statements import policy
from mlops.ir import Checked, UsageError
from mlops.ir.reader import read
from mlops.ir.surroundings import Start, Surroundings
from mlops.use_cases.emit import emit
from mlops.use_cases.news import Said
from tests.emit.stacked import ENVIRONMENT, FOUND, ROOT, emitted, project

ROLE = "arn:aws:iam::111122223333:role/pipelines"
AROUND = Surroundings(
    "prod", "eu-west-1", ROLE, "ours", prefix="ml", schedules=(Start("nightly", "p", ROLE, "rate(1 day)"),)
)
THERE = "arn:aws:sagemaker:us-east-1:111122223333"
JOB = "arn:aws:sagemaker:eu-west-1:111122223333"
TRAINING = {
    "AlgorithmSpecification": {
        "TrainingImage": "444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/ours:1",
        "TrainingInputMode": "File",
    },
    "InputDataConfig": [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://raw/2024/"}}}
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://ours/models"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
    "RoleArn": ROLE,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def needed(step: Mapping[str, Any], parameters: tuple[Mapping[str, Any], ...] = ()) -> list[Mapping[str, Any]]:
    text = json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [{"Name": "S", **step}]})
    return list(policy(execution_needs(checked(text), AROUND)).statements)


def checked(text: str) -> Checked:
    definition, _ = read(text, "p")
    assert definition is not None
    return Checked(replace(definition, name="p"), (), step_types(), {}, ())


def allows(statements: list[Mapping[str, Any]], action: str, resource: str) -> bool:
    return any(
        action in statement["Action"] and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in statements
    )


def training(**more: Any) -> Mapping[str, Any]:
    return {"Type": "Training", "Arguments": {**TRAINING, **more}}


def joined(*parts: Any) -> Mapping[str, Any]:
    return {"Std:Join": {"On": "/", "Values": list(parts)}}


KEY = "arn:aws:kms:eu-west-1:111122223333:key/k"
ROWS: tuple[tuple[str, Mapping[str, Any], str, str, str], ...] = (
    ("inputs are read", training(), "s3:GetObject", "arn:aws:s3:::raw/2024/a.csv", "arn:aws:s3:::raw/2023/a.csv"),
    ("and not written", training(), "s3:PutObject", "arn:aws:s3:::ours/models/x", "arn:aws:s3:::raw/2024/a.csv"),
    (
        "what a run knows is a star",
        training(
            OutputDataConfig={"S3OutputPath": joined("s3:/", "ours", {"Get": "Execution.PipelineExecutionId"}, "m")}
        ),
        "s3:PutObject",
        "arn:aws:s3:::ours/abc/m/model.tar.gz",
        "arn:aws:s3:::other/abc/m/model.tar.gz",
    ),
    (
        "checkpoints are read and written",
        training(CheckpointConfig={"S3Uri": "s3://ours/checkpoints"}),
        "s3:PutObject",
        "arn:aws:s3:::ours/checkpoints/1",
        "arn:aws:s3:::ours/other/1",
    ),
    (
        "its image alone is pulled",
        training(),
        "ecr:BatchGetImage",
        "arn:aws:ecr:eu-west-1:444455556666:repository/team/ours",
        "arn:aws:ecr:eu-west-1:444455556666:repository/team/other",
    ),
    (
        "jobs have the service's names",
        training(),
        "sagemaker:CreateTrainingJob",
        f"{JOB}:training-job/pipelines-a-S-b",
        f"{JOB}:training-job/other",
    ),
    (
        "or the base that is given",
        training(TrainingJobName="churn"),
        "sagemaker:CreateTrainingJob",
        f"{JOB}:training-job/churn-a-b",
        f"{JOB}:training-job/pipelines-a",
    ),
    ("its role is passed", training(), "iam:PassRole", ROLE, "arn:aws:iam::111122223333:role/admin"),
    (
        "it logs in its group",
        training(),
        "logs:PutLogEvents",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/TrainingJobs:log-stream:a",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/ProcessingJobs:log-stream:a",
    ),
    (
        "keys by their ARN",
        training(OutputDataConfig={"S3OutputPath": "s3://ours/models", "KmsKeyId": KEY}),
        "kms:GenerateDataKey",
        KEY,
        f"{KEY}2",
    ),
    (
        "keys by their id",
        training(OutputDataConfig={"S3OutputPath": "s3://ours/models", "KmsKeyId": "k"}),
        "kms:Decrypt",
        KEY,
        f"{KEY}2",
    ),
    (
        "its network",
        training(VpcConfig={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}),
        "ec2:CreateNetworkInterface",
        "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1",
        "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-2",
    ),
    (
        "a function",
        {"Type": "Lambda", "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:score", "Arguments": {}},
        "lambda:InvokeFunction",
        "arn:aws:lambda:eu-west-1:111122223333:function:score",
        "arn:aws:lambda:eu-west-1:111122223333:function:other",
    ),
    (
        "a queue",
        {"Type": "Callback", "SqsQueueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q", "Arguments": {}},
        "sqs:SendMessage",
        "arn:aws:sqs:eu-west-1:111122223333:q",
        "arn:aws:sqs:eu-west-1:111122223333:other",
    ),
    (
        "a cluster",
        {"Type": "EMR", "Arguments": {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "s3://raw/x.jar"}}}},
        "elasticmapreduce:AddJobFlowSteps",
        "arn:aws:elasticmapreduce:eu-west-1:111122223333:cluster/j-1",
        "arn:aws:elasticmapreduce:eu-west-1:111122223333:cluster/j-2",
    ),
    (
        "a group",
        {
            "Type": "RegisterModel",
            "Arguments": {"ModelPackageGroupName": "Churn", "InferenceSpecification": {"Containers": []}},
        },
        "sagemaker:CreateModelPackage",
        f"{JOB}:model-package/churn/1",
        f"{JOB}:model-package/other/1",
    ),
    ("its start", training(), "sagemaker:StartPipelineExecution", f"{JOB}:pipeline/p", f"{JOB}:pipeline/q"),
)


@pytest.mark.parametrize(("name", "step", "action", "allowed", "denied"), ROWS, ids=[row[0] for row in ROWS])
def test_a_step_may_what_it_names_and_nothing_else(
    name: str, step: Mapping[str, Any], action: str, allowed: str, denied: str
) -> None:
    statements = needed(step)
    assert allows(statements, action, allowed)
    assert not allows(statements, action, denied)


def test_on_everything_stands_only_what_iam_knows_no_resource_for() -> None:
    vpc = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    found = {action for item in needed(training(VpcConfig=vpc)) if "*" in item["Resource"] for action in item["Action"]}
    assert {action for action in found if not action.startswith("ec2:Describe")} == {
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
    }


def test_an_alias_is_a_condition() -> None:
    output = {"S3OutputPath": "s3://ours/models", "KmsKeyId": "alias/ours"}
    (used,) = (item for item in needed(training(OutputDataConfig=output)) if item["Sid"] == "UseKeys")
    assert used["Condition"] == {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/ours"}}


def test_a_step_of_an_unknown_type_is_told() -> None:
    document = {"Version": "2020-12-01", "Parameters": [], "Steps": [{"Name": "S", "Type": "Quantum", "Arguments": {}}]}
    assert list(unknown_needs(checked(json.dumps(document)))) == [
        "what S needs, of the type Quantum, is not known here: allow it too"
    ]


NEEDED = [
    {"Sid": "Read", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::a/x*"]},
    {"Sid": "Log", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
]
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
LOG = {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": "*"}


@pytest.mark.parametrize(
    ("role", "missing", "conditional", "excess"),
    [
        pytest.param({"Statement": [READ, LOG]}, [], [], [], id="enough"),
        pytest.param({"PolicyDocument": {"Statement": [READ, LOG]}}, [], [], [], id="as the API answers"),
        pytest.param({"PolicyDocument": "%7B%22Statement%22%3A%5B%5D%7D"}, None, None, None, id="nothing"),
        pytest.param(
            {"RolePolicyList": [{"PolicyDocument": {"Statement": READ}}, {"PolicyDocument": {"Statement": [LOG]}}]},
            [], [], [], id="a role of two policies",
        ),
        pytest.param({"Statement": [LOG]}, ["s3:GetObject on arn:aws:s3:::a/x* (Step)"], [], [], id="an action lacks"),
        pytest.param(
            {"Statement": [{**READ, "Resource": "arn:aws:s3:::a/xy*"}, LOG]},
            ["s3:GetObject on arn:aws:s3:::a/x* (Step)"], [], [], id="its place is narrower",
        ),
        pytest.param(
            {"Statement": [READ, LOG, {**READ, "Effect": "Deny"}]},
            ["s3:GetObject on arn:aws:s3:::a/x* is denied (Step)"], [], [], id="it is denied",
        ),
        pytest.param(
            {"Statement": [{**READ, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, LOG]},
            [], ["s3:GetObject on arn:aws:s3:::a/x*"], [], id="under a condition",
        ),
        pytest.param(
            {"Statement": [READ, LOG, {**READ, "Action": "iam:CreateRole"}]},
            [], [], ["iam:CreateRole"], id="more than is needed",
        ),
        pytest.param(
            {"Statement": [{**READ, "Action": "S3:*", "Resource": "*"}, LOG]},
            [], [], ["S3:*, of which s3:GetObject is needed"], id="a wide action",
        ),
        pytest.param(
            {"Statement": [{**READ, "Resource": "*"}, LOG]}, [], [], ["s3:GetObject on *"], id="a wide place"
        ),
        pytest.param(
            {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]},
            [], [], ["every action but iam:*"], id="all but some",
        ),
        pytest.param(
            {"Statement": [READ, LOG, {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::a/*"}]},
            [], [], [], id="what is elsewhere is denied",
        ),
        pytest.param(
            {"Statement": [READ, LOG, {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"}]},
            ["s3:GetObject on arn:aws:s3:::a/x* is denied (Step)"], [], [], id="all but another place is denied",
        ),
        pytest.param(
            {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::a/*"}, LOG]},
            ["s3:GetObject on arn:aws:s3:::a/x* (Step)"], [], ["every place but arn:aws:s3:::a/*"],
            id="all but its place",
        ),
        *(
            pytest.param(
                {"Statement": [READ, LOG, {"Effect": "Deny", "Action": "s3:*", **denied}]}, said, [], [], id=name
            )
            for name, denied, said in (
                ("a part is denied", {"Resource": ["arn:aws:s3:::a/xy/*", "arn:aws:s3:::b/*"]},
                 ["s3:GetObject on arn:aws:s3:::a/x* is denied in part: arn:aws:s3:::a/xy/* (Step)"]),
                ("a part across is denied", {"Resource": "arn:aws:s3:::*/secret"},
                 ["s3:GetObject on arn:aws:s3:::a/x* is denied in part: arn:aws:s3:::*/secret (Step)"]),
                ("all but a part is denied", {"NotResource": "arn:aws:s3:::a/xy*"},
                 ["s3:GetObject on arn:aws:s3:::a/x* is denied in part: all but arn:aws:s3:::a/xy* (Step)"]),
                ("its neighbour is denied", {"Resource": ["arn:aws:s3:::a/y?/x", "arn:aws:s3:::a"]},
                 []),
            )
        ),
    ],
)  # fmt: skip
def test_a_role_that_is_there_is_compared(
    role: Any, missing: list[str] | None, conditional: list[str] | None, excess: list[str] | None
) -> None:
    if missing is None:
        with pytest.raises(UsageError, match="no policy"):
            compare(NEEDED, {}, role)
        return
    found = compare(NEEDED, {"Read": ("Step",)}, role)
    assert (list(found.missing), list(found.conditional), list(found.excess)) == (missing, conditional, excess)


def test_removing_any_action_is_noticed_and_a_policy_is_enough_for_itself() -> None:
    statements = needed(training())
    whole = {"Statement": [{"Effect": "Allow", **item} for item in statements]}
    assert compare(statements, {}, whole).missing == ()
    for at, item in enumerate(statements):
        for action in item["Action"]:
            less = [dict(other) for other in statements]
            less[at]["Action"] = [other for other in item["Action"] if other != action]
            found = compare(statements, {}, {"Statement": [{"Effect": "Allow", **other} for other in less]})
            assert {line.split()[0] for line in found.missing} == {action}


def test_the_deployer_may_what_the_document_on_ci_says(tmp_path: Path) -> None:
    there = project(tmp_path)
    text = emitted(there / "pipelines/breast_cancer/pipeline.py", "iam-policy", "deployer")
    allowed = {action for item in json.loads(text)["Statement"] for action in item["Action"]}
    (row,) = re.findall(r"^\| `MLOPS_UPSERT_ROLE` .*$", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE)
    (plan,) = re.findall(r"^\| `MLOPS_PLAN_ROLE` .*$", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE)
    said = set(re.findall(r"`([a-z0-9-]+:[A-Za-z]+)`", row + plan))
    assert said - allowed == set()
    assert allowed - said == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert not any(action.startswith("iam:") and action != "iam:PassRole" for action in allowed)
    trusted = json.loads(emitted(there / "pipelines/breast_cancer/pipeline.py", "iam-policy", "trust"))
    assert [item["Sid"] for item in trusted["Statement"]] == ["SageMaker", "Scheduler"]


def test_the_deployer_may_change_what_a_file_declares(tmp_path: Path) -> None:
    there = project(tmp_path)
    (there / "beside.py").write_text(
        'from mlops import resources\nresources.Stream("events", to="s3://acme-events/a/")\n'
        'resources.Monitor("watch", endpoint="door", drift=resources.Drift(), schedule="rate(1 day)")\n'
    )
    statements = json.loads(emitted(there / "beside.py", "iam-policy", "deployer"))["Statement"]
    (role,) = {place for item in statements if item["Action"] == ["iam:PassRole"] for place in item["Resource"]}
    account = role.split(":")[4]
    passed = {item["Condition"]["StringEquals"]["iam:PassedToService"] for item in statements if "Condition" in item}
    assert {"firehose.amazonaws.com", "scheduler.amazonaws.com"} <= passed
    region = next(place for item in statements for place in item["Resource"] if ":firehose:" in place).split(":")[3]
    assert allows(
        statements, "firehose:UpdateDestination", f"arn:aws:firehose:{region}:{account}:deliverystream/events"
    )
    group = f"arn:aws:scheduler:{region}:{account}:schedule/mlops-monitor-watch/watch"
    assert allows(statements, "scheduler:UpdateSchedule", group) and allows(statements, "scheduler:GetSchedule", group)


OTHERS = 'role="arn:aws:iam::111122223333:role/other"'
SERVING = """
from mlops import resources
m = resources.Model("churn", group="churn", role="arn:aws:iam::111122223333:role/serves")
c = resources.EndpointConfig("churn", model=m.model_name, instance="ml.m5.large")
resources.Endpoint("churn", config=c.config_name)
"""


@pytest.mark.parametrize(
    ("action", "place", "may"),
    [
        ("sagemaker:CreateEndpoint", f"{THERE}:endpoint-config/churn-0a1b", True),
        ("sagemaker:DescribeModelPackage", f"{THERE}:model-package/churn/1", True),
        ("sagemaker:DescribeModelPackage", f"{THERE}:model-package/other/1", False),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/serves", True),
        ("s3:PutObject", "arn:aws:s3:::acme-ml-production/mlops/promotions/churn/1.json", True),
    ],
)
def test_the_deployer_may_take_a_version_to_serving(tmp_path: Path, action: str, place: str, may: bool) -> None:
    there = project(tmp_path)
    (there / "beside.py").write_text(SERVING)
    assert allows(json.loads(emitted(there / "beside.py", "iam-policy", "deployer"))["Statement"], action, place) is may


def test_who_sends_nothing_may_send_nothing(tmp_path: Path) -> None:
    there = project(tmp_path)
    (there / "beside.py").write_text('from mlops import resources\nresources.Stream("a", to="s3://acme-events/a/")\n')
    statements = json.loads(emitted(there / "beside.py", "iam-policy", "deployer"))["Statement"]
    assert {action for item in statements for action in item["Action"] if action.startswith(("s3:", "kms:"))} == set()


WATCHED = """
from mlops import resources
c = resources.EndpointConfig("churn", model="m", instance="ml.m5.large", capture=resources.Capture("s3://acme/seen/"))
e = resources.Endpoint("door", config=c.config_name)
resources.Monitor("watch", endpoint=e.endpoint_name, drift=resources.Drift(), schedule="rate(1 day)", {more})
"""


@pytest.mark.parametrize(
    ("more", "action", "place", "may"),
    [
        ("", "s3:GetObject", "arn:aws:s3:::acme/seen/door/A/x.jsonl", True),
        ("", "s3:GetObject", "arn:aws:s3:::acme/other/door/A/x.jsonl", False),
        ("", "s3:PutObject", "arn:aws:s3:::acme-ml-production/mlops/monitors/watch/x", True),
        ("", "sagemaker:DescribeModelPackage", f"{THERE}:model-package/churn/1", True),
        ('baseline="s3://acme/b/"', "sagemaker:DescribeModelPackage", f"{THERE}:model-package/churn/1", False),
        ("", "sagemaker:CreateEndpoint", f"{THERE}:endpoint/watch-asked", False),
        ("attributions=resources.Attributions()", "sagemaker:CreateEndpoint", f"{THERE}:endpoint/watch-asked", True),
        ("", "sagemaker:CreateProcessingJob", f"{THERE}:processing-job/watch-0a1b", True),
        (OTHERS, "sagemaker:CreateProcessingJob", f"{THERE}:processing-job/watch-0a1b", False),
    ],
)  # fmt: skip
def test_a_monitor_may_what_it_does(tmp_path: Path, more: str, action: str, place: str, may: bool) -> None:
    there = project(tmp_path)
    (there / "beside.py").write_text(WATCHED.replace("{more}", more))
    assert allows(json.loads(emitted(there / "beside.py", "iam-policy"))["Statement"], action, place) is may
    trusted = json.loads(emitted(there / "beside.py", "iam-policy", "trust"))["Statement"]
    assert [item["Sid"] for item in trusted] == ["SageMaker", *(["Scheduler"] if more != OTHERS else [])]


def test_what_is_captured_elsewhere_is_told(tmp_path: Path) -> None:
    there = project(tmp_path)
    (there / "beside.py").write_text(
        'from mlops import resources\nresources.Monitor("w", endpoint="door", drift=resources.Drift())\n'
    )
    said: list[Any] = []
    emit(FOUND["iam-policy"], str(there / "beside.py"), ENVIRONMENT, said.append, "execution")
    assert [item.text for item in said if isinstance(item, Said)] == [
        "note: monitor-w reads what an endpoint captures that is declared elsewhere: allow its role to read there"
    ]


DELIVERIES = """
from mlops import resources
OWN = "arn:aws:iam::{account}:role/streams/own"
SECRET = "arn:aws:secretsmanager:us-east-1:{account}:secret:other-a1b2c3"
THIRD = dict(to="s3://acme-events/third/", role="arn:aws:iam::{account}:role/third")
resources.Stream("r", **THIRD, backup="s3://acme-raw/all/", endpoint=resources.Redshift(
    "jdbc:redshift://a.b.us-east-1.redshift.amazonaws.com:5439/dev", "clicks", SECRET, columns="a,b"))
resources.Stream("f", **THIRD, endpoint=resources.Snowflake(
    "https://acme-one.snowflakecomputing.com", "db", "public", "clicks", SECRET, content="all"))
resources.Stream("i", **THIRD, endpoint=resources.Iceberg(
    "lake.clicks", "arn:aws:glue:us-east-1:{account}:catalog", keys=["id"], all=True))
resources.Stream("d", **THIRD, endpoint=resources.datadog(SECRET, site="eu1", attributes={"stage": "p"}))
resources.Stream("k", **THIRD, source=resources.Kinesis("arn:aws:kinesis:us-east-1:{account}:stream/a"))
resources.Stream("m", **THIRD, source=resources.Kafka("arn:aws:kafka:us-east-1:{account}:cluster/a/b-1", "clicks"))
resources.Stream("plain", to="s3://acme-events/a/!{timestamp:yyyy}/", errors="bad/", backup="s3://acme-raw/all/",
    function="arn:aws:lambda:us-east-1:{account}:function:change")
resources.Stream("found", to="s3://acme-events/found/", role=OWN, endpoint=resources.OpenSearch(
    "drops", domain="arn:aws:es:us-east-1:{account}:domain/events"))
resources.Stream("sent", to="s3://acme-events/sent/", role=OWN, endpoint=resources.Splunk(
    "https://splunk.example.org:8088", secret="arn:aws:secretsmanager:us-east-1:{account}:secret:splunk-a1b2c3"))
"""


def test_a_stream_may_what_it_does_and_firehose_alone_takes_its_role_on(tmp_path: Path) -> None:
    """The environment's role has what streams do that name no other; a role of their own has nothing else."""
    there = project(tmp_path)
    beside = there / "beside.py"
    beside.write_text('from mlops import resources\nresources.Stream("a", to="s3://acme-events/a/")\n')
    (trusted,) = [
        item for item in json.loads(emitted(beside, "iam-policy", "trust"))["Statement"] if item["Sid"] == "Firehose"
    ]
    account = trusted["Condition"]["StringEquals"]["sts:ExternalId"]
    beside.write_text(DELIVERIES.replace("{account}", account))
    shared = json.loads(emitted(beside, "iam-policy"))["Statement"]
    for action, place, may in (
        ("s3:PutObject", "arn:aws:s3:::acme-events/a/2026/x", True),
        ("s3:PutObject", "arn:aws:s3:::acme-events/bad/x", True),
        ("s3:PutObject", "arn:aws:s3:::acme-events/found/x", False),
        ("s3:PutObject", "arn:aws:s3:::acme-raw/all/x", True),
        ("s3:ListBucket", "arn:aws:s3:::acme-raw", True),
        ("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{account}:function:change", True),
        ("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{account}:function:other", False),
        ("es:ESHttpPut", f"arn:aws:es:us-east-1:{account}:domain/events/_bulk", False),
    ):
        assert allows(shared, action, place) is may, (action, place)
    own = json.loads(emitted(beside, "iam-policy", "delivery"))["Statement"]
    for action, place, may in (
        ("s3:PutObject", "arn:aws:s3:::acme-events/found/x", True),
        ("s3:PutObject", "arn:aws:s3:::acme-events/a/x", False),
        ("es:ESHttpPost", f"arn:aws:es:us-east-1:{account}:domain/events/_bulk", True),
        ("es:ESHttpGet", f"arn:aws:es:us-east-1:{account}:domain/events/_nodes/stats", True),
        ("es:ESHttpGet", f"arn:aws:es:us-east-1:{account}:domain/events/drops/_search", False),
        ("es:ESHttpDelete", f"arn:aws:es:us-east-1:{account}:domain/events/drops", False),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{account}:secret:splunk-a1b2c3", True),
        ("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{account}:function:change", False),
        ("kinesis:GetRecords", f"arn:aws:kinesis:us-east-1:{account}:stream/a", True),
        ("kafka-cluster:ReadData", f"arn:aws:kafka:us-east-1:{account}:topic/a/b-1/clicks", True),
        ("kafka-cluster:ReadData", f"arn:aws:kafka:us-east-1:{account}:topic/a/b-1/orders", False),
        ("kafka-cluster:WriteData", f"arn:aws:kafka:us-east-1:{account}:topic/a/b-1/clicks", False),
    ):
        assert allows(own, action, place) is may, (action, place)
    text = emitted(beside, "cloudformation", "json")
    assert judge(text.encode(), "template.json") == ()
    template = json.loads(text)["Resources"]
    role, written = template["StreamRoleStreamsOwn"], template["StreamRoleStreamsOwnPolicy"]
    assert role["Properties"] | {"RoleName": "own", "Path": "/streams/"} == role["Properties"]
    (only,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert only["Principal"] == {"Service": "firehose.amazonaws.com"}
    allowed = written["Properties"]["PolicyDocument"]["Statement"]
    assert allows(allowed, "es:ESHttpPost", f"arn:aws:es:us-east-1:{account}:domain/events/_bulk")
    assert not allows(allowed, "s3:PutObject", "arn:aws:s3:::acme-events/third/x")
    assert template["StreamFound"]["DependsOn"] == ["StreamRoleStreamsOwnPolicy"]
    assert template["StreamPlain"]["DependsOn"] == ["RolePolicy"]
