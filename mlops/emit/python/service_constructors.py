"""What the constructors of tuning, endpoints, EMR Serverless, jobs and cleanup take, and from where it comes.

As in :mod:`mlops.emit.python.constructors`, nothing here has to be complete: the program is compiled and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mlops.emit.python.arguments import (
    Argument,
    Constructor,
    Facts,
    Missing,
    choice,
    count,
    mixed_list,
    number,
    one,
    string_map,
    text,
)
from mlops.emit.python.expressions import DATA, INTEGER, MODEL, NUMBERS, STRING, literal
from mlops.emit.python.source import Node, Text, call, dictionary, listing, string
from mlops.ir import Value

_JOB = "TrainingJobDefinition"
_CONFIGURATION = "HyperParameterTuningJobConfig"
_RANGES = {"IntegerParameterRanges": "IntegerRange", "ContinuousParameterRanges": "ContinuousRange"}
_SCALES = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
_OUTSIDE = ("role", "network", "tags", "to", "command", "args")
"""Arguments of Training that a TrainingJob does not take."""


def tuning(training: Constructor) -> Constructor:
    """Tuning, whose job takes what Training takes."""
    return Constructor(
        "Tuning",
        required=("job",),
        arguments=(
            Argument("job", _tried(training), _JOB),
            # Owns nothing: what it leaves out, such as a kind with no ranges, is said beside it.
            Argument("ranges", _ranges, ""),
            Argument("objective", _objective, f"{_CONFIGURATION}.HyperParameterTuningJobObjective"),
            choice("strategy", f"{_CONFIGURATION}.Strategy", ("Random", "Hyperband", "Grid")),
            count("max_jobs", f"{_CONFIGURATION}.ResourceLimits.MaxNumberOfTrainingJobs"),
            count("max_parallel", f"{_CONFIGURATION}.ResourceLimits.MaxParallelTrainingJobs", 1),
            count("max_runtime", f"{_CONFIGURATION}.ResourceLimits.MaxRuntimeInSeconds"),
            choice("early_stopping", f"{_CONFIGURATION}.TrainingJobEarlyStoppingType", ("Off", "Auto")),
            count("seed", f"{_CONFIGURATION}.RandomSeed"),
            text("to", f"{_JOB}.OutputDataConfig.S3OutputPath"),
            Argument("role", _role(f"{_JOB}.RoleArn"), f"{_JOB}.RoleArn"),
        ),
    )


def _tried(training: Constructor) -> Callable[[Facts], Node | None]:
    def writer(facts: Facts) -> Node | None:
        definition = facts.at(_JOB)
        if not isinstance(definition, Mapping):
            return None
        arguments = dict(definition)
        arguments["HyperParameters"] = definition.get("StaticHyperParameters")
        inner = Facts(replace(facts.step, arguments=arguments), facts.scope)
        written = {
            argument.name: argument.writer(inner) for argument in training.arguments if argument.name not in _OUTSIDE
        }
        said = {name: node for name, node in written.items() if node is not None}
        return call(facts.scope.imported("TrainingJob"), (), said)

    return writer


def _ranges(facts: Facts) -> Node | None:
    found = facts.at(f"{_CONFIGURATION}.ParameterRanges")
    if not isinstance(found, Mapping):
        return None
    written: dict[str, Node] = {}
    for kind, listed in found.items():
        for item in listed if isinstance(listed, tuple) else ():
            node = _range(kind, item, facts)
            name = item.get("Name") if isinstance(item, Mapping) else None
            if node is None or not isinstance(name, str) or name in written:
                return None
            written[name] = node
    return dictionary(written.items()) if written else None


def _range(kind: str, item: Value, facts: Facts) -> Node | None:
    if not isinstance(item, Mapping):
        return None
    match item:
        case {"Values": tuple(values)} if kind == "CategoricalParameterRanges":
            choices = [literal(_plain(value)) for value in values if isinstance(value, str)]
            if len(choices) != len(values):
                return None
            return call(facts.scope.imported("CategoricalRange"), [listing(choices)])
        case {"MinValue": str(low), "MaxValue": str(high)} if kind in _RANGES:
            bounds = [_plain(low), _plain(high)]
            wanted = int if kind == "IntegerParameterRanges" else (int, float)
            if not all(isinstance(bound, wanted) for bound in bounds):
                return None
            scale = item.get("ScalingType")
            if scale is not None and scale not in _SCALES:
                return None
            said = {} if scale == "Auto" else {"scale": literal(str(scale)) if scale is not None else Text("None")}
            return call(facts.scope.imported(_RANGES[kind]), map(literal, bounds), said)
    return None


def _plain(value: str) -> int | float | str:
    """The number whose text this is."""
    for kind in (int, float):
        try:
            found = kind(value)
        except ValueError:
            continue
        if str(found) == value and found - found == 0:
            return found
    return value


def _objective(facts: Facts) -> Node | None:
    match facts.at(f"{_CONFIGURATION}.HyperParameterTuningJobObjective"):
        case {"Type": "Maximize" | "Minimize" as kind, "MetricName": metric}:
            written = one(metric, facts.scope, (STRING,))
            return None if written is None else call(facts.scope.imported(str(kind)), [written])
    return None


def _role(path: str) -> Callable[[Facts], Node | None]:
    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if isinstance(value, Missing) or value == facts.scope.role:
            return None
        return one(value, facts.scope, (STRING,))

    return writer


def _variants(facts: Facts) -> Node | None:
    listed = facts.at("ProductionVariants")
    if not isinstance(listed, tuple) or not listed:
        return None
    written: dict[str, Node] = {}
    for item in listed:
        name = item.get("VariantName") if isinstance(item, Mapping) else None
        if not isinstance(item, Mapping) or not isinstance(name, str) or name in written:
            return None
        said: dict[str, Node] = {}
        for argument, member, accepts in (
            ("model", "ModelName", (STRING,)),
            ("instance", "InstanceType", (STRING,)),
            ("count", "InitialInstanceCount", (INTEGER,)),
            ("weight", "InitialVariantWeight", NUMBERS),
        ):
            value = item.get(member)
            if value is None or (argument == "count" and value == 1 and not isinstance(value, bool)):
                continue
            node = one(value, facts.scope, accepts)
            if node is None:
                return None
            said[argument] = node
        written[name] = call(facts.scope.imported("Variant"), (), said)
    return dictionary(written.items())


def _sources(facts: Facts) -> Node | None:
    listed = facts.at("Resources.S3")
    if not isinstance(listed, tuple) or not listed:
        return None
    written: list[Node] = []
    for item in listed:
        name = item.get("StepName") if isinstance(item, Mapping) else None
        if not isinstance(item, Mapping) or not isinstance(name, str):
            return None
        variable = facts.scope.steps.get(name)
        step = Text(facts.scope.use(variable.name) if variable and variable.has_property else string(name))
        uris = item.get("S3Uris")
        if not isinstance(uris, tuple):
            written.append(step)
            continue
        nodes = [one(uri, facts.scope, (DATA, STRING)) for uri in uris]
        if any(node is None for node in nodes):
            return None
        found = listing(node for node in nodes if node is not None)
        written.append(call(facts.scope.imported("Objects"), [step, found]))
    return listing(written)


def _artifact(facts: Facts) -> Node | None:
    value = facts.at(f"{_CONTAINER}.ArtifactUrl")
    return None if isinstance(value, Missing) else one(value, facts.scope, (MODEL, STRING))


_CONTAINER = "Specification.Container"
_NEEDS = "Specification.ComputeResourceRequirements"
_DRIVER = "JobConfig.jobDriver"

SERVICE_CONSTRUCTORS: Mapping[str, Constructor] = {
    "EndpointConfig": Constructor(
        "EndpointConfig",
        required=("variants",),
        arguments=(
            Argument("variants", _variants, "ProductionVariants"),
            text("config", "EndpointConfigName"),
            text("role", "ExecutionRoleArn"),
            text("kms_key", "KmsKeyId"),
        ),
        properties={"EndpointConfigName": ("config_name", STRING)},
    ),
    "Endpoint": Constructor(
        "Endpoint",
        required=("config",),
        arguments=(text("config", "EndpointConfigName"), text("endpoint", "EndpointName")),
        properties={"EndpointName": ("endpoint_name", STRING), "EndpointArn": ("endpoint_arn", STRING)},
    ),
    "InferenceComponent": Constructor(
        "InferenceComponent",
        required=("endpoint",),
        arguments=(
            text("endpoint", "EndpointName"),
            text("model", "Specification.ModelName"),
            text("image", f"{_CONTAINER}.Image"),
            Argument("data", _artifact, f"{_CONTAINER}.ArtifactUrl"),
            string_map("environment", f"{_CONTAINER}.Environment"),
            text("base", "Specification.BaseInferenceComponentName"),
            count("memory", f"{_NEEDS}.MinMemoryRequiredInMb"),
            count("max_memory", f"{_NEEDS}.MaxMemoryRequiredInMb"),
            number("cpus", f"{_NEEDS}.NumberOfCpuCoresRequired"),
            number("accelerators", f"{_NEEDS}.NumberOfAcceleratorDevicesRequired"),
            count("copies", "RuntimeConfig.CopyCount"),
            text("variant", "VariantName"),
            text("component", "InferenceComponentName"),
        ),
        properties={"InferenceComponentName": ("component_name", STRING)},
    ),
    "EMRServerless": Constructor(
        "EMRServerless",
        required=("application",),
        arguments=(
            text("application", "ApplicationId"),
            text("script", f"{_DRIVER}.sparkSubmit.entryPoint"),
            mixed_list("args", f"{_DRIVER}.sparkSubmit.entryPointArguments"),
            text("query", f"{_DRIVER}.hive.query"),
            text("init_query", f"{_DRIVER}.hive.initQueryFile"),
            text("parameters", f"{_DRIVER}.sparkSubmit.sparkSubmitParameters"),
            count("timeout", "JobConfig.executionTimeoutMinutes"),
            text("job", "JobConfig.name"),
            Argument("role", _role("ExecutionRoleArn"), "ExecutionRoleArn"),
        ),
    ),
    "Job": Constructor(
        "Job",
        required=("category", "config"),
        arguments=(
            text("category", "JobCategory"),
            text("config", "JobConfigDocument"),
            text("schema_version", "JobConfigSchemaVersion", "1.0.0"),
            Argument("role", _role("RoleArn"), "RoleArn"),
        ),
        properties={"JobName": ("job_name", STRING), "JobArn": ("job_arn", STRING)},
    ),
    "Cleanup": Constructor(
        "Cleanup", required=("sources",), arguments=(Argument("sources", _sources, "Resources.S3"),)
    ),
}
