"""What a promotion may cost a month."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.gates.cost import GATE
from mlops.ir.gate import Fleet

from .test_gates import ASKED

PRICES = """date = 2026-11-29
source = "a test"
currency = "USD"
[prices.us-east-1.endpoint]
"ml.m5.large" = 0.5
"""


@pytest.mark.parametrize(
    ("month", "region", "prices", "fleet", "passes", "found"),
    [
        (
            730,
            "us-east-1",
            PRICES,
            Fleet("ml.m5.large", 3, 2, 0, None),
            True,
            "730.00 USD a month, with what serves 2.50",
        ),
        (729, "us-east-1", PRICES, Fleet("ml.m5.large", 0, 2, 0, None), False, "and at most 729 a month is wanted"),
        (729, "eu-west-1", PRICES, Fleet("ml.m5.large", 0, 1, 0, None), False, "no price of ml.m5.large"),
        (729, "us-east-1", PRICES, Fleet("ml.c5.large", 0, 1, 0, None), False, "no price of ml.c5.large"),
        (729, "us-east-1", "", Fleet("ml.m5.large", 0, 1, 0, None), False, "there is no prices.toml"),
        (1, "us-east-1", PRICES, None, True, "no instances come"),
    ],
)
def test_a_promotion(
    month: float, region: str, prices: str, fleet: Fleet | None, passes: bool, found: str, tmp_path: Path
) -> None:
    if prices:
        (tmp_path / "prices.toml").write_text(prices)
    asked = replace(ASKED, root=tmp_path, region=region, fleet=lambda: fleet)
    judged = GATE.judge(GATE.read({"month": month}), asked)
    assert judged.passes is passes and found in judged.found


@pytest.mark.parametrize("raw", [True, {}, {"month": 0}, {"month": "5"}, {"month": float("nan")}, {"months": 5}])
def test_settings_that_mean_nothing(raw: Any) -> None:
    with pytest.raises(ValueError, match=r"month|table"):
        GATE.read(raw)
