"""Starts a command in a sandbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from mlops.knowledge.programs import search_path
from mlops.run.account_in_steps import variables_of_steps
from mlops.run.output import Output
from mlops.run.sandbox.box import PRIVATE_TMP, Box
from mlops.run.sandbox.boxed import Boxed
from mlops.run.sandbox.launching import inherited, launcher
from mlops.run.sandbox.order import FIRST_NAME, Order
from mlops.run.secrets import with_stand_ins

_PACKAGE = Path(__file__).parents[2]
_STATE = ".mlops"
_ALONE = {FIRST_NAME: "127.0.0.1"}


def start(
    command: Sequence[str],
    box: Box,
    *,
    environment: Mapping[str, str],
    log: Path,
    cwd: str = PRIVATE_TMP,
    pass_fds: tuple[int, ...] = (),
    hostname: str = FIRST_NAME,
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
    hide = _hidden(ml)
    order = Order(
        ml=ml,
        tmp=os.path.realpath(tmp),
        keep=(*_below_tmp(), *_shown(box, hide)),
        hide=hide,
        network=box.network,
        join=None if share_network_with is None or box.network else share_network_with.pid,
        hostname=hostname,
        hosts=dict(_ALONE if hosts is None else hosts),
        command=tuple(box.rewritten(word) for word in command),
        environment=_environment(with_stand_ins(environment, box.secret), box),
        cwd=box.path(cwd),
        inherit=pass_fds,
    )
    output = Output(log)
    try:
        return launcher(box.isolation.mode).launch(order, output, pass_fds)
    finally:
        output.close_descriptor()


def start_engine(
    command: Sequence[str], environment: Mapping[str, str], log: Path, *, killed: Callable[[], None]
) -> Boxed:
    """A program that keeps apart itself what it starts: it has no sandbox, and this very ``environment``. ``killed`` is
    called when it is killed, for what it has started elsewhere."""
    order = Order(
        ml=str(log.parent),
        tmp=PRIVATE_TMP,
        keep=(),
        hide=(),
        network=True,
        join=None,
        hostname=FIRST_NAME,
        hosts={},
        command=tuple(command),
        environment=dict(environment),
        cwd="/",
        inherit=(),
    )
    output = Output(log)
    try:
        return launcher("folders").launch(order, output, (), killed)
    finally:
        output.close_descriptor()


def _environment(wanted: Mapping[str, str], box: Box) -> dict[str, str]:
    """Nothing of the caller's, least of all credentials; those of the local account where a step may call it."""
    tmp = box.path(PRIVATE_TMP)
    environment = {
        **inherited(),
        "PATH": search_path(box.python.executable if box.python is not None else None),
        "HOME": tmp,
        "LANG": "C.UTF-8",
        "TMPDIR": tmp,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **(variables_of_steps() if box.network else {}),
        **{name: box.rewritten(text) for name, text in wanted.items()},
    }
    if not box.isolation.is_private:
        environment["SAGEMAKER_BASE_DIR"] = str(box.ml)
    return environment


@cache
def _below_tmp() -> tuple[str, ...]:
    """Folders that the interpreter needs and a private ``/tmp`` would hide, outer ones first."""
    return tuple(path for path in _needed() if path.startswith(f"{PRIVATE_TMP}/") and Path(path).is_dir())


def _shown(box: Box, hide: tuple[str, ...]) -> tuple[str, ...]:
    """What the interpreter of an image needs, where that would not be seen."""
    if box.python is None:
        return ()
    behind = (PRIVATE_TMP, *hide)
    places = dict.fromkeys(os.path.realpath(place) for place in box.python.places)
    below = (place for place in places if any(place.startswith(f"{folder}/") for folder in behind))
    return tuple(place for place in below if place not in _below_tmp())


@cache
def _needed() -> tuple[str, ...]:
    needed = (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent, _PACKAGE)
    return tuple(sorted({str(path.resolve()) for path in needed} | {str(Path(sys.prefix))}))


def _hidden(ml: str) -> tuple[str, ...]:
    """The state folders around this box, with the account and all other steps, and where AWS keeps credentials."""
    names = ml.split("/")
    states = ["/".join(names[: number + 1]) for number, name in enumerate(names[:-1]) if name == _STATE]
    return tuple(folder for folder in (*states, *_keys_of_aws()) if _may_hide(folder))


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
    if Path(folder).is_relative_to(PRIVATE_TMP):
        return False
    return not any(Path(path).is_relative_to(folder) for path in _needed())
