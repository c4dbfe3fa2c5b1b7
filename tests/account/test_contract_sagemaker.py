"""Pipelines, the registry, models and identity as both accounts answer them (what the other one can)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE, fail
from botocore.exceptions import ClientError, ParamValidationError

from mlops.account import Account, identify

INFERENCE = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://mlops-tests/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def sagemaker(account: Account) -> Any:
    return account.client("sagemaker")


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def create(sagemaker: Any, name: str = "churn", **more: Any) -> str:
    reply = sagemaker.create_pipeline(**{"PipelineName": name, "PipelineDefinition": fail(), "RoleArn": ROLE, **more})
    return str(reply["PipelineArn"])


def register(sagemaker: Any, group: str = "models", **more: Any) -> str:
    reply = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=INFERENCE, **more)
    return str(reply["ModelPackageArn"])


def test_identity(account: Account) -> None:
    assert identify(account) in ("000000000000", "123456789012")


def test_a_pipeline_is_told_as_it_was_made(sagemaker: Any) -> None:
    arn = create(sagemaker, PipelineDisplayName="Churn", PipelineDescription="Who leaves?")
    found = sagemaker.describe_pipeline(PipelineName="churn")
    assert (found["PipelineArn"], found["PipelineName"]) == (arn, "churn")
    assert (found["PipelineDefinition"], found["RoleArn"]) == (fail(), ROLE)
    assert (found["PipelineDisplayName"], found["PipelineDescription"]) == ("Churn", "Who leaves?")
    assert arn.endswith(":pipeline/churn")
    assert found["CreationTime"].tzinfo is not None


def test_a_pipeline_is_made_once(sagemaker: Any) -> None:
    create(sagemaker)
    with refused("ValidationException"):
        create(sagemaker, ClientRequestToken=uuid.uuid4().hex)


def test_a_pipeline_is_updated(sagemaker: Any) -> None:
    create(sagemaker, PipelineDescription="kept")
    sagemaker.update_pipeline(PipelineName="churn", PipelineDefinition=fail("another"))
    found = sagemaker.describe_pipeline(PipelineName="churn")
    assert found["PipelineDefinition"] == fail("another")
    assert found["PipelineDescription"] == "kept"


def test_pipelines_are_listed(sagemaker: Any) -> None:
    for name in ("churn", "forecast", "churn-weekly"):
        create(sagemaker, name)
    everything = sagemaker.list_pipelines()["PipelineSummaries"]
    assert {item["PipelineName"] for item in everything} == {"churn", "forecast", "churn-weekly"}
    some = sagemaker.list_pipelines(PipelineNamePrefix="churn", SortBy="Name", SortOrder="Ascending")
    assert [item["PipelineName"] for item in some["PipelineSummaries"]] == ["churn", "churn-weekly"]


def test_a_deleted_pipeline_is_gone(sagemaker: Any) -> None:
    create(sagemaker)
    sagemaker.delete_pipeline(PipelineName="churn", ClientRequestToken=uuid.uuid4().hex)
    with pytest.raises(ClientError):
        sagemaker.describe_pipeline(PipelineName="churn")
    with pytest.raises(ClientError):
        sagemaker.start_pipeline_execution(PipelineName="churn")


def test_what_botocore_refuses(sagemaker: Any) -> None:
    with pytest.raises(ParamValidationError):
        sagemaker.create_pipeline(PipelineName="churn")
    with pytest.raises(ParamValidationError):
        sagemaker.describe_pipeline(PipelineName=5)


def test_groups(sagemaker: Any) -> None:
    made = sagemaker.create_model_package_group(
        ModelPackageGroupName="models", ModelPackageGroupDescription="some", Tags=[{"Key": "team", "Value": "growth"}]
    )
    found = sagemaker.describe_model_package_group(ModelPackageGroupName="models")
    assert found["ModelPackageGroupArn"] == made["ModelPackageGroupArn"]
    assert found["ModelPackageGroupDescription"] == "some"
    assert found["ModelPackageGroupStatus"] == "Completed"
    tags = sagemaker.list_tags(ResourceArn=made["ModelPackageGroupArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "growth"}]
    listed = sagemaker.list_model_package_groups(NameContains="mod")["ModelPackageGroupSummaryList"]
    assert [item["ModelPackageGroupName"] for item in listed] == ["models"]


def test_an_absent_group(sagemaker: Any) -> None:
    with refused("ValidationException"):
        sagemaker.describe_model_package_group(ModelPackageGroupName="absent")


def test_packages_are_numbered_and_approved(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    first = register(sagemaker)
    second = register(sagemaker, ModelApprovalStatus="PendingManualApproval")
    assert first.endswith("model-package/models/1")
    assert second.endswith("model-package/models/2")
    sagemaker.update_model_package(
        ModelPackageArn=second, ModelApprovalStatus="Approved", ApprovalDescription="good enough"
    )
    found = sagemaker.describe_model_package(ModelPackageName=second)
    assert (found["ModelPackageVersion"], found["ModelPackageGroupName"]) == (2, "models")
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "good enough")
    assert found["InferenceSpecification"]["Containers"][0]["Image"] == IMAGE
    assert found["ModelPackageStatus"] == "Completed"
    approved = sagemaker.list_model_packages(ModelPackageGroupName="models", ModelApprovalStatus="Approved")
    assert [item["ModelPackageArn"] for item in approved["ModelPackageSummaryList"]] == [second]
    newest = sagemaker.list_model_packages(
        ModelPackageGroupName="models", SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    assert [item["ModelPackageVersion"] for item in newest["ModelPackageSummaryList"]] == [2]


def test_models(sagemaker: Any) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": "s3://mlops-tests/model.tar.gz", "Environment": {"A": "1"}}
    made = sagemaker.create_model(ModelName="churn-1", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    found = sagemaker.describe_model(ModelName="churn-1")
    assert found["ModelArn"] == made["ModelArn"]
    for member, value in container.items():
        assert found["PrimaryContainer"][member] == value
    assert [item["ModelName"] for item in sagemaker.list_models()["Models"]] == ["churn-1"]
    sagemaker.delete_model(ModelName="churn-1")
    with refused("ValidationException"):
        sagemaker.describe_model(ModelName="churn-1")
    with refused("ValidationException"):
        sagemaker.delete_model(ModelName="churn-1")


def test_endpoint_configurations(sagemaker: Any) -> None:
    sagemaker.create_model(ModelName="churn-1", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "churn-1",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": 1.0,
    }
    made = sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
    found = sagemaker.describe_endpoint_config(EndpointConfigName="config")
    assert found["EndpointConfigArn"] == made["EndpointConfigArn"]
    assert variant.items() <= found["ProductionVariants"][0].items()
    sagemaker.delete_endpoint_config(EndpointConfigName="config")
    with refused("ValidationException"):
        sagemaker.describe_endpoint_config(EndpointConfigName="config")


def test_tags(sagemaker: Any) -> None:
    arn = create(sagemaker, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "c", "Value": "3"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b", "never was"])
    tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert sorted(tags, key=lambda tag: tag["Key"]) == [{"Key": "a", "Value": "1"}, {"Key": "c", "Value": "3"}]


SEARCHES: dict[str, tuple[dict[str, str], set[str]]] = {
    "a name": ({"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "churn-dev"}, {"churn-dev"}),
    "any other name": (
        {"Name": "ModelPackageGroupName", "Operator": "NotEquals", "Value": "churn-dev"},
        {"churn-prod", "fraud"},
    ),
    "a part of the name": (
        {"Name": "ModelPackageGroupName", "Operator": "Contains", "Value": "churn"},
        {"churn-dev", "churn-prod"},
    ),
    "a tag": ({"Name": "Tags.team", "Operator": "Equals", "Value": "growth"}, {"churn-prod"}),
    "a tag of another value": ({"Name": "Tags.team", "Operator": "Equals", "Value": "risk"}, set()),
}


@pytest.mark.parametrize("which", SEARCHES)
def test_groups_are_searched(sagemaker: Any, which: str) -> None:
    for name in ("churn-dev", "churn-prod", "fraud"):
        tags = {"Tags": [{"Key": "team", "Value": "growth"}]} if name == "churn-prod" else {}
        sagemaker.create_model_package_group(ModelPackageGroupName=name, **tags)
    asked, expected = SEARCHES[which]
    found = sagemaker.search(Resource="ModelPackageGroup", SearchExpression={"Filters": [asked]})["Results"]
    assert {item["ModelPackageGroup"]["ModelPackageGroupName"] for item in found} == expected


def test_a_search_by_what_groups_do_not_have(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="churn-dev")
    asked = {"Filters": [{"Name": "Colour", "Operator": "Equals", "Value": "red"}]}
    with pytest.raises(ClientError, match="Unknown property name: Colour"):
        sagemaker.search(Resource="ModelPackageGroup", SearchExpression=asked)


def test_notebook_instances(sagemaker: Any) -> None:
    config = {"NotebookInstanceLifecycleConfigName": "setup"}
    name = {"NotebookInstanceName": "research"}
    with refused("ValidationE[a-z]+"):
        sagemaker.describe_notebook_instance(**name)
    sagemaker.create_notebook_instance_lifecycle_config(**config, OnStart=[{"Content": "IyEvYmluL2Jhc2gK"}])
    assert (
        sagemaker.describe_notebook_instance_lifecycle_config(**config)["OnStart"][0]["Content"] == "IyEvYmluL2Jhc2gK"
    )
    made = sagemaker.create_notebook_instance(
        **name, InstanceType="ml.t3.medium", RoleArn=ROLE, LifecycleConfigName="setup", RootAccess="Disabled"
    )
    with refused("ValidationE[a-z]+"):
        sagemaker.create_notebook_instance(**name, InstanceType="ml.t3.medium", RoleArn=ROLE)
    told = sagemaker.describe_notebook_instance(**name)
    assert told["NotebookInstanceArn"] == made["NotebookInstanceArn"]
    assert made["NotebookInstanceArn"].endswith(":notebook-instance/research")
    assert (told["NotebookInstanceStatus"], told["NotebookInstanceLifecycleConfigName"]) == ("InService", "setup")
    assert (told["DirectInternetAccess"], told["RootAccess"], told["VolumeSizeInGB"]) == ("Enabled", "Disabled", 5)
    with refused("ValidationE[a-z]+"):
        sagemaker.delete_notebook_instance(**name)
    sagemaker.stop_notebook_instance(**name)
    (listed,) = sagemaker.list_notebook_instances(StatusEquals="Stopped")["NotebookInstances"]
    assert listed["NotebookInstanceName"] == "research"
    sagemaker.start_notebook_instance(**name)
    assert sagemaker.describe_notebook_instance(**name)["NotebookInstanceStatus"] == "InService"
    sagemaker.stop_notebook_instance(**name)
    sagemaker.delete_notebook_instance(**name)
    sagemaker.delete_notebook_instance_lifecycle_config(**config)
    assert sagemaker.list_notebook_instances()["NotebookInstances"] == []
