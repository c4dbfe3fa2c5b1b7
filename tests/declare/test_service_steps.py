"""Steps that call services other than jobs: what each constructor writes, what it yields, how it is misused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops.check.sources import Opened
from mlops.ir import Severity
from mlops.ir.document import document

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:score"
QUEUE = "https://sqs.us-east-1.amazonaws.com/111122223333/jobs"
ROLE = "arn:aws:iam::000000000000:role/other"

BASE = f"""
FUNCTION = "{FUNCTION}"
QUEUE = "{QUEUE}"
ROLE = "{ROLE}"
sk = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1"
n = p.integer("N", default=2)
rate = p.float("Rate", default=0.5)
names = p.string("Names", default='["a", "b"]')
a = Processing("A", code="prepare.py", image=sk, outputs=["x"])
t = Training("T", image=sk)
m = Model("M", model="s3://bkt/model.tar.gz", image=sk)
"""
FIRST = 4 + BASE.strip().count("\n") + 1
BEFORE = 3
"""Steps of BASE."""

DOCUMENT = {"Std:Join": {"On": "", "Values": ['{"n": "', {"Get": "Parameters.N"}, '"}']}}

CASES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "a Lambda",
        'Lambda("L", function=FUNCTION, inputs={"rate": rate, "k": 3}, outputs={"score": float, "path": str})',
        {
            "Name": "L",
            "Type": "Lambda",
            "Arguments": {"rate": {"Get": "Parameters.Rate"}, "k": 3},
            "FunctionArn": FUNCTION,
            "OutputParameters": [
                {"OutputName": "score", "OutputType": "Float"},
                {"OutputName": "path", "OutputType": "String"},
            ],
        },
    ),
    (
        "a Callback, outputs by name alone",
        'Callback("C", queue=QUEUE, inputs={"data": a.outputs["x"]}, outputs=["note"], after=[t])',
        {
            "Name": "C",
            "Type": "Callback",
            "Arguments": {"data": {"Get": "Steps.A.ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri"}},
            "DependsOn": ["T"],
            "SqsQueueUrl": QUEUE,
            "OutputParameters": [{"OutputName": "note", "OutputType": "String"}],
        },
    ),
    (
        "a Cleanup of a step and of objects; sources are waited for, once",
        'Cleanup("X", sources=[t, Objects(a, [a.outputs["x"]])], after=[After(a, "Any")])',
        {
            "Name": "X",
            "Type": "Cleanup",
            "Arguments": {
                "Resources": {
                    "S3": [
                        {"StepName": "T"},
                        {
                            "StepName": "A",
                            "S3Uris": [{"Get": "Steps.A.ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri"}],
                        },
                    ]
                }
            },
            "DependsOn": [{"Step": "A", "Trigger": "Any"}, "T"],
        },
    ),
    (
        "EMR on a running cluster",
        'EMR("E", jar="s3://bkt/j.jar", cluster="j-ABC", args=["--a", rate], main_class="M", properties={"k": "v"}, '
        'outputs={"out": "s3://bkt/o"}, role=ROLE)',
        {
            "Name": "E",
            "Type": "EMR",
            "Arguments": {
                "StepConfig": {
                    "HadoopJarStep": {
                        "Jar": "s3://bkt/j.jar",
                        "Args": ["--a", {"Get": "Parameters.Rate"}, "--out", "s3://bkt/o"],
                        "MainClass": "M",
                        "Properties": [{"Key": "k", "Value": "v"}],
                    }
                },
                "ClusterId": "j-ABC",
                "ExecutionRoleArn": ROLE,
            },
        },
    ),
    (
        "EMR on a cluster of its own",
        'EMR("E", jar="s3://bkt/j.jar", cluster=EmrCluster(release="emr-7.1.0", applications=["Spark"], count=3, '
        'role="EMR_EC2_DefaultRole", service_role="EMR_DefaultRole"))',
        {
            "Name": "E",
            "Type": "EMR",
            "Arguments": {
                "StepConfig": {"HadoopJarStep": {"Jar": "s3://bkt/j.jar"}},
                "ClusterConfig": {
                    "Instances": {
                        "InstanceGroups": [
                            {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"},
                            {"InstanceRole": "CORE", "InstanceCount": 2, "InstanceType": "m5.xlarge"},
                        ]
                    },
                    "ReleaseLabel": "emr-7.1.0",
                    "Applications": [{"Name": "Spark"}],
                    "JobFlowRole": "EMR_EC2_DefaultRole",
                    "ServiceRole": "EMR_DefaultRole",
                },
            },
        },
    ),
    (
        "EMR on as many machines as a parameter says",
        'EMR("E", jar="s3://bkt/j.jar", cluster=EmrCluster(count=n, release="emr-7.5.0"))',
        {
            "Name": "E",
            "Type": "EMR",
            "Arguments": {
                "StepConfig": {"HadoopJarStep": {"Jar": "s3://bkt/j.jar"}},
                "ClusterConfig": {
                    "ReleaseLabel": "emr-7.5.0",
                    "Instances": {
                        "InstanceGroups": [
                            {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"},
                            {
                                "InstanceRole": "CORE",
                                "InstanceCount": {"Get": "Parameters.N"},
                                "InstanceType": "m5.xlarge",
                            },
                        ]
                    },
                },
            },
        },
    ),
    (
        "EMR on a cluster of fleets",
        'EMR("E", jar="s3://bkt/j.jar", cluster=EmrCluster(instance=None, release="emr-7.5.0", arguments={"Instances": '
        '{"InstanceFleets": [{"InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 1, '
        '"InstanceTypeConfigs": [{"InstanceType": "m5.xlarge"}]}]}}))',
        {
            "Name": "E",
            "Type": "EMR",
            "Arguments": {
                "StepConfig": {"HadoopJarStep": {"Jar": "s3://bkt/j.jar"}},
                "ClusterConfig": {
                    "ReleaseLabel": "emr-7.5.0",
                    "Instances": {
                        "InstanceFleets": [
                            {
                                "InstanceFleetType": "MASTER",
                                "TargetOnDemandCapacity": 1,
                                "InstanceTypeConfigs": [{"InstanceType": "m5.xlarge"}],
                            }
                        ]
                    },
                },
            },
        },
    ),
    (
        "Spark on EMR Serverless",
        'EMRServerless("E", application="00fa", script="s3://bkt/s.py", args=["--n", join(n)], '
        'parameters="--conf spark.executor.cores=2", timeout=60, role=ROLE)',
        {
            "Name": "E",
            "Type": "EMRServerless",
            "Arguments": {
                "ExecutionRoleArn": ROLE,
                "JobConfig": {
                    "executionRoleArn": ROLE,
                    "jobDriver": {
                        "sparkSubmit": {
                            "entryPoint": "s3://bkt/s.py",
                            "entryPointArguments": [
                                "--n",
                                {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.N"}]}},
                            ],
                            "sparkSubmitParameters": "--conf spark.executor.cores=2",
                        }
                    },
                    "applicationId": "00fa",
                    "executionTimeoutMinutes": 60,
                },
                "ApplicationId": "00fa",
            },
        },
    ),
    (
        "Hive in an application of its own",
        'EMRServerless("E", application=EmrApplication("emr-7.1.0", "HIVE"), query="s3://bkt/q.sql", role=ROLE)',
        {
            "Name": "E",
            "Type": "EMRServerless",
            "Arguments": {
                "ExecutionRoleArn": ROLE,
                "JobConfig": {"executionRoleArn": ROLE, "jobDriver": {"hive": {"query": "s3://bkt/q.sql"}}},
                "ApplicationConfig": {"releaseLabel": "emr-7.1.0", "type": "HIVE"},
            },
        },
    ),
    (
        "an endpoint's configuration of one model",
        'EndpointConfig("E", model=m.model_name, instance="ml.m5.large", '
        'capture=Capture("s3://bkt/captured", percent=20))',
        {
            "Name": "E",
            "Type": "EndpointConfig",
            "Arguments": {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": {"Get": "Steps.M.ModelName"},
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": 1,
                    }
                ],
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 20,
                    "DestinationS3Uri": "s3://bkt/captured",
                    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                },
            },
        },
    ),
    (
        "variants with weights, by name",
        'EndpointConfig("E", config="churn", variants={"blue": Variant(m.model_name, "ml.m5.large", n, weight=0.9), '
        '"green": Variant("other", "ml.m5.large", weight=0.1)})',
        {
            "Name": "E",
            "Type": "EndpointConfig",
            "Arguments": {
                "EndpointConfigName": "churn",
                "ProductionVariants": [
                    {
                        "VariantName": "blue",
                        "ModelName": {"Get": "Steps.M.ModelName"},
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": {"Get": "Parameters.N"},
                        "InitialVariantWeight": 0.9,
                    },
                    {
                        "VariantName": "green",
                        "ModelName": "other",
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 0.1,
                    },
                ],
            },
        },
    ),
    (
        "a serverless variant",
        'EndpointConfig("E", variants={"green": Variant("other", serverless=Serverless(2048, 5), weight=0.1)})',
        {
            "Name": "E",
            "Type": "EndpointConfig",
            "Arguments": {
                "ProductionVariants": [
                    {
                        "VariantName": "green",
                        "ModelName": "other",
                        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
                        "InitialVariantWeight": 0.1,
                    },
                ],
            },
        },
    ),
    (
        "an endpoint",
        'c = EndpointConfig("C", model=m.model_name)\nEndpoint("E", config=c.config_name, endpoint="churn")',
        {
            "Name": "E",
            "Type": "Endpoint",
            "Arguments": {"EndpointName": "churn", "EndpointConfigName": {"Get": "Steps.C.EndpointConfigName"}},
        },
    ),
    (
        "an inference component",
        'InferenceComponent("I", endpoint="e", model=m.model_name, memory=1024, cpus=1, copies=2, variant="All", '
        'component="ic")',
        {
            "Name": "I",
            "Type": "InferenceComponent",
            "Arguments": {
                "InferenceComponentName": "ic",
                "EndpointName": "e",
                "VariantName": "All",
                "Specification": {
                    "ModelName": {"Get": "Steps.M.ModelName"},
                    "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024, "NumberOfCpuCoresRequired": 1},
                },
                "RuntimeConfig": {"CopyCount": 2},
            },
        },
    ),
    (
        "lineage",
        'run = Action("run", "s3://bkt/run", "ModelTraining")\n'
        'model = Artifact("model", t.model, "Model", properties={"depth": join(n)})\n'
        'Lineage("L", entities=[run, model], associations=[Association(run, model, "Produced"), '
        'Association("arn:aws:sagemaker:us-east-1:111122223333:artifact/0", run)])',
        {
            "Name": "L",
            "Type": "Lineage",
            "Arguments": {
                "Actions": [
                    {"ActionName": "run", "Source": {"SourceUri": "s3://bkt/run"}, "ActionType": "ModelTraining"}
                ],
                "Artifacts": [
                    {
                        "ArtifactName": "model",
                        "Source": {"SourceUri": {"Get": "Steps.T.ModelArtifacts.S3ModelArtifacts"}},
                        "ArtifactType": "Model",
                        "Properties": {"depth": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.N"}]}}},
                    }
                ],
                "Associations": [
                    {
                        "Source": {"Name": "run", "Type": "Action"},
                        "Destination": {"Name": "model", "Type": "Artifact"},
                        "AssociationType": "Produced",
                    },
                    {
                        "Source": {"Arn": "arn:aws:sagemaker:us-east-1:111122223333:artifact/0"},
                        "Destination": {"Name": "run", "Type": "Action"},
                    },
                ],
            },
        },
    ),
    (
        "a Job whose document holds a reference",
        'Job("J", category="AgentRFT", config={"n": n}, role=ROLE)',
        {
            "Name": "J",
            "Type": "Job",
            "Arguments": {
                "JobCategory": "AgentRFT",
                "RoleArn": ROLE,
                "JobConfigSchemaVersion": "1.0.0",
                "JobConfigDocument": DOCUMENT,
            },
        },
    ),
    (
        "a Job's folder",
        'Job("J", category="AgentRFT", config={"OutputDataConfig": {"KmsKeyId": "k"}}, to="s3://bkt/out/", role=ROLE)',
        {
            "Name": "J",
            "Type": "Job",
            "Arguments": {
                "JobCategory": "AgentRFT",
                "RoleArn": ROLE,
                "JobConfigSchemaVersion": "1.0.0",
                "JobConfigDocument": {
                    "Std:Join": {
                        "On": "",
                        "Values": [
                            '{"OutputDataConfig": {"KmsKeyId": "k", "S3OutputPath": "',
                            {
                                "Std:Join": {
                                    "On": "/",
                                    "Values": ["s3://bkt/out", {"Get": "Execution.PipelineExecutionId"}, ""],
                                }
                            },
                            '"}}',
                        ],
                    }
                },
            },
        },
    ),
    (
        "a ForEach over a list of dictionaries, with its best iteration",
        'with ForEach("F", [{"name": "x", "deep": {"a": 1}}, {"name": "y"}, n], concurrency=2) as each:\n'
        '    f = Lambda("B", function=FUNCTION, inputs={"n": each.item["name"], "a": each.item.property("deep.a")}, '
        'outputs={"score": float})\n'
        '    each.select_max(f.outputs["score"])',
        {
            "Name": "F",
            "Type": "ForEach",
            "Arguments": {
                "IterableItems": ['{"name": "x", "deep": {"a": 1}}', '{"name": "y"}', {"Get": "Parameters.N"}],
                "MaxConcurrency": 2,
                "Selector": {"Pick": "MaxBy", "Field": {"Get": "IterationOutput.B.OutputParameters['score']"}},
                "ForEachBody": [
                    {
                        "Name": "B",
                        "Type": "Lambda",
                        "Arguments": {
                            "n": {"Get": "ForEach.CurrentItem['name']"},
                            "a": {"Get": "ForEach.CurrentItem.deep.a"},
                        },
                        "FunctionArn": FUNCTION,
                        "OutputParameters": [{"OutputName": "score", "OutputType": "Float"}],
                    }
                ],
            },
        },
    ),
]

REFERENCES = [
    ("a Lambda's output", "Steps.S.OutputParameters['score']", 's.outputs["score"]'),
    ("a Callback's output", "Steps.C.OutputParameters['ok']", 'c.outputs["ok"]'),
    ("an EMR step's destination", "Steps.E.Config.Args[3]", 'e.outputs["second"]'),
    ("an EMR step's cluster", "Steps.E.ClusterId", "e.cluster_id"),
    ("an EMR step's own id", "Steps.E.Id", "e.step_id"),
    ("a serverless run", "Steps.V.jobRun.jobRunId", "v.job_run_id"),
    ("its application", "Steps.V.jobRun.applicationId", "v.application_id"),
    ("a configuration's name", "Steps.G.EndpointConfigName", "g.config_name"),
    ("an endpoint's name", "Steps.H.EndpointName", "h.endpoint_name"),
    ("an endpoint's ARN", "Steps.H.EndpointArn", "h.endpoint_arn"),
    ("a component's name", "Steps.I.InferenceComponentName", "i.component_name"),
    ("an entity's ARN", "Steps.L.ArtifactArns['model']", "line.arn(model)"),
    ("a job's name", "Steps.J.JobName", "j.job_name"),
    ("a job's ARN", "Steps.J.JobArn", "j.job_arn"),
    ("a job's result", "Steps.J.JobConfigDocument.OutputModelPackageArn", 'j.result("OutputModelPackageArn")'),
    ("how a ForEach ended", "Steps.F.Status", "each.status"),
    ("how many items it had", "Steps.F.InputItemCount", "each.item_count"),
    ("how many steps ran", "Steps.F.TotalStepCount", "each.step_count"),
    ("how many of them well", "Steps.F.SucceededStepCount", "each.succeeded_count"),
    ("how many failed", "Steps.F.FailedStepCount", "each.failed_count"),
    ("how many were stopped", "Steps.F.StoppedStepCount", "each.stopped_count"),
    ("the best iteration", "Steps.F.Selected.OutputParameters['path']", 'each.selected(b.outputs["path"])'),
    (
        "an iteration by number",
        "Steps.F.IterationOutputs[1].B.OutputParameters['score']",
        'each.iteration(1, b.outputs["score"])',
    ),
]

YIELDING = """
s = Lambda("S", function=FUNCTION, outputs={"score": float})
c = Callback("C", queue=QUEUE, outputs={"ok": bool})
e = EMR("E", jar="s3://bkt/j.jar", cluster="j-ABC", outputs={"first": "s3://bkt/1", "second": "s3://bkt/2"})
v = EMRServerless("V", application="00fa", script="s3://bkt/s.py")
g = EndpointConfig("G", model=m.model_name)
h = Endpoint("H", config=g.config_name)
i = InferenceComponent("I", endpoint="shared", model=m.model_name, memory=1024, variant="AllTraffic")
model = Artifact("model", t.model, "Model")
line = Lineage("L", entities=[model])
j = Job("J", category="AgentRFT", config={"n": n})
with ForEach("F", names, concurrency=2) as each:
    b = Lambda("B", function=FUNCTION, inputs={"item": each.item}, outputs={"score": float, "path": str})
    each.select_max(b.outputs["score"])
"""

MISUSES = [
    ("a Lambda without a function", 'Lambda("L")', "D041", "function"),
    ("an output's type as a word", 'Lambda("L", function=FUNCTION, outputs={"score": "Float"})', "D042", "score"),
    ("an output's type that there is not", 'Lambda("L", function=FUNCTION, outputs={"score": list})', "D042", "score"),
    (
        "an output that is not declared",
        'Lambda("L", function=FUNCTION, outputs=["score"]).outputs["scor"]',
        "D032",
        "?",
    ),
    ("nested inputs", 'Lambda("L", function=FUNCTION, inputs={"a": {"b": 1}})', "D042", "inputs['a']"),
    (
        "a float output as a count",
        'Training("B", image=sk, count=Lambda("L", function=FUNCTION, outputs={"n": float}).outputs["n"])',
        "D042",
        "count",
    ),
    ("a Callback without a queue", 'Callback("C")', "D041", "queue"),
    ("a Callback's output that is not declared", 'Callback("C", queue=QUEUE).outputs["x"]', "D032", "none"),
    ("a Cleanup of data", 'Cleanup("C", sources=[a.outputs["x"]])', "D042", "sources"),
    ("a Cleanup of one step that is no list", 'Cleanup("C", sources=a)', "D042", "a list"),
    ("EMR without a cluster", 'EMR("E", jar="s3://bkt/j.jar")', "D041", "cluster"),
    (
        "a role for a cluster of its own",
        'EMR("E", jar="s3://bkt/j.jar", cluster=EmrCluster(release="emr-7.1.0"), role=ROLE)',
        "D064",
        "EmrCluster(role=…)",
    ),
    ("EMR's unknown output", 'EMR("E", jar="s3://bkt/j.jar", cluster="j-1").outputs["x"]', "D032", "none"),
    ("a serverless run of nothing", 'EMRServerless("E", application="00fa")', "D064", "neither"),
    (
        "a serverless run of two things",
        'EMRServerless("E", application="00fa", script="s3://bkt/s.py", query="s3://bkt/q.sql")',
        "D064",
        "both",
    ),
    (
        "Spark with Hive's argument",
        'EMRServerless("E", application="00fa", script="s3://bkt/s.py", init_query="s3://bkt/i.sql")',
        "D064",
        "init_query",
    ),
    ("an endpoint of nothing", 'EndpointConfig("E")', "D064", "neither"),
    ("one model and variants", 'EndpointConfig("E", model="m", variants={"b": Variant("m")})', "D064", "both"),
    (
        "machines beside variants",
        'EndpointConfig("E", instance="ml.m5.large", variants={"b": Variant("m")})',
        "D064",
        "Variant",
    ),
    (
        "a serverless endpoint with machines",
        'EndpointConfig("E", model="m", instance="ml.m5.large", serverless=Serverless(2048, 5))',
        "D064",
        "serverless",
    ),
    ("a count by reference beside variants", 'EndpointConfig("E", count=n, variants={"b": Variant("m")})', "D064", "V"),
    ("a cluster with a made-up argument", 'EMR("E", jar="s3://bkt/j.jar", cluster=EmrCluster(nope=1))', "D040", "nope"),
    ("a trained model as a model's name", 'EndpointConfig("E", model=t.model)', "D042", "model.model_name"),
    ("an Endpoint without a configuration", 'Endpoint("E")', "D041", "config"),
    ("an Endpoint of a step", 'Endpoint("E", config=m)', "D042", "config"),
    (
        "a created model with an image",
        'InferenceComponent("I", endpoint="e", model="m", image=sk, memory=1)',
        "D064",
        "image",
    ),
    ("cores without memory", 'InferenceComponent("I", endpoint="e", model="m", cpus=1)', "D064", "memory"),
    ("lineage of nothing", 'Lineage("L")', "D041", "entities"),
    (
        "an entity that the step does not make",
        'x = Action("x", "s3://bkt", "T")\nto = "arn:aws:sagemaker:eu-west-1:111122223333:artifact/0a1b"\n'
        'Lineage("L", associations=[Association(x, to)])',
        "D091",
        "ARN",
    ),
    (
        "the ARN of an entity whose name only the run knows",
        'x = Action(execution.execution_id, "s3://bkt/x", "T")\nLineage("L", entities=[x]).arn(x)',
        "D002",
        "plain text",
    ),
    ("an association's made-up type", 'Lineage("L", associations=[Association("a", "b", "Made")])', "D042", "Made"),
    ("a Job without a category", 'Job("J", config={})', "D041", "category"),
    ("a folder for a text", 'Job("J", category="AgentRFT", config="{}", to="s3://bkt")', "D064", "dictionary"),
    (
        "a Job's document that is no JSON",
        'Job("J", category="AgentRFT", config={"n": object()})',
        "D004",
        "object",
    ),
    (
        "a ForEach without concurrency",
        'with ForEach("F", names) as each:\n    Lambda("B", function=FUNCTION, inputs={"x": each.item})',
        "D041",
        "concurrency",
    ),
    (
        "a ForEach over a number",
        'with ForEach("F", n, concurrency=1) as each:\n    Lambda("B", function=FUNCTION)',
        "D042",
        "items",
    ),
    (
        "a selection by a step outside",
        'with ForEach("F", names, concurrency=1) as each:\n    Lambda("B", function=FUNCTION)\n'
        "    each.select_min(t.model)",
        "D090",
        "B",
    ),
    (
        "an iteration that is no number",
        'with ForEach("F", names, concurrency=1) as each:\n'
        '    b = Lambda("B", function=FUNCTION, outputs=["x"])\neach.iteration("1", b.outputs["x"])',
        "D042",
        "from 0",
    ),
    (
        "what was never selected",
        'with ForEach("F", names, concurrency=1) as each:\n'
        '    b = Lambda("B", function=FUNCTION, outputs=["x"])\neach.selected(b.outputs["x"])',
        "D090",
        "select_max",
    ),
]


@pytest.mark.parametrize(("line", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_step_writes(declare: Callable[..., Opened], line: str, wanted: dict[str, Any]) -> None:
    opened = declare(BASE + line)
    assert [finding for finding in opened.findings if finding.severity is not Severity.INFO] == []
    assert document(opened.pipelines[0].definition)["Steps"][-1] == wanted


@pytest.mark.parametrize(
    ("expression", "written"), [case[1:] for case in REFERENCES], ids=[case[0] for case in REFERENCES]
)
def test_a_step_yields(declare: Callable[..., Opened], expression: str, written: str) -> None:
    opened = declare(BASE + YIELDING + f'Fail("End", join("it was ", {written}))')
    assert [finding for finding in opened.findings if finding.severity is not Severity.INFO] == []
    message = document(opened.pipelines[0].definition)["Steps"][-1]["Arguments"]["ErrorMessage"]
    assert message["Std:Join"]["Values"][1] == {"Get": expression}


@pytest.mark.parametrize(("line", "code", "word"), [case[1:] for case in MISUSES], ids=[case[0] for case in MISUSES])
def test_a_misuse_is_told_with_its_line(declare: Callable[..., Opened], line: str, code: str, word: str) -> None:
    opened = declare(BASE + line)
    errors = [finding for finding in opened.findings if finding.severity is Severity.ERROR]
    assert {finding.code for finding in errors} == {code}, errors
    assert FIRST <= (errors[0].where.line or 0) <= FIRST + line.count("\n")
    assert any(word in f"{error.message} {error.help}" for error in errors), errors
