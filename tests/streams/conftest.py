from __future__ import annotations

from pathlib import Path

import pytest

from mlops.account.local import LocalAccount
from mlops.account.local.clients import Clients


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Clients:
    """boto3 takes longer to make clients than most tests take."""
    return LocalAccount(tmp_path_factory.mktemp("first") / ".mlops", "eu-west-1")._clients


@pytest.fixture
def account(tmp_path: Path, clients: Clients) -> LocalAccount:
    found = LocalAccount(tmp_path / ".mlops", "eu-west-1")
    found._clients = clients  # what it answers from is read at each call
    clients._state = found.state
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalAccount:
    """For many small questions."""
    return LocalAccount(tmp_path_factory.mktemp("shared") / ".mlops", "eu-west-1")
