"""A file of any author is closed in before it runs: no key, no request, nothing installed, nothing written or left."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.project.self_contained import is_self_contained

HERE = Path(__file__).parent
KEY = "AKIAHOSTILEHOSTILE00"


@dataclass
class Listener:
    """On the loopback and on a socket in a folder."""

    sockets: tuple[socket.socket, ...]
    heard: list[str]

    @property
    def port(self) -> int:
        return int(self.sockets[0].getsockname()[1])


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    here, beside = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    beside.bind("listening")
    beside.listen()
    made = Listener((here, beside), [])

    def listen(one: socket.socket) -> None:
        while True:
            try:
                connection, _ = one.accept()
            except OSError:
                return
            made.heard.append(str(one.family))
            connection.close()

    threads = [threading.Thread(target=listen, args=(one,), daemon=True) for one in made.sockets]
    for thread in threads:
        thread.start()
    yield made
    for one in made.sockets:
        one.shutdown(socket.SHUT_RDWR)
        one.close()
    for thread in threads:
        thread.join()


def has_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-Urnm", "true"], capture_output=True, check=False).returncode == 0


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".mlops" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def running(*words: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if [word for word in command if word] == list(words):
            found.append(process.parent.name)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc and namespaces")
@pytest.mark.xdist_group("hostile")  # each looks for processes that it might have left
@pytest.mark.parametrize("how", ["namespaces", "folders"])
def test_a_hostile_file_reaches_nothing(
    how: str, listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "namespaces" and not has_namespaces():
        pytest.skip("this system gives no namespaces")
    shutil.copy(HERE / "hostile.py", tmp_path / "pipeline.py")
    (tmp_path / "port.txt").write_text(str(listener.port))
    (tmp_path / "mlops.toml").write_text("")
    home = tmp_path / "house"
    for file in (home / ".aws" / "credentials", tmp_path / "elsewhere" / "named-by-a-variable"):
        file.parent.mkdir(parents=True)
        file.write_text(f"[default]\naws_access_key_id = {KEY}\n")
    (home / "shipped.py").write_text("print(1)\n")
    for name, value in {
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "elsewhere" / "named-by-a-variable"),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{listener.port}",
        "MLOPS_SANDBOX": how if how == "folders" else "",
    }.items():
        monkeypatch.setenv(name, value)
    before, node = tree(tmp_path), Path("/dev/null").stat()
    (checked,) = open_targets([str(tmp_path / "pipeline.py")], "local").pipelines
    told: Any = checked.definition.members["Metadata"]
    came = {name: word for name, word in told.items() if word == "True"}
    assert came == {}
    assert listener.heard == []
    assert tree(tmp_path) == before
    assert not (Path(sys.prefix) / "planted-by-a-pipeline.txt").exists()
    assert running("sleep", "4711") == running("sleep", "4712") == []
    now = Path("/dev/null").stat()
    assert (now.st_mode, now.st_rdev) == (node.st_mode, node.st_rdev)
    assert told["install"] == "left out"
    assert told["write"] == ("overlay" if how == "namespaces" else "RefusedWhileComposing")
    assert told.get("start") == (None if how == "namespaces" else "RefusedWhileComposing")
    (asset,) = checked.definition.assets
    ((name, file),) = asset.files
    shipped = {"written.py": "print('written while composing')\n", "shipped.py": "print(1)\n"}
    assert file.read_text() == shipped[name]
    assert (name == "written.py") is (how == "namespaces")


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_it_dies_with_who_started_it(tmp_path: Path) -> None:
    """By SIGKILL, which nobody can pass on."""
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "pipeline.py").write_text(
        "import subprocess\nprint('begun', flush=True)\nsubprocess.run(['sleep', '4713'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "mlops", "check", "pipeline.py"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        env={**os.environ, "MLOPS_SANDBOX": ""},
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "begun" in line:
                break
        process.kill()
        process.stderr.read()  # which ends when the last of them is gone
    assert running("sleep", "4713") == []


CONTAINED = {
    "mlops alone": ("from mlops import Pipeline\nPipeline('x')\n", True),
    "plain modules": ("import os, json\nfrom pathlib import Path\nfrom mlops import Pipeline\n", True),
    "a module of the project that is so too": ("from plain import WORDS\n", True),
    "no Python at all": ("with Pipeline(\n", True),
    "an SDK": ("import mlops\nfrom sagemaker.workflow.pipeline import Pipeline\n", False),
    "an SDK inside of a function": ("import mlops\ndef f():\n    import boto3\n", False),
    "an SDK behind a module": ("from mlops import Pipeline\nfrom builder import make\n", False),
    "an SDK behind a package's module": ("from package.builder import make\n", False),
    "an SDK behind two modules": ("import mlops\nimport outer\n", False),
    "a program": ("import mlops, subprocess\n", False),
    "a name made up": ("import mlops\n__import__('sage' + 'maker')\n", False),
    "importlib": ("import mlops\nimport importlib\n", False),
    "text that is run": ("import mlops\nexec('import sagemaker')\n", False),
    "somebody's package": ("import mlops\nimport yaml\n", False),
}


@pytest.mark.parametrize("row", CONTAINED)
def test_what_can_only_declare_runs_here(row: str, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("import math\nWORDS = 1\n")
    (tmp_path / "builder.py").write_text("import sagemaker\n")
    (tmp_path / "outer.py").write_text("import builder\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "builder.py").write_text("import botocore\n")
    text, expected = CONTAINED[row]
    file = tmp_path / "pipeline.py"
    file.write_text(text)
    assert is_self_contained(file, tmp_path) is expected


REACHING = {
    "writes": "open('made.txt', 'w').write('x')",
    "reads what processes hold": "open('/proc/self/environ').read()",
    "loads an SDK that its text hides": "vars(__import__.__self__)['__imp' + 'ort__']('bo' + 'to3')",
    "removes": "os.remove('kept.txt')",
    "catches that it was stopped": "\ntry:\n    open('made.txt', 'w')\nexcept BaseException:\n    pass",
}


@pytest.mark.parametrize("row", REACHING)
def test_what_turns_out_to_do_more_is_stopped_before_it_does(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops.declare.load import load
    from mlops.declare.reaching_out import ReachesOut

    # What another test has loaded is loaded no more.
    for name in [name for name in sys.modules if name.partition(".")[0] in ("sagemaker", "boto3")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "kept.txt").touch()
    file = tmp_path / "pipeline.py"
    file.write_text(f"import os\nos.chdir({str(tmp_path)!r})\n{REACHING[row]}\n")
    here = Path.cwd()
    try:
        with pytest.raises(ReachesOut):
            load(file)
    finally:
        os.chdir(here)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.txt", "pipeline.py"]


def test_the_keys_are_not_there_while_a_file_runs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    file = tmp_path / "pipeline.py"
    file.write_text(
        "import os\nfrom mlops import Fail, Pipeline\n"
        "with Pipeline('x'):\n    Fail('Stop', repr('AWS_SECRET_ACCESS_KEY' in os.environ))\n"
    )
    (checked,) = open_targets([str(file)], "local").pipelines
    assert json.loads(json.dumps(checked.definition.steps[0].arguments["ErrorMessage"])) == "False"  # type: ignore[index, call-overload]
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == KEY


def test_a_notebook_of_ours_is_a_target(tmp_path: Path) -> None:
    """It writes what it ships, installs, draws, and runs its pipeline; a mistake stands at its line of the file."""
    cells = [
        "!pip install house\n%matplotlib inline\nfrom mlops import *",
        "%%writefile made.py\nprint('made')\n",
        "IMAGE = '111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1'\nwith Pipeline('nb') as pipeline:\n"
        "    Processing('Made', code='made.py', image=IMAGE, instance='ml.m5.large')\n"
        "    Fail('Stop', 'x', bad=1)",
        "pipeline",
        "execution = pipeline.run()\nassert execution.status == 'Succeeded'",
    ]
    made = [{"cell_type": "code", "metadata": {}, "source": cell.splitlines(keepends=True)} for cell in cells]
    file = tmp_path / "pipeline.ipynb"
    file.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1))
    (tmp_path / "mlops.toml").write_text("")
    opened = open_targets([str(file)], "local")
    lines = file.read_text().splitlines()
    told = [
        (item.code, lines[(item.where.line or 1) - 1].strip().strip('",').removesuffix("\\n"))
        for item in opened.findings
    ]
    assert told == [
        ("D106", "!pip install house"),
        ("D040", "    Fail('Stop', 'x', bad=1)"),
        ("D106", "execution = pipeline.run()"),
        ("D106", "assert execution.status == 'Succeeded'"),
    ]
    (checked,) = opened.pipelines
    ((name, kept),) = checked.definition.assets[0].files
    assert (name, kept.read_text()) == ("made.py", "print('made')\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mlops", "mlops.toml", "pipeline.ipynb"]


ANSWERS = {
    "a pipe": "os.mkfifo(place)",
    "no JSON": "open(place, 'w').write('{')",
    "another value": "open(place, 'w').write('[]')",
    "an empty one": "open(place, 'w').write('{}')",
    "a link to a file of the system": "os.symlink('/etc/passwd', place)",
    "content that lies elsewhere": "open(place, 'w').write(json.dumps({'declared': None, 'images': [], 'compiled': "
    "['/etc/passwd'], 'findings': [], 'changes': [], 'reads': [], 'pipelines': [], "
    "'uploads': [{'bucket': 'b', 'key': 'k', 'content': '../../../etc/passwd', 'in_place': False}]}))",
    "questions that are none": "open(place, 'w').write('{\"questions\": [1]}')",
    "a question without a request": 'open(place, \'w\').write(\'{"questions": [["s3", "GetObject", "{"]]}\')',
    "a folder that nobody may enter": "os.makedirs(place + '/a'); os.chmod(place, 0)",
}


@pytest.mark.parametrize("row", ANSWERS)
def test_an_answer_that_the_file_made_up_is_not_believed(row: str, tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / ".mlops").mkdir()  # of an account that may be asked
    file = tmp_path / "pipeline.py"
    file.write_text(
        "import gc, json, os, mlops.compose.order, subprocess\n"
        "(order,) = [item for item in gc.get_objects() if type(item).__name__ == 'Order']\n"
        f"place = str(order.result)\n{ANSWERS[row]}\nimport ctypes\nctypes.CDLL(None)._exit(0)\n"
    )
    (finding,) = open_targets([str(file)], "local").findings
    assert (finding.code, finding.where.file) == ("D102", str(file))


@pytest.mark.parametrize(
    "words", [["-m", "mlops"], ["-c", "from mlops.cli import run; run()"]], ids=["as a module", "by its command"]
)
def test_what_lies_in_a_folder_announces_no_plug_in(words: list[str], tmp_path: Path) -> None:
    """Metadata of a package beside a pipeline file are nobody's installation: who checks the file has keys."""
    about = tmp_path / "planted-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mlops.rules]\nplanted = planted\n")
    (tmp_path / "planted.py").write_text("from pathlib import Path\nPath(__file__).with_name('came').touch()\n")
    safe = ["-P"] if words[0] == "-c" else []
    done = subprocess.run(
        [sys.executable, *safe, *words, "rules"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, (tmp_path / "came").exists()) == (0, False), done.stderr
