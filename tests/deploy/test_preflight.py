"""Each finding of the preflight with its pair: it fires where something is missing, and not where that is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from mlops.check import check
from mlops.check.account_findings import ACCOUNT_FINDINGS
from mlops.deploy.pipelines.preflight import preflight
from mlops.ir import Checked
from mlops.ir.reader import read
from mlops.project.environments import Environment

from .conftest import World

pytestmark = pytest.mark.parametrize("world", ["moto"], indirect=True)

ACCOUNT = "123456789012"
MINE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/steps"


def pipeline(
    image: str = f"{MINE}:1", data: str = "s3://acme-ml/data", group: str = "churn", number: int = 1
) -> Checked:
    source = {"S3Uri": data, "LocalPath": "/opt/ml/processing/input/data", "S3DataType": "S3Prefix"}
    processing = {
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/pipelines",
        "AppSpecification": {"ImageUri": image},
        "ProcessingInputs": [{"InputName": "data", "S3Input": source}],
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": number, "VolumeSizeInGB": 10}
        },
    }
    containers = [{"Image": image, "ModelDataUrl": "s3://acme-ml/model.tar.gz"}]
    register = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": containers,
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    steps = [
        {"Name": "Prepare", "Type": "Processing", "Arguments": processing},
        {"Name": "Register", "Type": "RegisterModel", "Arguments": register},
    ]
    definition, findings = read(json.dumps({"Version": "2020-12-01", "Metadata": {}, "Steps": steps}))
    assert definition is not None
    return check(replace(definition, name="churn"), findings=findings)


FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:there"
QUEUE = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/there"


def calling(kind: str, **members: str) -> Checked:
    """The sound pipeline, and a step that calls what may not be there."""
    sound = pipeline().definition
    step = {"Name": "Call", "Type": kind, "Arguments": {}, "OutputParameters": [], **members}
    extra, _ = read(json.dumps({"Version": "2020-12-01", "Metadata": {}, "Steps": [step]}))
    assert extra is not None
    return check(replace(sound, steps=(*sound.steps, *extra.steps)))


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def push(world: World, tag: str = "1") -> None:
    world.account.client("ecr").create_repository(repositoryName="steps")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
    world.account.client("ecr").put_image(repositoryName="steps", imageTag=tag, imageManifest=json.dumps(manifest))


def sound(world: World) -> None:
    """An account in which the pipeline could run, as far as moto tells."""
    iam = world.account.client("iam")
    iam.create_role(RoleName="pipelines", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))
    push(world)
    world.account.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    answer(world, "iam", "SimulatePrincipalPolicy", allowed, unless_else=True)
    answer(world, "service-quotas", "ListServiceQuotas", quotas(4), unless_else=True)


Reply = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def answer(world: World, service: str, operation: str, reply: Reply, *, unless_else: bool = False) -> None:
    """What moto does not answer, in the form of botocore's model; the request is validated as always."""
    given: dict[str, Any] = {}

    def keep(params: Mapping[str, Any], **_: Any) -> None:
        given.update(params)

    def told(**_: Any) -> tuple[Any, Mapping[str, Any]]:
        return type("Http", (), {"status_code": 200})(), {**reply(given), "ResponseMetadata": {"HTTPStatusCode": 200}}

    events = world.account.client(service).meta.events
    events.register(f"provide-client-params.*.{operation}", keep)
    register = events.register_last if unless_else else events.register
    register(f"before-call.*.{operation}", told)


def allowed(request: Mapping[str, Any]) -> Mapping[str, Any]:
    decided = [{"EvalActionName": name, "EvalDecision": "allowed"} for name in request["ActionNames"]]
    return {"EvaluationResults": decided, "IsTruncated": False}


def denied(request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = allowed(request)["EvaluationResults"]
    found[0]["EvalDecision"] = "implicitDeny"
    return {"EvaluationResults": found, "IsTruncated": False}


def quotas(limit: float, job: str = "processing job") -> Reply:
    return lambda request: {"Quotas": [{"QuotaName": f"ml.m5.large for {job} usage", "Value": limit}]}


def network(world: World, blocks: int) -> tuple[str, str]:
    """A subnet and a security group, of as many VPCs."""
    ec2 = world.account.client("ec2")
    vpcs = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(blocks)]
    subnet = ec2.create_subnet(VpcId=vpcs[0], CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="jobs", Description="jobs", VpcId=vpcs[-1])["GroupId"]
    return str(subnet), str(group)


@dataclass(frozen=True)
class Case:
    """``broken`` and ``mended`` change the account, or the environment that they give back."""

    code: str
    broken: Callable[[World], Mapping[str, Any] | None] = lambda world: None
    mended: Callable[[World], Mapping[str, Any] | None] = lambda world: None
    wrong: Checked | None = None
    step: str | None = None


def no_role(world: World) -> None:
    world.account.client("iam").delete_role(RoleName="pipelines")


def trusting(service: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        document = trust(service)
        world.account.client("iam").update_assume_role_policy(RoleName="pipelines", PolicyDocument=document)

    return change


def elsewhere(world: World) -> None:
    place = {"LocationConstraint": "eu-west-1"}
    world.account.client("s3").create_bucket(Bucket="acme-far", CreateBucketConfiguration=place)


def key(*, enabled: bool) -> Callable[[World], Mapping[str, Any]]:
    def make(world: World) -> Mapping[str, Any]:
        kms = world.account.client("kms")
        made = kms.create_key()["KeyMetadata"]["KeyId"]
        if not enabled:
            kms.disable_key(KeyId=made)
        return {"kms_key": made}

    return make


def vpcs(blocks: int) -> Callable[[World], Mapping[str, Any]]:
    def make(world: World) -> Mapping[str, Any]:
        subnet, group = network(world, blocks)
        return {"subnets": [subnet], "security_groups": [group]}

    return make


CASES = {
    "no such role": Case("A901", no_role),
    "a role that another service takes on": Case(
        "A902", trusting("ec2.amazonaws.com"), trusting("sagemaker.amazonaws.com")
    ),
    "an action that is denied": Case(
        "A903", lambda world: answer(world, "iam", "SimulatePrincipalPolicy", denied), step=None
    ),
    "a tag that was never pushed": Case("A904", wrong=pipeline(f"{MINE}:2"), step="Prepare"),
    "a digest that is not there": Case("A904", wrong=pipeline(f"{MINE}@sha256:{'0' * 64}"), step="Prepare"),
    "a repository that is not there": Case("A904", wrong=pipeline(f"{MINE}-two:1"), step="Prepare"),
    "an image of another region": Case(
        "A905", wrong=pipeline(f"{MINE}:1".replace("us-east-1", "eu-west-1")), step="Prepare"
    ),
    "no such bucket": Case("A906", wrong=pipeline(data="s3://acme-gone/data"), step="Prepare"),
    "the environment's bucket is not there": Case("A906", lambda world: {"bucket": "acme-gone"}),
    "a bucket of another region": Case("A907", elsewhere, wrong=pipeline(data="s3://acme-far/data"), step="Prepare"),
    "no such key": Case("A908", lambda world: {"kms_key": "alias/none"}, key(enabled=True)),
    "a key that is disabled": Case("A908", key(enabled=False), key(enabled=True)),
    "more instances than the quota": Case("A909", wrong=pipeline(number=5), step="Prepare"),
    "no such group": Case("A910", wrong=pipeline(group="other"), step="Register"),
    "no such subnet": Case("A911", lambda world: {"subnets": ["subnet-1"]}, vpcs(1)),
    "no such security group": Case("A911", lambda world: {"security_groups": ["sg-1"]}, vpcs(1)),
    "no such function": Case(
        "A913", wrong=calling("Lambda", FunctionArn=FUNCTION.replace("there", "gone")), step="Call"
    ),
    "no such queue": Case("A914", wrong=calling("Callback", SqsQueueUrl=QUEUE.replace("there", "gone")), step="Call"),
    "two networks": Case("A911", vpcs(2), vpcs(1)),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_found_and_not_where_it_is_sound(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    case = CASES[name]
    sound(world)

    def environment(changed: Mapping[str, Any] | None) -> Environment:
        return replace(world.environment, **dict(changed or {}))

    assert preflight(world.account, environment(case.mended(world)), [pipeline()]) == ()
    found = preflight(world.account, environment(case.broken(world)), [case.wrong or pipeline()])
    assert {(item.code, item.step) for item in found} == {(case.code, case.step)}
    assert all(item.severity is ACCOUNT_FINDINGS[case.code].severity and item.message for item in found)


def test_what_the_account_does_not_answer_is_told_and_held_against_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    iam = world.account.client("iam")
    iam.create_role(RoleName="pipelines", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))
    push(world)
    world.account.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    found = preflight(world.account, world.environment, [pipeline()])
    # moto answers neither the simulation of policies nor a list of SageMaker's quotas.
    assert [item.code for item in found] == ["A912", "A912"]
    assert {item.message.partition(" could not be asked")[0] for item in found} == {"what the role may do", "quotas"}


def test_a_function_and_a_queue_that_are_there_are_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    sound(world)
    world.account.client("sqs").create_queue(QueueName="there")
    answer(world, "lambda", "GetFunctionConfiguration", lambda request: {"FunctionArn": FUNCTION})
    both = [calling("Lambda", FunctionArn=FUNCTION), calling("Callback", SqsQueueUrl=QUEUE)]
    assert preflight(world.account, world.environment, both) == ()


def test_every_finding_has_its_case(world: World) -> None:
    assert {case.code for case in CASES.values()} | {"A912"} == set(ACCOUNT_FINDINGS)
