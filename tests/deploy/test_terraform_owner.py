"""What the environment's state of Terraform says that it made is told and not changed, whatever is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.deploy.declared.destroy import plan_removal
from mlops.deploy.endpoints import serving
from mlops.deploy.endpoints.control import Steering
from mlops.deploy.endpoints.promote import Target, promote
from mlops.deploy.endpoints.shadow_tests import Wish, plan_start
from mlops.deploy.models.registry import version
from mlops.deploy.pipelines.destroy import destroy
from mlops.deploy.pipelines.destroy import plan_removal as plan_pipeline_removal
from mlops.deploy.pipelines.upsert import upsert
from mlops.deploy.shifting.settings import read
from mlops.ir import Refusal, UsageError

from .conftest import World
from .test_calls_judged import approved
from .test_declared import foreign, upserted
from .test_promote_moto import PLAIN
from .test_terraform_state import made, managed

ALARM = """
from mlops import resources
resources.Alarm("slow", metric=resources.Metric("shop", "latency"), statistic="Average", period=60, threshold=1,
                comparison="GreaterThanThreshold")
"""
pytestmark = pytest.mark.parametrize("world", ["moto"], indirect=True)


@pytest.fixture
def theirs(world: World, tmp_path: Path) -> World:
    """An environment whose state has an endpoint and a pipeline called churn, and an alarm called slow."""
    file = tmp_path / "state.json"
    resources = [
        managed("aws_sagemaker_endpoint", "door", made(name="churn")),
        managed("aws_sagemaker_pipeline", "pipeline", made(pipeline_name="churn")),
        managed("aws_cloudwatch_metric_alarm", "slow", made(alarm_name="slow")),
    ]
    file.write_text(json.dumps({"version": 4, "resources": resources}))
    return replace(world, environment=replace(world.environment, terraform_state=str(file)))


def test_an_endpoint_is_not_changed_by_any_command(theirs: World) -> None:
    account, environment = theirs.account, theirs.environment
    approved(theirs)
    with foreign(account):
        found = version(account, "churn", 1)
        for change in (
            lambda: serving.delete(account, environment, "churn"),
            Steering(account, environment, "churn", PLAIN).rollback,
            lambda: plan_start(account, environment, found, "churn", Wish()),
            lambda: promote(account, environment, found, Target("churn"), read(environment, theirs.folder)),
        ):
            with pytest.raises(Refusal, match=r"is Terraform's \(aws_sagemaker_endpoint\.door in .*terraform state rm"):
                change()
        removal = plan_removal(account, environment, "churn")
        assert removal.gone == () and "endpoint churn stays: it is Terraform's" in removal.stays[0]


def test_a_pipeline_stays(theirs: World, world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    removal = plan_pipeline_removal(theirs.account, theirs.environment, "churn")
    with pytest.raises(Refusal, match="is Terraform's"):
        destroy(theirs.account, theirs.environment, removal, force=True)
    destroy(world.account, world.environment, plan_pipeline_removal(world.account, world.environment, "churn"))


def test_an_alarm_stays(theirs: World, world: World) -> None:
    upserted(world, ALARM)
    removal = plan_removal(theirs.account, theirs.environment, "slow")
    (stays,) = removal.stays
    assert removal.gone == ()
    assert stays.startswith("alarm slow stays: it is Terraform's (aws_cloudwatch_metric_alarm.slow in ")
    assert plan_removal(world.account, world.environment, "slow").gone == (("alarm", "slow"),)


def test_a_state_that_is_not_there_is_told_with_the_mend(world: World) -> None:
    environment = replace(world.environment, terraform_state="nowhere.json")
    with foreign(world.account), pytest.raises(UsageError, match=r"nowhere\.json cannot be read") as told:
        serving.delete(world.account, environment, "churn")
    assert told.value.hint == "`terraform state pull > nowhere.json`"
