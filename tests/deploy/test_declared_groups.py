"""Declared groups of the model registry in an account: moto knows no policies of theirs."""

from __future__ import annotations

import json

from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.wanting import RESOURCE
from mlops.deploy.endpoints.crossing import allows

from .conftest import World
from .test_declared import LOCAL, planned, upserted
from .test_registry import register

GROUP = """
from mlops import resources
resources.ModelPackageGroup("churn", description="{a}", readers=["444455556666"], tags={{"team": "growth"}})
"""
BARE = 'from mlops import resources\nresources.ModelPackageGroup("churn", description="{a}")\n'


@LOCAL
def test_a_group_is_made_shared_changed_and_goes(world: World) -> None:
    sagemaker = world.account.client("sagemaker")
    assert [action.label for action in planned(world, GROUP).actions] == ["create the model-package-group churn"]
    upserted(world, GROUP)
    assert not planned(world, GROUP).actions
    found = sagemaker.describe_model_package_group(ModelPackageGroupName="churn")
    tags = sagemaker.list_tags(ResourceArn=found["ModelPackageGroupArn"])["Tags"]
    assert {"Key": RESOURCE, "Value": "model-package-group churn"} in tags and {
        "Key": "team",
        "Value": "growth",
    } in tags
    policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName="churn")["ResourcePolicy"]
    assert allows(policy, "444455556666", ("sagemaker:DescribeModelPackage",))
    assert not allows(policy, "111122223333", ("sagemaker:DescribeModelPackage",))
    places = [place for item in json.loads(policy)["Statement"] for place in item["Resource"]]
    assert all(place.rpartition(":")[2] in ("model-package-group/churn", "model-package/churn/*") for place in places)

    # What nobody may change is told, and what is changed is changed where it stands.
    assert any("Description" in why and "cannot be changed" in why for why in planned(world, GROUP, a="2").refused)
    assert [action.label for action in planned(world, BARE).actions] == ["update the model-package-group churn"]
    upserted(world, BARE)
    assert not planned(world, BARE).actions

    register(world)
    (version,) = sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"]
    removal = plan_removal(world.account, world.environment, "churn")
    assert removal.stays == ("model-package-group churn stays: it has versions; delete these first",)
    sagemaker.delete_model_package(ModelPackageName=version["ModelPackageArn"])
    destroy(world.account, world.environment, plan_removal(world.account, world.environment, "churn"))
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
