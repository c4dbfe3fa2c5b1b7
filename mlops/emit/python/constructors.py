"""What each constructor of the language takes, and from where in the request it comes.

Nothing here has to be complete or exact: a program is compiled before it is given away, and what an argument said
wrongly or left out goes into ``arguments=``.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.python.arguments import (
    SOURCES,
    Argument,
    Constructor,
    Facts,
    Missing,
    choice,
    count,
    flag,
    json_map,
    mixed_list,
    one,
    scalar,
    string_map,
    text,
    texts,
)
from mlops.emit.python.expressions import BOOLEAN, DATA, EVERY, FLOAT, INTEGER, MODEL, STRING
from mlops.emit.python.source import Node, Text, call, dictionary, listing, string
from mlops.ir import Value

_INPUTS = "ProcessingInputs"
_OUTPUTS = "ProcessingOutputConfig.Outputs"


def _objects(value: Value | Missing) -> list[Mapping[str, Value]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, tuple) else []


def _named(items: list[Mapping[str, Value]], member: str) -> dict[str, Mapping[str, Value]] | None:
    """Items by their name; None where one has none, or two have the same."""
    found = {str(item[member]): item for item in items if isinstance(item.get(member), str)}
    return found if len(found) == len(items) else None


def _member(item: Mapping[str, Value], path: str) -> Value:
    found: Value = item
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _source(value: Value, facts: Facts) -> Node | None:
    """An S3 URI; a string without ``://`` would name a local file."""
    if isinstance(value, str) and "://" not in value:
        return None
    return one(value, facts.scope, SOURCES)


def _processing_inputs(facts: Facts) -> Node | None:
    listed = _objects(facts.at(_INPUTS))
    named = _named(listed, "InputName")
    if not named:
        return None
    written = {}
    for name, item in named.items():
        source = _source(_member(item, "S3Input.S3Uri"), facts)
        if source is None:
            return None
        more: dict[str, Node] = {}
        path = _member(item, "S3Input.LocalPath")
        if isinstance(path, str) and path != f"/opt/ml/processing/input/{name}":
            more["path"] = Text(string(path))
        distribution, mode = _member(item, "S3Input.S3DataDistributionType"), _member(item, "S3Input.S3InputMode")
        if distribution == "ShardedByS3Key":
            more["distribution"] = Text('"ShardedByS3Key"')
        if mode == "Pipe":
            more["mode"] = Text('"Pipe"')
        managed = item.get("AppManaged")
        if isinstance(managed, bool):
            more["app_managed"] = Text(repr(managed))
        written[name] = call(facts.scope.imported("Input"), [source], more) if more else source
    return dictionary(written.items())


def _processing_outputs(facts: Facts) -> Node | None:
    named = _named(_objects(facts.at(_OUTPUTS)), "OutputName")
    if not named:
        return None
    written: dict[str, Node] = {}
    for name, item in named.items():
        more: dict[str, Node] = {}
        path, uri = _member(item, "S3Output.LocalPath"), _member(item, "S3Output.S3Uri")
        if isinstance(path, str) and path != f"/opt/ml/processing/output/{name}":
            more["path"] = Text(string(path))
        group = _member(item, "FeatureStoreOutput.FeatureGroupName")
        if group is not None:
            more["feature_group"] = one(group, facts.scope, (STRING,)) or Text("None")
        if uri is not None:
            to = one(uri, facts.scope, (STRING,))
            if to is None:
                return None
            more["to"] = to
        if _member(item, "S3Output.S3UploadMode") == "Continuous":
            more["upload"] = Text('"Continuous"')
        managed = item.get("AppManaged")
        if isinstance(managed, bool):
            more["app_managed"] = Text(repr(managed))
        written[name] = call(facts.scope.imported("Output"), (), more)
    return dictionary(written.items())


def reports(facts: Facts) -> dict[str, tuple[str, str]] | None:
    """Name to (output, file) of the step's property files; None where they are no reports of its outputs."""
    files = _objects(facts.step.members.get("PropertyFiles"))
    named = _named(files, "PropertyFileName")
    outputs = _named(_objects(facts.at(_OUTPUTS)), "OutputName") or {}
    if not named or len(files) != len(named):
        return None
    found = {}
    for name, item in named.items():
        output, path = item.get("OutputName"), item.get("FilePath")
        if output not in outputs or not isinstance(output, str) or not isinstance(path, str) or not path:
            return None
        found[name] = (output, path)
    return found


def _reports(facts: Facts) -> Node | None:
    found = reports(facts)
    if found is None:
        return None
    return dictionary((name, Text(string(f"{output}/{path}"))) for name, (output, path) in found.items())


def _channels(facts: Facts) -> Node | None:
    named = _named(_objects(facts.at("InputDataConfig")), "ChannelName")
    if not named:
        return None
    written: dict[str, Node] = {}
    for name, item in named.items():
        value = _member(item, "DataSource.S3DataSource.S3Uri")
        source = _source(value, facts)
        if source is None:
            return None
        more: dict[str, Node] = {}
        content = item.get("ContentType")
        if isinstance(content, str):
            more["content_type"] = Text(string(content))
        distribution = _member(item, "DataSource.S3DataSource.S3DataDistributionType")
        if distribution != "FullyReplicated":
            more["distribution"] = Text('"ShardedByS3Key"' if distribution == "ShardedByS3Key" else "None")
        mode = item.get("InputMode")
        if mode != "File":
            more["mode"] = Text(string(mode) if mode in ("FastFile", "Pipe") and isinstance(mode, str) else "None")
        plain = one(value, facts.scope, (DATA, STRING))
        written[name] = call(facts.scope.imported("Channel"), [source], more) if more or plain is None else plain
    return dictionary(written.items())


def _metrics(facts: Facts) -> Node | None:
    named = _named(_objects(facts.at("AlgorithmSpecification.MetricDefinitions")), "Name")
    if not named or not all(isinstance(item.get("Regex"), str) for item in named.values()):
        return None
    return dictionary((name, Text(string(str(item["Regex"])))) for name, item in named.items())


def _quality(facts: Facts) -> Node | None:
    value = facts.at("ModelMetrics.ModelQuality.Statistics.S3Uri")
    return None if isinstance(value, Missing) else one(value, facts.scope, (DATA, STRING))


def _message(facts: Facts) -> Node | None:
    value = facts.at("ErrorMessage")
    return None if isinstance(value, Missing) else one(value, facts.scope, EVERY if not isinstance(value, int) else ())


def _model(path: str) -> Argument:
    return scalar("model", path, (MODEL, STRING))


_JOB = "ProcessingResources.ClusterConfig"


def _role(facts: Facts) -> Node | None:
    value = facts.at("RoleArn")
    if isinstance(value, Missing) or value == facts.scope.role:
        return None
    return one(value, facts.scope, (STRING,))


def _tags(facts: Facts) -> Node | None:
    """Tags in the order of their keys, as the language writes them."""
    listed = facts.at("Tags")
    named = _named(_objects(listed), "Key")
    if not named or not isinstance(listed, tuple) or len(named) != len(listed):
        return None
    if list(named) != sorted(named):
        return None
    items = {key: one(item.get("Value"), facts.scope, (STRING,)) for key, item in named.items()}
    if any(item is None for item in items.values()):
        return None
    return dictionary((key, item) for key, item in items.items() if item is not None)


def _network(prefix: str) -> Argument:
    """``Network(…)`` of the members below ``prefix``."""

    def writer(facts: Facts) -> Node | None:
        said: dict[str, Node] = {}
        for name, member in (("subnets", "Subnets"), ("security_groups", "SecurityGroupIds")):
            listed = facts.at(f"{prefix}VpcConfig.{member}")
            if isinstance(listed, tuple):
                items = [one(item, facts.scope, (STRING,)) for item in listed]
                if any(item is None for item in items):
                    return None
                said[name] = listing(item for item in items if item is not None)
        for name, member in (
            ("isolated", "EnableNetworkIsolation"),
            ("encrypted", "EnableInterContainerTrafficEncryption"),
        ):
            value = facts.at(f"{prefix}{member}")
            if not isinstance(value, Missing):
                written = one(value, facts.scope, (BOOLEAN,))
                if written is None:
                    return None
                said[name] = written
        return call(facts.scope.imported("Network"), (), said) if said else None

    return Argument("network", writer, prefix.rstrip("."))


_TAGGED = (Argument("tags", _tags, "Tags"),)
_SECURITY = (Argument("role", _role, "RoleArn"), _network("NetworkConfig."), *_TAGGED)
_TRAINING_SECURITY = (Argument("role", _role, "RoleArn"), _network(""), *_TAGGED)


_OUTPUT_TYPES = {
    "String": ("str", STRING),
    "Boolean": ("bool", BOOLEAN),
    "Integer": ("int", INTEGER),
    "Float": ("float", FLOAT),
}


def declared_outputs(facts: Facts) -> dict[str, str] | None:
    """A Lambda's or Callback's outputs by name, each with its type in the document."""
    listed = facts.step.members.get("OutputParameters")
    named = _named(_objects(listed), "OutputName")
    if not named or not isinstance(listed, tuple) or len(named) != len(listed):
        return None
    kinds = {name: item.get("OutputType") for name, item in named.items()}
    if any(kind not in _OUTPUT_TYPES for kind in kinds.values()):
        return None
    return {name: str(kind) for name, kind in kinds.items()}


def output_kinds(facts: Facts) -> dict[str, str]:
    """The same as kinds of references."""
    return {name: _OUTPUT_TYPES[kind][1] for name, kind in (declared_outputs(facts) or {}).items()}


def _declared(facts: Facts) -> Node | None:
    outputs = declared_outputs(facts)
    if outputs is None:
        return None
    if set(outputs.values()) == {"String"}:
        return listing(Text(string(name)) for name in outputs)
    return dictionary((name, Text(_OUTPUT_TYPES[kind][0])) for name, kind in outputs.items())


def _whole(facts: Facts) -> Node | None:
    """All Arguments, where they are flat."""
    given = facts.step.arguments
    if not isinstance(given, Mapping) or not given:
        return None
    items = {key: one(item, facts.scope, EVERY) for key, item in given.items()}
    if any(item is None for item in items.values()):
        return None
    return dictionary((key, item) for key, item in items.items() if item is not None)


def _member_text(name: str, member: str) -> Argument:
    def writer(facts: Facts) -> Node | None:
        value = facts.step.members.get(member)
        return None if value is None else one(value, facts.scope, (STRING,))

    return Argument(name, writer, member)


def _steps_type(facts: Facts) -> Node:
    return Text(string(facts.step.type))


OTHER = Constructor("OtherStep", required=("type",), arguments=(Argument("type", _steps_type, ""),))
"""A step of any type, all in ``arguments=`` and ``members=``."""

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
            *_SECURITY,
        ),
    ),
    "Training": Constructor(
        "Training",
        required=("image",),
        arguments=(
            text("image", "AlgorithmSpecification.TrainingImage"),
            Argument("channels", _channels, "InputDataConfig"),
            json_map("hyperparameters", "HyperParameters"),
            Argument("metrics", _metrics, "AlgorithmSpecification.MetricDefinitions"),
            string_map("environment", "Environment"),
            text("instance", "ResourceConfig.InstanceType"),
            count("count", "ResourceConfig.InstanceCount", 1),
            count("volume", "ResourceConfig.VolumeSizeInGB", 30),
            count("max_runtime", "StoppingCondition.MaxRuntimeInSeconds", 3600),
            flag("spot", "EnableManagedSpotTraining"),
            count("max_wait", "StoppingCondition.MaxWaitTimeInSeconds"),
            count("keep_alive", "ResourceConfig.KeepAlivePeriodInSeconds"),
            count("job_attempts", "RetryStrategy.MaximumRetryAttempts"),
            text("to", "OutputDataConfig.S3OutputPath"),
            choice("compression", "OutputDataConfig.CompressionType", ("GZIP", "NONE"), "GZIP", absent="None"),
            mixed_list("command", "AlgorithmSpecification.ContainerEntrypoint"),
            mixed_list("args", "AlgorithmSpecification.ContainerArguments"),
            *_TRAINING_SECURITY,
        ),
        properties={"ModelArtifacts.S3ModelArtifacts": ("model", MODEL)},
    ),
    "Transform": Constructor(
        "Transform",
        required=("model", "data"),
        arguments=(
            text("model", "ModelName"),
            Argument(
                "data",
                lambda facts: (
                    None
                    if isinstance(value := facts.at("TransformInput.DataSource.S3DataSource.S3Uri"), Missing)
                    or (isinstance(value, str) and "://" not in value)
                    else one(value, facts.scope, (DATA, STRING))
                ),
                "TransformInput.DataSource",
            ),
            text("content_type", "TransformInput.ContentType", "text/csv", absent="None"),
            text("accept", "TransformOutput.Accept"),
            choice("split", "TransformInput.SplitType", ("None", "RecordIO", "TFRecord"), "Line", absent="None"),
            choice("assemble", "TransformOutput.AssembleWith", ("None",), "Line", absent="None"),
            choice("strategy", "BatchStrategy", ("SingleRecord", "MultiRecord")),
            text("input_filter", "DataProcessing.InputFilter"),
            text("output_filter", "DataProcessing.OutputFilter"),
            choice("join_source", "DataProcessing.JoinSource", ("Input", "None")),
            count("max_payload", "MaxPayloadInMB"),
            count("max_concurrent", "MaxConcurrentTransforms"),
            string_map("environment", "Environment"),
            text("to", "TransformOutput.S3OutputPath"),
            text("instance", "TransformResources.InstanceType"),
            count("count", "TransformResources.InstanceCount", 1),
        ),
        properties={"TransformOutput.S3OutputPath": ("output", DATA)},
    ),
    "Model": Constructor(
        "Model",
        required=("model", "image"),
        arguments=(
            _model("PrimaryContainer.ModelDataUrl"),
            text("image", "PrimaryContainer.Image"),
            string_map("environment", "PrimaryContainer.Environment"),
        ),
        properties={"ModelName": ("model_name", STRING)},
    ),
    "RegisterModel": Constructor(
        "RegisterModel",
        required=("model", "image", "group"),
        arguments=(
            _model("InferenceSpecification.Containers.0.ModelDataUrl"),
            text("image", "InferenceSpecification.Containers.0.Image"),
            text("group", "ModelPackageGroupName"),
            string_map("environment", "InferenceSpecification.Containers.0.Environment"),
            Argument("metrics", _quality, "ModelMetrics"),
            texts("content_types", "InferenceSpecification.SupportedContentTypes", ("text/csv",)),
            texts("response_types", "InferenceSpecification.SupportedResponseMIMETypes", ("text/csv",)),
            texts(
                "instances",
                "InferenceSpecification.SupportedRealtimeInferenceInstanceTypes",
                ("ml.m5.large",),
                absent="[]",
            ),
            texts(
                "transform_instances",
                "InferenceSpecification.SupportedTransformInstanceTypes",
                ("ml.m5.large",),
                absent="[]",
            ),
            text("approval", "ModelApprovalStatus", "PendingManualApproval"),
            string_map("metadata", "CustomerMetadataProperties"),
        ),
        properties={"ModelPackageArn": ("package", STRING)},
    ),
    "Lambda": Constructor(
        "Lambda",
        required=("function",),
        arguments=(
            _member_text("function", "FunctionArn"),
            Argument("inputs", _whole, "inputs"),
            Argument("outputs", _declared, "OutputParameters"),
        ),
    ),
    "Callback": Constructor(
        "Callback",
        required=("queue",),
        arguments=(
            _member_text("queue", "SqsQueueUrl"),
            Argument("inputs", _whole, "inputs"),
            Argument("outputs", _declared, "OutputParameters"),
        ),
    ),
    "EMR": Constructor(
        "EMR",
        required=("jar", "cluster"),
        arguments=(
            text("jar", "StepConfig.HadoopJarStep.Jar"),
            text("cluster", "ClusterId"),
            mixed_list("args", "StepConfig.HadoopJarStep.Args"),
            text("main_class", "StepConfig.HadoopJarStep.MainClass"),
        ),
    ),
    "Fail": Constructor(
        "Fail",
        required=("message",),
        positional=("message",),
        shared=False,
        arguments=(Argument("message", _message, "ErrorMessage"),),
    ),
}
