"""Rules of a training in the document: variables for everybody, Debugger's for who has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops.check.sources import Opened
from mlops.ir import Severity
from mlops.ir.document import document

BODY = """
rule = "503895931360.dkr.ecr.us-east-1.amazonaws.com/sagemaker-debugger-rules:latest"
sk = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1"
Training(
    "T", code="train.py", image=sk, metrics={"loss": "loss=(.*)", "late": "late=(.*)"}, environment={"MINE": "1"},
    rules=[rules.NotFinite(), rules.Overfit("loss", "late", ratio=0.2, then="keep"), rules.Exploding("loss")],
)
"""
OWN = BODY.replace("rules=[", 'debug_rules={"Mine": Rule(rule, {"rule_to_invoke": "DeadRelu"})}, rules=[')


def training(opened: Opened) -> Any:
    assert not [item for item in opened.findings if item.severity is Severity.ERROR], opened.findings
    return document(opened.pipelines[0].definition)["Steps"][0]["Arguments"]


def test_rules_travel_in_the_environment(declare: Callable[..., Opened]) -> None:
    found = training(declare(BODY))
    assert found["Environment"] == {
        "MINE": "1",
        "MLOPS_RULE_1": '{"rule": "not-finite"}',
        "MLOPS_RULE_2": '{"rule": "overfit", "train": "loss", "validation": "late", "ratio": 0.2, "then": "keep"}',
        "MLOPS_RULE_3": '{"rule": "exploding", "metric": "loss"}',
    }
    assert "DebugRuleConfigurations" not in found and "DebugHookConfig" not in found


@pytest.mark.parametrize(("body", "own"), [(BODY, []), (OWN, ["Mine"])], ids=["alone", "beside the author's"])
def test_an_account_that_has_debugger_is_asked_too(declare: Callable[..., Opened], body: str, own: list[str]) -> None:
    found = training(declare(body, toml="[env.local]\ndebugger = true\n"))
    configured = {item["RuleConfigurationName"]: item["RuleParameters"] for item in found["DebugRuleConfigurations"]}
    assert [*configured] == [*own, "ExplodingTensor-1", "Overfit-2"], "Debugger has nothing for the third"
    assert configured["Overfit-2"] == {
        "rule_to_invoke": "Overfit",
        "patience": "1",
        "ratio_threshold": "0.2",
        "start_step": "0",
    }
    image = found["DebugRuleConfigurations"][-1]["RuleEvaluatorImage"]
    assert image == "503895931360.dkr.ecr.us-east-1.amazonaws.com/sagemaker-debugger-rules:latest"
    assert found["DebugHookConfig"]["S3OutputPath"] == "s3://mlops-local/mlops/debugger/T"
    assert [item["CollectionName"] for item in found["DebugHookConfig"]["CollectionConfigurations"]] == ["losses"]
