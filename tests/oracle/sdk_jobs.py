"""Jobs with much to say, written with the official SDK; ``jobs.py`` has the same in our words."""

from sagemaker.core.inputs import BatchDataCaptureConfig
from sagemaker.core.network import NetworkConfig
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.core.shapes import (
    AthenaDatasetDefinition,
    Channel,
    DatasetDefinition,
    DataSource,
    MetricDefinition,
    ProcessingS3Input,
    ProcessingS3Output,
    S3DataSource,
    ShuffleConfig,
    StoppingCondition,
)
from sagemaker.core.training.configs import (
    CheckpointConfig,
    Compute,
    Networking,
    OutputDataConfig,
    TensorBoardOutputConfig,
)
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionGreaterThan
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TransformStep, TuningStep
from sagemaker.train import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

ROLE = "arn:aws:iam::111122223333:role/pipelines"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:4"

session = PipelineSession(default_bucket="acme-ml", default_bucket_prefix="mlops")
count = ParameterInteger("Count", default_value=2)
day = ParameterString("Day", default_value="2026-01-31")
scorer = ParameterString("Scorer", default_value="scorer")

processor = Processor(
    role=ROLE,
    image_uri=IMAGE,
    instance_count=count,
    instance_type="ml.m5.large",
    entrypoint=["/usr/bin/prepare"],
    volume_size_in_gb=100,
    volume_kms_key="alias/disk",
    output_kms_key="alias/out",
    max_runtime_in_seconds=7200,
    env={"DAY": day},
    tags=[{"Key": "team", "Value": "growth"}],
    network_config=NetworkConfig(
        enable_network_isolation=False,
        security_group_ids=["sg-0a1b2c3d"],
        subnets=["subnet-0a1b2c3d"],
        encrypt_inter_container_traffic=True,
    ),
    sagemaker_session=session,
)
quality = PropertyFile(name="quality", output_name="report", path="quality.json")
prepare = ProcessingStep(
    "Prepare",
    step_args=processor.run(
        arguments=["--day", day],
        inputs=[
            ProcessingInput(
                input_name="images",
                s3_input=ProcessingS3Input(
                    s3_uri="s3://acme-data/images.manifest",
                    local_path="/opt/ml/processing/input/images",
                    s3_data_type="ManifestFile",
                    s3_input_mode="Pipe",
                    s3_data_distribution_type="ShardedByS3Key",
                    s3_compression_type="Gzip",
                ),
            ),
            ProcessingInput(
                input_name="visits",
                dataset_definition=DatasetDefinition(
                    local_path="/opt/ml/processing/input/visits",
                    data_distribution_type="FullyReplicated",
                    input_mode="File",
                    athena_dataset_definition=AthenaDatasetDefinition(
                        catalog="AwsDataCatalog",
                        database="web",
                        query_string="SELECT * FROM visits",
                        work_group="ml",
                        output_s3_uri="s3://acme-data/visits/",
                        output_format="PARQUET",
                        output_compression="SNAPPY",
                        kms_key_id="alias/athena",
                    ),
                ),
            ),
        ],
        outputs=[
            ProcessingOutput(
                output_name="report",
                s3_output=ProcessingS3Output(
                    s3_uri=Join(on="/", values=["s3://acme-data", day]),
                    local_path="/opt/ml/processing/report",
                    s3_upload_mode="Continuous",
                ),
            ),
        ],
    ),
    property_files=[quality],
    cache_config=CacheConfig(enable_caching=True, expire_after="P30D"),
    retry_policies=[
        StepRetryPolicy([StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING], max_attempts=5),
        SageMakerJobStepRetryPolicy(
            [SageMakerJobExceptionTypeEnum.CAPACITY_ERROR], backoff_rate=1.5, interval_seconds=60, expire_after_mins=90
        ),
    ],
)


def trainer(**more):
    return ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        input_data_config=[
            Channel(
                channel_name="train",
                data_source=DataSource(
                    s3_data_source=S3DataSource(
                        s3_data_type="AugmentedManifestFile",
                        s3_uri="s3://acme-data/train.manifest",
                        s3_data_distribution_type="ShardedByS3Key",
                        attribute_names=["source-ref", "label"],
                    )
                ),
                content_type="application/x-recordio",
                compression_type="None",
                record_wrapper_type="RecordIO",
                input_mode="Pipe",
                shuffle_config=ShuffleConfig(seed=7),
            )
        ],
        sagemaker_session=session,
        **more,
    ).with_metric_definitions([MetricDefinition(name="auc", regex="auc=([0-9.]+)")])


fit = trainer(
    compute=Compute(
        instance_type="ml.m5.large",
        instance_count=count,
        volume_size_in_gb=50,
        volume_kms_key_id="alias/disk",
        enable_managed_spot_training=True,
    ),
    networking=Networking(
        security_group_ids=["sg-0a1b2c3d"],
        subnets=["subnet-0a1b2c3d"],
        enable_network_isolation=True,
        enable_inter_container_traffic_encryption=True,
    ),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=3600, max_wait_time_in_seconds=7200),
    output_data_config=OutputDataConfig(
        s3_output_path="s3://acme-ml/models/", kms_key_id="alias/out", compression_type="NONE"
    ),
    checkpoint_config=CheckpointConfig(s3_uri="s3://acme-ml/checkpoints/"),
    hyperparameters={"depth": 5, "objective": "logloss"},
    environment={"DAY": day},
    tags=[{"key": "team", "value": "growth"}],
).with_tensorboard_output_config(TensorBoardOutputConfig(s3_output_path="s3://acme-ml/tensorboard/"))
train = TrainingStep(
    "Train",
    step_args=fit.train(),
    display_name="Fit",
    description="Fits",
    depends_on=[prepare],
    cache_config=CacheConfig(enable_caching=False),
)

tuner = HyperparameterTuner(
    trainer(
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30),
        output_data_config=OutputDataConfig(s3_output_path="s3://acme-ml/tuned", compression_type="GZIP"),
        hyperparameters={"objective": "logloss"},
    ),
    objective_metric_name="auc",
    objective_type="Maximize",
    hyperparameter_ranges={
        "depth": IntegerParameter(2, 10),
        "eta": ContinuousParameter(0.01, 0.3, scaling_type="Logarithmic"),
        "booster": CategoricalParameter(["gbtree", "dart"]),
    },
    metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
    strategy="Random",
    max_jobs=20,
    max_parallel_jobs=4,
    early_stopping_type="Auto",
    random_seed=3,
)
tune = TuningStep("Tune", step_args=tuner.tune())

transformer = Transformer(
    model_name=scorer,
    instance_type="ml.m5.large",
    instance_count=1,
    strategy="SingleRecord",
    assemble_with="Line",
    output_path="s3://acme-ml/scores",
    output_kms_key="alias/out",
    volume_kms_key="alias/disk",
    accept="text/csv",
    max_concurrent_transforms=2,
    max_payload=6,
    env={"DAY": day},
    tags=[{"Key": "team", "Value": "growth"}],
    sagemaker_session=session,
)
score = TransformStep(
    "Score",
    step_args=transformer.transform(
        data="s3://acme-data/newest.manifest",
        data_type="ManifestFile",
        content_type="text/csv",
        compression_type="Gzip",
        split_type="Line",
        input_filter="$[1:]",
        output_filter="$[0,-1]",
        join_source="Input",
        model_client_config={"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 1},
        batch_data_capture_config=BatchDataCaptureConfig("s3://acme-ml/captured/", generate_inference_id=True),
    ),
    depends_on=[StepDependency(train, TriggerCondition.ANY), StepDependency(tune, TriggerCondition.FAILED)],
)

judge = ConditionStep(
    "Good",
    conditions=[
        ConditionGreaterThan(
            left=JsonGet(step_name=prepare.name, property_file=quality, json_path="folds[0].auc"), right=0.5
        ),
        ConditionGreaterThan(
            left=JsonGet(s3_uri=Join(on="/", values=["s3://acme-data", day, "limits.json"]), json_path="most"), right=1
        ),
    ],
    if_steps=[
        FailStep("Best", error_message=tune.get_top_model_s3_uri(top_k=0, s3_bucket="acme-ml", prefix="tuned")),
    ],
)

pipeline = Pipeline(
    name="jobs",
    parameters=[count, day, scorer],
    steps=[prepare, train, tune, score, judge],
    sagemaker_session=session,
)
