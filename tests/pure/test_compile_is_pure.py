"""Compiling needs nothing, changes nothing, and gives the same bytes everywhere: the goldens beside the examples.

``mlops compile pipelines/<x>/pipeline.py -o pipelines/<x>/pipeline.json`` writes a golden again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
AUDITED = Path(__file__).with_name("audited.py")
EXAMPLES = sorted(file.parent.name for file in ROOT.glob("pipelines/*/pipeline.py"))
VERSIONS = ("3.11", "3.12", "3.13")

NOWHERE = Path(os.devnull, "home")
"""A home that nobody can write to, root included."""

every_example = pytest.mark.parametrize("example", EXAMPLES)


@every_example
def test_in_an_empty_environment_without_a_network(example: str) -> None:
    assert compiled(example, before=(*CUT, "--") if network_can_be_cut() else ()) == golden(example)


@every_example
@pytest.mark.parametrize("seed", ["4711", pytest.param("1", marks=pytest.mark.proof("pythons"))])
def test_under_any_hash_seed_and_from_another_working_directory(example: str, seed: str, tmp_path: Path) -> None:
    assert compiled(example, folder=tmp_path, PYTHONHASHSEED=seed) == golden(example)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"HOME": str(NOWHERE), "XDG_CACHE_HOME": str(NOWHERE)},
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        {"AWS_DEFAULT_REGION": "mars-north-1", "AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": "nothing"},
    ],
    ids=["a home that cannot be written", "time zone and locale", "somebody's AWS settings"],
)
def test_whatever_the_machine_is_set_to(elsewhere: Mapping[str, str]) -> None:
    assert compiled("breast_cancer", **elsewhere) == golden("breast_cancer")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_written_in_utf_8_whatever_the_terminal_speaks(encoding: str, tmp_path: Path) -> None:
    program = 'from mlops import Fail, Pipeline\nwith Pipeline("x"):\n    Fail("No", "zu groß")\n'
    (tmp_path / "pipeline.py").write_text(program, encoding="utf-8")
    told = run(("compile", "pipeline.py", "-o", "-"), folder=tmp_path, PYTHONIOENCODING=encoding)
    assert told.returncode == 0, told.stderr.decode()
    assert '"zu groß"'.encode() in told.stdout


@every_example
def test_from_a_copy_at_another_place(example: str, project: Path) -> None:
    assert compiled(example, root=project, folder=project) == golden(example)


@every_example
def test_golden_is_what_compile_check_accepts(example: str, project: Path) -> None:
    assert check_golden(example, project).returncode == 0


def test_another_golden_is_stale(project: Path) -> None:
    file = project / "pipelines" / "wine" / "pipeline.json"
    file.write_text(file.read_text() + " ")
    stale = check_golden("wine", project)
    assert (stale.returncode, stale.stdout) == (1, b"")
    assert b"is stale" in stale.stderr


def check_golden(example: str, project: Path) -> subprocess.CompletedProcess[bytes]:
    folder = f"pipelines/{example}"
    return run(("compile", f"{folder}/pipeline.py", "--check", f"{folder}/pipeline.json"), folder=project)


@every_example
def test_golden_tells_of_no_machine_and_no_python(example: str) -> None:
    text = golden(example).decode()
    told = [tale for tale in (str(ROOT), str(Path.home()), "NoneType", "object at 0x", "<class") if tale in text]
    assert told == []


@every_example
def test_connects_starts_and_writes_nothing_and_loads_no_account_and_no_judge_of_arguments(
    example: str, project: Path, tmp_path: Path
) -> None:
    before = tree(project)
    report = audited(tmp_path, ("compile", f"pipelines/{example}/pipeline.py", "-o", "-"), project)
    assert report["events"] == []
    assert tree(project) == before
    above = ("boto3", "botocore", "sagemaker", "mlops.run", "mlops.account", "mlops.deploy", "mlops.observe")
    beside = ("mlops.knowledge.streams", "mlops.knowledge.policies", "mlops.knowledge.notebooks")
    assert found(report["modules"], (*above, *beside, "pydantic", "networkx")) == []
    assert found(report["modules"], ("mlops.declare",)) != []


@every_example
def test_writes_its_output_and_nothing_else(example: str, project: Path, tmp_path: Path) -> None:
    before = tree(project)
    report = audited(tmp_path, ("compile", f"pipelines/{example}/pipeline.py"), project)
    build = project / "build"
    assert report["events"]
    assert [event for event in report["events"] if str(build) not in event] == []
    (new,) = {name for name in tree(project) if name not in before}
    assert new == f"build/{json_name(example)}"
    assert (project / new).read_bytes() == golden(example)
    assert {name: content for name, content in tree(project).items() if name != new} == before


def test_a_refused_compile_writes_nothing(project: Path, tmp_path: Path) -> None:
    file = project / "pipelines" / "wine" / "pipeline.py"
    file.write_text(file.read_text().replace('entry="train.py"', 'entry="trian.py"'))
    before = tree(project)
    report = audited(tmp_path, ("compile", str(file)), project, code=1)
    assert report["events"] == []
    assert tree(project) == before


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = "import mlops, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], env=empty(), capture_output=True, check=True).stdout
    assert found(loaded.decode().split(), ("boto3", "botocore", "networkx", "sagemaker", "pydantic", "click")) == []


PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of this checkout, built once: it is the same for every Python."""
    folder = tmp_path_factory.mktemp("wheel")
    done([*PIP, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    (built,) = folder.glob("mlops-*-py3-none-any.whl")
    return built


@pytest.mark.proof("pythons")
@pytest.mark.xdist_group("wheel")
@pytest.mark.parametrize("version", VERSIONS)
def test_installed_in_every_supported_python(version: str, wheel: Path, tmp_path: Path) -> None:
    """Without extras: neither the official SDK nor what running the examples needs."""
    interpreter = python(version)
    if interpreter is None:
        pytest.skip(f"there is no Python {version} here")
    folder = tmp_path / version
    # The pip of the tests resolves and installs for that Python: to install one there first takes seconds.
    done([interpreter, "-m", "venv", "--without-pip", str(folder)])
    constraints = ROOT / "constraints.txt"
    pinned = ("--constraint", str(constraints)) if constraints.is_file() else ()
    done([*PIP, "--python", str(folder / "bin" / "python"), "install", "--no-compile", *pinned, str(wheel)])
    for example in EXAMPLES:
        target = str(ROOT / "pipelines" / example / "pipeline.py")
        told = subprocess.run(
            [str(folder / "bin" / "mlops"), "compile", target, "-o", "-"],
            cwd=folder,
            env={},
            capture_output=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr.decode()
        assert told.stdout == golden(example)


CUT = ("unshare", "--user", "--map-root-user", "--net")


@functools.cache
def network_can_be_cut() -> bool:
    program = shutil.which(CUT[0])
    return program is not None and subprocess.run([*CUT, "true"], capture_output=True, check=False).returncode == 0


@functools.cache
def python(version: str) -> str | None:
    """An interpreter of that version that really starts: a shim may stand on the PATH for one that is not there."""
    named = shutil.which(f"python{version}")
    managed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    program = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, (named, *map(str, managed))):
        told = subprocess.run([candidate, "-c", program], capture_output=True, text=True, check=False)
        if told.returncode == 0 and told.stdout.strip() == version:
            return candidate
    return None


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the examples with what belongs to them, and nothing that a run left there."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "pipelines", root / "pipelines", ignore=shutil.ignore_patterns("__pycache__", ".mlops"))
    for name in ("mlops.toml", "mlops.lock"):
        shutil.copy(ROOT / name, root)
    return root


def golden(example: str) -> bytes:
    return (ROOT / "pipelines" / example / "pipeline.json").read_bytes()


def json_name(example: str) -> str:
    return f"{example.replace('_', '-')}.json"


def empty(**settings: str) -> dict[str, str]:
    """What ``env -i`` gives; the two variables are there because these tests may run from a checkout."""
    return {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **settings}


def run(
    arguments: Sequence[str], *, folder: Path, before: Sequence[str] = (), **settings: str
) -> subprocess.CompletedProcess[bytes]:
    command = [*before, sys.executable, "-m", "mlops", *arguments]
    return subprocess.run(command, cwd=folder, env=empty(**settings), capture_output=True, check=False)


def compiled(
    example: str, *, root: Path = ROOT, folder: Path = ROOT, before: Sequence[str] = (), **settings: str
) -> bytes:
    target = str(root / "pipelines" / example / "pipeline.py")
    told = run(("compile", target, "-o", "-"), folder=folder, before=before, **settings)
    assert told.returncode == 0, told.stderr.decode()
    return told.stdout


def audited(tmp_path: Path, arguments: Sequence[str], folder: Path, *, code: int = 0) -> dict[str, list[str]]:
    """What a command touched."""
    file = tmp_path / "report.json"
    command = [sys.executable, str(AUDITED), str(file), *arguments]
    told = subprocess.run(command, cwd=folder, env=empty(HOME=str(tmp_path)), capture_output=True, check=False)
    assert told.returncode == code, told.stderr.decode()
    report: dict[str, list[str]] = json.loads(file.read_text())
    return report


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file below a folder: its content and its time."""
    return {
        file.relative_to(folder).as_posix(): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def found(modules: Sequence[str], packages: Sequence[str]) -> list[str]:
    return [name for name in modules if any(name == package or name.startswith(f"{package}.") for package in packages)]


def done(command: list[str]) -> None:
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
