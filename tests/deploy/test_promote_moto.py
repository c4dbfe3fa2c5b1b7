"""A promotion against moto, which has no UpdateEndpoint: what makes an endpoint is finished wherever it was cut off."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from mlops.account import connect
from mlops.deploy.endpoints.promote import Target, promote
from mlops.deploy.models.registry import version
from mlops.deploy.shifting.settings import read
from mlops.project.environments import read_project

from .conftest import World
from .test_registry import register

pytestmark = pytest.mark.parametrize("world", ["moto"], indirect=True)
PLAIN = read(read_project(Path("/nowhere")).environment("local"), Path("/nowhere"))
SERVICES = ("s3", "sagemaker", "sagemaker-runtime", "sts")
SAMPLES = {"sample.csv": b"1,2\n"}


def killed_after(world: World, number: int) -> bool:
    """Promote in a process of its own that is killed when its ``number``-th write was answered, or its question to the
    model; False where it made fewer."""
    child = os.fork()
    if child == 0:
        calls = [0]

        def answered(model: Any, **_: Any) -> None:
            calls[0] += model.name.startswith(("Create", "Invoke"))
            if calls[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            account = connect(world.environment)
            for service in SERVICES:
                account.client(service).meta.events.register_last("after-call.*.*", answered)
            promoted(World(world.folder, world.environment, account))
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def promoted(world: World) -> str:
    chosen = version(world.account, "churn", 1)
    return promote(world.account, world.environment, chosen, Target("churn", timeout=60), PLAIN, samples=SAMPLES).action


@pytest.mark.proof("kills")
def test_a_kill_after_each_write_is_finished_by_the_next(world: World) -> None:
    register(world, "Approved")
    sagemaker = world.account.client("sagemaker")
    number = 0
    while killed_after(world, number := number + 1):
        assert promoted(world) in ("created", "unchanged")
        assert promoted(world) == "unchanged"
        endpoint = sagemaker.describe_endpoint(EndpointName="churn")
        assert endpoint["EndpointStatus"] == "InService"
        sagemaker.delete_endpoint(EndpointName="churn")
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        sagemaker.delete_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        sagemaker.delete_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert number == 5
