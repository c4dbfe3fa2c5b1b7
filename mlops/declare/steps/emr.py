"""EMR: a step on a cluster, an existing one or one made for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from mlops.declare.by_name import ByName
from mlops.declare.members import record_of
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import DataReference, StringProperty, lower, lower_word
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Count, Text, Word
from mlops.ir import StepType, Value
from mlops.ir.fields import (
    ANY_MAP,
    COUNT,
    REQUIRED,
    STRING,
    TAGS,
    TEXT,
    TEXT_MAP,
    TEXTS,
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
    hidden,
    made,
    named,
    nothing,
    objects,
)
from mlops.ir.shape_notation import ANY_SHAPE, ROLE_SHAPE, STRING_SHAPE, structure

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["EMR", "EmrCluster"]

STEP_TYPE = StepType(
    type="EMR",
    service="emr",
    arguments=structure(
        ("StepConfig",),
        StepConfig=structure(
            ("HadoopJarStep",), HadoopJarStep={"service": "emr", "shape": "HadoopJarStepConfig"}, Properties=ANY_SHAPE
        ),
        ClusterId=STRING_SHAPE,
        # So does the official SDK's emr_step.
        ClusterConfig={
            "service": "emr",
            "shape": "RunJobFlowInput",
            "omits": ("Name", "Steps", "AutoTerminationPolicy"),
        },
        ExecutionRoleArn=ROLE_SHAPE,
    ),
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


def _groups(cluster: EmrCluster, *_: object) -> Value:
    if cluster.instance is None:
        return None
    primary: dict[str, Value] = {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": lower(cluster.instance)}
    if not isinstance(cluster.count, int):
        # A reference counts the core machines: the document knows no subtraction.
        return (primary, {**primary, "InstanceRole": "CORE", "InstanceCount": lower(cluster.count)})
    if cluster.count == 1:
        return (primary,)
    return (primary, {**primary, "InstanceRole": "CORE", "InstanceCount": cluster.count - 1})


def _machines(given: Given) -> tuple[str, int] | None:
    """Type and count of machines that are all alike, as they are made above: a primary, and cores."""
    groups = objects(given.at("Instances.InstanceGroups"))
    if not all(isinstance(item.get("InstanceType"), str) and type(item.get("InstanceCount")) is int for item in groups):
        return None
    alike = {(item.get("InstanceType"), *sorted(item)) for item in groups}
    match [(item.get("InstanceRole"), item.get("InstanceCount")) for item in groups]:
        case [("MASTER", 1), *others] if len(alike) == 1 and len(groups[0]) == 3:
            kind = str(groups[0]["InstanceType"])
            match others:
                case []:
                    return kind, 1
                case [("CORE", int(cores))] if cores > 0:
                    return kind, cores + 1
    return None


def _said_instance(given: Given) -> Spoken:
    machines = _machines(given)
    return Said(None if machines is None else machines[0])


def _said_count(given: Given) -> Spoken | None:
    machines = _machines(given)
    return None if machines is None or machines[1] == 1 else Said(machines[1])


def _applications(cluster: EmrCluster, *_: object) -> Value:
    return tuple({"Name": name} for name in cluster.applications) or None


def _said_applications(given: Given) -> Spoken | None:
    listed = objects(given.at("Applications"))
    names = [item["Name"] for item in listed if isinstance(item.get("Name"), str) and len(item) == 1]
    return [Said(name) for name in names] if names and len(names) == len(listed) else None


_MACHINES = "Instances.InstanceGroups"
CLUSTER = Record(
    EmrCluster,
    (
        Field("instance", _MACHINES, TEXT, "m5.xlarge", absent="None", to=_groups, said=_said_instance),
        Field("count", _MACHINES, COUNT, 1, to=nothing, said=_said_count),
        Field("release", "ReleaseLabel", TEXT),
        Field("applications", "Applications", TEXTS, (), to=_applications, said=_said_applications),
        Field("role", "JobFlowRole", TEXT),
        Field("service_role", "ServiceRole", TEXT),
        Field("log", "LogUri", TEXT),
        Field("", "Tags", TAGS),
    ),
    positional=0,
    rest=True,
)


class EmrOutputs(ByName[DataReference]):
    """The S3 URIs that were given to the step as places to write to, by the name of the argument."""

    def __init__(self, step: str, first: int, names: Sequence[str]) -> None:
        super().__init__(step, names)
        self._first = first

    def reference(self, name: str) -> DataReference:
        return DataReference(self._step, f"Config.Args[{self._first + 2 * self._names.index(name) + 1}]")


def _cluster(step: EMR, lowering: Lowering, _: Step) -> Value:
    return record_of(step.cluster, CLUSTER, lowering, step) if isinstance(step.cluster, EmrCluster) else None


def _cluster_id(step: EMR, *_: object) -> Value:
    return None if isinstance(step.cluster, EmrCluster) else lower(step.cluster)


def _said_cluster(given: Given) -> Spoken | None:
    """The id of one that runs, or one that is made for the step."""
    running, wanted = given.at("ClusterId"), given.at("ClusterConfig")
    if not isinstance(running, Missing):
        return Said(running, TEXT.accepts)
    return None if isinstance(wanted, Missing) else Of(made(CLUSTER), wanted)


def _args(step: EMR, *_: object) -> Value:
    return None if step.args is None else (*map(lower_word, step.args), *step.destinations())


def _properties(step: EMR, *_: object) -> Value:
    return tuple({"Key": key, "Value": lower(value)} for key, value in step.properties.items()) or None


def _said_properties(given: Given) -> Spoken | None:
    """By their keys."""
    found = named(given.at(f"{_JAR}.Properties"), "Key")
    return {key: Said(item.get("Value"), TEXT.accepts) for key, item in found.items()} or None


def _role(step: EMR, *_: object) -> Value:
    return None if isinstance(step.cluster, EmrCluster) else lower(step.role)


_JAR = "StepConfig.HadoopJarStep"
FIELDS = (
    Field("jar", f"{_JAR}.Jar", TEXT, REQUIRED),
    Field("args", f"{_JAR}.Args", WORDS, keeps="empty", to=_args),
    Field("main_class", f"{_JAR}.MainClass", TEXT),
    Field("properties", f"{_JAR}.Properties", TEXT_MAP, to=_properties, said=_said_properties),
    hidden("outputs", TEXT_MAP),
    Field("cluster", "ClusterId", TEXT, REQUIRED, to=_cluster_id, said=_said_cluster),
    Field("", "ClusterConfig", ANY_MAP, to=_cluster),
    Field("role", "ExecutionRoleArn", TEXT, to=_role),
)


class EMR(Step):
    """Runs ``jar`` with ``args`` on ``cluster``, the id of one that runs or an :class:`EmrCluster` made for the step.

    ``outputs`` are further arguments that say where to write: ``{"output": "s3://…"}`` becomes ``--output s3://…`` and
    is read as ``step.outputs["output"]``. ``role`` is the step's own role, for a running cluster only. ``properties``
    are Java properties.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        FIELDS, yields={"ClusterId": Yielded("cluster_id", STRING), "Id": Yielded("step_id", STRING)}
    )

    def __init__(
        self,
        name: str,
        *,
        jar: Text,
        cluster: Text | EmrCluster,
        args: Sequence[Word] | None = None,
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

    def destinations(self) -> tuple[Value, ...]:
        """What ``outputs`` add to the arguments."""
        return tuple(part for key, uri in self._destinations.items() for part in (f"--{key}", lower(uri)))
