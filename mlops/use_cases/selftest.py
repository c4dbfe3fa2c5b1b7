"""Prove an account: create a small pipeline there, run it, and take everything away again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlops.check.sources import open_one
from mlops.deploy import selftest as proving
from mlops.deploy.selftest import Proof, unique_name
from mlops.ir import Checked, Listener, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.root import CONFIGURATION, LOCK
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.init import write_pipeline
from mlops.use_cases.judging import need_sound
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Trial:
    """What would be run: the pipeline of ``mlops init`` under a name of its own, for at most ``seconds``."""

    connected: Connected
    pipeline: str
    seconds: float


def plan(environment: str, *, max_cost: float, hourly_price: float) -> Trial:
    """US dollars, and those for an hour of the environment's instance type; one runs at a time."""
    return Trial(connect_here(environment), unique_name(), max_cost / hourly_price * 3600)


def selftest(trial: Trial, listener: Listener, consent: Consent = NOBODY) -> tuple[Proof, ...]:
    """What was proved, and what not. What would take longer is stopped."""
    connected = trial.connected
    need_consent(connected, f"run {trial.pipeline} for at most {trial.seconds / 60:.0f} minutes", consent, always=True)
    with tempfile.TemporaryDirectory() as scratch:
        checked = _compiled(trial, Path(scratch), listener)
        return proving.selftest(
            connected.account,
            connected.environment,
            checked,
            seconds=trial.seconds,
            say=lambda text: listener(Said(text=text)),
        )


def _compiled(trial: Trial, folder: Path, listener: Listener) -> Checked:
    write_pipeline(folder, trial.pipeline)
    for file in (CONFIGURATION, LOCK):
        if (trial.connected.root / file).is_file():
            (folder / file).write_bytes((trial.connected.root / file).read_bytes())
    opened = open_one(str(folder / "pipeline.py"), trial.connected.environment.name)
    need_sound(opened.findings, listener, doing="selftest")
    if not opened.pipelines:
        raise UsageError("the selftest's pipeline does not compile for this environment")
    return opened.pipelines[0]
