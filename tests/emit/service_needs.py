"""What SageMaker asks for as a role, by the request that it carries out: the role permissions that the guide lists for
each API ("How to use SageMaker execution roles", "IAM Access Management" of Pipelines, the managed policy
AmazonSageMakerPipelinesIntegrations), on what the request names. Written by the guide and the shapes of the requests,
not by what our policies say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jmespath

from tests.emit.simulated import Request

ACCOUNT, REGION = "111122223333", "us-east-1"
EXECUTION = "e0123abc4567"
"""Of whatever is known in a run alone."""
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
_ENI = ("CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission")
_LOOKS = ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
_AUTOPILOT = {
    "model": ("CreateModel", "DescribeModel", "DeleteModel", "ListTags"),
    "endpoint-config": ("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"),
    "endpoint": ("CreateEndpoint", "DescribeEndpoint", "DeleteEndpoint", "InvokeEndpoint"),
}
_EMR_RULES = {
    "ClusterId": ("SageMakerPipelineExecutionEMRStepStatusUpdateRule",),
    "ClusterConfig": (
        "SageMakerPipelineExecutionEMRStepStatusUpdateRule",
        "SageMakerPipelineExecutionEMRClusterStatusUpdateRule",
    ),
}


@dataclass(frozen=True, slots=True)
class Api:
    """``gets`` are objects, ``reads`` what is listed before. They and the other places are JMESPath expressions over
    the request. ``group`` is where its containers log, ``verbs`` is what is asked of ``resource``, in which ``{name}``
    stands for what it is called."""

    resource: str
    name: str
    verbs: Sequence[str] = ()
    reads: Sequence[str] = ()
    gets: Sequence[str] = ()
    writes: Sequence[str] = ()
    images: Sequence[str] = ()
    data_keys: Sequence[str] = ()
    volume_keys: Sequence[str] = ()
    vpc: str = "VpcConfig"
    roles: Sequence[str] = ("RoleArn",)
    group: str | None = None


def _job(kind: str, segment: str, **more: Any) -> Api:
    return Api(segment, f"{kind}Name", (f"Create{kind}", f"Describe{kind}", f"Stop{kind}", "AddTags"), **more)


_TRAINING_READS = (
    "InputDataConfig[].DataSource.S3DataSource.S3Uri",
    "CheckpointConfig.S3Uri",
    "HyperParameters.values(@)",
)
_TRAINING_WRITES = (
    "OutputDataConfig.S3OutputPath",
    "CheckpointConfig.S3Uri",
    "DebugHookConfig.S3OutputPath",
    "ProfilerConfig.S3OutputPath",
    "TensorBoardOutputConfig.S3OutputPath",
)
_CONTAINERS = ("PrimaryContainer", "Containers[]")
_PROCESSING = _job(
    "ProcessingJob",
    "processing-job/{name}",
    reads=("ProcessingInputs[].S3Input.S3Uri",),
    writes=("ProcessingOutputConfig.Outputs[].S3Output.S3Uri",),
    images=("AppSpecification.ImageUri",),
    data_keys=("ProcessingOutputConfig.KmsKeyId",),
    volume_keys=("ProcessingResources.ClusterConfig.VolumeKmsKeyId",),
    vpc="NetworkConfig.VpcConfig",
    group="/aws/sagemaker/ProcessingJobs",
)
APIS: Mapping[str, Api] = {
    "Processing": _PROCESSING,
    "QualityCheck": _PROCESSING,
    "ClarifyCheck": _PROCESSING,
    "Training": _job(
        "TrainingJob",
        "training-job/{name}",
        reads=_TRAINING_READS,
        writes=_TRAINING_WRITES,
        images=("AlgorithmSpecification.TrainingImage",),
        data_keys=("OutputDataConfig.KmsKeyId",),
        volume_keys=("ResourceConfig.VolumeKmsKeyId",),
        group="/aws/sagemaker/TrainingJobs",
    ),
    "Tuning": _job(
        "HyperParameterTuningJob",
        "hyper-parameter-tuning-job/{name}",
        reads=tuple(
            f"{at}.{path}"
            for at in ("TrainingJobDefinition", "TrainingJobDefinitions[]")
            for path in ("InputDataConfig[].DataSource.S3DataSource.S3Uri", "CheckpointConfig.S3Uri")
        ),
        writes=tuple(
            f"{at}.{path}"
            for at in ("TrainingJobDefinition", "TrainingJobDefinitions[]")
            for path in ("OutputDataConfig.S3OutputPath", "CheckpointConfig.S3Uri")
        ),
        images=(
            "TrainingJobDefinition.AlgorithmSpecification.TrainingImage",
            "TrainingJobDefinitions[].AlgorithmSpecification.TrainingImage",
        ),
        data_keys=("TrainingJobDefinition.OutputDataConfig.KmsKeyId",),
        volume_keys=("TrainingJobDefinition.ResourceConfig.VolumeKmsKeyId",),
        vpc="TrainingJobDefinition.VpcConfig",
        roles=("TrainingJobDefinition.RoleArn", "TrainingJobDefinitions[].RoleArn"),
        group="/aws/sagemaker/TrainingJobs",
    ),
    "AutoML": Api(
        "automl-job/{name}",
        "AutoMLJobName",
        ("CreateAutoMLJobV2", "DescribeAutoMLJobV2", "StopAutoMLJob", "AddTags"),
        reads=("AutoMLJobInputDataConfig[].DataSource.S3DataSource.S3Uri",),
        writes=("OutputDataConfig.S3OutputPath",),
        data_keys=("OutputDataConfig.KmsKeyId",),
        volume_keys=("AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId",),
        vpc="AutoMLJobConfig.SecurityConfig.VpcConfig",
    ),
    "Transform": _job(
        "TransformJob",
        "transform-job/{name}",
        reads=("TransformInput.DataSource.S3DataSource.S3Uri",),
        writes=("TransformOutput.S3OutputPath", "DataCaptureConfig.DestinationS3Uri"),
        data_keys=("TransformOutput.KmsKeyId", "DataCaptureConfig.KmsKeyId"),
        volume_keys=("TransformResources.VolumeKmsKeyId",),
        group="/aws/sagemaker/TransformJobs",
    ),
    "Model": Api(
        "model/{name}",
        "ModelName",
        ("CreateModel", "AddTags"),
        reads=tuple(f"{at}.ModelDataSource.S3DataSource.S3Uri" for at in _CONTAINERS),
        gets=tuple(
            f"{at}.{path}" for at in _CONTAINERS for path in ("ModelDataUrl", "Environment.SAGEMAKER_SUBMIT_DIRECTORY")
        ),
        images=tuple(f"{at}.Image" for at in _CONTAINERS),
        roles=("ExecutionRoleArn",),
        group="/aws/sagemaker/Endpoints/{name}",
    ),
    "RegisterModel": Api(
        "model-package/{group}/1",
        "",
        ("CreateModelPackage", "DescribeModelPackage"),
        gets=(
            "InferenceSpecification.Containers[].ModelDataUrl",
            "AdditionalInferenceSpecifications[].Containers[].ModelDataUrl",
            "SamplePayloadUrl",
            # The guide does not list them: what is shown of a version.
            "ModelMetrics.*.*.S3Uri[]",
            "DriftCheckBaselines.*.*.S3Uri[]",
        ),
        data_keys=("SecurityConfig.KmsKeyId",),
        roles=(),
    ),
    "EndpointConfig": Api(
        "endpoint-config/{name}",
        "EndpointConfigName",
        ("CreateEndpointConfig",),
        writes=("DataCaptureConfig.DestinationS3Uri", "AsyncInferenceConfig.OutputConfig.S3OutputPath"),
        data_keys=("DataCaptureConfig.KmsKeyId",),
        volume_keys=("KmsKeyId",),
        roles=("ExecutionRoleArn",),
    ),
    "Endpoint": Api(
        "endpoint/{name}", "EndpointName", ("CreateEndpoint", "UpdateEndpoint", "DescribeEndpoint"), roles=()
    ),
    "InferenceComponent": Api(
        "inference-component/{name}",
        "InferenceComponentName",
        ("CreateInferenceComponent", "DescribeInferenceComponent", "AddTags"),
        roles=(),
    ),
    "NotebookInstance": Api(
        "notebook-instance/{name}",
        "NotebookInstanceName",
        volume_keys=("KmsKeyId",),
        group="/aws/sagemaker/NotebookInstances",
    ),
    "Job": Api(
        "job/{category}/{name}",
        "JobName",
        ("CreateJob", "DescribeJob", "StopJob", "AddTags"),
    ),
}


def needs(kind: str, called: str, asked: Mapping[str, Any], around: Mapping[str, Any] | None = None) -> list[Request]:
    """Of a step of this type that makes the request ``asked`` of something that is ``called`` so in its ARN. ``around``
    are the members of the step beside its Arguments."""
    return list(dict.fromkeys(_needs(kind, called, asked, around or {})))


def _needs(kind: str, called: str, asked: Mapping[str, Any], around: Mapping[str, Any]) -> Iterator[Request]:
    why = f"{kind} {called}"
    elsewhere = _ELSEWHERE.get(kind)
    if elsewhere is not None:
        for action, resource, context in elsewhere(asked, around):
            yield Request(action, resource, context, why)
    api = APIS.get(kind)
    if api is None:
        return
    filled = {
        "name": called.lower(),
        "category": str(asked.get("JobCategory", "")),
        "group": str(asked.get("ModelPackageGroupName", "g")).lower(),
    }
    arn = _arn("sagemaker", api.resource.format(**filled))
    for verb in api.verbs:
        yield Request(f"sagemaker:{verb}", arn, {}, why)
    for role in _found(api.roles, asked):
        yield Request("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"}, why)
    for action, resource, context in (
        *_data(api, asked),
        *_containers(api, asked, filled),
        *_keys(api, asked),
        *_network(jmespath.search(api.vpc, asked) or {}),
    ):
        yield Request(action, resource, context, why)


Asked = tuple[str, str, Mapping[str, str | list[str]]]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _found(paths: Sequence[str], asked: Mapping[str, Any]) -> list[str]:
    """Texts, whatever the expressions give."""
    found: list[str] = []
    for path in paths:
        at, _, values = path.partition(".values(@)")
        value = jmespath.search(at, asked)
        if values or path.endswith(".values(@)"):
            value = [*(value or {}).values()]
        found += [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
    return found


def place(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key.rstrip("/")


def reading(uri: str) -> Iterator[Asked]:
    """A prefix is listed, and an object below it is got; what is named may be an object itself."""
    bucket, key = place(uri)
    yield "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key}
    yield (
        "s3:GetObject",
        f"arn:aws:s3:::{bucket}/{key}" if "." in key else f"arn:aws:s3:::{bucket}/{key}/part-0.csv",
        {},
    )


def writing(uri: str) -> Iterator[Asked]:
    bucket, key = place(uri)
    for action in ("s3:PutObject", "s3:AbortMultipartUpload"):
        yield action, "/".join(filter(None, (f"arn:aws:s3:::{bucket}", key, "job/output.tar.gz"))), {}


def _data(api: Api, asked: Mapping[str, Any]) -> Iterator[Asked]:
    for uri in _found(api.reads, asked):
        if "s3://" in uri:
            yield from reading(uri[uri.index("s3://") :].strip('"'))
    for uri in _found(api.gets, asked):
        if uri.startswith("s3://"):
            yield from (item for item in reading(uri) if item[0] == "s3:GetObject")
    for uri in _found(api.writes, asked):
        yield from writing(uri)


def _containers(api: Api, asked: Mapping[str, Any], filled: Mapping[str, str]) -> Iterator[Asked]:
    for image in _found(api.images, asked):
        found = re.fullmatch(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com/([^:@]+).*", image)
        if found is not None:
            yield from pulling(f"arn:aws:ecr:{found[2]}:{found[1]}:repository/{found[3]}")
    if api.group is not None:
        yield from logging(api.group.format(**filled), f"{filled['name']}/algo-1-1700000000")


def pulling(repository: str) -> Iterator[Asked]:
    yield "ecr:GetAuthorizationToken", "*", {}
    for action in _PULL:
        yield action, repository, {}


def logging(group: str, stream: str) -> Iterator[Asked]:
    whole = _arn("logs", f"log-group:{group}")
    for action in ("logs:CreateLogGroup", "logs:DescribeLogStreams"):
        yield action, whole, {}
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield action, f"{whole}:log-stream:{stream}", {}
    namespace = re.sub(r"(/Endpoints)/.*", r"\1", group)
    yield "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": namespace}


def _keys(api: Api, asked: Mapping[str, Any]) -> Iterator[Asked]:
    """``kms:Encrypt`` is the guide's word for the key of outputs, ``GenerateDataKey`` what S3 asks for an object under
    one, ``Decrypt`` what it asks for each further part and for a read."""
    for key in _found(api.data_keys, asked):
        arn, context = _key(key)
        for action in ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"):
            yield action, arn, context
    for key in _found(api.volume_keys, asked):
        arn, context = _key(key)
        yield "kms:CreateGrant", arn, {**context, "kms:GrantIsForAWSResource": "true"}
        yield "kms:DescribeKey", arn, context


def _key(key: str) -> tuple[str, Mapping[str, str | list[str]]]:
    if key.startswith("alias/"):
        return _arn("kms", "key/0a1b"), {"kms:ResourceAliases": [key]}
    return (key if key.startswith("arn:") else _arn("kms", f"key/{key}")), {}


def _network(vpc: Mapping[str, Any]) -> Iterator[Asked]:
    if not vpc:
        return
    interface = _arn("ec2", "network-interface/eni-0a1b")
    for resource in (
        interface,
        *(_arn("ec2", f"subnet/{name}") for name in vpc.get("Subnets") or () if name),
        *(_arn("ec2", f"security-group/{name}") for name in vpc.get("SecurityGroupIds") or () if name),
    ):
        yield "ec2:CreateNetworkInterface", resource, {}
    for action in _ENI:
        yield f"ec2:{action}", interface, {}
    for what in _LOOKS:
        yield f"ec2:Describe{what}", "*", {}


def _emr(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    cluster = _arn("elasticmapreduce", f"cluster/{asked.get('ClusterId') or 'j-0A1B'}")
    for action in ("AddJobFlowSteps", "CancelSteps", "DescribeStep"):
        yield f"elasticmapreduce:{action}", cluster, {}
    made = asked.get("ClusterConfig")
    if made is not None:
        yield "elasticmapreduce:RunJobFlow", "*", {}
        for action in ("DescribeCluster", "TerminateJobFlows", "ListSteps"):
            yield f"elasticmapreduce:{action}", cluster, {}
        for member, service in (("ServiceRole", "elasticmapreduce"), ("JobFlowRole", "ec2")):
            if made.get(member):
                role = f"arn:aws:iam::{ACCOUNT}:role/{made[member]}"
                yield "iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"}
    for rule in _EMR_RULES["ClusterId" if made is None else "ClusterConfig"]:
        for action in ("DescribeRule", "PutRule", "PutTargets"):
            yield f"events:{action}", _arn("events", f"rule/{rule}"), {}


def _serverless(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    application = _arn("emr-serverless", f"/applications/{asked.get('ApplicationId') or '00a1'}")
    yield "emr-serverless:StartJobRun", application, {}
    for action in ("GetJobRun", "CancelJobRun"):
        yield f"emr-serverless:{action}", f"{application}/jobruns/00b2", {}
    if "ApplicationConfig" in asked:
        yield "emr-serverless:CreateApplication", "*", {}
        for action in ("GetApplication", "StartApplication", "StopApplication", "DeleteApplication"):
            yield f"emr-serverless:{action}", application, {}
    if asked.get("ExecutionRoleArn"):
        yield (
            "iam:PassRole", str(asked["ExecutionRoleArn"]), {"iam:PassedToService": "emr-serverless.amazonaws.com"}
        )  # fmt: skip


def _document(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    """Of a job that is described by a text, what its members name: outputs, and all else is read."""
    for member, uri in re.findall(r'"(\w+)": "(s3://[^"]+)"', asked.get("JobConfigDocument") or ""):
        yield from writing(uri) if "Output" in member else reading(uri)


def _lambda(_: Mapping[str, Any], around: Mapping[str, Any]) -> Iterator[Asked]:
    yield "lambda:InvokeFunction", str(around["FunctionArn"]), {}


def _callback(_: Mapping[str, Any], around: Mapping[str, Any]) -> Iterator[Asked]:
    url = str(around["SqsQueueUrl"])
    region, account, name = re.fullmatch(r"https://sqs\.([\w-]+)\.amazonaws\.com/(\d+)/(.+)", url).groups()  # type: ignore[union-attr]
    yield "sqs:SendMessage", f"arn:aws:sqs:{region}:{account}:{name}", {}


def _lineage(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    for member, noun in (("Actions", "Action"), ("Artifacts", "Artifact"), ("Contexts", "Context")):
        if asked.get(member):
            arn = _arn("sagemaker", f"{noun.lower()}/0a1b")
            for verb in (f"Create{noun}", "AddTags", *(["AddAssociation"] if asked.get("Associations") else [])):
                yield f"sagemaker:{verb}", arn, {}


def _register(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    group = _arn("sagemaker", f"model-package-group/{str(asked.get('ModelPackageGroupName') or 'g').lower()}")
    for verb in ("CreateModelPackageGroup", "DescribeModelPackageGroup"):
        yield f"sagemaker:{verb}", group, {}


def _endpoint(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    for verb in ("CreateEndpoint", "UpdateEndpoint"):
        name = str(asked.get("EndpointConfigName") or "c").lower()
        yield f"sagemaker:{verb}", _arn("sagemaker", f"endpoint-config/{name}"), {}


def _component(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    endpoint = str(asked.get("EndpointName") or "e").lower()
    yield "sagemaker:CreateInferenceComponent", _arn("sagemaker", f"endpoint/{endpoint}"), {}


def _autopilot(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    for segment, verbs in _AUTOPILOT.items():
        for verb in verbs:
            yield f"sagemaker:{verb}", _arn("sagemaker", f"{segment}/automl-0a1b"), {}
    for kind in ("ProcessingJobs", "TrainingJobs", "TransformJobs"):
        yield from logging(f"/aws/sagemaker/{kind}", "automl/algo-1")


def _cleanup(asked: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Asked]:
    for item in jmespath.search("Resources.S3[].S3Uris[]", asked) or ():
        if isinstance(item, str):
            yield from deleting(item)


def deleting(uri: str) -> Iterator[Asked]:
    bucket, key = place(uri)
    yield "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key}
    yield "s3:DeleteObject", f"arn:aws:s3:::{bucket}/{key}", {}


_ELSEWHERE = {
    "AutoML": _autopilot,
    "Callback": _callback,
    "Cleanup": _cleanup,
    "EMR": _emr,
    "EMRServerless": _serverless,
    "Endpoint": _endpoint,
    "InferenceComponent": _component,
    "Job": _document,
    "Lambda": _lambda,
    "Lineage": _lineage,
    "RegisterModel": _register,
}


def of_document(text: str) -> list[Request]:
    """Of all steps of a definition, its parameters at their defaults."""
    document = json.loads(text)
    defaults = {item["Name"]: item.get("DefaultValue") for item in document.get("Parameters") or ()}
    found: list[Request] = []
    for step in _steps(document["Steps"]):
        asked = _plain(step.get("Arguments"), defaults)
        asked = asked if isinstance(asked, dict) else {}
        if step["Type"] == "AutoML" and "InputDataConfig" in asked:
            asked["AutoMLJobInputDataConfig"] = asked["InputDataConfig"]
        api = APIS.get(step["Type"])
        called = (asked.get(api.name) if api is not None else None) or f"pipelines-{EXECUTION}-{step['Name']}"
        found += needs(
            step["Type"], f"{called}-x1y2", asked, {key: _plain(value, defaults) for key, value in step.items()}
        )
    return list(dict.fromkeys(found))


def _steps(steps: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        yield step
        asked = step.get("Arguments")
        if not isinstance(asked, dict):
            continue
        for inner in ("IfSteps", "ElseSteps", "ForEachBody"):
            yield from _steps(asked.get(inner) or ())


def _plain(value: Any, defaults: Mapping[str, Any]) -> Any:
    """None for what only a run knows and nobody can say."""
    match value:
        case {"Get": str(path)}:
            if path.startswith("Parameters."):
                return defaults.get(path.removeprefix("Parameters."))
            return EXECUTION if path.startswith("Execution.") else None
        case {"Std:Join": {"On": str(on), "Values": list(values)}}:
            parts = [_plain(item, defaults) for item in values]
            return None if None in parts else on.join(map(str, parts))
        case Mapping():
            return {key: _plain(item, defaults) for key, item in value.items()}
        case list():
            return [_plain(item, defaults) for item in value]
    return value
