"""What excludes each other across models, configurations, endpoints and components: rows for ``test_rules.py``.

By the guide's pages serverless-endpoints (feature exclusions), deployment-guardrails-exclusions and shadow-tests, by
the API's texts, and by refusals that were seen; see each rule's source.
"""

from __future__ import annotations

from typing import Any

from rule_cases import DLC, WARNING, Case
from sound_definition import GONE, REGISTRY, get

VPC = {"SecurityGroupIds": ["sg-12345678"], "Subnets": ["subnet-12345678"]}
SMALL, BLUE, GREEN = (
    f"{place}:ProductionVariants/{n}" for place, n in (("Small", 0), ("Variants", 0), ("Variants", 1))
)
MAIN, POLICY = "Host:ProductionVariants/0", "Live:DeploymentConfig"
ROUTING = f"{POLICY}/BlueGreenUpdatePolicy/TrafficRoutingConfiguration"
SHADOWED = {
    GREEN: GONE,
    "Variants:ShadowProductionVariants": [
        {"VariantName": "Dark", "ModelName": get("Steps.Model.ModelName"), "InitialInstanceCount": 1,
         "InstanceType": "ml.m5.large"}
    ],
}  # fmt: skip
ONE = {GREEN: GONE}
"""One variant, Blue."""
ANSWERS = {"OutputConfig": {"S3OutputPath": "s3://acme/answers"}}
CAP = {"MaxInvocationsPerSecondPerInstance": 10, "MaxCrossRegionPercentPerEndpoint": 50}
MANY = {"Model:PrimaryContainer/Mode": "MultiModel", "Model:PrimaryContainer/ModelDataUrl": "s3://acme/many/"}
SOURCE = {"S3DataSource": {"S3Uri": "s3://acme/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
FED = {"Model:PrimaryContainer/ModelDataUrl": GONE, "Model:PrimaryContainer/ModelDataSource": SOURCE}
NAMED = {"Model:ModelName": "churn", f"{SMALL}/ModelName": "churn"}
CAPTURE = {
    "InitialSamplingPercentage": 10, "DestinationS3Uri": "s3://acme/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}  # fmt: skip
ALARMS = {f"{POLICY}/AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-errors"}]}}
AT = f"{SMALL}/ModelName"
LARGE = {f"{SMALL}/ServerlessConfig": GONE, f"{SMALL}/InstanceType": "ml.m5.large", f"{SMALL}/InitialInstanceCount": 1}
"""The same variant on instances."""


SOLD = {
    "Model:PrimaryContainer": {
        "ModelPackageName": "arn:aws:sagemaker:eu-west-1:985815980388:model-package/embed-v3-0a1b"
    }
}


def _size(kind: str, value: int) -> dict[str, Any]:
    return {"Type": kind, "Value": value}


def _rolling(value: int, kind: str = "INSTANCE_COUNT", **more: Any) -> dict[str, Any]:
    policy = {"MaximumBatchSize": _size(kind, value), "WaitIntervalInSeconds": 60, **more}
    return {f"{POLICY}/BlueGreenUpdatePolicy": GONE, f"{POLICY}/RollingUpdatePolicy": policy}


def _linear(size: dict[str, Any], wait: int = 60) -> dict[str, Any]:
    return {ROUTING: {"Type": "LINEAR", "WaitIntervalInSeconds": wait, "LinearStepSize": size}}


def _counts(count: Any) -> dict[str, Any]:
    return {f"{BLUE}/InitialInstanceCount": count, f"{GREEN}/InitialInstanceCount": count}


def _serverless(name: str, bad: dict[str, Any], at: str = AT, good: dict[str, Any] | None = None, **more: Any) -> Case:
    return Case(name, "X900", bad, at, {**bad, **LARGE} if good is None else good, **more)


CASES = [
    _serverless("serverless in a VPC", {"Model:VpcConfig": VPC}),
    _serverless("serverless in a VPC, by the model's name", {"Model:VpcConfig": VPC, **NAMED}),
    _serverless("serverless and isolated", {"Model:EnableNetworkIsolation": True},
                good={"Model:EnableNetworkIsolation": False}),
    _serverless("serverless with two containers", {AT: get("Steps.Chain.ModelName")}),
    _serverless("serverless of many models", {**MANY, "Batch:ModelName": "another"}),
    _serverless("serverless from a private registry",
                {"Model:PrimaryContainer/ImageConfig": {"RepositoryAccessMode": "Vpc"}, "Model:VpcConfig": VPC}),
    _serverless("serverless fed by a data source", {**FED, "Batch:ModelName": "another"}),
    _serverless("serverless on an image for GPUs",
                {"Model:PrimaryContainer/Image": f"{DLC}/pytorch-inference:2.3.0-gpu-py311"},
                good={"Model:PrimaryContainer/Image": f"{DLC}/pytorch-inference:2.3.0-cpu-py311"}, severity=WARNING),
    _serverless("serverless and captured", {"Small:DataCaptureConfig": CAPTURE}, "Small:DataCaptureConfig",
                {"Small:DataCaptureConfig": {**CAPTURE, "EnableCapture": False}}),
    _serverless("serverless and capped", {"Small:CrossRegionTrafficConfig": CAP}, "Small:CrossRegionTrafficConfig"),
    _serverless("serverless configuration in a VPC", {"Small:VpcConfig": VPC}, "Small:VpcConfig", {}),
    _serverless("serverless beside another variant",
                {"Small:ProductionVariants/-": {"VariantName": "More", "ModelName": "more", "InitialInstanceCount": 1,
                                                "InstanceType": "ml.m5.large"}}, f"{SMALL}/ServerlessConfig"),
    _serverless("serverless with routing", {f"{SMALL}/RoutingConfig": {"RoutingStrategy": "RANDOM"}},
                f"{SMALL}/RoutingConfig"),
    _serverless("serverless with a machine image",
                {f"{SMALL}/InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-2"},
                f"{SMALL}/InferenceAmiVersion"),
    # Shadows
    Case("shadow of an asynchronous endpoint", "X901", {**SHADOWED, "Variants:AsyncInferenceConfig": ANSWERS},
         "Variants:AsyncInferenceConfig", SHADOWED),
    Case("shadow of two containers", "X901",
         {**SHADOWED, "Variants:ShadowProductionVariants/0/ModelName": get("Steps.Chain.ModelName")},
         "Variants:ShadowProductionVariants/0/ModelName", SHADOWED),
    Case("shadow beside a pipeline of containers", "X901",
         {**SHADOWED, f"{BLUE}/ModelName": get("Steps.Chain.ModelName")},
         f"{BLUE}/ModelName", {**ONE, f"{BLUE}/ModelName": get("Steps.Chain.ModelName")}),
    Case("shadow of many models", "X901", {**SHADOWED, **MANY, "Batch:ModelName": "another", AT: "another"},
         "Variants:ShadowProductionVariants/0/ModelName", SHADOWED),
    Case("shadow without instances", "X901",
         {**SHADOWED, "Variants:ShadowProductionVariants/0":
          {"VariantName": "Dark", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}},
         "Variants:ShadowProductionVariants/0/ServerlessConfig", SHADOWED),
    Case("shadow on Inf1", "X901", {**SHADOWED, "Variants:ShadowProductionVariants/0/InstanceType": "ml.inf1.xlarge"},
         "Variants:ShadowProductionVariants/0/InstanceType", SHADOWED),
    # Asynchronous
    Case("asynchronous and capped", "X902",
         {**ONE, "Variants:AsyncInferenceConfig": ANSWERS, "Variants:CrossRegionTrafficConfig": CAP},
         "Variants:CrossRegionTrafficConfig", {**ONE, "Variants:AsyncInferenceConfig": ANSWERS}),
    Case("asynchronous and several variants", "X902", {"Variants:AsyncInferenceConfig": ANSWERS},
         "Variants:AsyncInferenceConfig", {**ONE, "Variants:AsyncInferenceConfig": ANSWERS}),
    Case("asynchronous and sold", "X902",
         {**ONE, "Variants:AsyncInferenceConfig": ANSWERS, **SOLD}, f"{BLUE}/ModelName",
         {**ONE, "Variants:AsyncInferenceConfig": ANSWERS}),
    # Deployments
    Case("rolling over two variants", "X903", _rolling(1), f"{POLICY}/RollingUpdatePolicy", {**ONE, **_rolling(1)}),
    Case("rolling a serverless endpoint", "X903",
         {**_rolling(25, "CAPACITY_PERCENT"), "Live:EndpointConfigName": get("Steps.Small.EndpointConfigName")},
         f"{POLICY}/RollingUpdatePolicy", {"Live:EndpointConfigName": get("Steps.Small.EndpointConfigName")}),
    Case("rolling over two variants, by the configuration's name", "X903",
         {**_rolling(1), "Live:EndpointConfigName": "churn-1"}, f"{POLICY}/RollingUpdatePolicy",
         {**_rolling(1), "Live:EndpointConfigName": "churn-2"}),
    Case("canary on Inf1", "X903", {f"{BLUE}/InstanceType": "ml.inf1.xlarge"}, f"{ROUTING}/Type",
         {f"{BLUE}/InstanceType": "ml.inf2.xlarge"}, WARNING),
    Case("canary of the one instance", "X904", {f"{ROUTING}/CanarySize": _size("INSTANCE_COUNT", 1), **_counts(1)},
         f"{ROUTING}/CanarySize/Value", {f"{ROUTING}/CanarySize": _size("INSTANCE_COUNT", 1)}),
    Case("canary of a share of one instance", "X904", _counts(1), f"{ROUTING}/CanarySize/Value"),
    Case("canary of one instance by a parameter", "X904", _counts(get("Parameters.Count")),
         f"{ROUTING}/CanarySize/Value",
         {**_counts(get("Parameters.Count")), "Count.DefaultValue": 2}),
    Case("canary of most instances", "X904", {f"{ROUTING}/CanarySize": _size("INSTANCE_COUNT", 3), **_counts(4)},
         f"{ROUTING}/CanarySize/Value", {f"{ROUTING}/CanarySize": _size("INSTANCE_COUNT", 2), **_counts(4)}),
    Case("step of the one instance", "X904", {**_linear(_size("INSTANCE_COUNT", 1)), **_counts(1)},
         f"{ROUTING}/LinearStepSize/Value", _linear(_size("INSTANCE_COUNT", 1))),
    Case("step below a tenth", "X904", {**_linear(_size("INSTANCE_COUNT", 1)), **_counts(11)},
         f"{ROUTING}/LinearStepSize/Value", {**_linear(_size("INSTANCE_COUNT", 2)), **_counts(11)}),
    Case("batch of the one instance", "X904", {**ONE, **_rolling(1), f"{BLUE}/InitialInstanceCount": 1},
         f"{POLICY}/RollingUpdatePolicy/MaximumBatchSize/Value", {**ONE, **_rolling(1)}),
    Case("batch below a twentieth", "X904", {**ONE, **_rolling(1), f"{BLUE}/InitialInstanceCount": 21},
         f"{POLICY}/RollingUpdatePolicy/MaximumBatchSize/Value",
         {**ONE, **_rolling(2), f"{BLUE}/InitialInstanceCount": 21}),
    Case("rollback of more than all", "X904",
         {**ONE, **_rolling(1, RollbackMaximumBatchSize=_size("CAPACITY_PERCENT", 120))},
         f"{POLICY}/RollingUpdatePolicy/RollbackMaximumBatchSize/Value",
         {**ONE, **_rolling(1, RollbackMaximumBatchSize=_size("CAPACITY_PERCENT", 100))}),
    Case("instances of a serverless variant", "X904",
         {"Live:EndpointConfigName": get("Steps.Small.EndpointConfigName"),
          f"{ROUTING}/CanarySize": _size("INSTANCE_COUNT", 1)}, f"{ROUTING}/CanarySize/Value",
         {"Live:EndpointConfigName": get("Steps.Small.EndpointConfigName")}),
    Case("canary without an alarm", "X905", {f"{POLICY}/AutoRollbackConfiguration": GONE},
         f"{POLICY}/AutoRollbackConfiguration",
         {f"{POLICY}/AutoRollbackConfiguration": GONE, ROUTING: {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}},
         WARNING),
    Case("ten steps in an hour", "X906", _linear(_size("CAPACITY_PERCENT", 10), 600),
         f"{POLICY}/BlueGreenUpdatePolicy/MaximumExecutionTimeoutInSeconds",
         _linear(_size("CAPACITY_PERCENT", 10), 300), WARNING),
    Case("twenty batches in half an hour", "X906",
         {**ONE, **_rolling(5, "CAPACITY_PERCENT", MaximumExecutionTimeoutInSeconds=1100)},
         f"{POLICY}/RollingUpdatePolicy/MaximumExecutionTimeoutInSeconds",
         {**ONE, **_rolling(5, "CAPACITY_PERCENT", MaximumExecutionTimeoutInSeconds=1200)}, WARNING),
    # Components
    Case("component beside a model", "X907", {f"{MAIN}/ModelName": get("Steps.Model.ModelName")},
         "Component:VariantName"),
    Case("component beside a model, by names", "X907",
         {f"{MAIN}/ModelName": get("Steps.Model.ModelName"), "Component:EndpointName": "churn-hosted"},
         "Component:VariantName",
         {f"{MAIN}/ModelName": get("Steps.Model.ModelName"), "Component:EndpointName": "other"}),
    Case("component without instances", "X907",
         {MAIN: {"VariantName": "Main", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}},
         "Component:VariantName"),
    Case("component that wants a GPU", "X907",
         {"Component:Specification/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired": 1},
         "Component:Specification/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired",
         {"Component:Specification/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired": 1,
          f"{MAIN}/InstanceType": "ml.g5.xlarge"}),
    Case("component that wants more GPUs than one instance has", "X907",
         {"Component:Specification/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired": 4,
          f"{MAIN}/InstanceType": "ml.g5.2xlarge"},
         "Component:Specification/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired",
         {"Component:Specification/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired": 4,
          f"{MAIN}/InstanceType": "ml.g5.12xlarge"}),
    Case("component of no part", "X907",
         {f"{MAIN}/AcceleratorPartitionLayouts": [{"AcceleratorPartitionTypes": ["mig-3g.40gb"]}],
          f"{MAIN}/InstanceType": "ml.p5.48xlarge"},
         "Component:Specification/ComputeResourceRequirements/AcceleratorPartitionType",
         {f"{MAIN}/AcceleratorPartitionLayouts": [{"AcceleratorPartitionTypes": ["mig-3g.40gb"]}],
          f"{MAIN}/InstanceType": "ml.p5.48xlarge",
          "Component:Specification/ComputeResourceRequirements/AcceleratorPartitionType": "mig-3g.40gb"}),
    Case("component of a part that is not there", "X907",
         {"Component:Specification/ComputeResourceRequirements/AcceleratorPartitionType": "mig-3g.40gb"},
         "Component:Specification/ComputeResourceRequirements/AcceleratorPartitionType"),
    Case("component of one part and two accelerators", "X907",
         {f"{MAIN}/AcceleratorPartitionLayouts": [{"AcceleratorPartitionTypes": ["mig-3g.40gb"]}],
          f"{MAIN}/InstanceType": "ml.p5.48xlarge",
          "Component:Specification/ComputeResourceRequirements":
              {"MinMemoryRequiredInMb": 1024, "NumberOfAcceleratorDevicesRequired": 2,
               "AcceleratorPartitionType": "mig-3g.40gb"}},
         "Component:Specification/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired"),
    Case("managed scaling of a model", "X908",
         {f"{BLUE}/ManagedInstanceScaling": {"MinInstanceCount": 1, "MaxInstanceCount": 4}},
         f"{BLUE}/ManagedInstanceScaling",
         {f"{MAIN}/ManagedInstanceScaling": {"MinInstanceCount": 1, "MaxInstanceCount": 4}}),
    Case("isolated configuration of a model", "X908", {"Variants:EnableNetworkIsolation": True},
         "Variants:EnableNetworkIsolation", {"Host:EnableNetworkIsolation": True}, WARNING),
    Case("configuration of a model in a VPC", "X908", {"Variants:VpcConfig": VPC}, "Variants:VpcConfig",
         {"Host:VpcConfig": VPC}, WARNING),
    Case("prefix-aware settings of random routing", "X909",
         {f"{BLUE}/RoutingConfig": {"RoutingStrategy": "RANDOM",
                                    "PrefixAwareRoutingConfig": {"ConcurrencyThreshold": 5}}},
         f"{BLUE}/RoutingConfig/PrefixAwareRoutingConfig",
         {f"{BLUE}/RoutingConfig": {"RoutingStrategy": "PREFIX_AWARE",
                                    "PrefixAwareRoutingConfig": {"ConcurrencyThreshold": 5}}}),
    Case("a volume beside disks", "X909", {f"{MAIN}/InstanceType": "ml.g5.xlarge", f"{MAIN}/VolumeSizeInGB": 100},
         f"{MAIN}/VolumeSizeInGB", {f"{MAIN}/VolumeSizeInGB": 100}, WARNING),
    Case("elastic inference", "X909", {f"{BLUE}/AcceleratorType": "ml.eia2.medium"}, f"{BLUE}/AcceleratorType",
         severity=WARNING),
    # Many models
    Case("two multi-model containers", "X910",
         {f"Chain:Containers/{n}/{name}": value for n in (0, 1)
          for name, value in (("Mode", "MultiModel"), ("ModelDataUrl", "s3://acme/many/"))},
         "Chain:Containers/1/Mode",
         {"Chain:Containers/0/Mode": "MultiModel", "Chain:Containers/0/ModelDataUrl": "s3://acme/many/"}),
    Case("many models by a data source", "X910",
         {**FED, "Model:PrimaryContainer/Mode": "MultiModel", "Batch:ModelName": "another", AT: "another"},
         "Model:PrimaryContainer/ModelDataSource", {**MANY, "Batch:ModelName": "another", AT: "another"}),
    Case("many models nowhere", "X910",
         {"Model:PrimaryContainer/Mode": "MultiModel", "Model:PrimaryContainer/ModelDataUrl": GONE,
          "Batch:ModelName": "another", AT: "another"}, "Model:PrimaryContainer/ModelDataUrl"),
    Case("a cache of many models for one", "X910",
         {"Model:PrimaryContainer/MultiModelConfig": {"ModelCacheSetting": "Disabled"}},
         "Model:PrimaryContainer/MultiModelConfig", severity=WARNING),
    Case("many models on TensorFlow's image for GPUs", "X910",
         {**MANY, "Model:PrimaryContainer/Image": f"{DLC}/tensorflow-inference:2.7.0-gpu", "Batch:ModelName": "another",
          AT: "another"}, "Model:PrimaryContainer/Image",
         {**MANY, "Model:PrimaryContainer/Image": f"{REGISTRY}/many:gpu", "Batch:ModelName": "another", AT: "another"},
         WARNING),
    Case("transform of a data source", "X911", {**FED, AT: "another"}, "Batch:ModelName",
         {**FED, AT: "another", "Batch:ModelName": "another"}),
    Case("transform of many models", "X911", {**MANY, AT: "another"}, "Batch:ModelName",
         {**MANY, AT: "another", "Batch:ModelName": "another"}, WARNING),
    Case("transform of containers called one by one", "X911",
         {"Batch:ModelName": get("Steps.Chain.ModelName"), "Chain:InferenceExecutionConfig": {"Mode": "Direct"}},
         "Batch:ModelName", {"Batch:ModelName": get("Steps.Chain.ModelName")}, WARNING),
]  # fmt: skip
WORDS = {"X908", "X909", "X910"}
FOLLOW = {
    "X745": {"X900"},
    "X854": {"X820", "X900", "X911"},
    "X900": {"X860", "X954"},
    "X902": {"X900"},
    "X910": {"X860"},
}
"""The model that these rows change is served by the serverless variant, and by a transform, too."""
