"""What docs/outcomes.md shows is read and runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mlops import client
from mlops.deploy.shifting.settings import read
from mlops.project.environments import read_project

TEXT = (Path(__file__).parent.parent.parent.parent / "docs" / "outcomes.md").read_text(encoding="utf-8")
ENVIRONMENT = '[env.production]\nregion = "eu-west-1"\nrole = "arn:aws:iam::111122223333:role/r"\nbucket = "acme-ml"\n'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("toml"))
def test_settings_mean_something(tmp_path: Path, text: str) -> None:
    if "strategy" not in text:
        text += '[env.production.promote]\nstrategy = "canary"\n'
    (tmp_path / "mlops.toml").write_text(f"{ENVIRONMENT}{text}")
    found = read(read_project(tmp_path).environment("production"), tmp_path)
    assert [rule.name for rule in found.rules if rule.compare is not None]


def test_programs_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a service that says what it was asked."""
    asked: list[dict[str, Any]] = []
    told: list[tuple[Any, ...]] = []

    class Service:
        def invoke_endpoint(self, **arguments: Any) -> None:
            asked.append(arguments)

        def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
            variants = [("blue", 90.0), ("green", 10.0)]
            return {"ProductionVariants": [{"VariantName": name, "CurrentWeight": weight} for name, weight in variants]}

    monkeypatch.setattr(client, "outcome", lambda *values, **named: told.append((*values, *named.values())))
    known = {"runtime": Service(), "sagemaker": Service(), "body": b"1,2"}
    for text in blocks("python"):
        if "resources" in text:
            continue  # declared, and promoted in test_shift_here.py
        exec(compile(text, "docs/outcomes.md", "exec"), dict(known))
    assert [item["InferenceId"] for item in asked] == ["order-1", "order-2"]
    assert asked[1]["TargetVariant"] in ("blue", "green") and asked[1]["CustomAttributes"].endswith(",plan=free")
    assert told == [("order-1", "label", 1, "churn", "production"), ("order-1", "revenue", 12.5, "churn", "production")]
