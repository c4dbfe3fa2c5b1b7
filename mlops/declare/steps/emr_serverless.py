"""EMRServerless: a job run of EMR Serverless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Unpack

from mlops.declare.members import record_of
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import StringProperty, lower
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Count, Text, Word
from mlops.ir import StepType, Value
from mlops.ir.fields import (
    ANY_MAP,
    COUNT,
    REQUIRED,
    STRING,
    TEXT,
    WORDS,
    Constructor,
    Field,
    Given,
    Missing,
    Of,
    Record,
    Said,
    Spoken,
    Yielded,
    choice,
    made,
)
from mlops.ir.shape_notation import ROLE_SHAPE, STRING_SHAPE, structure

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["EMRServerless", "EmrApplication"]

STEP_TYPE = StepType(
    type="EMRServerless",
    service="emr-serverless",
    arguments=structure(
        ("ExecutionRoleArn", "JobConfig"),
        ExecutionRoleArn=ROLE_SHAPE,
        # As the official SDK's emr_serverless_step writes them.
        JobConfig={
            "service": "emr-serverless",
            "shape": "StartJobRunRequest",
            "omits": ("clientToken",),
            "optional": ("applicationId",),
        },
        ApplicationId=STRING_SHAPE,
        ApplicationConfig={
            "service": "emr-serverless",
            "shape": "CreateApplicationRequest",
            "omits": ("clientToken",),
        },
    ),
    response="GetJobRunResponse",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    permissions=(
        "emr-serverless:CancelJobRun",
        "emr-serverless:GetJobRun",
        "emr-serverless:StartJobRun",
        "iam:PassRole",
    ),
    not_in_states="it is not written yet; start the run in a Lambda step",
)


@record
class EmrApplication:
    """An application that is made for the step. ``arguments`` is merged into CreateApplication's request."""

    release: Text
    type: Literal["SPARK", "HIVE"] = "SPARK"
    name: Text | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


APPLICATION = Record(
    EmrApplication,
    (
        Field("name", "name", TEXT),
        Field("release", "releaseLabel", TEXT, REQUIRED),
        Field("type", "type", choice("SPARK", "HIVE"), "SPARK"),
    ),
    rest=True,
)


def _id(step: EMRServerless, *_: object) -> Value:
    return None if isinstance(step.application, EmrApplication) else lower(step.application)


def _application(step: EMRServerless, lowering: Lowering, _: Step) -> Value:
    made_here = isinstance(step.application, EmrApplication)
    return record_of(step.application, APPLICATION, lowering, step) if made_here else None


def _said_application(given: Given) -> Spoken | None:
    """The id of one that exists, or one that is made for the step."""
    existing, wanted = given.at("ApplicationId"), given.at("ApplicationConfig")
    if not isinstance(existing, Missing):
        return Said(existing, TEXT.accepts)
    return None if isinstance(wanted, Missing) else Of(made(APPLICATION), wanted)


def _role(step: EMRServerless, lowering: Lowering, _: Step) -> Value:
    return lowering.environment.role if step.role is None else lower(step.role)


def _tags(_: EMRServerless, lowering: Lowering, __: Step) -> Value:
    return dict(sorted(lowering.environment.tags.items())) or None


_SPARK, _HIVE = "JobConfig.jobDriver.sparkSubmit", "JobConfig.jobDriver.hive"


def _for_spark(step: EMRServerless, *_: object) -> Value:
    return lower(step.parameters) if step.query is None else None


def _for_hive(step: EMRServerless, *_: object) -> Value:
    return None if step.query is None else lower(step.parameters)


def _said_parameters(given: Given) -> Spoken | None:
    for path in (f"{_SPARK}.sparkSubmitParameters", f"{_HIVE}.parameters"):
        value = given.at(path)
        if not isinstance(value, Missing):
            return Said(value, TEXT.accepts)
    return None


FIELDS = (
    Field("role", "ExecutionRoleArn", TEXT, otherwise="role"),
    Field("", "JobConfig.executionRoleArn", TEXT, to=_role),
    Field("script", f"{_SPARK}.entryPoint", TEXT),
    Field("args", f"{_SPARK}.entryPointArguments", WORDS, keeps="empty"),
    Field("parameters", f"{_SPARK}.sparkSubmitParameters", TEXT, to=_for_spark, said=_said_parameters),
    Field("query", f"{_HIVE}.query", TEXT),
    Field("init_query", f"{_HIVE}.initQueryFile", TEXT),
    Field("", f"{_HIVE}.parameters", TEXT, to=_for_hive),
    Field("", "JobConfig.applicationId", TEXT, to=_id),
    Field("overrides", "JobConfig.configurationOverrides", ANY_MAP),
    Field("timeout", "JobConfig.executionTimeoutMinutes", COUNT),
    Field("job", "JobConfig.name", TEXT),
    Field("", "JobConfig.tags", ANY_MAP, to=_tags),
    Field("application", "ApplicationId", TEXT, REQUIRED, to=_id, said=_said_application),
    Field("", "ApplicationConfig", ANY_MAP, to=_application),
)


class EMRServerless(Step):
    """Runs the Spark script or JAR at ``script`` with ``args`` and ``parameters`` (as spark-submit takes them), or the
    Hive ``query``, in ``application``: the id of one that exists or an :class:`EmrApplication` made for the step.

    ``timeout`` is in minutes; ``overrides`` are StartJobRun's configurationOverrides. The role is the environment's
    where none is given. A failed run, a timeout and the like are EMR's; its properties are below ``jobRun``.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        FIELDS,
        yields={
            "jobRun.jobRunId": Yielded("job_run_id", STRING),
            "jobRun.applicationId": Yielded("application_id", STRING),
        },
    )

    def __init__(
        self,
        name: str,
        *,
        application: Text | EmrApplication,
        script: Text | None = None,
        args: Sequence[Word] | None = None,
        query: Text | None = None,
        init_query: Text | None = None,
        parameters: Text | None = None,
        overrides: Mapping[str, Any] | None = None,
        timeout: Count | None = None,
        job: Text | None = None,
        role: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.application = application
        self.script = script
        self.args = args
        self.query = query
        self.init_query = init_query
        self.parameters = parameters
        self.overrides = overrides
        self.timeout = timeout
        self.job = job
        self.role = role
        if (script is None) == (query is None):
            found = "neither" if script is None else "both"
            misuse(
                "D064",
                f"{name}: a run has a Spark script or a Hive query; here is {found}",
                help='give script="s3://…" or query="s3://…"',
                step=name,
            )
            self.poisoned = True
        elif (query is None and init_query is not None) or (script is None and args is not None):
            wrong, right = ("init_query", "query") if script is not None else ("args", "script")
            misuse("D064", f"{name}: {wrong} goes with {right}", help=f"remove {wrong}", step=name)
            self.poisoned = True

    @property
    def job_run_id(self) -> StringProperty:
        return StringProperty(self.name, "jobRun.jobRunId")

    @property
    def application_id(self) -> StringProperty:
        """The application that the job ran in."""
        return StringProperty(self.name, "jobRun.applicationId")
