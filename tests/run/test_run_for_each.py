"""ForEach really runs its body once for each item, as many at once as it may, and selects the best."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from ports_for_tests import Account, processing, step
from test_run_lambda import make, outputs

from mlops.ir import Step
from mlops.ir.definition import Block
from mlops.ir.values import from_json
from mlops.run.execute import STEP_FAILURE
from mlops.run.ports import StepRecord

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:score"
FIT = """\
def handler(event, context):
    if event["n"] < 0:
        raise ValueError(f"{event['n']} is too small")
    return {"score": (event["n"] - 3) ** 2, "name": f"model-{event['n']}"}
"""


def get(expression: str) -> dict[str, str]:
    return {"Get": expression}


def asks(name: str, event: Mapping[str, Any], /, *before: Any, **kinds: str) -> Step:
    more = {"DependsOn": list(before)} if before else {}
    return step("Lambda", name, event, FunctionArn=ARN, OutputParameters=outputs(**kinds), **more)


def for_each(items: Any, *body: Step, most: int = 2, selector: Any = None, **members: Any) -> Step:
    arguments = {"IterableItems": items, "MaxConcurrency": most, **({"Selector": selector} if selector else {})}
    return Step("Each", "ForEach", from_json(arguments), members, blocks=(Block("ForEachBody", body),))


def told(text: Any) -> Step:
    return step("Fail", "Told", {"ErrorMessage": text}, DependsOn=["Each"])


FITTED = asks("Fit", {"n": get("ForEach.CurrentItem")}, score="Integer", name="String")
SCORE = get("IterationOutput.Fit.OutputParameters['score']")


@pytest.fixture
def functions(account: Account) -> Account:
    make(account, FIT)
    return account


@pytest.mark.parametrize(("pick", "best"), [("MaxBy", "model-9"), ("MinBy", "model-4")])
def test_the_best_iteration_is_selected(functions: Account, pick: str, best: str) -> None:
    loop = for_each([9, 1, 4], FITTED, selector={"Pick": pick, "Field": SCORE})
    assert functions.run(loop, told(get("Steps.Each.Selected.OutputParameters['name']"))) == "Failed"
    assert functions.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: {best}")
    counts = functions.journal.last("Each").metadata["ForEach"]
    selected = {"StepName": "Fit", "Index": 0 if pick == "MaxBy" else 2}
    assert counts == {
        "Status": "Succeeded", "InputItemCount": 3, "TotalStepCount": 3, "SucceededStepCount": 3,
        "FailedStepCount": 0, "StoppedStepCount": 0, "Selector": selected,
    }  # fmt: skip
    assert {name: state for name, state in functions.journal.ended().items() if name.startswith("Fit")} == {
        "Fit-0": "Succeeded", "Fit-1": "Succeeded", "Fit-2": "Succeeded",
    }  # fmt: skip


def test_what_iterations_yield_is_read_by_number(functions: Account) -> None:
    text = get("Steps.Each.IterationOutputs[1].Fit.OutputParameters['name']")
    assert functions.run(for_each([1, 2], FITTED), told(text)) == "Failed"
    assert functions.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: model-2")


@pytest.mark.parametrize(
    ("items", "read", "wanted"),
    [
        ([json.dumps({"n": 5, "deep": {"a": [7, 8]}})], "ForEach.CurrentItem.n", "model-5"),
        ([json.dumps({"n": 5, "deep": {"a": [7, 8]}})], "ForEach.CurrentItem.deep.a[1]", "model-8"),
        ([json.dumps({"n": 5})], "ForEach.CurrentItem['n']", "model-5"),
        ("[1, 2, 6]", "ForEach.CurrentItem", "model-6"),
    ],
)
def test_items_and_their_members(functions: Account, items: Any, read: str, wanted: str) -> None:
    body = asks("Fit", {"n": get(read)}, name="String")
    count = len(json.loads(items)) if isinstance(items, str) else len(items)
    text = get(f"Steps.Each.IterationOutputs[{count - 1}].Fit.OutputParameters['name']")
    functions.run(for_each(items, body), told(text))
    assert functions.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: {wanted}")


def test_steps_of_an_iteration_wait_for_each_other_and_read_each_other(functions: Account) -> None:
    first = asks("First", {"n": get("ForEach.CurrentItem")}, score="Integer")
    second = asks("Second", {"n": get("Steps.First.OutputParameters['score']")}, name="String")
    text = {"Std:Join": {"On": "+", "Values": [
        get("Steps.Each.IterationOutputs[0].Second.OutputParameters['name']"),
        get("Steps.Each.IterationOutputs[1].Second.OutputParameters['name']"),
    ]}}  # fmt: skip
    functions.run(for_each([1, 5], first, second), told(text))
    assert functions.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: model-4+model-4")


def test_no_more_iterations_run_at_once_than_may(account: Account) -> None:
    script = "import time\nprint(time.time())\ntime.sleep(0.4)\nprint(time.time())"
    body = processing(account, "Work", script)
    assert account.run(for_each(["a", "b", "c", "d"], body, most=2), max_parallel=8) == "Succeeded"
    spans = [
        tuple(float(line) for line in account.journal.log(f"Work-{number}").splitlines() if line[:1].isdigit())
        for number in range(4)
    ]
    assert max(sum(begin <= start < end for begin, end in spans) for start, _ in spans) <= 2
    running, most = set[str](), 0
    for record in account.journal.records:
        if record.name.startswith("Work-"):
            (running.discard if record.ended else running.add)(record.name)
            most = max(most, len(running))
    assert most == 2


def test_a_loop_takes_no_place_of_its_own(account: Account) -> None:
    assert account.run(for_each(["a", "b"], processing(account, "Work", "")), max_parallel=1) == "Succeeded"


def test_one_iteration_that_fails_fails_the_loop_and_the_others_run(functions: Account) -> None:
    behind = asks("Behind", {"n": get("Steps.Fit.OutputParameters['score']")}, name="String")
    mend = step("Fail", "Mend", {"ErrorMessage": "mended"}, DependsOn=[{"Step": "Each", "Trigger": "Failed"}])
    assert functions.run(for_each([4, -1, 5], FITTED, behind), mend) == "Failed"
    assert functions.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: mended")
    assert functions.journal.ended() == {
        "Each": "Failed", "Fit-0": "Succeeded", "Fit-1": "Failed", "Fit-2": "Succeeded", "Behind-0": "Succeeded",
        "Behind-2": "Succeeded", "Mend": "Failed",
    }  # fmt: skip
    assert functions.journal.last("Each").failure == "Fit-1 failed"
    counts = functions.journal.last("Each").metadata["ForEach"]
    assert (counts["Status"], counts["SucceededStepCount"], counts["FailedStepCount"]) == ("Failed", 4, 1)


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "IterableItems has to be a list of 1 to 100 items; it is 0 items"),
        ([0] * 101, "it is 101 items"),
        ("no list", "IterableItems is no list in JSON"),
        ('{"a": 1}', "IterableItems has to be a list"),
        (["text"], "ForEach.CurrentItem.n: the item 'text' is no object in JSON"),
        (['{"m": 1}'], "ForEach.CurrentItem.n: the item has no such member"),
    ],
)
def test_items_that_cannot_be(functions: Account, items: Any, said: str) -> None:
    assert functions.run(for_each(items, asks("Fit", {"n": get("ForEach.CurrentItem.n")}))) == "Failed"
    assert said in (functions.journal.last("Each").failure or "")


def test_a_name_that_is_taken_is_told(functions: Account) -> None:
    assert functions.run(for_each([1], FITTED), asks("Fit-0", {"n": 1})) == "Failed"
    assert "an iteration would be named Fit-0" in (functions.journal.last("Each").failure or "")


def test_a_stop_ends_the_iterations(account: Account) -> None:
    body = processing(account, "Long", "import time\nprint('up', flush=True)\ntime.sleep(600)")
    journal = account.journal
    journal.stop_when = lambda: any(item.name == "Long-0" and item.status == "Executing" for item in journal.records)
    began = time.monotonic()
    assert account.run(for_each(["a", "b", "c"], body, most=1)) == "Stopped"
    assert time.monotonic() - began < 300
    assert account.journal.ended() == {"Each": "Stopped", "Long-0": "Stopped"}


def test_iterations_that_ended_well_are_not_repeated(functions: Account) -> None:
    done = StepRecord("Fit-0", "Lambda", "Succeeded", response={"OutputParameters": {"name": "earlier", "score": 1}})
    text = get("Steps.Each.IterationOutputs[0].Fit.OutputParameters['name']")
    functions.run(for_each([1, 2], FITTED), told(text), finished={"Fit-0": done})
    assert functions.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: earlier")
    assert "Fit-0" not in functions.journal.ended()
