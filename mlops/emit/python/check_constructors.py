"""What the constructors of checks against a baseline take, and from where it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mlops.emit.python.arguments import (
    Argument,
    Constructor,
    Facts,
    count,
    member_at,
    objects,
    s3_source,
    string_map,
    text,
)
from mlops.emit.python.expressions import BOOLEAN, DATA, STRING, literal, write
from mlops.emit.python.job_arguments import job
from mlops.emit.python.source import Node
from mlops.emit.python.telling import one
from mlops.ir import Value
from mlops.ir.fields import Missing

_CLUSTER = "ProcessingResources.ClusterConfig"
_OUTPUT = "ProcessingOutputConfig.Outputs"
_DATASET = "baseline_dataset_input"

_COLUMNS = {
    "prediction": "inference_attribute",
    "probability": "probability_attribute",
    "truth": "ground_truth_attribute",
    "threshold": "probability_threshold_attribute",
}
_OWN_VARIABLES = (
    "output_path",
    "publish_cloudwatch_metrics",
    "dataset_format",
    "dataset_source",
    "record_preprocessor_script",
    "post_analytics_processor_script",
    "analysis_type",
    "problem_type",
    *_COLUMNS.values(),
)
_FORMATS: Mapping[str, object] = {
    "csv": {"csv": {"header": True, "output_columns_position": "START"}},
    "json": {"json": {"lines": True}},
    "parquet": {"parquet": {}},
}


def _input(argument: str, name: str) -> Argument:
    """The S3 URI of an input; owns nothing, since all inputs are one list."""

    def writer(facts: Facts) -> Node | None:
        for item in objects(facts.at("ProcessingInputs")):
            if item.get("InputName") == name:
                return s3_source(member_at(item, "S3Input.S3Uri"), facts, (DATA, STRING))
        return None

    return Argument(argument, writer, "")


def _script(argument: str, name: str) -> Argument:
    """A script's place, which has to be a plain one."""
    found = _input(argument, name)

    def writer(facts: Facts) -> Node | None:
        listed = objects(facts.at("ProcessingInputs"))
        uris = [member_at(item, "S3Input.S3Uri") for item in listed if item.get("InputName") == name]
        return found.writer(facts) if uris and isinstance(uris[0], str) else None

    return Argument(argument, writer, "")


def _format(facts: Facts) -> Node | None:
    given = facts.at("Environment.dataset_format")
    if not isinstance(given, str):
        return None
    try:
        layout = json.loads(given)
    except (ValueError, RecursionError):
        return None
    for name, known in _FORMATS.items():
        if layout == known:
            return None if name == "csv" else literal(name)
    return write(layout, facts.scope) if isinstance(layout, dict) else None


def _column(argument: str, variable: str) -> Argument:
    """A column by its index, or by its name or path."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(f"Environment.{variable}")
        if isinstance(value, Missing):
            return None
        if isinstance(value, str):
            for kind in (int, float) if argument == "threshold" else (int,):
                try:
                    number = kind(value)
                except ValueError:
                    continue
                if json.dumps(number) == value:
                    return literal(number)
        return one(value, facts.scope, (STRING,))

    return Argument(argument, writer, f"Environment.{variable}")


def _own_environment(facts: Facts) -> Node | None:
    given = facts.at("Environment")
    own: Mapping[str, Value] = given if isinstance(given, Mapping) else {}
    own = {key: value for key, value in own.items() if key not in _OWN_VARIABLES}
    return string_map("environment", "own").writer(facts.inside({"own": own}))


def _member(name: str, member: str, accepts: Sequence[str], default: Value = None) -> Argument:
    """A member of the step itself."""

    def writer(facts: Facts) -> Node | None:
        value = facts.step.members.get(member)
        if value is None or (type(value) is type(default) and value == default):
            return None
        return one(value, facts.scope, accepts)

    return Argument(name, writer, member)


def _flag_of_output(facts: Facts) -> Node | None:
    managed = facts.at(f"{_OUTPUT}.0.AppManaged")
    return literal(managed) if isinstance(managed, bool) else None


_SETTINGS = (
    _member("skip", "SkipCheck", (BOOLEAN,), False),
    _member("fail_on_violation", "FailOnViolation", (BOOLEAN,), True),
    _member("register_baseline", "RegisterNewBaseline", (BOOLEAN,), False),
    _member("group", "ModelPackageGroupName", (STRING,)),
    _member("baseline_constraints", "SuppliedBaselineConstraints", (DATA, STRING)),
)
_JOB = (
    text("image", "AppSpecification.ImageUri"),
    Argument("environment", _own_environment, ""),
    text("to", f"{_OUTPUT}.0.S3Output.S3Uri"),
    text("instance", f"{_CLUSTER}.InstanceType"),
    count("count", f"{_CLUSTER}.InstanceCount", 1),
    count("volume", f"{_CLUSTER}.VolumeSizeInGB", 30),
    count("max_runtime", "StoppingCondition.MaxRuntimeInSeconds"),
    # Owns nothing: it is said of inputs and outputs alike.
    Argument("app_managed", _flag_of_output, ""),
    *job("NetworkConfig.", "ProcessingOutputConfig.KmsKeyId", f"{_CLUSTER}.VolumeKmsKeyId"),
)
_CONSTRAINTS = {
    "CalculatedBaselineConstraints": ("constraints", STRING),
    "BaselineUsedForDriftCheckConstraints": ("constraints_for_drift", STRING),
}
_STATISTICS = {
    "CalculatedBaselineStatistics": ("statistics", STRING),
    "BaselineUsedForDriftCheckStatistics": ("statistics_for_drift", STRING),
}
_BASELINE_STATISTICS = _member("baseline_statistics", "SuppliedBaselineStatistics", (DATA, STRING))
_FORMAT = Argument("format", _format, "Environment.dataset_format")
_POSTPROCESSOR = _script("postprocessor", "post_analytics_processor_script_input")

_MODEL = _member("model", "ModelName", (STRING,))
_CLARIFY = (_input("data", "dataset"), _input("config", "analysis_config"))

CHECKS: Mapping[tuple[str, str], Constructor] = {
    ("QualityCheck", "DATA_QUALITY"): Constructor(
        "DataQualityCheck",
        required=("data", "image"),
        arguments=(
            _input("data", _DATASET),
            _FORMAT,
            _script("preprocessor", "record_preprocessor_script_input"),
            _POSTPROCESSOR,
            *_SETTINGS,
            _BASELINE_STATISTICS,
            *_JOB,
        ),
        properties={**_CONSTRAINTS, **_STATISTICS},
    ),
    ("QualityCheck", "MODEL_QUALITY"): Constructor(
        "ModelQualityCheck",
        required=("data", "problem", "image"),
        arguments=(
            _input("data", _DATASET),
            text("problem", "Environment.problem_type"),
            _FORMAT,
            *(_column(argument, variable) for argument, variable in _COLUMNS.items()),
            _POSTPROCESSOR,
            *_SETTINGS,
            _BASELINE_STATISTICS,
            *_JOB,
        ),
        properties={**_CONSTRAINTS, **_STATISTICS},
    ),
    ("ClarifyCheck", "DATA_BIAS"): Constructor(
        "DataBiasCheck",
        required=("data", "config", "image"),
        arguments=(*_CLARIFY, *_SETTINGS, *_JOB),
        properties=_CONSTRAINTS,
    ),
    ("ClarifyCheck", "MODEL_BIAS"): Constructor(
        "ModelBiasCheck",
        required=("data", "model", "config", "image"),
        arguments=(_CLARIFY[0], _MODEL, _CLARIFY[1], *_SETTINGS, *_JOB),
        properties=_CONSTRAINTS,
    ),
    ("ClarifyCheck", "MODEL_EXPLAINABILITY"): Constructor(
        "ExplainabilityCheck",
        required=("data", "model", "config", "image"),
        arguments=(_CLARIFY[0], _MODEL, _CLARIFY[1], *_SETTINGS, *_JOB),
        properties=_CONSTRAINTS,
    ),
}
"""By type of step and CheckType."""
