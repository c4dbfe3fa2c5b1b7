"""Scripts that misbehave, and how a step ends that runs them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIB, GIB = 1024**2, 1024**3


@dataclass(frozen=True)
class Case:
    """``begins`` and ``holds`` are of the failure; None: it succeeds. ``log`` is the end of what it printed. The disk
    has VolumeSizeInGB = 1, NAME is the file for the reason."""

    script: str
    begins: str | None
    holds: str = ""
    log: str = "last words"
    request: dict[str, Any] = field(default_factory=dict)
    memory: int | None = None


FAILURE_FILE = """
import os, pathlib
(pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "output" / NAME).write_text("the data has no rows")
print("last words")
raise SystemExit(7)
"""
HOLD = """
import sys, time
print("last words", flush=True)
held = []
for _ in range(40):
    held.append(bytearray(b"x" * (10 * 1024 * 1024)))
    time.sleep(0.02)
time.sleep(30)
"""
FILL = """
import os, time
print("last words", flush=True)
base = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
with open(os.path.join(base, "output", "big"), "wb") as file:
    for part in range(80):
        os.posix_fallocate(file.fileno(), part * 2**24, 2**24)
time.sleep(PAUSE)
"""
MAPPED = """
import mmap, time
with open("/tmp/big", "wb+") as file:
    for _ in range(16):
        file.write(b"x" * 2**24)
    file.flush()
    with mmap.mmap(file.fileno(), 2**28) as mapped:
        assert sum(mapped[place] for place in range(0, 2**28, 4096))
        time.sleep(0.4)
print("last words")
"""
FORK = """
import os, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
print("last words")
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("last words", flush=True)
time.sleep(60)
"""
SHORT = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}

CASES = {
    "raises": Case("print('last words')\n1 / 0", "exit code 1: ", "ZeroDivisionError: division by zero", "by zero"),
    "exits 3": Case("print('last words'); raise SystemExit(3)", "exit code 3: ", "last words"),
    "writes the failure file": Case(FAILURE_FILE, "", "the data has no rows"),
    "runs too long": Case(
        "import time; print('last words', flush=True); time.sleep(60)",
        "it ran longer than MaxRuntimeInSeconds = 1",
        request=SHORT,
    ),
    "ignores SIGTERM": Case(DEAF, "it ran longer than MaxRuntimeInSeconds = 1", request=SHORT),
    "MemoryError": Case(
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28)); x = bytearray(2**30)",
        "exit code 1: ",
        "MemoryError",
        "MemoryError",
    ),
    "holds too much": Case(
        HOLD, "it held ", "of memory and was killed; MLOPS_MEMORY_LIMIT gives 150.0 MiB: last words", memory=150 * MIB
    ),
    "fills its disk": Case(
        FILL.replace("PAUSE", "60"),
        "it filled its disk and was killed: ",
        "GiB in /opt/ml and /tmp, VolumeSizeInGB = 1 allows less: last words",
    ),
    "fills its disk in no time": Case(
        FILL.replace("PAUSE", "0"), "it filled its disk", "VolumeSizeInGB = 1 allows less: last words"
    ),
    "prints 100 MB": Case(
        "import sys\nfor _ in range(100): sys.stdout.write(('x' * 1023 + '\\n') * 1024)\nsys.exit('last words')",
        "exit code 1: ",
        "last words",
    ),
    "prints one line of 100 MB": Case(
        "import sys\nfor _ in range(100): sys.stdout.write('x' * 1024 * 1024)\nsys.exit('\\nlast words')",
        "exit code 1: ",
        "last words",
    ),
    "forks and exits": Case(FORK, None),
    "maps a large file": Case(MAPPED, None, memory=100 * MIB),
    "holds and writes what it may": Case(
        "x = bytearray(b'x' * 50 * 1024 * 1024); open('/tmp/x', 'wb').write(x[:2**20]); print('last words')",
        None,
        memory=1024 * MIB,
    ),
}


def processes(marker: str) -> list[str]:
    """Those that have ``marker`` in their environment; one that was just killed gets a moment."""
    found: list[str] = []
    for _ in range(100):
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if marker.encode() in entry.read_bytes():
                    found.append(entry.parent.name)
            except OSError:
                continue
        if not found:
            break
        time.sleep(0.05)
    return found
