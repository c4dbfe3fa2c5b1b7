"""What a pipeline needs is looked up: the account, a role, a repository, a secret, the newest approved package."""

import json

import boto3
from sagemaker.processing import ProcessingInput, Processor
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep

boto_session = boto3.Session()
region = boto_session.region_name
account = boto3.client("sts").get_caller_identity().get("Account")
role = boto3.client("iam").get_role(RoleName="pipelines")["Role"]["Arn"]
subnets = boto3.client("ssm").get_parameter(Name="/ml/subnets")["Parameter"]["Value"].split(",")
team = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId="ml/team")["SecretString"])["name"]
repository = boto3.client("ecr").describe_repositories(repositoryNames=["score"])["repositories"][0]["repositoryUri"]
machine = boto3.client("stepfunctions").list_state_machines()["stateMachines"][0]["stateMachineArn"]
packages = boto3.client("sagemaker").list_model_packages(
    ModelPackageGroupName="churn", ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
)["ModelPackageSummaryList"]
package = packages[0]["ModelPackageArn"]

session = PipelineSession()
processor = Processor(
    image_uri=f"{repository}:1",
    instance_type="ml.m5.large",
    instance_count=1,
    role=role,
    env={"TEAM": team, "PACKAGE": package, "MACHINE": machine, "SUBNETS": ",".join(subnets)},
    sagemaker_session=session,
)
score = ProcessingStep(
    name="Score",
    step_args=processor.run(
        inputs=[ProcessingInput(source=f"s3://{session.default_bucket()}/data", destination="/opt/ml/processing/data")]
    ),
)
pipeline = Pipeline(name=f"lookups-{account[-4:]}", steps=[score], sagemaker_session=session)

if __name__ == "__main__":
    print(pipeline.upsert(role_arn=role)["PipelineArn"])
