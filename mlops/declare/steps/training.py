"""Training: fit a model in script mode or with an image's own algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Unpack

from mlops.declare import training_job
from mlops.declare.by_name import unknown_name
from mlops.declare.debugger import configurations, hook
from mlops.declare.members import record_of
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelReference, Poison, PropertyReference
from mlops.declare.rules import TrainingRule, variables
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
    Text,
    Word,
    network,
)
from mlops.declare.training_job import (
    MAX_RUNTIME_SECONDS,
    Channel,
    Checkpoint,
    DebugHook,
    InstanceGroup,
    Mode,
    Profiler,
    Rule,
    Source,
    TensorBoard,
)
from mlops.ir import JobKind, S3Place, StepType, Value
from mlops.ir.fields import COUNT, FLAG, MODEL, TEXT, TEXTS, WORDS, Constructor, Field, Yielded, by_name, hidden, made
from mlops.ir.permissions import to_run

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Training"]

STEP_TYPE = StepType(
    type="Training",
    request="CreateTrainingJobRequest",
    omits=frozenset({"TrainingJobName"}),
    response="DescribeTrainingJobResponse",
    keyed={"FinalMetricDataList": "MetricName"},
    producers={"FinalMetricDataList": "AlgorithmSpecification.MetricDefinitions.Name"},
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=(
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    states_resource="arn:aws:states:::sagemaker:createTrainingJob.sync",
    action="training",
    job=JobKind(
        "TrainingJob",
        "training-job",
        destination="OutputDataConfig",
        inputs=(S3Place(("InputDataConfig",), label="ChannelName", inside=("DataSource", "S3DataSource", "S3Uri")),),
        outputs=(S3Place(("ModelArtifacts", "S3ModelArtifacts"), "model", is_file=True),),
        quota="training job",
        log_group="/aws/sagemaker/TrainingJobs",
        missing="Requested resource not found.",
        stages=True,
    ),
    permissions=to_run("TrainingJob"),
)


_RULES = by_name("RuleConfigurationName", training_job.RULE)


def _debug_hook(given: Any, lowering: Lowering, step: Step) -> Value:
    """The author's, or one for ``rules`` where the account has Debugger."""
    if given.debug_hook is not None:
        return record_of(given.debug_hook, training_job.DEBUG_HOOK, lowering, step)
    if not (given.rules and lowering.environment.debugger):
        return None
    return hook(given.rules, lowering.environment.uri("debugger", step.name))


def _debug_rules(given: Any, lowering: Lowering, step: Step) -> Value:
    """The author's, and ``rules`` where the account has Debugger."""
    own = tuple(
        {"RuleConfigurationName": name, **record_of(rule, training_job.RULE, lowering, step)}
        for name, rule in given.debug_rules.items()
    )
    if given.rules and lowering.environment.debugger:
        own += configurations(step.name, given.rules, lowering.environment)
    return own or None


FIELDS = (
    *training_job.ALGORITHM,
    Field("command", "AlgorithmSpecification.ContainerEntrypoint", TEXTS, sdk=("container_entry_point",)),
    Field("args", "AlgorithmSpecification.ContainerArguments", WORDS, ()),
    *training_job.CODE,
    training_job.HYPERPARAMETERS,
    training_job.CHANNELS,
    Field("to", "OutputDataConfig.S3OutputPath", TEXT, otherwise="folder"),
    training_job.COMPRESSION,
    Field("kms_key", "OutputDataConfig.KmsKeyId", TEXT, otherwise="kms_key"),
    *training_job.GROUPS,
    training_job.VOLUME,
    training_job.VOLUME_KMS_KEY,
    training_job.KEEP_ALIVE,
    ROLE,
    *training_job.LIMITS,
    Field("max_pending", "StoppingCondition.MaxPendingTimeInSeconds", COUNT),
    *training_job.SAFEGUARDS,
    hidden("rules", default=()),
    Field("debug_hook", "DebugHookConfig", made(training_job.DEBUG_HOOK), to=_debug_hook),
    Field("debug_rules", "DebugRuleConfigurations", _RULES, to=_debug_rules),
    Field("profiler", "ProfilerConfig", made(training_job.PROFILER)),
    Field("profiler_rules", "ProfilerRuleConfigurations", _RULES),
    Field("tensorboard", "TensorBoardOutputConfig", made(training_job.TENSORBOARD, short=TEXT.accepts)),
    Field("infra_check", "InfraCheckConfig.EnableInfraCheck", FLAG),
    Field("remote_debug", "RemoteDebugConfig.EnableRemoteDebug", FLAG),
    Field("session_tag_chaining", "SessionChainingConfig.EnableSessionTagChaining", FLAG),
    network(),
    OWN_TAGS,
)


class Training(Step):
    """Runs ``code`` (a script, or a folder with ``entry`` in it) in script mode; without code, the image's algorithm.

    The script finds channel ``x`` in ``$SM_CHANNEL_X``, gets hyperparameters as ``--name value``, and leaves the model
    in ``$SM_MODEL_DIR``. ``metrics`` maps a name to the regular expression that finds it in the log; ``rules`` watch
    them where the job runs in the local account. ``volume`` is in GB, ``max_runtime``, ``max_wait``, ``max_pending``
    and ``keep_alive`` in seconds.
    """

    step_type = STEP_TYPE
    shared_arguments = Job
    constructor = Constructor(FIELDS, yields={"ModelArtifacts.S3ModelArtifacts": Yielded("model", MODEL)})

    def __init__(
        self,
        name: str,
        *,
        image: Image | None = None,
        algorithm: Text | None = None,
        code: str | None = None,
        entry: str | None = None,
        command: Sequence[Text] | None = None,
        args: Sequence[Word] = (),
        channels: Mapping[str, Source | Channel] | None = None,
        input_mode: Mode = "File",
        hyperparameters: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Text] | None = None,
        environment: Environment | None = None,
        instance: Text | None = None,
        count: Count = 1,
        groups: Mapping[str, InstanceGroup] | None = None,
        volume: Count | None = VOLUME_GB,
        keep_alive: Count | None = None,
        max_runtime: Count | None = MAX_RUNTIME_SECONDS,
        spot: Flag | None = None,
        max_wait: Count | None = None,
        max_pending: Count | None = None,
        checkpoints: Text | Checkpoint | None = None,
        job_attempts: Count | None = None,
        rules: Sequence[TrainingRule] = (),
        to: Text | None = None,
        compression: Literal["GZIP", "NONE"] | None = "GZIP",
        debug_hook: DebugHook | None = None,
        debug_rules: Mapping[str, Rule] | None = None,
        profiler: Profiler | None = None,
        profiler_rules: Mapping[str, Rule] | None = None,
        tensorboard: Text | TensorBoard | None = None,
        infra_check: Flag | None = None,
        remote_debug: Flag | None = None,
        session_tag_chaining: Flag | None = None,
        **shared: Unpack[Job],
    ) -> None:
        self.share(name, shared)
        self.image = image
        self.algorithm = algorithm
        self.code = code
        self.entry = entry
        self.command = command
        self.args = args
        self.channels = dict(channels or {})
        training_job.check_channels(name, self.channels)
        self.input_mode = input_mode
        self.hyperparameters = dict(hyperparameters or {})
        self.metrics = dict(metrics or {})
        self.environment = dict(environment or {})
        self.instance = instance
        self.count = count
        self.groups = dict(groups or {})
        self.volume = volume
        self.keep_alive = keep_alive
        self.max_runtime = max_runtime
        self.spot = spot
        self.max_wait = max_wait
        self.max_pending = max_pending
        self.checkpoints = checkpoints
        self.job_attempts = job_attempts
        self.rules = tuple(rules)
        own = code is not None or command is not None
        self.rule_variables = variables(name, self.rules, self.metrics, self.environment, own)
        self.to = to
        self.compression = compression
        self.debug_hook = debug_hook
        self.debug_rules = dict(debug_rules or {})
        self.profiler = profiler
        self.profiler_rules = dict(profiler_rules or {})
        self.tensorboard = tensorboard
        self.infra_check = infra_check
        self.remote_debug = remote_debug
        self.session_tag_chaining = session_tag_chaining
        if image is None and algorithm is None:
            message = f"Training {name}: the argument image is missing"
            misuse("D041", message, help="give image=, or algorithm= for one that you have registered", step=name)
            self.poisoned = True

    @property
    def model(self) -> ModelReference:
        """The S3 URI of ``model.tar.gz``."""
        return ModelReference(self.name, "ModelArtifacts.S3ModelArtifacts")

    def values_of(self, given: str) -> Callable[[str], object] | None:
        return self.metric if given == "metrics" else None

    def metric(self, name: str) -> PropertyReference:
        """The last value of one of ``metrics``."""
        if name not in self.metrics:
            if "metrics" not in self.wrong:
                unknown_name(self.name, "metric", name, self.metrics)
            return Poison()  # type: ignore[return-value]
        return self.property(f"FinalMetricDataList['{name}'].Value")
