from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ports_for_tests import Account

from mlops.ir import ConfigurationError
from mlops.run.sandbox import probe


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def only(mode: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Steps run in that mode; skipped where this machine has it not."""
    monkeypatch.setenv("MLOPS_SANDBOX", mode)
    try:
        return probe().mode
    except ConfigurationError as refused:
        pytest.skip(str(refused))


@pytest.fixture(params=["namespaces", "folders"])
def sandbox_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return only(request.param, monkeypatch)


@pytest.fixture(params=["namespaces", "bubblewrap", "folders"])
def every_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return only(request.param, monkeypatch)


@pytest.fixture(params=["namespaces", "bubblewrap"])
def private(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The modes that really keep steps apart."""
    return only(request.param, monkeypatch)
