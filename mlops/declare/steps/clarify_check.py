"""ClarifyCheck: look for bias, or explain a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.check_job import (
    CONSTRAINTS,
    BaselineSettings,
    Check,
    check_fields,
    input_argument,
    is_check,
    s3_input,
)
from mlops.declare.processing_job import PROCESSING_JOB
from mlops.declare.references import ModelNameReference
from mlops.declare.steps.shared_arguments import Data, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import REQUIRED, SOURCE, TEXT, Constructor, Field
from mlops.ir.permissions import to_run

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["DataBiasCheck", "ExplainabilityCheck", "ModelBiasCheck"]

STEP_TYPE = StepType(
    type="ClarifyCheck",
    request="CreateProcessingJobRequest",
    omits=frozenset({"ProcessingJobName"}),
    extra_response={"CalculatedBaselineConstraints": None, "BaselineUsedForDriftCheckConstraints": None},
    envelope=frozenset(
        {
            "CacheConfig",
            "CheckType",
            "FailOnViolation",
            "ModelPackageGroupName",
            "RegisterNewBaseline",
            "SkipCheck",
            "SuppliedBaselineConstraints",
            "ModelName",
        }
    ),
    action="check",
    job=PROCESSING_JOB,
    permissions=to_run("ProcessingJob"),
    not_in_states="baselines and drift against them are a pipeline's own; run it as a Processing step",
)

CONFIG_FOLDER = "/opt/ml/processing/input/config"
DATA_FOLDER = "/opt/ml/processing/input/data"


class _ClarifyCheck(Check):
    """What all checks of the Clarify container have in common."""

    step_type = STEP_TYPE
    framework = "clarify"
    output = "analysis_result"

    data: Data
    config: Data

    def inputs(self, lowering: Lowering) -> tuple[Value, ...]:
        return (
            s3_input(lowering, "analysis_config", self.config, CONFIG_FOLDER, self),
            s3_input(lowering, "dataset", self.data, DATA_FOLDER, self),
        )


_DATA, _CONFIG = (
    input_argument("data", "dataset", SOURCE, REQUIRED),
    input_argument("config", "analysis_config", SOURCE, REQUIRED),
)
_MODEL = Field("model", "/ModelName", TEXT, REQUIRED)


def _constructor(kind: str, *settings: Field) -> Constructor:
    return Constructor(
        check_fields((_DATA, _CONFIG), settings, ()), yields=CONSTRAINTS, says=is_check(kind), needs=("image",)
    )


class DataBiasCheck(_ClarifyCheck):
    """Measures bias in ``data``. ``config`` is Clarify's ``analysis_config.json``, a local file or its S3 URI: label,
    facets, and the methods ``pre_training_bias`` and ``report``.
    """

    check_type = "DATA_BIAS"
    constructor = _constructor(check_type)

    def __init__(self, name: str, *, data: Data, config: Data, **shared: Unpack[BaselineSettings]) -> None:
        super().__init__(name, **shared)
        self.data = data
        self.config = config


class _ModelCheck(_ClarifyCheck):
    """A check that asks a model, which the service serves for the time of the check."""

    def __init__(
        self,
        name: str,
        *,
        data: Data,
        model: ModelNameReference | Text,
        config: Data,
        **shared: Unpack[BaselineSettings],
    ) -> None:
        super().__init__(name, **shared)
        self.data = data
        self.model = model
        self.config = config


class ModelBiasCheck(_ModelCheck):
    """Measures bias in what ``model`` (its name) answers to ``data``. ``config`` is Clarify's ``analysis_config.json``
    with the methods ``post_training_bias`` and ``report``; its predictor has no model_name, which the service adds.
    """

    check_type = "MODEL_BIAS"
    constructor = _constructor(check_type, _MODEL)


class ExplainabilityCheck(_ModelCheck):
    """Explains what ``model`` (its name) answers to ``data``. ``config`` is Clarify's ``analysis_config.json`` with the
    methods ``shap`` or ``pdp`` and ``report``; its predictor has no model_name, which the service adds.
    """

    check_type = "MODEL_EXPLAINABILITY"
    constructor = _constructor(check_type, _MODEL)
