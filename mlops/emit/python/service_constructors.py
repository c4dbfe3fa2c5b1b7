"""What the constructors of endpoints, EMR, AutoML, Bedrock, jobs and cleanup take, and from where it comes.

As in :mod:`mlops.emit.python.constructors`, nothing here has to be complete: the program is compiled and compared.
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
    data,
    json_map,
    member_at,
    mixed_list,
    named_records,
    nested,
    number,
    objects,
    plain_map,
    record,
    s3_source,
    string_map,
    text,
)
from mlops.emit.python.expressions import DATA, MODEL, STRING, literal, write
from mlops.emit.python.job_arguments import TAGS, network, role
from mlops.emit.python.source import Items, Node, Text, call, dictionary, listing, string
from mlops.emit.python.spoken import one
from mlops.ir import Value
from mlops.ir.fields import Missing

# Endpoints.

_SERVERLESS = (
    count("memory", "MemorySizeInMB"),
    count("concurrency", "MaxConcurrency"),
    count("provisioned", "ProvisionedConcurrency"),
)
_VARIANT = (
    text("model", "ModelName"),
    text("instance", "InstanceType"),
    count("count", "InitialInstanceCount", 1),
    number("weight", "InitialVariantWeight"),
    nested("serverless", "ServerlessConfig", "Serverless", _SERVERLESS),
)
_LONE = "AllTraffic"


def _is_lone(facts: Facts) -> bool:
    """One model under the name that a lone one has, without a weight."""
    match facts.at("ProductionVariants"):
        case ({"VariantName": name, "ModelName": _, **rest},):
            return name == _LONE and set(rest) <= {"InstanceType", "InitialInstanceCount", "ServerlessConfig"}
    return False


def _of_the_lone(argument: Argument) -> Argument:
    def writer(facts: Facts) -> Node | None:
        variant = facts.at("ProductionVariants.0")
        return argument.writer(facts.inside(variant)) if _is_lone(facts) and isinstance(variant, Mapping) else None

    return Argument(argument.name, writer, "ProductionVariants")


_SEVERAL = named_records("variants", "ProductionVariants", "VariantName", "Variant", _VARIANT, merged=True)


def _variants(facts: Facts) -> Node | None:
    return None if _is_lone(facts) else _SEVERAL.writer(facts)


def _modes(facts: Facts) -> Node | None:
    modes = [item.get("CaptureMode") for item in objects(facts.at("CaptureOptions"))]
    if modes == ["Input", "Output"] or not all(isinstance(mode, str) for mode in modes):
        return None
    return listing(literal(str(mode)) for mode in modes)


_CAPTURE = (
    text("to", "DestinationS3Uri"),
    count("percent", "InitialSamplingPercentage", 100),
    Argument("modes", _modes, "CaptureOptions"),
)


def _capture(facts: Facts) -> Node | None:
    given = facts.at("DataCaptureConfig")
    if not isinstance(given, Mapping) or given.get("EnableCapture") is not True:
        return None
    return record("Capture", {key: value for key, value in given.items() if key != "EnableCapture"}, facts, _CAPTURE)


_CONTAINER = "Specification.Container"
_NEEDS = "Specification.ComputeResourceRequirements"

# EMR.

_CLUSTER_MEMBERS = ("ReleaseLabel", "Applications", "Instances", "JobFlowRole", "ServiceRole", "LogUri")


def _cluster(facts: Facts) -> Node | None:
    """The id of a cluster that runs, or one that is made for the step: what the record has no word for is merged."""
    running = facts.at("ClusterId")
    if not isinstance(running, Missing):
        return one(running, facts.scope, (STRING,))
    wanted = facts.at("ClusterConfig")
    if not isinstance(wanted, Mapping):
        return None
    inner = facts.inside(wanted)
    said: dict[str, Node] = {}
    applications = [item.get("Name") for item in objects(wanted.get("Applications")) if len(item) == 1]
    machines = _machines(wanted.get("Instances"))
    for argument in (text("release", "ReleaseLabel"),):
        written = argument.writer(inner)
        if written is not None:
            said[argument.name] = written
    rest = {key: value for key, value in wanted.items() if key not in _CLUSTER_MEMBERS}
    if applications and all(isinstance(name, str) for name in applications):
        said["applications"] = listing(literal(str(name)) for name in applications)
    elif "Applications" in wanted:
        rest["Applications"] = wanted["Applications"]
    if machines is None:
        said["instance"] = Text("None")
        if "Instances" in wanted:
            rest["Instances"] = wanted["Instances"]
    else:
        kind, number_of = machines
        said["instance"] = literal(kind)
        if number_of != 1:
            said["count"] = literal(number_of)
    for argument in (text("role", "JobFlowRole"), text("service_role", "ServiceRole"), text("log", "LogUri")):
        written = argument.writer(inner)
        if written is not None:
            said[argument.name] = written
    if rest:
        said["arguments"] = write(rest, facts.scope)
    return call("EmrCluster", (), said)


def _machines(instances: Value) -> tuple[str, int] | None:
    """Type and count of machines that are all alike, as the language makes them: a primary, and cores."""
    if not isinstance(instances, Mapping) or set(instances) != {"InstanceGroups"}:
        return None
    match instances["InstanceGroups"]:
        case ({"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": str(kind), **rest}, *others) if not rest:
            match others:
                case []:
                    return kind, 1
                case [{"InstanceRole": "CORE", "InstanceCount": int(cores), "InstanceType": str(core), **more}]:
                    return (kind, cores + 1) if core == kind and not more and cores > 0 else None
    return None


def _properties(facts: Facts) -> Node | None:
    """Java properties by their keys."""
    listed = facts.at("StepConfig.HadoopJarStep.Properties")
    named = by_name(objects(listed), "Key")
    if not named:
        return None
    items = {key: one(item.get("Value"), facts.scope, (STRING,)) for key, item in named.items()}
    if None in items.values():
        return None
    return dictionary((key, node) for key, node in items.items() if node is not None)


def _application(facts: Facts) -> Node | None:
    """The id of an application, or one that is made for the step."""
    existing = facts.at("ApplicationId")
    if not isinstance(existing, Missing):
        return one(existing, facts.scope, (STRING,))
    wanted = facts.at("ApplicationConfig")
    if not isinstance(wanted, Mapping) or "releaseLabel" not in wanted:
        return None
    members = (text("release", "releaseLabel"), choice("type", "type", ("HIVE",), "SPARK"), text("name", "name"))
    return record("EmrApplication", wanted, facts, members, merged=True)


_DRIVER = "JobConfig.jobDriver"


def _parameters(facts: Facts) -> Node | None:
    for path in (f"{_DRIVER}.sparkSubmit.sparkSubmitParameters", f"{_DRIVER}.hive.parameters"):
        value = facts.at(path)
        if not isinstance(value, Missing):
            return one(value, facts.scope, (STRING,))
    return None


# AutoML.

_CONFIG = "AutoMLJobConfig"
_SECURITY = f"{_CONFIG}.SecurityConfig"
_URI = "DataSource.S3DataSource.S3Uri"
_TABLE = (
    data("source", _URI),
    choice("kind", "DataSource.S3DataSource.S3DataType", ("ManifestFile",), "S3Prefix"),
    text("content_type", "ContentType"),
    choice("compression", "CompressionType", ("None", "Gzip")),
    text("weights", "SampleWeightAttributeName"),
)


def _table(kind: str) -> Argument:
    def writer(facts: Facts) -> Node | None:
        for item in objects(facts.at("InputDataConfig")):
            if item.get("ChannelType", "training") == kind:
                rest = {key: item[key] for key in item if key not in ("ChannelType", "TargetAttributeName")}
                node = record("Table", rest, facts, _TABLE)
                if isinstance(node, Items) and len(node.items) == 1:
                    return s3_source(member_at(item, _URI), facts, (DATA, STRING))
                return node
        return None

    # Own nothing: what they cannot say of the list is said in its place.
    return Argument("train" if kind == "training" else kind, writer, "")


def _algorithms(facts: Facts) -> Node | None:
    listed = facts.at(f"{_CONFIG}.CandidateGenerationConfig.AlgorithmsConfig.0.AutoMLAlgorithms")
    if not isinstance(listed, tuple) or not listed:
        return None
    items = [one(item, facts.scope, (STRING,)) for item in listed]
    return None if None in items else Items("(", tuple(("", node) for node in items if node is not None), ")")


_BEST = "BestCandidate.InferenceContainers[0]"
_BEST_VARIABLES = (
    "MODEL_NAME",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    "SAGEMAKER_INFERENCE_OUTPUT",
    "SAGEMAKER_INFERENCE_SUPPORTED",
    "SAGEMAKER_PROGRAM",
    "SAGEMAKER_SUBMIT_DIRECTORY",
)


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
        written.append(call("Objects", [step, found]))
    return listing(written)


SERVICE_CONSTRUCTORS: Mapping[str, Constructor] = {
    "EndpointConfig": Constructor(
        "EndpointConfig",
        arguments=(
            *map(_of_the_lone, (_VARIANT[0], _VARIANT[1], _VARIANT[2], _VARIANT[4])),
            Argument("variants", _variants, "ProductionVariants"),
            named_records("shadow", "ShadowProductionVariants", "VariantName", "Variant", _VARIANT, merged=True),
            Argument("capture", _capture, "DataCaptureConfig"),
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
            data("data", f"{_CONTAINER}.ArtifactUrl", model=True),
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
            Argument("application", _application, "ApplicationId"),
            text("script", f"{_DRIVER}.sparkSubmit.entryPoint"),
            mixed_list("args", f"{_DRIVER}.sparkSubmit.entryPointArguments"),
            text("query", f"{_DRIVER}.hive.query"),
            text("init_query", f"{_DRIVER}.hive.initQueryFile"),
            Argument("parameters", _parameters, _DRIVER),
            plain_map("overrides", "JobConfig.configurationOverrides"),
            count("timeout", "JobConfig.executionTimeoutMinutes"),
            text("job", "JobConfig.name"),
            role("ExecutionRoleArn"),
        ),
        properties={"jobRun.jobRunId": ("job_run_id", STRING), "jobRun.applicationId": ("application_id", STRING)},
    ),
    "EMR": Constructor(
        "EMR",
        required=("jar", "cluster"),
        arguments=(
            text("jar", "StepConfig.HadoopJarStep.Jar"),
            Argument("cluster", _cluster, "ClusterId"),
            mixed_list("args", "StepConfig.HadoopJarStep.Args"),
            text("main_class", "StepConfig.HadoopJarStep.MainClass"),
            Argument("properties", _properties, "StepConfig.HadoopJarStep.Properties"),
            text("role", "ExecutionRoleArn"),
        ),
        properties={"ClusterId": ("cluster_id", STRING), "Id": ("step_id", STRING)},
    ),
    "AutoML": Constructor(
        "AutoML",
        required=("train", "target"),
        arguments=(
            _table("training"),
            Argument("target", text("target", "InputDataConfig.0.TargetAttributeName").writer, ""),
            _table("validation"),
            number("validation_fraction", f"{_CONFIG}.DataSplitConfig.ValidationFraction"),
            choice("problem", "ProblemType", ("BinaryClassification", "MulticlassClassification", "Regression")),
            text("metric", "AutoMLJobObjective.MetricName"),
            Argument("algorithms", _algorithms, f"{_CONFIG}.CandidateGenerationConfig.AlgorithmsConfig"),
            text("features", f"{_CONFIG}.CandidateGenerationConfig.FeatureSpecificationS3Uri"),
            count("max_candidates", f"{_CONFIG}.CompletionCriteria.MaxCandidates"),
            count("max_runtime", f"{_CONFIG}.CompletionCriteria.MaxAutoMLJobRuntimeInSeconds"),
            count("max_runtime_per_job", f"{_CONFIG}.CompletionCriteria.MaxRuntimePerTrainingJobInSeconds"),
            text("to", "OutputDataConfig.S3OutputPath"),
            role(),
            network(f"{_SECURITY}."),
            text("kms_key", "OutputDataConfig.KmsKeyId"),
            text("volume_kms_key", f"{_SECURITY}.VolumeKmsKeyId"),
            TAGS,
        ),
        properties={
            f"{_BEST}.ModelDataUrl": ("best_model", MODEL),
            f"{_BEST}.Image": ("best_image", STRING),
            "BestCandidateProperties.ModelInsightsJsonReportPath": ("insights", DATA),
            "BestCandidateProperties.ExplainabilityJsonReportPath": ("explanation", DATA),
            **{f"{_BEST}.Environment['{key}']": (f'best_environment["{key}"]', STRING) for key in _BEST_VARIABLES},
        },
    ),
    "BedrockCustomModel": Constructor(
        "BedrockCustomModel",
        required=("job", "model", "base", "data", "to"),
        arguments=(
            text("job", "jobName"),
            text("model", "customModelName"),
            text("base", "baseModelIdentifier"),
            data("data", "trainingDataConfig.s3Uri"),
            text("to", "outputDataConfig.s3Uri"),
            choice(
                "kind",
                "customizationType",
                ("FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING"),
            ),
            data("validation", "validationDataConfig.validators.0.s3Uri"),
            json_map("hyperparameters", "hyperParameters"),
            role("roleArn"),
        ),
    ),
    "BedrockModelImport": Constructor(
        "BedrockModelImport",
        required=("job", "model", "data"),
        arguments=(
            text("job", "jobName"),
            text("model", "importedModelName"),
            data("data", "modelDataSource.s3DataSource.s3Uri", model=True),
            role("roleArn"),
        ),
    ),
    "BedrockCustomModelDeployment": Constructor(
        "BedrockCustomModelDeployment",
        required=("deployment", "model"),
        arguments=(text("deployment", "modelDeploymentName"), text("model", "modelArn")),
    ),
    "BedrockProvisionedModelThroughput": Constructor(
        "BedrockProvisionedModelThroughput",
        required=("throughput", "model"),
        arguments=(
            text("throughput", "provisionedModelName"),
            text("model", "modelId"),
            count("units", "modelUnits", 1),
            choice("commitment", "commitmentDuration", ("OneMonth", "SixMonths")),
        ),
    ),
    "Job": Constructor(
        "Job",
        required=("category", "config"),
        arguments=(
            text("category", "JobCategory"),
            text("config", "JobConfigDocument"),
            text("schema_version", "JobConfigSchemaVersion", "1.0.0"),
            role(),
        ),
        properties={"JobName": ("job_name", STRING), "JobArn": ("job_arn", STRING)},
    ),
    "Cleanup": Constructor(
        "Cleanup", required=("sources",), arguments=(Argument("sources", _sources, "Resources.S3"),)
    ),
}
