"""What a pipeline of the official SDK needs in the account gets there, whole and named by its content; so it runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mlops.check.sources import Opened, open_one
from mlops.check.touched import touched
from mlops.cli import main
from mlops.deploy.pipelines.assets import objects
from mlops.ir import Asset, Definition

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.proof("sdk"),
    pytest.mark.slow,
    pytest.mark.xdist_group("uploads"),
]


def copied(folder: Path) -> None:
    shutil.copytree(ROOT / "pipelines" / "breast_cancer", folder, dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("sdk_breast_cancer.py"), folder / "sdk.py")
    (folder / "pipeline.py").unlink()
    (folder / "mlops.toml").write_text('[env.local]\nbucket = "acme-ml"\n')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copied(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    folder = tmp_path_factory.mktemp("read")
    copied(folder)
    return open_one(str(folder / "sdk.py"), "local")


def composed(project: Path) -> Definition:
    opened = open_one(str(project / "sdk.py"), "local")
    assert opened.pipelines[0].ok, opened.findings
    return opened.pipelines[0].definition


def sent(assets: tuple[Asset, ...]) -> list[str]:
    return [item.uri for asset in assets for item in objects(asset)]


def test_its_code_is_named_by_content_and_nothing_is_left_out(project: Path, read: Opened) -> None:
    first = read.pipelines[0].definition
    uris = sent(first.assets)
    assert len(uris) == len(set(uris))
    assert not any(asset.in_place for asset in first.assets) and "20000101" not in "".join(uris)
    assert not [uri for uri in uris if "__pycache__" in uri]
    # The launcher of the SDK's trainer, its drivers in folders, and all of the source.
    names = {uri.rpartition("/input/")[2] for uri in uris}
    assert {
        "code/train.py",
        "code/inference.py",
        "sm_drivers/sm_train.sh",
        "sm_drivers/scripts/environment.py",
    } <= names

    script = project / "train" / "train.py"
    script.write_text(script.read_text() + "#\n")
    second = composed(project)
    moved = set(sent(second.assets)) - set(uris)
    assert {uri.rpartition("/input/")[2] for uri in moved} >= {"code/train.py"}
    assert all("/input/" in uri for uri in moved)  # what other steps use stays where it is


def test_it_runs_here(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(project)
    code = main(["run", "sdk.py", "--format", "json"])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    steps = {step["name"]: step["status"] for step in json.loads(told.out)["steps"]}
    assert {steps[name] for name in ("Prepare", "Train", "Evaluate", "GoodEnough", "Score")} == {"Succeeded"}


@pytest.mark.parametrize(
    ("file", "counts"),
    [("train/train.py", True), ("train/new.py", True), ("evaluate.py", True), ("README.md", False), ("other/x", False)],
)
def test_what_it_read_is_what_a_change_touches(read: Opened, file: str, counts: bool) -> None:
    changed = Path(read.files[0]).parent / file
    assert bool(touched(read, [changed]).pipelines) is counts
