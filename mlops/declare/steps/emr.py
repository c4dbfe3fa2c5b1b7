"""EMR: a step on a cluster, an existing one or one made for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from mlops.declare.members import tags
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import DataReference, Poison, Reference, StringProperty, lower
from mlops.declare.step_outputs import unknown_name
from mlops.declare.steps.base import Shared, Step, merge, without_none
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="EMR",
    service="emr",
    response="Step",
    extra_response={"ClusterId": None},
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=("ClusterId", "StepConfig"),
    permissions=(
        "elasticmapreduce:AddJobFlowSteps",
        "elasticmapreduce:CancelSteps",
        "elasticmapreduce:DescribeStep",
    ),
)


@record
class EmrCluster:
    """A cluster that is made for one step and ends with it: ``count`` machines of type ``instance``, one of them the
    primary; a reference counts the others. ``role`` is the job flow's (the EC2 instance profile). ``arguments`` is
    merged into RunJobFlow's request: instance fleets, bootstrap actions, configurations; with ``instance=None`` it
    brings the machines too.
    """

    release: Text | None = None
    applications: Sequence[str] = ()
    instance: Text | None = "m5.xlarge"
    count: Count = 1
    role: Text | None = None
    service_role: Text | None = None
    log: Text | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def request(self, lowering: Lowering) -> dict[str, Value]:
        """RunJobFlow's request without what the service supplies."""
        return merge(
            without_none(
                {
                    "Instances": {"InstanceGroups": self._groups()} if self.instance is not None else None,
                    "ReleaseLabel": lower(self.release),
                    "Applications": tuple({"Name": name} for name in self.applications) or None,
                    "JobFlowRole": lower(self.role),
                    "ServiceRole": lower(self.service_role),
                    "LogUri": lower(self.log),
                    "Tags": tags(lowering),
                }
            ),
            self.arguments,
        )

    def _groups(self) -> Value:
        kind = lower(self.instance)
        primary: dict[str, Value] = {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": kind}
        if not isinstance(self.count, int):
            # A reference counts the core machines: the document knows no subtraction.
            return (primary, {**primary, "InstanceRole": "CORE", "InstanceCount": lower(self.count)})
        if self.count == 1:
            return (primary,)
        return (primary, {**primary, "InstanceRole": "CORE", "InstanceCount": self.count - 1})


class EmrOutputs(Mapping[str, DataReference]):
    """The S3 URIs that were given to the step as places to write to, by the name of the argument."""

    def __init__(self, step: str, first: int, names: Sequence[str]) -> None:
        self._step, self._first, self._names = step, first, tuple(names)

    def __getitem__(self, name: str) -> DataReference:
        if name not in self._names:
            unknown_name(self._step, "output", name, self._names)
            return Poison()  # type: ignore[return-value]
        return DataReference(self._step, f"Config.Args[{self._first + 2 * self._names.index(name) + 1}]")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class EMR(Step):
    """Runs ``jar`` with ``args`` on ``cluster``, the id of one that runs or an :class:`EmrCluster` made for the step.

    ``outputs`` are further arguments that say where to write: ``{"output": "s3://…"}`` becomes ``--output s3://…`` and
    is read as ``step.outputs["output"]``. ``role`` is the step's own role, for a running cluster only. ``properties``
    are Java properties.
    """

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        jar: Text,
        cluster: Text | EmrCluster,
        args: Sequence[str | Reference] | None = None,
        main_class: Text | None = None,
        properties: Mapping[str, Text] | None = None,
        outputs: Mapping[str, DataReference | Text] | None = None,
        role: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.jar = jar
        self.cluster = cluster
        self.args = None if args is None and not outputs else list(args or ())
        self.main_class = main_class
        self.properties = dict(properties or {})
        self.outputs = EmrOutputs(name, len(self.args or ()), tuple(outputs or ()))
        self._destinations = dict(outputs or {})
        self.role = role
        if role is not None and isinstance(cluster, EmrCluster):
            misuse(
                "D064",
                f"{name}: role goes with the id of a running cluster, not with a cluster made for the step",
                help="give the new cluster its role: EmrCluster(role=…)",
                step=name,
            )
            self.poisoned = True

    @property
    def cluster_id(self) -> StringProperty:
        """The id of the cluster that the step runs on."""
        return StringProperty(self.name, "ClusterId")

    @property
    def step_id(self) -> StringProperty:
        """EMR's own id of the step."""
        return StringProperty(self.name, "Id")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        own = isinstance(self.cluster, EmrCluster)
        destinations = tuple(part for key, uri in self._destinations.items() for part in (f"--{key}", lower(uri)))
        return without_none(
            {
                "StepConfig": {
                    "HadoopJarStep": without_none(
                        {
                            "Jar": lower(self.jar),
                            "Args": None if self.args is None else (*map(lower, self.args), *destinations),
                            "MainClass": lower(self.main_class),
                            "Properties": tuple(
                                {"Key": key, "Value": lower(value)} for key, value in self.properties.items()
                            )
                            or None,
                        }
                    )
                },
                "ClusterId": None if isinstance(self.cluster, EmrCluster) else lower(self.cluster),
                "ClusterConfig": self.cluster.request(lowering) if isinstance(self.cluster, EmrCluster) else None,
                "ExecutionRoleArn": None if own else lower(self.role),
            }
        )
