"""What Data Firehose asks for as a stream's role, by destination and source: the policies of "Controlling access with
Amazon Data Firehose" in its guide, on what a stream names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.emit.service_needs import ACCOUNT
from tests.emit.simulated import Request

REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/streams/own"
_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _arn(service: str, place: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{place}"


def _declared(arguments: str) -> str:
    return f'from mlops import resources\nresources.Stream("s", to="s3://acme-events/a/", role="{ROLE}", {arguments})\n'


_SECRET = _arn("secretsmanager", "secret:splunk-a1b2c3")
_OWN: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "objects": ("", ()),
    "a key": (
        f'arguments={{"ExtendedS3DestinationConfiguration": {{"EncryptionConfiguration": {{"KMSEncryptionConfig": '
        f'{{"AWSKMSKeyARN": "{_KEY}"}}}}}}}}',
        (("kms:Decrypt", _KEY), ("kms:GenerateDataKey", _KEY)),
    ),
    "a function": (
        f'function="{_arn("lambda", "function:change")}"',
        tuple(
            (f"lambda:{verb}", _arn("lambda", f"function:change{version}"))
            for verb in ("InvokeFunction", "GetFunctionConfiguration")
            for version in ("", ":$LATEST")
        ),
    ),
    "documents": (
        f'endpoint=resources.OpenSearch("drops", domain="{_arn("es", "domain/events")}")',
        (
            *((f"es:{verb}", _arn("es", "domain/events")) for verb in (
                "DescribeDomain", "DescribeDomains", "DescribeDomainConfig"
            )),
            *((f"es:{verb}", _arn("es", "domain/events/drops/_bulk")) for verb in ("ESHttpPost", "ESHttpPut")),
            *(("es:ESHttpGet", _arn("es", f"domain/events/{place}")) for place in (
                "_all/_settings", "_cluster/stats", "drops/_mapping/a", "_nodes", "_nodes/a/stats", "_stats",
                "drops/_stats", "_nodes/stats",
            )),
        ),
    ),
    "a table": (
        f'endpoint=resources.Iceberg("lake.clicks", "{_arn("glue", "catalog")}", keys=["id"])',
        tuple(
            (f"glue:{verb}", _arn("glue", place))
            for verb in ("GetTable", "GetDatabase", "UpdateTable")
            for place in ("catalog", "database/lake", "table/lake/clicks")[: 2 if verb == "GetDatabase" else 3]
        ),
    ),
    "a secret": (
        f'endpoint=resources.Splunk("https://splunk.example.org:8088", secret="{_SECRET}")',
        (("secretsmanager:GetSecretValue", _SECRET),),
    ),
    "a data stream": (
        f'source=resources.Kinesis("{_arn("kinesis", "stream/a")}")',
        tuple(
            (f"kinesis:{verb}", _arn("kinesis", "stream/a"))
            for verb in ("DescribeStream", "GetShardIterator", "GetRecords", "ListShards")
        ),
    ),
    "a topic": (
        f'source=resources.Kafka("{_arn("kafka", "cluster/a/b-1")}", "clicks")',
        (
            *((f"kafka:{verb}", _arn("kafka", "cluster/a/b-1")) for verb in (
                "DescribeCluster", "DescribeClusterV2"
            )),
            # The guide has it on the cluster; IAM knows no resource for it.
            ("kafka:GetBootstrapBrokers", "*"),
            ("kafka-cluster:Connect", _arn("kafka", "cluster/a/b-1")),
            *((f"kafka-cluster:{verb}", _arn("kafka", "topic/a/b-1/clicks")) for verb in (
                "DescribeTopic", "DescribeTopicDynamicConfiguration", "ReadData"
            )),
            ("kafka-cluster:DescribeGroup", _arn("kafka", "group/a/b-1/g")),
        ),
    ),
}  # fmt: skip
STREAMS = {name: _declared(arguments) for name, (arguments, _) in _OWN.items()}


def delivering(name: str) -> Iterator[Request]:
    why = f"a stream with {name}"
    for verb in ("AbortMultipartUpload", "GetObject", "PutObject"):
        yield Request(f"s3:{verb}", "arn:aws:s3:::acme-events/a/2026/11/29/x", {}, why)
    for verb in ("GetBucketLocation", "ListBucket", "ListBucketMultipartUploads"):
        yield Request(f"s3:{verb}", "arn:aws:s3:::acme-events", {}, why)
    for action, place in _OWN[name][1]:
        yield Request(action, place, {}, why)
