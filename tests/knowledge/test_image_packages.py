"""What AWS's framework images bring, and which need of an environment that makes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import mlops.knowledge.image_packages
from mlops.knowledge.image_need import Need, need, of_files
from mlops.knowledge.image_packages import contents
from mlops.knowledge.requirements import installed_by

FILES = sorted(Path(mlops.knowledge.image_packages.__file__).parent.glob("*.toml"))
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost"
DLC = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "python", "first"),
    [
        (f"{SKLEARN}:1.2-1-cpu-py3", "3.9", "scikit-learn==1.2.1"),
        (f"{SKLEARN}:1.4-2-cpu-py3", "3.10", "scikit-learn==1.4.2"),
        (f"{SKLEARN}:1.4-2-py312-cpu-py3", "3.12", "scikit-learn==1.4.2"),
        (f"{XGBOOST}:1.7-1", "3.9", "xgboost==1.7.4"),
        (f"{XGBOOST}:1.7-1-1", "3.10", "xgboost==1.7.4"),
        (f"{DLC}/pytorch-training:2.3.0-gpu-py311", "3.11", "torch==2.3.0"),
        (f"{DLC}/pytorch-inference:2.6.0-cpu-py312-ubuntu22.04-sagemaker", "3.12", "torch==2.6.0"),
        (f"{DLC}/tensorflow-training:2.19.0-cpu-py312", "3.12", "tensorflow==2.19.0"),
        (
            f"{DLC}/huggingface-pytorch-training:2.1.0-transformers4.36.0-gpu-py310-cu121-ubuntu20.04",
            "3.10",
            "torch==2.1.0",
        ),
    ],
)
def test_an_image_tells_its_python_and_its_framework(image: str, python: str, first: str) -> None:
    found = contents(image)
    assert found is not None and (found.python, found.packages[0]) == (python, first)


@pytest.mark.parametrize(
    "image",
    [
        f"{SKLEARN}:0.20.0-cpu-py3",
        f"{SKLEARN}@sha256:{'0' * 64}",
        f"{SKLEARN}:1.2-10",
        f"{DLC}/pytorch-training:2.3-gpu-py311",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "docker.io/library/python:3.12",
    ],
)
def test_nothing_is_said_of_what_is_not_known(image: str) -> None:
    assert contents(image) is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_has_requirements_and_its_source(file: Path) -> None:
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    assert "/" in written["source"] and written["title"]
    for release in written.get("versions", {}).values():
        assert Requirement(release["packages"][0]).specifier and {len(release["python"].split("."))} == {2}
        for line in release["packages"]:
            Requirement(line)


def test_older_versions_have_more_beside_them() -> None:
    old, new = (need(f"{DLC}/pytorch-training:{tag}-cpu-py311") for tag in ("2.1.0", "2.3.0"))
    assert old is not None and new is not None
    assert "numpy<2" in old.beside and "numpy" not in old.beside
    assert "numpy" in new.beside


def of(requirements: str = "", image: str = f"{SKLEARN}:1.2-1-cpu-py3", *, serves: bool = False) -> Need:
    found = need(image, requirements, serves=serves)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (of("a==1\nb"), of("# why\nb\n\na==1  # so\n"), True),
        (of("a==1"), of("a==2"), False),
        (of(), of("a==1"), False),
        (of(), of(serves=True), False),
        (of(image=f"{SKLEARN}:1.4-2-cpu-py3"), of(image=f"{SKLEARN}:1.4-2-cpu-py3", serves=True), True),
        (of(), of(image=f"{SKLEARN}:1.2-1-gpu-py3"), True),
        (of("a", "one:1"), of("a", "other:2"), True),
    ],
)
def test_a_need_is_named_by_what_goes_in(one: Need, other: Need, same: bool) -> None:
    assert (one.id == other.id) is same
    assert Need.read(one.written()) == one


def test_an_image_of_ones_own_needs_nothing_without_requirements() -> None:
    assert need("one:1") is None and need("one:1", "# nothing\n") is None and need(None) is None


@pytest.mark.parametrize(
    ("script", "file"),
    [
        ("set -e\nif [[ -f 'requirements.txt' ]]; then\n    pip install -r requirements.txt\nfi\npython3 x.py", True),
        ("python3 /opt/ml/processing/input/code/install_requirements.py requirements.txt", True),
        ("python -m pip install --no-deps -r requirements.txt", True),
        ("# pip install -r requirements.txt", False),
        ("pip uninstall --yes typing\ncat requirements.txt", False),
        ("pip install " + "requirements" * 20_000, False),
    ],
    ids=range(6),
)
def test_what_a_script_installs(script: str, file: bool) -> None:
    assert installed_by(script) == ("requirements.txt" if file else None)


def test_files_beside_requirements() -> None:
    text = (
        "a\n-r b.txt\n-c c.txt\n--requirement=d.txt\n../e\n-e .\nf @ file:///g\n--index-url https://h\ni @ https://j\n"
    )
    assert of_files(text) == ["-r b.txt", "-c c.txt", "--requirement=d.txt", "../e", "-e .", "f @ file:///g"]
