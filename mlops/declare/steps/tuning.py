"""Tuning: a search for the best hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import Unpack

from mlops.declare import training_job
from mlops.declare.members import merge, tags, without_none
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
    join,
    lower,
)
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    VOLUME_GB,
    Count,
    Environment,
    Flag,
    Image,
    Job,
    JobSettings,
    Number,
    Text,
)
from mlops.declare.training_job import MAX_RUNTIME_SECONDS, Channel, Checkpoint, InstanceGroup, Mode, Source
from mlops.ir import JobKind, StepType, Value
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
    job=JobKind("HyperParameterTuningJob", "hyper-parameter-tuning-job", member="TuningJob"),
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


class Tuning(Step):
    """Tries values of the hyperparameters in ``ranges`` and keeps the jobs that come nearest to the ``objective``.

    ``job`` is what each trial runs, or several such by name, each with ranges and an objective of its own. At most
    ``max_jobs`` run, ``max_parallel`` at a time; ``max_runtime`` (seconds) is for all together. The search ends early
    at ``target``, after ``patience`` jobs without a better one, or on ``convergence``.
    """

    step_type = STEP_TYPE
    shared_arguments = Job

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
        self.settings = JobSettings.of(shared)
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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        several = isinstance(self.job, Mapping)
        definitions = self.job if isinstance(self.job, Mapping) else {None: self.job}
        written = tuple(self._definition(lowering, name, given) for name, given in definitions.items())
        parents = tuple({"HyperParameterTuningJobName": lower(parent)} for parent in self.parents)
        return without_none(
            {
                "HyperParameterTuningJobConfig": self._configuration(several),
                "TrainingJobDefinition": None if several else written[0],
                "TrainingJobDefinitions": written if several else None,
                "WarmStartConfig": {"ParentHyperParameterTuningJobs": parents, "WarmStartType": self.warm_start}
                if parents
                else None,
                "Autotune": {"Mode": "Enabled"} if self.autotune else None,
                "Tags": tags(lowering, self.settings.own_tags),
            }
        )

    def _configuration(self, several: bool) -> Value:
        single = None if several or isinstance(self.job, Mapping) else self.job
        objective = self.objective or (single.objective if single else None)
        ranges = self.ranges or (single.ranges if single else None) or {}
        criteria = without_none(
            {
                "TargetObjectiveMetricValue": lower(self.target),
                "BestObjectiveNotImproving": None
                if self.patience is None
                else {"MaxNumberOfTrainingJobsNotImproving": lower(self.patience)},
                "ConvergenceDetected": None
                if self.convergence is None
                else {"CompleteOnConvergence": "Enabled" if self.convergence else "Disabled"},
            }
        )
        return without_none(
            {
                "Strategy": self.strategy,
                "StrategyConfig": None
                if self.resources is None
                else {
                    "HyperbandStrategyConfig": {
                        "MinResource": lower(self.resources[0]),
                        "MaxResource": lower(self.resources[1]),
                    }
                },
                "HyperParameterTuningJobObjective": _objective(objective),
                "ResourceLimits": without_none(
                    {
                        "MaxNumberOfTrainingJobs": lower(self.max_jobs),
                        "MaxParallelTrainingJobs": lower(self.max_parallel),
                        "MaxRuntimeInSeconds": lower(self.max_runtime),
                    }
                ),
                "ParameterRanges": None if several else _ranges(ranges),
                "TrainingJobEarlyStoppingType": self.early_stopping,
                "TuningJobCompletionCriteria": criteria or None,
                "RandomSeed": lower(self.seed),
            }
        )

    def _definition(self, lowering: Lowering, name: str | None, given: TrainingJob) -> Value:
        instance = lowering.instance(given.instance)
        image = None
        if given.image is not None:
            image = lowering.image(given.image, scope="training", instance=instance, step=self)
        target = lowering.environment.uri(lowering.pipeline, self.name) if self.to is None else lower(self.to)
        script, variables = training_job.script(lowering, self, given.code, given.entry, given.environment or {})
        several = name is not None
        definition = without_none(
            {
                "DefinitionName": name,
                "TuningObjective": _objective(given.objective) if several else None,
                "HyperParameterRanges": _ranges(given.ranges or {}) if several else None,
                "StaticHyperParameters": training_job.hyperparameters(given.hyperparameters or {}, script),
                "AlgorithmSpecification": without_none(
                    {
                        "TrainingImage": image,
                        "AlgorithmName": lower(given.algorithm),
                        "TrainingInputMode": given.input_mode,
                        "MetricDefinitions": training_job.metric_definitions(given.metrics or {}),
                    }
                ),
                "InputDataConfig": training_job.channels(lowering, self, given.channels or {}),
                "OutputDataConfig": without_none(
                    {
                        "S3OutputPath": target,
                        "CompressionType": given.compression,
                        "KmsKeyId": self.settings.kms_key(lowering),
                    }
                ),
                **self._machines(lowering, given, instance),
                "RoleArn": self.settings.role(lowering),
                "StoppingCondition": training_job.stopping(given.max_runtime, spot=given.spot, max_wait=given.max_wait),
                "EnableManagedSpotTraining": lower(given.spot),
                "CheckpointConfig": training_job.checkpoint(given.checkpoints),
                "RetryStrategy": training_job.attempts(given.job_attempts),
                "Environment": variables,
                **self.settings.security(lowering),
            }
        )
        return merge(definition, given.arguments or {})

    def _machines(self, lowering: Lowering, given: TrainingJob, instance: Value) -> dict[str, Value]:
        if given.instances:
            configurations = tuple(
                {
                    "InstanceType": lower(item.instance),
                    "InstanceCount": lower(item.count),
                    "VolumeSizeInGB": lower(VOLUME_GB if given.volume is None else given.volume),
                }
                for item in given.instances
            )
            choice: dict[str, Value] = {
                "InstanceConfigs": configurations,
                "AllocationStrategy": "Prioritized",
                "VolumeKmsKeyId": self.settings.volume_kms_key(lowering),
            }
            return {"HyperParameterTuningResourceConfig": without_none(choice)}
        return {
            "ResourceConfig": training_job.machines(
                lowering,
                self.settings,
                instance=instance,
                count=given.count,
                volume=given.volume,
                groups=given.groups or {},
                keep_alive=given.keep_alive,
            )
        }


def _objective(given: Maximize | Minimize | None) -> Value:
    return None if given is None else {"Type": type(given).__name__, "MetricName": lower(given.metric)}


def _ranges(given: Mapping[str, Range]) -> Value:
    """ParameterRanges, by kind; numbers in them are text."""
    kinds: dict[str, list[Value]] = {}
    for name, item in given.items():
        match item:
            case IntegerRange() | ContinuousRange():
                kind = "IntegerParameterRanges" if isinstance(item, IntegerRange) else "ContinuousParameterRanges"
                written = without_none(
                    {
                        "Name": name,
                        "MinValue": _text(item.low),
                        "MaxValue": _text(item.high),
                        "ScalingType": item.scale,
                    }
                )
            case CategoricalRange():
                kind = "CategoricalParameterRanges"
                written = {"Name": name, "Values": tuple(map(_text, item.choices))}
            case AutoRange():
                kind = "AutoParameters"
                written = {"Name": name, "ValueHint": _text(item.hint)}
        kinds.setdefault(kind, []).append(written)
    return {kind: tuple(listed) for kind, listed in kinds.items()} or None


def _text(value: Text | Number) -> Value:
    """A number as the text that the request wants; the run makes it of a reference by a join."""
    if isinstance(value, NumberReference) and not isinstance(value, StringReference):
        return join(value).lower()
    return lower(value) if isinstance(value, Reference) else str(value)
