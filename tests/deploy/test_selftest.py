"""A selftest leaves nothing behind, also where the execution fails; the whole one was run by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mlops.check import check
from mlops.cli import main
from mlops.deploy.pipelines.prune import Inventory, inventory
from mlops.deploy.pipelines.state import describe
from mlops.deploy.selftest import selftest
from mlops.ir.reader import read

from .conftest import World
from .test_plan import fail


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_what_fails_is_told_and_removed(world: World) -> None:
    text = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Steps": [fail("Stop", "not today")]})
    definition, _ = read(text)
    assert definition is not None
    checked = check(replace(definition, name="selftest"))
    proofs = selftest(world.account, world.environment, checked, seconds=60, say=lambda text: None)
    assert [(proof.name, proof.ok) for proof in proofs] == [
        ("create the pipeline", True),
        ("upsert again", True),
        ("run it", False),
        ("remove it all", True),
    ]
    assert "Failed" in proofs[2].detail
    assert describe(world.account, "selftest") is None
    assert inventory(world.account, world.environment) == Inventory(())


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_what_cannot_be_removed_leaves_nothing_else_behind(world: World) -> None:
    """moto neither runs a pipeline, nor stops one, nor deletes a group of models."""
    checked = world.compiled()
    proofs = {
        proof.name: proof
        for proof in selftest(world.account, world.environment, checked, seconds=60, say=lambda text: None)
    }
    assert proofs["create the pipeline"].ok and not proofs["run it"].ok and not proofs["remove it all"].ok
    assert proofs["run it"].detail.startswith("ListPipelineExecutionSteps: ")
    assert "DeleteModelPackageGroup: " in proofs["remove it all"].detail
    assert "removed: pipeline churn, record of churn, 0 outputs, 2 objects of code" in proofs["remove it all"].detail
    assert describe(world.account, "churn") is None
    assert inventory(world.account, world.environment) == Inventory(())


def test_without_yes_it_only_says_what_it_would_do(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("selftest")
    (folder / "mlops.toml").touch()
    monkeypatch.chdir(folder)
    assert main(["selftest", "--max-cost", "0.5"]) == 0
    assert "for at most 120 minutes" in capsys.readouterr().err
