"""Which of the ways to keep commands apart this machine has, found out by really doing it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mlops.ir import ConfigurationError
from mlops.run.sandbox.box import OPT_ML, Box, Isolation
from mlops.run.sandbox.commands import start
from mlops.run.sandbox.modes import BUBBLEWRAP, BUBBLEWRAP_PLACES, ModeName

FORCE_VARIABLE = "MLOPS_SANDBOX"


def probe() -> Isolation:
    """What this machine allows. Raises :class:`ConfigurationError` where MLOPS_SANDBOX asks for the impossible."""
    return _probe(os.environ.get(FORCE_VARIABLE, ""))


def need_asked() -> None:
    """Raises ConfigurationError where MLOPS_SANDBOX asks for the impossible, before anything is started; where it asks
    for nothing, nothing is tried."""
    if os.environ.get(FORCE_VARIABLE):
        probe()


@cache
def _probe(forced: str) -> Isolation:
    if forced == "folders":
        return Isolation("folders", f"{FORCE_VARIABLE}=folders")
    tried: tuple[ModeName, ...] = ("namespaces", "bubblewrap")
    if forced not in ("", *tried):
        known = ", ".join(tried)
        raise ConfigurationError(f"{FORCE_VARIABLE} is {forced!r}", hint=f"use {known} or folders, or leave it unset")
    refusals = []
    for mode in tried:
        if forced not in ("", mode):
            continue
        if not (refusal := _refusal(mode)):
            return Isolation(mode, _TOLD[mode])
        refusals.append(refusal)
    if forced:
        raise ConfigurationError(
            f"{FORCE_VARIABLE}={forced}, but {refusals[0]}",
            hint=f"unset {FORCE_VARIABLE} to run steps in plain folders",
        )
    return Isolation("folders", "; ".join(refusals))


_TOLD: Mapping[ModeName, str] = {
    "namespaces": "each step gets its own /opt/ml and /tmp",
    "bubblewrap": "each step gets its own /opt/ml and /tmp, by bubblewrap",
}


def _refusal(mode: ModeName) -> str:
    """Why not; empty where it works."""
    if sys.platform != "linux":
        return f"{sys.platform} has no mount namespaces"
    if mode == "bubblewrap" and shutil.which(BUBBLEWRAP, path=BUBBLEWRAP_PLACES) is None:
        return "bubblewrap is not installed"
    with tempfile.TemporaryDirectory(prefix="mlops-probe-") as name:
        box = Box(Path(name, "ml"), Path(name), Isolation(mode, "probe"))
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
