"""What a command prints: kept as far as a log may grow, and drained whatever happens to it."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ports_for_tests import Account, processing

from mlops.run.output import END_BYTES, HEAD_BYTES, Output, append, bound, note

MIB = 1024**2
LIMIT = HEAD_BYTES + 2 * END_BYTES
TOLD = re.compile(rb"\n\[mlops\] (\d+) bytes of output are left out here\n")


LINE = 1024


def fill(log: Path, total: int) -> None:
    """With lines that begin with their places."""
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT)
    try:
        for start in range(0, total, MIB):
            piece = b"".join(
                (b"%015d" % (start + place)).ljust(LINE - 1, b"x") + b"\n" for place in range(0, MIB, LINE)
            )
            append(descriptor, piece[: min(MIB, total - start)])
            assert os.fstat(descriptor).st_size <= LIMIT + MIB
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("total", [MIB, HEAD_BYTES + END_BYTES, HEAD_BYTES + END_BYTES + 10, 61 * MIB, 150 * MIB])
def test_head_and_end_are_kept_and_the_rest_is_counted(tmp_path: Path, total: int) -> None:
    log = tmp_path / "log"
    fill(log, total)
    bound(log)
    bound(log)
    kept = log.read_bytes()
    told = TOLD.search(kept)
    # What is less than the line that would tell of it is kept.
    if total <= HEAD_BYTES + END_BYTES + 10:
        assert told is None and len(kept) == total
        return
    assert told is not None
    assert told.start() == HEAD_BYTES and len(kept) == HEAD_BYTES + len(told[0]) + END_BYTES
    assert int(told[1]) + HEAD_BYTES + END_BYTES == total
    assert kept.startswith(b"%015d" % 0) and kept[-LINE:].startswith(b"%015d" % (total - LINE))


def test_a_log_that_is_gone(tmp_path: Path) -> None:
    bound(tmp_path / "log")
    note(tmp_path / "log", "said")
    assert (tmp_path / "log").read_text() == "[mlops] said\n"


def test_notes_between_what_is_printed(tmp_path: Path) -> None:
    """Nothing of ours is lost when the log is cut meanwhile, up to the cut itself."""
    log = tmp_path / "log"
    output = Output(log)
    flood = threading.Thread(target=lambda: [os.write(output.descriptor, b"x" * MIB) for _ in range(70)])
    flood.start()
    for number in range(50):
        note(log, f"number {number}")
    flood.join()
    os.write(output.descriptor, b"\nlast words\n")
    output.close_descriptor()
    output.finish()
    note(log, "behind")
    bound(log)
    kept = log.read_bytes()
    assert kept.endswith(b"\nlast words\n[mlops] behind\n") and TOLD.search(kept) is not None


FLOOD = """
import sys
for _ in range(MIBS):
    sys.stdout.write((LINE * 1024) * (1024 // len(LINE)))
print()
print("last words")
"""


@pytest.mark.parametrize("line", ["x" * 63 + "\\n", "x"], ids=["lines", "one line"])
def test_a_step_that_prints_without_end_fills_no_disk(account: Account, line: str) -> None:
    """While it runs too; without this the log had grown to all that was printed."""
    sizes: list[int] = []

    def look() -> bool:
        log = account.attempt("P") / "log.txt"
        sizes.append(log.stat().st_size if log.exists() else 0)
        return False

    account.journal.stop_when = look
    script = FLOOD.replace("LINE", f"'{line}'").replace("MIBS", "300")
    assert account.run(processing(account, "P", script)) == "Succeeded"
    assert max(sizes) <= LIMIT + MIB
    log = account.attempt("P") / "log.txt"
    assert log.read_bytes().rstrip().endswith(b"last words")
    assert log.stat().st_size <= HEAD_BYTES + END_BYTES + 100
    told = TOLD.search(log.read_bytes())
    assert told is not None and int(told[1]) > 200 * MIB


def test_memory_is_bounded() -> None:
    """Of a line that has no end, too."""
    program = """
import os, resource, sys, tempfile
from pathlib import Path
from mlops.run.output import Output
with tempfile.TemporaryDirectory() as folder:
    output = Output(Path(folder) / "log")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        os.write(output.descriptor, b"x" * 2**20)
    output.close_descriptor()
    output.finish()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    unit = 1024 if sys.platform == "linux" else 1
    assert int(told.stdout) * unit < 20 * MIB


def test_a_full_disk_does_not_stop_who_prints(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = """
import os, resource, signal, sys
from pathlib import Path
from mlops.run.output import Output
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
output = Output(Path(sys.argv[1]))
for _ in range(8):
    os.write(output.descriptor, b"x" * 2**20)
output.finish()
print("printed all")
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(log)], capture_output=True, text=True, check=False, timeout=60
    )
    assert told.stdout == "printed all\n" and told.stderr == ""
    assert log.stat().st_size == MIB
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != MIB
