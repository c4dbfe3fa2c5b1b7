"""What the role of a stream needs: to write its objects, to reach its destination and its source, to change records.

Source: "Controlling access with Data Firehose" of its guide, a policy for each destination; here on what the stream
names, and without what a stream of that kind does not use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlops.emit.policies.arns import account_of, arn_of, key_arn
from mlops.emit.policies.places import STAR
from mlops.emit.policies.statements import Need
from mlops.ir import Checked, Step
from mlops.ir.surroundings import Surroundings
from mlops.ir.values import to_json

STREAM = "Stream"
_DESTINATION = "DestinationConfiguration"
_OBJECTS = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
_BUCKET = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
_FUNCTION = ("lambda:GetFunctionConfiguration", "lambda:InvokeFunction")
_TABLE = ("glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions")
_DOMAIN = ("es:DescribeDomain", "es:DescribeDomainConfig", "es:DescribeDomains", "es:ESHttpPost", "es:ESHttpPut")
_LOOKED_AT = (
    "_all/_settings", "_cluster/stats", "{index}*/_mapping/*", "_nodes", "_nodes/*/stats", "_nodes/stats", "_stats",
    "{index}*/_stats",
)  # fmt: skip
_KINESIS = ("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards")
_CLUSTER = ("kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka-cluster:Connect")
_BROKERS = ("kafka:GetBootstrapBrokers",)
"""IAM knows no resource for it."""
_TOPIC = ("kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration", "kafka-cluster:ReadData")
_ROWS = ("glue:GetDatabase", "glue:GetTable", "glue:UpdateTable")
_CONNECTED = (
    "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
)  # fmt: skip


def roles_of(step: Step) -> tuple[str, ...]:
    """That a stream names, wherever it does: one, unless its members were written by hand."""
    return roles_in(to_json(step.arguments))


def roles_in(request: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_roles(request)))


def streams_of(parts: Iterable[Checked]) -> tuple[Step, ...]:
    """That are declared."""
    found = (each.definition for each in parts if each.definition.of_resources)
    return tuple(step for definition in found for step in definition.steps if step.type == STREAM)


def own_roles(streams: Iterable[Step], around: Surroundings) -> tuple[str, ...]:
    """Of this account, that streams take on instead of the environment's."""
    named = dict.fromkeys(role for step in streams for role in roles_of(step))
    ours = f"::{account_of(around)}:role/"
    return tuple(role for role in named if role != around.role and ours in role)


def delivery_needs(step: Step, role: str, around: Surroundings) -> Iterator[Need]:
    """Of what a stream does as ``role``; nothing where it takes on another one."""
    told = to_json(step.arguments)
    if not isinstance(told, Mapping) or role not in roles_of(step):
        return
    for member, given in told.items():
        if member.endswith(_DESTINATION) and isinstance(given, Mapping):
            yield from _destination(step, given, around)
            yield from _own(step, member.removesuffix(_DESTINATION), given, around)
        elif member == "KinesisStreamSourceConfiguration":
            yield Need("ReadDataStreams", _KINESIS, (str(given["KinesisStreamARN"]),), step.name)
        elif member == "MSKSourceConfiguration":
            yield from _kafka(step, given)


def _destination(step: Step, given: Mapping[str, Any], around: Surroundings) -> Iterator[Need]:
    for place in (given, given.get("S3Configuration"), given.get("S3BackupConfiguration")):
        if isinstance(place, Mapping) and "BucketARN" in place:
            yield from _objects(step, place, around)
    for arn in _functions(given):
        # A version or an alias is named behind it.
        yield Need("CallFunctions", _FUNCTION, (arn, *([f"{arn}:*"] if arn.count(":") == 6 else [])), step.name)
    conversion = given.get("DataFormatConversionConfiguration") or {}
    schema = conversion.get("SchemaConfiguration") if conversion.get("Enabled", True) else None
    if schema:
        yield Need("ReadTables", _TABLE, _glue(schema.get("DatabaseName"), schema.get("TableName"), around), step.name)
    secret = given.get("SecretsManagerConfiguration") or {}
    if secret.get("Enabled") and secret.get("SecretARN"):
        yield Need("ReadSecrets", ("secretsmanager:GetSecretValue",), (str(secret["SecretARN"]),), step.name)
    logs = given.get("CloudWatchLoggingOptions") or {}
    if logs.get("Enabled"):
        group = f"{logs.get('LogGroupName', STAR)}:log-stream:{logs.get('LogStreamName', STAR)}"
        yield Need("WriteLogs", ("logs:PutLogEvents",), (arn_of(around, "logs", f"log-group:{group}"),), step.name)
    if given.get("VpcConfiguration"):
        yield Need("JoinTheNetwork", _CONNECTED, (STAR,), step.name)


def _objects(step: Step, place: Mapping[str, Any], around: Surroundings) -> Iterator[Need]:
    bucket = str(place["BucketARN"])
    prefixes = [str(place.get(member) or "").partition("!{")[0] for member in ("Prefix", "ErrorOutputPrefix")]
    # Without a prefix of its own what fails lies below that of the others.
    named = prefixes if place.get("ErrorOutputPrefix") else prefixes[:1]
    yield Need("WriteObjects", _OBJECTS, tuple(f"{bucket}/{prefix}*" for prefix in named), step.name)
    yield Need("FindBuckets", _BUCKET, (bucket,), step.name)
    key = ((place.get("EncryptionConfiguration") or {}).get("KMSEncryptionConfig") or {}).get("AWSKMSKeyARN")
    if key:
        arn, conditions = key_arn(str(key), around)
        yield Need("UseKeys", ("kms:Decrypt", "kms:GenerateDataKey"), (arn,), step.name, conditions)


def _own(step: Step, kind: str, given: Mapping[str, Any], around: Surroundings) -> Iterator[Need]:
    """Of one kind of destination."""
    match kind:
        case "Amazonopensearchservice":
            domain = str(given.get("DomainARN") or arn_of(around, "es", f"domain/{_domain(given)}"))
            yield Need("PutDocuments", _DOMAIN, (domain, f"{domain}/*"), step.name)
            index = str(given.get("IndexName") or STAR)
            places = tuple(f"{domain}/{place.format(index=index)}" for place in _LOOKED_AT)
            yield Need("LookAtDomains", ("es:ESHttpGet",), places, step.name)
        case "Iceberg":
            tables: Sequence[Mapping[str, Any]] = given.get("DestinationTableConfigurationList") or ({},)
            for table in tables:
                names = table.get("DestinationDatabaseName", STAR), table.get("DestinationTableName", STAR)
                yield Need("WriteTables", _ROWS, _glue(*names, around), step.name)


def _domain(given: Mapping[str, Any]) -> str:
    """By the URL of its cluster: ``search-NAME-letters.REGION.es.amazonaws.com``."""
    found = re.match(r"https://(?:search|vpc)-([a-z][a-z0-9-]{2,27})-[a-z0-9]{26}\.", str(given.get("ClusterEndpoint")))
    return found[1] if found else STAR


def _kafka(step: Step, given: Mapping[str, Any]) -> Iterator[Need]:
    cluster = str(given["MSKClusterARN"])
    topic = cluster.replace(":cluster/", ":topic/")
    group = cluster.replace(":cluster/", ":group/")
    yield Need("ReachClusters", _CLUSTER, (cluster,), step.name)
    yield Need("FindBrokers", _BROKERS, (STAR,), step.name)
    yield Need("ReadTopics", _TOPIC, (f"{topic}/{given['TopicName']}",), step.name)
    yield Need("SeeGroups", ("kafka-cluster:DescribeGroup",), (f"{group}/*",), step.name)


def _functions(given: Mapping[str, Any]) -> Iterator[str]:
    processing = given.get("ProcessingConfiguration") or {}
    for processor in processing.get("Processors") or () if processing.get("Enabled") else ():
        for parameter in processor.get("Parameters") or ():
            if parameter.get("ParameterName") == "LambdaArn":
                yield str(parameter.get("ParameterValue"))


def _glue(database: object, table: object, around: Surroundings) -> tuple[str, ...]:
    named = (database or STAR), (table or STAR)
    below = ("catalog", f"database/{named[0]}", f"table/{named[0]}/{named[1]}")
    return tuple(arn_of(around, "glue", place) for place in below)


def _roles(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for member, item in value.items():
            if member == "RoleARN" and isinstance(item, str):
                yield item
            yield from _roles(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _roles(item)
