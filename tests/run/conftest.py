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


@pytest.fixture(params=["namespaces", "folders"])
def sandbox_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLOPS_SANDBOX", request.param)
    try:
        return probe().mode
    except ConfigurationError as refused:
        pytest.skip(str(refused))
