"""Whoever has an emitted policy may make the calls that are made: of an upsert, of what a file declares, of a
promotion, of a monitor; recorded, and judged by an evaluator that is not ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.deploy.endpoints.promote import Target, promote
from mlops.deploy.models.registry import version
from mlops.deploy.pipelines.upsert import upsert
from mlops.emit.policies.deployer import deployer_needs, promoter_needs
from mlops.emit.policies.execution import execution_needs
from mlops.emit.policies.statements import policy
from mlops.monitor import by_itself
from mlops.project.surroundings import surroundings
from mlops.use_cases.beside import beside
from tests.emit.refused_requests import refused
from tests.emit.service_needs import ACCOUNT, needs
from tests.emit.simulated import Judged, Request, verdicts

from ..monitor.test_watch import requests, training
from .calls_asked import recorded
from .conftest import World
from .test_companions import DAILY, NEW_DATA
from .test_declared import GROUP, upserted
from .test_declared_alarms import ALARM
from .test_declared_component_scaling import DECLARED as SCALED
from .test_declared_component_scaling import a_component
from .test_declared_feedback import DECLARED as FEEDBACK
from .test_declared_monitors import MONITOR
from .test_declared_notebooks import DECLARED as NOTEBOOK
from .test_declared_notebooks import LARGER
from .test_declared_sources import declared
from .test_declared_streams import STREAM
from .test_promote_moto import PLAIN, SAMPLES
from .test_registry import IMAGE

pytestmark = [pytest.mark.proof("iam"), pytest.mark.xdist_group("iam calls")]


def of_a_pipeline(world: World) -> tuple[Any, list[Request]]:
    started = replace(world.environment, schedules={"daily": DAILY}, triggers={"new": NEW_DATA})
    with recorded(world) as made:
        upsert(world.account, started, world.compiled())
        checked = world.compiled(code="print(2)\n")
        upsert(world.account, started, checked)
        upsert(world.account, started, replace(checked, definition=replace(checked.definition, tags={"team": "other"})))
        upsert(world.account, world.environment, checked)
    around, lies = surroundings(started), beside(checked, (), started, world.folder)
    return policy(deployer_needs(checked.definition, around, lies)).document, made


def of_a_file(*texts: tuple[str, str]) -> Callable[[World], tuple[Any, list[Request]]]:
    """Made, and changed where it stands."""

    def declare(world: World) -> tuple[Any, list[Request]]:
        with recorded(world) as made:
            for text, a in texts:
                upserted(world, text, a)
        return _deployer(world), made

    return declare


def of_a_component(world: World) -> tuple[Any, list[Request]]:
    a_component(world)
    return of_a_file((SCALED, "0"), (SCALED, "1"))(world)


def _deployer(world: World) -> Any:
    (checked,) = open_targets([str(world.folder / "serving.py")], world.environment.name).resources
    lies = beside(checked, (checked,), world.environment, world.folder)
    return policy(deployer_needs(checked.definition, surroundings(world.environment), lies)).document


def approved(world: World) -> None:
    """A version whose archive lies where the environment's pipelines write."""
    sagemaker, bucket = world.account.client("sagemaker"), world.environment.bucket
    world.account.client("s3").put_object(Bucket=bucket, Key="mlops/churn/model.tar.gz", Body=b"")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/mlops/churn/model.tar.gz"}
    sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def of_a_promotion(world: World) -> tuple[Any, list[Request]]:
    """To an endpoint that a file declares, which is made, left alone, and gone."""
    approved(world)
    with recorded(world) as made:
        upserted(world, GROUP)
        upserted(world, GROUP)
    world.account.client("sagemaker").delete_endpoint(EndpointName="churn")
    chosen = version(world.account, "churn", 1)
    with recorded(world) as more:
        promote(world.account, world.environment, chosen, Target("churn", timeout=60), PLAIN, samples=SAMPLES)
    return _deployer(world), [*made, *more]


def of_who_promotes(world: World) -> tuple[Any, list[Request]]:
    """An environment's own role for promotions, whichever endpoint it is."""
    _, made = of_a_promotion(world)
    return policy(promoter_needs(surroundings(world.environment))).document, made


def of_a_monitor(world: World) -> tuple[Any, list[Request]]:
    """As its job: by the program that goes with it."""
    s3, bucket = world.account.client("s3"), world.environment.bucket
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body=training().encode())
    body = "\n".join(requests(1, moved=8.0)).encode()
    s3.put_object(Bucket=bucket, Key="kept/churn/A/2026/11/29/09/a.jsonl", Body=body)
    watched = MONITOR.replace("s3://acme-ml/train/", f"s3://{bucket}/train/")
    watched = watched.replace('endpoint="churn"', "endpoint=e.endpoint_name").replace("from mlops import resources", "")
    upserted(world, SERVED.replace("{bucket}", bucket) + watched, a="2")
    schedule = world.account.client("scheduler").get_schedule(Name="watch", GroupName="mlops-monitor-watch")
    job = json.loads(schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-29T10:20:00Z"))
    with recorded(world) as made:
        words = job["AppSpecification"]["ContainerArguments"][1:]
        by_itself.run(job["Environment"], world.folder / "ml", words, world.account.client)
    (checked,) = open_targets([str(world.folder / "serving.py")], world.environment.name).resources
    found = policy(execution_needs(checked, surroundings(world.environment))).document
    of_service = (
        *needs("Processing", "watch-0a1b", job),
        *needs("Model", "churn", {"PrimaryContainer": {"Image": IMAGE_OF_OURS}}),
        *needs("EndpointConfig", "churn", {"DataCaptureConfig": {"DestinationS3Uri": f"s3://{bucket}/kept"}}),
    )
    here = f":{world.environment.account}:"
    made += [
        replace(item, resource=item.resource if "ecr" in item.action else item.resource.replace(f":{ACCOUNT}:", here))
        for item in of_service
        if not item.action.startswith("sagemaker:") or item.action == "sagemaker:CreateProcessingJob"
    ]
    return found, made


IMAGE_OF_OURS = "111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1"
SERVED = f"""
from mlops import resources
m = resources.Model("churn", image="{IMAGE_OF_OURS}")
c = resources.EndpointConfig(
    "churn", model=m.model_name, instance="ml.m5.large", capture=resources.Capture("s3://{{bucket}}/kept"),
)
e = resources.Endpoint("churn", config=c.config_name)
"""
CASES: Mapping[str, tuple[str, Callable[[World], tuple[Any, list[Request]]]]] = {
    "a pipeline": ("moto", of_a_pipeline),
    "an alarm": ("moto", of_a_file((ALARM, "1"), (ALARM, "7"))),
    "a stream": ("moto", of_a_file((STREAM, "60"), (STREAM, "90"))),
    "a monitor": ("moto", of_a_file((MONITOR, "2"), (MONITOR, "3"))),
    "a notebook": ("local", of_a_file((NOTEBOOK, "60"), (LARGER, "90"))),
    "feedback": ("local", of_a_file((FEEDBACK, "7d"), (FEEDBACK, "8d"))),
    "a component's scaling": ("local", of_a_component),
    "a rule that feeds a stream": (
        "moto",
        of_a_file((declared("event-rule"), "id"), (declared("event-rule"), "detail")),
    ),
    "a subscription to logs": (
        "moto",
        of_a_file((declared("log-subscription"), "a"), (declared("log-subscription"), "b")),
    ),
    "an endpoint and a promotion": ("moto", of_a_promotion),
    "who promotes": ("moto", of_who_promotes),
    "a monitor's job": ("moto", of_a_monitor),
}


SEEN = ("DescribeModelPackage", "DescribeModelPackageGroup")
"""Of any group: whoever promotes may promote all that the account has."""
NOT_MADE: Mapping[str, str] = {
    "s3:AbortMultipartUpload": "an upload in parts that is given up",
    "s3:ListBucketMultipartUploads": "an upload in parts that goes on",
    "s3:ListMultipartUploadParts": "an upload in parts that goes on",
    "s3:GetObject": "code that is there already",
    "sts:GetCallerIdentity": "nobody can be denied it; it stands in the list of calls",
    "sagemaker:ListPipelineVersions": "moto has no versions of pipelines",
    "sagemaker:ListPipelines": "`mlops plan` over all pipelines",
    "sagemaker:ListModelPackageGroups": "`mlops plan` of a group that is not there",
    "sagemaker:DeleteTags": "a tag that is declared no more",
    "sagemaker:UpdateEndpoint": "moto has none",
    "sagemaker:UpdateEndpointWeightsAndCapacities": "a shift by weights",
    "sagemaker:DeleteEndpoint": "one that failed is made anew",
    "firehose:StartDeliveryStreamEncryption": "a stream that was in clear",
    "firehose:UpdateDestination": "a stream that changes, where another resource is what changes",
    "scheduler:UpdateSchedule": "a schedule that changes",
    "cloudwatch:DescribeAlarms": "what a shift is judged by",
    "cloudwatch:GetMetricData": "what a shift is judged by",
    **{
        f"application-autoscaling:{verb}": "an endpoint that is scaled stands still meanwhile"
        for verb in (
            "DeleteScalingPolicy", "DeleteScheduledAction", "DeregisterScalableTarget", "DescribeScalingPolicies",
            "DescribeScheduledActions", "PutScalingPolicy", "PutScheduledAction", "RegisterScalableTarget",
            "DescribeScalableTargets",
        )
    },
}  # fmt: skip
"""Actions that no call here asks for, by what does."""


@pytest.mark.parametrize(
    ("name", "world"), [(name, world) for name, (world, _) in CASES.items()], ids=[*CASES], indirect=["world"]
)
def test_calls_are_allowed_and_their_like_elsewhere_are_not(name: str, world: World) -> None:
    document, made = CASES[name][1](world)
    who = f"arn:aws:iam::{world.environment.account}:role/ci"
    wide = [f"sagemaker:{verb}" for verb in SEEN] if name == "who promotes" else []
    found = verdicts({name: Judged(document, tuple(made), refused(made, wide))}, who)[name]
    assert not found.denied, "\n".join(found.denied)
    assert not found.allowed, "\n".join(found.allowed)
    asked = {item.action for item in made}
    unasked = [line for line in found.needless if line.split()[1] not in asked | set(NOT_MADE)]
    assert not unasked, "\n".join(unasked)
