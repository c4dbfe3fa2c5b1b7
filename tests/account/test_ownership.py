"""Who owns an execution or an endpoint: one process at a time, whoever else looks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.account.local.ownership import owned, take

LOOK = "import sys; from pathlib import Path; from mlops.account.local.ownership import owned\nprint(1, flush=True)\n"
TAKE = """
import os, sys
from pathlib import Path
from mlops.account.local.ownership import take
won = 0
for number in range(200):
    descriptor = take(Path(sys.argv[1], str(number)))
    won += descriptor is not None
print(won, flush=True)
sys.stdin.read()
"""


@contextmanager
def running(program: str, folder: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()


def test_looking_does_not_keep_anybody_from_taking(tmp_path: Path) -> None:
    os.close(take(tmp_path) or -1)
    with running(f"{LOOK}while True: owned(Path(sys.argv[1]))", tmp_path):
        for _ in range(3000):
            descriptor = take(tmp_path)
            assert descriptor is not None
            os.close(descriptor)


def test_an_owner_is_seen_at_once_and_refuses_others(tmp_path: Path) -> None:
    descriptor = take(tmp_path)
    assert descriptor is not None
    assert owned(tmp_path)
    with running(f"{LOOK}while True: owned(Path(sys.argv[1]))", tmp_path):
        assert [take(tmp_path) for _ in range(200)] == [None] * 200
    os.close(descriptor)
    assert not owned(tmp_path)


def test_of_two_who_take_at_once_one_gets_it(tmp_path: Path) -> None:
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        # Neither ends, and so lets go, before both have tried all.
        assert sum(int(taker.stdout.readline()) for taker in takers if taker.stdout is not None) == 200
    finally:
        for taker in takers:
            taker.communicate()


def test_what_was_never_taken_is_not_owned(tmp_path: Path) -> None:
    assert not owned(tmp_path / "nothing")
