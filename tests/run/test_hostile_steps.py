"""Steps that mean harm, or simply fail badly: what they can reach, and what is left of them."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, processing, step, tar_gz, training

from mlops.run.archive import unpack
from mlops.run.outcome import StepFailed
from mlops.run.pace import Pace
from mlops.run.sandbox import Box, probe, start

HOME = Path(__file__).parents[2]


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that no private ``/tmp`` hides, with an account's state and two steps in it."""
    # Neither below /tmp nor in the checkout, whose owner may forbid it.
    for parent in (Path("/var/tmp"), Path.home()):
        if os.access(parent, os.W_OK):
            folder = Path(tempfile.mkdtemp(prefix="mlops-test-", dir=parent))
            break
    else:
        pytest.skip("no folder outside /tmp to write to")
    (folder / ".mlops/executions/e/Other/1/ml").mkdir(parents=True)
    (folder / ".mlops/account.sqlite").write_text("secret")
    (folder / ".mlops/executions/e/Other/1/ml/data").write_text("secret")
    (folder / "pipeline.py").write_text("visible")
    yield folder
    shutil.rmtree(folder)


def in_box(folder: Path, program: str, *, network: bool = True, seconds: float = 30) -> tuple[int | None, str]:
    box = Box(folder / "ml", folder / "scratch", probe(), network)
    log = folder / "log"
    boxed = start(["python3", "-c", program], box, environment={}, log=log)
    code = boxed.wait(seconds)
    boxed.kill()
    return code, log.read_text(errors="replace")


WRITE = """
import os, sys
for place in PLACES:
    try:
        with open(place, "w") as file:
            file.write("x")
    except OSError as refused:
        print("refused", place)
    else:
        print("WROTE", place)
"""


def test_it_writes_nowhere_else(outside: Path, private: str) -> None:
    own = outside / ".mlops/executions/e/Own/1"
    places = [
        "/etc/mlops-test",
        "/usr/mlops-test",
        "/var/tmp/mlops-test",
        "/mlops-test/x",
        "/proc/sys/kernel/core_pattern",
        "/sys/kernel/mm/ksm/run",
        # A checkout below /tmp is hidden by the step's own /tmp, into which it may write.
        *([] if HOME.is_relative_to("/tmp") else [str(HOME / "mlops-test")]),
        str(outside / "mlops-test"),
        str(outside / "pipeline.py"),
        str(outside / ".mlops/account.sqlite"),
        str(outside / ".mlops/mlops-test"),
        str(outside / ".mlops/executions/e/Other/1/ml/data"),
    ]
    code, log = in_box(own, WRITE.replace("PLACES", repr(places)))
    assert code == 0 and "WROTE" not in log and log.count("refused") == len(places), log
    assert not (HOME / "mlops-test").exists()
    assert (outside / ".mlops/account.sqlite").read_text() == "secret"
    assert (outside / "pipeline.py").read_text() == "visible"
    mine = f"/tmp/mlops-test-{os.getpid()}"
    allowed = [mine, "/opt/ml/x", "/dev/shm/mlops-test", "/dev/null"]
    code, log = in_box(own, WRITE.replace("PLACES", repr(allowed)))
    assert log.count("WROTE") == len(allowed), log
    assert not Path("/dev/shm/mlops-test").exists() and not Path(mine).exists()


def test_it_reads_no_state_of_ours(outside: Path, private: str) -> None:
    program = f"""
import os
print(open({str(outside / "pipeline.py")!r}).read())
for folder, _, files in os.walk({str(outside / ".mlops")!r}):
    print("SEES", folder, files)
print("data" , os.listdir("/opt/ml"))
"""
    own = outside / ".mlops/executions/e/Own/1"
    (own / "ml").mkdir(parents=True)
    (own / "ml/mine").touch()
    code, log = in_box(own, program)
    assert code == 0, log
    assert "visible" in log and f"SEES {outside / '.mlops'} []\n" in log and log.count("SEES") == 1
    assert "data ['mine']" in log


UNDO = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print("umount", libc.umount2(b"/opt/ml", 2))
print("remount", libc.mount(None, b"/etc", None, ctypes.c_ulong(32 | 4096), None))
print("tmpfs", libc.mount(b"tmpfs", b"/tmp", b"tmpfs", ctypes.c_ulong(0), None))
try:
    os.mknod("/tmp/device", 0o60600, os.makedev(7, 0))
    print("mknod 0")
except OSError:
    print("mknod -1")
"""


def test_it_does_not_undo_its_sandbox(tmp_path: Path, private: str) -> None:
    _, log = in_box(tmp_path, UNDO)
    assert log.splitlines() == ["umount -1", "remount -1", "tmpfs -1", "mknod -1"]


DEVICES = """
import os, stat
listed = sorted(os.listdir("/dev"))
known = "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero".split()
accelerators = ("nvidia", "kfd", "dri", "dxg", "neuron", "infiniband")
print("surplus", [name for name in listed if name not in known and not name.startswith(accelerators)])
print("terminals of others", [name for name in os.listdir("/dev/pts") if name != "ptmx"])
print("disks", [name for name in listed if stat.S_ISBLK(os.lstat(f"/dev/{name}").st_mode)])
print("sockets", [name for name in os.listdir("/run") if stat.S_ISSOCK(os.stat(f"/run/{name}").st_mode)])
disk = os.makedev(7, 0)
for doing, *arguments in [
    (os.unlink, "/dev/null"), (os.rename, "/dev/zero", "/dev/null"), (os.chmod, "/dev/null", 0o600),
    (os.mkdir, "/dev/mlops-test"), (os.symlink, "/etc", "/dev/mlops-test"), (os.mknod, "/dev/sda", 0o60600, disk),
    (os.mknod, "/tmp/sda", 0o60600, disk), (os.open, "/dev/mlops-test", os.O_CREAT), (os.rmdir, "/dev/shm"),
    (os.fchmod, 0, 0o600), (os.chmod, "/proc/self/fd/0", 0o600), (os.chmod, "/dev", 0o777),
    (os.mkdir, "/mlops-test"), (os.open, "/proc/sysrq-trigger", os.O_WRONLY),
]:
    try:
        doing(*arguments)
    except OSError:
        pass
    else:
        print("DONE", doing, arguments)
"""
DEVICES_AT_WORK = """
import multiprocessing, os, pty
with open("/dev/null", "w") as nothing:
    nothing.write("x")
assert open("/dev/null").read() == "" and open("/dev/zero", "rb").read(2) == bytes(2)
assert len(open("/dev/urandom", "rb").read(8)) == len(open("/dev/random", "rb").read(8)) == 8
with multiprocessing.Semaphore() as semaphore, multiprocessing.Pool(2) as pool:
    assert pool.map(abs, [-1, 1]) == [1, 1]
from multiprocessing.shared_memory import SharedMemory
shared = SharedMemory(create=True, size=10)
shared.close(); shared.unlink()
ours, theirs = os.openpty()
os.write(theirs, b"x")
assert os.read(ours, 1) == b"x" and os.ttyname(theirs).startswith("/dev/pts/")
child, terminal = pty.fork()
if child == 0:
    os._exit(0 if os.isatty(os.open("/dev/tty", os.O_RDWR)) else 1)
assert os.wait()[1] == 0
read, write = os.pipe()
os.write(write, b"y")
assert open(f"/dev/fd/{read}", "rb", buffering=0).read(1) == b"y"
print("to stdout", file=open("/dev/stdout", "a"))
print("to stderr", file=open("/dev/stderr", "a"))
assert open("/dev/stdin").read() == ""
"""
NO_MORE_THAN_ITS_OWN = "surplus []\nterminals of others []\ndisks []\nsockets []\n"


@pytest.fixture(params=["as whoever tests", "as an ordinary user"])
def lodger(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Runs a program in a sandbox that another process made, maybe one that is not root's, and answers what it said."""
    if os.getuid() != 0 and request.param != "as whoever tests":
        pytest.skip("the tests do not run as root, so the other case is this one")
    user = None if request.param == "as whoever tests" else 65534
    python = _interpreter(user)
    with tempfile.TemporaryDirectory(prefix="mlops-lodger-") as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, user, user)

        def lodge(program: str) -> str:
            ended = _as(user, python, "-c", LODGE, name, program)
            if user is not None and ended.returncode == NO_NAMESPACES:
                pytest.skip(f"an ordinary user has no sandbox here: {ended.stdout}")
            assert ended.returncode == 0, ended.stdout + ended.stderr
            return ended.stdout

        yield lodge


def _interpreter(user: int | None) -> str:
    """One that the user may start: that of the tests may belong to root alone."""
    if user is None:
        return sys.executable
    for python in (sys.executable, shutil.which("python3", path=os.defpath)):
        if python is None:
            continue
        with contextlib.suppress(PermissionError):
            if _as(user, python, "-c", "import mlops.run.sandbox").returncode == 0:
                return python
    pytest.skip("an ordinary user can start no Python here that knows mlops")


def _as(user: int | None, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "PYTHONPATH": str(HOME), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["MLOPS_SANDBOX"] = os.environ.get("MLOPS_SANDBOX", "")
    return subprocess.run(
        words, user=user, group=user, env=environment, cwd="/", capture_output=True, text=True, check=False
    )


NO_NAMESPACES = 3
LODGE = """
import sys
from pathlib import Path
from mlops.ir import ConfigurationError
from mlops.run.sandbox import Box, probe, start
folder = Path(sys.argv[1])
try:
    isolation = probe()
except ConfigurationError as refused:
    print(refused)
    sys.exit(3)
box = Box(folder / "ml", folder / "scratch", isolation)
code = start(["python3", "-c", sys.argv[2]], box, environment={}, log=folder / "log").wait(120)
print((folder / "log").read_text(), end="")
sys.exit(code)
"""


def test_devices_of_the_host_are_out_of_reach(private: str, lodger: Callable[[str], str]) -> None:
    host = {name: os.lstat(f"/dev/{name}").st_rdev for name in os.listdir("/dev")}
    assert lodger(DEVICES) == NO_MORE_THAN_ITS_OWN
    assert host.items() <= {name: os.lstat(f"/dev/{name}").st_rdev for name in os.listdir("/dev")}.items()
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode) and stat.S_IMODE(os.stat(os.devnull).st_mode) == 0o666


def test_devices_that_work(private: str, lodger: Callable[[str], str]) -> None:
    assert lodger(DEVICES_AT_WORK) == "to stdout\nto stderr\n"


CAPABILITIES = """
with open("/proc/self/status") as file:
    print(next(line.split()[1] for line in file if line.startswith(SET)))
"""


def test_capabilities_are_those_of_a_container(private: str, lodger: Callable[[str], str]) -> None:
    dockers, mknod = 0xA80425FB, 1 << 27
    # bubblewrap leaves the bounding set as it is, and sees to it that nothing is gained any more.
    for set_of in ("CapBnd", "CapPrm") if private == "namespaces" else ("CapPrm",):
        assert int(lodger(CAPABILITIES.replace("SET", repr(set_of))).split()[-1], 16) & ~(dockers & ~mknod) == 0


KEEPER = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, 1, None, None))
print(libc.syscall(438, libc.syscall(434, 1, 0), 3, 0))
for name in ("mem", "environ", "root", "cwd", "fd/1"):
    try:
        os.readlink(f"/proc/1/{name}") if name not in ("mem", "environ") else open(f"/proc/1/{name}").read(1)
    except OSError:
        continue
    print("READ", name)
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGCHLD):
    os.kill(1, number)
print("still here")
raise SystemExit(5)
"""


def test_its_keeper_is_out_of_reach(tmp_path: Path, private: str) -> None:
    """Process 1 of the sandbox, which holds the line to the runner."""
    if private == "bubblewrap":
        pytest.skip("there process 1 is bubblewrap's, and the keeper is out of sight")
    assert in_box(tmp_path, KEEPER) == (5, "-1\n-1\nstill here\n")


CONNECT = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as own:
    socket.create_connection(own.getsockname(), 5).close()
    print("own loopback")
try:
    socket.create_connection(("127.0.0.1", PORT), 5).close()
    print("REACHED")
except OSError as fault:
    print("not reached")
print(sorted(name for _, name in socket.if_nameindex()))
"""


@pytest.mark.parametrize("network", [True, False])
def test_the_network(tmp_path: Path, private: str, network: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        program = CONNECT.replace("PORT", str(listening.getsockname()[1]))
        code, log = in_box(tmp_path, program, network=network)
    assert code == 0 and "own loopback" in log, log
    assert ("REACHED" in log) == network
    if not network:
        assert "['lo']" in log


def test_network_isolation_of_steps(account: Account, private: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        program = CONNECT.replace("PORT", str(listening.getsockname()[1]))
        free = processing(account, "Free", program)
        shut = processing(account, "Shut", program, NetworkConfig={"EnableNetworkIsolation": True})
        trained = training(account, "Train", {"train.py": program}, EnableNetworkIsolation=True)
        assert account.run(free, shut, trained) == "Succeeded", account.journal.log("Shut")
    assert "REACHED" in account.journal.log("Free")
    assert "not reached" in account.journal.log("Shut") and "not reached" in account.journal.log("Train")


def test_network_isolation_without_namespaces(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_SANDBOX", "folders")
    assert account.run(processing(account, "P", "", NetworkConfig={"EnableNetworkIsolation": True})) == "Succeeded"
    assert "EnableNetworkIsolation has no effect here" in account.journal.log("P")


DAEMON = """
import os, sys
source, sink = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("python3", ["python3", "-c", "import time; time.sleep(99)", MARKER])
    os._exit(0)
os.close(sink)
os.read(source, 1)  # nothing, when the other program has taken the place
print("left it behind")
"""


def test_what_it_leaves_in_the_background_dies_with_it(tmp_path: Path, private: str) -> None:
    marker = f"daemon-{os.getpid()}"
    code, log = in_box(tmp_path, DAEMON.replace("MARKER", repr(marker)))
    assert (code, log) == (0, "left it behind\n")
    assert gone(marker)


def gone(marker: str) -> bool:
    for _ in range(100):
        listed = subprocess.run(["ps", "-eww", "-o", "args="], capture_output=True, text=True, check=True).stdout
        if marker not in listed:
            return True
        time.sleep(0.05)
    return False


def archive(folder: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    path = folder / "x.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        if kind == tarfile.REGTYPE:
            member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    return path


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../x", tarfile.REGTYPE, ""),
        ("a/../../x", tarfile.REGTYPE, ""),
        ("/etc/x", tarfile.REGTYPE, ""),
        ("link", tarfile.SYMTYPE, "/etc/passwd"),
        ("link", tarfile.SYMTYPE, "../outside"),
        ("link", tarfile.LNKTYPE, "/etc/passwd"),
        ("link", tarfile.LNKTYPE, "../outside"),
        ("device", tarfile.CHRTYPE, ""),
        ("device", tarfile.BLKTYPE, ""),
        ("fifo", tarfile.FIFOTYPE, ""),
    ],
)
def test_archives_that_are_refused(tmp_path: Path, name: str, kind: bytes, link: str) -> None:
    target = tmp_path / "deep" / "target"
    with pytest.raises(StepFailed, match=r"s3://b/x\.tar\.gz cannot be unpacked as \.tar\.gz: "):
        unpack(archive(tmp_path, name, kind, link), target, "s3://b/x.tar.gz")
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == [tmp_path / "x.tar.gz"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_archives_that_are_damaged(tmp_path: Path, mode: Any) -> None:
    packed, chances = io.BytesIO(), random.Random(1)
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        for number in range(6):
            member = tarfile.TarInfo(f"f{number}")
            member.size = 5000
            tar.addfile(member, io.BytesIO(chances.randbytes(5000)))
    whole = packed.getvalue()
    for number in range(60):
        damaged = bytearray(whole)
        damaged[chances.randrange(len(damaged))] ^= chances.randrange(1, 256)
        (tmp_path / "x").write_bytes(damaged)
        with contextlib.suppress(StepFailed):
            unpack(tmp_path / "x", tmp_path / f"t{number}", "x")


def test_archives_that_are_not_refused(tmp_path: Path) -> None:
    for number, (name, kind, link) in enumerate([("a/b", tarfile.REGTYPE, ""), ("link", tarfile.SYMTYPE, "inside")]):
        unpack(archive(tmp_path, name, kind, link), tmp_path / f"t{number}", "x")
        assert os.path.lexists(tmp_path / f"t{number}" / name)


MEMORY = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))
x = bytearray(2**30)
"""
FAILURE = """
import pathlib, os
folder = pathlib.Path(os.environ["SM_OUTPUT_DIR"])
(folder / "failure").write_text("the data has no rows\\n" + "x" * 2000)
print("last words")
raise SystemExit(7)
"""


@pytest.mark.parametrize(
    ("script", "begins", "ends"),
    [
        ("import sys; print('a' * 80); print('last words'); sys.exit(3)", "exit code 3: ", "last words"),
        ("import os; print('last words'); os.kill(os.getpid(), 9)", "exit code 137 (killed; ", "last words"),
        (MEMORY, "exit code 1: Traceback", "MemoryError"),
        (FAILURE, "the data has no rows\nxxx", "x"),
        ("import os; os.abort()", "exit code 134", ""),
    ],
)
def test_how_a_training_fails(account: Account, script: str, begins: str, ends: str) -> None:
    assert account.run(training(account, "Train", {"train.py": script})) == "Failed"
    record = account.journal.last("Train")
    assert record.failure is not None and record.failure.startswith(begins) and record.failure.endswith(ends)
    assert len(record.failure) <= 1024
    assert record.response["TrainingJobStatus"] == "Failed" and record.response["FailureReason"] == record.failure
    assert account.journal.statuses[-1] == ("Failed", "Step failure: One or multiple steps failed: Train.")


@pytest.mark.parametrize("kind", ["Training", "Processing"])
def test_one_that_does_not_listen(account: Account, kind: str) -> None:
    marker = f"deaf-{os.getpid()}-{kind}"
    script = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)", {marker!r}])
print("deaf")
time.sleep(99)
"""
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    deaf = (
        training(account, "S", {"train.py": script}, **limit)
        if kind == "Training"
        else processing(account, "S", script, **limit)
    )
    assert account.run(deaf, pace=Pace(grace=0.5)) == "Failed"
    record = account.journal.last("S")
    assert record.failure == "it ran longer than MaxRuntimeInSeconds = 1"
    assert gone(marker)


def test_nothing_is_kept_of_a_step_that_cannot_start(account: Account) -> None:
    arguments = {"AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": ["/opt/ml/processing/none"]}}
    assert account.run(step("Processing", "P", arguments)) == "Failed"
    assert account.journal.last("P").failure == (
        "exit code 127 (not found): [mlops] cannot start '/opt/ml/processing/none': No such file or directory"
    )


REACH = """
import socket
def model_fn(folder): return None
def transform_fn(model, body, kind, accept):
    try:
        socket.create_connection(("127.0.0.1", int(body)), 5).close()
    except OSError:
        return "shut"
    return "open"
"""


@pytest.mark.parametrize("isolated", [False, True])
def test_network_isolation_of_a_model(account: Account, private: str, isolated: bool) -> None:
    """It is reached through the socket that it inherits, and reaches nobody."""
    data = account.objects.write("s3://bucket/model.tar.gz", tar_gz({"code/inference.py": REACH}))
    container = {"Image": "i", "ModelDataUrl": data}
    account.registry.model("m", PrimaryContainer=container, EnableNetworkIsolation=isolated)
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        account.objects.write("s3://bucket/in/a", str(listening.getsockname()[1]))
        request = {
            "ModelName": "m",
            "TransformInput": {**source, "ContentType": "text/csv"},
            "TransformOutput": {"S3OutputPath": "s3://bucket/answers/"},
        }
        assert account.run(step("Transform", "T", request)) == "Succeeded", account.journal.log("T")
    assert account.objects.read("s3://bucket/answers/a.out") == (b"shut" if isolated else b"open")


LINK = """
import os, pathlib, shutil
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
place = base / PLACE
shutil.rmtree(place) if place.is_dir() else None
os.symlink(TARGET, place)
raise SystemExit(CODE)
"""


@pytest.mark.parametrize(
    ("place", "code", "reason"),
    [
        ("model", 0, "the step put a link in place of /opt/ml/model; nothing is read through it"),
        ("output/data", 0, "the step put a link in place of /opt/ml/output/data; nothing is read through it"),
        ("output", 3, "the step put a link in place of /opt/ml/output; nothing is read through it"),
        ("output/failure", 3, "exit code 3"),
    ],
)
def test_links_that_a_training_leaves(account: Account, place: str, code: int, reason: str) -> None:
    secret = account.folder / "secret"
    secret.mkdir()
    (secret / "failure").write_text("secret")
    target = secret / "failure" if place.endswith("failure") else secret
    script = LINK.replace("PLACE", repr(place)).replace("TARGET", repr(str(target))).replace("CODE", str(code))
    assert account.run(training(account, "S", {"train.py": script})) == "Failed"
    assert account.journal.last("S").failure == reason
    assert not [key for key in account.objects.keys("s3://bucket/models") if b"secret" in account.objects.read(key)]


@pytest.mark.parametrize(
    ("place", "code", "reason"),
    [
        ("processing/output/out", 0, "the step put a link in place of /opt/ml/processing/output/out; nothing is read"),
        ("output/message", 3, "exit code 3"),
    ],
)
def test_links_that_a_processing_leaves(account: Account, place: str, code: int, reason: str) -> None:
    secret = account.folder / "secret"
    secret.mkdir()
    (secret / "message").write_text("secret")
    target = secret / "message" if place.endswith("message") else secret
    script = LINK.replace("PLACE", repr(place)).replace("TARGET", repr(str(target))).replace("CODE", str(code))
    assert account.run(processing(account, "S", script, outputs=("out",))) == "Failed"
    failure = account.journal.last("S").failure
    assert failure is not None and failure.startswith(reason) and "secret" not in failure
    assert account.objects.keys("s3://bucket/out") == ()


def test_a_model_folder_that_was_removed(account: Account) -> None:
    script = "import os; os.rmdir(os.environ['SM_MODEL_DIR'])"
    assert account.run(training(account, "S", {"train.py": script})) == "Succeeded"
    assert "the model archive is empty" in account.journal.log("S")
