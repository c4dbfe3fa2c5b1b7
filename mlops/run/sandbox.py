"""Commands with their own ``/opt/ml``.

Where the system lets us, each command gets its own mount and process namespaces: a private ``/opt/ml`` and ``/tmp``,
the rest of the file system read-only, our state and AWS's files hidden, and no process that outlives it. Elsewhere
(macOS, hardened kernels) the same folders are handed over by name: ``/opt/ml`` in the command, its arguments and its
environment is rewritten, and ``SAGEMAKER_BASE_DIR`` says where it is. Which of the two is found out by really doing it.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Literal, TypedDict

from mlops.ir import ConfigurationError

OPT_ML = "/opt/ml"
FORCE_VARIABLE = "MLOPS_SANDBOX"
_LAUNCHER = Path(__file__).with_name("launcher.py")
_SERVING = Path(__file__).with_name("serving")
_OPT_ML_IN_TEXT = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PRIVATE_TMP = "/tmp"  # noqa: S108 - inside the sandbox
_STATE = ".mlops"
_ALONE = {"algo-1": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Isolation:
    """How steps are kept apart on this machine, and why so."""

    mode: Literal["namespaces", "folders"]
    reason: str


@dataclass(frozen=True, slots=True)
class Box:
    """Two folders of one command: ``ml`` becomes ``/opt/ml``, ``scratch`` holds its ``/tmp`` and a mount point.
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
    """What the launcher reads. Paths are absolute; ``keep`` are folders of the host's ``/tmp`` that stay visible,
    ``hide`` folders elsewhere that look empty. ``join`` is the process of another command whose network is shared."""

    mode: str
    ml: str
    tmp: str
    root: str
    keep: list[str]
    hide: list[str]
    network: bool
    join: int | None
    hostname: str
    hosts: dict[str, str]
    command: list[str]
    environment: dict[str, str]
    cwd: str


class Boxed:
    """A command that runs in a sandbox. Losing the last reference to it kills the command."""

    def __init__(self, process: subprocess.Popen[bytes], namespaces: bool) -> None:
        self._process = process
        self._namespaces = namespaces

    @property
    def pid(self) -> int:
        """The launcher's."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status, 128 + n after signal n; None while it runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def resident_bytes(self) -> int:
        """Memory that the command and all that it started hold at this moment. Pages that several of them share count
        once. 0 where the system does not tell (macOS)."""
        ours = 2 if self._namespaces else 1  # the launcher, and process 1 of its namespace
        processes = _descendants(self.pid)[ours - 1 :]
        if len(processes) == 1:
            return _resident(processes[0])
        return sum(map(_proportional, processes))

    def terminate(self) -> None:
        """SIGTERM to the command, as the service stops a container."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """The command and all that it started. Waits until they are gone."""
        lifeline = self._process.stdin
        if lifeline is not None:
            with suppress(BrokenPipeError):
                lifeline.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # the launcher itself hangs; in a namespace its death still ends the rest
            self._process.kill()
            self._process.wait()

    def wait(self, seconds: float) -> int | None:
        """:meth:`poll` after at most ``seconds``."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=seconds)
        return self.poll()


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
    """Both streams of the command are appended to ``log``. ``cwd`` and all texts speak of ``/opt/ml``.

    ``hosts`` has loopback addresses by host name, by default ``{"algo-1": "127.0.0.1"}``. Of several commands without
    ``box.network`` that are hosts of one job, the second and further ones share the network of the first. Names of
    hosts and shared networks need namespaces; in plain folders they are left out."""
    for folder in (box.ml, box.scratch / "tmp", box.scratch / "root"):
        folder.mkdir(parents=True, exist_ok=True)
    order = Order(
        mode=box.isolation.mode,
        ml=str(box.ml.resolve()),
        tmp=str((box.scratch / "tmp").resolve()),
        root=str((box.scratch / "root").resolve()),
        keep=_below_tmp(),
        hide=_hidden(box),
        network=box.network,
        join=None if share_network_with is None or box.network else share_network_with.pid,
        hostname=hostname,
        hosts=dict(_ALONE if hosts is None else hosts),
        command=[box.rewritten(word) for word in command],
        environment=_environment(environment, box),
        cwd=box.path(cwd),
    )
    with log.open("ab") as output:
        return _launch(order, output, pass_fds)


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


def _launch(order: Order, output: IO[bytes], pass_fds: tuple[int, ...]) -> Boxed:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(_LAUNCHER)],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=_inherited(),
        cwd="/",
        start_new_session=True,
        pass_fds=pass_fds,
    )
    boxed = Boxed(process, order["mode"] == "namespaces")
    lifeline = process.stdin
    # The order goes through the pipe, not through a file or arguments: it may hold secrets.
    if lifeline is not None:
        with suppress(BrokenPipeError):  # the launcher died at once; poll() tells
            lifeline.write(json.dumps(order).encode() + b"\n")
            lifeline.flush()
    return boxed


def _descendants(process: int) -> list[int]:
    """Parents before children; of a process that has ended none."""
    found: list[int] = []
    waiting = [process]
    while waiting:
        parent = waiting.pop(0)
        for listed in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                children = [int(word) for word in listed.read_text().split()]
                found += children
                waiting += children
    return found


def _resident(process: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def _proportional(process: int) -> int:
    """A page that n processes share counts 1/n. Where that is not told, it counts fully."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
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


def _below_tmp() -> list[str]:
    """Folders that the interpreter needs and a private ``/tmp`` would hide, outer ones first."""
    return [path for path in _needed() if path.startswith(f"{_PRIVATE_TMP}/") and Path(path).is_dir()]


def _needed() -> list[str]:
    needed = (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent, _SERVING)
    return sorted({str(path.resolve()) for path in needed} | {str(Path(sys.prefix))})


def _hidden(box: Box) -> list[str]:
    """The state folder around this box, with the account and all other steps, and where AWS keeps credentials."""
    ml = box.ml.resolve()
    states = [folder for folder in ml.parents if folder.name == _STATE]
    with suppress(RuntimeError):  # nobody's home
        states.append((Path.home() / ".aws").resolve())
    return [
        str(folder)
        for folder in states
        if folder.is_dir()
        and not folder.is_relative_to(_PRIVATE_TMP)
        and not any(Path(path).is_relative_to(folder) for path in _needed())
    ]
