"""What a command of ours tells of a project's files, for whoever goes on running while they change.

The command runs in a process of its own: what a pipeline's file imports stays in the process that ran it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.ir.hiding import hide_lines

_SECONDS = 120.0


def told_by_command(program: Sequence[str], words: Sequence[str], root: Path) -> Mapping[str, Any] | str:
    """Its JSON; where there is none, what it had to say. ``program`` is how the command line is started."""
    try:
        done = subprocess.run(
            [*program, *words, "--format", "json"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        told: Mapping[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return f"it took longer than {_SECONDS:.0f} s"
    except ValueError:
        return hide_lines(done.stderr.strip().split("\n"))
    return told
