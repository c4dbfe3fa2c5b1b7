"""The picture of a shift, of one that is made up."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "shift"))
    for name in ("picture", "timeline"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = importlib.import_module("picture")
    yield found
    for name in ("picture", "timeline"):
        sys.modules.pop(name, None)


def test_shares_speeds_and_states_are_drawn(shift: Any) -> None:
    timeline = importlib.import_module("timeline")
    weights = [(0, "in service", {"old": 100.0}), (20, "updating", {"old": 100.0}), (20.5, "in service", None)]
    states = [timeline.State(1e9 + at, status, given or {"old": 75.0, "new": 25.0}) for at, status, given in weights]
    asked = [
        timeline.Asked(1e9 + at / 10, 0.01 + at % 7 / 1000, "new" if at > 205 and at % 4 == 0 else "old", at != 50)
        for at in range(400)
    ]
    text = shift.draw(timeline.Timeline(asked, states))
    assert "400 requests, 1 failed, while traffic goes from old to new" in text
    for told in ("new: asked for", "old: 99 % are faster", "25 : 75"):
        assert f">{told}</text>" in text, told
    # What took less than a second has no name of its own.
    assert ">updating<" not in text
