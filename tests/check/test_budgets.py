"""A budget is held against what costs at most, and what nobody knows is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.ir import ConfigurationError
from mlops.project.environments import read_project
from mlops.use_cases.budgets import with_budgets

from .test_costs import PRICES, endpoint, training, variant

TOML = """[env.prod]
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/r"
bucket = "acme"
[env.prod.cost]
"""
EXECUTION, MONTH = "budget_execution = 0.1\n", "budget_month = 700\n"

# A training costs at most 0.1, a month of a variant 730.
ROWS: dict[str, tuple[str, list[dict[str, Any]], str, list[str]]] = {
    "within": (EXECUTION, [training()], PRICES, []),
    "above": (EXECUTION, [training(limit=101)], PRICES, ["A040 an execution of definition costs up to 0.10"]),
    "no price": (EXECUTION, [training(kind="ml.b.large")], PRICES, ["A041 no price of ml.b.large"]),
    "a part is above": (
        EXECUTION,
        [training(count=2), training("T2", kind="ml.b.large")],
        PRICES,
        ["A040 an execution of definition costs at least 0.12"],
    ),
    "a sample": (EXECUTION, [training()], "", ["A041 the sample of prices is none to judge by"]),
    "a month within": (MONTH.replace("700", "730"), [endpoint(variant())], PRICES, []),
    "a month above": (MONTH, [endpoint(variant())], PRICES, ["A040 E of definition costs up to 730.00"]),
    "another budget": (EXECUTION, [endpoint(variant())], PRICES, []),
    "no budget": ("", [training(limit=101)], PRICES, []),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_budget(name: str, tmp_path: Path) -> None:
    budget, steps, prices, wanted = ROWS[name]
    (tmp_path / "mlops.toml").write_text(TOML + budget)
    if prices:
        (tmp_path / "prices.toml").write_text(prices)
    document = {"Version": "2020-12-01", "Parameters": [{"Name": "Open", "Type": "Integer"}], "Steps": steps}
    (tmp_path / "definition.json").write_text(json.dumps(document))
    opened = open_targets([str(tmp_path / "definition.json")], "prod")
    told = [finding for finding in with_budgets(opened, "prod").findings if finding not in opened.findings]
    assert [finding.code for finding in told] == [line[:4] for line in wanted]
    for finding, line in zip(told, wanted, strict=True):
        assert line[5:] in finding.message and (finding.where.line or 0) == 6
    assert with_budgets(opened, "local") is opened
    assert with_budgets(opened, "prod", ignore=["A040", "A041"]).findings == opened.findings


@pytest.mark.parametrize(
    "budget", ["budget_execution = 0", "budget_month = inf", 'budget_month = "5"', "budget = 5", "budget_month = true"]
)
def test_what_is_no_budget(budget: str, tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text(TOML + budget + "\n")
    with pytest.raises(ConfigurationError, match=r"mlops\.toml:6: "):
        read_project(tmp_path)
