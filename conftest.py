"""What need not be loaded is not collected: each of the workers collects by itself, and most of that is imports."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest

_WHOLE_PROOF = re.compile(r"^pytestmark = (?:\[[^\n]*|\[\n(?: [^\n]*\n)*? *)?pytest\.mark\.proof\(", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file whose tests are all a judge's, while no judge is asked: the libraries that it is held against stay out."""
    if config.getoption("--proof", None) is None and collection_path.name.startswith("test_"):
        return _WHOLE_PROOF.search(collection_path.read_text(encoding="utf-8")) is not None or None
    return None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Doctests are looked for everywhere; what has no example in it is not loaded to find that out."""
    found = yield
    looking = [item for item in found if isinstance(item, pytest.Module) and type(item) is not pytest.Module]
    if looking and ">>>" not in file_path.read_text(encoding="utf-8", errors="replace"):
        return [item for item in found if item not in looking]
    return found
