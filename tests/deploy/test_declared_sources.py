"""What feeds a declared stream: rules of EventBridge and of IoT, and subscriptions to logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.deploy.calls import make
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.resources import topic_rule
from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

from .conftest import World
from .cut_off import killed_behind
from .test_declared import LOCAL, MOTO, planned, upserted

GROUP = "/aws/sagemaker/ProcessingJobs"
STREAM = """
from mlops import resources
events = resources.Stream("events", to="s3://acme-events/all/", newline=True, LOGS)
"""
SOURCES = {
    "event-rule": 'resources.EventRule("calls", pattern=resources.api_calls("sagemaker"), stream=events.stream_arn, '
    'part="$.{a}")',
    "log-subscription": f'resources.LogSubscription("{GROUP}", stream=events.stream_arn, pattern="{{a}}")',
    "topic-rule": 'resources.TopicRule("calls", sql="SELECT * FROM \'a/{a}\'", stream=events.stream_name)',
}


def declared(kind: str) -> str:
    return STREAM.replace("LOGS", 'logs="messages"' if kind == "log-subscription" else "") + SOURCES[kind]


def told(world: World, kind: str) -> Any:
    if kind == "event-rule":
        (target,) = world.account.client("events").list_targets_by_rule(Rule="mlops-event-rule-calls")["Targets"]
        return target["Arn"].rpartition("/")[2], target["InputPath"]
    if kind == "topic-rule":
        rule = world.account.client("iot").get_topic_rule(ruleName="calls")["rule"]
        return rule["actions"][0]["firehose"]["deliveryStreamName"], rule["sql"]
    found = world.account.client("logs").describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"][0]
    return found["destinationArn"].rpartition("/")[2], found["filterPattern"]


CHANGED = {
    "event-rule": "$.detail",
    "log-subscription": "detail",
    "topic-rule": "SELECT * FROM 'a/detail'",
}


def without_deliverer(world: World) -> None:
    """The process that delivers a local stream ends with the stream."""
    destroy(world.account, world.environment, plan_removal(world.account, world.environment, "events"))


@pytest.mark.parametrize("kind", SOURCES)
def test_it_is_planned_made_changed_and_removed(world: World, kind: str) -> None:
    name = GROUP if kind == "log-subscription" else "calls"
    plan = planned(world, declared(kind), a="id")
    if kind == "topic-rule":
        # The account here has no IoT, and moto none of its tags.
        assert [action.label for action in plan.actions] == ["create the stream events", "create the topic-rule calls"]
        if world.account.here is not None:
            assert "the local account has no messages of IoT" in plan.obstacles[0]
        return
    upserted(world, declared(kind), a="id")
    assert not planned(world, declared(kind), a="id").actions
    assert [action.label for action in planned(world, declared(kind), a="detail").actions] == [
        f"update the {kind} {name}"
    ]
    upserted(world, declared(kind), a="detail")
    assert told(world, kind) == ("events", CHANGED[kind])
    removal = plan_removal(world.account, world.environment, name)
    assert removal.labels == (f"{kind} {name}",)
    destroy(world.account, world.environment, removal)
    assert not plan_removal(world.account, world.environment, name).labels
    without_deliverer(world)


@MOTO
def test_a_rule_of_iot_is_there_as_it_was_sent(world: World) -> None:
    """By its own calls: moto has its rules and none of their tags, and botocore judges each request."""
    kind = topic_rule.RESOURCE_TYPE

    def properties(sql: str, **more: str) -> dict[str, Any]:
        return {"Sql": sql, "Stream": "events", "RoleArn": "arn:aws:iam::123456789012:role/pipelines", **more}

    def there() -> Any:
        return kind.read(make(world.account, kind, kind.describe("calls")))

    assert kind.kept is not None and kind.kept.form is not None and kind.kept.change is not None
    first, second = properties("SELECT * FROM 'a'", Separator="\n"), properties("SELECT b FROM 'a/#'", State="DISABLED")
    make(world.account, kind, kind.create("calls", first))
    assert there() == kind.kept.form(first)
    make(world.account, kind, kind.kept.change("calls", second, {}))
    assert there() == kind.kept.form(second) != kind.kept.form(first)
    make(world.account, kind, kind.delete("calls", {}))
    assert not kind.kept.found(make(world.account, kind, kind.describe("calls")))


CUT_OFF = [
    ("event-rule", "PutRule"),
    ("event-rule", "PutTargets"),
    ("log-subscription", "CreateLogGroup"),
    ("log-subscription", "PutSubscriptionFilter"),
]


@LOCAL
@pytest.mark.parametrize(("kind", "after"), CUT_OFF)
def test_what_was_cut_off_is_gone_on_with(world: World, kind: str, after: str) -> None:
    with killed_behind(after):
        upserted(world, declared(kind), a="id")
    assert planned(world, declared(kind), a="id").drift == ()
    upserted(world, declared(kind), a="id")
    assert not planned(world, declared(kind), a="id").actions
    without_deliverer(world)


ARN = "arn:aws:firehose:us-east-1:123456789012:deliverystream/events"
SERVICES = {"event-rule": "events", "log-subscription": "logs", "topic-rule": "iot"}
TYPES = {
    "event-rule": "AWS::Events::Rule",
    "log-subscription": "AWS::Logs::SubscriptionFilter",
    "topic-rule": "AWS::IoT::TopicRule",
}
TERRAFORM = {
    "event-rule": "aws_cloudwatch_event_target",
    "log-subscription": "aws_cloudwatch_log_subscription_filter",
    "topic-rule": "aws_iot_topic_rule",
}


@LOCAL
@pytest.mark.parametrize("kind", SOURCES)
def test_its_template_has_a_role_that_may_put_into_its_stream_alone(world: World, kind: str) -> None:
    role = "arn:aws:iam::123456789012:role/pipelines"
    environment = f'account = "123456789012"\nregion = "us-east-1"\nrole = "{role}"\nbucket = "acme-ml"\n'
    (world.folder / "mlops.toml").write_text(f"[env.production]\n{environment}")
    (world.folder / "serving.py").write_text(declared(kind).format(a="id"))
    source = str(world.folder / "serving.py")
    text = emit(modules(targets)["cloudformation"], source, "production", unheard, "json").text
    resources = json.loads(text)["Resources"]
    ((logical, made),) = [item for item in resources.items() if item[1]["Type"] == TYPES[kind]]
    assert "events" in json.dumps(made["Properties"]).lower()
    (put,) = [
        item
        for item in resources["RolePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if item["Sid"] == "PutRecords"
    ]
    assert (put["Action"], put["Resource"]) == (["firehose:PutRecord", "firehose:PutRecordBatch"], [ARN])
    trusted = resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert f"{SERVICES[kind]}.amazonaws.com" in [item["Principal"]["Service"] for item in trusted]
    assert "Tags" not in made["Properties"] or kind != "log-subscription", logical
    terraform = json.loads(emit(modules(targets)["terraform"], source, "production", unheard, None).text)
    assert TERRAFORM[kind] in terraform["resource"]


@LOCAL
@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        (
            'resources.EventRule("a", pattern={{"detail": {{"n": "one"}}}}, stream=events.stream_arn)',
            "D042",
            "the event-rule a: ",
        ),
        (
            'resources.EventRule("a", pattern={{"source": ["aws.sagemaker"], "detail-type": '
            '["SageMaker Pipeline Execution Status Change"]}}, stream=events.stream_arn)',
            "D042",
            "aws.sagemaker has no detail-type 'SageMaker Pipeline Execution Status Change'",
        ),
        (
            'resources.EventRule("a", pattern={{"detail-type": ["SageMaker Training Job State Change"], "detail": '
            '{{"TrainingJobStatus": ["Succeeded"], "TuningJobArn": ["a"]}}}}, stream=events.stream_arn)',
            "D042",
            "TrainingJobStatus is never 'Succeeded'",
        ),
        (
            'resources.EventRule("a", pattern={{"source": ["acme"]}}, stream="arn:aws:sqs:a:b:c")',
            "S205",
            ":deliverystream/",
        ),
        ('resources.api_calls("sagemaker", "DescribeEndpoint")', "D042", "calls that read, as DescribeEndpoint"),
        ('resources.LogSubscription("a b", stream=events.stream_arn)', "S205", "LogGroup"),
        ('resources.TopicRule("a-b", sql="SELECT 1", stream=events.stream_name)', "S205", "RuleName"),
        (
            'resources.TopicRule("a", sql="SELECT * FROM b", stream=events.stream_name)',
            "D042",
            "the topic-rule a: sql: ",
        ),
    ],
)
def test_what_feeds_nothing_is_told(world: World, source: str, code: str, says: str) -> None:
    (world.folder / "serving.py").write_text(STREAM.replace("LOGS", "") + source.format())
    (found,) = open_targets([str(world.folder / "serving.py")], "local").findings
    assert found.code == code and says in found.message
