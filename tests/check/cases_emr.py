"""Rows of rules on EMR's clusters and on applications of EMR Serverless."""

from __future__ import annotations

from typing import Any

from rule_cases import WARNING, Case
from sound_definition import GONE

CLUSTER = "Spark:ClusterConfig"
INSTANCES = f"{CLUSTER}/Instances"
APPLICATION, JOB = "Serverless:ApplicationConfig", "Serverless:JobConfig"
GROUP = {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}
GROUPS = [GROUP, {**GROUP, "InstanceRole": "CORE", "InstanceCount": 2}]
TYPES = [{"InstanceType": f"m5.{size}"} for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge")]
CHEAP = {"OnDemandSpecification": {"AllocationStrategy": "lowest-price"}}
LOGS = "configurationOverrides/monitoringConfiguration/cloudWatchLoggingConfiguration"
RULE = {
    "Name": "more",
    "Action": {"SimpleScalingPolicyConfiguration": {"ScalingAdjustment": 1}},
    "Trigger": {
        "CloudWatchAlarmDefinition": {
            "ComparisonOperator": "LESS_THAN",
            "MetricName": "YARNMemoryAvailablePercentage",
            "Period": 300,
            "Threshold": 15.0,
        }
    },
}


def cluster(instances: Any, **members: Any) -> dict[str, Any]:
    return {CLUSTER: {"ReleaseLabel": "emr-7.5.0", "Instances": instances, **members}}


def fleet(**members: Any) -> dict[str, Any]:
    return {"InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 1, "InstanceTypeConfigs": TYPES[:1], **members}


def fleets(**members: Any) -> dict[str, Any]:
    return cluster({"InstanceFleets": [fleet(**members)]})


def core(**members: Any) -> dict[str, Any]:
    return cluster({"InstanceFleets": [fleet(), fleet(InstanceFleetType="CORE", **members)]})


def volume(**members: Any) -> dict[str, Any]:
    device = {"VolumeSpecification": {"VolumeType": "gp3", "SizeInGB": 100, **members}, "VolumesPerInstance": 1}
    return cluster({"InstanceGroups": [{**GROUP, "EbsConfiguration": {"EbsBlockDeviceConfigs": [device]}}]})


def limits(**members: Any) -> dict[str, Any]:
    units = {"UnitType": "Instances", "MinimumCapacityUnits": 2, "MaximumCapacityUnits": 10, **members}
    return cluster({"InstanceGroups": GROUPS}, ManagedScalingPolicy={"ComputeLimits": units})


def scaled(low: int, high: int, rules: Any = (RULE,), **members: Any) -> dict[str, Any]:
    policy = {"Constraints": {"MinCapacity": low, "MaxCapacity": high}, "Rules": list(rules)}
    return cluster({"InstanceGroups": [GROUP, {**GROUPS[1], "AutoScalingPolicy": policy}]}, **members)


def application(**members: Any) -> dict[str, Any]:
    made = {"type": "SPARK", "releaseLabel": "emr-7.5.0", **members}
    return {"Serverless:ApplicationId": GONE, APPLICATION: made}


def worker(name: str = "Driver", **size: str) -> dict[str, Any]:
    shaped = {"cpu": "4vCPU", "memory": "16GB", **size}
    return application(initialCapacity={name: {"workerCount": 1, "workerConfiguration": shaped}})


def placed(role: str, **members: str) -> dict[str, Any]:
    return cluster({"InstanceGroups": GROUPS}, PlacementGroupConfigs=[{"InstanceRole": role, **members}])


def indexed(index: int, strategy: str) -> dict[str, Any]:
    units = {"UnitType": "Instances", "MinimumCapacityUnits": 2, "MaximumCapacityUnits": 10}
    policy = {"ComputeLimits": units, "ScalingStrategy": strategy, "UtilizationPerformanceIndex": index}
    return cluster({"InstanceGroups": GROUPS}, ManagedScalingPolicy=policy)


def logged(policy: str, name: str = "persistent-ui-logs", **members: Any) -> dict[str, Any]:
    kept = {"S3LoggingConfiguration": {"LogTypeUploadPolicy": {name: policy}}}
    return cluster({"InstanceGroups": GROUPS}, MonitoringConfiguration=kept, **members)


def watched(logs: dict[str, list[str]]) -> dict[str, Any]:
    kept = {"CloudWatchLogConfiguration": {"Enabled": True, "LogTypes": logs}}
    return cluster({"InstanceGroups": GROUPS}, MonitoringConfiguration=kept)


def begun(path: str) -> dict[str, Any]:
    return {"Name": "setup", "ScriptBootstrapAction": {"Path": path}}


def exactly(number: int) -> dict[str, Any]:
    action = {"AdjustmentType": "EXACT_CAPACITY", "ScalingAdjustment": number}
    return {**RULE, "Action": {"SimpleScalingPolicyConfiguration": action}}


PLACED = f"{CLUSTER}/PlacementGroupConfigs/0"
UPLOADS = f"{CLUSTER}/MonitoringConfiguration/S3LoggingConfiguration/LogTypeUploadPolicy/persistent-ui-logs"
WATCHED = f"{CLUSTER}/MonitoringConfiguration/CloudWatchLogConfiguration/LogTypes"
TASKS = [{**GROUP, "InstanceRole": "TASK"}]
UNITS = {"UnitType": "Instances", "MinimumCapacityUnits": 2, "MaximumCapacityUnits": 10}
SCALES = {"AutoScalingRole": "EMR_AutoScaling_DefaultRole"}
FLEET = f"{INSTANCES}/InstanceFleets/0"
VOLUME = f"{INSTANCES}/InstanceGroups/0/EbsConfiguration/EbsBlockDeviceConfigs/0/VolumeSpecification"
COMPUTE = f"{CLUSTER}/ManagedScalingPolicy/ComputeLimits"
SCALER = f"{INSTANCES}/InstanceGroups/1/AutoScalingPolicy"
SPOT = {"SpotSpecification": {"TimeoutDurationMinutes": 20, "TimeoutAction": "TERMINATE_CLUSTER"}}
HASTY = {"SpotSpecification": {**SPOT["SpotSpecification"], "TimeoutDurationMinutes": 2}}
OWN = {"imageConfiguration": {"imageUri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/spark:1"}}
EACH = {"Driver": OWN, "Executor": OWN}

CASES = [
    Case(
        "a fleet of none",
        "X945",
        core(TargetOnDemandCapacity=0),
        f"{INSTANCES}/InstanceFleets/1/TargetOnDemandCapacity",
        core(TargetOnDemandCapacity=0, TargetSpotCapacity=4),
    ),
    Case("two masters", "X945", fleets(TargetOnDemandCapacity=2), f"{FLEET}/TargetOnDemandCapacity", fleets()),
    Case(
        "masters of both markets",
        "X945",
        fleets(TargetSpotCapacity=1),
        f"{FLEET}/TargetSpotCapacity",
        fleets(TargetOnDemandCapacity=0, TargetSpotCapacity=1),
    ),
    Case(
        "six instance types",
        "X945",
        fleets(InstanceTypeConfigs=TYPES),
        f"{FLEET}/InstanceTypeConfigs",
        fleets(InstanceTypeConfigs=TYPES, LaunchSpecifications=CHEAP),
    ),
    Case(
        "a weight of none",
        "X940",
        core(InstanceTypeConfigs=[{"InstanceType": "m5.xlarge", "WeightedCapacity": 0}]),
        f"{INSTANCES}/InstanceFleets/1/InstanceTypeConfigs/0/WeightedCapacity",
        core(InstanceTypeConfigs=[{"InstanceType": "m5.xlarge", "WeightedCapacity": 2}]),
    ),
    Case(
        "spot for two minutes",
        "X940",
        fleets(LaunchSpecifications=HASTY),
        f"{FLEET}/LaunchSpecifications/SpotSpecification/TimeoutDurationMinutes",
        fleets(LaunchSpecifications=SPOT),
    ),
    Case(
        "300 steps at once",
        "X940",
        cluster({"InstanceGroups": GROUPS}, StepConcurrencyLevel=300),
        f"{CLUSTER}/StepConcurrencyLevel",
        cluster({"InstanceGroups": GROUPS}, StepConcurrencyLevel=256),
    ),
    Case("a volume of no size", "X940", volume(SizeInGB=0), f"{VOLUME}/SizeInGB", volume(SizeInGB=1)),
    Case("2000 MiB a second", "X940", volume(Throughput=2000), f"{VOLUME}/Throughput", volume(Throughput=1000)),
    Case(
        "a queue of ten minutes",
        "X940",
        application(schedulerConfiguration={"queueTimeoutMinutes": 10}),
        f"{APPLICATION}/schedulerConfiguration/queueTimeoutMinutes",
        application(schedulerConfiguration={"queueTimeoutMinutes": 15}),
    ),
    Case(
        "a security group of masters alone",
        "X946",
        cluster({"InstanceGroups": GROUPS, "EmrManagedMasterSecurityGroup": "sg-1"}),
        f"{INSTANCES}/EmrManagedSlaveSecurityGroup",
        cluster(
            {
                "InstanceGroups": GROUPS,
                "EmrManagedMasterSecurityGroup": "sg-1",
                "EmrManagedSlaveSecurityGroup": "sg-2",
            }
        ),
    ),
    Case(
        "a subnet in two forms",
        "X946",
        cluster({"InstanceGroups": GROUPS, "Ec2SubnetId": "subnet-1", "Ec2SubnetIds": ["subnet-1"]}),
        f"{INSTANCES}/Ec2SubnetIds",
        cluster({"InstanceGroups": GROUPS, "Ec2SubnetId": "subnet-1"}),
    ),
    Case(
        "subnets of fleets for groups",
        "X946",
        cluster({"InstanceGroups": GROUPS, "Ec2SubnetIds": ["subnet-1", "subnet-2"]}),
        f"{INSTANCES}/Ec2SubnetIds",
        cluster({"InstanceFleets": [fleet()], "Ec2SubnetIds": ["subnet-1", "subnet-2"]}),
        WARNING,
    ),
    Case(
        "an AMI's version and a release",
        "X946",
        cluster({"InstanceGroups": GROUPS}, AmiVersion="3.11.0"),
        f"{CLUSTER}/AmiVersion",
        cluster({"InstanceGroups": GROUPS}),
    ),
    Case(
        "upgrades of an AMI of Amazon's",
        "X946",
        cluster({"InstanceGroups": GROUPS}, RepoUpgradeOnBoot="NONE"),
        f"{CLUSTER}/RepoUpgradeOnBoot",
        cluster({"InstanceGroups": GROUPS}, RepoUpgradeOnBoot="NONE", CustomAmiId="ami-0123456789abcdef0"),
        WARNING,
    ),
    Case(
        "a bid on demand",
        "X946",
        cluster({"InstanceGroups": [{**GROUP, "BidPrice": "0.20", "Market": "ON_DEMAND"}]}),
        f"{INSTANCES}/InstanceGroups/0/BidPrice",
        cluster({"InstanceGroups": [{**GROUP, "BidPrice": "0.20", "Market": "SPOT"}]}),
        WARNING,
    ),
    Case(
        "a bid with a sign",
        "X946",
        cluster({"InstanceGroups": [{**GROUP, "BidPrice": "$0.20", "Market": "SPOT"}]}),
        f"{INSTANCES}/InstanceGroups/0/BidPrice",
    ),
    Case(
        "scaling without a role",
        "X946",
        scaled(2, 10),
        SCALER,
        scaled(2, 10, AutoScalingRole="EMR_AutoScaling_DefaultRole"),
        WARNING,
    ),
    Case("a volume of io2", "X947", volume(VolumeType="io2"), f"{VOLUME}/VolumeType", volume(VolumeType="io1")),
    Case(
        "throughput of gp2",
        "X947",
        volume(VolumeType="gp2", Throughput=250),
        f"{VOLUME}/Throughput",
        volume(Throughput=250),
    ),
    Case("limits upside down", "X948", limits(MinimumCapacityUnits=20), f"{COMPUTE}/MinimumCapacityUnits", limits()),
    Case(
        "a part above the whole",
        "X948",
        limits(MaximumCoreCapacityUnits=20),
        f"{COMPUTE}/MaximumCoreCapacityUnits",
        limits(MaximumCoreCapacityUnits=4),
    ),
    Case("units of fleets", "X948", limits(UnitType="InstanceFleetUnits"), f"{COMPUTE}/UnitType", limits()),
    Case(
        "scaling upside down",
        "X948",
        scaled(10, 2, AutoScalingRole="EMR_AutoScaling_DefaultRole"),
        f"{SCALER}/Constraints/MinCapacity",
    ),
    Case(
        "a queue of an old release",
        "X949",
        application(releaseLabel="emr-6.15.0", schedulerConfiguration={"queueTimeoutMinutes": 60}),
        f"{APPLICATION}/schedulerConfiguration",
        application(schedulerConfiguration={"queueTimeoutMinutes": 60}),
    ),
    Case(
        "workers of Hive for Spark",
        "X949",
        worker("HiveDriver"),
        f"{APPLICATION}/initialCapacity/HiveDriver",
        worker("DRIVER"),
    ),
    Case(
        "64 GB for 4 vCPU",
        "X949",
        worker(memory="64GB"),
        f"{APPLICATION}/initialCapacity/Driver/workerConfiguration/memory",
        worker(cpu="16 vCPU", memory="64 GB"),
    ),
    Case(
        "3 vCPU",
        "X949",
        worker(cpu="3vCPU"),
        f"{APPLICATION}/initialCapacity/Driver/workerConfiguration/cpu",
        worker(cpu="2vCPU"),
    ),
    Case(
        "an image for the driver alone",
        "X949",
        application(workerTypeSpecifications={"Driver": OWN}),
        f"{APPLICATION}/workerTypeSpecifications",
        application(workerTypeSpecifications=EACH),
    ),
    Case(
        "an image for all and for each",
        "X949",
        application(workerTypeSpecifications=EACH, **OWN),
        f"{APPLICATION}/workerTypeSpecifications",
        application(**OWN),
    ),
    Case(
        "a batch for ever",
        "X950",
        {f"{JOB}/executionTimeoutMinutes": 0},
        f"{JOB}/executionTimeoutMinutes",
        {f"{JOB}/executionTimeoutMinutes": 10_080},
        WARNING,
    ),
    Case(
        "attempts by the hour",
        "X950",
        {f"{JOB}/retryPolicy": {"maxFailedAttemptsPerHour": 5}},
        f"{JOB}/retryPolicy/maxFailedAttemptsPerHour",
        {f"{JOB}/retryPolicy": {"maxAttempts": 5}},
        WARNING,
    ),
    Case(
        "logs of no worker",
        "X950",
        {f"{JOB}/{LOGS}": {"enabled": True, "logTypes": {"SPARK_MASTER": ["STDOUT"]}}},
        f"{JOB}/{LOGS}/logTypes/SPARK_MASTER",
        {f"{JOB}/{LOGS}": {"enabled": True, "logTypes": {"SPARK_DRIVER": ["STDOUT"]}}},
    ),
]
CASES += [
    Case(
        "a root volume's speed before its release",
        "X918",
        cluster({"InstanceGroups": GROUPS}, ReleaseLabel="emr-6.10.0", EbsRootVolumeIops=3000),
        f"{CLUSTER}/EbsRootVolumeIops",
        cluster({"InstanceGroups": GROUPS}, ReleaseLabel="emr-6.15.0", EbsRootVolumeIops=3000),
    ),
    Case(
        "Hadoop by its version",
        "X918",
        cluster({"InstanceGroups": GROUPS, "HadoopVersion": "2.4.0"}),
        f"{INSTANCES}/HadoopVersion",
    ),
    Case("cores that are placed", "X919", placed("CORE"), f"{PLACED}/InstanceRole", placed("MASTER")),
    Case(
        "masters in partitions",
        "X919",
        placed("MASTER", PlacementStrategy="PARTITION"),
        f"{PLACED}/PlacementStrategy",
        placed("MASTER", PlacementStrategy="SPREAD"),
    ),
    Case(
        "an index of the default strategy",
        "X919",
        indexed(50, "DEFAULT"),
        f"{CLUSTER}/ManagedScalingPolicy/UtilizationPerformanceIndex",
        indexed(50, "ADVANCED"),
    ),
    Case(
        "an index of 33",
        "X930",
        indexed(33, "ADVANCED"),
        f"{CLUSTER}/ManagedScalingPolicy/UtilizationPerformanceIndex",
        indexed(25, "ADVANCED"),
    ),
    Case("logs of a viewer with the customer", "X919", logged("on-customer-s3only"), UPLOADS, logged("disabled")),
    Case(
        "logs of the customer without a place",
        "X919",
        logged("on-customer-s3only", "system-logs"),
        f"{CLUSTER}/LogUri",
        logged("on-customer-s3only", "system-logs", LogUri="s3://acme/logs"),
    ),
    Case(
        "two scaling rules of one name",
        "X948",
        scaled(2, 10, rules=[RULE, RULE], **SCALES),
        f"{SCALER}/Rules/1/Name",
        scaled(2, 10, rules=[RULE, {**RULE, "Name": "less"}], **SCALES),
    ),
    Case(
        "a capacity of none exactly",
        "X948",
        scaled(2, 10, rules=[exactly(0)], **SCALES),
        f"{SCALER}/Rules/0/Action/SimpleScalingPolicyConfiguration/ScalingAdjustment",
        scaled(2, 10, rules=[exactly(4)], **SCALES),
    ),
    Case(
        "an image of no URI",
        "X949",
        application(imageConfiguration={}),
        f"{APPLICATION}/imageConfiguration/imageUri",
        application(**OWN),
    ),
    Case(
        "a log of no file",
        "X950",
        {f"{JOB}/{LOGS}": {"enabled": True, "logTypes": {"SPARK_DRIVER": ["LOG"]}}},
        f"{JOB}/{LOGS}/logTypes/SPARK_DRIVER/0",
        {f"{JOB}/{LOGS}": {"enabled": True, "logTypes": {"SPARK_DRIVER": ["STDERR"]}}},
    ),
    Case(
        "strategies before their release",
        "X918",
        {**fleets(LaunchSpecifications=CHEAP), f"{CLUSTER}/ReleaseLabel": "emr-5.10.0"},
        f"{FLEET}/LaunchSpecifications/OnDemandSpecification/AllocationStrategy",
        {**fleets(LaunchSpecifications=CHEAP), f"{CLUSTER}/ReleaseLabel": "emr-5.12.1"},
    ),
    Case(
        "an application's version",
        "X918",
        cluster({"InstanceGroups": GROUPS}, Applications=[{"Name": "Spark", "Version": "3.5"}]),
        f"{CLUSTER}/Applications/0/Version",
        cluster({"InstanceGroups": GROUPS}, Applications=[{"Name": "Spark"}]),
    ),
    Case(
        "logs of no kind",
        "X919",
        watched({"YARN": ["STDOUT"]}),
        f"{WATCHED}/YARN",
        watched({"STEP_LOGS": ["STDOUT"]}),
    ),
    Case("a log of no name", "X919", watched({"STEP_LOGS": ["LOG"]}), f"{WATCHED}/STEP_LOGS"),
    Case(
        "a role of other steps",
        "X946",
        cluster({"InstanceGroups": GROUPS}, StepExecutionRoleArn="arn:aws:iam::111122223333:role/steps"),
        f"{CLUSTER}/StepExecutionRoleArn",
        severity=WARNING,
    ),
    Case(
        "a cluster for some users",
        "X946",
        cluster({"InstanceGroups": GROUPS}, VisibleToAllUsers=False),
        f"{CLUSTER}/VisibleToAllUsers",
        cluster({"InstanceGroups": GROUPS}, VisibleToAllUsers=True),
        WARNING,
    ),
    Case(
        "a master of two units",
        "X945",
        fleets(InstanceTypeConfigs=[{"InstanceType": "m5.xlarge", "WeightedCapacity": 2}]),
        f"{FLEET}/InstanceTypeConfigs/0/WeightedCapacity",
        fleets(InstanceTypeConfigs=[{"InstanceType": "m5.xlarge", "WeightedCapacity": 1}]),
    ),
    Case(
        "two fleets of cores",
        "X945",
        cluster({"InstanceFleets": [fleet(), *[fleet(InstanceFleetType="CORE")] * 2]}),
        f"{INSTANCES}/InstanceFleets/2/InstanceFleetType",
        cluster({"InstanceFleets": [fleet(), fleet(InstanceFleetType="CORE"), fleet(InstanceFleetType="TASK")]}),
    ),
    Case("a fleet of no types", "X945", fleets(InstanceTypeConfigs=[]), f"{FLEET}/InstanceTypeConfigs", fleets()),
    Case(
        "a fleet of SageMaker's types",
        "X735",
        fleets(InstanceTypeConfigs=[{"InstanceType": "ml.m5.xlarge"}]),
        f"{FLEET}/InstanceTypeConfigs/0/InstanceType",
        fleets(),
    ),
    Case(
        "two groups of cores",
        "X897",
        cluster({"InstanceGroups": [*GROUPS, GROUPS[1]]}),
        f"{INSTANCES}/InstanceGroups/2/InstanceRole",
        cluster({"InstanceGroups": [*GROUPS, *TASKS, *TASKS]}),
    ),
    Case(
        "tasks without a core",
        "X897",
        cluster({"InstanceGroups": [GROUP, *TASKS]}),
        f"{INSTANCES}/InstanceGroups/1/InstanceRole",
        cluster({"InstanceGroups": [*GROUPS, *TASKS]}),
        WARNING,
    ),
    Case(
        "a bootstrap at home",
        "X896",
        cluster({"InstanceGroups": GROUPS}, BootstrapActions=[begun("./setup.sh")]),
        f"{CLUSTER}/BootstrapActions/0/ScriptBootstrapAction/Path",
        cluster({"InstanceGroups": GROUPS}, BootstrapActions=[begun("s3://acme/setup.sh")]),
        WARNING,
    ),
    Case(
        "properties of nothing",
        "X919",
        cluster({"InstanceGroups": GROUPS}, Configurations=[{"Properties": {"a": "b"}}]),
        f"{CLUSTER}/Configurations/0/Classification",
        cluster({"InstanceGroups": GROUPS}, Configurations=[{"Classification": "spark", "Properties": {"a": "b"}}]),
        WARNING,
    ),
    Case(
        "scaled in both ways",
        "X948",
        scaled(2, 10, ManagedScalingPolicy={"ComputeLimits": UNITS}, **SCALES),
        SCALER,
        severity=WARNING,
    ),
    Case(
        "a worker's disk of 500 GB",
        "X949",
        worker(disk="500GB"),
        f"{APPLICATION}/initialCapacity/Driver/workerConfiguration/disk",
        worker(disk="500GB", diskType="SHUFFLE_OPTIMIZED"),
    ),
    Case(
        "more at first than at most",
        "X949",
        {**worker(), f"{APPLICATION}/maximumCapacity": {"cpu": "2vCPU", "memory": "100GB"}},
        f"{APPLICATION}/maximumCapacity/cpu",
        {**worker(), f"{APPLICATION}/maximumCapacity": {"cpu": "4vCPU", "memory": "100GB"}},
    ),
]
WORDS = frozenset({"X918", "X919", "X945", "X946", "X947", "X948", "X949"})
MERGED = {"X950": "Serverless:JobConfig"}
