"""A second judge: the official SDK's definition of the first example, member by member; and how long both texts are."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.proof("sdk"),
    pytest.mark.xdist_group("sdk"),  # one worker, so that both definitions are made once
]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
EXAMPLE = ROOT / "pipelines" / "breast_cancer"
SDK_VERSION = HERE / "sdk_breast_cancer.py"

ENVIRONMENT = """
[env.staging]
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
prefix = "mlops"
instance = "ml.m5.large"
"""

CODE = frozenset(
    {
        "/Steps/1/Arguments/HyperParameters/sagemaker_program",
        "/Steps/1/Arguments/HyperParameters/sagemaker_submit_directory",
        "/Steps/1/Arguments/InputDataConfig/1",
        "/Steps/1/Arguments/InputDataConfig/2",
    }
)
"""How the training script gets to its job: by the training toolkit's hyperparameters here, by the channels ``code`` and
``sm_drivers`` there."""

DIFFERENCES = {
    "/MlflowConfig": "SDK 3 writes null where no tracking server is named (sagemaker/mlops/workflow/pipeline.py)",
    "/Steps/1/Arguments/AlgorithmSpecification/ContainerEntrypoint": (
        "ModelTrainer starts its own driver instead of the image's training toolkit (sagemaker/train/model_trainer.py)"
    ),
    "/Steps/1/Arguments/AlgorithmSpecification/ContainerArguments": "the same driver's command",
    "/Steps/3/Arguments/IfSteps/0/Arguments/SkipModelValidation": (
        "SDK 3 spells the service's default out (sagemaker/core/model_registry.py; CreateModelPackageInput)"
    ),
}
"""Pointer of a member that one of the two lacks, and why."""

LONGEST_SHARE = 0.6
"""The example may have this share of the lines that the SDK needs."""

_ASSET = re.compile(r"s3://acme-ml/mlops/assets/[0-9a-f]{64}/([^/]+)")
_ABSENT = object()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(EXAMPLE, folder / "pipelines" / EXAMPLE.name)
    shutil.copy(ROOT / "mlops.lock", folder)
    (folder / "mlops.toml").write_text(ENVIRONMENT)
    return folder


@pytest.fixture(scope="module")
def ours(project: Path) -> Any:
    return printed(
        [
            sys.executable,
            "-m",
            "mlops",
            "compile",
            "pipelines/breast_cancer/pipeline.py",
            "--env",
            "staging",
            "-o",
            "-",
        ],
        project,
    )


@pytest.fixture(scope="module")
def theirs(project: Path) -> Any:
    return printed(
        [sys.executable, str(HERE / "offline_aws.py"), str(SDK_VERSION)], project / "pipelines" / EXAMPLE.name
    )


def test_the_sdk_says_the_same_apart_from_the_listed(ours: Any, theirs: Any) -> None:
    found = {at for at, left, right in differences(ours, theirs) if not same_content(left, right)}
    assert found == CODE | set(DIFFERENCES)
    assert len(DIFFERENCES) <= 5


def test_one_side_lacks_what_differs_and_no_member_has_two_values(ours: Any, theirs: Any) -> None:
    listed = CODE | set(DIFFERENCES)
    two_values = [at for at, left, right in differences(ours, theirs) if at in listed and _ABSENT not in (left, right)]
    assert two_values == []


def test_the_example_is_short_beside_the_sdks_text(capsys: pytest.CaptureFixture[str]) -> None:
    here, there = code_lines(EXAMPLE / "pipeline.py"), code_lines(SDK_VERSION)
    with capsys.disabled():
        print(f"\nlines of code: {here} here, {there} with the SDK, {here / there:.0%}")
    assert here <= LONGEST_SHARE * there


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('"""Doc."""\n\nx = 1  # why\n', 1),
        ("# only a comment\n\n", 0),
        ('def f():\n    """Doc\n    of two lines."""\n    return """a\n    b"""\n', 3),
    ],
    ids=["module docstring", "comment", "a docstring is none, a string is code"],
)
def test_lines_are_counted_alike(text: str, lines: int, tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text(text)
    assert code_lines(tmp_path / "file.py") == lines


def printed(command: list[str], folder: Path) -> Any:
    """What a program prints as JSON. It has credentials that open nothing, and no other settings of AWS."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAGEMAKER_"))}
    environment |= {
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(left: Any, right: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Pointers where two documents differ, with both values; a missing one is ``_ABSENT``; ``1`` is not ``1.0``."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in {**left, **right}:
            yield from differences(left.get(key, _ABSENT), right.get(key, _ABSENT), f"{at}/{key}")
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            pair = (items[index] if index < len(items) else _ABSENT for items in (left, right))
            yield from differences(*pair, f"{at}/{index}")
    elif left is _ABSENT or right is _ABSENT or json.dumps(left) != json.dumps(right):
        yield at, left, right


def same_content(ours: Any, theirs: Any) -> bool:
    """Two places of the same file: each side has its own layout of what it uploads."""
    asset = _ASSET.fullmatch(ours) if isinstance(ours, str) else None
    return (
        asset is not None
        and isinstance(theirs, str)
        and theirs.startswith("s3://acme-ml/mlops/breast-cancer/")
        and theirs.endswith(f"/{asset.group(1)}")
    )


def code_lines(file: Path) -> int:
    """Lines that are neither blank, nor only a comment, nor of a docstring."""
    text = file.read_text(encoding="utf-8")
    layout = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in layout:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            docstring = node.body[0]
            lines.difference_update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return len(lines)
