"""A job of an image of one's own, in a container of this machine's engine, by the service's contract: ``/opt/ml`` as it
is furnished, variables, arguments as Docker takes them, SIGTERM, the exit code, and its output as the log."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlops.ir.dataclass import dataclass
from mlops.knowledge.container_engine import engine, is_contained
from mlops.run.sandbox import Boxed, start_engine
from mlops.run.secrets import with_stand_ins
from mlops.run.work import Work

_KILL_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Container:
    """``entrypoint`` replaces the image's, ``words`` its command; without either the image's own are kept."""

    image: str
    entrypoint: str | None
    words: tuple[str, ...]


def container(
    image: object, entrypoint: Sequence[str], arguments: Sequence[str], command: Sequence[str] = ()
) -> Container | None:
    """None where no engine is to run it. ``command`` is what the service adds where there are no ``entrypoint``
    and no ``arguments``."""
    if not is_contained(image):
        return None
    words = (*entrypoint[1:], *arguments) if entrypoint or arguments else tuple(command)
    return Container(str(image), entrypoint[0] if entrypoint else None, words)


def start(given: Container, work: Work, environment: Mapping[str, str], *, network: bool, hostname: str) -> Boxed:
    program = shutil.which(engine() or "") or ""
    name = f"mlops-{work.name}-{hostname}"
    scratch = work.folder / "scratch" / "tmp"
    for folder in (work.opt_ml, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    variables = with_stand_ins(environment, work.ports.secret)
    words = [program, "run", "--rm", "--name", name, "--hostname", hostname, "--pull", "never"]
    if not network:
        words += ["--network", "none"]
    words += ["--volume", f"{_real(work.opt_ml)}:/opt/ml", "--volume", f"{_real(scratch)}:/tmp"]
    for variable in sorted(variables):
        # By its name alone, so that no list of processes shows what it holds.
        words += ["--env", f"{variable}={variables[variable]}" if variable in os.environ else variable]
    if given.entrypoint is not None:
        words += ["--entrypoint", given.entrypoint]
    words += [given.image, *given.words]
    _remove(program, name)
    passed = {key: text for key, text in variables.items() if key not in os.environ}
    work.note(f"a container of {given.image} by {program}")
    return start_engine(words, {**os.environ, **passed}, work.log, killed=lambda: _remove(program, name))


def _remove(program: str, name: str) -> None:
    """One of an attempt that was killed too."""
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run([program, "rm", "--force", name], capture_output=True, timeout=_KILL_SECONDS, check=False)


def _real(folder: Path) -> str:
    return os.path.realpath(folder)
