"""What all tests share: a project in a temporary folder, and the command line in this process."""

from __future__ import annotations

import gc
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mlops.account.local import clock
from mlops.check.sources import Opened, open_targets
from tests.botocore_once import work_out_once
from tests.laws import examples, is_law

# What is started in the background of a script ignores it, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

work_out_once()

# No test leaves a process behind by an alarm or a schedule; those of the clock turn it by hand, or switch it on.
os.environ[clock.SWITCH] = clock.OFF

# A loaded machine is slow, and that is no fault of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(30)
)
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof", metavar="JUDGE", help="only what asks this judge of tests/proofs/judges")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without ``--proof`` no test that needs a judge, with it only those that ask for this one; every law asks
    the laws'. The slow ones first, so that at the end no worker waits for another's last long test."""
    judge = config.getoption("--proof")

    def asked(item: pytest.Item) -> bool:
        if judge is None:
            return item.get_closest_marker("proof") is None
        if judge == "laws" and is_law(item):
            return True
        return any(mark.args[0] == judge for name in ("proof", "deeper") for mark in item.iter_markers(name))

    wanted: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        (wanted if asked(item) else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = sorted(wanted, key=lambda item: item.get_closest_marker("slow") is None)


# Nothing of what is collected is garbage, and all of it would be looked through again and again.
gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()
    gc.set_threshold(50_000, 20, 100)
    gc.freeze()


_TESTS = count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Accounts hold files that are closed when they are collected: a thousand were open at once."""
    if next(_TESTS) % 100 == 0:
        _collect()


def _collect() -> None:
    """What survives between two tests was imported or is kept by a module, and need not be looked through again: a
    tenth of the time of most tests went into collecting garbage among it."""
    gc.collect()
    gc.freeze()


_FOLDERS = count(1)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pytest's own, which looks through the folders of all tests before for a name that is free."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    folder = tmp_path_factory.getbasetemp() / f"{name}-{next(_FOLDERS)}"
    folder.mkdir(mode=0o700)
    return folder


HEADER = "from mlops import *\nfrom mlops import execution, image\n"


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Opened]:
    """Write a pipeline's body into a file with the scripts that it names, and open it. Line 4 is the body's first."""

    def write(body: str, *, toml: str = "", scripts: tuple[str, ...] = ("prepare.py", "train.py")) -> Opened:
        for script in scripts:
            (tmp_path / script).write_text(f"print({script!r})\n")
        (tmp_path / "mlops.toml").write_text(toml)
        indented = "".join(f"    {line}\n" for line in body.strip().splitlines())
        (tmp_path / "pipeline.py").write_text(f'{HEADER}with Pipeline("test") as p:\n{indented}')
        return open_targets([str(tmp_path / "pipeline.py")], "local")

    return write


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """An AWS API on this machine that is not ours."""
    from moto.server import ThreadedMotoServer

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()
