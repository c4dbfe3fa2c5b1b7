"""Makes the virtual environment of one need, by venv and by pip as this machine has it set up.

Whoever builds holds the folder's lock: a second one waits and finds it built. What is half made has no ``built.json``,
and is made anew.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from packaging.requirements import Requirement

from mlops.account.local import ownership
from mlops.account.local.images.nearest import lacking, replaced
from mlops.account.local.images.pythons import Python, closest
from mlops.account.local.images.shelf import LOG, VENV, Built, Shelf
from mlops.ir import MlopsError
from mlops.ir.hiding import hide_text
from mlops.knowledge.image_need import SERVES_WITH, Need, of_files
from mlops.project.files import write_bytes
from mlops.project.private import FILE, opener
from mlops.run.beneath import remove

Tell: TypeAlias = Callable[[str], None]
_LONGEST_WAIT = 3600.0
_MOST_PYTHONS, _MOST_REPLACED = 3, 12
_OLDEST = (3, 6)
_SHOWN, _SHOWN_ERRORS, _KEPT_LINES = 500, 3, 400
_WHEELS = ("--only-binary", ":all:")
_ELSEWHERE = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__",
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_CONSTRAINT",
)  # fmt: skip
_PIP = ("-m", "pip", "--no-input", "--disable-pip-version-check")
_THIS_PYTHONS = "packages-of-mlops.pth"


class ImageNotBuilt(MlopsError):
    """The environment could not be made; what had been made of it is made anew next time."""


def build(shelf: Shelf, need: Need, tell: Tell, line: Tell = lambda text: None) -> Built:
    """Answers at once where it is built. ``tell`` hears of each stage, ``line`` each line that pip prints. Raises
    :class:`ImageNotBuilt`."""
    if files := of_files(need.requirements):
        raise ImageNotBuilt(
            f"requirements.txt of {need.title} names files beside it: {files[0]}",
            hint="write what they bring into requirements.txt itself",
        )
    shelf.want(need)
    folder = shelf.place(need)
    with _alone(folder, tell) as lock:
        built = shelf.built(need)
        if built is None:
            built = _made(_Pip(folder, lock, line), need, tell)
            shelf.finish(need, built)
    return built


@contextmanager
def _alone(folder: Path, tell: Tell) -> Iterator[int]:
    lock = ownership.take(folder)
    if lock is None:
        tell("another process builds it; waiting")
        lock = ownership.take(folder, _LONGEST_WAIT)
    if lock is None:
        raise ImageNotBuilt(f"another process builds {folder} for more than an hour", hint="look at its build.log")
    try:
        yield lock
    finally:
        os.close(lock)


def _made(pip: _Pip, need: Need, tell: Tell) -> Built:
    pythons = closest(_numbers(need.python), SERVES_WITH if need.serves else _OLDEST)[:_MOST_PYTHONS]
    if not pythons:
        raise ImageNotBuilt(
            f"no Python here can stand for {need.title}, which has {need.python}",
            hint="install a Python with its venv module; it is found on PATH as python3.N",
        )
    told: list[str] = []
    pins = (*need.packages, *need.beside)
    for number, python in enumerate(pythons):
        pip.begin(python, tell)
        if not need.packages:
            pip.see_this_python()
            break
        tell(f"installing {' '.join(pins)}")
        if (fault := pip.install(*_WHEELS, *pins)) is None:
            break
        if _is_lacking(fault) and number + 1 < len(pythons) and python.short != _numbers(need.python):
            continue
        if number:
            python = pythons[0]
            pip.begin(python, tell)
        told += _install_nearest(pip, need, fault, tell)
        break
    if need.python and python.short != _numbers(need.python):
        told.insert(0, f"Python {python.version} for {need.python}")
    if need.requirements.strip():
        file = pip.folder / "requirements.txt"
        write_bytes(file, need.requirements.encode(), mode=FILE)
        tell("installing what requirements.txt asks for")
        if (fault := pip.install("-r", str(file))) is not None:
            raise _refused(f"requirements.txt cannot be installed for Python {python.version}", fault, pip)
    return Built(python.version, python.prefix, os.path.realpath(pip.folder), pip.installed(), tuple(told))


def _install_nearest(pip: _Pip, need: Need, fault: str, tell: Tell) -> list[str]:
    """What is told of the versions that were taken."""
    pins, told = need.packages, list[str]()
    for _ in range(_MOST_REPLACED):
        found = lacking(fault)
        other = replaced(pins, *found) if found is not None else None
        if other is not None:
            pins = other[0]
            told.append(other[1])
        elif "ResolutionImpossible" in fault and len(pins) > 1 and any("==" in pin for pin in pins[1:]):
            pins = (pins[0], *(Requirement(pin).name for pin in pins[1:]))
            told.append(f"{', '.join(pins[1:])} in versions that go with {pins[0]}")
        else:
            break
        tell(f"installing {' '.join(pins)}: {told[-1]}")
        again = pip.install(*_WHEELS, *pins, *need.beside)
        if again is None:
            return told
        fault = again
    raise _refused(f"{need.title} cannot be had here", fault, pip)


def _is_lacking(fault: str) -> bool:
    """Another Python may have it; where there is no version at all none has."""
    found = lacking(fault)
    return found is not None and bool(found[1])


def _refused(what: str, fault: str, pip: _Pip) -> ImageNotBuilt:
    errors = [line.removeprefix("ERROR: ") for line in fault.splitlines() if line.startswith("ERROR: ")]
    found = lacking(fault)
    if found is not None and not found[1]:
        what = f"{what}: pip finds no {found[0]} at all"
        hint = "is this machine offline, or is it in no index that pip is set up for?"
    else:
        what = f"{what}: {' '.join(errors[:_SHOWN_ERRORS]) or 'pip failed'}"
        hint = "that is what pip said"
    return ImageNotBuilt(hide_text(what), hint=f"{hint} All of it is in {pip.folder / LOG}")


class _Pip:
    """What is started gets the lock too, so that it is held as long as any of it lives."""

    def __init__(self, folder: Path, lock: int, line: Tell) -> None:
        self.folder = folder
        self._lock = lock
        self._line = line
        self._python = folder / VENV / "bin" / "python"
        self._site = folder
        (folder / LOG).unlink(missing_ok=True)

    def begin(self, python: Python, tell: Tell) -> None:
        """A new virtual environment. Raises :class:`ImageNotBuilt`."""
        tell(f"a virtual environment of Python {python.version}")
        remove(self.folder / VENV)
        fault = self._run([python.executable, "-m", "venv", str(self.folder / VENV)])
        if fault is not None:
            raise ImageNotBuilt(
                f"Python {python.version} makes no virtual environment: {hide_text(fault.strip()[-_SHOWN:])}",
                hint=f"{python.executable} -m venv has to work; Debian has it in python3-venv",
            )
        major, minor = python.short
        self._site = self.folder / VENV / "lib" / f"python{major}.{minor}" / "site-packages"

    def see_this_python(self) -> None:
        """Behind its own packages it has those of the Python that runs mlops."""
        places = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        text = "".join(f"import site; site.addsitedir({place!r})\n" for place in places)
        write_bytes(self._site / _THIS_PYTHONS, text.encode())

    def install(self, *words: str) -> str | None:
        """What pip printed, where it failed."""
        return self._run([str(self._python), *_PIP, "install", "--progress-bar", "off", *words])

    def installed(self) -> tuple[str, ...]:
        words = [str(self._python), *_PIP, "freeze", "--all", "--path", str(self._site)]
        done = subprocess.run(words, capture_output=True, text=True, env=_environment(), check=True, cwd=self.folder)
        return tuple(done.stdout.split("\n")[:-1])

    def _run(self, words: Sequence[str]) -> str | None:
        last: deque[str] = deque(maxlen=_KEPT_LINES)
        with (
            open(self.folder / LOG, "a", encoding="utf-8", opener=opener) as log,
            subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=_environment(),
                pass_fds=(self._lock,),
                cwd=self.folder,
            ) as process,
        ):
            for text in process.stdout or ():
                shown = hide_text(text)
                log.write(shown)
                last.append(text)
                self._line(shown.rstrip())
        return None if process.returncode == 0 else "".join(last)


def _environment() -> dict[str, str]:
    """pip's own settings count, but not those that would put packages elsewhere."""
    return {name: text for name, text in os.environ.items() if name not in _ELSEWHERE}


def _numbers(version: str) -> tuple[int, int] | None:
    found = version.split(".")
    return (int(found[0]), int(found[1])) if len(found) > 1 else None
