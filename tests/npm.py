"""Packages of npm that judges are made of, each set of them in a folder of its own for as long as the tests run."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path


class NotInstalled(Exception):
    """In words for who is at the terminal."""


@cache
def installed(*packages: str) -> Path:
    """Where ``node_modules`` is; ``packages`` name their versions. None of their own programs is run.

    Raises :class:`NotInstalled` with what npm said."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled("there is no npm: install Node.js")
    to = Path(tempfile.mkdtemp(prefix="npm-"))
    atexit.register(shutil.rmtree, to, ignore_errors=True)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    command = [npm, "install", "--prefix", str(to), *quiet, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotInstalled(f"npm did not install {', '.join(packages)}:\n{done.stderr.strip()}")
    return to
