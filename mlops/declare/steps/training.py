"""Training: fit a model in script mode or with an image's own algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Unpack

from mlops.declare import training_job
from mlops.declare.members import without_none
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelReference, PropertyReference, Reference, lower
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    VOLUME_GB,
    Count,
    Environment,
    Flag,
    Image,
    Job,
    JobSettings,
    Text,
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


class Training(Step):
    """Runs ``code`` (a script, or a folder with ``entry`` in it) in script mode; without code, the image's algorithm.

    The script finds channel ``x`` in ``$SM_CHANNEL_X``, gets hyperparameters as ``--name value``, and leaves the model
    in ``$SM_MODEL_DIR``. ``metrics`` maps a name to the regular expression that finds it in the log. ``volume`` is in
    GB, ``max_runtime``, ``max_wait``, ``max_pending`` and ``keep_alive`` in seconds.
    """

    step_type = STEP_TYPE
    shared_arguments = Job

    def __init__(
        self,
        name: str,
        *,
        image: Image | None = None,
        algorithm: Text | None = None,
        code: str | None = None,
        entry: str | None = None,
        command: Sequence[Text] | None = None,
        args: Sequence[str | Reference] = (),
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
        self.job = JobSettings.of(shared)
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

    def metric(self, name: str) -> PropertyReference:
        """The last value of one of ``metrics``."""
        if name not in self.metrics:
            misuse(
                "D032",
                f"step {self.name} has no metric {name!r}",
                help=f"its metrics are {', '.join(self.metrics) or 'none'}",
                step=self.name,
            )
        return self.property(f"FinalMetricDataList['{name}'].Value")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        instance = lowering.instance(self.instance)
        script, variables = training_job.script(lowering, self, self.code, self.entry, self.environment)
        image = None
        if self.image is not None:
            image = lowering.image(self.image, scope="training", instance=instance, step=self)
        target = lowering.environment.uri(lowering.pipeline, self.name) if self.to is None else lower(self.to)
        return without_none(
            {
                "AlgorithmSpecification": without_none(
                    {
                        "TrainingImage": image,
                        "AlgorithmName": lower(self.algorithm),
                        "TrainingInputMode": self.input_mode,
                        "MetricDefinitions": training_job.metric_definitions(self.metrics),
                        "ContainerEntrypoint": training_job.words(self.command),
                        "ContainerArguments": training_job.words(self.args),
                    }
                ),
                "HyperParameters": training_job.hyperparameters(self.hyperparameters, script),
                "InputDataConfig": training_job.channels(lowering, self, self.channels),
                "OutputDataConfig": without_none(
                    {
                        "S3OutputPath": target,
                        "CompressionType": self.compression,
                        "KmsKeyId": self.job.kms_key(lowering),
                    }
                ),
                "ResourceConfig": training_job.machines(
                    lowering,
                    self.job,
                    instance=instance,
                    count=self.count,
                    volume=self.volume,
                    groups=self.groups,
                    keep_alive=self.keep_alive,
                ),
                "RoleArn": self.job.role(lowering),
                "StoppingCondition": training_job.stopping(
                    self.max_runtime, spot=self.spot, max_wait=self.max_wait, max_pending=self.max_pending
                ),
                "EnableManagedSpotTraining": lower(self.spot),
                "CheckpointConfig": training_job.checkpoint(self.checkpoints),
                "RetryStrategy": training_job.attempts(self.job_attempts),
                "Environment": variables,
                "DebugHookConfig": training_job.debug_hook(self.debug_hook),
                "DebugRuleConfigurations": training_job.rules(self.debug_rules),
                "ProfilerConfig": training_job.profiler(self.profiler),
                "ProfilerRuleConfigurations": training_job.rules(self.profiler_rules),
                "TensorBoardOutputConfig": training_job.tensorboard(self.tensorboard),
                "InfraCheckConfig": None if self.infra_check is None else {"EnableInfraCheck": lower(self.infra_check)},
                "RemoteDebugConfig": None
                if self.remote_debug is None
                else {"EnableRemoteDebug": lower(self.remote_debug)},
                "SessionChainingConfig": None
                if self.session_tag_chaining is None
                else {"EnableSessionTagChaining": lower(self.session_tag_chaining)},
                **self.job.security(lowering),
                "Tags": self.job.tags(lowering),
            }
        )
