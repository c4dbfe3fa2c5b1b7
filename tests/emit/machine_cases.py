"""What a step becomes in a machine, by type and by how it ends; and what has no spelling there, with the reason.

Sources: the Amazon States Language (states-language.net); the developer guide of Step Functions: connect-sagemaker,
connect-lambda, connect-sqs, connect-emr, supported-services-awssdk, transforming-data (JSONata), workflow-variables,
concepts-error-handling, state-map-inline, service-quotas.

Each case is steps, beside parameters, and what has to stand at a place of the machine: a state's name, members of it
with dots between, and the value, or a part of a text that begins with ``~``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROLE = "arn:aws:iam::111122223333:role/pipelines"
IMAGE = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/ours:1"
ON = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
Case = tuple[list[Mapping[str, Any]], list[tuple[str, str, Any]]]


def ref(path: str) -> Mapping[str, str]:
    return {"Get": path}


def joined(*parts: Any, on: str = "") -> Mapping[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(parts)}}


def step(name: str, kind: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments, **more}


def training(
    name: str, after: tuple[Any, ...] = (), members: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://ours/models"},
        "ResourceConfig": ON,
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }
    depends = {"DependsOn": list(after)} if after else {}
    return step(name, "Training", arguments, **depends, **(members or {}))


def processing(name: str, after: tuple[Any, ...] = (), **more: Any) -> dict[str, Any]:
    arguments = {
        "ProcessingResources": {"ClusterConfig": ON},
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {
                        "S3Uri": "s3://ours/report",
                        "LocalPath": "/opt/ml/processing/output/report",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        **more,
    }
    files = [{"PropertyFileName": "quality", "OutputName": "report", "FilePath": "a.json"}]
    return step(name, "Processing", arguments, PropertyFiles=files, **({"DependsOn": list(after)} if after else {}))


def condition(name: str, holds: Any, yes: list[Any], no: list[Any]) -> dict[str, Any]:
    return step(name, "Condition", {"Conditions": [holds], "IfSteps": yes, "ElseSteps": no})


def least(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "GreaterThanOrEqualTo", "LeftValue": left, "RightValue": right}


def quality(path: str) -> Mapping[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": ref("Steps.Judge.PropertyFiles.quality"), "Path": path}}


def policies(*kinds: str, **more: Any) -> Mapping[str, Any]:
    return {"RetryPolicies": [{"ExceptionType": list(kinds), **more}]}


FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:f"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/approvals"
DATA = "$states.input"
MODEL = {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://ours/m.tar.gz"}, "ExecutionRoleArn": ROLE}
PACKAGE = {
    "ModelPackageGroupName": "churn",
    "InferenceSpecification": {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://ours/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
}
CONFIG = {
    "EndpointConfigName": "churn-1",
    "ProductionVariants": [
        {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    ],
}
TUNING = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
    },
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss: (.*)"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://ours/models"},
        "ResourceConfig": ON,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "StaticHyperParameters": {"depth": ref("Parameters.Depth")},
        "HyperParameterRanges": {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]},
    },
}
TRANSFORM = {
    "ModelName": "m",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://ours/in"}}},
    "TransformOutput": {"S3OutputPath": "s3://ours/out"},
    "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
}
PARAMETERS = [
    {"Name": "Depth", "Type": "Integer", "DefaultValue": 3},
    {"Name": "Floor", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Kind", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    {"Name": "Needed", "Type": "String"},
    {"Name": "On", "Type": "Boolean", "DefaultValue": True},
]
SYNC = "arn:aws:states:::sagemaker:create{}.sync"
SDK = "arn:aws:states:::aws-sdk:sagemaker:{}"

CASES: Mapping[str, Case] = {
    # Jobs that Step Functions waits for.
    "a training": ([training("A")], [("A", "Resource", SYNC.format("TrainingJob")), ("A", "Next", "Succeeded")]),
    "a processing": ([processing("Judge")], [("Judge", "Resource", SYNC.format("ProcessingJob"))]),
    "a transform": ([step("A", "Transform", TRANSFORM)], [("A", "Resource", SYNC.format("TransformJob"))]),
    "a tuning": ([step("A", "Tuning", TUNING)], [("A", "Resource", SYNC.format("HyperParameterTuningJob"))]),
    "its job has a new name": (
        [training("A")],
        [("A", "Arguments.TrainingJobName", f"~'pipelines-' & {DATA}.Execution.Id & '-A-'")],
    ),
    "of a tuning a short one": (
        [step("A-name-that-is-long-and-longer", "Tuning", TUNING)],
        [
            (
                "A-name-that-is-long-and-longer",
                "Arguments.HyperParameterTuningJobName",
                f"~{DATA}.Execution.Id & '-A-na-",
            )
        ],
    ),
    "numbers of hyperparameters are texts": (
        [training("A", HyperParameters={"depth": ref("Parameters.Depth")})],
        [("A", "Arguments.HyperParameters.depth", f"{{% $string({DATA}.Parameters.Depth) %}}")],
    ),
    "the best of a tuning": (
        [
            step("A", "Tuning", TUNING),
            training("B", HyperParameters={"of": ref("Steps.A.TrainingJobSummaries[0].TrainingJobName")}),
        ],
        [
            ("A", "Next", "A: trainings"),
            ("A: trainings", "Resource", SDK.format("listTrainingJobsForHyperParameterTuningJob")),
            ("A: trainings", "Arguments.SortOrder", "Ascending"),
            ("B", "Arguments.HyperParameters.of", f"~{DATA}.Steps.A.TrainingJobSummaries[0].TrainingJobName"),
        ],
    ),
    # What is made at once, or waited for by looking.
    "a model": (
        [step("A", "Model", MODEL)],
        [("A", "Resource", SDK.format("createModel")), ("A", "Next", "Succeeded")],
    ),
    "its name is read": (
        [step("A", "Model", MODEL), step("B", "Transform", {**TRANSFORM, "ModelName": ref("Steps.A.ModelName")})],
        [("A", "Next", "B"), ("B", "Arguments.ModelName", f"{{% {DATA}.Steps.A.ModelName %}}")],
    ),
    "of a model more is read": (
        [step("A", "Model", MODEL), training("B", HyperParameters={"arn": ref("Steps.A.ModelArn")})],
        [("A", "Next", "A: looks"), ("A: looks", "Resource", SDK.format("describeModel"))],
    ),
    "a version, and its group where there is none": (
        [step("A", "RegisterModel", PACKAGE)],
        [
            ("Is the input right", "Choices.0.Next", "A: group"),
            ("A: group", "Catch.0.Next", "A: makes the group"),
            ("A: is it over", "Choices.0.Next", "Succeeded"),
            ("A: is it over", "Default", "A: did not come"),
            ("A: did not come", "Next", "Failed"),
        ],
    ),
    "a version, by a step of the longest name": (
        [step("A" * 64, "RegisterModel", PACKAGE)],
        [(f"{'A' * 64}: group", "Catch.0.Next", f"{'A' * 64}: makes group")],
    ),
    "a configuration": (
        [step("A", "EndpointConfig", CONFIG)],
        [("A", "Resource", SDK.format("createEndpointConfig")), ("A", "Arguments.EndpointConfigName", "churn-1")],
    ),
    "an endpoint, made or updated": (
        [step("A", "Endpoint", {"EndpointName": "churn", "EndpointConfigName": "churn-1"})],
        [
            ("A: is it there", "Next", "A: updates"),
            ("A: is it there", "Catch.0.Next", "A"),
            ("A: updates", "Resource", SDK.format("updateEndpoint")),
            ("A: waits", "Type", "Wait"),
            ("A: is it over", "Choices.0.Condition", f"~{DATA}.Seen.EndpointConfigName = 'churn-1'"),
        ],
    ),
    # Functions, people, clusters.
    "a function": (
        [
            step(
                "A",
                "Lambda",
                {"n": 1},
                FunctionArn=FUNCTION,
                OutputParameters=[{"OutputName": "x", "OutputType": "Float"}],
            ),
            training("B", HyperParameters={"x": ref("Steps.A.OutputParameters['x']")}),
        ],
        [
            ("A", "Resource", "arn:aws:states:::lambda:invoke"),
            ("A", "Arguments.Payload.n", 1),
            ("A", "Output", "~$number($states.result.Payload.x)"),
            ("B", "Arguments.HyperParameters.x", f"~{DATA}.Steps.A.OutputParameters.x"),
        ],
    ),
    "people": (
        [step("A", "Callback", {"q": "go on?"}, SqsQueueUrl=QUEUE)],
        [
            ("A", "Resource", "arn:aws:states:::sqs:sendMessage.waitForTaskToken"),
            ("A", "Arguments.MessageBody.token", "{% $states.context.Task.Token %}"),
            ("A", "Arguments.MessageBody.arguments.q", "go on?"),
        ],
    ),
    "a step on a cluster": (
        [step("A", "EMR", {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "s3://ours/a.jar"}}})],
        [("A", "Resource", "arn:aws:states:::elasticmapreduce:addStep.sync"), ("A", "Arguments.ClusterId", "j-1")],
    ),
    # The graph.
    "one after the other": ([training("A"), training("B", ("A",))], [("A", "Next", "B")]),
    "beside each other": (
        [training("A"), training("B")],
        [
            ("Together: A, B", "Type", "Parallel"),
            ("Together: A, B", "Branches.0.StartAt", "A"),
            ("A", "Catch.0.Next", "End of A"),
            ("Together: A, B: all well", "Choices.0.Next", "Failed"),
        ],
    ),
    "a fork that joins": (
        [training("A"), training("B", ("A",)), training("C", ("A",)), training("D", ("B", "C"))],
        [("A", "Next", "Together: B, C"), ("Together: B, C: all well", "Default", "D")],
    ),
    "a failure alone ends the machine": ([training("A")], [("A", "Catch", None)]),
    "a failure that is waited for": (
        [training("A"), training("B", ({"Step": "A", "Trigger": "Failed"},)), training("C", ("A",))],
        [
            ("A", "Catch.0.Output", "~'Handled'"),
            ("B: may run", "Choices.0.Condition", f"{{% $exists({DATA}.Handled.A) %}}"),
            ("C: may run", "Choices.0.Condition", f"{{% $exists({DATA}.Steps.A) %}}"),
            ("Succeeded", "Output.Status", "~CompletedWithFailures"),
        ],
    ),
    "any end": (
        [training("A"), training("B", ({"Step": "A", "Trigger": "Any"},))],
        [("B: may run", "Choices.0.Condition", f"~$exists({DATA}.Steps.A) or $exists({DATA}.Handled.A)")],
    ),
    # Conditions.
    "a choice by a parameter": (
        [
            condition(
                "If", least(ref("Parameters.Floor"), 0.4), [training("A")], [step("No", "Fail", {"ErrorMessage": "no"})]
            )
        ],
        [
            ("If", "Choices.0.Condition", f"{{% ({DATA}.Parameters.Floor >= 0.4) %}}"),
            ("If", "Choices.0.Next", "A"),
            ("If", "Default", "No"),
            ("No", "Cause", "~'no'"),
        ],
    ),
    "two types cannot be compared": (
        [condition("If", least(ref("Parameters.Kind"), 0.4), [training("A")], [])],
        [("If", "Choices.0.Condition", "~$assert($type("), ("If", "Default", "Succeeded")],
    ),
    "by a file of a step": (
        [
            processing("Judge"),
            condition("If", least(quality("a[0].b c"), ref("Parameters.Floor")), [training("A")], []),
        ],
        [
            ("Judge", "Next", "If reads"),
            ("If reads", "Resource", "arn:aws:states:::aws-sdk:s3:getObject"),
            ("If reads", "Output", "~$parse($states.result.Body).a[0].`b c`"),
            ("If reads", "Arguments.Key", "~Outputs[OutputName='report'].S3Output.S3Uri"),
            ("If", "Choices.0.Condition", f"~{DATA}.Files.`Judge quality a[0].b c` >="),
        ],
    ),
    "or, not, in": (
        [
            condition(
                "If",
                {
                    "Type": "Or",
                    "Conditions": [
                        {
                            "Type": "Not",
                            "Condition": {"Type": "Equals", "LeftValue": ref("Parameters.On"), "RightValue": False},
                        },
                        {"Type": "In", "QueryValue": ref("Parameters.Kind"), "Values": ["a", "c"]},
                    ],
                },
                [training("A")],
                [],
            )
        ],
        [
            (
                "If",
                "Choices.0.Condition",
                f"~($not(({DATA}.Parameters.On = false)) or ({DATA}.Parameters.Kind in ['a', 'c']))",
            )
        ],
    ),
    "who waits for a branch": (
        [
            condition("If", least(ref("Parameters.Floor"), 1), [training("A")], []),
            training("B", ("A",)),
            training("C", ("B",)),
        ],
        [
            ("A", "Next", "B: may run"),
            ("B: may run", "Default", "C: may run"),
            ("C: may run", "Choices.0.Condition", f"{{% $exists({DATA}.Steps.B) %}}"),
        ],
    ),
    # Loops.
    "a loop over a text": (
        [
            step(
                "Each",
                "ForEach",
                {
                    "IterableItems": ref("Parameters.Kind"),
                    "MaxConcurrency": 2,
                    "ForEachBody": [training("A", HyperParameters={"i": ref("ForEach.CurrentItem")})],
                },
            )
        ],
        [
            ("Each", "Type", "Map"),
            ("Each", "MaxConcurrency", 2),
            ("Each", "Items", f"~$parse({DATA}.Parameters.Kind)"),
            ("Each", "ItemProcessor.StartAt", "A"),
            ("A", "Arguments.HyperParameters.i", f"~{DATA}.Loop.Item"),
            ("A", "Arguments.TrainingJobName", f"~{DATA}.Loop.Index"),
            ("A", "Catch.0.Next", "End of Each"),
            ("Each: all well", "Choices.0.Next", "Failed"),
        ],
    ),
    "a loop over a list, whose best goes on": (
        [
            step(
                "Each",
                "ForEach",
                {
                    "IterableItems": ['{"a": 1}', '{"a": 2}'],
                    "MaxConcurrency": 1,
                    "Selector": {"Pick": "MinBy", "Field": ref("IterationOutput.A.FinalMetricDataList['loss'].Value")},
                    "ForEachBody": [training("A", HyperParameters={"a": ref("ForEach.CurrentItem.a")})],
                },
            ),
            training("B", HyperParameters={"m": ref("Steps.Each.Selected.ModelArtifacts.S3ModelArtifacts")}),
        ],
        [
            ("A", "Arguments.HyperParameters.a", f"~$parse({DATA}.Loop.Item) : {DATA}.Loop.Item).a"),
            ("Each", "Output", "~($states.result.Steps.A^(<FinalMetricDataList[MetricName='loss'].Value))[0]"),
        ],
    ),
    # Tried again.
    "limits are tried again": (
        [
            training(
                "A", members=policies("SageMaker.RESOURCE_LIMIT", IntervalSeconds=60, MaxAttempts=9, BackoffRate=1.0)
            )
        ],
        [("A", "Retry.0.MaxAttempts", 9), ("A", "Retry.0.IntervalSeconds", 60), ("A", "Retry.0.BackoffRate", 1)],
    ),
    "faults are tried again without a policy": ([training("A")], [("A", "Retry.0.MaxAttempts", 5)]),
    "a job without capacity is tried again": (
        [training("A", members=policies("SageMaker.CAPACITY_ERROR", IntervalSeconds=30, MaxAttempts=2))],
        [
            ("A", "Catch.0.Next", "A: why"),
            ("A: why", "Choices.0.Next", "A: tries again"),
            ("A: why", "Choices.0.Condition", "~CapacityError"),
            ("A: why", "Default", "A: has failed"),
            ("A: tries again", "Next", "A"),
            ("A", "Arguments.TrainingJobName", f"~{DATA}.Tries.A"),
        ],
    ),
    # Words.
    "a join": (
        [
            training(
                "A",
                OutputDataConfig={
                    "S3OutputPath": joined(
                        "s3:/", "ours", ref("Execution.PipelineExecutionId"), ref("Parameters.Depth"), on="/"
                    )
                },
            )
        ],
        [
            (
                "A",
                "Arguments.OutputDataConfig.S3OutputPath",
                f"{{% 's3://ours/' & {DATA}.Execution.Id & '/' & {DATA}.Parameters.Depth %}}",
            )
        ],
    ),
    "a join of nothing that is there": (
        [
            processing("Judge"),
            training(
                "A",
                OutputDataConfig={
                    "S3OutputPath": joined(
                        ref("Steps.Judge.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"), "/m"
                    )
                },
            ),
        ],
        [("A", "Arguments.OutputDataConfig.S3OutputPath", "~($assert($exists(")],
    ),
    "a text like an expression stays one": (
        [training("A", HyperParameters={"t": "{% it's %}"})],
        [("A", "Arguments.HyperParameters.t", '{% "{% it\'s %}" %}')],
    ),
    "a text of several lines": (
        [step("A", "Lambda", {"t": "a\nb"}, FunctionArn=FUNCTION)],
        [("A", "Arguments.Payload.t", '{% "a\\nb" %}')],
    ),
    "an input that is called like a map of texts": (
        [step("A", "Lambda", {"Environment": 5}, FunctionArn=FUNCTION)],
        [("A", "Arguments.Payload.Environment", 5)],
    ),
    "a list of nothing is left out": ([training("A", InputDataConfig=[])], [("A", "Arguments.InputDataConfig", None)]),
    "parameters are asked for": (
        [training("A")],
        [
            ("Begin", "Output.Parameters", "~'Depth': 3"),
            ("Is the input right", "Choices.0.Condition", f"~$type({DATA}.Parameters.Needed) = 'string'"),
            ("Is the input right", "Choices.0.Condition", f"~{DATA}.Parameters.Kind in ['a', 'b']"),
            ("Wrong input", "Cause", "~Needed (String, needed)"),
        ],
    ),
}

REFUSED: Mapping[str, tuple[list[Mapping[str, Any]], str]] = {
    "checks of quality": (
        [{**processing("Judge"), "Name": "A", "Type": "QualityCheck", "CheckType": "DATA_QUALITY"}],
        "A.*QualityCheck: baselines",
    ),
    "cleaning up": (
        [step("A", "Cleanup", {"Resources": {"S3": [{"StepName": "B"}]}}), training("B")],
        "A.*Cleanup: no call",
    ),
    "lineage": ([step("A", "Lineage", {"Actions": []})], "A.*Lineage: its entities"),
    "a cluster of its own": (
        [step("A", "EMR", {"ClusterConfig": {}, "StepConfig": {"HadoopJarStep": {"Jar": "s3://a/b.jar"}}})],
        "A.*EMR: it makes a cluster",
    ),
    "a type that nobody knows": ([step("A", "Magic", {})], "A.*Magic: Step Functions has nothing"),
    "tries until a time": (
        [training("A", members=policies("Step.THROTTLING", ExpireAfterMin=5))],
        "A.*not until when: give MaxAttempts",
    ),
    "a list as a hyperparameter": ([training("A", HyperParameters={"m": ["x"]})], "A.*: m is a list where a text"),
    "tries ever sooner": ([training("A", members=policies("Step.THROTTLING", BackoffRate=0.5))], "A.*ever sooner"),
    "what follows a stopped step": (
        [training("A"), training("B", ({"Step": "A", "Trigger": "Stopped"},))],
        "B: it waits for A to be stopped",
    ),
    "the objective of a tuning that a run knows": (
        [
            step("A", "Tuning", {**TUNING, "HyperParameterTuningJobConfig": {"Strategy": "Random"}}),
            training("B", HyperParameters={"of": ref("Steps.A.TrainingJobSummaries[0].TrainingJobName")}),
        ],
        "A.*which of its jobs is the best",
    ),
    "a path with a wildcard": (
        [processing("Judge"), condition("If", least(quality("a[*].b"), 1), [training("A")], [])],
        "If.*is not a path",
    ),
    "a step without a name": ([training("")], "Training: a state has a name"),
    "all of them at once": ([step("A", "Lineage", {}), step("B", "Cleanup", {})], "(?s)A.*Lineage.*B.*Cleanup"),
    "waiting in a circle around a branch": (
        [
            condition("If", least(ref("Parameters.Floor"), 1), [training("A"), training("D", ("B",))], []),
            training("B", ("A",)),
        ],
        "a step outside of a branch waits for one inside",
    ),
}
