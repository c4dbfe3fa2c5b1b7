"""One command in its sandbox."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mlops.ir import ConfigurationError
from mlops.run import sandbox
from mlops.run.output import Output
from mlops.run.sandbox import Box, Boxed, launching, probe, start
from mlops.run.sandbox.boxed import wait_for_an_end
from mlops.run.sandbox.order import WORD


def begin(folder: Path, program: str, name: str = "box", **environment: str) -> Boxed:
    box = Box(folder / name / "ml", folder / name, probe())
    command = ["python3", "-c", program, "/opt/ml/data/x.csv"]
    return start(command, box, environment=environment, log=folder / f"{name}.log")


def wait_until(true: object, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(true) and true():
            return True
        time.sleep(0.02)
    return False


def marked(marker: str) -> list[int]:
    """Processes with ``marker`` on their command line, seen from here."""
    listed = subprocess.run(["ps", "-eww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if marker in line and line.split()[0].isdigit()]


TELL = """
import json, os, sys
print(json.dumps({"argument": sys.argv[1], "environment": dict(os.environ), "cwd": os.getcwd(), "exe": sys.executable}))
"""


def test_what_a_command_sees(tmp_path: Path, every_mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "caller's own")
    boxed = begin(tmp_path, TELL, DATA="a=/opt/ml/model:/opt/ml, s3://b/opt/ml/x /opt/mlx")
    assert boxed.wait(120) == 0
    seen = json.loads((tmp_path / "box.log").read_text())
    assert "AWS_SECRET_ACCESS_KEY" not in seen["environment"]
    assert seen["environment"]["PATH"].startswith(str(Path(sys.executable).parent))
    assert Path(seen["exe"]).parent == Path(sys.executable).parent
    ml = tmp_path / "box" / "ml"
    if every_mode != "folders":
        assert "SAGEMAKER_BASE_DIR" not in seen["environment"]
        assert seen["argument"] == "/opt/ml/data/x.csv"
        assert seen["cwd"] == "/tmp"
        assert seen["environment"]["DATA"] == "a=/opt/ml/model:/opt/ml, s3://b/opt/ml/x /opt/mlx"
    else:
        assert seen["environment"]["SAGEMAKER_BASE_DIR"] == str(ml)
        assert seen["argument"] == f"{ml}/data/x.csv"
        assert seen["environment"]["DATA"] == f"a={ml}/model:{ml}, s3://b/opt/ml/x /opt/mlx"


def test_hard_coded_paths(tmp_path: Path, every_mode: str) -> None:
    if every_mode == "folders":
        pytest.skip("needs namespaces")
    program = """
import os, pathlib, socket
pathlib.Path("/opt/ml/model").mkdir(); pathlib.Path("/opt/ml/model/x").write_text("y")
pathlib.Path("/tmp/mine").write_text("private")
assert socket.gethostbyname("algo-1") == "127.0.0.1"
assert len([name for name in os.listdir("/proc") if name.isdigit()]) < 5
"""
    assert begin(tmp_path, program).wait(120) == 0, (tmp_path / "box.log").read_text()
    assert (tmp_path / "box/ml/model/x").read_text() == "y"
    assert not Path("/tmp/mine").exists()


def test_the_rest_of_the_system_is_read_only(tmp_path: Path, every_mode: str) -> None:
    if every_mode == "folders":
        pytest.skip("needs namespaces")
    target = Path.home() / "written-by-a-step"
    assert begin(tmp_path, f"open({str(target)!r}, 'w')").wait(120) == 1
    assert not target.exists()


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import sys; sys.exit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143),
    ],
)
def test_exit_codes(tmp_path: Path, every_mode: str, program: str, code: int) -> None:
    assert begin(tmp_path, program).wait(120) == code


def test_command_not_found(tmp_path: Path, every_mode: str) -> None:
    box = Box(tmp_path / "ml", tmp_path, probe())
    assert start(["no-such-command"], box, environment={}, log=tmp_path / "log").wait(120) == 127
    assert "cannot start 'no-such-command': No such file or directory" in (tmp_path / "log").read_text()


def test_terminate_reaches_the_command_and_its_leftovers_die(tmp_path: Path, every_mode: str) -> None:
    marker = f"left-{os.getpid()}-{every_mode}"
    program = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
left = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(99)"
subprocess.Popen([sys.executable, "-c", left, "{marker}"])
print("up", flush=True)
time.sleep(99)
"""
    boxed = begin(tmp_path, program)
    assert wait_until(lambda: "up" in (tmp_path / "box.log").read_text())
    assert wait_until(lambda: marked(marker))
    boxed.terminate()
    assert boxed.wait(120) == 7
    assert wait_until(lambda: not marked(marker))


def test_kill_takes_everything(tmp_path: Path, every_mode: str) -> None:
    marker = f"kill-{os.getpid()}-{every_mode}"
    program = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)", "{marker}"])
time.sleep(99)
"""
    boxed = begin(tmp_path, program)
    assert wait_until(lambda: len(marked(marker)) >= 2)
    boxed.kill()
    assert boxed.poll() == 137
    assert wait_until(lambda: not marked(marker))


@pytest.mark.parametrize("victim", ["runner", "keeper", "runner and launcher"])
def test_nothing_survives_a_killed_runner(tmp_path: Path, every_mode: str, victim: str) -> None:
    marker = f"orphan-{os.getpid()}-{every_mode}-{victim}"
    runner = tmp_path / "runner.py"
    runner.write_text(
        f"""
import pathlib, sys, time
from mlops.run.sandbox import Box, probe, start
folder = pathlib.Path({str(tmp_path)!r})
boxed = start(["python3", "-c", "import time; time.sleep(99)", {marker!r}],
              Box(folder / "ml", folder, probe()), environment={{}}, log=folder / "log")
print(boxed.pid, flush=True)
time.sleep(99)
"""
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, str(runner)], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        keeper = int(process.stdout.readline())
        assert wait_until(lambda: marked(marker))
        victims = {"runner": [process.pid], "keeper": [keeper]}.get(victim)
        for number in victims or [process.pid, _parent(keeper)]:
            os.kill(number, signal.SIGKILL)
        if victim == "keeper" and sys.platform != "linux":
            process.kill()
            pytest.skip("only Linux tells a child of its parent's death")
        assert wait_until(lambda: not marked(marker))
        process.kill()


def _parent(process: int) -> int:
    told = subprocess.run(["ps", "-o", "ppid=", "-p", str(process)], capture_output=True, text=True, check=True)
    return int(told.stdout)


def test_a_wish_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_SANDBOX", "docker")
    with pytest.raises(ConfigurationError, match="MLOPS_SANDBOX is 'docker'"):
        probe()


def test_hosts_of_one_job(tmp_path: Path, sandbox_mode: str) -> None:
    """Two isolated commands reach each other by name, and nobody else reaches them."""
    if sandbox_mode != "namespaces":
        pytest.skip("needs namespaces")
    hosts = {"algo-1": "127.0.0.2", "algo-2": "127.0.0.3"}
    listen = """
import socket
assert socket.gethostname() == "algo-1", socket.gethostname()
with socket.create_server(("algo-1", 7777)) as server:
    there, address = server.accept()
    print(address[0], there.recv(9))
"""
    call = """
import socket, time
assert socket.gethostname() == "algo-2", socket.gethostname()
for _ in range(500):
    try:
        with socket.create_connection(("algo-1", 7777), source_address=("algo-2", 0)) as there:
            there.send(b"hello")
        break
    except ConnectionRefusedError:
        time.sleep(0.02)
"""
    started: list[Boxed] = []
    for name, program in (("algo-1", listen), ("algo-2", call)):
        box = Box(tmp_path / name / "ml", tmp_path / name, probe(), network=False)
        log = tmp_path / f"{name}.log"
        first = started[0] if started else None
        command = ["python3", "-c", program]
        started.append(
            start(command, box, environment={}, log=log, hostname=name, hosts=hosts, share_network_with=first)
        )
    assert [boxed.wait(120) for boxed in started] == [0, 0], (tmp_path / "algo-2.log").read_text()
    assert (tmp_path / "algo-1.log").read_text() == "127.0.0.3 b'hello'\n"


def test_resident_bytes(tmp_path: Path, every_mode: str) -> None:
    """Of all processes; what a fork shares counts once."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells")
    program = """
import os, time
held = b"x" * 200_000_000
if os.fork() == 0:
    own = b"y" * 100_000_000
    print("up", flush=True)
    time.sleep(60)
os.wait()
"""
    boxed = begin(tmp_path, program)
    assert wait_until(lambda: "up" in (tmp_path / "box.log").read_text())
    assert 300_000_000 < boxed.resident_bytes() < 360_000_000
    boxed.kill()
    assert boxed.resident_bytes() == 0


def test_a_killed_launcher_takes_no_step_with_it_and_is_replaced(tmp_path: Path, every_mode: str) -> None:
    """The steps' keepers hold on to the runner, not to the launcher."""
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    wait = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\nprint('done')"
    slow = begin(tmp_path, wait, "slow")
    launcher = _parent(slow.pid)
    os.kill(launcher, signal.SIGKILL)
    assert wait_until(lambda: Path(f"/proc/{launcher}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    assert begin(tmp_path, "print('next')", "next").wait(120) == 0
    (tmp_path / "slow/ml/data").mkdir()
    (tmp_path / "slow/ml/data/x.csv").touch()
    assert slow.wait(120) == 0
    assert (tmp_path / "slow.log").read_text() == "done\n"


class _TakenWhole(socket.socket):
    """The other end takes what is sent at once, and is gone before the next call."""

    keeper: socket.socket

    def sendmsg(self, *arguments: Any) -> int:
        sent = super().sendmsg(*arguments)
        with self.keeper:
            assert len(self.keeper.recv(1000)) == sent
        return sent


def test_an_order_that_was_taken_whole_is_not_given_twice() -> None:
    """Where somebody killed the launcher, the last keeper takes an order and closes the socket behind it."""
    ours, keeper = socket.socketpair()
    orders = _TakenWhole(fileno=ours.detach())
    orders.keeper = keeper
    with orders:
        launching._send(orders, b"an order", [0])
        with pytest.raises(BrokenPipeError):
            launching._send(orders, b"the next", [0])


@pytest.mark.parametrize("mode", ["namespaces", "folders"])
def test_what_a_launcher_loads(mode: str) -> None:
    """Each run waits for it: of ours what lies beside it, and of Python's nothing that is large."""
    if sys.platform != "linux":
        pytest.skip("namespaces are Linux's")
    launcher = Path(sandbox.__file__).with_name("launcher.py")
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        words = [sys.executable, "-I", "-S", "-B", "-X", "importtime", str(launcher), mode]
        told = subprocess.run(words, stdin=theirs.fileno(), capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines() if line.startswith("import time:")}
    own = {"keeper", "order", "programs", "kernel"}
    own |= {"namespaces", "mounts"} if mode == "namespaces" else {"folders"}
    assert {name for name in loaded if name.startswith("mlops")} == {f"mlops.run.sandbox.{name}" for name in own}
    assert not loaded & {"dataclasses", "inspect", "pathlib", "subprocess", "threading", "logging", "asyncio"}


def test_whoever_asks_is_told_the_same_end(tmp_path: Path) -> None:
    """A transform's threads and the one that waits for all steps ask at once: one read the end while another one found
    nothing behind it, or the socket closed."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for _ in range(100):
                control, keeper = socket.socketpair()
                control.setblocking(False)
                output = Output(tmp_path / "log")
                output.close_descriptor()
                boxed = Boxed(control, output)
                asked = [threads.submit(boxed.wait, 10.0) for _ in range(3)]
                threads.submit(wait_for_an_end, 0.0)
                with keeper:
                    keeper.send((1).to_bytes(WORD))
                    keeper.send((3).to_bytes(WORD))
                assert [one.result() for one in asked] == [3, 3, 3]
    finally:
        sys.setswitchinterval(before)
