"""A pipeline file that never ends is given up: Python code where it stands, what takes no interruption with its
process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_line import ROOT

from mlops.declare.load import load
from mlops.declare.time_limit import TimeIsUp, limited

SHORT = 0.2
ENDLESS = {
    "a loop": "while True:\n    pass\n",
    "a loop that keeps exceptions": "while True:\n    try:\n        1 / 0\n    except Exception:\n        pass\n",
    "a sleep": "import time\n\ntime.sleep(600)\n",
    "a module that it imports": "import endless\n",
    "an input": "import os\n\nos.read(os.pipe()[0], 1)\n",
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_a_file_that_never_ends_is_a_finding_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "endless.py").write_text("while True:\n    pass\n")
    file = tmp_path / "pipeline.py"
    file.write_text(text)
    (found,) = load(file, SHORT).findings
    assert (found.code, found.message) == ("D107", "running the file was given up: it did not end within 0.2 s")
    in_module = "endless" in text
    assert found.where.file == str(tmp_path / ("endless.py" if in_module else "pipeline.py"))
    assert found.where.line is not None and found.where.line >= (1 if in_module or "\n\n" not in text else 3)


def test_a_file_that_ends_in_time_has_none_and_leaves_no_timer(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text("from mlops import Fail, Pipeline\nwith Pipeline('p'):\n    Fail('F', 'x')\n")
    before = signal.getsignal(signal.SIGALRM)
    assert load(tmp_path / "pipeline.py", 60).findings == ()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_a_timer_of_somebody_else_goes_on() -> None:
    heard = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda number, frame: heard.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 60)
        with limited(30, "it"):
            pass
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
        signal.raise_signal(signal.SIGALRM)
        assert heard.wait(10)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_outside_of_the_main_thread_nothing_is_limited() -> None:
    ended: list[BaseException | None] = []

    def work() -> None:
        try:
            with limited(0.001, "it"):
                threading.Event().wait(0.05)
            ended.append(None)
        except TimeIsUp as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [None]


def test_a_command_ends_with_code_that_swallows_interruptions(tmp_path: Path) -> None:
    ended = of_a_command(tmp_path, "while True:\n    try: time.sleep(9)\n    except BaseException: pass\n")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.endswith("pipeline.py did not end within 1 s and takes no interruption, so mlops ends\n")


@pytest.mark.proof("deep")
# What cannot be interrupted is given five seconds more.
@pytest.mark.slow
def test_a_command_ends_with_c_code_that_does_not_come_back(tmp_path: Path) -> None:
    ended = of_a_command(tmp_path, "sum(range(10**13))\n")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f'File "{tmp_path / "pipeline.py"}", line 2 in <module>' in ended.stderr


def of_a_command(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "mlops.toml").write_text("[project]\ntime_limit = 1\n")
    (folder / "pipeline.py").write_text(f"import time\n{text}from mlops import Pipeline\nPipeline('p')\n")
    command = [sys.executable, "-m", "mlops", "check", "pipeline.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
