"""Fixtures that pytest finds by itself where this package is installed; see ``docs/testing.md``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mlops.account import Account
    from mlops.testing.execution import Execution
    from mlops.testing.stub import Stub

_UPDATE = "--update-definitions"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("mlops").addoption(
        _UPDATE, action="store_true", help="Rewrite the definitions that definition_snapshot compares with."
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(_UPDATE) and os.environ.get("CI"):
        raise pytest.UsageError(f"{_UPDATE} is refused in CI: rewrite the definitions where you can read them")


@pytest.fixture
def local_account(tmp_path: Path) -> Iterator[Account]:
    """An empty local account in ``tmp_path``; its endpoints end with the test."""
    from mlops.testing.execution import empty_account, end_endpoints

    account = empty_account(tmp_path)
    yield account
    end_endpoints(account)


@pytest.fixture
def run_pipeline(local_account: Account, tmp_path: Path, pytestconfig: pytest.Config) -> Callable[..., Execution]:
    """Run a pipeline in ``local_account`` to its end, whatever that is. Paths are relative to pytest's root."""

    def run(
        target: str | Path,
        parameters: Mapping[str, str | int | float | bool] | None = None,
        stubs: Mapping[str, Stub | str | Path] | None = None,
        interrupt: Mapping[str, float] | None = None,
    ) -> Execution:
        from mlops.testing.execution import Workplace

        workplace = Workplace(target, tmp_path, pytestconfig.rootpath)
        return workplace.run_pipeline(parameters or {}, stubs or {}, interrupt or {})

    from mlops.testing.plainly import plainly

    return plainly(run)


@pytest.fixture
def run_step(local_account: Account, tmp_path: Path, pytestconfig: pytest.Config) -> Callable[..., Execution]:
    """Run one step of a pipeline alone, on inputs that are given by the names of its inputs or channels."""

    def run(
        target: str | Path,
        step: str,
        inputs: Mapping[str, str | Path] | None = None,
        parameters: Mapping[str, str | int | float | bool] | None = None,
        interrupt: Mapping[str, float] | None = None,
    ) -> Execution:
        from mlops.testing.execution import Workplace

        workplace = Workplace(target, tmp_path, pytestconfig.rootpath)
        return workplace.run_step(step, inputs or {}, parameters or {}, interrupt or {})

    from mlops.testing.plainly import plainly

    return plainly(run)


@pytest.fixture
def definition_snapshot(pytestconfig: pytest.Config) -> Callable[[str | Path], None]:
    """Fail where the definition in JSON beside a pipeline file is not what the file compiles to."""

    def compare(target: str | Path) -> None:
        from mlops.testing.snapshot import difference

        told = difference(str(pytestconfig.rootpath / target), update=pytestconfig.getoption(_UPDATE))
        if told is not None:
            pytest.fail(f"{told}\n`pytest {_UPDATE}` rewrites it; read what changed", pytrace=False)

    return compare
