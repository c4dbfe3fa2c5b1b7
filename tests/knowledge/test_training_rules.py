"""Rules on series of metrics: a row a series, each that fires beside one that does not."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from typing import Any

import pytest

from mlops import rules as declared
from mlops.ir.training_rule import Seen
from mlops.knowledge.training_rules import WrongRule, names, read, rule_named, rules_of

NAN, INF = math.nan, math.inf
FALLING = [1.0 * 0.97**step for step in range(60)]
NOISY = [0.97**step * (1.3 if step % 3 else 0.8) for step in range(60)]
"""Single batches jump, the best still falls."""


def loss(*values: float, metric: str = "loss") -> list[Seen]:
    return [Seen(metric, value, float(at)) for at, value in enumerate(values)]


def epochs(*pairs: tuple[float, float]) -> list[Seen]:
    return [item for train, validation in pairs for item in (*loss(train, metric="t"), *loss(validation, metric="v"))]


def quiet(*seconds: float) -> list[Seen]:
    return [Seen(None, 0.0, at) for at in seconds]


ONE: dict[str, Any] = {"metric": "loss"}
BOTH: dict[str, Any] = {"train": "t", "validation": "v"}
ROWS: list[tuple[str, str, dict[str, Any], list[Seen], str | None]] = [
    ("it falls", "loss-not-decreasing", ONE, loss(*FALLING), None),
    ("it falls with noise", "loss-not-decreasing", ONE, loss(*NOISY), None),
    ("it falls slowly, and enough", "loss-not-decreasing", ONE, loss(*(1 - 0.0002 * n for n in range(60))), None),
    ("it falls too slowly", "loss-not-decreasing", ONE, loss(*(1 - 0.00001 * n for n in range(60))), "does not decr"),
    ("it stays", "loss-not-decreasing", ONE, loss(*[0.7] * 11), "the best of the last 10 values is 0.7, 0.7 was"),
    ("it stays not yet long enough", "loss-not-decreasing", ONE, loss(*[0.7] * 10), None),
    ("it rises", "loss-not-decreasing", {**ONE, "values": 3}, loss(1, 2, 3, 4), "does not decrease"),
    ("it is negative and falls", "loss-not-decreasing", {**ONE, "values": 2}, loss(*range(0, -30, -1)), None),
    ("it is negative and rises", "loss-not-decreasing", {**ONE, "values": 2}, loss(-5, -4, -3), "-4, -5 was"),
    ("it has nothing left to fall", "loss-not-decreasing", {**ONE, "values": 2}, loss(1, 0, 0, 0, 0, 0), None),
    ("nan is no value of it", "loss-not-decreasing", {**ONE, "values": 2}, loss(1, NAN, NAN, NAN), None),
    ("another metric stays", "loss-not-decreasing", {**ONE, "values": 2}, loss(1, 1, 1, 1, metric="other"), None),
    ("both losses fall", "overfit", BOTH, epochs((1, 1), (0.5, 0.54), (0.2, 0.21)), None),
    ("the validation loss stays behind", "overfit", BOTH, epochs((1, 1), (0.5, 0.9), (0.2, 0.9)), "v is 0.9 and t 0.2"),
    ("once is no habit", "overfit", BOTH, epochs((1, 1), (0.5, 0.9), (0.4, 0.42), (0.3, 0.9)), None),
    ("at the start it may", "overfit", {**BOTH, "start": 2}, epochs((1, 9), (0.5, 9), (0.4, 0.4)), None),
    ("the mean of an epoch counts", "overfit", BOTH, [*loss(9, 1, metric="t"), *loss(5, 5, 5, metric="v")], None),
    ("no training loss yet", "overfit", BOTH, loss(5, 5, 5, metric="v"), None),
    ("both fall on", "overtraining", BOTH, epochs(*((1 / n, 2 / n) for n in range(1, 9))), None),
    ("neither falls", "overtraining", BOTH, epochs(*[(0.5, 0.6)] * 11), "neither was 0.01 better"),
    ("neither falls, for less than its patience", "overtraining", BOTH, epochs(*[(0.5, 0.6)] * 10), None),
    ("the training still falls", "overtraining", BOTH, epochs(*((0.5 - n / 50, 0.6) for n in range(20))), None),
    ("a number", "not-finite", {}, loss(1, 1e300), None),
    ("nan", "not-finite", {}, loss(1, NAN), "loss is nan"),
    ("infinite", "not-finite", ONE, loss(1, -INF), "loss is -inf"),
    ("infinite, where only nan counts", "not-finite", {"only_nan": True}, loss(1, INF), None),
    ("nan of another metric", "not-finite", ONE, loss(NAN, metric="other"), None),
    ("it explodes", "exploding", ONE, loss(*[1.0] * 10, 20, 400, 8000), "it is 8000, and 1 was the median"),
    ("one spike", "exploding", ONE, loss(*[1.0] * 10, 2000, 1, 1, 2000, 1), None),
    ("it grows slowly", "exploding", ONE, loss(*(1.1**n for n in range(80))), None),
    ("it begins at nothing", "exploding", ONE, loss(*[0.0] * 10, 1, 2, 3), None),
    ("it becomes infinite", "exploding", {**ONE, "patience": 1}, loss(*[1.0] * 10, INF), "it is inf"),
    ("a gradient vanishes", "vanishing", ONE, loss(1, 1e-8, -1e-9, 1e-9), "below 1e-07 for 3 values"),
    ("a gradient is small", "vanishing", ONE, loss(1, 1e-8, 1e-9, 1e-6, 1e-9), None),
    ("it stays the same", "plateau", ONE, loss(1, 0.5, 0.5, 0.5, 0.5), "stays 0.5 for 4 values"),
    ("it moves a little", "plateau", ONE, loss(*(0.5 + n * 1e-4 for n in range(9))), None),
    ("values come", "stalled", {"seconds": 5.0}, [*loss(1, 2, 3), *quiet(4, 6.9)], None),
    (
        "none comes any more",
        "stalled",
        {"seconds": 5.0},
        [*loss(1, 2, 3), *quiet(4, 8)],
        "no value of any metric for 6 s",
    ),
    ("none has ever come", "stalled", {**ONE, "seconds": 5.0}, [*loss(1, metric="x"), *quiet(5)], "no value of loss"),
]


@pytest.mark.parametrize(
    ("name", "parameters", "series", "found"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_findings(name: str, parameters: dict[str, Any], series: list[Seen], found: str | None) -> None:
    watch = read("rule", json.dumps({"rule": name, **parameters})).rule.watch()
    said = next((said for item in series if (said := watch(item)) is not None), None)
    assert said is None if found is None else found in (said or ""), said


def test_each_rule_has_rows_of_both_kinds() -> None:
    assert {(name, found is not None) for _, name, _, _, found in ROWS} == {
        (name, fires) for name in names() for fires in (True, False)
    }


def test_what_is_declared_is_what_is_computed() -> None:
    for name in names():
        rule = rule_named(name)
        ours = getattr(declared, rule.__name__)
        assert ours.rule == name
        told = {key: item.default for key, item in inspect.signature(ours).parameters.items() if key != "then"}
        known = {item.name: item.default for item in dataclasses.fields(rule)}
        missing = {dataclasses.MISSING: inspect.Parameter.empty}
        assert told == {key: missing.get(value, value) for key, value in known.items()}


WRONG = [
    ("{", "is no JSON"),
    ("[]", "names no rule"),
    ("[" * 100_000, "is no JSON"),
    ('{"rule": "plato"}', "did you mean 'plateau'?"),
    ('{"rule": "plateau"}', "rule plateau needs metric"),
    ('{"rule": "plateau", "metric": "loss", "values": "5"}', "values = '5' is of the wrong kind"),
    ('{"rule": "plateau", "metric": "loss", "values": true}', "values = True is of the wrong kind"),
    ('{"rule": "plateau", "metric": "loss", "values": 0}', "values = 0 has to be at least 1"),
    ('{"rule": "plateau", "metric": "loss", "relative": NaN}', "relative = nan has to be at least 0"),
    ('{"rule": "plateau", "metric": "loss", "then": "go"}', "then = 'go'; choose of fail, keep"),
    ('{"rule": "overfit", "train": "x", "validation": "x"}', "the same metric"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_no_rule(text: str, said: str) -> None:
    with pytest.raises(WrongRule) as error:
        read("MLOPS_RULE_1", text)
    assert str(error.value).startswith("MLOPS_RULE_1: ") and said in str(error.value)


def test_rules_of_a_job_stand_in_the_order_of_their_numbers() -> None:
    given = {f"MLOPS_RULE_{n}": json.dumps({"rule": "vanishing", "metric": str(n)}) for n in (10, 2)}
    found = rules_of({**given, "MLOPS_RULES": "x", "OTHER": "y"})
    assert [ruled.rule.metrics for ruled in found] == [("2",), ("10",)]
