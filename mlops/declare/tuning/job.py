"""What each job of a search runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mlops.declare import training_job
from mlops.declare.members import member, without_none
from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import ROLE, VOLUME_GB, Count, Environment, Flag, Image, Text, network
from mlops.declare.training_job import MAX_RUNTIME_SECONDS, Channel, Checkpoint, InstanceGroup, Mode, Source
from mlops.declare.tuning import objective, ranges
from mlops.declare.tuning.objective import Maximize, Minimize
from mlops.declare.tuning.ranges import Range
from mlops.ir import Value
from mlops.ir.fields import (
    ANY_MAP,
    COUNT,
    TEXT,
    WORD,
    Field,
    Given,
    Missing,
    Of,
    Record,
    Said,
    Spoken,
    each,
    made,
    objects,
)

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering
    from mlops.declare.steps.tuning import Tuning

__all__ = ["TrainingJob"]


@record
class TrainingJob:
    """What each job of a Tuning runs; the arguments are Training's. ``ranges`` and ``objective`` are given here where
    the Tuning has several. ``instances`` are the machines to try one after the other where the first is not free.
    ``arguments`` is merged into the definition of the job."""

    image: Image | None = None
    algorithm: Text | None = None
    code: str | None = None
    entry: str | None = None
    channels: Mapping[str, Source | Channel] | None = None
    input_mode: Mode = "File"
    hyperparameters: Mapping[str, Any] | None = None
    metrics: Mapping[str, Text] | None = None
    environment: Environment | None = None
    instance: Text | None = None
    count: Count = 1
    groups: Mapping[str, InstanceGroup] | None = None
    instances: Sequence[InstanceGroup] = ()
    volume: Count | None = VOLUME_GB
    keep_alive: Count | None = None
    max_runtime: Count | None = MAX_RUNTIME_SECONDS
    spot: Flag | None = None
    max_wait: Count | None = None
    checkpoints: Text | Checkpoint | None = None
    job_attempts: Count | None = None
    compression: Literal["GZIP", "NONE"] | None = "GZIP"
    ranges: Mapping[str, Range] | None = None
    objective: Maximize | Minimize | None = None
    arguments: Mapping[str, Any] | None = None


_TRIED = "HyperParameterTuningResourceConfig"


def _tried(job: TrainingJob, lowering: Lowering, step: Step) -> Value:
    if not job.instances:
        return None
    volume = lower(VOLUME_GB if job.volume is None else job.volume)
    configurations = tuple(
        {"InstanceType": lower(item.instance), "InstanceCount": lower(item.count), "VolumeSizeInGB": volume}
        for item in job.instances
    )
    key = member(step, training_job.VOLUME_KMS_KEY, lowering, step)
    return without_none({"InstanceConfigs": configurations, "AllocationStrategy": "Prioritized", "VolumeKmsKeyId": key})


def _said_tried(given: Given) -> Spoken | None:
    listed = objects(given.at(f"{_TRIED}.InstanceConfigs"))
    sized = [{key: value for key, value in item.items() if key != "VolumeSizeInGB"} for item in listed]
    return [Of(made(training_job.GROUP), item) for item in sized] or None


def _said_volume(given: Given) -> Spoken | None:
    """Machines to try have it each, and all the same."""
    listed = objects(given.at(f"{_TRIED}.InstanceConfigs"))
    volume = listed[0].get("VolumeSizeInGB") if listed else given.at(training_job.VOLUME.path)
    if isinstance(volume, Missing):
        return Said(None)
    return None if type(volume) is int and volume == VOLUME_GB else Of(COUNT, volume)


def _unless_tried(field: Field) -> Field:
    def to(job: TrainingJob, lowering: Lowering, step: Step) -> Value:
        return None if job.instances else member(job, field, lowering, step)

    return field._replace(to=to)


def _of_the_step(field: Field) -> Field:
    """What all jobs have in common."""

    def to(_: TrainingJob, lowering: Lowering, step: Step) -> Value:
        return member(step, field, lowering, step)

    return field._replace(name="", to=to)


FOLDER = Field("to", "OutputDataConfig.S3OutputPath", TEXT, otherwise="folder")
KEY = Field("kms_key", "OutputDataConfig.KmsKeyId", TEXT, otherwise="kms_key")
NETWORK = network()


def _is_one_of_several(step: Tuning) -> bool:
    return isinstance(step.job, Mapping)


def _own_objective(job: TrainingJob, _: Lowering, step: Tuning) -> Value:
    return objective.lowered(job.objective) if _is_one_of_several(step) else None


def _own_ranges(job: TrainingJob, _: Lowering, step: Tuning) -> Value:
    return ranges.lowered(job.ranges) if _is_one_of_several(step) else None


_OBJECTIVE, _RANGES = "TuningObjective", "HyperParameterRanges"


def _volume_kms_key(job: TrainingJob, lowering: Lowering, step: Step) -> Value:
    return None if job.instances else member(step, training_job.VOLUME_KMS_KEY, lowering, step)


JOB = Record(
    TrainingJob,
    (
        Field(
            "objective",
            _OBJECTIVE,
            WORD,
            to=_own_objective,
            said=objective.said_objective(_OBJECTIVE),
            sdk=("objective_metric_name",),
        ),
        Field("ranges", _RANGES, ANY_MAP, to=_own_ranges, said=ranges.said_ranges(_RANGES)),
        *training_job.CODE,
        training_job.HYPERPARAMETERS._replace(path="StaticHyperParameters"),
        *training_job.ALGORITHM,
        training_job.CHANNELS,
        _of_the_step(FOLDER),
        training_job.COMPRESSION,
        _of_the_step(KEY),
        Field("instances", _TRIED, each(training_job.GROUP), (), to=_tried, said=_said_tried),
        *map(_unless_tried, training_job.GROUPS),
        _unless_tried(training_job.VOLUME)._replace(said=_said_volume),
        _of_the_step(training_job.VOLUME_KMS_KEY)._replace(to=_volume_kms_key),
        _unless_tried(training_job.KEEP_ALIVE),
        _of_the_step(ROLE),
        *training_job.LIMITS,
        *training_job.SAFEGUARDS,
        _of_the_step(NETWORK),
    ),
    positional=0,
    rest="later",
)
