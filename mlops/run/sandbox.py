"""Commands with their own ``/opt/ml``.

Where the system lets us, each command gets its own mount and process namespaces: a private ``/opt/ml`` and ``/tmp``,
the rest of the file system read-only, our state and AWS's files hidden, and no process that outlives it. Elsewhere
(macOS, hardened kernels) the same folders are handed over by name: ``/opt/ml`` in the command, its arguments and its
environment is rewritten, and ``SAGEMAKER_BASE_DIR`` says where it is. Which of the two is found out by really doing it.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict, get_args

from mlops.ir import ConfigurationError
from mlops.run.output import Output
from mlops.run.secrets import with_stand_ins

Mode: TypeAlias = Literal["namespaces", "folders"]

OPT_ML = "/opt/ml"
FORCE_VARIABLE = "MLOPS_SANDBOX"
_LAUNCHER = Path(__file__).with_name("launcher.py")
_SERVING = Path(__file__).with_name("serving")
_OPT_ML_IN_TEXT = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PRIVATE_TMP = "/tmp"  # noqa: S108 - inside the sandbox
_STATE = ".mlops"
# A step's files have the modes that they would have there, whatever those of our own.
_CONTAINERS_UMASK = 0o022
_ALONE = {"algo-1": "127.0.0.1"}
_WORD = 4
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Isolation:
    """How steps are kept apart on this machine, and why so."""

    mode: Mode
    reason: str


@dataclass(frozen=True, slots=True)
class Box:
    """Two folders of one command: ``ml`` becomes ``/opt/ml``, ``scratch`` holds its ``/tmp``.
    Without ``network`` it has no more than its own loopback, where there are namespaces."""

    ml: Path
    scratch: Path
    isolation: Isolation
    network: bool = True

    def path(self, inside: str) -> str:
        """What the command calls ``inside``, a path under ``/opt/ml`` or ``/tmp``."""
        if self.isolation.mode == "namespaces":
            return inside
        if inside == _PRIVATE_TMP or inside.startswith(f"{_PRIVATE_TMP}/"):
            return f"{self.scratch / 'tmp'}{inside[len(_PRIVATE_TMP) :]}"
        return self.rewritten(inside)

    def rewritten(self, text: str) -> str:
        """``text`` with every ``/opt/ml`` in it replaced, where the mode asks for that."""
        if self.isolation.mode == "namespaces":
            return text
        return _OPT_ML_IN_TEXT.sub(lambda _: str(self.ml), text)


class Order(TypedDict):
    """What a keeper reads. Paths are absolute; ``keep`` are folders of the host's ``/tmp`` that stay visible,
    ``hide`` folders elsewhere that look empty. ``join`` is the keeper of another command whose network is shared,
    ``inherit`` the numbers under which the command finds the descriptors that come along."""

    ml: str
    tmp: str
    keep: list[str]
    hide: list[str]
    network: bool
    join: int | None
    hostname: str
    hosts: dict[str, str]
    command: list[str]
    environment: dict[str, str]
    cwd: str
    inherit: list[int]


class Boxed:
    """A command that runs in a sandbox. Losing the last reference to it kills the command."""

    def __init__(self, control: socket.socket, output: Output) -> None:
        self._control = control
        self._output = output
        _alive.add(self)
        self._told = b""
        self._code: int | None = None

    def fileno(self) -> int:
        """Of what is readable when :meth:`poll` has something new to tell; -1 behind the end."""
        return self._control.fileno()

    @property
    def pid(self) -> int:
        """The keeper's, who dies with the command. Raises ProcessLookupError where it never lived."""
        while self.poll() is None and len(self._told) < _WORD:
            self._listen(_PATIENCE_SECONDS)
        if len(self._told) < _WORD:
            raise ProcessLookupError("the launcher died before it started the command")
        return int.from_bytes(self._told[:_WORD])

    def poll(self) -> int | None:
        """The exit status, 128 + n after signal n; None while it runs."""
        while self._code is None:
            try:
                told = self._control.recv(2 * _WORD)
            except BlockingIOError:
                return None
            except ConnectionResetError:
                told = b""
            self._told += told
            if len(self._told) == 2 * _WORD:
                self._end(int.from_bytes(self._told[_WORD:]))
            elif not told:  # the keeper was killed
                self._end(128 + signal.SIGKILL)
        return self._code

    def _end(self, code: int) -> None:
        _alive.discard(self)
        self._output.finish()
        self._code = code
        self._control.close()

    def resident_bytes(self) -> int:
        """Memory that the command and all that it started hold at this moment, without what only mirrors files. Pages
        that several of them share count once. 0 where the system does not tell (macOS)."""
        if self.poll() is not None:
            return 0
        processes = _descendants(self.pid)
        if len(processes) == 1:
            return _resident(processes[0])
        return sum(map(_proportional, processes))

    def terminate(self) -> None:
        """SIGTERM to the command, as the service stops a container."""
        if self.poll() is None:
            with suppress(BrokenPipeError):
                self._control.send(b"T")

    def kill(self) -> None:
        """The command and all that it started. Waits until they are gone."""
        if self.poll() is not None:
            return
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        if (
            self.wait(_PATIENCE_SECONDS) is None
        ):  # the keeper itself hangs; in a namespace its death still ends the rest
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait(_PATIENCE_SECONDS)

    def wait(self, seconds: float) -> int | None:
        """:meth:`poll` after at most ``seconds``."""
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None and (left := deadline - time.monotonic()) > 0:
            self._listen(left)
        return code

    def _listen(self, seconds: float) -> None:
        if self._code is None:
            waiting = select.poll()
            waiting.register(self._control, select.POLLIN)
            waiting.poll(seconds * 1000)


def start(
    command: Sequence[str],
    box: Box,
    *,
    environment: Mapping[str, str],
    log: Path,
    cwd: str = _PRIVATE_TMP,
    pass_fds: tuple[int, ...] = (),
    hostname: str = "algo-1",
    hosts: Mapping[str, str] | None = None,
    share_network_with: Boxed | None = None,
) -> Boxed:
    """Both streams of the command are appended to ``log``, as far as that may grow. ``cwd`` and all texts speak of
    ``/opt/ml``.

    ``hosts`` has loopback addresses by host name, by default ``{"algo-1": "127.0.0.1"}``. Of several commands without
    ``box.network`` that are hosts of one job, the second and further ones share the network of the first. Names of
    hosts and shared networks need namespaces; in plain folders they are left out."""
    tmp = box.scratch / "tmp"
    for folder in (box.ml, tmp):
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - hot, like what follows
    ml = os.path.realpath(box.ml)
    order = Order(
        ml=ml,
        tmp=os.path.realpath(tmp),
        keep=_below_tmp(),
        hide=_hidden(ml),
        network=box.network,
        join=None if share_network_with is None or box.network else share_network_with.pid,
        hostname=hostname,
        hosts=dict(_ALONE if hosts is None else hosts),
        command=[box.rewritten(word) for word in command],
        environment=_environment(with_stand_ins(environment), box),
        cwd=box.path(cwd),
        inherit=list(pass_fds),
    )
    output = Output(log)
    try:
        return _launchers[box.isolation.mode].launch(order, output, pass_fds)
    finally:
        output.close_descriptor()


def wait_for_an_end(seconds: float) -> None:
    """Returns when a command of this process ends, at the latest after ``seconds``."""
    waiting = select.poll()
    boxes = {boxed.fileno(): boxed for boxed in list(_alive)}
    for descriptor in boxes:
        if descriptor >= 0:
            waiting.register(descriptor, select.POLLIN)
    for descriptor, _ in waiting.poll(seconds * 1000):
        # Who has told all is not listened to again, whoever asks for the news.
        boxes[descriptor].poll()


def probe() -> Isolation:
    """What this machine allows. Raises :class:`ConfigurationError` where MLOPS_SANDBOX asks for the impossible."""
    return _probe(os.environ.get(FORCE_VARIABLE, ""))


@cache
def _probe(forced: str) -> Isolation:
    if forced == "folders":
        return Isolation("folders", f"{FORCE_VARIABLE}=folders")
    if forced not in ("", "namespaces"):
        raise ConfigurationError(f"{FORCE_VARIABLE} is {forced!r}", hint="use namespaces, folders, or leave it unset")
    if sys.platform != "linux":
        refusal = f"{sys.platform} has no mount namespaces"
    else:
        refusal = _try_namespaces()
    if not refusal:
        return Isolation("namespaces", "each step gets its own /opt/ml and /tmp")
    if forced:
        raise ConfigurationError(
            f"{FORCE_VARIABLE}=namespaces, but {refusal}", hint=f"unset {FORCE_VARIABLE} to run steps in plain folders"
        )
    return Isolation("folders", refusal)


def _try_namespaces() -> str:
    """Why not; empty where it works."""
    with tempfile.TemporaryDirectory(prefix="mlops-probe-") as name:
        box = Box(Path(name, "ml"), Path(name), Isolation("namespaces", "probe"))
        box.ml.mkdir()
        (box.ml / "seen").touch()
        log = Path(name, "log")
        program = f"import os; os.rename({OPT_ML + '/seen'!r}, {OPT_ML + '/done'!r})"
        boxed = start([sys.executable, "-I", "-S", "-c", program], box, environment={}, log=log)
        code = boxed.wait(30)
        boxed.kill()
        if code == 0 and (box.ml / "done").exists():
            return ""
        told = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return told[-1].removeprefix("[mlops] ") if told else f"the sandbox ended with exit code {code}"


class _Launcher:
    """The launcher of this process, started when it is first needed, and again where somebody killed it."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        atexit.register(self._close)
        os.register_at_fork(after_in_child=self._forget)

    def launch(self, order: Order, output: Output, descriptors: tuple[int, ...]) -> Boxed:
        text = json.dumps(order).encode()
        control, theirs = socket.socketpair()
        control.setblocking(False)
        with theirs, self._lock:
            # The order goes through a socket, not through a file or arguments: it may hold secrets.
            message, passed = len(text).to_bytes(_WORD) + text, [theirs.fileno(), output.descriptor, *descriptors]
            orders = self._orders or self._start()
            try:
                _send(orders, message, passed)
            except (BrokenPipeError, ConnectionResetError):
                self._close()
                _send(self._start(), message, passed)
        return Boxed(control, output)

    def _start(self) -> socket.socket:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(_LAUNCHER), self._mode],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_inherited(),
                cwd="/",
                start_new_session=True,
                umask=_CONTAINERS_UMASK,
            )
        return self._orders

    def _close(self) -> None:
        if self._orders is not None and self._process is not None:
            self._orders.close()
            self._process.wait()
            self._orders = self._process = None

    def _forget(self) -> None:
        """In the child of a fork: the launcher is the parent's."""
        self._lock = threading.Lock()
        if self._orders is not None:
            self._orders.close()
        self._orders = self._process = None


_launchers = {mode: _Launcher(mode) for mode in get_args(Mode)}
_alive: weakref.WeakSet[Boxed] = weakref.WeakSet()


def _send(orders: socket.socket, message: bytes, descriptors: Sequence[int]) -> None:
    sent = socket.send_fds(orders, [message], descriptors)
    orders.sendall(message[sent:])


def _descendants(process: int) -> list[int]:
    """Parents before children; of a process that has ended none."""
    found: list[int] = []
    waiting = [process]
    while waiting:
        parent = waiting.pop(0)
        # It may end at any moment, even while its folder is listed.
        with suppress(OSError):
            for listed in Path(f"/proc/{parent}/task").glob("*/children"):
                children = [int(word) for word in listed.read_text().split()]
                found += children
                waiting += children
    return found


def _resident(process: int) -> int:
    """Without the pages of files, which the system takes back when it needs them."""
    with suppress(OSError):
        _, resident, of_files, *_ = Path(f"/proc/{process}/statm").read_text().split()
        return (int(resident) - int(of_files)) * resource.getpagesize()
    return 0


def _proportional(process: int) -> int:
    """A page that n processes share counts 1/n. Where that is not told, it counts fully."""
    with suppress(OSError):
        told = dict(line.split(":", 1) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
        if "Pss_Anon" in told:
            return sum(int(told[name].split()[0]) * 1024 for name in ("Pss_Anon", "Pss_Shmem") if name in told)
    return _resident(process)


def _environment(wanted: Mapping[str, str], box: Box) -> dict[str, str]:
    """Nothing of the caller's, least of all credentials."""
    tmp = box.path(_PRIVATE_TMP)
    environment = {
        **_inherited(),
        "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_PATH}",
        "HOME": tmp,
        "LANG": "C.UTF-8",
        "TMPDIR": tmp,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **{name: box.rewritten(text) for name, text in wanted.items()},
    }
    if box.isolation.mode == "folders":
        environment["SAGEMAKER_BASE_DIR"] = str(box.ml)
    return environment


def _inherited() -> dict[str, str]:
    # A shared-library build of Python, such as that of hosted CI, does not start without it.
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}


@cache
def _below_tmp() -> list[str]:
    """Folders that the interpreter needs and a private ``/tmp`` would hide, outer ones first."""
    return [path for path in _needed() if path.startswith(f"{_PRIVATE_TMP}/") and Path(path).is_dir()]


@cache
def _needed() -> tuple[str, ...]:
    needed = (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent, _SERVING)
    return tuple(sorted({str(path.resolve()) for path in needed} | {str(Path(sys.prefix))}))


def _hidden(ml: str) -> list[str]:
    """The state folders around this box, with the account and all other steps, and where AWS keeps credentials."""
    names = ml.split("/")
    states = ["/".join(names[: number + 1]) for number, name in enumerate(names[:-1]) if name == _STATE]
    return [folder for folder in (*states, *_keys_of_aws()) if _may_hide(folder)]


@cache
def _keys_of_aws() -> tuple[str, ...]:
    try:
        folder = (Path.home() / ".aws").resolve()
    except RuntimeError:  # nobody's home
        return ()
    return (str(folder),) if folder.is_dir() else ()


@cache
def _may_hide(folder: str) -> bool:
    """Not what is hidden anyway, or what the interpreter needs."""
    if Path(folder).is_relative_to(_PRIVATE_TMP):
        return False
    return not any(Path(path).is_relative_to(folder) for path in _needed())
