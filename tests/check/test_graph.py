"""Edges, cycles, orders, and how the time grows."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sample_step_types import TYPES

from mlops.check import check, order
from mlops.ir import Block, Definition, Ref, Step


def step(name: str, *after: str, reads: str | None = None) -> Step:
    return Step(
        name,
        "Lambda",
        {"x": Ref(f"Steps.{reads}.OutputParameters['o']")} if reads else {},
        {
            "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
            "DependsOn": after,
            "OutputParameters": ({"OutputName": "o", "OutputType": "String"},),
        },
    )


def gate(name: str, then: tuple[Step, ...], otherwise: tuple[Step, ...] = (), reads: str = "A") -> Step:
    condition = {"Type": "Equals", "LeftValue": Ref(f"Steps.{reads}.OutputParameters['o']"), "RightValue": "a"}
    blocks = (Block("IfSteps", then), Block("ElseSteps", otherwise))
    return Step(name, "Condition", {"Conditions": (condition,)}, {}, blocks)


def names(steps: tuple[Step, ...]) -> list[str]:
    return [item.name for item in steps]


def pipeline(*steps: Step) -> Definition:
    return Definition("p", steps=steps)


def test_edges_are_explicit_implicit_and_from_the_condition_around() -> None:
    found = check(pipeline(step("A"), gate("C", (step("B", reads="A"),)), step("D", "A")), types=TYPES)
    assert found.edges == {"A": frozenset(), "C": {"A"}, "B": {"A", "C"}, "D": {"A"}}
    assert found.order == ("A", "C", "B", "D")
    assert found.ok


def test_a_foreach_waits_for_what_its_body_reads() -> None:
    body = Step("F", "ForEach", {"IterableItems": ("a",)}, {}, (Block("ForEachBody", (step("B", reads="A"),)),))
    assert check(pipeline(body, step("A")), types=TYPES).order == ("A", "F", "B")


def test_order_is_kept_where_it_is_one() -> None:
    definition = pipeline(step("Z"), step("B"), step("A", "Z"))
    assert order(definition) is definition


def test_order_moves_a_step_behind_what_it_reads() -> None:
    definition = pipeline(step("B", reads="A"), step("Z"), step("A"))
    assert names(order(definition).steps) == ["Z", "A", "B"]


def test_order_inside_a_branch_and_through_it() -> None:
    definition = pipeline(gate("C", (step("Y", "X"), step("X", "Late"))), step("Late"), step("A"))
    ordered = order(definition)
    assert names(ordered.steps) == ["Late", "A", "C"]
    assert [names(block.steps) for block in ordered.steps[2].blocks] == [["X", "Y"], []]
    assert check(ordered, types=TYPES).order == ("Late", "A", "C", "X", "Y")


@pytest.mark.parametrize(
    "steps", [(step("A", "B"), step("B", "A")), (step("B", "A"), step("A"), step("A"))], ids=["cycle", "repeated name"]
)
def test_order_leaves_what_has_none(steps: tuple[Step, ...]) -> None:
    definition = pipeline(*steps)
    assert order(definition) is definition


def test_a_cycle_is_told_as_a_path_with_reasons() -> None:
    found = check(pipeline(step("A", "C"), step("B", reads="A"), step("C", "B")), types=TYPES).findings
    (cycle,) = (finding for finding in found if finding.code == "G104")
    assert "A -> C -> B -> A" in cycle.message
    assert "A waits for C: DependsOn" in cycle.message
    assert "B waits for A: reads Steps.A.OutputParameters['o'] at /Steps/1/Arguments/x" in cycle.message
    assert (cycle.step, cycle.path) == ("A", "/Steps/0/DependsOn/0")


def test_two_knots_give_two_findings() -> None:
    steps = (step("A", "B"), step("B", "A"), step("C", "D"), step("D", "C"))
    found = check(pipeline(*steps), types=TYPES).findings
    assert [finding.step for finding in found if finding.code == "G104"] == ["A", "C"]


def test_deep_conditions_do_not_recurse() -> None:
    inner = step("Last")
    for index in range(1200):
        inner = gate(f"C{index}", (inner,))
    definition = pipeline(step("A"), inner)
    assert check(definition, types=TYPES).order[0] == "A"
    assert order(definition) is definition


def test_networkx_is_loaded_only_for_what_needs_it() -> None:
    program = (
        "import sys; from mlops.check import check, order; from mlops.ir import Definition, Step; "
        "d = Definition('p', steps=(Step('A', 'X', {}), Step('B', 'X', {}, {'DependsOn': ('A',)}))); "
        "check(order(d), types={}); print(sorted({'networkx', 'botocore', 'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
