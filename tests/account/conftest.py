"""Accounts to test against: the embedded one, the same behind a port, and another AWS API behind a port."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from account_parts import Environment

from mlops.account import Account, connect
from mlops.account.local import LocalAccount
from mlops.account.wire.answers import Answers, Told
from mlops.account.wire.server import Server


@pytest.fixture
def local(tmp_path: Path) -> LocalAccount:
    account = connect(Environment(state=tmp_path / ".mlops"))
    assert isinstance(account, LocalAccount)
    return account


@pytest.fixture(scope="module")
def moto_account(moto_url: str) -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_PROFILE", raising=False)
        yield connect(Environment(name="staging", account="123456789012", endpoint_url=moto_url))


@pytest.fixture
def moto(moto_url: str, moto_account: Account) -> Account:
    reset = urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    moto_account.client("s3").create_bucket(Bucket="mlops-tests")
    return moto_account


@pytest.fixture
def wire(local: LocalAccount, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """The embedded account as any client sees it."""
    mistakes = []

    def tell(told: Told) -> None:
        if told.mistake is not None:
            mistakes.append(told.mistake)

    server = Server(Answers(local.state.folder, local.region, tell=tell))
    server.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    yield connect(Environment(name="staging", account="000000000000", endpoint_url=server.url))
    server.stop()
    assert mistakes == []


@pytest.fixture(params=["local", "wire", "moto"])
def account(request: pytest.FixtureRequest) -> Account:
    """Every test that takes this holds for all three."""
    found: Account = request.getfixturevalue(request.param)
    return found
