"""What promotions cost beside what serves: sums by hand, and what is not known is never 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.check.costs.bounds import Bounds
from mlops.ir import unheard
from mlops.use_cases.cost import priced

PIPELINE = """
from mlops import Pipeline, RegisterModel
with Pipeline("churn"):
    RegisterModel("Register", group="churn", model="s3://acme-ml/model.tar.gz",
        image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1", content_types=["text/csv"],
        response_types=["text/csv"], approval="PendingManualApproval")
"""
SERVED = """
from mlops import resources
model = resources.Model("churn", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1", model="s3://acme-ml/m.tar.gz")
config = resources.EndpointConfig("churn", model=model.model_name, {variant})
resources.Endpoint("churn", config=config.config_name)
"""
TOML = """
[project]
[env.production]
region = "us-east-1"
account = "111122223333"
role = "arn:aws:iam::111122223333:role/jobs"
bucket = "acme-ml"
[env.production.promote]
{strategy}
"""
PRICES = """
date = 2026-11-29
source = "a test"
currency = "USD"
[prices.us-east-1.endpoint]
"ml.m5.large" = 3.6
"""
FOUR = 'instance="ml.m5.large", count=4'
ALARMS = 'alarms = ["red"]\n'
JUDGED = '[env.production.promote.judge]\nerrors = { at_most = "1%" }'

# An instance costs a thousandth a second.
ROWS: dict[str, tuple[str, str, tuple[float | None, float | None], str]] = {
    "at once": ("", FOUR, (0.0, None), "until they serve"),
    "a canary by weights: of 4 one, then all": (
        'strategy = { canary = { share = 10, bake = "100s", after = "200s" } }\n' + JUDGED,
        FOUR,
        (0.1 + 0.8, None),
        "until they serve",
    ),
    "steps of 1, 2 and 4": (
        'strategy = { stepped = { shares = [25, 50, 100], bake = "100s" } }\n' + JUDGED,
        FOUR,
        (0.1 + 0.2 + 0.4, None),
        "until they serve",
    ),
    "a canary by guardrails: a fleet, until the limit at most": (
        ALARMS + 'strategy = { canary = { share = 25, bake = "100s" } }',
        FOUR,
        (0.4, 4 * 1.9),
        "",
    ),
    "rolling: a batch at most": (
        ALARMS + 'strategy = { rolling = { batch = 25, bake = "100s" } }',
        FOUR,
        (0.0, 1 * 2.2),
        "",
    ),
    "no price": ("", 'instance="ml.m5.xlarge", count=4', (None, None), "no price of ml.m5.xlarge"),
    "serverless": (
        "",
        "serverless=resources.Serverless(memory=2048, concurrency=1)",
        (None, None),
        "billed by requests",
    ),
    "another endpoint": ('endpoint = "other"', FOUR, (None, None), "declared in nothing that was read"),
}


def promotions(folder: Path, strategy: str, variant: str) -> dict[str, Bounds]:
    (folder / "mlops.toml").write_text(TOML.format(strategy=strategy))
    (folder / "prices.toml").write_text(PRICES)
    (folder / "files").mkdir()
    (folder / "files" / "pipeline.py").write_text(PIPELINE)
    (folder / "files" / "served.py").write_text(SERVED.format(variant=variant))
    return dict(priced(str(folder / "files"), "production", None, unheard, history=False).promotions)


@pytest.mark.parametrize("name", ROWS)
def test_a_promotion(name: str, tmp_path: Path) -> None:
    strategy, variant, (lower, upper), why = ROWS[name]
    found = promotions(tmp_path, strategy, variant)
    (one,) = found.values()
    assert list(found) == ["other" if "other" in strategy else "churn"]
    assert one.lower == (None if lower is None else pytest.approx(lower))
    assert one.upper == (None if upper is None else pytest.approx(upper))
    assert why in " ".join(one.unknown) and bool(why) == bool(one.unknown)
