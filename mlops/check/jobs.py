"""What of a definition runs: jobs by their kind, the instances that they and endpoints ask for, and containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mlops.check.members import entries
from mlops.ir import Placed, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import pointer


@dataclass(frozen=True, slots=True)
class Kind:
    """Where the request ``request``, which tells a step type's kind, has what jobs have in common.

    ``network`` is the path to what has VpcConfig and EnableNetworkIsolation; None where a job has no network, role and
    time of its own.
    """

    request: str
    machines: tuple[str, ...] = ()
    output: str | None = None
    container: str | None = None
    image: str | None = None
    network: tuple[str, ...] | None = None


TRAINING = Kind(
    "CreateTrainingJobRequest",
    machines=("ResourceConfig",),
    output="OutputDataConfig",
    container="AlgorithmSpecification",
    image="TrainingImage",
    network=(),
)
PROCESSING = Kind(
    "CreateProcessingJobRequest",
    machines=("ProcessingResources", "ClusterConfig"),
    output="ProcessingOutputConfig",
    container="AppSpecification",
    image="ImageUri",
    network=("NetworkConfig",),
)
TRANSFORM = Kind("CreateTransformJobRequest", machines=("TransformResources",), output="TransformOutput")
TUNING = Kind("CreateHyperParameterTuningJobRequest")
AUTOML = Kind("CreateAutoMLJobRequest", output="OutputDataConfig")
KINDS = (TRAINING, PROCESSING, TRANSFORM, TUNING, AUTOML)

NUMBER_RANGES = ("ContinuousParameterRanges", "IntegerParameterRanges")
RANGES = (*NUMBER_RANGES, "CategoricalParameterRanges")
SEARCHED = (*RANGES, "AutoParameters")
"""Members that have what a tuning job varies; AutoParameters have a hint in the place of bounds."""


class Job(NamedTuple):
    """A job's request where it stands: a step's Arguments, or a definition inside of them."""

    at: str
    request: Mapping[str, Value]
    placed: Placed


@dataclass(frozen=True, slots=True)
class Machine:
    """A place that asks for instances. ``settings`` has their type, their number in the member ``counted`` and mostly
    the volume; ``model`` is the name of what is served there."""

    at: str
    settings: Mapping[str, Value]
    placed: Placed
    counted: str = "InstanceCount"
    model: Value = None

    @property
    def type(self) -> Value:
        return self.settings.get("InstanceType")

    @property
    def type_at(self) -> str:
        return f"{self.at}/InstanceType"


@dataclass(frozen=True, slots=True)
class Container:
    """An object that names an image, by the member ``named``; of a job with the job and the instances it runs on."""

    at: str
    settings: Mapping[str, Value]
    placed: Placed
    named: str = "Image"
    job: Job | None = None
    machine: Machine | None = None

    @property
    def image(self) -> Value:
        return self.settings.get(self.named)

    @property
    def image_at(self) -> str:
        return f"{self.at}/{self.named}"


def defined(tuning: Job) -> Iterator[Job]:
    """The training jobs of a tuning job."""
    at, request, placed = tuning
    single = request.get("TrainingJobDefinition")
    if isinstance(single, Mapping):
        yield Job(f"{at}/TrainingJobDefinition", single, placed)
    for where, item in entries(request, "TrainingJobDefinitions"):
        yield Job(at + where, item, placed)


def machine(kind: Kind, job: Job) -> Machine | None:
    settings = get(job.request, *kind.machines) if kind.machines else None
    if not isinstance(settings, Mapping):
        return None
    return Machine(job.at + pointer(*kind.machines), settings, job.placed, model=job.request.get("ModelName"))


_INSIDE = ("InstanceGroups", "InstancePreferences", "InstanceConfigs", "InstancePools")
"""Members of what asks for instances that ask for others: beside its own, or in their place."""
_TUNED = "HyperParameterTuningResourceConfig"


def machines(kind: Kind, job: Job) -> Iterator[Machine]:
    """All instances that a job may get."""
    found = machine(kind, job)
    if found is not None:
        yield from _with_inner(found)
    tuned = job.request.get(_TUNED)
    if isinstance(tuned, Mapping):
        yield from _with_inner(Machine(f"{job.at}/{_TUNED}", tuned, job.placed))


def variants(placed: Placed, config: Mapping[str, Value]) -> Iterator[Machine]:
    """The instances that an endpoint configuration asks for, for shadows too."""
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        for at, item in entries(config, member):
            where = f"{placed.pointer}/Arguments{at}"
            yield from _with_inner(Machine(where, item, placed, "InitialInstanceCount", item.get("ModelName")))


def _with_inner(outer: Machine) -> Iterator[Machine]:
    yield outer
    for member in _INSIDE:
        for at, item in entries(outer.settings, member):
            yield Machine(f"{outer.at}{at}", item, outer.placed, model=outer.model)


def container(kind: Kind, job: Job) -> Container | None:
    settings = job.request.get(kind.container) if kind.container else None
    if kind.image is None or not isinstance(settings, Mapping):
        return None
    return Container(f"{job.at}/{kind.container}", settings, job.placed, kind.image, job, machine(kind, job))


def served(placed: Placed, model: Mapping[str, Value]) -> Iterator[Container]:
    """A model's containers."""
    at, primary = f"{placed.pointer}/Arguments", model.get("PrimaryContainer")
    if isinstance(primary, Mapping):
        yield Container(f"{at}/PrimaryContainer", primary, placed)
    for where, item in entries(model, "Containers"):
        yield Container(at + where, item, placed)


def registered(placed: Placed, registration: Mapping[str, Value]) -> Iterator[Container]:
    """The containers of a model package."""
    at = f"{placed.pointer}/Arguments"
    holders = [("/InferenceSpecification", registration.get("InferenceSpecification"))]
    holders += list(entries(registration, "AdditionalInferenceSpecifications"))
    for where, holder in holders:
        for inner, item in entries(holder, "Containers"):
            yield Container(at + where + inner, item, placed)


class SearchedRange(NamedTuple):
    """What a tuning job varies; ``kind`` is the member that has ``item``."""

    at: str
    kind: str
    name: str
    item: Mapping[str, Value]


def searched_ranges(tuning: Job, job: Job) -> Iterator[SearchedRange]:
    """Those for all definitions and the job's own."""
    shared = ("HyperParameterTuningJobConfig", "ParameterRanges")
    for at, ranges in (
        (tuning.at + pointer(*shared), get(tuning.request, *shared)),
        (f"{job.at}/HyperParameterRanges", job.request.get("HyperParameterRanges")),
    ):
        for kind in SEARCHED:
            for where, item in entries(ranges, kind):
                name = item.get("Name")
                if isinstance(name, str):
                    yield SearchedRange(at + where, kind, name, item)
