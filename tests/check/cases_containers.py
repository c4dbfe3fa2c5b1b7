"""Rows of rules on Amazon's own processing containers, and on the baselines that checks and registrations share."""

from __future__ import annotations

from typing import Any

from rule_cases import WARNING, Case
from sound_definition import GONE, REGION, baseline, get, processing_input


def image(account: str, name: str) -> str:
    return f"{account}.dkr.ecr.{REGION}.amazonaws.com/{name}:1"


MONITOR, CLARIFY = (
    image("468650794304", "sagemaker-model-monitor-analyzer"),
    image("131013547314", "sagemaker-clarify-processing"),
)
SPARK, DEBUGGER = image("571004829621", "sagemaker-spark-processing"), image("929884845733", "sagemaker-debugger-rules")
PATHS = {"output_path": "/opt/ml/processing/output", "dataset_source": "/opt/ml/processing/input"}
MONITORED: dict[str, Any] = {
    "Drift:AppSpecification/ImageUri": MONITOR,
    "Drift:Environment": {**PATHS, "dataset_format": '{"csv": {"header": true}}'},
}
QUALITY = {
    "analysis_type": "MODEL_QUALITY",
    "problem_type": "Regression",
    "ground_truth_attribute": "y",
    "inference_attribute": "p",
}
CLARIFIED: dict[str, Any] = {
    "Bias:AppSpecification/ImageUri": CLARIFY,
    "Bias:ProcessingInputs": [
        processing_input("analysis_config", "s3://acme/bias/analysis_config.json", "/opt/ml/processing/input/config"),
        processing_input("dataset", "s3://raw/churn", "/opt/ml/processing/input/data"),
    ],
    "Bias:ProcessingOutputConfig/Outputs/0/OutputName": "analysis_result",
}
CODE = "/opt/ml/processing/input/code/prepare.py"
SPARKED: dict[str, Any] = {
    "Prepare:AppSpecification/ImageUri": SPARK,
    "Prepare:AppSpecification/ContainerEntrypoint": ["smspark-submit", CODE],
}
COMMAND = "Prepare:AppSpecification/ContainerEntrypoint"
JAR = "/opt/ml/processing/input/code/app.jar"
ENV, BIAS = "Drift:Environment", "Bias:ProcessingInputs"
WATCHED: dict[str, Any] = {
    "Train:DebugHookConfig": {"S3OutputPath": "s3://acme/debug"},
    "Train:DebugRuleConfigurations": [
        {
            "RuleConfigurationName": "Loss",
            "RuleEvaluatorImage": DEBUGGER,
            "RuleParameters": {"rule_to_invoke": "LossNotDecreasing"},
        }
    ],
}
RULE = "Train:DebugRuleConfigurations/0"


SLOT = "Register:DriftCheckBaselines/ModelDataQuality"

CASES = [
    Case(
        "Model Monitor without its format",
        "X880",
        {**MONITORED, f"{ENV}/dataset_format": GONE},
        f"{ENV}/dataset_format",
    ),
    Case("without its data", "X880", {**MONITORED, f"{ENV}/dataset_source": GONE}, f"{ENV}/dataset_source"),
    Case("without its output", "X880", {**MONITORED, f"{ENV}/output_path": GONE}, f"{ENV}/output_path", MONITORED),
    Case("without any environment", "X880", {**MONITORED, ENV: GONE}, f"{ENV}/output_path"),
    Case(
        "a format of a word",
        "X880",
        {**MONITORED, f"{ENV}/dataset_format": '{"csv": "header"}'},
        f"{ENV}/dataset_format",
        {**MONITORED, f"{ENV}/dataset_format": '{"csv": {}}'},
    ),
    Case("a format that is a word", "X880", {**MONITORED, f"{ENV}/dataset_format": "csv"}, f"{ENV}/dataset_format"),
    Case(
        "a format of Python",
        "X880",
        {**MONITORED, f"{ENV}/dataset_format": "['csv']"},
        f"{ENV}/dataset_format",
        {**MONITORED, f"{ENV}/dataset_format": get("Parameters.Stage")},
    ),
    Case(
        "a format that it does not read",
        "X880",
        {**MONITORED, f"{ENV}/dataset_format": '{"xml": {}}'},
        f"{ENV}/dataset_format",
        {**MONITORED, f"{ENV}/dataset_format": '{"parquet": {}}'},
    ),
    Case(
        "a switch of other words",
        "X880",
        {**MONITORED, f"{ENV}/publish_cloudwatch_metrics": "false"},
        f"{ENV}/publish_cloudwatch_metrics",
        {**MONITORED, f"{ENV}/publish_cloudwatch_metrics": "Disabled"},
        WARNING,
    ),
    Case(
        "a misspelt variable",
        "X880",
        {**MONITORED, f"{ENV}/output_path": GONE, f"{ENV}/ouput_path": "/opt/ml/processing/output"},
        f"{ENV}/ouput_path",
        {**MONITORED, f"{ENV}/STAGE": "prod"},
        WARNING,
    ),
    Case(
        "a model's quality without its problem",
        "X880",
        {**MONITORED, "Drift.CheckType": "MODEL_QUALITY", f"{ENV}/analysis_type": "MODEL_QUALITY"},
        f"{ENV}/problem_type",
        {**MONITORED, "Drift.CheckType": "MODEL_QUALITY", ENV: {**MONITORED[ENV], **QUALITY}},
    ),
    Case(
        "a model's quality without its predictions",
        "X880",
        {
            **MONITORED,
            "Drift.CheckType": "MODEL_QUALITY",
            ENV: {key: value for key, value in {**MONITORED[ENV], **QUALITY}.items() if key != "inference_attribute"},
        },
        f"{ENV}/inference_attribute",
        {**MONITORED, "Drift.CheckType": "MODEL_QUALITY", ENV: {**MONITORED[ENV], **QUALITY}},
        WARNING,
    ),
    Case(
        "a script that no input brings",
        "X880",
        {**MONITORED, f"{ENV}/record_preprocessor_script": "/opt/ml/processing/code/pre.py"},
        f"{ENV}/record_preprocessor_script",
        {**MONITORED, f"{ENV}/record_preprocessor_script": "/opt/ml/processing/input/pre.py"},
        WARNING,
    ),
    Case(
        "Clarify's configuration under another name",
        "X881",
        {**CLARIFIED, f"{BIAS}/0/InputName": "config"},
        f"{BIAS}/0/InputName",
        CLARIFIED,
    ),
    Case(
        "Clarify without data",
        "X881",
        {**CLARIFIED, f"{BIAS}/1": GONE},
        BIAS,
        {**CLARIFIED, f"{BIAS}/1/S3Input/S3Uri": get("Parameters.Data")},
        WARNING,
    ),
    Case(
        "a configuration in YAML",
        "X881",
        {**CLARIFIED, f"{BIAS}/0/S3Input/S3Uri": "s3://acme/bias/analysis_config.yaml"},
        f"{BIAS}/0/S3Input/S3Uri",
        {**CLARIFIED, f"{BIAS}/0/S3Input/S3Uri": "s3://acme/bias"},
        WARNING,
    ),
    Case(
        "data by Pipe",
        "X881",
        {**CLARIFIED, f"{BIAS}/1/S3Input/S3InputMode": "Pipe"},
        f"{BIAS}/1/S3Input/S3InputMode",
        CLARIFIED,
        WARNING,
    ),
    Case(
        "Clarify's output under another name",
        "X881",
        {**CLARIFIED, "Bias:ProcessingOutputConfig/Outputs/0/OutputName": "result"},
        "Bias:ProcessingOutputConfig/Outputs/0/OutputName",
    ),
    Case(
        "a command for Clarify",
        "X882",
        {**CLARIFIED, "Bias:AppSpecification/ContainerEntrypoint": ["python3"]},
        "Bias:AppSpecification/ContainerEntrypoint",
        CLARIFIED,
        WARNING,
    ),
    Case("Spark by another program", "X882", {**SPARKED, f"{COMMAND}/0": "python3"}, f"{COMMAND}/0", SPARKED, WARNING),
    Case("Spark without a command", "X882", {**SPARKED, COMMAND: GONE}, COMMAND, {}, WARNING),
    Case(
        "an option of spark-submit alone",
        "X882",
        {**SPARKED, COMMAND: ["smspark-submit", "--conf", "spark.executor.memory=4g", CODE]},
        f"{COMMAND}/1",
        {**SPARKED, COMMAND: ["smspark-submit", "-v", "--py-files", "s3://acme/a.py", CODE]},
        WARNING,
    ),
    Case(
        "files of the author's machine",
        "X882",
        {**SPARKED, COMMAND: ["smspark-submit", "--jars", "lib/a.jar", CODE]},
        f"{COMMAND}/2",
        {**SPARKED, COMMAND: ["smspark-submit", "--jars", "/opt/ml/processing/input/raw", CODE]},
        WARNING,
    ),
    Case("an application of R", "X882", {**SPARKED, f"{COMMAND}/1": "s3://acme/a.R"}, f"{COMMAND}/1", {}, WARNING),
    Case("an application at home", "X882", {**SPARKED, f"{COMMAND}/1": "prepare.py"}, f"{COMMAND}/1", {}, WARNING),
    Case(
        "a jar without its class",
        "X882",
        {**SPARKED, COMMAND: ["smspark-submit", JAR]},
        f"{COMMAND}/1",
        {**SPARKED, COMMAND: ["smspark-submit", "--class", "acme.App", JAR]},
        WARNING,
    ),
    Case(
        "nothing to submit",
        "X882",
        {**SPARKED, COMMAND: ["smspark-submit"], "Prepare:AppSpecification/ContainerArguments": GONE},
        COMMAND,
        {**SPARKED, COMMAND: ["smspark-submit"], "Prepare:AppSpecification/ContainerArguments": [CODE, "--days", "30"]},
        WARNING,
    ),
    Case(
        "Clarify in a QualityCheck",
        "X883",
        {"Drift:AppSpecification/ImageUri": CLARIFY},
        "Drift:AppSpecification/ImageUri",
        MONITORED,
    ),
    Case(
        "Model Monitor of another account of Amazon's",
        "X883",
        {**MONITORED, "Drift:AppSpecification/ImageUri": MONITOR.replace("468650794304", "131013547314")},
        "Drift:AppSpecification/ImageUri",
        {**MONITORED, "Drift:AppSpecification/ImageUri": MONITOR.replace("468650794304", "111122223333")},
    ),
    Case(
        "a rule that Debugger does not have",
        "X884",
        {**WATCHED, f"{RULE}/RuleParameters/rule_to_invoke": "LossNotDecresing"},
        f"{RULE}/RuleParameters/rule_to_invoke",
        WATCHED,
        WARNING,
    ),
    Case(
        "a rule that is not named",
        "X884",
        {**WATCHED, f"{RULE}/RuleParameters": {}},
        f"{RULE}/RuleParameters/rule_to_invoke",
        {**WATCHED, f"{RULE}/RuleParameters": {"source_s3_uri": "s3://acme/rule.py", "rule_to_invoke": "Own"}},
        WARNING,
    ),
    Case(
        "rules without a hook",
        "X884",
        {"Train:DebugRuleConfigurations": WATCHED["Train:DebugRuleConfigurations"]},
        "Train:DebugHookConfig",
        {},
        WARNING,
    ),
    Case(
        "two rules of one name",
        "X884",
        {**WATCHED, "Train:DebugRuleConfigurations/-": WATCHED["Train:DebugRuleConfigurations"][0]},
        "Train:DebugRuleConfigurations/1/RuleConfigurationName",
    ),
    Case(
        "constraints as statistics",
        "X717",
        {"Drift.SuppliedBaselineStatistics": "s3://acme/baseline/constraints.json"},
        "Drift.SuppliedBaselineStatistics",
        {"Drift.SuppliedBaselineStatistics": "s3://acme/baseline/statistics.json"},
        WARNING,
    ),
    Case(
        "a baseline in CSV",
        "X717",
        {"Bias.SuppliedBaselineConstraints": "s3://acme/baseline/constraints.csv"},
        "Bias.SuppliedBaselineConstraints",
        {"Bias.SuppliedBaselineConstraints": "s3://acme/baseline/constraints.json"},
        WARNING,
    ),
    Case(
        "half a baseline",
        "X717",
        {"Drift.ModelPackageGroupName": GONE, "Drift.SuppliedBaselineConstraints": "s3://acme/b/constraints.json"},
        "Drift.SuppliedBaselineStatistics",
        {"Drift.SuppliedBaselineConstraints": "s3://acme/b/constraints.json"},
        WARNING,
    ),
    Case(
        "a folder in place of a baseline's file",
        "X717",
        {"Drift.SuppliedBaselineStatistics": "s3://acme/base/"},
        "Drift.SuppliedBaselineStatistics",
        {"Drift.SuppliedBaselineStatistics": "s3://acme/base/statistics.json"},
        WARNING,
    ),
    Case("a model for data alone", "X717", {"Bias.CheckType": "DATA_BIAS"}, "Bias.ModelName", {}, WARNING),
    Case(
        "the new baseline where the old is kept",
        "X718",
        {f"{SLOT}/Statistics/S3Uri": get("Steps.Drift.CalculatedBaselineStatistics")},
        f"{SLOT}/Statistics/S3Uri/Get",
        {
            f"{SLOT}/Statistics/S3Uri": get("Steps.Drift.CalculatedBaselineStatistics"),
            "Drift.RegisterNewBaseline": True,
        },
        WARNING,
    ),
    Case(
        "constraints registered as statistics",
        "X718",
        {f"{SLOT}/Statistics/S3Uri": get("Steps.Drift.BaselineUsedForDriftCheckConstraints")},
        f"{SLOT}/Statistics/S3Uri/Get",
        {},
        WARNING,
    ),
    Case(
        "a bias registered as quality",
        "X718",
        {f"{SLOT}/Constraints": baseline("Bias", "Constraints")},
        f"{SLOT}/Constraints/S3Uri/Get",
        {
            "Register:DriftCheckBaselines/Bias": {"PostTrainingConstraints": baseline("Bias", "Constraints")},
        },
        WARNING,
    ),
    Case(
        "a version without the baselines of its group",
        "X719",
        {"Register:DriftCheckBaselines": GONE},
        "Register:DriftCheckBaselines",
        {"Register:DriftCheckBaselines": GONE, "Register:ModelPackageGroupName": "orders"},
        WARNING,
    ),
    Case(
        "a baseline into another group",
        "X719",
        {"Register:ModelPackageGroupName": "orders"},
        "Register:ModelPackageGroupName",
        {"Register:ModelPackageGroupName": get("Parameters.Stage")},
        WARNING,
    ),
    Case(
        "a baseline that nobody has",
        "X719",
        {"Drift.SkipCheck": True, "Drift.ModelPackageGroupName": GONE},
        f"{SLOT}/Statistics/S3Uri/Get",
        {"Drift.SkipCheck": True, "Drift.ModelPackageGroupName": GONE, "Drift.RegisterNewBaseline": True},
        WARNING,
    ),
]

WORDS = frozenset({"X717", "X880", "X881", "X882", "X884"})
FOLLOW = {"X882": {"X785"}, "X883": {"X880", "X881"}, "X880": {"X715", "X718"}, "X716": {"X719"}, "X710": {"X718"}}
