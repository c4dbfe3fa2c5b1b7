"""A job, or a server, of an image of one's own in a container of this machine's engine, by the service's contract:
``/opt/ml`` as it is furnished, variables, arguments as Docker takes them, SIGTERM, the exit code, its output as the
log, and port 8080 of a server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlops.ir.dataclass import dataclass
from mlops.ir.secret import Secret
from mlops.knowledge.container_engine import engine, is_contained
from mlops.run.abandoned_containers import hold, labels, remove_abandoned
from mlops.run.output import note
from mlops.run.sandbox import Boxed, start_engine
from mlops.run.sandbox.order import FIRST_NAME
from mlops.run.secrets import with_stand_ins

_KILL_SECONDS = 30
_SERVED = 8080
_OF_THE_ENGINE = re.compile(
    r"(BUILDAH|CONTAINER|CONTAINERS|DBUS|DOCKER|GO|LD|NETAVARK|PODMAN|REGISTRY|STORAGE|XDG)_?\w*|HOME|PATH|TMPDIR|USER"
)
"""Variables by which the engine's own program is led: a definition may be anybody's, and leads the container alone."""


@dataclass(frozen=True, slots=True)
class Container:
    """``entrypoint`` replaces the image's, ``words`` its command; without either the image's own are kept."""

    image: str
    entrypoint: str | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What a container is given of this machine: ``ml`` is its ``/opt/ml``, ``tmp`` its ``/tmp``, in a folder that is
    its alone. ``name`` is its own, ``secret`` is asked for what its variables refer to."""

    name: str
    ml: Path
    tmp: Path
    log: Path
    secret: Secret | None = None


def serving(image: object) -> Container | None:
    """None where no engine is to serve it."""
    return container(image, (), (), ("serve",))


def container(
    image: object, entrypoint: Sequence[str], arguments: Sequence[str], command: Sequence[str] = ()
) -> Container | None:
    """None where no engine is to run it. ``command`` is what the service adds where there are no ``entrypoint``
    and no ``arguments``."""
    if not is_contained(image):
        return None
    words = (*entrypoint[1:], *arguments) if entrypoint or arguments else tuple(command)
    return Container(str(image), entrypoint[0] if entrypoint else None, words)


def start(
    given: Container,
    place: Place,
    environment: Mapping[str, str],
    *,
    network: bool,
    hostname: str = FIRST_NAME,
    port: int | None = None,
) -> Boxed:
    """``port`` of 127.0.0.1 leads to the container's 8080; one without a network has none to lead to."""
    program = shutil.which(engine() or "") or ""
    name = f"mlops-{place.name}"
    for folder in (place.ml, place.tmp):
        folder.mkdir(parents=True, exist_ok=True)
    owner = place.tmp.parent
    variables = with_stand_ins(environment, place.secret)
    words = [program, "run", "--rm", "--name", name, "--hostname", hostname, "--pull", "never", *labels(owner)]
    if port is not None:
        words += ["--publish", f"127.0.0.1:{port}:{_SERVED}"]
        if not network:
            note(place.log, "EnableNetworkIsolation has no effect on a container that serves: nobody could ask it")
    elif not network:
        words += ["--network", "none"]
    words += ["--volume", f"{_real(place.ml)}:/opt/ml", "--volume", f"{_real(place.tmp)}:/tmp"]
    for variable in sorted(variables):
        # By its name alone, so that no list of processes shows what it holds.
        leads = _OF_THE_ENGINE.fullmatch(variable)
        words += ["--env", f"{variable}={variables[variable]}" if leads else variable]
    if given.entrypoint is not None:
        words += ["--entrypoint", given.entrypoint]
    words += [given.image, *given.words]
    remove_abandoned()
    _remove(program, name)
    passed = {key: text for key, text in variables.items() if not _OF_THE_ENGINE.fullmatch(key)}
    note(place.log, f"a container of {given.image} by {program}")
    held = hold(owner)
    try:
        started = start_engine(words, {**os.environ, **passed}, place.log, killed=lambda: _remove(program, name))
    except BaseException:
        os.close(held)
        raise
    weakref.finalize(started, os.close, held)
    return started


def _remove(program: str, name: str) -> None:
    """One of an attempt that was killed too."""
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run([program, "rm", "--force", name], capture_output=True, timeout=_KILL_SECONDS, check=False)


def _real(folder: Path) -> str:
    return os.path.realpath(folder)
