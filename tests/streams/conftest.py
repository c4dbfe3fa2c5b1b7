from __future__ import annotations

from pathlib import Path

import pytest

from mlops.account.local import LocalAccount


@pytest.fixture
def account(tmp_path: Path) -> LocalAccount:
    return LocalAccount(tmp_path / ".mlops", "eu-west-1")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalAccount:
    """For many small questions."""
    return LocalAccount(tmp_path_factory.mktemp("shared") / ".mlops", "eu-west-1")
