"""Rows of rules on details of registrations, of variants' machines and of explainers."""

from __future__ import annotations

from typing import Any

from rule_cases import GROUP, SERVED, WARNING, Case
from sound_definition import GONE, REGISTRY

VARIANT = "Host:ProductionVariants/0"
REPORT = "Register:ModelMetrics"
EXPLAINED = "Host:ExplainerConfig"
ASKED = f"{EXPLAINED}/ClarifyExplainerConfig/InferenceConfig"
SPECIFIED = "Component:Specification"
DIGESTS = [f"sha256:{letter * 64}" for letter in "ab"]
GPU_2, NEURON = "al2-ami-sagemaker-inference-gpu-2", "al2-ami-sagemaker-inference-neuron-2"
PARTS = {"AcceleratorPartitionTypes": ["mig-3g.20gb"]}
ADAPTER = {"BaseInferenceComponentName": "base"}
NEEDS = f"{SPECIFIED}/ComputeResourceRequirements"
PARTED = {f"{NEEDS}/AcceleratorPartitionType": "mig-3g.20gb", f"{NEEDS}/NumberOfAcceleratorDevicesRequired": 1}
ONLY = {"CapacityReservationPreference": "capacity-reservations-only"}
PLAN = "arn:aws:sagemaker:eu-west-1:111122223333:training-plan/night"


def quality(uri: str) -> dict[str, Any]:
    return {REPORT: {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}}}


def digest(number: int) -> dict[str, Any]:
    return {f"{SERVED}/Image": f"{REGISTRY}/serve@{DIGESTS[0]}", f"{SERVED}/ImageDigest": DIGESTS[number]}


def more(*names: str) -> dict[str, Any]:
    data = {"S3Uri": "s3://acme/more/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {f"{SERVED}/AdditionalModelDataSources": [{"ChannelName": name, "S3DataSource": data} for name in names]}


def explained(**members: Any) -> dict[str, Any]:
    shap = {"ShapBaselineConfig": {"ShapBaseline": "1,2"}}
    return {EXPLAINED: {"ClarifyExplainerConfig": {"InferenceConfig": members, "ShapConfig": shap}}}


def pools(*kinds: str) -> dict[str, Any]:
    listed = [{"InstanceType": kind, "Priority": number + 1} for number, kind in enumerate(kinds)]
    return {f"{VARIANT}/InstanceType": GONE, f"{VARIANT}/InstancePools": listed}


def scaled_in(strategy: str) -> dict[str, Any]:
    policy = {"Strategy": strategy, "MaximumStepSize": 2}
    scaling = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 4, "ScaleInPolicy": policy}
    return {f"{VARIANT}/ManagedInstanceScaling": scaling}


def layouts(kind: str, count: int) -> dict[str, Any]:
    return {**PARTED, f"{VARIANT}/InstanceType": kind, f"{VARIANT}/AcceleratorPartitionLayouts": [PARTS] * count}


CASES = [
    Case("a digest of another image", "X951", digest(1), f"{SERVED}/ImageDigest", digest(0), WARNING),
    Case(
        "a version made of a group",
        "X951",
        {"Register:SourceUri": GROUP},
        "Register:SourceUri",
        {"Register:SourceUri": "arn:aws:sagemaker:eu-west-1:111122223333:model/churn"},
        WARNING,
    ),
    Case(
        "a folder of metrics",
        "X951",
        quality("s3://acme/report/"),
        f"{REPORT}/ModelQuality/Statistics/S3Uri",
        quality("s3://acme/report/quality.json"),
        WARNING,
    ),
    Case(
        "two channels of one name",
        "X952",
        more("draft", "draft"),
        f"{SERVED}/AdditionalModelDataSources/1/ChannelName",
        more("draft", "adapters"),
    ),
    Case(
        "a system for Neuron",
        "X954",
        {f"{VARIANT}/InstanceType": "ml.g5.xlarge", f"{VARIANT}/InferenceAmiVersion": NEURON},
        f"{VARIANT}/InferenceAmiVersion",
        {f"{VARIANT}/InstanceType": "ml.g5.xlarge", f"{VARIANT}/InferenceAmiVersion": GPU_2},
        WARNING,
    ),
    Case(
        "parts of CPUs",
        "X954",
        layouts("ml.m5.large", 1),
        f"{VARIANT}/AcceleratorPartitionLayouts",
        layouts("ml.p4d.24xlarge", 1),
        WARNING,
    ),
    Case(
        "two layouts",
        "X954",
        layouts("ml.p4d.24xlarge", 2),
        f"{VARIANT}/AcceleratorPartitionLayouts/1",
    ),
    Case(
        "two pools of one type",
        "X954",
        pools("ml.m5.large", "ml.m5.large"),
        f"{VARIANT}/InstancePools/1/InstanceType",
        pools("ml.m5.large", "ml.m5.xlarge"),
        WARNING,
    ),
    Case(
        "no reservation",
        "X954",
        {f"{VARIANT}/CapacityReservationConfig": ONLY},
        f"{VARIANT}/CapacityReservationConfig/MlReservationArn",
        {f"{VARIANT}/CapacityReservationConfig": {**ONLY, "MlReservationArn": PLAN}},
        WARNING,
    ),
    Case(
        "a step of idle instances",
        "X954",
        scaled_in("IDLE_RELEASE"),
        f"{VARIANT}/ManagedInstanceScaling/ScaleInPolicy/MaximumStepSize",
        scaled_in("CONSOLIDATION"),
        WARNING,
    ),
    Case(
        "a template without its place",
        "X956",
        explained(ContentTemplate='{"features": features}'),
        f"{ASKED}/ContentTemplate",
        explained(ContentTemplate='{"features": $features}'),
    ),
    Case(
        "two types of three features",
        "X956",
        explained(FeatureHeaders=["a", "b", "c"], FeatureTypes=["text", "numerical"]),
        f"{ASKED}/FeatureTypes",
        explained(FeatureHeaders=["a", "b"], FeatureTypes=["text", "numerical"]),
    ),
    Case(
        "types of no text",
        "X956",
        explained(FeatureHeaders=["a"], FeatureTypes=["numerical"]),
        f"{ASKED}/FeatureTypes",
        severity=WARNING,
    ),
    Case(
        "a column and a member",
        "X956",
        explained(ProbabilityIndex=1, ProbabilityAttribute="p"),
        f"{ASKED}/ProbabilityAttribute",
        explained(ProbabilityAttribute="p"),
        WARNING,
    ),
    Case(
        "an adapter of a model",
        "X803",
        {SPECIFIED: {**ADAPTER, "ModelName": "churn"}},
        f"{SPECIFIED}/ModelName",
        {SPECIFIED: {**ADAPTER, "Container": {"ArtifactUrl": "s3://acme/adapter.tar.gz"}}},
    ),
]
WORDS = frozenset({"X954", "X956"})
MERGED = {"X951": "Register:"}
FOLLOW = {"X952": {"X747"}, "X954": {"X907"}, "X956": {"X902", "X907", "X908"}}
