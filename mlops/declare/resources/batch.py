"""A batch: stored data go through a model by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from mlops.declare.references import ModelNameReference
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps import transform as step
from mlops.declare.steps.shared_arguments import ENABLED, ROLE, Count, Data, Flag, Text
from mlops.ir import StepType
from mlops.ir.fields import PLAIN, REQUIRED, TEXT, Constructor, Field
from mlops.ir.resource import BATCH_NAME
from mlops.ir.shape_notation import ROLE_SHAPE, structure

__all__ = ["Batch"]

_SCHEDULER = "scheduler"
STEP_TYPE = StepType(
    type="Batch",
    service=_SCHEDULER,
    arguments=structure(
        ("Batch", "ScheduleExpression", "RoleArn", "Transform"),
        Batch={"type": "string", "pattern": BATCH_NAME},
        ScheduleExpression={"shape": "ScheduleExpression", "service": _SCHEDULER},
        ScheduleExpressionTimezone={"shape": "ScheduleExpressionTimezone", "service": _SCHEDULER},
        State={"shape": "ScheduleState", "service": _SCHEDULER},
        RoleArn=ROLE_SHAPE,
        Transform={"shape": "CreateTransformJobRequest", "omits": ("TransformJobName",)},
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)
_OF_A_TRANSFORM = frozenset(
    (
        "model",
        "data",
        "content_type",
        "compression",
        "split",
        "accept",
        "assemble",
        "kms_key",
        "instance",
        "count",
        "strategy",
        "max_payload",
        "max_concurrent",
        "input_filter",
        "output_filter",
        "join_source",
    )
)


class Batch(DeclaredResource):
    """What lies at ``data`` goes through ``model`` (``model.model_name``) at each time of ``when``, an expression of
    EventBridge Scheduler as ``"cron(0 3 * * ? *)"`` in ``timezone``, and the answers to ``to``. The rest is as for a
    Transform. A model of a ``group`` is the newest approved version at the time of the upsert."""

    named_by: ClassVar[str | None] = "Batch"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("when", "ScheduleExpression", TEXT, REQUIRED),
            Field("timezone", "ScheduleExpressionTimezone", TEXT),
            ENABLED,
            ROLE,
            Field("to", "Transform.TransformOutput.S3OutputPath", TEXT, REQUIRED),
            Field("", "Transform.TransformInput.DataSource.S3DataSource.S3DataType", PLAIN, to=lambda *_: "S3Prefix"),
            *(field._replace(path=f"Transform.{field.path}") for field in step.FIELDS if field.name in _OF_A_TRANSFORM),
        )
    )

    def __init__(
        self,
        name: str,
        *,
        model: ModelNameReference | Text,
        data: Data,
        to: Text,
        when: Text,
        timezone: Text | None = None,
        enabled: Flag = True,
        content_type: Text | None = "text/csv",
        compression: Literal["None", "Gzip"] | None = None,
        split: Literal["None", "Line", "RecordIO", "TFRecord"] | None = "Line",
        accept: Text | None = None,
        assemble: Literal["None", "Line"] | None = "Line",
        instance: Text | None = None,
        count: Count = 1,
        strategy: Literal["SingleRecord", "MultiRecord"] | None = None,
        max_payload: Count | None = None,
        max_concurrent: Count | None = None,
        input_filter: Text | None = None,
        output_filter: Text | None = None,
        join_source: Literal["Input", "None"] | None = None,
        role: Text | None = None,
        kms_key: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.model, self.data, self.to, self.when, self.timezone = model, data, to, when, timezone
        self.enabled, self.role, self.kms_key = enabled, role, kms_key
        self.content_type, self.compression, self.split = content_type, compression, split
        self.accept, self.assemble, self.instance, self.count = accept, assemble, instance, count
        self.strategy, self.max_payload, self.max_concurrent = strategy, max_payload, max_concurrent
        self.input_filter, self.output_filter, self.join_source = input_filter, output_filter, join_source
