"""Tuning: a search for the best hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare import training_job
from mlops.declare.members import members, merge, record_of
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelReference, Poison, lower
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import OWN_TAGS, ROLE, Count, Job, Number, Text
from mlops.declare.tuning import objective, ranges
from mlops.declare.tuning.best_jobs import TOP, TopJob
from mlops.declare.tuning.job import FOLDER, JOB, KEY, NETWORK, TrainingJob
from mlops.declare.tuning.objective import Maximize, Minimize
from mlops.declare.tuning.ranges import Range
from mlops.ir import JobKind, S3Place, StepType, Value
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
    Pattern,
    Said,
    Spoken,
    by_name,
    choice,
    made,
    nothing,
    objects,
)
from mlops.ir.permissions import to_run

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Tuning"]

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
    return objective.lowered(step.objective or (job.objective if job else None))


def _common_ranges(step: Tuning, *_: object) -> Value:
    return None if isinstance(step.job, Mapping) else ranges.lowered(step.ranges or step.job.ranges)


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
        said=objective.said_objective(_COMMON_OBJECTIVE),
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
        said=ranges.said_ranges(_COMMON_RANGES),
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
    *map(_of_the_jobs, (FOLDER, KEY, training_job.VOLUME_KMS_KEY, ROLE)),
    _of_the_jobs(NETWORK, owns=""),
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
