"""Tuning: a search for the best hyperparameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from typing_extensions import Unpack

from mlops.declare import training_job
from mlops.declare.members import member, members, merge, record_of, without_none
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import (
    DataReference,
    FloatReference,
    ModelReference,
    NumberReference,
    Poison,
    PropertyReference,
    Reference,
    StringReference,
    lower,
)
from mlops.declare.run_time_texts import join
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    OWN_TAGS,
    ROLE,
    VOLUME_GB,
    Count,
    Environment,
    Flag,
    Image,
    Job,
    Number,
    Text,
    network,
)
from mlops.declare.training_job import MAX_RUNTIME_SECONDS, Channel, Checkpoint, InstanceGroup, Mode, Source
from mlops.ir import JobKind, S3Place, StepType, Unknown, Value
from mlops.ir.fields import (
    ANY_MAP,
    COUNT,
    FLAG,
    FLOAT,
    NUMBER,
    REQUIRED,
    STRING,
    TEXT,
    TEXTS,
    WORD,
    By,
    Constructor,
    Field,
    Given,
    Made,
    Missing,
    Of,
    Pattern,
    Record,
    Said,
    Spoken,
    by_name,
    choice,
    each,
    made,
    nothing,
    objects,
)
from mlops.ir.permissions import to_run

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = [
    "AutoRange",
    "CategoricalRange",
    "ContinuousRange",
    "IntegerRange",
    "Maximize",
    "Minimize",
    "TrainingJob",
    "Tuning",
]

STEP_TYPE = StepType(
    type="Tuning",
    request="CreateHyperParameterTuningJobRequest",
    omits=frozenset({"HyperParameterTuningJobName"}),
    response="DescribeHyperParameterTuningJobResponse",
    # From ListTrainingJobsForHyperParameterTuningJob, best first.
    extra_response={"TrainingJobSummaries": "HyperParameterTrainingJobSummaries"},
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=(
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition.AlgorithmSpecification",
        "TrainingJobDefinition.HyperParameterRanges",
        "TrainingJobDefinition.InputDataConfig",
        "TrainingJobDefinition.StaticHyperParameters",
        "TrainingJobDefinition.TuningObjective",
        "TrainingJobDefinitions",
    ),
    states_resource="arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
    action="tuning",
    job=JobKind(
        "HyperParameterTuningJob",
        "hyper-parameter-tuning-job",
        member="TuningJob",
        outputs=(
            S3Place(
                ("TrainingJobSummaries",),
                label="TrainingJobName",
                inside=("ModelArtifacts", "S3ModelArtifacts"),
                is_file=True,
            ),
        ),
        missing="Amazon SageMaker can't find a tuning job with the name {name}.",
        newest_first=True,
        opens=False,
        name_limit=32,
        starts="TrainingJob",
        summarized={
            "Strategy": ("HyperParameterTuningJobConfig", "Strategy"),
            "ResourceLimits": ("HyperParameterTuningJobConfig", "ResourceLimits"),
        },
    ),
    permissions=to_run("HyperParameterTuningJob"),
)

TOP = 50
"""So many of its best jobs a Tuning step keeps."""

Scale: TypeAlias = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]


@record
class IntegerRange:
    """Integers from ``low`` to ``high``, both included."""

    low: Count
    high: Count
    scale: Scale | None = "Auto"


@record
class ContinuousRange:
    """Numbers from ``low`` to ``high``."""

    low: Number
    high: Number
    scale: Scale | None = "Auto"


@record
class CategoricalRange:
    """One of ``choices``; numbers travel as text."""

    choices: Sequence[Text | int | float]


@record
class AutoRange:
    """SageMaker finds the range by itself, beginning at ``hint``."""

    hint: Text | Number


Range: TypeAlias = IntegerRange | ContinuousRange | CategoricalRange | AutoRange


@record
class Maximize:
    """The metric that should become as large as possible."""

    metric: Text


@record
class Minimize:
    """The metric that should become as small as possible."""

    metric: Text


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


class TunedModel(ModelReference):
    """The S3 URI of the ``model.tar.gz`` of one of a Tuning's jobs."""

    noun = "a tuned model"

    def __init__(self, step: str, folder: str, job: str) -> None:
        super().__init__(step, job)
        self._uri = join(DataReference(step, folder), PropertyReference(step, job), "output/model.tar.gz", on="/")

    def lower(self) -> Value:
        return self._uri.lower()


class Objective(PropertyReference, FloatReference):
    """What a job of a Tuning has reached."""

    noun = "an objective"


class TopJob:
    """One of a Tuning's best jobs."""

    def __init__(self, step: str, folder: str, rank: int) -> None:
        self._step, self._folder, self._path = step, folder, f"TrainingJobSummaries[{rank}]"

    @property
    def model(self) -> ModelReference:
        """The S3 URI of its ``model.tar.gz``."""
        return TunedModel(self._step, self._folder, f"{self._path}.TrainingJobName")

    @property
    def job_name(self) -> StringReference:
        """The name of the training job."""
        return PropertyReference(self._step, f"{self._path}.TrainingJobName")

    @property
    def objective(self) -> FloatReference:
        """What its metric has reached."""
        return Objective(self._step, f"{self._path}.FinalHyperParameterTuningJobObjectiveMetric.Value")

    def hyperparameter(self, name: str) -> StringReference:
        """The value of a hyperparameter that was searched; all of them are text."""
        return PropertyReference(self._step, f"{self._path}.TunedHyperParameters['{name}']")


def _objective(given: Maximize | Minimize | None) -> Value:
    if isinstance(given, Poison):
        return Unknown()
    return None if given is None else {"Type": type(given).__name__, "MetricName": lower(given.metric)}


def _said_objective(path: str) -> Callable[[Given], Spoken | None]:
    def said(given: Given) -> Spoken | None:
        match given.at(path):
            case {"Type": "Maximize" | "Minimize" as kind, "MetricName": metric}:
                return Made(kind, [Said(metric, TEXT.accepts)])
        return None

    return said


_INTEGERS, _NUMBERS = "IntegerParameterRanges", "ContinuousParameterRanges"
_CHOICES, _AUTO = "CategoricalParameterRanges", "AutoParameters"


def _ranges(given: Mapping[str, Range] | None) -> Value:
    """By kind; numbers in them are text."""
    kinds: dict[str, list[Value]] = {}
    for name, item in (given or {}).items():
        match item:
            case IntegerRange() | ContinuousRange():
                kind = _INTEGERS if isinstance(item, IntegerRange) else _NUMBERS
                bounds = {"MinValue": _text(item.low), "MaxValue": _text(item.high)}
                written = without_none({"Name": name, **bounds, "ScalingType": item.scale})
            case CategoricalRange():
                kind, written = _CHOICES, {"Name": name, "Values": tuple(map(_text, item.choices))}
            case AutoRange():
                kind, written = _AUTO, {"Name": name, "ValueHint": _text(item.hint)}
        kinds.setdefault(kind, []).append(written)
    return {kind: tuple(listed) for kind, listed in kinds.items()} or None


def _text(value: Text | Number) -> Value:
    """A number as the text that the request wants; the run makes it of a reference by a join."""
    if isinstance(value, NumberReference) and not isinstance(value, StringReference):
        return join(value).lower()
    return lower(value) if isinstance(value, Reference) else str(value)


def _said_ranges(path: str) -> Callable[[Given], Spoken | None]:
    def said(given: Given) -> Spoken | None:
        kinds = given.at(path)
        found: dict[str, Spoken] = {}
        for kind, listed in kinds.items() if isinstance(kinds, Mapping) else ():
            for item in listed if isinstance(listed, tuple) else ():
                name = item.get("Name") if isinstance(item, Mapping) else None
                spoken = _said_range(kind, item) if isinstance(item, Mapping) else None
                if spoken is None or not isinstance(name, str) or name in found:
                    return None
                found[name] = spoken
        return found or None

    return said


def _said_range(kind: str, item: Mapping[str, Value]) -> Spoken | None:
    match item:
        case {"ValueHint": str(hint)} if kind == _AUTO:
            return Made("AutoRange", [Said(_plain(hint))])
        case {"Values": tuple(values)} if kind == _CHOICES and all(isinstance(value, str) for value in values):
            return Made("CategoricalRange", [[Said(_plain(str(value))) for value in values]])
        case {"MinValue": str(low), "MaxValue": str(high)} if kind in (_INTEGERS, _NUMBERS):
            bounds, scale = [_plain(low), _plain(high)], item.get("ScalingType")
            numbers = (int,) if kind == _INTEGERS else (int, float)
            if not all(isinstance(bound, numbers) for bound in bounds) or scale not in (None, *get_args(Scale)):
                return None
            name = "IntegerRange" if kind == _INTEGERS else "ContinuousRange"
            return Made(name, [Said(bound) for bound in bounds], {} if scale == "Auto" else {"scale": Said(scale)})
    return None


def _plain(value: str) -> int | float | str:
    """The number whose text this is."""
    for kind in (int, float):
        try:
            found = kind(value)
        except ValueError:
            continue
        if str(found) == value and found - found == 0:
            return found
    return value


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


_FOLDER = Field("to", "OutputDataConfig.S3OutputPath", TEXT, otherwise="folder")
_KEY = Field("kms_key", "OutputDataConfig.KmsKeyId", TEXT, otherwise="kms_key")
_NETWORK = network()


def _is_one_of_several(step: Tuning) -> bool:
    return isinstance(step.job, Mapping)


def _own_objective(job: TrainingJob, _: Lowering, step: Tuning) -> Value:
    return _objective(job.objective) if _is_one_of_several(step) else None


def _own_ranges(job: TrainingJob, _: Lowering, step: Tuning) -> Value:
    return _ranges(job.ranges) if _is_one_of_several(step) else None


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
            said=_said_objective(_OBJECTIVE),
            sdk=("objective_metric_name",),
        ),
        Field("ranges", _RANGES, ANY_MAP, to=_own_ranges, said=_said_ranges(_RANGES)),
        *training_job.CODE,
        training_job.HYPERPARAMETERS._replace(path="StaticHyperParameters"),
        *training_job.ALGORITHM,
        training_job.CHANNELS,
        _of_the_step(_FOLDER),
        training_job.COMPRESSION,
        _of_the_step(_KEY),
        Field("instances", _TRIED, each(training_job.GROUP), (), to=_tried, said=_said_tried),
        *map(_unless_tried, training_job.GROUPS),
        _unless_tried(training_job.VOLUME)._replace(said=_said_volume),
        _of_the_step(training_job.VOLUME_KMS_KEY)._replace(to=_volume_kms_key),
        _unless_tried(training_job.KEEP_ALIVE),
        _of_the_step(ROLE),
        *training_job.LIMITS,
        *training_job.SAFEGUARDS,
        _of_the_step(_NETWORK),
    ),
    positional=0,
    rest="later",
)

_ONE, _SEVERAL = "TrainingJobDefinition", "TrainingJobDefinitions"
_CONFIG = "HyperParameterTuningJobConfig"
_LIMITS, _CRITERIA = f"{_CONFIG}.ResourceLimits", f"{_CONFIG}.TuningJobCompletionCriteria"
_HYPERBAND = f"{_CONFIG}.StrategyConfig.HyperbandStrategyConfig"
_TOP = r"TrainingJobSummaries\[([0-4]?[0-9])\]"


def _of_the_jobs(field: Field, *, owns: str | None = None) -> Field:
    """An argument of the step that stands in its jobs; as it is in the first."""

    def said(given: Given) -> Spoken | None:
        for path in (_ONE, f"{_SEVERAL}.0"):
            job = given.at(path)
            if isinstance(job, Mapping):
                return By(field, job)
        return None

    path = f"{_ONE}.{field.path}" if field.path else ""
    return field._replace(path=path, to=nothing, said=said, owns=owns)


def _single(step: Tuning, lowering: Lowering, _: Step) -> Value:
    return None if isinstance(step.job, Mapping) else record_of(step.job, JOB, lowering, step)


def _several(step: Tuning, lowering: Lowering, _: Step) -> Value:
    if not isinstance(step.job, Mapping):
        return None
    return tuple(
        merge({"DefinitionName": name, **members(job, JOB.fields, lowering, step)}, job.arguments or {})
        for name, job in step.job.items()
    )


def _common_objective(step: Tuning, *_: object) -> Value:
    job = None if isinstance(step.job, Mapping) else step.job
    return _objective(step.objective or (job.objective if job else None))


def _common_ranges(step: Tuning, *_: object) -> Value:
    return None if isinstance(step.job, Mapping) else _ranges(step.ranges or step.job.ranges)


def _resources(step: Tuning, *_: object) -> Value:
    if step.resources is None:
        return None
    return {"MinResource": lower(step.resources[0]), "MaxResource": lower(step.resources[1])}


def _said_resources(given: Given) -> Spoken | None:
    bounds = [given.at(f"{_HYPERBAND}.{bound}") for bound in ("MinResource", "MaxResource")]
    known = [Said(bound, COUNT.accepts) for bound in bounds if not isinstance(bound, Missing)]
    return Made("", known) if len(known) == len(bounds) else None


_CONVERGENCE = f"{_CRITERIA}.ConvergenceDetected.CompleteOnConvergence"


def _convergence(step: Tuning, *_: object) -> Value:
    return None if step.convergence is None else "Enabled" if step.convergence else "Disabled"


def _said_convergence(given: Given) -> Spoken | None:
    word = given.at(_CONVERGENCE)
    return Said(word == "Enabled") if word in ("Enabled", "Disabled") else None


_PARENTS, _PARENT = "WarmStartConfig.ParentHyperParameterTuningJobs", "HyperParameterTuningJobName"


def _parents(step: Tuning, *_: object) -> Value:
    return tuple({_PARENT: lower(parent)} for parent in step.parents) or None


def _said_parents(given: Given) -> Spoken | None:
    return [Said(item.get(_PARENT), TEXT.accepts) for item in objects(given.at(_PARENTS))] or None


def _warm_start(step: Tuning, *_: object) -> Value:
    return step.warm_start if step.parents else None


def _autotune(step: Tuning, *_: object) -> Value:
    return "Enabled" if step.autotune else None


def _said_autotune(given: Given) -> Spoken | None:
    return Said(True) if given.at("Autotune.Mode") == "Enabled" else None


_STRATEGY = choice("Bayesian", "Random", "Hyperband", "Grid")
_WARM_STARTS = choice("IdenticalDataAndAlgorithm", "TransferLearning")
_COMMON_OBJECTIVE, _COMMON_RANGES = f"{_CONFIG}.HyperParameterTuningJobObjective", f"{_CONFIG}.ParameterRanges"
_PATIENCE = f"{_CRITERIA}.BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving"

FIELDS = (
    Field("strategy", f"{_CONFIG}.Strategy", _STRATEGY, "Bayesian"),
    Field("resources", _HYPERBAND, COUNT, to=_resources, said=_said_resources, owns=f"{_CONFIG}.StrategyConfig"),
    Field(
        "objective",
        _COMMON_OBJECTIVE,
        WORD,
        to=_common_objective,
        said=_said_objective(_COMMON_OBJECTIVE),
        sdk=("objective_metric_name",),
    ),
    Field("max_jobs", f"{_LIMITS}.MaxNumberOfTrainingJobs", COUNT),
    Field("max_parallel", f"{_LIMITS}.MaxParallelTrainingJobs", COUNT, 1, sdk=("max_parallel_jobs",)),
    Field("max_runtime", f"{_LIMITS}.MaxRuntimeInSeconds", COUNT),
    # Owns nothing: what it leaves out, such as a kind with no ranges, is said beside it.
    Field(
        "ranges",
        _COMMON_RANGES,
        ANY_MAP,
        to=_common_ranges,
        said=_said_ranges(_COMMON_RANGES),
        owns="",
        sdk=("hyperparameter_ranges",),
    ),
    Field("early_stopping", f"{_CONFIG}.TrainingJobEarlyStoppingType", choice("Off", "Auto")),
    Field("target", f"{_CRITERIA}.TargetObjectiveMetricValue", NUMBER),
    Field("patience", _PATIENCE, COUNT),
    Field("convergence", _CONVERGENCE, FLAG, to=_convergence, said=_said_convergence),
    Field("seed", f"{_CONFIG}.RandomSeed", COUNT),
    Field("job", _ONE, made(JOB), REQUIRED, to=_single),
    Field("job", _SEVERAL, by_name("DefinitionName", JOB), REQUIRED, to=_several),
    *map(_of_the_jobs, (_FOLDER, _KEY, training_job.VOLUME_KMS_KEY, ROLE)),
    _of_the_jobs(_NETWORK, owns=""),
    Field("parents", _PARENTS, TEXTS, (), to=_parents, said=_said_parents),
    Field("warm_start", "WarmStartConfig.WarmStartType", _WARM_STARTS, "IdenticalDataAndAlgorithm", to=_warm_start),
    Field("autotune", "Autotune.Mode", FLAG, False, to=_autotune, said=_said_autotune),
    OWN_TAGS,
)


class Tuning(Step):
    """Tries values of the hyperparameters in ``ranges`` and keeps the jobs that come nearest to the ``objective``.

    ``job`` is what each trial runs, or several such by name, each with ranges and an objective of its own. At most
    ``max_jobs`` run, ``max_parallel`` at a time; ``max_runtime`` (seconds) is for all together. The search ends early
    at ``target``, after ``patience`` jobs without a better one, or on ``convergence``.
    """

    step_type = STEP_TYPE
    shared_arguments = Job
    constructor = Constructor(
        FIELDS,
        patterns=(
            Pattern(rf"{_TOP}\.TrainingJobName", "top({0}).job_name", STRING),
            Pattern(rf"{_TOP}\.FinalHyperParameterTuningJobObjectiveMetric\.Value", "top({0}).objective", FLOAT),
        ),
        inner=(_SEVERAL, "DefinitionName"),
    )

    def __init__(
        self,
        name: str,
        *,
        job: TrainingJob | Mapping[str, TrainingJob],
        ranges: Mapping[str, Range] | None = None,
        objective: Maximize | Minimize | None = None,
        strategy: Literal["Bayesian", "Random", "Hyperband", "Grid"] = "Bayesian",
        resources: tuple[Count, Count] | None = None,
        max_jobs: Count | None = None,
        max_parallel: Count = 1,
        max_runtime: Count | None = None,
        early_stopping: Literal["Off", "Auto"] | None = None,
        target: Number | None = None,
        patience: Count | None = None,
        convergence: bool | None = None,
        seed: Count | None = None,
        parents: Sequence[Text] = (),
        warm_start: Literal["IdenticalDataAndAlgorithm", "TransferLearning"] = "IdenticalDataAndAlgorithm",
        autotune: bool = False,
        to: Text | None = None,
        **shared: Unpack[Job],
    ) -> None:
        self.share(name, shared)
        self.job = job
        self.ranges = dict(ranges or {})
        self.objective = objective
        self.strategy = strategy
        self.resources = resources
        self.max_jobs = max_jobs
        self.max_parallel = max_parallel
        self.max_runtime = max_runtime
        self.early_stopping = early_stopping
        self.target = target
        self.patience = patience
        self.convergence = convergence
        self.seed = seed
        self.parents = tuple(parents)
        self.warm_start = warm_start
        self.autotune = autotune
        self.to = to
        for given in job.values() if isinstance(job, Mapping) else (job,):
            training_job.check_channels(name, given.channels or {})
        if isinstance(job, Mapping) and (ranges or objective):
            message = f"Tuning {name}: with several jobs, each has ranges and an objective of its own"
            help = "move ranges= and objective= into TrainingJob(…)"
            misuse("D064", message, help=help, step=name)
            self.poisoned = True

    @property
    def best_model(self) -> ModelReference:
        """The ``model.tar.gz`` of the best job."""
        return self.top(0).model

    def top(self, rank: int) -> TopJob:
        """One of the 50 best jobs; 0 is the best."""
        if not isinstance(rank, int) or isinstance(rank, bool) or not 0 <= rank < TOP:
            message = f"{self.name} keeps its {TOP} best jobs, 0 to {TOP - 1}; {rank!r} is none of them"
            misuse("D032", message, step=self.name)
            return Poison()  # type: ignore[return-value]
        several = isinstance(self.job, Mapping)
        definition = "TrainingJobDefinitions[0]" if several else "TrainingJobDefinition"
        return TopJob(self.name, f"{definition}.OutputDataConfig.S3OutputPath", rank)
