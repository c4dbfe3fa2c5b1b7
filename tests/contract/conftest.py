from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "run"))
sys.path.insert(0, str(Path(__file__).parent))

from ports_for_tests import Account

collect_ignore = ["seeds"]
"""Programs of the documents: they ask AWS where somebody loads them."""


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)
