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
    json_map,
    mixed_list,
    one,
    scalar,
    string_map,
    text,
    texts,
)
from mlops.emit.python.expressions import DATA, EVERY, MODEL, STRING
from mlops.emit.python.source import Node, Text, call, dictionary, listing, string
from mlops.ir import Value

_INPUTS = "ProcessingInputs"
_OUTPUTS = "ProcessingOutputConfig.Outputs"
_CODE_FOLDER = "/opt/ml/processing/input/code"


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


def _script(facts: Facts) -> tuple[str, str, tuple[str, ...]] | None:
    """(URI, entry, command) of a script that travels as the last input, ``code``."""
    command = facts.at("AppSpecification.ContainerEntrypoint")
    inputs = _objects(facts.at(_INPUTS))
    if not isinstance(command, tuple) or not command or not inputs or inputs[-1].get("InputName") != "code":
        return None
    uri, folder = _member(inputs[-1], "S3Input.S3Uri"), _member(inputs[-1], "S3Input.LocalPath")
    entry = command[-1]
    if not isinstance(uri, str) or not uri.startswith("s3://") or folder != _CODE_FOLDER or not isinstance(entry, str):
        return None
    if not entry.startswith(f"{_CODE_FOLDER}/") or not all(isinstance(item, str) for item in command):
        return None
    return uri, entry.removeprefix(f"{_CODE_FOLDER}/"), tuple(str(item) for item in command[:-1])


def _code(facts: Facts) -> Node | None:
    script = _script(facts)
    return script and Text(string(script[0]))


def _entry(facts: Facts) -> Node | None:
    script = _script(facts)
    return Text(string(script[1])) if script and script[0].rpartition("/")[2] != script[1] else None


def _command(facts: Facts) -> Node | None:
    script = _script(facts)
    if script is None or script[2] == ("python3",):
        return None
    return listing(Text(string(item)) for item in script[2])


def _processing_inputs(facts: Facts) -> Node | None:
    listed = _objects(facts.at(_INPUTS))
    named = _named(listed[:-1] if _script(facts) else listed, "InputName")
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
        to = one(uri, facts.scope, (STRING,))
        if to is None:
            return None
        more["to"] = to
        if _member(item, "S3Output.S3UploadMode") == "Continuous":
            more["upload"] = Text('"Continuous"')
        written[name] = call(facts.scope.imported("Output"), (), more)
    return dictionary(written.items())


def _app_managed(facts: Facts) -> Node | None:
    said = {item.get("AppManaged") for item in [*_objects(facts.at(_INPUTS)), *_objects(facts.at(_OUTPUTS))]}
    return Text(repr(said.pop())) if said in ({True}, {False}) else None


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

CONSTRUCTORS: Mapping[str, Constructor] = {
    "Processing": Constructor(
        "Processing",
        required=("image",),
        arguments=(
            text("image", "AppSpecification.ImageUri"),
            Argument("code", _code, _INPUTS),
            Argument("entry", _entry, _INPUTS),
            Argument("command", _command, _INPUTS),
            mixed_list("args", "AppSpecification.ContainerArguments"),
            Argument("inputs", _processing_inputs, _INPUTS),
            Argument("outputs", _processing_outputs, _OUTPUTS),
            Argument("reports", _reports, "PropertyFiles"),
            string_map("environment", "Environment"),
            text("instance", f"{_JOB}.InstanceType"),
            count("count", f"{_JOB}.InstanceCount", 1),
            count("volume", f"{_JOB}.VolumeSizeInGB", 30),
            count("max_runtime", "StoppingCondition.MaxRuntimeInSeconds"),
            Argument("app_managed", _app_managed, "", beside=("code", "inputs", "outputs")),
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
                lambda facts: None
                if isinstance(value := facts.at("TransformInput.DataSource.S3DataSource.S3Uri"), Missing)
                or (isinstance(value, str) and "://" not in value)
                else one(value, facts.scope, (DATA, STRING)),
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
    "Fail": Constructor(
        "Fail",
        required=("message",),
        positional=("message",),
        shared=False,
        arguments=(Argument("message", _message, "ErrorMessage"),),
    ),
}
