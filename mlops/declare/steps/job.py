"""Job: one of SageMaker's jobs that are described by a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import Unpack

from mlops.declare.json_text import json_text
from mlops.declare.misuse import misuse
from mlops.declare.references import PropertyReference, Reference, StringProperty, StringReference, lower
from mlops.declare.run_time_texts import join
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Value
from mlops.ir.fields import REQUIRED, STRING, TAGS, TEXT, Constructor, Field, Yielded, hidden
from mlops.ir.permissions import to_run

__all__ = ["Job"]

STEP_TYPE = StepType(
    type="Job",
    request="CreateJobRequest",
    omits=frozenset({"JobName"}),
    response="DescribeJobResponse",
    extra_response={"JobConfigDocument": None},
    # So says the official SDK's JobStep.
    parsed_text=frozenset({"JobConfigDocument"}),
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    permissions=to_run("Job"),
)


class Job(Step):
    """A job of a ``category`` such as ``AgentRFT``, described by ``config``: a dictionary, or its JSON text.

    The service takes the document as one text. References in a dictionary stand in strings there: numbers by reference
    reach the job in quotes, and no value may hold quotes or backslashes. The service gives executions no folders of
    their own: ``to`` sets the document's OutputDataConfig.S3OutputPath to a folder of each execution below that URI.
    The role is the environment's where none is given.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("category", "JobCategory", TEXT, REQUIRED),
            Field("role", "RoleArn", TEXT, otherwise="role"),
            Field("schema_version", "JobConfigSchemaVersion", TEXT, "1.0.0"),
            Field("config", "JobConfigDocument", TEXT, REQUIRED, to=lambda step, *_: step.document()),
            hidden("to"),
            Field("", "Tags", TAGS),
        ),
        yields={"JobName": Yielded("job_name", STRING), "JobArn": Yielded("job_arn", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        category: Text,
        config: Mapping[str, Any] | Text,
        to: Text | None = None,
        schema_version: Text = "1.0.0",
        role: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.category = category
        self.config = config
        self.to = to
        self.schema_version = schema_version
        self.role = role
        if to is not None and not isinstance(config, Mapping):
            message = f"{name}: to goes into config, which is a text already"
            misuse("D064", message, help="write the path into the text, or give config as a dictionary", step=name)
            self.poisoned = True

    @property
    def job_name(self) -> StringProperty:
        return StringProperty(self.name, "JobName")

    @property
    def job_arn(self) -> StringProperty:
        return StringProperty(self.name, "JobArn")

    def result(self, path: str) -> PropertyReference:
        """A member of the finished job's document by its path, e.g. ``OutputModelPackageArn``."""
        return PropertyReference(self.name, f"JobConfigDocument.{path}")

    def document(self) -> Value:
        if not isinstance(self.config, Mapping):
            return lower(self.config)
        if self.to is None:
            return json_text(self.config)
        return json_text({**self.config, "OutputDataConfig": self._output(self.config.get("OutputDataConfig"))})

    def _output(self, given: object) -> dict[str, Any]:
        from mlops.declare.execution import execution_id

        base = self.to.rstrip("/") if isinstance(self.to, str) else self.to
        path: Reference | str | StringReference = join(base, execution_id, "", on="/") if base is not None else ""
        return {**(given if isinstance(given, Mapping) else {}), "S3OutputPath": path}
