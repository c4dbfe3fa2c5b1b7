"""QualityCheck: compare data or a model with a baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import Unpack

from mlops.declare.check_job import (
    CONSTRAINTS,
    OUTPUT_FOLDER,
    BaselineSettings,
    Check,
    check_fields,
    input_argument,
    is_check,
    s3_input,
)
from mlops.declare.json_text import json_text
from mlops.declare.members import without_none
from mlops.declare.processing_job import PROCESSING_JOB
from mlops.declare.references import DataReference, StringProperty, lower
from mlops.declare.steps.shared_arguments import Data, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import (
    ANY_MAP,
    LINK,
    PLAIN,
    REQUIRED,
    SOURCE,
    STRING,
    TEXT,
    Constructor,
    Field,
    Given,
    Missing,
    Of,
    Said,
    Spoken,
    Yielded,
    nothing,
)
from mlops.ir.permissions import to_run
from mlops.ir.values import from_json

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["DataQualityCheck", "ModelQualityCheck"]

STEP_TYPE = StepType(
    type="QualityCheck",
    request="CreateProcessingJobRequest",
    omits=frozenset({"ProcessingJobName"}),
    extra_response={
        "CalculatedBaselineConstraints": None,
        "CalculatedBaselineStatistics": None,
        "BaselineUsedForDriftCheckConstraints": None,
        "BaselineUsedForDriftCheckStatistics": None,
    },
    envelope=frozenset(
        {
            "CacheConfig",
            "CheckType",
            "FailOnViolation",
            "ModelPackageGroupName",
            "RegisterNewBaseline",
            "SkipCheck",
            "SuppliedBaselineConstraints",
            "SuppliedBaselineStatistics",
        }
    ),
    action="check",
    job=PROCESSING_JOB,
    permissions=to_run("ProcessingJob"),
    not_in_states="baselines and drift against them are a pipeline's own; run it as a Processing step",
)

INPUT_FOLDER = "/opt/ml/processing/input"
DATASET = "baseline_dataset_input"
PREPROCESSOR = "record_preprocessor_script_input"
POSTPROCESSOR = "post_analytics_processor_script_input"

DatasetFormat: TypeAlias = Literal["csv", "json", "parquet"] | Mapping[str, Any]

_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "csv": {"csv": {"header": True, "output_columns_position": "START"}},
    "json": {"json": {"lines": True}},
    "parquet": {"parquet": {}},
}


class _QualityCheck(Check):
    """What both checks of the model monitor's container have in common."""

    step_type = STEP_TYPE
    framework = "model-monitor"
    output = "quality_check_output"

    data: Data
    format: DatasetFormat
    scripts: Mapping[str, str | None]
    """Input name -> local script or S3 URI."""
    baseline_statistics: DataReference | Text | None

    @property
    def statistics(self) -> StringProperty:
        """The S3 URI of the statistics that were calculated here."""
        return StringProperty(self.name, "CalculatedBaselineStatistics")

    @property
    def statistics_for_drift(self) -> StringProperty:
        """The S3 URI of the statistics to compare with from now on; RegisterModel wants them."""
        return StringProperty(self.name, "BaselineUsedForDriftCheckStatistics")

    def inputs(self, lowering: Lowering) -> tuple[Value, ...]:
        given: list[tuple[str, Data]] = [(DATASET, self.data)]
        given += [(name, script) for name, script in self.scripts.items() if script is not None]
        return tuple(s3_input(lowering, name, data, f"{INPUT_FOLDER}/{name}", self) for name, data in given)

    def variables(self, lowering: Lowering) -> Mapping[str, Value]:
        # The container's names: sagemaker/core/model_monitor/model_monitoring.py, _generate_env_map.
        layout = _FORMATS[self.format] if isinstance(self.format, str) else self.format
        return without_none(
            {
                "output_path": OUTPUT_FOLDER,
                "publish_cloudwatch_metrics": "Disabled",
                "dataset_format": json_text(layout),
                "dataset_source": f"{INPUT_FOLDER}/{DATASET}",
                "record_preprocessor_script": self._script(PREPROCESSOR),
                "post_analytics_processor_script": self._script(POSTPROCESSOR),
            }
        )

    def _script(self, name: str) -> Value:
        script = self.scripts.get(name)
        return None if script is None else f"{INPUT_FOLDER}/{name}/{PurePosixPath(script).name}"


_COLUMNS = {
    "prediction": "inference_attribute",
    "probability": "probability_attribute",
    "truth": "ground_truth_attribute",
    "threshold": "probability_threshold_attribute",
}
_VARIABLES = (
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


def _said_format(given: Given) -> Spoken | None:
    text = given.at("Environment.dataset_format")
    try:
        layout = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    for name, known in _FORMATS.items():
        if layout == known:
            return None if name == "csv" else Said(name)
    return Said(from_json(layout)) if isinstance(layout, dict) else None


def _column(argument: str) -> Field:
    """A column by its index, or by its name or path."""
    path = f"Environment.{_COLUMNS[argument]}"

    def said(given: Given) -> Spoken | None:
        value = given.at(path)
        if isinstance(value, Missing):
            return None
        for kind in (int, float) if argument == "threshold" else (int,):
            try:
                number = kind(value) if isinstance(value, str) else None
            except ValueError:
                continue
            if number is not None and json.dumps(number) == value:
                return Said(number)
        return Of(TEXT, value)

    return Field(argument, path, TEXT, to=nothing, said=said)


_DATA = input_argument("data", DATASET, SOURCE, REQUIRED)
_FORMAT = Field("format", "Environment.dataset_format", ANY_MAP, "csv", to=nothing, said=_said_format)
_SCRIPTS = (
    input_argument("preprocessor", PREPROCESSOR, PLAIN),
    input_argument("postprocessor", POSTPROCESSOR, PLAIN),
)
_STATISTICS = Field("baseline_statistics", "/SuppliedBaselineStatistics", LINK, keeps="null")


def _constructor(kind: str, *inputs: Field) -> Constructor:
    return Constructor(
        check_fields((_DATA, *inputs, _FORMAT), (_STATISTICS,), _VARIABLES),
        yields={
            **CONSTRAINTS,
            "CalculatedBaselineStatistics": Yielded("statistics", STRING),
            "BaselineUsedForDriftCheckStatistics": Yielded("statistics_for_drift", STRING),
        },
        says=is_check(kind),
        needs=("image",),
    )


class DataQualityCheck(_QualityCheck):
    """Compares statistics of ``data`` with a baseline. ``format`` is how the files are written: ``csv`` with a header,
    ``json`` with a record on each line, ``parquet``, or a dictionary as the monitor's container takes it.
    ``preprocessor`` and ``postprocessor`` are scripts for that container.
    """

    check_type = "DATA_QUALITY"
    constructor = _constructor(check_type, *_SCRIPTS)

    def __init__(
        self,
        name: str,
        *,
        data: Data,
        format: DatasetFormat = "csv",
        preprocessor: str | None = None,
        postprocessor: str | None = None,
        baseline_statistics: DataReference | Text | None = None,
        **shared: Unpack[BaselineSettings],
    ) -> None:
        super().__init__(name, **shared)
        self.data = data
        self.format = format
        self.scripts = {POSTPROCESSOR: postprocessor, PREPROCESSOR: preprocessor}
        self.baseline_statistics = baseline_statistics


class ModelQualityCheck(_QualityCheck):
    """Compares a model's metrics on ``data``, which holds predictions and truth, with a baseline.

    ``prediction``, ``probability`` and ``truth`` are columns, by index or JSONPath; ``threshold`` makes a class of a
    probability. ``format`` and ``postprocessor`` as for DataQualityCheck.
    """

    check_type = "MODEL_QUALITY"
    constructor = _constructor(
        check_type,
        _SCRIPTS[1],
        Field("problem", "Environment.problem_type", TEXT, REQUIRED, to=nothing),
        *map(_column, _COLUMNS),
    )

    def __init__(
        self,
        name: str,
        *,
        data: Data,
        problem: Literal["Regression", "BinaryClassification", "MulticlassClassification"] | Text,
        format: DatasetFormat = "csv",
        prediction: Text | int | None = None,
        probability: Text | int | None = None,
        truth: Text | int | None = None,
        threshold: Text | float | None = None,
        postprocessor: str | None = None,
        baseline_statistics: DataReference | Text | None = None,
        **shared: Unpack[BaselineSettings],
    ) -> None:
        super().__init__(name, **shared)
        self.data = data
        self.problem = problem
        self.format = format
        self.columns = {
            _COLUMNS["prediction"]: prediction,
            _COLUMNS["probability"]: probability,
            _COLUMNS["truth"]: truth,
            _COLUMNS["threshold"]: threshold,
        }
        self.scripts = {POSTPROCESSOR: postprocessor}
        self.baseline_statistics = baseline_statistics

    def variables(self, lowering: Lowering) -> Mapping[str, Value]:
        columns = {
            key: json.dumps(value) if isinstance(value, int | float) else lower(value)
            for key, value in self.columns.items()
            if value is not None
        }
        return {
            **super().variables(lowering),
            "analysis_type": self.check_type,
            "problem_type": lower(self.problem),
            **columns,
        }
