"""The program of ``mlops/monitor`` as a job's command: its files go into the job as its code."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mlops.run.processing_job import Started
from mlops.run.transfer import OPT_ML
from mlops.run.work import Work

_PROGRAM = Path(__file__).parents[1] / "monitor"
_CODE = OPT_ML / "monitor"


def monitor_program(
    word: str,
    *,
    add: Callable[[Work], None] = lambda work: None,
    variables: Mapping[str, str] | None = None,
    network: bool = False,
) -> Started:
    """``word`` is quality or clarify. It runs on one host: what it computes it computes of all data."""

    def furnish(host: Work) -> None:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_PROGRAM, host.opt_ml / _CODE.relative_to(OPT_ML), ignore=ignored)
        add(host)

    command = [sys.executable, "-P", f"{_CODE}/entry.py", word]
    return Started(command, furnish, variables or {}, alone=True, network=network)
