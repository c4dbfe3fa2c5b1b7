"""What the service refuses at once is told of a request by itself as of its step: the rows are those of the rules."""

from __future__ import annotations

from typing import Any

import pytest
from case_files import listed
from rule_cases import CASES as OWN_CASES
from rule_cases import Case
from sound_definition import SOUND, spoilt

from mlops.check import rules
from mlops.check.refused import OF_ITSELF, REFUSED, refused
from mlops.check.rule import Rule
from mlops.ir import Severity
from mlops.ir.discovery import modules

TOLD = {operation: {code for codes in table.values() for code in codes} for operation, (_, table) in REFUSED.items()}
ALONE = (
    "by a parameter",
    "a parameter of jobs",
    "of a parameter's default",
    "of two containers",
    "with two containers",
    "pipeline of containers",
)
"""Ends of the names of cases that are about more than one request: a parameter's, or a model's of another step."""
OPERATIONS = {type_: operation for operation, (type_, _) in REFUSED.items() if operation.startswith("Create")}


def requests(definition: Any) -> dict[str, tuple[str, Any]]:
    """Operation and request by step; those of blocks are not looked at."""
    steps = definition["Steps"]
    return {step["Name"]: (OPERATIONS[step["Type"]], step["Arguments"]) for step in steps if step["Type"] in OPERATIONS}


def rows() -> list[Case]:
    """Of each rule the cases that are a mistake of one request alone."""
    found = []
    there = requests(SOUND)
    for case in [*OWN_CASES, *listed("CASES")]:
        steps = {key.partition(":")[0] for key in case.bad}
        step = next(iter(steps)) if len(steps) == 1 else ""
        is_error = case.severity is Severity.ERROR or case.code in OF_ITSELF
        if step in there and is_error and case.code in TOLD[there[step][0]] and not case.name.endswith(ALONE):
            found.append(case)
    return found


def test_what_is_sound_is_taken() -> None:
    assert [text for asked in requests(SOUND).values() for text in refused(*asked)] == []
    assert [*refused("CreateDomain", {})] == []


@pytest.mark.parametrize("case", rows(), ids=lambda case: f"{case.code} {case.name}")
def test_what_a_rule_finds_in_a_step_is_refused_of_its_request(case: Case) -> None:
    (step,) = {key.partition(":")[0] for key in case.bad}
    wrong = [*refused(*requests(spoilt(case.bad))[step])]
    mended = [*refused(*requests(spoilt(case.good))[step])]
    assert wrong and len(mended) < len(wrong), (wrong, mended)
    assert all("/Steps" not in text for text in wrong), wrong


def test_the_table_names_rules_where_they_are() -> None:
    there = modules(rules)
    for _, table in REFUSED.values():
        for module, codes in table.items():
            known = {item.code for item in vars(there[module].load()).values() if isinstance(item, Rule)}
            assert known >= set(codes), module


def test_each_kind_of_request_has_rows() -> None:
    there = requests(SOUND)
    asked = {there[next(iter(case.bad)).partition(":")[0]][0] for case in rows()}
    assert asked == set(OPERATIONS.values())
