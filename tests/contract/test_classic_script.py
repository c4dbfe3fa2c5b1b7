"""The classic script-mode example, as tutorials have it, runs unchanged; and the folders that they draw are there."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from ports_for_tests import Account, training

from mlops.run.sandbox import probe

SEEDS = Path(__file__).with_name("seeds")
BRANCH = ("|-- ", "`-- ")

WALK = """
import json, os
base = "/opt/ml"
found = []
for folder, _, files in os.walk(base):
    found.append(folder)
    found += [os.path.join(folder, name) for name in files]
with open("/opt/ml/output/data/found.json", "w") as file:
    json.dump(sorted(found), file)
"""


def drawn(name: str) -> list[str]:
    """The paths of a drawn tree; ``<x>`` stays as it is."""
    paths: list[str] = []
    above: list[str] = []
    for line in (SEEDS / name).read_text(encoding="utf-8").splitlines():
        at = next((line.index(mark) for mark in BRANCH if mark in line), None)
        depth = 0 if at is None else at // 4 + 1
        above[depth:] = [line if at is None else line[at + 4 :]]
        paths.append("/".join(above))
    return paths


def run(account: Account, script: str) -> None:
    account.objects.write("s3://bucket/data/rows.csv", "1,2\n")
    step = training(
        account,
        "Train",
        {"train.py": script},
        channels={"training": "s3://bucket/data/"},
        hyperparameters={"epochs": "3", "batch-size": "16"},
    )
    assert account.run(step) == "Succeeded", account.journal.last("Train").failure


@pytest.mark.parametrize("mode", ["namespaces", "folders"])
def test_the_script_runs_unchanged(account: Account, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_SANDBOX", "folders" if mode == "folders" else "")
    if probe().mode != mode:
        pytest.skip(probe().reason)
    script = (SEEDS / "train.py").read_text(encoding="utf-8")
    run(account, script + "\n    print('SAW', args.epochs, args.batch_size, training_dir, model_path)\n")
    log = account.journal.log("Train")
    assert "SAW 3 16 " in log and "/input/data/training" in log and "/model/model.pth" in log
    run(account, script)
    assert account.journal.last("Train").response["TrainingJobStatus"] == "Completed"


def tree_of_a_step(account: Account) -> list[str]:
    if probe().mode != "namespaces":
        pytest.skip(probe().reason)
    run(account, WALK)
    model = account.journal.last("Train").response["ModelArtifacts"]["S3ModelArtifacts"]
    archive = account.objects.read(model.replace("model.tar.gz", "output.tar.gz"))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile("found.json")
        assert member is not None
        return list(json.load(member))


WRITTEN_BY_THE_SCRIPT = {"/opt/ml/model/<モデルファイル>", "/opt/ml/output/failure"}


def absent(tree: str, seen: list[str]) -> set[str]:
    filled = {
        path: path.replace("<channel_name>", "training").replace("<input データ>", "rows.csv") for path in drawn(tree)
    }
    return {path for path, real in filled.items() if real not in seen} - WRITTEN_BY_THE_SCRIPT


def test_the_drawn_folders(account: Account) -> None:
    """The drawing names ``resourceConfig.json``. The service and its toolkit write ``resourceconfig.json``; on a file
    system that tells cases apart a script that follows the drawing finds nothing. So the drawing is wrong in that one
    name, and right in all others: its corrected twin is what a step sees."""
    seen = tree_of_a_step(account)
    assert absent("opt_ml_tree.txt", seen) == {"/opt/ml/input/config/resourceConfig.json"}
    assert absent("opt_ml_tree_corrected.txt", seen) == set()
    original = (SEEDS / "opt_ml_tree.txt").read_text(encoding="utf-8")
    corrected = (SEEDS / "opt_ml_tree_corrected.txt").read_text(encoding="utf-8")
    assert original.replace("resourceConfig.json", "resourceconfig.json") == corrected != original
