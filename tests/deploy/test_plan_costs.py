"""A plan in money: what is changed costs so much, and did so much before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlops.ir import unheard
from mlops.use_cases.plan import Planned, Wanted, plan
from mlops.use_cases.plan_costs import with_costs
from mlops.use_cases.upsert import Upsert, upsert

PIPELINE = """
from mlops import Pipeline, Training
with Pipeline("churn"):
    Training("Train", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1", to="s3://acme-ml/models",
        instance="{instance}", max_runtime={seconds}, volume=1)
"""
SERVED = """
from mlops import resources
model = resources.Model("churn", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1", model="s3://acme-ml/m.tar.gz")
config = resources.EndpointConfig("churn", model=model.model_name, instance="ml.m5.large", count=4)
resources.Endpoint("churn", config=config.config_name)
"""
PRICES = """
date = 2026-11-29
source = "a test"
currency = "USD"
minimum_seconds = 100
[prices.{region}.training]
"ml.m5.large" = 36.0
volume-gb-month = 0.0000001
[prices.{region}.endpoint]
"ml.m5.large" = 0.5
"""
TARGETS = Wanted(("pipeline.py", "served.py"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").write_text("[env.local]\n")
    (tmp_path / "served.py").write_text(SERVED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(folder: Path, instance: str = "ml.m5.large", seconds: int = 200) -> Planned:
    (folder / "pipeline.py").write_text(PIPELINE.format(instance=instance, seconds=seconds))
    found = plan(TARGETS, unheard)
    (folder / "prices.toml").write_text(PRICES.format(region=found.connected.environment.region))
    return found


def told(found: Planned, folder: Path) -> list[str]:
    return sorted({*_notes(with_costs(found, folder))} - {*_notes(found)})


def _notes(found: Planned) -> list[str]:
    return [
        *(note for one in found.plans for note in one.notes),
        *(note for one in found.resources for note in one.notes),
    ]


def test_what_comes_and_what_was(folder: Path) -> None:
    first = planned(folder)
    month = 4 * 0.5 * 730
    of_a_month = f"a month of {first.resources[0].changes[1].name} costs {month:,.2f} USD"
    assert told(first, folder) == [of_a_month, "an execution costs 1.00 to 2.00 USD"]
    upsert(Upsert(Wanted(("pipeline.py",))), unheard)
    assert told(planned(folder), folder) == [of_a_month]
    assert told(planned(folder, seconds=300), folder)[1] == (
        "an execution costs 1.00 to 3.00 USD, and 1.00 to 2.00 USD before: at most 1.00 more"
    )
    assert told(planned(folder, "ml.m5.xlarge"), folder)[1].startswith(
        "an execution costs what nobody knows (no price of ml.m5.xlarge for training in "
    )


def test_a_month_of_what_serves_now(folder: Path) -> None:
    first = planned(folder)
    (declared,) = first.resources
    changes = []
    for change in declared.changes:
        if change.type == "endpoint-config":
            assert change.new is not None
            (variant,) = change.new["ProductionVariants"]
            eight = {**change.new, "ProductionVariants": [{**variant, "InitialInstanceCount": 8}]}
            change = replace(change, old=eight)
        changes.append(change)
    found = replace(first, plans=(), resources=(replace(declared, changes=tuple(changes)),))
    (note,) = told(found, folder)
    assert note.endswith("costs 1,460.00 USD, and 2,920.00 USD before: at most 1,460.00 less")


def test_the_sample_is_none_to_plan_by(folder: Path) -> None:
    found = planned(folder)
    (folder / "prices.toml").unlink()
    assert with_costs(found, folder) == found
