"""What several of these tests need beside fixtures."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    name: str = "local"
    account: str | None = None
    region: str = "us-east-1"
    bucket: str = "mlops-tests"
    profile: str | None = None
    assume_role: str | None = None
    endpoint_url: str | None = None
    state: Path | None = None


def runner_with(word: str) -> int:
    """The process of the runner whose command line has ``word``, or that works in a folder of this name, or below that
    path: one that was started ahead is told later what to run, and goes to its folder a moment after that."""
    deadline = time.monotonic() + 60
    while True:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                where = (folder / "cwd").readlink()
            except OSError:
                continue
            known = word.encode() in words or word == where.name or str(where).startswith(f"{word}/")
            if b"mlops.account.local.process.runner" in words and known:
                return int(folder.name)
        if time.monotonic() > deadline:
            raise AssertionError("no runner")
        time.sleep(0.01)


def launchers_of(runner: int) -> list[int]:
    """One, once its first step has started."""
    found = []
    for children in Path(f"/proc/{runner}/task").glob("*/children"):
        # Of a thread, or a process, that has just ended.
        with suppress(OSError):
            for child in children.read_text().split():
                if b"launcher.py" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
    return found


def zipped(files: Mapping[str, str]) -> bytes:
    """As a function's code is sent."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
