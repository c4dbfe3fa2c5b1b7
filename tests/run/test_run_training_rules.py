"""Rules that watch a training stop it, and the step ends as they say."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from ports_for_tests import Account, training

from mlops.account.local.events import read
from mlops.ir import Step

SCRIPT = """
import os, sys, time
if sys.argv[-1] != "nothing":
    open(os.environ["SM_MODEL_DIR"] + "/weights", "w").write("w")
ends = sys.argv[-1] == "ends"
# A line without an end is none while the training runs: what ends by itself is found when it has ended.
lines = "\\n".join("loss=" + value for value in sys.argv[2].split(","))
print(lines, end="" if ends else None, flush=True)
if not ends:
    time.sleep(600)
"""


def ruled(account: Account, name: str, values: str, then: str, how: str) -> Step:
    """The names of hyperparameters are sorted."""
    return training(
        account,
        name,
        {"train.py": SCRIPT},
        hyperparameters={"a": values, "b": how},
        algorithm={"MetricDefinitions": [{"Name": "loss", "Regex": r"loss=(\S+)"}]},
        Environment={"MLOPS_RULE_1": json.dumps({"rule": "not-finite", "then": then})},
    )


def test_a_finding_ends_the_training(account: Account) -> None:
    rows = {
        "Fails": ("0.5,nan", "fail", "waits"),
        "Keeps": ("0.5,inf", "keep", "waits"),
        "KeepsNothing": ("0.5,nan", "keep", "nothing"),
        "EndsBad": ("0.5,nan", "fail", "ends"),
        "EndsWell": ("0.5,0.4", "fail", "ends"),
    }
    steps = [ruled(account, name, *row) for name, row in rows.items()]
    assert account.run(*steps) == "Failed"
    last = {name: account.journal.last(name) for name in rows}
    told: dict[str, tuple[Any, ...]] = {
        name: (record.status, record.response["TrainingJobStatus"], record.failure) for name, record in last.items()
    }
    nothing = "rule not-finite: loss is nan; nothing was in /opt/ml/model that could be kept"
    assert told == {
        "Fails": ("Failed", "Stopped", "rule not-finite: loss is nan"),
        "Keeps": ("Succeeded", "Stopped", None),
        "KeepsNothing": ("Failed", "Stopped", nothing),
        "EndsBad": ("Failed", "Failed", "rule not-finite: loss is nan"),
        "EndsWell": ("Succeeded", "Completed", None),
    }
    kept = last["Keeps"].response
    assert kept["SecondaryStatusTransitions"][-1]["StatusMessage"] == "rule not-finite: loss is inf"
    assert [item["RuleEvaluationStatus"] for item in kept["DebugRuleEvaluationStatuses"]] == ["IssuesFound"]
    with tarfile.open(fileobj=io.BytesIO(account.objects.read(kept["ModelArtifacts"]["S3ModelArtifacts"]))) as tar:
        assert tar.getnames() == ["weights"]
    found = read(account.state.store, kinds=["training.rule-found"])
    assert sorted(str(event.detail["finding"]) for event in found) == ["loss is inf", *["loss is nan"] * 3]


def test_a_rule_on_what_is_no_metric_is_told(account: Account) -> None:
    step = training(
        account,
        "Train",
        {"train.py": SCRIPT},
        Environment={"MLOPS_RULE_1": '{"rule": "plateau", "metric": "loss"}'},
    )
    assert account.run(step) == "Failed"
    told = account.journal.last("Train").failure
    assert told == "rule plateau: no MetricDefinition is named 'loss'; there are: none"
