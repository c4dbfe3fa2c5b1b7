"""Steps that call services, written with the official SDK 3 as its docstrings show. Runs without an account."""

from sagemaker.core.clarify import BiasConfig, DataConfig, ModelConfig, ModelPredictedLabelConfig, SHAPConfig
from sagemaker.core.helper.session_helper import production_variant
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.lineage.action import Action
from sagemaker.core.lineage.artifact import Artifact
from sagemaker.core.model_monitor import DatasetFormat
from sagemaker.core.shapes import MlflowConfig
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionIn,
    ConditionLessThan,
    ConditionNot,
    ConditionOr,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_capture import capture_create_job_request
from sagemaker.core.workflow.pipeline_context import PipelineSession, _JobStepArguments, runnable_by_pipeline
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
from sagemaker.mlops.workflow.clarify_check_step import (
    ClarifyCheckStep,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from sagemaker.mlops.workflow.cleanup_step import CleanupStep, S3CleanupSource
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.emr_serverless_step import EMRServerlessJobConfig, EMRServerlessStep
from sagemaker.mlops.workflow.emr_step import EMRStep, EMRStepConfig
from sagemaker.mlops.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.for_each_step import CurrentItem, ForEachSelector, ForEachStep, IterationOutput
from sagemaker.mlops.workflow.inference_component_step import InferenceComponentStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.lineage_step import LineageAssociation, LineageEntityReference, LineageStep
from sagemaker.mlops.workflow.notebook_job_step import NotebookJobStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.pipeline_experiment_config import PipelineExperimentConfig
from sagemaker.mlops.workflow.quality_check_step import (
    DataQualityCheckConfig,
    ModelQualityCheckConfig,
    QualityCheckStep,
)
from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition
from sagemaker.mlops.workflow.steps import CacheConfig, JobStep

ROLE = "arn:aws:iam::111122223333:role/pipelines"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function"
SERVER = "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/team"

session = PipelineSession(default_bucket="acme-ml", default_bucket_prefix="mlops")

names = ParameterString("Names", default_value='[{"name": "a", "a": {"b": 1}}]')
rate = ParameterFloat("Rate", default_value=0.5)
depth = ParameterInteger("Depth", default_value=3)
strict = ParameterBoolean("Strict", default_value=True)
week = CacheConfig(enable_caching=True, expire_after="P7D")


def invoked(name):
    return Lambda(function_arn=f"{FUNCTION}:{name}", session=session)


gate = LambdaStep(
    "Gate",
    lambda_func=invoked("gate"),
    inputs={"rate": rate, "k": 3, "text": "x"},
    outputs=[
        LambdaOutput("score", LambdaOutputTypeEnum.Float),
        LambdaOutput("count", LambdaOutputTypeEnum.Integer),
        LambdaOutput("ok", LambdaOutputTypeEnum.Boolean),
        LambdaOutput("path", LambdaOutputTypeEnum.String),
    ],
    cache_config=week,
    description="may it go on?",
)
ask = CallbackStep(
    "Ask",
    sqs_queue_url="https://sqs.us-east-1.amazonaws.com/111122223333/approvals",
    inputs={"score": gate.properties.Outputs["score"]},
    outputs=[CallbackOutput("approved", CallbackOutputTypeEnum.Boolean)],
    display_name="Ask somebody",
)

spark_step = EMRStepConfig(
    jar="s3://acme-ml/job.jar",
    args=["--depth", Join(on="", values=[depth])],
    main_class="com.acme.Main",
    properties=[{"Key": "k", "Value": "v"}],
    output_args={"output": "s3://acme-ml/spark/"},
)
spark = EMRStep("Spark", None, None, "j-ABC", spark_step, execution_role_arn=ROLE, depends_on=[ask])
cluster = EMRStep(
    "Cluster",
    None,
    None,
    None,
    EMRStepConfig(jar="s3://acme-ml/job.jar"),
    cluster_config={
        "Instances": {
            "InstanceGroups": [
                {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"},
                {"InstanceRole": "CORE", "InstanceCount": 2, "InstanceType": "m5.xlarge"},
            ]
        },
        "ReleaseLabel": "emr-7.1.0",
        "Applications": [{"Name": "Spark"}],
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "ServiceRole": "EMR_DefaultRole",
    },
    cache_config=week,
)
serverless = EMRServerlessStep(
    "SparkServerless",
    None,
    None,
    EMRServerlessJobConfig(
        job_driver={"sparkSubmit": {"entryPoint": "s3://acme-ml/job.py", "entryPointArguments": ["--x"]}},
        execution_role_arn=ROLE,
        execution_timeout_minutes=60,
    ),
    application_id="00fa",
)
hive = EMRServerlessStep(
    "Hive",
    None,
    None,
    EMRServerlessJobConfig(job_driver={"hive": {"query": "s3://acme-ml/q.sql"}}, execution_role_arn=ROLE),
    application_config={"releaseLabel": "emr-7.1.0", "type": "HIVE"},
)

configure = EndpointConfigStep(
    "Configure",
    step_args=session.create_endpoint_config(
        name="churn-config",
        production_variants=[production_variant("churn-model", "ml.m5.large", 1, variant_name="AllTraffic")],
    ),
)
serve = EndpointStep(
    "Serve",
    step_args=session.create_endpoint("churn", configure.properties.EndpointConfigName),
)
component = InferenceComponentStep(
    "Component",
    step_args=session.create_inference_component(
        "churn-component",
        "components",  # an endpoint whose variant has no model of its own
        "AllTraffic",
        specification={
            "ModelName": "churn-model",
            "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024, "NumberOfCpuCoresRequired": 1},
        },
        runtime_config={"CopyCount": 2},
    ),
)

lineage = LineageStep(
    "Record",
    actions=[
        Action.create(
            action_name="fit", source_uri="s3://acme-ml/run", action_type="ModelTraining", sagemaker_session=session
        )
    ],
    artifacts=[
        Artifact.create(
            artifact_name="model",
            source_uri=spark.emr_outputs["output"],
            artifact_type="Model",
            sagemaker_session=session,
        )
    ],
    associations=[
        LineageAssociation(
            LineageEntityReference(name="fit", type="Action"),
            LineageEntityReference(name="model", type="Artifact"),
            "Produced",
        ),
        LineageAssociation(
            LineageEntityReference(arn="arn:aws:sagemaker:us-east-1:111122223333:artifact/0"),
            LineageEntityReference(name="fit", type="Action"),
        ),
    ],
)


class AgentTuner:
    sagemaker_session = session

    @runnable_by_pipeline
    def create(self):
        capture_create_job_request(
            self.sagemaker_session,
            job_name="agent",
            role_arn=ROLE,
            job_category="AgentRFT",
            schema_version="1.0.0",
            job_config={"Depth": names, "OutputDataConfig": {"S3OutputPath": "s3://acme-ml/agents"}, "Epochs": 2},
        )


def create_job():
    """What a producer of the SDK gives to JobStep."""
    tuner = AgentTuner()
    captured = tuner.create()
    return _JobStepArguments("create_job", captured.args) if not hasattr(captured, "func_args") else captured


create_arguments = create_job()
create_arguments.caller_name = "create_job"
tune = JobStep("TuneAgent", step_args=create_arguments)

fit = LambdaStep(
    "Fit",
    lambda_func=invoked("fit"),
    inputs={"name": CurrentItem()["name"], "deep": CurrentItem().a.b, "all": CurrentItem()},
    outputs=[LambdaOutput("score", LambdaOutputTypeEnum.Float), LambdaOutput("path", LambdaOutputTypeEnum.String)],
)
each = ForEachStep(
    "Each",
    iterable_items=names,
    max_concurrency=2,
    for_each_body=[fit],
    selector=ForEachSelector("MinBy", IterationOutput(fit).OutputParameters["score"]),
)
items = ForEachStep(
    "Items",
    iterable_items=['{"n": 1}', "plain", 3, depth],
    max_concurrency=50,
    for_each_body=[LambdaStep("Echo", lambda_func=invoked("echo"), inputs={"item": CurrentItem()})],
)
tell = LambdaStep(
    "Tell",
    lambda_func=invoked("tell"),
    inputs={
        "best": each.properties.Selected.OutputParameters["path"],
        "first": each.properties.IterationOutputs[0].Fit.OutputParameters["score"],
        "n": each.properties.InputItemCount,
        "failed": each.properties.FailedStepCount,
        "status": each.properties.Status,
        "arn": lineage.properties.ArtifactArns["model"],
        "result": tune.properties.JobConfigDocument,
    },
    depends_on=[
        StepDependency(spark, TriggerCondition.FAILED),
        StepDependency(cluster, TriggerCondition.STOPPED),
        StepDependency(hive, TriggerCondition.ANY),
        StepDependency(gate, TriggerCondition.COMPLETED),
    ],
)
clean = CleanupStep(
    "Clean",
    s3_sources=[S3CleanupSource(spark), S3CleanupSource(cluster, [Join(on="/", values=["s3://acme-ml", "x.csv"])])],
    depends_on=[StepDependency(cluster, TriggerCondition.ANY)],
)

job = CheckJobConfig(role=ROLE, instance_type="ml.m5.large", max_runtime_in_seconds=1800, sagemaker_session=session)
data_quality = QualityCheckStep(
    "DataQuality",
    DataQualityCheckConfig(
        baseline_dataset="s3://acme-data/d.csv",
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri="s3://acme-ml/dq",
        record_preprocessor_script="s3://acme-ml/code/pre.py",
        post_analytics_processor_script="s3://acme-ml/code/post.py",
    ),
    job,
    model_package_group_name="churn",
    fail_on_violation=strict,
)
model_quality = QualityCheckStep(
    "ModelQuality",
    ModelQualityCheckConfig(
        baseline_dataset=gate.properties.Outputs["path"],
        dataset_format=DatasetFormat.json(lines=True),
        output_s3_uri="s3://acme-ml/mq",
        problem_type="BinaryClassification",
        probability_attribute="0",
        ground_truth_attribute="$.y",
        probability_threshold_attribute="0.5",
    ),
    job,
    skip_check=True,
    register_new_baseline=True,
    supplied_baseline_statistics="s3://acme-ml/s.json",
    supplied_baseline_constraints=data_quality.properties.CalculatedBaselineConstraints,
)


def clarify(to):
    return DataConfig(
        s3_data_input_path="s3://acme-data/d.csv",
        s3_output_path=to,
        label="y",
        headers=["y", "age"],
        dataset_type="text/csv",
    )


bias = BiasConfig(label_values_or_threshold=[1], facet_name="age", facet_values_or_threshold=[40])
data_bias = ClarifyCheckStep(
    "DataBias",
    DataBiasCheckConfig(data_config=clarify("s3://acme-ml/bias"), data_bias_config=bias),
    job,
    model_package_group_name="churn",
)
model_bias = ClarifyCheckStep(
    "ModelBias",
    ModelBiasCheckConfig(
        data_config=clarify("s3://acme-ml/model-bias"),
        data_bias_config=bias,
        model_config=ModelConfig(model_name="churn-model", instance_count=1, instance_type="ml.m5.large"),
        model_predicted_label_config=ModelPredictedLabelConfig(probability_threshold=0.5),
    ),
    job,
    skip_check=True,
)
explain = ClarifyCheckStep(
    "Explain",
    ModelExplainabilityCheckConfig(
        data_config=clarify("s3://acme-ml/explain"),
        model_config=ModelConfig(
            model_name=gate.properties.Outputs["path"], instance_count=1, instance_type="ml.m5.large"
        ),
        explainability_config=SHAPConfig(baseline=[[40]], num_samples=5, agg_method="mean_abs"),
    ),
    job,
    skip_check=True,
)
report = NotebookJobStep(
    input_notebook="report.ipynb",
    image_uri="885854791233.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:1-cpu",
    kernel_name="python3",
    name="Report",
    notebook_job_name="report",
    role=ROLE,
    s3_root_uri="s3://acme-ml/mlops",
    parameters={"week": names},
    environment_variables={"A": "b"},
    initialization_script="setup.sh",
    instance_type="ml.m5.large",
)

decide = ConditionStep(
    "Decide",
    conditions=[
        ConditionOr(
            [
                ConditionNot(ConditionEquals(left=gate.properties.Outputs["ok"], right=True)),
                ConditionOr([ConditionGreaterThan(left=rate, right=0.9), ConditionLessThan(left=depth, right=1)]),
            ]
        ),
        ConditionIn(value=names, in_values=["x", ExecutionVariables.PIPELINE_NAME]),
        ConditionNot(ConditionNot(ConditionLessThan(left=0.1, right=rate))),
    ],
    if_steps=[FailStep("Stop", error_message=Join(on=" ", values=["stopped at", ExecutionVariables.START_DATETIME]))],
    else_steps=[FailStep("Quiet")],
    depends_on=[ask],
    display_name="Go on?",
)

pipeline = Pipeline(
    name="services",
    parameters=[names, rate, depth, strict],
    pipeline_experiment_config=PipelineExperimentConfig("churn", ExecutionVariables.PIPELINE_EXECUTION_ID),
    mlflow_config=MlflowConfig(mlflow_resource_arn=SERVER, mlflow_experiment_name="runs"),
    steps=[
        gate, ask, spark, cluster, serverless, hive, configure, serve, component, lineage, tune, each, items, tell,
        clean, data_quality, model_quality, data_bias, model_bias, explain, report, decide,
    ],
    sagemaker_session=session,
)  # fmt: skip
