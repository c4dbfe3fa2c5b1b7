"""What each constructor of the language takes, and from where in the request it comes.

Nothing here has to be complete or exact: a program is compiled before it is given away, and what an argument said
wrongly or left out goes into ``arguments=``.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.python.arguments import (
    Argument,
    Constructor,
    Facts,
    by_name,
    choice,
    count,
    flag,
    member_at,
    mixed_list,
    objects,
    record,
    s3_source,
    string_map,
    text,
)
from mlops.emit.python.expressions import STRING
from mlops.emit.python.job_arguments import job, role
from mlops.emit.python.source import Node, Text, call, dictionary, string
from mlops.emit.python.telling import one
from mlops.ir import Value

_INPUTS = "ProcessingInputs"
_OUTPUTS = "ProcessingOutputConfig.Outputs"


_ATHENA = (
    text("query", "QueryString"),
    text("database", "Database"),
    text("catalog", "Catalog", "AwsDataCatalog"),
    choice("format", "OutputFormat", ("ORC", "AVRO", "JSON", "TEXTFILE"), "PARQUET"),
    choice("compression", "OutputCompression", ("GZIP", "SNAPPY", "ZLIB")),
    text("workgroup", "WorkGroup"),
    text("to", "OutputS3Uri"),
    text("kms_key", "KmsKeyId"),
)
_REDSHIFT = (
    text("query", "QueryString"),
    text("cluster", "ClusterId"),
    text("database", "Database"),
    text("user", "DbUser"),
    role("ClusterRoleArn"),
    choice("format", "OutputFormat", ("CSV",), "PARQUET"),
    choice("compression", "OutputCompression", ("None", "GZIP", "BZIP2", "ZSTD", "SNAPPY")),
    text("to", "OutputS3Uri"),
    text("kms_key", "KmsKeyId"),
)
_QUERIES = {"AthenaDatasetDefinition": ("Athena", _ATHENA), "RedshiftDatasetDefinition": ("Redshift", _REDSHIFT)}


def _query(definition: Mapping[str, Value], facts: Facts) -> Node | None:
    for member, (name, arguments) in _QUERIES.items():
        if member in definition:
            return record(name, definition[member], facts, arguments)
    return None


def _processing_inputs(facts: Facts) -> Node | None:
    named = by_name(objects(facts.at(_INPUTS)), "InputName")
    if not named:
        return None
    written = {}
    for name, item in named.items():
        definition = item.get("DatasetDefinition")
        if isinstance(definition, Mapping):
            source, where, distribution, mode = (
                _query(definition, facts),
                definition,
                "DataDistributionType",
                "InputMode",
            )
        else:
            given = item.get("S3Input")
            where = given if isinstance(given, Mapping) else {}
            source, distribution, mode = (
                s3_source(where.get("S3Uri"), facts),
                "S3DataDistributionType",
                "S3InputMode",
            )
        if source is None:
            return None
        inner = facts.inside({**where, "AppManaged": item["AppManaged"]} if "AppManaged" in item else where)
        said = {
            argument.name: node
            for argument in (
                text("path", "LocalPath", f"/opt/ml/processing/input/{name}"),
                choice("distribution", distribution, ("ShardedByS3Key",), "FullyReplicated", absent="None"),
                choice("mode", mode, ("Pipe",), "File", absent="None"),
                choice("kind", "S3DataType", ("ManifestFile",), "S3Prefix"),
                *([] if definition else [choice("compression", "S3CompressionType", ("Gzip",), "None", absent="None")]),
                flag("app_managed", "AppManaged"),
            )
            if (node := argument.writer(inner)) is not None
        }
        written[name] = call("Input", [source], said) if said else source
    return dictionary(written.items())


def _processing_outputs(facts: Facts) -> Node | None:
    named = by_name(objects(facts.at(_OUTPUTS)), "OutputName")
    if not named:
        return None
    written: dict[str, Node] = {}
    for name, item in named.items():
        more: dict[str, Node] = {}
        path, uri = member_at(item, "S3Output.LocalPath"), member_at(item, "S3Output.S3Uri")
        if isinstance(path, str) and path != f"/opt/ml/processing/output/{name}":
            more["path"] = Text(string(path))
        group = member_at(item, "FeatureStoreOutput.FeatureGroupName")
        if group is not None:
            more["feature_group"] = one(group, facts.scope, (STRING,)) or Text("None")
        if uri is not None:
            to = one(uri, facts.scope, (STRING,))
            if to is None:
                return None
            more["to"] = to
        if member_at(item, "S3Output.S3UploadMode") == "Continuous":
            more["upload"] = Text('"Continuous"')
        managed = item.get("AppManaged")
        if isinstance(managed, bool):
            more["app_managed"] = Text(repr(managed))
        written[name] = call("Output", (), more)
    return dictionary(written.items())


def reports(facts: Facts) -> dict[str, tuple[str, str]] | None:
    """Name to (output, file) of the step's property files; None where they are no reports of its outputs."""
    files = objects(facts.step.members.get("PropertyFiles"))
    named = by_name(files, "PropertyFileName")
    outputs = by_name(objects(facts.at(_OUTPUTS)), "OutputName") or {}
    if not named or len(files) != len(named):
        return None
    found = {}
    for name, item in named.items():
        output, path = item.get("OutputName"), item.get("FilePath")
        if not isinstance(output, str) or output not in outputs or not isinstance(path, str) or not path:
            return None
        found[name] = (output, path)
    return found


def _reports(facts: Facts) -> Node | None:
    found = reports(facts)
    if found is None:
        return None
    return dictionary((name, Text(string(f"{output}/{path}"))) for name, (output, path) in found.items())


_JOB = "ProcessingResources.ClusterConfig"


CONSTRUCTORS: Mapping[str, Constructor] = {
    "Processing": Constructor(
        "Processing",
        required=("image",),
        arguments=(
            text("image", "AppSpecification.ImageUri"),
            mixed_list("command", "AppSpecification.ContainerEntrypoint"),
            mixed_list("args", "AppSpecification.ContainerArguments"),
            Argument("inputs", _processing_inputs, _INPUTS),
            Argument("outputs", _processing_outputs, _OUTPUTS),
            Argument("reports", _reports, "PropertyFiles"),
            string_map("environment", "Environment"),
            text("instance", f"{_JOB}.InstanceType"),
            count("count", f"{_JOB}.InstanceCount", 1),
            count("volume", f"{_JOB}.VolumeSizeInGB", 30),
            count("max_runtime", "StoppingCondition.MaxRuntimeInSeconds"),
            *job("NetworkConfig.", "ProcessingOutputConfig.KmsKeyId", f"{_JOB}.VolumeKmsKeyId"),
        ),
    ),
}
