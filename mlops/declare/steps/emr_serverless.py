"""EMRServerless: a job run of EMR Serverless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Unpack

from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import Reference, StringProperty, lower
from mlops.declare.steps.base import Shared, Step, merge, without_none
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="EMRServerless",
    service="emr-serverless",
    response="GetJobRunResponse",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    permissions=("emr-serverless:StartJobRun", "emr-serverless:GetJobRun", "iam:PassRole"),
)


@record
class EmrApplication:
    """An application that is made for the step. ``arguments`` is merged into CreateApplication's request."""

    release: Text
    type: Literal["SPARK", "HIVE"] = "SPARK"
    name: Text | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def request(self) -> dict[str, Value]:
        return merge(
            without_none({"name": lower(self.name), "releaseLabel": lower(self.release), "type": self.type}),
            self.arguments,
        )


class EMRServerless(Step):
    """Runs the Spark script or JAR at ``script`` with ``args`` and ``parameters`` (as spark-submit takes them), or the
    Hive ``query``, in ``application``: the id of one that exists or an :class:`EmrApplication` made for the step.

    ``timeout`` is in minutes; ``overrides`` are StartJobRun's configurationOverrides. The role is the environment's
    where none is given. A failed run, a timeout and the like are EMR's; its properties are below ``jobRun``.
    """

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        application: Text | EmrApplication,
        script: Text | None = None,
        args: Sequence[str | Reference] | None = None,
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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        role = lowering.environment.role if self.role is None else lower(self.role)
        own = isinstance(self.application, EmrApplication)
        application = None if own else lower(self.application)
        return without_none(
            {
                "ExecutionRoleArn": role,
                "JobConfig": without_none(
                    {
                        "executionRoleArn": role,
                        "jobDriver": self._driver(),
                        "applicationId": application,
                        "configurationOverrides": lower(self.overrides),
                        "executionTimeoutMinutes": lower(self.timeout),
                        "name": lower(self.job),
                        "tags": dict(sorted(lowering.environment.tags.items())) or None,
                    }
                ),
                "ApplicationId": application,
                "ApplicationConfig": (
                    self.application.request() if isinstance(self.application, EmrApplication) else None
                ),
            }
        )

    def _driver(self) -> Value:
        if self.query is not None:
            return {
                "hive": without_none(
                    {
                        "query": lower(self.query),
                        "initQueryFile": lower(self.init_query),
                        "parameters": lower(self.parameters),
                    }
                )
            }
        return {
            "sparkSubmit": without_none(
                {
                    "entryPoint": lower(self.script),
                    "entryPointArguments": None if self.args is None else lower(list(self.args)),
                    "sparkSubmitParameters": lower(self.parameters),
                }
            )
        }
