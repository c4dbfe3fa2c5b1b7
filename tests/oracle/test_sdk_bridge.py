"""Ten pipelines in the manner of Amazon's examples and project templates, composed without credentials or network, are
what the SDK itself prints with both.

The judge ``sdk`` has SDK 3, the judge ``sdk2`` has SDK 2: they cannot be installed in one environment.
"""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = HERE / "sdk_pipelines"
JUDGES = {"v3": "sdk", "v2": "sdk2"}

sdk3 = pytest.mark.proof("sdk")

CONFIGURATION = """
[env.local]
region = "us-east-1"
role = "arn:aws:iam::000000000000:role/pipelines"
bucket = "sagemaker-us-east-1-000000000000"
"""
"""The bucket is the one that the SDK makes where it is alone; here it is the environment's."""

ROWS = {
    "v3": (
        "train_register",
        "abalone/pipeline",
        "tuning",
        "lambda_callback",
        "quality_transform",
        "features",
        "services",
        "functions",
        "count_rows",
    ),
    "v2": ("abalone", "tuning", "lambda_callback", "quality", "old_style"),
}
"""Projects' repositories, tuning, Lambda and Callback, checks and transform, EMR, the feature store, endpoints and
ForEach, plain functions, model registration in the old style."""

UPLOAD_NOTHING = ("v3/lambda_callback", "v3/quality_transform", "v3/features", "v2/lambda_callback", "v2/tuning")

_STAMP = re.compile(r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{3}|20\d{12}|(?<=tuning-)\d{9,10}")
"""The SDK puts the time into the names of jobs and uploads; the bridge counts instead."""

_SERIALIZED = re.compile(r"[0-9a-f]{64}|-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----")
"""Hashes of what the SDK pickles, and the key that it makes up each time to sign it with."""


def files(folder: Path) -> Path:
    shutil.copytree(FILES, folder / "sdk_pipelines")
    services = folder / "sdk_pipelines" / "v3" / "services.py"
    shutil.copy(HERE / "sdk_service_steps.py", services)
    (services.parent / "report.ipynb").write_text("{}")
    (services.parent / "setup.sh").write_text("true\n")
    (folder / "mlops.toml").write_text(CONFIGURATION)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return files(tmp_path)


def without_network() -> list[str]:
    """A network namespace of one's own with nothing in it, where the kernel gives one."""
    inside = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which(inside[0]) is None:
        return []
    return inside if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode == 0 else []


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Any, Any]]:
    """What the bridge makes of all files for a version of the SDK, and what the SDK makes of them."""

    @functools.cache
    def both(version: str) -> tuple[Any, Any]:
        interpreter, folder = sys.executable, files(tmp_path_factory.mktemp(version))
        listed = [str(folder / "sdk_pipelines" / version / f"{name}.py") for name in ROWS[version]]
        ours, theirs = folder / "ours.json", folder / "theirs.json"
        credentials = {
            "AWS_ACCESS_KEY_ID": "dummy",
            "AWS_SECRET_ACCESS_KEY": "dummy",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(folder),
        }
        # First, because it leaves the SDK's bytecode for the bridge, whose processes write none.
        alone = [interpreter, str(HERE / "sdk_alone.py"), str(theirs), *listed]
        subprocess.run(alone, env=credentials, capture_output=True, timeout=600, check=True)
        bridge = [*without_network(), interpreter, str(HERE / "bridge_rows.py"), str(ours), *listed]
        # An environment that has nothing in it but where this checkout is.
        done = subprocess.run(
            bridge, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        return read(ours), read(theirs)

    return both


def mlops(python: str, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "mlops", *arguments],
        cwd=project,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.xdist_group("bridge")
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(f"{version}/{name}", marks=pytest.mark.proof(JUDGES[version]))
        for version, names in ROWS.items()
        for name in names
    ],
)
def test_it_compiles_is_checked_and_planned_and_is_the_sdks(
    row: str, composed: Callable[[str], tuple[Any, Any]]
) -> None:
    ours, theirs = composed(row[:2])
    (file,) = (name for name in theirs if name.endswith(f"sdk_pipelines/{row}.py"))
    assert list(differences(ours[file]["definition"], theirs[file])) == []
    assert ours[file]["plan"] == "create"
    assert bool(ours[file]["uploads"]) is (row not in UPLOAD_NOTHING)


def read(file: Path) -> Any:
    return json.loads(_SERIALIZED.sub("MADE", _STAMP.sub("STAMP", file.read_text())))


def differences(ours: Any, theirs: Any, at: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in {**ours, **theirs}:
            if key in ours and key in theirs:
                yield from differences(ours[key], theirs[key], f"{at}/{key}")
            else:
                yield f"{at}/{key}: only {'ours' if key in ours else 'theirs'}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{at}/{index}")
    elif json.dumps(ours) != json.dumps(theirs):
        yield f"{at}: {ours} is not {theirs}"


@pytest.mark.slow
@sdk3
def test_a_file_composes_to_the_same_bytes_and_is_checked(project: Path) -> None:
    target = "sdk_pipelines/v3/tuning.py"  # the SDK gives an upload of it a name of its own making
    texts = [mlops(sys.executable, project, "compile", target, "-o", "-") for _ in range(2)]
    assert texts[0].stdout == texts[1].stdout != ""
    kept = sorted(path.name for path in (project / ".mlops" / "composed").iterdir())
    checked = mlops(sys.executable, project, "check", target, "--format", "json")
    assert json.loads(checked.stdout)["summary"]["errors"] == 0
    assert sorted(path.name for path in (project / ".mlops" / "composed").iterdir()) == kept
    assert not list(project.rglob("__pycache__"))


@pytest.mark.slow
@sdk3
def test_it_is_upserted_once_and_runs_here(project: Path) -> None:
    file = "sdk_pipelines/v3/count_rows.py"
    first, second = (mlops(sys.executable, project, "upsert", file) for _ in range(2))
    assert "CountRows: created" in first.stdout + first.stderr, first.stderr
    assert second.returncode == 0 and "CountRows: unchanged" in second.stdout + second.stderr
    ran = mlops(sys.executable, project, "run", file)
    assert ran.returncode == 0 and "CountRows succeeded" in ran.stdout + ran.stderr, ran.stderr
    failed = mlops(sys.executable, project, "start", "CountRows", "-p", "Rows=2", "--watch")
    assert failed.returncode == 1 and "TooFew failed: only 2" in failed.stdout + failed.stderr


@sdk3
def test_a_name_that_is_not_there_is_a_mistake(project: Path) -> None:
    done = mlops(sys.executable, project, "check", "sdk_pipelines/v3/lambda_callback.py:Nope")
    assert done.returncode == 1
    assert "no pipeline and no function is called 'Nope'" in done.stdout + done.stderr


@sdk3
def test_a_mistake_is_told_with_the_users_line(project: Path) -> None:
    file = project / "wrong.py"
    file.write_text("from sagemaker.core.workflow.parameters import ParameterInteger\n\nParameterInteger()\n")
    done = mlops(sys.executable, project, "check", "wrong.py")
    assert done.returncode == 1
    assert "wrong.py:3: error D102" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@sdk3
def test_a_file_for_another_version_says_so(project: Path) -> None:
    (project / "old.py").write_text("from sagemaker.workflow.pipeline import Pipeline\n")
    done = mlops(sys.executable, project, "check", "old.py")
    assert done.returncode == 1
    assert "the file may be written for 'sagemaker<3'" in done.stdout + done.stderr
