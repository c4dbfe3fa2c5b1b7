"""A declared stream is planned, made, changed where it stands and removed."""

from __future__ import annotations

from typing import Any

import pytest

from mlops import resources
from mlops.check.sources import open_targets
from mlops.declare.resources.stream import HttpEndpoint
from mlops.deploy.declared import plan_report
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.wanting import RESOURCE
from mlops.ir import Refusal

from .conftest import World
from .test_declared import LOCAL, planned, upserted

STREAM = """
from mlops import resources
resources.Stream(
    "events", to="s3://acme-events/events/!{{timestamp:yyyy}}/", errors="failed/!{{firehose:error-output-type}}/",
    size=5, seconds={a}, compression="GZIP", split="JSON", newline=True, tags={{"team": "growth"}},
)
"""
SENT = """
from mlops import resources
resources.Stream(
    "events", to="s3://acme-events/failed/", endpoint=resources.HttpEndpoint(
        "https://collector.example.org/in", retry={a}, attributes={{"stage": "test"}}, gzip=True),
    tags={{"mlops:deliver-to": "http://127.0.0.1:9/in"}},
)
"""


def told(world: World) -> dict[str, Any]:
    client = world.account.client("firehose")
    found: dict[str, Any] = client.describe_delivery_stream(DeliveryStreamName="events")["DeliveryStreamDescription"]
    return found


def test_it_is_made_changed_and_removed(world: World) -> None:
    plan = planned(world, STREAM, a="60")
    assert [action.label for action in plan.actions] == ["create the stream events"]
    upserted(world, STREAM, a="60")
    assert not planned(world, STREAM, a="60").actions
    destination = told(world)["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert destination["BucketARN"] == "arn:aws:s3:::acme-events"
    assert destination["Prefix"] == "events/!{timestamp:yyyy}/"
    assert destination["RoleARN"] == world.environment.role
    kinds = [item["Type"] for item in destination["ProcessingConfiguration"]["Processors"]]
    assert kinds == ["RecordDeAggregation", "AppendDelimiterToRecord"]
    client = world.account.client("firehose")
    tags = client.list_tags_for_delivery_stream(DeliveryStreamName="events")["Tags"]
    assert {RESOURCE: "stream events", "team": "growth"}.items() <= {
        item["Key"]: item["Value"] for item in tags
    }.items()

    plan = planned(world, STREAM, a="0")
    assert ([action.label for action in plan.actions], plan.verb) == (["update the stream events"], "update")
    assert "IntervalInSeconds: 60 -> 0" in plan_report.text(plan)
    upserted(world, STREAM, a="0")
    assert not planned(world, STREAM, a="0").actions
    assert told(world)["VersionId"] == "2"

    update = {"CompressionFormat": "ZIP"}
    client.update_destination(
        DeliveryStreamName="events", CurrentDeliveryStreamVersionId="2",
        DestinationId=told(world)["Destinations"][0]["DestinationId"], ExtendedS3DestinationUpdate=update,
    )  # fmt: skip
    assert "changed by somebody else" in planned(world, STREAM, a="0").drift[0]
    with pytest.raises(Refusal, match="changed by somebody else"):
        upserted(world, STREAM, a="0")
    upserted(world, STREAM, a="0", force=True)
    assert not planned(world, STREAM, a="0").actions

    plain = 'from mlops import resources\nresources.Stream("events", to="s3://acme-events/{a}/")\n'
    upserted(world, plain, a="all")
    assert not planned(world, plain, a="all").actions
    destination = told(world)["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (destination["CompressionFormat"], destination["ErrorOutputPrefix"]) == ("UNCOMPRESSED", "")

    removal = plan_removal(world.account, world.environment, "events")
    assert removal.labels == ("stream events",)
    destroy(world.account, world.environment, removal)
    assert client.list_delivery_streams()["DeliveryStreamNames"] == []


KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def test_what_is_put_is_encrypted_unless_it_is_not_to_be(world: World) -> None:
    """By a key of the service's, or by one that is named; changed where it stands, and nothing else is."""
    text = 'from mlops import resources\nresources.Stream("events", to="s3://acme-events/a/", {a})\n'
    own, plain = (
        {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": KEY},
        "encrypted=False)  # mlops: allow X999 a test's own\n(",
    )
    for more, wanted in (
        ("", {"KeyType": "AWS_OWNED_CMK"}), (f'kms_key="{KEY}"', own), (plain, {}),
        ("", {"KeyType": "AWS_OWNED_CMK"}),
    ):  # fmt: skip
        upserted(world, text, a=more)
        assert not planned(world, text, a=more).actions
        found = told(world)["DeliveryStreamEncryptionConfiguration"]
        if wanted:
            assert {member: found.get(member) for member in wanted} == wanted
        else:
            assert found["Status"] == "DISABLED"
    assert told(world)["VersionId"] == "1"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (f'kms_key="{KEY}", source=resources.Kinesis("arn:aws:kinesis:us-east-1:1:stream/a")', "the source has a key"),
        ("kms_key='alias/a'", "KeyARN"),
    ],
)
def test_a_key_that_encrypts_nothing_is_told(world: World, more: str, says: str) -> None:
    text = f'from mlops import resources\nresources.Stream("events", to="s3://acme-events/a/", {more})\n'
    (world.folder / "serving.py").write_text(text)
    found = open_targets([str(world.folder / "serving.py")], world.environment.name).findings
    assert any(says in str(finding) for finding in found)


PRODUCTION = """
[env.production]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
"""


@LOCAL
@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ('function="arn:aws:lambda:us-east-1:123456789012:function:f"', []),
        ('function="arn:aws:lambda:eu-west-1:123456789012:function:f"', ["D064"]),
        ('kms_key="arn:aws:kms:eu-west-1:123456789012:key/a"', ["D064"]),
        ('source=resources.Kinesis("arn:aws:kinesis:eu-west-1:123456789012:stream/a")', ["D064"]),
        ('endpoint=resources.OpenSearch("drops", domain="arn:aws:es:us-east-1:999999999999:domain/events")', ["X998"]),
        ("encrypted=False", ["X999"]),
    ],
)
def test_what_is_elsewhere_or_lies_in_clear_is_told(world: World, more: str, codes: list[str]) -> None:
    (world.folder / "mlops.toml").write_text(PRODUCTION)
    text = f'from mlops import resources\nresources.Stream("events", to="s3://acme-events/a/", {more})\n'
    (world.folder / "serving.py").write_text(text)
    found = open_targets([str(world.folder / "serving.py")], "production").findings
    assert [finding.code for finding in found] == codes


def test_an_endpoint_is_declared_too(world: World) -> None:
    upserted(world, SENT, a="60")
    assert not planned(world, SENT, a="60").actions
    destination = told(world)["Destinations"][0]["HttpEndpointDestinationDescription"]
    assert destination["EndpointConfiguration"] == {"Url": "https://collector.example.org/in"}
    assert destination["S3DestinationDescription"]["Prefix"] == "failed/"
    upserted(world, SENT, a="300")
    assert not planned(world, SENT, a="300").actions
    assert told(world)["Destinations"][0]["HttpEndpointDestinationDescription"]["RetryOptions"] == {
        "DurationInSeconds": 300
    }


@pytest.mark.parametrize(
    "more",
    [
        'backup="s3://acme-raw/all/"',
        'errors="bad/", compression="GZIP", endpoint=resources.HttpEndpoint("https://127.0.0.1:9/in")',
    ],
)
def test_what_is_not_said_any_more_goes_inside_too(world: World, more: str) -> None:
    text = 'from mlops import resources\nresources.Stream("events", to="s3://acme-events/{a}/", %s)\n'
    upserted(world, text % more, a="all")
    less = 'endpoint=resources.HttpEndpoint("https://127.0.0.1:9/in")' if "endpoint" in more else ""
    upserted(world, text % less, a="all")
    assert not planned(world, text % less, a="all").actions


SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a"
ELSEWHERE = {
    "Redshift": f'"jdbc:redshift://a.b.us-east-1.redshift.amazonaws.com:5439/dev", "clicks", "{SECRET}", columns="a,b"',
    "Splunk": f'"https://splunk.example.org:8088", "{SECRET}", acknowledged=300, all=True',
    "Snowflake": f'"https://acme-one.snowflakecomputing.com", "db", "public", "clicks", "{SECRET}", content="all"',
    "Iceberg": '"lake.clicks", "arn:aws:glue:us-east-1:123456789012:catalog", keys=["id"], retry=60',
}


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_what_the_account_here_does_not_deliver_to_is_declared_and_told_before(world: World, kind: str) -> None:
    text = 'from mlops import resources\nresources.Stream("events", to="s3://acme-events/{a}/", seconds=30,\n'
    text += f"    endpoint=resources.{kind}({ELSEWHERE[kind]}))\n"
    plan = planned(world, text, a="failed")
    assert [action.label for action in plan.actions] == ["create the stream events"]
    (change,) = plan.changes
    (member,) = [member for member in change.new if "Destination" in member]
    assert member == f"{kind}DestinationConfiguration" and "BucketARN" in str(change.new)
    if world.account.here is not None:
        assert "is for AWS alone" in plan_report.text(plan)
        with pytest.raises(Refusal, match=f"has no delivery to {kind}"):
            upserted(world, text, a="failed")


@pytest.mark.parametrize(
    ("given", "member"),
    [
        ('resources.Kinesis("arn:aws:kinesis:us-east-1:123456789012:stream/a")', "KinesisStreamSourceConfiguration"),
        ('resources.Kafka("arn:aws:kafka:us-east-1:123456789012:cluster/a/b-1", "clicks")', "MSKSourceConfiguration"),
    ],
)
def test_sources_are_declared(world: World, given: str, member: str) -> None:
    text = f'from mlops import resources\nresources.Stream("events", to="s3://acme-events/{{a}}/", source={given})\n'
    (change,) = planned(world, text, a="a").changes
    assert member in change.new and "RoleARN" in str(change.new[member])
    if world.account.here is not None:
        with pytest.raises(Refusal, match="has no reading from K"):
            upserted(world, text, a="a")


FOUND = """
from mlops import resources
resources.Stream(
    "events", to="s3://acme-events/failed/", endpoint=resources.OpenSearch(
        "drops", domain="arn:aws:es:us-east-1:123456789012:domain/events", rotation="OneMonth", {a}),
    tags={{"mlops:deliver-to": "http://127.0.0.1:9200"}},
)
"""


def test_a_cluster_is_declared_and_changed_where_it_stands(world: World) -> None:
    if world.account.here is None:
        pytest.skip("moto has no streams to OpenSearch")
    upserted(world, FOUND, a="retry=60")
    assert not planned(world, FOUND, a="retry=60").actions
    upserted(world, FOUND, a="ids=False")
    assert not planned(world, FOUND, a="ids=False").actions
    found = told(world)["Destinations"][0]["AmazonopensearchserviceDestinationDescription"]
    assert found["DocumentIdOptions"] == {"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"}
    assert found["RetryOptions"] == {"DurationInSeconds": 300} and found["IndexRotationPeriod"] == "OneMonth"
    with pytest.raises(Refusal, match="cannot be changed"):
        upserted(world, FOUND, a="all=True")


def test_a_stream_of_captured_requests_is_told_whose(world: World) -> None:
    """And another endpoint's is a tag that changes where it stands."""
    text = 'from mlops import resources\nresources.Stream("events", to="s3://acme-events/a/", '
    text += 'source=resources.Captured("{a}"))\n'
    for endpoint in ("door", "window"):
        upserted(world, text, a=endpoint)
        assert not planned(world, text, a=endpoint).actions
        tags = world.account.client("firehose").list_tags_for_delivery_stream(DeliveryStreamName="events")["Tags"]
        assert {"Key": "mlops:captures", "Value": endpoint} in tags


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("datadog(s)", "https://aws-kinesis-http-intake.logs.datadoghq.com/v1/input"),
        ('datadog(s, site="eu1")', "https://aws-kinesis-http-intake.logs.datadoghq.eu/v1/input"),
        ('datadog(s, kind="metrics")', "https://awsmetrics-intake.datadoghq.com/v1/input"),
        ("new_relic(s)", "https://aws-api.newrelic.com/firehose/v1"),
        ('new_relic(s, site="eu", kind="metrics")', "https://aws-api.eu01.nr-data.net/cloudwatch-metrics/v1"),
    ],
)
def test_services_that_take_streams_are_named(given: str, url: str) -> None:
    found: HttpEndpoint = eval(f"resources.{given}", {"resources": resources, "s": SECRET})
    assert (found.url, found.secret, found.gzip, found.retry) == (url, SECRET, True, 60)


def test_a_site_that_there_is_not_is_told(world: World) -> None:
    text = 'from mlops import resources\nresources.Stream("e", to="s3://a-b-c/",\n'
    text += f'    endpoint=resources.datadog("{SECRET}", site="eu"))\n'
    (world.folder / "serving.py").write_text(text)
    (finding,) = open_targets([str(world.folder / "serving.py")], world.environment.name).findings
    assert "datadog has no site 'eu'" in finding.message and "eu1" in str(finding)


def test_the_environments_cluster_is_the_one_where_none_is_named(world: World) -> None:
    text = 'from mlops import resources\nresources.Stream("events", to="s3://acme-events/a/",\n'
    text += '    endpoint=resources.OpenSearch("drops"))\n'
    serving, settings = world.folder / "serving.py", world.folder / "mlops.toml"
    serving.write_text(text)
    (finding,) = open_targets([str(serving)], world.environment.name).findings
    assert "OpenSearch() names no cluster" in finding.message
    table = f'\n[env.{world.environment.name}.search]\nurl = "http://127.0.0.1:9200"\nauth = "none"\n'
    settings.write_text((settings.read_text() if settings.exists() else "") + table)
    (change,) = planned(world, text).changes
    assert change.new["AmazonopensearchserviceDestinationConfiguration"]["ClusterEndpoint"] == "https://127.0.0.1:9200"
    if world.account.here is not None:
        upserted(world, text)
        listed = world.account.client("firehose").list_tags_for_delivery_stream(DeliveryStreamName="events")["Tags"]
        assert {"Key": "mlops:deliver-to", "Value": "http://127.0.0.1:9200"} in listed
