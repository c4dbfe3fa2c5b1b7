"""Packages of npm that judges are made of, each set of them in a folder of its own for as long as the tests run."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path


@cache
def installed(*packages: str) -> Path:
    """Where ``node_modules`` is; ``packages`` name their versions. None of their own programs is run."""
    npm = shutil.which("npm")
    assert npm is not None, "npm is needed"
    to = Path(tempfile.mkdtemp(prefix="npm-"))
    atexit.register(shutil.rmtree, to, ignore_errors=True)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    subprocess.run([npm, "install", "--prefix", str(to), *quiet, *packages], check=True, capture_output=True)
    return to
