"""Virtual environments for images, built by pip: once, whole, in the versions that there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wheels import wheel

from mlops.account.local.images.building import ImageNotBuilt, build
from mlops.account.local.images.shelf import LOCK, Shelf
from mlops.knowledge.image_need import Need

pytestmark = pytest.mark.proof("images")

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip looks nowhere else; it is told so as a person's settings would."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for version in ("1.0", "1.4", "2.0"):
        wheel(folder, "tiny", version)
    wheel(folder, "beside", "1.0", needs=["tiny"])
    wheel(folder, "fussy", "1.0", needs=["tiny<2"])
    return folder


def need(*packages: str, requirements: str = "", python: str = HERE) -> Need:
    return Need("an image", python, packages, (), requirements, serves=False)


def told(shelf: Shelf, wanted: Need, *modules: str) -> list[str]:
    found = shelf.find(wanted)
    assert found is not None
    program = f"import {', '.join(modules)}; print({', '.join(f'{name}.version' for name in modules)})"
    ran = subprocess.run([found.executable, "-c", program], capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_it_has_the_versions_of_the_image_and_what_requirements_ask_for(tmp_path: Path, wheels: Path) -> None:
    shelf, stages = Shelf(tmp_path / ".mlops"), list[str]()
    first, second = need("tiny==1.0"), need("tiny==1.0", requirements="beside\ntiny==1.4  # newer\n")
    assert build(shelf, first, stages.append).told == ()
    assert told(shelf, first, "tiny") == ["1.0"] and shelf.find(second) is None
    build(shelf, second, stages.append)
    assert told(shelf, second, "tiny", "beside") == ["1.4", "1.0"]
    lock = (shelf.place(second) / LOCK).read_text(encoding="utf-8").splitlines()
    assert {"tiny==1.4", "beside==1.0"} <= set(lock)
    count = len(stages)
    build(shelf, second, stages.append)
    assert len(stages) == count
    for kept in [*shelf.all()]:
        assert shelf.remove(kept)
    assert [*shelf.all()] == [] and shelf.find(first) is None


@pytest.mark.parametrize(
    ("packages", "versions", "differs"),
    [
        (("tiny==1.3",), ["1.4"], ("tiny 1.4 for 1.3",)),
        (("tiny==9.0",), ["2.0"], ("tiny 2.0 for 9.0",)),
        (("fussy==1.0", "tiny==2.0"), ["1.4"], ("tiny in versions that go with fussy==1.0",)),
    ],
    ids=["a later one of the same", "the newest", "a conflict"],
)
def test_the_nearest_version_is_taken_and_told(
    tmp_path: Path, wheels: Path, packages: tuple[str, ...], versions: list[str], differs: tuple[str, ...]
) -> None:
    shelf = Shelf(tmp_path / ".mlops")
    assert build(shelf, need(*packages), lambda text: None).told == differs
    assert told(shelf, need(*packages), "tiny") == versions


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (need("none==1.0"), "an image cannot be had here: pip finds no none==1.0 at all"),
        (need("tiny==1.0", requirements="none==1.0\n"), "requirements.txt cannot be installed"),
        (need("tiny==1.0", requirements="-r more.txt\n"), "names files beside it: -r more.txt"),
    ],
    ids=["no index has it", "nor what is asked for", "other files"],
)
def test_what_cannot_be_had_is_a_sentence(tmp_path: Path, wheels: Path, wanted: Need, said: str) -> None:
    shelf = Shelf(tmp_path / ".mlops")
    with pytest.raises(ImageNotBuilt) as caught:
        build(shelf, wanted, lambda text: None)
    assert said in caught.value.message and caught.value.hint
    assert shelf.find(wanted) is None


def test_of_an_image_that_nobody_knows_this_python_has_the_rest(tmp_path: Path, wheels: Path) -> None:
    shelf, wanted = Shelf(tmp_path / ".mlops"), need(requirements="tiny==1.4\n", python="")
    build(shelf, wanted, lambda text: None)
    found = shelf.find(wanted)
    assert found is not None
    program = "import tiny, packaging, sys; print(tiny.version, sys.prefix)"
    ran = subprocess.run([found.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1.4", str(shelf.place(wanted) / "venv")]


def test_two_at_once_build_once(tmp_path: Path, wheels: Path) -> None:
    shelf, wanted, stages = Shelf(tmp_path / ".mlops"), need("tiny==1.0"), list[str]()
    with ThreadPoolExecutor(2) as threads:
        both = [*threads.map(lambda _: build(shelf, wanted, stages.append), range(2))]
    assert both[0] == both[1]
    assert sum("virtual environment" in text for text in stages) == 1
    assert "another process builds it; waiting" in stages


KILLED = """
import json, os, signal, sys
from pathlib import Path
from mlops.account.local.images.building import build
from mlops.account.local.images.shelf import Shelf
from mlops.knowledge.image_need import Need
def tell(text):
    if text.startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
build(Shelf(Path(sys.argv[1])), Need.read(sys.argv[2]), tell)
"""


@pytest.mark.parametrize("stage", ["installing tiny", "installing what requirements"])
def test_what_was_killed_is_built_anew(tmp_path: Path, wheels: Path, stage: str) -> None:
    shelf, wanted = Shelf(tmp_path / ".mlops"), need("tiny==1.0", requirements="beside\n")
    words = [sys.executable, "-c", KILLED, str(tmp_path / ".mlops"), wanted.written(), stage]
    assert subprocess.run(words, check=False).returncode == -9
    assert shelf.find(wanted) is None
    (shelf.place(wanted) / "venv" / "left").touch()
    build(shelf, wanted, lambda text: None)
    assert told(shelf, wanted, "tiny", "beside") == ["1.0", "1.0"]
    assert not (shelf.place(wanted) / "venv" / "left").exists()


PIPELINE = """
from mlops import Pipeline, Training
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1"
with Pipeline("two") as pipeline:
    old = Training("Old", code="old", entry="train.py", image=IMAGE)
    new = Training("New", code="new", entry="train.py", image=IMAGE, after=[old])
"""
TRAIN = """
import sklearn
from sklearn.linear_model import LinearRegression
LinearRegression().fit([[1], [2]], [1, 2])
print("TOLD", sklearn.__version__)
"""


def test_two_steps_run_with_scikit_learn_of_other_versions_than_ours(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text('[project]\npipelines = "."\n', encoding="utf-8")
    (tmp_path / "pipeline.py").write_text(PIPELINE, encoding="utf-8")
    versions = {"old": "1.7.2", "new": "1.8.0"}
    for name, version in versions.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.py").write_text(TRAIN, encoding="utf-8")
        (tmp_path / name / "requirements.txt").write_text(f"scikit-learn=={version}\n", encoding="utf-8")

    def mlops(*words: str) -> subprocess.CompletedProcess[str]:
        given = [sys.executable, "-m", "mlops", *words]
        return subprocess.run(given, cwd=tmp_path, env={**os.environ}, capture_output=True, text=True, check=False)

    before = mlops("check", "pipeline.py", "--env", "local", "--select", "A032")
    assert before.stdout.count("A032") == 2, before
    built = mlops("local", "images", "build", "--format", "json")
    assert built.returncode == 0, built
    assert [item["failure"] for item in json.loads(built.stdout)] == [None, None]
    ran = mlops("run", "pipeline.py")
    assert ran.returncode == 0, ran
    for step, name in (("Old", "old"), ("New", "new")):
        assert f"TOLD {versions[name]}" in mlops("executions", "logs", "last", step).stdout
    shown = json.loads(mlops("local", "images", "list", "--format", "json").stdout)
    assert [(item["how"], item["built"]) for item in shown] == [("environment", True)] * 2
